"""Deploying and reconciling: what ends up served, byte for byte, and what the gate stops on the way."""

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from casework.deployments import audit_of, current_deployment
from fairness.approval.ledger import Head, read_ledger
from fairness.keys import SigningKey, service_key
from fairness.trust import create_demo_trust
from records.home import Home
from serving.api.health import may_score
from serving.api.problems import Refusal
from serving.jobs import deploy as deploying
from serving.jobs.deploy import NotDeployed, deploy, show_audit
from serving.jobs.nightly import NotScored, score_network
from serving.jobs.stopping import reconcile, stop
from serving.scoring import POINTER, Deployed, Door, Refused, open_deployed
from tests.deployed import TODAY, clear, put_candidate, tiny_bundle
from tests.journey.api import as_job
from training import registry
from training.registry import NoVersion, Version

MONDAYS = [date(2026, 4, 13) + timedelta(weeks=at) for at in (0, 1, 2, 3, 4, 5, 7, 8, 9)]


@dataclass
class Registry:
    """MLflow's registry as a dictionary: version number → (digest, folder), alias → number."""

    versions: dict[str, tuple[str, Path]]
    aliases: dict[str, str]
    tags: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, bundle: Any, folder: Path) -> str:
        number = str(len(self.versions) + 1)
        self.versions[number] = (bundle.digest, bundle.write(folder))
        return number

    def version_of(self, mlruns: Path, digest: str) -> str | None:
        found = [number for number, (claimed, _) in self.versions.items() if claimed == digest]
        return found[-1] if found else None

    def move_alias(self, mlruns: Path, number: str, alias: str = "champion") -> None:
        self.aliases[alias] = number

    def version(self, mlruns: Path, number: str) -> Version:
        return Version(number, *self.versions[number])

    def drop_alias(self, mlruns: Path, alias: str = "champion") -> None:
        del self.aliases[alias]

    def tag_version(self, mlruns: Path, digest: str, tags: dict[str, str]) -> None:
        self.tags[digest] = dict(tags)

    def resolve(self, mlruns: Path, alias: str = "champion") -> Version:
        if alias not in self.aliases:
            raise NoVersion(alias)
        number = self.aliases[alias]
        return Version(number, *self.versions[number])


@pytest.fixture
def home(casework_home: Home) -> Iterator[Home]:
    """The database's home with demonstration keys, no bundle and no records."""
    yield casework_home
    clear(casework_home)


@pytest.fixture
def keys(home: Home) -> tuple[SigningKey, ...]:
    return create_demo_trust(home)


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> Registry:
    stand_in = Registry({}, {})
    for name in ("version_of", "move_alias", "drop_alias", "resolve", "version", "tag_version"):
        monkeypatch.setattr(deploying.registry, name, getattr(stand_in, name))
    return stand_in


def refusal(home: Home, digest: str, tmp_path: Path) -> NotDeployed:
    with pytest.raises(NotDeployed) as caught:
        deploy(home, digest, mlruns=tmp_path)
    assert not (home.deployed / digest).exists()
    assert not list(home.deployed.glob(".partial-*"))
    assert isinstance(open_deployed(home, TODAY), Refused)
    with as_job(home) as session:
        assert current_deployment(session) is None
    return caught.value


