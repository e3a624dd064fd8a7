"""Who stood near the cut-off, and the jump there: worked by hand, and on draws with a planted truth."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from learning.impact.design import LogDiffers, first_in_term, later_flags, near_cut_off
from learning.impact.discontinuity import TooFew, effect, first_schools, ratio
from tests.impact_made_up import planted, pupil_terms
from training.calibration import logit
from training.flags import FlagRule, allocate

FIRST = date(2025, 9, 1)


def log(*rows: dict[str, object]) -> pd.DataFrame:
    """Return an allocation log of one school's week, each row beginning from a pupil who is eligible and flagged."""
    usual = {
        "as_of": np.datetime64("2025-09-08", "s"),
        "school": 900001,
        "term": "Autumn",
        "rise_margin": 1.0,
        "cut_off": 0.3,
        "eligible": True,
        "snoozed": False,
        "flagged": True,
        "capacity": 2,
        "level_least": 0.1,
        "rise_asked": True,
    }
    return pd.DataFrame([{**usual, "pupil": at, **row} for at, row in enumerate(rows)])


def test_the_smaller_of_the_two_distances_says_how_near_a_pupil_was():
    """Log-odds of 0.5 and 0.2 are 0 and -1.386: spread 0.693 about -0.693. The rises 1 and 1 have none: unit 1."""
    rows = near_cut_off(log({"probability": 0.5}, {"probability": 0.2, "flagged": False}))
    assert rows["level"].tolist() == pytest.approx([(0 - logit(np.array([0.3]))[0]) / 0.6931, -0.7776], abs=1e-3)
    assert rows["x"].tolist() == pytest.approx([1.0, -0.7776], abs=1e-3)


def test_who_could_not_have_been_flagged_is_no_comparison():
    out = {"flagged": False, "eligible": False}
    rows = near_cut_off(
        log(
            {"probability": 0.5},
            {"probability": 0.9, "snoozed": True, **out},
            {"probability": np.nan, **out},
            {"probability": 0.9, "rise_margin": np.nan, **out},
            {"probability": 0.9, "rise_margin": -0.1, **out},
            {"probability": 0.9, "school": 900002, "capacity": 0, "cut_off": np.nan, "flagged": False},
            # Two equal pupils and one place: neither is in, and there is no cut-off.
            {"probability": 0.9, "school": 900003, "capacity": 1, "cut_off": np.nan, "flagged": False},
            {"probability": 0.9, "school": 900003, "capacity": 1, "cut_off": np.nan, "flagged": False},
        )
    )
    assert rows["pupil"].tolist() == [0, 4]
    assert (rows["x"] >= 0).tolist() == [True, False]


def test_where_everybody_fits_in_the_rules_own_level_is_the_cut_off():
    rows = near_cut_off(
        log(
            {"probability": 0.2, "cut_off": np.nan},
            {"probability": 0.09, "cut_off": np.nan, "flagged": False, "eligible": False},
        )
    )
    assert (rows["x"] >= 0).tolist() == [True, False]


def test_a_log_whose_flags_are_not_its_cut_offs_is_refused():
    with pytest.raises(LogDiffers, match="every row is of the rule of its own model"):
        near_cut_off(log({"probability": 0.5, "flagged": False}))


def test_the_allocation_itself_is_what_the_design_reads():
    """Every flag of a network drawn through `allocate` is where the distance is 0 or more, and nowhere else."""
    rng = np.random.default_rng(3)
    weeks, pupils = 12, 60
    odds = np.cumsum(rng.normal(0, 0.4, (weeks, pupils)), axis=0) - 2
    scores = pd.DataFrame(
        {
            "pupil": np.tile(np.arange(pupils), weeks),
            "as_of": np.repeat([np.datetime64(FIRST + timedelta(weeks=at), "s") for at in range(weeks)], pupils),
            "school": np.tile(np.arange(pupils) % 3, weeks),
            "year_group": "9",
            "abstain": "",
            "probability": (1 / (1 + np.exp(-odds))).ravel(),
        }
    )
    roll = scores[["school", "as_of"]].drop_duplicates().assign(roll=300)
    rule = FlagRule(
        level_least=0.1, rise="median", rise_least=0.1, past_weeks=8, past_least=3, since_weeks=6, snooze_weeks=3,
        capacity_share=0.005, capacity_min=1, capacity_max=15,
    )  # fmt: skip
    made = allocate(scores, roll, rule).assign(term=0, level_least=0.1, rise_asked=True)
    rows = near_cut_off(made)
    assert rows["flagged"].sum() == made["flagged"].sum() > 20
    near = first_in_term(rows)
    assert not near.duplicated(["pupil", "term"]).any()
    earlier = rows[rows["x"].abs() <= 0.5].groupby("pupil")["as_of"].min()
    assert near.set_index("pupil")["as_of"].to_dict() == earlier.to_dict()


