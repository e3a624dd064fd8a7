"""Matrices and matured outcomes of a network, shard by shard, in the order of the shards."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

import numpy as np
import pandas as pd

from features.compiled import build
from features.matrix import Matrix, poured
from features.shards import over_shards
from records.calendar import Calendar, calendar_from
from records.history import History, latest
from records.home import Home
from records.store import Store
from records.tables import CALENDARS, SCHOOLS
from training.matured import Hindsight, MaturedOutcomes
from training.outcomes import all_hindsight, hindsight, mature, together
from training.sampling import thinned
from training.settings import Settings


@dataclass(frozen=True)
class Dataset:
    """Features of every pupil on roll at every as-of date, and what came of those that were at risk.

    `roll` has `school`, `as_of`, `roll`; `versions` is the Delta version each table was read at; `hindsight` is for
    measuring alone.
    """

    matrix: Matrix
    outcomes: MaturedOutcomes
    roll: pd.DataFrame
    versions: Mapping[str, int]
    hindsight: Hindsight = field(default_factory=Hindsight)


@dataclass(frozen=True)
class Network:
    """The network's calendar and schools' phases, as known on a day."""

    calendar: Calendar
    phases: Mapping[int, str]


def network_of(history: History, known_by: date) -> Network:
    """Return calendar and phases from any shard's history: every shard holds the network's schools."""
    schools = latest(history.tables["schools"], SCHOOLS, known_by)
    phases = dict(zip(schools["school"].astype(int), schools["phase"].astype("str"), strict=True))
    return Network(calendar_from(latest(history.tables["calendars"], CALENDARS, known_by)), phases)


def roll_of(keys: pd.DataFrame) -> pd.DataFrame:
    """Return `school`, `as_of`, `roll`: how many of the keys, scored or not, are on each school's roll."""
    return keys.groupby(["school", "as_of"], sort=True).size().reset_index(name="roll")


def from_history(
    history: History,
    as_ofs: Sequence[date],
    settings: Settings,
    observed_until: date,
    train: Sequence[date] = (),
) -> tuple[Matrix, MaturedOutcomes]:
    """Return one shard's matrix at the as-of dates and its matured outcomes; the days of `train` are thinned."""
    matrix = build(history, as_ofs)
    outcomes = mature(history, matrix.keys, settings=settings, observed_until=observed_until)
    return thinned(matrix, outcomes, train, settings), outcomes


def _shard(
    shard: int, *, home: Home, as_ofs: Sequence[date], settings: Settings, observed_until: date, train: Sequence[date]
) -> tuple[Matrix, MaturedOutcomes, dict[str, int], Hindsight]:
    history = Store(home).history(shard)
    matrix, outcomes = from_history(history, as_ofs, settings, observed_until, train)
    later = hindsight(history, matrix.keys, outcomes, settings=settings, observed_until=observed_until)
    return matrix, outcomes, dict(history.versions), later


def dataset(
    home: Home,
    as_ofs: Sequence[date],
    settings: Settings,
    observed_until: date,
    progress: Callable[[int, int], None] | None = None,
    dask: str | None = None,
    *,
    train: Sequence[date] = (),
) -> Dataset:
    """Return the network's dataset at the as-of dates; where it is built changes no number in it.

    At the days of `train` only the rows that `settings.others_share` keeps are there (`training.sampling`), and
    the roll of those days is of no use.
    `progress` is told how many shards of how many are done; `dask` is the address of a cluster that builds them.
    """
    work = partial(
        _shard, home=home, as_ofs=tuple(as_ofs), settings=settings, observed_until=observed_until, train=tuple(train)
    )
    matrices: list[Matrix] = []
    came: list[MaturedOutcomes] = []
    versions: list[Mapping[str, int]] = []
    later: list[Hindsight] = []
    for part in over_shards(work, home.shards, processes=settings.processes, dask=dask):
        matrices.append(part[0])
        came.append(part[1])
        versions.append(part[2])
        later.append(part[3])
        _tell(progress, len(came), home.shards)
    # Gigabytes in a large network: nothing but the list may still hold a part.
    del part
    whole = poured(matrices)
    return Dataset(whole, together(came), roll_of(whole.keys), versions[0], all_hindsight(later))


def _tell(progress: Callable[[int, int], None] | None, done: int, of: int) -> None:
    if progress is not None:
        progress(done, of)


def data_digest(matrix: Matrix, outcomes: np.ndarray[tuple[int, ...], np.dtype[np.int8]]) -> str:
    """Return the SHA-256 of training rows: keys, values and outcomes, in order."""
    whole = hashlib.sha256(matrix.fingerprint.encode())
    for column in (matrix.keys["pupil"].to_numpy(), matrix.keys["as_of"].to_numpy().astype("int64")):
        whole.update(np.ascontiguousarray(column).tobytes())
    whole.update(np.ascontiguousarray(matrix.values).tobytes())
    whole.update(np.ascontiguousarray(outcomes).tobytes())
    return whole.hexdigest()
