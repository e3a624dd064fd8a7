"""What the evidence is made of, read from the record store one shard at a time.

Shards divide pupils by pseudonym, so a few of them are a drawn share of the network: what is slow to read
(features, a year's marks) is read of so many shards only.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from fairness.evidence.practice import DAYS_BEFORE
from fairness.resampling import Floats, Ints
from features.compiled import build
from features.matrix import Matrix, concat
from records.history import History, latest
from records.home import Home
from records.store import Store
from records.tables import BEHAVIOUR, ENROLMENTS, SUSPENSIONS
from training.bundle import APPROACHES
from training.candidate import Candidate
from training.dataset import Network, network_of
from training.evaluate import flagged_terms, ground
from training.fitting import only
from training.outcomes import OTHERS, mature_others
from training.settings import Settings, settings_from
from training.splits import network_terms

# Of so many pupils what is slow to read is read; a home with fewer is read whole.
ENOUGH_PUPILS = 12_000
_SLOW = frozenset({"severe_absence"})
_REMOVALS = ("SUSP", "PERM")


@dataclass(frozen=True, kw_only=True)
class Material:
    """What was read.

    Attributes
    ----------
    behaviour, suspensions
        Rows of the audited period (behaviour from `DAYS_BEFORE` days earlier), as known on the day of the audit.
    on_roll, suspended
        Distinct pupils: see `fairness.exhibits.Coverage`.
    others
        Other outcome → pupil-terms of the candidate's flags against it.
    matrix, outcomes
        Features of some pupils on some audited days, and 0 or 1 of each row. No rows for a rule, which has no inputs
        that a group could be told by without being read.
    drawn
        Which share of the pupils the slow ones are of, 0 to 1.
    """

    behaviour: pd.DataFrame
    suspensions: pd.DataFrame
    on_roll: Ints
    suspended: Ints
    others: Mapping[str, pd.DataFrame]
    matrix: Matrix | None
    outcomes: Floats
    drawn: float

    def during(self, first: date) -> pd.DataFrame:
        """Return the behaviour of the audited period alone."""
        return self.behaviour[self.behaviour["date"] >= pd.Timestamp(first)]


def read_material(home: Home, candidate: Candidate, created_on: date) -> Material:
    """Read every shard once: the records of the audit period, and the slow ones of a drawn share of the pupils."""
    settings = settings_from({**candidate.bundle.manifest["settings"], "processes": 1})
    slow = _drawn_shards(home, candidate, settings.seed)
    asked = _Asked.of(home, candidate, settings, created_on)
    found = [_read(shard, home, asked) for shard in _shards_of(home, candidate, slow)]
    matrices = [one.matrix for one in found if one.matrix is not None]
    matrix = concat(matrices) if matrices else None
    return Material(
        behaviour=pd.concat([one.behaviour for one in found], ignore_index=True),
        suspensions=pd.concat([one.suspensions for one in found], ignore_index=True),
        on_roll=np.concatenate([one.on_roll for one in found]),
        suspended=np.concatenate([one.suspended for one in found]),
        others=_together([one.others for one in found]),
        matrix=None if matrix is None else only(matrix, settings.inputs),
        outcomes=_outcomes(candidate, matrix),
        drawn=len(slow) / home.shards,
    )


@dataclass(frozen=True)
class _Asked:
    """What is asked of every shard alike."""

    settings: Settings
    days: tuple[date, ...]
    middles: tuple[pd.Timestamp, ...]
    created_on: date
    network: Network

    @classmethod
    def of(cls, home: Home, candidate: Candidate, settings: Settings, created_on: date) -> "_Asked":
        terms = candidate.ground[["as_of", "term"]].drop_duplicates().sort_values("as_of")
        return cls(
            settings=settings,
            days=tuple(day.date() for day in terms["as_of"].unique()),
            # Features are read on the middle as-of day of each audited term.
            middles=tuple(part["as_of"].iloc[len(part) // 2] for _, part in terms.groupby("term", sort=True)),
            created_on=created_on,
            network=network_of(Store(home).history(0), created_on),
        )


@dataclass(frozen=True)
class _Shard:
    """What one shard brings: the flags of its pupils, and which of their rows were judged, where it is a drawn one."""

    number: int
    slow: bool
    log: pd.DataFrame
    judged: pd.DataFrame | None


@dataclass(frozen=True)
class _Part:
    behaviour: pd.DataFrame
    suspensions: pd.DataFrame
    on_roll: Ints
    suspended: Ints
    others: Mapping[str, pd.DataFrame]
    matrix: Matrix | None


def _drawn_shards(home: Home, candidate: Candidate, seed: int) -> frozenset[int]:
    """Return the first shards, in an order of the seed's, that hold enough of the evaluated pupils together."""
    pupils = candidate.evaluation.pupil_terms["pupil"].unique()
    sizes = np.bincount(np.asarray(pupils, dtype=np.int64) % home.shards, minlength=home.shards)
    order = np.random.default_rng([seed, 12]).permutation(home.shards)
    needed = int(np.searchsorted(np.cumsum(sizes[order]), ENOUGH_PUPILS)) + 1
    return frozenset(order[:needed].tolist())


