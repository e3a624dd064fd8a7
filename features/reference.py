"""The plain engine: what a feature means, pupil by pupil. The truth that `features.engine` must agree with."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import reference_rows as rows
from features import reference_series as series
from features import reference_sessions as sessions
from features.catalogue import CATALOGUE, fingerprint
from features.cohort import cohort
from features.context import CONTEXTS
from features.feature import Feature
from features.forms import Kind
from features.matrix import KEYS, Matrix
from features.plain import Day, Pupil
from records.history import Known


def reference(known: Known, features: Sequence[Feature] = CATALOGUE) -> Matrix:
    """Return every feature of every pupil of the cohort at `known.as_of`, ordered by pupil."""
    on_roll = cohort(known)
    day = Day(known, on_roll)
    columns = [
        CONTEXTS[feature.context](on_roll, known) if feature.kind == "context" else _column(day, feature)
        for feature in features
    ]
    values = np.column_stack(columns) if columns else np.empty((len(on_roll), 0))
    as_of = pd.Series(pd.Timestamp(known.as_of), index=on_roll.index).astype("datetime64[s]")
    keys = on_roll.assign(as_of=as_of)[list(KEYS)].reset_index(drop=True)
    return Matrix(keys, values.astype(np.float64), tuple(f.name for f in features), fingerprint(features))


def _column(day: Day, feature: Feature) -> npt.NDArray[np.float64]:
    """Return the feature's value for each pupil, in order; `when_empty`, else NaN, where the form has none."""
    form = _FORMS[feature.kind]
    empty = math.nan if feature.when_empty is None else feature.when_empty
    found = (form(pupil, feature) for pupil in day.pupils)
    return np.array([empty if math.isnan(value) else value for value in found], dtype=np.float64)


def _count(pupil: Pupil, feature: Feature) -> float:
    return pupil.sum(feature.measure, feature)


def _rate(pupil: Pupil, feature: Feature) -> float:
    return _divide(pupil.sum(feature.measure, feature), pupil.sum(feature.per, feature))


def _share(pupil: Pupil, feature: Feature) -> float:
    mine = pupil.sum(feature.measure, feature)
    return _divide(mine, mine + pupil.sum(feature.other, feature))


def _change(pupil: Pupil, feature: Feature) -> float:
    recent, both = feature.window_weeks, feature.window_weeks + feature.before_weeks
    if feature.per is not None:
        below_now, below_before = pupil.total(feature.per, recent), pupil.total(feature.per, both, recent)
    else:
        below_now = pupil.school.held(recent)
        below_before = pupil.school.held(both) - below_now
    now = _divide(pupil.total(feature.measure, recent), below_now)
    return now - _divide(pupil.total(feature.measure, both, recent), below_before)


def _contrast(pupil: Pupil, feature: Feature) -> float:
    mine = _divide(pupil.sum(feature.measure, feature), pupil.sum(feature.per, feature))
    return mine - _divide(pupil.sum(feature.other, feature), pupil.sum(feature.other_per, feature))


def _divide(above: float, below: float) -> float:
    return above / below if below > 0 else math.nan


_FORMS: Mapping[Kind, Callable[[Pupil, Feature], float]] = {
    "count": _count,
    "rate": _rate,
    "share": _share,
    "change": _change,
    "contrast": _contrast,
    "slope": series.slope,
    "volatility": series.volatility,
    "momentum": series.momentum,
    "cusum": series.cusum,
    "departure": series.departure,
    "weeks": series.weeks,
    "maximum": rows.maximum,
    "days": rows.days,
    "since": rows.since,
    "gap": rows.gap,
    "gap_change": rows.gap_change,
    "distinct": rows.distinct,
    "top_share": rows.top_share,
    "after": rows.after,
    "spells": sessions.spells,
    "brief": sessions.brief,
    "longest": sessions.longest,
    "run": sessions.run,
}
