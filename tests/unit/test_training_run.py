"""From a dataset to a candidate: the same bytes twice, reasons that add up, an honest record."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.catalogue import CATALOGUE
from features.matrix import Matrix
from records.home import create_home
from tests.training_factory import made_up
from training import registry
from training.bundle import read_verified
from training.candidate import Candidate, NoCandidate, load_candidate, save_candidate
from training.dataset import Dataset
from training.fitting import part_of
from training.matured import Hindsight
from training.model import MatrixRefused, fit
from training.reasons import MOST_AGAINST, MOST_FOR, reasons, reasons_of_row
from training.run import candidate_of
from training.scorer import MatrixMismatch, Scorer
from training.settings import Settings
from training.splits import Periods
from training.summary import explain
from training.week import week_of_matrix

SETTINGS = Settings(
    boosting={"learning_rate": 0.15, "num_leaves": 7, "min_data_in_leaf": 20}, rounds_most=30, patience=8, processes=1
)


@dataclass(frozen=True)
class Made:
    """A candidate and what it was made of."""

    data: Dataset
    when: Periods
    candidate: Candidate

    @property
    def scorer(self) -> Scorer:
        return Scorer(self.candidate.bundle)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    data, network, when = made_up(SETTINGS, pupils=240)
    came = data.outcomes.frame[data.outcomes.frame["outcome"] == 1].drop_duplicates(["pupil", "starts_on"])
    missed = came.assign(school=1, event_on=came["starts_on"])[["pupil", "school", "event_on"]]
    quiet = data.outcomes.frame[data.outcomes.frame["outcome"] == 0]
    helped = quiet.loc[quiet["pupil"] % 5 == 0, ["pupil", "as_of"]].assign(listed=quiet["pupil"] % 10 == 0)
    data = replace(data, hindsight=Hindsight(missed=missed, helped=helped))
    return Made(data, when, candidate_of(data, network, when, SETTINGS))


def small(made: Made, rows: int = 40) -> Matrix:
    return made.data.matrix.where(np.arange(len(made.data.matrix)) % (len(made.data.matrix) // rows) == 0)


def test_a_second_run_gives_the_same_digest_and_the_same_flags(made: Made) -> None:
    """And without what only hindsight knows: it measures a model and changes nothing in it."""
    data, network, when = made_up(SETTINGS, pupils=240)
    again = candidate_of(data, network, when, replace(SETTINGS, processes=2, threads=1))
    assert again.bundle.digest == made.candidate.bundle.digest
    pd.testing.assert_frame_equal(again.allocation, made.candidate.allocation)


def test_every_approach_is_measured_on_what_earlier_lists_missed(made: Made) -> None:
    rows = made.candidate.comparison
    assert rows["known_missed"].eq(len(made.data.hindsight.missed)).all()
    assert rows["positives_missed"].nunique() == 1
    assert 0 < rows["recall_missed"].iloc[0] < 1
    assert rows["recall_missed"].tolist() == (rows["found_missed"] / rows["positives_missed"]).tolist()


def test_labels_that_support_may_have_changed_are_counted_and_read_both_ways(made: Made) -> None:
    """A fifth of pupils have help whenever nothing happens to them: left out, the outcome is more usual."""
    said = made.candidate.data["helped"]
    learned = part_of(made.data, made.when.train)
    quiet = learned.matrix.keys[learned.outcomes == 0]
    assert said["helped"] == (quiet["pupil"] % 5 == 0).sum() > 0
    assert said["listed"] == quiet.loc[quiet["pupil"] % 10 == 0, "pupil"].nunique()
    assert said["rate_without"] == learned.outcomes.sum() / (said["rows"] - said["helped"]) > said["rate"]
    everyone, without = (made.candidate.evaluation.summary[name] for name in ("all", "without_helped"))
    assert without["precision"] == everyone["right"] / (everyone["flagged"] - without["left_out"])
    assert without["precision"] > everyone["precision"]


def test_other_threads_give_the_same_model(made: Made) -> None:
    part = part_of(made.data, made.when.train)
    texts = [fit(part.matrix, part.outcomes, (), replace(SETTINGS, threads=threads), {}).text for threads in (1, 2)]
    assert texts[0] == texts[1]


def test_the_candidate_says_which_data_and_dates_it_saw(made: Made) -> None:
    said = made.candidate.bundle.manifest
    assert said["data"]["tables"] == {"marks": 3}
    assert said["periods"]["audit"][0] == "2025-09-01"
    assert said["horizon_weeks"] == 6
    assert set(said["base_rates"]) == {"all", "PS", "SS"}
    first = made.candidate.comparison["approach"].tolist()
    assert first == ["model", "logistic", "rule_of_thumb", "prior_suspensions", "school_year_rate"]


def test_who_could_not_be_flagged_is_counted_with_the_reason(made: Made) -> None:
    data, network, when = made_up(SETTINGS, pupils=240)
    pupils = np.sort(data.matrix.keys["pupil"].unique())
    audit = data.matrix.keys["as_of"] >= pd.Timestamp(when.audit[0])
    # One pupil is too new until the third audited week, another has an objection throughout.
    new = (data.matrix.keys["pupil"] == pupils[0]) & (data.matrix.keys["as_of"] < pd.Timestamp(when.audit[3]))
    objects = data.matrix.keys["pupil"] == pupils[1]
    data.matrix.keys["abstain"] = np.select([new, objects], ["too_new", "objection"], "")
    found = candidate_of(data, network, when, replace(SETTINGS, resamples=0))
    assert found.data["abstained"] == {
        "objection": int((objects & audit).sum()),
        "too_new": 3,
        "short_past": SETTINGS.past_least,
    }
    log = found.allocation[found.allocation["pupil"] == pupils[0]]
    assert log["rise"].isna().sum() == SETTINGS.past_least
    assert not log.loc[log["rise"].isna(), "holds"].any()


def test_changing_what_came_during_the_audit_does_not_change_the_bundle(made: Made) -> None:
    """The label's gap: nothing after the first audited day may reach what is signed."""
    data, network, when = made_up(SETTINGS, pupils=240)
    late = data.outcomes.frame["as_of"] >= pd.Timestamp(when.audit[0])
    data.outcomes.frame.loc[late, "outcome"] = np.int8(0)
    assert candidate_of(data, network, when, SETTINGS).bundle.digest == made.candidate.bundle.digest
    early = data.outcomes.frame["as_of"] == pd.Timestamp(when.calibrate[-1])
    data.outcomes.frame.loc[early, "outcome"] = np.int8(0)
    assert candidate_of(data, network, when, SETTINGS).bundle.digest != made.candidate.bundle.digest


