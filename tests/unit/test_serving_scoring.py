"""The scoring door: opens only for verified bytes under a passed or waived and signed gate; says why not."""

import hashlib
import json
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import serving.scoring
from fairness import signoff
from fairness.approval.ledger import append
from fairness.approval.revocation import RevocationRefused, revoke_approval
from fairness.keys import create_key, service_key
from fairness.signoff import read_envelope, read_statement
from fairness.trust import TRUST_FILE, create_demo_trust
from records.home import Home, create_home
from serving.scoring import CODES, POINTER, Deployed, Door, Refused, deployed_digest, open_deployed
from tests.deployed import TODAY, demo_home, put_deployed, small_audit, tiny_bundle


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made, keys = demo_home(tmp_path / "home")
    put_deployed(made, tiny_bundle(), keys)
    return made


def code(home: Home, today: date = TODAY) -> str:
    found = open_deployed(home, today)
    assert isinstance(found, Refused), "the door is open"
    assert found.code in CODES | signoff.CODES
    assert found.sentence.endswith(".")
    assert "/" not in found.sentence
    return found.code


def folder(home: Home) -> Path:
    return home.deployed / str(deployed_digest(home))


def test_a_waived_and_signed_bundle_opens(home):
    found = open_deployed(home, TODAY)
    assert isinstance(found, Deployed)
    assert found.digest == tiny_bundle().digest
    assert (found.approval.verdict, found.demo) == ("WAIVED", True)


def test_a_passed_and_signed_bundle_opens_without_the_data_protection_officer(tmp_path, monkeypatch):
    home, keys = demo_home(tmp_path)
    monkeypatch.setattr(serving.scoring, "decide", lambda *_: SimpleNamespace(verdict="PASS"))
    put_deployed(
        home, tiny_bundle(), keys[:2], verdict="PASS", decision="PASS", reason="", monitoring_plan="", review_date=None
    )
    found = open_deployed(home, TODAY)
    assert isinstance(found, Deployed)
    assert found.approval.verdict == "PASS"


def test_nothing_deployed(tmp_path):
    home, _ = demo_home(tmp_path)
    assert code(home) == "no_deployment"
    (home.deployed / POINTER).write_text("../../elsewhere")
    assert code(home) == "no_deployment"


@pytest.mark.parametrize("name", ["model.txt", "bundle.json"])
@pytest.mark.parametrize("place", [0, 100, -1])
def test_one_flipped_byte_stops_it(home, name, place):
    file = folder(home) / name
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    assert code(home) == "digest_mismatch"


def test_a_truncated_model_is_never_parsed(home):
    """LightGBM would end the process; here the process goes on and says why."""
    file = folder(home) / "model.txt"
    file.write_bytes(file.read_bytes()[:2000])
    script = (
        "import sys, pathlib, datetime\n"
        "from records.home import open_home\n"
        "from serving.scoring import open_deployed\n"
        "print(open_deployed(open_home(pathlib.Path(sys.argv[1])), datetime.date(2026, 6, 22)).code)\n"
    )
    root = Path(serving.scoring.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", script, str(home.path)], capture_output=True, text=True, check=False, cwd=root
    )
    assert (done.returncode, done.stdout.strip()) == (0, "digest_mismatch")


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("model.txt", "digest_mismatch"),
        ("bundle.json", "digest_mismatch"),
        ("envelope.json", "signature_missing"),
        ("audit.json", "audit_unreadable"),
    ],
)
def test_a_missing_file_stops_it(home, damage, expected):
    (folder(home) / damage).unlink()
    assert code(home) == expected


def test_an_edited_audit_stops_it(home):
    file = folder(home) / "audit.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "pupils": 401}))
    assert code(home) == "wrong_audit"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"verdict": "FAIL", "decision": "WAIVED"}, "verdict_failed"),
        ({"verdict": "FAIL", "decision": "PASS"}, "verdict_failed"),
        ({"verdict": "NOT_SETTLED", "decision": "PASS"}, "verdict_mismatch"),
        ({"bundle_digest": "1" * 64}, "wrong_bundle"),
        ({"policy_digest": "1" * 64}, "policy_changed"),
        ({"audit_digest": "1" * 64}, "wrong_audit"),
        ({"trained_by": ("demo-board-1",)}, "trainer_signed"),
        ({"monitoring_plan": ""}, "waiver_incomplete"),
        ({"expires_on": TODAY + timedelta(days=365)}, "too_long"),
        ({"signed_on": TODAY + timedelta(days=1)}, "not_yet"),
        ({"demo": False}, "demo_trust"),
    ],
)
def test_what_was_signed_must_be_this_and_must_allow_it(tmp_path, said, expected):
    home, keys = demo_home(tmp_path)
    put_deployed(home, tiny_bundle(), keys, **said)
    assert code(home) == expected


