"""Publish what the nightly job found: facts, the allocation log, flags with reasons, and the cases they open.

One transaction, whole or nothing. Facts are the whole truth of the web's copy and are brought up to date
every time. Scores and flags are an append-only log: publishing the same bundle and day again leaves
the first as it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pandas as pd
from psycopg.types.json import Jsonb
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from casework import feed, states
from casework.passing_on import PassesOn, nothing_passes_on, pass_on_cases
from casework.people import driver_cursor
from casework.published_facts import (
    CannotPublish,
    Cursor,
    check_named,
    count,
    save_doubts,
    save_facts,
    save_incidents,
    save_schools_and_roll,
    take_turns,
)
from casework.staging import FRAMES, no_rows, stage, stage_feature_rows
from casework.tables_cases import CaseRow
from casework.tables_flags import PublicationRow


@dataclass(frozen=True, kw_only=True)
class Publication:
    """Everything that one night's scoring hands to pages and API. Columns of each frame: `casework.staging.FRAMES`.

    Attributes
    ----------
    roll
        Every pupil on roll with school and year group. Pupils not in it have left.
    weekly_facts, incidents
        The whole of what the web may show; what is not in them is removed there.
    scores
        The allocation log: one row per pupil on roll (training/flags.py), with `abstain`: why there is no
        probability, else missing.
    flags
        New flags of the day and pupils of the check sample, and when each pupil was last at ease.
    reasons, changes, levers
        Why each of them is flagged (training/why.py), in order of `position`.
    feature_rows
        One row per pupil: `pupil` and one column per feature, in the bundle's order.
    doubts
        What is doubted of each school's records, in words with figures (records/quality).
    passes_on
        Whether an open case goes on from one school to another with a pupil who moves.
    base_rates
        Phase code to the share of pupils with the outcome within the horizon.
    """

    bundle_digest: str
    as_of: date
    horizon_weeks: int
    outcome_words: str
    base_rates: Mapping[str, float]
    schools: pd.DataFrame
    roll: pd.DataFrame
    weekly_facts: pd.DataFrame
    incidents: pd.DataFrame
    scores: pd.DataFrame
    flags: pd.DataFrame
    reasons: pd.DataFrame
    changes: pd.DataFrame
    levers: pd.DataFrame
    feature_rows: pd.DataFrame
    doubts: pd.DataFrame = field(default_factory=lambda: no_rows("doubts"))
    passes_on: PassesOn = nothing_passes_on


@dataclass(frozen=True, kw_only=True)
class Published:
    """What a publication did. `repeated`: this bundle and day were published before, so flags stayed as they were."""

    repeated: bool
    pupils: int
    weekly_facts_changed: int
    scores: int
    flags: int
    cases_opened: int
    cases_ended: int
    cases_passed_on: int = 0


__all__ = ["WEEK_DAYS", "CannotPublish", "Publication", "Published", "newest_list", "open_cases", "publish"]

WEEK_DAYS = 7
# What is said of a flag: tables with a row for each sentence.
_WHY: Final = ("reasons", "changes", "levers")


def publish(session: Session, publication: Publication) -> Published:
    """Publish in this transaction (the job's role, every school in scope).

    Raises
    ------
    CannotPublish
        A frame lacks a column or is empty where it cannot be, a pupil has no identity, or a row is about
        a pupil who is not on roll.
    """
    take_turns(session)
    _check(session, publication)
    with driver_cursor(session) as cursor:
        for name in FRAMES:
            stage(cursor, name, getattr(publication, name))
        _check_pupils(cursor)
        save_schools_and_roll(cursor, publication.as_of)
        save_doubts(cursor)
        feed.watch_facts(cursor)
        facts_changed = save_facts(cursor)
        save_incidents(cursor)
        passed_on = pass_on_cases(cursor, publication.passes_on)
        ended = _end_cases(cursor, publication.as_of)
        repeated = not _save_publication(cursor, publication)
        scores = flags = opened = 0
        if not repeated:
            scores, flags, opened = _save_scores(cursor, publication)
            stage_feature_rows(cursor, publication.feature_rows)
            cursor.execute(_FEATURE_ROWS, [publication.bundle_digest, publication.as_of])
            feed.tell_again(cursor, publication.bundle_digest, publication.as_of)
        feed.tell_facts(cursor)
        for name in FRAMES:
            cursor.execute(f"DROP TABLE new_{name}")
    return Published(
        repeated=repeated,
        pupils=len(publication.roll),
        weekly_facts_changed=facts_changed,
        scores=scores,
        flags=flags,
        cases_opened=opened,
        cases_ended=ended,
        cases_passed_on=passed_on,
    )


def newest_list(session: Session) -> date | None:
    """Return the day of the newest list that is out; None before the first."""
    return session.execute(select(func.max(PublicationRow.as_of))).scalar_one()


def _check_day(session: Session, as_of: date) -> None:
    """Refuse a day before the newest publication, or one so soon after it that a week would hold two lists."""
    newest = newest_list(session)
    if newest is None or as_of == newest or (as_of - newest).days >= WEEK_DAYS:
        return
    if as_of < newest:
        raise CannotPublish(
            f"the list of {newest.isoformat()} is out; an earlier day would undo it: publish a later one"
        )
    raise CannotPublish(
        f"the list of {newest.isoformat()} is this week's, and capacity is by the week: "
        f"publish {newest.isoformat()} again for newer facts, or a day from {newest + timedelta(days=WEEK_DAYS)} on"
    )


def _check(session: Session, publication: Publication) -> None:
    scope = session.execute(text("SELECT belong_everywhere()")).scalar_one()
    if not scope:
        raise CannotPublish("publishing needs every school in scope: scoped(connect(home, 'job'), None)")
    _check_day(session, publication.as_of)
    for name, frame_of in FRAMES.items():
        frame: pd.DataFrame = getattr(publication, name)
        missing = [column for column in frame_of.columns if column not in frame.columns]
        if missing:
            raise CannotPublish(f"{name} has no column {', '.join(missing)}")
        if frame_of.never_empty and frame.empty:
            raise CannotPublish(f"{name} is empty: that would take every pupil off the pages, so nothing is published")
        if frame_of.key and frame.duplicated(list(frame_of.key)).any():
            raise CannotPublish(f"{name} has two rows of the same {' and '.join(frame_of.key)}")
    rates = publication.base_rates.values()
    if publication.horizon_weeks < 1 or not all(0 <= rate <= 1 for rate in rates):
        raise CannotPublish("horizon_weeks must be 1 or more, and base rates shares of 1")


def _check_pupils(cursor: Cursor) -> None:
    check_named(cursor)
    for name in ("weekly_facts", "incidents", "scores", "flags", *_WHY):
        strangers = count(
            cursor,
            f"SELECT count(*) FROM new_{name} n "  # noqa: S608  # our own names
            "WHERE NOT EXISTS (SELECT FROM new_roll WHERE pupil = n.pupil)",
        )
        if strangers:
            raise CannotPublish(f"{name} has {strangers} rows about pupils who are not on roll")
    unscored = count(
        cursor,
        "SELECT count(*) FROM new_flags f WHERE NOT EXISTS (SELECT FROM new_scores s WHERE s.pupil = f.pupil)",
    )
    if unscored:
        raise CannotPublish(f"{unscored} flags have no row in the allocation log")


def _end_cases(cursor: Cursor, as_of: date) -> int:
    """Close cases of pupils who left or moved, and end those whose last flag ran out."""
    undecided, decided = sorted(states.UNDECIDED), sorted(states.DECIDED)
    cursor.execute(
        "UPDATE cases c SET state = 'closed', closed_on = %s, version = version + 1 FROM pupils p "
        "WHERE p.id = c.pupil_id AND c.state = ANY (%s) AND (p.left_on IS NOT NULL OR p.school_urn <> c.school_urn)",
        [as_of, undecided + decided],
    )
    ended = cursor.rowcount
    # A decision with a date to look again stays until someone looked; it shows as overdue.
    cursor.execute(
        "UPDATE cases c SET state = CASE WHEN c.state = ANY (%(undecided)s) THEN 'expired' ELSE 'closed' END, "
        "closed_on = %(as_of)s, version = version + 1 "
        "WHERE (c.state = ANY (%(undecided)s) OR c.state = ANY (%(decided)s) AND c.review_on IS NULL) "
        "AND NOT EXISTS (SELECT FROM flags f WHERE f.pupil_id = c.pupil_id AND f.expires_on >= %(as_of)s)",
        {"undecided": undecided, "decided": decided, "as_of": as_of},
    )
    return ended + cursor.rowcount


def _save_publication(cursor: Cursor, publication: Publication) -> bool:
    names = [str(name) for name in publication.feature_rows.columns if name != "pupil"]
    cursor.execute(
        "INSERT INTO publications (bundle_digest, as_of, published_at, horizon_weeks, outcome_words, base_rates, "
        "feature_names) VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [
            publication.bundle_digest,
            publication.as_of,
            datetime.now(UTC),
            publication.horizon_weeks,
            publication.outcome_words,
            Jsonb(dict(publication.base_rates)),
            names,
        ],
    )
    return cursor.rowcount == 1


_SCORE: Final = (
    "year_group, probability, rise, rise_margin, rank, cut_off, eligible, snoozed, flagged, rising_since, "
    "capacity, abstain"
)
_FEATURE_ROWS: Final = (
    "INSERT INTO feature_rows (pupil_id, bundle_digest, as_of, features) "
    "SELECT p.id, %s, %s, n.features FROM new_feature_rows n JOIN pupils p ON p.pseudonym = n.pupil "
    "ON CONFLICT (pupil_id) DO UPDATE SET bundle_digest = excluded.bundle_digest, as_of = excluded.as_of, "
    "features = excluded.features WHERE feature_rows.as_of <= excluded.as_of"
)


def _save_scores(cursor: Cursor, publication: Publication) -> tuple[int, int, int]:
    named = [publication.bundle_digest, publication.as_of]
    score = ", ".join(f"n.{name.strip()}" for name in _SCORE.split(","))
    cursor.execute(
        f"INSERT INTO scores (pupil_id, bundle_digest, as_of, school_urn, {_SCORE}) "  # noqa: S608  # our own names
        f"SELECT p.id, %s, %s, n.school, {score} FROM new_scores n JOIN pupils p ON p.pseudonym = n.pupil",
        named,
    )
    scores = cursor.rowcount
    cursor.execute(
        "INSERT INTO flags (pupil_id, bundle_digest, as_of, rising_since, expires_on, check_sample, eased_on, eased) "
        "SELECT p.id, %s, %s, n.rising_since, n.expires_on, n.check_sample, n.eased_on, n.eased "
        "FROM new_flags n JOIN pupils p ON p.pseudonym = n.pupil",
        named,
    )
    flags = cursor.rowcount
    for name in _WHY:
        columns = [f'"{column}"' for column in FRAMES[name].columns if column != "pupil"]
        cursor.execute(
            f"INSERT INTO {name} (flag_id, {', '.join(columns)}) "  # noqa: S608  # our own names
            f"SELECT f.id, {', '.join(f'n.{column}' for column in columns)} FROM new_{name} n "
            "JOIN pupils p ON p.pseudonym = n.pupil "
            "JOIN flags f ON f.pupil_id = p.id AND f.bundle_digest = %s AND f.as_of = %s",
            named,
        )
        if cursor.rowcount != len(getattr(publication, name)):
            raise CannotPublish(f"some {name} are about pupils without a flag of the day")
    # A pupil whose case is still open is flagged again on that same case: people answer once.
    cursor.execute(
        "INSERT INTO cases (flag_id, pupil_id, school_urn, state, opened_on) "
        "SELECT f.id, p.id, p.school_urn, 'open', f.as_of FROM flags f JOIN pupils p ON p.id = f.pupil_id "
        "WHERE f.bundle_digest = %s AND f.as_of = %s "
        "AND NOT EXISTS (SELECT FROM cases c WHERE c.pupil_id = p.id AND NOT c.state = ANY (%s))",
        [*named, sorted(states.FINAL)],
    )
    return scores, flags, cursor.rowcount


def open_cases(session: Session) -> int:
    """Return how many cases in scope are not closed."""
    return session.execute(select(func.count()).where(CaseRow.state.not_in(states.FINAL))).scalar_one()