def test_a_candidate_saved_is_the_candidate_loaded(made: Made, tmp_path: Path) -> None:
    home = create_home(tmp_path / "h", demo=True)
    folder = save_candidate(home, made.candidate)
    assert folder.name == made.candidate.bundle.digest
    loaded = load_candidate(home, made.candidate.bundle.digest)
    pd.testing.assert_frame_equal(loaded.allocation, made.candidate.allocation)
    pd.testing.assert_frame_equal(loaded.evaluation.pupil_terms, made.candidate.evaluation.pupil_terms)
    assert loaded.periods == made.candidate.periods
    with pytest.raises(NoCandidate, match=f"the home holds {folder.name[:16]}"):
        load_candidate(home, "0" * 64)


def test_contributions_are_those_of_shap_and_add_up_to_the_raw_score(made: Made) -> None:
    matrix = small(made)
    found = made.scorer.contributions(matrix)
    assert found.sum(axis=1) == pytest.approx(made.scorer.raw(matrix))
    assert found[:, :-1] == pytest.approx(explain(made.candidate.bundle, matrix), abs=1e-12)


def test_a_matrix_of_another_catalogue_or_order_is_refused(made: Made) -> None:
    matrix = small(made)
    with pytest.raises(MatrixMismatch, match="another catalogue"):
        made.scorer.probabilities(replace(matrix, fingerprint="0" * 64))
    shuffled = Matrix(matrix.keys, matrix.values[:, ::-1], matrix.names[::-1], matrix.fingerprint)
    with pytest.raises(MatrixMismatch, match="another catalogue"):
        made.scorer.probabilities(shuffled)


