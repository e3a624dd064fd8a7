"""What counts as the outcome: the days at the edges, by hand, from short records.

The school of `tests.factories` is open in the weeks of 3 and 10 March to 31 March 2025, shut from 5 to
21 April, and open again from Tuesday 22 April. Six school weeks from Monday 10 March 2025 are those of
10, 17, 24 and 31 March and of 21 and 28 April: the horizon ends before Monday 5 May.
"""

from datetime import date
from typing import Any

import pandas as pd
import pytest

from tests.factories import history, term_calendar
from training.matured import MaturedOutcomes
from training.outcomes import mature, together
from training.settings import Settings

AS_OF = date(2025, 3, 10)
END = date(2025, 5, 5)
LATER = date(2025, 7, 1)


def came(
    *suspensions: dict[str, Any],
    observed_until: date = LATER,
    abstain: str = "",
    enrolments: list[dict[str, Any]] | None = None,
    settings: Settings = Settings(),  # noqa: B008 - frozen
) -> list[tuple[int, object]]:
    """Return (outcome, first start) of the one pupil, [] when not at risk or not observed."""
    rolls = [{"pupil": 1}] if enrolments is None else enrolments
    past = history(
        calendars=term_calendar(), enrolments=rolls, suspensions=[{"pupil": 1, **row} for row in suspensions]
    )
    keys = pd.DataFrame(
        {"pupil": [1], "as_of": pd.Series([AS_OF]).astype("datetime64[s]"), "school": [900001], "abstain": [abstain]}
    )
    frame = mature(past, keys, settings=settings, observed_until=observed_until).frame
    return [(int(row.outcome), None if pd.isna(row.starts_on) else row.starts_on.date()) for row in frame.itertuples()]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (date(2025, 3, 7), (0, None)),  # the Friday before as_of
        (AS_OF, (1, AS_OF)),  # the first day counts
        (date(2025, 5, 2), (1, date(2025, 5, 2))),  # the last school day of the sixth school week
        (END, (0, None)),  # the first day no longer counted
    ],
)
def test_a_start_counts_from_as_of_until_six_school_weeks_later(start: date, expected: tuple[int, object]) -> None:
    assert came({"start_date": start}) == [expected]


def test_the_first_of_two_starts_is_named() -> None:
    assert came({"start_date": date(2025, 4, 1)}, {"start_date": date(2025, 3, 18)}) == [(1, date(2025, 3, 18))]


def test_a_permanent_exclusion_counts_and_a_lunchtime_exclusion_does_not() -> None:
    assert came({"start_date": date(2025, 3, 12), "category": "PERM"}) == [(1, date(2025, 3, 12))]
    assert came({"start_date": date(2025, 3, 12), "category": "LNCH"}) == [(0, None)]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("suspension_or_permanent", (1, date(2025, 3, 12))),
        ("suspension", (1, date(2025, 3, 12))),
        ("permanent", (1, date(2025, 4, 2))),
    ],
)
def test_settings_say_what_counts(outcome: str, expected: tuple[int, object]) -> None:
    both = ({"start_date": date(2025, 3, 12)}, {"start_date": date(2025, 4, 2), "category": "PERM"})
    assert came(*both, settings=Settings(outcome=outcome)) == [expected]
    other = {"suspension": "PERM", "permanent": "SUSP"}.get(outcome)
    if other:
        assert came({"start_date": date(2025, 3, 12), "category": other}, settings=Settings(outcome=outcome)) == [
            (0, None)
        ]


def test_settings_say_the_horizon() -> None:
    # Four school weeks: those of 10, 17, 24 and 31 March; the fifth opens on 22 April.
    assert came({"start_date": date(2025, 4, 4)}, settings=Settings(horizon_weeks=4)) == [(1, date(2025, 4, 4))]
    assert came({"start_date": date(2025, 4, 22)}, settings=Settings(horizon_weeks=4)) == [(0, None)]


def test_suspension_and_permanent_exclusion_are_also_said_separately() -> None:
    past = history(
        calendars=term_calendar(),
        enrolments=[{"pupil": 1}, {"pupil": 2}],
        suspensions=[
            {"pupil": 1, "start_date": date(2025, 3, 12)},
            {"pupil": 2, "start_date": date(2025, 3, 12), "category": "PERM"},
        ],
    )
    keys = pd.DataFrame({"pupil": [1, 2], "as_of": AS_OF, "school": 900001, "abstain": ""})
    keys["as_of"] = keys["as_of"].astype("datetime64[s]")
    frame = mature(past, keys, settings=Settings(), observed_until=LATER).frame
    assert frame[["outcome", "suspended", "permanent"]].to_numpy().tolist() == [[1, 1, 0], [1, 0, 1]]


@pytest.mark.parametrize("reason", ["serving", "decided", "excluded"])
def test_who_is_not_at_risk_is_left_out(reason: str) -> None:
    assert came({"start_date": date(2025, 3, 12)}, abstain=reason) == []


@pytest.mark.parametrize("reason", ["too_new", "not_up_to_date"])
def test_who_is_at_risk_but_not_scored_stays_in(reason: str) -> None:
    assert came({"start_date": date(2025, 3, 12)}, abstain=reason) == [(1, date(2025, 3, 12))]


def test_a_horizon_is_believed_a_week_after_its_end_and_not_a_day_before() -> None:
    assert came(observed_until=date(2025, 5, 12)) == [(0, None)]
    assert came(observed_until=date(2025, 5, 11)) == []


def test_a_suspension_withdrawn_later_is_no_outcome_and_one_moved_is_where_it_was_moved_to() -> None:
    first = {"start_date": date(2025, 3, 12), "known_on": date(2025, 3, 12)}
    withdrawn = first | {"deleted": True, "known_on": date(2025, 4, 30)}
    assert came(first, withdrawn) == [(0, None)]
    assert came(first, withdrawn | {"known_on": LATER}) == [(1, date(2025, 3, 12))], "not yet known when we look"


def test_a_pupil_who_left_the_network_is_censored_unless_suspended_first() -> None:
    left = [{"pupil": 1, "leaving_date": date(2025, 4, 25)}]
    assert came(enrolments=left) == []
    assert came({"start_date": date(2025, 4, 3)}, enrolments=left) == [(1, date(2025, 4, 3))]


def test_a_pupil_who_left_on_the_last_counted_school_day_was_observed_to_the_end() -> None:
    assert came(enrolments=[{"pupil": 1, "leaving_date": date(2025, 5, 2)}]) == [(0, None)]
    assert came(enrolments=[{"pupil": 1, "leaving_date": date(2025, 5, 1)}]) == []


def test_a_move_inside_the_network_does_not_censor() -> None:
    moved = [
        {"pupil": 1, "leaving_date": date(2025, 4, 4)},
        {"pupil": 1, "school": 900002, "entry_date": date(2025, 4, 22)},
    ]
    assert came(enrolments=moved) == [(0, None)]


def test_outcomes_of_two_horizons_are_not_joined() -> None:
    empty = pd.DataFrame({"pupil": [], "as_of": []})
    with pytest.raises(ValueError, match="all of one horizon"):
        together([MaturedOutcomes(empty, 6), MaturedOutcomes(empty, 4)])
