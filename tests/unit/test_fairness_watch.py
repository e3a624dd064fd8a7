"""After deployment: alpha spent over looks, two readings of help, hysteresis, and signals without outcomes."""

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from fairness.findings import Audit, Cell
from fairness.policy import read_policy
from fairness.watch.course import Judgement, judged, plan, step
from fairness.watch.signals import Signal, drift, reviewing, same_season, selection, stability_index
from fairness.watch.spending import Look, looks, spent
from fairness.watch.telling import HELP_INFLATES, Helped, view

POLICY = read_policy()
# O'Brien-Fleming-type limits at one-sided 0.025, equally spaced looks, as Reboussin, DeMets, Kim and Lan's program
# and gsDesign's sfLDOF print them.
PUBLISHED = {
    2: (2.9626, 1.9686),
    3: (3.7103, 2.5114, 1.9930),
    4: (4.3326, 2.9631, 2.3590, 2.0141),
    5: (4.8769, 3.3569, 2.6803, 2.2898, 2.0310),
}


class TestSpending:
    @pytest.mark.parametrize("many", PUBLISHED)
    def test_the_published_limits(self, many):
        found = looks([(at + 1) / many for at in range(many)], 0.025)
        assert [look.limit for look in found] == pytest.approx(PUBLISHED[many], abs=2e-4)
        assert found[-1].spent == pytest.approx(0.025)

    def test_by_hand(self):
        """Half the information at alpha 0.05: 2 - 2 Phi(1.959964 / 0.707107) = 2 - 2 Phi(2.771808) = 0.005575."""
        assert spent(0.5, 0.05) == pytest.approx(0.005575, abs=1e-6)
        assert spent(1.0, 0.05) == pytest.approx(0.05)
        [only] = looks([1.0], 0.05)
        assert (only.limit, only.alpha) == (pytest.approx(1.644854, abs=1e-5), pytest.approx(0.05, abs=1e-7))

    def test_type_one_error_over_twenty_looks(self):
        """A model exactly at its limit, looked at 20 times: 200,000 courses (a second).

        Looked at each time at one-sided 0.025 it is called unfair 12.4 % of the time (gsDesign's own unit tests
        have that figure from Anderson 2008); with alpha spent over the looks, 2.5 %.
        """
        steps = np.random.default_rng(20261122).normal(size=(200_000, 20)) * math.sqrt(1 / 20)
        course = np.cumsum(steps, axis=1)
        shares = np.arange(1, 21) / 20
        z = course / np.sqrt(shares)
        error = 3 * math.sqrt(0.025 * 0.975 / 200_000)
        naive = float((z > 1.959964).any(axis=1).mean())
        assert naive == pytest.approx(0.124, abs=0.004)
        limits = np.array([look.limit for look in looks(shares.tolist(), 0.025)])
        assert float((z > limits).any(axis=1).mean()) == pytest.approx(0.025, abs=error)

    def test_looks_need_not_be_planned(self):
        """Uneven looks, chosen as they come, spend the same in the end (same draws, 200,000)."""
        shares = np.array([0.07, 0.1, 0.31, 0.64, 0.99, 1.0])
        steps = np.random.default_rng(7).normal(size=(200_000, 6)) * np.sqrt(np.diff(shares, prepend=0))
        z = np.cumsum(steps, axis=1) / np.sqrt(shares)
        limits = np.array([look.limit for look in looks(shares.tolist(), 0.05)])
        assert float((z > limits).any(axis=1).mean()) == pytest.approx(0.05, abs=0.0015)

    @pytest.mark.parametrize("shares", [[0.0], [1.1], [0.5, 0.5], [0.5, 0.4]])
    def test_shares_that_do_not_rise(self, shares):
        with pytest.raises(ValueError, match="information"):
            looks(shares, 0.05)


class TestThePlan:
    def test_only_a_look_with_news_is_a_look(self):
        assert plan([0, 0], 20, 0.05) is None
        first = plan([0, 1], 20, 0.05)
        assert first is not None
        assert first.share == 0.05
        assert plan([0, 1, 1], 20, 0.05) is None
        second = plan([0, 1, 1, 3], 20, 0.05)
        assert second is not None
        assert second.share == 0.15

    def test_what_a_look_may_spend_depends_on_those_before_it(self):
        alone, after = plan([20], 20, 0.05), plan([5, 10, 15, 20], 20, 0.05)
        assert alone is not None
        assert after is not None
        assert alone.alpha == pytest.approx(0.05, abs=1e-6)
        assert after.alpha < 0.05
        assert after.spent == pytest.approx(0.05)

    def test_past_the_plan_nothing_is_left_to_spend(self):
        last = plan([10, 22], 20, 0.05)
        assert last is not None
        assert last.share == 1.0
        assert plan([10, 22, 23], 20, 0.05) is None


