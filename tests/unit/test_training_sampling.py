"""Fewer training rows: every suspension stays, the others stand for those left out, and nobody else is thinned."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from features.matrix import Matrix, concat
from tests.training_factory import made_up
from training.dataset import Dataset, Network
from training.fitting import during, fit_all, part_of
from training.sampling import thinned, weights
from training.settings import Settings
from training.splits import Periods

SETTINGS = Settings(
    boosting={"learning_rate": 0.15, "num_leaves": 7, "min_data_in_leaf": 20}, rounds_most=12, patience=8, processes=1
)
QUARTER = replace(SETTINGS, others_share=0.25)


@cache
def made() -> tuple[Dataset, Network, Periods]:
    return made_up(SETTINGS, pupils=240)


def few(data: Dataset, when: Periods, settings: Settings = QUARTER) -> Dataset:
    return replace(data, matrix=thinned(data.matrix, data.outcomes, when.train, settings))


def test_every_suspension_is_kept_and_about_a_share_of_the_rest() -> None:
    data, _, when = made()
    whole, kept = part_of(data, when.train), part_of(few(data, when), when.train)
    assert kept.outcomes.sum() == whole.outcomes.sum()
    share = (kept.outcomes == 0).sum() / (whole.outcomes == 0).sum()
    assert 0.22 < share < 0.28
    stands = weights(kept.outcomes, QUARTER)
    assert set(np.unique(stands)) == {1.0, 4.0}
    assert stands.sum() == pytest.approx(len(whole.outcomes), rel=0.1)


def test_only_training_days_are_thinned() -> None:
    data, _, when = made()
    other_days = ~during(data.matrix.keys, when.train)
    left = few(data, when).matrix
    pd.testing.assert_frame_equal(
        left.keys[~during(left.keys, when.train)].reset_index(drop=True),
        data.matrix.keys[other_days].reset_index(drop=True),
    )


def test_which_rows_stay_does_not_depend_on_the_shard_they_come_in() -> None:
    data, _, when = made()
    even = (data.matrix.keys["pupil"] % 2 == 0).to_numpy(bool)
    parts = [thinned(data.matrix.where(mask), data.outcomes, when.train, QUARTER) for mask in (even, ~even)]
    together, whole = _in_order(concat(parts)), _in_order(few(data, when).matrix)
    pd.testing.assert_frame_equal(together, whole)
    other_seed = few(data, when, replace(QUARTER, seed=1)).matrix
    assert not _in_order(other_seed).equals(whole)


def test_a_thinned_network_has_the_base_rates_and_the_level_of_the_whole() -> None:
    data, network, when = made()
    thin = few(data, when)
    for approach in ("model", "logistic"):
        full = fit_all(data, part_of(data, when.train), network, when, SETTINGS, approach=approach)
        found = fit_all(thin, part_of(thin, when.train), network, when, QUARTER, approach=approach)
        for name, rate in full.base_rates.items():
            assert found.base_rates[name] == pytest.approx(rate, rel=0.1)
        held = part_of(data, when.calibrate).matrix
        raw, other = full.raw(held), found.raw(held)
        # Without the weights it would be log(4) = 1.4 higher throughout.
        assert abs(float(np.median(other - raw))) < 0.5


def _in_order(matrix: Matrix) -> pd.DataFrame:
    return matrix.frame().sort_values(["pupil", "as_of"], ignore_index=True)
