"""The nightly job: everyone on roll is scored and logged, flags open cases, and doing it again changes nothing."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from distributed import LocalCluster
from sqlalchemy import text

from casework.database import connect, scoped
from casework.deployments import record_deployment, revoke
from casework.permissions import Role
from casework.publishing import CannotPublish
from casework.school_roll import never_came, school_roll
from casework.term_dates import NoSuchSchool, TermDate, doubts, enter
from fairness.policy import CheckSample, read_policy
from fairness.trust import create_demo_trust
from records import delta
from records.arrow import schema_of
from records.home import Home
from records.tables import TABLES
from serving.api.posted import posted
from serving.api.schemas import ScoresRequest
from serving.api.scored import score
from serving.api.scores import notices as told
from serving.jobs import night_shards
from serving.jobs.night_shards import Where
from serving.jobs.nightly import NotScored, score_network
from serving.notices import notices
from serving.school_days import read_school_days
from serving.scoring import POINTER, Deployed, open_deployed
from tests.database import identity, make_person, save_pupils
from tests.deployed import RULE, TODAY, clear, put_deployed, rule_bundle, tiny_bundle
from tests.factories import SCHOOL, frame, term_calendar
from tests.journey.api import as_job

MONDAYS = [date(2026, 4, 13) + timedelta(weeks=at) for at in (0, 1, 2, 3, 4, 5, 7, 8, 9)]
# A rule under which some of these pupils are flagged, though the small model gives many the same figure: pupils who are
# equal at the end of a list are all left off.
BUNDLE = tiny_bundle(
    flag_rule={**RULE, "level_least": 0.0001, "rise_least": 0.0, "capacity_min": 40, "capacity_max": 40}
)


@pytest.fixture
def home(casework_home: Home) -> Iterator[Home]:
    """The database's home in two shards, with no records and nothing deployed."""
    yield replace(casework_home, shards=2)
    clear(casework_home)


def pupil_rows(pupil: int) -> dict[str, list[dict[str, Any]]]:
    """Return nine school weeks of marks, some late or missed, and events: the pupil's own draw, always the same."""
    random = np.random.default_rng(pupil)
    days = [monday + timedelta(days=at) for monday in MONDAYS for at in range(5)]
    drawn = random.choice(["/", "L", "O"], size=len(days), p=[0.8, 0.12, 0.08])
    marks = [
        {"pupil": pupil, "date": day, "session": "AM", "code": code} for day, code in zip(days, drawn, strict=True)
    ]
    marks += [{"pupil": pupil, "date": day, "session": "PM", "code": "\\"} for day in days]
    events = [
        {"pupil": pupil, "event_id": f"{pupil}-{at}", "date": days[place], "outcome": "Internal Exclusion"}
        for at, place in enumerate(random.choice(len(days), size=pupil % 7, replace=False))
    ]
    return {"marks": marks, "behaviour": events, "enrolments": [{"pupil": pupil}]}


def meets_the_rule_of_thumb(pupil: int) -> bool:
    """Whether over a tenth of sessions were missed in the last 12 school weeks, or three events came in the last 4."""
    rows = pupil_rows(pupil)
    missed = np.mean([row["code"] == "O" for row in rows["marks"]])
    return bool(missed > 0.10 or sum(row["date"] >= MONDAYS[5] for row in rows["behaviour"]) >= 3)


def site_of(deployed: Deployed) -> Any:
    """Return as much of a site as the notices at the top of a page ask for."""
    door = SimpleNamespace(deployed=lambda: deployed)
    return SimpleNamespace(home=SimpleNamespace(demo=True), today=lambda: TODAY, door=door)


def posted_pupil(number: int) -> dict[str, Any]:
    """Return the records of `put_records` for this pupil as the scoring interface takes them."""
    rows = pupil_rows(number)
    plain = {"type": "Disruption", "severity": 2, "period": 3, "points": 1, "location": "Classroom"}
    return {
        "id": str(number),
        "school": SCHOOL,
        "year_group": "9",
        "entry_date": "2024-09-02",
        "marks": [{"date": row["date"], "session": row["session"], "code": row["code"]} for row in rows["marks"]],
        "behaviour": [{**plain, "date": row["date"], "outcome": row["outcome"]} for row in rows["behaviour"]],
    }


