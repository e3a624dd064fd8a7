"""Whom each programme reaches, once a half-term and once when it is over: counted, rounded and hidden as places are.

Most nights nothing is due, and no record is read. One shard of pupils is in memory at a time.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casework.database import connect, scoped
from casework.followed_up import followed_up
from casework.places import NETWORK
from casework.programme_figures import (
    WHOLE_PERIOD,
    ProgrammeRelease,
    ReachCounts,
    programme_releases,
    save_programme_release,
)
from casework.programmes import Programme, programmes
from casework.tables_people import PupilRow
from casework.tables_support import SupportRow, SupportVersionRow
from fairness.disclosure import Key
from fairness.policy import policy_of
from learning.places.counting import pupil_counts
from learning.places.cuts import labelled
from learning.places.half_terms import SETTLE_DAYS, HalfTerm, due
from learning.places.release import RULE, WHOLE
from learning.programmes.reached import SUPPORT_COLUMNS, Period, hours_in, with_reach
from learning.programmes.release import releases_of
from records import delta
from records.calendar import Calendar, calendar_from
from records.clock import clock_of
from records.history import known, latest
from records.home import Home
from records.store import Store
from records.tables import CALENDARS
from serving.jobs.places import labels_of


@dataclass(frozen=True, kw_only=True)
class _Due:
    """A programme and a period of it that is due; `days` are those of its schools."""

    programme: Programme
    days: HalfTerm

    @property
    def period(self) -> Period:
        """The days that count: the period's, while the programme ran."""
        return Period(
            start=max(self.days.start, self.programme.start_on), end=min(self.days.end, self.programme.end_on)
        )


def publish_programmes(home: Home) -> int:
    """Publish what is due of every programme, and return how many periods were."""
    today = clock_of(home).today()
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            entered = programmes(session)
            out = {one.id: programme_releases(session, one.id) for one in entered}
        if not entered:
            return 0
        calendar = calendar_from(latest(delta.read(home.history, CALENDARS, 0)[0], CALENDARS, today))
        wanted = [one for programme in entered for one in periods_due(programme, calendar, today, out[programme.id])]
        if not wanted:
            return 0
        counted = _counted(home, today, wanted)
        with scoped(engine, None) as session:
            return sum(
                _publish(session, home, today, [pair for pair in counted if pair[0].days.name == name])
                for name in dict.fromkeys(one.days.name for one in wanted)
            )
    finally:
        engine.dispose()


def periods_due(
    programme: Programme, calendar: Calendar, today: date, out: Sequence[ProgrammeRelease]
) -> tuple[_Due, ...]:
    """Return the half-terms of the programme that ended a week ago and are not out, and the whole once it is over."""
    names = {one.period for one in out}
    found = []
    for half_term in due(calendar, today, [one.start_on for one in out if one.period != WHOLE_PERIOD]):
        days = {school: span for school, span in half_term.days.items() if school in programme.schools}
        if not days or half_term.name in names:
            continue
        mine = HalfTerm(name=half_term.name, days=days)
        if mine.start <= programme.end_on and programme.start_on <= mine.end:
            found.append(_Due(programme=programme, days=mine))
    if programme.end_on + timedelta(days=SETTLE_DAYS) < today and WHOLE_PERIOD not in names:
        span = (programme.start_on, programme.end_on)
        whole = HalfTerm(name=WHOLE_PERIOD, days=dict.fromkeys(programme.schools, span))
        found.append(_Due(programme=programme, days=whole))
    return tuple(found)


def offers(session: Session, programme: uuid.UUID) -> pd.DataFrame:
    """Return the programme's offers as they stand, columns `SUPPORT_COLUMNS`; none that was entered by mistake."""
    newest = (
        select(SupportVersionRow.support_id, func.max(SupportVersionRow.version).label("version"))
        .group_by(SupportVersionRow.support_id)
        .subquery()
    )
    row = SupportVersionRow
    rows = session.execute(
        select(PupilRow.pseudonym, row.school_urn, row.offered_on, row.start_on, row.end_on, row.hours)
        .join(newest, (newest.c.support_id == row.support_id) & (newest.c.version == row.version))
        .join(SupportRow, SupportRow.id == row.support_id)
        .join(PupilRow, PupilRow.id == SupportRow.pupil_id)
        .where(row.programme_id == programme, row.standing != "mistaken")
    )
    frame = pd.DataFrame([tuple(one) for one in rows], columns=list(SUPPORT_COLUMNS))
    for name in ("offered_on", "start_on", "end_on"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    return frame.astype({"pupil": "int64", "school": "int64", "hours": "float64"})


def _counted(home: Home, today: date, wanted: Sequence[_Due]) -> list[tuple[_Due, pd.DataFrame]]:
    store = Store(home)
    parts: list[list[pd.DataFrame]] = [[] for _ in wanted]
    for shard in store.shards:
        there = known(store.history(shard), today)
        for mine, one in zip(parts, wanted, strict=True):
            mine.append(pupil_counts(there, one.days))
    return [(one, pd.concat(mine, ignore_index=True)) for one, mine in zip(wanted, parts, strict=True)]


def _publish(session: Session, home: Home, today: date, counted: Sequence[tuple[_Due, pd.DataFrame]]) -> int:
    """Publish the programmes of one period together; one of whose schools no pupil is known has nothing to publish."""
    labels = labels_of(home, today)
    tables: dict[str, pd.DataFrame] = {}
    supports: dict[str, pd.DataFrame] = {}
    of: dict[str, _Due] = {}
    for one, pupils in counted:
        if pupils.empty:
            continue
        name = str(one.programme.id)
        of[name], supports[name] = one, offers(session, one.programme.id)
        listed = followed_up(session, one.period.start, one.period.end, today)[["pupil", "school"]]
        reach = with_reach(pupils, listed.drop_duplicates(), supports[name], one.period)
        tables[name] = labelled(reach, labels.phases, labels.deciles, labels.groups)
    if not tables:
        return 0
    for name, shown in releases_of(tables, policy_of(home)).items():
        one = of[name]
        release = ProgrammeRelease(
            programme_id=one.programme.id,
            period=one.days.name,
            start_on=one.period.start,
            end_on=one.period.end,
            known_on=today,
            cost_pounds=cost_of(one.programme, one.period, supports[name], shown, today),
        )
        save_programme_release(session, release, _places(shown))
    return len(of)


def cost_of(
    programme: Programme, period: Period, supports: pd.DataFrame, shown: Mapping[Key, int | None], today: date
) -> int | None:
    """Return what the programme cost in a period, in pounds.

    The period's share of the budget by its days. Without a budget, hours given at their price, rounded to 5 hours as
    counts are, and None where those reached are too few to be shown: their hours would tell of them.
    """
    if programme.budget_pounds is not None:
        days, whole = ((last - first).days + 1 for first, last in _spans(programme, period))
        return round(programme.budget_pounds * days / whole)
    if programme.hour_pence is None or shown[NETWORK, WHOLE, "reached"] is None:
        return None
    hours = RULE.round * round(hours_in(supports, period, today) / RULE.round)
    return round(hours * programme.hour_pence / 100)


def _spans(programme: Programme, period: Period) -> tuple[tuple[date, date], tuple[date, date]]:
    return (period.start, period.end), (programme.start_on, programme.end_on)


def _places(shown: Mapping[Key, int | None]) -> list[ReachCounts]:
    places: dict[tuple[str, str], dict[str, int | None]] = {}
    for (cut, place, measure), count in shown.items():
        places.setdefault((cut, place), {})[measure] = count
    return [ReachCounts(cut=cut, place=place, counts=counts) for (cut, place), counts in places.items()]
