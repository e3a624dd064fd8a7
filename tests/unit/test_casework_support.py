"""Support: what is offered and what comes of it, by whom, paid for by what, kept how long, and landed as a record."""

import re
import uuid
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from casework import states
from casework.cases import NewDecision, NewView, pupil_page, record_decision, record_view
from casework.database import connect, scoped
from casework.holdings import HOLDINGS
from casework.letter import OFFERED
from casework.migrations.versions import v0016_support
from casework.permissions import NotAllowed, Role
from casework.privacy.retention import purge
from casework.programmes import Programme, ProgrammeSaid, add_programme, change_programme, programmes, programmes_for
from casework.rules import RuleBroken, StaleCase
from casework.support import REVIEWS, STANDINGS, SupportSaid, change_support, check_support, offer_support
from casework.support_kinds import KIND_OF_ACTION, KINDS
from casework.support_read import decided_kind, hours_words, is_owed, support_of, supports_of
from casework.told_support import sections
from records.codes import SUPPORT_TYPE
from records.history import known
from records.pseudonym import create_pepper
from records.rights.holding import Subject
from records.store import Store
from serving.jobs.support import land_support
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
from tests.deployed import clear

SAID = SupportSaid(kind="mentoring", provider="The youth club", offered_on=TODAY, standing="waiting")
TAKEN_UP = replace(SAID, standing="taken_up", start_on=TODAY + timedelta(days=2))
MENTORS = ProgrammeSaid(
    name="Mentors for Year 9",
    funder="A trust",
    start_on=date(2026, 1, 5),
    end_on=date(2026, 7, 20),
    kinds=("mentoring", "youth_work"),
    schools=(NORTH,),
    budget_pounds=24_000,
)


@pytest.fixture
def home(casework_home):
    clear(casework_home)
    create_pepper(casework_home)
    save_pupils(casework_home, identity(11), identity(12), identity(22, SOUTH))
    publish_now(casework_home, publication({11: NORTH, 12: NORTH, 22: SOUTH}, flagged=(11, 22)))
    yield casework_home
    clear(casework_home)
    (casework_home.secrets / "pepper-v1").unlink(missing_ok=True)


@pytest.fixture
def staff(home):
    return make_person(home, Role(name="school_staff", school=NORTH), name="Amina Example")


@pytest.fixture
def network(home):
    return make_person(home, Role(name="network_lead"), name="Nora Example")


@pytest.fixture
def app(home):
    engine = connect(home, "app")
    yield engine
    engine.dispose()


def offer(app, person, pupil, said=SAID, key=None, today=TODAY):
    with scoped(app, person.schools) as session:
        return offer_support(session, person, pupil, said, key or uuid.uuid4().hex, today)


def found(app, person, pupil):
    with scoped(app, person.schools) as session:
        return supports_of(session, pupil)


def change(app, person, support, said, version=None, today=TODAY):
    with scoped(app, person.schools) as session:
        change_support(session, person, support, version or support.version, said, uuid.uuid4().hex, today)


class TestOneCatalogue:
    def test_kinds_are_the_codes_of_the_records_each_with_its_meaning(self):
        assert set(KINDS) == set(SUPPORT_TYPE.codes)
        assert all(kind.means and kind.words and kind.told.endswith(".") for kind in KINDS.values())

    def test_every_decision_that_offers_help_begins_a_kind_and_the_letter_tells_of_it(self):
        offers = {action for action, state in states.STATE_OF_ACTION.items() if state == "support_offered"}
        assert offers == set(KIND_OF_ACTION)
        assert set(OFFERED) == set(states.ACTIONS)

    def test_the_database_knows_the_same_words(self):
        text = Path(v0016_support.__file__).read_text(encoding="utf-8")
        for column, words in (("kind", KINDS), ("standing", STANDINGS), ("review", REVIEWS)):
            found = re.search(rf"CHECK \({column} IN \(([^)]*)\)", text)
            assert set(re.findall(r"'(\w+)'", found.group(1))) == set(words)


