"""Sanctions for each incident of the same recorded severity, by group and school, and what is not written down.

Ratios are Mantel-Haenszel risk ratios over strata of severity, or of severity and school (Greenland and Robins 1985,
'Estimation of a common effect parameter from sparse follow-up data', Biometrics 41, 55-68), with a variance
linearised over pupils: one pupil's many incidents count as one pupil. Confounding by what was not recorded stays:
a group whose lesser incidents nobody writes down looks over-sanctioned. `recording` is there to tell the two apart.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Literal

import numpy as np
import pandas as pd

from fairness.cells import EVERYONE
from fairness.evaluation import labels_of
from fairness.exhibits import PracticeSlice, Recording, Sanction
from fairness.gate import holm
from fairness.intervals import newcombe
from fairness.policy import Attribute, Policy
from fairness.practice import SANCTIONS, SUSPENSIONS, taking_part
from fairness.resampling import Floats, Ints
from fairness.sums import Tally, sums_of

COUNTED: Mapping[Sanction, frozenset[str]] = {"removal": SANCTIONS, "suspension": SUSPENSIONS}
# Fewer sanctions than this on either side, and a ratio says nothing.
LEAST_SANCTIONS = 5
# A suspension answers what happened in the days before it.
DAYS_BEFORE = 7
_NORMAL = NormalDist()
_SUSPENDED = ("SUSP", "PERM")


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A Mantel-Haenszel ratio, and the standard error of its logarithm over pupils."""

    value: float
    error: float

    def limits(self, alpha: float) -> tuple[float, float]:
        """Return one-sided limits at `alpha` on each side."""
        reach = _NORMAL.inv_cdf(1 - alpha) * self.error
        return self.value * math.exp(-reach), self.value * math.exp(reach)

    @property
    def chance_not_over(self) -> float:
        """The p-value of 'no more often than others'."""
        return 1 - _NORMAL.cdf(math.log(self.value) / self.error) if self.error > 0 else 1.0


def ratio_of(mine: Floats, sanctioned: Floats, stratum: Ints, pupil: Ints) -> Ratio | None:
    """Return how many times as often incidents of `mine` (0 or 1) are sanctioned as others of the same stratum.

    None: no stratum holds both, or on one side nothing was sanctioned.
    """
    strata = int(stratum.max()) + 1 if len(stratum) else 0
    a, n, b, m = (
        np.bincount(stratum, weights=weights, minlength=strata)
        for weights in (mine * sanctioned, mine, (1 - mine) * sanctioned, 1 - mine)
    )
    total = np.maximum(n + m, 1.0)
    top, bottom = float((a * m / total).sum()), float((b * n / total).sum())
    if top == 0 or bottom == 0:
        return None
    # How much one more sanctioned (by_*) or counted (of_*) incident on each side moves the logarithm.
    by_mine, by_rest = (m / total) / top, -(n / total) / bottom
    of_mine = -(a * m / total**2) / top - (b * m / total**2) / bottom
    of_rest = (a * n / total**2) / top + (b * n / total**2) / bottom
    each = np.where(
        mine == 1,
        of_mine[stratum] + sanctioned * by_mine[stratum],
        of_rest[stratum] + sanctioned * by_rest[stratum],
    )
    moved = np.bincount(pupil, weights=each)
    return Ratio(value=top / bottom, error=float(np.sqrt((moved**2).sum())))


@dataclass(frozen=True)
class _Incidents:
    """The incidents as columns: whose (numbers from 0), where, how severe, sanctioned or not."""

    pupils: Ints
    pupil: Ints
    schools: Ints
    school: Ints
    severity: Ints
    sanctioned: Floats

    def strata(self, *, by_school: bool) -> Ints:
        return np.asarray(self.severity + (self.school * 10 if by_school else 0), dtype=np.int64)

    def at(self, school: int) -> "_Incidents":
        here = self.school == school
        return replace(
            self,
            pupil=self.pupil[here],
            school=self.school[here],
            severity=self.severity[here],
            sanctioned=self.sanctioned[here],
        )


