"""One pupil: what has been happening, then one's own view, and only then what the model found."""

import uuid
from datetime import date, timedelta
from typing import Any

from starlette.responses import Response

from casework.cases import Change, Explanation, PupilPage, Reason, Review, pupil_page
from casework.challenges import challenges_of
from casework.permissions import may
from casework.setting_aside import fresh_start, snoozed
from casework.support_read import is_owed
from features.cohort import ABSTAIN
from serving.page import NotFound, Page, Visit
from serving.pages.action_words import pupil_actions
from serving.pages.pupil_parts import chart_of, event_words, week_rows
from serving.pages.support_words import support_words
from serving.rendering import day_words, year_words
from serving.speaking import why_silent

_EVENTS_SHOWN = 30
_LATER = timedelta(weeks=6)
_SAVED = {
    "view": "Your view is saved. What the model found is further down.",
    "next": "What happens next is saved.",
    "voice": "What they said is saved.",
    "support": "The support is saved. It shows below, in the next review and when this page is printed.",
    "correction": "The correction is recorded. Those who answer for the school see it with its last day.",
    "aside": "The case is set aside. It comes back on the list by itself.",
    "action": "The action with the partner is saved.",
    "fresh": "The fresh start is granted. It counts from the coming night.",
}


def read_pupil(visit: Visit) -> PupilPage:
    """Return the pupil that the address names, for every page about one pupil.

    Raises
    ------
    NotFound
        There is no such pupil, or not in this person's schools; the look is logged either way.
    """
    try:
        pupil_id = uuid.UUID(visit.part("pupil_id"))
    except ValueError:
        raise NotFound from None
    found = pupil_page(visit.session, visit.person, pupil_id, visit.today, why_silent(visit.site, visit.session))
    if found is None:
        raise NotFound
    return found


def place_words(pupil: PupilPage) -> str:
    """Return 'Year 9, Riverside Academy'."""
    left = f" (left on {day_words(pupil.left_on)})" if pupil.left_on else ""
    return f"{year_words(pupil.year_group)}, {pupil.school_name}{left}"


def show_pupil(visit: Visit) -> Response:
    """Show the pupil; without an own view of this week there is no figure and no reason in the page at all."""
    pupil = read_pupil(visit)
    case, school = pupil.case, pupil.school
    corrections = challenges_of(visit.session, pupil.pupil_id)
    return visit.show(
        "pupil.html",
        title="One pupil",
        pupil_id=pupil.pupil_id,
        place=place_words(pupil),
        name=pupil.name,
        saved=_SAVED.get(visit.asked("saved"), ""),
        chart=chart_of(pupil),
        weeks=week_rows(pupil),
        events=[event_words(event) for event in reversed(pupil.events[-_EVENTS_SHOWN:])],
        data_to=pupil.data_to,
        changed=pupil.what_changed,
        going_well=pupil.going_well,
        unknowns=pupil.unknowns,
        case=case,
        own_view=pupil.own_view,
        withheld=pupil.withheld,
        may_take_away=may(visit.person, "take_away", pupil.school),
        may_record=bool(case and case.may_record_view and may(visit.person, "record_view")),
        may_decide=bool(case and case.may_record_decision),
        explanation=_explanation(pupil.explanation) if pupil.explanation else None,
        reviews=[_review(review, pupil, visit.today) for review in pupil.reviews],
        voices=pupil.voices,
        corrections=corrections,
        records_questioned=any(one.is_open and one.about == "records" for one in corrections),
        aside=snoozed(visit.session, case.id, visit.today) if case else None,
        fresh=fresh_start(visit.session, pupil.pupil_id),
        support=support_words(visit, pupil),
        actions=pupil_actions(visit, pupil),
        may_act=may(visit.person, "record_action", school),
        support_owed=bool(case and is_owed(visit.session, case.id)),
        may_support=may(visit.person, "record_support", school),
        may_voice=may(visit.person, "record_voice", school),
        may_correct=may(visit.person, "record_challenge", school),
        may_letter=may(visit.person, "write_letter", school),
        may_set_aside=bool(case and pupil.own_view and may(visit.person, "set_aside", school)),
        may_start_afresh=may(visit.person, "grant_fresh_start", school),
    )


def _explanation(said: Explanation) -> dict[str, Any]:
    weeks = f"{said.horizon_weeks} school weeks"
    if said.abstain or said.probability is None:
        why = ABSTAIN.get(said.abstain or "", "no score was kept")
        figure = f"Belong could not work out a figure for this pupil: {why[:1].lower()}{why[1:]}."
    else:
        about = said.probability_words[:1].upper() + said.probability_words[1:]
        figure = f"{about} pupils with a similar record were {said.outcome_words} in the {weeks} that followed."
        if said.base_rate is not None:
            figure += f" Among all pupils in schools of this phase it was {said.base_rate_words}."
    listed = "Belong drew this pupil at random, as a check on its own lists." if said.check_sample else ""
    rising = f"The figure has been rising since {day_words(said.rising_since)}." if said.rising_since else ""
    if said.too_short:
        rising = "Too few earlier weeks are known of this pupil to say whether the figure is rising."
    return {
        "figure": figure,
        "rising": " ".join(words for words in (listed, rising) if words),
        "reasons": [
            *(_reason(reason, "Up") for reason in said.reasons_for),
            *(_reason(reason, "Down") for reason in said.reasons_against),
        ],
        "eased": f"On {day_words(said.eased_on)}, before it began to rise, it was {said.eased_words}."
        if said.eased_on
        else "",
        "eased_on": day_words(said.eased_on) if said.eased_on else "",
        "changes": [_reason(change, change.way.capitalize()) for change in said.changes],
        "levers": [f"{lever.sentence}, {lever.probability_words}" for lever in said.levers],
        "now": said.probability_words,
        "as_of": said.as_of,
    }


def _reason(reason: Reason | Change, way: str) -> dict[str, Any]:
    return {
        "moved": f"{way}, {reason.share}",
        "group": reason.group,
        "sentence": reason.sentence,
        "change": (("Yes" if way == "Up" else "Keep going") if reason.changeable else "No"),
    }


def _review(review: Review, pupil: PupilPage, today: date) -> dict[str, Any]:
    what = f"{'View' if review.kind == 'view' else 'Next step'}: {review.words}"
    words = "Their words are shown once you have recorded your own view." if review.text is None else review.text
    return {
        "on": review.recorded_on,
        "who": review.by,
        "what": what,
        "words": words,
        "later": _later(review.recorded_on, pupil, today),
    }


def _later(day: date, pupil: PupilPage, today: date) -> str:
    """Return what was recorded in the weeks after a review, once they are over: it may prove the reader wrong."""
    until = day + _LATER
    if until > min(today, pupil.data_to or day) or (pupil.weeks and pupil.weeks[0].week_start > day):
        return ""
    came = [
        event.happened_on for event in pupil.events if event.kind == "suspension" and day < event.happened_on <= until
    ]
    if came:
        return f"In the six weeks after: a suspension from {day_words(min(came))}."
    return "In the six weeks after: no suspension is recorded."


PAGES = (Page(name="pupil", path="/pupils/{pupil_id}", permission="see_pupil", show=show_pupil),)
