"""What is said and asked for a pupil: their own words, corrections, a case set aside, a fresh start, the letter."""

import uuid
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from casework.cases import PupilPage
from casework.challenges import ABOUT, NewChallenge, record_challenge
from casework.letter import letter
from casework.permissions import check_may
from casework.rules import TEXT_LONGEST, WHY_SHORTEST, RuleBroken
from casework.setting_aside import NewSnooze, grant_fresh_start, snooze
from casework.voices import WHOSE, NewVoice, record_voice
from fairness.documents.pdf import as_pdf
from serving.form_fields import date_field, needed_date, told_errors
from serving.page import Page, Visit
from serving.pages.pupil import read_pupil

READ_BY_FAMILY = "The pupil and their parents can ask to read this."


def voice_form(visit: Visit) -> Response:
    """Ask what the pupil or a parent said."""
    return _voice(visit, read_pupil(visit))


def save_voice(visit: Visit) -> Response:
    """Keep what they said, and go back to the pupil."""
    pupil = read_pupil(visit)
    try:
        new = NewVoice(
            pupil_id=pupil.pupil_id,
            whose=visit.value("whose"),
            said=visit.value("said"),
            asked_on=needed_date(visit, "asked_on", "Enter the day on which you asked."),
            idempotency_key=visit.value("key"),
        )
        record_voice(visit.session, visit.person, new, visit.today)
    except RuleBroken as error:
        return _voice(visit, pupil, error)
    return visit.go(f"/pupils/{pupil.pupil_id}?saved=voice#voice")


def _voice(visit: Visit, pupil: PupilPage, error: RuleBroken | None = None) -> Response:
    check_may(visit.person, "record_voice", pupil.school)
    fields = {
        "whose": choice(visit, "whose", "Who said it?", WHOSE),
        "said": words_field(visit, "said", "What did they say?", f"In their words as far as you can. {READ_BY_FAMILY}"),
        "asked_on": date_field(visit, "asked_on", "When did you ask?", "For example, 13 7 2026."),
    }
    return _form(visit, pupil, "What the pupil and family say", "Save what they said", fields, error)


def correction_form(visit: Visit) -> Response:
    """Ask what a pupil or parent says is wrong."""
    return _correction(visit, read_pupil(visit))


def save_correction(visit: Visit) -> Response:
    """Keep what they ask for; the clock runs from the day it was received."""
    pupil = read_pupil(visit)
    try:
        new = NewChallenge(
            pupil_id=pupil.pupil_id,
            whose=visit.value("whose"),
            about=visit.value("about"),
            said=visit.value("said"),
            received_on=needed_date(visit, "received_on", "Enter the day on which they asked."),
            idempotency_key=visit.value("key"),
        )
        record_challenge(visit.session, visit.person, new, visit.today)
    except RuleBroken as error:
        return _correction(visit, pupil, error)
    return visit.go(f"/pupils/{pupil.pupil_id}?saved=correction#corrections")


def _correction(visit: Visit, pupil: PupilPage, error: RuleBroken | None = None) -> Response:
    check_may(visit.person, "record_challenge", pupil.school)
    fields = {
        "whose": choice(visit, "whose", "Who asks?", WHOSE),
        "about": choice(visit, "about", "What is it about?", ABOUT),
        "said": words_field(visit, "said", "What do they say is wrong?", "In their words as far as you can."),
        "received_on": date_field(
            visit, "received_on", "When did they ask?", "They must have an answer within one month of this day."
        ),
    }
    return _form(visit, pupil, "A correction is asked for", "Save what they ask for", fields, error)


def aside_form(visit: Visit) -> Response:
    """Ask until when a case is set aside, and why."""
    return _aside(visit, read_pupil(visit))


def save_aside(visit: Visit) -> Response:
    """Set the case aside, and go back to the pupil."""
    pupil = read_pupil(visit)
    version = visit.value("version")
    try:
        new = NewSnooze(
            pupil_id=pupil.pupil_id,
            until_on=needed_date(visit, "until_on", "Enter the day when the case comes back on the list."),
            why=visit.value("why"),
            version=int(version) if version.isdecimal() and len(version) < 9 else 0,
        )
        snooze(visit.session, visit.person, new, visit.today)
    except RuleBroken as error:
        return _aside(visit, pupil, error)
    return visit.go(f"/pupils/{pupil.pupil_id}?saved=aside")


