"""What must hold between the columns of one row: rules as data, read by `records.check`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from records import codes
from records.table import Table

Mask = npt.NDArray[np.bool_]
AGES = (2, 25)
# A suspension given in July may start in September. One of a mistyped year would be 'coming' for a
# generation, and its pupil never scored again.
DAYS_AHEAD = 100
# A rule that a row may pass on another day: the ledger of loads knows it by name.
AFTER_INGEST = "the row must not be recorded after the day of ingest"
# The end of a rule that a mapping lifts when the missing word is added to it.
NO_WORD_OF_THE_MAPPING = "must be a word of the mapping"
# The end of a rule that is lifted when the missing list of areas is brought.
NO_LIST_SAYS = "must be in a list of areas that was brought"


@dataclass(frozen=True)
class Values:
    """The comparable values of a batch: dates as datetime64[s], numbers, code positions (-1: none)."""

    columns: Mapping[str, npt.NDArray[Any]]
    today: date

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self.columns[name]


@dataclass(frozen=True, kw_only=True)
class RowRule:
    """A rule between columns: which tables it holds for, where its fault points, and what breaks it."""

    name: str
    remedy: str
    column: str
    value_class: str
    tables: frozenset[str] | None
    breaks: Callable[[Values], Mask]

    def applies_to(self, table: Table) -> bool:
        """Return whether rows of this table are asked."""
        return self.tables is None or table.name in self.tables


@dataclass(frozen=True)
class Coded:
    """A comparable column by its distinct values: row i holds `values[codes[i]]`."""

    values: npt.NDArray[Any]
    codes: npt.NDArray[np.int32]


class _Noted(dict[str, npt.NDArray[Any]]):
    """Columns that note which of them a rule asks for."""

    def __init__(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        super().__init__(columns)
        self.asked: dict[str, None] = {}

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        self.asked[name] = None
        return super().__getitem__(name)


def breaking(rule: RowRule, columns: Mapping[str, Coded], today: date) -> Mask | None:
    """Return which rows break the rule, or None where none does.

    The rule is asked about each combination of distinct values of the columns it reads, and about rows
    only where combinations outnumber them: a week's marks have few dates, however many rows.
    """
    noted = _Noted({name: column.values[:0] for name, column in columns.items()})
    rule.breaks(Values(noted, today))
    read = [columns[name] for name in noted.asked]
    sizes = [len(column.values) for column in read]
    if prod(sizes) > max((len(column.codes) for column in read), default=0):
        rows = {name: column.values[column.codes] for name, column in zip(noted.asked, read, strict=True)}
        return rule.breaks(Values(rows, today))
    grid = np.meshgrid(*(column.values for column in read), indexing="ij")
    broken = rule.breaks(Values({name: one.ravel() for name, one in zip(noted.asked, grid, strict=True)}, today))
    if not broken.any():
        return None
    place = np.zeros(len(read[0].codes), dtype=np.int64)
    for column, size in zip(read, sizes, strict=True):
        place = place * size + column.codes
    return broken[place]


def _later(first: str, second: str) -> Callable[[Values], Mask]:
    def breaks(values: Values) -> Mask:
        later: Mask = np.greater(values[first], values[second])
        return later

    return breaks


def _weekend(column: str) -> Callable[[Values], Mask]:
    # 1 January 1970 was a Thursday: day number 0 is weekday 3 of a week that starts on Monday.
    def breaks(values: Values) -> Mask:
        return np.greater_equal((values[column].astype("datetime64[D]").astype(np.int64) + 3) % 7, 5)

    return breaks


def _age(values: Values) -> Mask:
    years = (values["known_on"] - values["date_of_birth"]) / np.timedelta64(86_400, "s") / 365.25
    impossible: Mask = np.less(years, AGES[0]) | np.greater(years, AGES[1])
    return impossible


def _reason_ended(column: str) -> Callable[[Values], Mask]:
    listed = codes.EXCLUSION_REASON.codes
    ends = {listed.index(code): np.datetime64(day, "s") for code, day in codes.EXCLUSION_REASON.ended.items()}

    def breaks(values: Values) -> Mask:
        broken = np.zeros(len(values["start_date"]), dtype=bool)
        for code, end in ends.items():
            broken |= (values[column] == code) & (values["start_date"] >= end)
        return broken

    return breaks


def _happened_after_known(tables: frozenset[str], column: str) -> RowRule:
    return RowRule(
        name=f"{column} must not be after the day the row was recorded",
        remedy="correct the date where the record is kept",
        column=column,
        value_class="date after the row was recorded",
        tables=tables,
        breaks=_later(column, "known_on"),
    )


def _weekday(table: str, column: str) -> RowRule:
    return RowRule(
        name=f"{column} must be a Monday to Friday",
        remedy="correct the date where the record is kept",
        column=column,
        value_class="date at a weekend",
        tables=frozenset({table}),
        breaks=_weekend(column),
    )


def _soon_after_known(table: str, column: str) -> RowRule:
    return RowRule(
        name=f"{column} must be at most {DAYS_AHEAD} days after the day the row was recorded",
        remedy="correct the date where the record is kept",
        column=column,
        value_class="date far ahead of the day it was recorded",
        tables=frozenset({table}),
        breaks=lambda values: np.greater(values[column] - values["known_on"], np.timedelta64(DAYS_AHEAD * 86_400, "s")),
    )


def _ordered(tables: frozenset[str], first: str, last: str) -> RowRule:
    return RowRule(
        name=f"{last} must not be before {first}",
        remedy="correct the earlier or the later date",
        column=last,
        value_class=f"date before {first}",
        tables=tables,
        breaks=_later(first, last),
    )


# Suspensions, enrolments, calendars and free-meal ends may lie ahead of the day they were recorded: a
# suspension typed in today that starts on Monday, a September starter admitted in June.
ROW_RULES: tuple[RowRule, ...] = (
    RowRule(
        name=AFTER_INGEST,
        remedy="check the exporting computer's clock",
        column="known_on",
        value_class="date after today",
        tables=None,
        breaks=lambda values: np.greater(values["known_on"], np.datetime64(values.today, "s")),
    ),
    _happened_after_known(frozenset({"marks", "behaviour", "positives"}), "date"),
    _happened_after_known(frozenset({"fsm_periods"}), "start_date"),
    _happened_after_known(frozenset({"characteristics", "sen_needs"}), "census_date"),
    _weekday("marks", "date"),
    _weekday("suspensions", "start_date"),
    _soon_after_known("suspensions", "start_date"),
    _ordered(frozenset({"enrolments", "identities"}), "entry_date", "leaving_date"),
    _ordered(frozenset({"fsm_periods", "calendars"}), "start_date", "end_date"),
    _ordered(frozenset({"areafigures"}), "from_date", "to_date"),
    _happened_after_known(frozenset({"areafigures"}), "to_date"),
    _happened_after_known(frozenset({"areaboundaries"}), "from_date"),
    RowRule(
        name=f"the pupil must be {AGES[0]} to {AGES[1]} years old when the row was recorded",
        remedy="correct the date of birth where the record is kept",
        column="date_of_birth",
        value_class="date that gives an impossible age",
        tables=frozenset({"identities"}),
        breaks=_age,
    ),
    *(
        RowRule(
            name="reason OT is allowed only before 2020/21",
            remedy="give the reason from today's list",
            column=column,
            value_class="withdrawn code",
            tables=frozenset({"suspensions"}),
            breaks=_reason_ended(column),
        )
        for column in ("reason1", "reason2", "reason3")
    ),
)
