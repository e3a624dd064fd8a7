"""Term dates that schools entered on their page, landed among the records like any other row."""

import hashlib
import json
from dataclasses import asdict

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.orm import Session

from casework.term_dates import Entered, entered
from records import delta
from records.arrow import schema_of
from records.home import Home
from records.rights.described import WRITTEN
from records.tables import CALENDARS


def land_term_dates(home: Home, session: Session) -> int:
    """Land what was entered and is not in the store yet, in one commit, and return how many rows were.

    A row is known from the day on which it was entered; its number in the database is its `row`, by which
    it is found again, so landing twice adds nothing. Needs the job's role and every school in scope.
    """
    there = delta.scan(home.history, CALENDARS, None, ["row", "source"], pc.field("source") == WRITTEN)
    landed = set(there["row"].to_pylist())
    # By number and not by the highest: of two entered at once the later number may have landed first.
    fresh = [one for one in entered(session) if one.seq not in landed]
    if not fresh:
        return 0
    rows = pa.Table.from_pylist([_row(one) for one in fresh], schema_of(CALENDARS))
    said = json.dumps([asdict(one) for one in fresh], default=str).encode()
    return delta.append(home.history, CALENDARS, [delta.Landing(hashlib.sha256(said).hexdigest(), rows)], home.shards)


def _row(one: Entered) -> dict[str, object]:
    return {
        "school": one.school,
        "kind": one.kind,
        "name": one.name,
        "start_date": one.start,
        "end_date": one.end,
        "known_on": one.entered_on,
        "deleted": one.withdrawn,
        "source": WRITTEN,
        "row": one.seq,
    }
