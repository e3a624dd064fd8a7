"""What a flag was worth, on eight pupils worked by hand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from tests.training_factory import calendar
from training.evaluate import Evaluation, comparison_row, evaluate, ground, text_table
from training.matured import MaturedOutcomes
from training.metrics import average_precision, list_quality, observed_over_expected, reliability, share, wilson
from training.settings import Settings
from training.splits import network_terms

WEEK1, WEEK2, WEEK3 = date(2025, 9, 8), date(2025, 9, 15), date(2026, 1, 5)


def judged(flags: set[tuple[int, date]], starts: dict[int, date]) -> Evaluation:
    """Return the evaluation of pupils 1 to 4 at two autumn weeks and pupil 5 in spring; starts by pupil."""
    keys = pd.DataFrame(
        [(pupil, day) for pupil in (1, 2, 3, 4) for day in (WEEK1, WEEK2)] + [(5, WEEK3)], columns=["pupil", "as_of"]
    )
    keys["as_of"] = keys["as_of"].astype("datetime64[s]")
    keys["school"] = 900001
    keys["suspended_before"] = (keys["pupil"] == 4).astype("int8")
    keys["seen"] = 1
    frame = keys[["pupil", "as_of"]].copy()
    frame["starts_on"] = pd.Series([starts.get(pupil) for pupil in keys["pupil"]]).astype("datetime64[s]")
    frame["outcome"] = (frame["starts_on"] >= frame["as_of"]).astype("int8")
    frame["starts_on"] = frame["starts_on"].where(frame["outcome"] == 1)
    log = keys[["pupil", "as_of"]].assign(probability=0.1)
    log["flagged"] = [(pupil, day.date()) in flags for pupil, day in zip(log["pupil"], log["as_of"], strict=True)]
    schools = calendar()
    on = ground(
        keys,
        MaturedOutcomes(frame, 6),
        phases={900001: "SS"},
        terms=network_terms(schools),
        calendar=schools,
        settings=Settings(),
    )
    return evaluate(log, on)


def rows(found: Evaluation) -> dict[tuple[int, str], tuple[int, int, int, int]]:
    return {
        (row.pupil, row.term): (row.outcome, row.flagged, row.flagged_any, row.flagged_also)
        for row in found.pupil_terms.itertuples()
    }


def test_a_flag_five_school_days_before_is_in_time_and_four_days_is_too_late() -> None:
    # From Monday 8 September: Monday 15 is five school days later, Friday 12 four.
    in_time = judged({(1, WEEK1)}, {1: date(2025, 9, 15)})
    assert rows(in_time)[1, "2025/26 Autumn"] == (1, 1, 1, 0)
    late = judged({(1, WEEK1)}, {1: date(2025, 9, 12)})
    assert rows(late)[1, "2025/26 Autumn"] == (1, 0, 1, 0)
    early = judged({(1, WEEK1)}, {1: date(2025, 9, 22)})
    assert rows(early)[1, "2025/26 Autumn"] == (1, 1, 1, 1), "ten school days before"
    assert early.lead_days == 10


def test_a_flag_without_a_suspension_counts_whenever_it_was_made() -> None:
    assert rows(judged({(2, WEEK2)}, {}))[2, "2025/26 Autumn"] == (0, 1, 1, 1)


def test_a_pupil_and_term_is_one_row_however_often_flagged() -> None:
    found = judged({(1, WEEK1), (1, WEEK2)}, {})
    assert len(found.pupil_terms) == 5
    assert rows(found)[5, "2026 Spring".replace("2026", "2025/26")] == (0, 0, 0, 0)
    assert found.pupil_terms["phase"].unique().tolist() == ["SS"]


def test_the_numbers_of_a_list_by_hand() -> None:
    # 1 flagged in time, 2 flagged for nothing, 3 flagged too late, 4 suspended unflagged, 5 neither.
    found = judged(
        {(1, WEEK1), (2, WEEK1), (3, WEEK2)}, {1: date(2025, 9, 30), 3: date(2025, 9, 16), 4: date(2025, 9, 30)}
    )
    all_ = found.summary["all"]
    assert (all_["pupil_terms"], all_["positives"], all_["flagged"], all_["right"]) == (5, 3, 3, 1)
    assert all_["precision"] == pytest.approx(1 / 3)
    assert all_["recall"] == pytest.approx(1 / 3)
    assert all_["false_positive_rate"] == pytest.approx(1 / 2)
    assert found.summary["never_suspended_before"]["recall"] == pytest.approx(1 / 2)
    assert found.summary["unseen_pupils"]["pupil_terms"] == 0
    assert np.isnan(found.summary["unseen_pupils"]["recall"]), "no pupil to find is no recall, not a recall of zero"


def test_a_pupil_not_scored_stays_in_the_denominator_of_recall() -> None:
    found = judged(set(), {1: date(2025, 9, 30)})
    assert found.summary["all"]["recall"] == 0.0
    assert found.summary["all"]["positives"] == 1


def test_wilson_by_hand_and_empty() -> None:
    # 0 of 10: the upper end is z2 / (n + z2) = 3.8415 / 13.8415.
    assert wilson(0, 10) == pytest.approx((0.0, 3.841458820694124 / 13.841458820694124))
    assert all(np.isnan(end) for end in wilson(0, 0))
    assert np.isnan(share(0, 0))


def test_average_precision_and_expected_by_hand() -> None:
    outcomes, chances = np.array([1, 0, 1, 0], np.int8), np.array([0.9, 0.8, 0.7, 0.1])
    # Found at ranks 1 and 3: the mean of 1/1 and 2/3.
    assert average_precision(outcomes, chances) == pytest.approx((1 + 2 / 3) / 2)
    assert np.isnan(average_precision(outcomes * 0, chances))
    assert observed_over_expected(outcomes, chances) == pytest.approx(2 / 2.5)


def test_bands_hold_equal_expected_suspensions() -> None:
    bands = reliability(np.array([0, 0, 0, 0, 1], np.int8), np.array([0.1, 0.1, 0.1, 0.1, 0.4]), bands=2)
    assert bands["snapshots"].tolist() == [4, 1]
    assert bands["expected"].tolist() == pytest.approx([0.4, 0.4])
    assert bands["observed"].tolist() == [0.0, 1.0]


def test_list_quality_of_nobody_is_unknown() -> None:
    empty = judged(set(), {}).pupil_terms.iloc[:0]
    assert np.isnan(list_quality(empty)["precision"])


def test_the_table_in_plain_text_lines_up() -> None:
    found = judged({(1, WEEK1)}, {1: date(2025, 9, 30)})
    log = pd.DataFrame({"as_of": [WEEK1, WEEK2], "flagged": [True, False]})
    row = comparison_row("model", log, found)
    assert (row["flags"], row["flags_a_week"]) == (1, 0.5)
    lines = text_table(pd.DataFrame([row, row | {"approach": "rule_of_thumb"}])).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[1].split()[:4] == ["model", "1", "1.000", "1.000"]
