"""Rows on their way to files: kept as small integers until the window in which a school would send them."""

import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from records.synthetic.events import LOCATIONS, OUTCOMES, PRAISE_TYPES, ROLES, TYPES
from records.synthetic.register import CODES
from records.synthetic.sanctions import REASONS

Ints = npt.NDArray[np.integer]
Rows = Mapping[str, Ints]
"""Column → values of one length. Every table has `school` and `updated` (index of a day); see HEADERS."""

HEADERS: Mapping[str, str] = {
    "schools": "urn,laestab,name,phase,open_date,updated_on",
    "calendars": "urn,kind,name,start_date,end_date,updated_on",
    "enrolments": (
        "upn,former_upn,forename,surname,date_of_birth,urn,year_group,status,entry_date,leaving_date,updated_on"
    ),
    "marks": "upn,urn,date,session,code,updated_on",
    "weeks": "upn,urn,week_start,marks,updated_on",
    "behaviour": "event_id,upn,urn,date,period,type,severity,points,location,role,outcome,updated_on,deleted",
    "positives": "event_id,upn,urn,date,type,points,updated_on,deleted",
    "suspensions": "upn,urn,start_date,sessions,category,reason1,reason2,reason3,updated_on,deleted",
}
CATEGORIES = ("SUSP", "LNCH", "PERM")
# What no code list has; a row with one of them belongs in quarantine.
WRONG_CODES = ("?", "AA", "9X")
WRONG_TYPE = "Unlisted event"
WRONG_DATES = ("1900-01-01", "2024-02-30", "31/12/2024")
PACKING = 1  # of gzip's nine: the fastest
_REASONS = ("", *REASONS)
_NUMBERS = tuple(str(number) for number in range(100))


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What the small integers stand for in one run: the days and the schools; pupils change with UPNs."""

    first_day: date
    days: tuple[str, ...]
    urns: tuple[str, ...]

    def day(self, day: date) -> int:
        """Return the index of a day."""
        return (day - self.first_day).days


def vocabulary(first: date, last: date, urns: Sequence[int]) -> Vocabulary:
    """Return the vocabulary of a run whose rows lie between two days."""
    days = [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]
    return Vocabulary(first_day=first, days=(*days, *WRONG_DATES), urns=tuple(str(urn) for urn in urns))


@dataclass
class Ledger:
    """The rows of one table that were not sent yet."""

    table: str
    waiting: list[Rows] = field(default_factory=list)

    def add(self, rows: Rows) -> None:
        """Keep rows until a window ends on or after the day they were recorded."""
        self.waiting.append(rows)

    def take(self, last_day: int) -> Rows:
        """Return, and forget, the rows recorded on `last_day` or before, in order of school, then as they came."""
        if not self.waiting:
            return {}
        whole = joined(self.waiting)
        due = whole["updated"] <= last_day
        self.waiting = [{name: values[~due] for name, values in whole.items()}]
        order = np.argsort(whole["school"][due], kind="stable")
        return {name: values[due][order] for name, values in whole.items()}


def joined(parts: Sequence[Rows]) -> Rows:
    """Return the rows of all parts, in order."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def arrow(
    table: str, rows: Rows, upns: pa.Array, words: Vocabulary, given: Mapping[str, pa.Array] | None = None
) -> pa.Table:
    """Return the rows as the text a school would send, with the columns of HEADERS in order.

    `given` holds columns that are text already.
    """
    lists: Mapping[str, pa.Array] = {
        "upn": upns,
        "urn": pa.array(words.urns),
        **dict.fromkeys(("date", "updated_on", "start_date", "week_start"), pa.array(words.days)),
        "session": pa.array(("AM", "PM")),
        "code": pa.array((*CODES, *WRONG_CODES)),
        "type": pa.array((*PRAISE_TYPES,) if table == "positives" else (*TYPES, WRONG_TYPE)),
        "location": pa.array(LOCATIONS),
        "role": pa.array(ROLES),
        "outcome": pa.array(OUTCOMES),
        "deleted": pa.array(("false", "true")),
        "category": pa.array(CATEGORIES),
        **dict.fromkeys(("reason1", "reason2", "reason3"), pa.array(_REASONS)),
        **dict.fromkeys(("period", "severity", "points", "sessions"), pa.array(_NUMBERS)),
    }
    columns: dict[str, pa.Array] = dict.fromkeys(HEADERS[table].split(",")) | dict(given or {})
    for name in [name for name, text in columns.items() if text is None]:
        if name == "event_id":
            urns = pa.array(words.urns).take(pa.array(rows["school"].astype(np.int32)))
            number = pc.utf8_lpad(pc.cast(pa.array(rows["event"]), pa.string()), 6, "0")
            columns[name] = pc.binary_join_element_wise(urns, f"-{table[0].upper()}", number, "")
            continue
        values = rows[_SOURCE.get(name, name)]
        if name in ("date", "week_start"):  # -1, -2, ... are dates that cannot be
            values = np.where(values < 0, len(words.days) + values.astype(np.int64), values)
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(values.astype(np.int32), mask=values < 0), lists[name])
    return pa.table(columns)


_SOURCE = {"upn": "pupil", "urn": "school", "updated_on": "updated", "week_start": "week"}


def write_csv(path: Path, header: str, table: pa.Table) -> int:
    """Write one export file: the exact header, then the rows; return their number.

    No value of these tables holds a comma, a quote or a line break, so nothing is quoted. A path that ends
    in .gz is packed, without the moment and the name that gzip would keep.
    """
    options = pacsv.WriteOptions(include_header=False, quoting_style="none", batch_size=65_536)
    with path.open("wb") as file:
        if path.suffix == ".gz":
            with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=PACKING, mtime=0) as packed:
                packed.write(f"{header}\n".encode())
                pacsv.write_csv(table, packed, options)
        else:
            file.write(f"{header}\n".encode())
            pacsv.write_csv(table, file, options)
    return int(table.num_rows)


def write_by_school(
    out: Path, table: str, rows: Rows, stamp: str, text: Callable[[Rows], pa.Table]
) -> list[tuple[Path, int]]:
    """Write one file per school for rows in order of school; return each file and its number of rows."""
    whole = text(rows)
    present, starts = np.unique(rows["school"], return_index=True)
    ends = [*starts[1:].tolist(), whole.num_rows]
    urns = whole["urn"].combine_chunks().dictionary
    written = []
    for school, start, end in zip(present.tolist(), starts.tolist(), ends, strict=True):
        path = out / f"{table}_{urns[school].as_py()}_{stamp}.csv"
        written.append((path, write_csv(path, HEADERS[table], whole.slice(start, end - start))))
    return written


def reason_index(reasons: npt.NDArray[np.str_]) -> npt.NDArray[np.int64]:
    """Return the index of each reason code; '' is no reason."""
    return np.array([_REASONS.index(str(reason)) for reason in reasons], np.int64)


def reason_name(index: Ints) -> npt.NDArray[np.str_]:
    """Return the reason code of each index of `reason_index`."""
    return np.array(_REASONS)[index]
