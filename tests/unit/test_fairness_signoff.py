"""Approvals: every way in which a signature must not be enough."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from securesystemslib.dsse import Envelope

from fairness.keys import BOARD_MEMBER, DATA_PROTECTION_OFFICER, KeyRefused, create_key, load_key
from fairness.signoff import CODES, NotApproved, Statement, enclose, read_envelope, sign, verify, write_envelope
from fairness.trust import Trust, TrustRefused, create_demo_trust, read_trust, trusted
from records.home import Home

TODAY = date(2026, 6, 22)
BUNDLE, AUDIT, POLICY = "b" * 64, "a" * 64, "c" * 64


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    roles = {"ann": BOARD_MEMBER, "bea": BOARD_MEMBER, "dan": DATA_PROTECTION_OFFICER, "out": BOARD_MEMBER}
    return {person: create_key(person, role, folder, None) for person, role in roles.items()}


@pytest.fixture
def trust(keys):
    return Trust(demo=False, keys=tuple(trusted(keys[person]) for person in ("ann", "bea", "dan")))


def passed(**changes):
    said = Statement(
        bundle_digest=BUNDLE,
        audit_digest=AUDIT,
        record_digest="d" * 64,
        policy_digest=POLICY,
        verdict="PASS",
        decision="PASS",
        signed_on=TODAY,
        expires_on=TODAY + timedelta(days=180),
        trained_by=("tim",),
    )
    return replace(said, **changes)


def waived(**changes):
    said = passed(
        verdict="NOT_SETTLED",
        decision="WAIVED",
        expires_on=TODAY + timedelta(days=90),
        reason="too few pupils to settle every group",
        monitoring_plan="the audit is made again each half-term",
        review_date=TODAY + timedelta(days=45),
    )
    return replace(said, **changes)


def signed(statement, keys, *people):
    envelope = enclose(statement)
    for person in people:
        envelope = sign(envelope, keys[person].signer)
    return envelope


def check(envelope, trust, **changes):
    asked = {"today": TODAY, "bundle_digest": BUNDLE, "policy_digest": POLICY, "audit_digest": AUDIT} | changes
    return verify(envelope, trust, **asked)


def refusal(envelope, trust, **changes):
    with pytest.raises(NotApproved) as found:
        check(envelope, trust, **changes)
    assert found.value.sentence.endswith(".")
    return found.value.code


def test_two_board_members_approve_a_pass(keys, trust):
    approval = check(signed(passed(), keys, "ann", "bea"), trust)
    assert (approval.verdict, approval.audited, approval.expires_on) == ("PASS", "PASS", date(2026, 12, 19))
    assert approval.signers == (("ann", BOARD_MEMBER), ("bea", BOARD_MEMBER))
    assert len(approval.id) == 64


def test_a_waiver_needs_the_data_protection_officer_and_is_never_shown_as_a_pass(keys, trust):
    approval = check(signed(waived(), keys, "ann", "dan", "bea"), trust)
    assert (approval.verdict, approval.audited) == ("WAIVED", "NOT_SETTLED")
    assert approval.roles == (BOARD_MEMBER, BOARD_MEMBER, DATA_PROTECTION_OFFICER)
    assert refusal(signed(waived(), keys, "ann", "bea"), trust) == "waiver_signature"


def test_an_envelope_survives_writing_and_reading(keys, trust):
    data = write_envelope(signed(passed(), keys, "ann", "bea"))
    assert check(data, trust) == check(read_envelope(data), trust)


@pytest.mark.parametrize("people", [("ann",), ("ann", "dan"), ("dan",)])
def test_fewer_than_two_board_members(keys, trust, people):
    assert refusal(signed(passed(), keys, *people), trust) == "threshold"


@pytest.mark.parametrize(
    "envelope", [None, b"", b"{}", b"[1]", b'{"signatures": [], "payload": "", "payloadType": ""}']
)
def test_no_signature(trust, envelope):
    assert refusal(envelope, trust) == "signature_missing"


def test_unsigned(trust):
    assert refusal(enclose(passed()), trust) == "signature_missing"


def test_an_outsider_does_not_count(keys, trust):
    assert refusal(signed(passed(), keys, "ann", "out"), trust) == "outsider"


def test_one_signature_written_twice(keys, trust):
    said = json.loads(write_envelope(signed(passed(), keys, "ann")))
    said["signatures"] *= 2
    assert refusal(json.dumps(said).encode(), trust) == "same_signer"


def test_one_person_with_two_keys_signs_once(keys, trust, tmp_path):
    second = create_key("ann", BOARD_MEMBER, tmp_path, None)
    both = replace(trust, keys=(*trust.keys, trusted(second)))
    envelope = sign(signed(passed(), keys, "ann"), second.signer)
    assert refusal(envelope, both) == "same_signer"


def test_someone_who_trained_the_model_may_not_sign(keys, trust):
    envelope = signed(passed(trained_by=("bea",)), keys, "ann", "bea", "dan")
    assert refusal(envelope, trust) == "trainer_signed"


def test_a_changed_statement(keys, trust):
    honest = signed(passed(verdict="FAIL", decision="PASS"), keys, "ann", "bea")
    forged = Envelope(passed().payload(), honest.payload_type, honest.signatures)
    assert refusal(forged, trust) == "tampered"


def test_a_changed_signature_stops_it_even_when_enough_others_hold(keys, trust):
    envelope = signed(passed(), keys, "ann", "bea", "dan")
    other = signed(passed(reason="another"), keys, "dan")
    envelope.signatures.update(other.signatures)
    assert refusal(envelope, trust) == "tampered"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"bundle_digest": "d" * 64}, "wrong_bundle"),
        ({"audit_digest": "d" * 64}, "wrong_audit"),
        ({"policy_digest": "d" * 64}, "policy_changed"),
        ({"today": TODAY + timedelta(days=181)}, "expired"),
        ({"today": TODAY - timedelta(days=1)}, "not_yet"),
    ],
)
def test_the_approval_must_fit_what_it_is_used_for(keys, trust, changes, code):
    assert refusal(signed(passed(), keys, "ann", "bea"), trust, **changes) == code


def test_the_last_day_still_counts(keys, trust):
    check(signed(passed(), keys, "ann", "bea"), trust, today=TODAY + timedelta(days=180))


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (passed(verdict="FAIL"), "verdict_failed"),
        (waived(verdict="FAIL"), "verdict_failed"),
        (passed(verdict="NOT_SETTLED"), "verdict_mismatch"),
        (waived(verdict="PASS"), "verdict_mismatch"),
        (waived(reason=" "), "waiver_incomplete"),
        (waived(monitoring_plan=""), "waiver_incomplete"),
        (waived(review_date=None), "waiver_incomplete"),
        (waived(review_date=TODAY + timedelta(days=91)), "waiver_incomplete"),
        (waived(expires_on=TODAY + timedelta(days=91)), "too_long"),
        (passed(expires_on=TODAY + timedelta(days=181)), "too_long"),
        (passed(expires_on=TODAY), "too_long"),
        (passed(demo=True), "demo_trust"),
    ],
)
def test_what_is_signed_must_follow_the_rules_however_many_sign(keys, trust, statement, code):
    assert refusal(signed(statement, keys, "ann", "bea", "dan"), trust) == code


def test_a_revoked_approval(keys, trust):
    envelope = signed(passed(), keys, "ann", "bea")
    approval = check(envelope, trust)
    assert refusal(envelope, replace(trust, revoked={approval.id: "It stood on wrong records."})) == "revoked"


def test_a_retired_key_no_longer_counts(keys, trust):
    retired = trusted(keys["bea"]).model_copy(update={"valid_until": TODAY - timedelta(days=1)})
    left = replace(trust, keys=(trust.keys[0], retired))
    assert refusal(signed(passed(), keys, "ann", "bea"), left) == "outsider"


def test_a_statement_with_anything_more_is_not_ours(keys, trust):
    said = json.loads(passed().payload())
    said["predicate"]["also"] = "sold"
    envelope = Envelope(json.dumps(said).encode(), "application/vnd.in-toto+json", {})
    for person in ("ann", "bea"):
        envelope = sign(envelope, keys[person].signer)
    assert refusal(envelope, trust) == "payload_unreadable"


def test_a_demonstrations_signatures_count_only_in_a_demonstration(tmp_path):
    home = Home(path=tmp_path, demo=True)
    board_1, board_2, officer = create_demo_trust(home)
    demo = read_trust(home)
    envelope = enclose(waived(demo=True))
    for key in (board_1, board_2, officer):
        envelope = sign(envelope, key.signer)
    assert check(envelope, demo, demo_home=True).demo
    assert refusal(envelope, demo) == "demo_trust"
    with pytest.raises(TrustRefused, match="is not a demonstration"):
        read_trust(Home(path=tmp_path, demo=False))
    with pytest.raises(TrustRefused, match="only in a home marked demo"):
        create_demo_trust(Home(path=tmp_path / "real", demo=False))


def test_demo_keys_are_made_once(tmp_path):
    home = Home(path=tmp_path, demo=True)
    assert [key.keyid for key in create_demo_trust(home)] == [key.keyid for key in create_demo_trust(home)]


def test_a_key_is_encrypted_and_never_overwritten(tmp_path):
    key = create_key("ann", BOARD_MEMBER, tmp_path, b"a long enough one")
    assert (tmp_path / "ann.pem").stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED" in (tmp_path / "ann.pem").read_bytes()
    assert load_key("ann", BOARD_MEMBER, tmp_path, b"a long enough one").keyid == key.keyid
    with pytest.raises(KeyRefused, match="never overwritten"):
        create_key("ann", BOARD_MEMBER, tmp_path, b"a long enough one")
    with pytest.raises(KeyRefused, match="password is wrong"):
        load_key("ann", BOARD_MEMBER, tmp_path, b"another password")
    with pytest.raises(KeyRefused, match="shorter than 12"):
        create_key("bea", BOARD_MEMBER, tmp_path, b"short")
    with pytest.raises(KeyRefused, match="may not sign"):
        create_key("cat", "data_scientist", tmp_path, None)
    with pytest.raises(KeyRefused, match="lower-case letters"):
        create_key("../ann", BOARD_MEMBER, tmp_path, None)


def test_every_code_has_words():
    assert all(CODES.values())
    with pytest.raises(ValueError, match="unknown refusal code"):
        NotApproved("nonsense", "x.")
