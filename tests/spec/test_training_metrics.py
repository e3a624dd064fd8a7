"""What a flag was worth: every figure of the comparison, on a few pupils worked by hand."""

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest

from tests.flagged import WEEK1, WEEK2, WEEK3, judged, terms_of
from training.metrics import (
    average_precision,
    list_quality,
    observed_over_expected,
    ratio,
    recalibration,
    reliability,
    share,
)
from training.stability import stability


class TestInTime:
    def test_a_flag_five_school_days_before_is_in_time_and_four_days_is_too_late(self) -> None:
        # From Monday 8 September: Monday 15 is five school days later, Friday 12 four.
        in_time = judged({(1, WEEK1)}, {1: date(2025, 9, 15)})
        assert terms_of(in_time)[1, "2025/26 Autumn"] == (1, 1, 1, 0)
        late = judged({(1, WEEK1)}, {1: date(2025, 9, 12)})
        assert terms_of(late)[1, "2025/26 Autumn"] == (1, 0, 1, 0)

    def test_the_longer_lead_is_ten_school_days(self) -> None:
        early = judged({(1, WEEK1)}, {1: date(2025, 9, 22)})
        assert terms_of(early)[1, "2025/26 Autumn"] == (1, 1, 1, 1)
        nine = judged({(1, WEEK1)}, {1: date(2025, 9, 19)})
        assert terms_of(nine)[1, "2025/26 Autumn"] == (1, 1, 1, 0)

    def test_a_flag_without_a_suspension_counts_whenever_it_was_made(self) -> None:
        assert terms_of(judged({(2, WEEK2)}, {}))[2, "2025/26 Autumn"] == (0, 1, 1, 1)

    def test_a_pupil_and_term_is_one_row_however_often_flagged(self) -> None:
        found = judged({(1, WEEK1), (1, WEEK2)}, {})
        assert len(found.pupil_terms) == 5
        assert terms_of(found)[5, "2025/26 Spring"] == (0, 0, 0, 0)
        assert found.pupil_terms["phase"].unique().tolist() == ["SS"]


class TestTheList:
    # 1 flagged in time (15 school days), 2 flagged for nothing, 3 flagged too late, 4 suspended unflagged, 5 neither.
    FLAGS = frozenset({(1, WEEK1), (2, WEEK1), (3, WEEK2)})
    STARTS = {1: date(2025, 9, 29), 3: date(2025, 9, 16), 4: date(2025, 9, 30)}  # noqa: RUF012 - read only

    def test_the_counts(self) -> None:
        all_ = judged(self.FLAGS, self.STARTS).summary["all"]
        assert (all_["pupil_terms"], all_["positives"], all_["flagged"], all_["right"]) == (5, 3, 3, 1)

    def test_precision_recall_lift_and_false_alarms(self) -> None:
        all_ = judged(self.FLAGS, self.STARTS).summary["all"]
        assert all_["precision"] == pytest.approx(1 / 3)
        assert all_["recall"] == pytest.approx(1 / 3)
        assert all_["lift"] == pytest.approx((1 / 3) / (3 / 5)), "over the share of all pupil-terms"
        assert all_["false_positive_rate"] == pytest.approx(1 / 2), "2 of the pair 2 and 5"

    def test_recall_at_a_lead_of_ten_days(self) -> None:
        assert judged(self.FLAGS, self.STARTS).summary["all"]["recall_10"] == pytest.approx(1 / 3)
        nine = {**self.STARTS, 1: date(2025, 9, 19)}
        assert judged(self.FLAGS, nine).summary["all"]["recall_10"] == 0.0
        assert judged(self.FLAGS, nine).summary["all"]["recall"] == pytest.approx(1 / 3)

    def test_pupils_never_suspended_before_have_figures_of_their_own(self) -> None:
        # Pupil 4 had been: of 1 and 3, one was flagged in time.
        new = judged(self.FLAGS, self.STARTS).summary["never_suspended_before"]
        assert (new["pupil_terms"], new["positives"], new["recall"]) == (4, 2, pytest.approx(1 / 2))

    def test_suspensions_and_permanent_exclusions_separately(self) -> None:
        found = judged(self.FLAGS, self.STARTS, permanent={1, 4}).summary["all"]
        assert (found["permanent"], found["recall_permanent"]) == (2, pytest.approx(1 / 2))
        assert (found["suspended"], found["recall_suspended"]) == (1, 0.0), "pupil 3, flagged too late"

    def test_each_school_has_its_own_figures(self) -> None:
        [school] = judged(self.FLAGS, self.STARTS).schools.to_dict("records")
        assert (school["school"], school["positives"], school["recall"]) == (900001, 3, pytest.approx(1 / 3))

    def test_nobody_to_find_is_no_recall_and_not_a_recall_of_nought(self) -> None:
        unseen = judged(self.FLAGS, self.STARTS).summary["unseen_pupils"]
        assert unseen["pupil_terms"] == 0
        assert math.isnan(unseen["recall"])
        assert math.isnan(list_quality(judged(set(), {}).pupil_terms.iloc[:0])["precision"])
        assert math.isnan(share(0, 0))
        assert np.isnan(ratio([1, 0], [0, 0])).all()

    def test_a_pupil_not_scored_stays_in_the_denominator_of_recall(self) -> None:
        found = judged(set(), {1: date(2025, 9, 30)}).summary["all"]
        assert (found["recall"], found["positives"]) == (0.0, 1)


