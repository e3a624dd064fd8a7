"""The search for a fairer model, composed: training's rows, fairness's groups and weights, a table and a picture."""

from dataclasses import dataclass, replace
from pathlib import Path

from fairness.mitigation.kept import keep, kept, key_of
from fairness.mitigation.picture import pareto, table
from fairness.mitigation.trying import Told, Tried, tried_before, try_all
from fairness.policy import policy_of
from fairness.run import groups_on
from features.catalogue import CATALOGUE
from records.clock import clock_of
from records.home import Home
from records.refusal import Refusal
from records.store import Store
from training.calibration import TooFewOutcomes
from training.candidate import Candidate
from training.dataset import dataset, network_of
from training.fitting import part_of
from training.run import By, Progress, train
from training.settings import Settings
from training.splits import periods
from training.variants import folds_of

FOLDER = "fair"
TABLE, PICTURE = "fair.csv", "fair.png"


@dataclass(frozen=True)
class Search:
    """The settings that every variant begins from, what was tried, and where table and picture lie."""

    settings: Settings
    tried: Tried
    folder: Path


def search_fair(home: Home, settings: Settings, *, told: Told) -> Search:
    """Try every variant on the forward folds, and write `fair/fair.csv` and `fair/fair.png` in the home.

    Groups are as they were known on the last training day. The same records and seed give the same search, so one that
    was made of them before is read back and not made again.

    Raises
    ------
    Refusal
        Too few terms or suspensions to compare anything.
    """
    policy, today = policy_of(home), clock_of(home).today()
    when = periods(network_of(Store(home).history(0), today).calendar, today, settings)
    days = tuple(sorted(when.train[:: -settings.train_every]))
    data = dataset(home, days, settings, today, train=days)
    part = part_of(data, days)
    try:
        folds = folds_of(part, settings)
    except TooFewOutcomes as few:
        raise Refusal(str(few)) from few
    groups = groups_on(home, policy, days[-1])
    folder, key = home.path / FOLDER, key_of(home, settings, policy, today)
    if points := kept(folder, key):
        return Search(settings, tried_before(points, part, settings, groups, policy), folder)
    tried = try_all(part, folds, settings, groups, policy, told)
    folder.mkdir(exist_ok=True)
    table(tried.points).to_csv(folder / TABLE, index=False)
    pareto(tried.points).savefig(folder / PICTURE, dpi=110)
    keep(folder, key, tried.points)
    return Search(settings, tried, folder)


def train_point(
    home: Home, found: Search, number: int, people: tuple[str, ...], mlruns: Path | None, progress: Progress
) -> Candidate:
    """Return the candidate of one point: the same features, weights and settings, trained as any other.

    Raises
    ------
    Refusal
        There is no such point.
    """
    variants = found.tried.variants
    if not 0 <= number < len(variants):
        raise Refusal(f"no point {number}; there are 0 to {len(variants) - 1}")
    variant = variants[number]
    settings = found.settings
    if variant.without:
        every = settings.inputs or tuple(feature.name for feature in CATALOGUE)
        kept = tuple(name for name in every if name not in variant.without)
        settings = replace(settings, inputs=kept, allow=tuple(name for name in settings.allow if name in set(kept)))
    return train(
        home,
        settings,
        mlruns=mlruns,
        observed_until=clock_of(home).today(),
        by=By(people, variant=variant),
        progress=progress,
    )
