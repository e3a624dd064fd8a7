"""What changed since a posted pupil was last at ease and what would lower the figure, as the weekly list says it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from features.catalogue import CATALOGUE
from serving.api.answers import ChangeAnswer, LeverAnswer, in_words
from training.calibration import logit
from training.changes import Moment, changes_of_row
from training.flags import FlagRule
from training.levers import levers
from training.rise import last_at_ease
from training.scorer import Scorer

Array = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Eased:
    """When a pupil was last at ease, the figure then in words, what changed since, what would lower it."""

    on: date
    in_words: str
    changed: list[ChangeAnswer]
    would_lower: list[LeverAnswer]


def rows_at_ease(
    rule: FlagRule, chances: Array, pupil: Positions, stand: Positions, now: npt.NDArray[np.bool_]
) -> dict[int, int]:
    """Return, for each row of now that reaches the flag rule's level, the row of the week when the pupil was at ease.

    As `training.ease.at_ease` has it: below the level nobody is flagged, and with too short a past nobody can say.

    Parameters
    ----------
    chances, pupil, stand
        Scored rows: probability, the pupil's place, the week's place among the as-of dates.
    """
    weeks = last_at_ease(logit(chances), pupil, stand, past_weeks=rule.past_weeks, past_least=rule.past_least)
    place = {key: at for at, key in enumerate(zip(pupil.tolist(), stand.tolist(), strict=True))}
    asked = np.flatnonzero(now & (weeks >= 0) & (chances >= rule.level_least))
    return {int(at): place[int(pupil[at]), int(weeks[at])] for at in asked}


def eased(
    scorer: Scorer, fingerprint: str, values: Array, rows: dict[int, int], on: Sequence[date], chances: Array
) -> dict[int, Eased]:
    """Return what is said of each of the rows, by the row.

    Parameters
    ----------
    values, chances
        Of every scored row.
    rows
        Row of now → row at ease (`rows_at_ease`).
    on
        As-of date of every scored row.
    """
    if not rows:
        return {}
    now, then = list(rows), list(rows.values())
    parts = scorer.parts(values[[*now, *then]], fingerprint)[:, : len(CATALOGUE)]
    days = [on[at] for at in then]
    lowering = levers(scorer, fingerprint, values[now], values[then], days, CATALOGUE)
    found = {}
    for at, (row, before) in enumerate(rows.items()):
        moments = Moment(values[row], parts[at]), Moment(values[before], parts[len(now) + at])
        found[row] = Eased(
            on=days[at],
            in_words=in_words(float(chances[before])),
            changed=[
                ChangeAnswer(way=c.way, group=c.group, sentence=c.sentence, share=c.share, changeable=c.changeable)
                for c in changes_of_row(*moments, days[at], CATALOGUE)
            ],
            would_lower=[
                LeverAnswer(group=v.group, sentence=v.sentence, in_words=in_words(v.probability)) for v in lowering[at]
            ],
        )
    return found
