"""Intervals against published examples, statsmodels, and what replicates should do."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from fairness.gate import holm
from fairness.intervals import SchoolSpread, Share, chance_beyond, harm, newcombe, wilson
from fairness.resampling import group_replicates, kinds_of, ratio_variances, spread_over_schools

Z95 = 1.959963985


def share(hits, n, *, variance=None, base=None, crowding=1.0):
    p = hits / n
    variance = p * (1 - p) / n * (n / (base or n)) ** 2 if variance is None else variance
    return Share(hits=hits, base=base or n, rows=n, variance=variance, crowding=crowding)


def test_wilson_is_newcombes_published_example():
    """81 of 263: 0.2553 to 0.3662 (Newcombe 1998a, table I, method 3)."""
    assert wilson(81 / 263, 263, Z95) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_wilson_at_the_ends():
    """0 of 20: 0 to 0.1611; z²/(n + z²) by hand."""
    assert wilson(0.0, 20, Z95) == pytest.approx((0.0, Z95**2 / (20 + Z95**2)))
    assert wilson(1.0, 20, Z95) == pytest.approx((20 / (20 + Z95**2), 1.0))


def test_newcombe_is_the_published_example():
    """56 of 70 against 48 of 80: 0.0524 to 0.3339 (Newcombe 1998b, table II, method 10)."""
    found = newcombe(share(56, 70), share(48, 80), "difference", False, Z95)
    assert found == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_a_shortfall_is_the_same_difference_from_the_other_side():
    excess = newcombe(share(48, 80), share(56, 70), "difference", False, Z95)
    shortfall = newcombe(share(48, 80), share(56, 70), "difference", True, Z95)
    assert shortfall == pytest.approx((-excess[1], -excess[0]))
    assert harm(share(48, 80), share(56, 70), "difference", True) == pytest.approx(0.2)


@pytest.mark.parametrize(("a", "n", "b", "m"), [(3, 15, 90, 150), (0, 12, 5, 40), (12, 12, 30, 60), (30, 900, 60, 800)])
def test_both_agree_with_statsmodels(a, n, b, m):
    low, high = proportion_confint(a, n, alpha=0.1, method="wilson")
    assert wilson(a / n, n, 1.6448536) == pytest.approx((low, high), abs=1e-6)
    expected = confint_proportions_2indep(a, n, b, m, method="newcomb", compare="diff", alpha=0.1)
    assert newcombe(share(a, n), share(b, m), "difference", False, 1.6448536) == pytest.approx(expected, abs=1e-6)


def test_the_effective_n_divides_by_the_design_effect():
    """A variance four times the binomial's is a quarter of the pupils; a smaller one is never a gain."""
    p, n = 0.2, 100
    assert share(20, n, variance=4 * p * (1 - p) / n).effective_n == pytest.approx(25)
    assert share(20, n, variance=0.1 * p * (1 - p) / n).effective_n == pytest.approx(100)
    assert share(0, n, variance=0.0, crowding=2.5).effective_n == pytest.approx(40)


def test_a_ratio_is_joined_on_the_log_scale():
    """20/100 to 10/100: by hand from Wilson limits .1334 .2888 and .0552 .1744 at z = 1.96."""
    low, high = newcombe(share(20, 100), share(10, 100), "ratio", False, Z95)
    down = math.hypot(math.log(0.2 / 0.13337), math.log(0.17437 / 0.1))
    up = math.hypot(math.log(0.28883 / 0.2), math.log(0.1 / 0.05523))
    assert (low, high) == pytest.approx((2 * math.exp(-down), 2 * math.exp(up)), rel=1e-3)


def test_a_ratio_of_nought_has_an_upper_end():
    low, high = newcombe(share(0, 100), share(10, 100), "ratio", False, Z95)
    assert low == 0
    assert high == pytest.approx(0.03699 / 0.05523, rel=1e-3)


def test_the_chance_beyond_is_where_the_interval_touches_the_limit():
    """At z = 1.96 the lower end of 56/70 - 48/80 is .0524, so the p-value of that limit is .025."""
    sides = share(56, 70), share(48, 80)
    assert chance_beyond(*sides, "difference", False, (None, 0.0524)) == pytest.approx(0.025, abs=2e-4)
    assert chance_beyond(*sides, "difference", False, (None, 0.3)) == 1.0
    inverse = chance_beyond(share(8, 100), None, "alone", False, (0.2, None))
    assert wilson(0.08, 100, -NormalDist().inv_cdf(inverse))[1] == pytest.approx(0.2, abs=1e-6)


