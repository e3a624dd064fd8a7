"""An audit as the board's page and report show it: words, figures under disclosure control, and each chart's axis.

This room is light: it reads findings and draws nothing. What it returns is stored beside the audit, and no door
works anything out anew from the audit's own numbers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fairness.disclosure import Key, hidden_groups, hidden_practice, rounded
from fairness.exhibits import TermCells
from fairness.figures import NOT_SHOWN, figures_of, lift_figure
from fairness.findings import EVERYONE, LIFT, Audit, Cell
from fairness.first_page import first_page
from fairness.further import further
from fairness.gate import decide, judge, means
from fairness.limits import limits_of, method_of
from fairness.policy import Attribute, Metric, Policy, read_policy
from fairness.signoff import Approval
from fairness.words import approach_words, attribute_words, group_words, heading

_NUMBERS = {1: "one term", 2: "two terms", 3: "three terms"}


def view(
    audit: Audit,
    *,
    policy: Policy | None = None,
    approval: Approval | None = None,
    earlier: Sequence[Audit] = (),
) -> dict[str, Any]:
    """Return what the audit page and the report show, as plain JSON values.

    Parameters
    ----------
    policy
        The board's limits; None: those in force.
    approval
        The approval under which the bundle is deployed, when there is one.
    earlier
        Audits that the board saw before: what they hid of the same terms stays hidden.

    Returns
    -------
    verdict, headline, means, sentences; `first`, the report's first page; `figures`, one for each judged
    metric: title, explains, overall, limit_text, axis (low, high, limit, log) and blocks, one for each
    attribute that is judged in full (title, and rows with group, n [pupils], positives [pupil-terms with the
    outcome], estimate, lower, upper, share, word, shape); `lift`, a figure of the same form for all pupils;
    `folds`, figures of the attributes and the metrics that are not judged in full; waiver; approval; baselines;
    practice; past_lists; `evidence`, tables beside the verdict (title, explains, heads, rows); `limits` in
    force with their reasons; `method`; `about`, what was audited.
    """
    policy = policy or read_policy()
    already = hidden_before(audit, earlier, policy)
    decision = decide(audit, policy, already=already)
    cells = judge(audit.cells, policy)
    hidden = hidden_groups(cells, policy, already=already, terms=terms_of(audit))
    waived = approval is not None and approval.verdict == "WAIVED"
    said = means(decision.verdict, policy)
    lift = [cell for cell in cells if cell.metric == LIFT]
    return {
        "verdict": "WAIVED" if waived else decision.verdict,
        "headline": decision.sentences[0],
        "means": " ".join(said),
        "sentences": [sentence for sentence in decision.sentences[1:] if sentence not in said],
        "first": first_page(audit, decision, cells, policy, hidden, waived=waived),
        "figures": figures_of(cells, _judged(policy), _full(policy), policy, hidden),
        "lift": lift_figure(lift[0], policy) if lift else None,
        "folds": _folds(cells, policy, hidden),
        "waiver": _waiver(approval) if approval is not None and waived else None,
        "approval": _approval(approval) if approval is not None else None,
        "baselines": [_baseline(row) for row in audit.comparison],
        "practice": _practice(audit, policy),
        "past_lists": _past_lists(audit, policy),
        "limits": limits_of(policy),
        "method": method_of(audit, policy),
        "evidence": further(audit.evidence, policy, hidden) if audit.evidence else [],
        "about": _about(audit, decision.audit_digest, policy),
        "counts": {
            "pupils": rounded(audit.pupils, policy.disclosure),
            "pupil_terms": rounded(audit.pupil_terms, policy.disclosure),
            "schools": audit.schools,
            "terms": list(audit.terms),
            "period": [day.isoformat() for day in audit.period],
        },
    }


def hidden_before(audit: Audit, earlier: Sequence[Audit], policy: Policy) -> frozenset[Key]:
    """Return the groups that earlier audits of any of the same terms hid, one after another."""
    found: frozenset[Key] = frozenset()
    for one in sorted(earlier, key=lambda one: (one.created_on, one.bundle_digest)):
        if set(one.terms) & set(audit.terms) and one.digest != audit.digest:
            found |= hidden_groups(one.cells, policy, already=found, terms=terms_of(one))
    return found


def terms_of(audit: Audit) -> tuple[TermCells, ...]:
    """Return the audit's terms one by one, where it has evidence."""
    return audit.evidence.terms if audit.evidence else ()


def _judged(policy: Policy) -> list[Metric]:
    return [limit for limit in policy.metrics if limit.gate]


