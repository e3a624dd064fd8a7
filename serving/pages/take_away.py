"""The week's list on paper, a pupil's page for a meeting, and one's own cases as a file. No score is in any of them."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from casework.audit_log import look
from casework.cases import CaseLine, Filters, Reading, caseload
from casework.permissions import check_may
from casework.rules import RuleBroken
from casework.take_away import LINES_MOST, PURPOSES, check_purpose
from serving.form_fields import told_errors
from serving.page import Page, Visit
from serving.pages.action_words import actions_on_paper
from serving.pages.caseload import (
    class_words,
    filters_of,
    late_words,
    listed_words,
    owner_words,
    review_words,
    where_words,
)
from serving.pages.pupil import place_words, read_pupil
from serving.pages.pupil_parts import chart_of, event_words, week_rows
from serving.pages.support_words import support_on_paper
from serving.rendering import count_words, day_words, year_words
from serving.spreadsheet import as_csv

_WEEKS = 8
_EVENT_DAYS = 28
_EVENTS = 12
HEADS = (
    "Pupil",
    "Year group",
    "School",
    "On the list",
    "What changed",
    "And",
    "Last review",
    "Look again on",
    "Overdue",
    "Looked after by",
)


def ask_print(visit: Visit) -> Response:
    """Ask what the printed list is for."""
    return _ask(visit, _PRINT_LIST)


def print_list(visit: Visit) -> Response:
    """Show the list as a page to print."""
    return _with_purpose(visit, _PRINT_LIST, _printed_list)


def ask_download(visit: Visit) -> Response:
    """Ask what the file is for."""
    return _ask(visit, _DOWNLOAD)


def download(visit: Visit) -> Response:
    """Hand out one's own cases as a CSV file."""
    return _with_purpose(visit, _DOWNLOAD, _downloaded)


def ask_print_pupil(visit: Visit) -> Response:
    """Ask what the printed page of a pupil is for."""
    pupil = read_pupil(visit)
    check_may(visit.person, "take_away", pupil.school)
    return _ask(visit, {**_PRINT_PUPIL, "back": f"/pupils/{pupil.pupil_id}"})


def print_pupil(visit: Visit) -> Response:
    """Show a pupil's recorded facts as a page to print."""
    return _with_purpose(visit, {**_PRINT_PUPIL, "back": f"/pupils/{visit.part('pupil_id')}"}, _printed_pupil)


_PRINT_LIST = {
    "title": "Print the week's list",
    "button": "Show the page to print",
    "back": "/pupils",
    "explains": "The page holds what the list shows: recorded facts, reviews and who looks after whom.",
}
_DOWNLOAD = {
    "title": "Download your own cases",
    "button": "Download",
    "back": "/pupils",
    "explains": "The file holds the pupils who are yours to look after, with the facts that the list shows.",
}
_PRINT_PUPIL = {
    "title": "Print a page for a meeting",
    "button": "Show the page to print",
    "explains": "The page holds recorded facts only. Whatever the model found, and why, stays in Belong.",
}


def _ask(visit: Visit, asked: dict[str, str], error: RuleBroken | None = None) -> Response:
    purpose = {
        "name": "purpose",
        "idPrefix": "purpose",
        "fieldset": {"legend": {"text": "What do you need it for?", "classes": "govuk-fieldset__legend--m"}},
        "hint": {"text": "Your answer is kept in the log of looks, with your name and the time."},
        "items": [
            {"value": value, "text": words, "checked": value == visit.value("purpose")}
            for value, words in PURPOSES.items()
        ],
    }
    named = {
        "name": "names",
        "idPrefix": "names",
        "items": [
            {
                "value": "yes",
                "text": "With pupils' names",
                "hint": {"text": "Leave them out where those present know who is meant."},
                "checked": visit.value("names") == "yes",
            }
        ],
    }
    return visit.show(
        "take_away.html",
        **asked,
        status=200 if error is None else 422,
        errors=told_errors({"purpose": purpose}, error),
        purpose=purpose,
        names=named,
        action=str(visit.request.url.path) + (f"?{visit.request.url.query}" if visit.request.url.query else ""),
    )


def _with_purpose(visit: Visit, asked: dict[str, str], give: Callable[[Visit, str], Response]) -> Response:
    try:
        check_purpose(visit.value("purpose"))
    except RuleBroken as error:
        return _ask(visit, asked, error)
    return give(visit, visit.value("purpose"))


