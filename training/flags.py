"""Flags: level and rise, within each school's capacity, week by week.

Level: the probability reaches the network-wide floor. Rise: its log-odds stand above the pupil's own
past, as a form of `rise.FORMS` measures it (over up to `past_weeks` earlier weeks, at least `past_least`
of them scored), by at least `rise_least`, which comes from the usual change between weeks in the
calibration period. A pupil with too short a past has no rise and is not flagged: that is said, not
guessed. The pupils of a school and week for whom both hold and who are not snoozed are ranked by
probability; equal ones share the worst rank, so capacity is never exceeded and chance never chooses.

Every row is kept, flagged or not: it is the allocation log (docs/decisions.md, 17).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.calibration import logit
from training.rise import FORMS, rises, rising_since

NEVER, FOREVER = -(10**6), 10**6
# 1 January 1970 was a Thursday; weeks begin on a Monday. The golden section's multiples lie evenly between 0 and 1.
_THURSDAY, _GOLDEN = 3, (5**0.5 - 1) / 2
SCORES = ("pupil", "as_of", "school", "year_group", "abstain", "probability")
ALLOCATION = (
    "pupil",
    "as_of",
    "school",
    "year_group",
    "probability",
    "rank",
    "cut_off",
    "rise",
    "rise_margin",
    "holds",
    "eligible",
    "snoozed",
    "flagged",
    "rising_since",
    "capacity",
)


@dataclass(frozen=True, kw_only=True)
class FlagRule:
    """Who is flagged. It lies in the bundle: changing a number is a new bundle with a new audit.

    `level_least` is a probability, `rise` a key of `rise.FORMS`, `rise_least` a difference of log-odds
    (None exactly where the form is 'none', as for the simple rules); weeks are school weeks. A flag ends
    `snooze_weeks` after it was given: until then the pupil is not flagged anew.
    """

    level_least: float
    rise: str
    rise_least: float | None
    past_weeks: int
    past_least: int
    since_weeks: int
    snooze_weeks: int
    capacity_share: float
    capacity_min: int
    capacity_max: int

    def __post_init__(self) -> None:
        if self.rise not in FORMS or (self.rise == "none") != (self.rise_least is None):
            raise ValueError(
                f"a flag rule with rise {self.rise!r} and rise_least {self.rise_least}; rise is one of "
                f"{', '.join(FORMS)}, and only 'none' goes without rise_least"
            )

    def as_dict(self) -> dict[str, Any]:
        """Return the rule as plain values."""
        return asdict(self)

    def share(self, roll: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return new flags a week that schools with rolls of these sizes have room for on average, before bounds."""
        return self.capacity_share * roll.astype(np.float64)

    def capacity(
        self, roll: npt.NDArray[np.int64], school: npt.NDArray[np.integer], as_of: npt.NDArray[np.datetime64]
    ) -> npt.NDArray[np.int32]:
        """Return the new flags that each school has room for in its week; all shape (rows,).

        A share is seldom a whole number, and what is over is carried to the next week: a school of 100 pupils with
        room for half a pupil has room for one every second week. So every school, a special school too, is asked
        for the same share of its pupils (docs/decisions.md, 93). Weeks are counted since 1970, each school from a
        point of its own, so that not all have their odd pupil in one week; nothing is remembered from list to list.
        """
        share, week = self.share(roll), (as_of.astype("datetime64[D]").astype(np.int64) + _THURSDAY) // 7
        begun = school.astype(np.float64) * _GOLDEN % 1.0
        room = np.floor(share * (week + 1) + begun) - np.floor(share * week + begun)
        within: npt.NDArray[np.int32] = np.clip(room, self.capacity_min, self.capacity_max).astype(np.int32)
        return within


def rule_from(said: Mapping[str, Any]) -> FlagRule:
    """Return the rule that plain values describe; ValueError names what is missing or unknown."""
    names = {item.name for item in fields(FlagRule)}
    if set(said) != names:
        raise ValueError(f"a flag rule has {', '.join(sorted(names))}; these differ: {sorted(set(said) ^ names)}")
    return FlagRule(**said)


def allocate(
    scores: pd.DataFrame,
    roll: pd.DataFrame,
    rule: FlagRule,
    *,
    start: date | None = None,
    earlier_flags: pd.DataFrame | None = None,
    set_aside: frozenset[int] = frozenset(),
) -> pd.DataFrame:
    """Return the allocation log of every scored pupil-week from `start` on.

    Parameters
    ----------
    scores
        Columns `SCORES`, one row per (pupil, as_of), the as-of dates being successive school weeks.
        Rows before `start` give pupils their past; rows with a reason to abstain are not scored.
    roll
        `school`, `as_of`, `roll`: pupils on roll.
    start
        First as-of date on which flags are made; None: the first there is.
    earlier_flags
        `pupil`, `as_of` of flags already made, which snooze; None: none.
    set_aside
        Pupils whom a person set aside: snoozed in every week from `start` on.

    Raises
    ------
    ValueError
        A probability of a scored row is not strictly between 0 and 1, or a school-week has no roll.
    """
    weeks = np.unique(scores["as_of"].to_numpy())
    first = 0 if start is None else int(np.searchsorted(weeks, np.datetime64(start, "s")))
    log = scores.loc[scores["abstain"] == "", list(SCORES)].sort_values(["as_of", "pupil"], kind="stable")
    log = log.drop(columns="abstain").reset_index(drop=True)
    chances = log["probability"].to_numpy(np.float64)
    if not ((chances > 0) & (chances < 1)).all():
        raise ValueError("every scored row needs a probability strictly between 0 and 1; check the scorer")
    pupils, at = np.unique(log["pupil"].to_numpy(), return_inverse=True)
    week = np.searchsorted(weeks, log["as_of"].to_numpy())
    log["rise"], log["rise_margin"], since = rises_by(rule, chances, at, week)
    rising = since >= 0
    began = pd.Series(weeks[np.maximum(since, 0)], index=log.index).astype("datetime64[s]")
    log["rising_since"] = began.where(since >= 0)
    log["capacity"] = _capacities(log, roll, rule)
    log["holds"] = holds = (chances >= rule.level_least) & (rising | (rule.rise_least is None))
    kept = np.flatnonzero(week >= first)
    log, at, week, holds = log.iloc[kept].reset_index(drop=True), at[kept], week[kept], holds[kept]
    last = _last_flags(earlier_flags, pupils, weeks)
    # As if flagged in a week that is never over.
    last[np.isin(pupils, sorted(set_aside))] = FOREVER
    return _by_week(log, holds, at, week, last, rule)[list(ALLOCATION)]


