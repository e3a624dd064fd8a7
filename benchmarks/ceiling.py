"""How near to the limit the model is: beside the same model of a network ten times larger, and the true hazard.

    python -m benchmarks.ceiling            3,000 pupils against 30,000, judged on 20,000 others
    python -m benchmarks.ceiling --full     12,000 against 120,000, judged on 120,000 others

Every network has three years and a seed of its own. Both models are trained, calibrated and given their flag rule by
the product's own code with its own settings, and flag two terms of a network that neither has seen. The oracles know
the simulation's truth: one each pupil's true hazard in the week of the flag and the six before it, weighed by a
logistic regression for the six weeks ahead; the other how it really moved in those, which nobody could know on the day.
Intervals: pupils drawn whole, the same draws for all.
"""

import argparse
import resource
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.in_memory import Shard, same_as_home, shards
from benchmarks.measured import load
from features.matrix import Matrix, concat
from records.history import History
from records.synthetic.plan import NetworkPlan
from training.baselines import MODEL
from training.bundle import Bundle
from training.calibration import calibrate
from training.comparison import GROUPS, Judged
from training.dataset import Dataset, Network, from_history, network_of, roll_of
from training.evaluate import ground
from training.fitting import Fit, bundle_of, during, fit_all, part_of, rule_with
from training.intervals import interval, replicates
from training.logistic import fit_linear
from training.metrics import share
from training.outcomes import together
from training.run import as_ofs_of, judge
from training.scorer import Scorer
from training.settings import Settings
from training.splits import Periods, network_terms, periods

FIGURES = ("recall", "average_precision")
ORACLES = ("oracle", "oracle_ahead")
BACK_WEEKS = 6
TRUTH = (*(f"hazard_{back}_weeks_before" for back in range(BACK_WEEKS + 1)), "hazard_ahead")
SMALL, LARGE = "small", "large"
AHEAD_WEEKS = 6
FLOOR = 1e-7  # of a hazard, below that of anybody in school: a log needs one
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trained:
    """A model with all that was fitted beside it, and what it was trained on."""

    fit: Fit
    bundle: Bundle
    rows: int
    positives: int


class Schools:
    """The network's schools: in memory each cluster brings its own, where a home's every shard holds them all."""

    def __init__(self) -> None:
        self._tables: dict[int, dict[str, pd.DataFrame]] = {}

    def see(self, shard: Shard) -> None:
        """Keep the calendars and schools of the shard's cluster."""
        tables = {name: shard.history.tables[name] for name in ("calendars", "schools")}
        self._tables.setdefault(int(tables["schools"]["school"].min()), tables)

    def network(self, day: date) -> Network:
        """Return the whole network as known on a day."""
        whole = {
            name: pd.concat([tables[name] for tables in self._tables.values()], ignore_index=True)
            for name in ("calendars", "schools")
        }
        return network_of(History(0, whole, {}), day)


def trained(plan: NetworkPlan, settings: Settings) -> Trained:
    """Return the product's model of a simulated network."""
    parts, when, schools = [], None, Schools()
    for shard in shards(plan):
        schools.see(shard)
        when = when or periods(schools.network(plan.end).calendar, plan.end, settings)
        days = tuple(day for day in as_ofs_of(when, settings) if day <= when.calibrate[-1])
        parts.append(from_history(shard.history, days, settings, plan.end, when.train))
    assert when is not None
    network = schools.network(plan.end)
    whole = concat([matrix for matrix, _ in parts])
    data = Dataset(whole, together(outcomes for _, outcomes in parts), roll_of(whole.keys), {})
    part = part_of(data, when.train)
    fit = fit_all(data, part, network, when, settings)
    bundle = bundle_of(fit, part, when, {}, settings)
    return Trained(fit, bundle, len(part.outcomes), int(part.outcomes.sum()))


@dataclass(frozen=True)
class Fresh:
    """A network that no model has seen: the truth and every model's probability of each pupil's weeks.

    `truth` is a dataset whose columns are `TRUTH`; `probability` has a value for each of its rows.
    """

    truth: Dataset
    probability: Mapping[str, Floats]
    suspended_before: npt.NDArray[np.int8]
    when: Periods
    network: Network