class TestDeploying:
    def test_a_signed_candidate_serves_byte_for_byte(self, home, keys, mlflow, tmp_path):
        bundle = tiny_bundle()
        put_candidate(home, bundle, keys)
        number = mlflow.add(bundle, tmp_path / "v1")
        done = deploy(home, bundle.digest, mlruns=tmp_path)
        place = home.deployed / bundle.digest
        assert (place / "model.txt").read_bytes() == bundle.model
        assert (place / "bundle.json").read_bytes() == bundle.manifest_bytes
        assert {file.stat().st_mode & 0o222 for file in place.iterdir()} == {0}
        assert isinstance(open_deployed(home, TODAY), Deployed)
        assert mlflow.aliases == {"champion": number}
        assert mlflow.tags == {bundle.digest: {"verdict": "WAIVED"}}
        with as_job(home) as session:
            row = current_deployment(session)
            audit = audit_of(session, bundle.digest)
        assert (row.digest, row.approval_id) == (bundle.digest, done.approval.id)
        assert (audit.verdict, audit.is_current) == ("WAIVED", True)
        assert audit.payload["view"]["waiver"]["expires_on"] == "2026-08-21"

    def test_deploying_again_changes_nothing(self, home, keys, mlflow, tmp_path):
        bundle = tiny_bundle()
        put_candidate(home, bundle, keys)
        mlflow.add(bundle, tmp_path / "v1")
        deploy(home, bundle.digest, mlruns=tmp_path)
        before = sorted(path.name for path in home.deployed.iterdir())
        deploy(home, bundle.digest, mlruns=tmp_path)
        assert sorted(path.name for path in home.deployed.iterdir()) == before

    def test_a_new_approval_of_the_same_bundle_keeps_the_old_one_aside(self, home, keys, mlflow, tmp_path):
        bundle = tiny_bundle()
        put_candidate(home, bundle, keys)
        mlflow.add(bundle, tmp_path / "v1")
        first = deploy(home, bundle.digest, mlruns=tmp_path)
        put_candidate(home, bundle, keys, reason="Looked at again; the same holds for another term.")
        second = deploy(home, bundle.digest, mlruns=tmp_path)
        assert first.approval.id != second.approval.id
        [aside] = home.deployed.glob(f"{bundle.digest}.before-*")
        assert (aside / "envelope.json").exists()
        found = open_deployed(home, TODAY)
        assert isinstance(found, Deployed)
        assert found.approval.id == second.approval.id

    @pytest.mark.parametrize(
        ("signers", "said", "code", "exit_code"),
        [
            (3, {"verdict": "FAIL"}, "verdict_failed", 3),
            (0, {}, "signature_missing", 4),
            (1, {}, "threshold", 4),
            (2, {}, "waiver_signature", 4),
            (3, {"review_date": TODAY - timedelta(days=2), "expires_on": TODAY - timedelta(days=1)}, "expired", 2),
            (3, {"policy_digest": "1" * 64}, "policy_changed", 2),
        ],
    )
    def test_the_gate_stops_it(self, home, keys, mlflow, tmp_path, signers, said, code, exit_code):
        bundle = tiny_bundle()
        put_candidate(home, bundle, keys[:signers], **said)
        mlflow.add(bundle, tmp_path / "v1")
        no = refusal(home, bundle.digest, tmp_path)
        assert (no.code, no.exit_code) == (code, exit_code)
        assert mlflow.aliases == {}

    def test_registered_bytes_that_were_swapped_are_not_deployed(self, home, keys, mlflow, tmp_path):
        bundle = tiny_bundle()
        put_candidate(home, bundle, keys)
        mlflow.add(bundle, tmp_path / "v1")
        booster = tmp_path / "v1" / "model.txt"
        booster.write_bytes(booster.read_bytes().replace(b"Tree=0", b"Tree=9", 1))
        assert refusal(home, bundle.digest, tmp_path).code == "digest_mismatch"

    def test_a_bundle_that_was_never_registered(self, home, keys, mlflow, tmp_path):
        bundle = tiny_bundle()
        put_candidate(home, bundle, keys)
        assert refusal(home, bundle.digest, tmp_path).code == "not_registered"

    def test_an_audit_is_shown_to_the_board_before_anyone_signs(self, home, keys):
        bundle = tiny_bundle()
        put_candidate(home, bundle, ())
        show_audit(home, bundle.digest)
        with as_job(home) as session:
            found = audit_of(session, bundle.digest)
            assert current_deployment(session) is None
        assert (found.verdict, found.is_current) == ("NOT_SETTLED", False)


