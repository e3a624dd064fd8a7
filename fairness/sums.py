"""Hits and bases summed by pupil, group and school, with their replicates: all that an audit counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fairness.intervals import Share
from fairness.resampling import Floats, Ints, group_replicates, kinds_of, ratio_variances, spread_over_schools

_DUST = 1e-9


@dataclass(frozen=True, kw_only=True)
class Tally:
    """One metric's rows: whose each is (numbers from 0), in which school, and what it adds."""

    name: str
    pupil: Ints
    school: Ints
    hits: Floats
    base: Floats
    rows: Floats

    @property
    def whole(self) -> bool:
        """Whether hits and base are counts, so that equal pupils can be drawn together."""
        return all(bool((values == np.rint(values)).all()) for values in (self.hits, self.base))

    def by_pupil(self, values: Floats, pupils: int) -> Floats:
        """Return a column of rows summed for each pupil."""
        return np.bincount(self.pupil, weights=values, minlength=pupils).astype(np.float64)


@dataclass(frozen=True)
class Labels:
    """Each pupil's group by one attribute: a number into `names`."""

    names: tuple[str, ...]
    of_pupil: Ints


@dataclass(frozen=True, kw_only=True)
class Sums:
    """One metric by one attribute.

    `totals` has shape (groups, 3): hits, base, rows. `by_school` (schools, groups, 2): hits, base.
    `variance` (groups, 2): of the group's share and of everyone else's, over replicates of pupils.
    `crowding` (groups, 2): Σn²/Σn over pupils' rows, likewise.
    """

    totals: Floats
    by_school: Floats
    variance: Floats
    crowding: Floats

    def sides(self, group: int) -> tuple[Share | None, Share | None]:
        """Return the group's share and that of all other pupils; None where the base is nought."""
        everyone = self.totals.sum(axis=0)
        both = (self.totals[group], everyone - self.totals[group])
        found: list[Share | None] = []
        for side, (hits, base, rows) in enumerate(both):
            # Differences of sums of probabilities leave dust behind: half a row is no row.
            if rows < 0.5 or base < _DUST:
                found.append(None)
                continue
            variance, crowding = float(self.variance[group, side]), float(self.crowding[group, side])
            share = Share(hits=float(hits), base=float(base), rows=float(rows), variance=variance, crowding=crowding)
            found.append(share)
        return found[0], found[1]

    def spread(self, replicates: int, seed: tuple[int, ...], *, scale: str) -> tuple[Floats, Floats]:
        """Return each group's `spread_over_schools`, over the schools in which anybody counts."""
        used = self.by_school[(self.by_school[:, :, 1] > 0).any(axis=1)]
        return spread_over_schools(used, replicates, seed, scale=scale)

    def schools_of(self, group: int) -> int:
        """Return in how many schools the group's base is not nought."""
        return int((self.by_school[:, group, 1] > 0).sum())


def sums_of(
    tallies: Sequence[Tally], labels: Mapping[str, Labels], pupils: int, *, replicates: int, seed: int
) -> dict[tuple[str, str], Sums]:
    """Return (attribute, metric) → its sums. The same seed gives the same replicates, whatever else is asked."""
    whole = [tally for tally in tallies if tally.whole]
    broken = [tally for tally in tallies if not tally.whole]
    found: dict[tuple[str, str], Sums] = {}
    kinds, kind = kinds_of(_columns(whole, pupils).astype(np.int64))
    for place, (attribute, label) in enumerate(labels.items()):
        rng = np.random.default_rng([seed, place])
        drawn = group_replicates(label.of_pupil, len(label.names), (kinds, kind), replicates, rng)
        for number, tally in enumerate(whole):
            pair = drawn[:, :, 2 * number : 2 * number + 2]
            found[attribute, tally.name] = _sums(tally, label, pupils, _variance(pair))
    for tally in broken:
        hits, base = _columns([tally], pupils).T
        for attribute, label in labels.items():
            variance = ratio_variances(hits, base, label.of_pupil, len(label.names))
            found[attribute, tally.name] = _sums(tally, label, pupils, variance)
    return found


def _columns(tallies: Sequence[Tally], pupils: int) -> Floats:
    """Return (pupils, 2 x tallies): hits and base of each."""
    columns = [tally.by_pupil(values, pupils) for tally in tallies for values in (tally.hits, tally.base)]
    return np.column_stack(columns) if columns else np.zeros((pupils, 0))


def _sums(tally: Tally, label: Labels, pupils: int, variance: Floats) -> Sums:
    """Return the sums of a tally by a label; `variance` as `Sums` has it."""
    groups = len(label.names)
    of_row = label.of_pupil[tally.pupil]
    totals = [np.bincount(of_row, weights=v, minlength=groups) for v in (tally.hits, tally.base, tally.rows)]
    schools = int(tally.school.max()) + 1 if len(tally.school) else 0
    cell = tally.school * groups + of_row
    by_school = [
        np.bincount(cell, weights=v, minlength=schools * groups).reshape(schools, groups)
        for v in (tally.hits, tally.base)
    ]
    each = tally.by_pupil(tally.rows, pupils)
    return Sums(
        totals=np.column_stack(totals),
        by_school=np.stack(by_school, axis=2),
        variance=variance,
        crowding=_crowding(each, label, groups),
    )


def _variance(drawn: Floats) -> Floats:
    """Return (groups, 2): the variance of each group's share and of everyone else's over replicates."""
    rest = drawn.sum(axis=1, keepdims=True) - drawn
    columns = []
    for side in (drawn, rest):
        hits, base = side[:, :, 0], side[:, :, 1]
        some = base > _DUST
        shares = np.where(some, hits / np.where(some, base, 1.0), np.nan)
        counted = np.maximum(some.sum(axis=0), 1)
        mean = np.where(some, shares, 0.0).sum(axis=0) / counted
        spread = np.where(some, (shares - mean) ** 2, 0.0).sum(axis=0) / counted
        columns.append(np.where(some.any(axis=0), spread, np.nan))
    return np.column_stack(columns)


def _crowding(each: Floats, label: Labels, groups: int) -> Floats:
    """Return (groups, 2): Σn²/Σn over the rows of the group's pupils, and of everyone else's."""
    linear = np.bincount(label.of_pupil, weights=each, minlength=groups)
    square = np.bincount(label.of_pupil, weights=each**2, minlength=groups)
    sides = [(square, linear), (square.sum() - square, linear.sum() - linear)]
    return np.column_stack([s / np.maximum(n, 1.0) for s, n in sides])
