"""The board's pages: every audit, and one audit with its charts, the limits in force and any waiver.

What is shown is the `view` that was stored with the audit: words and figures with disclosure control
already applied. This page adds nothing and recomputes nothing, so it cannot show what was hidden.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from casework.audit_log import look
from casework.deployments import StoredAudit, audit_of, audits, current_deployment
from casework.permissions import may
from fairness.documents.figure_blocks import number, span
from fairness.documents.interval_chart import chart_of
from serving.page import NotFound, Page, Visit
from serving.pages.after import after_deployment
from serving.rendering import day_words

VERDICTS = {
    "PASS": "Passed: within the limits for every group",
    "FAIL": "Refused: outside a limit",
    "NOT_SETTLED": "Not settled: this is not a pass",
    "WAIVED": "In use under a waiver: not settled, so not a pass",
}
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HIDDEN = "not shown"
_ONLY_SHOWN = "shown only"
# Key in the stored view, title, what it says, and its columns: stored JSON keeps no order of its own.
_BESIDE = (
    (
        "baselines",
        "Compared with simple rules",
        "The model must find more pupils than a rule anyone can apply, with the same number of flags.",
        {"approach": "Way of choosing pupils", "found": "Pupils found in time", "right": "Flags that were right"},
    ),
    (
        "practice",
        "What happens after an incident",
        "Sanctions for each one expected if every incident of the same recorded severity were treated alike.",
        {
            "group": "Group",
            "incidents": "Incidents",
            "sanctions_for_each_expected": "Sanctions for each expected",
            "likely_range": "Likely range",
        },
    ),
)


def show_audits(visit: Visit) -> Response:
    """Show every audit, newest first."""
    serving = current_deployment(visit.session)
    rows = [
        {
            "digest": audit.bundle_digest,
            "short": audit.bundle_digest[:12],
            "on": audit.created_on,
            "verdict": VERDICTS.get(audit.verdict, audit.verdict),
            "use": "In use" if serving and serving.digest == audit.bundle_digest else "Not in use",
        }
        for audit in audits(visit.session)
    ]
    reports = may(visit.person, "see_report")
    return visit.show("audits.html", title="Fairness audits", audits=rows, reports=reports)


def show_audit(visit: Visit) -> Response:
    """Show one audit; the look at it is logged."""
    digest = visit.part("digest")
    found = stored(visit, digest)
    look(visit.session, visit.person, "see_audit", detail=digest)
    view: Mapping[str, Any] = found.payload.get("view") or {}
    return visit.show(
        "audit.html",
        title="Fairness audit",
        digest=digest,
        report=has_report(view) and may(visit.person, "see_report"),
        short=digest[:12],
        on=found.created_on,
        verdict=view.get("headline") or VERDICTS.get(found.verdict, found.verdict),
        means=view.get("means", ""),
        sentences=view.get("sentences", ()),
        waiver=_waiver(view.get("waiver") or {}),
        glance=_glance(view.get("figures", ())),
        figures=[_figure(figure) for figure in view.get("figures", ())],
        lift=_figure(view["lift"]) if view.get("lift") else None,
        folds=[_fold(at, fold) for at, fold in enumerate(view.get("folds", ()))],
        tables=_tables(view),
        for_pupils=(view.get("first") or {}).get("for_pupils", ()),
        evidence=view.get("evidence", ()),
        limits=_limits(view),
        in_use=_in_use(visit, found),
        after=after_deployment(visit, digest),
    )


def stored(visit: Visit, digest: str) -> StoredAudit:
    """Return the audit of a bundle, or answer that there is none."""
    found = audit_of(visit.session, digest) if _DIGEST.fullmatch(digest) else None
    if found is None:
        raise NotFound
    return found


def has_report(view: Mapping[str, Any]) -> bool:
    """Whether the view was stored since there are reports; an older one is made again by `belong audit`."""
    return "first" in view and "about" in view


def _in_use(visit: Visit, audit: StoredAudit) -> bool:
    serving = current_deployment(visit.session)
    return serving is not None and serving.digest == audit.bundle_digest


def _waiver(said: Mapping[str, Any]) -> list[dict[str, str]]:
    rows = (
        ("Ends on", day_words(said.get("expires_on"))),
        ("How it is watched", str(said.get("monitoring_plan", ""))),
        ("Why", str(said.get("reason", ""))),
        ("Signed by", ", ".join(str(signer) for signer in said.get("signers", ()))),
        ("To be looked at again", day_words(said.get("review_date"))),
    )
    return [{"key": key, "value": value} for key, value in rows if value]


def _glance(figures: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the results as words only: a line for each group that is judged, a column for each figure."""
    blocks: dict[str, dict[str, list[str]]] = {}
    for at, figure in enumerate(figures):
        for block in figure["blocks"]:
            groups = blocks.setdefault(str(block["title"]), {})
            for row in block["rows"]:
                words = groups.setdefault(str(row["group"]), [_HIDDEN] * len(figures))
                words[at] = str(row["word"]).capitalize()
    rows = [
        {
            "title": title,
            "rows": [{"group": group, "words": words} for group, words in groups.items() if _judged(words)],
        }
        for title, groups in blocks.items()
    ]
    return {"heads": [figure["title"] for figure in figures], "blocks": [block for block in rows if block["rows"]]}


