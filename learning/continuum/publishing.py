"""What of a term is published: its counts rounded or hidden as those of places are, and what drifted in it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pandas as pd

from casework.continuum import PUPILS, STEPS, Counts, Drift
from casework.places import SCHOOL
from fairness.policy import Policy
from learning.continuum.drift import drifts
from learning.places.cuts import Cut, cuts_of
from learning.places.release import Counted, release_of

# Phases, years and neighbourhoods are left out: the more cuts, the less of each may be shown.
_LEFT_OUT: Final = frozenset({"phase", "year_group", "deprivation"})
_MEASURES: Final = (PUPILS, *STEPS)


def published(terms: Sequence[pd.DataFrame], policy: Policy) -> tuple[Counts, tuple[Drift, ...], int]:
    """Return the last term's counts as they may be shown, what drifted in it, and among how many comparisons.

    Parameters
    ----------
    terms
        The oldest first, each as `learning.continuum.counting.together` and labelled by `learning.places.cuts`.
    """
    now = terms[-1]
    cuts = tuple(cut for cut in cuts_of(now, policy) if cut.name not in _LEFT_OUT)
    found, compared = drifts(terms, [cut.name for cut in cuts])
    return _shown(now, cuts), found, compared


def _shown(pupils: pd.DataFrame, cuts: Sequence[Cut]) -> Counts:
    known = [name for name in _MEASURES if pupils[name].notna().any()]
    families = tuple((name,) for name in known)
    divided = [replace(cut, measures=tuple(known)) for cut in cuts]
    rows = pupils.assign(**{name: pupils[name].fillna(0).astype("int64") for name in known})
    shown = release_of(rows, divided, counted=Counted(families=families, parts=()))
    # Nought at a school that did not record a step is no nought.
    unknown = {
        (SCHOOL, str(place), name)
        for name in known
        for place, there in pupils.groupby(SCHOOL)[name].count().items()
        if there == 0
    }
    return {
        (cut, place, name): None if (cut, place, name) in unknown else count
        for (cut, place, name), count in shown.items()
    }
