"""A year of a network's records, laid out in a home as the store lays them: the same for the same size and seed.

Written straight to the store, because making and reading a year of export files takes far longer than what is timed.
No child in it exists. A tenth of rows becomes known late, one in fifty is corrected, some corrections are deletions.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.shards import over_shards
from records import delta
from records.arrow import schema_of
from records.home import Home, create_home
from records.table import Table
from records.tables import TABLES

Ints = npt.NDArray[np.int64]
Rng = np.random.Generator
Numbers = npt.NDArray[Any]
Change = Mapping[str, Callable[[int], Any]]

PUPILS_IN_A_SCHOOL = 1_000
FIRST_URN = 100_000
HALF_TERMS = (
    ("Autumn 1", date(2024, 9, 2), date(2024, 10, 25)),
    ("Autumn 2", date(2024, 11, 4), date(2024, 12, 20)),
    ("Spring 1", date(2025, 1, 6), date(2025, 2, 14)),
    ("Spring 2", date(2025, 2, 24), date(2025, 4, 4)),
    ("Summer 1", date(2025, 4, 22), date(2025, 5, 23)),
    ("Summer 2", date(2025, 6, 2), date(2025, 7, 18)),
)
TONIGHT = date(2025, 7, 21)
_ABSENT = ("I", "I", "I", "I", "M", "C", "G", "O", "O", "O", "U", "U", "N", "C2", "B", "E")
_EVENTS_A_PUPIL, _POSITIVES_A_PUPIL, _SUSPENSIONS_A_PUPIL = 6.0, 10.0, 0.08


def school_days() -> Ints:
    """Return the year's school days as days since 1970, the same for every school."""
    spans = [np.arange(np.datetime64(first), np.datetime64(last) + 1) for _, first, last in HALF_TERMS]
    days = np.concatenate(spans)
    return days[np.is_busday(days)].astype(np.int64)


def week_starts() -> tuple[date, ...]:
    """Return the Monday after each school week of the year, ascending: the day on which the week is looked back on."""
    mondays = np.unique(school_days() - (school_days() + 3) % 7) + 7
    return tuple(date(1970, 1, 1) + timedelta(days=int(day)) for day in mondays)