def _judged(words: Sequence[str]) -> bool:
    return any(word.lower() != _ONLY_SHOWN for word in words)


def _fold(at: int, fold: Mapping[str, Any]) -> dict[str, Any]:
    return {"title": fold["title"], "figures": [_figure(figure, f"fold-{at}-") for figure in fold["figures"]]}


def _figure(figure: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return one figure as the template reads it: its words, its chart and the same numbers as rows."""
    said = ("explains", "overall", "limit_text")
    return {
        "id": f"{prefix}{figure['metric'].replace('_', '-')}",
        "title": figure["title"],
        "words": " ".join(str(figure[name]) for name in said if figure.get(name)),
        "chart": chart_of(figure, f"chart-{prefix}{figure['metric']}"),
        "own_share": bool(figure.get("own_share")),
        "blocks": [
            {"title": block["title"], "rows": [_row(row) for row in block["rows"]]} for block in figure["blocks"]
        ],
    }


def _row(row: Mapping[str, Any]) -> dict[str, str]:
    pupils = f"{row['n']:,}" if isinstance(row["n"], int) else str(row["n"])
    return {
        "group": str(row["group"]),
        "n": pupils,
        "share": number(row.get("share")),
        "estimate": number(row.get("estimate")),
        "interval": span(row.get("lower"), row.get("upper")),
        "word": str(row["word"]).capitalize(),
    }


def _tables(view: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the tables beside the groups: simple rules the model must beat, and sanctions in practice."""
    made = []
    for key, title, explains, columns in _BESIDE:
        rows = view.get(key) or ()
        if rows:
            cells = [[_cell(row.get(name)) for name in columns] for row in rows]
            made.append(
                {"title": title, "explains": explains, "heads": list(columns.values()), "rows": cells, "numeric": True}
            )
    return made


def _limits(view: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits in force for this audit, one line for each figure compared."""
    said = view.get("limits")
    if said:
        return {
            "title": "Limits in force for this audit",
            "explains": f"Policy {said['policy']}, decided by the {said['owner']} on {day_words(said['decided_on'])}. "
            "The board sets these, and writes down why, before the results are known.",
            "heads": ["Figure", "Limit", "The board's reason"],
            "rows": [[row["figure"], row["limit"].capitalize(), row["reason"]] for row in said["figures"]],
        }
    folded = [figure for fold in view.get("folds", ()) for figure in fold["figures"]]
    figures = [*view.get("figures", ()), *([view["lift"]] if view.get("lift") else []), *folded]
    seen = {str(figure["title"]): str(figure.get("limit_text", "")) for figure in figures}
    return {
        "title": "Limits in force for this audit",
        "explains": "The board sets these, and writes down why, before the results are known.",
        "heads": ["Figure", "Limit"],
        "rows": [[title, limit or "reported only"] for title, limit in seen.items()],
    }


def _cell(value: Any) -> str:
    if value is None:
        return _HIDDEN
    if isinstance(value, float):
        return number(value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


PAGES = (
    Page(
        name="audits",
        path="/audits",
        permission="see_audits",
        navigation="Fairness audits",
        show=show_audits,
        first_for=frozenset({"board_member"}),
    ),
    Page(name="audit", path="/audits/{digest}", permission="see_audits", show=show_audit),
)