def test_an_infinite_value_is_refused_by_name_and_nan_is_unknown(made: Made) -> None:
    matrix = small(made)
    values = matrix.values.copy()
    values[3, 0] = np.nan
    assert np.isfinite(made.scorer.probabilities(replace(matrix, values=values))).all()
    values[3, 0] = np.inf
    with pytest.raises(MatrixRefused, match=f"infinite values in {matrix.names[0]};"):
        made.scorer.probabilities(replace(matrix, values=values))


def test_one_outcome_only_is_refused(made: Made) -> None:
    matrix = small(made)
    with pytest.raises(MatrixRefused, match="training rows with 0 suspensions; both"):
        fit(matrix, np.zeros(len(matrix), np.int8), (), SETTINGS, {})


def test_who_abstains_has_no_probability(made: Made) -> None:
    matrix = small(made)
    keys = matrix.keys.assign(abstain=np.where(np.arange(len(matrix)) == 5, "serving", ""))
    chances = made.scorer.probabilities(replace(matrix, keys=keys))
    assert np.flatnonzero(np.isnan(chances)).tolist() == [5]


def test_a_week_scored_alone_gives_the_audits_own_rows(made: Made) -> None:
    log, last = made.candidate.allocation, pd.Timestamp(made.when.audit[-1])
    days = np.unique(made.data.matrix.keys["as_of"])
    recent = made.data.matrix.where((made.data.matrix.keys["as_of"] >= days[-1 - SETTINGS.weeks_back]).to_numpy(bool))
    earlier = log.loc[log["flagged"] & (log["as_of"] < last), ["pupil", "as_of"]]
    week = week_of_matrix(made.scorer, recent, made.when.audit[-1], earlier_flags=earlier)
    pd.testing.assert_frame_equal(week.allocation, log[log["as_of"] == last].reset_index(drop=True))
    flagged = set(week.allocation.loc[week.allocation["flagged"], "pupil"])
    assert set(week.why) == flagged
    assert flagged
    for pupil, said in week.why.items():
        mine = log[(log["pupil"] == pupil) & (log["as_of"] < last)].tail(made.scorer.rule.past_weeks)
        # Last at ease: the latest of the earlier weeks at or below their lower quartile.
        low = mine[mine["probability"] <= np.exp(np.quantile(np.log(mine["probability"]), 0.25)) * 1.02]
        assert said.eased is not None
        assert said.eased < week.allocation.set_index("pupil").loc[pupil, "probability"]
        assert pd.Timestamp(str(said.eased_on)) in set(low["as_of"])


def test_reasons_are_few_sided_and_never_of_a_group_twice(made: Made) -> None:
    for said in reasons(made.scorer, small(made)):
        ups, downs = [r for r in said if r.side == "for"], [r for r in said if r.side == "against"]
        assert len(ups) <= MOST_FOR
        assert len(downs) <= MOST_AGAINST
        assert len({reason.group for reason in said}) == len(said)
        assert list(said) == ups + downs


def test_a_reasons_share_and_sentence_by_hand() -> None:
    names = [feature.name for feature in CATALOGUE]
    values, parts = np.zeros(len(names)), np.zeros(len(names))
    for name, value, part in (
        ("incidents_4w", 5.0, 0.9),
        ("missed_rate_4w", 0.25, 0.2),
        ("late_rate_4w", 0.10, 0.04),
        ("suspensions_39w", 0.0, -0.3),
    ):
        values[names.index(name)], parts[names.index(name)] = value, part
    found = reasons_of_row(values, parts, CATALOGUE)
    # For: 0.9 + 0.2 + 0.04 = 1.14; lateness is under a twentieth of it and is not worth saying.
    assert [(r.group, r.side, r.share) for r in found] == [
        ("Behaviour", "for", "most"),
        ("Attendance", "for", "some"),
        ("Earlier suspensions", "against", "most"),
    ]
    assert found[1].sentence == "Missed 25% of sessions, illness aside, in the last 4 school weeks"
    assert found[2].sentence == "No suspension in the last year"
    assert not found[2].changeable


