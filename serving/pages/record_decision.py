"""Recording what happens next, after the reasons: an offer of help, or nothing for now. Never a sanction."""

import uuid
from datetime import date
from typing import Any

from starlette.responses import Response

from casework import states
from casework.cases import NewDecision, PupilPage, record_decision
from casework.permissions import check_may
from casework.rules import TEXT_LONGEST, RuleBroken, check_decision
from serving.page import Page, Visit
from serving.pages.pupil import read_pupil
from serving.pages.support_words import support_words
from serving.rendering import day_words

_PARTS = ("day", "month", "year")
_SENT = ("version", "key", "changed", "misfits", "action", "note", *(f"review_on-{part}" for part in _PARTS))


def show_form(visit: Visit) -> Response:
    """Show the form once one's own view is recorded; before that, the pupil's page asks for it."""
    pupil = read_pupil(visit)
    check_may(visit.person, "record_decision", pupil.school)
    if pupil.case is None or pupil.own_view is None:
        return visit.go(f"/pupils/{pupil.pupil_id}")
    return _form(visit, pupil, key=uuid.uuid4().hex)


def save(visit: Visit) -> Response:
    """Save what happens next and go to the pupil's page."""
    pupil = read_pupil(visit)
    if pupil.case is None:
        return visit.go(f"/pupils/{pupil.pupil_id}")
    key = visit.value("key")
    try:
        new = _decision(visit, pupil.case.id, key)
        if visit.value("confirmed") == "change":
            return _form(visit, pupil, key=key)
        if visit.value("confirmed") != "yes":
            check_decision(new.action, new.note, new.review_on, visit.today)
            return _check_answers(visit, pupil, new)
        record_decision(visit.session, visit.person, new, visit.today)
    except RuleBroken as error:
        return _form(visit, pupil, key=key or uuid.uuid4().hex, error=error)
    return visit.go(f"/pupils/{pupil.pupil_id}?saved=next")


def _check_answers(visit: Visit, pupil: PupilPage, new: NewDecision) -> Response:
    """Show what will be saved, before it is: it cannot be taken back, only added to."""
    assert pupil.case is not None
    said = pupil.explanation
    reasons = [*said.reasons_for, *said.reasons_against] if said else []
    misfits = [reason.sentence for reason in reasons if reason.position in new.reasons_that_do_not_fit]
    answers = (
        ("Did the reasons change your view?", "Yes" if new.reasons_changed_view else "No"),
        ("Reasons that do not fit", "; ".join(misfits) or "None"),
        ("What you will offer", states.ACTIONS[new.action]),
        ("Anything to add", new.note or "Nothing"),
        ("Look again on", day_words(new.review_on) or "No day"),
        ("Who looks after this case", visit.person.name),
    )
    sent = [(name, value) for name in _SENT for value in visit.values(name)]
    return visit.show(
        "check_decision.html",
        title="Check your answers",
        name=pupil.name,
        pupil_id=pupil.pupil_id,
        answers=answers,
        sent=sent,
    )


def _decision(visit: Visit, case_id: uuid.UUID, key: str) -> NewDecision:
    changed, version = visit.value("changed"), visit.value("version")
    if changed not in ("yes", "no"):
        raise RuleBroken("Select whether the reasons changed your view.", "changed")
    return NewDecision(
        case_id=case_id,
        reasons_changed_view=changed == "yes",
        action=visit.value("action"),
        version=int(version) if version.isdecimal() and len(version) < 9 else 0,
        idempotency_key=key,
        reasons_that_do_not_fit=tuple(int(at) for at in visit.values("misfits") if at.isdecimal() and len(at) < 4),
        note=visit.value("note"),
        review_on=_review_on(visit),
    )


def _review_on(visit: Visit) -> date | None:
    """Return the date typed in three parts; None where all are empty."""
    parts = [visit.value(f"review_on-{part}") for part in _PARTS]
    if not any(parts):
        return None
    try:
        day, month, year = (int(part) if part.isdecimal() else 0 for part in parts)
        return date(year, month, day)
    except ValueError:
        raise RuleBroken("Enter a real date, for example 13 7 2026.", "review_on") from None


def _form(visit: Visit, pupil: PupilPage, *, key: str, error: RuleBroken | None = None) -> Response:
    assert pupil.case is not None
    fields = {
        "changed": _radios(
            visit, "changed", "Did the reasons change your view?", {"yes": "Yes", "no": "No"}, inline=True
        ),
        "misfits": _misfits(visit, pupil),
        "action": _radios(visit, "action", "What will you offer?", states.ACTIONS),
        "note": _note(visit),
        "review_on": _date(visit),
    }
    errors = []
    if error is not None:
        field = "misfits" if error.field == "reasons_that_do_not_fit" else error.field
        if fields.get(field) is not None:
            fields[field]["errorMessage"] = {"text": error.sentence}
        at = {"review_on": "#review_on-day", "": ""}.get(field, f"#{field}")
        errors = [{"text": error.sentence, **({"href": at} if at else {})}]
    return visit.show(
        "record_decision.html",
        title="What happens next",
        status=200 if error is None else 422,
        errors=errors,
        pupil_id=pupil.pupil_id,
        name=pupil.name,
        version=pupil.case.version,
        support=support_words(visit, pupil),
        key=key,
        **fields,
    )


def _radios(visit: Visit, name: str, legend: str, choices: Any, *, inline: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "idPrefix": name,
        "classes": "govuk-radios--inline" if inline else "",
        "fieldset": {"legend": {"text": legend, "classes": "govuk-fieldset__legend--m"}},
        "items": [
            {"value": value, "text": words, "checked": value == visit.value(name)} for value, words in choices.items()
        ],
    }


def _misfits(visit: Visit, pupil: PupilPage) -> dict[str, Any]:
    said = pupil.explanation
    reasons = [*said.reasons_for, *said.reasons_against] if said else []
    return {
        "name": "misfits",
        "idPrefix": "misfits",
        "fieldset": {
            "legend": {"text": "Which reasons do not fit what you know?", "classes": "govuk-fieldset__legend--m"}
        },
        "hint": {"text": "Select all that apply, or none."},
        "items": [
            {
                "value": str(reason.position),
                "text": f"{reason.group}. {reason.sentence}",
                "checked": str(reason.position) in visit.values("misfits"),
            }
            for reason in reasons
        ],
    }


def _note(visit: Visit) -> dict[str, Any]:
    return {
        "name": "note",
        "id": "note",
        "value": visit.value("note"),
        "maxlength": TEXT_LONGEST,
        "rows": 4,
        "label": {"text": "Anything to add (optional)", "classes": "govuk-label--m"},
        "hint": {"text": "The pupil and their parents can ask to read this."},
    }


def _date(visit: Visit) -> dict[str, Any]:
    items = [
        {
            "name": part,
            "value": visit.value(f"review_on-{part}"),
            "classes": f"govuk-input--width-{4 if part == 'year' else 2}",
        }
        for part in _PARTS
    ]
    return {
        "id": "review_on",
        "namePrefix": "review_on",
        "items": items,
        "fieldset": {"legend": {"text": "When will you look at this again?", "classes": "govuk-fieldset__legend--m"}},
        "hint": {"text": "For example, 13 7 2026. Not needed if you choose nothing for now."},
    }


PAGES = (
    Page(
        name="record what happens next",
        path="/pupils/{pupil_id}/next",
        permission="record_decision",
        show=show_form,
        save=save,
    ),
)