def practice_slices(behaviour: pd.DataFrame, groups: pd.DataFrame, policy: Policy) -> tuple[PracticeSlice, ...]:
    """Return sanctions by group in the network and within schools, by school, and by group in each school.

    Parameters
    ----------
    behaviour
        Known rows of the audited period: pupil, school, severity, role, outcome.

    Returns
    -------
    For each declared group: beside all others of the network, and beside the others of their own schools. For each
    school: everybody beside all other schools. For each group in each school that has enough sanctions on both
    sides: beside the school's other pupils. Removals first, then the same of suspensions alone. `notable` is
    corrected by Holm within each of these kinds and by Bonferroni over them, so that an audit of a network that
    treats everybody alike notes anything once in twenty.
    """
    rows = taking_part(behaviour)
    if rows.empty:
        return ()
    return tuple(
        replace(one, sanction=sanction)
        for sanction, outcomes in COUNTED.items()
        for one in _slices(_incidents(rows, outcomes), groups, policy)
    )


def _slices(incidents: _Incidents, groups: pd.DataFrame, policy: Policy) -> Iterator[PracticeSlice]:
    judged = [attribute for attribute in policy.attributes if len(attribute.columns) == 1]
    kinds: list[list[tuple[PracticeSlice, float]]] = [
        [
            _slice(incidents, mine, policy, (None, attribute.name, group, against))
            for attribute, group, mine in _members(incidents, judged, groups)
        ]
        for against in ("network", "school")
    ]
    kinds.append(
        [
            _slice(incidents, (incidents.school == at).astype(np.float64), policy, (int(urn), EVERYONE, EVERYONE, _ALL))
            for at, urn in enumerate(incidents.schools)
            if len(incidents.schools) > 1
        ]
    )
    kinds.append(list(_within_schools(incidents, judged, groups, policy)))
    for kind in kinds:
        yield from _noted(kind, policy.inference.alpha / (len(kinds) * len(COUNTED)))


_ALL: Literal["network"] = "network"
_Place = tuple[int | None, str, str, str]


def _incidents(rows: pd.DataFrame, outcomes: frozenset[str]) -> _Incidents:
    pupils, pupil = np.unique(rows["pupil"].to_numpy(np.int64), return_inverse=True)
    schools, school = np.unique(rows["school"].to_numpy(np.int64), return_inverse=True)
    return _Incidents(
        pupils=pupils,
        pupil=pupil.astype(np.int64),
        schools=schools,
        school=school.astype(np.int64),
        severity=rows["severity"].to_numpy(np.int64),
        sanctioned=np.asarray(rows["outcome"].astype("str").isin(outcomes), dtype=np.float64),
    )


def _members(
    incidents: _Incidents, attributes: Sequence[Attribute], groups: pd.DataFrame
) -> Iterator[tuple[Attribute, str, Floats]]:
    """Yield each declared group with 0 or 1 for each incident."""
    for attribute in attributes:
        label = labels_of(attribute, groups, incidents.pupils)
        for place, group in enumerate(label.names):
            if group in attribute.groups:
                yield attribute, group, (label.of_pupil[incidents.pupil] == place).astype(np.float64)


def _within_schools(
    incidents: _Incidents, attributes: Sequence[Attribute], groups: pd.DataFrame, policy: Policy
) -> Iterator[tuple[PracticeSlice, float]]:
    members = list(_members(incidents, attributes, groups))
    for at, urn in enumerate(incidents.schools):
        here, inside = incidents.at(at), incidents.school == at
        for attribute, group, mine in members:
            own = mine[inside]
            counts = float((own * here.sanctioned).sum()), float(((1 - own) * here.sanctioned).sum())
            if min(counts) >= LEAST_SANCTIONS:
                yield _slice(here, own, policy, (int(urn), attribute.name, group, "school"))


