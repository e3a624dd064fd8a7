"""What learning reviews say together: what one says, what of all may be shown, when it is published and to whom."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pypdfium2
import pytest
from scipy.optimize import linprog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from casework.database import connect, scoped
from casework.lookback_facts import looked_back
from casework.lookback_opening import Happened, reconcile
from casework.lookback_words import THEMES
from casework.lookbacks import NewNote, add_note, lookback, lookbacks, take_on
from casework.permissions import NotAllowed, Role
from casework.themes import DIVISIONS, ThemeRelease, theme_terms_out, themes_of
from fairness.documents.pdf import as_pdf
from learning.places.release import RULE
from learning.themes.counting import due, released, told_of
from learning.themes.report import Counted, themes_report
from learning.themes.signals import offer_of, signal_of, wait_of
from records.calendar import calendar_from
from serving.jobs.themes import publish_themes
from tests.database import NORTH, TODAY, job_session, make_person, publication, publish_now, save_pupils
from tests.database import identity as somebody
from tests.deployed import clear
from tests.factories import frame, term_calendar
from tests.themes_made_up import made_reviews
from tests.unit.test_serving_nightly import put_records

ON = date(2026, 3, 20)
RELEASE = ThemeRelease(term=date(2026, 1, 5), name="Spring", ends_on=date(2026, 3, 27), known_on=date(2026, 5, 20))

NEEDED = NewNote(kind="needed", said="Somebody to talk to, sooner.", themes=("voice",), idempotency_key="")


def days(*before):
    return [ON - timedelta(days=one) for one in before]


@pytest.mark.parametrize(
    ("lists", "signal"),
    [
        ({21: "no_rise", 14: "flagged", 7: "snoozed"}, "in_time"),
        ({7: "flagged"}, "in_time"),
        ({14: "beyond_capacity", 6: "flagged"}, "late"),
        ({141: "flagged", 7: "beyond_capacity"}, "full"),  # more than twenty weeks before
        ({14: "beyond_capacity", 7: "below_level"}, "below_level"),
        ({7: "not_scored:objection"}, "not_scored"),
        ({7: "too_short"}, "not_scored"),
        ({141: "no_rise"}, "no_list"),
        ({0: "flagged"}, "no_list"),  # on the day itself it came too late to be a sign
    ],
)
def test_when_a_list_first_had_the_pupil_or_what_the_last_one_said(lists, signal):
    assert signal_of({ON - timedelta(days=at): code for at, code in lists.items()}, ON) == signal


def test_help_is_late_in_the_last_week_or_afterwards_and_waits_count_from_the_first_list():
    assert [offer_of(days(*one), ON) for one in ((7, 2), (6,), (0,), (-3,), ())] == [
        "before",
        "late",
        "after",
        "after",
        "none",
    ]
    lists = {ON - timedelta(days=40): "flagged", ON - timedelta(days=33): "snoozed"}
    waits = [wait_of(lists, days(*one), ON) for one in ((50, 3), (33,), (32,), (12,), (11,), ())]
    assert waits == ["already", "week", "month", "month", "longer", "never"]
    assert wait_of({ON - timedelta(days=7): "no_rise"}, days(3), ON) == ""


def test_a_pupil_counts_once_with_the_first_event_and_the_themes_of_every_concluded_review():
    first, second = made_reviews(2, ON)
    again = {"pupil": 0, "on": ON + timedelta(days=9), "themes": frozenset({"voice"}), "kind": "permanent"}
    reviews = [first, type(first)(**{**vars(second), **again, "state": "concluded"})]
    (told,) = told_of(reviews)
    assert told.parts["signal"] == signal_of(first.lists, first.on) == "late"
    assert (told.parts["kind"], told.parts["standing"]) == ("permanent", "concluded")
    assert told.themes == first.themes | {"voice"}


def test_a_term_is_due_seven_weeks_after_it_ends_and_never_again():
    """The spring of the made-up calendar ends on 27 March 2026; 49 days later is 15 May."""
    calendar = calendar_from(frame("calendars", term_calendar()))
    assert due(calendar, date(2026, 5, 15), [])[-1].name == "2025/26 Autumn"
    newest = due(calendar, date(2026, 5, 16), [])[-1]
    assert (newest.name, newest.end) == ("2025/26 Spring", date(2026, 3, 27))
    assert due(calendar, date(2026, 5, 16), [newest.start]) == ()


def true_counts(told):
    """(division, part) → pupils, by their own sums and not by those of the code that is tested."""
    found = {(name, part): 0 for name, parts in DIVISIONS.items() for part in parts}
    for one in told:
        for name, part in one.parts.items():
            if part:
                found[name, part] += 1
        for theme in one.themes:
            found["theme", theme] += 1
    return found


@pytest.mark.parametrize("size", [8, 11, 23, 40, 75, 140])
def test_no_small_count_is_shown_or_can_be_placed_by_all_that_is(size):
    """A reader knows how many pupils there are, that parts add up, and what lies within what."""
    told = told_of(made_reviews(size, ON))
    true, shown = true_counts(told), released(told)
    place = {key: at for at, key in enumerate(true)}
    bounds = []
    for key, count in true.items():
        assert shown[key] is None or shown[key] == 5 * round(count / 5)
        assert shown[key] is None or not 0 < count < RULE.primary
        low, high = (0, None) if shown[key] is None else (max(8, shown[key] - 2), shown[key] + 2)
        bounds.append((0, 0) if shown[key] == 0 else (low, high))
    equal, totals, above = [], [], []
    for name in ("kind", "standing", "signal", "offer"):
        equal.append([float(key[0] == name) for key in true])
        totals.append(float(size))
    listed = {("signal", "in_time"), ("signal", "late")}
    equal.append([float(key[0] == "wait") - float(key in listed) for key in true])
    totals.append(0.0)
    inside = [(("theme", theme), ("standing", "concluded")) for theme in THEMES]
    for part, whole in [*inside, (("wait", "never"), ("offer", "none"))]:
        above.append(np.eye(len(true))[place[part]] - np.eye(len(true))[place[whole]])
    for key in (key for key, count in true.items() if 0 < count < RULE.primary):
        aim = np.eye(len(true))[place[key]]
        given = {"A_eq": equal, "b_eq": totals, "A_ub": above, "b_ub": np.zeros(len(above)), "bounds": bounds}
        low, high = linprog(aim, **given), linprog(-aim, **given)
        assert -high.fun - low.fun >= RULE.round, (key, true[key])


def words_of(counts, **more):
    document = themes_report(RELEASE, counts, network="Riverside", demo=False, **more)
    return document, " ".join(
        text
        for block in document.blocks
        for text in (block.title, block.text, *block.items, *(cell for row in block.rows for cell in row))
    )


def test_the_report_says_it_in_words_and_page_and_pdf_are_one_document():
    before = Counted(name="Autumn", counts=released(told_of(made_reviews(75, ON))))
    document, said = words_of(released(told_of(made_reviews(140, ON))), before=before)
    assert "About 140 pupils were looked back at" in said
    # 17 full, 35 without a rise, 17 below the level, 17 not scored: from rounded counts, 85.
    assert "About 85 had been on no list before." in said
    assert "not shown" in said
    pages = pypdfium2.PdfDocument(as_pdf(document))
    printed = " ".join(" ".join(page.get_textpage().get_text_range() for page in pages).split())
    grids = [block for block in document.blocks if block.kind == "grid"]
    assert len(grids) == 6
    assert [cell for block in grids for row in block.rows for cell in row if cell not in printed] == []


def test_a_small_network_is_told_so_and_nothing_else():
    few = released(told_of(made_reviews(7, ON)))
    assert set(few.values()) == {None}
    assert words_of(few)[1].startswith("Too few to show Fewer than 8 pupils")
    assert words_of(released([]))[1].startswith("Nothing to look back at")


@pytest.fixture
def home(casework_home):
    """Ten pupils of one school, a list of 2 March, and an exclusion of each on 20 March."""
    put_records(casework_home, range(1, 2))
    save_pupils(casework_home, *(somebody(pupil, NORTH) for pupil in range(11, 21)))
    publish_now(casework_home, publication(dict.fromkeys(range(11, 21), NORTH), (11,), as_of=date(2026, 3, 2)))
    events = [Happened(pupil=pupil, school=NORTH, kind="permanent", on=ON) for pupil in range(11, 21)]
    with job_session(casework_home) as session:
        reconcile(session, events, {}, date(2026, 3, 23))
    yield casework_home
    clear(casework_home)


def test_the_job_publishes_a_term_once_for_those_who_answer_for_the_network(home):
    lead = make_person(home, Role(name="school_lead", school=NORTH))
    app = connect(home, "app")
    with scoped(app, lead.schools) as session:
        for one in lookbacks(session, lead):
            take_on(session, lead, lookback(session, lead, one.id, TODAY), TODAY)
            found = lookback(session, lead, one.id, TODAY)
            add_note(session, lead, found, replace(NEEDED, idempotency_key=one.name), TODAY)
    with job_session(home) as session:
        (first, *_) = sorted(looked_back(session, ON, ON), key=lambda one: one.pupil)
        assert (first.state, first.themes, list(first.lists.values())) == ("concluded", {"voice"}, ["flagged"])
        assert looked_back(session, ON + timedelta(days=1), TODAY) == ()
    assert publish_themes(home) == ("2025/26 Spring",)
    assert publish_themes(home) == ()
    board = make_person(home, Role(name="board_member"))
    with scoped(app, board.schools) as session:
        (release,) = theme_terms_out(session)
        counts = themes_of(session, board, release.term)
    assert counts["all", "all"] == counts["theme", "voice"] == counts["standing", "concluded"] == 10
    # One of ten was on a list: nine, beside one, would tell it.
    assert counts["signal", "in_time"] is counts["signal", "no_rise"] is None
    with scoped(app, lead.schools) as session:
        assert session.execute(text("SELECT count(*) FROM theme_counts")).scalar_one() == 0
        with pytest.raises(NotAllowed, match="what learning reviews say together"):
            themes_of(session, lead, release.term)
    small = "INSERT INTO theme_counts SELECT term, 'x', 'y', 5 FROM theme_terms"
    for statement in ("UPDATE theme_counts SET count = 0", small):
        with pytest.raises(DBAPIError), job_session(home) as session:
            session.execute(text(statement))
    app.dispose()
