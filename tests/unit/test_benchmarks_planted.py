"""The truth that planted effects are judged by, on hazards made up by hand."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.impact_networks import redrawn, truth, truth_error
from benchmarks.planted import at_cut_off, chances, jump, percent

X = np.linspace(-0.49, 0.49, 99)


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


class TestChances:
    def test_by_hand(self) -> None:
        """Weeks count from the day of the list to before the horizon's end; a pupil without any has no chance."""
        rows = pd.DataFrame(
            {
                "pupil": [1, 2, 3],
                "as_of": [day("2025-09-08"), day("2025-09-15"), day("2025-09-08")],
                "horizon_end": [day("2025-09-22"), day("2025-09-29"), day("2025-09-22")],
            },
            index=[7, 8, 9],
        )
        weekly = pd.DataFrame(
            {
                "pupil": [1, 1, 1, 1, 2, 2],
                "week": [
                    *(day(f"2025-09-{number:02d}") for number in (1, 8, 15, 22)),
                    day("2025-09-08"),
                    day("2025-09-22"),
                ],
                "hazard": [9.0, 0.1, 0.2, 9.0, 9.0, 0.5],
            }
        )
        # 1 - exp(-0.3), 1 - exp(-0.5).
        assert chances(rows, weekly).tolist() == pytest.approx([0.2591818, 0.3934693, 0.0], abs=1e-6)


class TestCutOff:
    def test_a_quadratic_is_met_at_the_cut_off_from_either_side(self) -> None:
        below, above = X[X < 0], X[X >= 0]
        assert at_cut_off(below, 0.3 + 2 * below - below**2) == pytest.approx(0.3)
        assert at_cut_off(above, 0.1 - above + 4 * above**2) == pytest.approx(0.1)
        assert jump(X, np.where(X < 0, 0.3 + 2 * X - X**2, 0.1 - X + 4 * X**2)) == pytest.approx(-0.2)

    def test_pupils_outside_the_window_count_for_nothing(self) -> None:
        far = np.array([-3.0, -0.5, 0.5, 2.0])
        assert jump(np.append(X, far), np.append(np.where(X < 0, 0.5, 0.2), [9.0, 9.0, 9.0, 9.0])) == pytest.approx(
            -0.3
        )


class TestTruth:
    @pytest.fixture
    def rows(self) -> pd.DataFrame:
        """Without help chances rise with x; a flag takes .12 off, and .04 of that those just missed get later."""
        without = 0.2 + 0.1 * X
        one = pd.DataFrame({"x": X, "without": without, "with_help": without - np.where(X < 0, 0.04, 0.12)})
        return pd.concat([one.assign(network=0), one.assign(network=1)])

    def test_is_what_later_flags_leave(self, rows: pd.DataFrame) -> None:
        assert truth(rows) == pytest.approx(-0.08)
        assert truth(rows.assign(with_help=rows["without"])) == 0

    def test_its_error_is_of_networks(self, rows: pd.DataFrame) -> None:
        """Two networks that agree leave no doubt; with truths of -0.08 and 0 each is left out once: 0.04 either way."""
        assert truth_error(rows) == pytest.approx(0, abs=1e-12)
        apart = rows.assign(with_help=rows["with_help"].where(rows["network"] == 0, rows["without"]))
        assert truth_error(apart) == pytest.approx(0.04)
        assert np.isnan(truth_error(rows[rows["network"] == 0]))


class TestRedrawn:
    @pytest.fixture
    def rows(self) -> pd.DataFrame:
        """Two networks of 400 pupil-terms in ten schools; the chance is what the model said and a tenth less above."""
        rng = np.random.default_rng(3)
        x = rng.uniform(-0.5, 0.5, 800)
        said = rng.uniform(0.2, 0.6, 800)
        return pd.DataFrame(
            {
                "network": np.repeat([0, 1], 400),
                "pupil": np.arange(800),
                "school": np.arange(800) % 10,
                "term": "2025/26 Autumn",
                "x": x,
                "probability": said,
                "with_help": said - np.where(x < 0, 0.0, 0.1),
            }
        )

    def test_intervals_hold_what_outcomes_are_drawn_with_and_nothing_far_from_it(self, rows: pd.DataFrame) -> None:
        shares = redrawn(rows, -0.1, 40)
        assert len(shares) == 2
        assert shares.min() > 0.8
        assert redrawn(rows, 1.5, 10).tolist() == [0, 0]

    def test_a_network_too_small_for_an_estimate_is_left_out(self, rows: pd.DataFrame) -> None:
        assert len(redrawn(rows[(rows["network"] == 0) | (rows["x"] < 0)], -0.1, 5)) == 1


def test_a_share_with_its_error() -> None:
    """Of 50 draws 48 hold: the error is that of (48 + 2) / (50 + 4)."""
    assert percent(48, 50) == " 96.0% ± 3.6"
