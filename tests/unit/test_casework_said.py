"""Cases set aside, fresh starts, voices, corrections with their clock, and the letter: by whom, and never twice."""

import uuid
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from casework.cases import Filters, NewView, caseload, pupil_page, record_view
from casework.challenges import (
    NewChallenge,
    NoSuchChallenge,
    answer_challenge,
    challenge,
    challenges_of,
    months_after,
    open_challenges,
    record_challenge,
)
from casework.database import connect, scoped
from casework.letter import letter
from casework.permissions import NotAllowed, Role
from casework.rules import RuleBroken, StaleCase
from casework.setting_aside import NewSnooze, fresh_start, grant_fresh_start, snooze, snoozed
from casework.voices import NewVoice, record_voice
from fairness.documents.markdown import as_markdown
from records.history import History
from records.store import Store
from records.tables import FLAGS_GIVEN, FRESH_STARTS
from serving.jobs.learned import land_learned, pupils_set_aside
from tests.database import (
    NORTH,
    SOUTH,
    TODAY,
    identity,
    job_session,
    make_person,
    publication,
    publish_now,
    pupil_id,
    save_pupils,
)

WHY = "The mentor starts on Monday; we look again when they have met."


@pytest.fixture
def home(casework_home):
    save_pupils(casework_home, identity(11), identity(12), identity(22, SOUTH))
    publish_now(casework_home, publication({11: NORTH, 12: NORTH, 22: SOUTH}, flagged=(11, 22)))
    return casework_home


@pytest.fixture
def lead(home):
    return make_person(home, Role(name="school_lead", school=NORTH), name="Bola Example")


@pytest.fixture
def staff(home):
    return make_person(home, Role(name="school_staff", school=NORTH), name="Amina Example")


@pytest.fixture
def officer(home):
    return make_person(home, Role(name="data_protection_officer"), name="Odile Example")


@pytest.fixture
def app(home):
    engine = connect(home, "app")
    yield engine
    engine.dispose()


def page(app, person, pupil, today=TODAY):
    with scoped(app, person.schools) as session:
        return pupil_page(session, person, pupil, today)


def viewed(app, person, pupil):
    case = page(app, person, pupil).case
    with scoped(app, person.schools) as session:
        new = NewView(
            case_id=case.id, opinion="no_concern", why=WHY, version=case.version, idempotency_key=uuid.uuid4().hex
        )
        record_view(session, person, new, TODAY)
    return page(app, person, pupil).case


def aside(app, person, pupil, **changes):
    asked = {"until_on": TODAY + timedelta(days=14), "why": WHY, "version": 2, **changes}
    with scoped(app, person.schools) as session:
        snooze(session, person, NewSnooze(pupil_id=pupil, **asked), TODAY)


def listed(app, person, today):
    with scoped(app, person.schools) as session:
        found = caseload(session, person, Filters(), today)
    return [line.pupil_id for line in found.lines], found.listed


def test_a_case_that_is_set_aside_leaves_the_list_until_its_day_and_gets_no_flag(home, app, staff):
    pupil, back = pupil_id(home, 11), TODAY + timedelta(days=14)
    with pytest.raises(RuleBroken, match="Record your own view first"):
        aside(app, staff, pupil, version=1)
    case = viewed(app, staff, pupil)
    aside(app, staff, pupil, version=case.version)
    assert listed(app, staff, TODAY) == ([], 0)
    assert listed(app, staff, back - timedelta(days=1)) == ([], 0)
    assert listed(app, staff, back) == ([pupil], 1)
    with job_session(home) as session:
        assert pupils_set_aside(session, TODAY) == {11}
        assert pupils_set_aside(session, back) == set()
    with scoped(app, staff.schools) as session:
        assert snoozed(session, case.id, TODAY).why == WHY
        assert snoozed(session, case.id, back) is None


@pytest.mark.parametrize("changes", [{"until_on": TODAY}, {"until_on": TODAY + timedelta(days=43)}, {"why": "Later"}])
def test_nothing_is_set_aside_for_longer_than_six_weeks_or_without_a_reason(home, app, staff, changes):
    pupil = pupil_id(home, 11)
    case = viewed(app, staff, pupil)
    with pytest.raises(RuleBroken):
        aside(app, staff, pupil, version=case.version, **changes)


def test_the_second_of_two_who_set_aside_is_told(home, app, staff, lead):
    pupil = pupil_id(home, 11)
    viewed(app, staff, pupil)
    case = viewed(app, lead, pupil)
    aside(app, staff, pupil, version=case.version)
    with pytest.raises(StaleCase):
        aside(app, lead, pupil, version=case.version, until_on=TODAY + timedelta(days=40))


