"""Keys, trust, revocation and the weekly look from the command line."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from casework.deployments import record_deployment
from fairness.approval.ledger import read_ledger
from fairness.trust import create_demo_trust, read_trust
from records.home import Home, create_home
from serving.jobs import signing, watching
from serving.jobs.watching import NothingToWatch, Watched
from serving.scoring import Refused, open_deployed
from tests.command_line import DONE, FAIL, NOT_SETTLED, REFUSED, Belong, refused
from tests.deployed import TODAY, clear, put_deployed, tiny_bundle
from tests.journey.api import as_job

PASSWORD = "a long enough one"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody types the same password, whenever one is asked for."""
    monkeypatch.setattr("getpass.getpass", lambda _: PASSWORD)
    monkeypatch.setattr(signing, "getpass", lambda _: PASSWORD)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return create_home(tmp_path / "home")


def key_line(belong: Belong, home: Home, folder: Path, person: str, role: str) -> str:
    said = belong("key", "new", "--person", person, "--role", role, "--keys", folder, "--home", home.path)
    assert said.code == DONE
    return said.out.splitlines()[-1]


def test_a_new_home_from_keys_to_trust_in_force(belong, home, tmp_path, typed):
    people = {"ann": "board_member", "bea": "board_member", "dan": "data_protection_officer"}
    lines = [key_line(belong, home, tmp_path / person, person, role) for person, role in people.items()]
    assert b"ENCRYPTED" in (tmp_path / "ann" / "ann.pem").read_bytes()
    lines.append(belong("key", "new", "--service", "--home", home.path).out.splitlines()[-1])
    assert "Nobody is trusted yet" in belong("trust", "show", "--home", home.path).words
    adds = [word for line in lines for word in ("--add", line)]
    assert belong("trust", "propose", "--reason", "The first board.", *adds, "--home", home.path).code == DONE
    assert "not in force" in belong("trust", "show", "--home", home.path).words
    for person, role in people.items():
        words = ("--person", person, "--role", role, "--keys", tmp_path / person, "--home", home.path)
        said = belong("trust", "sign", *words)
        assert said.code == DONE
    assert "Signed, and in force. Note link 1 in the minutes" in said.words
    shown = belong("trust", "show", "--home", home.path)
    assert f"BELONG_TRUST={read_trust(home).digest}" in shown.words
    refused(belong("trust", "sign", *words), "there is no proposal to sign")
    retire = belong("trust", "propose", "--reason", "Bea leaves.", "--retire", "bea:2026-09-01", "--home", home.path)
    refused(retire, "names 1 board member(s)")


def test_a_key_without_a_person_two_passwords_and_nobody_there(belong, home, tmp_path, monkeypatch):
    refused(belong("key", "new", "--home", home.path), "--person and --keys, or --service")
    given = iter(["a long enough one", "another long one"])
    monkeypatch.setattr("getpass.getpass", lambda _: next(given))
    words = ("key", "new", "--person", "ann", "--keys", tmp_path / "ann", "--home", home.path)
    refused(belong(*words), "the two passwords differ")
    assert not (tmp_path / "ann").exists()

    def nobody(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", nobody)
    refused(belong(*words), "nobody is there to type it")


class TestWhatServes:
    @pytest.fixture
    def served(self, casework_home: Home) -> Iterator[Home]:
        bundle = tiny_bundle()
        put_deployed(casework_home, bundle, create_demo_trust(casework_home))
        with as_job(casework_home) as session:
            found = open_deployed(casework_home, TODAY)
            record_deployment(session, bundle.digest, found.approval.id, datetime.now(UTC))
        yield casework_home
        clear(casework_home)

    def test_one_person_revokes_and_every_door_says_why(self, belong, served):
        digest = tiny_bundle().digest
        words = ("revoke", digest[:12], "--reason", "Wrong records.", "--home", served.path)
        refused(belong(*words, "--person", "demo-board-1"), "name the folder of your key")
        keys = served.secrets / "demo_keys"
        said = belong(*words, "--person", "demo-board-1", "--keys", keys)
        assert said.code == DONE
        assert "is revoked, and nothing is scored" in said.words
        found = open_deployed(served, TODAY)
        assert isinstance(found, Refused)
        assert found.sentence == "The approval was revoked: Wrong records."
        assert len(read_ledger(served).of("revocation")) == 1

    def test_the_service_account_may_revoke_too(self, belong, served):
        refused(belong("revoke", "0" * 12, "--reason", "A fault.", "--home", served.path), "deployed here: ")
        said = belong("revoke", "--reason", "A fault in the feed.", "--home", served.path)
        assert said.code == DONE
        assert isinstance(open_deployed(served, TODAY), Refused)

    def test_reconciling_says_what_it_found(self, belong, served, monkeypatch):
        monkeypatch.setattr("serving.jobs.stopping._alias_digest", lambda _: tiny_bundle().digest)
        said = belong("reconcile", "--home", served.path)
        assert (said.code, said.words) == (DONE, "All agree on what is deployed.")
        monkeypatch.setattr("serving.jobs.stopping._alias_digest", lambda _: None)
        said = belong("reconcile", "--home", served.path)
        assert said.code == FAIL
        assert "The registry's alias did not name the bundle" in said.words

    @pytest.mark.parametrize(
        ("verdict", "follows", "code"),
        [
            ("PASS", "go_on", DONE),
            ("NOT_YET", "go_on", DONE),
            ("NOT_SETTLED", "board_review", NOT_SETTLED),
            ("FAIL", "suspend", FAIL),
        ],
    )
    def test_a_look_ends_with_its_verdict(self, belong, home, monkeypatch, verdict, follows, code):
        shown = {"headline": "One sentence.", "sentences": ["Another."], "alarms": ["Look."], "follows": "So."}
        monkeypatch.setattr(watching, "monitor", lambda _: Watched(verdict=verdict, follows=follows, view=shown))
        said = belong("monitor", "--home", home.path)
        assert said.code == code
        assert f"{verdict}: One sentence. - Another. - Alarm: Look. So." in said.words

    def test_nothing_to_look_at(self, belong, home, monkeypatch):
        def nothing(_: Home) -> Watched:
            raise NothingToWatch("expired", "The approval held until 2026-01-01.")

        monkeypatch.setattr(watching, "monitor", nothing)
        said = belong("monitor", "--home", home.path)
        assert (said.code, "Nothing serves (expired)" in said.words) == (REFUSED, True)
