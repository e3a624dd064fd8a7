"""Why a row of a grid cannot be scored, for all as-of dates at once. `features.cohort` says what each reason means."""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from features.cohort import ABSTAIN, AWAY, BY_SCHOOL, NEW_WEEKS
from features.grid import Grid, day_number
from features.ledger import Ledger, ledger_of
from features.loops import Small
from features.machine import Machine
from features.matrix import KEYS
from features.rolls import NEVER, spread
from records.columns import MISSING
from records.history import History, objecting
from records.tables import ENROLMENTS, SUSPENSIONS

Flags = npt.NDArray[np.bool_]
_HALF_A_YEAR = 183  # the longest suspension is 45 school days, so an older one cannot still hold


# The places of `abstain`: none, then every reason that an engine can give, in their order.
REASONS = ("", *(code for code in ABSTAIN if code not in BY_SCHOOL))


def abstain_of(history: History, rows: Grid, fresh: Flags, machine: Machine) -> npt.NDArray[np.int8]:
    """Return each row's place in `REASONS`; `fresh` says where the register is up to date."""
    holds = {"objection": _objecting(history, rows), **_away(history, rows, machine)}
    holds |= {"too_new": _too_new(rows), "not_up_to_date": ~fresh}
    abstain = np.zeros(len(rows), dtype=np.int8)
    for number in range(len(REASONS) - 1, 0, -1):
        abstain[holds[REASONS[number]]] = number
    return abstain


def keys_of(rows: Grid, abstain: npt.NDArray[np.int8]) -> pd.DataFrame:
    """Return the matrix's keys."""
    years = ENROLMENTS.column("year_group").codes
    assert years is not None
    keys = {
        "pupil": rows.pupils[rows.pupil],
        "as_of": np.array(rows.days, dtype="datetime64[s]")[rows.stand],
        "school": rows.school.astype(np.int32),
        "year_group": _texts(rows.enrolments.year[rows.enrolment], years.codes),
        "abstain": _texts(abstain, REASONS),
    }
    return pd.DataFrame({name: keys[name] for name in KEYS})


def _texts(places: npt.NDArray[np.integer], texts: tuple[str, ...]) -> "pd.Series[str]":
    array = pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int8)), pa.array(texts, pa.string()))
    return pd.Series(array.cast(pa.string()), dtype="str")


def _objecting(history: History, rows: Grid) -> Flags:
    found = np.zeros(len(rows), dtype=np.bool_)
    said = history.tables.get("objections")
    if said is None or said.empty:
        return found
    for number, day in enumerate(rows.days):
        pupils = objecting(history, day)
        if pupils:
            found |= (rows.stand == number) & np.isin(rows.pupils[rows.pupil], list(pupils))
    return found


def _away(history: History, rows: Grid, machine: Machine) -> dict[str, Flags]:
    """Return which rows are excluded, serving a suspension, or to serve one that is decided."""
    columns = ("school", "sessions", "category")
    ledger = ledger_of(history, SUSPENSIONS.name, columns, rows.pupils, machine)
    pupil = np.repeat(np.arange(len(rows.pupils), dtype=np.int32), np.diff(ledger.start))
    excluded, serving, decided = (np.zeros(len(rows), dtype=np.bool_) for _ in range(3))
    if not len(ledger.day):
        return {"excluded": excluded, "serving": serving, "decided": decided}
    codes = SUSPENSIONS.column("category").codes
    assert codes is not None
    category = np.array([*codes.codes, ""])[ledger.column("category")]
    away = np.isin(category, list(AWAY))
    entry = rows.enrolments.entry[rows.enrolment]

    def seen(first: Small, last: Small, among: Flags) -> tuple[Small, Small]:
        version, stand = spread(first, last, rows.as_ofs, among)
        row = rows.row_of[stand, pupil[version]]
        return version[row >= 0], row[row >= 0]

    version, row = seen(ledger.first, ledger.last, category == "PERM")
    excluded[row[ledger.day[version] >= entry[row]]] = True
    version, row = seen(ledger.first, np.minimum(ledger.last, ledger.day + _HALF_A_YEAR), away)
    serving[row[_ends(ledger, rows, version, row) >= rows.as_ofs[rows.stand[row]]]] = True
    # Known before it begins: seen from the day after it was recorded up to its first day.
    version, row = seen(ledger.known + 1, np.minimum(ledger.last, ledger.day), away)
    decided[row] = True
    return {"excluded": excluded, "serving": serving, "decided": decided}


def _ends(ledger: Ledger, rows: Grid, version: Small, row: Small) -> Small:
    """Return the last day of each suspension by the calendar known at its row's as_of."""
    school, sessions = ledger.column("school"), ledger.column("sessions")
    made: dict[tuple[int, int], int] = {}
    found = np.empty(len(version), dtype=np.int32)
    for at, (which, stand) in enumerate(zip(version.tolist(), rows.stand[row].tolist(), strict=True)):
        calendar = rows.calendars[stand]
        if (which, id(calendar)) not in made:
            # A length not recorded: the first day is all that is known.
            days = 1 if sessions[which] == MISSING else math.ceil(int(sessions[which]) / 2)
            start = (_EPOCH + int(ledger.day[which])).item()
            last = calendar.add_open_days(int(school[which]), start, days - 1)
            made[which, id(calendar)] = NEVER if last is None else day_number(last)
        found[at] = made[which, id(calendar)]
    return found


_EPOCH = np.datetime64(0, "D")


def _too_new(rows: Grid) -> Flags:
    found = rows.enrolments
    entry = found.entry[rows.enrolment]
    new: Flags = entry > rows.edge(NEW_WEEKS)[rows.group]
    if not new.any():
        return new
    # Who was on a roll of the network before has a history here.
    theirs = np.zeros(len(rows.pupils), dtype=np.bool_)
    theirs[rows.pupil[new]] = True
    version, stand = spread(found.first, found.last, rows.as_ofs, theirs[found.pupil])
    row = rows.row_of[stand, found.pupil[version]]
    earlier = row[(row >= 0) & (found.entry[version] < entry[row])]
    new[earlier] = False
    return new
