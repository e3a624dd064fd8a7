"""Made-up pupil-terms near the cut-off, with a truth that is planted."""

import numpy as np
import pandas as pd


def pupil_terms(count: int, *, schools: int = 12, terms: int = 2, seed: int = 1) -> pd.DataFrame:
    """Return pupils spread evenly over the window, over schools and over terms."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "pupil": np.arange(count),
            "as_of": np.datetime64("2025-09-08", "s"),
            "school": 900001 + np.arange(count) % schools,
            "term": np.arange(count) // schools % terms,
            "x": rng.uniform(-0.5, 0.5, count),
        }
    )


def planted(rows: pd.DataFrame, jump: float, *, noise: float = 0.1, seed: int = 2) -> np.ndarray:
    """Return an outcome that bends with the distance, differs by school and term, and jumps at the cut-off."""
    rng = np.random.default_rng(seed)
    x = rows["x"].to_numpy()
    level = (rows["school"].to_numpy() % 5 + rows["term"].to_numpy()) * 0.3
    return level + 0.4 * x + 0.5 * x**2 + jump * (x >= 0) + rng.normal(0, noise, len(x))
