"""What is tried, what each is worth on forward folds, and which of them no other beats on both counts.

Forward folds lie in the training period: no audited term is seen, so that the audit of whatever is chosen stays a
promise. What stands here is for choosing and is too rosy as a promise.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from fairness.evaluation import labels_of
from fairness.mitigation.weighing import Outcomes, Reduction, reduced, reweighing
from fairness.policy import Attribute, Policy
from fairness.resampling import Floats, Ints
from fairness.shortfall import LEAST
from fairness.words import attribute_words, group_words
from features.catalogue import CATALOGUE
from training.fitting import Part
from training.settings import Settings
from training.splits import Fold
from training.variants import Array, Rows, Variant, Weigh, judged

Bools = npt.NDArray[np.bool_]
Told = Callable[[str, int, int], None]
STRENGTHS = (0.25, 0.5, 1.0)
SLACK = 0.02
DRAWS = 300
# Left out together in the end: what by itself cost under half a point of recall and narrowed the worst gap by a point.
MOST_COST, LEAST_NARROWED = 0.005, 0.01
WHY_ONE_THRESHOLD = (
    "One model, one list and one threshold for every pupil: a threshold or a score that differed by sex, ethnicity or "
    "need would treat a pupil differently for what they are (direct discrimination, Equality Act 2010, section 13), "
    "and the model would have to be told it. So groups are known only while it learns, and never when it scores."
)


@dataclass(frozen=True, kw_only=True)
class Point:
    """One variant's worth. Intervals are over pupils drawn whole, 5 % on each side.

    `recall`: of judged rows with a suspension ahead, the share within capacity. `shortfall`: what the worst-off group
    judged in full lacks of all others', 0 at least, and `group` which that is ('' none). `best`: no other variant is
    as good on both and better on one, and none tried earlier, hence simpler, comes to the same.
    """

    number: int
    name: str
    words: str
    recall: float
    recall_lower: float
    recall_upper: float
    shortfall: float
    shortfall_lower: float
    shortfall_upper: float
    group: str
    best: bool = False


@dataclass(frozen=True)
class Tried:
    """Every variant with its worth, in the order tried; the first changes nothing."""

    variants: tuple[Variant, ...]
    points: tuple[Point, ...]


def try_all(
    part: Part, folds: Sequence[Fold], settings: Settings, groups: pd.DataFrame, policy: Policy, told: Told
) -> Tried:
    """Return what leaving out, weighing and both together are worth on the folds."""
    measure = _Measure(groups, policy)
    singly = _singly(part, settings)
    first = _points(singly, part, folds, settings, measure, told, 0)
    rest = _rest(singly, first, part, settings, groups, policy)
    second = _points(rest, part, folds, settings, measure, told, len(singly))
    return Tried((*singly, *rest), _marked([*first, *second]))


def tried_before(
    points: Sequence[Point], part: Part, settings: Settings, groups: pd.DataFrame, policy: Policy
) -> Tried:
    """Return the variants of a search over the same records whose points were kept: none is fitted again."""
    singly = _singly(part, settings)
    rest = _rest(singly, points[: len(singly)], part, settings, groups, policy)
    return Tried((*singly, *rest), tuple(points))


def _singly(part: Part, settings: Settings) -> list[Variant]:
    return [Variant(name="as_it_is", words="nothing changed"), *_without(part, settings)]


def _rest(
    singly: Sequence[Variant],
    points: Sequence[Point],
    part: Part,
    settings: Settings,
    groups: pd.DataFrame,
    policy: Policy,
) -> list[Variant]:
    together = _together(singly, points)
    return [*together, *_weighed(part, settings, groups, policy, together[-1:])]


def _without(part: Part, settings: Settings) -> Iterator[Variant]:
    """Yield each used feature with a declared risk left out, and all of one risk."""
    used = set(settings.inputs or part.matrix.names)
    risky = [feature for feature in CATALOGUE if feature.proxy_risk is not None and feature.name in used]
    for feature in risky:
        yield Variant(name=f"without {feature.name}", words=f"without {feature.name}", without=(feature.name,))
    for risk in dict.fromkeys(feature.proxy_risk.of for feature in risky if feature.proxy_risk is not None):
        names = tuple(one.name for one in risky if one.proxy_risk is not None and one.proxy_risk.of == risk)
        if len(names) > 1:
            yield Variant(name=f"without {risk}", words=f"without all that may stand for {risk}", without=names)


def _together(singly: Sequence[Variant], points: Sequence[Point]) -> list[Variant]:
    """Return the variant without every feature that, left out alone, cost little and narrowed the worst gap."""
    base = points[0]
    names = {
        name
        for variant, point in zip(singly, points, strict=True)
        if len(variant.without) == 1
        and point.recall > base.recall - MOST_COST
        and point.shortfall < base.shortfall - LEAST_NARROWED
        for name in variant.without
    }
    if len(names) < 2:
        return []
    kept = tuple(sorted(names))
    return [Variant(name="without several", words=f"without {', '.join(kept)}", without=kept)]


def _weighed(
    part: Part, settings: Settings, groups: pd.DataFrame, policy: Policy, together: Sequence[Variant]
) -> Iterator[Variant]:
    """Yield reweighing and reductions by each attribute judged in full, alone and with the features left out."""
    pupils, at = np.unique(part.matrix.keys["pupil"].to_numpy(np.int64), return_inverse=True)
    level = min(0.5, settings.level_times * float(part.outcomes.mean()))
    for attribute in policy.attributes:
        if attribute.gate != "full":
            continue
        labels = labels_of(attribute, groups, pupils).of_pupil[at]
        for variant in _by(attribute, part, labels, level, settings):
            yield variant
            for left in together:
                yield replace(
                    variant,
                    name=f"{variant.name}, {left.name}",
                    words=f"{variant.words}, {left.words}",
                    without=left.without,
                )


def _by(attribute: Attribute, part: Part, labels: Ints, level: float, settings: Settings) -> Iterator[Variant]:
    words = attribute_words(attribute.name)
    outcomes: Outcomes = part.outcomes
    yield Variant(
        name=f"reweighed by {attribute.name}",
        words=f"rows reweighed so that {words} and outcome are independent (Kamiran and Calders)",
        weigh=reweighing(labels, outcomes),
    )
    used = [name in set(settings.inputs or part.matrix.names) for name in part.matrix.names]
    values = part.matrix.values[:, np.array(used)]
    # Found when the first variant is fitted: naming the variants of an earlier search costs nothing.
    price = cache(lambda: reduced(values, outcomes, labels, level=level, slack=SLACK, seed=settings.seed))
    for strength in STRENGTHS:
        yield Variant(
            name=f"reduction by {attribute.name} {strength:g}",
            words=f"rows weighed by {strength:g} of the prices of unequal recall by {words} (Fairlearn's reductions)",
            weigh=_priced(price, strength, labels, outcomes),
        )


def _priced(price: Callable[[], Reduction], strength: float, labels: Ints, outcomes: Outcomes) -> Weigh:
    def weigh(rows: Rows) -> tuple[Array, Outcomes]:
        return price().softer(strength).weigh(labels, outcomes)(rows)

    return weigh


class _Measure:
    """Recall and the worst group's shortfall of judged rows, with intervals."""

    def __init__(self, groups: pd.DataFrame, policy: Policy) -> None:
        self.groups, self.policy = groups, policy

    def point(self, rows: pd.DataFrame, number: int, variant: Variant) -> Point:
        came = rows[rows["outcome"] == 1]
        pupils, at = np.unique(came["pupil"].to_numpy(np.int64), return_inverse=True)
        hits = np.bincount(at, weights=came["listed"].to_numpy(np.float64))
        sums = np.column_stack([hits, np.bincount(at).astype(np.float64)])
        masks = list(self._masks(pupils))
        rng = np.random.default_rng([self.policy.inference.seed, 14])
        draws = rng.multinomial(len(pupils), np.full(len(pupils), 1 / len(pupils)), size=DRAWS).astype(np.float64)
        usable = [(name, mask) for name, mask in masks if min(sums[mask, 1].sum(), sums[~mask, 1].sum()) >= LEAST]
        once = np.ones((1, len(pupils)))
        recall, shortfalls = _recall(once, sums), _shortfalls(once, sums, usable)
        worst = int(np.argmax(shortfalls[0])) if usable else -1
        drawn, spread = _recall(draws, sums), _shortfalls(draws, sums, usable)
        ends = np.nanquantile(drawn, [0.05, 0.95])
        # Of the same group throughout: the largest of many would be large in every draw.
        gaps = np.nanquantile(spread[:, worst], [0.05, 0.95]) if usable else np.zeros(2)
        return Point(
            number=number,
            name=variant.name,
            words=variant.words,
            recall=float(recall[0]),
            recall_lower=float(ends[0]),
            recall_upper=float(ends[1]),
            shortfall=max(0.0, float(shortfalls[0, worst])) if usable else 0.0,
            shortfall_lower=float(gaps[0]),
            shortfall_upper=float(gaps[1]),
            group=usable[worst][0] if usable else "",
        )

    def _masks(self, pupils: Ints) -> Iterator[tuple[str, Bools]]:
        for attribute in self.policy.attributes:
            if attribute.gate != "full":
                continue
            label = labels_of(attribute, self.groups, pupils)
            for place, group in enumerate(label.names):
                if group in attribute.groups:
                    yield group_words(attribute.name, group), label.of_pupil == place


