"""Publish recorded facts alone: schools, who is on roll, weeks, incidents, doubts. No model is asked for any of it.

The nightly job publishes them with its scores. A school that brings its records where no model may serve, or
between two lists, sees its timelines all the same (docs/decisions.md, 81).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import pandas as pd
import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from casework import feed
from casework.people import driver_cursor
from casework.staging import stage
from records.refusal import Refusal

Cursor = psycopg.Cursor[tuple[Any, ...]]
_LOCK = 8465


class CannotPublish(Refusal):
    """The publication does not fit the database; nothing of it was written."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What pages show of records: frames with the columns of `casework.staging.FRAMES`, of every school."""

    as_of: date
    schools: pd.DataFrame
    roll: pd.DataFrame
    weekly_facts: pd.DataFrame
    incidents: pd.DataFrame
    doubts: pd.DataFrame


_FACTS: Final = ("schools", "roll", "weekly_facts", "incidents", "doubts")


def publish_facts(session: Session, facts: Facts) -> int:
    """Publish in this transaction (the job's role, every school in scope); return how many weekly facts changed.

    Raises
    ------
    CannotPublish
        Nobody is on roll, a pupil on roll has no identity, or no week is known where weeks were shown before.
    """
    take_turns(session)
    if facts.roll.empty:
        raise CannotPublish("nobody is on roll: that would take every pupil off the pages, so nothing is published")
    shown = session.execute(text("SELECT EXISTS (SELECT FROM weekly_facts)")).scalar_one()
    if facts.weekly_facts.empty and shown:
        raise CannotPublish("weekly_facts is empty: that would empty every timeline, so nothing is published")
    with driver_cursor(session) as cursor:
        for name in _FACTS:
            stage(cursor, name, getattr(facts, name))
        check_named(cursor)
        save_schools_and_roll(cursor, facts.as_of)
        save_doubts(cursor)
        feed.watch_facts(cursor)
        changed = save_facts(cursor)
        save_incidents(cursor)
        feed.tell_facts(cursor)
        for name in _FACTS:
            cursor.execute(f"DROP TABLE new_{name}")
    return changed


def take_turns(session: Session) -> None:
    """Wait for another publication to end: two at once would each undo a part of the other's."""
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def check_named(cursor: Cursor) -> None:
    """Raise CannotPublish where a pupil on roll has no identity."""
    nameless = count(
        cursor, "SELECT count(*) FROM new_roll r WHERE NOT EXISTS (SELECT FROM pupils WHERE pseudonym = r.pupil)"
    )
    if nameless:
        raise CannotPublish(
            f"{nameless} pupils on roll have no identity here; save identities (casework.people) when ingesting"
        )


def count(cursor: Cursor, query: str) -> int:
    """Return the one number that a query asks for."""
    row = cursor.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def save_schools_and_roll(cursor: Cursor, as_of: date) -> None:
    """Write schools, and where and in which year each pupil is; who is not on roll has left."""
    cursor.execute(
        "INSERT INTO schools (urn, name, phase, data_to, up_to_date, note) "
        "SELECT urn, name, phase, data_to, up_to_date, note FROM new_schools "
        "ON CONFLICT (urn) DO UPDATE SET name = excluded.name, phase = excluded.phase, data_to = excluded.data_to, "
        "up_to_date = excluded.up_to_date, note = excluded.note"
    )
    cursor.execute(
        "UPDATE pupils p SET school_urn = r.school, year_group = r.year_group, left_on = NULL FROM new_roll r "
        "WHERE p.pseudonym = r.pupil AND "
        "((p.school_urn, p.year_group) IS DISTINCT FROM (r.school, r.year_group) OR p.left_on IS NOT NULL)"
    )
    cursor.execute(
        "UPDATE pupils p SET left_on = %s WHERE left_on IS NULL "
        "AND NOT EXISTS (SELECT FROM new_roll WHERE pupil = p.pseudonym)",
        [as_of],
    )


def save_doubts(cursor: Cursor) -> None:
    """Write the doubts about schools' records in the place of those before."""
    cursor.execute("DELETE FROM school_doubts")
    cursor.execute(
        "INSERT INTO school_doubts (school_urn, rule, since, sentence, remedy, holds) "
        "SELECT school, rule, since, sentence, remedy, holds FROM new_doubts"
    )


_COUNTS: Final = "sessions_possible, sessions_missed, late_marks, incidents, removals, positives, suspended"
_EVENT: Final = "happened_on, kind, what, place, sessions"


def save_facts(cursor: Cursor) -> int:
    """Write the weeks that changed, take off those that are no more, and return how many that were."""
    counts = [name.strip() for name in _COUNTS.split(",")]
    excluded = ", ".join(f"excluded.{name}" for name in counts)
    cursor.execute(
        f"INSERT INTO weekly_facts AS w (pupil_id, week_start, {_COUNTS}) "  # noqa: S608  # our own names
        f"SELECT p.id, n.week_start, {', '.join(f'n.{name}' for name in counts)} "
        "FROM new_weekly_facts n JOIN pupils p ON p.pseudonym = n.pupil "
        f"ON CONFLICT (pupil_id, week_start) DO UPDATE SET ({_COUNTS}) = ROW ({excluded}) "
        # A row that says the same is not written again: most nights change few weeks.
        f"WHERE ({', '.join(f'w.{name}' for name in counts)}) IS DISTINCT FROM ({excluded})"
    )
    changed = cursor.rowcount
    cursor.execute(
        "DELETE FROM weekly_facts w USING pupils p WHERE p.id = w.pupil_id "
        "AND NOT EXISTS (SELECT FROM new_weekly_facts n WHERE n.pupil = p.pseudonym AND n.week_start = w.week_start)"
    )
    changed += cursor.rowcount
    return changed


def save_incidents(cursor: Cursor) -> None:
    """Write anew the incidents of pupils whose incidents are not, one and all, the same as before."""
    digest = f"md5(string_agg(ROW({_EVENT})::text, '|' ORDER BY ROW({_EVENT})::text)) AS said"
    cursor.execute(
        "CREATE TEMPORARY TABLE changed_pupils ON COMMIT DROP AS SELECT pupil_id FROM "  # noqa: S608  # our own names
        f"(SELECT p.id AS pupil_id, {digest} FROM new_incidents n JOIN pupils p ON p.pseudonym = n.pupil "
        "GROUP BY p.id) n "
        f"FULL JOIN (SELECT pupil_id, {digest} FROM incidents GROUP BY pupil_id) o USING (pupil_id) "
        "WHERE n.said IS DISTINCT FROM o.said"
    )
    cursor.execute("ANALYZE changed_pupils")
    cursor.execute("DELETE FROM incidents WHERE pupil_id IN (SELECT pupil_id FROM changed_pupils)")
    cursor.execute(
        f"INSERT INTO incidents (pupil_id, {_EVENT}) SELECT c.pupil_id, {_EVENT} "  # noqa: S608  # our own names
        "FROM new_incidents n JOIN pupils p ON p.pseudonym = n.pupil JOIN changed_pupils c ON c.pupil_id = p.id "
        "ORDER BY n.happened_on"
    )
    cursor.execute("DROP TABLE changed_pupils")
