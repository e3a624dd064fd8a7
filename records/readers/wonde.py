"""Wonde's JSON: pages as its interface returns them, saved in a folder for each school.

A folder with `school.json` is a school; see `records.readers.pulls` for its pages and pulls. Read are
students, attendance-codes, attendance, behaviours, achievements, exclusions and deletions. `schools` lists
the schools a token may see, and is passed over: which schools the network has is the network's own list.
Paths of values are in `keys/wonde.toml`, which says what of them is verified.

Every record says when it was last changed (`updated_at`): that is the day it was known. A deletion takes back
the rows of a record that this or an earlier pull holds. A pull is landed whole or not at all.
"""

import re
from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path

from records.readers.json_keys import Keys, read_keys
from records.readers.json_rows import JsonForm
from records.readers.pulled import ROLL, STUDENTS, PullReader, Supplier
from records.readers.pulls import Pull, pulls_of
from records.readers.reading import Content, Load, Reader
from records.tables import BEHAVIOUR, MARKS, POSITIVES, SUSPENSIONS

MARKER = "school.json"
# PHP writes a moment as an object: {"date": "2025-03-03 00:00:00.000000", "timezone_type": 3, "timezone": ...}.
# The day is the one that is written: schools and Wonde both keep London's time.
FORM = JsonForm(
    day=re.compile(r"(\d{4}-\d\d-\d\d)(?: 00:00:00(?:\.0+)?)?"),
    moment=re.compile(r"(\d{4}-\d\d-\d\d)(?: \d\d:\d\d:\d\d(?:\.\d+)?)?"),
    inside="date",
)
SUPPLIER = Supplier(
    name="Wonde",
    school="school",
    form=FORM,
    tables={
        STUDENTS: ROLL,
        "attendance": (MARKS,),
        "behaviours": (BEHAVIOUR,),
        "achievements": (POSITIVES,),
        "exclusions": (SUSPENSIONS,),
    },
    codes="attendance-codes",
    deletions="deletions",
)


def reader(mappings: Path | None = None) -> Reader:
    """Return the reader; `mappings` is a home's folder of that name, for keys the network has corrected.

    Raises
    ------
    KeysRefused
        The home's `keys/wonde.toml` cannot be used.
    """
    return Reader(SUPPLIER.name, partial(_loads, keys=read_keys("wonde", mappings)))


def _loads(paths: Sequence[Path], today: date, *, keys: Keys) -> tuple[list[Load], list[Path]]:
    def read(pull: Pull, earlier: Sequence[Pull], day: date) -> Content:
        return PullReader(SUPPLIER, keys, pull, earlier, day).content()

    return pulls_of(paths, today, marker=MARKER, endpoints=SUPPLIER.endpoints, read=read)
