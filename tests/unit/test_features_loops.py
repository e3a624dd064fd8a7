"""The loops under the fast engine, worked by hand: as they are written, and as machine code."""

import numpy as np
import pytest

from features.compiled import MACHINE
from features.loops import ALWAYS
from features.loops_sessions import RUNS, THERE
from features.machine import PLAIN

MACHINES = {"plain": PLAIN, "compiled": MACHINE}


@pytest.fixture(params=sorted(MACHINES))
def machine(request):
    return MACHINES[request.param]


def small(*values):
    return np.array(values, dtype=np.int32)


def test_pupils_who_share_a_slot_are_told_apart(machine):
    """A thousand pupils fill half of the slots: many meet, and strangers land on them."""
    pupils = np.arange(1000, dtype=np.int64) * (1 << 40) + 7
    given = np.concatenate([pupils[::-1], pupils[:5] + 1])
    found = machine.place(pupils, given)
    np.testing.assert_array_equal(found, [*range(999, -1, -1), -1, -1, -1, -1, -1])


def lined(machine, at, day, turn, known, deleted, pupils=1, kind=None):
    """Return the rows as `order` gives them, the kind of each its number."""
    kind = np.arange(len(at), dtype=np.uint16) if kind is None else kind
    return machine.order(at, day, turn.astype(np.int8), known, np.array(deleted, dtype=bool), kind, pupils)


def test_rows_stand_by_pupil_then_day_then_turn_then_as_they_became_known(machine):
    at, day, turn = small(1, 0, -1, 1, 0, 1, 1), small(9, 8, 8, 8, 8, 8, -3), small(0, 1, 0, 1, 0, 0, 0)
    stamps, rows, start = lined(machine, at, day, turn, small(9, 9, 9, 9, 9, 9, 9), [False] * 7, 3)
    np.testing.assert_array_equal(rows, [4, 1, 6, 5, 3, 0])
    np.testing.assert_array_equal(start, [0, 2, 6, 6])
    assert (np.diff(stamps[2:]) > 0).all()


def test_a_pupil_whose_rows_come_backwards_is_put_in_order_all_the_same(machine):
    """So many moves that the rows are sorted anew instead."""
    day = small(*range(99, -1, -1))
    none = np.zeros(100, dtype=np.int32)
    _, rows, _ = lined(machine, none, day, none, day, [False] * 100)
    np.testing.assert_array_equal(rows, range(99, -1, -1))


def versions(machine, lined_up, school, *file):
    source, line = file or (small(), small())
    return machine.versions(*lined_up, small(), school[None, :], source, line)


def test_a_version_holds_until_the_next_of_its_thing_is_known(machine):
    """Rows 0, 2 and 3 are one session at school 7; row 1 is the same session at school 8; row 4 is another session.

    Rows 2 and 3 became known on one day: the later file wins, and without files nobody can say.
    """
    day, turn, school = small(2, 2, 2, 2, 2), small(0, 0, 0, 0, 1), small(7, 8, 7, 7, 7)
    known, source, line = small(10, 10, 12, 12, 11), small(0, 0, 2, 1, 0), small(2, 3, 2, 9, 4)
    lined_up = lined(machine, small(0, 0, 0, 0, 0), day, turn, known, [False] * 5)
    start, rows, kind, _, first, last, turns, tied = versions(machine, lined_up, school, source, line)
    found = {int(row): (int(last[at]), int(first[at]), int(turns[at])) for at, row in enumerate(rows)}
    assert found == {0: (12, 11, 0), 1: (ALWAYS, 11, 0), 2: (ALWAYS, 13, 0), 3: (12, 13, 0), 4: (ALWAYS, 12, 1)}
    assert not tied
    np.testing.assert_array_equal(start, [0, 5])
    np.testing.assert_array_equal(kind, rows)
    assert versions(machine, lined_up, school)[-1]


