"""A pupil's rise over their own past, and since when it has held.

Four forms are declared (`FORMS`). The default, momentum, is an average that forgets fast less one that
forgets slowly: a single odd week moves it little, and trouble that goes on for months does not wear off
as it does over a median. Chosen on a simulated network of another seed (docs/decisions.md, 42); every
run prints the forms beside each other on its own scores, to read and not to choose by.

At ease is the lower quartile of the pupil's earlier weeks: what 'then' means beside 'now'
(training/ease.py), whichever form asks for the rise.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

AT_EASE = 0.25
Array = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a rise is measured from.

    `quantile`: this week less that quantile of the pupil's earlier weeks. `half_lives`, in weeks: an
    average that forgets fast less one that forgets slowly, this week in both. Neither: no rise is asked.
    `past_weeks`: how many earlier weeks are looked at where settings do not say otherwise.
    """

    means: str
    past_weeks: int
    quantile: float | None = None
    half_lives: tuple[float, float] | None = None

    @property
    def noise(self) -> float:
        """How much the form moves by noise alone, for each unit of the usual change between two weeks."""
        if self.half_lives is None:
            return 1.0
        fast, slow = (_fading(self.past_weeks, half_life) for half_life in self.half_lives)
        # A change between two weeks has the noise of both.
        return float(np.sqrt(((fast - slow) ** 2).sum() / 2))


FORMS: Mapping[str, Form] = {
    "quartile": Form(means="above the lower quartile of the pupil's last 12 weeks", past_weeks=12, quantile=AT_EASE),
    "median": Form(means="above the median of the pupil's last 8 weeks", past_weeks=8, quantile=0.5),
    "momentum": Form(means="recent weeks above the longer run of 12 weeks", past_weeks=12, half_lives=(1.5, 6.0)),
    "none": Form(means="no rise is asked", past_weeks=12, quantile=AT_EASE),
}


def _fading(past_weeks: int, half_life: float) -> Array:
    """Return the weights of the earlier weeks, oldest first, and of this week; together 1."""
    weights = 2.0 ** (-np.arange(past_weeks, -1, -1) / half_life)
    return np.asarray(weights / weights.sum(), np.float64)


def rises(
    logits: Array, pupils: Positions, weeks: Positions, *, past_weeks: int, past_least: int, form: str = "quartile"
) -> Array:
    """Return each row's log-odds above its pupil's own past, as the form measures it, NaN with too short a past.

    Parameters
    ----------
    logits
        Calibrated log-odds, one per row.
    pupils, weeks
        Each row's pupil and as-of week as positions 0, 1, ...; at most one row for a pair.
    past_weeks, past_least
        How many week positions before the row are looked at; how many of them must hold a row.
    """
    if not len(logits):
        return np.empty(0)
    past, chosen = _past(logits, pupils, weeks, past_weeks), FORMS[form]
    if chosen.half_lives is None:
        return logits - _quantile(past, past_least, AT_EASE if chosen.quantile is None else chosen.quantile)
    known = np.isfinite(past).sum(axis=1)
    whole = np.column_stack([past, logits])
    fast, slow = (_faded(whole, _fading(past_weeks, half_life)) for half_life in chosen.half_lives)
    return np.where(known >= past_least, fast - slow, np.nan)


def _faded(whole: Array, weights: Array) -> Array:
    """Return each row's weighted mean over the weeks that are known."""
    there = np.isfinite(whole)
    # Row by row, and no product of matrices: a row's last digit must not depend on how many others there are.
    parts, whole_weight = np.where(there, whole * weights, 0.0), np.where(there, weights, 0.0)
    return np.asarray(parts.sum(axis=1) / whole_weight.sum(axis=1), np.float64)


def last_at_ease(logits: Array, pupils: Positions, weeks: Positions, *, past_weeks: int, past_least: int) -> Positions:
    """Return the latest earlier week position at which each row's pupil stood at ease or below, -1 where unknown.

    Parameters as for `rises`: a pupil has such a week exactly where they have a rise.
    """
    if not len(logits):
        return np.empty(0, np.intp)
    past = _past(logits, pupils, weeks, past_weeks)
    level = _quantile(past.copy(), past_least, AT_EASE)
    back = np.argmax((past <= level[:, None])[:, ::-1], axis=1)  # the level is no lower than the lowest week
    return np.where(np.isfinite(level), weeks - 1 - back, -1)


def _past(logits: Array, pupils: Positions, weeks: Positions, past_weeks: int) -> Array:
    """Return each row's earlier log-odds, oldest first, NaN where a week holds no row; shape ``(rows, past_weeks)``."""
    grid = np.full((int(pupils.max()) + 1, past_weeks + int(weeks.max()) + 1), np.nan)
    grid[pupils, weeks + past_weeks] = logits
    return np.stack([grid[pupils, weeks + back] for back in range(past_weeks)], axis=1)


def _quantile(past: Array, past_least: int, quantile: float) -> Array:
    """Return the quantile of each row of `past`, which is sorted in place; NaN with too few known."""
    past.sort(axis=1)  # NaN, a week without a score, sorts last
    known = np.isfinite(past).sum(axis=1)
    row, place = np.arange(len(past)), np.maximum(known - 1, 0) * quantile
    low, share = np.floor(place).astype(np.intp), place % 1
    level = past[row, low] * (1 - share) + past[row, np.ceil(place).astype(np.intp)] * share
    return np.where(known >= past_least, level, np.nan)


def rising_since(holds: npt.NDArray[np.bool_], pupils: Positions, weeks: Positions, *, since_weeks: int) -> Positions:
    """Return the week position from which the rise has held without a break, -1 where it does not hold.

    At most `since_weeks` positions are looked back on: a week scored alone, with just the past that its
    rise needs, then says the same as the same week inside a long run.
    """
    if not len(holds):
        return np.empty(0, np.intp)
    grid = np.zeros((int(pupils.max()) + 1, since_weeks + int(weeks.max()) + 1), bool)
    grid[pupils, weeks + since_weeks] = holds
    unbroken, run = holds.copy(), np.zeros(len(holds), np.intp)
    for back in range(1, since_weeks + 1):
        unbroken &= grid[pupils, weeks + since_weeks - back]
        run += unbroken
    return np.where(holds, weeks - run, -1)


def usual_spread(rise: Array) -> float:
    """Return the robust standard deviation of rises: 1.4826 times the median distance from their median."""
    known = rise[np.isfinite(rise)]
    return float(1.4826 * np.median(np.abs(known - np.median(known)))) if len(known) else 0.0