def _shards_of(home: Home, candidate: Candidate, slow: frozenset[int]) -> Iterator[_Shard]:
    learns = APPROACHES[candidate.bundle.manifest["approach"]] != "rule"
    log = _by_shard(candidate.allocation[["pupil", "as_of", "school", "probability", "flagged"]], home.shards)
    judged = _by_shard(candidate.evaluation.snapshots[["pupil", "as_of"]], home.shards)
    for number in range(home.shards):
        yield _Shard(number, number in slow, log(number), judged(number) if learns and number in slow else None)


def _by_shard(rows: pd.DataFrame, shards: int) -> Callable[[int], pd.DataFrame]:
    """Return what gives a shard's rows, in their order, having looked at them all once."""
    shard = rows["pupil"].to_numpy(np.int64) % shards
    order = np.argsort(shard, kind="stable")
    ends = np.searchsorted(shard[order], np.arange(shards + 1))
    return lambda number: rows.iloc[order[ends[number] : ends[number + 1]]].reset_index(drop=True)


def _read(shard: _Shard, home: Home, asked: _Asked) -> _Part:
    history, created_on = Store(home).history(shard.number), asked.created_on
    first, last = pd.Timestamp(asked.days[0]), pd.Timestamp(asked.days[-1])
    behaviour = latest(history.tables["behaviour"], BEHAVIOUR, created_on)
    near = behaviour["date"].between(first - timedelta(days=DAYS_BEFORE), last)
    suspensions = latest(history.tables["suspensions"], SUSPENSIONS, created_on)
    suspensions = suspensions[suspensions["start_date"].between(first, last)]
    removed = suspensions.loc[suspensions["category"].isin(_REMOVALS), "pupil"].unique()
    on_roll = _on_roll(latest(history.tables["enrolments"], ENROLMENTS, created_on), asked.days)
    return _Part(
        behaviour=behaviour[near],
        suspensions=suspensions,
        on_roll=on_roll,
        suspended=np.intersect1d(removed, on_roll).astype(np.int64),
        others=_against(history, shard, asked) if len(shard.log) else {},
        matrix=None if shard.judged is None else _features(history, shard.judged, asked.middles),
    )


def _on_roll(enrolments: pd.DataFrame, days: tuple[date, ...]) -> Ints:
    there = np.zeros(len(enrolments), bool)
    for day in pd.DatetimeIndex(days):
        open_still = enrolments["leaving_date"].isna() | (enrolments["leaving_date"] >= day)
        there |= ((enrolments["entry_date"] <= day) & open_still).to_numpy(bool)
    return enrolments.loc[there, "pupil"].unique().astype(np.int64)


def _features(history: History, judged: pd.DataFrame, middles: tuple[pd.Timestamp, ...]) -> Matrix:
    """Return the shard's features on some days, of rows that were judged."""
    matrix = build(history, [day.date() for day in middles])
    there = pd.MultiIndex.from_frame(matrix.keys[["pupil", "as_of"]]).isin(pd.MultiIndex.from_frame(judged))
    return matrix.where(np.asarray(there, dtype=bool))


def _outcomes(candidate: Candidate, matrix: Matrix | None) -> Floats:
    if matrix is None:
        return np.empty(0)
    rows = candidate.evaluation.snapshots[["pupil", "as_of", "outcome"]]
    found = matrix.keys[["pupil", "as_of"]].merge(rows, on=["pupil", "as_of"], how="left")
    return found["outcome"].to_numpy(np.float64)


def _against(history: History, shard: _Shard, asked: _Asked) -> dict[str, pd.DataFrame]:
    """Return the pupil-terms of the shard's flags against each other outcome."""
    network, settings = asked.network, asked.settings
    names = [name for name in OTHERS if shard.slow or name not in _SLOW]
    keys = shard.log[["pupil", "as_of", "school"]]
    came = mature_others(history, keys, settings=settings, observed_until=asked.created_on, names=names)
    keys = keys.assign(suspended_before=np.int8(0), seen=np.int8(0))
    terms = network_terms(network.calendar)
    found = {}
    for name, outcomes in came.items():
        on = ground(keys, outcomes, phases=network.phases, terms=terms, calendar=network.calendar, settings=settings)
        found[name] = flagged_terms(shard.log, on)
    return found


def _together(parts: Sequence[Mapping[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Return each outcome's pupil-terms of all shards that have any, by pupil and term."""
    found = {}
    for name in OTHERS:
        there = [part[name] for part in parts if name in part]
        if there:
            found[name] = pd.concat(there).sort_values(["pupil", "term"], ignore_index=True)
    return found
