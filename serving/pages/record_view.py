"""Recording one's own view, before the model's figure and reasons are shown: one question and one why."""

import uuid
from typing import Any

from starlette.responses import Response

from casework import states
from casework.cases import NewView, PupilPage, record_view
from casework.permissions import check_may
from casework.rules import TEXT_LONGEST, WHY_SHORTEST, RuleBroken
from serving.page import Page, Visit
from serving.pages.pupil import read_pupil
from serving.pages.support_words import support_words

_WORDS = {
    "known_support_in_place": "We know about this and support is in place",
    "new_needs_conversation": "This is new to us and needs a conversation",
    "records_wrong": "The records are wrong or misleading",
    "no_concern": "No concern",
}


def show_form(visit: Visit) -> Response:
    """Show the form; where there is nothing to look at, the pupil's page says so."""
    pupil = read_pupil(visit)
    if pupil.case is None:
        return visit.go(f"/pupils/{pupil.pupil_id}")
    check_may(visit.person, "record_view", pupil.school)
    return _form(visit, pupil, key=uuid.uuid4().hex)


def save(visit: Visit) -> Response:
    """Save the view and go to the pupil's page; whatever is wrong is said above the text that was typed."""
    pupil = read_pupil(visit)
    if pupil.case is None:
        return visit.go(f"/pupils/{pupil.pupil_id}")
    version = visit.value("version")
    new = NewView(
        case_id=pupil.case.id,
        opinion=visit.value("opinion"),
        why=visit.value("why"),
        version=int(version) if version.isdecimal() and len(version) < 9 else 0,
        idempotency_key=visit.value("key"),
    )
    try:
        record_view(visit.session, visit.person, new, visit.today)
    except RuleBroken as error:
        return _form(visit, pupil, key=new.idempotency_key or uuid.uuid4().hex, error=error)
    return visit.go(f"/pupils/{pupil.pupil_id}?saved=view#reasons")


def _form(visit: Visit, pupil: PupilPage, *, key: str, error: RuleBroken | None = None) -> Response:
    assert pupil.case is not None
    opinion: dict[str, Any] = {
        "name": "opinion",
        "idPrefix": "opinion",
        "fieldset": {"legend": {"text": "What do you think is happening?", "classes": "govuk-fieldset__legend--m"}},
        "items": [
            {"value": value, "text": _WORDS.get(value, words), "checked": value == visit.value("opinion")}
            for value, words in states.OPINIONS.items()
        ],
    }
    why: dict[str, Any] = {
        "name": "why",
        "id": "why",
        "value": visit.value("why"),
        "maxlength": TEXT_LONGEST,
        "rows": 6,
        "label": {"text": "Why do you think so?", "classes": "govuk-label--m"},
        "hint": {
            "text": f"Say in at least {WHY_SHORTEST} characters what you have seen or been told. "
            "The pupil and their parents can ask to read this."
        },
    }
    for field, parts in (("opinion", opinion), ("why", why)):
        if error is not None and error.field == field:
            parts["errorMessage"] = {"text": error.sentence}
    errors = [{"text": error.sentence, **({"href": f"#{error.field}"} if error.field else {})}] if error else []
    return visit.show(
        "record_view.html",
        title="Your view, before you see the model's reasons",
        status=200 if error is None else 422,
        errors=errors,
        pupil_id=pupil.pupil_id,
        name=pupil.name,
        # After someone else saved first, the form carries the version that is there now.
        version=pupil.case.version,
        key=key,
        support=support_words(visit, pupil),
        opinion=opinion,
        why=why,
    )


PAGES = (
    Page(
        name="record a view",
        path="/pupils/{pupil_id}/view",
        permission="record_view",
        show=show_form,
        save=save,
    ),
)