def test_an_audit_that_failed_does_not_serve_whatever_was_signed(tmp_path):
    """Nobody read it well: two members and the officer signed 'not settled' over an audit that says no."""
    home, keys = demo_home(tmp_path)
    bundle = tiny_bundle()
    put_deployed(home, bundle, keys, audit=small_audit(bundle, recall=0.21))
    assert code(home) == "verdict_failed"


def test_a_pass_that_the_audit_does_not_say_does_not_serve(tmp_path):
    home, keys = demo_home(tmp_path)
    put_deployed(
        home, tiny_bundle(), keys, verdict="PASS", decision="PASS", reason="", monitoring_plan="", review_date=None
    )
    assert code(home) == "verdict_mismatch"


@pytest.mark.parametrize(
    ("signers", "expected"),
    [((), "signature_missing"), ((0,), "threshold"), ((0, 2), "threshold"), ((0, 1), "waiver_signature")],
)
def test_signatures_must_be_enough(tmp_path, signers, expected):
    home, keys = demo_home(tmp_path)
    put_deployed(home, tiny_bundle(), tuple(keys[at] for at in signers))
    assert code(home) == expected


def test_an_outsider_does_not_count(tmp_path):
    home, keys = demo_home(tmp_path / "home")
    stranger = create_key("somebody", "board_member", tmp_path / "keys", None)
    put_deployed(home, tiny_bundle(), (keys[0], stranger, keys[2]))
    assert code(home) == "outsider"


def test_it_holds_to_its_last_day_and_not_beyond(home):
    last = TODAY + timedelta(days=60)
    found = open_deployed(home, TODAY)
    assert isinstance(found, Deployed)
    append(home, "watch", bundle=found.digest, on=last, said={"approval_id": found.approval.id})
    assert isinstance(open_deployed(home, last), Deployed)
    assert code(home, last + timedelta(days=1)) == "expired"


def statement(home: Home) -> signoff.Statement:
    return read_statement(read_envelope((folder(home) / "envelope.json").read_bytes()))


def test_a_withdrawn_deployment(home):
    found = open_deployed(home, TODAY)
    assert isinstance(found, Deployed)
    note = home.deployed / f"{found.digest}.revoked"
    note.write_text("{}")
    assert code(home) == "withdrawn"
    note.write_text(json.dumps({"approval_id": found.approval.id}))
    assert code(home) == "withdrawn"
    # What was withdrawn is an approval: people may approve the same bundle anew.
    note.write_text(json.dumps({"approval_id": "0" * 64}))
    assert isinstance(open_deployed(home, TODAY), Deployed)


@pytest.mark.parametrize("who", ["board member", "service account"])
def test_one_signature_ends_an_approval(home, who):
    key = create_demo_trust(home)[0] if who == "board member" else service_key(home)
    with pytest.raises(RevocationRefused, match="say why"):
        revoke_approval(home, statement(home), key, reason=" ", on=TODAY)
    revoke_approval(home, statement(home), key, reason="It was trained on wrong records", on=TODAY)
    assert code(home) == "revoked"
    found = open_deployed(home, TODAY)
    assert isinstance(found, Refused)
    assert found.sentence == "The approval was revoked: It was trained on wrong records."


def test_a_stranger_revokes_nothing_and_a_forged_revocation_stops_everything(home, tmp_path):
    stranger = create_key("somebody", "board_member", tmp_path / "keys", None)
    with pytest.raises(RevocationRefused, match="no key in use of somebody"):
        revoke_approval(home, statement(home), stranger, reason="Why not.", on=TODAY)
    assert isinstance(open_deployed(home, TODAY), Deployed)
    append(home, "revocation", bundle=str(deployed_digest(home)), on=TODAY, said={"envelope": {}})
    assert code(home) == "ledger_broken"


@pytest.mark.parametrize("damage", ["edited", "taken out", "unreadable"])
def test_a_ledger_that_is_not_the_chain_that_was_written(home, damage):
    revoke_approval(home, statement(home), service_key(home), reason="Wrong records.", on=TODAY)
    first = home.path / "ledger" / "000001.json"
    content = first.read_bytes()
    first.chmod(0o644)
    if damage == "edited":
        first.write_bytes(content.replace(b"NOT_SETTLED", b"PASS_______"))
    elif damage == "unreadable":
        first.write_bytes(b"[" * 100_000)
    else:
        first.unlink()
    assert code(home) == "ledger_broken"


@pytest.mark.parametrize("damage", ["gone", "another", "not in the ledger"])
def test_the_audits_record_must_be_the_one_signed_and_in_the_ledger(home, damage):
    file = folder(home) / "record.json"
    if damage == "gone":
        file.unlink()
    elif damage == "another":
        file.write_bytes(file.read_bytes() + b" ")
    else:
        shutil.rmtree(home.path / "ledger")
    assert code(home) == "wrong_record"


