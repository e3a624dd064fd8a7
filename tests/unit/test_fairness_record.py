"""The audit's record: everything an approval rests on, by digest; every figure; nothing left out in silence."""

import json
import re
from dataclasses import replace
from datetime import date

import pytest

from fairness.approval.ledger import FIRST, Head, LedgerBroken, append, read_ledger
from fairness.approval.record import MadeFrom, record_audit
from fairness.audit import audit
from fairness.gate import decide
from fairness.policy import read_policy
from records.home import Home
from serving.jobs.provenance import ROOT, made_from
from tests.deployed import MADE_FROM, TODAY, small_audit, tiny_bundle
from tests.unit.fairness_factory import comparison, made_network

POLICY = read_policy()
BUNDLE = tiny_bundle(data={"trained_by": ["tim"], "training_sha256": "5" * 64, "tables": {"marks": 7}})


@pytest.fixture(scope="module")
def found():
    """An audit with uncomputable cells: nobody of the network has an EHC plan."""
    evaluation, groups = made_network(pupils=600)
    few = POLICY.model_copy(update={"inference": POLICY.inference.model_copy(update={"replicates": 200})})
    groups = groups.replace({"sen": {"ehcp": "none"}})
    return audit(evaluation, groups, few, bundle_digest=BUNDLE.digest, comparison=comparison(), created_on=TODAY)


def recorded(home: Home, found, made: MadeFrom = MADE_FROM):
    entry, content = record_audit(home, found, decide(found, POLICY), (BUNDLE, POLICY, "7" * 64), made, on=TODAY)
    assert json.loads(content)["predicate"]["said"] == entry.said
    return entry


def test_the_record_names_everything_by_digest(tmp_path, found):
    entry = recorded(Home(path=tmp_path), found)
    assert entry.said["digests"] == {
        "bundle": BUNDLE.digest,
        "model": BUNDLE.manifest["model_sha256"],
        "features": BUNDLE.manifest["feature_fingerprint"],
        "scoring_code": BUNDLE.manifest["scoring_digest"],
        "settings": "0" * 64,
        "evaluation_data": found.evaluation_digest,
        "training_data": "5" * 64,
        "policy": POLICY.digest,
        "trust": "7" * 64,
        "requirements_lock": "e" * 64,
    }
    assert entry.said["code"] == {"git_commit": "f" * 40, "git_dirty": False}
    assert (entry.said["training"]["tables"], entry.said["training"]["trained_by"]) == ({"marks": 7}, ["tim"])
    assert entry.said["audit"]["made_with"]["seed"] == str(POLICY.inference.seed)
    assert entry.said["audit"]["digest"] == found.digest
    assert entry.said["decision"]["verdict"] == decide(found, POLICY).verdict


def test_every_figure_is_there_and_every_null_has_its_reason(tmp_path, found):
    cells = recorded(Home(path=tmp_path), found).said["audit"]["cells"]
    assert len(cells) == len(found.cells)
    missing = [cell for cell in cells if cell["group"] == "ehcp" and cell["metric"] == "recall"]
    assert missing[0]["estimate"] is None
    assert missing[0]["null_because"]["estimate"] == "no pupil of this group was suspended in the period"
    for cell in cells:
        nulls = {name for name, value in cell.items() if value is None}
        assert nulls == set(cell.get("null_because", {}))
        assert all(cell.get("null_because", {}).values())


def test_a_figure_that_is_no_number_is_null_and_not_zero(tmp_path, found):
    odd = replace(
        found, cells=(replace(found.cells[0], estimate=float("nan"), upper=float("inf"), why="nobody there"),)
    )
    [cell] = recorded(Home(path=tmp_path), odd).said["audit"]["cells"]
    assert (cell["estimate"], cell["upper"]) == (None, None)
    assert cell["null_because"]["upper"] == "nobody there"


def test_records_are_chained_and_a_head_noted_elsewhere_shows_a_cut(tmp_path):
    home = Home(path=tmp_path)
    assert read_ledger(home).head == Head(number=0, digest=FIRST)
    first, second = recorded(home, small_audit(BUNDLE)), recorded(home, small_audit(BUNDLE, recall=0.1))
    assert (first.number, first.previous, second.previous) == (1, FIRST, first.digest)
    whole = read_ledger(home)
    assert whole.holds(Head(number=1, digest=first.digest))
    (tmp_path / "ledger" / "000002.json").unlink()
    cut = read_ledger(home)
    assert cut.head == Head(number=1, digest=first.digest)
    assert not cut.holds(whole.head)


def test_an_entry_edited_in_the_middle_is_named(tmp_path):
    home = Home(path=tmp_path)
    for _ in range(3):
        recorded(home, small_audit(BUNDLE))
    file = tmp_path / "ledger" / "000002.json"
    file.chmod(0o644)
    file.write_bytes(file.read_bytes().replace(b'"pupils":400', b'"pupils":401'))
    with pytest.raises(LedgerBroken, match="entry 3 does not follow entry 2"):
        read_ledger(home)
    with pytest.raises(LedgerBroken, match="entry 3"):
        append(home, "watch", bundle=BUNDLE.digest, on=date(2026, 6, 22), said={})


def test_an_unknown_kind_of_entry_is_ours_to_declare(tmp_path):
    with pytest.raises(ValueError, match="declare it in"):
        append(Home(path=tmp_path), "gossip", bundle=BUNDLE.digest, on=TODAY, said={})


def test_this_code_says_which_commit_and_which_libraries_it_is(tmp_path):
    here = made_from()
    assert here.lock is not None
    if (ROOT / ".git").exists():
        assert re.fullmatch("[0-9a-f]{40}", str(here.git_commit))
        assert here.git_dirty in (True, False)
    assert {"numpy", "fairlearn", "python"} <= set(here.versions)
    copy = made_from(tmp_path)
    assert (copy.git_commit, copy.git_dirty, copy.lock) == (None, None, None)
    assert set(copy.missing) == {"git_commit", "git_dirty", "requirements_lock"}


def test_a_group_taken_out_of_the_evaluation_settles_nothing_and_is_in_the_record(tmp_path, found):
    """All pupils with an EHC plan were left out: a declared group without data is not settled, never absent."""
    decision = decide(found, POLICY)
    assert decision.verdict != "PASS"
    assert {cell.group for cell in decision.unsettled} >= {"ehcp"}
    cells = recorded(Home(path=tmp_path), found).said["audit"]["cells"]
    assert any(cell["group"] == "ehcp" and cell["gate"] == "full" for cell in cells)