class TestLeadTime:
    def test_weeks_are_counted_from_the_first_flag_to_the_event(self) -> None:
        # Flagged on 8 and on 15 September, suspended on the 29th: fifteen school days from the first flag.
        found = judged({(1, WEEK1), (1, WEEK2)}, {1: date(2025, 9, 29)})
        assert found.first_flags["lead_days"].tolist() == [15]
        assert found.summary["all"]["lead_weeks_50"] == 3.0

    def test_a_flag_too_late_to_help_still_counts_as_a_short_lead(self) -> None:
        found = judged({(1, WEEK1), (3, WEEK2)}, {1: date(2025, 9, 29), 3: date(2025, 9, 16)})
        assert sorted(found.first_flags["lead_days"]) == [1, 15]
        assert found.summary["all"]["lead_weeks_50"] == pytest.approx(8 / 5)

    def test_without_a_right_flag_there_is_no_lead(self) -> None:
        assert math.isnan(judged({(2, WEEK1)}, {}).summary["all"]["lead_weeks_50"])

    def test_never_suspended_pupils_have_a_lead_of_their_own(self) -> None:
        found = judged({(1, WEEK1), (4, WEEK1)}, {1: date(2025, 9, 29), 4: date(2025, 9, 22)})
        assert found.summary["never_suspended_before"]["lead_weeks_50"] == 3.0, "4 had been suspended"


