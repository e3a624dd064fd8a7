"""A night's work by shards: in processes or on a cluster, and a night that was stopped goes on where it was.

What a shard brings is a function of the records, the bundle, the day and the agreements. Each is kept in the home as
soon as it is there, under the digest of these, and all are removed once the week is published.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from features.catalogue import fingerprint
from features.matrix import KEYS, Matrix
from features.shards import over_shards
from records.agreements import Register, RegisterRefused, register_of
from records.clock import clock_of
from records.history import known
from records.home import Home
from records.identity.link_log import settled
from records.intake.loads import second_hand
from records.store import Store
from records.transfers import nothing_shared
from serving.jobs.recorded import Recorded, recorded
from serving.scoring import Deployed, open_deployed
from training.bundle import scoring_digest
from training.week import ShardWeek, shard_week

_RECORDED = ("roll", "weekly_facts", "incidents")


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where shards are worked on: so many processes of this machine, or the cluster of a Dask scheduler's address."""

    processes: int = 1
    dask: str | None = None


@dataclass(frozen=True)
class ShardNight:
    """What a shard brings to a night: its recorded facts, and its part of the week."""

    facts: Recorded
    week: ShardWeek


class BundleChanged(Exception):
    """Another bundle serves than when the night began."""


def known_register(home: Home) -> Register | None:
    """Return the data-sharing register; None where there is none, or none that can be used: nothing is shared then."""
    try:
        return register_of(home)
    except RegisterRefused:
        return None


def shard_night(home: Home, day: date, digest: str, shard: int) -> ShardNight:
    """Return what a shard brings. Runs wherever the home can be reached by its path.

    Raises
    ------
    BundleChanged
        The bundle of this digest does not serve any more.
    """
    deployed, register = _deployed(home, digest), known_register(home)
    history = Store(home).history(shard)
    shares = register.shares(day) if register else nothing_shared
    return ShardNight(recorded(known(history, day), shares), shard_week(history, deployed.scorer, day))


@lru_cache(maxsize=1)
def _deployed(home: Home, digest: str) -> Deployed:
    found = open_deployed(home, clock_of(home).today())
    if not isinstance(found, Deployed) or found.digest != digest:
        raise BundleChanged
    return found


@contextmanager
def shard_nights(home: Home, day: date, digest: str, where: Where) -> Iterator[Sequence[ShardNight]]:
    """Give every shard's part in order, working on those that no earlier run has left behind.

    Leaving the block without an error removes what was kept: the week is published.

    Raises
    ------
    NoCluster
        `where` names a Dask scheduler that does not answer, or that has no worker.
    """
    store = Store(home)
    folder = home.nights / _key(home, store, day, digest)
    home.nights.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(exist_ok=True)
    # What another day, bundle or state of the records left behind is of no use to anybody.
    for old in folder.parent.iterdir():
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
    missing = [shard for shard in store.shards if not (folder / str(shard)).exists()]
    work = partial(_of, partial(shard_night, home, day, digest), tuple(missing))
    if missing:
        parts = over_shards(work, len(missing), processes=where.processes, dask=where.dask)
        for shard, made in zip(missing, parts, strict=True):
            _keep(folder / str(shard), made)
    yield [_kept(folder / str(shard)) for shard in store.shards]
    shutil.rmtree(folder)


def _of(work: "partial[ShardNight]", shards: tuple[int, ...], at: int) -> ShardNight:
    return work(shards[at])


def _key(home: Home, store: Store, day: date, digest: str) -> str:
    """Return the digest of everything that a shard's part follows from."""
    register = known_register(home)
    said = [
        *(digest, day.isoformat(), fingerprint(), scoring_digest()),
        *(dict(sorted(store.versions().items())), sorted(second_hand(home)), settled(home).digest),
        "" if register is None else register.model_dump_json(),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]


def _keep(place: Path, made: ShardNight) -> None:
    """Write a shard's part beside its place and move it there: what is there is whole."""
    passing = place.with_name(f"{place.name}.{os.getpid()}")
    shutil.rmtree(passing, ignore_errors=True)
    passing.mkdir()
    frames = {name: getattr(made.facts, name) for name in _RECORDED}
    frames |= {"scores": made.week.scores, "now": made.week.now.frame(), "eased": made.week.eased.frame()}
    for name, frame in frames.items():
        # Arrow keeps every type as it is, days of whole seconds among them.
        frame.reset_index(drop=True).to_feather(passing / name)
    passing.rename(place)


def _kept(place: Path) -> ShardNight:
    frames = {name: pd.read_feather(place / name) for name in (*_RECORDED, "scores", "now", "eased")}
    facts = Recorded(**{name: frames[name] for name in _RECORDED})
    return ShardNight(facts, ShardWeek(frames["scores"], _matrix(frames["now"]), _matrix(frames["eased"])))


def _matrix(frame: pd.DataFrame) -> Matrix:
    names = tuple(name for name in frame.columns if name not in KEYS)
    return Matrix(frame[list(KEYS)], frame[list(names)].to_numpy(np.float64), names, fingerprint())