def fresh(plan: NetworkPlan, models: Mapping[str, Trained], settings: Settings) -> Fresh:
    """Return the audit period of a network, and the weeks before it that give pupils their past, as models score it."""
    scorers = {name: Scorer(model.bundle, threads=settings.threads) for name, model in models.items()}
    parts, chances, before, when, schools = [], [], [], None, Schools()
    for shard in shards(plan):
        schools.see(shard)
        when = when or periods(schools.network(plan.end).calendar, plan.end, settings)
        days = [day for day in as_ofs_of(when, settings) if day >= min((*when.gaps, *when.calibrate))]
        matrix, outcomes = from_history(shard.history, days, settings, plan.end)
        parts.append((_truth(shard, matrix), outcomes))
        chances.append({name: scorer.probabilities(matrix) for name, scorer in scorers.items()})
        before.append(np.nan_to_num(matrix.values[:, matrix.names.index("suspensions_117w")]) > 0)
    assert when is not None
    whole = concat([matrix for matrix, _ in parts])
    return Fresh(
        truth=Dataset(whole, together(outcomes for _, outcomes in parts), roll_of(whole.keys), {}),
        probability={name: np.concatenate([each[name] for each in chances]) for name in models},
        suspended_before=np.concatenate(before).astype(np.int8),
        when=when,
        network=schools.network(plan.end),
    )


def _truth(shard: Shard, matrix: Matrix) -> Matrix:
    """Return `TRUTH` of each row: logs of the hazard of this week and each before it, and of the six weeks' sum."""
    weeks = np.searchsorted(shard.mondays, matrix.keys["as_of"].to_numpy().astype("datetime64[D]"))
    mine = np.searchsorted(shard.pupils, matrix.keys["pupil"].to_numpy())
    if not np.array_equal(shard.pupils[np.minimum(mine, len(shard.pupils) - 1)], matrix.keys["pupil"]):
        raise SystemExit("a pupil of the matrix has no truth; the figures would be of somebody else")
    standing = _filled(shard.hazard)
    back = [standing[mine, np.maximum(weeks - week, 0)] for week in range(BACK_WEEKS + 1)]
    padded = np.pad(shard.hazard, ((0, 0), (0, AHEAD_WEEKS)))
    ahead = np.sum([padded[mine, weeks + week] for week in range(AHEAD_WEEKS)], axis=0)
    # Hazards are capped, and pupils whose scores are equal share the worst rank: an order that says nothing parts them.
    order = 1e-6 * (matrix.keys["pupil"].to_numpy() % 1_000_003 / 1_000_003.0)[:, None]
    values = np.log(np.column_stack([*back, ahead]).astype(np.float64) + FLOOR) + order
    return Matrix(matrix.keys, values, TRUTH, matrix.fingerprint)


