"""Sanctions for each incident of the same recorded severity, by group and school, and what is not written down.

Ratios are Mantel-Haenszel risk ratios over strata of severity, or of severity and school (`fairness.evidence.ratios`).
Confounding by what was not recorded stays: a group whose lesser incidents nobody writes down looks over-sanctioned.
`recording` is there to tell the two apart.
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
from fairness.evidence.ratios import Ratio, Table, ratio_of
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
class _Incidents:
    """Incidents that pupils took part in. Those of one pupil, school and severity are one row; schools stand together.

    `pupils` and `schools` are ids, ascending; `pupil` and `school` places in them. `incidents` and `sanctioned` count.
    """

    pupils: Ints
    pupil: Ints
    schools: Ints
    school: Ints
    severity: Ints
    incidents: Floats
    sanctioned: Floats

    @classmethod
    def of(cls, rows: pd.DataFrame, outcomes: frozenset[str]) -> "_Incidents":
        pupils, pupil = np.unique(rows["pupil"].to_numpy(np.int64), return_inverse=True)
        schools, school = np.unique(rows["school"].to_numpy(np.int64), return_inverse=True)
        severity = rows["severity"].to_numpy(np.int64)
        sizes = (len(schools), len(pupils), int(severity.max()) + 1)
        kinds, row = np.unique(np.ravel_multi_index((school, pupil, severity), sizes), return_inverse=True)
        at_school, of_pupil, as_severe = np.unravel_index(kinds, sizes)
        hits = np.asarray(rows["outcome"].astype("str").isin(outcomes), dtype=np.float64)
        return cls(
            pupils=pupils,
            pupil=of_pupil.astype(np.int64),
            schools=schools,
            school=at_school.astype(np.int64),
            severity=as_severe.astype(np.int64),
            incidents=np.bincount(row).astype(np.float64),
            sanctioned=np.bincount(row, weights=hits).astype(np.float64),
        )

    def strata(self, *, by_school: bool) -> Ints:
        return np.asarray(self.severity + (self.school * 10 if by_school else 0), dtype=np.int64)

    def at(self, rows: slice) -> "_Incidents":
        """Return some rows, with their pupils numbered anew."""
        pupils, pupil = np.unique(self.pupil[rows], return_inverse=True)
        return replace(
            self,
            pupils=self.pupils[pupils],
            pupil=pupil.astype(np.int64),
            school=self.school[rows],
            severity=self.severity[rows],
            incidents=self.incidents[rows],
            sanctioned=self.sanctioned[rows],
        )

    def by_pupil(self, strata: int) -> Floats:
        """Return each pupil's incidents by severity, then those that were sanctioned; shape (pupils, 2 x strata)."""
        shape = len(self.pupils), strata
        cell = np.ravel_multi_index((self.pupil, self.severity), shape)
        counts = (self.incidents, self.sanctioned)
        return np.hstack([np.bincount(cell, weights=one, minlength=math.prod(shape)).reshape(shape) for one in counts])

    def by_school(self) -> Iterator[tuple[int, slice]]:
        """Yield each school's id and rows."""
        ends = np.searchsorted(self.school, np.arange(len(self.schools) + 1))
        for at, urn in enumerate(self.schools):
            yield int(urn), slice(int(ends[at]), int(ends[at + 1]))


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
        for one in _slices(_Incidents.of(rows, outcomes), groups, policy)
    )


def _slices(incidents: _Incidents, groups: pd.DataFrame, policy: Policy) -> Iterator[PracticeSlice]:
    judged = [attribute for attribute in policy.attributes if len(attribute.columns) == 1]
    members = list(_members(incidents, judged, groups))
    alpha = policy.inference.alpha
    kinds = [
        [_slice(incidents, mine, (None, attribute, group, against), alpha) for attribute, group, mine in members]
        for against in _AGAINST
    ]
    kinds.append(list(_by_school(incidents, alpha)))
    kinds.append(list(_within_schools(incidents, members, alpha)))
    for kind in kinds:
        yield from _noted(kind, alpha / (len(kinds) * len(COUNTED)))


