"""A look after deployment in words: what was found, what follows, and what the figures cannot say."""

from collections.abc import Sequence
from typing import Any

from fairness.findings import LIFT, Cell
from fairness.metrics import BY_NAME
from fairness.watch.course import Judgement, Step
from fairness.watch.signals import Signal
from fairness.watch.spending import Look
from fairness.words import group_words, heading

_HEADLINES = {
    "PASS": "Still within the board's limits, on what was really served.",
    "FAIL": "Outside a limit on what was really served: the approval was revoked.",
    "NOT_SETTLED": "Nothing failed, and not every group is settled: this is not a pass.",
    "NOT_YET": "No outcome has matured yet; only signals that need none were looked at.",
    "NO_NEWS": "No outcome has matured since the look before; only signals were looked at.",
}
_STEPS = {
    "go_on": "The model goes on serving.",
    "board_review": (
        "The board is asked to look: two looks in a row settle nothing, where the model was shown to be within the "
        "limits before."
    ),
    "suspend": "Nothing is scored until people have audited and signed anew.",
}
HELP_INFLATES = (
    "A pupil who is flagged, helped and then not suspended counts as a false alarm, so help inflates false alarms, "
    "most where help is given most; and it takes pupils whom flags found out of the share found in time."
)
MOST_ALARMS = 8
# Signals that are shown although they raise no alarm.
_ALWAYS = ("agreement", "seconds", "reviews", "late", "drift:score", "selection:")


def view(
    judgement: Judgement, what_follows: Step, signals: Sequence[Signal], *, look: Look | None, helped: int, least: int
) -> dict[str, Any]:
    """Return what a page shows of one look: words, and no figure of a small group.

    `helped` is how many flagged pupils were helped and not suspended; under `least` it is said without the number.
    """
    named = str(helped) if helped >= least else "Some" if helped else "No"
    sentences = [
        *(f"Outside a limit: {_cell(cell)}." for cell in judgement.failing),
        *(
            f"Outside a limit only while helped pupils count as false alarms, so no failure: {_cell(cell)}."
            for cell in judgement.only_as_counted
        ),
        *([f"Not settled: {len(judgement.unsettled)} comparisons."] if judgement.unsettled else []),
        f"{named} pupils were flagged, helped and not suspended. {HELP_INFLATES}"
        + (" A limit counts as broken only if it is broken without them too." if helped else ""),
    ]
    if look is not None:
        sentences.append(
            f"{look.share:.0%} of the planned weeks have outcomes. Looking again and again would find a failure by "
            f"chance, so at this look a difference counts as shown only if chance would give it {_chance(look.alpha)}."
        )
    return {
        "headline": _HEADLINES[judgement.verdict],
        "follows": _STEPS[what_follows],
        "sentences": sentences,
        "alarms": _few([one.sentence for one in signals if one.alarm]),
        "signals": [one.sentence for one in signals if not one.alarm and one.name.startswith(_ALWAYS)],
    }


def _few(sentences: list[str]) -> list[str]:
    """Return the first of them, and how many more there are: a page of alarms is read by nobody."""
    more = len(sentences) - MOST_ALARMS
    return sentences if more <= 0 else [*sentences[:MOST_ALARMS], f"And {more} more, in the home's watches folder."]


def _cell(cell: Cell) -> str:
    title = "what a flag is worth at all" if cell.metric == LIFT else BY_NAME[cell.metric].title
    return f"{heading(group_words(cell.attribute, cell.group))}, {title[0].lower()}{title[1:]}"


def _chance(alpha: float) -> str:
    return "less than once in a million times" if alpha < 1e-6 else f"once in {round(1 / alpha):,} times"