def _aside(visit: Visit, pupil: PupilPage, error: RuleBroken | None = None) -> Response:
    check_may(visit.person, "set_aside", pupil.school)
    if pupil.case is None or pupil.own_view is None:
        return visit.go(f"/pupils/{pupil.pupil_id}")
    fields = {
        "why": words_field(visit, "why", "Why can this wait?", f"At least {WHY_SHORTEST} characters. {READ_BY_FAMILY}"),
        "until_on": date_field(
            visit,
            "until_on",
            "When should it come back?",
            "Six weeks from today at most. Until then the pupil is not listed.",
        ),
    }
    return _form(visit, pupil, "Set this case aside", "Set aside", fields, error)


def fresh_form(visit: Visit) -> Response:
    """Ask why a pupil is given a fresh start."""
    return _fresh(visit, read_pupil(visit))


def save_fresh(visit: Visit) -> Response:
    """Grant the fresh start, and go back to the pupil."""
    pupil = read_pupil(visit)
    try:
        grant_fresh_start(visit.session, visit.person, pupil.pupil_id, visit.value("why"), visit.today)
    except RuleBroken as error:
        return _fresh(visit, pupil, error)
    return visit.go(f"/pupils/{pupil.pupil_id}?saved=fresh")


def _fresh(visit: Visit, pupil: PupilPage, error: RuleBroken | None = None) -> Response:
    check_may(visit.person, "grant_fresh_start", pupil.school)
    fields = {
        "why": words_field(visit, "why", "Why a fresh start?", f"At least {WHY_SHORTEST} characters. {READ_BY_FAMILY}")
    }
    says = (
        "From today on, incidents and suspensions of before no longer count, and this page stops showing them "
        "after the coming night. The school's own records stay as they are. This cannot be undone here."
    )
    return _form(visit, pupil, "Grant a fresh start", "Grant a fresh start", fields, error, says)


def take_letter(visit: Visit) -> Response:
    """Hand out the letter to the pupil and family as a PDF; the file's name names nobody."""
    pupil = read_pupil(visit)
    written = letter(visit.session, visit.person, pupil, network=visit.site.home.network, today=visit.today)
    return Response(
        as_pdf(written),
        media_type="application/pdf",
        headers={"Content-Disposition": 'attachment; filename="letter.pdf"'},
    )


def choice(visit: Visit, name: str, legend: str, choices: Mapping[str, str]) -> dict[str, Any]:
    """Return radios that keep what was chosen."""
    return {
        "name": name,
        "idPrefix": name,
        "fieldset": {"legend": {"text": legend, "classes": "govuk-fieldset__legend--s"}},
        "items": [
            {"value": value, "text": words, "checked": value == visit.value(name)} for value, words in choices.items()
        ],
    }


def words_field(visit: Visit, name: str, label: str, hint: str) -> dict[str, Any]:
    """Return a field for sentences that keeps what was typed."""
    return {
        "name": name,
        "id": name,
        "value": visit.value(name),
        "maxlength": TEXT_LONGEST,
        "rows": 5,
        "label": {"text": label, "classes": "govuk-label--s"},
        "hint": {"text": hint},
    }


def _form(
    visit: Visit,
    pupil: PupilPage,
    title: str,
    button: str,
    fields: dict[str, dict[str, Any]],
    error: RuleBroken | None,
    says: str = "",
) -> Response:
    errors = told_errors(fields, error)
    return visit.show(
        "said_form.html",
        title=title,
        status=200 if error is None else 422,
        errors=errors,
        back=f"/pupils/{pupil.pupil_id}",
        back_words="Back to the pupil",
        action=visit.request.url.path,
        caption=pupil.name,
        says=says,
        button=button,
        version=pupil.case.version if pupil.case else 0,
        key=visit.value("key") or uuid.uuid4().hex,
        fields=list(fields.values()),
    )


PAGES = (
    Page(
        name="write down what they say",
        path="/pupils/{pupil_id}/voice",
        permission="record_voice",
        show=voice_form,
        save=save_voice,
    ),
    Page(
        name="record a correction",
        path="/pupils/{pupil_id}/correction",
        permission="record_challenge",
        show=correction_form,
        save=save_correction,
    ),
    Page(
        name="set a case aside",
        path="/pupils/{pupil_id}/aside",
        permission="set_aside",
        show=aside_form,
        save=save_aside,
    ),
    Page(
        name="grant a fresh start",
        path="/pupils/{pupil_id}/fresh-start",
        permission="grant_fresh_start",
        show=fresh_form,
        save=save_fresh,
    ),
    Page(name="letter as PDF", path="/pupils/{pupil_id}/letter.pdf", permission="write_letter", show=take_letter),
)
