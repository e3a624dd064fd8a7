"""One week's flags, by the code that the audit's flags were made with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from features.compiled import build
from features.matrix import Matrix, concat
from records.calendar import calendar_from
from records.history import History, latest
from records.tables import CALENDARS
from training.ease import at_ease
from training.flags import allocate
from training.scorer import Scorer, scores_of
from training.weeks import as_ofs_for
from training.why import Explain, Why, why


@dataclass(frozen=True)
class Week:
    """The scores and flags of one as-of date.

    Attributes
    ----------
    allocation
        One row per scored pupil (columns `flags.ALLOCATION`).
    matrix
        Features of every pupil on roll at the as-of date; `keys` says who could not be scored and why.
    why
        Flagged pupil → why.
    """

    as_of: date
    allocation: pd.DataFrame
    matrix: Matrix
    why: Mapping[int, Why]


@dataclass(frozen=True)
class ShardWeek:
    """What the pupils of one shard bring to a week: nobody's place on a list, which is among their whole school.

    Attributes
    ----------
    scores
        Of `as_of` and of the weeks before it that give pupils their own past (`scorer.scores_of`).
    now, eased
        Features at `as_of`, and of those who may be flagged in the week when they were last at ease.
    """

    scores: pd.DataFrame
    now: Matrix
    eased: Matrix


def shard_week(history: History, scorer: Scorer, as_of: date) -> ShardWeek:
    """Return what one shard's pupils bring to the week."""
    calendar = calendar_from(latest(history.tables["calendars"], CALENDARS, as_of))
    matrix = build(history, as_ofs_for(calendar, as_of, scorer.rule.past_weeks + scorer.rule.since_weeks))
    scores = scores_of(scorer, matrix)
    now = matrix.where((matrix.keys["as_of"] == pd.Timestamp(as_of)).to_numpy(bool))
    return ShardWeek(scores, now, at_ease(matrix, scores, scorer.rule, as_of))


def week_of_shards(
    scorer: Scorer,
    as_of: date,
    shards: Sequence[ShardWeek],
    *,
    earlier_flags: pd.DataFrame | None = None,
    set_aside: frozenset[int] = frozenset(),
    explain: Explain = Scorer.contributions,
) -> Week:
    """Return the week's flags among the pupils of these shards.

    Parameters
    ----------
    shards
        All of the network's, or capacity and rank will be of a part of each school.
    earlier_flags
        `pupil`, `as_of` of flags given before, which snooze.
    set_aside
        Pupils whom a person set aside: scored, and not flagged.
    explain
        How contributions are worked out; `training.contributions.contributions` is quicker for many.
    """
    scores = pd.concat([shard.scores for shard in shards], ignore_index=True)
    now, eased = concat([shard.now for shard in shards]), concat([shard.eased for shard in shards])
    allocation, flagged = _allocated(scorer, as_of, scores, now, earlier_flags, set_aside)
    return Week(as_of, allocation, now, why(scorer, flagged, eased, explain))


def week_of_matrix(scorer: Scorer, matrix: Matrix, as_of: date, *, earlier_flags: pd.DataFrame | None = None) -> Week:
    """Return the week's flags from a matrix that already holds `as_of` and the earlier weeks."""
    now, scores = matrix.where((matrix.keys["as_of"] == pd.Timestamp(as_of)).to_numpy(bool)), scores_of(scorer, matrix)
    allocation, flagged = _allocated(scorer, as_of, scores, now, earlier_flags)
    return Week(as_of, allocation, now, why(scorer, flagged, at_ease(matrix, scores, scorer.rule, as_of)))


def _allocated(
    scorer: Scorer,
    as_of: date,
    scores: pd.DataFrame,
    now: Matrix,
    earlier_flags: pd.DataFrame | None,
    set_aside: frozenset[int] = frozenset(),
) -> tuple[pd.DataFrame, Matrix]:
    """Return the week's allocation, and the rows of those whom it flags."""
    roll = scores.groupby(["school", "as_of"], sort=True).size().reset_index(name="roll")
    allocation = allocate(scores, roll, scorer.rule, start=as_of, earlier_flags=earlier_flags, set_aside=set_aside)
    flagged = allocation.loc[allocation["flagged"], "pupil"]
    return allocation, now.where(now.keys["pupil"].isin(flagged).to_numpy(bool))