def cell(p_outside: float, *, metric: str = "recall", group: str = "male", within: bool = False) -> Cell:
    ends = {"lower": -0.01, "upper": 0.02} if within else {"lower": 0.05, "upper": 0.3}
    return Cell(
        attribute="sex",
        group=group,
        metric=metric,
        gate="full",
        pupils=900,
        n=200,
        positives=90,
        rest_positives=90,
        estimate=0.2,
        rest_estimate=0.4,
        harm=0.2,
        p_outside=p_outside,
        effective_n=150.0,
        schools=30,
        **ends,
    )


def audit(*cells: Cell) -> Audit:
    return Audit(
        bundle_digest="b" * 64,
        policy_digest=POLICY.digest,
        period=(date(2026, 1, 12), date(2026, 3, 2)),
        created_on=date(2026, 5, 4),
        terms=("2025/26 Spring",),
        pupils=1800,
        pupil_terms=1800,
        schools=30,
        cells=cells,
        comparison=(),
        practice=(),
        base_rates={"SS": 0.05},
        evaluation_digest="0" * 64,
        made_with={},
    )


LOOK = Look(share=0.5, spent=0.0056, limit=2.53, alpha=0.0056)


class TestJudging:
    def test_outside_at_one_look_is_not_outside_over_all_looks(self):
        assert judged(audit(cell(0.02)), None, POLICY, LOOK).verdict == "NOT_SETTLED"
        found = judged(audit(cell(0.004)), None, POLICY, LOOK)
        assert found.verdict == "FAIL"
        assert [(one.group, one.metric) for one in found.failing] == [("male", "recall")]

    def test_holm_still_corrects_over_the_cells(self):
        """Two cells: the smaller p counts twice, 0.004 x 2 = 0.008 > 0.0056."""
        both = audit(cell(0.004), cell(0.9, group="female"))
        assert judged(both, None, POLICY, LOOK).verdict == "NOT_SETTLED"

    def test_a_failure_that_only_help_makes_is_none(self):
        as_counted, left_out = audit(cell(0.0001, metric="false_alarms")), audit(cell(0.4, metric="false_alarms"))
        found = judged(as_counted, left_out, POLICY, LOOK)
        assert found.verdict == "NOT_SETTLED"
        assert [one.metric for one in found.only_as_counted] == ["false_alarms"]
        assert judged(as_counted, as_counted, POLICY, LOOK).verdict == "FAIL"

    def test_every_cell_within_is_a_pass(self):
        assert judged(audit(cell(0.9, within=True)), None, POLICY, LOOK).verdict == "PASS"


@pytest.mark.parametrize(
    ("approved", "verdicts", "expected"),
    [
        ("PASS", [], "go_on"),
        ("PASS", ["PASS"], "go_on"),
        ("PASS", ["FAIL"], "suspend"),
        ("WAIVED", ["NOT_SETTLED", "FAIL"], "suspend"),
        ("PASS", ["NOT_SETTLED"], "go_on"),
        ("PASS", ["PASS", "NOT_SETTLED", "NOT_SETTLED"], "board_review"),
        ("PASS", ["NOT_SETTLED", "PASS", "NOT_SETTLED"], "go_on"),
        ("WAIVED", ["NOT_SETTLED", "NOT_SETTLED"], "go_on"),
        ("WAIVED", ["PASS", "NOT_SETTLED", "NOT_SETTLED"], "board_review"),
    ],
)
def test_one_failure_suspends_and_two_doubts_after_a_pass_ask_the_board(approved, verdicts, expected):
    assert step(approved, verdicts) == expected


