"""The plain engine: what a feature means. Slow, and the truth that `features.engine` must agree with."""

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
from features.plain import Plain, divide
from records.history import Known


def reference(known: Known, features: Sequence[Feature] = CATALOGUE) -> Matrix:
    """Return every feature of every pupil of the cohort at `known.as_of`, ordered by pupil."""
    plain = Plain(known, cohort(known))
    columns = [_value(plain, feature) for feature in features]
    values = np.column_stack(columns) if columns else np.empty((len(plain.pupils), 0))
    as_of = pd.Series(pd.Timestamp(known.as_of), index=plain.pupils.index).astype("datetime64[s]")
    keys = plain.pupils.assign(as_of=as_of)[list(KEYS)].reset_index(drop=True)
    return Matrix(keys, values.astype(np.float64), tuple(f.name for f in features), fingerprint(features))


def features_of(known: Known) -> Matrix:
    """Return the whole catalogue for the pupils of a small `known`: what the scoring endpoint calls."""
    return reference(known)


def _value(plain: Plain, feature: Feature) -> npt.NDArray[np.float64]:
    """Return the feature's value for each pupil, in order; `when_empty` where the form has none."""
    if feature.kind == "context":
        return CONTEXTS[feature.context](plain.pupils, plain.known)
    value = _FORMS[feature.kind](plain, feature)
    return (value if feature.when_empty is None else value.fillna(feature.when_empty)).to_numpy(dtype=np.float64)


def _count(plain: Plain, feature: Feature) -> pd.Series:
    return plain.sum(feature.measure, feature)


def _rate(plain: Plain, feature: Feature) -> pd.Series:
    return divide(plain.sum(feature.measure, feature), plain.sum(feature.per, feature))


def _share(plain: Plain, feature: Feature) -> pd.Series:
    mine = plain.sum(feature.measure, feature)
    return divide(mine, mine + plain.sum(feature.other, feature))


def _change(plain: Plain, feature: Feature) -> pd.Series:
    recent, both = feature.window_weeks, feature.window_weeks + feature.before_weeks
    if feature.per is not None:
        below_now = plain.total(feature.per, recent)
        below_before = plain.total(feature.per, both, recent)
    else:
        below_now = plain.held(recent)
        below_before = plain.held(both) - plain.held(recent)
    before = divide(plain.total(feature.measure, both, recent), below_before)
    return divide(plain.total(feature.measure, recent), below_now) - before


def _contrast(plain: Plain, feature: Feature) -> pd.Series:
    mine = divide(plain.sum(feature.measure, feature), plain.sum(feature.per, feature))
    return mine - divide(plain.sum(feature.other, feature), plain.sum(feature.other_per, feature))


_FORMS: Mapping[Kind, Callable[[Plain, Feature], pd.Series]] = {
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
