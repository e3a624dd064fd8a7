"""The walk along the sessions, in array operations and compiled: worked by hand, then against each other."""

import numpy as np
import pytest

from features import compiled, lines

WALKS = {"arrays": lines.runs, "compiled": compiled.runs}
NO_FIXES = np.empty((0, 3), dtype=np.int64)


@pytest.fixture(params=sorted(WALKS))
def walk(request):
    return WALKS[request.param]


def small(*rows):
    return np.array(rows, dtype=np.int8)


def ints(*values):
    return np.array(values, dtype=np.int64)


def test_runs_by_hand(walk):
    """Sessions of one pupil, '.' not possible, 1 counted: 1 . 1 0 1 0 0 1. Runs of 2, 1 and 1; the last is running."""
    possible, counted = small([1, 0, 1, 1, 1, 1, 1, 1]), small([1, 1, 1, 0, 1, 0, 0, 1])
    window = walk(possible, counted, ints(0, 0, 0), ints(0, 1, 1), ints(8, 6, 2), ints(0, 0, 0, 0), NO_FIXES)
    np.testing.assert_array_equal(window[:2], [[3, 2, 2, 1], [2, 2, 1, 0]])
    assert np.isnan(window[2]).all()


def test_a_fix_holds_for_its_own_row_alone(walk):
    """The second row does not know yet of the mark at session 1, and sees an older one at session 2."""
    possible, counted = small([1, 1, 1]), small([1, 1, 0])
    fixes = np.array([[1, -1, -1], [2, 0, 1]], dtype=np.int64)
    found = walk(possible, counted, ints(0, 0, 0), ints(0, 0, 0), ints(3, 3, 3), ints(0, 0, 2, 2), fixes)
    np.testing.assert_array_equal(found, [[1, 0, 2, 0], [1, 0, 2, 2], [1, 0, 2, 0]])
    assert possible.tolist() == [[1, 1, 1]]


def test_both_walks_agree_on_rows_without_order(monkeypatch):
    monkeypatch.setattr(lines, "_ROWS_AT_ONCE", 7)
    rng = np.random.default_rng(20261127)
    pupils, sessions, rows = 5, 60, 40
    possible = rng.integers(0, 3, (pupils, sessions)).astype(np.int8)
    counted = np.minimum(possible, rng.integers(0, 2, (pupils, sessions))).astype(np.int8)
    first = rng.integers(0, 30, rows)
    end = first + rng.integers(0, 31, rows)
    fix_from = np.concatenate([[0], np.cumsum(rng.integers(0, 4, rows))])
    fixes = np.stack(
        [rng.integers(0, sessions, fix_from[-1]), *(rng.integers(-1, 2, fix_from[-1]) for _ in range(2))], axis=1
    )
    asked = (rng.integers(0, pupils, rows), first, end, fix_from, fixes)
    np.testing.assert_array_equal(lines.runs(possible, counted, *asked), compiled.runs(possible, counted, *asked))
