"""Rules and a regression: worked by hand, exact in their parts, and candidates like any other."""

import json
import math
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pytest

from features.catalogue import CATALOGUE
from features.matrix import Matrix
from records.home import create_home
from tests.training_factory import made_up
from training.baselines import RATE, NoApproach, check_approach, school_year_rate
from training.bundle import APPROACHES, read_verified
from training.candidate import Candidate, load_candidate, save_candidate
from training.dataset import Dataset
from training.fitting import bundle_of, fit_all, part_of
from training.kinds import KindRefused, model_of
from training.linear import MOST, Linear, LinearRefused, linear_from
from training.logistic import fit_linear
from training.reasons import reasons
from training.rules import RULES, RuleRefused, RuleScore, declared_rule
from training.run import By, candidate_of
from training.scorer import Scorer
from training.settings import Settings
from training.splits import TooFewTerms

NAMES = tuple(feature.name for feature in CATALOGUE)
SETTINGS = Settings(
    boosting={"learning_rate": 0.15, "num_leaves": 7, "min_data_in_leaf": 20},
    rounds_most=30,
    patience=8,
    processes=1,
    resamples=20,
)
CAN_BE_SERVED = ("logistic", "rule_of_thumb", "prior_suspensions")


def row(**known: float) -> np.ndarray:
    values = np.zeros((1, len(NAMES)))
    for name, value in known.items():
        values[0, NAMES.index(name)] = value
    return values


def chance(rule: str, **known: float) -> float:
    """Return a rule's score as if it were a probability."""
    [raw] = RuleScore(RULES[rule], NAMES).raw(row(**known))
    return 1 / (1 + math.exp(-raw))


class TestRules:
    def test_the_rule_of_thumb_speaks_past_either_limit_and_not_at_it(self) -> None:
        silent = chance("rule_of_thumb", missed_rate_12w=0.10, incidents_4w=2)
        assert silent == pytest.approx(0.25)
        # 0.19 is 0.09 past 0.10, in units of 0.90 that is 0.1; of the room of 0.49 a third is used: 0.1 of 0.3.
        assert chance("rule_of_thumb", missed_rate_12w=0.19) == pytest.approx(0.5 + 0.49 / 3)
        # Three incidents are one past two, in units of 30: 1/30 of 1/30 + 0.2.
        assert chance("rule_of_thumb", incidents_4w=3) == pytest.approx(0.5 + 0.49 / 7)
        both = chance("rule_of_thumb", missed_rate_12w=0.19, incidents_4w=3)
        assert both == pytest.approx(0.5 + 0.49 / 3), "the furthest decides"

    def test_what_is_not_known_meets_no_condition(self) -> None:
        assert chance("rule_of_thumb", missed_rate_12w=math.nan, incidents_4w=0) == pytest.approx(0.25)

    def test_prior_suspensions_put_more_and_recent_ones_first(self) -> None:
        none = chance("prior_suspensions", days_since_suspension_39w=195)
        old = chance("prior_suspensions", suspensions_117w=1, days_since_suspension_39w=195)
        recent = chance("prior_suspensions", suspensions_117w=1, suspensions_39w=1, days_since_suspension_39w=150)
        last_week = chance("prior_suspensions", suspensions_117w=1, suspensions_39w=1, days_since_suspension_39w=5)
        assert none == pytest.approx(0.25)
        assert 0.5 < old < recent < last_week
        # A quarter for one in three years: 0.25 of 2.25 of the room.
        assert old == pytest.approx(0.5 + 0.49 * 0.25 / 2.25)

    def test_the_parts_of_a_score_are_fair_shares_that_add_up(self) -> None:
        values = row(missed_rate_12w=0.19, incidents_4w=3)
        parts = RuleScore(RULES["rule_of_thumb"], NAMES).contributions(values)[0]
        logit = lambda share: math.log(share / (1 - share))  # noqa: E731 - as short as the formula
        nothing, absence, events = logit(0.25), logit(0.5 + 0.49 / 3), logit(0.5 + 0.49 / 7)
        # Either condition alone, or after the other; both together are worth the furthest, absence.
        assert parts[NAMES.index("missed_rate_12w")] == pytest.approx((absence - nothing + absence - events) / 2)
        assert parts[NAMES.index("incidents_4w")] == pytest.approx((events - nothing + absence - absence) / 2)
        assert parts[-1] == pytest.approx(nothing)
        assert np.count_nonzero(parts) == 3
        assert parts.sum() == pytest.approx(absence)

    def test_a_text_that_says_another_rule_is_refused(self) -> None:
        text = RULES["rule_of_thumb"].text()
        assert declared_rule(text) == RULES["rule_of_thumb"]
        eased = json.loads(text)
        eased["conditions"][0]["beyond"] = 0.2
        with pytest.raises(RuleRefused, match="'rule_of_thumb' says something else here"):
            declared_rule(json.dumps(eased, sort_keys=True, indent=1) + "\n")
        for wrong in ("{}", "a rule", '{"name": "astrology"}'):
            with pytest.raises(RuleRefused, match="there are rule_of_thumb, prior_suspensions"):
                declared_rule(wrong)
        with pytest.raises(KindRefused, match="called 'prior_suspensions' and holds the rule 'rule_of_thumb'"):
            model_of("rule", "prior_suspensions", text.encode(), NAMES)
        with pytest.raises(RuleRefused, match="reads missed_rate_12w, incidents_4w, which the catalogue lacks"):
            RuleScore(RULES["rule_of_thumb"], ("late_rate_2w",))
        with pytest.raises(KindRefused, match="there are booster, logistic and rule"):
            model_of("oracle", "oracle", b"", NAMES)


