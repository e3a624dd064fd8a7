"""Handing cases over when staff leave, cover while someone is away, and taking on a case that nobody looks after."""

from typing import Any

from starlette.responses import Response

from casework.caseload import CaseLine, schools_of
from casework.cases import Filters, Reading, caseload
from casework.handover import (
    Colleague,
    Cover,
    NewCover,
    NotHere,
    arrange_cover,
    colleagues,
    covers,
    end_cover,
    hand_over,
    take_case,
)
from casework.permissions import may
from casework.rules import RuleBroken
from serving.form_fields import date_field, id_of, needed_date, select_field, told_errors, urn_of
from serving.page import NotFound, Page, Visit
from serving.rendering import count_words, day_words, year_words

_NOBODY = "nobody"
_SAVED = {
    "handed": "The cases are handed over.",
    "cover": "The cover is arranged.",
    "ended": "The cover is ended.",
}


def show_handover(visit: Visit) -> Response:
    """Show whose cases there are at a school, those of nobody first."""
    return _form(visit, urn_of(visit.asked("school")), visit.asked("whose"))


def save_handover(visit: Visit) -> Response:
    """Hand the selected cases to one colleague."""
    school, whose = urn_of(visit.value("school")), visit.value("whose")
    cases = [id_of(case) for case in visit.values("case")]
    try:
        hand_over(visit.session, visit.person, [case for case in cases if case], id_of(visit.value("to")), visit.today)
    except RuleBroken as error:
        return _form(visit, school, whose, error)
    except NotHere:
        raise NotFound from None
    return visit.go(f"/handover?school={school}&saved=handed")


def save_cover(visit: Visit) -> Response:
    """Arrange cover for a colleague who is away."""
    school = urn_of(visit.value("school"))
    try:
        arrange_cover(visit.session, visit.person, _new_cover(visit, school or 0), visit.today)
    except RuleBroken as error:
        return _form(visit, school, "", error)
    except NotHere:
        raise NotFound from None
    return visit.go(f"/handover?school={school}&saved=cover")


def save_end(visit: Visit) -> Response:
    """End a cover early."""
    cover = id_of(visit.value("cover"))
    try:
        if cover is None:
            raise NotFound
        school = end_cover(visit.session, visit.person, cover, visit.today)
    except NotHere:
        raise NotFound from None
    return visit.go(f"/handover?school={school}&saved=ended")


def save_take(visit: Visit) -> Response:
    """Take on a case that nobody looks after, and go back to the list."""
    case = id_of(visit.value("case"))
    try:
        if case is None:
            raise NotFound
        take_case(visit.session, visit.person, case, visit.today)
    except NotHere:
        raise NotFound from None
    except RuleBroken:
        return visit.go("/pupils?saved=late")
    return visit.go("/pupils?saved=taken")


def _new_cover(visit: Visit, school: int) -> NewCover:
    away, covering = id_of(visit.value("away")), id_of(visit.value("covering"))
    if away is None:
        raise RuleBroken("Select who is away.", "away")
    if covering is None:
        raise RuleBroken("Select who covers for them.", "covering")
    return NewCover(
        school=school,
        away=away,
        covering=covering,
        from_on=needed_date(visit, "from", "Enter the first day of the absence."),
        until_on=needed_date(visit, "until", "Enter the last day of the absence."),
    )


def _form(visit: Visit, school: int | None, whose: str, error: RuleBroken | None = None) -> Response:
    schools = [one for one in schools_of(visit.session, visit.person) if may(visit.person, "hand_over", one.urn)]
    if not schools or (school is not None and school not in {one.urn for one in schools}):
        raise NotFound
    here = next((one for one in schools if one.urn == school), schools[0])
    staff = colleagues(visit.session, visit.person, here.urn, visit.today)
    owner = next((one for one in staff if one.id == id_of(whose)), None)
    filters = Filters(school=here.urn, owner=owner.id if owner else None, ownerless=owner is None)
    found = caseload(visit.session, visit.person, filters, visit.today, Reading(action="see_handover"))
    names = [(str(one.id), one.name) for one in staff]
    fields = {
        "to": select_field("to", "Who will look after them?", names, visit.value("to"), empty="Choose a colleague"),
        "away": select_field("away", "Who is away?", names, visit.value("away"), empty="Choose a colleague"),
        "covering": select_field(
            "covering", "Who covers for them?", names, visit.value("covering"), empty="Choose a colleague"
        ),
        "from": date_field(visit, "from", "First day", "For example, 13 7 2026."),
        "until": date_field(visit, "until", "Last day"),
    }
    errors = told_errors(fields, error)
    if error is not None and error.field == "case" and found.lines:
        errors = [{"text": error.sentence, "href": "#case-1"}]
    return visit.show(
        "handover.html",
        title="Handing over and cover",
        status=200 if error is None else 422,
        errors=errors,
        saved=_SAVED.get(visit.asked("saved"), ""),
        school=here,
        whose=str(owner.id) if owner else _NOBODY,
        choices=_choices(schools, here.urn, staff, owner),
        heading=f"Cases of {owner.name}" if owner else "Cases that nobody looks after",
        explains=_explains(owner),
        rows=[_row(line, at) for at, line in enumerate(found.lines, start=1)],
        more=found.found - len(found.lines),
        fields=fields,
        covers=[_cover(cover) for cover in covers(visit.session, visit.person, here.urn, visit.today)],
    )


def _choices(schools: Any, school: int, staff: tuple[Colleague, ...], owner: Colleague | None) -> list[dict[str, Any]]:
    choices = []
    if len(schools) > 1:
        named = [(str(one.urn), one.name) for one in schools]
        choices.append(select_field("school", "School", named, str(school)))
    held = [(str(one.id), f"{one.name} ({count_words(one.cases, 'case', 'cases')})") for one in staff]
    whose = [(_NOBODY, "Nobody looks after them"), *held]
    return [*choices, select_field("whose", "Whose cases", whose, str(owner.id) if owner else _NOBODY)]


def _explains(owner: Colleague | None) -> str:
    if owner is not None:
        return "Select those that somebody else is to look after from now on."
    return "Nobody took these on yet, or whoever did works here no more. Until someone does, they are the lead's."


def _row(line: CaseLine, at: int) -> dict[str, Any]:
    last = line.last_review
    return {
        "id": f"case-{at}",
        "case_id": line.case_id,
        "pupil_id": line.pupil_id,
        "name": line.name,
        "place": year_words(line.year_group),
        "was": f"{line.left}, who works here no more" if line.left else "",
        "review": f"{day_words(last.on)} by {last.by}" if last else "Not reviewed yet",
        "overdue": line.overdue,
    }


def _cover(cover: Cover) -> dict[str, Any]:
    return {
        "id": cover.id,
        "away": cover.away,
        "covering": cover.covering,
        "days": f"{day_words(cover.from_on)} to {day_words(cover.until_on)}",
    }


PAGES = (
    Page(
        name="handing over",
        path="/handover",
        permission="hand_over",
        navigation="Handing over",
        show=show_handover,
        save=save_handover,
    ),
    Page(name="arrange cover", path="/handover/cover", permission="hand_over", save=save_cover),
    Page(name="end cover", path="/handover/cover/end", permission="hand_over", save=save_end),
    Page(name="take on a case", path="/handover/take", permission="take_case", save=save_take),
)
