"""Who may sign: founded by everyone named, changed by two board members, and never by one alone."""

import json
import os
from datetime import date, timedelta
from pathlib import Path

import pytest
from securesystemslib.dsse import Envelope

from fairness.approval.ceremony import Change, as_text, key_from, proposal, propose, sign_proposal
from fairness.keys import BOARD_MEMBER, DATA_PROTECTION_OFFICER, SERVICE_ACCOUNT, SigningKey, create_key
from fairness.signoff import PAYLOAD_TYPE, enclose, sign, write_envelope
from fairness.trust import PIN_VARIABLE, TRUST_FILE, chain_of, found_trust, read_trust, trust_of, write_chain
from fairness.trusted import Link, Trust, TrustRefused, check_trust, digest_of, trusted
from records.home import Home
from tests.unit.test_fairness_signoff import passed

TODAY = date(2026, 6, 22)
ROLES = {
    "ann": BOARD_MEMBER,
    "bea": BOARD_MEMBER,
    "cat": BOARD_MEMBER,
    "dan": DATA_PROTECTION_OFFICER,
    "service": SERVICE_ACCOUNT,
}
Keys = dict[str, SigningKey]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    return {person: create_key(person, role, folder, None) for person, role in ROLES.items()}


@pytest.fixture
def home(tmp_path: Path, keys: Keys) -> Home:
    """A real home whose trust ann, bea and dan founded."""
    made = Home(path=tmp_path)
    found_trust(made, [keys[person] for person in ("ann", "bea", "dan")], made_on=TODAY, reason="The first board.")
    return made


def line(key: SigningKey) -> str:
    return f"{key.person_id}:{key.role}:{key.public_key}"


def add_cat(home: Home, keys: Keys) -> Link:
    return propose(home, Change(add=[key_from(line(keys["cat"]))]), reason="Cat joined.", made_on=TODAY)


def test_a_new_home_is_founded_by_everyone_it_names(tmp_path, keys):
    home = Home(path=tmp_path)
    lines = [key_from(line(keys[person])) for person in ("ann", "bea", "dan", "service")]
    propose(home, Change(add=lines), reason="The first board.", made_on=TODAY)
    assert "bea must sign with the new key" in sign_proposal(home, keys["ann"])
    assert sign_proposal(home, keys["dan"]) == "bea must sign with the new key"
    assert not (home.trust / TRUST_FILE).exists()
    assert sign_proposal(home, keys["bea"]) == ""
    trust = read_trust(home)
    assert {key.person_id for key in trust.keys} == {"ann", "bea", "dan", "service"}
    assert not (home.trust / "proposal.json").exists()
    with pytest.raises(TrustRefused, match="never founded anew"):
        found_trust(home, [keys["ann"], keys["bea"]], made_on=TODAY, reason="Again.")


def test_two_board_members_and_the_newcomer_change_it(home, keys):
    add_cat(home, keys)
    assert sign_proposal(home, keys["cat"]) == "0 of 2 board members trusted so far have signed"
    assert sign_proposal(home, keys["ann"]) == "1 of 2 board members trusted so far have signed"
    assert "cat" not in {key.person_id for key in read_trust(home).keys}
    assert sign_proposal(home, keys["bea"]) == ""
    trust = read_trust(home)
    assert "cat" in {key.person_id for key in trust.keys}
    assert [link.number for link in trust.links] == [1, 2]
    assert trust.links[1].previous == digest_of(trust.links[0])


def test_the_officer_and_the_newcomer_are_not_two_board_members(home, keys):
    add_cat(home, keys)
    for person in ("cat", "ann", "dan"):
        still = sign_proposal(home, keys[person])
    assert still == "1 of 2 board members trusted so far have signed"
    link, words = proposal(home)
    assert (link.number, words) == (2, still)


def test_nobody_is_entered_without_their_key(home, keys):
    add_cat(home, keys)
    sign_proposal(home, keys["ann"])
    assert sign_proposal(home, keys["bea"]) == "cat must sign with the new key"


def test_a_stranger_has_no_say(home, keys, tmp_path):
    add_cat(home, keys)
    with pytest.raises(TrustRefused, match="names this key of eve"):
        sign_proposal(home, create_key("eve", BOARD_MEMBER, tmp_path / "eve", None))
    with pytest.raises(TrustRefused, match="names this key of cat as board_member"):
        sign_proposal(home, create_key("cat", BOARD_MEMBER, tmp_path / "other", None))