def _printed_list(visit: Visit, purpose: str) -> Response:
    filters, chosen = filters_of(visit)
    found = caseload(
        visit.session,
        visit.person,
        filters,
        visit.today,
        Reading(lines=LINES_MOST, action="print_list", purpose=purpose),
    )
    lines = sorted(found.lines, key=_by_class)
    left_out = found.found - len(lines)
    return visit.show(
        "print_list.html",
        title="Pupils to look at this week",
        where=where_words(visit, found),
        lead=count_words(found.found, "pupil", "pupils") + (", as chosen on the list." if chosen else "."),
        left_out=f"{left_out:,} more are on the list than fit here." if left_out else "",
        data_to=found.data_to,
        late=late_words(visit, found),
        rows=[
            {**_row(line, visit), "name": name, "place": class_words(line, found)}
            for line, name in zip(lines, _named(visit, lines), strict=True)
        ],
        **_footer(visit, purpose),
    )


def _downloaded(visit: Visit, purpose: str) -> Response:
    found = caseload(
        visit.session,
        visit.person,
        Filters(mine=True),
        visit.today,
        Reading(lines=LINES_MOST, action="take_list", purpose=purpose),
    )
    lines = sorted(found.lines, key=_by_class)
    content = as_csv(HEADS, [_cells(line, visit, name) for line, name in zip(lines, _named(visit, lines), strict=True)])
    name = f"belong-own-list-{visit.today.isoformat()}.csv"
    return Response(content, media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _printed_pupil(visit: Visit, purpose: str) -> Response:
    pupil = read_pupil(visit)
    check_may(visit.person, "take_away", pupil.school)
    look(visit.session, visit.person, "print_pupil", pupil_id=pupil.pupil_id, school=pupil.school, detail=purpose)
    since = visit.today - timedelta(days=_EVENT_DAYS)
    events = [event for event in pupil.events if event.happened_on >= since][-_EVENTS:]
    case = pupil.case
    return visit.show(
        "print_pupil.html",
        title="One pupil",
        name=pupil.name if visit.value("names") == "yes" else "Name left out",
        place=place_words(pupil),
        data_to=pupil.data_to,
        chart=chart_of(pupil),
        weeks=week_rows(pupil)[:_WEEKS],
        changed=pupil.what_changed,
        going_well=pupil.going_well,
        unknowns=pupil.unknowns,
        events=[event_words(event) for event in reversed(events)],
        support=support_on_paper(visit, pupil),
        actions=actions_on_paper(visit, pupil),
        state=case.state_words if case else "Not on this week's list",
        review_on=case.review_on if case else None,
        **_footer(visit, purpose),
    )


def _footer(visit: Visit, purpose: str) -> dict[str, Any]:
    return {"by": visit.person.name, "on": visit.today, "purpose": PURPOSES[purpose]}


def _by_class(line: CaseLine) -> tuple[str, int, str, str]:
    # By class and name, as a register is: the order on paper says nothing about anybody.
    year = int(line.year_group) if line.year_group.isdigit() else 0
    return line.school_name, year, line.year_group, line.name


def _named(visit: Visit, lines: Sequence[CaseLine]) -> list[str]:
    if visit.value("names") == "yes":
        return [line.name for line in lines]
    return [f"Pupil {at}" for at in range(1, len(lines) + 1)]


def _row(line: CaseLine, visit: Visit) -> dict[str, Any]:
    return {
        "listed": listed_words(line, visit),
        "facts": line.facts,
        "review": review_words(line),
        "overdue": line.overdue,
        "owner": owner_words(line),
    }


def _cells(line: CaseLine, visit: Visit, name: str) -> list[object]:
    facts = [*line.facts, "", ""][:2]
    return [
        name,
        year_words(line.year_group),
        line.school_name,
        listed_words(line, visit),
        *facts,
        review_words(line),
        day_words(line.review_on),
        "yes" if line.overdue else "",
        owner_words(line),
    ]


PAGES = (
    Page(name="print the list", path="/week/print", permission="take_away", show=ask_print, save=print_list),
    Page(name="download own cases", path="/week/download", permission="take_away", show=ask_download, save=download),
    Page(
        name="print a pupil's page",
        path="/pupils/{pupil_id}/print",
        permission="take_away",
        show=ask_print_pupil,
        save=print_pupil,
    ),
)
