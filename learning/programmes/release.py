"""What of a programme's counts may be shown: by the same rule, rounding and reader as counts by place.

Programmes of one period are released together. Two programmes at the same schools count the same pupils with need, so
a count of them that one hides is hidden in the other as well: laid side by side they would else tell it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import pandas as pd

from casework.places import SCHOOL
from casework.programme_figures import MEASURES, PARTS
from fairness.disclosure import Key
from fairness.policy import Disclosure, Policy
from learning.places.cuts import Cut, cuts_of
from learning.places.release import RULE, Counted, release_of

_REACH: Final = ("offered", "reached")
# A school's pupils with need, by school, are no matter of a programme's; phase and year group lie too close to schools.
_LEFT_OUT: Final = frozenset({"phase", "year_group"})
_COUNTED: Final = Counted(families=(tuple(MEASURES),), parts=PARTS)


def programme_cuts(pupils: pd.DataFrame, policy: Policy) -> tuple[Cut, ...]:
    """Return the cuts of a programme: its schools by reach; neighbourhoods and groups by need and reach."""
    return tuple(
        replace(cut, measures=_REACH if cut.name == SCHOOL else tuple(MEASURES))
        for cut in cuts_of(pupils, policy)
        if cut.name not in _LEFT_OUT
    )


def releases_of(
    programmes: Mapping[str, pd.DataFrame], policy: Policy, rule: Disclosure = RULE
) -> dict[str, dict[Key, int | None]]:
    """Return each programme's release: (cut, place, measure) → the count as it is shown, None where it is not.

    Parameters
    ----------
    programmes
        Programme → one row a pupil of its schools, as `learning.programmes.reached.with_reach`, with the text columns
        of `learning.places.cuts.labelled`; all of one period.
    """
    cuts = {name: programme_cuts(pupils, policy) for name, pupils in programmes.items()}
    at = {name: frozenset(pupils["school"].unique().tolist()) for name, pupils in programmes.items()}
    hidden: dict[frozenset[str], frozenset[Key]] = dict.fromkeys(at.values(), frozenset())
    while True:
        shown = {
            name: release_of(pupils, cuts[name], rule, counted=_COUNTED, already=hidden[at[name]])
            for name, pupils in programmes.items()
        }
        found = {schools: _needs_hidden([shown[n] for n in shown if at[n] == schools]) for schools in hidden}
        if found == hidden:
            return shown
        hidden = found


def _needs_hidden(releases: Sequence[Mapping[Key, int | None]]) -> frozenset[Key]:
    return frozenset(key for one in releases for key, count in one.items() if count is None and key[2] == "need")
