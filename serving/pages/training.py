"""The training: what the list is and is not, then three past cases, each answered before it is explained.

It stands between people and pupils until it is taken (`casework.rules.check_trained`). The answers are in a sealed
cookie until the last is given, and are kept nowhere: there is no mark and nothing to fail.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.fernet import InvalidToken
from starlette.responses import Response

from casework.rules import RuleBroken
from casework.training import last_day, may_take, opens_on, record_training
from serving.form_fields import told_errors
from serving.identity import local_path
from serving.page import NotFound, Page, Visit
from serving.pages.training_words import CASES, PastCase
from serving.security import clear_cookie, cookie_name, set_cookie

ON_THE_WAY: Final = "belong_training"
_LONGEST_SECONDS: Final = 4 * 60 * 60
_THEN_LONGEST: Final = 500


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far somebody is: their answers by case, and the page that they asked for."""

    then: str = "/"
    answers: dict[str, int] = field(default_factory=dict)

    @property
    def next_place(self) -> int:
        """The number of the first case without an answer; one above the last where all have one."""
        return next((at for at in range(1, len(CASES) + 1) if str(at) not in self.answers), len(CASES) + 1)


def show_training(visit: Visit) -> Response:
    """Explain the list; offer the cases to whoever's training is missing, over or nearly so."""
    trained, earlier = visit.person.training_on, _progress(visit)
    asked = local_path(visit.asked("then"))
    response = visit.show(
        "training.html",
        title="Before you look at the list",
        may_take=may_take(visit.person, visit.today),
        ended=trained is not None and last_day(trained) < visit.today,
        last_day=last_day(trained) if trained else None,
        opens_on=opens_on(trained),
        cases=len(CASES),
    )
    # What was asked for is remembered here, so that no later address carries it.
    then = asked if asked != "/" and len(asked) <= _THEN_LONGEST else earlier.then
    _keep(visit, response, Progress(then=then, answers=earlier.answers))
    return response


def show_case(visit: Visit) -> Response:
    """Show a case's question or, once it is answered, what happened."""
    place, progress = _place(visit), _progress(visit)
    if not may_take(visit.person, visit.today) or place > progress.next_place:
        return visit.go("/training")
    return _case(visit, place, progress)


def save_answer(visit: Visit) -> Response:
    """Take the answer to a case, and come back to its explanation."""
    place, progress = _place(visit), _progress(visit)
    if not may_take(visit.person, visit.today) or place > progress.next_place:
        return visit.go("/training")
    chosen = visit.value("answer")
    if chosen not in {str(at) for at in range(len(CASES[place - 1].choices))}:
        return _case(visit, place, progress, RuleBroken("Select an answer. There is no mark.", "answer"))
    response = visit.go(f"/training/{place}")
    answers = {str(place): int(chosen), **progress.answers}  # the first answer stands
    _keep(visit, response, Progress(then=progress.then, answers=answers))
    return response


def save_taken(visit: Visit) -> Response:
    """Record that the training was taken today, and go on to the page that was asked for."""
    progress = _progress(visit)
    if progress.next_place <= len(CASES):
        return visit.go("/training")
    try:
        record_training(visit.session, visit.person, visit.today)
    except RuleBroken:
        return visit.go("/training")  # sent twice: it is recorded already
    response = visit.go(progress.then)
    clear_cookie(response, _name(visit), https=visit.site.https)
    return response


def _case(visit: Visit, place: int, progress: Progress, error: RuleBroken | None = None) -> Response:
    case = CASES[place - 1]
    chosen = progress.answers.get(str(place))
    fields = {"answer": _question(case)}
    return visit.show(
        "training_case.html",
        title=f"Past case {place} of {len(CASES)}",
        status=200 if error is None else 422,
        errors=told_errors(fields, error),
        place=place,
        case=case,
        field=fields["answer"],
        chosen=None if chosen is None else case.choices[chosen],
        is_last=place == len(CASES),
    )


def _question(case: PastCase) -> dict[str, Any]:
    return {
        "name": "answer",
        "idPrefix": "answer",
        "fieldset": {"legend": {"text": case.question, "classes": "govuk-fieldset__legend--m"}},
        "items": [{"value": str(at), "text": choice.words} for at, choice in enumerate(case.choices)],
    }


def _place(visit: Visit) -> int:
    given = visit.part("place")
    if given not in {str(at) for at in range(1, len(CASES) + 1)}:
        raise NotFound
    return int(given)


def _name(visit: Visit) -> str:
    return cookie_name(ON_THE_WAY, https=visit.site.https)


def _keep(visit: Visit, response: Response, progress: Progress) -> None:
    told = {"person": str(visit.person.id), "then": progress.then, "answers": progress.answers}
    sealed = visit.site.seal.encrypt_at_time(json.dumps(told).encode(), int(visit.site.now().timestamp())).decode()
    set_cookie(response, _name(visit), sealed, https=visit.site.https, seconds=_LONGEST_SECONDS)


def _progress(visit: Visit) -> Progress:
    """Return this person's way so far; none where the cookie is another's, changed, or old."""
    sealed = (visit.request.cookies.get(_name(visit)) or "").encode()
    try:
        told = json.loads(visit.site.seal.decrypt_at_time(sealed, _LONGEST_SECONDS, int(visit.site.now().timestamp())))
    except InvalidToken:
        return Progress()
    # The same seal closes other cookies: what is inside must be ours, and this person's.
    if told.get("person") != str(visit.person.id):
        return Progress()
    return Progress(then=local_path(told["then"]), answers=told["answers"])


PAGES = (
    Page(name="training", path="/training", permission="take_training", show=show_training),
    Page(name="training taken", path="/training-taken", permission="take_training", save=save_taken),
    Page(
        name="a past case of the training",
        path="/training/{place}",
        permission="take_training",
        show=show_case,
        save=save_answer,
    ),
)
