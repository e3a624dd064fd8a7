"""The list of pupils to look at this week: recorded facts only, the same for everyone on it."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from casework import states
from casework.cases import CaseLine, Caseload, Filters, Reading, caseload
from casework.deployments import past_lists_words
from casework.freshness import freshness
from casework.permissions import Person, may
from casework.pupils import week_of
from records.codes import YEAR_GROUP
from serving.capacity import capacity_words, sample_words
from serving.form_fields import select_field, urn_of
from serving.page import Page, Visit
from serving.rendering import count_words, day_words, year_words
from serving.school_year import early_words

_FEW_SCHOOLS = 3
_MINE, _NOBODY = "mine", "nobody"
_WHOSE = {_MINE: "Mine to look after", _NOBODY: "Nobody looks after them"}
# How long ago something must have changed, in days.
_CHANGED = {"7": "In the last week", "14": "In the last 2 weeks", "28": "In the last 4 weeks"}
_SAVED = {
    "taken": "This pupil is now yours to look after.",
    "late": "Someone took this pupil on before you.",
}
_PAGE_DIGITS = 4


def filters_of(visit: Visit) -> tuple[Filters, dict[str, str]]:
    """Return the filters of the address, and what of it filters; a value that is none of ours filters nothing."""
    said = {name: visit.asked(name) for name in ("state", "year", "school", "changed", "whose")}
    known = {
        "state": said["state"] in open_states(),
        "year": said["year"] in YEAR_GROUP,
        "school": urn_of(said["school"]) is not None,
        "changed": said["changed"] in _CHANGED,
        "whose": said["whose"] in _WHOSE,
    }
    chosen = {name: value for name, value in said.items() if known[name]}
    filters = Filters(
        state=chosen.get("state"),
        year_group=chosen.get("year"),
        school=urn_of(chosen.get("school", "")),
        changed_since=visit.today - timedelta(days=int(chosen["changed"])) if "changed" in chosen else None,
        mine=chosen.get("whose") == _MINE,
        ownerless=chosen.get("whose") == _NOBODY,
    )
    return filters, chosen


def open_states() -> list[str]:
    """Return the states that a case on the list can be in."""
    return [name for name in states.STATES if name not in states.FINAL]


def show_caseload(visit: Visit) -> Response:
    """Show a page of the list, after the filters of the address."""
    filters, chosen = filters_of(visit)
    page = visit.asked("page")
    number = int(page) if page.isdecimal() and len(page) <= _PAGE_DIGITS else 1
    found = caseload(visit.session, visit.person, filters, visit.today, Reading(page=number))
    query = urlencode(chosen)
    return visit.show(
        "caseload.html",
        title="Pupils to look at this week",
        where=where_words(visit, found),
        saved=_SAVED.get(visit.asked("saved"), ""),
        lead=_lead(found, chosen=bool(chosen)),
        asks=_asks(visit, found),
        data_to=found.data_to,
        late=late_words(visit, found),
        early=early_words(visit.site.home, [school.urn for school in found.schools], visit.today),
        hit_words=_hit_words(visit),
        choices=_choices(found, chosen),
        rows=[_row(line, visit, class_words(line, found)) for line in found.lines],
        caption="Longest without a review first",
        empty_words="No pupil matches what you chose." if chosen else "There is no one new to look at this week.",
        pages=_pages(found, query),
        query=f"?{query}" if query else "",
        may_take_away=may(visit.person, "take_away"),
    )


def where_words(visit: Visit, found: Caseload) -> str:
    """Return the schools of the list by name, or how many they are."""
    names = [school.name for school in found.schools]
    if len(names) > _FEW_SCHOOLS:
        return f"{visit.site.home.network}, {len(names)} schools"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _lead(found: Caseload, *, chosen: bool) -> str:
    if chosen:
        return f"{count_words(found.found, 'pupil matches', 'pupils match')} what you chose."
    new = f", {found.new:,} of them new this week" if 0 < found.new < found.listed else ""
    return f"{found.listed:,} of {count_words(found.on_roll, 'pupil is', 'pupils are')} on this list{new}."


def _asks(visit: Visit, found: Caseload) -> list[str]:
    """Return what the list asks of its readers: how many a school can review, and who has nobody yet."""
    deployed = visit.site.door.deployed()
    said = [
        capacity_words(deployed, [school.on_roll for school in found.schools]),
        sample_words(visit.site.home, deployed),
    ]
    if found.ownerless:
        said.append(f"{count_words(found.ownerless, 'pupil has', 'pupils have')} nobody who looks after them yet.")
    return [words for words in said if words]


def late_words(visit: Visit, found: Caseload) -> list[str]:
    """Say that no list has come for two weeks, and which schools' figures are old, each with its last day or note."""
    notice = freshness(visit.session, visit.today).notice
    said = [notice] if notice else []
    for school in found.schools:
        if not school.up_to_date:
            last = f"last records of {day_words(school.data_to)}" if school.data_to else "no records yet"
            said.append(f"Figures are not up to date for {school.name}: {school.note or last}.")
        elif school.note:
            said.append(f"{school.name}: {school.note}. Records shows what is there, and what is missing.")
    return said


