"""What is concluded: never more than an interval says, and nothing of a comparison whose sides were not alike."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from learning.impact.discontinuity import Effect, TooFew, effect
from learning.impact.payload import Material, payload_of
from learning.impact.registration import EXAMPLE, Outcome, study_of
from learning.impact.sample import drawn_effect
from learning.impact.verdict import conclude, more_needed
from tests.impact_made_up import MADE_UP, planted, pupil_terms

SUSPENDED = Outcome(name="suspended", worth=0.05)


def found(lower: float, upper: float) -> Effect:
    """Return an effect of 400 pupil-terms of 20 schools with this interval: its t quantile of 19 is 2.093."""
    middle = (lower + upper) / 2
    return Effect(
        estimate=middle, lower=lower, upper=upper, error=(upper - middle) / 2.093, above=100, below=300, schools=20
    )


@pytest.mark.parametrize(
    ("lower", "upper", "word", "sentence"),
    [
        (-0.09, -0.01, "helps", "Being flagged helps. After a flag, 5.0 fewer pupils in every 100"),
        (0.01, 0.09, "harms", "Being flagged does harm. After a flag, 5.0 more pupils in every 100"),
        (-0.04, 0.03, "no_difference", "makes no difference worth knowing"),
        (-0.12, 0.04, "cannot_tell", r"\(95 % interval: 12.0 fewer to 4.0 more\)"),
    ],
)
def test_the_interval_decides_what_is_said(lower, upper, word, sentence):
    said = conclude(SUSPENDED, found(lower, upper))
    assert said.word == word
    assert re.search(sentence, said.sentence)


def test_where_nobody_can_tell_it_says_how_many_more_it_takes():
    """A half-width of .08 is an error of .0382; 2.093 + .861 times it is .113, 2.257 times .05: 5.09 times 400."""
    said = conclude(SUSPENDED, found(-0.12, 0.04))
    assert more_needed(SUSPENDED, found(-0.12, 0.04)) == pytest.approx(1638, abs=8)
    assert said.settles.startswith(
        "We would need about 1,700 more pupil-terms near the cut-off to find an effect of 5.0"
    )


def test_an_effect_between_sides_that_were_not_alike_is_not_believed():
    said = conclude(SUSPENDED, found(-0.09, -0.01), sound=False)
    assert said.word == "not_believed"
    assert "helps" not in said.sentence


def material(effect: float, *, count: int = 1_200, differ: float = 0.0) -> Material:
    rng = np.random.default_rng(11)
    rows = pupil_terms(count).assign(probability=0.3, crossed=0.0, year_group="9")
    above = rows["x"].to_numpy() >= 0
    outcomes = {
        "suspended": (rng.random(count) < 0.3 + effect * above).astype(float),
        "missed": planted(rows, effect / 2, noise=0.05),
        "incidents": planted(rows, 0.0, noise=1.0),
        "supported": (rng.random(count) < 0.1 + 0.5 * above).astype(float),
    }
    return Material(rows=rows, outcomes=outcomes, before={"incidents": planted(rows, differ, noise=0.2, seed=4)})


def test_a_result_holds_what_the_page_shows_and_no_count_that_is_not_rounded():
    pytest.importorskip("rdrobust", reason="the optional extra impact")
    made = payload_of(study_of(EXAMPLE), material(-0.25))
    assert made["word"] == "helps"
    assert set(made) == set(MADE_UP)
    assert set(made["outcomes"][0]) == set(MADE_UP["outcomes"][0])
    assert made["near"]["above"] % 5 == made["near"]["below"] % 5 == 0
    said = "Of pupils just missed, 8\N{NO-BREAK SPACE}% had support; with a flag it is 57 points more"
    assert said in made["support"]["sentence"]
    spoiled = payload_of(study_of(EXAMPLE), material(-0.25, differ=0.5))
    assert spoiled["word"] == "not_believed"
    assert any(check["passed"] is False for check in spoiled["checks"])


def test_the_first_outcome_decides_and_the_others_share_what_chance_is_left():
    """Two others: each interval is one that holds 97.5 times in 100, wider by the quotient of the two quantiles."""
    pytest.importorskip("rdrobust", reason="the optional extra impact")
    made = payload_of(study_of(EXAMPLE), material(-0.25))
    assert [one["level"] for one in made["outcomes"]] == [95.0, 97.5, 97.5]
    assert "(97.5 % interval: " in made["outcomes"][1]["sentence"]
    rows = pupil_terms(1_200)
    alone, beside = (effect(rows, planted(rows, -0.3), together=together) for together in (1, 2))
    wider = stats.t.ppf(0.9875, alone.freedom) / stats.t.ppf(0.975, alone.freedom)
    assert beside.upper - beside.lower == pytest.approx(wider * (alone.upper - alone.lower))
    assert beside.estimate == alone.estimate


def test_too_few_pupils_are_answered_in_words():
    made = payload_of(study_of(EXAMPLE), material(-0.25, count=40))
    assert made["word"] == "too_few"
    assert "30 on each side are the least" in made["sentence"]
    assert set(made) == set(MADE_UP)


def test_pupils_drawn_at_random_are_compared_within_their_school_week():
    """Forty school-weeks, each with two drawn of ten, levels far apart: the drawn have exactly 0.5 less."""
    rows = pd.DataFrame(
        {
            "pupil": np.arange(400),
            "school": np.repeat(np.arange(8), 50),
            "as_of": np.datetime64("2026-01-05", "s") + np.repeat(np.arange(40), 10) % 5 * np.timedelta64(7, "D"),
            "drawn": np.tile([True, True, *[False] * 8], 40),
        }
    )
    outcome = rows.groupby(["school", "as_of"]).ngroup().to_numpy() * 10.0 - 0.5 * rows["drawn"].to_numpy()
    assert drawn_effect(rows, outcome).estimate == pytest.approx(-0.5)
    with pytest.raises(TooFew, match="20 pupils were drawn at random and can be compared, and 30 are the least"):
        drawn_effect(rows[:100], outcome[:100])