class TestSignals:
    def test_the_stability_index_by_hand(self):
        """Tenths of 0..99; then everything in the lowest: 0.9 ln 10 + 9 x (0.1 - 0.0001) ln 1000, and no missing."""
        reference = np.arange(100.0)
        expected = 0.9 * math.log(10) + 9 * (0.1 - 0.0001) * math.log(1000)
        assert stability_index(reference, np.zeros(50)) == pytest.approx(expected, rel=1e-9)
        assert stability_index(reference, reference) == 0.0

    @pytest.mark.parametrize(
        ("day", "expected"),
        [
            ("2026-05-18", ["2026-02-23", "2026-03-02", "2026-03-09"]),
            ("2026-09-07", ["2025-09-01", "2025-09-08", "2025-09-15"]),
            ("2027-01-11", ["2026-01-05", "2026-01-12", "2026-01-19"]),
        ],
    )
    def test_a_week_is_held_against_weeks_of_the_same_season(self, day, expected):
        weeks = pd.Series(pd.date_range("2025-09-01", "2026-03-09", freq="7D"))
        assert same_season(weeks, pd.Timestamp(day)) == list(pd.to_datetime(expected))

    def test_drift_and_missing_values_are_named_and_the_furthest_comes_first(self):
        random = np.random.default_rng(1)
        then = pd.DataFrame({"steady": random.normal(size=900), "moved": random.normal(size=900)})
        now = pd.DataFrame({"steady": random.normal(size=900), "moved": random.normal(1.5, size=900)})
        now.loc[:200, "steady"] = np.nan
        found = {one.name: one for one in drift(then, now)}
        assert found["drift:moved"].alarm
        assert found["missing:steady"].value == pytest.approx(201 / 900, abs=1e-4)
        assert [one.alarm for one in drift(then, now)] == sorted((one.alarm for one in found.values()), reverse=True)
        assert not any(one.alarm for one in drift(then[["moved"]], then[["moved"]].sample(frac=1, random_state=1)))

    def groups(self, girls: int, boys: int) -> pd.DataFrame:
        sex = ["female"] * girls + ["male"] * boys
        others = {"ethnicity": "White", "sen": "none", "fsm": "not", "eal": "not"}
        return pd.DataFrame({"sex": sex, **others}, index=pd.RangeIndex(girls + boys, name="pupil"))

    def flags(self, girls: int, boys: int, of_girls: int, of_boys: int) -> pd.DataFrame:
        flagged = [at < of_girls for at in range(girls)] + [at < of_boys for at in range(boys)]
        return pd.DataFrame({"pupil": range(girls + boys), "flagged": flagged})

    def test_selection_that_moves_is_an_alarm(self):
        """Girls 20 of 400 and boys 60 of 400 in the audit; now 60 and 20: 0.05/0.1 = 0.5 becomes 1.5."""
        policy, groups = POLICY, self.groups(400, 400)
        found = {
            one.name: one
            for one in selection(self.flags(400, 400, 60, 20), self.flags(400, 400, 20, 60), groups, policy)
        }
        assert found["selection:sex:female"].value == 1.5
        assert found["selection:sex:female"].alarm
        assert "Girls (sex): flagged 1.50 times as often as all pupils; 0.50 in the audit" in (
            found["selection:sex:female"].sentence
        )
        assert found["selection:sex:male"].alarm

    def test_a_small_groups_share_is_hidden_and_so_is_the_one_that_would_give_it_away(self):
        groups = self.groups(400, 400)
        few = self.flags(400, 400, 4, 60)
        found = {one.name: one for one in selection(few, few, groups, POLICY)}
        for name in ("selection:sex:female", "selection:sex:male"):
            assert found[name].value is None
            assert "too few to show" in found[name].sentence

    @staticmethod
    def cases(agreed: int, of: int, seconds: float) -> pd.DataFrame:
        opened = pd.Timestamp("2026-01-12").as_unit("s")
        return pd.DataFrame(
            {
                "pupil": range(of),
                "as_of": opened,
                "opened_on": opened,
                "viewed_on": [opened + pd.Timedelta(days=1 if at < of // 2 else 5) for at in range(of)],
                "decided_on": opened + pd.Timedelta(days=6),
                "seconds": seconds,
                "agreed": pd.array([at < agreed for at in range(of)], dtype="boolean"),
                "helped": False,
            }
        )

    @pytest.mark.parametrize(
        ("agreed", "seconds", "alarms"),
        [(30, 60.0, set()), (39, 60.0, {"agreement"}), (30, 9.0, {"seconds"}), (40, 5.0, {"agreement", "seconds"})],
    )
    def test_rubber_stamps_are_an_alarm(self, agreed, seconds, alarms):
        found = reviewing(self.cases(agreed, 40, seconds), self.groups(40, 0), POLICY)
        assert {one.name for one in found if one.alarm} == alarms

    def test_who_waits_longer_for_somebody_to_look(self):
        """The first half waits one day and the second five; all together the middle is three."""
        found = {one.name: one for one in reviewing(self.cases(30, 40, 60.0), self.groups(20, 20), POLICY)}
        assert (found["waiting:sex:female"].value, found["waiting:sex:male"].value) == (1.0, 5.0)
        assert found["waiting:sex:male"].alarm
        assert not found["waiting:sex:female"].alarm
        few = {one.name: one for one in reviewing(self.cases(30, 40, 60.0), self.groups(35, 5), POLICY)}
        assert few["waiting:sex:male"].value is None
        assert few["waiting:sex:female"].value is None

    def test_too_few_decisions_say_nothing(self):
        [only] = reviewing(self.cases(19, 19, 1.0), self.groups(19, 0), POLICY)
        assert not only.alarm
        assert only.value is None


class TestTelling:
    def test_help_is_said_to_inflate_false_alarms_and_a_small_number_is_not_given(self):
        judgement = Judgement(verdict="PASS")
        few = view(judgement, "go_on", [], look=LOOK, helped=Helped(left_out=3), rule=POLICY.disclosure)
        many = view(
            judgement, "go_on", [], look=LOOK, helped=Helped(left_out=31, right=40, flagged=200), rule=POLICY.disclosure
        )
        assert any(
            said.startswith("Some pupils were flagged, helped") and HELP_INFLATES in said for said in few["sentences"]
        )
        (both,) = (said for said in many["sentences"] if said.startswith("About 30 pupils were flagged, helped"))
        # 40 of 200, and of the 169 that are left: 23.7 %.
        assert both.endswith("20% of flags were right; with them left out, 24%.")
        assert not any("left out" in said for said in few["sentences"])
        assert any("once in 179 times" in said for said in few["sentences"])

    def test_a_failure_names_the_group_and_the_figure_and_no_number(self):
        found = judged(audit(cell(0.0001)), None, POLICY, LOOK)
        said = view(
            found,
            "suspend",
            [Signal(name="late", sentence="Late.", alarm=True)],
            look=LOOK,
            helped=Helped(left_out=0),
            rule=POLICY.disclosure,
        )
        assert said["sentences"][0] == "Outside a limit: Boys, pupils who needed help and were flagged in time."
        assert (said["follows"], said["alarms"]) == (
            "Nothing is scored until people have audited and signed anew.",
            ["Late."],
        )

    def test_many_signals_become_few_sentences(self):
        signals = [
            Signal(name="agreement", sentence="Everyone agrees.", alarm=True, value=0.97),
            *(Signal(name=f"drift:f{at}", sentence="-", alarm=True, value=0.5) for at in range(10)),
            Signal(name="missing:f1", sentence="-", alarm=True, value=0.2),
            Signal(name="drift:score", sentence="Scores are steady (index 0.02).", alarm=False, value=0.02),
            *(Signal(name=f"selection:sex:{who}", sentence="-", alarm=False) for who in ("male", "female")),
            Signal(name="late", sentence="Up to date.", alarm=False, value=0.0),
        ]
        said = view(
            Judgement(verdict="NOT_YET"), "go_on", signals, look=None, helped=Helped(left_out=0), rule=POLICY.disclosure
        )
        assert said["alarms"][0] == "Everyone agrees."
        assert said["alarms"][1].endswith("f6 (0.50), f7 (0.50), and 2 more in the home's watches folder.")
        assert said["alarms"][2] == "Values missing more often, or less, than in the audit: f1 (0.20)."
        assert said["signals"] == [
            "Up to date.",
            "Scores are steady (index 0.02).",
            "2 groups have too few flags or views to show.",
        ]

    def test_only_a_cell_that_fails_only_as_counted_is_said_apart(self):
        judgement = replace(Judgement(verdict="NOT_SETTLED"), only_as_counted=(cell(0.01, metric="false_alarms"),))
        said = view(judgement, "go_on", [], look=LOOK, helped=Helped(left_out=12), rule=POLICY.disclosure)
        assert said["sentences"][0].startswith("Outside a limit only while helped pupils count as false alarms")
