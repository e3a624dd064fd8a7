"""The fast engine's forms of a weekly series. `features.reference_series` says what they mean."""

import numpy as np

from features import loops_series as loops
from features.engine_work import Block, Values
from features.feature import Feature
from features.forms import Kind

_FORM: dict[Kind, int] = {
    "slope": loops.SLOPE,
    "volatility": loops.VOLATILITY,
    "momentum": loops.MOMENTUM,
    "cusum": loops.CUSUM,
    "departure": loops.DEPARTURE,
    "weeks": loops.WEEKS,
}


def of_series(block: Block, feature: Feature) -> Values:
    """Return a form of the weekly series for each row."""
    weeks = feature.window_weeks + feature.before_weeks
    above = block.weekly(feature.measure, weeks)
    below = np.empty((0, 0), dtype=np.int32) if feature.per is None else block.weekly(feature.per, weeks)
    form = _FORM[feature.kind]
    return block.work.machine.series(form, above, below, block.held(weeks), feature.window_weeks, feature.before_weeks)
