"""The search: resumed it is the same search, its aims are worked by hand, and its file is read with care."""

from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fairness.policy import read_policy
from fairness.shortfall import worst_shortfall
from tests.training_factory import made_up
from training import settings_file
from training.fitting import Part, part_of
from training.search import NothingToJudge, search, within_capacity
from training.settings import TUNABLE, SettingRefused, Settings
from training.settings_file import read_settings, settings_text

SETTINGS = Settings(rounds_most=12, patience=4, processes=1, threads=1)


@pytest.fixture(scope="module")
def part() -> Part:
    data, _, when = made_up(SETTINGS, pupils=240)
    return part_of(data, when.train)


def nobody(rows: pd.DataFrame) -> float:
    return float("nan")


def test_a_search_that_was_cut_off_is_the_search_in_one(part: Part, tmp_path: Path) -> None:
    """Ten trials, cut off in the fifth: past the sampler's random start, what was learned before is used."""
    whole = search(part, SETTINGS, nobody, trials=10, journal=tmp_path / "whole.log")
    judged = count()

    def cut_off(rows: pd.DataFrame) -> float:
        if next(judged) == 4:
            raise KeyboardInterrupt
        return nobody(rows)

    with pytest.raises(KeyboardInterrupt):
        search(part, SETTINGS, cut_off, trials=10, journal=tmp_path / "parts.log")
    assert len(search(part, SETTINGS, nobody, trials=0, journal=tmp_path / "parts.log").trials) == 4
    resumed = search(part, SETTINGS, nobody, trials=6, journal=tmp_path / "parts.log")
    assert len(whole.trials) == 10
    assert resumed == whole


def test_none_of_the_best_is_beaten_in_every_aim(part: Part, tmp_path: Path) -> None:
    found = search(part, SETTINGS, lambda rows: rows["listed"].mean(), trials=6, journal=tmp_path / "search.log")
    best = [trial for trial in found.trials if trial.number in found.best]
    assert best
    for one in best:
        for other in found.trials:
            better = (other.recall > one.recall, other.shortfall < one.shortfall, other.leaves < one.leaves)
            worse = (other.recall < one.recall, other.shortfall > one.shortfall, other.leaves > one.leaves)
            assert any(worse) or not any(better)


def test_other_settings_or_rows_begin_a_search_of_their_own(part: Part, tmp_path: Path) -> None:
    journal = tmp_path / "search.log"
    search(part, SETTINGS, nobody, trials=1, journal=journal)
    assert len(search(part, replace(SETTINGS, seed=3), nobody, trials=1, journal=journal).trials) == 1
    fewer = Part(part.matrix.where(np.arange(len(part.matrix)) > 0), part.outcomes[1:])
    assert len(search(fewer, SETTINGS, nobody, trials=1, journal=journal).trials) == 1


def test_rows_without_a_suspension_are_refused(part: Part, tmp_path: Path) -> None:
    quiet = Part(part.matrix, np.zeros_like(part.outcomes))
    with pytest.raises(NothingToJudge, match="load more terms before a search"):
        search(quiet, SETTINGS, nobody, trials=1, journal=tmp_path / "search.log")


def test_a_fold_has_its_part_of_a_school_s_capacity() -> None:
    """Four hundred on roll and half a per cent make two places; half of the pupils judged have one of them."""
    day = np.datetime64("2025-03-03", "s")
    keys = pd.DataFrame({"pupil": np.arange(400), "as_of": day, "school": 1})
    judged = keys.iloc[:200].assign(outcome=0, score=np.arange(200.0))
    listed = within_capacity(judged, keys, Settings())
    assert listed.loc[listed["listed"], "pupil"].tolist() == [199]
    tied = within_capacity(judged.assign(score=1.0), keys, Settings())
    assert not tied["listed"].any()


def test_the_worst_group_s_shortfall_by_hand() -> None:
    """Of twenty girls suspended five were listed, of twenty boys fifteen: girls lack 0.5 of what boys have."""
    pupils = np.arange(40)
    groups = pd.DataFrame(
        {
            "sex": ["female"] * 20 + ["male"] * 20,
            "ethnicity": "White",
            "sen": "none",
            "fsm": "not",
            "eal": "not",
            "care": "none",
        },
        index=pd.Index(pupils, name="pupil"),
    )
    listed = np.r_[np.arange(20) < 5, np.arange(20) < 15]
    rows = pd.DataFrame({"pupil": pupils, "outcome": 1, "listed": listed})
    worst = worst_shortfall(groups, read_policy())
    assert worst(rows) == pytest.approx(0.5)
    assert np.isnan(worst(rows.assign(outcome=(pupils < 29).astype(int))))


def test_what_a_search_chose_is_read_back_as_it_was(tmp_path: Path) -> None:
    chosen = replace(Settings(), seed=5, boosting={"learning_rate": 0.05, "num_leaves": 6})
    file = tmp_path / "settings.toml"
    file.write_text(settings_text(chosen, "trial 3"), encoding="utf-8")
    assert read_settings(file, {"horizon_weeks": 6}).digest() == chosen.digest()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("horizon_weeks = 4", "settings.toml sets horizon_weeks, which the board's policy decides; take it out"),
        ("horizon_weeks = 0", "settings.toml: horizon_weeks is 0; it must be between 1 and 26"),
        ("capacity_share = 1.5", "settings.toml: capacity_share is 1.5; it must be between 0.0001 and 1.0"),
        ("capacity_share = nan", "settings.toml: capacity_share is nan; it must be between"),
        ("patience = 0", "settings.toml: patience is 0; it must be between 1 and 1000"),
        ("patience = 2.5", "patience is 2.5; write a whole number"),
        ("patience = true", "patience is True; write a number"),
        ('boosting = "deep"', "boosting is 'deep'; write a table of numbers"),
        ("boosting = 3", "settings.toml: boosting is 3; write a table: [boosting]"),
        ("[boosting]\nobjective = 3", "boosting has objective, which may not be set; allowed: "),
        ("[boosting]\nlearning_rate = 0", "boosting.learning_rate is 0; it must be between 0.001 and 1.0"),
        ("[boosting]\nnum_leaves = 7.5", "boosting.num_leaves is 7.5; write a whole number"),
        ("learning_rate = 0.1", "learning_rate belongs under [boosting]; move it there"),
        ("depth = 3", "settings.toml: no setting is called depth; there are outcome, horizon_weeks"),
        ("rounds_mos = 3", "no setting is called rounds_mos; did you mean rounds_most?"),
        ('metric = "beauty"', "metric is no setting: no file of settings chooses metrics: those a model is judged by"),
        ('features = ["ethnicity"]', "protected characteristics are for auditing only (docs/decisions.md, 14); take"),
        ("[ethnicity]\nuse = true", "settings.toml: ethnicity is no setting: features are declared"),
        ("depth", "is no TOML"),
    ],
)
def test_a_bad_file_is_refused_with_what_to_do(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingRefused) as refused:
        read_settings(file, {"horizon_weeks": 6, "capacity_share": 0.005})
    assert sentence in str(refused.value)


def test_every_parameter_that_may_be_set_has_a_range() -> None:
    assert set(settings_file._BOOSTING) == TUNABLE


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingRefused, match="cannot be read"):
        read_settings(tmp_path / "none.toml", {})
