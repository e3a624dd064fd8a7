"""The matrix: one row for each pupil and as-of date, one column for each declared feature."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

KEYS = ("pupil", "as_of", "school", "year_group", "abstain")


@dataclass(frozen=True)
class Matrix:
    """Features of pupils at as-of dates.

    Attributes
    ----------
    keys
        One row each: `pupil` (int64), `as_of` (datetime64[s]), `school` (int32, the school whose roll
        the pupil is on then), `year_group` (str, National Curriculum year) and `abstain` (str: '' when
        the pupil can be scored, else the reason why not, one of `features.cohort.ABSTAIN`).
    values
        float64, shape (len(keys), len(names)); NaN where the feature says it is unknown.
    names
        Feature names in the catalogue's order.
    fingerprint
        Digest of the catalogue that made them.
    """

    keys: pd.DataFrame
    values: npt.NDArray[np.float64]
    names: tuple[str, ...]
    fingerprint: str

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.keys), len(self.names)):
            raise ValueError(f"values {self.values.shape} do not fit {len(self.keys)} keys x {len(self.names)} names")

    def __len__(self) -> int:
        return len(self.keys)

    def where(self, mask: npt.NDArray[np.bool_]) -> "Matrix":
        """Return the rows where the mask is true, in order."""
        return Matrix(self.keys[mask].reset_index(drop=True), self.values[mask], self.names, self.fingerprint)

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """Return one feature of every row; ValueError where there is none of that name."""
        return self.values[:, self.names.index(name)]

    def frame(self) -> pd.DataFrame:
        """Return keys and features side by side, for people to look at."""
        return pd.concat([self.keys, pd.DataFrame(self.values, columns=list(self.names))], axis=1)


def concat(parts: list[Matrix]) -> Matrix:
    """Return the rows of every part, in order. The parts must share one catalogue.

    Raises
    ------
    ValueError
        No part was given, or two come from different catalogues.
    """
    return poured(list(parts))


def poured(parts: list[Matrix]) -> Matrix:
    """Return what `concat` returns, and leave the list empty: no part is in memory twice but one. Raises as it does."""
    if not parts or len({part.fingerprint for part in parts}) != 1:
        raise ValueError("matrices to join must be at least one, all of one feature catalogue")
    names, fingerprint = parts[0].names, parts[0].fingerprint
    keys = pd.concat([part.keys for part in parts], ignore_index=True)
    values, end = np.empty((len(keys), len(names))), len(keys)
    while parts:
        part = parts.pop()
        values[end - len(part) : end] = part.values
        end -= len(part)
    return Matrix(keys, values, names, fingerprint)