@pytest.mark.parametrize("damage", ["", "gone", "another"])
def test_an_annex_that_was_signed_must_be_the_one_that_is_there(tmp_path, damage):
    home, keys = demo_home(tmp_path / "home")
    said = b'{"title":"Annex"}'
    put_deployed(home, tiny_bundle(), keys, annex_digest=hashlib.sha256(said).hexdigest())
    if damage != "gone":
        (folder(home) / "impact_assessment_annex.json").write_bytes(said + (b" " if damage else b""))
    found = open_deployed(home, TODAY)
    assert isinstance(found, Deployed) if not damage else found.code == "wrong_annex"


def test_a_missed_audit_stops_it_and_an_audit_made_keeps_it_going(home):
    """The approval was signed three days ago; the policy allows fourteen days without a look."""
    found = open_deployed(home, TODAY)
    assert isinstance(found, Deployed)
    last = found.approval.signed_on + timedelta(days=14)
    assert isinstance(open_deployed(home, last), Deployed)
    assert code(home, last + timedelta(days=1)) == "audit_missed"
    append(home, "watch", bundle=found.digest, on=last, said={"approval_id": "0" * 64})
    assert code(home, last + timedelta(days=1)) == "audit_missed"
    append(home, "watch", bundle=found.digest, on=last, said={"approval_id": found.approval.id})
    assert isinstance(open_deployed(home, last + timedelta(days=14)), Deployed)
    assert code(home, last + timedelta(days=15)) == "audit_missed"


def test_a_demonstrations_signatures_count_nowhere_else(home, tmp_path):
    other = create_home(tmp_path / "real", today=TODAY)
    shutil.copytree(home.deployed, other.deployed)
    shutil.copytree(home.trust, other.trust)
    shutil.copytree(home.path / "ledger", other.path / "ledger")
    assert code(other) in ("demo_trust", "trust_unreadable")


def test_no_list_of_signers_no_scores(home):
    (home.trust / TRUST_FILE).unlink()
    assert code(home) == "trust_unreadable"


@pytest.mark.parametrize("entry", ["scoring_digest", "feature_fingerprint"])
def test_other_code_than_was_audited_does_not_score(tmp_path, entry):
    home, keys = demo_home(tmp_path)
    put_deployed(home, tiny_bundle(**{entry: "2" * 64}), keys)
    assert code(home) == "code_changed"


class TestTheDoorOfARunningProcess:
    def test_an_unchanged_folder_is_not_read_again(self, home, monkeypatch):
        door = Door(home)
        first = door.deployed()
        monkeypatch.setattr(serving.scoring, "open_deployed", lambda *_: pytest.fail("read again"))
        assert door.deployed() is first

    def test_a_byte_flipped_while_it_runs_is_seen_at_the_next_request_and_put_right_again(self, home):
        door = Door(home)
        assert isinstance(door.deployed(), Deployed)
        file = folder(home) / "model.txt"
        whole = file.read_bytes()
        file.write_bytes(whole[:-1] + b"\x00")
        assert _code(door) == "digest_mismatch"
        file.write_bytes(whole)
        assert isinstance(door.deployed(), Deployed)

    def test_a_change_that_hides_its_time_is_seen_within_a_minute(self, home, monkeypatch):
        door = Door(home)
        assert isinstance(door.deployed(), Deployed)
        monkeypatch.setattr(door, "_stamps", lambda **_: door._seen[1:])
        file = folder(home) / "model.txt"
        file.write_bytes(file.read_bytes()[:-1] + b"\x00")
        assert isinstance(door.deployed(), Deployed)
        now = serving.scoring.time.monotonic() + 61
        monkeypatch.setattr(serving.scoring.time, "monotonic", lambda: now)
        assert _code(door) == "digest_mismatch"

    def test_expiry_and_revocation_are_seen_while_it_runs(self, home):
        door = Door(home)
        assert isinstance(door.deployed(), Deployed)
        later = Door(Home(path=home.path, demo=True, today=TODAY + timedelta(days=61)))
        later._found, later._seen, later._at = door._found, door._seen, door._at
        assert _code(later) == "expired"
        (home.deployed / f"{deployed_digest(home)}.revoked").write_text("{}")
        assert _code(door) == "withdrawn"

    def test_a_deployment_made_while_it_runs_is_taken_up(self, tmp_path):
        home, keys = demo_home(tmp_path)
        door = Door(home)
        assert _code(door) == "no_deployment"
        put_deployed(home, tiny_bundle(), keys)
        assert isinstance(door.deployed(), Deployed)


def _code(door: Door) -> Any:
    found = door.deployed()
    assert isinstance(found, Refused)
    return found.code
