"""The simulator's truth: support as an input, injustices with a dial, and the oracle no ranking can beat."""

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from records.synthetic import draws, support
from records.synthetic.clusters import clusters_of
from records.synthetic.experiment import with_and_without
from records.synthetic.exported import Exported, read_exported
from records.synthetic.injustices import Injustice, InjusticeRefused, injustice_of
from records.synthetic.mess import MUCH_LATER_DAYS
from records.synthetic.plan import NetworkPlan, SimulationRefused
from records.synthetic.simulate import simulate, world_of
from records.synthetic.support import Asked, Starts
from records.synthetic.truth import read_truth

SECONDARY = NetworkPlan(pupils=500, schools=2, phase="SS", years=(2024,), until=date(2024, 11, 4), seed=2, mess=0)
BIG = replace(SECONDARY, pupils=5000, schools=4, until=date(2024, 9, 17))
IN_AUTHORITY = {"I", "M", "C"}


def digest(folder: Path) -> str:
    """Return one digest of every file's name and bytes."""
    whole = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        whole.update(str(path.relative_to(folder)).encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()


def made(plan: NetworkPlan, folder: Path) -> tuple[Exported, pd.DataFrame]:
    """Return the exports and the truth of a plan, beside each pupil's characteristics and first place."""
    done = simulate(plan, folder / "out", truth=folder / "truth.parquet")
    truth = read_truth(folder / "truth.parquet").astype({"upn": "str"})
    cluster = clusters_of(plan)[0]
    world = world_of(plan, cluster, cluster.streams(plan.seed))
    people = pd.DataFrame(
        {
            "ethnicity": world.people.ethnicity,
            "sex": world.people.sex,
            "place": [f"{s} {y}" for s, y in zip(world.rolls.school[:, 0], world.rolls.year_group[:, 0], strict=True)],
        },
        index=world.people.upn,
    )
    return read_exported(done.out), truth.join(people, on="upn")


class TestDraws:
    def test_a_thing_draws_the_same_whatever_else_is_drawn(self) -> None:
        alone = draws.uniforms(7, (np.array([42]), np.array([3])), 2)
        among = draws.uniforms(7, (np.array([5, 42, 42]), np.array([3, 3, 4])), 2)
        assert alone[:, 0].tolist() == among[:, 1].tolist()
        assert len(set(among.ravel().tolist())) == 6
        assert draws.uniforms(8, (np.array([42]), np.array([3])), 2)[0, 0] != alone[0, 0]

    def test_the_draws_are_spread_evenly(self) -> None:
        found = draws.uniforms(1, (np.arange(20_000), np.zeros(20_000, np.int64)), 3)
        assert np.abs(found.mean(axis=1) - 0.5).max() < 4 * 12**-0.5 / 20_000**0.5
        assert np.abs(np.asarray(np.corrcoef(found))[np.triu_indices(3, 1)]).max() < 4 / 20_000**0.5

    def test_poisson_numbers_by_hand(self) -> None:
        # At rate 0.5 the chances of at most 0, 1, 2 are 0.6065, 0.9098, 0.9856.
        rate = np.full(5, 0.5)
        assert draws.poisson(rate, np.array([0.60, 0.61, 0.90, 0.92, 0.99])).tolist() == [0, 1, 1, 2, 3]
        assert draws.poisson(np.zeros(1), np.array([0.999])).tolist() == [0]

    def test_place_among_things_of_the_same_owner(self) -> None:
        assert draws.place_among(np.array([4, 9, 4, 4, 9])).tolist() == [0, 0, 1, 2, 1]
        assert draws.place_among(np.zeros(0, np.int64)).tolist() == []


def mentor_the_first(asked: Asked) -> Starts:
    """Start mentoring in the first week for the first forty pupils."""
    pupils = np.arange(40 if asked.monday == np.datetime64("2024-09-02") else 0)
    return Starts(pupil=pupils, type=np.full(len(pupils), support.TYPES.index("mentoring")))


class TestSupport:
    def test_relief_by_hand(self) -> None:
        relief = support.begin(
            support.no_relief(2), Starts(pupil=np.array([1]), type=np.array([support.TYPES.index("reintegration")]))
        )
        sizes, felt = [], []
        for _ in range(6):
            relief = support.week_of_relief(relief, np.ones(2, np.float32), np.full(2, 0.5, np.float32))
            sizes.append(float(relief.size[1]))
            felt.append(float(relief.felt[1]))
        # Effect 0.30 over four weeks, 35 % of the way each; then 85 % stays each week. Half becomes felt a week.
        assert sizes == pytest.approx([0.105, 0.17325, 0.2176125, 0.2464481, 0.2094809, 0.1780588], abs=1e-6)
        assert felt[:2] == pytest.approx([0.0525, 0.112875], abs=1e-6)
        assert relief.size[0] == relief.felt[0] == 0

    def test_another_effect_is_planted_by_how_many_times_the_usual(self) -> None:
        ones = np.ones(2, np.float32)
        relief = support.no_relief(2)
        for pupil, times in ((0, 2.0), (1, 0.0)):
            kind = np.array([support.TYPES.index("reintegration")])
            relief = support.begin(relief, Starts(pupil=np.array([pupil]), type=kind, times=times))
        relief = support.week_of_relief(relief, ones, ones)
        # Twice 0.30, 35 % of the way.
        assert relief.size.tolist() == pytest.approx([0.21, 0.0], abs=1e-6)

    def test_courses_that_do_nothing_are_the_base_run_to_the_byte(self, tmp_path: Path) -> None:
        plan = replace(SECONDARY, pupils=200, schools=1, until=date(2024, 9, 30), mess=1)
        simulate(plan, tmp_path / "base", truth=tmp_path / "base.parquet")
        simulate(
            plan,
            tmp_path / "nothing",
            truth=tmp_path / "nothing.parquet",
            support=lambda asked: replace(mentor_the_first(asked), times=0.0),
        )
        assert digest(tmp_path / "base") == digest(tmp_path / "nothing")
        assert (tmp_path / "base.parquet").read_bytes() == (tmp_path / "nothing.parquet").read_bytes()

    def test_nobody_supported_is_the_base_run_to_the_byte(self, tmp_path: Path) -> None:
        plan = replace(SECONDARY, pupils=200, schools=1, until=date(2024, 9, 30), mess=1)
        simulate(plan, tmp_path / "base", truth=tmp_path / "base.parquet")
        simulate(plan, tmp_path / "none", truth=tmp_path / "none.parquet", support=support.no_support)
        assert digest(tmp_path / "base") == digest(tmp_path / "none")
        assert (tmp_path / "base.parquet").read_bytes() == (tmp_path / "none.parquet").read_bytes()

    def test_support_lowers_the_hazard_of_the_supported_and_leaves_the_others_alone(self, tmp_path: Path) -> None:
        both = with_and_without(replace(SECONDARY, mess=1), mentor_the_first, tmp_path)
        helped = both.groupby("upn")["supported"].transform("any")
        others = both[~helped]
        assert len(others) > 3000
        assert (others["with_support"] == others["without_support"]).all()
        late = both[helped & (both["week"] >= "2024-10-07") & (both["without_support"] > 0)]
        assert late["upn"].nunique() > 20
        # Mentoring takes 0.45 off strain for most, 0.4 to 1.6 times that for each.
        late = late.assign(log_ratio=np.log(late["with_support"] / late["without_support"]))
        log_ratio = late.groupby("upn")["log_ratio"].mean()
        assert -0.8 < log_ratio.median() < -0.15
        assert (log_ratio < 1e-6).mean() > 0.9

    def test_the_records_of_the_unsupported_are_the_same_with_and_without(self, tmp_path: Path) -> None:
        both = with_and_without(replace(SECONDARY, until=date(2024, 10, 14), mess=1), mentor_the_first, tmp_path)
        helped = set(both.loc[both["supported"], "upn"])
        runs = [read_exported(tmp_path / name) for name in ("with", "without")]
        rolls = runs[0]["enrolments"]
        helped |= set(rolls.loc[rolls["upn"].isin(helped), "former_upn"])
        for table in ("marks", "behaviour", "suspensions", "positives"):
            # A school numbers its events as they come: one event less shifts the numbers of all later ones.
            frames = [run[table].drop(columns="event_id", errors="ignore") for run in runs]
            first, second = (frame[~frame["upn"].isin(helped)].reset_index(drop=True) for frame in frames)
            assert len(first) > 0
            pd.testing.assert_frame_equal(first, second)


class TestInjustices:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("unkind:BCRB:1", "there is no injustice 'unkind'"),
            ("over_sanctioned:BCRB", "KIND:GROUP:STRENGTH"),
            ("over_sanctioned:XXXX:1", "there is no group 'XXXX'"),
            ("over_sanctioned:BCRB:3", "must be 0 to 2"),
            ("miscoded:BCRB:1.5", "must be 0 to 1"),
            ("low_level:BCRB:1", "needs a school and no group"),
            ("miscoded:900001:1", "needs a group"),
            ("over_sanctioned:BCRB:much", "not a number"),
        ],
    )
    def test_what_cannot_be_planted_is_refused(self, text: str, message: str) -> None:
        with pytest.raises(InjusticeRefused, match=message):
            injustice_of(text)

    def test_injustices_as_typed(self) -> None:
        assert injustice_of("over_sanctioned:black@900002:0.5") == Injustice(
            kind="over_sanctioned", group="black", strength=0.5, school=900002
        )
        assert injustice_of("low_level:900001:1") == Injustice(kind="low_level", strength=1, school=900001)
        with pytest.raises(SimulationRefused, match="published, need, fair, unfair"):
            replace(SECONDARY, world="just")

    def test_at_strength_zero_nothing_changes(self, tmp_path: Path) -> None:
        plan = replace(SECONDARY, pupils=200, schools=1, until=date(2024, 9, 30), mess=1)
        none = tuple(
            injustice_of(text)
            for text in (
                *("over_sanctioned:boys:0", "miscoded:boys:0", "under_recorded:boys:0", "recorded_late:boys:0"),
                *("low_level:900001:0", "marked_present:boys:0"),
            )
        )
        simulate(plan, tmp_path / "a", truth=tmp_path / "a.parquet")
        simulate(replace(plan, injustices=none), tmp_path / "b", truth=tmp_path / "b.parquet")
        assert digest(tmp_path / "a") == digest(tmp_path / "b")
        assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()

    def test_equal_need_means_equal_hazard_and_over_sanctioning_doubles_it(self, tmp_path: Path) -> None:
        fair = replace(BIG, world="need")
        unjust = replace(fair, injustices=(injustice_of("over_sanctioned:black:1"),))
        coefficients = {}
        for name, plan in (("fair", fair), ("unjust", unjust), ("published", BIG)):
            truth = made(plan, tmp_path / name)[1]
            same = (truth["hazard"] == truth["without_injustice"]).mean()
            assert same == 1 if name == "fair" else same < 0.95
            coefficients[name] = group_coefficient(truth, black(truth))
        assert abs(coefficients["fair"]) < 0.12
        assert coefficients["unjust"] == pytest.approx(coefficients["fair"] + np.log(2), abs=0.15)
        assert coefficients["published"] > coefficients["fair"] + 0.05

    def test_miscoding_moves_absence_from_authorised_to_not_for_the_group_alone(self, tmp_path: Path) -> None:
        plan = replace(SECONDARY, until=date(2024, 9, 24))
        before, truth = made(plan, tmp_path / "before")
        after, same = made(replace(plan, injustices=(injustice_of("miscoded:girls:1"),)), tmp_path / "after")
        pd.testing.assert_frame_equal(truth, same)
        girls = set(truth.loc[truth["sex"] == "F", "upn"])
        first, second = before["marks"], after["marks"]
        assert first.drop(columns="code").equals(second.drop(columns="code"))
        changed = first["code"] != second["code"]
        assert changed.sum() > 50
        assert set(first.loc[changed, "upn"]) <= girls
        assert set(first.loc[changed, "code"]) <= IN_AUTHORITY
        assert set(second.loc[changed, "code"]) == {"O"}
        assert not set(second.loc[second["upn"].isin(girls), "code"]) & IN_AUTHORITY

    def test_marked_present_hides_absence_and_lateness_of_the_group_alone(self, tmp_path: Path) -> None:
        plan = replace(SECONDARY, until=date(2024, 9, 24), injustices=(injustice_of("miscoded:girls:1"),))
        both = (*plan.injustices, injustice_of("marked_present:girls:1"))
        before, truth = made(plan, tmp_path / "before")
        after, same = made(replace(plan, injustices=both), tmp_path / "after")
        pd.testing.assert_frame_equal(truth, same)
        girls = set(truth.loc[truth["sex"] == "F", "upn"])
        key = ["upn", "date", "session"]  # an absence may have a row more: it said N first, and why later
        first, second = (frame["marks"].groupby(key)["code"].last() for frame in (before, after))
        assert first.index.equals(second.index)
        hidden = {"I", "M", "C", "C2", "E", "O", "N", "L", "U"}
        away = first.index.get_level_values("upn").isin(girls) & first.isin(hidden)
        assert away.sum() > 100
        assert second[away].groupby("session").unique().map(set).to_dict() == {"AM": {"/"}, "PM": {"\\"}}
        assert first[~away].equals(second[~away])

    def test_under_recording_hides_incidents_and_nothing_else(self, tmp_path: Path) -> None:
        plan = replace(SECONDARY, until=date(2024, 10, 7))
        before, truth = made(plan, tmp_path / "before")
        after, same = made(replace(plan, injustices=(injustice_of("under_recorded:boys:0.5"),)), tmp_path / "after")
        pd.testing.assert_frame_equal(truth, same)
        pd.testing.assert_frame_equal(before["suspensions"], after["suspensions"])
        boys = set(truth.loc[truth["sex"] == "M", "upn"])
        counts = [frame["upn"].isin(boys).value_counts() for frame in (before["behaviour"], after["behaviour"])]
        assert counts[0][False] == counts[1][False]
        assert 0.4 < counts[1][True] / counts[0][True] < 0.6

    def test_late_entry_moves_the_day_of_record_and_nothing_else(self, tmp_path: Path) -> None:
        plan = replace(SECONDARY, until=date(2025, 3, 31))
        before, truth = made(plan, tmp_path / "before")
        after, same = made(replace(plan, injustices=(injustice_of("recorded_late:boys:1"),)), tmp_path / "after")
        pd.testing.assert_frame_equal(truth, same)
        pd.testing.assert_frame_equal(before["behaviour"], after["behaviour"])
        boys = set(truth.loc[truth["sex"] == "M", "upn"])
        key = ["upn", "start_date"]
        both = before["suspensions"].merge(after["suspensions"], on=key, suffixes=("", "_late"))
        wait = pd.to_datetime(both["updated_on_late"]) - pd.to_datetime(both["updated_on"])
        late = both["upn"].isin(boys)
        assert late.sum() > 5
        assert (wait[late].dt.days == MUCH_LATER_DAYS).all()
        assert (wait[~late].dt.days == 0).all()
        # What has not been entered by the end is in no file; nobody else's is missing.
        missing = ~before["suspensions"].set_index(key).index.isin(after["suspensions"].set_index(key).index)
        assert set(before["suspensions"].loc[missing, "upn"]) <= boys

    def test_one_school_that_suspends_for_low_level_disruption(self, tmp_path: Path) -> None:
        plan = replace(SECONDARY, injustices=(injustice_of("low_level:900001:1"),))
        before, _ = made(SECONDARY, tmp_path / "before")
        after, _ = made(plan, tmp_path / "after")
        there = [frame["suspensions"]["urn"] == "900001" for frame in (before, after)]
        assert there[1].sum() > 2 * there[0].sum() + 10
        pd.testing.assert_frame_equal(
            before["suspensions"][~there[0]].reset_index(drop=True),
            after["suspensions"][~there[1]].reset_index(drop=True),
        )
        new = after["suspensions"][there[1]]
        assert ((new["sessions"] == "2") & (new["reason1"] == "DB")).mean() > 0.5
        # The occasion is written down as what it was.
        occasions = after["behaviour"]
        occasions = occasions[(occasions["outcome"] == "Fixed Period Exclusion") & (occasions["urn"] == "900001")]
        assert occasions["severity"].isin(["1", "2"]).mean() > 0.4