def test_a_deletion_ends_what_it_deletes_and_is_no_version_itself(machine):
    """Pupil 0: row 1 takes row 0 back on day 5. Pupil 1: row 2, seen from the day after it happened, known before."""
    at, day, none = small(0, 0, 1), small(2, 2, 6), small(0, 0, 0)
    lined_up = lined(machine, at, day, none, small(2, 5, 1), [False, True, False], 2)
    start, rows, _, days, first, last, _, tied = versions(machine, lined_up, none)
    np.testing.assert_array_equal(start, [0, 1, 2])
    np.testing.assert_array_equal(rows, [0, 2])
    np.testing.assert_array_equal(days, [2, 6])
    np.testing.assert_array_equal(first, [3, 7])
    np.testing.assert_array_equal(last, [5, ALWAYS])
    assert not tied


def test_totals_by_hand(machine):
    """One pupil, days 100 to 104, a row each but 103, worth 1, 2, 4 and 8.

    The row of 101 becomes known on 103, that of 102 is replaced on 104 by one that is not counted: at as_of 103 they
    add up to 1 + 4 from day 100, at 105 to 1 + 2 + 8; from day 102 to 4 and to 8. Counted rather than weighed: 2, 3, 1,
    1. The measure that counts class 1 alone counts none of them.
    """
    day = small(100, 101, 102, 104)
    first, last = small(101, 104, 103, 105), small(ALWAYS, ALWAYS, 104, ALWAYS)
    of = np.zeros(4, dtype=np.int16)
    stops = small(100, 1, 1, 2, 3, 3, 4)
    edges = np.array([[100, 100], [102, 102], [103, 105]], dtype=np.int32)
    needs = (small(0, 2, 4, 5), small(0, 1, 0, 1, 1), edges, np.array([[0, 0], [1, 1], [2, 3]], dtype=np.int32))
    found = np.zeros((5, 2), dtype=np.int32)
    machine.totals(
        found,
        (0, 1),
        (small(0, 4), day, first, last, of),
        (small(0, 2, 3), small(0, 1, 2)),
        (small(0, -1, -1), small(1, 2, 4, 8)[None, :]),
        (small(0, 2), small(103, 105), small(0, 1)),
        (needs, stops),
    )
    np.testing.assert_array_equal(found, [[5, 11], [4, 8], [2, 3], [1, 1], [0, 0]])


def test_runs_along_the_sessions_by_hand(machine):
    """Missed, neutral, missed, there, missed, there, there, missed: runs of 2, 1 and 1; the last is running."""
    said, turn = np.array([0, RUNS | THERE, THERE], dtype=np.int8), np.array([0, 1] * 4, dtype=np.int8)
    of = np.array([1, 0, 1, 2, 1, 2, 2, 1], dtype=np.int16)
    day = small(1, 1, 2, 2, 3, 3, 4, 4)
    versions = (small(0, 8), day, day + 1, np.full(8, ALWAYS, dtype=np.int32), of)
    rows = (small(0, 3), small(5, 5, 5), small(1, 2, 5), small(5, 4, 5))
    found = machine.along((0, 1), versions, (said, turn), rows)
    np.testing.assert_array_equal(found, [[3, 2, np.nan], [2, 2, np.nan], [2, 1, np.nan]])
    np.testing.assert_array_equal(machine.ending((0, 1), versions, (said, turn), rows), [1, 0, np.nan])


def test_a_session_of_two_marks_is_missed_if_either_says_so(machine):
    said = np.array([THERE, RUNS | THERE], dtype=np.int8)
    versions = (small(0, 2), small(1, 1), small(2, 2), small(ALWAYS, ALWAYS), np.array([0, 1], dtype=np.int16))
    given = ((0, 1), versions, (said, np.zeros(2, dtype=np.int8)), (small(0, 1), small(2), small(1), small(2)))
    np.testing.assert_array_equal(machine.along(*given)[:, 0], [1, 1, 1])
    np.testing.assert_array_equal(machine.ending(*given), [1])
