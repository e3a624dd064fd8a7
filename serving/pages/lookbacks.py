"""Learning reviews: which events were looked back at, and one of them week by week, as it was known then."""

import uuid
from typing import Any, Final

from starlette.responses import Response

from casework.lookback_words import NOTES, SIGNALS, THEMES, list_words, not_flagged
from casework.lookbacks import (
    Line,
    Lookback,
    NewNote,
    NoSuchLookback,
    Offer,
    add_note,
    lookback,
    lookbacks,
    reopen,
    take_on,
)
from casework.permissions import may
from casework.rules import RuleBroken
from features.cohort import ABSTAIN
from serving.charts import Week, timeline
from serving.form_fields import id_of, told_errors
from serving.page import NotFound, Page, Visit
from serving.pages.said import READ_BY_FAMILY, choice, words_field
from serving.rendering import day_words, year_words

_HIDDEN: Final = "Shown once you have recorded your own view"
_SAVED: Final = {
    "taken": "The look-back is yours now.",
    "adult": "What they say is saved.",
    "needed": "What would have been needed is saved, and the look-back concluded.",
    "reopened": "The look-back is open again, and yours.",
}


def show_lookbacks(visit: Visit) -> Response:
    """List the look-backs of the person's schools, those first that are due first."""
    found = lookbacks(visit.session, visit.person)
    rows = [_line(one, visit) for one in found]
    return visit.show(
        "lookbacks.html",
        title="Learning reviews",
        waiting=[row for row in rows if row["open"]],
        done=[row for row in rows if not row["open"]],
        may_see_themes=may(visit.person, "see_themes"),
    )


def show_lookback(visit: Visit) -> Response:
    """Show one look-back, and the form to write in it while it is open."""
    return _shown(visit, _read(visit))


def save_lookback(visit: Visit) -> Response:
    """Take it on, write in it, or open it again; whatever is wrong is said above what was typed."""
    found = _read(visit)
    step = visit.value("step")
    try:
        if step == "take":
            take_on(visit.session, visit.person, found, visit.today)
            saved = "taken"
        elif step == "reopen":
            reopen(visit.session, visit.person, found, visit.today)
            saved = "reopened"
        else:
            new = NewNote(
                kind=visit.value("kind"),
                said=visit.value("said"),
                themes=visit.values("themes"),
                idempotency_key=visit.value("key"),
            )
            add_note(visit.session, visit.person, found, new, visit.today)
            saved = new.kind
    except RuleBroken as error:
        return _shown(visit, found, error)
    return visit.go(f"/lookbacks/{found.line.id}?saved={saved}")


def _read(visit: Visit) -> Lookback:
    try:
        asked = id_of(visit.part("lookback_id")) or uuid.UUID(int=0)
        return lookback(visit.session, visit.person, asked, visit.today)
    except NoSuchLookback:
        raise NotFound from None


def _shown(visit: Visit, found: Lookback, error: RuleBroken | None = None) -> Response:
    line = found.line
    mine = may(visit.person, "record_lookback", line.school)
    fields: dict[str, dict[str, Any]] = {
        "kind": choice(visit, "kind", "What are you writing down?", NOTES),
        "said": words_field(visit, "said", "In plain words", READ_BY_FAMILY),
        "themes": _themes(visit),
    }
    return visit.show(
        "lookback.html",
        title="A learning review",
        status=200 if error is None else 422,
        errors=told_errors(fields, error),
        saved=_SAVED.get(visit.asked("saved"), ""),
        line=_line(line, visit),
        withheld=found.withheld,
        belong=_belong(found),
        chart=_chart(found),
        weeks=[_week_row(week) for week in reversed(found.weeks)],
        offers=[{"on": one.on, "words": one.words, "when": _when(one)} for one in found.offers],
        voices=found.voices,
        notes=[
            {
                "kind": NOTES[one.kind],
                "said": one.said if one.said is not None else f"{_HIDDEN}.",
                "themes": [THEMES[name] for name in one.themes],
                "on": one.on,
                "by": one.by,
            }
            for one in found.notes
        ],
        steps=found.steps,
        fields=list(fields.values()) if mine and line.is_open else [],
        may_take=mine and line.state == "waiting",
        may_reopen=mine and line.state == "concluded",
        key=visit.value("key") or uuid.uuid4().hex,
    )


def _themes(visit: Visit) -> dict[str, Any]:
    chosen = visit.values("themes")
    return {
        "name": "themes",
        "idPrefix": "themes",
        "classes": "govuk-checkboxes--small",
        "fieldset": {
            "legend": {"text": "Themes of what would have been needed", "classes": "govuk-fieldset__legend--s"}
        },
        "hint": {"text": "They are counted across the network, without names."},
        "items": [{"value": name, "text": words, "checked": name in chosen} for name, words in THEMES.items()],
    }


def _line(line: Line, visit: Visit) -> dict[str, Any]:
    return {
        "id": line.id,
        "name": line.name,
        "pupil_id": line.pupil_id if line.year_group else None,
        "year": year_words(line.year_group) if line.year_group else "",
        "school": line.school_name,
        "kind": line.kind_words,
        "on": line.event_on,
        "due_on": line.due_on,
        "late": line.is_open and line.due_on < visit.today,
        "state": line.state_words,
        "open": line.is_open,
        "owner": line.owner,
        "withdrawn": line.state == "withdrawn",
    }


def _belong(found: Lookback) -> str:
    """Return in a sentence when Belong first flagged the pupil, or why not."""
    if found.withheld:
        return ""
    first = found.first_flag
    if first is not None:
        weeks = (found.line.event_on - first).days // 7
        before = f"{weeks} week{'' if weeks == 1 else 's'} before"
        return f"Belong first flagged the pupil in the week of {day_words(first)}, {before}."
    said = [week.belong for week in found.weeks if week.belong]
    return f"{SIGNALS[not_flagged(said[-1])]}." if said else "There was no list with this pupil in the weeks shown."


def _chart(found: Lookback) -> Any:
    weeks = [
        Week(
            start=week.start,
            possible=week.possible,
            missed=week.missed,
            incidents=week.incidents,
            suspended=week.suspended,
        )
        for week in found.weeks
    ]
    return timeline(weeks, listed=found.first_flag, listed_words="first flagged")


def _week_row(week: Any) -> dict[str, Any]:
    code = week.belong
    why = ABSTAIN.get(code.split(":", 1)[1], "") if code and ":" in code else ""
    counts = (week.missed, week.late, week.incidents, week.removals)
    shown = counts if week.possible else ["\N{EN DASH}"] * len(counts)
    return {
        "start": week.start,
        "cells": [week.possible, *shown],
        "later": str(week.later) if week.later else "",
        "suspended": "Yes" if week.suspended else "",
        "belong": _HIDDEN if code is None else list_words(code, why),
    }


def _when(offer: Offer) -> str:
    days = offer.days_before
    if days == 0:
        return "on the day itself"
    return f"{abs(days)} day{'s' if abs(days) > 1 else ''} {'before' if days > 0 else 'afterwards'}"


PAGES = (
    Page(
        name="learning reviews",
        path="/lookbacks",
        permission="see_lookbacks",
        navigation="Learning reviews",
        show=show_lookbacks,
    ),
    Page(
        name="one learning review",
        path="/lookbacks/{lookback_id}",
        permission="see_lookbacks",
        show=show_lookback,
        save=save_lookback,
    ),
)
