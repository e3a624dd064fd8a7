"""Run again, what changed is said; and the truth of a simulation stands beside a candidate."""

import os
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from records import delta
from records.arrow import schema_of
from records.home import Home, create_home
from records.pseudonym import create_pepper
from records.tables import TABLES
from serving.jobs import evaluating
from serving.jobs.evaluating import ScoresRefused, oracle_beside
from tests.factories import frame
from tests.training_factory import SCHOOLS, TERMS, TODAY, made_up
from training.candidate import Candidate, load_candidate, save_candidate
from training.dataset import Dataset
from training.rerun import last_run, since
from training.run import candidate_of
from training.settings import Settings

SETTINGS = Settings(
    boosting={"learning_rate": 0.15, "num_leaves": 7, "min_data_in_leaf": 20},
    rounds_most=20,
    patience=8,
    processes=1,
    resamples=20,
)


@dataclass(frozen=True)
class Saved:
    """A candidate saved in a home that holds its network's calendar."""

    home: Home
    data: Dataset
    candidate: Candidate


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    home = create_home(tmp_path_factory.mktemp("saved") / "home", demo=True, today=TODAY, shards=1)
    create_pepper(home, demo_seed=1)
    halves = [
        {"school": school, "name": name, "start_date": start, "end_date": end, "known_on": date(2023, 7, 1)}
        for school in SCHOOLS
        for name, start, end in TERMS
    ]
    schools = [
        {"school": school, "phase": phase, "known_on": date(2023, 7, 1)}
        for school, phase in zip(SCHOOLS, ("SS", "SS", "PS"), strict=True)
    ]
    for name, rows in (("calendars", halves), ("schools", schools)):
        table = TABLES[name]
        arrow = pa.Table.from_pandas(frame(name, rows), schema=schema_of(table), preserve_index=False)
        delta.append(home.history, table, [delta.Landing(name, arrow)], home.shards)
    data, network, when = made_up(SETTINGS, pupils=240)
    candidate = candidate_of(data, network, when, SETTINGS)
    save_candidate(home, candidate)
    return Saved(home, data, load_candidate(home, candidate.bundle.digest))


def truth(saved: Saved, *, share: float = 1.0) -> pd.DataFrame:
    """Return hazards that know exactly who will be suspended, of a share of the pupils."""
    rows = saved.data.outcomes.frame[["pupil", "as_of", "outcome"]]
    known = np.unique(rows["pupil"])[: int(share * rows["pupil"].nunique())]
    rows = rows[rows["pupil"].isin(known)]
    hazard = np.where(rows["outcome"] == 1, 0.2, 0.001) * (1 + rows["pupil"] % 97 / 1000)
    return pd.DataFrame({"upn": rows["pupil"].astype("str"), "week": rows["as_of"], "hazard": hazard})


@pytest.fixture
def numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a made-up pupil's number stand for a permanent number's pseudonym."""
    monkeypatch.setattr(evaluating, "pseudonyms", lambda upns, pepper: np.array([int(upn) for upn in upns], np.int64))


class TestTheOracle:
    @pytest.mark.usefixtures("numbers")
    def test_it_stands_beside_every_approach_and_finds_more(self, saved: Saved) -> None:
        beside = oracle_beside(saved.home, saved.candidate, truth(saved), "oracle")
        assert beside.found == 1.0
        names = beside.comparison["approach"].tolist()
        assert names == [*saved.candidate.comparison["approach"], "model, by rank alone", "oracle"]
        rows = beside.comparison.set_index("approach")
        assert rows.loc["oracle", "average_precision"] == pytest.approx(1.0)
        assert rows.loc["oracle", "recall"] > rows.loc["model, by rank alone", "recall"] >= rows.loc["model", "recall"]
        assert rows.loc["oracle", "recall_gain"] == pytest.approx(
            rows.loc["model", "recall"] - rows.loc["oracle", "recall"]
        )
        assert rows.loc["oracle", "recall_lower"] <= rows.loc["oracle", "recall"] <= rows.loc["oracle", "recall_upper"]

    @pytest.mark.usefixtures("numbers")
    def test_equal_rates_leave_no_list_empty(self, saved: Saved) -> None:
        equal = truth(saved).assign(hazard=0.15)
        rows = oracle_beside(saved.home, saved.candidate, equal, "oracle").comparison.set_index("approach")
        assert rows.loc["oracle", "flags"] >= rows.loc["model, by rank alone", "flags"] > 20

    @pytest.mark.usefixtures("numbers")
    def test_rows_without_a_truth_are_counted_and_too_many_are_refused(self, saved: Saved) -> None:
        beside = oracle_beside(saved.home, saved.candidate, truth(saved, share=0.75), "oracle")
        assert beside.found == pytest.approx(0.75)
        with pytest.raises(
            ScoresRefused, match="oracle holds a true hazard for 25% of the scored rows; give the truth"
        ):
            oracle_beside(saved.home, saved.candidate, truth(saved, share=0.25), "oracle")


class TestRunningAgain:
    def test_the_same_records_and_seed_give_the_same_bundle(self, saved: Saved) -> None:
        data, network, when = made_up(SETTINGS, pupils=240)
        again = candidate_of(data, network, when, replace(SETTINGS, threads=1))
        assert since(saved.candidate, again) == ("The same bundle, byte for byte.",)

    def test_with_one_more_week_it_is_another_and_says_what_changed(self, saved: Saved) -> None:
        data, network, when = made_up(SETTINGS, pupils=240, today=TODAY + timedelta(days=7))
        one_more = candidate_of(replace(data, versions={"marks": 4}), network, when, SETTINGS)
        assert one_more.bundle.digest != saved.candidate.bundle.digest
        said = since(saved.candidate, one_more)
        assert said[:2] == (
            "Records, marks: version 3 → 4",
            "Weeks, serve: 2026-04-13 to 2026-06-22 (10) → 2026-04-13 to 2026-06-29 (11)",
        )
        assert f"Training rows: the same {len_of(saved)}" in said
        assert "Model: the same bytes" in said
        assert "Flag rule: the same" in said

    def test_what_was_chosen_otherwise_is_named_with_what_it_did(self, saved: Saved) -> None:
        data, network, when = made_up(SETTINGS, pupils=200)
        chosen = replace(SETTINGS, snooze_weeks=4, inputs=("incidents_4w", "missed_rate_12w"), least_outcomes=10)
        said = since(saved.candidate, candidate_of(data, network, when, chosen))
        assert "Setting snooze_weeks: 6 → 4" in said
        assert 'Setting inputs: [] → ["incidents_4w", "missed_rate_12w"]' in said
        assert "Model: other bytes" in said
        assert any(line.startswith("Flag rule: ") and "snooze_weeks 6 → 4" in line for line in said)
        assert any(line.startswith("Held-out recall: ") for line in said)

    def test_the_last_run_is_the_one_saved_last(self, saved: Saved, tmp_path: Path) -> None:
        home = create_home(tmp_path / "home", demo=True)
        assert last_run(home) is None
        first = save_candidate(home, saved.candidate)
        manifest = {**saved.candidate.bundle.manifest, "horizon_weeks": 5}
        other = replace(saved.candidate, bundle=replace(saved.candidate.bundle, manifest=manifest))
        second = save_candidate(home, other)
        os.utime(first / "candidate.json", (1, 1))
        found = last_run(home)
        assert found is not None
        assert found.bundle.digest == second.name
        (second / "candidate.json").write_text("{}")
        assert last_run(home) is None, "what cannot be read is not compared with"


def len_of(saved: Saved) -> int:
    return int(saved.candidate.data["training_rows"])