class TestChances:
    def test_average_precision(self) -> None:
        outcomes, chances = np.array([1, 0, 1, 0], np.int8), np.array([0.9, 0.8, 0.7, 0.1])
        # Found at ranks 1 and 3: the mean of 1/1 and 2/3.
        assert average_precision(outcomes, chances) == pytest.approx((1 + 2 / 3) / 2)
        assert math.isnan(average_precision(outcomes * 0, chances))

    def test_observed_over_expected(self) -> None:
        outcomes, chances = np.array([1, 0, 1, 0], np.int8), np.array([0.9, 0.8, 0.7, 0.1])
        assert observed_over_expected(outcomes, chances) == pytest.approx(2 / 2.5)

    def test_slope_and_intercept_join_the_observed_log_odds(self) -> None:
        # Log-odds of -1 and 1, and of each four one and two came: observed log-odds ln(1/3) and 0.
        chances = np.repeat(1 / (1 + np.exp([1.0, -1.0])), 4)
        came = np.array([1, 0, 0, 0, 1, 1, 0, 0], np.int8)
        intercept, slope = recalibration(came, chances)
        assert intercept == pytest.approx(-math.log(3) / 2)
        assert slope == pytest.approx(math.log(3) / 2)

    def test_percentages_that_came_true_have_slope_one(self) -> None:
        chances = np.repeat([0.25, 0.5], 4)
        assert recalibration(np.array([1, 0, 0, 0, 1, 1, 0, 0], np.int8), chances) == pytest.approx((0.0, 1.0))

    def test_extreme_percentages_do_not_lead_astray(self) -> None:
        # Ten thousand at one in a hundred million, of whom ten came, and a hundred at one half, of whom a fifth came.
        chances = np.concatenate([np.full(10_000, 1e-8), np.full(100, 0.5)])
        came = np.zeros(len(chances), np.int8)
        came[:10], came[-20:] = 1, 1
        intercept, slope = recalibration(came, chances)
        # Two values: the line goes through the observed log-odds of both, ln(1/4) and ln(1/999).
        assert intercept == pytest.approx(math.log(1 / 4))
        low = math.log(1e-8) - math.log1p(-1e-8)
        assert intercept + slope * low == pytest.approx(math.log(1 / 999))

    def test_percentages_that_part_the_outcomes_for_sure_have_no_best_slope(self) -> None:
        assert np.isnan(recalibration(np.array([0, 0, 1, 1], np.int8), np.array([0.1, 0.2, 0.8, 0.9]))).all()

    def test_one_outcome_or_one_chance_has_no_slope(self) -> None:
        assert np.isnan(recalibration(np.zeros(3, np.int8), np.array([0.1, 0.2, 0.3]))).all()
        assert np.isnan(recalibration(np.array([1, 0], np.int8), np.array([0.2, 0.2]))).all()

    def test_bands_hold_equal_expected_suspensions(self) -> None:
        bands = reliability(np.array([0, 0, 0, 0, 1], np.int8), np.array([0.1, 0.1, 0.1, 0.1, 0.4]), bands=2)
        assert bands["snapshots"].tolist() == [4, 1]
        assert bands["expected"].tolist() == pytest.approx([0.4, 0.4])
        assert bands["observed"].tolist() == [0.0, 1.0]


def weeks(*lists: dict[int, tuple[float, bool]], flagged: frozenset[tuple[int, int]] = frozenset()) -> pd.DataFrame:
    """Return an allocation of one school with room for one: week by week, pupil → (probability, level and rise)."""
    days = (WEEK1, WEEK2, date(2025, 9, 22), WEEK3)
    rows = [
        (pupil, days[at], 900001, (pupil, at) in flagged, holds, chance, 1)
        for at, one in enumerate(lists)
        for pupil, (chance, holds) in one.items()
    ]
    columns = ["pupil", "as_of", "school", "flagged", "holds", "probability", "capacity"]
    return pd.DataFrame(rows, columns=columns).astype({"as_of": "datetime64[s]"})


class TestStability:
    def test_the_share_of_both_weeks_lists_that_is_on_both(self) -> None:
        # Lists of one: {1}, {1}, {2}. Of the first pair one of one is on both, of the second none of two.
        log = weeks({1: (0.5, True), 2: (0.2, True)}, {1: (0.4, True)}, {1: (0.1, False), 2: (0.3, True)})
        assert stability(log)["list_jaccard"] == pytest.approx(1 / 3)

    def test_of_pupils_flagged_how_many_still_hold_a_week_later(self) -> None:
        flags = frozenset({(1, 0), (2, 1), (3, 1)})
        log = weeks(
            {1: (0.5, True)},
            {1: (0.5, True), 2: (0.5, True), 3: (0.5, True)},
            {1: (0.5, True), 2: (0.1, False)},
            flagged=flags,
        )
        assert stability(log)["list_kept"] == pytest.approx(1 / 2), "1 held, 2 did not, 3 was not scored again"

    def test_without_a_list_nothing_is_steady_or_unsteady(self) -> None:
        assert np.isnan(list(stability(weeks({1: (0.5, False)})).values())).all()
