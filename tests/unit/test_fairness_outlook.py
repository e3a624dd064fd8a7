"""What the gate will be able to say: limits that can hold, networks drawn in a moment, chances."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from fairness.outlook import foresee as foreseeing
from fairness.outlook import rates as rating
from fairness.outlook.chances import Chances, decision_of_drawn, judged_only, one, together
from fairness.outlook.feasible import LimitsRefused, check_limits, feasibility, flagged_share, fpr_of
from fairness.outlook.networks import Setting, draw
from fairness.outlook.rates import Rates, own_rates, published_rates, term_share
from fairness.outlook.sentences import limits_text, power_text
from fairness.outlook.table import Row, Table, enough, outlook, read_table
from fairness.policy import read_policy

POLICY = read_policy()
RATES = published_rates()
FAIR = Setting(pupils=20_000, schools=24, shares=RATES.shares, ratios=RATES.ratios, base_rate=RATES.base_rate)


def judging(*names, policy=POLICY):
    """Return the policy with these metrics judged as well."""
    return policy.model_copy(
        update={"metrics": tuple(m.model_copy(update={"gate": m.gate or m.name in names}) for m in policy.metrics)}
    )


def limiting(name, **changes):
    metrics = tuple(m.model_copy(update=changes) if m.name == name else m for m in POLICY.metrics)
    return POLICY.model_copy(update={"metrics": metrics})


class TestRates:
    def test_a_year_becomes_a_term(self, monkeypatch):
        """Once a year: a term in three. Twice: 1 - (2/3)² = 5/9 of the terms."""
        monkeypatch.setattr(rating.published, "shares", lambda *_: {"1": 0.4, "2": 0.6})
        assert term_share() == pytest.approx(0.4 / 3 + 0.6 * 5 / 9)

    def test_published_rates_are_the_published_figures(self):
        """London's secondary schools 2023/24: 6.05 % suspended in the year; England 2016/17: 4.62 %, boys 6.40 %."""
        assert RATES.base_rate == pytest.approx(0.0605 * term_share())
        assert RATES.ratios["sex"]["male"] == pytest.approx(6.40 / 4.62)
        assert RATES.ratios["sen"]["support"] == pytest.approx(11.43 / 4.62)
        assert "2023/24, London" in RATES.source

    def test_a_networks_own_records_come_first_where_they_hold_enough(self, monkeypatch):
        """200 pupils on roll, 40 of them suspended in the year: 30 of the 100 girls, 10 of the 100 boys.

        Ten are too few to say how often boys are: they have the published ratio.
        """
        pupils = np.arange(201)
        enrolments = pd.DataFrame(
            {"pupil": pupils, "school": pupils % 2, "leaving_date": [pd.NaT] * 200 + [pd.Timestamp("2024-07-01")]}
        )
        starts = pd.to_datetime(["2026-01-05"] * 40 + ["2024-01-05"])
        suspensions = pd.DataFrame(
            {"pupil": [*range(30), *range(100, 110), 50], "category": "SUSP", "start_date": starts}
        )
        members = pd.DataFrame(
            {"sex": np.where(pupils < 100, "female", "male"), "ethnicity": "White", "sen": "none"}, index=pupils
        ).assign(fsm="not", eal="not", care="none")
        monkeypatch.setattr(rating, "Store", lambda home: SimpleNamespace(shards=[0], history=lambda shard: None))
        monkeypatch.setattr(rating, "ProtectedStore", lambda home: None)
        tables = {"enrolments": enrolments, "suspensions": suspensions}
        monkeypatch.setattr(rating, "known_table", lambda history, name, today: tables[name])
        monkeypatch.setattr(rating, "groups", lambda *_, **__: members)
        found = own_rates(None, POLICY, date(2026, 6, 1))
        assert (found.pupils, found.schools) == (200, 2)
        assert found.base_rate == pytest.approx(0.2 * term_share())
        assert found.ratios["sex"] == pytest.approx({"female": 1.5, "male": 6.40 / 4.62})
        assert found.shares["sex"] == pytest.approx({"female": 0.5, "male": 0.5})
        tables["suspensions"] = suspensions.iloc[:29]
        assert own_rates(None, POLICY, date(2026, 6, 1)) is None


