"""Approaches beside each other: whole pupils and whole schools drawn, and what one gains over the other."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from tests.flagged import WEEK1, WEEK2, ground_of, log_of
from training.comparison import Judged, compare, with_intervals
from training.evaluate import evaluate
from training.intervals import Rows, draws, interval, replicates
from training.metrics import average_precision, list_quality, observed_over_expected, recalibration
from training.settings import Settings
from training.text import text_abstained, text_schools, text_table, text_variants

STARTS = {1: date(2025, 9, 29), 3: date(2025, 9, 16), 4: date(2025, 9, 30)}
FIGURES = ("precision", "recall", "recall_10", "lift", "average_precision", "observed_over_expected")


def random_rows(seed: int, *, pupils: int = 60, schools: int = 5) -> Rows:
    """Return pupil-terms and snapshots in which nothing is certain, and scores have ties."""
    rng = np.random.default_rng(seed)
    school = 900001 + rng.integers(0, schools, pupils)
    come = rng.random(pupils) < 0.3
    listed = rng.random(pupils) < 0.4
    terms = pd.DataFrame({"pupil": np.arange(pupils), "school": school, "outcome": come, "flagged_any": listed})
    terms["permanent"] = come & (rng.random(pupils) < 0.2)
    terms["suspended"] = come
    terms["flagged"] = listed & (~come | (rng.random(pupils) < 0.7))
    terms["flagged_also"] = terms["flagged"] & (rng.random(pupils) < 0.5)
    weeks = pd.DataFrame({"pupil": np.repeat(np.arange(pupils), 3), "school": np.repeat(school, 3)})
    weeks["probability"] = rng.choice([0.05, 0.1, 0.2, 0.4, 0.8], len(weeks))
    weeks["outcome"] = (rng.random(len(weeks)) < weeks["probability"]).astype("int8")
    return Rows(terms.astype("int64"), weeks)


@pytest.mark.parametrize("cluster", ["pupil", "school"])
def test_every_draw_is_what_the_drawn_rows_themselves_say(cluster: str) -> None:
    rows = random_rows(3)
    ids = np.unique(rows.pupil_terms[cluster])
    found = replicates({"one": rows}, cluster, times=12, seed=5)["one"]
    [weights] = draws(len(ids), 12, 5, 12)
    assert (weights.sum(axis=1) == len(ids)).all()
    for at, weight in enumerate(weights):
        times = dict(zip(ids, weight.astype(int), strict=True))
        terms, weeks = (
            part.loc[part.index.repeat(part[cluster].map(times))] for part in (rows.pupil_terms, rows.snapshots)
        )
        said = list_quality(terms)
        came, chance = weeks["outcome"].to_numpy(np.int8), weeks["probability"].to_numpy()
        said["average_precision"] = average_precision(came, chance)
        said["observed_over_expected"] = observed_over_expected(came, chance)
        for figure in FIGURES:
            assert found[figure][at] == pytest.approx(said[figure], nan_ok=True), figure
        # One Newton step from the fit to everybody: near the fit to the draw, not equal to it.
        intercept, slope = recalibration(came, chance)
        assert found["calibration_slope"][at] == pytest.approx(slope, abs=0.12)
        assert found["calibration_intercept"][at] == pytest.approx(intercept, abs=0.12)


def test_one_cluster_drawn_again_and_again_is_the_whole() -> None:
    rows = random_rows(4, schools=1)
    found = replicates({"one": rows}, "school", times=20, seed=1)["one"]
    whole = list_quality(rows.pupil_terms)
    for figure in ("precision", "recall", "lift"):
        assert interval(found[figure]) == pytest.approx((whole[figure], whole[figure]))


def test_the_interval_of_a_share_is_as_wide_as_the_binomial_says() -> None:
    many = pd.DataFrame({"pupil": range(400), "school": 1, "outcome": 1, "permanent": 0, "suspended": 1})
    for name in ("flagged", "flagged_any", "flagged_also"):
        many[name] = (many["pupil"] % 2).astype("int64")
    weeks = pd.DataFrame({"pupil": range(400), "school": 1, "outcome": np.int8(1), "probability": 0.5})
    low, high = interval(replicates({"one": Rows(many, weeks)}, "pupil", times=2000, seed=2)["one"]["recall"])
    assert (low, high) == pytest.approx((0.5 - 1.96 * 0.025, 0.5 + 1.96 * 0.025), abs=0.006)


def test_a_pupils_weeks_and_terms_are_drawn_together() -> None:
    """Copies of a pupil's rows are no new evidence: the interval stays as wide as with one row each."""
    rows = random_rows(6)
    twice = Rows(
        pd.concat([rows.pupil_terms] * 2, ignore_index=True), pd.concat([rows.snapshots] * 2, ignore_index=True)
    )
    once, again = (replicates({"one": one}, "pupil", times=50, seed=3)["one"]["recall"] for one in (rows, twice))
    np.testing.assert_allclose(once, again)


