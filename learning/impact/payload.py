"""What is published of a study: sentences, intervals and rounded counts, and nothing that leads to a pupil.

Counts are of pupil-terms near a cut-off, at least 30 on each side, rounded to the nearest 5; an effect is published
with its interval only where it rests on so many.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from learning.impact.checks import Check, checks, sound
from learning.impact.discontinuity import Effect, TooFew, effect, first_schools, ratio
from learning.impact.registration import OUTCOMES, Outcome, Study
from learning.impact.sample import drawn_effect
from learning.impact.textbook import textbook
from learning.impact.verdict import UNITS, WORDS, Verdict, conclude, size_words

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Material:
    """Everything a study is worked out from.

    Attributes
    ----------
    rows
        Pupil-terms near the cut-off (`learning.impact.design.first_in_term`), with `probability` and `crossed`: whether
        the pupil was flagged later within the horizon.
    outcomes, drawn_outcomes
        Outcome → one number for each row of `rows` and of `drawn`, NaN where it is not known; 'supported' too.
    before
        What was known beforehand, in plain words → one number for each row.
    drawn
        Pupil-weeks of the check sample and those it could have drawn; None where the board has none.
    """

    rows: pd.DataFrame
    outcomes: Mapping[str, Array]
    before: Mapping[str, Array]
    drawn: pd.DataFrame | None = None
    drawn_outcomes: Mapping[str, Array] | None = None


def payload_of(study: Study, made: Material) -> dict[str, Any]:
    """Return what came of the study, as plain values for a page and a command."""
    expected = {outcome.name: _left_open(outcome.name, made.rows, made.outcomes) for outcome in study.outcome}
    main = study.main
    try:
        found = {one.name: _found(study, one, made.rows, expected[one.name]) for one in study.outcome}
    except TooFew as few:
        return _too_few(str(few))
    made_checks = checks(made.rows, made.before, expected[main.name])
    verdicts = {one.name: conclude(one, found[one.name], sound=sound(made_checks)) for one in study.outcome}
    return {
        "word": verdicts[main.name].word,
        "sentence": verdicts[main.name].sentence,
        "settles": verdicts[main.name].settles,
        "outcomes": [_outcome(one, found[one.name], verdicts[one.name]) for one in study.outcome],
        "near": {
            "above": rounded(found[main.name].above),
            "below": rounded(found[main.name].below),
            "schools": found[main.name].schools,
            "crossed": _percent(made.rows.loc[made.rows["x"] < 0, "crossed"].mean()),
        },
        "checks": [
            *(asdict(one) for one in made_checks),
            asdict(_textbook(made.rows, expected[main.name], found[main.name])),
        ],
        "support": _support(made, main.name, expected[main.name], found[main.name]),
        "drawn": _drawn(made, main.name),
    }


def _found(study: Study, one: Outcome, rows: pd.DataFrame, outcome: Array) -> Effect:
    """Return the effect on an outcome: the first decides alone, and the others' intervals hold together."""
    return effect(rows, outcome, together=1 if one == study.main else len(study.outcome) - 1)


def rounded(count: int) -> int:
    """Return a count of pupil-terms to the nearest 5."""
    return 5 * round(count / 5)


def _left_open(name: str, rows: pd.DataFrame, outcomes: Mapping[str, Array]) -> Array:
    """Return the outcome less what was expected of the pupil: the model's own probability, of a suspension alone."""
    values = outcomes[name]
    return values - rows["probability"].to_numpy(np.float64) if name == "suspended" else values


def _outcome(one: Outcome, found: Effect, verdict: Verdict) -> dict[str, Any]:
    times = UNITS[one.name].times
    estimate, lower, upper, worth = (
        round(times * value, 1) for value in (found.estimate, found.lower, found.upper, one.worth)
    )
    return {
        "name": one.name,
        "title": OUTCOMES[one.name][0],
        "unit": OUTCOMES[one.name][1],
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "level": round(100 * found.level, 1),
        "worth": worth,
        "word": WORDS[verdict.word],
        "verdict": verdict.word,
        "sentence": verdict.sentence,
    }


def _textbook(rows: pd.DataFrame, outcome: Array, ours: Effect) -> Check:
    """Return rdrobust's own reading beside ours: it chooses its own bandwidth, and decides nothing."""
    known = np.isfinite(outcome)
    read = textbook(rows["x"].to_numpy(np.float64)[known], outcome[known], first_schools(rows)[known])
    agree = read.lower <= ours.upper and ours.lower <= read.upper
    words = "agrees with ours" if agree else "does not meet ours: read both with care"
    return Check(
        name="The textbook's reading",
        sentence=f"rdrobust with a bandwidth of its own choosing finds {100 * read.estimate:+.1f} in 100 "
        f"({100 * read.lower:+.1f} to {100 * read.upper:+.1f}), and {words}.",
        passed=agree,
        decides=False,
    )


def _support(made: Material, name: str, outcome: Array, over: Effect) -> dict[str, Any] | None:
    """Return the effect of support taken up, where a flag raised it for sure; a sentence where not."""
    if "supported" not in made.outcomes:
        return None
    taken = made.outcomes["supported"]
    both = np.isfinite(outcome) & np.isfinite(taken)
    try:
        rows = made.rows[both].reset_index(drop=True)
        under = effect(rows, taken[both])
        found = ratio(effect(rows, outcome[both]), under, effect(rows, outcome[both] + taken[both]))
    except TooFew:
        return None
    less = "fewer" if under.estimate < 0 else "more"
    more = f"Of pupils just missed, {_percent(taken[made.rows['x'] < 0])} had support; with a flag it is "
    more += f"{abs(100 * under.estimate):.0f} points {less} (95 % interval: {100 * under.lower:+.0f} to "
    more += f"{100 * under.upper:+.0f})."
    if found is None:
        return {"sentence": f"{more} That is too little to say what support itself does."}
    value, lower, upper = (100 * one for one in found)
    return {
        "sentence": f"{more} If a flag works through support alone, support changes the outcome by {value:+.1f} in 100 "
        f"({lower:+.1f} to {upper:+.1f}) for those who take it up because of a flag."
    }


def _drawn(made: Material, name: str) -> dict[str, Any] | None:
    if made.drawn is None or made.drawn_outcomes is None:
        return None
    try:
        found = drawn_effect(made.drawn, _left_open(name, made.drawn, made.drawn_outcomes))
    except TooFew as few:
        return {"sentence": f"{str(few)[0].upper()}{str(few)[1:]}."}
    said = size_words(name, found).replace("After a flag", "Of pupils drawn onto the list at random")
    return {"sentence": said, "drawn": rounded(found.above)}


def _too_few(sentence: str) -> dict[str, Any]:
    return {
        "word": "too_few",
        "sentence": f"We cannot tell: {sentence}.",
        "settles": "",
        "outcomes": [],
        "near": None,
        "checks": [],
        "support": None,
        "drawn": None,
    }


def _percent(values: Any) -> str:
    share = float(np.nanmean(values)) if np.size(values) else float("nan")
    return "not known" if np.isnan(share) else f"{100 * share:.0f}\N{NO-BREAK SPACE}%"