def rises_by(
    rule: FlagRule, chances: npt.NDArray[np.float64], pupils: npt.NDArray[np.intp], weeks: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Return each row's rise, what it is above the rule's least, and the week position since when it has held.

    NaN with too short a past; the margin NaN, too, where the rule asks for no rise; -1 where it does not hold.

    Parameters
    ----------
    chances
        Probabilities of the scored rows.
    pupils, weeks
        Each row's pupil and as-of week as positions 0, 1, ...; at most one row for a pair.
    """
    rise = rises(logit(chances), pupils, weeks, past_weeks=rule.past_weeks, past_least=rule.past_least, form=rule.rise)
    margin = rise - (np.nan if rule.rise_least is None else rule.rise_least)
    return rise, margin, rising_since(margin >= 0, pupils, weeks, since_weeks=rule.since_weeks)


def _capacities(log: pd.DataFrame, roll: pd.DataFrame, rule: FlagRule) -> npt.NDArray[np.int32]:
    sizes = log[["school", "as_of"]].merge(roll[["school", "as_of", "roll"]], on=["school", "as_of"], how="left")[
        "roll"
    ]
    if sizes.isna().any():
        raise ValueError("a school-week with scored pupils has no roll; give the roll of every school and as-of date")
    return rule.capacity(sizes.to_numpy(np.int64), log["school"].to_numpy(), log["as_of"].to_numpy())


def _last_flags(
    earlier: pd.DataFrame | None, pupils: npt.NDArray[np.int64], weeks: npt.NDArray[np.datetime64]
) -> npt.NDArray[np.int64]:
    """Return the week position of each pupil's last flag, `NEVER` where there is none."""
    last = np.full(len(pupils), NEVER, np.int64)
    if earlier is None or earlier.empty or not len(pupils):
        return last
    position = np.searchsorted(weeks, earlier["as_of"].to_numpy().astype("datetime64[s]"), side="right") - 1
    place = np.minimum(np.searchsorted(pupils, earlier["pupil"].to_numpy()), len(pupils) - 1)
    # A flag before the first week given is older than any snooze: callers give at least that many weeks.
    mine = (pupils[place] == earlier["pupil"].to_numpy()) & (position >= 0)
    np.maximum.at(last, place[mine], position[mine])
    return last


def _by_week(
    log: pd.DataFrame,
    holds: npt.NDArray[np.bool_],
    at: npt.NDArray[np.intp],
    week: npt.NDArray[np.intp],
    last_flag: npt.NDArray[np.int64],
    rule: FlagRule,
) -> pd.DataFrame:
    """Return the log with eligible, snoozed, flagged, rank and cut_off; a flag snoozes later weeks."""
    found = {
        "snoozed": np.zeros(len(log), bool),
        "eligible": np.zeros(len(log), bool),
        "flagged": np.zeros(len(log), bool),
    }
    rank, cut_off = np.zeros(len(log), np.int32), np.full(len(log), np.nan)
    chances, schools, capacity = (log[name].to_numpy() for name in ("probability", "school", "capacity"))
    for now in np.unique(week):
        rows = slice(*np.searchsorted(week, [now, now + 1]))
        snoozed = now - last_flag[at[rows]] < rule.snooze_weeks
        eligible = holds[rows] & ~snoozed
        list_ = pd.DataFrame({"school": schools[rows][eligible], "chance": chances[rows][eligible]})
        # Equal pupils share the worst rank: if they do not all fit, none of them goes in.
        places = list_.groupby("school")["chance"].rank(method="max", ascending=False).to_numpy(np.int32)
        chosen = places <= capacity[rows][eligible]
        cut_off[rows] = pd.Series(schools[rows]).map(_cut_offs(list_, chosen)).to_numpy(np.float64)
        rank[rows][eligible] = places
        found["snoozed"][rows], found["eligible"][rows] = snoozed, eligible
        found["flagged"][rows][eligible] = chosen
        last_flag[at[rows][found["flagged"][rows]]] = now
    return log.assign(rank=rank, cut_off=cut_off, **found)


def _cut_offs(list_: pd.DataFrame, chosen: npt.NDArray[np.bool_]) -> pd.Series:
    """Return each school's midpoint of the last in and the first out; NaN when nobody is out, or nobody in."""
    last_in = list_[chosen].groupby("school")["chance"].min()
    first_out = list_[~chosen].groupby("school")["chance"].max()
    return (last_in + first_out) / 2