def _full(policy: Policy) -> list[Attribute]:
    return [attribute for attribute in policy.attributes if attribute.gate == "full"]


def _folds(cells: Sequence[Cell], policy: Policy, hidden: frozenset[Key]) -> list[dict[str, Any]]:
    """Return the figures of what is not judged in full: each such attribute, then the metrics that are only shown."""
    titled = [
        (f"By {attribute_words(one.name)}", figures_of(cells, _judged(policy), [one], policy, hidden))
        for one in policy.attributes
        if one.gate != "full"
    ]
    shown = [limit for limit in policy.metrics if not limit.gate]
    titled.append(
        ("Figures that are shown and not judged", figures_of(cells, shown, policy.attributes, policy, hidden))
    )
    return [{"title": title, "figures": figures} for title, figures in titled if figures]


def _past_lists(audit: Audit, policy: Policy) -> str:
    """Return what became of pupils on past lists, in people: right in time, right too late, and wrong.

    A pupil counts once for each term on the list. Empty where the counts are too small to show.
    """
    overall = {cell.metric: cell for cell in audit.cells if cell.attribute == EVERYONE}
    right, wrong = overall.get("precision_ratio"), overall.get("false_alarms")
    if right is None or wrong is None or right.estimate is None or wrong.estimate is None:
        return ""
    counts = [right.estimate * right.n, wrong.estimate * wrong.positives]
    counts.append(right.n - sum(counts))
    least = policy.disclosure.primary
    # As everywhere on the page: nought may be shown, and a few may not.
    if right.n < least or any(0.5 < count < least - 0.5 for count in counts):
        return ""
    in_time, never = (round(100 * count / right.n) for count in counts[:2])
    happened = policy.population.happened
    terms = _NUMBERS.get(len(audit.terms), f"{len(audit.terms)} terms")
    said = (
        f"Of every 100 pupils on this network's lists in the {terms} audited, about {in_time} were {happened} "
        f"after there was time to act, and {never} were not {happened}."
    )
    late = 100 - in_time - never
    return f"{said} The other {late} were, but before there was time to act." if late > 0 else said


def _waiver(approval: Approval) -> dict[str, Any]:
    return {
        "expires_on": approval.expires_on.isoformat(),
        "review_date": None if approval.review_date is None else approval.review_date.isoformat(),
        "reason": approval.reason,
        "monitoring_plan": approval.monitoring_plan,
        "signers": [role.replace("_", " ") for role in approval.roles],
    }


def _approval(approval: Approval) -> dict[str, str]:
    return {
        "id": approval.id,
        "verdict": approval.verdict,
        "signed_on": approval.signed_on.isoformat(),
        "expires_on": approval.expires_on.isoformat(),
    }


def _baseline(row: Mapping[str, Any]) -> dict[str, Any]:
    figures = {key: row.get(key) for key in ("recall", "precision")}
    return {
        "approach": heading(approach_words(str(row["approach"]))),
        "found": None if figures["recall"] is None else f"{figures['recall']:.0%}",
        "right": None if figures["precision"] is None else f"{figures['precision']:.0%}",
    }


def _practice(audit: Audit, policy: Policy) -> list[dict[str, Any]]:
    rule, hidden = policy.disclosure, hidden_practice(audit.practice, policy)
    made = []
    for row in audit.practice:
        hide = (row.attribute, row.group) in hidden
        some = not hide and None not in (row.ratio, row.lower, row.upper)
        made.append(
            {
                "attribute": heading(attribute_words(row.attribute)),
                "group": heading(group_words(row.attribute, row.group)),
                "incidents": NOT_SHOWN if hide else rounded(row.incidents, rule),
                "sanctions_for_each_expected": round(row.ratio, 2) if some and row.ratio is not None else None,
                "likely_range": f"{row.lower:.2f} to {row.upper:.2f}" if some else NOT_SHOWN,
            }
        )
    return made


def _about(audit: Audit, digest: str, policy: Policy) -> dict[str, Any]:
    """Return what was audited and by which digests anyone can check it."""
    return {
        "bundle": audit.bundle_digest,
        "audit": digest,
        "policy": audit.policy_digest,
        "policy_id": policy.id,
        "evaluation": audit.evaluation_digest,
        "created_on": audit.created_on.isoformat(),
        "approach": approach_words(str(audit.comparison[0]["approach"])) if audit.comparison else "",
        "made_with": dict(sorted(audit.made_with.items())),
    }
