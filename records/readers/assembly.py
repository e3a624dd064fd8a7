"""Assembly's JSON: pages as its interface returns them, saved in a folder for each school.

A folder with `school_details.json` is a school; see `records.readers.pulls` for its pages and pulls. Read are
students (with their demographics), attendances and exclusions. Paths of values are in `keys/assembly.toml`.

Assembly's records do not say when they were recorded, and nothing says what was deleted. So a row is known
from the day that its pull's folder is named after (2025-07-01), or from the day of ingest. `exclusion_length`
counts sessions; where it is missing the length stays unknown: between two dates lie holidays that nothing in
the record names. Being looked after and free meals come without dates, so they are not read from here.
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
from records.tables import MARKS, SUSPENSIONS

MARKER = "school_details.json"
# Dates come plain or as a midnight; of pupils who have not left, as the last minute of 6 June 2079.
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:T00:00:00(?:\.0+)?(?:Z|\+00:00)?|(?<=2079-06-06)T23:59:00(?:\.0+)?Z)?")
FORM = JsonForm(day=_DAY, moment=_DAY)
SUPPLIER = Supplier(
    name="Assembly",
    school="school_details",
    form=FORM,
    tables={STUDENTS: ROLL, "attendances": (MARKS,), "exclusions": (SUSPENSIONS,)},
)


def reader(mappings: Path | None = None) -> Reader:
    """Return the reader; `mappings` is a home's folder of that name, for keys the network has corrected.

    Raises
    ------
    KeysRefused
        The home's `keys/assembly.toml` cannot be used.
    """
    return Reader(SUPPLIER.name, partial(_loads, keys=read_keys("assembly", mappings)))


def _loads(paths: Sequence[Path], today: date, *, keys: Keys) -> tuple[list[Load], list[Path]]:
    def read(pull: Pull, earlier: Sequence[Pull], day: date) -> Content:
        return PullReader(SUPPLIER, keys, pull, earlier, day).content()

    return pulls_of(paths, today, marker=MARKER, endpoints=SUPPLIER.endpoints, read=read)
