"""The termly job on whether flags help: from the published allocation log and the records to one published result."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.database import connect, scoped
from casework.impact import StoredStudy, register, save_result, studies
from casework.served import served_log
from casework.tables_flags import FlagRow, PublicationRow
from casework.tables_people import PupilRow
from learning.impact.before import known_before
from learning.impact.design import first_in_term, later_flags, near_cut_off
from learning.impact.payload import Material, payload_of
from learning.impact.power import Power, expected_spread, power
from learning.impact.registration import (
    FILE,
    Study,
    StudyRefused,
    check_in_time,
    check_unchanged,
    read_study,
    study_of,
)
from learning.impact.textbook import check_installed
from records import delta
from records.calendar import Calendar, calendar_from
from records.clock import clock_of
from records.history import History, latest
from records.home import Home
from records.store import Store
from records.tables import CALENDARS
from training.bundle import Bundle, read_verified
from training.flags import rule_from
from training.outcomes import mature, mature_measures
from training.settings import Settings, settings_from
from training.splits import network_terms, term_label

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Served:
    """The allocation log of the weeks asked for, as the design reads it, and the settings of the newest bundle."""

    log: pd.DataFrame
    settings: Settings


def register_study(home: Home) -> Study:
    """Register the study in the home's `impact.toml`, today.

    Raises
    ------
    StudyRefused
        The file cannot be used, or says another day than today.
    AlreadyRegistered
        Some of its weeks belong to a study that is registered.
    """
    path = home.path / FILE
    study = read_study(path)
    check_in_time(study, clock_of(home).today())
    stored = StoredStudy(
        digest=study.digest,
        title=study.title,
        registered_on=study.registered_on,
        registered_by=study.registered_by,
        first_week=study.first_week,
        last_week=study.last_week,
        text=path.read_text("utf-8"),
    )
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            register(session, stored)
    finally:
        engine.dispose()
    return study


def publish_impact(home: Home) -> tuple[str, ...]:
    """Publish what came of each registered study whose last outcomes are settled; return their titles.

    A study is looked at once, when all of it is known: whoever looks every week finds an effect in the end.

    Raises
    ------
    NotInstalled
        A study is due and the packages of the extra `impact` are not there.
    StudyRefused
        The home's file speaks of the weeks of the study that is due, and was edited since.
    """
    today = clock_of(home).today()
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            known = studies(session)
            waiting = [one.study for one in known if one.payload is None and one.study.last_week < today]
            if not waiting:
                return ()
            calendar = newest_calendar(home, today)
            due = [one for one in waiting if answer_on(calendar, one.last_week, Settings()) <= today]
            if not due:
                return ()
            check_installed()
            done = []
            for one in due:
                study = study_of(one.text)
                _check_file(home, study, {other.study.digest for other in known})
                save_result(session, one.digest, today, payload_of(study, _material(home, session, study, today)))
                done.append(one.title)
            return tuple(done)
    finally:
        engine.dispose()


def _check_file(home: Home, study: Study, registered: Collection[str]) -> None:
    """Refuse a file that was edited since it was registered; the next term's study may lie there meanwhile."""
    if not (home.path / FILE).exists():
        return
    said = read_study(home.path / FILE)
    same_weeks = said.first_week <= study.last_week and study.first_week <= said.last_week
    if same_weeks and said.digest not in registered:
        check_unchanged(said, study.digest)


def foreseen(home: Home, worth: float) -> Power | None:
    """Return what the pupil-terms of the log so far can show of a 0-or-1 outcome; None while there are too few.

    No outcome is read.
    """
    today = clock_of(home).today()
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            served = served_weeks(home, session, (date.min, today), newest_calendar(home, today))
    finally:
        engine.dispose()
    if served is None:
        return None
    rows = first_in_term(near_cut_off(served.log))
    if not 0 < int((rows["x"] >= 0).sum()) < len(rows):
        return None
    return power(rows, expected_spread(rows["probability"].to_numpy(np.float64)), worth)


def answer_on(calendar: Calendar, last_week: date, settings: Settings) -> date:
    """Return the day on which the outcomes of the last week are settled at every school; far ahead while not known."""
    ends = [calendar.ahead(school, last_week, settings.horizon_weeks) for school in calendar.terms]
    known = [end for end in ends if end is not None]
    return date.max if len(known) < len(ends) or not known else max(known) + timedelta(days=settings.settle_days)


