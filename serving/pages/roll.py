"""A school's pupils by year group, each with a way to their timeline."""

from starlette.responses import Response

from casework.caseload import schools_of
from casework.roll import roll_of
from records.clock import clock_of
from serving.form_fields import select_field, urn_of
from serving.page import NotFound, Page, Visit
from serving.rendering import count_words, year_words


def show_roll(visit: Visit) -> Response:
    """Show one year group of one school, in the order of a register."""
    schools = schools_of(visit.session, visit.person)
    if not schools:
        raise NotFound
    asked = urn_of(visit.asked("school"))
    here = next((one for one in schools if one.urn == asked), schools[0])
    if asked is not None and here.urn != asked:
        raise NotFound
    roll = roll_of(visit.session, visit.person, here.urn, visit.asked("year"), clock_of(visit.site.home))
    if roll is None:
        raise NotFound
    choices = [(name, f"{year_words(name)} ({count_words(count, 'pupil', 'pupils')})") for name, count in roll.years]
    fields = [select_field("year", "Year group", choices, roll.year)]
    if len(schools) > 1:
        fields.insert(0, select_field("school", "School", [(str(one.urn), one.name) for one in schools], str(here.urn)))
    return visit.show(
        "roll.html",
        title="Pupils on roll",
        school=here,
        fields=fields if roll.years else [],
        year=year_words(roll.year) if roll.year else "",
        pupils=roll.pupils,
    )


PAGES = (Page(name="pupils on roll", path="/records/pupils", permission="see_pupil", show=show_roll),)