def test_retiring_ends_a_key_and_revoking_takes_it_out_for_good(home, keys):
    add_cat(home, keys)
    for person in ("cat", "ann", "bea"):
        sign_proposal(home, keys[person])
    last = TODAY + timedelta(days=9)
    propose(home, Change(retire=[("bea", last)], revoke=["dan"]), reason="Bea leaves; Dan lost a key.", made_on=TODAY)
    sign_proposal(home, keys["ann"])
    assert sign_proposal(home, keys["cat"]) == ""
    trust = read_trust(home)
    bea = next(key for key in trust.keys if key.person_id == "bea")
    assert (bea.valid_on(last), bea.valid_on(last + timedelta(days=1))) == (True, False)
    assert "dan" not in {key.person_id for key in trust.keys}
    assert {key.person_id for key in trust.ever} == {"ann", "bea", "cat", "dan"}
    assert any("revoked for good" in text for text in as_text(trust.links[-1]))
    with pytest.raises(TrustRefused, match="its holder needs a new one"):
        propose(home, Change(add=[key_from(line(keys["dan"]))]), reason="Dan again.", made_on=TODAY)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (Change(), "nothing would change"),
        (Change(revoke=["zoe"]), "nobody called zoe"),
        (Change(retire=[("bea", TODAY)]), "names 1 board member"),
        (Change(revoke=["bea"]), "names 1 board member"),
    ],
)
def test_a_change_that_breaks_a_rule_is_never_proposed(home, change, message):
    with pytest.raises(TrustRefused, match=message):
        propose(home, change, reason="Some reason.", made_on=TODAY)
    assert not (home.trust / "proposal.json").exists()


@pytest.mark.parametrize("said", ["ann", "ann:board_member", "ann:board_member:xyz", "Ann B:board_member:" + "0" * 64])
def test_a_line_that_is_no_key(said):
    with pytest.raises(TrustRefused, match="is no key"):
        key_from(said)


def test_one_person_cannot_forge_a_link(home, keys):
    """The file is written by hand: signatures decide, not who can write."""
    first = read_trust(home).links[0]
    own = Link(
        number=2,
        previous=digest_of(first),
        demo=False,
        keys=tuple(trusted(keys[person]) for person in ("ann", "cat")),
        made_on=TODAY,
        reason="Ann's own idea.",
    )
    forged = Envelope(payload=own.payload(), payload_type=PAYLOAD_TYPE, signatures={})
    for person in ("ann", "cat"):
        forged = sign(forged, keys[person].signer)
    with pytest.raises(TrustRefused, match="1 of 2 board members"):
        write_chain(home, [*chain_of(home), forged])
    said = json.loads((home.trust / TRUST_FILE).read_text())
    said["chain"].append(json.loads(write_envelope(forged)))
    (home.trust / TRUST_FILE).write_text(json.dumps(said))
    with pytest.raises(TrustRefused, match="link 2 lacks signatures"):
        read_trust(home)


def test_a_link_edited_after_it_was_signed(home):
    [one] = chain_of(home)
    edited = Envelope(one.payload.replace(b"The first board.", b"The other board."), one.payload_type, one.signatures)
    with pytest.raises(TrustRefused, match="changed after it was signed"):
        trust_of([edited])


def test_a_chain_that_was_cut_or_replaced_is_seen_by_the_pin(home, keys, monkeypatch):
    before = chain_of(home)
    add_cat(home, keys)
    for person in ("cat", "ann", "bea"):
        sign_proposal(home, keys[person])
    monkeypatch.setitem(os.environ, PIN_VARIABLE, read_trust(home).digest)
    read_trust(home)
    write_chain(home, before)
    with pytest.raises(TrustRefused, match="replaced or cut"):
        read_trust(home)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda keys: (keys[0], keys[2]), "at least two"),
        (lambda keys: (*keys, keys[0].model_copy(update={"person_id": "eve"})), "stands twice"),
        (lambda keys: (*keys[:2], keys[2].model_copy(update={"role": "data_scientist"})), "may not sign"),
        (lambda keys: (*keys[:2], keys[2].model_copy(update={"person_id": "ann"})), "two roles"),
    ],
)
def test_trust_that_would_break_the_two_person_rule(keys, change, message):
    whole = tuple(trusted(keys[person]) for person in ("ann", "bea", "dan"))
    check_trust(Trust(demo=False, keys=whole))
    with pytest.raises(TrustRefused, match=message):
        check_trust(Trust(demo=False, keys=change(whole)))


def test_what_is_no_trust_file_is_refused(home):
    file = home.trust / TRUST_FILE
    said = json.loads(file.read_text())
    file.write_text(json.dumps(said | {"threshold": 1}))
    with pytest.raises(TrustRefused, match="threshold"):
        read_trust(home)
    other = json.loads(write_envelope(enclose(passed())))
    file.write_text(json.dumps(said | {"chain": [other]}))
    with pytest.raises(TrustRefused, match="not a link that this version knows"):
        read_trust(home)
    file.unlink()
    with pytest.raises(TrustRefused, match="nobody is trusted"):
        read_trust(home)