class TestRegression:
    # fill, mean, scale, weight, unknown
    TWO = Linear(("a", "b"), np.array([[1.0, 1.0, 2.0, 0.5, 0.25], [0.0, 4.0, 1.0, -1.0, 0.0]]), usual=-3.0)

    def test_parts_by_hand(self) -> None:
        found = self.TWO.contributions(np.array([[5.0, 3.0], [math.nan, 4.0], [1e9, 4.0]]))
        # (5 - 1) / 2 at 0.5; (3 - 4) / 1 at -1. Unknown: as usual, and 0.25 for being unknown. Cut off at eight.
        assert found.tolist() == [[1.0, 1.0, -3.0], [0.25, 0.0, -3.0], [0.5 * MOST, 0.0, -3.0]]
        assert self.TWO.raw(np.array([[5.0, 3.0]])).tolist() == [-1.0]

    def test_its_text_is_itself(self) -> None:
        again = linear_from(self.TWO.text(), ("a", "b"))
        assert again.coefficients.tolist() == self.TWO.coefficients.tolist()
        assert again.usual == -3.0
        with pytest.raises(LinearRefused, match="not those its manifest names"):
            linear_from(self.TWO.text(), ("b", "a"))
        for wrong in ("no", "[]", '{"usual": 1}', '{"usual": 1, "features": {"a": {"fill": 1}}}'):
            with pytest.raises(LinearRefused, match="train again"):
                linear_from(wrong, ("a",))

    def test_it_is_the_best_fit_under_its_penalty(self) -> None:
        """At the best fit the gradient is nought: sum of errors times each standardised value less its weight."""
        rng = np.random.default_rng(5)
        values = rng.normal(2.0, 3.0, (400, 3))
        values[rng.random(values.shape) < 0.1] = np.nan
        came = (rng.random(400) < 1 / (1 + np.exp(1 - np.nan_to_num(values[:, 0])))).astype(np.int8)
        keys = made_up(SETTINGS, pupils=8)[0].matrix.keys.head(400)
        found = fit_linear(Matrix(keys, values, ("a", "b", "c"), ""), came)
        fill, mean, scale, weight, unknown = found.coefficients.T
        missing = np.isnan(values)
        design = np.clip((np.where(missing, fill, values) - mean) / scale, -MOST, MOST)
        error = came - 1 / (1 + np.exp(-found.raw(values)))
        assert error.sum() == pytest.approx(0.0, abs=1e-4)
        assert error @ design == pytest.approx(weight, abs=1e-4)
        assert error @ (missing - missing.mean(axis=0)) == pytest.approx(unknown, abs=1e-4)

    def test_a_feature_always_unknown_weighs_nothing_when_it_is_known(self) -> None:
        data, _, _ = made_up(SETTINGS, pupils=30)
        values = data.matrix.values.copy()
        values[:, 0] = np.nan
        came = (values[:, NAMES.index("incidents_4w")] > 1).astype(np.int8)
        found = fit_linear(replace(data.matrix, values=values), came)
        assert found.contributions(data.matrix.values)[:, 0].tolist() == [0.0] * len(values)


def test_the_rate_of_school_and_year_group_is_drawn_to_the_networks() -> None:
    data, _, _ = made_up(SETTINGS, pupils=30)
    first = (data.matrix.keys["school"] == 900001).to_numpy()
    found = school_year_rate(data.matrix, first.astype(np.int8))
    groups = data.matrix.keys.groupby(["school", "year_group"]).size()
    many = int(groups[900001, "7"])
    assert found.known[900001, "7"] == pytest.approx((many + 200 / 3) / (many + 200))
    assert found.known[900002, "8"] < 1 / 3


@dataclass(frozen=True)
class Made:
    """Candidates of one dataset, by approach."""

    data: Dataset
    candidates: dict[str, Candidate]


@pytest.fixture(scope="module")
def made() -> Made:
    data, network, when = made_up(SETTINGS, pupils=240)
    return Made(
        data,
        {name: candidate_of(data, network, when, SETTINGS, by=By(approach=name)) for name in CAN_BE_SERVED},
    )