def test_a_lead_grants_a_fresh_start_once_and_staff_do_not(home, app, staff, lead):
    pupil = pupil_id(home, 12)
    with scoped(app, staff.schools) as session, pytest.raises(NotAllowed):
        grant_fresh_start(session, staff, pupil, WHY, TODAY)
    for _ in range(2):
        with scoped(app, lead.schools) as session:
            grant_fresh_start(session, lead, pupil, WHY, TODAY)
    with scoped(app, lead.schools) as session:
        assert fresh_start(session, pupil).by == "Bola Example"
    with job_session(home) as session:
        assert session.execute(text("SELECT count(*) FROM fresh_starts")).scalar_one() == 1


def test_flags_and_fresh_starts_land_among_the_records_once_known_from_their_own_day(home, app, lead):
    with scoped(app, lead.schools) as session:
        grant_fresh_start(session, lead, pupil_id(home, 12), WHY, TODAY)
    with job_session(home) as session:
        first, again = (land_learned(home, session, TODAY + timedelta(days=1)) for _ in range(2))
    assert (first, again) == (3, 0)  # two flags, one fresh start
    store = Store(home)
    history: list[History] = [store.history(shard) for shard in store.shards]
    starts = [row for one in history for row in one.tables[FRESH_STARTS.name].to_dict("records")]
    assert [(row["pupil"], row["from_on"].date(), row["known_on"].date()) for row in starts] == [(12, TODAY, TODAY)]
    flags = [row for one in history for row in one.tables[FLAGS_GIVEN.name].to_dict("records")]
    assert {(row["pupil"], row["school"]) for row in flags} == {(11, NORTH), (22, SOUTH)}


def voice(pupil, **changes):
    given = {"whose": "pupil", "said": "Maths got hard.", "asked_on": TODAY, "idempotency_key": "k1", **changes}
    return NewVoice(pupil_id=pupil, **given)


def test_what_they_said_is_kept_once_with_who_asked_and_until_then_the_page_says_not_asked(home, app, staff):
    pupil = pupil_id(home, 11)
    assert "What the pupil and their family say: not asked yet" in page(app, staff, pupil).unknowns
    for _ in range(2):
        with scoped(app, staff.schools) as session:
            record_voice(session, staff, voice(pupil), TODAY)
    found = page(app, staff, pupil)
    assert [(one.said, one.by, one.asked_on) for one in found.voices] == [("Maths got hard.", "Amina Example", TODAY)]
    assert not any("not asked yet" in said for said in found.unknowns)


@pytest.mark.parametrize("changes", [{"said": " "}, {"whose": "police"}, {"asked_on": TODAY + timedelta(days=1)}])
def test_a_voice_without_words_or_of_somebody_else_or_of_tomorrow_is_refused(home, app, staff, changes):
    with scoped(app, staff.schools) as session, pytest.raises(RuleBroken):
        record_voice(session, staff, voice(pupil_id(home, 11), **changes), TODAY)


def ask(app, person, pupil, **changes):
    given = {"whose": "family", "about": "records", "said": "She was at the dentist.", "received_on": TODAY, **changes}
    with scoped(app, person.schools) as session:
        record_challenge(
            session, person, NewChallenge(pupil_id=pupil, idempotency_key=uuid.uuid4().hex, **given), TODAY
        )
        return challenges_of(session, pupil)[0]


@pytest.mark.parametrize(
    ("received", "months", "due"),
    [
        (date(2026, 6, 22), 1, date(2026, 7, 22)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 12, 5), 1, date(2027, 1, 5)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
    ],
)
def test_a_month_ends_on_the_corresponding_day_or_the_months_last(received, months, due):
    assert months_after(received, months) == due


def test_a_correction_has_a_month_can_take_two_more_and_ends_with_a_reason(home, app, staff, lead, officer):
    asked = ask(app, staff, pupil_id(home, 11))
    assert (asked.state, asked.due_on) == ("asked", date(2026, 7, 22))
    with scoped(app, staff.schools) as session, pytest.raises(NotAllowed):
        answer_challenge(session, staff, asked, "correct", WHY, TODAY, steps_seen=0)
    with scoped(app, officer.schools) as session:
        (waiting,) = open_challenges(session, officer)
        answer_challenge(session, officer, waiting, "extend", WHY, TODAY, steps_seen=0)
    with scoped(app, lead.schools) as session:
        now = challenge(session, lead, asked.id)
        assert (now.state, now.due_on) == ("extended", date(2026, 9, 22))
        with pytest.raises(RuleBroken, match="Select what was done"):
            answer_challenge(session, lead, now, "extend", WHY, TODAY, steps_seen=1)
        with pytest.raises(RuleBroken, match="at least 20"):
            answer_challenge(session, lead, now, "correct", "Done.", TODAY, steps_seen=1)
        answer_challenge(session, lead, now, "correct", WHY, TODAY, steps_seen=1)
    with scoped(app, lead.schools) as session:
        assert challenge(session, lead, asked.id).state_words == "Put right"
        assert open_challenges(session, lead) == ()