def test_the_difference_is_of_the_same_draws() -> None:
    rows = random_rows(7)
    found = replicates({"one": rows, "other": rows}, "pupil", times=30, seed=4)
    np.testing.assert_array_equal(found["one"]["recall"], found["other"]["recall"])


def test_few_draws_at_once_are_the_same_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = random_rows(8)
    whole = replicates({"one": rows}, "pupil", times=9, seed=4)["one"]
    monkeypatch.setattr("training.intervals._AT_ONCE", 1)
    pieces = replicates({"one": rows}, "pupil", times=9, seed=4)["one"]
    assert {len(values) for values in pieces.values()} == {9}
    np.testing.assert_allclose(whole["recall"], pieces["recall"])


def test_an_interval_that_most_draws_do_not_have_is_not_given() -> None:
    assert np.isnan(interval(np.array([np.nan, np.nan, 0.5]))).all()
    assert interval(np.array([0.5, np.nan, 0.5])) == (0.5, 0.5)


def two(resamples: int) -> pd.DataFrame:
    on = ground_of(STARTS)
    logs = {"model": log_of(on, {(1, WEEK1), (2, WEEK1)}), "rule_of_thumb": log_of(on, {(3, WEEK2)})}
    return compare({name: Judged(log, evaluate(log, on)) for name, log in logs.items()}, Settings(resamples=resamples))


def test_a_row_for_each_approach_the_candidate_first_and_its_gain_on_the_others() -> None:
    found = two(40).set_index("approach")
    assert found.index.tolist() == ["model", "rule_of_thumb"]
    assert found["flags"].tolist() == [2, 1]
    assert found["flags_a_week"].tolist() == pytest.approx([2 / 3, 1 / 3]), "three as-of dates"
    assert found["recall"].tolist() == pytest.approx([1 / 3, 0.0])
    assert found.loc["rule_of_thumb", "recall_gain"] == pytest.approx(1 / 3)
    assert np.isnan(found.loc["model", "recall_gain"])
    assert found.loc["model", "recall_never_suspended"] == pytest.approx(1 / 2)
    assert (found["recall_lower"] <= found["recall"]).all()
    assert found.loc["model", "recall_lower"] < found.loc["model", "recall_upper"]
    assert found.loc["model", "recall_lower_school"] == found.loc["model", "recall"], "one school, drawn again"


def test_without_draws_there_are_figures_and_no_intervals() -> None:
    found = two(0)
    assert not [name for name in found if "_lower" in name]
    assert found["recall"].tolist() == pytest.approx([1 / 3, 0.0])


def test_the_table_in_plain_text_says_both_groups_and_the_gain() -> None:
    parts = text_table(two(40)).split("\n\n")
    titles = ["Everybody", "Never suspended before", "Percentages, and steadiness", "model less"]
    assert [part.split("  ")[0] for part in parts] == titles
    for part in parts:
        lines = part.splitlines()
        assert len({len(line) for line in lines}) == 1, "columns line up"
        assert len(lines[0]) <= 120
    assert parts[0].splitlines()[1].split()[:3] == ["model", "2", "0.500"]
    assert "+0.333" in parts[3]


def test_flag_rules_and_schools_are_told_too() -> None:
    rules = text_variants(two(0).assign(approach=["rise_quartile", "rise_none"])).splitlines()
    assert rules[1].split()[:4] == ["rise_quartile", "2", "0.500", "0.333"]
    schools = pd.DataFrame({"positives": [10, 12, 9], "precision": [0.1, 0.3, 0.9], "recall": 0.5, "recall_10": 0.25})
    told = text_schools(schools).splitlines()
    assert told[0].startswith("By school (2 of 3: those with 10 suspended pupil-terms or more)")
    assert told[1].split() == ["precision", "0.100", "0.200", "0.300"]


def test_silence_is_counted_and_explained() -> None:
    told = text_abstained({"too_new": 1200, "short_past": 7}).splitlines()
    assert told[1].startswith("     1,200  The pupil has been on roll for less than three school weeks")
    assert told[2] == "         7  Scored, with too few earlier weeks to say whether the figure is rising"
    assert text_abstained({}).endswith("none")


def test_the_summary_gets_the_ends_of_its_row() -> None:
    [row, _] = two(40).to_dict("records")
    found = with_intervals({"all": {"recall": 1 / 3}, "never_suspended_before": {"recall": 0.5}}, row)
    assert found["all"]["recall_lower"] == row["recall_lower"]
    assert found["never_suspended_before"]["recall_upper"] == row["recall_upper_never_suspended"]
