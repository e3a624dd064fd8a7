"""The truth of a simulation: every pupil's real weekly hazard. Only tests, benchmarks and the command line read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from records.refusal import Refusal


class TruthInside(Refusal):
    """The truth was to be written where the exports are: a reader of exports could find it."""


@dataclass(frozen=True, kw_only=True)
class WeekTruth:
    """One week: which pupils (index), and the expected number of sanctions decided for each in that week."""

    week: np.datetime64
    pupils: npt.NDArray[np.int32]
    hazard: npt.NDArray[np.float32]


def check_outside(truth: Path | None, out: Path) -> None:
    """Raise TruthInside where the truth would lie in `out` or in a Belong home above it."""
    if truth is None:
        return
    where, exports = truth.resolve(), out.resolve()
    homes = [folder for folder in where.parents if (folder / "home.toml").exists()]
    if where.is_relative_to(exports) or homes:
        inside = homes[0] if homes else exports
        raise TruthInside(f"{truth} lies inside {inside}; name a file outside the exports and outside any home")


def write_truth(path: Path, weeks: Sequence[WeekTruth], upns: npt.NDArray[np.str_]) -> None:
    """Write one row per pupil on roll and week: `upn`, `week` (its Monday), `hazard`."""
    sizes = [len(week.pupils) for week in weeks]
    pupils = np.concatenate([week.pupils for week in weeks])
    mondays = np.repeat(np.array([week.week for week in weeks], "datetime64[D]"), sizes)
    table = pa.table(
        {
            "upn": pa.DictionaryArray.from_arrays(pa.array(pupils), pa.array(upns.tolist())),
            "week": pa.array(mondays),
            "hazard": pa.array(np.concatenate([week.hazard for week in weeks])),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def read_truth(path: Path) -> pd.DataFrame:
    """Return `upn` (category), `week` (datetime64[s], a Monday), `hazard` (expected sanctions decided that week).

    The hazard is what was true at the start of the week, before anything of that week happened. A sanction
    decided in a week mostly starts within that week or on the next school day.
    """
    table = pq.read_table(path)
    return pd.DataFrame(
        {
            "upn": table["upn"].to_pandas(),
            "week": pd.Series(table["week"].to_numpy()).astype("datetime64[s]"),
            "hazard": table["hazard"].to_numpy().astype(np.float64),
        }
    )
