"""A file as columns of distinct strings, and the refusal of a file that cannot be one."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from records.refusal import Refusal

Integers = npt.NDArray[np.int64]


class FileRefused(Refusal):
    """A file cannot be read as what it claims to be; nothing of it landed.

    Attributes
    ----------
    file, place
        The file, and the byte or line where reading stopped.
    what, remedy
        What is wrong and what to do; never a value from the file.
    """

    def __init__(self, *, file: str, place: str, what: str, remedy: str) -> None:
        super().__init__(f"{file}, {place}: {what}; {remedy}")
        self.file, self.place, self.what, self.remedy = file, place, what, remedy


@dataclass(frozen=True)
class Distinct:
    """A column of text by its distinct values: row i holds `values[codes[i]]`.

    Checks and conversions then look at each value once, however many rows repeat it.
    """

    values: tuple[str, ...]
    codes: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "Distinct":
        """Return the column of those rows."""
        return Distinct(self.values, self.codes[rows])

    def text(self) -> npt.NDArray[np.object_]:
        """Return every row's string."""
        return np.array([*self.values, ""], dtype=object)[self.codes]

    def arrow(self) -> pa.DictionaryArray:
        """Return the column as an Arrow dictionary of strings."""
        return pa.DictionaryArray.from_arrays(pa.array(self.codes), pa.array(self.values or ("",), pa.string()))


def constant(value: str, rows: int) -> Distinct:
    """Return a column that says the same in every row."""
    return Distinct((value,), np.zeros(rows, dtype=np.int32))


def distinct(texts: npt.NDArray[np.object_] | list[str]) -> Distinct:
    """Return the column of these strings."""
    encoded = pa.array(texts, pa.string()).dictionary_encode()
    return Distinct(tuple(encoded.dictionary.to_pylist()), encoded.indices.to_numpy(zero_copy_only=False))


@dataclass(frozen=True)
class Sheet:
    """One file as text.

    Attributes
    ----------
    file, source
        The name that faults carry, and the first 16 hexadecimal digits of the file's SHA-256.
    columns
        Heading → column, in the file's order. Row i stands on line i + 2.
    rows
        How many rows.
    """

    file: str
    source: str
    columns: Mapping[str, Distinct]
    rows: int

    @cached_property
    def lines(self) -> Integers:
        """The line of each row; the heading is line 1."""
        return np.arange(2, self.rows + 2, dtype=np.int64)
