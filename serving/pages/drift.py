"""How a model has fared since it was deployed: what each weekly look found, and on which day it goes stale.

The looks are stored with small groups hidden already (`fairness.watch.telling`); what is shown of single inputs is of
all pupils together.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from starlette.responses import Response

from casework.audit_log import look
from casework.freshness import HIDE_DAYS
from casework.models import model_line
from casework.tables_flags import PublicationRow
from casework.watches import StoredWatch, watches_of
from fairness.policy import policy_of
from features.catalogue import CATALOGUE
from serving.page import NotFound, Visit
from serving.pages.after import WORDS
from serving.phrases import example
from serving.rendering import count_words, day_words
from serving.scoring import Deployed

MOST_NAMED: Final = 20
_WEEK_HEADS: Final = (
    "Looked on",
    "Result",
    "Came for each expected",
    "Values that shifted",
    "Missing more or less",
    "Held back",
)
_DRIFT, _MISSING = "drift:", "missing:"


def show_drift(visit: Visit) -> Response:
    """Show what the weekly looks found of this model."""
    digest = visit.part("digest")
    line = model_line(visit.session, digest)
    if line is None:
        raise NotFound
    look(visit.session, visit.person, "see_models", detail=digest)
    looks = watches_of(visit.session, digest)
    newest = _signals(looks[0]) if looks else []
    return visit.show(
        "drift.html",
        title="Drift",
        digest=digest,
        short=digest[:12],
        newest=looks[0].payload["view"] if looks else None,
        on=looks[0].looked_on if looks else None,
        stale=_stale(visit, digest, looks),
        weeks={
            "title": "Week by week",
            "heads": [
                "Looked on",
                "Result",
                "Came for each expected",
                "Values that shifted",
                "Missing otherwise",
                "Late",
            ],
            "rows": [_week(one) for one in looks],
        },
        shifted={
            "title": "Values that shifted most",
            "heads": ["Input", "Stability index", "What it is"],
            "rows": _shifted(newest),
        },
        missing={
            "title": "Missing more often, or less, than in the audit",
            "heads": ["Input", "Share of pupils, difference", "What it is"],
            "rows": _missing(newest),
        },
    )


def _stale(visit: Visit, digest: str, looks: Sequence[StoredWatch]) -> list[dict[str, str]]:
    """Return the days on which what serves goes stale, the first of them first; nothing for what does not serve."""
    found = visit.site.door.deployed()
    if not isinstance(found, Deployed) or found.digest != digest:
        return []
    policy = policy_of(visit.site.home)
    newest = visit.session.execute(select(func.max(PublicationRow.as_of))).scalar_one()
    looked = max([found.approval.signed_on, *(one.looked_on for one in looks)])
    days: list[tuple[date, str]] = [
        (found.approval.expires_on, "its approval ends, and people must audit and sign anew"),
        (
            looked + timedelta(days=policy.after.missed_after_days),
            "it stops, unless it is looked at before then (belong monitor)",
        ),
    ]
    if newest is not None:
        days.append((newest + timedelta(days=HIDE_DAYS), "its newest figures are hidden, unless there is a newer list"))
    return [{"key": day_words(day), "value": words[0].upper() + words[1:]} for day, words in sorted(days)]


def _signals(one: StoredWatch) -> list[Mapping[str, Any]]:
    return list(one.payload.get("signals", ()))


def _week(one: StoredWatch) -> list[str]:
    signals = _signals(one)
    alarms = {kind: sum(s["alarm"] for s in signals if s["name"].startswith(kind)) for kind in (_DRIFT, _MISSING)}
    late = next((s for s in signals if s["name"] == "late"), None)
    return [
        day_words(one.looked_on),
        WORDS.get(one.verdict, one.verdict),
        _expected(one),
        str(alarms[_DRIFT]),
        str(alarms[_MISSING]),
        ""
        if late is None
        else "no school"
        if not late["value"]
        else count_words(int(late["value"]), "school", "schools"),
    ]


def _expected(one: StoredWatch) -> str:
    """Return how many suspensions came for each expected since deployment, of all pupils; where a look had outcomes."""
    for audit in one.payload.get("audits", ())[:1]:
        for cell in audit["cells"]:
            if (cell["attribute"], cell["metric"]) == ("all", "oe_ratio") and cell["estimate"] is not None:
                return f"{cell['estimate']:.2f}"
    return "no outcomes yet"


def _shifted(signals: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    named = [one for one in signals if one["name"].startswith(_DRIFT) and one["value"] is not None]
    most = sorted(named, key=lambda one: -one["value"])[:MOST_NAMED]
    return [[_input(one["name"], _DRIFT), f"{one['value']:.2f}", _means(one["name"], _DRIFT)] for one in most]


def _missing(signals: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    named = [one for one in signals if one["name"].startswith(_MISSING) and one["value"] is not None]
    most = sorted(named, key=lambda one: -abs(one["value"]))[:MOST_NAMED]
    return [[_input(one["name"], _MISSING), f"{one['value']:+.0%}", _means(one["name"], _MISSING)] for one in most]


def _input(name: str, kind: str) -> str:
    return name.removeprefix(kind)


def _means(name: str, kind: str) -> str:
    said = _input(name, kind)
    feature = next((one for one in CATALOGUE if one.name == said), None)
    return "The scores themselves" if feature is None else example(feature)
