"""The list of pupils to look at this week: recorded facts only, the same for everyone on it."""

from typing import Any

from starlette.responses import Response

from casework import states
from casework.cases import CaseLine, Caseload, Filters, caseload
from casework.deployments import current_audit
from casework.pupils import week_of
from records.codes import YEAR_GROUP
from serving.page import Page, Visit
from serving.rendering import count_words, day_words, year_words

_FEW_SCHOOLS = 3


def show_caseload(visit: Visit) -> Response:
    """Show the list, after the filters of the address; a value that is none of ours filters nothing."""
    school = visit.asked("school")
    filters = Filters(
        state=visit.asked("state") if visit.asked("state") in _open_states() else None,
        year_group=year if (year := visit.asked("year")) in YEAR_GROUP else None,
        school=int(school) if school.isdecimal() and len(school) < 10 else None,
    )
    found = caseload(visit.session, visit.person, filters, visit.today)
    chosen = filters != Filters()
    return visit.show(
        "caseload.html",
        title="Pupils to look at this week",
        where=_where(visit, found),
        lead=_lead(found, chosen=chosen),
        data_to=found.data_to,
        late=_late(found),
        hit_words=_hit_words(visit),
        choices=_choices(found, filters),
        rows=[_row(line, visit) for line in found.lines],
        caption="Longest without a review first",
        empty_words="No pupil matches what you chose." if chosen else "There is no one new to look at this week.",
    )


def _where(visit: Visit, found: Caseload) -> str:
    names = [school.name for school in found.schools]
    if len(names) > _FEW_SCHOOLS:
        return f"{visit.site.home.network}, {len(names)} schools"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _lead(found: Caseload, *, chosen: bool) -> str:
    number = len(found.lines)
    if chosen:
        return f"{count_words(number, 'pupil matches', 'pupils match')} what you chose."
    return f"{number:,} of {count_words(found.on_roll, 'pupil is', 'pupils are')} on this list."


def _late(found: Caseload) -> list[str]:
    """Say which schools' figures are old, each with its last day or its own note."""
    said = []
    for school in found.schools:
        if not school.up_to_date:
            last = f"last records of {day_words(school.data_to)}" if school.data_to else "no records yet"
            said.append(f"Figures are not up to date for {school.name}: {school.note or last}.")
    return said


def _hit_words(visit: Visit) -> str:
    """Return how often past lists were right, in people, as the served bundle's audit says it."""
    audit = current_audit(visit.session)
    view = audit.payload.get("view") or {} if audit else {}
    return str(view.get("past_lists", ""))


def _choices(found: Caseload, filters: Filters) -> list[dict[str, Any]]:
    choices = [
        _choice("state", "Review", [(name, states.STATES[name]) for name in _open_states()], filters.state),
        _choice("year", "Year group", [(year, year_words(year)) for year in found.year_groups], filters.year_group),
    ]
    if len(found.schools) > 1:
        schools = [(str(school.urn), school.name) for school in found.schools]
        choices.append(_choice("school", "School", schools, str(filters.school) if filters.school else None))
    return choices


def _choice(name: str, label: str, values: list[tuple[str, str]], chosen: str | None) -> dict[str, Any]:
    items = [{"value": "", "text": "All", "selected": chosen is None}]
    items += [{"value": value, "text": words, "selected": value == chosen} for value, words in values]
    return {"id": name, "name": name, "label": {"text": label}, "items": items}


def _open_states() -> list[str]:
    return [name for name in states.STATES if name not in states.FINAL]


def _row(line: CaseLine, visit: Visit) -> dict[str, Any]:
    new = line.on_list_since >= week_of(visit.today)
    last = line.last_review
    review = f"{day_words(last.on)} by {last.by}. {line.state_words}." if last else "Not reviewed yet"
    return {
        "pupil_id": line.pupil_id,
        "name": line.name,
        "place": f"{year_words(line.year_group)}, {line.school_name}",
        "listed": "New this week" if new else f"Since {day_words(line.on_list_since)}",
        "facts": line.facts,
        "review": review,
        "overdue": line.overdue,
    }


PAGES = (
    Page(
        name="caseload",
        path="/pupils",
        permission="see_caseload",
        navigation="Pupils to look at",
        show=show_caseload,
    ),
)
