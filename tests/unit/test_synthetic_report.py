"""Simulated beside published: sums that add up, errors by hand, the worst named; and the mess of single rows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from records.synthetic import published
from records.synthetic.counted import GROUPS, MEASURES, Counted, added
from records.synthetic.mess import (
    MISKEYED_DAYS,
    mark_rows,
    marked_after_move,
    registers_not_taken,
    suspension_rows,
    without_missing,
)
from records.synthetic.plan import NetworkPlan
from records.synthetic.register import CODE, CODES
from records.synthetic.report import COLUMNS, NOT_SHOWN, as_text, report, worst
from records.synthetic.simulate import simulate


@pytest.fixture(scope="module")
def sums(tmp_path_factory: pytest.TempPathFactory) -> Counted:
    """A year of 700 pupils."""
    plan = NetworkPlan(pupils=700, schools=4, years=(2024,), seed=3, mess=0)
    return simulate(plan, tmp_path_factory.mktemp("sums") / "out").counted


class TestReport:
    def test_an_error_by_hand(self, sums: Counted) -> None:
        frame = report(sums)
        assert tuple(frame.columns) == COLUMNS
        row = frame[(frame["figure"] == "sessions missed %") & (frame["band"] == "secondary years")].iloc[0]
        codes = sums.codes[published.BANDS.index("SS")].sum(axis=0)
        missed = sum(codes[CODES.index(code)] for code in ("C", "C1", "C2", "E", "I", "J1", "M", "R", "S", "T"))
        missed += sum(codes[CODES.index(code)] for code in ("G", "N", "O", "U"))
        here = sum(codes[CODES.index(code)] for code in ("/", "\\", "L", "B", "P", "V", "W", "K"))
        assert row["simulated"] == pytest.approx(100 * missed / (missed + here))
        assert row["published"] == 7.196
        assert row["relative_error"] == pytest.approx(row["simulated"] / 7.196 - 1)
        assert row["n"] == missed

    def test_every_kind_of_published_figure_has_its_line(self, sums: Counted) -> None:
        said = set(report(sums)["figure"])
        for figure in (
            "code C2 %", "severely absent %", "pupils missing 50+ % of sessions, %", "absence, spring to autumn term",
            "Friday afternoon above Wednesday morning, percentage points", "persistently absent, fsm: fsm to not",
            "suspensions per 100 (London)", "permanent exclusions per 100 (London)", "suspensions, sex M to all",
            "suspensions, sen K to all", "suspensions, need SEMH to all", "suspensions, year group 9 to all",
            "suspensions, ethnicity BCRB to all", "pupils suspended, ethnicity Black to all",
            "of those suspended, 2 times in the year %", "of those suspended, more than 5 days lost %",
            "suspensions of 5 days %", "suspensions of 15 days % (2016/17)", "reason PP, share of all %",
            "CIN, all ages: pupils suspended %", "CLA, all ages: sessions missed %",
            "of those with six or more incidents, two by the end of October %",
        ):  # fmt: skip
            assert figure in said, figure
        assert any(figure.endswith(": sessions missed %") and figure.split(":")[0] in published.boroughs().values()
                   for figure in said)  # fmt: skip

    def test_clusters_add_up(self, sums: Counted) -> None:
        both = added([sums, sums])
        for attribute, names in GROUPS.items():
            assert both.groups[attribute].shape == (3, len(names), len(MEASURES))
            assert both.groups[attribute].sum() == 2 * sums.groups[attribute].sum()
        one, two = report(sums), report(both)
        assert np.allclose(one["relative_error"], two["relative_error"], equal_nan=True)
        assert two["n"].sum() > 1.9 * one["n"].sum()

    def test_every_pupil_counts_once_in_each_characteristic(self, sums: Counted) -> None:
        seen = MEASURES.index("seen")
        whole = sums.groups["all"][:, :, seen].sum()
        assert whole > 600
        for attribute in ("sex", "fsm", "sen", "need", "ethnicity", "year_group", "care"):
            assert sums.groups[attribute][:, :, seen].sum() == whole, attribute
        assert sums.bins.sum() == whole

    def test_the_worst_stands_at_the_end_and_what_is_not_shown_after_it(self, sums: Counted) -> None:
        frame = report(sums)
        far = worst(frame)
        assert (far["n"] >= 30).all()
        distance = np.abs(np.log1p(far["relative_error"].clip(lower=-0.999)))
        assert (np.diff(distance) <= 1e-12).all()
        text = as_text(frame)
        at = [text.rindex(str(far.iloc[0]["figure"])), *(text.index(figure) for figure in NOT_SHOWN)]
        assert at == sorted(at)

    def test_how_near_all_figures_are_is_said_in_words_and_the_worst_by_name(self) -> None:
        """By hand: errors of 4, 20 and 100 %, and one of 900 % that rests on too few to count."""
        rows = [("a", "all", s, 10.0, s / 10.0 - 1, n) for s, n in ((10.4, 30), (8.0, 99), (20.0, 40), (100.0, 29))]
        text = as_text(pd.DataFrame(rows, columns=list(COLUMNS)).assign(figure=["near", "middling", "far", "thin"]))
        assert "Of 3 figures resting on 30 or more, 1 within 5%, 1 within 10%, 2 within 25%, 2 within 50%" in text
        assert "; half within 20%." in text
        assert "The worst: far (all): 20.000, published 10.000." in text

    def test_a_figure_published_as_nought_has_no_relative_error(self, sums: Counted) -> None:
        frame = report(sums)
        assert frame.loc[frame["published"] == 0, "relative_error"].isna().all()


class TestMess:
    def test_a_miskeyed_suspension_is_struck_out_and_entered_again(self) -> None:
        number = 4000
        true = {
            "school": np.zeros(number, np.int64),
            "pupil": np.arange(number),
            "start_date": np.full(number, 100),
            "updated": np.full(number, 99),
        }
        recorded, stands = suspension_rows(true, 1.0, np.random.default_rng(1))
        wrong = np.flatnonzero((recorded["start_date"] == 100 + MISKEYED_DAYS) & (recorded["deleted"] == 0))
        assert 0.02 < len(wrong) / number < 0.04
        for row in wrong[:20]:
            mine = recorded["pupil"] == recorded["pupil"][row]
            later = recorded["updated"][mine] - recorded["updated"][row]
            rows = sorted(zip(later, recorded["start_date"][mine], recorded["deleted"][mine], strict=True))
            assert rows == [(0, 128, 0), (3, 100, 0), (3, 128, 1)]
        assert set(stands["start_date"]) == {100}
        calm, _ = suspension_rows(true, 0.0, np.random.default_rng(1))
        assert len(calm["pupil"]) == number

    def test_an_absence_that_is_never_explained_stays_n(self) -> None:
        code = np.full((3000, 5, 2), CODE["O"], np.int8)
        school = np.zeros(3000, np.int8)
        rows, final = mark_rows(school, code, 0, np.full(3000, 0.5), 0.0, np.random.default_rng(2))
        # 13 % are first marked N; half of those are never explained, a whole day at a time.
        assert (final == CODE["N"]).mean() == pytest.approx(0.065, abs=0.01)
        assert ((final[:, :, 0] == CODE["N"]) == (final[:, :, 1] == CODE["N"])).all()
        assert (rows["code"] == CODE["N"]).sum() == pytest.approx(0.13 * 30_000, rel=0.1)

    def test_registers_not_taken_are_missing_for_one_year_group_of_one_school(self) -> None:
        missing = np.zeros((3, 15), bool)
        missing[1, 9] = True
        rows = {"school": np.array([0, 1, 1]), "pupil": np.array([0, 1, 2])}
        kept = without_missing(rows, np.array([9, 9, 10]), missing)
        assert kept["pupil"].tolist() == [0, 2]
        planned = registers_not_taken(50, 40, 15, 1.0, np.random.default_rng(3))
        assert planned.mean() == pytest.approx(0.004, abs=0.001)
        assert not planned[50].any()
        assert not registers_not_taken(50, 40, 15, 0.0, np.random.default_rng(3)).any()

    def test_the_old_school_goes_on_marking_some_who_moved(self) -> None:
        moved = np.array([True, False] * 500)
        opened = np.tile([True, True, True, True, False], (1000, 1))
        rows = marked_after_move(np.full(1000, 7), moved, opened, 70, 1.0, np.random.default_rng(4))
        assert set(rows["pupil"] % 2) == {0}
        assert 200 < len(set(rows["pupil"])) < 300
        assert set(rows["school"]) == {7}
        assert set(rows["date"]) == {70, 71, 72, 73}
        assert set(rows["code"]) == {CODE["N"]}


def test_a_late_school_year_is_not_needed_for_today_s_codes(tmp_path: Path) -> None:
    """C2 came in August 2024; the records of 2023 say C, and the report still counts it as C2."""
    plan = NetworkPlan(pupils=400, schools=2, phase="SP", years=(2023,), seed=1, mess=0)
    done = simulate(plan, tmp_path / "out")
    frame = report(done.counted)
    assert (frame.loc[frame["figure"] == "code C2 %", "simulated"] > 0).all()
    assert "code C2 %" in set(frame["figure"])
    marks = (path.read_text(encoding="utf-8") for path in done.out.glob("marks_*.csv"))
    assert not any(",C2," in text for text in marks)
