"""No count by place comes out: everything shown goes into a programme of its own, and no hidden count is placed by it.

The reader here is stronger than the one the release is made against: they know who could be where (which year groups
a school has), so every place of a cut is a sum of cells that it shares with the places of another.
"""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array

from casework.places import NETWORK, PARTS_OF
from fairness import count_tables
from fairness.count_tables import COUNT, CountCell, shown_counts
from fairness.subtraction import Sum
from learning.places.cuts import Cut
from learning.places.release import RULE, release_of

LEAST, STEP = RULE.primary, RULE.round


def made_pupils(seed: int, schools: int, year_groups: int, size: int) -> tuple[pd.DataFrame, tuple[Cut, ...]]:
    """Pupils of a few schools, half of them primary, with events that are rare, common or missing altogether."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(max(10, size // 2), size + 11))
    at = rng.choice(schools, n, p=rng.dirichlet(np.full(schools, 1.5)))
    primary = at % 2 == 0
    year = np.where(primary, rng.integers(1, 1 + year_groups, n), rng.integers(7, 7 + year_groups, n))
    pupils = pd.DataFrame(
        {
            "pupil": np.arange(n),
            "school": (100 + at).astype(str),
            "phase": np.where(primary, "PS", "SS"),
            "year_group": year.astype(str),
            "deprivation": rng.choice(["1", "2", "9", "unknown"], n, p=rng.dirichlet(np.ones(4))),
            "sex": rng.choice(["female", "male", "unknown"], n, p=[0.5, 0.49, 0.01]),
            "pupils": 1,
        }
    )
    often = rng.choice([0.0, 0.02, 0.1, 0.5], 3)
    for name, mean in zip(("incidents", "removals", "suspensions"), often, strict=True):
        pupils[name] = rng.poisson(mean, n)
    pupils["sessions_possible"] = rng.integers(50, 60, n)
    pupils["sessions_missed"] = rng.binomial(pupils["sessions_possible"], rng.choice([0.0, 0.01, 0.1]))
    pupils["flagged"] = rng.binomial(1, rng.choice([0.05, 0.3]), n)
    pupils["reviewed"] = pupils["flagged"] * rng.binomial(1, rng.choice([0.5, 0.95]), n)
    pupils["supported"] = pupils["flagged"] * rng.binomial(1, 0.4, n)
    names = ("school", "phase", "year_group", "deprivation")
    cuts = [Cut(name=name, places=tuple(sorted(set(pupils[name]))), of_schools=name != "deprivation") for name in names]
    if seed % 2:
        by_home(pupils, rng)
        homes = [Cut(name=name, places=tuple(sorted(set(pupils[name]))), of_areas=True) for name in _HOMES]
        return pupils, (cuts[0], cuts[2], *homes)
    groups = ("pupils", "incidents", "removals", "suspensions", "sessions_possible", "sessions_missed")
    return pupils, (*cuts, Cut(name="sex", places=tuple(sorted(set(pupils["sex"]))), measures=groups, of_schools=True))


_HOMES = ("deprivation", "ward", "borough")


def by_home(pupils: pd.DataFrame, rng: np.random.Generator) -> None:
    """Place pupils in wards of two boroughs, whose small areas are of a tenth or two, as anybody can look up."""
    ward = rng.integers(0, 4, len(pupils))
    near = np.where(rng.random(len(pupils)) < 0.7, ward, (ward + 1) % 4)
    known = pupils["deprivation"] != "unknown"
    pupils["ward"] = np.where(known, ward.astype(str), "unknown")
    pupils["borough"] = np.where(known, np.where(ward < 3, "A", "B"), "unknown")
    pupils["deprivation"] = np.where(known, np.array(["1", "2", "9", "10"])[near], "unknown")


def span(shown: int | None) -> tuple[float, float]:
    """Where a reader can place a count by what is written in its cell."""
    if shown is None:
        return (0.0, np.inf)
    return (0.0, 0.0) if shown == 0 else (max(LEAST, shown - STEP // 2), shown + STEP // 2)


class Reader:
    """Everything a reader has, as a linear programme: spans of cells, totals, who could be where, parts of wholes."""

    def __init__(self, pupils, cuts, shown, measures):
        self.bounds, self.place, self.rows, self.totals = [], {}, [], []
        for key in [key for key in shown if key[2] in measures and key[0] != NETWORK]:
            self._new(key, span(shown[key]))
        for measure in measures:
            mine = [cut for cut in cuts if measure in cut.measures]
            for cut in mine:
                self._sum([(cut.name, place, measure) for place in cut.places], None, float(pupils[measure].sum()))
            for one, other in combinations(mine, 2):
                self._shared(pupils, one, other, measure)
        for part, whole in PARTS_OF.items():
            for cut, place in self._places(cuts, part) if part in measures else ():
                self._new((cut, place, f"not {part}"), (0.0, np.inf))
                self._sum([(cut, place, part), (cut, place, f"not {part}")], (cut, place, whole))

        rows = [(at, column, sign) for at, row in enumerate(self.rows) for column, sign in row.items()]
        at, columns, signs = (np.array(one) for one in zip(*rows, strict=True))
        self.matrix = csr_array((signs, (at, columns)), shape=(len(self.rows), len(self.bounds)))

    @staticmethod
    def _places(cuts, measure):
        return [(cut.name, place) for cut in cuts if measure in cut.measures for place in cut.places]

    def _new(self, key, bounds):
        self.place[key] = len(self.bounds)
        self.bounds.append(bounds)

    def _sum(self, parts, total, known=0.0):
        row = {self.place[key]: 1.0 for key in parts}
        if total is not None:
            row[self.place[total]] = -1.0
        self.rows.append(row)
        self.totals.append(known)

    def _shared(self, pupils, one, other, measure):
        cells = set(pupils[[one.name, other.name]].itertuples(index=False, name=None))
        if not one.is_public_beside(other):
            cells = {(mine, theirs) for mine in one.places for theirs in other.places}
        for mine, theirs in cells:
            self._new((one.name, other.name, mine, theirs, measure), (0.0, np.inf))
        for at, cut in enumerate((one, other)):
            for place in cut.places:
                inside = [(one.name, other.name, *cell, measure) for cell in cells if cell[at] == place]
                self._sum(inside, (cut.name, place, measure))

    def ends(self, key):
        """Return the least and the most that the cell can be."""
        found = []
        for way in (1.0, -1.0):
            aim = np.zeros(len(self.bounds))
            aim[self.place[key]] = way
            done = linprog(aim, A_eq=self.matrix, b_eq=self.totals, bounds=self.bounds, method="highs")
            assert done.status in (0, 3), done.message
            found.append(way * done.fun if done.status == 0 else np.inf)
        return found[0], found[1]


def come_out(pupils, cuts, shown):
    """Return the hidden counts that a reader can place, though a count beside them is still shown; and how many are."""
    out, hidden = [], 0
    for family in (("pupils",), ("incidents",), ("suspensions",), ("flagged", "reviewed", "supported")):
        reader = Reader(pupils, cuts, shown, family)
        asked = [key for key in reader.place if len(key) == 3 and shown.get(key, 0) is None]
        hidden += len(asked)
        few = {
            (cut.name, place, f"not {part}"): int((rows[whole] - rows[part]).sum())
            for part, whole in PARTS_OF.items()
            if part in family
            for cut in cuts
            if part in cut.measures
            for place, rows in pupils.groupby(cut.name)
        }
        asked += [key for key, count in few.items() if 0 < count < LEAST]
        blind = Reader(pupils, cuts, dict.fromkeys(shown), family)
        for key in asked:
            (low, high), (least, most) = reader.ends(key), blind.ends(key)
            if high - low < min(LEAST, most - least) - 1e-6:
                out.append(f"{key} lies in {low:.1f} to {high:.1f}")
    return out, hidden


SIZES = st.sampled_from([20, 60, 200, 600])
NETWORKS = st.tuples(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 3), SIZES)


@settings(max_examples=5, deadline=None)
@given(NETWORKS)
def test_no_hidden_count_can_be_placed(network):
    """About a second of a processor for each network."""
    pupils, cuts = made_pupils(*network)
    out, _ = come_out(pupils, cuts, release_of(pupils, cuts))
    assert out == []


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=12))
def test_what_is_shown_is_never_small_and_always_rounded(counts):
    """Nought, or 10 and more by fives, within 2 of the truth; 1 to 7 never."""
    cells = [CountCell(key=("places", str(at), "n"), count=count, pupils=count) for at, count in enumerate(counts)]
    total = Sum(parts=tuple(cell.key for cell in cells), total=None, known={COUNT: float(sum(counts))}, spare={})
    shown = shown_counts(cells, [total], RULE)
    assert shown.keys() == {cell.key for cell in cells}
    for cell in cells:
        count = shown[cell.key]
        if 0 < cell.count < LEAST:
            assert count is None
        if count is not None:
            assert count == 0 or (count >= 10 and count % STEP == 0)
            assert abs(count - cell.count) <= 2


@pytest.mark.parametrize("seed", [2, 11])
def test_without_the_attack_a_count_comes_out(monkeypatch, seed):
    """The reader has teeth: hide the small counts and the partners of single sums alone, and some come out."""
    monkeypatch.setattr(count_tables._Attack, "partners", lambda self, hidden: frozenset())
    pupils, cuts = made_pupils(seed, 2, 2, 60)
    assert come_out(pupils, cuts, release_of(pupils, cuts))[0] != []