class TestWritingDown:
    def test_an_offer_is_kept_once_on_the_open_case_and_shown_with_what_they_say_of_it(self, home, app, staff):
        pupil = pupil_id(home, 11)
        said = replace(TAKEN_UP, pupil_said="She is kind.", family_said="We are glad.")
        first, again = (offer(app, staff, pupil, said, key="k1") for _ in range(2))
        assert first == again
        (support,) = found(app, staff, pupil)
        assert (support.kind.words, support.standing, support.by) == ("A mentor", "taken_up", "Amina Example")
        assert support.case_id is not None
        with scoped(app, staff.schools) as session:
            page = pupil_page(session, staff, pupil, TODAY)
        assert {(one.whose, one.said, one.support_id) for one in page.voices} == {
            ("pupil", "She is kind.", support.id),
            ("family", "We are glad.", support.id),
        }
        with job_session(home) as session:
            looks = session.execute(text("SELECT detail FROM looks WHERE action = 'record_support'")).scalars().all()
        assert looks == ["mentoring"]

    def test_support_may_begin_without_a_flag_and_taken_up_begins_on_the_day_of_the_offer(self, home, app, staff):
        pupil = pupil_id(home, 12)
        offer(app, staff, pupil, replace(TAKEN_UP, start_on=None))
        (support,) = found(app, staff, pupil)
        assert (support.case_id, support.start_on) == (None, TODAY)

    def test_how_it_goes_is_another_version_and_the_first_stays(self, home, app, staff):
        pupil = pupil_id(home, 11)
        offer(app, staff, pupil)
        (support,) = found(app, staff, pupil)
        later = replace(TAKEN_UP, hours=Decimal("6.50"), review="helps_in_part", note="Twice a week.")
        change(app, staff, support, later, today=TODAY + timedelta(days=30))
        (now,) = found(app, staff, pupil)
        assert (now.version, hours_words(now.hours), now.review) == (2, "6.5", "helps_in_part")
        assert now.is_in_place(TODAY)
        with pytest.raises(StaleCase):
            change(app, staff, support, TAKEN_UP, version=1)
        with job_session(home) as session:
            (section,) = sections(session, Subject(pseudonyms=(11,)))
        assert [row["how it stands"] for row in section.rows] == ["Waiting for an answer", "Taken up"]
        assert section.rows[1]["how it goes"] == "It helps in part"

    def test_what_was_entered_by_mistake_is_shown_no_more_and_told_to_the_pupil(self, home, app, staff):
        pupil = pupil_id(home, 12)
        offer(app, staff, pupil)
        (support,) = found(app, staff, pupil)
        change(app, staff, support, replace(SAID, standing="mistaken"))
        assert found(app, staff, pupil) == ()
        with scoped(app, staff.schools) as session:
            assert support_of(session, pupil, support.id).standing == "mistaken"

    @pytest.mark.parametrize(
        ("changes", "field", "sentence"),
        [
            ({"kind": "detention"}, "kind", "Select what is offered"),
            ({"kind": ""}, "kind", "Select what is offered"),
            ({"standing": ""}, "standing", "how it stands"),
            ({"offered_on": TODAY + timedelta(days=1)}, "offered_on", "within the last year"),
            ({"offered_on": TODAY - timedelta(days=366)}, "offered_on", "within the last year"),
            ({"start_on": TODAY}, "standing", "Select 'Taken up'"),
            ({"hours": Decimal(1)}, "standing", "Select 'Taken up'"),
            ({"provider": "x" * 81}, "provider", "at most 80"),
            ({"note": "a\x00b"}, "note", "plain text"),
            ({"standing": "taken_up", "start_on": TODAY - timedelta(days=1)}, "start_on", "on or after the day of"),
            ({"standing": "taken_up", "end_on": TODAY - timedelta(days=1)}, "end_on", "on or after the first"),
            ({"standing": "taken_up", "hours": Decimal(2001)}, "hours", "from 0 to 2000"),
            ({"standing": "taken_up", "review": "cured"}, "review", "how it goes"),
            ({"programme_id": uuid.UUID(int=1)}, "programme", "that this school is in"),
        ],
    )
    def test_what_cannot_be_is_refused_in_words_beside_its_field(self, changes, field, sentence):
        with pytest.raises(RuleBroken, match=sentence) as refused:
            check_support(replace(SAID, **changes), (), TODAY)
        assert refused.value.field == field

    def test_only_staff_of_the_school_write_it_down(self, home, app, network):
        elsewhere = make_person(home, Role(name="school_lead", school=SOUTH))
        with pytest.raises(NotAllowed, match="write down support"):
            offer(app, network, pupil_id(home, 11))
        with pytest.raises(Exception, match="No row was found"):
            offer(app, elsewhere, pupil_id(home, 11))
        assert found(app, elsewhere, pupil_id(home, 11)) == ()


