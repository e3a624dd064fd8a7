"""How a school's records stand: how far they reach, what to put right, and its school days, entered by its lead."""

from datetime import date
from typing import Any

from starlette.responses import Response

from casework.audit_log import look
from casework.caseload import SchoolFreshness, schools_of
from casework.permissions import may
from casework.rules import RuleBroken
from casework.school_roll import never_came, school_roll
from casework.term_dates import KINDS, NOT_COVERED, NoSuchSchool, TermDate, doubts, enter, term_dates, withdraw
from serving.form_fields import date_field, needed_date, select_field, told_errors, typed_date, urn_of
from serving.page import NotFound, Page, Visit
from serving.pages.records_quality import quality_parts
from serving.rendering import day_words, full_day_words, year_words
from serving.school_year import recorded_dates, year_start

_SAVED = {"entered": "Saved.", "withdrawn": "Taken back."}


def show_records(visit: Visit) -> Response:
    """Show a school's records as the last nightly job found them, with the term dates entered since."""
    return _form(visit, urn_of(visit.asked("school")))


def show_roll(visit: Visit) -> Response:
    """Show a year group of a school that has no list, by name, with the way to each pupil's own records."""
    school = urn_of(visit.asked("school")) or 0
    try:
        roll = school_roll(visit.session, visit.person, school, visit.asked("year"), visit.today)
    except NoSuchSchool:
        raise NotFound from None
    name = next(one.name for one in schools_of(visit.session, visit.person) if one.urn == school)
    return visit.show(
        "school_roll.html",
        title="Our pupils' own records",
        school=name,
        urn=school,
        years=select_field("year", "Year group", [(year, year_words(year)) for year in roll.years], roll.year),
        caption=year_words(roll.year) if roll.year else "",
        lines=roll.lines,
    )


def save_entry(visit: Visit) -> Response:
    """Enter a half-term, a training day or a closure."""
    school = urn_of(visit.value("school")) or 0
    try:
        start = needed_date(visit, "start", "Enter the first day.")
        new = TermDate(
            kind=visit.value("kind"), name=visit.value("name"), start=start, end=typed_date(visit, "end") or start
        )
        enter(visit.session, visit.person, school, new, recorded_dates(visit.site.home, school), visit.today)
    except RuleBroken as error:
        return _form(visit, school, error)
    except NoSuchSchool:
        raise NotFound from None
    return visit.go(f"/records?school={school}&saved=entered")


def save_withdrawal(visit: Visit) -> Response:
    """Take back what was entered or recorded."""
    school = urn_of(visit.value("school")) or 0
    try:
        what = (visit.value("kind"), date.fromisoformat(visit.value("start")))
        withdraw(visit.session, visit.person, school, what, recorded_dates(visit.site.home, school), visit.today)
    except RuleBroken as error:
        return _form(visit, school, error)
    except (NoSuchSchool, ValueError):
        raise NotFound from None
    return visit.go(f"/records?school={school}&saved=withdrawn")


def _form(visit: Visit, school: int | None, error: RuleBroken | None = None) -> Response:
    schools = schools_of(visit.session, visit.person)
    if not schools or (school is not None and school not in {one.urn for one in schools}):
        raise NotFound
    here = next((one for one in schools if one.urn == school), schools[0])
    doubted = doubts(visit.session, visit.person, here.urn)
    shown = term_dates(visit.session, visit.person, here.urn, recorded_dates(visit.site.home, here.urn))
    fields = _fields(visit)
    look(visit.session, visit.person, "see_records", school=here.urn)
    return visit.show(
        "records.html",
        title="Our records",
        status=200 if error is None else 422,
        errors=told_errors(fields, error),
        saved=_SAVED.get(visit.asked("saved"), ""),
        school=here,
        schools=_schools(schools, here.urn),
        reach=_reach(here),
        doubts=[doubt for doubt in doubted if not doubt.contradicts],
        missing=never_came(visit.session, here.urn, visit.today),
        uncovered=any(doubt.rule == NOT_COVERED for doubt in doubted),
        contradictions=[f"{doubt.sentence} {doubt.remedy}" for doubt in doubted if doubt.contradicts],
        rows=[_row(one) for one in shown if one.end >= year_start(visit.today)],
        quality=quality_parts(visit, here.urn),
        may_enter=may(visit.person, "enter_term_dates", here.urn),
        fields=fields,
    )


def _schools(schools: tuple[SchoolFreshness, ...], chosen: int) -> dict[str, Any] | None:
    if len(schools) == 1:
        return None
    return select_field("school", "School", [(str(one.urn), one.name) for one in schools], str(chosen))


def _reach(school: SchoolFreshness) -> str:
    if school.data_to is None:
        return "No register has come yet."
    late = "" if school.up_to_date else " Pupils here are not scored until what is doubted below is settled."
    return f"The newest register is of {full_day_words(school.data_to)}.{late}"


def _row(one: TermDate) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "what": KINDS.get(one.kind, one.kind),
        "name": one.name,
        "start": one.start.isoformat(),
        "days": day_words(one.start) if one.start == one.end else f"{day_words(one.start)} to {day_words(one.end)}",
        "waiting": one.waiting,
    }


def _fields(visit: Visit) -> dict[str, dict[str, Any]]:
    return {
        "kind": {
            "name": "kind",
            "idPrefix": "kind",
            "fieldset": {"legend": {"text": "What is it?", "classes": "govuk-fieldset__legend--s"}},
            "items": [
                {"value": value, "text": words, "checked": value == visit.value("kind")}
                for value, words in KINDS.items()
            ],
        },
        "name": {
            "name": "name",
            "id": "name",
            "value": visit.value("name"),
            "label": {"text": "Name", "classes": "govuk-label--s"},
            "hint": {"text": "For example 'Autumn 1'. A training day or a closure may go without."},
            "classes": "govuk-input--width-20",
        },
        "start": date_field(visit, "start", "First day", "For example, 1 9 2026."),
        "end": date_field(visit, "end", "Last day", "Leave empty for one day."),
    }


PAGES = (
    Page(name="a school's records", path="/records", permission="see_records", navigation="Records", show=show_records),
    Page(name="pupils of a school without a list", path="/records/pupils", permission="see_pupil", show=show_roll),
    Page(name="enter a term date", path="/records/enter", permission="enter_term_dates", save=save_entry),
    Page(name="withdraw a term date", path="/records/withdraw", permission="enter_term_dates", save=save_withdrawal),
)