class TestReconciling:
    @pytest.fixture
    def served(self, home, keys, mlflow, tmp_path):
        bundle = tiny_bundle()
        put_candidate(home, bundle, keys)
        mlflow.add(bundle, tmp_path / "v1")
        deploy(home, bundle.digest, mlruns=tmp_path)
        return bundle.digest

    def test_all_agree(self, home, served, tmp_path):
        assert reconcile(home, mlruns=tmp_path) is None
        assert isinstance(open_deployed(home, TODAY), Deployed)

    @pytest.mark.parametrize("damage", ["alias moved", "alias gone", "pointer moved"])
    def test_a_difference_ends_the_deployment_for_good(self, home, served, mlflow, tmp_path, damage):
        other = tiny_bundle(periods={"another": ["", "", "0"]})
        if damage == "alias moved":
            mlflow.move_alias(tmp_path, mlflow.add(other, tmp_path / "v2"))
        elif damage == "alias gone":
            mlflow.drop_alias(tmp_path)
        else:
            (home.deployed / POINTER).write_text(other.digest)
        said = reconcile(home, mlruns=tmp_path)
        assert said is not None
        assert "revoked" in said
        assert isinstance(open_deployed(home, TODAY), Refused)
        with as_job(home) as session:
            assert current_deployment(session) is None
            reason = session.execute(text("SELECT revoked_reason FROM deployments")).scalar_one()
        assert ("alias" in reason) == damage.startswith("alias")
        (home.deployed / POINTER).write_text(served)
        found = open_deployed(home, TODAY)
        assert isinstance(found, Refused)
        assert found.code == "revoked"
        with pytest.raises(NotDeployed) as caught:
            deploy(home, served, mlruns=tmp_path)
        assert caught.value.code == "revoked"

    def test_the_service_account_signs_the_revocation_and_only_people_begin_again(
        self, home, keys, served, mlflow, tmp_path
    ):
        mlflow.drop_alias(tmp_path)
        assert "with the service account's signature" in reconcile(home, mlruns=tmp_path)
        [entry] = read_ledger(home).of("revocation", served)
        assert json.loads(b64decode(entry.said["envelope"]["payload"]))["predicate"]["by"] == "service"
        put_candidate(home, tiny_bundle(), keys, reason="Looked at again: the alias was moved by mistake.")
        deploy(home, served, mlruns=tmp_path)
        assert isinstance(open_deployed(home, TODAY), Deployed)
        with as_job(home) as session:
            assert current_deployment(session).digest == served

    def test_without_a_trusted_service_key_it_stops_all_the_same(self, home, served, mlflow, tmp_path):
        (home.secrets / "service.pem").rename(tmp_path / "service.pem")
        mlflow.drop_alias(tmp_path)
        assert "unsigned" in reconcile(home, mlruns=tmp_path)
        found = open_deployed(home, TODAY)
        (tmp_path / "service.pem").rename(home.secrets / "service.pem")
        assert isinstance(found, Refused)
        assert found.code == "withdrawn"

    def test_with_a_broken_ledger_it_stops_all_the_same(self, home, served, mlflow, tmp_path):
        entry = sorted((home.path / "ledger").glob("*.json"))[0]
        entry.chmod(0o644)
        whole = entry.read_bytes()
        entry.write_bytes(whole.replace(b"audit", b"audio", 1))
        mlflow.drop_alias(tmp_path)
        assert "a broken ledger" in reconcile(home, mlruns=tmp_path)
        entry.write_bytes(whole)
        found = open_deployed(home, TODAY)
        assert isinstance(found, Refused)
        assert found.code == "withdrawn"

    def test_a_ledger_whose_end_was_cut_off_is_seen_by_the_database(self, home, served, tmp_path):
        """Cut to the audit's record alone the chain holds in itself; the revocation after it is missing."""
        stop(home, served, "Wrong records.", key=service_key(home), today=TODAY)
        newest = sorted((home.path / "ledger").glob("*.json"))[-1]
        newest.unlink()
        (home.deployed / f"{served}.revoked").unlink()
        found = open_deployed(home, TODAY)
        assert isinstance(found, Deployed)
        with as_job(home) as session:
            session.execute(text("UPDATE deployments SET revoked_at = NULL, revoked_reason = NULL"))
            row = current_deployment(session)
        assert not found.ledger.holds(Head(number=row.ledger[0], digest=row.ledger[1]))
        with pytest.raises(NotScored) as caught:
            score_network(home)
        assert caught.value.code == "ledger_broken"
        site: Any = SimpleNamespace(door=Door(home), database=lambda _: as_job(home))
        with pytest.raises(Refusal) as refused:
            may_score(site)
        assert (refused.value.status, refused.value.code) == (503, "ledger_broken")


def test_the_registry_itself_takes_part(home, keys, tmp_path):
    """Once with MLflow in place of the dictionary: alias → version → bytes → served."""
    bundle = tiny_bundle()
    put_candidate(home, bundle, keys)
    run = registry.log_run(tmp_path, bundle, parameters={}, metrics={})
    number = registry.register(tmp_path, bundle, run)
    deploy(home, bundle.digest, mlruns=tmp_path)
    assert registry.resolve(tmp_path).number == number
    assert reconcile(home, mlruns=tmp_path) is None
