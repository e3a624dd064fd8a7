"""The search for settings, composed: training's rows, fairness's groups, MLflow's log of what was tried."""

import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd

from fairness.policy import policy_of
from fairness.run import groups_on
from fairness.shortfall import worst_shortfall
from records.clock import clock_of
from records.home import Home
from records.refusal import Refusal
from records.store import Store
from serving.jobs.board_settings import settings_under_policy
from training import registry
from training.calibration import TooFewOutcomes
from training.dataset import dataset, network_of
from training.fitting import part_of
from training.search import Found, search
from training.settings import Settings
from training.settings_file import settings_text
from training.splits import periods

JOURNAL = "search.log"


def run_search(
    home: Home, *, mlruns: Path | None, trials: int, seed: int | None, told: Callable[[int, int], None] | None = None
) -> tuple[Settings, Found]:
    """Run so many more trials on the training period; return the settings they vary, and every trial.

    Groups are as they were known on the last training day: what was learned of a pupil since is not used.
    """
    settings = settings_under_policy(home, seed)
    policy = policy_of(home)
    today = clock_of(home).today()
    when = periods(network_of(Store(home).history(0), today).calendar, today, settings)
    days = tuple(sorted(when.train[:: -settings.train_every]))
    part = part_of(dataset(home, days, settings, today), days)
    worst = worst_shortfall(groups_on(home, policy, days[-1]), policy)
    try:
        found = search(part, settings, worst, trials=trials, journal=home.path / JOURNAL, told=told)
    except TooFewOutcomes as few:
        raise Refusal(str(few)) from few
    if mlruns is not None and trials:
        _log(mlruns, settings, found)
    return settings, found


def _log(mlruns: Path, settings: Settings, found: Found) -> None:
    rows = pd.DataFrame([{**asdict(trial), "best": trial.number in found.best} for trial in found.trials])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trials.csv"
        rows.to_csv(file, index=False)
        registry.log_search(
            mlruns,
            f"search-{len(found.trials)}",
            parameters={"trials": len(found.trials), "best": len(found.best), "seed": settings.seed},
            tables={"search": file},
        )


def write_choice(settings: Settings, found: Found, number: int, file: Path) -> None:
    """Write the trial's settings as a file for `belong train --settings`.

    Raises
    ------
    Refusal
        There is no such trial.
    """
    chosen = {trial.number: trial for trial in found.trials}.get(number)
    if chosen is None:
        held = ", ".join(str(trial.number) for trial in found.trials) or "none"
        raise Refusal(f"no trial {number}; there are {held}")
    why = f"Trial {number} of belong search: recall {chosen.recall:.3f}, shortfall {chosen.shortfall:.3f}"
    text = settings_text(replace(settings, boosting=chosen.boosting), why)
    file.write_text(text, encoding="utf-8")