def _recall(draws: Floats, sums: Floats) -> Floats:
    hits, base = draws @ sums[:, 0], draws @ sums[:, 1]
    return np.where(base > 0, hits / np.maximum(base, 1e-12), np.nan)


def _shortfalls(draws: Floats, sums: Floats, masks: Sequence[tuple[str, Bools]]) -> Floats:
    """Return everyone else's recall less the group's, shape (draws, groups)."""
    columns = [_recall(draws[:, ~mask], sums[~mask]) - _recall(draws[:, mask], sums[mask]) for _, mask in masks]
    return np.column_stack(columns) if columns else np.zeros((len(draws), 1))


def _points(
    variants: Sequence[Variant],
    part: Part,
    folds: Sequence[Fold],
    settings: Settings,
    measure: _Measure,
    told: Told,
    before: int,
) -> list[Point]:
    found = []
    for number, variant in enumerate(variants):
        told(variant.name, number, len(variants))
        found.append(measure.point(judged(part, folds, settings, variant), before + number, variant))
    return found


def _marked(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return the points, marked where no other is as good on both counts and better on one; of equals, the first."""
    return tuple(
        replace(one, best=not any(_beats(other, one, earlier=other.number < one.number) for other in points))
        for one in points
    )


def _beats(other: Point, one: Point, *, earlier: bool) -> bool:
    if other.recall < one.recall or other.shortfall > one.shortfall:
        return False
    return earlier or other.recall > one.recall or other.shortfall < one.shortfall