def test_two_answers_at_once_become_one(home, app, staff, lead, officer):
    asked = ask(app, staff, pupil_id(home, 11))
    with scoped(app, lead.schools) as session:
        answer_challenge(session, lead, asked, "refuse", WHY, TODAY, steps_seen=0)
    with scoped(app, officer.schools) as session, pytest.raises(StaleCase):
        answer_challenge(session, officer, asked, "correct", WHY, TODAY, steps_seen=0)


def test_another_schools_correction_is_not_there(home, app, officer):
    south = make_person(home, Role(name="school_staff", school=SOUTH))
    asked = ask(app, south, pupil_id(home, 22))
    north = make_person(home, Role(name="school_lead", school=NORTH))
    with scoped(app, north.schools) as session:
        assert open_challenges(session, north) == ()
        with pytest.raises(NoSuchChallenge):
            challenge(session, north, asked.id)
    # Row-level security says so too, whatever the code asks.
    with scoped(app, north.schools) as session:
        assert session.execute(text("SELECT count(*) FROM challenges")).scalar_one() == 0


def test_the_officers_door_opens_corrections_and_nothing_else_and_shuts_with_the_transaction(home, app, staff, officer):
    pupil = pupil_id(home, 11)
    ask(app, staff, pupil)
    with scoped(app, staff.schools) as session:
        record_voice(session, staff, voice(pupil), TODAY)
    with scoped(app, officer.schools) as session:
        assert len(open_challenges(session, officer)) == 1
        for closed in ("pupils", "cases", "flags", "scores", "weekly_facts", "voices", "snoozes", "fresh_starts"):
            assert session.execute(text(f"SELECT count(*) FROM {closed}")).scalar_one() == 0, closed
    with scoped(app, officer.schools) as session:
        assert session.execute(text("SELECT count(*) FROM challenges")).scalar_one() == 0


ASKED = (
    "INSERT INTO challenges VALUES "
    "(gen_random_uuid(), :pupil, :north, :person, 'family', 'list', 'No.', :on, now(), 'k')"
)
PUT_ELSEWHERE = (
    "INSERT INTO challenge_steps VALUES (:asked, 1, :south, :person, 'correct', repeat('x', 20), :on, now())"
)


@pytest.mark.parametrize("written", [ASKED, PUT_ELSEWHERE])
def test_the_officers_door_asks_for_nothing_and_puts_no_answer_under_another_school(home, app, staff, officer, written):
    pupil = pupil_id(home, 11)
    asked = ask(app, staff, pupil)
    values = {"pupil": pupil, "person": officer.id, "asked": asked.id, "north": NORTH, "south": SOUTH, "on": TODAY}
    with scoped(app, officer.schools) as session:
        open_challenges(session, officer)
        with pytest.raises(DatabaseError, match="row-level security"), session.begin_nested():
            session.execute(text(written), values)


@pytest.mark.parametrize("table", ["snoozes", "fresh_starts", "voices", "challenges", "challenge_steps"])
def test_nothing_said_can_be_changed_in_place(app, lead, table):
    with pytest.raises(DatabaseError, match=r"append-only|permission denied"), scoped(app, lead.schools) as session:
        session.execute(text(f"UPDATE {table} SET recorded_at = now()"))


def test_the_letter_says_what_is_held_and_decided_and_no_score(home, app, lead):
    pupil = pupil_id(home, 11)
    with scoped(app, lead.schools) as session:
        found = pupil_page(session, lead, pupil, TODAY)
        written = letter(session, lead, found, network="Example Network", today=TODAY)
    with scoped(app, lead.schools) as session:
        looks = session.execute(text("SELECT count(*) FROM looks WHERE action = 'take_letter'")).scalar_one()
    assert looks == 1
    said = as_markdown(written)
    assert "You came on the list on 22 June 2026." in said
    assert "Nobody has decided anything yet." in said
    for hidden in ("in 100", "probability", "score", "rising", "per cent"):
        assert hidden not in said
    # Short sentences: about what a reader of nine to eleven takes in at once.
    texts = [text for block in written.blocks for text in (block.text, *block.items)]
    assert max(len(one.split()) for text in texts for one in text.split(". ")) <= 20
