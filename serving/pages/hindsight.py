"""What only hindsight says of a model: whom earlier lists had missed, and which labels support may have changed."""

from collections.abc import Mapping
from typing import Any, Final

from fairness.words import approach_words, heading

NOT_SHOWN: Final = "not shown"
_NONE_MISSED: Final = "No learning review has yet found an exclusion or long suspension that no list came before."
_FEW_MISSED: Final = (
    "Learning reviews found exclusions and long suspensions that no list came before. Too few of them fell in these "
    "terms to say how many this model's lists would have found."
)
_BY_RULE: Final = (
    "Learning reviews name exclusions and long suspensions that no list came before. What served then found none of "
    "them, by the rule that made the set: finding some makes no model better by itself. No model learns from the set."
)
_NO_HELP: Final = "No support is recorded that could have changed what it learned from or was tested on."
_BOTH_WAYS: Final = (
    "A pupil who is flagged, helped and then not suspended may be a false alarm, or help that worked. So both readings "
    "stand here: helped pupils counted as they are, and left out where nothing happened."
)


def share(value: float | None) -> str:
    """Return a share of 1 as '29%'."""
    return NOT_SHOWN if value is None else f"{value:.0%}"


def missed_part(said: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what the model makes of those whom earlier lists missed; None for one audited before that was asked."""
    if said is None:
        return None
    title, rows = "What earlier lists missed", said["rows"]
    if said["known"] == 0:
        return {"title": title, "says": _NONE_MISSED, "table": None}
    if all(row["recall"] is None for row in rows):
        return {"title": title, "says": _FEW_MISSED, "table": None}
    table = {
        "title": title,
        "heads": ["Way of choosing pupils", "Of them, found in time"],
        "rows": [[heading(approach_words(str(row["approach"]))), share(row["recall"])] for row in rows],
        "numeric": True,
    }
    return {"title": title, "says": f"{_BY_RULE} About {said['there']:,} of them fell in these terms.", "table": table}


def helped_part(said: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return both readings of labels that support may have changed; None for one audited before that was asked."""
    if said is None:
        return None
    title = "What support may have changed"
    if not said["any"]:
        return {"title": title, "says": _NO_HELP, "table": None}
    rows = [
        ["Weekly scores it learned from, with the outcome", _rate(said["rate"]), _rate(said["rate_without"])],
        ["Flags in the tested terms that were right", share(said["precision"]), share(said["precision_without"])],
    ]
    counts = [
        f"{_few(said['pupils'])} had support ahead of a weekly score that it learned from, and nothing happened"
        + ("." if said["listed"] is None else f"; about {said['listed']:,} of them had been on a list of Belong's."),
        f"{_few(said['left_out'])} were flagged in the tested terms, helped, and not suspended.",
    ]
    heads = ["What is counted", "Counted as they are", "Left out"]
    table = {"title": title, "heads": heads, "rows": rows, "numeric": True}
    return {"title": title, "says": " ".join((_BOTH_WAYS, *counts)), "table": table}


def _few(count: int | None) -> str:
    return "Too few pupils to show" if count is None else f"About {count:,} pupils" if count else "No pupils"


def _rate(value: float | None) -> str:
    return NOT_SHOWN if value is None else f"{value:.2%}"