@pytest.mark.parametrize("approach", CAN_BE_SERVED)
class TestCandidates:
    def test_it_stands_first_and_beside_every_other(self, made: Made, approach: str) -> None:
        names = made.candidates[approach].comparison["approach"].tolist()
        assert names[0] == approach
        assert sorted(names[1:]) == sorted({"logistic", "rule_of_thumb", "prior_suspensions", RATE} - {approach})

    def test_its_bundle_comes_back_and_scores_as_in_training(
        self, made: Made, approach: str, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        candidate = made.candidates[approach]
        home = create_home(tmp_path_factory.mktemp(approach) / "home", demo=True)
        save_candidate(home, candidate)
        loaded = load_candidate(home, candidate.bundle.digest)
        scorer = Scorer(read_verified(home.candidates / candidate.bundle.digest, candidate.bundle.digest))
        assert (scorer.approach, scorer.kind) == (approach, APPROACHES[approach])
        keys = made.data.matrix.keys.assign(again=scorer.probabilities(made.data.matrix))
        both = loaded.allocation.merge(keys[["pupil", "as_of", "again"]], on=["pupil", "as_of"])
        assert len(both) == len(loaded.allocation) > 0
        np.testing.assert_array_equal(both["probability"], both["again"])

    def test_it_explains_itself_in_words_that_add_up(self, made: Made, approach: str) -> None:
        candidate = made.candidates[approach]
        scorer = Scorer(candidate.bundle)
        highest = candidate.allocation.nlargest(20, "probability")[["pupil", "as_of"]]
        asked = made.data.matrix.keys.merge(highest, how="left", indicator=True)["_merge"].eq("both").to_numpy()
        matrix = made.data.matrix.where(asked)
        assert len(matrix) == 20
        assert scorer.contributions(matrix).sum(axis=1) == pytest.approx(scorer.raw(matrix), abs=1e-9)
        for said in reasons(scorer, matrix):
            assert [reason for reason in said if reason.side == "for"], "whoever stands highest has a reason"
            assert all(reason.sentence for reason in said)
        assert scorer.means.startswith(("A statistical model", "attendance under 90%", "any suspension"))

    def test_made_again_it_has_the_same_digest(self, made: Made, approach: str) -> None:
        data, network, when = made_up(SETTINGS, pupils=240)
        part, one = part_of(data, when.train), replace(SETTINGS, threads=1)
        found = fit_all(data, part, network, when, one, approach=approach)
        again = bundle_of(found, part, when, made.candidates[approach].bundle.manifest["data"], one)
        assert again.digest == made.candidates[approach].bundle.digest


def test_a_rule_flags_who_meets_it_and_asks_for_no_rise(made: Made) -> None:
    candidate = made.candidates["rule_of_thumb"]
    assert candidate.bundle.manifest["flag_rule"]["rise"] == "none"
    keys = made.data.matrix.keys.assign(
        missed=made.data.matrix.values[:, NAMES.index("missed_rate_12w")],
        incidents=made.data.matrix.values[:, NAMES.index("incidents_4w")],
    )
    log = candidate.allocation.merge(keys, on=["pupil", "as_of"])
    meets = (log["missed"] > 0.10) | (log["incidents"] >= 3)
    assert meets.any()
    assert (log["holds"] == meets).all()
    assert log["rising_since"].isna().all()


def test_a_rule_needs_three_terms_and_a_model_six() -> None:
    begun = date(2024, 6, 17)
    data, network, when = made_up(SETTINGS, pupils=240, today=begun, trained=False)
    assert when.train == ()
    few = replace(SETTINGS, least_outcomes=10)
    candidate = candidate_of(data, network, when, few, by=By(approach="rule_of_thumb"))
    assert candidate.comparison["approach"].tolist() == ["rule_of_thumb", "prior_suspensions", RATE]
    assert candidate.bundle.manifest["periods"]["train"] == ["", "", "0"]
    assert Scorer(candidate.bundle).base_rates["all"] > 0
    with pytest.raises(TooFewTerms, match=r"training needs 6.*begin with a transparent rule: belong train --approach"):
        made_up(SETTINGS, pupils=4, today=begun)
    with pytest.raises(TooFewTerms, match="2 terms have begun by 2024-03-01; a rule needs 3"):
        made_up(SETTINGS, pupils=4, today=date(2024, 3, 1), trained=False)


def test_nobody_is_flagged_by_school_and_year_group_alone() -> None:
    with pytest.raises(NoApproach, match="nobody is flagged by it: it is there to be beaten; choose model, logistic"):
        check_approach(RATE)
    with pytest.raises(NoApproach, match="no approach is called 'oracle'; choose model"):
        check_approach("oracle")


def test_inputs_left_out_change_no_score(made: Made) -> None:
    data, network, when = made_up(SETTINGS, pupils=120)
    for approach in ("model", "logistic"):
        chosen = replace(SETTINGS, inputs=("incidents_4w", "missed_rate_12w"), least_outcomes=10)
        scorer = Scorer(candidate_of(data, network, when, chosen, by=By(approach=approach)).bundle)
        values = data.matrix.values.copy()
        for name in set(NAMES) - set(chosen.inputs):
            values[:, NAMES.index(name)] = 7.0
        np.testing.assert_array_equal(scorer.raw(data.matrix), scorer.raw(replace(data.matrix, values=values)))
        assert np.unique(scorer.raw(data.matrix)).size > 10
