"""Everything that is told of why a pupil is flagged: reasons, what changed, and what would lower the figure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from features.catalogue import CATALOGUE
from features.feature import Feature
from features.matrix import Matrix, concat
from training.changes import Change, Moment, changes_of_row
from training.levers import Lever, levers
from training.reasons import Reason, reasons_of_row
from training.scorer import Scorer

Array = npt.NDArray[np.float64]
# (scorer, matrix) → contributions: the scorer's own, or `training.contributions` for many rows.
Explain = Callable[[Scorer, Matrix], Array]


@dataclass(frozen=True, kw_only=True)
class Why:
    """Why one pupil is flagged.

    `eased_on` is the as-of date at which the pupil was last at ease, `eased` the probability then; both None, and no
    changes or levers, where the past is too short to say.
    """

    reasons: tuple[Reason, ...]
    changes: tuple[Change, ...] = ()
    levers: tuple[Lever, ...] = ()
    eased_on: date | None = None
    eased: float | None = None


def why(
    scorer: Scorer,
    flagged: Matrix,
    eased: Matrix,
    explain: Explain = Scorer.contributions,
    features: Sequence[Feature] = CATALOGUE,
) -> Mapping[int, Why]:
    """Return why each pupil of `flagged` is, by pupil.

    Parameters
    ----------
    eased
        At most one row a pupil, from `training.ease.at_ease`; pupils who are not flagged are passed over.
    """
    pupils = flagged.keys["pupil"].astype(int).tolist()
    then = _of(eased, pupils)
    past = then.keys["pupil"].astype(int).tolist()
    parts = explain(scorer, concat([flagged, then]))[:, : len(features)]
    place = {pupil: at for at, pupil in enumerate(past)}
    days = [day.date() for day in then.keys["as_of"]]
    lowering = levers(scorer, flagged.fingerprint, _of(flagged, past).values, then.values, days, features)
    chances = scorer.probabilities(then)
    found = {}
    for row, pupil in enumerate(pupils):
        now, at = Moment(flagged.values[row], parts[row]), place.get(pupil)
        reasons = reasons_of_row(now.values, now.contributions, features)
        if at is None:
            found[pupil] = Why(reasons=reasons)
            continue
        before = Moment(then.values[at], parts[len(flagged) + at])
        found[pupil] = Why(
            reasons=reasons,
            changes=changes_of_row(now, before, days[at], features),
            levers=lowering[at],
            eased_on=days[at],
            eased=float(chances[at]),
        )
    return found


def _of(matrix: Matrix, pupils: list[int]) -> Matrix:
    """Return the rows of these pupils, in the order of their numbers."""
    kept = matrix.where(matrix.keys["pupil"].isin(pupils).to_numpy(bool))
    order = np.argsort(kept.keys["pupil"].to_numpy(np.int64), kind="stable")
    return Matrix(kept.keys.iloc[order].reset_index(drop=True), kept.values[order], kept.names, kept.fingerprint)
