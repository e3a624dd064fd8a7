"""The board's pages: every audit, and one audit with its charts, the limits in force and any waiver.

What is shown is the `view` that was stored with the audit: words and figures with disclosure control
already applied. This page adds nothing and recomputes nothing, so it cannot show what was hidden.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from casework.audit_log import look
from casework.deployments import StoredAudit, audit_of, audits, current_deployment
from serving.charts import Axis, Interval, intervals
from serving.page import NotFound, Page, Visit
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
_GLANCE_LEAST = 2
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
    return visit.show("audits.html", title="Fairness audits", audits=rows)


def show_audit(visit: Visit) -> Response:
    """Show one audit; the look at it is logged."""
    digest = visit.part("digest")
    found = audit_of(visit.session, digest) if _DIGEST.fullmatch(digest) else None
    if found is None:
        raise NotFound
    look(visit.session, visit.person, "see_audit", detail=digest)
    view: Mapping[str, Any] = found.payload.get("view") or {}
    return visit.show(
        "audit.html",
        title="Fairness audit",
        short=digest[:12],
        on=found.created_on,
        verdict=view.get("headline") or VERDICTS.get(found.verdict, found.verdict),
        sentences=view.get("sentences", ()),
        waiver=_waiver(view.get("waiver") or {}),
        sections=_attributes(view.get("sections", ())),
        tables=[*_tables(view), _limits(view)],
        in_use=_in_use(visit, found),
    )


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


def _attributes(sections: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Gather the sections under the attribute they compare, in the order given."""
    gathered: dict[str, dict[str, Any]] = {}
    for at, section in enumerate(sections):
        name = str(section["attribute"])
        title = str(section.get("attribute_title") or _title(name))
        entry = gathered.setdefault(name, {"id": f"by-{name.replace('_', '-')}", "title": title, "metrics": []})
        entry["metrics"].append(
            {
                "title": section["title"],
                "explains": section.get("explains", ""),
                "limit_text": section.get("limit_text", ""),
                "judged": _is_judged(section),
                "chart": _chart(section, f"chart-{at}", title),
                "rows": [_row(row) for row in section["rows"]],
            }
        )
    for entry in gathered.values():
        entry["glance"] = _glance([section for section in entry["metrics"] if section["judged"]])
    return list(gathered.values())


def _glance(judged: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return one attribute's results as words only: a line for each group, a column for each judged figure."""
    if len(judged) < _GLANCE_LEAST:
        return None
    words = [{row["group"]: row["word"] for row in section["rows"]} for section in judged]
    groups = list(dict.fromkeys(group for column in words for group in column))
    rows = [{"group": group, "words": [column.get(group, _HIDDEN) for column in words]} for group in groups]
    return {"heads": [section["title"] for section in judged], "rows": rows}


_TITLES = {
    "sex": "By sex",
    "ethnicity": "By ethnic group",
    "sen": "By special educational needs provision",
    "fsm": "By free school meals",
    "eal": "By first language",
}


def _title(attribute: str) -> str:
    return _TITLES.get(attribute, f"By {attribute.replace('_', ' ')}")


def _chart(section: Mapping[str, Any], name: str, attribute: str) -> Markup | None:
    """Return the interval chart, or None where not one group's figure may be shown."""
    rows = [
        Interval(
            label=str(row["group"]),
            n=f"n = {row['n']:,}" if isinstance(row["n"], int) else str(row["n"]),
            estimate=row.get("estimate"),
            lower=row.get("lower"),
            upper=row.get("upper"),
            word=str(row["word"]).capitalize(),
            shape=str(row.get("shape", "none")),
        )
        for row in section["rows"]
    ]
    said = section.get("axis") or {}
    if said.get("low") is None or said.get("high") is None or all(row.estimate is None for row in rows):
        return None
    low, high = _limits_of(section)
    axis = Axis(
        low=float(said["low"]),
        high=float(said["high"]),
        limit_low=low,
        limit_high=high,
        same=1.0 if said.get("log") else 0.0 if float(said["low"]) <= 0 <= float(said["high"]) else None,
        log=bool(said.get("log")),
    )
    return intervals(rows, axis, name=name, title=f"{section['title']}, {attribute[:1].lower()}{attribute[1:]}")


def _is_judged(section: Mapping[str, Any]) -> bool:
    return any(row["word"] != _ONLY_SHOWN for row in section["rows"])


def _limits_of(section: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Return the ends of what is allowed; a figure that is only shown has a limit for its axis, and no band."""
    if not _is_judged(section):
        return None, None
    low, high = (section.get("axis") or {}).get("limit") or (None, None)
    return low, high


def _row(row: Mapping[str, Any]) -> dict[str, str]:
    number = f"{row['n']:,}" if isinstance(row["n"], int) else str(row["n"])
    return {
        "group": str(row["group"]),
        "n": number,
        "estimate": _figure(row.get("estimate")),
        "interval": _range(row.get("lower"), row.get("upper")),
        "word": str(row["word"]).capitalize(),
    }


def _figure(value: float | None) -> str:
    return _HIDDEN if value is None else f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def _range(lower: float | None, upper: float | None) -> str:
    if lower is None and upper is None:
        return _HIDDEN
    if lower is None or upper is None:
        return f"at least {_figure(lower)}" if upper is None else f"at most {_figure(upper)}"
    return f"{_figure(lower)} to {_figure(upper)}"


def _tables(view: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the tables beside the groups: simple rules the model must beat, and sanctions in practice."""
    made = []
    for key, title, explains, columns in _BESIDE:
        rows = view.get(key) or ()
        if rows:
            cells = [[_cell(row.get(name)) for name in columns] for row in rows]
            made.append({"title": title, "explains": explains, "heads": list(columns.values()), "rows": cells})
    return made


def _limits(view: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits in force for this audit, one line for each figure compared."""
    seen = {str(section["title"]): str(section.get("limit_text", "")) for section in view.get("sections", ())}
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
        return _figure(value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


PAGES = (
    Page(name="audits", path="/audits", permission="see_audits", navigation="Fairness audits", show=show_audits),
    Page(name="audit", path="/audits/{digest}", permission="see_audits", show=show_audit),
)
