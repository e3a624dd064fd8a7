"""The purge: what is past its time goes, from records, copies and the operational database."""

import json
import shutil
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger

from casework.database import connect, scoped
from casework.privacy import vacuum
from records.home import Home
from records.intake.lock import only_ingest
from records.rights.present import pseudonyms_present
from records.rights.retention import purge_copies, purge_tables

LOG_FILE: Final = "purges.jsonl"
CASE_YEARS: Final = 3
FLAG_YEARS: Final = 3
SIGN_IN_YEARS: Final = 1

_OLD_CASES: Final = "SELECT id FROM cases WHERE closed_on < :cases"
_OLD_FLAGS: Final = (
    "SELECT id FROM flags f WHERE f.as_of < :flags AND NOT EXISTS (SELECT FROM cases c WHERE c.flag_id = f.id)"
)
# A pupil goes when they have left and nothing about them is kept any more, here or in the records.
_GONE_PUPILS: Final = (
    "SELECT id FROM pupils p WHERE p.left_on IS NOT NULL AND NOT p.pseudonym = ANY (:present) "
    "AND NOT EXISTS (SELECT FROM cases c WHERE c.pupil_id = p.id) "
    "AND NOT EXISTS (SELECT FROM flags f WHERE f.pupil_id = p.id) "
    "AND NOT EXISTS (SELECT FROM lookbacks l WHERE l.pupil_id = p.id) "
    "AND NOT EXISTS (SELECT FROM scores s WHERE s.pupil_id = p.id) "
    "AND NOT EXISTS (SELECT FROM partner_actions a WHERE a.pupil_id = p.id) "
    "AND NOT EXISTS (SELECT FROM supports o WHERE o.pupil_id = p.id)"
)
_GONE_CHALLENGES: Final = f"SELECT id FROM challenges WHERE pupil_id IN ({_GONE_PUPILS})"  # noqa: S608  # our own words
_OLD_SUPPORTS: Final = (
    f"SELECT id FROM supports o WHERE o.case_id IN ({_OLD_CASES}) OR o.case_id IS NULL AND NOT EXISTS "  # noqa: S608  # ours
    "(SELECT FROM support_versions v WHERE v.support_id = o.id AND greatest(v.recorded_on, v.end_on) >= :cases)"
)
_OLD_ACTIONS: Final = (
    "SELECT id FROM partner_actions a WHERE NOT EXISTS "
    "(SELECT FROM partner_steps s WHERE s.action_id = a.id AND greatest(s.taken_on, s.due_on) >= :cases)"
)
_OLD_LOOKBACKS: Final = "SELECT id FROM lookbacks WHERE opened_on < :cases"
_STEPS: Final = (
    *((table, f"lookback_id IN ({_OLD_LOOKBACKS})") for table in ("lookback_notes", "lookback_steps")),
    ("lookbacks", f"id IN ({_OLD_LOOKBACKS})"),
    ("partner_steps", f"action_id IN ({_OLD_ACTIONS})"),
    ("partner_actions", "NOT EXISTS (SELECT FROM partner_steps s WHERE s.action_id = partner_actions.id)"),
    ("voices", f"support_id IN ({_OLD_SUPPORTS})"),
    ("support_versions", f"support_id IN ({_OLD_SUPPORTS})"),
    ("supports", f"id IN ({_OLD_SUPPORTS})"),
    ("decisions", f"case_id IN ({_OLD_CASES})"),
    ("views", f"case_id IN ({_OLD_CASES})"),
    ("list_changes", f"case_id IN ({_OLD_CASES})"),
    ("snoozes", f"case_id IN ({_OLD_CASES})"),
    ("cases", f"id IN ({_OLD_CASES})"),
    *((table, f"flag_id IN ({_OLD_FLAGS})") for table in ("reasons", "changes", "levers")),
    ("flags", f"id IN ({_OLD_FLAGS})"),
    ("scores", "as_of < :flags"),
    ("sign_in_sessions", "expires_at < :sign_ins"),
    *((table, f"pupil_id IN ({_GONE_PUPILS})") for table in ("weekly_facts", "incidents", "feature_rows")),
    ("challenge_steps", f"challenge_id IN ({_GONE_CHALLENGES})"),
    *((table, f"pupil_id IN ({_GONE_PUPILS})") for table in ("challenges", "voices", "fresh_starts")),
    ("pupil_keys", f"pupil_id IN ({_GONE_PUPILS})"),
    ("pupils", f"id IN ({_GONE_PUPILS}) AND NOT EXISTS (SELECT FROM pupil_keys k WHERE k.pupil_id = pupils.id)"),
)


@dataclass(frozen=True, kw_only=True)
class Purged:
    """How many rows went, by record table, by folder of copies (files) and by table of the database."""

    day: date
    records: dict[str, int]
    copies: dict[str, int]
    database: dict[str, int]
    operator: tuple[str, ...]

    @property
    def total(self) -> int:
        """Rows and files together."""
        return sum(sum(part.values()) for part in (self.records, self.copies, self.database))


def purge(home: Home, today: date) -> Purged:
    """Delete what is past its time, write the counts into the home's purges.jsonl, and return them.

    The log of looks and decisions on rights stay: they hold opaque ids only, and prove themselves.
    """
    shutil.rmtree(home.nights, ignore_errors=True)  # it may hold what is past its time
    with only_ingest(home):
        records = purge_tables(home, today)
        copies = purge_copies(home)
    engine = connect(home, "owner")
    try:
        with scoped(engine, None) as session:
            database = _purge_database(session, home, today)
        operator = vacuum.forget(engine, home) if any(database.values()) else ()
    finally:
        engine.dispose()
    done = Purged(day=today, records=records, copies=copies, database=database, operator=operator)
    said = {"day": today.isoformat(), "records": records, "copies": copies, "database": database}
    with (home.path / LOG_FILE).open("a", encoding="utf-8") as log:
        log.write(json.dumps(said) + "\n")
    return done


def _purge_database(session: Session, home: Home, today: date) -> dict[str, int]:
    values = {
        "cases": _years_before(today, CASE_YEARS),
        "flags": _years_before(today, FLAG_YEARS),
        "sign_ins": _years_before(today, SIGN_IN_YEARS),
        "present": sorted(pseudonyms_present(home)),
    }
    gone: dict[str, int] = {}
    for table, condition in _STEPS:
        statement = text(f"DELETE FROM {table} WHERE {condition}")  # noqa: S608  # our own words
        used = {name: value for name, value in values.items() if f":{name}" in condition}
        if "present" in used:
            statement = statement.bindparams(bindparam("present", type_=ARRAY(BigInteger)))
        done: Any = session.execute(statement, used)
        gone[table] = gone.get(table, 0) + done.rowcount  # words about support go before others
    return gone


def _years_before(today: date, years: int) -> date:
    # 29 February has no day of its own in most years.
    return today.replace(year=today.year - years, day=min(today.day, 28 if today.month == 2 else today.day))