def _slice(incidents: _Incidents, mine: Floats, policy: Policy, place: _Place) -> tuple[PracticeSlice, float]:
    """Return the slice and the p-value of 'no more often than others'."""
    school, attribute, group, against = place
    stratum = incidents.strata(by_school=against == "school")
    sanctions = float((mine * incidents.sanctioned).sum())
    others = float(incidents.sanctioned.sum()) - sanctions
    found = ratio_of(mine, incidents.sanctioned, stratum, incidents.pupil)
    if found is None or min(sanctions, others) < LEAST_SANCTIONS:
        found = None
    lower, upper = (None, None) if found is None else found.limits(policy.inference.alpha)
    made = PracticeSlice(
        school=school,
        attribute=attribute,
        group=group,
        against="school" if against == "school" else "network",
        incidents=int(mine.sum()),
        sanctions=round(sanctions),
        expected=None if found is None else sanctions / found.value,
        ratio=None if found is None else found.value,
        lower=lower,
        upper=upper,
    )
    return made, 1.0 if found is None else found.chance_not_over


def _noted(kind: Sequence[tuple[PracticeSlice, float]], alpha: float) -> Iterator[PracticeSlice]:
    asked = [place for place, (one, _) in enumerate(kind) if one.ratio is not None]
    adjusted = dict(zip(asked, holm([kind[place][1] for place in asked]), strict=True))
    for place, (one, _) in enumerate(kind):
        yield replace(one, notable=one.over and adjusted.get(place, 1.0) <= alpha)


def recording(
    suspensions: pd.DataFrame, behaviour: pd.DataFrame, groups: pd.DataFrame, policy: Policy
) -> tuple[Recording, ...]:
    """Return, for each declared group, how many of its suspensions came with no incident recorded before them.

    Parameters
    ----------
    suspensions
        Of the audited period: pupil, school, start_date, category.
    behaviour
        pupil, date and role, from `DAYS_BEFORE` days before the period on.
    """
    rows = suspensions[suspensions["category"].astype("str").isin(_SUSPENDED)].reset_index(drop=True)
    if rows.empty:
        return ()
    bare = _without_incident(rows, taking_part(behaviour))
    pupils, place = np.unique(rows["pupil"].to_numpy(np.int64), return_inverse=True)
    school = np.unique(rows["school"].to_numpy(np.int64), return_inverse=True)[1].astype(np.int64)
    ones = np.ones(len(rows))
    tally = Tally(name="bare", pupil=place.astype(np.int64), school=school, hits=bare, base=ones, rows=ones)
    judged = [attribute for attribute in policy.attributes if len(attribute.columns) == 1]
    labels = {attribute.name: labels_of(attribute, groups, pupils) for attribute in judged}
    inference = policy.inference
    sums = sums_of([tally], labels, len(pupils), replicates=inference.replicates, seed=inference.seed)
    z = _NORMAL.inv_cdf(1 - inference.alpha)
    found = []
    for attribute in judged:
        for at, group in enumerate(labels[attribute.name].names):
            if group not in attribute.groups:
                continue
            share, rest = sums[attribute.name, "bare"].sides(at)
            lower = upper = difference = None
            if share is not None and rest is not None:
                lower, upper = newcombe(share, rest, "difference", False, z)
                difference = share.value - rest.value
            found.append(
                Recording(
                    attribute=attribute.name,
                    group=group,
                    days=DAYS_BEFORE,
                    suspensions=0 if share is None else round(share.rows),
                    without_incident=0 if share is None else round(share.hits),
                    share=None if share is None else share.value,
                    rest_share=None if rest is None else rest.value,
                    difference=difference,
                    lower=lower,
                    upper=upper,
                )
            )
    return tuple(found)


def _without_incident(suspensions: pd.DataFrame, incidents: pd.DataFrame) -> Floats:
    """Return 1 for each suspension with no incident of its pupil on its first day or in the days before it."""
    asked = suspensions[["pupil", "start_date"]].reset_index(names="order").sort_values("start_date", kind="stable")
    dates = incidents[["pupil", "date"]].sort_values("date", kind="stable")
    near = pd.merge_asof(
        asked,
        dates,
        left_on="start_date",
        right_on="date",
        by="pupil",
        tolerance=pd.Timedelta(days=DAYS_BEFORE),
        direction="backward",
    )
    return np.asarray(near.set_index("order")["date"].isna().sort_index(), dtype=np.float64)
