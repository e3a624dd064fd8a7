"""What a programme did: those who took it up beside pupils who were alike before, weighed to be like them.

Nobody was drawn at random, and no cut-off gave the support: people chose whom to help. So the comparison rests on one
assumption, `RESTS_ON`, and says so. It is doubly robust (inverse probability weights with regression adjustment, the
effect on those reached; Wooldridge 2007, statsmodels' `TreatmentEffect.ipw_ra`): right where either who is chosen or
what becomes of pupils is described well by what was known before.

Two things are ours. What a school's term was like for everybody is taken off first, since reached and not reached share
it. And the error leaves out one school at a time, since pupils of a school share more than that: the textbook's error
takes them for strangers. With fewer than `LEAST_SCHOOLS` it leaves out one group of pupils at a time instead, and then
says nothing of how the programme would do at other schools.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from sklearn.linear_model import LogisticRegression
from statsmodels.api import OLS
from statsmodels.tools.sm_exceptions import SingularMatrixWarning
from statsmodels.treatment.treatment_effects import TreatmentEffect

from learning.impact.discontinuity import TooFew
from learning.impact.power import POWER

LEAST_REACHED: Final = 30
LEAST_SCHOOLS: Final = 8
GROUPS: Final = 40
RESTS_ON: Final = (
    "Pupils of the same schools who were alike in all that was known of them before (their figure, "
    "absence, incidents, suspensions, year group) would have gone the same way without it. What the people who chose "
    "knew and the records do not, is not taken out."
)
FEW_SCHOOLS: Final = " It is about these schools alone: there are too few to say how it would do at others."
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Found:
    """An effect on those reached, its interval, and the smallest effect that so many pupils find four times in five."""

    estimate: float
    lower: float
    upper: float
    error: float
    reached: int
    alike: int
    schools: int
    findable: float

    @property
    def rests_on(self) -> str:
        """The assumption, in plain words."""
        return RESTS_ON + (FEW_SCHOOLS if self.schools < LEAST_SCHOOLS else "")


def effect_on_reached(rows: pd.DataFrame, outcome: Array, before: Mapping[str, Array], *, outcomes: int = 1) -> Found:
    """Return how much more of the outcome those reached had than they would have had without the programme.

    Parameters
    ----------
    rows
        `pupil`, `school`, `term` and `reached`, as `learning.programmes.compared.compared` gives.
    outcome
        One a row; NaN where there is none.
    before
        What was known before, by name, one value a row; an unknown one (NaN) is taken to be the middle one.
    outcomes
        How many are looked at together: the intervals of all hold together 95 times in 100 (Bonferroni).

    Raises
    ------
    TooFew
        Fewer than `LEAST_REACHED` pupils reached; pupils like them worth fewer than that, or than half of those
        reached; or nothing that can be told apart.
    """
    kept = np.isfinite(outcome)
    rows = rows[kept].reset_index(drop=True)
    reached = rows["reached"].to_numpy(bool)
    if reached.sum() < LEAST_REACHED:
        raise TooFew(
            f"fewer than {LEAST_REACHED} pupils took the programme up and have an outcome; wait for more, or look at "
            "programmes of one kind together"
        )
    design = _design([values[kept] for values in before.values()])
    values = _without_the_school_s_term(rows, outcome[kept], reached)
    groups, schools = _groups(rows)
    estimate, weights = _estimate(values, design, reached)
    alike = round(float(weights.sum() ** 2 / (weights**2).sum()), 6)  # Kish's effective number
    if alike < LEAST_REACHED or weights.sum() < reached.sum() / 2:
        raise TooFew(
            f"pupils who were like those reached are worth fewer than {LEAST_REACHED} in the comparison, or fewer than "
            "half of those reached; nearly everybody like them took it up, so there is nobody to compare them with"
        )
    without = [groups != one for one in np.unique(groups)]
    left_out = [_estimate(values[keep], design[keep], reached[keep])[0] for keep in without]
    count = len(left_out)
    error = float(np.sqrt((count - 1) / count * np.square(np.array(left_out) - estimate).sum()))
    if error == 0:
        raise TooFew(
            "what followed was the same for everybody who is compared, so nothing can be told apart; wait for more "
            "pupils"
        )
    reach = float(stats.t.ppf(1 - 0.025 / outcomes, count - 1))
    return Found(
        estimate=estimate,
        lower=estimate - reach * error,
        upper=estimate + reach * error,
        error=error,
        reached=int(reached.sum()),
        alike=int(alike),
        schools=schools,
        findable=(reach + float(stats.t.ppf(POWER, count - 1))) * error,
    )


def _design(columns: list[Array]) -> Array:
    """Return what was known before, each on the same scale, and a constant; what does not vary is left out."""
    filled = [np.where(np.isfinite(one), one, np.nanmedian(one)) for one in columns if np.isfinite(one).any()]
    return np.column_stack(
        [np.ones(len(columns[0])), *((one - one.mean()) / one.std() for one in filled if one.std() > 0)]
    )


def _without_the_school_s_term(rows: pd.DataFrame, outcome: Array, reached: npt.NDArray[np.bool_]) -> Array:
    """Return the outcome over the mean of those of the same school and term who were not reached."""
    term = rows.groupby(["school", "term"]).ngroup().to_numpy()
    others = np.bincount(term, ~reached)
    mean = np.bincount(term, np.where(reached, 0.0, outcome)) / np.maximum(others, 1)
    return np.asarray(outcome - mean[term], np.float64)


def _groups(rows: pd.DataFrame) -> tuple[npt.NDArray[np.int64], int]:
    """Return what is left out together: a pupil's first school, or pupils by number where schools are few."""
    school = rows.groupby("pupil")["school"].transform("first").to_numpy(np.int64)
    schools = len(np.unique(school[rows["reached"].to_numpy(bool)]))
    return (school if schools >= LEAST_SCHOOLS else rows["pupil"].to_numpy(np.int64) % GROUPS), schools


@dataclass(frozen=True)
class _Chosen:
    """How likely each pupil was to be reached, as statsmodels asks for it."""

    chances: Array

    def predict(self) -> Array:
        return self.chances


def _estimate(values: Array, design: Array, reached: npt.NDArray[np.bool_]) -> tuple[float, Array]:
    """Return the effect on those reached, and what each of the others weighs."""
    # Hardly any penalty: just enough for an end where a rare past was never, or always, reached.
    chosen = LogisticRegression(C=100, max_iter=1000).fit(design[:, 1:], reached) if design.shape[1] > 1 else None
    chances = np.full(len(reached), reached.mean()) if chosen is None else chosen.predict_proba(design[:, 1:])[:, 1]
    with warnings.catch_warnings():
        # What is the same for everybody on one side has no slope there (least norm: nought), and needs none.
        warnings.simplefilter("ignore", SingularMatrixWarning)
        found = TreatmentEffect(OLS(values, design), reached.astype(np.int64), results_select=_Chosen(chances))
        gap, _, _ = found.ipw_ra(return_results=False, effect_group="treated")
    odds = chances[~reached]
    return float(gap), np.asarray(odds / (1 - odds), np.float64)
