"""What would lower the figure: what people can change, put back to the pupil's own level at ease and scored anew.

No contribution is read here: the model itself is asked again. Every window of a measure goes back together,
because three removals in four weeks and none in twelve is no pupil's record. It is an estimate of what the
figure would be, not of what help would do: the model knows patterns, not causes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from features.feature import GROUPS, Feature
from training.reasons import harder
from training.scorer import Scorer

Array = npt.NDArray[np.float64]
MOST_LEVERS = 4
MOST_NAMED = 2
# A smaller difference would be said with the same words: 'about 29 in 100'.
LEAST_LOWER = 0.01


@dataclass(frozen=True, kw_only=True)
class Lever:
    """One group as it was when the pupil was last at ease, and the probability that the model then gives."""

    group: str
    sentence: str
    probability: float


def levers(
    scorer: Scorer, fingerprint: str, now: Array, then: Array, days: Sequence[date], features: Sequence[Feature]
) -> tuple[tuple[Lever, ...], ...]:
    """Return each row's levers, the one that lowers most first; none where nothing lowers the figure.

    Parameters
    ----------
    fingerprint
        Of the catalogue that made the rows.
    now, then
        The same pupils row by row, at the as-of date and when they were last at ease; shape ``(rows, features)``.
    days
        Each row's day at ease.
    """
    columns = factors(features)
    if not len(now) or not columns:
        return tuple(() for _ in range(len(now)))
    usual = np.where(np.isfinite(then), then, now)
    tried = [now]
    for at in columns.values():
        values = now.copy()
        values[:, at] = usual[:, at]
        tried.append(values)
    before, *after = scorer.chances(np.concatenate(tried), fingerprint).reshape(len(tried), -1)
    found: list[tuple[Lever, ...]] = []
    for row, day in enumerate(days):
        mine = [
            Lever(group=group, sentence=_sentence(group, named, day), probability=float(chances[row]))
            for (group, at), chances in zip(columns.items(), after, strict=True)
            if before[row] - chances[row] >= LEAST_LOWER
            and (named := _easier(at, now[row], usual[row], features)) is not None
        ]
        found.append(tuple(sorted(mine, key=lambda lever: (lever.probability, lever.group))[:MOST_LEVERS]))
    return tuple(found)


def factors(features: Sequence[Feature]) -> Mapping[str, list[int]]:
    """Return, for each group with something that people can change, the features that go back together.

    These are its changeable features, and those of other groups that count the same measures.
    """
    able = [at for at, feature in enumerate(features) if feature.changeable]
    found = {}
    for group in GROUPS:
        own = [at for at in able if features[at].group == group]
        counted = {measure.name for at in own if (measure := features[at].measure) is not None}
        shared = [at for at in able if (measure := features[at].measure) is not None and measure.name in counted]
        if own:
            found[group] = sorted({*own, *shared})
    return found


def _easier(at: Sequence[int], now: Array, then: Array, features: Sequence[Feature]) -> tuple[str, ...] | None:
    """Return what was easier then, by the measures' own names; None where nothing was."""
    better = [features[a] for a in at if np.sign(then[a] - now[a]) * harder(features[a]) < 0]
    if not better:
        return None
    plain = [f.measure for f in better if f.kind in ("count", "rate") and f.measure is not None]
    # Points and sessions lost say the events over again.
    return tuple(dict.fromkeys(measure.means for measure in plain if measure.weight is None))[:MOST_NAMED]


def _sentence(group: str, named: tuple[str, ...], on: date) -> str:
    said = f" ({'; '.join(named)})" if named else ""
    return f"If {group[:1].lower()}{group[1:]}{said} were again as before {on.day} {on:%B}"
