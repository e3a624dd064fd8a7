"""The first page of the board's report: the verdict in a sentence, what it means for pupils, what would settle it."""

from collections.abc import Sequence
from typing import Any

from fairness.disclosure import rounded
from fairness.figures import Hidden
from fairness.findings import EVERYONE, Audit, Cell
from fairness.gate import Decision, Verdict
from fairness.metrics import BY_NAME
from fairness.policy import Policy
from fairness.settling import Needed, needed
from fairness.words import attribute_words, group_words, heading

VERDICTS: dict[Verdict, str] = {
    "PASS": "The model kept to every limit that the board set.",
    "FAIL": "The model must not be used: a group is outside a limit that the board set.",
    "NOT_SETTLED": "The records are too few to say whether the model treats every group alike.",
    "WAIVED": "The records are too few to say whether every group is treated alike; it is used under a waiver.",
}
_USELESS = "The model must not be used: it finds hardly more pupils than a rule that anyone can apply."
_FOR_NOBODY = (
    (
        "A simple rule would offer help to about as many of the pupils who need it, and everyone could see how it "
        "chooses. A model that adds nothing has no right to be used."
    ),
    "No group is shown to be outside a limit; the model is refused as not useful enough. That cannot be waived.",
)
_UNSEEN = (
    "No group is shown to be treated worse, and not every group is shown to be treated alike. A difference "
    "that matters could be there and not be seen, because few pupils are suspended."
)
_FOR_PUPILS: dict[Verdict, tuple[str, ...]] = {
    "PASS": (
        (
            "In the terms checked, pupils of every group judged were helped, and wrongly flagged, about as often as "
            "other pupils: any difference is smaller than the board's limits, as far as records can show."
        ),
        "Single pupils are still flagged wrongly or missed. That is why a person looks before anything is offered.",
    ),
    "FAIL": (
        (
            "At least one group of pupils would be passed over, or wrongly flagged, clearly more often than other "
            "pupils: by more than the board allows, and more than chance explains."
        ),
        "Used as it is, it would carry that into who is offered help. It cannot be waived.",
    ),
    "NOT_SETTLED": (
        _UNSEEN,
        "It is like a coin tossed ten times: six heads do not show that it is a fair coin, nor that it is not.",
    ),
    "WAIVED": (
        _UNSEEN,
        (
            "The board and the data-protection officer have accepted this in writing, for a limited time, while it is "
            "watched as set out here."
        ),
    ),
}
_NEXT: dict[Verdict, str] = {
    "PASS": "Two board members who did not train the model may sign for its use, for at most {valid} days.",
    "FAIL": "Nobody can sign. Another candidate must be trained, or the model left out of use.",
    "NOT_SETTLED": "Two board members and the data-protection officer may accept this in writing, for at most {waiver} "
    "days, with a reason, a plan for watching it and a day to look again. Or the board waits for more terms.",
    "WAIVED": "The waiver ends by itself. Before it does, look at the audit again with the outcomes known by then.",
}


def first_page(
    audit: Audit, decision: Decision, cells: Sequence[Cell], policy: Policy, hidden: Hidden, *, waived: bool
) -> dict[str, Any]:
    """Return the first page as plain JSON values: verdict, sentence, for_pupils, next, settle."""
    verdict: Verdict = "WAIVED" if waived else decision.verdict
    useless = decision.only_useless
    return {
        "verdict": verdict,
        "sentence": _USELESS if useless else VERDICTS[verdict],
        "for_pupils": [*(_FOR_NOBODY if useless else _FOR_PUPILS[verdict])],
        "next": _NEXT[verdict].format(valid=policy.approval.valid_days, waiver=policy.waiver.max_days),
        "settle": [] if verdict in {"PASS", "FAIL"} else _settle(audit, decision, cells, policy, hidden),
    }


def _settle(
    audit: Audit, decision: Decision, cells: Sequence[Cell], policy: Policy, hidden: Hidden
) -> list[dict[str, Any]]:
    """Return, for each attribute that is not settled, the comparison that waits longest, in words."""
    overall = {cell.metric: cell.estimate for cell in cells if cell.attribute == EVERYONE}
    asked = [
        (cell, needed(_seen(cell, hidden), policy, terms=len(audit.terms), overall=overall.get(cell.metric)))
        for cell in decision.unsettled
        if cell.attribute != EVERYONE
    ]
    rows = []
    for attribute in policy.attributes:
        mine = [(cell, found) for cell, found in asked if cell.attribute == attribute.name and found is not None]
        if not mine:
            continue
        # The longest wait first; among hidden groups, whose counts no row may tell, the largest number needed.
        cell, found = max(mine, key=lambda pair: (pair[1].more_terms, pair[1].needed))
        rows.append(_settle_row(cell, found, (cell.attribute, cell.group) in hidden, policy))
    return rows


def _seen(cell: Cell, hidden: Hidden) -> Cell:
    """Return the cell without its interval where that is hidden: nothing may follow from it."""
    if (cell.attribute, cell.group) not in hidden:
        return cell
    return Cell(
        attribute=cell.attribute,
        group=cell.group,
        metric=cell.metric,
        gate=cell.gate,
        pupils=cell.pupils,
        n=cell.n,
        positives=cell.positives,
        rest_positives=cell.rest_positives,
    )


def _settle_row(cell: Cell, found: Needed, hide: bool, policy: Policy) -> dict[str, Any]:
    enough = found.needed <= found.positives
    wait = "Its own figure lies near the limit: further terms will show which side" if enough else ""
    return {
        "by": heading(attribute_words(cell.attribute)),
        "group": heading(group_words(cell.attribute, cell.group)),
        "figure": BY_NAME[cell.metric].title,
        "there_are": "too few to show" if hide else f"about {rounded(found.positives, policy.disclosure):,}",
        "needed": f"about {found.needed:,}",
        "wait": "not shown" if hide else wait or _terms_words(found.more_terms),
    }


def _terms_words(terms: int) -> str:
    if terms > 30:
        return "more than 30 terms like these: pool with other networks"
    return f"{terms} more term{'s' if terms > 1 else ''} like these"