def _filled(hazard: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the hazards with that of the last week in school where there is none: on a holiday, or out of school."""
    last = np.maximum.accumulate(np.where(hazard > 0, np.arange(hazard.shape[1]), 0), axis=1)
    return np.take_along_axis(hazard, last, axis=1)


def judged(on: Fresh, models: Mapping[str, Trained], settings: Settings) -> tuple[dict[str, Judged], dict[str, Judged]]:
    """Return the flags of every model and oracle in the audit period, and what they were worth.

    First by each one's own flag rule, then by rank and capacity alone: the second shows what the order is worth
    where levels and rises differ.
    """
    keys, when = on.truth.matrix.keys, on.when
    audited = during(keys, when.audit)
    common = ground(
        keys[audited].assign(suspended_before=on.suspended_before[audited], seen=np.int8(0)),
        on.truth.outcomes,
        phases=on.network.phases,
        terms=network_terms(on.network.calendar),
        calendar=on.network.calendar,
        settings=settings,
    )
    rules = {name: model.fit.rule for name, model in models.items()}
    chances = dict(on.probability)
    for name in ORACLES:
        fit = _oracle(on, name, models[SMALL].fit, settings)
        rules[name], chances[name] = fit.rule, fit.calibrator.probabilities(fit.raw(on.truth.matrix))
    scored = keys[["pupil", "as_of", "school", "year_group", "abstain"]]
    alone = {name: replace(rule, level_least=0.0, rise="none", rise_least=None) for name, rule in rules.items()}
    by_rule, by_rank = (
        {
            name: judge(scored.assign(probability=chances[name]), on.truth.roll, when, rule, common)
            for name, rule in chosen.items()
        }
        for chosen in (rules, alone)
    )
    return by_rule, by_rank


def _oracle(on: Fresh, name: str, like: Fit, settings: Settings) -> Fit:
    """Return an oracle as a fit like the model's: weighed, calibrated and given its rule before the audit period."""
    past = part_of(on.truth, on.when.calibrate)
    weighed = fit_linear(_seen_on_the_day(past.matrix), past.outcomes)

    def raw(matrix: Matrix) -> Floats:
        return matrix.values[:, -1] if name == "oracle_ahead" else weighed.raw(_seen_on_the_day(matrix).values)

    calibrator = calibrate(raw(past.matrix), past.outcomes, least_outcomes=settings.least_outcomes)
    fit = replace(like, approach=MODEL, content=b"", raw=raw, fitted=None, calibrator=calibrator)
    return replace(fit, rule=rule_with(fit, on.truth, on.when, settings))


def _seen_on_the_day(matrix: Matrix) -> Matrix:
    return replace(matrix, values=matrix.values[:, :-1], names=TRUTH[:-1])


def show(found: Mapping[str, Judged], settings: Settings) -> dict[str, float]:
    """Print every figure with the ratios and their intervals; return small over large for each of `FIGURES`."""
    ratios: dict[str, float] = {}
    for suffix, group in GROUPS.items():
        rows = {name: one.rows(group) for name, one in found.items()}
        drawn = replicates(rows, "pupil", times=settings.resamples, seed=settings.seed)
        figures = {name: one.evaluation.summary[group] for name, one in found.items()}
        print(f"\n{group}: {len(rows[SMALL].pupil_terms):,} pupil-terms, {figures[SMALL]['positives']:,.0f} suspended")
        for name in found:
            flags = figures[name]["flagged"]
            said = "  ".join(f"{figure} {figures[name][figure]:.3f}{_ends(drawn[name][figure])}" for figure in FIGURES)
            print(f"  {name:13} {said}  precision {figures[name]['precision']:.3f}  flagged {flags:,.0f}")
        for above, below in ((SMALL, LARGE), (SMALL, "oracle"), (LARGE, "oracle"), ("oracle", "oracle_ahead")):
            for figure in FIGURES:
                ratio = share(figures[above][figure], figures[below][figure])
                spread = _ends(drawn[above][figure] / drawn[below][figure])
                print(f"  {above} / {below}, {figure.replace('_', ' ')}: {ratio:.3f}{spread}")
                if (above, below) == (SMALL, LARGE):
                    ratios[f"{figure}{suffix}"] = ratio
    return ratios


def _ends(drawn: Floats) -> str:
    low, high = interval(drawn)
    return f" ({low:.3f} to {high:.3f})"


LEFT = """
What is left to the oracle is not in the records. It knows strain as it is felt; records hold what strain leads to:
a few incidents, late marks and absences a term, written down by some schools more than others, some late. A share of
all sanctions comes without any warning, and a quick bad week shows in the records only after it has passed. The
second oracle shows how much of the rest is decided after the day of the flag: nobody could have known it."""


def main() -> None:
    """Train both, judge all, print the figures."""
    given = _arguments()
    began, settings = time.perf_counter(), Settings(others_share=given.share)
    print(f"load {load()}")
    check = NetworkPlan(pupils=900, schools=3, years=(2024, 2025), seed=given.seed)
    first = next(shards(check)).history
    weeks = as_ofs_of(periods(network_of(first, check.end).calendar, check.end, settings), settings)
    same = same_as_home(check, weeks[::6], settings)
    print(f"{same:,} rows of a small network are the same in memory and through export, ingest and store")
    models = {}
    for number, (name, pupils) in enumerate(((SMALL, given.pupils), (LARGE, given.times * given.pupils)), start=1):
        models[name] = trained(NetworkPlan(pupils=pupils, seed=given.seed + number), settings)
        fit = models[name].fit
        rounds = 0 if fit.fitted is None else fit.fitted.rounds
        print(
            f"{name}: {pupils:,} pupils, {models[name].rows:,} training rows, {models[name].positives:,} with a "
            f"suspension ahead, {rounds} trees of {settings.boosting['num_leaves']:.0f} leaves",
            flush=True,
        )
    on = fresh(NetworkPlan(pupils=given.fresh, seed=given.seed + 3), models, settings)
    by_rule, by_rank = judged(on, models, settings)
    ratios = show(by_rule, settings)
    print("\nBy rank and capacity alone, without level and rise")
    alone = show(by_rank, settings)
    print(LEFT)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9
    print(f"load {load()}")
    print(
        f"rank_recall_ratio={alone['recall']:.3f} recall_ratio={ratios['recall']:.3f} "
        f"ap_ratio={ratios['average_precision']:.3f} "
        f"seconds={time.perf_counter() - began:.0f} peak_gb={peak:.2f}"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="12,000 pupils, 120,000, and 120,000 fresh ones")
    parser.add_argument("--pupils", type=int, default=3_000)
    parser.add_argument("--times", type=int, default=10, help="how many times larger the large network is")
    parser.add_argument("--fresh", type=int, default=20_000)
    parser.add_argument(
        "--share", type=float, default=1.0, help="training rows without a suspension ahead that are kept"
    )
    parser.add_argument("--seed", type=int, default=20261128)
    given = parser.parse_args()
    if given.full:
        given.pupils, given.times, given.fresh, given.share = 12_000, 10, 120_000, 0.3
    return given


if __name__ == "__main__":
    main()
