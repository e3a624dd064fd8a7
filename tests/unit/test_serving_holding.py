"""A held school's pupils: in the log, without a score, a flag or a reason; every other school as it was."""

from datetime import date

import numpy as np
import pandas as pd

from features.cohort import ABSTAIN, HELD
from features.matrix import Matrix
from serving.jobs.holding import hold_back
from training.week import Week
from training.why import Why

NORTH, SOUTH = 900001, 900002


def week() -> Week:
    """Pupils 1 and 2 in the north, 3 to 5 in the south; 5 is serving a suspension; 1 and 3 are flagged."""
    keys = pd.DataFrame(
        {
            "pupil": [1, 2, 3, 4, 5],
            "as_of": pd.Timestamp(2026, 6, 22),
            "school": [NORTH, NORTH, SOUTH, SOUTH, SOUTH],
            "year_group": "9",
            "abstain": pd.Series(["", "", "", "", "serving"], dtype="str"),
        }
    )
    allocation = pd.DataFrame(
        {"pupil": [1, 2, 3, 4], "school": keys["school"][:4], "flagged": [True, False, True, False]}
    )
    matrix = Matrix(keys, np.zeros((5, 1)), ("one",), "catalogue")
    return Week(date(2026, 6, 22), allocation, matrix, {1: Why(reasons=()), 3: Why(reasons=())})


def test_a_held_school_is_neither_scored_nor_flagged_and_its_pupils_stay_in_the_log():
    made = hold_back(week(), {SOUTH})
    assert made.allocation["pupil"].tolist() == [1, 2]
    assert set(made.why) == {1}
    assert made.matrix.keys["pupil"].tolist() == [1, 2, 3, 4, 5]
    # Who could not be scored anyway keeps the nearer reason.
    assert made.matrix.keys["abstain"].tolist() == ["", "", HELD, HELD, "serving"]
    assert made.matrix.keys["abstain"].dtype == week().matrix.keys["abstain"].dtype
    assert HELD in ABSTAIN


def test_where_none_is_held_nothing_changes():
    before = week()
    assert hold_back(before, set()) is before
