"""Other scores judged beside a saved candidate: on its audit period, its schools' capacity and its outcomes."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from records.clock import clock_of
from records.home import Home
from records.identity.link_log import settled
from records.pseudonym import pseudonyms, read_pepper
from records.refusal import Refusal
from records.store import Store
from training.candidate import Candidate
from training.comparison import Judged, compare
from training.dataset import network_of
from training.evaluate import Ground, evaluate
from training.flags import allocate
from training.scorer import Scorer
from training.settings import settings_from

BY_RANK = "by rank alone"
LEAST_CHANCE = 1e-10


class ScoresRefused(Refusal):
    """The scores given cannot be judged beside this candidate."""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """The comparison with a row for each of the given scores, and the share of scored rows that had one."""

    comparison: pd.DataFrame
    found: float


def oracle_beside(home: Home, candidate: Candidate, truth: pd.DataFrame, name: str) -> Beside:
    """Return the candidate's comparison with the simulator's true hazards beside it.

    A pupil's place is that of the true expected number of sanctions in the week of the as-of date; as a
    probability, that rate kept up for the horizon's weeks. It is put on lists by rank alone, so the
    candidate's own scores are too, in a row of their own.

    Parameters
    ----------
    truth
        `upn`, `week` (a Monday), `hazard`: records/synthetic/truth.py.

    Raises
    ------
    ScoresRefused
        Fewer than half of the candidate's scored rows have a true hazard: another network's truth.
    """
    said = candidate.bundle.manifest
    settings = settings_from({**said["settings"], "processes": 1})
    log = candidate.allocation[["pupil", "as_of", "school", "year_group", "probability"]]
    hazards = _hazards(home, truth, log["as_of"])
    keys = log.drop(columns="probability").assign(week=log["as_of"].dt.normalize())
    rates = keys.merge(hazards, on=["pupil", "week"], how="left")["hazard"].to_numpy(np.float64)
    # The simulation caps its rates, and equal pupils who do not all fit are left out: without an order that
    # says nothing, by pseudonym, the lists of the best that can be known would be the emptiest.
    rates = rates * (1 - LEAST_CHANCE * (keys["pupil"].to_numpy() % 1_000_003))
    found = float(np.isfinite(rates).mean()) if len(rates) else 0.0
    if found < 0.5:
        raise ScoresRefused(
            f"{name} holds a true hazard for {found:.0%} of the scored rows; give the truth of the network that this "
            "home was filled from"
        )
    chances = np.clip(1 - np.exp(-rates * int(said["horizon_weeks"])), LEAST_CHANCE, 1 - LEAST_CHANCE)
    calendar = network_of(Store(home).history(0), clock_of(home).today()).calendar
    on = Ground(rows=candidate.ground, calendar=calendar, settings=settings)
    ranked = {f"{said['approach']}, {BY_RANK}": log["probability"].to_numpy(np.float64), name: chances}
    judged = {
        said["approach"]: Judged(candidate.allocation, candidate.evaluation),
        **{words: _by_rank(candidate, log, scores, on) for words, scores in ranked.items()},
    }
    rows = compare(judged, settings).iloc[1:]
    return Beside(comparison=pd.concat([candidate.comparison, rows], ignore_index=True), found=found)


def _by_rank(candidate: Candidate, log: pd.DataFrame, scores: npt.NDArray[np.float64], on: Ground) -> Judged:
    """Return the worth of lists filled to capacity with whoever stands highest, snoozed as the candidate's are."""
    rule = replace(Scorer(candidate.bundle).rule, level_least=0.0, rise="none", rise_least=None)
    abstain = pd.Series(np.where(np.isfinite(scores), "", "unknown"), index=log.index, dtype="str")
    allocation = allocate(log.assign(probability=scores, abstain=abstain), candidate.roll, rule)
    return Judged(allocation, evaluate(allocation, on))


def _hazards(home: Home, truth: pd.DataFrame, as_ofs: pd.Series) -> pd.DataFrame:
    """Return `pupil`, `week`, `hazard` of the weeks asked for, under the pseudonyms that the records have."""
    weeks = truth[truth["week"].isin(as_ofs.drop_duplicates())]
    upns = weeks["upn"].astype("category")
    numbers = settled(home).of(pseudonyms(upns.cat.categories.astype(str).tolist(), read_pepper(home)))
    frame = pd.DataFrame(
        {"pupil": numbers[upns.cat.codes.to_numpy()], "week": weeks["week"], "hazard": weeks["hazard"]}
    )
    # One person under two numbers has a row of truth under each school they are at: what can happen adds up.
    return frame.groupby(["pupil", "week"]).agg(hazard=("hazard", "sum")).reset_index()
