"""A look after deployment in words: what was found, what follows, and what the figures cannot say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fairness.disclosure import hidden_counts, rounded
from fairness.findings import LIFT, Cell
from fairness.metrics import BY_NAME
from fairness.policy import Disclosure
from fairness.watch.course import Judgement, Step
from fairness.watch.signals import DRIFT, Signal
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
MOST_NAMED = 8
# Signals that are shown although they raise no alarm.
_ALWAYS = ("agreement", "seconds", "reviews", "late", "selection:")


@dataclass(frozen=True, kw_only=True)
class Helped:
    """Flagged pupil-terms whose outcomes are known: helped and not suspended, flagged rightly, and all of them."""

    left_out: int
    right: int = 0
    flagged: int = 0


def view(
    judgement: Judgement,
    what_follows: Step,
    signals: Sequence[Signal],
    *,
    look: Look | None,
    helped: Helped,
    rule: Disclosure,
) -> dict[str, Any]:
    """Return what a page shows of one look: words, and no figure of a small group.

    How many flagged pupils were helped and not suspended is rounded, and under the least count that the policy shows
    said without the number.
    """
    left_out = helped.left_out
    named = f"About {rounded(left_out, rule)}" if left_out >= rule.primary else "Some" if left_out else "No"
    sentences = [
        *(f"Outside a limit: {_cell(cell)}." for cell in judgement.failing),
        *(
            f"Outside a limit only while helped pupils count as false alarms, so no failure: {_cell(cell)}."
            for cell in judgement.only_as_counted
        ),
        *([f"Not settled: {len(judgement.unsettled)} comparisons."] if judgement.unsettled else []),
        f"{named} pupils were flagged, helped and not suspended. {HELP_INFLATES}"
        + (" A limit counts as broken only if it is broken without them too." if left_out else "")
        + _both_readings(helped, rule),
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
        "alarms": _alarms(signals),
        "signals": _quiet(signals),
    }


def _both_readings(helped: Helped, rule: Disclosure) -> str:
    """Return the share of flags that were right, counted as they are and without helped pupils, as far as it may be."""
    rest = helped.flagged - helped.left_out
    counts = {"left": helped.left_out, "right": helped.right, "wrong": rest - helped.right}
    if not helped.left_out or rest <= 0 or hidden_counts([(("helped", "all"), counts)], rule):
        return ""
    return (
        f" Counted as false alarms, {helped.right / helped.flagged:.0%} of flags were right; with them left out, "
        f"{helped.right / rest:.0%}."
    )


def _alarms(signals: Sequence[Signal]) -> list[str]:
    """Return the alarms; those of inputs in a sentence each for drift and for gaps, since a long list is not read."""
    alarms = [one for one in signals if one.alarm]
    said = [one.sentence for one in alarms if not one.name.startswith(("drift:", "missing:"))]
    for kind, words in (
        ("drift:", f"Values that have shifted since the audit (stability index {DRIFT} or more)"),
        ("missing:", "Values missing more often, or less, than in the audit"),
    ):
        named = [f"{one.name.removeprefix(kind)} ({one.value:.2f})" for one in alarms if one.name.startswith(kind)]
        more = [f"and {len(named) - MOST_NAMED} more in the home's watches folder"] if len(named) > MOST_NAMED else []
        if named:
            said.append(f"{words}: {', '.join([*named[:MOST_NAMED], *more])}.")
    return said


def _quiet(signals: Sequence[Signal]) -> list[str]:
    """Return what raised no alarm and is worth a word; groups whose flags are too few are counted together."""
    quiet = [one for one in signals if not one.alarm]
    said = [one.sentence for one in quiet if one.name.startswith(_ALWAYS) and not _hidden(one)]
    hidden = sum(_hidden(one) for one in quiet)
    said += [one.sentence for one in quiet if one.name == "drift:score"]
    return [*said, *([f"{hidden} groups have too few flags or views to show."] if hidden else [])]


def _hidden(signal: Signal) -> bool:
    return signal.value is None and signal.name.startswith(("selection:", "waiting:"))


def _cell(cell: Cell) -> str:
    title = "what a flag is worth at all" if cell.metric == LIFT else BY_NAME[cell.metric].title
    return f"{heading(group_words(cell.attribute, cell.group))}, {title[0].lower()}{title[1:]}"


def _chance(alpha: float) -> str:
    return "less than once in a million times" if alpha < 1e-6 else f"once in {round(1 / alpha):,} times"
