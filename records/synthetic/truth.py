"""The truth of a simulation: every pupil's real weekly hazard. Only tests, benchmarks and the command line read it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from records.refusal import Refusal

Floats = npt.NDArray[np.float32]
MEASURES = ("hazard", "need", "without_support", "without_injustice")


class TruthInside(Refusal):
    """The truth was to be written where the exports are: a reader of exports could find it."""


@dataclass(frozen=True, kw_only=True)
class WeekTruth:
    """One week: which pupils (index) are on roll, and what is true of each; see `read_truth`."""

    week: np.datetime64
    pupils: npt.NDArray[np.int32]
    hazard: Floats
    need: Floats
    without_support: Floats
    without_injustice: Floats


def check_outside(truth: Path | None, out: Path) -> None:
    """Raise TruthInside where the truth would lie in `out` or in a Belong home above it."""
    if truth is None:
        return
    where, exports = truth.resolve(), out.resolve()
    homes = [folder for folder in where.parents if (folder / "home.toml").exists()]
    if where.is_relative_to(exports) or homes:
        inside = homes[0] if homes else exports
        raise TruthInside(f"{truth} lies inside {inside}; name a file outside the exports and outside any home")


class TruthFile:
    """The truth on its way to a file, week by week and cluster by cluster: only a week is held in memory."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        numbers = [(name, pa.float32()) for name in MEASURES]
        self._schema = pa.schema([("upn", pa.string()), ("week", pa.date32()), *numbers])
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._writer.close()

    def add(self, week: WeekTruth, upns: pa.Array) -> None:
        """Append a week: a row for each pupil on roll; `upns` are those of the pupils that indices speak of."""
        columns = {
            "upn": upns.take(pa.array(week.pupils)),
            "week": pa.array(np.full(len(week.pupils), week.week, "datetime64[D]")),
            **{name: pa.array(getattr(week, name)) for name in MEASURES},
        }
        self._writer.write_table(pa.table(columns, schema=self._schema))


def write_truth(path: Path, weeks: Iterable[WeekTruth], upns: npt.NDArray[np.str_]) -> None:
    """Write one row per pupil on roll and week, with the columns of `read_truth`."""
    names = pa.array(upns.tolist())
    with TruthFile(path) as file:
        for week in weeks:
            file.add(week, names)


def read_truth(path: Path) -> pd.DataFrame:
    """Return what was true at the start of every week, before anything of that week happened.

    Columns
    -------
    upn, week
        Category; datetime64[s], a Monday.
    hazard
        Expected number of sanctions decided in the week. One decided in a week mostly starts within it or on
        the next school day.
    need
        The pupil's felt strain, a natural logarithm: before school practice and before any injustice.
    without_support
        What the hazard would be, with the same past, without the relief that support has brought so far. What a
        whole year without support would have been is another run: records/synthetic/experiment.py.
    without_injustice
        What the hazard would be, with the same past, if groups were treated alike and nothing were planted.
    """
    table = pq.read_table(path)
    return pd.DataFrame(
        {
            "upn": table["upn"].combine_chunks().dictionary_encode().to_pandas(),
            "week": pd.Series(table["week"].to_numpy()).astype("datetime64[s]"),
            **{name: table[name].to_numpy().astype(np.float64) for name in MEASURES},
        }
    )
