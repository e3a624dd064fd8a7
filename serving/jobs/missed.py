"""'What we missed': exclusions and long suspensions that no list came before, landed for later models to be judged on.

Pupil, school and day, and nothing else: no name, no reason, no word of the review. Nothing learns from it, and no
feature can read it (`records.table.Table.hindsight`).
"""

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from casework.lookback_opening import Standing, lists_before, standings
from learning.themes.signals import was_missed
from records import delta
from records.home import Home
from records.tables import MISSED
from records.written import append

_Key = tuple[int, int, date]


def land_missed(home: Home, session: Session, today: date) -> int:
    """Land what look-backs say was missed and is not in the store yet, and take back what they no longer say.

    Returns how many rows were written; landing twice adds nothing. What the database no longer keeps says nothing: a
    look-back that went with its time is not taken back. Needs the job's role and every school in scope.
    """
    there = _landed(home)
    found = standings(session)
    holds = {_key(one, one.on): one for one in found if one.state != "withdrawn"}
    gone = {_key(one, day) for one in found for day in one.days} - holds.keys()
    waiting = [(key, one) for key, one in sorted(holds.items(), key=lambda item: item[0]) if not there.get(key)]
    fresh = [key for key, one in waiting if was_missed(lists_before(session, one.pupil, one.on), one.on)]
    back = sorted(key for key in gone if there.get(key))
    rows = [*(_row(key, deleted=False) for key in fresh), *(_row(key, deleted=True) for key in back)]
    return append(home, MISSED, rows, today)


def _key(one: Standing, day: date) -> _Key:
    return (one.pupil, one.row.school_urn, day)


def _row(key: _Key, *, deleted: bool) -> dict[str, Any]:
    return {"pupil": key[0], "school": key[1], "event_on": key[2], "deleted": deleted}


def _landed(home: Home) -> dict[_Key, bool]:
    """Return event → whether it stands, by the last version that was written."""
    rows = delta.scan(home.history, MISSED, None, ["pupil", "school", "event_on", "deleted", "row"]).to_pylist()
    return {
        (int(row["pupil"]), int(row["school"]), row["event_on"]): not row["deleted"]
        for row in sorted(rows, key=lambda row: row["row"])
    }
