"""Support that was taken up, landed among the records like any other row: who, where, what kind, from when to when.

No name, no words and no programme go with it. An offer that is waited for or declined is no support, so it lands
nothing; one that was taken up and turns out to be neither is taken back by a later version, as a school's system does.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.tables_people import PupilRow
from casework.tables_support import SupportRow, SupportVersionRow
from records import delta
from records.arrow import schema_of
from records.home import Home
from records.rights.described import WRITTEN
from records.tables import SUPPORT

_TAKEN_UP: Final = "taken_up"


def land_support(home: Home, session: Session) -> int:
    """Land what was written down and is not in the store yet, in one commit, and return how many rows were.

    A row is known from the day on which it was written; its number in the database is its `row`, by which it is found
    again, so landing twice adds nothing. Needs the job's role and every school in scope.
    """
    there = delta.scan(home.history, SUPPORT, None, ["row", "source"], pc.field("source") == WRITTEN)
    landed = set(there["row"].to_pylist())
    versions = session.execute(
        select(SupportVersionRow, PupilRow.pseudonym)
        .join(SupportRow, SupportRow.id == SupportVersionRow.support_id)
        .join(PupilRow, PupilRow.id == SupportRow.pupil_id)
        .order_by(SupportVersionRow.support_id, SupportVersionRow.version)
    )
    # By number and not by the highest: of two written at once the later number may have landed first.
    fresh = [row for row in rows_of((version, pupil) for version, pupil in versions) if row["row"] not in landed]
    if not fresh:
        return 0
    said = json.dumps([sorted(row.items()) for row in fresh], default=str).encode()
    rows = pa.Table.from_pylist(fresh, schema_of(SUPPORT))
    return delta.append(home.history, SUPPORT, [delta.Landing(hashlib.sha256(said).hexdigest(), rows)], home.shards)


def rows_of(versions: Iterable[tuple[SupportVersionRow, int]]) -> Iterator[dict[str, Any]]:
    """Yield what each version says among the records; versions come support by support, the oldest first."""
    for _, mine in groupby(versions, key=lambda one: one[0].support_id):
        stands: dict[str, Any] | None = None
        for version, pupil in mine:
            told = {"known_on": version.recorded_on, "source": WRITTEN, "row": version.seq}
            if version.standing == _TAKEN_UP:
                stands = {
                    "pupil": pupil,
                    "school": version.school_urn,
                    "support_id": f"belong-{version.support_id}",
                    "type": version.kind,
                    "start_date": version.start_on,
                    "end_date": version.end_on,
                }
                yield {**stands, **told, "deleted": False}
            elif stands is not None:
                yield {**stands, **told, "deleted": True}
                stands = None
