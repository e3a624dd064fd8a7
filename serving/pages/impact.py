"""Does it help: whether pupils who were flagged fare better than pupils who were just missed, and how sure that is.

Nothing is worked out here: the page shows what the termly job published (`serving/jobs/impact.py`). No pupil is on it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup
from starlette.responses import Response

from casework.audit_log import look
from casework.impact import StoredResult, studies_for
from fairness.documents.interval_chart import Axis, Block, Interval, intervals
from serving.page import NotFound, Page, Visit
from serving.rendering import day_words

# Verdict → the shape that carries it in the picture; colour carries none.
_SHAPES: Final[Mapping[str, str]] = {
    "helps": "circle",
    "no_difference": "circle",
    "harms": "square",
    "cannot_tell": "hollow",
    "not_believed": "hollow",
}
# Outcome → what its picture is headed, and what one of its numbers is.
_HEADS: Final[Mapping[str, str]] = {
    "suspended": "Suspended or excluded: more or fewer, in 100 pupils",
    "missed": "Sessions missed: more or fewer, in 100 sessions",
    "incidents": "Incidents recorded: more or fewer, for 100 pupils",
}
_SHORT: Final = {
    "helps": "Helps",
    "no_difference": "No difference",
    "harms": "Does harm",
    "cannot_tell": "Cannot tell yet",
    "not_believed": "Not believed",
}
_PASSED: Final = {True: "Passed", False: "Failed", None: "Not made"}


def show_impact(visit: Visit) -> Response:
    """Show the newest study that has a result, or the one asked for; and those that are still to come."""
    look(visit.session, visit.person, "see_impact")
    found = studies_for(visit.session, visit.person)
    asked = visit.asked("study")
    chosen = next((one for one in found if one.study.digest == asked), None) if asked else _newest(found)
    if asked and chosen is None:
        raise NotFound
    return visit.show(
        "impact.html",
        title="Does it help?",
        study=None if chosen is None else _study(chosen),
        result=None if chosen is None or chosen.payload is None else _result(chosen.payload),
        others=[_line(one) for one in found if one is not chosen],
    )


def _newest(found: Sequence[StoredResult]) -> StoredResult | None:
    return next((one for one in found if one.payload is not None), found[0] if found else None)


def _study(one: StoredResult) -> dict[str, str]:
    study = one.study
    return {
        "title": study.title,
        "weeks": f"{day_words(study.first_week)} to {day_words(study.last_week)}",
        "registered_on": day_words(study.registered_on),
        "registered_by": study.registered_by,
        "known_on": day_words(one.known_on),
        "digest": study.digest,
        "text": study.text,
    }


def _line(one: StoredResult) -> dict[str, str]:
    said = "not known yet" if one.payload is None else str(one.payload["sentence"])
    return {"title": one.study.title, "link": f"/impact?study={one.study.digest}", "said": said}


def _result(payload: Mapping[str, Any]) -> dict[str, Any]:
    outcomes, near = payload["outcomes"], payload["near"]
    return {
        "sentence": payload["sentence"],
        "settles": payload["settles"],
        "near": None if near is None else {**near, "above": f"{near['above']:,}", "below": f"{near['below']:,}"},
        "outcomes": [{**one, "interval": _interval_words(one)} for one in outcomes],
        "charts": [{"title": _HEADS[one["name"]], "picture": _chart(one)} for one in outcomes],
        "checks": [{**one, "word": _PASSED[one["passed"]]} for one in payload["checks"]],
        "support": payload["support"],
        "drawn": payload["drawn"],
    }


def _interval_words(one: Mapping[str, Any]) -> str:
    level = float(one.get("level", 95))  # what was published before outcomes were told together has no level
    return f"{one['lower']:+.1f} to {one['upper']:+.1f}" + ("" if level == 95 else f" ({level:g}\N{NO-BREAK SPACE}%)")


def _chart(one: Mapping[str, Any]) -> Markup:
    """Return an outcome's interval, with the effects too small to be worth knowing as a band about no difference."""
    worth, lower, upper = (float(one[name]) for name in ("worth", "lower", "upper"))
    reach = 1.15 * max(abs(lower), abs(upper), 1.5 * worth)
    row = Interval(
        label="Flagged, beside just missed",
        n="",
        estimate=float(one["estimate"]),
        lower=lower,
        upper=upper,
        word=_SHORT[one["verdict"]],
        shape=_SHAPES[one["verdict"]],
    )
    axis = Axis(low=-reach, high=reach, limit_low=-worth, limit_high=worth, same=0.0)
    return intervals([Block(title="", rows=[row])], axis, name=f"effect-{one['name']}", title=_HEADS[one["name"]])


PAGES = (
    Page(
        name="does it help",
        path="/impact",
        permission="see_impact",
        navigation="Does it help?",
        show=show_impact,
    ),
)
