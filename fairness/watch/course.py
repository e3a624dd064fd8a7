"""From one look to what is done: held against alpha spent over the looks, in both readings, and with hysteresis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fairness.findings import Audit, Cell
from fairness.gate import judge
from fairness.policy import Policy
from fairness.watch.spending import Look, looks

# NOT_YET: no outcome has matured; NO_NEWS: none since the look before. Neither is a look at outcomes.
Verdict = Literal["PASS", "FAIL", "NOT_SETTLED", "NOT_YET", "NO_NEWS"]
LOOKED = frozenset({"PASS", "FAIL", "NOT_SETTLED"})
Step = Literal["go_on", "board_review", "suspend"]
# Looks that found nothing new to say do not count towards a review.
UNSETTLED_BEFORE_REVIEW = 2
Key = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What one look found. `failing` and `unsettled` are cells of the audit as counted."""

    verdict: Verdict
    failing: tuple[Cell, ...] = ()
    unsettled: tuple[Cell, ...] = ()
    only_as_counted: tuple[Cell, ...] = ()


def plan(matured: Sequence[int], planned: int, alpha: float) -> Look | None:
    """Return what the newest look may spend; None where it brings no news, or all alpha is spent.

    Parameters
    ----------
    matured
        How many served weeks had matured outcomes at each look under this approval, the newest last. Only
        looks with more weeks than any before them are looks at all.
    planned
        How many weeks the policy plans to look at in an approval's life: the whole information.
    """
    rising: list[int] = []
    for weeks in matured:
        if weeks > (rising[-1] if rising else 0):
            rising.append(weeks)
    if not rising or not matured or (len(matured) > 1 and matured[-1] <= max(matured[:-1])) or matured[-1] <= 0:
        return None
    # At the plan's end everything is spent: the first look there uses what is left, later ones find nothing.
    shares = [min(1.0, weeks / planned) for weeks in rising]
    if len(shares) > 1 and shares[-2] >= 1.0:
        return None
    return looks(shares, alpha)[-1]


def judged(as_counted: Audit, helped_left_out: Audit | None, policy: Policy, look: Look) -> Judgement:
    """Return the judgement of an audit on what was served.

    A cell fails where, corrected over all cells (Holm) and over the looks (alpha spending), it lies outside
    a limit as counted *and* with helped pupils left out: pupils who were flagged, helped and not suspended
    count as false alarms, and help must not look like harm.
    """
    strict = policy.model_copy(update={"inference": policy.inference.model_copy(update={"alpha": look.alpha})})
    failing = _outside(as_counted, strict)
    both = (
        failing
        if helped_left_out is None
        else {key: failing[key] for key in failing if key in _outside(helped_left_out, strict)}
    )
    cells = judge(as_counted.cells, policy)
    unsettled = tuple(
        cell for cell in cells if cell.gate == "full" and cell.verdict != "within" and _key(cell) not in both
    )
    verdict: Verdict = "FAIL" if both else "NOT_SETTLED" if unsettled else "PASS"
    return Judgement(
        verdict=verdict,
        failing=tuple(both.values()),
        unsettled=unsettled,
        only_as_counted=tuple(cell for key, cell in failing.items() if key not in both),
    )


def step(approved: str, verdicts: Sequence[str]) -> Step:
    """Return what follows from the verdicts of the looks so far, the newest last.

    One failure suspends. Two looks in a row that settle nothing, where the approval or an earlier look was
    a pass, ask the board to look: a model that was shown to be fair no longer is. Under a waiver nothing
    was settled from the start, and the waiver's own end asks again.

    Parameters
    ----------
    approved
        The approval's own verdict: PASS or WAIVED.
    verdicts
        PASS, FAIL or NOT_SETTLED; a look with no outcomes yet is left out.
    """
    if verdicts and verdicts[-1] == "FAIL":
        return "suspend"
    newest = list(verdicts[-UNSETTLED_BEFORE_REVIEW:])
    was_settled = approved == "PASS" or "PASS" in verdicts
    if was_settled and newest == ["NOT_SETTLED"] * UNSETTLED_BEFORE_REVIEW:
        return "board_review"
    return "go_on"


def _outside(audit: Audit, policy: Policy) -> Mapping[Key, Cell]:
    return {_key(cell): cell for cell in judge(audit.cells, policy) if cell.verdict == "outside"}


def _key(cell: Cell) -> Key:
    return cell.attribute, cell.group, cell.metric
