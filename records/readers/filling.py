"""One declared column from one sheet: the system's words, days and numbers turned into the table's."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from records.readers.mapping import Filling
from records.readers.mapping_proof import EXAMPLE
from records.rows.batch import Form
from records.rows.row_rules import NO_WORD_OF_THE_MAPPING
from records.text.sheet import Distinct, FileRefused, Sheet, constant

_NUMBER = re.compile(r"\d{1,6}(\.\d{1,4})?", re.ASCII)


@dataclass(frozen=True)
class Filled:
    """A column of text, and the rows in which the system's own value could not be turned into ours.

    Attributes
    ----------
    column
        What is checked next.
    broken
        Rows with a fault of their own, as a mask; None: no row.
    value_class, rule, remedy
        What to say about them.
    """

    column: Distinct
    broken: npt.NDArray[np.bool_] | None = None
    value_class: str = ""
    rule: str = ""
    remedy: str = ""


def filled(name: str, filling: Filling, sheet: Sheet, form: Form) -> Filled:
    """Return the column `name` of every row.

    Raises
    ------
    FileRefused
        The file's name does not hold what the mapping looks for in it.
    """
    if filling.constant is not None:
        return Filled(constant(filling.constant, sheet.rows))
    if filling.file_name is not None:
        return Filled(constant(_in_name(name, filling.file_name, sheet.file), sheet.rows))
    column = sheet.columns[filling.heading or ""]
    if filling.words is not None:
        words = filling.words
        told = (
            "word that the mapping does not list",
            f"{name} {NO_WORD_OF_THE_MAPPING}",
            f"add it to words of the column {name} in the mapping",
        )
        return _turned(column, words.get, told)
    if filling.dates is not None:
        pattern = filling.dates
        told = (
            "no date of this format",
            f"{name} must be a date of this format",
            f"write dates like {EXAMPLE.strftime(pattern)}",
        )
        return _turned(column, lambda text: _as_day(text, pattern, form.dates), told)
    if filling.times is not None:
        times = filling.times
        told = (
            "no number of this kind",
            f"{name} must come to a whole number when multiplied by {times}",
            "correct it where the record is kept",
        )
        return _turned(column, lambda text: _times(text, times), told)
    return Filled(column)


def _turned(column: Distinct, turn: Callable[[str], str | None], told: tuple[str, str, str]) -> Filled:
    """Return the column with each distinct text turned; '' stays '' unless it is turned too, None breaks the row."""
    made: dict[str, int] = {}
    places, wrong = [], []
    for text in column.values:
        found = turn(text)
        wrong.append(found is None and bool(text))
        places.append(made.setdefault(found or "", len(made)))
    codes = np.array([*places, 0], dtype=np.int32)[column.codes]
    turned = Distinct(tuple(made), codes)
    if not any(wrong):
        return Filled(turned)
    return Filled(turned, np.array([*wrong, False])[column.codes], *told)


def _as_day(text: str, pattern: str, wanted: str) -> str | None:
    # Written back, so that the format is kept to the letter: strptime alone also takes '1/3/2025'.
    try:
        found = datetime.strptime(text, pattern)
    except ValueError:
        return None
    return found.strftime(wanted) if found.strftime(pattern).lower() == text.lower() else None


def _times(text: str, times: int) -> str | None:
    if not _NUMBER.fullmatch(text):
        return None
    product = Decimal(text) * times
    return str(int(product)) if product == product.to_integral_value() else None


def _in_name(name: str, pattern: str, file: str) -> str:
    found = re.search(pattern, file)
    if found is None or not found[1]:
        raise FileRefused(
            file=file,
            place="name",
            what=f"the name does not say {name} as the mapping expects",
            remedy=f"name the file so that {pattern} finds it",
        )
    return found[1]
