"""The nightly job: the deployed bundle scores every pupil of the network, and pages and API get what it found."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from functools import partial

import numpy as np
import pandas as pd
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from casework.database import connect, scoped
from casework.deployments import current_deployment
from casework.publishing import WEEK_DAYS, Publication, Published, newest_list, publish
from casework.staging import FRAMES
from casework.tables_flags import FlagRow
from casework.tables_people import PupilRow
from fairness.approval.ledger import Head
from fairness.policy import policy_of
from features.cohort import NOT_COVERED
from records import delta
from records.agreements import Register
from records.calendar import Calendar, calendar_from
from records.clock import clock_of
from records.history import latest
from records.home import Home
from records.quality.doubts import Standing, standings
from records.refusal import Refusal
from records.store import Store
from records.tables import CALENDARS, SCHOOLS
from serving.jobs.check_sample import drawn
from serving.jobs.doubted import doubts_of, not_covered_words, uncovered_from
from serving.jobs.holding import hold_back
from serving.jobs.learned import land_learned, pupils_set_aside
from serving.jobs.night_shards import Where, known_register, shard_nights
from serving.jobs.recorded import Recorded
from serving.jobs.registering import show_register
from serving.jobs.term_dates import land_term_dates
from serving.school_days import save_school_days
from serving.scoring import Deployed, Refused, open_deployed
from training.contributions import contributions
from training.week import Week, week_of_shards
from training.why import Why

_ALLOCATED = ["probability", "rise", "rise_margin", "rank", "cut_off", "eligible", "snoozed", "flagged", "rising_since"]


class NotScored(Refusal):
    """Nothing may be scored: `code` says why (serving/scoring.py)."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Night:
    """What one night did: under which bundle, for which day, and what was published."""

    bundle_digest: str
    as_of: date
    published: Published
    standings: tuple[Standing, ...]

    @property
    def held(self) -> tuple[Standing, ...]:
        """The schools whose pupils were not scored, because their records are in doubt."""
        return tuple(standing for standing in self.standings if standing.held)


@dataclass(frozen=True)
class Network:
    """Schools and calendar as known at the day, where each school stands, and since when the `new` ones are there.

    New are the schools that joined after what the approval in force was audited on.
    """

    schools: pd.DataFrame
    calendars: pd.DataFrame
    calendar: Calendar
    standings: tuple[Standing, ...]
    new: Mapping[int, date]


def score_network(home: Home, as_of: date | None = None, where: Where | None = None) -> Night:
    """Score every pupil on roll as of the day, publish facts, flags and reasons, and open cases.

    Pupils of a school whose records are in doubt (records/quality) are logged and not scored.

    Publishing the same bundle and day again brings the facts up to date and leaves scores and flags as
    they were. One shard's records are in memory at a time; a night that was stopped goes on where it was.

    Parameters
    ----------
    as_of
        A day up to today; None: the day of this week's list where it is out already, else today.
    where
        Where shards are worked on; None: in this process.

    Raises
    ------
    NoCluster
        `where` names a Dask scheduler that does not answer.
    NotScored
        Nothing is deployed that may serve, or the day lies ahead.
    CannotPublish
        The records and the operational database do not fit; nothing was published.
    """
    today = clock_of(home).today()
    if as_of is not None and as_of > today:
        raise NotScored("future_day", f"{as_of.isoformat()} lies ahead; today is {today.isoformat()}.")
    deployed = open_deployed(home, today)
    if isinstance(deployed, Refused):
        raise NotScored(deployed.code, deployed.sentence)
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            row = current_deployment(session)
            day = as_of or _day_of_the_week(session, today)
            earlier = earlier_flags(session, day, deployed.digest)
            land_term_dates(home, session)
            land_learned(home, session, today)
            aside = pupils_set_aside(session, day)
        if row is None or row.digest != deployed.digest:
            raise NotScored("deployment_mismatch", "The database does not record this model as deployed.")
        if not deployed.ledger.holds(Head(number=row.ledger[0], digest=row.ledger[1])):
            raise NotScored("ledger_broken", "The home's ledger lacks an entry that the database knows of.")
        network = network_as_known(Store(home), day, uncovered_from(home, deployed))
        with shard_nights(home, day, deployed.digest, where or Where()) as shards:
            week = week_of_shards(
                deployed.scorer,
                day,
                [shard.week for shard in shards],
                earlier_flags=earlier,
                set_aside=aside,
                explain=contributions,
            )
            week = hold_back(week, {standing.school for standing in network.standings if standing.held})
            week = hold_back(week, network.new, NOT_COVERED)
            sample = drawn(week, policy_of(home), deployed.digest)
            made = publication(deployed, week, [shard.facts for shard in shards], network, sample)
            if (register := known_register(home)) is not None:
                made = replace(made, passes_on=partial(_passes_on, register, day))
            with scoped(engine, None) as session:
                published = publish(session, made)
                show_register(session, register, today)
    finally:
        engine.dispose()
    save_school_days(home, network.schools, network.calendars, day)
    return Night(bundle_digest=deployed.digest, as_of=day, published=published, standings=network.standings)


