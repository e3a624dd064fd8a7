"""A study is registered before its outcomes exist, and what it can show is known before them too."""

from datetime import date

import numpy as np
import pytest

from learning.impact.discontinuity import effect
from learning.impact.power import expected_spread, power, unit_variance
from learning.impact.registration import (
    EXAMPLE,
    Study,
    StudyRefused,
    check_in_time,
    check_unchanged,
    read_study,
)
from tests.impact_made_up import pupil_terms


@pytest.fixture
def study(tmp_path) -> Study:
    (tmp_path / "impact.toml").write_text(EXAMPLE, "utf-8")
    return read_study(tmp_path / "impact.toml")


def written(tmp_path, *changes: tuple[str, str]):
    said = EXAMPLE
    for old, new in changes:
        assert old in said
        said = said.replace(old, new)
    path = tmp_path / "impact.toml"
    path.write_text(said, "utf-8")
    return path


def test_the_example_is_a_study_whose_first_outcome_decides(study):
    assert study.main.name == "suspended"
    assert [one.worth for one in study.outcome] == [0.05, 0.02, 0.5]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("first_week = 2026-01-05", "first_week = 2025-12-01"), "outcomes of weeks before the registration are known"),
        (('title = "Does', 'titel = "Does'), "title: Field required"),
        (('name = "missed"', 'name = "happiness"'), "Input should be 'suspended', 'missed' or 'incidents'"),
        (('name = "missed"', 'name = "suspended"'), "an outcome is named twice; name each once"),
        (("worth = 0.05", "worth = 0"), "greater than 0"),
        (("worth = 0.05", "worth = 0.05\nsubgroup = 'boys'"), "Extra inputs are not permitted"),
        (("[[outcome]]", "[[outcome"), "cannot be read as TOML"),
    ],
)
def test_a_file_that_cannot_be_a_study_is_refused_in_words(tmp_path, change, sentence):
    with pytest.raises(StudyRefused, match=sentence):
        read_study(written(tmp_path, change))


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(StudyRefused, match="--example` prints one to fill in"):
        read_study(tmp_path / "impact.toml")


def test_a_study_edited_after_it_was_registered_is_refused_and_its_lay_out_is_not(tmp_path, study):
    check_unchanged(read_study(written(tmp_path, ("\n[[outcome]]", "\n\n# laid out anew\n[[outcome]]"))), study.digest)
    edited = read_study(written(tmp_path, ("worth = 0.05", "worth = 0.01")))
    with pytest.raises(StudyRefused, match="was edited after it was registered"):
        check_unchanged(edited, study.digest)


def test_a_study_is_registered_on_the_day_that_it_says(study):
    check_in_time(study, date(2026, 1, 5))
    with pytest.raises(StudyRefused, match="today is 2026-01-06; a study is registered on the day it says"):
        check_in_time(study, date(2026, 1, 6))


def test_the_error_is_foretold_from_where_pupils_stood():
    """Outcomes of variance 4 that nobody looked at: the errors found in draws are as long as was foretold."""
    rows = pupil_terms(1_500, schools=30)
    foretold = 2 * np.sqrt(unit_variance(rows["x"].to_numpy()))
    jumps = [effect(rows, np.random.default_rng(seed).normal(0, 2, len(rows))).estimate for seed in range(200)]
    assert np.std(jumps) == pytest.approx(foretold, rel=0.15)


def test_an_effect_of_the_size_that_was_promised_is_found_four_times_in_five():
    """With schools that do not differ at all it is found a little more often than with those of real networks."""
    rows = pupil_terms(1_500, schools=30)
    promised = power(rows, spread=0.4, worth=0.1).detectable
    found = 0
    for seed in range(200):
        noise = np.random.default_rng(seed).normal(0, 0.4, len(rows))
        found += effect(rows, noise - promised * (rows["x"].to_numpy() >= 0)).upper < 0
    assert 0.75 < found / 200 < 0.97


def test_four_times_the_pupils_show_half_the_effect():
    rows = pupil_terms(1_000)
    one = power(rows, spread=0.3, worth=0.1)
    half = power(rows, spread=0.3, worth=one.detectable / 2)
    assert half.needed == pytest.approx(4 * one.near, rel=0.01)
    assert half.more == half.needed - one.near
    assert half.terms == 8, "500 a term"


def test_what_a_probability_leaves_open():
    assert expected_spread(np.array([0.5, 0.5])) == 0.5
    assert expected_spread(np.array([0.1])) == pytest.approx(0.3)


def test_with_nobody_on_one_side_nothing_can_be_foretold():
    rows = pupil_terms(300)
    with pytest.raises(ValueError, match="wait until the log holds both"):
        power(rows[rows["x"] < 0], spread=0.3, worth=0.1)