def test_after_a_decision_that_offers_support_the_next_step_is_owed_until_it_is_written_down(home, app, staff):
    pupil = pupil_id(home, 11)
    with scoped(app, staff.schools) as session:
        case = pupil_page(session, staff, pupil, TODAY).case
        assert not is_owed(session, case.id)
        why = "They told their tutor that mornings are hard."
        view = NewView(case_id=case.id, opinion="no_concern", why=why, version=1, idempotency_key="v")
        record_view(session, staff, view, TODAY)
        decision = NewDecision(
            case_id=case.id,
            reasons_changed_view=False,
            action="mentor",
            version=2,
            idempotency_key="d",
            review_on=TODAY + timedelta(days=14),
        )
        record_decision(session, staff, decision, TODAY)
    with scoped(app, staff.schools) as session:
        assert is_owed(session, case.id)
        assert decided_kind(session, case.id) is KINDS["mentoring"]
    offer(app, staff, pupil)
    with scoped(app, staff.schools) as session:
        assert not is_owed(session, case.id)


class TestAmongTheRecords:
    """What was taken up is a row of `support`, known from the day on which it was written down."""

    def rows(self, home, as_of):
        store = Store(home)
        frames = [known(store.history(shard), as_of)["support"] for shard in store.shards]
        return [row for frame in frames for row in frame.to_dict("records")]

    def land(self, home):
        with job_session(home) as session:
            return land_support(home, session)

    def test_it_lands_once_without_words_and_an_offer_that_waits_lands_nothing(self, home, app, staff):
        offer(app, staff, pupil_id(home, 12))
        assert self.land(home) == 0
        offer(app, staff, pupil_id(home, 11), replace(TAKEN_UP, start_on=TODAY, note="Private words."))
        assert (self.land(home), self.land(home)) == (1, 0)
        (row,) = self.rows(home, TODAY + timedelta(days=1))
        assert (row["pupil"], row["school"], row["type"], row["start_date"].date()) == (11, NORTH, "mentoring", TODAY)
        assert "Private" not in str(row)
        assert self.rows(home, TODAY) == []

    def test_a_later_version_holds_from_its_own_day_and_one_taken_back_is_gone(self, home, app, staff):
        pupil = pupil_id(home, 11)
        offer(app, staff, pupil, replace(TAKEN_UP, start_on=TODAY))
        assert self.land(home) == 1
        (support,) = found(app, staff, pupil)
        next_week, after = TODAY + timedelta(days=7), TODAY + timedelta(days=9)
        ended = replace(TAKEN_UP, start_on=TODAY, end_on=next_week)
        change(app, staff, support, ended, today=next_week)
        (support,) = found(app, staff, pupil)
        change(app, staff, support, replace(SAID, standing="declined"), today=after)
        (support,) = found(app, staff, pupil)
        change(app, staff, support, SAID, today=after)  # declined, then waited for: taken back once
        assert (self.land(home), self.land(home)) == (2, 0)
        by_day = {day: self.rows(home, day + timedelta(days=1)) for day in (TODAY, next_week, after)}
        assert [len(rows) for rows in by_day.values()] == [1, 1, 0]
        assert by_day[next_week][0]["end_date"].date() == next_week
        assert str(by_day[TODAY][0]["end_date"]) == "NaT"


def test_the_purge_takes_old_support_and_the_words_about_it_and_leaves_what_goes_on(home, app, staff):
    """Four years on: an offer whose last day is two years past stays, one that nobody spoke of since goes."""
    pupil = pupil_id(home, 12)
    offer(app, staff, pupil, replace(SAID, pupil_said="No, thank you."))
    offer(app, staff, pupil, replace(TAKEN_UP, end_on=TODAY + timedelta(days=364)))
    gone = purge(home, date(2029, 7, 1)).database
    assert (gone["supports"], gone["support_versions"], gone["voices"]) == (1, 1, 1)
    gone = purge(home, date(2030, 7, 1)).database
    assert (gone["supports"], gone["support_versions"]) == (1, 1)


