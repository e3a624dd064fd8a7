"""`belong monitor` on a served network: what it reads, what it keeps, and what it stops."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import text

from casework.deployments import current_deployment, record_deployment
from casework.served import REVIEWS, reviews, served_log
from casework.watches import watches_of
from fairness.approval.ledger import append, read_ledger
from fairness.trust import create_demo_trust
from fairness.watch.course import Judgement
from records import delta
from records.home import Home
from records.tables import TABLES
from serving.jobs import watching
from serving.jobs.nightly import NotScored, score_network
from serving.jobs.watching import NothingToWatch, monitor, planned_weeks
from serving.scoring import Deployed, Refused, open_deployed
from tests.database import superuser
from tests.deployed import TODAY, clear, put_deployed
from tests.journey.api import as_job
from tests.unit.test_serving_nightly import BUNDLE, landing, put_records

SIGNED, SERVED = date(2026, 4, 20), date(2026, 4, 27)
WAIVED = {"signed_on": SIGNED, "expires_on": SIGNED + timedelta(days=88), "review_date": SIGNED + timedelta(days=60)}


@pytest.fixture
def home(casework_home: Home) -> Iterator[Home]:
    """A network of 60 pupils served on 27 April, seven of whom were suspended after it; today is 22 June."""
    home = replace(casework_home, shards=2)
    put_records(home, range(1, 61))
    suspended = [
        {"pupil": pupil, "start_date": SERVED + timedelta(days=10 + pupil), "sessions": 2} for pupil in range(1, 8)
    ]
    delta.append(home.history, TABLES["suspensions"], [landing("suspensions", suspended)], home.shards)
    put_deployed(home, BUNDLE, create_demo_trust(home), **WAIVED)
    with as_job(home) as session:
        record_deployment(session, BUNDLE.digest, "a" * 64, datetime.now(UTC))
    watched(home, TODAY - timedelta(days=7))
    score_network(home, SERVED)
    yield home
    clear(home)


def watched(home: Home, on: date) -> None:
    """Note that somebody looked on this day, before any outcome had matured."""
    found = open_deployed(home, SIGNED)
    assert isinstance(found, Deployed)
    said = {"approval_id": found.approval.id, "verdict": "NOT_YET", "matured_weeks": 0}
    append(home, "watch", bundle=BUNDLE.digest, on=on, said=said)


def test_a_look_reads_what_was_served_and_is_kept_in_three_places(home):
    seen = monitor(home)
    assert seen.verdict == "NOT_SETTLED"
    assert seen.follows == "go_on"
    with as_job(home) as session:
        [kept] = watches_of(session, BUNDLE.digest)
        number, digest = current_deployment(session).ledger
        log = served_log(session, BUNDLE.digest, SIGNED)
    assert kept.payload["view"] == seen.view
    assert kept.payload["matured_weeks"] == 1
    assert (len(log), log["as_of"].dt.date.unique().tolist()) == (60, [SERVED])
    entry = read_ledger(home).entries[-1]
    assert (entry.kind, entry.number, entry.digest) == ("watch", number, digest)
    [file] = (home.path / "watches").iterdir()
    said = json.loads(file.read_text())
    [audited] = said["payload"]["audits"]
    assert audited["pupils"] == int((log["abstain"] == "").sum())
    # Seven were suspended within the horizon, each for the first time after the list of 27 April was out.
    assert next(cell for cell in audited["cells"] if cell["metric"] == "recall" and cell["group"] == "all")["n"] == 7
    again = monitor(home)
    assert (again.verdict, again.follows) == ("NO_NEWS", "go_on")


def test_a_failure_revokes_and_only_people_begin_again(home, monkeypatch):
    monkeypatch.setattr(watching, "judged", lambda *_: Judgement(verdict="FAIL"))
    seen = monitor(home)
    assert (seen.verdict, seen.follows) == ("FAIL", "suspend")
    assert "with the service account's signature" in seen.done
    found = open_deployed(home, TODAY)
    assert isinstance(found, Refused)
    assert (found.code, "Outside a limit on what was really served" in found.sentence) == ("revoked", True)
    with pytest.raises(NotScored) as caught:
        score_network(home)
    assert caught.value.code == "revoked"
    with pytest.raises(NothingToWatch) as nothing:
        monitor(home)
    assert nothing.value.code == "revoked"
    with as_job(home) as session:
        assert current_deployment(session) is None


def test_a_missed_look_stops_scoring_by_itself_and_the_next_look_makes_it_final(home):
    late = replace(home, today=TODAY + timedelta(days=8))
    assert isinstance(open_deployed(home, TODAY + timedelta(days=7)), Deployed)
    with pytest.raises(NotScored) as caught:
        score_network(late)
    assert caught.value.code == "audit_missed"
    seen = monitor(late)
    assert seen.follows == "suspend"
    found = open_deployed(home, TODAY)
    assert isinstance(found, Refused)
    assert found.code == "revoked"
    assert "Nobody has looked again at how this model treats pupils since 2026-06-15" in found.sentence


def test_bytes_that_differ_end_the_approval_even_when_they_are_put_right(home):
    model = home.deployed / BUNDLE.digest / "model.txt"
    whole = model.read_bytes()
    model.write_bytes(whole[:-1] + b"x")
    assert monitor(home).follows == "suspend"
    model.write_bytes(whole)
    found = open_deployed(home, TODAY)
    assert isinstance(found, Refused)
    assert found.code == "revoked"


def test_two_doubts_after_a_pass_ask_the_board(home, monkeypatch):
    found = open_deployed(home, TODAY)
    for verdict in ("PASS", "NOT_SETTLED"):
        said = {"approval_id": found.approval.id, "verdict": verdict, "matured_weeks": 0}
        append(home, "watch", bundle=BUNDLE.digest, on=TODAY, said=said)
    seen = monitor(home)
    assert (seen.verdict, seen.follows) == ("NOT_SETTLED", "board_review")
    assert "The board is asked to look" in seen.view["follows"]
    assert isinstance(open_deployed(home, TODAY), Deployed)


def test_help_is_read_from_what_people_recorded(home):
    """One pupil was offered a mentor 30 seconds after the person's own view; nobody decided anything on the others.

    Of them one has a mentor who was written down all the same, and one an offer that was declined in the end.
    """
    score_network(home)
    at = datetime(2026, 6, 22, 9, 0, tzinfo=UTC)
    with superuser(home) as database:
        cases = [row[0] for row in database.execute("SELECT id FROM cases ORDER BY id")]
        first, others = cases[0], cases[1:]
        person = database.execute(
            "INSERT INTO people (issuer, subject, name, email) VALUES ('i', 's', 'A. Person', 'a@example.org') "
            "RETURNING id"
        ).fetchone()[0]
        database.execute(
            "INSERT INTO views (case_id, person_id, week, opinion, why, recorded_on, recorded_at, idempotency_key) "
            "VALUES (%s, %s, %s, 'new_needs_conversation', 'Quieter since March.', %s, %s, 'v')",
            [first, person, at.date(), at.date(), at],
        )
        database.execute(
            "INSERT INTO decisions (case_id, person_id, reasons_changed_view, reasons_that_do_not_fit, action, note, "
            "recorded_on, recorded_at, idempotency_key) VALUES (%s, %s, false, '{}', 'mentor', '', %s, %s, 'd')",
            [first, person, at.date(), at + timedelta(seconds=30)],
        )
        for case, standings in ((others[0], ("waiting", "taken_up")), (others[1], ("taken_up", "declined"))):
            support = database.execute(
                "INSERT INTO supports (pupil_id, school_urn, case_id) SELECT pupil_id, school_urn, id FROM cases "
                "WHERE id = %s RETURNING id",
                [case],
            ).fetchone()[0]
            for number, standing in enumerate(standings, start=1):
                begun = at.date() if standing == "taken_up" else None
                database.execute(
                    "INSERT INTO support_versions (support_id, version, school_urn, kind, provider, offered_on, "
                    "standing, start_on, note, person_id, recorded_on, recorded_at, idempotency_key) "
                    "SELECT id, %s, school_urn, 'mentoring', '', %s, %s, %s, '', %s, %s, %s, %s "
                    "FROM supports WHERE id = %s",
                    [number, at.date(), standing, begun, person, at.date(), at, f"{support}-{number}", support],
                )
    with as_job(home) as session:
        frame = reviews(session, BUNDLE.digest, SIGNED)
        supported = session.execute(
            text("SELECT p.pseudonym FROM cases c JOIN pupils p ON p.id = c.pupil_id WHERE c.id = :id"),
            {"id": others[0]},
        ).scalar_one()
        pseudonym = session.execute(
            text("SELECT p.pseudonym FROM cases c JOIN pupils p ON p.id = c.pupil_id WHERE c.id = :id"), {"id": first}
        ).scalar_one()
    assert tuple(frame.columns) == REVIEWS
    mine = frame.set_index("pupil").loc[pseudonym]
    assert (mine["seconds"], mine["agreed"], mine["helped"]) == (30.0, True, True)
    assert mine["decided_on"] == pd.Timestamp(TODAY)
    rest = frame[frame["pupil"] != pseudonym]
    assert len(rest) == len(others) > 0
    assert rest["agreed"].isna().all()
    assert rest.loc[rest["helped"], "pupil"].tolist() == [supported]


def test_the_plan_is_what_can_mature_within_an_approvals_life(home):
    found = open_deployed(home, TODAY)
    assert isinstance(found, Deployed)
    policy = watching.policy_of(home)
    # 88 days are 12 weeks, of which the last 6 mature only after the approval has ended.
    assert planned_weeks(found.approval, policy, 6) == 6
    longest = replace(found.approval, expires_on=found.approval.signed_on + timedelta(days=180))
    assert planned_weeks(longest, policy, 6) == 19