def list_is_due(home: Home) -> bool:
    """Return whether a model may serve and no list is out for this week."""
    today = clock_of(home).today()
    if isinstance(open_deployed(home, today), Refused):
        return False
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            newest = newest_list(session)
    finally:
        engine.dispose()
    return newest is None or (today - newest).days >= WEEK_DAYS


def _day_of_the_week(session: Session, today: date) -> date:
    """Return the day of the list that is out this week, else today: capacity is by the week, not by the run."""
    newest = newest_list(session)
    return newest if newest is not None and 0 <= (today - newest).days < WEEK_DAYS else today


def earlier_flags(session: Session, day: date, bundle_digest: str) -> pd.DataFrame:
    """Return `pupil` and `as_of` of every flag given up to the day, under any bundle: people were told of it.

    The bundle's own flags of that very day are left out: scored again, the day says the same.
    """
    rows = session.execute(
        select(PupilRow.pseudonym, FlagRow.as_of)
        .join(FlagRow, FlagRow.pupil_id == PupilRow.id)
        .where(
            FlagRow.check_sample.is_(False),
            or_(FlagRow.as_of < day, and_(FlagRow.as_of == day, FlagRow.bundle_digest != bundle_digest)),
        )
    ).all()
    frame = pd.DataFrame([tuple(row) for row in rows], columns=["pupil", "as_of"])
    return frame.astype({"pupil": "int64", "as_of": "datetime64[s]"})


def publication(
    deployed: Deployed, week: Week, facts: list[Recorded], network: Network, sample: pd.DataFrame
) -> Publication:
    """Return everything that pages and API need of this week; `sample` are the pupils of the check sample."""
    expires = {
        school: network.calendar.ahead(school, week.as_of, deployed.scorer.rule.snooze_weeks)
        or week.as_of + timedelta(weeks=deployed.scorer.rule.snooze_weeks)
        for school in network.schools["school"].astype(int)
    }
    return Publication(
        bundle_digest=deployed.digest,
        as_of=week.as_of,
        horizon_weeks=deployed.scorer.horizon_weeks,
        outcome_words=deployed.scorer.outcome.happened,
        base_rates=deployed.scorer.base_rates,
        schools=school_rows(network),
        roll=pd.concat([part.roll for part in facts], ignore_index=True),
        weekly_facts=pd.concat([part.weekly_facts for part in facts], ignore_index=True),
        incidents=pd.concat([part.incidents for part in facts], ignore_index=True),
        scores=allocation_log(deployed, week),
        flags=_flags(week, sample, expires),
        reasons=_said(week.why, "reasons"),
        changes=_said(week.why, "changes"),
        levers=_said(week.why, "levers"),
        doubts=doubts_of(network.standings, network.new),
        feature_rows=pd.DataFrame(week.matrix.values, columns=list(week.matrix.names)).assign(
            pupil=week.matrix.keys["pupil"].to_numpy()
        ),
    )


