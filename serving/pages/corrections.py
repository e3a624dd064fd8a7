"""Corrections that pupils and parents ask for: what waits, by when, and the answer. No name is on these pages."""

import uuid
from typing import Any

from starlette.responses import Response

from casework.challenges import (
    STEPS,
    Challenge,
    NoSuchChallenge,
    answer_challenge,
    challenge,
    open_challenges,
)
from casework.permissions import may
from casework.rules import RuleBroken
from serving.form_fields import id_of, told_errors
from serving.page import NotFound, Page, Visit
from serving.pages.said import READ_BY_FAMILY, choice, words_field


def show_corrections(visit: Visit) -> Response:
    """List what waits for an answer, the first due first."""
    waiting = [_words(one, visit) for one in open_challenges(visit.session, visit.person)]
    return visit.show("corrections.html", title="Corrections asked for", waiting=waiting)


def show_correction(visit: Visit) -> Response:
    """Show what was asked, and the form for an answer while it waits."""
    return _shown(visit, _asked(visit))


def save_answer(visit: Visit) -> Response:
    """Keep the answer; whatever is wrong is said above the text that was typed."""
    asked = _asked(visit)
    seen = visit.value("version")
    try:
        answer_challenge(
            visit.session,
            visit.person,
            asked,
            visit.value("step"),
            visit.value("why"),
            visit.today,
            steps_seen=int(seen) if seen.isdecimal() and len(seen) < 4 else -1,
        )
    except RuleBroken as error:
        return _shown(visit, asked, error)
    return visit.go(f"/corrections/{asked.id}")


def _asked(visit: Visit) -> Challenge:
    try:
        return challenge(visit.session, visit.person, id_of(visit.part("challenge_id")) or uuid.UUID(int=0))
    except NoSuchChallenge:
        raise NotFound from None


def _shown(visit: Visit, asked: Challenge, error: RuleBroken | None = None) -> Response:
    steps = {name: step.says for name, step in STEPS.items() if asked.state in step.starts}
    fields: dict[str, dict[str, Any]] = {
        "step": choice(visit, "step", "What was done?", steps),
        "why": words_field(visit, "why", "The answer, with the reason", READ_BY_FAMILY),
    }
    return visit.show(
        "correction.html",
        title="A correction that is asked for",
        status=200 if error is None else 422,
        errors=told_errors(fields, error),
        asked=_words(asked, visit),
        steps=asked.steps,
        version=len(asked.steps),
        fields=list(fields.values()) if asked.is_open else [],
    )


def _words(asked: Challenge, visit: Visit) -> dict[str, Any]:
    late = asked.is_open and asked.due_on < visit.today
    return {
        "id": asked.id,
        "pupil": asked.pupil_id if may(visit.person, "see_pupil", asked.school) else None,
        "school": asked.school_name,
        "about": asked.about_words,
        "who": asked.whose_words,
        "said": asked.said,
        "by": asked.by,
        "received_on": asked.received_on,
        "state": asked.state_words,
        "due_on": asked.due_on if asked.is_open else None,
        "late": "Overdue" if late else "",
    }


PAGES = (
    Page(
        name="corrections asked for",
        path="/corrections",
        permission="see_challenges",
        show=show_corrections,
        navigation="Corrections",
    ),
    Page(
        name="one correction",
        path="/corrections/{challenge_id}",
        permission="see_challenges",
        show=show_correction,
        save=save_answer,
    ),
)
