"""Whether 'did the programme help' can be believed: made-up programmes that help nobody, or prevent half.

`python -m benchmarks.programme_effects --draws 1000`: staff choose pupils with most trouble, so that those reached are
suspended far more often than others whatever the programme does. The estimate must not take that for the programme's
doing, its interval must hold the truth, and an effect that is promised to be found must be found.
"""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two processes, each with one thread
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.measured import load
from learning.programmes.effect import effect_on_reached
from tests.unit.test_learning_programme_effects import network

# Schools, pupils of each, and the share of suspensions prevented.
CELLS = ((5, 300, 0.0), (12, 200, 0.0), (12, 200, 0.5), (30, 150, 0.0), (30, 150, 0.45))


def drawn(asked: tuple[int, tuple[int, int, float]]) -> tuple[float, ...]:
    """Return of one draw: truth, estimate, ends of the interval, what can be found, and the plain difference."""
    seed, (schools, pupils, helped) = asked
    rows, outcome, before, truth = network(seed, helped, schools, pupils)
    found = effect_on_reached(rows, outcome, before)
    reached = rows["reached"].to_numpy(bool)
    plain = outcome[reached].mean() - outcome[~reached].mean()
    return truth, found.estimate, found.lower, found.upper, found.findable, plain


def main() -> None:
    """Draw, and print a line a cell."""
    parser = argparse.ArgumentParser(prog="benchmarks.programme_effects", description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    draws = parser.parse_args().draws
    began = time.perf_counter()
    coverage: list[float] = []
    praised: list[float] = []
    power: list[float] = []
    with ProcessPoolExecutor(2) as pool:
        for cell in CELLS:
            found = np.array(list(pool.map(drawn, [(seed, cell) for seed in range(draws)], chunksize=10)))
            truth, estimate, lower, upper, findable, plain = found.T
            held, fewer = (lower <= truth) & (truth <= upper), upper < 0
            coverage.append(float(held.mean()))
            (power if cell[2] else praised).append(float(fewer.mean()))
            print(
                f"{cell[0]} schools of {cell[1]}, {cell[2]:.0%} prevented: truth {truth.mean():+.4f}, estimate "
                f"{estimate.mean():+.4f} (plain difference {plain.mean():+.4f}), holds the truth {held.mean():.1%}, "
                f"said to be fewer {fewer.mean():.1%}, findable {findable.mean():.4f}",
                flush=True,
            )
    error = float(np.sqrt(0.05 * 0.95 / draws))
    print(f"load {load()}")
    print(
        f"coverage={np.mean(coverage):.4f} coverage_low={min(coverage):.4f} false_praise={max(praised):.4f} "
        f"found={min(power):.4f} monte_carlo_error={error:.4f} seconds={time.perf_counter() - began:.0f}"
    )


if __name__ == "__main__":
    main()
