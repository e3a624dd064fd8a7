"""What the nightly publication adds to the feed of list changes: newer facts, and flags on a case that is open.

Coming on a list and leaving it are written by triggers on `cases`, whoever opens or ends one.
"""

from datetime import date
from typing import Any, Final

import psycopg

from casework import states

Cursor = psycopg.Cursor[tuple[Any, ...]]
# The lock of the trigger (migration 0007): numbers are given in the order of commits.
_LOCK: Final = "SELECT pg_advisory_xact_lock(8465)"
_SAID: Final = (
    "SELECT c.id AS case_id, c.pupil_id, c.school_urn, (SELECT md5(string_agg(ROW(w.*)::text, '|' ORDER BY "
    "w.week_start)) FROM weekly_facts w WHERE w.pupil_id = c.pupil_id) AS said "
    "FROM cases c WHERE NOT c.state = ANY (%s)"
)


def watch_facts(cursor: Cursor) -> None:
    """Note what the facts of pupils on a list say now, before they are brought up to date."""
    cursor.execute(
        f"CREATE TEMPORARY TABLE facts_before ON COMMIT DROP AS {_SAID}",  # our own names
        [sorted(states.FINAL)],
    )


def tell_facts(cursor: Cursor) -> int:
    """Add an entry for each pupil who was on a list, is still, and whose facts say something else now."""
    cursor.execute(_LOCK)
    cursor.execute(
        "INSERT INTO list_changes (at, case_id, pupil_id, school_urn, what) "  # noqa: S608  # our own names
        f"SELECT clock_timestamp(), n.case_id, n.pupil_id, n.school_urn, 'facts' FROM ({_SAID}) n "
        "JOIN facts_before b USING (case_id) WHERE n.said IS DISTINCT FROM b.said ORDER BY n.case_id",
        [sorted(states.FINAL)],
    )
    told = cursor.rowcount
    cursor.execute("DROP TABLE facts_before")
    return told


def tell_again(cursor: Cursor, bundle_digest: str, as_of: date) -> None:
    """Add an entry for each flag of the day that fell on a case opened by an earlier flag."""
    cursor.execute(_LOCK)
    cursor.execute(
        "INSERT INTO list_changes (at, case_id, pupil_id, school_urn, what) "
        "SELECT clock_timestamp(), c.id, c.pupil_id, c.school_urn, 'again' FROM flags f "
        "JOIN cases c ON c.pupil_id = f.pupil_id AND c.flag_id <> f.id AND NOT c.state = ANY (%s) "
        "WHERE f.bundle_digest = %s AND f.as_of = %s ORDER BY c.id",
        [sorted(states.FINAL), bundle_digest, as_of],
    )