def black(truth: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return whose ethnicity is one of the Black groups."""
    return truth["ethnicity"].isin(["BCRB", "BAFR", "BOTH"]).to_numpy()


def group_coefficient(truth: pd.DataFrame, group: npt.NDArray[np.bool_]) -> float:
    """Return a group's coefficient on the log hazard at equal need, in the same school and year group.

    Hazards near the highest there is are left out: doubling them would not show.
    """
    known = ((truth["hazard"] > 0) & (truth["hazard"] < 0.07)).to_numpy()
    found = truth[known]
    place = pd.get_dummies(found["place"]).to_numpy(np.float64)
    need = found["need"].to_numpy()
    x = np.column_stack([place, need, need**2, group[known]])
    return float(np.linalg.lstsq(x, np.log(found["hazard"].to_numpy()), rcond=None)[0][-1])


class TestOracle:
    def test_ranking_by_true_hazard_beats_what_can_be_observed(self, tmp_path: Path) -> None:
        plan = NetworkPlan(pupils=1500, schools=1, phase="SS", years=(2024,), until=date(2025, 5, 5), seed=5, mess=0)
        exports, truth = made(plan, tmp_path)
        out = exports["suspensions"].drop_duplicates(["upn", "start_date"])
        out = out.assign(start=pd.to_datetime(out["start_date"]))
        behaviour = exports["behaviour"].assign(day=pd.to_datetime(exports["behaviour"]["date"]))
        labels: list[np.ndarray] = []
        found: dict[str, list[np.ndarray]] = {}
        for day in sorted(truth.loc[truth["week"] >= "2024-11-04", "week"].unique()):
            now = truth[(truth["week"] == day) & (truth["hazard"] > 0)].set_index("upn")
            soon = out.loc[(out["start"] >= day) & (out["start"] < day + pd.Timedelta(weeks=2)), "upn"]
            recent = behaviour[(behaviour["day"] < day) & (behaviour["day"] >= day - pd.Timedelta(weeks=8))]
            labels.append(now.index.isin(soon))
            scores = {
                "oracle": now["hazard"],
                "suspended before": out[out["start"] < day].groupby("upn").size(),
                "incidents": recent.groupby("upn").size(),
                "points": recent["points"].astype(int).groupby(recent["upn"]).sum(),
            }
            for name, score in scores.items():
                found.setdefault(name, []).append(score.reindex(now.index).fillna(0).to_numpy(np.float64))
        happened = np.concatenate(labels)
        assert happened.sum() > 60
        areas = {name: float(roc_auc_score(happened, np.concatenate(parts))) for name, parts in found.items()}
        best = max(area for name, area in areas.items() if name != "oracle")
        assert areas["oracle"] > best + 0.01, areas
