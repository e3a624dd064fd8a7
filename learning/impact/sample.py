"""The experiment beside it: where the board has pupils drawn at random onto the list, they against those not drawn.

Nobody who looks can tell a drawn pupil from a flagged one, and the draw knows nothing of a pupil. So the difference is
what being on the list does, at all levels of risk and not only near the cut-off: weaker, and beyond doubt.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from learning.impact.discontinuity import Effect, TooFew

LEAST_DRAWN: Final = 30
Array = npt.NDArray[np.float64]


def drawn_effect(rows: pd.DataFrame, outcome: Array) -> Effect:
    """Return the mean difference between pupils drawn and not drawn, within school-weeks.

    Parameters
    ----------
    rows
        `pupil`, `school`, `as_of` and `drawn`: every pupil-week of which some pupil was drawn and this one could have
        been.
    outcome
        One a row, with what was expected taken off; NaN where there is none.

    Raises
    ------
    TooFew
        Fewer than `LEAST_DRAWN` drawn pupil-weeks with an outcome, or none to compare them with.
    """
    kept = np.isfinite(outcome)
    rows, values = rows[kept].reset_index(drop=True), outcome[kept]
    drawn = rows["drawn"].to_numpy(bool)
    week = rows.groupby(["school", "as_of"]).ngroup().to_numpy()
    size, chosen = np.bincount(week), np.bincount(week, drawn)
    mixed = ((chosen > 0) & (chosen < size))[week]
    if int((drawn & mixed).sum()) < LEAST_DRAWN:
        raise TooFew(
            f"{int((drawn & mixed).sum())} pupils were drawn at random and can be compared, and {LEAST_DRAWN} are the "
            "least; wait for another term"
        )
    # Each drawn pupil against the mean of those of the same school-week who were not.
    mean = np.bincount(week, np.where(drawn, 0.0, values)) / np.maximum(size - chosen, 1)
    gaps = pd.DataFrame({"school": rows["school"], "gap": values - mean[week]})[drawn & mixed]
    estimate, count = float(gaps["gap"].mean()), len(gaps)
    # One drawn pupil's outcome is hardly ever another's: weeks of one school share only the few who were not drawn.
    error = float(gaps["gap"].std(ddof=1) / np.sqrt(count))
    reach = float(stats.t.ppf(0.975, count - 1)) * error
    return Effect(
        estimate=estimate,
        lower=estimate - reach,
        upper=estimate + reach,
        error=error,
        above=count,
        below=int((~drawn & mixed).sum()),
        schools=int(gaps["school"].nunique()),
    )
