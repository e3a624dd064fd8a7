"""Recorded facts for the pages, without a model: what a school brought is seen on its own timelines at once."""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from casework.database import connect, scoped
from casework.published_facts import Facts, publish_facts
from casework.term_dates import NOT_COVERED
from records.clock import clock_of
from records.history import known
from records.home import Home
from records.quality.doubts import Standing
from records.store import Store
from records.transfers import nothing_shared
from serving.jobs.doubted import doubts_of, uncovered_from
from serving.jobs.night_shards import known_register
from serving.jobs.nightly import Network, network_as_known, school_rows
from serving.jobs.recorded import recorded
from serving.jobs.registering import show_register
from serving.jobs.support import land_support
from serving.jobs.term_dates import land_term_dates
from serving.school_days import save_school_days
from serving.scoring import Deployed, open_deployed

_REMEDY = "The board approves a model first. Until then: your pupils' own records, and what is missing from them."


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What was published: the day, pupils on roll, weeks that changed, and where each school's records stand."""

    as_of: date
    pupils: int
    weekly_facts_changed: int
    standings: tuple[Standing, ...]


def publish_recorded(home: Home) -> Shown | None:
    """Publish what is recorded of every pupil on roll as of today; None where no school or nobody on roll is known.

    One shard of pupils is in memory at a time.

    Raises
    ------
    CannotPublish
        The records and the operational database do not fit; nothing was published.
    """
    day = clock_of(home).today()
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            land_term_dates(home, session)
            land_support(home, session)
        store = Store(home)
        found = open_deployed(home, day)
        covered = isinstance(found, Deployed)
        network = network_as_known(store, day, uncovered_from(home, found) if isinstance(found, Deployed) else date.max)
        register = known_register(home)
        shares = register.shares(day) if register else nothing_shared
        parts = [recorded(known(store.history(shard), day), shares) for shard in store.shards]
        roll = pd.concat([part.roll for part in parts], ignore_index=True)
        if roll.empty or network.schools.empty:
            return None
        facts = Facts(
            as_of=day,
            schools=school_rows(network),
            roll=roll,
            weekly_facts=pd.concat([part.weekly_facts for part in parts], ignore_index=True),
            incidents=pd.concat([part.incidents for part in parts], ignore_index=True),
            doubts=doubts_of(network.standings, network.new) if covered else _without_approval(network, day),
        )
        with scoped(engine, None) as session:
            changed = publish_facts(session, facts)
            show_register(session, register, day)
    finally:
        engine.dispose()
    save_school_days(home, network.schools, network.calendars, day)
    return Shown(as_of=day, pupils=len(roll), weekly_facts_changed=changed, standings=network.standings)


def _without_approval(network: Network, day: date) -> pd.DataFrame:
    """Return the doubts where no model may serve: no school has a list, and each has its own records to look at."""
    doubts = doubts_of(network.standings, {})
    nobody = pd.DataFrame(
        [
            (one.school, NOT_COVERED, day, "No approval is in force, so no school has a list yet.", _REMEDY, True)
            for one in network.standings
        ],
        columns=doubts.columns,
    )
    return pd.concat([doubts, nobody], ignore_index=True) if len(doubts) else nobody
