"""A pupil on two schools' rolls at once is asked about, unless the schools share the pupil."""

from datetime import date

import pandas as pd
import pytest

from records.identity.clashes import clashes
from tests.factories import frame

A, B, C = 900001, 900002, 900003
SEPT, OCT, NOV, DEC = date(2024, 9, 2), date(2024, 10, 1), date(2024, 11, 1), date(2024, 12, 2)


def found(*rows: tuple[int, int, date, date | None, str]) -> list[tuple[int, int, int, date, date | None]]:
    names = ("pupil", "school", "entry_date", "leaving_date", "status")
    given = frame("enrolments", [dict(zip(names, row, strict=True)) | {"known_on": SEPT} for row in rows])
    told = clashes(given)
    days = [[None if pd.isna(day) else day.date() for day in told[name]] for name in ("from", "to")]
    return list(zip(told["pupil"], told["school_a"], told["school_b"], *days, strict=True))


def test_two_rolls_at_once_are_a_clash_from_the_later_start_to_the_earlier_end():
    assert found((1, B, OCT, None, "C"), (1, A, SEPT, NOV, "C")) == [(1, A, B, OCT, NOV)]
    assert found((1, A, SEPT, None, "C"), (1, B, OCT, None, "C")) == [(1, A, B, OCT, None)]


def test_one_day_on_both_rolls_is_a_clash_and_the_day_after_is_not():
    assert found((1, A, SEPT, OCT, "C"), (1, B, OCT, None, "C")) == [(1, A, B, OCT, OCT)]
    assert found((1, A, SEPT, OCT, "C"), (1, B, date(2024, 10, 2), None, "C")) == []


STATUSES = [("M", "S", 0), ("C", "S", 0), ("M", "G", 0), ("C", "C", 1), ("C", "P", 0)]


@pytest.mark.parametrize(("one", "other", "clash"), STATUSES)
def test_a_dual_registered_pupil_is_one_person_at_two_schools(one, other, clash):
    assert len(found((1, A, SEPT, None, one), (1, B, OCT, None, other))) == clash


def test_three_schools_are_three_pairs_and_two_stays_at_one_school_are_none():
    assert len(found((1, A, SEPT, None, "C"), (1, B, OCT, None, "C"), (1, C, NOV, None, "C"))) == 3
    assert found((1, A, SEPT, DEC, "C"), (1, A, OCT, None, "C"), (2, B, OCT, None, "C")) == []
