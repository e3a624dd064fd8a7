"""Whether the comparison may be believed: nobody steered, the two sides were alike before, nothing jumps elsewhere."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from learning.impact.design import WINDOW
from learning.impact.discontinuity import TooFew, effect
from learning.impact.textbook import density_chance
from learning.impact.verdict import ALARM

PLACEBOS: Final = (-0.3, 0.25)
_BESIDE: Final = 0.2
_LEAST_BESIDE: Final = 15
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check in words; `passed` None: too few pupils to make it."""

    name: str
    sentence: str
    passed: bool | None
    decides: bool = True


def checks(rows: pd.DataFrame, before: Mapping[str, Array], outcome: Array) -> tuple[Check, ...]:
    """Return every check of these pupil-terms.

    Parameters
    ----------
    before
        What was known of each row beforehand: a name in plain words, one number a row.
    outcome
        The outcome that decides, with what was expected taken off; for placebo cut-offs.
    """
    return (*_density(rows), *_alike(rows, before), *_placebos(rows, outcome))


def sound(made: tuple[Check, ...]) -> bool:
    """Return whether no check that decides has failed."""
    return not any(check.decides and check.passed is False for check in made)


def _density(rows: pd.DataFrame) -> Iterator[Check]:
    chance = density_chance(rows["x"].to_numpy(np.float64))
    passed = chance >= ALARM
    words = "As many pupils stand just above the cut-off as just below it, as chance has it."
    steered = "Pupils are heaped on one side of the cut-off, as if somebody steered who was flagged."
    yield Check(name="Nobody steered", sentence=words if passed else steered, passed=passed)


def _alike(rows: pd.DataFrame, before: Mapping[str, Array]) -> Iterator[Check]:
    for name, values in before.items():
        try:
            found = effect(rows, values)
        except TooFew:
            yield Check(name=f"Alike before: {name}", sentence="Too few pupils to say.", passed=None)
            continue
        passed = found.chance >= ALARM
        words = "The two sides were alike." if passed else "The two sides differed before anybody was flagged."
        yield Check(name=f"Alike before: {name}", sentence=words, passed=passed)


def _placebos(rows: pd.DataFrame, outcome: Array) -> Iterator[Check]:
    """Look for a jump where there is no cut-off: on each side alone, so that no flag changes within it."""
    x = rows["x"].to_numpy(np.float64)
    for cut in PLACEBOS:
        side = (x < 0) == (cut < 0)
        where = "below" if cut < 0 else "above"
        try:
            found = effect(
                rows[side], outcome[side], cut=cut, window=min(_BESIDE, abs(cut), WINDOW - abs(cut)),
                least_side=_LEAST_BESIDE,
            )  # fmt: skip
        except TooFew:
            yield Check(name=f"No jump {where} the cut-off", sentence="Too few pupils to say.", passed=None)
            continue
        passed = found.chance >= ALARM
        words = "Outcomes do not jump where there is no cut-off." if passed else "Outcomes jump where no flag changes."
        yield Check(name=f"No jump {where} the cut-off", sentence=words, passed=passed)
