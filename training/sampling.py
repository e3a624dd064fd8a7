"""Fewer training rows from large networks: every row with a suspension ahead, and a share of the others.

A kept row without one stands for `1 / others_share` rows. Which are kept follows from the pupil, the day and the
seed alone, so neither shards nor their order change it. Only training is thinned: calibration, base rates by
period and the audit see everybody.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

from features.matrix import Matrix
from training.evaluate import outcome_array
from training.matured import MaturedOutcomes
from training.settings import Settings


def thinned(matrix: Matrix, outcomes: MaturedOutcomes, train: Sequence[date], settings: Settings) -> Matrix:
    """Return the matrix without the training days' rows that `settings.others_share` leaves out."""
    if settings.others_share == 1:
        return matrix
    _, came = outcome_array(matrix.keys, outcomes)
    days = np.array(list(train), "datetime64[s]")
    other_days = ~np.isin(matrix.keys["as_of"].to_numpy(), days)
    return matrix.where(other_days | (came == 1) | (_drawn(matrix, settings.seed) < settings.others_share))


def weights(outcomes: npt.NDArray[np.int8], settings: Settings) -> npt.NDArray[np.float64]:
    """Return how many rows each kept training row stands for."""
    return np.where(outcomes == 1, 1.0, 1.0 / settings.others_share)


def _drawn(matrix: Matrix, seed: int) -> npt.NDArray[np.float64]:
    """Return a number from 0 to 1 for each row: splitmix64 (Steele, Lea and Flood, 2014) of pupil, day and seed."""
    pupil = matrix.keys["pupil"].to_numpy().astype(np.uint64)
    day = matrix.keys["as_of"].to_numpy().astype("datetime64[D]").astype(np.int64).astype(np.uint64)
    mixed = pupil ^ (day * np.uint64(0x9E3779B97F4A7C15)) ^ np.uint64(seed)
    for shift, times in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(times)
    mixed ^= mixed >> np.uint64(31)
    return mixed.astype(np.float64) / 2.0**64