def test_an_erasure_takes_the_support_and_the_words_about_it(home, app, staff):
    offer(app, staff, pupil_id(home, 11), replace(SAID, pupil_said="No, thank you."))
    offer(app, staff, pupil_id(home, 12))
    subject = Subject(pseudonyms=(11,))
    mine = [one for one in HOLDINGS if one.name in ("voice and corrections", "support")]
    owner = connect(home, "owner")
    with scoped(owner, None) as session:
        assert [one.find(session, subject) for one in mine] == [1, 2]
        assert [one.erase(session, subject).rows for one in mine] == [1, 2]
        assert session.execute(text("SELECT count(*) FROM supports")).scalar_one() == 1
    owner.dispose()


class TestProgrammes:
    def test_a_network_lead_enters_one_and_a_correction_is_a_new_version(self, home, app, network, staff):
        with scoped(app, network.schools) as session:
            made = add_programme(session, network, MENTORS, TODAY)
            (now,) = programmes(session)
            change_programme(session, network, now, 1, replace(MENTORS, hour_pence=25_50), TODAY)
            (now,) = programmes(session)
            assert (now.id, now.version, now.hour_pence) == (made, 2, 2550)
            with pytest.raises(StaleCase):
                change_programme(session, network, now, 1, MENTORS, TODAY)
        with scoped(app, staff.schools) as session, pytest.raises(NotAllowed, match="enter programmes"):
            add_programme(session, staff, MENTORS, TODAY)

    def test_a_school_reads_of_its_own_programmes_alone(self, home, app, network, staff):
        with scoped(app, network.schools) as session:
            add_programme(session, network, MENTORS, TODAY)
            add_programme(session, network, replace(MENTORS, name="Elsewhere", schools=(SOUTH,)), TODAY)
        with scoped(app, staff.schools) as session:
            assert [one.name for one in programmes(session)] == ["Mentors for Year 9"]
            assert len(programmes_for(session, NORTH, TODAY)) == 1
            assert programmes_for(session, NORTH, date(2027, 1, 1)) == ()
        with scoped(app, frozenset()) as session:
            assert programmes(session) == ()

    @pytest.mark.parametrize(
        ("changes", "field", "sentence"),
        [
            ({"start_on": None}, "start", "Enter the day on which the programme starts"),
            ({"end_on": None}, "end", "Enter the day on which the programme ends"),
            ({"end_on": date(2026, 1, 4)}, "end", "ends before it starts"),
            ({"end_on": date(2046, 1, 4)}, "end", "within 10 years"),
            ({"budget_pounds": -1}, "budget", "cannot be less than nothing"),
            ({"hour_pence": -1}, "hour", "cannot be less than nothing"),
            ({"budget_pounds": None}, "budget", "Enter what the programme costs"),
            ({"name": " "}, "name", "what the programme is called"),
            ({"funder": "x" * 81}, "funder", "at most 80"),
            ({"kinds": ()}, "kinds", "at least one kind"),
            ({"kinds": ("detention",)}, "kinds", "at least one kind"),
            ({"schools": (999999,)}, "schools", "at least one school"),
        ],
    )
    def test_one_without_dates_or_with_a_cost_below_nothing_is_refused_in_words(
        self, app, network, changes, field, sentence
    ):
        with scoped(app, network.schools) as session, pytest.raises(RuleBroken, match=sentence) as refused:
            add_programme(session, network, replace(MENTORS, **changes), TODAY)
        assert refused.value.field == field

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"kind": "learning"}, "Mentors pays for other help: a mentor"),
            ({"offered_on": TODAY}, "runs from 1 January 2026 to 31 January 2026"),
        ],
    )
    def test_it_pays_for_its_kinds_while_it_runs(self, changes, sentence):
        paying = Programme(
            id=uuid.UUID(int=7),
            version=1,
            name="Mentors",
            funder="A trust",
            start_on=date(2026, 1, 1),
            end_on=date(2026, 1, 31),
            kinds=("mentoring",),
            schools=(NORTH,),
            budget_pounds=1,
            hour_pence=None,
        )
        said = replace(SAID, programme_id=paying.id, offered_on=date(2026, 1, 15))
        assert check_support(said, (paying,), TODAY).programme_id == paying.id
        with pytest.raises(RuleBroken, match=sentence):
            check_support(replace(said, **changes), (paying,), TODAY)