def _hit_words(visit: Visit) -> str:
    """Return how often past lists were right, in people, as the served bundle's audit says it."""
    return past_lists_words(visit.session)


def _choices(found: Caseload, chosen: dict[str, str]) -> list[dict[str, Any]]:
    offered = [
        ("whose", "Whose", list(_WHOSE.items())),
        ("state", "Review", [(name, states.STATES[name]) for name in open_states()]),
        ("year", "Year group", [(year, year_words(year)) for year in found.year_groups]),
        ("changed", "Something changed", list(_CHANGED.items())),
    ]
    if len(found.schools) > 1:
        offered.append(("school", "School", [(str(school.urn), school.name) for school in found.schools]))
    return [select_field(name, label, values, chosen.get(name, ""), empty="All") for name, label, values in offered]


def _pages(found: Caseload, query: str) -> dict[str, Any] | None:
    """Return the links to the pages before and after, None where there is one page."""
    if found.pages == 1:
        return None

    def link(page: int) -> dict[str, str]:
        more = f"{query}&" if query else ""
        return {"href": f"/pupils?{more}page={page}", "labelText": f"Page {page} of {found.pages}"}

    links: dict[str, Any] = {"landmarkLabel": "Pages of the list"}
    if found.page > 1:
        links["previous"] = link(found.page - 1)
    if found.page < found.pages:
        links["next"] = link(found.page + 1)
    return links


def listed_words(line: CaseLine, visit: Visit) -> str:
    """Return since when a pupil is on the list."""
    new = line.on_list_since >= week_of(visit.today)
    return "New this week" if new else f"Since {day_words(line.on_list_since)}"


def review_words(line: CaseLine) -> str:
    """Return when the last review was, whose, and what state it left."""
    last = line.last_review
    return f"{day_words(last.on)} by {last.by}. {line.state_words}." if last else "Not reviewed yet"


def owner_words(line: CaseLine) -> str:
    """Return who looks after a pupil's case."""
    if line.owner is None:
        return f"Nobody yet: {line.left} works here no more" if line.left else "Nobody yet"
    return f"{line.owner}; {line.covered_by} covers" if line.covered_by else line.owner


def class_words(line: CaseLine, found: Caseload) -> str:
    """Return a pupil's year group, with the school where the list is of several."""
    year = year_words(line.year_group)
    return f"{year}, {line.school_name}" if len(found.schools) > 1 else year


def _row(line: CaseLine, visit: Visit, place: str) -> dict[str, Any]:
    return {
        "case_id": line.case_id,
        "pupil_id": line.pupil_id,
        "name": line.name,
        "place": place,
        "listed": listed_words(line, visit),
        "facts": line.facts,
        "review": review_words(line),
        "overdue": line.overdue,
        "owner": owner_words(line),
        "may_take": line.owner is None and _works_there(visit.person, line.school),
    }


def _works_there(person: Person, school: int) -> bool:
    return may(person, "take_case", school)


PAGES = (
    Page(
        name="caseload",
        path="/pupils",
        permission="see_caseload",
        navigation="Pupils to look at",
        show=show_caseload,
    ),
)