@dataclass(frozen=True)
class Year:
    """How large a network, in how many shards, from which seed."""

    pupils: int
    shards: int
    seed: int = 20261127

    @property
    def schools(self) -> int:
        """How many schools of a thousand pupils."""
        return max(1, self.pupils // PUPILS_IN_A_SCHOOL)


def make_home(year: Year, folder: Path, processes: int = 2) -> Home:
    """Write the year's records into a new home and return it."""
    home = create_home(folder, demo=True, today=TONIGHT, shards=year.shards)
    urns = np.arange(year.schools) + FIRST_URN
    _add(
        home, "schools", {"school": urns, "name": "School", "laestab": "", "phase": "SS", "open_date": _day(2010, 9, 1)}
    )
    for name, first, last in HALF_TERMS:
        _add(
            home,
            "calendars",
            {"school": urns, "kind": "half_term", "name": name, "start_date": first, "end_date": last},
        )
    for _ in over_shards(partial(_make_shard, year, home), year.shards, processes=processes):
        pass
    return home


def _make_shard(year: Year, home: Home, shard: int) -> None:
    rng = np.random.default_rng([year.seed, shard])
    count = year.pupils // year.shards + (shard < year.pupils % year.shards)
    numbers = np.unique(rng.integers(1 << 40, 1 << 55, 2 * count + 10))
    pupil = rng.permutation(numbers)[:count] * year.shards + shard
    school = np.sort(rng.integers(0, year.schools, count)) + FIRST_URN
    days = school_days()
    joins = np.where(rng.random(count) < 0.03, rng.choice(days[30:-30], count), int(days[0]) - 365)
    _add(
        home,
        "enrolments",
        {
            "pupil": pupil,
            "school": school,
            "entry_date": joins,
            "leaving_date": None,
            "year_group": rng.choice(np.array([str(number) for number in range(7, 12)]), count),
            "status": "C",
            "known_on": joins,
        },
    )
    _marks(rng, home, (pupil, school, joins), days)
    _events(rng, home, (pupil, school, joins), days)


def _marks(rng: Rng, home: Home, who: tuple[Ints, Ints, Ints], days: Ints) -> None:
    pupil, school, joins = who
    codes = np.array(TABLES["marks"].column("code").codes.codes)  # type: ignore[union-attr]  # a coded column
    place = {code: position for position, code in enumerate(codes)}
    absent = np.minimum(rng.gamma(0.9, 0.08, len(pupil)), 0.7).astype(np.float32)
    late = absent + np.minimum(rng.gamma(0.5, 0.04, len(pupil)), 0.2).astype(np.float32)
    drawn = rng.random((2 * len(days), len(pupil)), dtype=np.float32)
    code = np.full(drawn.shape, place["/"], dtype=np.int16)
    code[1::2] = place["\\"]
    code[drawn < late] = place["L"]
    away = drawn < absent
    code[away] = rng.choice(np.array([place[code] for code in _ABSENT], dtype=np.int16), int(away.sum()))
    date_of = np.repeat(days, 2)
    there = date_of[:, None] >= joins[None, :]
    session, at = np.nonzero(there)
    rows: dict[str, Numbers] = {
        "pupil": pupil[at],
        "school": school[at],
        "date": date_of[session],
        "session": session % 2,
        "code": code[there],
    }
    change: Change = {
        "code": lambda count: rng.choice(np.array([place["/"], place["I"], place["O"]], dtype=np.int16), count)
    }
    _add(home, "marks", _with_versions(rng, rows, "date", change))


def _events(rng: Rng, home: Home, who: tuple[Ints, Ints, Ints], days: Ints) -> None:
    shard = int(who[0][0]) % home.shards
    for name, mean in (("behaviour", _EVENTS_A_PUPIL), ("positives", _POSITIVES_A_PUPIL)):
        rows = _happening(rng, who, days, rng.poisson(rng.gamma(0.6, mean / 0.6, len(who[0]))), "date")
        count = len(rows["pupil"])
        # As school systems number them: within the network no two alike.
        rows["event_id"] = np.char.add("e", (shard * 10**8 + np.arange(count)).astype(str))
        for column in TABLES[name].columns:
            if column.codes is not None:
                some = column.codes.codes
                rows[column.name] = rng.integers(0, len(some), count).astype(np.int16)
            elif column.kind == "integer":
                high = min(column.highest or 5, 7)
                rows[column.name] = rng.integers(column.lowest or 0, high + 1, count)
        change: Change = {"severity": lambda count: rng.integers(1, 6, count)} if name == "behaviour" else {}
        _add(home, name, _with_versions(rng, rows, "date", change))
    rows = _happening(
        rng, who, days, rng.poisson(rng.gamma(0.1, _SUSPENSIONS_A_PUPIL / 0.1, len(who[0]))), "start_date"
    )
    _, first = np.unique(rows["pupil"] * 20_000 % (1 << 62) + rows["start_date"], return_index=True)
    rows = {name: values[first] for name, values in rows.items()}
    rows |= {
        "sessions": rng.integers(1, 11, len(first)),
        "category": rng.choice(np.array([1, 2, 2, 2], np.int16), len(first)),
    }
    change = {"sessions": lambda count: rng.integers(1, 11, count)}
    _add(home, "suspensions", _with_versions(rng, rows, "start_date", change))


def _happening(rng: Rng, who: tuple[Ints, Ints, Ints], days: Ints, times: Ints, happened: str) -> dict[str, Numbers]:
    pupil, school, joins = (np.repeat(values, times) for values in who)
    day = rng.choice(days, len(pupil))
    there = np.flatnonzero(day >= joins)
    there = there[np.argsort(day[there], kind="stable")]
    return {"pupil": pupil[there], "school": school[there], happened: day[there]}


def _with_versions(rng: Rng, rows: Mapping[str, Numbers], happened: str, change: Change) -> dict[str, Numbers]:
    """Return the rows, a tenth of them late, with a later version of one in fifty; one in ten of those deletes."""
    count = len(rows["pupil"])
    known = rows[happened] + np.where(rng.random(count) < 0.1, rng.integers(1, 15, count), 0)
    again = np.flatnonzero(rng.random(count) < 0.02)
    both = {name: np.concatenate([values, values[again]]) for name, values in rows.items()}
    for name, draw in change.items():
        both[name][count:] = draw(len(again))
    both["known_on"] = np.concatenate([known, known[again] + rng.integers(1, 15, len(again))])
    both["deleted"] = np.concatenate([np.zeros(count, bool), rng.random(len(again)) < 0.1])
    # As they come: a file a week holds what became known in it.
    order = np.argsort(both["known_on"] // 7, kind="stable")
    return {name: values[order] for name, values in both.items()}


def _add(home: Home, name: str, columns: Mapping[str, object]) -> None:
    """Append rows to a table; a single value stands for all rows, whole numbers for dates and for codes."""
    table = TABLES[name]
    count = max(len(values) for values in columns.values() if isinstance(values, np.ndarray))
    happened = columns[table.happened_on]
    given = {"known_on": happened, "deleted": False, "row": np.arange(count) + 2, **columns}
    week = np.broadcast_to(_numbers(given["known_on"]), count) // 7
    weeks, at = np.unique(week, return_inverse=True)
    files = [hashlib.sha256(f"{name} {number}".encode()).hexdigest()[:16] for number in weeks]
    given["source"] = np.array(files)[at]
    arrays = [_array(table, field, given.get(field.name), count) for field in schema_of(table)]
    load = hashlib.sha256(repr((name, columns.get("name"), given["row"], columns.get("pupil"))).encode()).hexdigest()
    delta.append(home.history, table, [delta.Landing(load, pa.table(arrays, schema=schema_of(table)))], home.shards)


def _array(table: Table, field: pa.Field, values: object, count: int) -> pa.Array:
    if values is None:
        return pa.nulls(count, field.type)
    if pa.types.is_dictionary(field.type):
        codes = table.column(field.name).codes
        assert codes is not None
        if isinstance(values, np.ndarray) and values.dtype.kind == "i":
            return pa.DictionaryArray.from_arrays(pa.array(values.astype(np.int16)), pa.array(codes.codes))
        return (
            pa.array(np.broadcast_to(np.array(values, dtype=object), count), pa.string())
            .dictionary_encode()
            .cast(field.type)
        )
    if pa.types.is_date(field.type):
        return pa.array(np.broadcast_to(_numbers(values), count).astype(np.int32)).cast(pa.date32())
    if isinstance(values, np.ndarray):
        return pa.array(values).cast(field.type)
    return pa.array(np.broadcast_to(np.array(values), count)).cast(field.type)


def _numbers(days: object) -> Ints:
    if isinstance(days, date):
        return np.array([np.datetime64(days, "D").astype(np.int64)])
    return np.asarray(days, dtype=np.int64)


def _day(year: int, month: int, day: int) -> date:
    return date(year, month, day)


def files_of(home: Home, name: str) -> Sequence[str]:
    """Return the Parquet files of a table, as its log lists them."""
    there = delta.open_table(home.history, TABLES[name])
    return [] if there is None else sorted(there.file_uris())