_AGAINST: tuple[Literal["network", "school"], ...] = ("network", "school")
_Place = tuple[int | None, str, str, Literal["network", "school"]]
_Member = tuple[str, str, Floats]
_Found = tuple[PracticeSlice, float]


def _members(incidents: _Incidents, attributes: Sequence[Attribute], groups: pd.DataFrame) -> Iterator[_Member]:
    """Yield each declared group with 0 or 1 for each row."""
    for attribute in attributes:
        label = labels_of(attribute, groups, incidents.pupils)
        for place, group in enumerate(label.names):
            if group in attribute.groups:
                yield attribute.name, group, (label.of_pupil[incidents.pupil] == place).astype(np.float64)


def _by_school(incidents: _Incidents, alpha: float) -> Iterator[_Found]:
    """Yield each school beside all others.

    `ratio_of` without looking at every row for every school: whoever was never there is pulled at as the rest is, so
    what all pupils' pulls come to is worked out from their products, and put right for the school's own pupils.
    """
    if len(incidents.schools) < 2:
        return
    strata = int(incidents.severity.max()) + 1
    of_pupil = incidents.by_pupil(strata)
    products, everyone = of_pupil.T @ of_pupil, of_pupil.sum(axis=0)
    for urn, rows in incidents.by_school():
        here = incidents.at(rows)
        own = here.by_pupil(strata)
        mine = own.sum(axis=0)
        rest = everyone - mine
        found = Table(mine[strata:], mine[:strata], rest[strata:], rest[:strata]).ratio()
        ratio = None
        if found is not None:
            value, pulls = found[0], [np.concatenate([pull.counted, pull.sanctioned]) for pull in found[1:]]
            apart = own @ (pulls[0] - pulls[1])
            as_rest = of_pupil[np.searchsorted(incidents.pupils, here.pupils)] @ pulls[1]
            squares = pulls[1] @ products @ pulls[1] + (2 * as_rest * apart + apart**2).sum()
            ratio = Ratio(value=value, error=math.sqrt(max(0.0, float(squares))))
        sums = float(mine[:strata].sum()), float(mine[strata:].sum()), float(rest[strata:].sum())
        yield _told((urn, EVERYONE, EVERYONE, "network"), sums, ratio, alpha)


def _within_schools(incidents: _Incidents, members: Sequence[_Member], alpha: float) -> Iterator[_Found]:
    for urn, rows in incidents.by_school():
        here = incidents.at(rows)
        for attribute, group, mine in members:
            own = mine[rows]
            counts = float((own * here.sanctioned).sum()), float(((1 - own) * here.sanctioned).sum())
            if min(counts) >= LEAST_SANCTIONS:
                yield _slice(here, own, (urn, attribute, group, "school"), alpha)


def _slice(incidents: _Incidents, mine: Floats, place: _Place, alpha: float) -> _Found:
    """Return the slice and the p-value of 'no more often than others'."""
    stratum = incidents.strata(by_school=place[-1] == "school")
    sanctions = float((mine * incidents.sanctioned).sum())
    sums = float((mine * incidents.incidents).sum()), sanctions, float(incidents.sanctioned.sum()) - sanctions
    found = ratio_of(mine, incidents.sanctioned, stratum, incidents.pupil, incidents.incidents)
    return _told(place, sums, found, alpha)


def _told(place: _Place, sums: tuple[float, float, float], found: Ratio | None, alpha: float) -> _Found:
    """Return a ratio as a slice, if it rests on enough; `sums`: the incidents, their sanctions, everyone else's."""
    school, attribute, group, against = place
    incidents, sanctions, others = sums
    if found is None or min(sanctions, others) < LEAST_SANCTIONS:
        found = None
    lower, upper = (None, None) if found is None else found.limits(alpha)
    made = PracticeSlice(
        school=school,
        attribute=attribute,
        group=group,
        against=against,
        incidents=int(incidents),
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