def _flags(week: Week, sample: pd.DataFrame, expires: Mapping[int, date]) -> pd.DataFrame:
    """Return the week's flags and its check sample, which has no rise and no level at ease."""
    flagged = week.allocation[week.allocation["flagged"]]
    rows = pd.concat([flagged[["pupil", "school", "rising_since"]], sample], ignore_index=True)
    told = [week.why.get(int(pupil)) for pupil in rows["pupil"]]
    return pd.DataFrame(
        {
            "pupil": rows["pupil"],
            "rising_since": rows["rising_since"],
            "expires_on": pd.to_datetime(rows["school"].map(expires)),
            "check_sample": np.arange(len(rows)) >= len(flagged),
            "eased_on": pd.to_datetime(pd.Series([why.eased_on if why else None for why in told], dtype=object)),
            "eased": pd.Series([why.eased if why else None for why in told], dtype="Float64"),
        }
    )


def allocation_log(deployed: Deployed, week: Week) -> pd.DataFrame:
    """Return one row for every pupil on roll: as they were allocated, or with the reason why they were not scored."""
    keys = week.matrix.keys[["pupil", "school", "year_group", "abstain"]]
    log = keys.merge(week.allocation[["pupil", *_ALLOCATED]], on="pupil", how="left")
    for name in ("eligible", "snoozed", "flagged"):
        log[name] = log[name].eq(True)
    # A place on the list is only had by those who could be on it.
    log["rank"] = log["rank"].where(log["eligible"]).astype("Int32")
    roll = keys.groupby("school")["pupil"].transform("size").to_numpy(np.int64)
    as_of = np.full(len(keys), np.datetime64(week.as_of))
    log["capacity"] = deployed.scorer.rule.capacity(roll, keys["school"].to_numpy(), as_of)
    log["abstain"] = log["abstain"].astype(object).where(log["abstain"] != "", None)
    return log


def network_as_known(store: Store, day: date, uncovered: date) -> Network:
    """Return what is known of the schools, and the doubts about them; those that joined from `uncovered` on are new."""
    schools, calendars = (
        latest(delta.read(store.home.history, table, 0)[0], table, day) for table in (SCHOOLS, CALENDARS)
    )
    joined = {int(s): on.date() for s, on in zip(schools["school"], schools["open_date"], strict=True)}
    new = {school: on for school, on in joined.items() if on >= uncovered}
    return Network(schools, calendars, calendar_from(calendars), standings(store, day), new)


def school_rows(network: Network) -> pd.DataFrame:
    """Return the frame of schools as it is published: how far each one's records reach, and whether it is held."""
    phases = dict(zip(network.schools["school"].astype(int), network.schools["phase"].astype(str), strict=True))
    rows = [
        (one.school, one.name, phases[one.school], one.data_to, not one.held, one.note or _note(network, one.school))
        for one in network.standings
    ]
    frame = pd.DataFrame(rows, columns=["urn", "name", "phase", "data_to", "up_to_date", "note"])
    frame["data_to"] = pd.to_datetime(frame["data_to"])
    return frame


def _passes_on(register: Register, day: date, old: int, new: int) -> bool:
    return register.passes_on(old, new, day)


def _note(network: Network, school: int) -> str:
    return not_covered_words(network.new[school]) if school in network.new else ""


def _said(told: Mapping[int, Why], name: str) -> pd.DataFrame:
    """Return one of the kinds of sentences as the frame of that name, each pupil's from position 1."""
    columns = list(FRAMES[name].columns)
    rows = [
        {"pupil": pupil, "position": position, **asdict(one)}
        for pupil, why in told.items()
        for position, one in enumerate(getattr(why, name), start=1)
    ]
    return pd.DataFrame(rows, columns=columns)
