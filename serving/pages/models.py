"""Models for those who build and answer for them: every model that was audited, one of them, and its inputs in words.

What a model was tested on is shown as it was stored at its audit; nothing is worked out anew here.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response

from casework.audit_log import look
from casework.models import ModelLine, model_line, models
from fairness.words import approach_words, heading
from features.catalogue import CATALOGUE
from features.cohort import ABSTAIN
from features.feature import GROUPS
from serving.charts import Line, course
from serving.page import NotFound, Page, Visit
from serving.pages.audit import VERDICTS
from serving.pages.drift import show_drift
from serving.pages.hindsight import NOT_SHOWN, helped_part, missed_part, share
from serving.phrases import example
from serving.rendering import day_words

_DIGEST = re.compile(r"[0-9a-f]{64}")
_STATES: Final[Mapping[str, str]] = {
    "serving": "Serves since",
    "served_before": "Served from",
    "withdrawn": "Withdrawn on",
    "waiting": "Waiting: not deployed",
}
_PERIODS: Final = (("train", "Learned from"), ("calibrate", "Calibrated on"), ("audit", "Tested and audited on"))
_SILENT: Final[Mapping[str, str]] = {
    **ABSTAIN,
    "short_past": "Too few earlier weeks to say whether the figure is rising",
}


def show_models(visit: Visit) -> Response:
    """Show every model that was audited, the newest first."""
    rows = [
        {
            "digest": one.bundle_digest,
            "short": one.bundle_digest[:12],
            "what": heading(approach_words(str(one.model.payload["approach"]))) if one.model else "",
            "trained": one.model.trained_on if one.model else None,
            "audited": one.audited_on,
            "records": _tables(one.model.payload["tables"]) if one.model else "",
            "terms": _terms(one),
            "verdict": VERDICTS.get(one.verdict, one.verdict),
            "state": state_words(one),
        }
        for one in models(visit.session)
    ]
    look(visit.session, visit.person, "see_models")
    return visit.show("models.html", title="Models", rows=rows)


def show_model(visit: Visit) -> Response:
    """Show what one model was tested on."""
    found = line_of(visit)
    look(visit.session, visit.person, "see_models", detail=found.bundle_digest)
    said: Mapping[str, Any] = found.model.payload if found.model else {}
    return visit.show(
        "model.html",
        title="One model",
        digest=found.bundle_digest,
        short=found.bundle_digest[:12],
        state=state_words(found),
        why=found.why,
        facts=_facts(found, said),
        again=_again(said),
        comparison=_comparison(said.get("comparison", ())),
        missed=missed_part(said.get("missed")),
        helped=helped_part(said.get("helped")),
        parts=[_by_time(said, "terms"), _by_time(said, "half_terms"), _capacity(said), _bands(said)] if said else [],
        silent=[
            [_SILENT.get(name, name), f"{count:,}"] for name, count in sorted(said.get("silent", {}).items()) if count
        ],
        run_id=said.get("run_id", ""),
        inputs=len(said.get("features", ())),
    )


def show_phrases(visit: Visit) -> Response:
    """Show every input of a model with the words in which a reason says it."""
    served = next((one for one in models(visit.session) if one.state == "serving"), None)
    used = set(served.model.payload["features"]) if served and served.model else set()
    groups = [
        {
            "title": group,
            "rows": [
                [
                    example(feature),
                    "Yes" if feature.changeable else "No",
                    feature.name,
                    heading(f"{feature.proxy_risk.of}: {feature.proxy_risk.because}") if feature.proxy_risk else "",
                    *(["Yes" if feature.name in used else "No"] if used else []),
                ]
                for feature in CATALOGUE
                if feature.group == group
            ],
        }
        for group in GROUPS
    ]
    heads = [
        "As a reason says it",
        "Can it change?",
        "Name",
        "May stand for",
        *(["Read by what serves"] if used else []),
    ]
    return visit.show("phrases.html", title="What a model reads", groups=groups, heads=heads, inputs=len(CATALOGUE))


def line_of(visit: Visit) -> ModelLine:
    """Return the model that the address names, or answer that there is none."""
    digest = visit.part("digest")
    found = model_line(visit.session, digest) if _DIGEST.fullmatch(digest) else None
    if found is None:
        raise NotFound
    return found


def state_words(one: ModelLine) -> str:
    """Return where a model stands: 'Serves since 22 June 2026'."""
    return f"{_STATES[one.state]} {day_words(one.since)}".strip()


def _tables(tables: Mapping[str, int]) -> str:
    return f"version {max(tables.values())} of the records at the newest" if tables else ""


def _terms(one: ModelLine) -> list[str]:
    rows = one.model.payload["terms"] if one.model else ()
    return [
        f"{row['name']}: found {share(row['recall'])}, right {share(row['precision'])}"
        if row["recall"] is not None
        else f"{row['name']}: {NOT_SHOWN}"
        for row in rows
    ]


def _facts(one: ModelLine, said: Mapping[str, Any]) -> list[dict[str, str]]:
    periods = said.get("periods", {})
    spans = [
        (words, f"{day_words(periods[name][0])} to {day_words(periods[name][1])}")
        for name, words in _PERIODS
        if periods.get(name)
    ]
    rows = [
        ("What it is", heading(approach_words(str(said["approach"]))) if said else ""),
        ("Trained", day_words(one.model.trained_on) if one.model else ""),
        ("Gate", VERDICTS.get(one.verdict, one.verdict)),
        *spans,
        ("Looks ahead", f"{said['horizon_weeks']} school weeks" if said else ""),
    ]
    return _key_rows(rows)


def _again(said: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what it takes to make the same model again, and to find its run."""
    tables = ", ".join(f"{name} {version}" for name, version in sorted(said.get("tables", {}).items()))
    return _key_rows(
        [
            ("Records, by version of each table", tables),
            ("Training rows, SHA-256", str(said.get("training_sha256", ""))),
            ("Settings, SHA-256", str(said.get("settings", ""))),
            ("MLflow run", str(said.get("run_id", ""))),
        ]
    )