class TestLimits:
    def test_the_identity_by_hand(self):
        """Of 1,000, 100 suspended: 60 found, 120 flagged, so 60 of the 900 others: PPV .5, TPR .6, FPR 1/15."""
        assert fpr_of(0.1, 0.5, 0.6) == pytest.approx(60 / 900)

    def test_the_shipped_policy_can_hold(self):
        check_limits(POLICY, RATES)
        found = feasibility(POLICY, RATES)
        support = next(row for row in found.implied if row.group == "support")
        assert support.base_rate == pytest.approx(0.0639, abs=1e-4)
        assert support.fpr == pytest.approx(0.0639 / 0.9361 * 4 * 0.25, abs=1e-3)
        assert support.ratio > 2.5
        text = limits_text(POLICY, RATES, found)
        assert "SEN support" in text
        assert RATES.source in text

    def test_a_network_that_knows_nothing_of_an_attribute_is_not_asked_about_it(self):
        """No pupil's care group is known, and all are of one sex: nothing to compare, nothing impossible."""
        shares = dict(RATES.shares) | {"care": {"unknown": 1.0}, "sex": {"female": 1.0}}
        found = feasibility(POLICY, replace(RATES, shares=shares))
        assert not found.problems
        assert not {row.attribute for row in found.implied} & {"care", "sex"}

    def test_equal_recall_worth_and_false_positive_rates_cannot_be_had_at_unequal_base_rates(self):
        """The policy first had such a limit, and every model failed it (docs/decisions.md, 21)."""
        with pytest.raises(LimitsRefused, match=r"(?s)By sex .* cannot all hold.*FPR = p.*widen one of: .*fpr_ratio"):
            check_limits(judging("fpr_ratio"), RATES)

    def test_they_can_be_had_where_base_rates_are_equal_or_the_limit_is_wide(self):
        level = replace(RATES, ratios={column: dict.fromkeys(groups, 1.0) for column, groups in RATES.ratios.items()})
        check_limits(judging("fpr_ratio", "selection_ratio"), level)
        wide = limiting("fpr_ratio", limit=6.0)
        check_limits(judging("fpr_ratio", policy=wide), RATES)

    def test_equal_selection_cannot_be_had_with_the_other_limits(self):
        with pytest.raises(LimitsRefused, match="selection_ratio"):
            check_limits(judging("selection_ratio"), RATES)

    @pytest.mark.parametrize(("limit", "refused"), [(1.2, True), (1.4, False)])
    def test_the_edge_of_what_can_hold_by_hand(self, limit, refused):
        """Two halves with base rates .02 and .04, so odds 49/48 x 2 = 2.0417 apart.

        False alarms for each suspended may differ by 1.5 times at most, so false-positive rates must differ by
        2.0417 / 1.5 = 1.361 at least: a limit of 1.2 cannot hold, one of 1.4 can.
        """
        sex = POLICY.attribute("sex").model_copy(update={"report_only": ()})
        policy = judging("fpr_ratio", policy=limiting("fpr_ratio", limit=limit)).model_copy(
            update={"attributes": (sex,)}
        )
        rates = Rates(
            base_rate=0.03,
            ratios={"sex": {"female": 2 / 3, "male": 4 / 3}},
            shares={"sex": {"female": 0.5, "male": 0.5}},
            source="by hand",
        )
        assert bool(feasibility(policy, rates).problems) is refused

    def test_a_margin_that_nobody_can_fail_is_refused(self):
        """One flag a week in a school of 200,000 finds next to nobody, so nobody can be found .10 less often."""
        few = POLICY.model_copy(
            update={"capacity": POLICY.capacity.model_copy(update={"share_of_roll": 0.000005, "min": 1})}
        )
        assert flagged_share(few, roll=200_000) == pytest.approx(0.000065)
        with pytest.raises(LimitsRefused, match=r"metric recall: .* cannot fail anyone"):
            check_limits(few, RATES, roll=200_000)

    def test_a_floor_that_nobody_can_reach_is_refused(self):
        """Flags for 6.5 % of pupils are worth 1 / 0.065 = 15.4 times the base rate at most."""
        usefulness = POLICY.usefulness.model_copy(update={"precision_floor_times_base_rate": 17.0})
        with pytest.raises(LimitsRefused, match=r"no model can pass\. Set it under 15.4"):
            check_limits(POLICY.model_copy(update={"usefulness": usefulness}), RATES)