def test_a_pupil_just_missed_may_be_flagged_a_week_later():
    days = [np.datetime64("2025-09-08", "s") + np.timedelta64(7 * week, "D") for week in range(8)]
    made = pd.DataFrame({"pupil": 1, "as_of": days, "flagged": [False, False, True, False, False, False, False, True]})
    rows = made.iloc[[0, 2, 3]]
    assert later_flags(made, rows, 5).tolist() == pytest.approx([2, np.nan, 4], nan_ok=True)


def test_a_planted_jump_is_found_and_its_interval_holds_it():
    rows = pupil_terms(2_000)
    found = effect(rows, planted(rows, -0.3))
    assert found.estimate == pytest.approx(-0.3, abs=3 * found.error)
    assert found.lower < -0.3 < found.upper < 0
    assert found.chance < 0.001
    assert (found.above + found.below, found.schools) == (2_000, 12)


def test_without_noise_the_jump_is_exact_whatever_bends_and_whichever_schools_differ():
    """A quadratic on each side and a level for each school's term are what the regression holds."""
    rows = pupil_terms(400)
    found = effect(rows, planted(rows, 0.25, noise=0.0))
    assert found.estimate == pytest.approx(0.25, abs=1e-9)
    assert found.error < 1e-9


def test_ours_is_rdrobusts_own_estimate_with_the_window_as_both_bandwidths():
    """Where every school has pupils at the same distances, its own level takes nothing from the rest."""
    pytest.importorskip("rdrobust", reason="the optional extra impact")
    from learning.impact.textbook import textbook

    x = np.tile(np.random.default_rng(4).uniform(-0.49, 0.49, 90), 10)
    rows = pd.DataFrame({"pupil": np.arange(900), "school": np.repeat(np.arange(10), 90), "term": 0, "x": x})
    outcome = np.random.default_rng(5).normal(0, 1, 900) + 0.4 * (x >= 0)
    ours, their = effect(rows, outcome), textbook(x, outcome, first_schools(rows), window=0.5)
    assert ours.estimate == pytest.approx(their.estimate, abs=1e-9)
    assert their.bandwidth == 0.5


def test_too_few_near_the_cut_off_is_said_in_words():
    rows = pupil_terms(100)
    few = rows[(rows["x"] < 0) | (rows.index < 20)]
    with pytest.raises(TooFew, match=r"just above it, and 30 on each side are the least; wait for another term"):
        effect(few, planted(few, 0.0))
    with pytest.raises(TooFew, match="8 are the least for an interval that can be trusted"):
        effect(rows.assign(school=900001 + rows.index % 7), planted(rows, 0.0))


def test_a_row_without_an_outcome_and_one_beyond_the_window_count_for_nothing():
    rows = pupil_terms(600)
    outcome = planted(rows, -0.2)
    more = pd.concat([rows, rows.assign(pupil=rows["pupil"] + 1000), rows.assign(pupil=rows["pupil"] + 2000, x=0.9)])
    both = np.concatenate([outcome, np.full(600, np.nan), outcome + 50])
    assert effect(more, both) == effect(rows, outcome)


def test_a_pupil_who_changed_school_is_in_one_cluster():
    rows = pd.DataFrame(
        {
            "pupil": [1, 2, 1],
            "as_of": pd.to_datetime(["2025-09-08", "2025-09-08", "2025-02-03"]),
            "school": [10, 11, 12],
        }
    )
    assert first_schools(rows).tolist() == [12, 11, 12]


def test_the_effect_of_support_is_the_flags_effect_over_the_share_that_took_it_up():
    """A jump of -0.2 where support rises by 0.5 is -0.4 for each pupil who took it up."""
    rows = pupil_terms(3_000)
    outcome, support = planted(rows, -0.2), planted(rows, 0.5, seed=9)
    found = ratio(effect(rows, outcome), effect(rows, support), effect(rows, outcome + support))
    assert found is not None
    value, lower, upper = found
    assert value == pytest.approx(-0.4, abs=0.05)
    assert lower < -0.4 < upper
    nobody = planted(rows, 0.0, seed=9)
    assert ratio(effect(rows, outcome), effect(rows, nobody), effect(rows, outcome + nobody)) is None
