"""The loops under the fast engine, worked by hand: as they are written, and as machine code."""

import numpy as np
import pytest

from features.compiled import MACHINE
from features.loops import ALWAYS
from features.machine import PLAIN

MACHINES = {"plain": PLAIN, "compiled": MACHINE}
MISSED, POSSIBLE = 1, 2


@pytest.fixture(params=sorted(MACHINES))
def machine(request):
    return MACHINES[request.param]


def small(*values):
    return np.array(values, dtype=np.int32)


def ints(*values):
    return np.array(values, dtype=np.int64)


def test_pupils_who_share_a_slot_are_told_apart(machine):
    """A thousand pupils fill half of the slots: many meet, and strangers land on them."""
    pupils = np.arange(1000, dtype=np.int64) * (1 << 40) + 7
    given = np.concatenate([pupils[::-1], pupils[:5] + 1])
    found = machine.place(pupils, given)
    np.testing.assert_array_equal(found, [*range(999, -1, -1), -1, -1, -1, -1, -1])


def test_rows_stand_by_pupil_then_turn_and_otherwise_as_they_came(machine):
    rows, start = machine.order(small(1, 0, -1, 1, 0, 1), small(2, 1, 0, 0, 1, 2), 3, 3)
    np.testing.assert_array_equal(rows, [1, 4, 3, 0, 5])
    np.testing.assert_array_equal(start, [0, 2, 5, 5])


def test_a_version_holds_until_the_next_of_its_thing_is_known(machine):
    """Rows 0, 2 and 3 are one session at school 7; row 1 is the same session at school 8; row 4 is another session.

    Rows 2 and 3 became known on one day: the later file wins.
    """
    rows, turn, school = small(0, 1, 2, 3, 4), small(5, 5, 5, 5, 6), small(7, 8, 7, 7, 7)
    known, source, line = small(10, 10, 12, 12, 11), small(0, 0, 2, 1, 0), small(2, 3, 2, 9, 4)
    last = machine.replaced(rows, small(0, 5), turn, school[None, :], known, source, line)
    np.testing.assert_array_equal(last, [12, ALWAYS, ALWAYS, 12, ALWAYS])


def test_totals_by_hand(machine):
    """One pupil, days 100 to 104, a row each but 103, worth 1, 2, 4 and 8.

    The row of 101 becomes known on 103, that of 102 is replaced on 104 by one that is not counted: at as_of 103 they
    add up to 1 + 4 from day 100, at 105 to 1 + 2 + 8; from day 102 to 4 and to 8.
    """
    day = small(100, 101, 102, 104)
    first, last = small(101, 104, 103, 105), small(ALWAYS, ALWAYS, 104, ALWAYS)
    versions = (small(0, 4), day, first, last, ints(1, 1, 1, 1))
    weighing = (small(0), small(1, 2, 4, 8)[None, :])
    needs = (small(0, 2), small(0, 1), np.array([[100, 100], [102, 102]], dtype=np.int32))
    found = machine.totals((0, 1), versions, weighing, (small(0, 2), small(103, 105), small(0, 1)), needs, (100, 105))
    np.testing.assert_array_equal(found, [[5, 11], [4, 8]])


def test_runs_along_the_sessions_by_hand(machine):
    """Missed, neutral, missed, there, missed, there, there, missed: runs of 2, 1 and 1; the last is running."""
    said = ints(3, 0, 3, 2, 3, 2, 2, 3)
    day, turn = small(1, 1, 2, 2, 3, 3, 4, 4), small(0, 1, 0, 1, 0, 1, 0, 1)
    versions = (small(0, 8), day, day + 1, np.full(8, ALWAYS, dtype=np.int32), said)
    rows = (small(0, 3), small(5, 5, 5), small(1, 2, 5), small(5, 4, 5))
    found = machine.along((0, 1), versions, (0, 1, turn), rows)
    np.testing.assert_array_equal(found, [[3, 2, np.nan], [2, 2, np.nan], [2, 1, np.nan]])
    np.testing.assert_array_equal(machine.ending((0, 1), versions, (0, 1, turn), rows), [1, 0, np.nan])


def test_a_session_of_two_marks_is_missed_if_either_says_so(machine):
    versions = (small(0, 2), small(1, 1), small(2, 2), small(ALWAYS, ALWAYS), ints(POSSIBLE, MISSED | POSSIBLE))
    given = ((0, 1), versions, (0, 1, small(0, 0)), (small(0, 1), small(2), small(1), small(2)))
    np.testing.assert_array_equal(machine.along(*given)[:, 0], [1, 1, 1])
    np.testing.assert_array_equal(machine.ending(*given), [1])