def test_few_schools_use_students_t_widened():
    """Six schools: t(5) at 95 % is 2.015, and sqrt(6/5) is 1.0954."""
    spread = SchoolSpread(standard_error=0.1, schools=6, few=True)
    low, high = spread.limits(0.5, 0.05, log=False)
    assert (low, high) == pytest.approx((0.5 - 0.22073, 0.5 + 0.22073), abs=1e-4)
    assert spread.chance_outside(0.5, (None, low), log=False) == pytest.approx(0.05)
    assert spread.chance_outside(0.5, (high, None), log=False) == pytest.approx(0.05)
    many = SchoolSpread(standard_error=0.1, schools=60, few=False)
    assert many.limits(0.5, 0.05, log=False)[1] == pytest.approx(0.66449, abs=1e-4)
    assert many.limits(2.0, 0.05, log=True)[1] == pytest.approx(2 * math.exp(0.164485), abs=1e-4)


def test_drawing_kinds_of_pupils_has_the_law_of_drawing_pupils():
    """Means are the sums themselves; the variance of a group's sum of ones is n p (1 - p)."""
    labels = np.repeat([0, 1], [30, 70])
    counts = np.column_stack([np.tile([0, 1], 50), np.ones(100, np.int64)])
    drawn = group_replicates(labels, 2, kinds_of(counts), 40_000, np.random.default_rng(1))
    assert drawn[:, 0, 1].mean() == pytest.approx(30, abs=0.1)
    assert drawn[:, 0, 1].var() == pytest.approx(100 * 0.3 * 0.7, rel=0.03)
    assert (drawn[:, :, 1].sum(axis=1) == 100).all()
    assert drawn[:, 1, 0].var() == pytest.approx(100 * 0.35 * 0.65, rel=0.03)


def test_kinds_of_pupils_are_told_apart_whatever_the_counts():
    """Counts too large to be packed into one number: three kinds, drawn as often as they stand there."""
    counts = np.array([[0, 2**40], [2**40, 0], [2**40, 0], [5, 5]])
    drawn = group_replicates(np.array([0, 1, 1, 1]), 2, kinds_of(counts), 20_000, np.random.default_rng(3))
    assert drawn[:, 0, 1].mean() == pytest.approx(2**40, rel=0.03)
    assert drawn[:, 1, 0].mean() == pytest.approx(2**41, rel=0.03)
    assert set(np.unique(drawn[:, 1, 1])) <= {0, 5, 10, 15, 20}


def test_a_variance_worked_out_is_that_of_drawing_pupils():
    """Sums of probabilities of 400 pupils in two groups: within 4 % of 20,000 draws with replacement."""
    rng = np.random.default_rng(4)
    labels, base = rng.integers(0, 2, 400), rng.gamma(2.0, 0.1, 400)
    hits = rng.poisson(base).astype(float)
    found = ratio_variances(hits, base, labels, 3)
    weights = rng.multinomial(400, np.full(400, 1 / 400), size=20_000)
    for group in (0, 1):
        mine = labels == group
        drawn = (weights[:, mine] @ hits[mine]) / (weights[:, mine] @ base[mine])
        assert found[group, 0] == pytest.approx(drawn.var(), rel=0.04)
        assert found[1 - group, 1] == pytest.approx(drawn.var(), rel=0.04)
    assert math.isnan(found[2, 0])


def test_pupils_that_move_together_count_once():
    """Two rows a pupil, always alike: the variance of the share is that of half as many rows."""
    hits = np.repeat([0, 2], [160, 40])
    counts = np.column_stack([hits, np.full(200, 2)])
    drawn = group_replicates(np.zeros(200, np.int64), 1, kinds_of(counts), 40_000, np.random.default_rng(2))
    variance = (drawn[:, 0, 0] / drawn[:, 0, 1]).var()
    side = Share(hits=80, base=400, rows=400, variance=variance, crowding=2)
    assert side.effective_n == pytest.approx(200, rel=0.03)


def test_schools_without_the_group_are_seen():
    """The group is in one school of six: most replicates that miss it are undefined."""
    rows = np.array([[[6, 10], [30, 60]]] + [[[0, 0], [30, 60]]] * 5, dtype=float)
    _, undefined = spread_over_schools(rows, 500, (0,), scale="difference")
    assert list(undefined) == [1.0, 1.0]
    even = np.array([[[6, 10], [30, 60]]] * 6, dtype=float)
    error, undefined = spread_over_schools(even, 500, (0,), scale="difference")
    assert np.concatenate([error, undefined]) == pytest.approx(np.zeros(4))


def test_holm_agrees_with_statsmodels():
    p_values = [0.01, 0.04, 0.03, 0.005, 0.2]
    assert holm(p_values) == pytest.approx([0.04, 0.09, 0.09, 0.025, 0.2])
    assert holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]))
