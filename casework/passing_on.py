"""Open cases of pupils who moved within the network: they go on at the next school where an agreement covers it."""

from collections.abc import Callable
from typing import Any

import psycopg

from casework import states

# (the school that the pupil left, the school that they joined) → whether an open case goes on there.
PassesOn = Callable[[int, int], bool]


def nothing_passes_on(earlier: int, present: int) -> bool:
    """Pass nothing on: what holds without a transfer agreement."""
    return False


def pass_on_cases(cursor: psycopg.Cursor[tuple[Any, ...]], passes_on: PassesOn) -> int:
    """Move the open cases that an agreement covers to the pupil's school, and return how many.

    Nobody owns them there yet, so they fall to the next school's lead (casework/duties.py). What is not
    passed on is closed by the publication, and stays at the school that wrote it.
    """
    still_open = sorted(states.UNDECIDED | states.DECIDED)
    moved = "p.id = c.pupil_id AND c.state = ANY (%(open)s) AND p.left_on IS NULL AND p.school_urn <> c.school_urn"
    cursor.execute(
        f"SELECT DISTINCT c.school_urn, p.school_urn FROM cases c JOIN pupils p ON {moved}",  # noqa: S608  # our own
        {"open": still_open},
    )
    passed_on = 0
    for earlier, present in cursor.fetchall():
        if passes_on(earlier, present):
            cursor.execute(
                "UPDATE cases c SET school_urn = p.school_urn, owner_id = NULL, version = version + 1 "  # noqa: S608  # our own
                f"FROM pupils p WHERE {moved} AND c.school_urn = %(earlier)s AND p.school_urn = %(present)s",
                {"open": still_open, "earlier": earlier, "present": present},
            )
            passed_on += cursor.rowcount
    return passed_on