def _key_rows(rows: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in rows if value]


def _comparison(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    if not rows:
        return None
    return {
        "title": "Beside simple rules",
        "heads": [
            "Way of choosing pupils",
            "Found in time",
            "Likely range",
            "Found ten days before",
            "Never suspended before: found",
            "Flags that were right",
            "Weeks of notice, median",
            "What this model finds more",
        ],
        "rows": [
            [
                heading(approach_words(str(row["approach"]))),
                share(row["recall"]),
                _ends(row, "recall"),
                share(row["recall_10"]),
                share(row["recall_never_suspended"]),
                share(row["precision"]),
                "" if row["lead_weeks_50"] is None else f"{row['lead_weeks_50']:.1f}",
                "" if row["recall_gain"] is None else f"{row['recall_gain']:+.0%} ({_ends(row, 'recall_gain')})",
            ]
            for row in rows
        ],
        "numeric": True,
    }


def _ends(row: Mapping[str, Any], figure: str) -> str:
    low, high = row.get(f"{figure}_lower"), row.get(f"{figure}_upper")
    return "" if low is None or high is None else f"{low:.0%} to {high:.0%}"


def _by_time(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    rows = said[name]
    found, right = ([row[key] for row in rows] for key in ("recall", "precision"))
    titles = {"terms": "Term by term", "half_terms": "Half-term by half-term"}
    explains = {
        "terms": "Pupils count once a term. In time is five school days or more before.",
        "half_terms": "Pupils with a suspension ahead in the half-term's weeks, and whether a list of those weeks had "
        "them. Whenever it was in time is not asked here.",
    }
    return {
        "id": name.replace("_", "-"),
        "title": titles[name],
        "explains": explains[name],
        "chart": _course(name, titles[name], [str(row["name"]) for row in rows], (("Found", found), ("Right", right))),
        "heads": ["When", "Pupils suspended, rounded", "Of them, found", "Flags that were right"],
        "rows": [
            [
                str(row["name"]),
                NOT_SHOWN if row["suspended"] is None else f"{row['suspended']:,}",
                share(row["recall"]),
                share(row["precision"]),
            ]
            for row in rows
        ],
    }


def _capacity(said: Mapping[str, Any]) -> dict[str, Any]:
    rows = said["capacity"]
    found, right = ([row[key] for row in rows] for key in ("recall", "precision"))
    title = "What a longer list buys"
    return {
        "id": "capacity",
        "title": title,
        "explains": "Pupils each school looks at in a week, by the figure alone. The flag rule gives fewer: it asks "
        "for a rise too, and leaves out who was flagged in the weeks before.",
        "chart": _course("capacity", title, [str(row["places"]) for row in rows], (("Found", found), ("Right", right))),
        "heads": [
            "Pupils a week at each school",
            "Pupils suspended who were on a list before",
            "Places that were right",
        ],
        "rows": [[str(row["places"]), share(row["recall"]), share(row["precision"])] for row in rows],
    }


def _bands(said: Mapping[str, Any]) -> dict[str, Any]:
    rows = said["bands"]
    told, came = ([row[key] for row in rows] for key in ("said", "came"))
    title = "Are the percentages true?"
    return {
        "id": "calibration",
        "title": title,
        "explains": "Pupils' weeks in bands of equal expectation, from the lowest figures to the highest. Where the "
        "two lines part, the figure said too little or too much.",
        "chart": _course(
            "calibration", title, [str(at) for at in range(1, len(rows) + 1)], (("Said", told), ("Came", came))
        ),
        "heads": ["Band", "Figure given, average", "Share then suspended", "Pupils' weeks, rounded"],
        "rows": [
            [f"Band {at}", f"{row['said']:.1%}", share(row["came"]), f"{row['pupil_weeks']:,}"]
            for at, row in enumerate(rows, start=1)
        ],
    }


def _course(name: str, title: str, steps: Sequence[str], lines: Sequence[tuple[str, Sequence[float | None]]]) -> Any:
    drawn = [Line(name=words, values=[None if one is None else 100 * one for one in values]) for words, values in lines]
    return course(f"chart-{name}".replace("_", "-"), title, list(steps), drawn, unit="%")


PAGES = (
    Page(
        name="models",
        path="/models",
        permission="see_models",
        navigation="Models",
        show=show_models,
        first_for=frozenset({"data_scientist"}),
    ),
    Page(name="what a model reads", path="/inputs", permission="see_models", show=show_phrases),
    Page(name="model", path="/models/{digest}", permission="see_models", show=show_model),
    Page(name="drift", path="/models/{digest}/drift", permission="see_models", show=show_drift),
)
