"""The calibrator: strictly increasing, right on average, and refused when outcomes are too few."""

import numpy as np
import pytest

from training.calibration import Calibrator, TooFewOutcomes, calibrate, calibrator_from, logit, sigmoid


def test_the_identity_gives_back_the_logistic_function() -> None:
    same = Calibrator(a=1.0, b=1.0, c=0.0)
    # logit 0 is one half; ln 3 is three to one.
    assert same.probabilities(np.array([0.0, np.log(3.0)])) == pytest.approx([0.5, 0.75])


def test_no_two_scores_share_a_probability_even_far_out() -> None:
    raw = np.linspace(-30, 30, 4001)
    logits = Calibrator(a=0.3, b=2.0, c=-1.0).logits(raw)
    assert (np.diff(logits) > 0).all()
    chances = sigmoid(np.array([-700.0, 700.0]))
    assert chances[0] > 0
    assert chances[1] <= 1


def test_it_finds_the_truth_it_was_drawn_from() -> None:
    rng = np.random.default_rng(5)
    raw = rng.normal(-2, 1.5, 40_000)
    outcomes = (rng.random(40_000) < sigmoid(0.6 * raw - 1.0)).astype(np.int8)
    found = calibrate(raw, outcomes, least_outcomes=30)
    chances = found.probabilities(raw)
    assert chances.sum() == pytest.approx(outcomes.sum(), rel=1e-3)
    for low, high in ((-4, -3), (-2, -1), (0, 1)):
        band = (raw >= low) & (raw < high)
        assert chances[band].mean() == pytest.approx(outcomes[band].mean(), abs=0.02)


def test_scores_that_run_the_wrong_way_still_give_an_increasing_map() -> None:
    raw = np.linspace(-3, 3, 2000)
    outcomes = (raw < 0).astype(np.int8)
    assert (np.diff(calibrate(raw, outcomes, least_outcomes=30).logits(raw)) > 0).all()


def test_too_few_outcomes_are_refused() -> None:
    outcomes = np.zeros(500, np.int8)
    outcomes[:29] = 1
    with pytest.raises(TooFewOutcomes, match="29 snapshots with a suspension among 500; 30 are needed"):
        calibrate(np.zeros(500), outcomes, least_outcomes=30)


def test_plain_values_there_and_back() -> None:
    one = Calibrator(a=0.7, b=1.3, c=-0.2)
    assert calibrator_from(one.as_dict()) == one
    with pytest.raises(ValueError, match="only 'beta' is known"):
        calibrator_from({"kind": "isotonic"})
    with pytest.raises(ValueError, match="slopes of at least"):
        Calibrator(a=0.0, b=1.0, c=0.0)


def test_logit_is_the_other_way_round() -> None:
    assert logit(np.array([0.25, 0.5])) == pytest.approx([-np.log(3.0), 0.0])
