"""Counts by place, once a half-term: counted shard by shard, rounded and hidden, and never published again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
from sqlalchemy import Engine, select

from casework.database import connect, scoped
from casework.followed_up import followed_up
from casework.places import PlaceRelease, releases, save_release
from casework.tables_people import SchoolRow
from fairness.policy import policy_of
from fairness.run import groups_on
from learning.places.counting import pupil_counts
from learning.places.cuts import cuts_of, labelled, with_homes
from learning.places.half_terms import HalfTerm, due
from learning.places.neighbourhoods import deciles, homes
from learning.places.release import places_of, release_of
from records import delta
from records.areas import known_areas
from records.calendar import calendar_from
from records.clock import clock_of
from records.history import known, latest
from records.home import Home
from records.store import Store
from records.tables import CALENDARS, SCHOOLS
from serving.jobs.areas import publish_areas


@dataclass(frozen=True)
class Labels:
    """What a pupil counts in besides school and year: phase by school, decile and groups by pupil."""

    phases: dict[int, str]
    deciles: pd.Series
    groups: pd.DataFrame


def publish_places(home: Home) -> tuple[str, ...]:
    """Publish the half-terms that ended a week ago and are not out yet; return their names, the oldest first.

    Most nights nothing is due, and no record is read. One shard of pupils is in memory at a time. What is known of
    wards and boroughs is published every night, so that each that is counted has its name.
    """
    publish_areas(home)
    today = clock_of(home).today()
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            out = [release.half_term for release in releases(session)]
        calendar = calendar_from(latest(delta.read(home.history, CALENDARS, 0)[0], CALENDARS, today))
        wanted = due(calendar, today, out)
        if not wanted:
            return ()
        counted = _counted(home, today, wanted)
        labels, areas = labels_of(home, today), known_areas(home, today)
        # Before a list of areas is brought nobody's ward is known, and there is no cut by it.
        live = homes(home, areas, today) if areas.edition else None
        done = []
        for half_term, pupils in zip(wanted, counted, strict=True):
            if not len(pupils):
                continue  # from before there were records
            if not _publish(engine, home, half_term, (pupils, labels, live)):
                break  # the next run publishes it: never a half-term before one that is out
            done.append(half_term.name)
        return tuple(done)
    finally:
        engine.dispose()


def _counted(home: Home, today: date, wanted: Sequence[HalfTerm]) -> list[pd.DataFrame]:
    """Return each half-term's pupils with their counts, reading every shard once."""
    store = Store(home)
    parts: list[list[pd.DataFrame]] = [[] for _ in wanted]
    for shard in store.shards:
        there = known(store.history(shard), today)
        for mine, half_term in zip(parts, wanted, strict=True):
            mine.append(pupil_counts(there, half_term))
    return [pd.concat(mine, ignore_index=True) for mine in parts]


def labels_of(home: Home, today: date) -> Labels:
    """Return what pupils count in, as it is known today."""
    schools = latest(delta.read(home.history, SCHOOLS, 0)[0], SCHOOLS, today)
    phases = dict(zip(schools["school"].astype(int), schools["phase"].astype(str), strict=True))
    return Labels(phases, deciles(home, today), groups_on(home, policy_of(home), today))


def _publish(
    engine: Engine, home: Home, half_term: HalfTerm, found: tuple[pd.DataFrame, Labels, pd.DataFrame | None]
) -> bool:
    """Publish one half-term; return whether it was, which needs every school's facts to be published first."""
    pupils, labels, live = found
    today = clock_of(home).today()
    with scoped(engine, None) as session:
        if not set(pupils["school"]) <= set(session.scalars(select(SchoolRow.urn))):
            return False  # a school of which no facts are published yet
        flags = followed_up(session, half_term.start, half_term.end, today)
        pupils = _with_flags(pupils, flags)
        pupils = labelled(pupils, labels.phases, labels.deciles, labels.groups)
        pupils = pupils if live is None else with_homes(pupils, live)
        shown = release_of(pupils, cuts_of(pupils, policy_of(home)))
        release = PlaceRelease(half_term=half_term.start, name=half_term.name, ends_on=half_term.end, known_on=today)
        save_release(session, release, places_of(shown, half_term.start))
    return True


def _with_flags(pupils: pd.DataFrame, flags: pd.DataFrame) -> pd.DataFrame:
    """Return the pupils with `pupils` (one each), `flagged`, `reviewed` and `supported`, each 0 or 1.

    A flag counts at the school that gave it, while the pupil is there: elsewhere it is no fact about the place.
    """
    here = flags.merge(pupils[["pupil", "school"]], on=["pupil", "school"])
    by_pupil = here.groupby("pupil")[["reviewed", "supported"]].any()
    flagged = pupils["pupil"].isin(by_pupil.index)
    reviewed, supported = (
        pupils["pupil"].map(by_pupil[name]).astype("boolean").fillna(False).astype(bool) for name in by_pupil.columns
    )
    counts = {"flagged": flagged, "reviewed": reviewed, "supported": flagged & (supported | pupils["helped"])}
    return pupils.assign(pupils=1, **{name: column.astype("int64") for name, column in counts.items()})