def test_of_each_side_what_people_can_change_comes_first() -> None:
    names = [feature.name for feature in CATALOGUE]
    values, parts = np.zeros(len(names)), np.zeros(len(names))
    for name, value, part in (
        ("suspensions_39w", 2.0, 0.9),
        ("late_rate_4w", 0.2, 0.2),
        ("half_term", 3.0, -0.4),
        ("missed_rate_4w", 0.0, -0.1),
    ):
        values[names.index(name)], parts[names.index(name)] = value, part
    assert [(reason.side, reason.group, reason.share) for reason in reasons_of_row(values, parts, CATALOGUE)] == [
        ("for", "Punctuality", "some"),
        ("for", "Earlier suspensions", "most"),
        ("against", "Attendance", "some"),
        ("against", "Year group and time of year", "most"),
    ]


def test_no_sentence_reads_backwards() -> None:
    names = [feature.name for feature in CATALOGUE]
    values, parts = np.zeros(len(names)), np.zeros(len(names))
    for name, value, part in (
        ("missed_rate_12w", 0.11, -0.6),  # below the usual of those at risk: weighs against, reads as for
        ("late_rate_4w", 0.0, -0.2),
        ("incidents_4w", 4.0, 0.5),
        ("suspensions_39w", 0.0, 0.4),
    ):
        values[names.index(name)], parts[names.index(name)] = value, part
    found = reasons_of_row(values, parts, CATALOGUE)
    assert [(reason.group, reason.side) for reason in found] == [("Behaviour", "for"), ("Punctuality", "against")]


@pytest.mark.parametrize(
    ("name", "value", "side"),
    [
        ("incidents_gap_39w", 2.0, "for"),  # close together, or far apart: one sentence says both
        ("incidents_gap_39w", 60.0, "against"),
        ("incidents_gap_change_39w", -5.0, "for"),
        ("incidents_gap_change_39w", 5.0, "against"),
    ],
)
def test_time_without_incidents_is_good_news(name: str, value: float, side: str) -> None:
    at = [feature.name for feature in CATALOGUE].index(name)
    values, parts = np.zeros(len(CATALOGUE)), np.zeros(len(CATALOGUE))
    values[at] = value
    for weight, wanted in ((0.5, "for"), (-0.5, "against")):
        parts[at] = weight
        said = [reason.side for reason in reasons_of_row(values, parts, CATALOGUE)]
        able = wanted == side or CATALOGUE[at].kind == "gap"
        assert said == ([wanted] if able else [])


def test_a_run_is_logged_registered_and_found_by_its_alias(made: Made, tmp_path: Path) -> None:
    bundle = made.candidate.bundle
    run = registry.log_run(tmp_path, bundle, parameters={"seed": 1}, metrics={"recall": 0.5, "lead": float("nan")})
    with pytest.raises(registry.NoVersion, match="no version of 'belong' has the alias 'champion'"):
        registry.resolve(tmp_path)
    number = registry.register(tmp_path, bundle, run)
    assert registry.version_of(tmp_path, bundle.digest) == number == "1"
    assert registry.version_of(tmp_path, "0" * 64) is None
    registry.move_alias(tmp_path, number)
    found = registry.resolve(tmp_path)
    assert found.digest == bundle.digest
    assert sorted(path.name for path in found.folder.iterdir()) == ["bundle.json", "model.txt"]
    assert read_verified(found.folder, found.digest).digest == bundle.digest
    registry.drop_alias(tmp_path)
    with pytest.raises(registry.NoVersion):
        registry.resolve(tmp_path)
