"""What may be concluded, in words: for the outcome that decides, for the others, and for the checks.

Less of every outcome is better. A sentence never says more than its interval: where that reaches over no effect and
over an effect worth knowing, nobody can tell, and the sentence says how many more pupils it would take.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from scipy import stats

from learning.impact.discontinuity import Effect
from learning.impact.power import POWER
from learning.impact.registration import Outcome

Word = Literal["helps", "harms", "no_difference", "cannot_tell", "not_believed", "not_yet", "too_few"]
WORDS: Final[Mapping[Word, str]] = {
    "helps": "Helps",
    "harms": "Does harm",
    "no_difference": "No difference worth knowing",
    "cannot_tell": "Cannot tell yet",
    "not_believed": "Not to be believed",
    "not_yet": "Not yet",
    "too_few": "Too few",
}
# A check is alarmed by chance this often, and no more: there are about a dozen.
ALARM: Final = 0.005


@dataclass(frozen=True, kw_only=True)
class Unit:
    """How an outcome's numbers are said: times what, of what, and what fewer and more of them are called."""

    times: float
    fewer: str
    more: str
    of: str


UNITS: Final[Mapping[str, Unit]] = {
    "suspended": Unit(times=100, fewer="fewer", more="more", of="pupils in every 100 were suspended or excluded"),
    "missed": Unit(times=100, fewer="fewer", more="more", of="sessions in every 100 were missed"),
    "incidents": Unit(times=100, fewer="fewer", more="more", of="incidents for every 100 pupils were recorded"),
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One conclusion: a word for the picture, a sentence, and what would settle it ('' where it is settled)."""

    word: Word
    sentence: str
    settles: str = ""


def conclude(outcome: Outcome, found: Effect, *, sound: bool = True) -> Verdict:
    """Return what may be said of one outcome.

    Parameters
    ----------
    sound
        Whether the checks found the two sides alike; where not, no effect is believed.
    """
    said = size_words(outcome.name, found)
    if not sound:
        return Verdict(
            word="not_believed",
            sentence="The pupils on the two sides of the cut-off were not alike before, so their outcomes are no "
            "measure of the flag.",
            settles="Find out why: the checks below say what differs. Nothing can be concluded until they agree.",
        )
    if found.upper < 0:
        return Verdict(word="helps", sentence=f"Being flagged helps. {said}")
    if found.lower > 0:
        return Verdict(
            word="harms",
            sentence=f"Being flagged does harm. {said}",
            settles="Stop, and find out what follows a flag before the next list goes out.",
        )
    if -outcome.worth < found.lower and found.upper < outcome.worth:
        return Verdict(word="no_difference", sentence=f"Being flagged makes no difference worth knowing. {said}")
    more = more_needed(outcome, found)
    wanted = f"We would need about {_rounded(more):,} more pupil-terms near the cut-off" if more else "We would need"
    return Verdict(
        word="cannot_tell",
        sentence=f"We cannot tell yet. {said}",
        settles=f"{wanted} to find an effect of {_number(outcome.worth, outcome.name)} in 100 four times in five."
        if more
        else "So many pupils find an effect of the registered size four times in five; this time they did not. "
        "Another term settles it.",
    )


def more_needed(outcome: Outcome, found: Effect) -> int:
    """Return how many more pupil-terms it takes to find the effect worth knowing, from the error that was found."""
    times = float(stats.t.ppf(0.975, found.freedom) + stats.t.ppf(POWER, found.freedom))
    count = found.above + found.below
    return max(0, math.ceil(count * ((times * found.error / outcome.worth) ** 2 - 1)))


def size_words(name: str, found: Effect) -> str:
    """Return the estimate with its interval: 'Of those just flagged, 4.0 fewer pupils ... (8.1 fewer to 0.3 more)'."""
    unit = UNITS[name]
    ends = f"{_signed(found.lower, name)} to {_signed(found.upper, name)}"
    said = f"{_signed(found.estimate, name)} {unit.of}"
    return f"After a flag, {said} than without one ({100 * found.level:g} % interval: {ends})."


def _signed(value: float, name: str) -> str:
    unit = UNITS[name]
    return f"{_number(abs(value), name)} {unit.fewer if value < 0 else unit.more}"


def _number(value: float, name: str) -> str:
    return f"{UNITS[name].times * value:.1f}"


def _rounded(count: int) -> int:
    """Return the count to two figures, upwards: nobody knows it better."""
    step: int = 10 ** max(0, len(str(count)) - 2)
    return math.ceil(count / step) * step