def landing(table: str, rows: list[dict[str, Any]]) -> delta.Landing:
    """Return the rows as a load of their own."""
    arrow = pa.Table.from_pandas(frame(table, rows), schema=schema_of(TABLES[table]), preserve_index=False)
    return delta.Landing(f"{table}-{len(rows)}", arrow)


def put_records(home: Home, pupils: range, joined: date = date(2020, 9, 1)) -> None:
    """Land a network of one school straight in the store; it joined on this day."""
    rows: dict[str, list[dict[str, Any]]] = {"schools": [{"open_date": joined}], "calendars": list(term_calendar())}
    rows["schools"][0]["known_on"] = date(2024, 7, 1)
    for pupil in pupils:
        for table, more in pupil_rows(pupil).items():
            rows.setdefault(table, []).extend(more)
    for name, mine in rows.items():
        delta.append(home.history, TABLES[name], [landing(name, mine)], home.shards)
    save_pupils(home, *(identity(pupil, school=SCHOOL, year_group="9") for pupil in pupils))


class TestTheNightlyJob:
    @pytest.fixture
    def night_home(self, home):
        put_records(home, range(1, 61))
        put_deployed(home, BUNDLE, create_demo_trust(home))
        with as_job(home) as session:
            record_deployment(session, BUNDLE.digest, "a" * 64, datetime.now(UTC))
        return home

    def test_every_pupil_on_roll_is_in_the_log_and_new_flags_open_cases(self, night_home):
        night = score_network(night_home)
        assert (night.as_of, night.published.repeated) == (TODAY, False)
        assert (night.published.pupils, night.published.scores) == (60, 60)
        with as_job(night_home) as session:
            scores = pd.DataFrame(session.execute(text("SELECT * FROM scores")).mappings().all())
            flagged = session.execute(text("SELECT count(*) FROM flags")).scalar_one()
            cases = session.execute(text("SELECT count(*) FROM cases WHERE state = 'open'")).scalar_one()
            sides = session.execute(text("SELECT flag_id, count(*) FROM reasons GROUP BY flag_id")).all()
            school = session.execute(text("SELECT * FROM schools")).mappings().one()
            eased = session.execute(text("SELECT eased_on, eased, as_of FROM flags")).all()
            changes = session.execute(text("SELECT count(DISTINCT flag_id) FROM changes")).scalar_one()
            levers = session.execute(
                text(
                    "SELECT l.probability, s.probability FROM levers l JOIN flags f ON f.id = l.flag_id "
                    "JOIN scores s USING (pupil_id, bundle_digest, as_of)"
                )
            ).all()
        assert all(on < as_of and 0 < chance < 1 for on, chance, as_of in eased)
        assert changes > 0
        assert levers
        assert all(lower < now for lower, now in levers)
        # 0.5 % of 60 is none, so the rule's least, forty, is the school's capacity.
        assert set(scores["capacity"]) == {40}
        assert flagged == cases == len(sides) == int(scores["flagged"].sum())
        assert 0 < flagged <= 40
        assert (scores["rank"].notna() == scores["eligible"]).all()
        assert scores["abstain"].isna().all()
        assert (school["name"], school["phase"], school["data_to"], school["up_to_date"]) == (
            "Test School",
            "SS",
            date(2026, 6, 19),
            True,
        )

    def test_the_same_night_twice_changes_no_score_and_no_flag(self, night_home):
        first = score_network(night_home)
        with as_job(night_home) as session:
            before = session.execute(text("SELECT * FROM scores ORDER BY pupil_id")).all()
        again = score_network(night_home)
        with as_job(night_home) as session:
            after = session.execute(text("SELECT * FROM scores ORDER BY pupil_id")).all()
        assert before == after
        assert again.published.repeated
        assert again.published.weekly_facts_changed == 0
        assert (again.published.flags, again.published.cases_opened) == (0, 0)
        assert first.published.flags >= 0

    def test_a_night_that_was_stopped_goes_on_where_it_was(self, night_home, monkeypatch):
        worked, whole = [], night_shards.shard_night

        def stopped(home, day, digest, shard):
            worked.append(shard)
            if worked == [0, 1]:
                raise KeyboardInterrupt
            return whole(home, day, digest, shard)

        monkeypatch.setattr(night_shards, "shard_night", stopped)
        with pytest.raises(KeyboardInterrupt):
            score_network(night_home)
        (kept,) = night_home.nights.iterdir()
        assert [part.name for part in kept.iterdir()] == ["0"]
        assert score_network(night_home).published.scores == 60
        assert worked == [0, 1, 1]
        assert not kept.exists()
        # What was kept of the first shard is what would have been made of it again: nothing changes.
        assert score_network(night_home).published.weekly_facts_changed == 0
        assert worked == [0, 1, 1, 0, 1]

    def test_what_was_kept_is_not_used_once_the_records_have_changed(self, night_home, monkeypatch):
        with monkeypatch.context() as stopping:
            stopping.setattr("serving.jobs.nightly.publication", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                score_network(night_home)
        put_records(night_home, range(61, 64))
        assert score_network(night_home).published.scores == 63
        assert not list(night_home.nights.iterdir())

    def test_a_cluster_brings_what_this_machine_brings(self, night_home):
        with night_shards.shard_nights(night_home, TODAY, BUNDLE.digest, Where()) as here:
            pass
        with (
            LocalCluster(n_workers=1, processes=False, protocol="tcp", dashboard_address=":0") as cluster,
            night_shards.shard_nights(night_home, TODAY, BUNDLE.digest, Where(dask=cluster.scheduler_address)) as there,
        ):
            pass
        assert sum(len(part.week.now) for part in here) == 60
        for mine, theirs in zip(here, there, strict=True):
            pd.testing.assert_frame_equal(mine.facts.weekly_facts, theirs.facts.weekly_facts)
            pd.testing.assert_frame_equal(mine.week.scores, theirs.week.scores)
            pd.testing.assert_frame_equal(mine.week.now.frame(), theirs.week.now.frame())

    def test_term_dates_entered_on_a_page_are_taken_up_and_doubts_reach_the_pages(self, night_home):
        """The 16th, entered as a training day last week: registers were taken on it, so the two do not agree."""
        day = date(2026, 6, 16)
        lead = make_person(night_home, Role(name="school_lead", school=SCHOOL))
        recorded = [TermDate(kind="half_term", name="Summer 2", start=date(2026, 6, 1), end=date(2026, 7, 21))]
        new = TermDate(kind="inset", name="", start=day, end=day)
        engine = connect(night_home, "app")
        with scoped(engine, lead.schools) as session:
            enter(session, lead, SCHOOL, new, recorded, date(2026, 6, 12))
        engine.dispose()
        score_network(night_home)
        days = read_school_days(night_home)
        assert days is not None
        assert day not in [known.item() for known in days.calendar().open_days[SCHOOL]]
        with as_job(night_home) as session:
            (doubt,) = [one for one in doubts(session, lead, SCHOOL) if one.rule == "open_when_closed"]
        assert (doubt.contradicts, doubt.holds, doubt.since) == (True, False, day)
        assert "Registers were taken on 1 days that the calendar calls closed" in doubt.sentence

    def test_a_drawn_pupil_is_on_the_list_like_any_other_where_the_policy_allows_it(self, night_home, monkeypatch):
        sample = CheckSample(pupils_a_school_a_week=2, impact_assessment="DPIA 9", reason="To see what is missed.")
        allowed = read_policy().model_copy(update={"check_sample": sample})
        monkeypatch.setattr("serving.jobs.nightly.policy_of", lambda home: allowed)
        night = score_network(night_home)
        with as_job(night_home) as session:
            flags = session.execute(
                text(
                    "SELECT f.check_sample, s.flagged, f.eased, f.expires_on, c.state FROM flags f "
                    "JOIN scores s USING (pupil_id, bundle_digest, as_of) JOIN cases c ON c.flag_id = f.id"
                )
            ).all()
        assert len(flags) == night.published.flags == night.published.cases_opened
        drawn = [flag for flag in flags if flag.check_sample]
        assert [(flag.flagged, flag.eased, flag.state) for flag in drawn] == [(False, None, "open")] * 2
        assert all(flag.flagged for flag in flags if not flag.check_sample)
        assert len({flag.expires_on for flag in flags}) == 1
        assert score_network(night_home).published.flags == 0

    def test_a_flag_of_an_earlier_week_snoozes_this_one(self, night_home):
        score_network(night_home, date(2026, 6, 15))
        score_network(night_home)
        with as_job(night_home) as session:
            rows = session.execute(text("SELECT pupil_id, as_of, snoozed, flagged FROM scores")).all()
        before = {row.pupil_id for row in rows if row.as_of == date(2026, 6, 15) and row.flagged}
        assert before, "the rule flags nobody here, so nothing is shown"
        snoozed = {row.pupil_id for row in rows if row.as_of == TODAY and row.snoozed}
        assert before == snoozed
        assert not {row.pupil_id for row in rows if row.as_of == TODAY and row.flagged} & before

    def test_the_same_records_posted_to_the_interface_score_the_same(self, night_home):
        """One engine, one model, one rule: who sends the records in does not matter."""
        score_network(night_home)
        sent = {"as_of": TODAY.isoformat(), "pupils": [posted_pupil(number) for number in (3, 7, 11)]}
        request = ScoresRequest.model_validate_json(json.dumps(sent, default=str))
        days = read_school_days(night_home)
        deployed = open_deployed(night_home, TODAY)
        assert isinstance(deployed, Deployed)
        answers = score(deployed, posted(request, days), request)
        with as_job(night_home) as session:
            rows = session.execute(
                text(
                    "SELECT pseudonym, probability, rise_margin, rising_since FROM scores JOIN pupils ON id = pupil_id"
                )
            ).all()
        logged = {row.pseudonym: row for row in rows}
        for number, answer in zip((3, 7, 11), answers, strict=True):
            assert answer.probability == pytest.approx(logged[number].probability, abs=1e-6)
            # Posted marks begin in April, so a week counts only once four school weeks lie behind it.
            assert answer.rising in ("not_enough_history", "yes" if logged[number].rise_margin >= 0 else "no")

    def test_a_transparent_rule_serves_as_a_model_does_and_says_what_it_is(self, night_home):
        """The same job, table, reasons and interface; nothing is said of a rise that the rule never asks for."""
        bundle = rule_bundle()
        put_deployed(night_home, bundle, create_demo_trust(night_home))
        with as_job(night_home) as session:
            record_deployment(session, bundle.digest, "b" * 64, datetime.now(UTC))
        night = score_network(night_home)
        assert night.bundle_digest == bundle.digest
        with as_job(night_home) as session:
            rows = session.execute(
                text("SELECT pseudonym, flagged, eligible, rising_since, rise FROM scores JOIN pupils ON id = pupil_id")
            ).all()
            said = session.execute(text("SELECT sentence FROM reasons WHERE side = 'for'")).scalars().all()
            cases = session.execute(text("SELECT count(*) FROM cases WHERE state = 'open'")).scalar_one()
        eligible = {row.pseudonym for row in rows if row.eligible}
        # Missed sessions and removals of the twelve and four weeks before: as the records themselves say.
        assert eligible == {pupil for pupil in range(1, 61) if meets_the_rule_of_thumb(pupil)}
        assert cases == sum(row.flagged for row in rows) == 2, "0.5 % of 60 is none, so the rule's least, two"
        assert {row.rising_since for row in rows} == {None}
        assert said
        assert {sentence.split()[0] for sentence in said} <= {"Missed"} | {str(number) for number in range(1, 20)}
        deployed = open_deployed(night_home, TODAY)
        assert isinstance(deployed, Deployed)
        assert [notice.mark for notice in notices(site_of(deployed))][1] == "Transparent rule"
        assert "attendance under 90% over 12 school weeks" in notices(site_of(deployed))[1].words
        sent = {"as_of": TODAY.isoformat(), "pupils": [posted_pupil(3)]}
        request = ScoresRequest.model_validate_json(json.dumps(sent, default=str))
        [answer] = score(deployed, posted(request, read_school_days(night_home)), request)
        assert (answer.rising, answer.rising_since) == ("not_asked", None)
        assert any("a transparent rule: attendance under 90%" in words for words in told(deployed))

    def test_the_last_feature_row_is_published(self, night_home):
        score_network(night_home)
        with as_job(night_home) as session:
            stored = session.execute(text("SELECT features FROM feature_rows LIMIT 1")).scalar_one()
        assert set(stored) == set(BUNDLE.manifest["feature_names"])

    def test_nothing_is_published_without_an_approved_bundle(self, night_home):
        (night_home.deployed / POINTER).unlink()
        with pytest.raises(NotScored) as caught:
            score_network(night_home)
        assert caught.value.code == "no_deployment"
        with as_job(night_home) as session:
            assert session.execute(text("SELECT count(*) FROM publications")).scalar_one() == 0

    def test_a_bundle_that_the_database_does_not_know_scores_nobody(self, night_home):
        with as_job(night_home) as session:
            revoke(session, BUNDLE.digest, "a test", datetime.now(UTC))
        with pytest.raises(NotScored) as caught:
            score_network(night_home)
        assert caught.value.code == "deployment_mismatch"

    def test_a_day_to_come_is_refused(self, night_home):
        with pytest.raises(NotScored, match="lies ahead"):
            score_network(night_home, TODAY + timedelta(days=1))

    def test_a_pupil_without_a_name_here_stops_the_whole_publication(self, night_home):
        rows = pupil_rows(999)
        for name, mine in rows.items():
            if mine:
                delta.append(night_home.history, TABLES[name], [landing(name, mine)], 2)
        with pytest.raises(CannotPublish, match="1 pupils"):
            score_network(night_home)


class TestASchoolThatTheApprovalDoesNotCover:
    @pytest.fixture
    def new_home(self, home):
        """The audited terms ended on 2 March 2026; the school joined on that day."""
        put_records(home, range(1, 21), joined=date(2026, 3, 2))
        put_deployed(home, BUNDLE, create_demo_trust(home))
        with as_job(home) as session:
            record_deployment(session, BUNDLE.digest, "a" * 64, datetime.now(UTC))
        return home

    def test_nobody_there_is_scored_and_its_page_says_why(self, new_home):
        night = score_network(new_home)
        assert (night.published.flags, night.published.pupils) == (0, 20)
        lead = make_person(new_home, Role(name="school_lead", school=SCHOOL))
        with as_job(new_home) as session:
            scored = session.execute(text("SELECT DISTINCT abstain, probability FROM scores")).all()
            school = session.execute(text("SELECT up_to_date, note FROM schools")).one()
            said = [one for one in doubts(session, lead, SCHOOL) if one.rule == "not_covered"]
        assert scored == [("not_covered", None)]
        assert school.up_to_date
        assert school.note.startswith("The school joined on 2 March 2026, after the terms that the approval")
        assert [(one.holds, one.since) for one in said] == [(True, date(2026, 3, 2))]

    def test_its_staff_get_its_own_records_by_name_and_those_of_a_school_with_a_list_do_not(self, new_home):
        score_network(new_home)
        lead = make_person(new_home, Role(name="school_lead", school=SCHOOL))
        app = connect(new_home, "app")
        with scoped(app, lead.schools) as session:
            roll = school_roll(session, lead, SCHOOL, "11", TODAY)
            missing = never_came(session, SCHOOL, TODAY)
        assert (roll.years, roll.year, len(roll.lines)) == (("9",), "9", 20)
        assert [line.name for line in roll.lines] == sorted(line.name for line in roll.lines)
        assert all("in the last 4 weeks" in fact for line in roll.lines for fact in line.facts)
        assert [words.partition(":")[0] for words in missing] == ["Achievements"]
        with as_job(new_home) as session:
            looked = session.execute(text("SELECT action, count(*) FROM looks GROUP BY action")).all()
            session.execute(text("DELETE FROM school_doubts"))
        assert sorted(tuple(row) for row in looked) == [("listed", 20), ("see_roll", 1)]
        with pytest.raises(NoSuchSchool), scoped(app, lead.schools) as session:
            school_roll(session, lead, SCHOOL, "9", TODAY)
        app.dispose()