class TestDrawnNetworks:
    def test_a_fair_network_errs_alike_for_groups_whose_base_rates_differ(self):
        """60,000 pupils: recall by SEN support within three standard errors, base rates three times apart."""
        made = draw(replace(FAIR, pupils=60_000, schools=70), POLICY, np.random.default_rng(1))
        recall = next(tally for tally in made.tallies if tally.name == "recall")
        label = made.labels["sen"]
        mine = label.of_pupil[recall.pupil] == label.names.index("support")
        shares, numbers = zip(*((recall.hits[side].mean(), side.sum()) for side in (mine, ~mine)), strict=True)
        error = (0.3 * 0.7 / numbers[0] + 0.3 * 0.7 / numbers[1]) ** 0.5
        assert abs(shares[0] - shares[1]) < 3 * error
        of_support = label.of_pupil == label.names.index("support")
        assert made.positives[of_support].mean() > 2.2 * made.positives[~of_support].mean()
        assert {tally.name for tally in made.tallies} == {
            "recall", "false_alarms", "precision_ratio", "oe_ratio", "precision_lift",
        }  # fmt: skip

    def test_whom_the_dial_passes_over_the_gate_finds(self):
        quick = judged_only(
            POLICY.model_copy(update={"inference": POLICY.inference.model_copy(update={"replicates": 200})})
        )
        struck = replace(FAIR, passed_over=("ethnicity", "Black", 0.9))
        decision, _ = decision_of_drawn(draw(struck, quick, np.random.default_rng(3)), quick)
        assert decision.verdict == "FAIL"
        assert {(cell.attribute, cell.group) for cell in decision.failing} == {("ethnicity", "Black")}
        assert one(struck, quick, 4, 1).named == 1

    def test_a_small_network_settles_nothing(self):
        quick = judged_only(
            POLICY.model_copy(update={"inference": POLICY.inference.model_copy(update={"replicates": 200})})
        )
        found = together([one(replace(FAIR, pupils=2_000, schools=6), quick, 5, number) for number in range(3)])
        assert (found.draws, found.passed, found.open) == (3, 0, 3 - found.failed)
        assert found.settled["ethnicity"] == 0


def row(pupils, passed, named):
    fair = Chances(draws=100, passed=passed, failed=1, named=0, settled={"sex": passed})
    return Row(
        pupils=pupils, fair=fair, struck={"Black": Chances(draws=100, passed=0, failed=named, named=named, settled={})}
    )


class TestPower:
    def test_between_two_sizes_lies_a_straight_line_on_the_logarithm(self):
        """20,000 is half the way from 10,000 to 40,000."""
        table = Table(policy="", dials={}, rows=(row(10_000, 20, 50), row(40_000, 80, 100)))
        found = outlook(table, 20_000)
        assert (found.passed, found.struck["Black"], found.settled["sex"]) == pytest.approx((0.5, 0.75, 0.5))
        assert outlook(table, 1_000).passed == pytest.approx(0.2)
        assert enough(table, 0.5) == 20_000
        assert enough(table, 0.9) is None
        assert outlook(table, 1_000_000).passed == pytest.approx(0.8)

    def test_the_table_is_of_the_limits_that_belong_ships_with(self):
        assert read_table().policy == POLICY.deciding_digest, (
            "the limits changed: run `python -m benchmarks.gate_power --write` and commit fairness/outlook/power.json"
        )

    def test_other_limits_or_schools_are_drawn_on_the_spot(self, monkeypatch):
        drawn = []
        monkeypatch.setattr(foreseeing, "draws_for", lambda pupils: 2)
        monkeypatch.setattr(
            foreseeing,
            "one",
            lambda setting, *_: drawn.append(setting) or row(setting.pupils, 1, 1).fair,
        )
        assert foreseeing.foresee(POLICY, RATES, pupils=12_000).from_table
        assert not drawn
        other = limiting("recall", margin=0.15)
        assert not foreseeing.foresee(other, RATES, pupils=12_000).from_table
        found = foreseeing.foresee(POLICY, RATES, pupils=12_000, schools=60)
        assert not found.from_table
        assert {setting.schools for setting in drawn} == {14, 60}
        assert [setting.passed_over is None for setting in drawn[:6]] == [True, True, False, False, False, False]

    def test_the_words(self):
        told = power_text(POLICY, foreseeing.foresee(POLICY, RATES, pupils=12_000))
        assert "A network of 12,000 pupils in 14 schools" in told
        assert "With a network your size this gate can settle" in told
        assert "NOT_SETTLED, which is no pass" in told
