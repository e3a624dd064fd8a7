"""What was known of pupils in the week when they were last at ease: what 'then' means beside 'now'."""

from datetime import date

import numpy as np
import pandas as pd

from features.matrix import Matrix
from training.calibration import logit
from training.flags import FlagRule
from training.rise import last_at_ease


def at_ease(matrix: Matrix, scores: pd.DataFrame, rule: FlagRule, as_of: date) -> Matrix:
    """Return one row for each pupil who may be flagged at `as_of`: the latest earlier week when they were at ease.

    At ease is the flag rule's own notion (`training/rise.py`). Pupils below its level, who cannot be flagged, and
    pupils with too short a past have no row.

    Parameters
    ----------
    matrix, scores
        `as_of` and the weeks before it, row by row the same (`scorer.scores_of`).
    """
    week = np.unique(matrix.keys["as_of"].to_numpy(), return_inverse=True)[1]
    pupils, pupil = np.unique(matrix.keys["pupil"].to_numpy(np.int64), return_inverse=True)
    chances = scores["probability"].to_numpy(np.float64)
    scored = np.flatnonzero(np.isfinite(chances))
    found = last_at_ease(
        logit(chances[scored]), pupil[scored], week[scored], past_weeks=rule.past_weeks, past_least=rule.past_least
    )
    now = (matrix.keys["as_of"] == pd.Timestamp(as_of)).to_numpy(bool)[scored]
    chosen = now & (found >= 0) & (chances[scored] >= rule.level_least)
    then = np.full(len(pupils), -1)
    then[pupil[scored[chosen]]] = found[chosen]
    return matrix.where(then[pupil] == week)