def served_weeks(home: Home, session: Session, weeks: tuple[date, date], calendar: Calendar) -> Served | None:
    """Return the log of every bundle that served in these weeks; None where none did."""
    first, last = weeks
    wanted = select(PublicationRow.bundle_digest).where(PublicationRow.as_of.between(first, last)).distinct()
    newest: Bundle | None = None
    parts = []
    for digest in sorted(session.scalars(wanted)):
        newest = read_verified(home.deployed / digest, digest)
        rule = rule_from(newest.manifest["flag_rule"])
        part = served_log(session, digest, first)
        part = part[part["as_of"] <= pd.Timestamp(last)]
        parts.append(part.assign(level_least=rule.level_least, rise_asked=rule.rise_least is not None))
    if newest is None:
        return None
    terms = network_terms(calendar)
    log = pd.concat(parts, ignore_index=True)
    log["term"] = log["as_of"].map(lambda day: term_label(terms, day.date())).astype("str")
    drawn = _drawn(session, first, last)
    log["drawn"] = pd.MultiIndex.from_frame(log[["pupil", "as_of"]]).isin(pd.MultiIndex.from_frame(drawn))
    return Served(log=log, settings=settings_from({**newest.manifest["settings"], "processes": 1}))


def _drawn(session: Session, first: date, last: date) -> pd.DataFrame:
    rows = session.execute(
        select(PupilRow.pseudonym, FlagRow.as_of)
        .join(FlagRow, FlagRow.pupil_id == PupilRow.id)
        .where(FlagRow.check_sample, FlagRow.as_of.between(first, last))
    ).all()
    frame = pd.DataFrame([tuple(row) for row in rows], columns=["pupil", "as_of"])
    return frame.astype({"pupil": "int64", "as_of": "datetime64[s]"})


def _material(home: Home, session: Session, study: Study, today: date) -> Material:
    served = served_weeks(home, session, (study.first_week, study.last_week), newest_calendar(home, today))
    if served is None:
        raise StudyRefused(
            f"no list was published from {study.first_week.isoformat()} to {study.last_week.isoformat()}, so there is "
            "nothing to compare; run `belong score` each week"
        )
    log, settings = served.log, served.settings
    # Whoever was drawn came on the list without a flag: neither flagged nor left alone.
    rows = first_in_term(near_cut_off(log[~log["drawn"]]))
    rows["crossed"] = np.isfinite(later_flags(log, rows, settings.horizon_weeks)).astype(np.float64)
    drawn = _could_be_drawn(log)
    keys = pd.concat([rows, drawn])[["pupil", "as_of", "school"]].drop_duplicates(["pupil", "as_of"])
    outcomes, before = followed(home, keys, settings, today)
    return Material(
        rows=rows,
        outcomes=beside(rows, outcomes),
        before=beside(rows, before)
        | {"year group": pd.to_numeric(rows["year_group"], errors="coerce").to_numpy(float)},
        drawn=drawn if len(drawn) else None,
        drawn_outcomes=beside(drawn, outcomes) if len(drawn) else None,
    )


def _could_be_drawn(log: pd.DataFrame) -> pd.DataFrame:
    """Return the pupil-weeks among which the check sample was drawn, at schools and in weeks where it was."""
    at_hand = log[log["probability"].notna() & ~log["flagged"] & ~log["snoozed"]]
    some = at_hand.groupby(["school", "as_of"])["drawn"].transform("any")
    return at_hand[some].reset_index(drop=True)


def followed(home: Home, keys: pd.DataFrame, settings: Settings, today: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what followed, and what was known before, for every key: one shard in memory at a time."""
    after, before = [], []
    for history, mine in _by_shard(Store(home), keys):
        events = mature(history, mine.assign(abstain=""), settings=settings, observed_until=today).frame
        others = mature_measures(history, mine, settings=settings, observed_until=today)
        events = events[["pupil", "as_of", "outcome"]].rename(columns={"outcome": "suspended"})
        after.append(events.merge(others, on=["pupil", "as_of"], how="outer"))
        before.append(known_before(history, mine))
    if not after:  # nobody stood near the cut-off
        nobody = keys[["pupil", "as_of"]].head(0)
        return nobody.assign(suspended=np.nan, missed=np.nan, incidents=np.nan, supported=np.nan), nobody
    return pd.concat(after, ignore_index=True), pd.concat(before, ignore_index=True)


def _by_shard(store: Store, keys: pd.DataFrame) -> Iterator[tuple[History, pd.DataFrame]]:
    for shard in store.shards:
        history = store.history(shard)
        mine = keys[keys["pupil"].isin(history.tables["enrolments"]["pupil"])].reset_index(drop=True)
        if len(mine):
            yield history, mine


def beside(rows: pd.DataFrame, found: pd.DataFrame) -> dict[str, Array]:
    """Return each column of what was found, in the rows' order, NaN where nothing was."""
    names: Sequence[str] = [name for name in found.columns if name not in ("pupil", "as_of")]
    matched = rows[["pupil", "as_of"]].merge(found, on=["pupil", "as_of"], how="left")
    return {name: matched[name].to_numpy(np.float64) for name in names}


def newest_calendar(home: Home, today: date) -> Calendar:
    return calendar_from(latest(delta.read(home.history, CALENDARS, 0)[0], CALENDARS, today))


def shown(home: Home) -> list[dict[str, Any]]:
    """Return every study with what came of it, as plain values for the command line."""
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            return [
                {"title": one.study.title, "known_on": one.known_on, "payload": one.payload, "study": one.study}
                for one in studies(session)
            ]
    finally:
        engine.dispose()
