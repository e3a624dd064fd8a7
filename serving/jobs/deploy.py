"""Deploying: a registered version's bytes are verified under signatures, copied once, and named by one pointer."""

import json
import os
import shutil
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

from casework.database import connect, scoped
from casework.deployments import StoredAudit, record_deployment, save_audit
from casework.rules import RuleBroken
from fairness.approval.record import RECORD_FILE
from fairness.findings import AuditUnreadable, read_audit
from fairness.policy import policy_of
from fairness.report import view
from fairness.signoff import Approval
from records import delta
from records.clock import clock_of
from records.history import latest
from records.home import Home
from records.refusal import Refusal
from records.tables import CALENDARS, SCHOOLS
from serving.jobs.describing import describe_model
from serving.jobs.gatekeeping import exit_code
from serving.jobs.reporting import earlier_audits
from serving.school_days import save_school_days
from serving.scoring import ANNEX, AUDIT, ENVELOPE, POINTER, Deployed, Refused, check_folder
from training import registry
from training.bundle import MANIFEST_FILE, MODEL_FILE, DigestMismatch, read_verified

# What lies beside the bundle's own files.
_BESIDE = (AUDIT, ENVELOPE, RECORD_FILE, ANNEX)


class NotDeployed(Refusal):
    """Nothing was deployed. `code` says why (serving/scoring.py), `exit_code` what the command ends with."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.exit_code = exit_code(code)


def deploy(home: Home, digest: str, *, mlruns: Path) -> Deployed:
    """Deploy the signed candidate with this digest and return what now serves.

    The bytes are MLflow's, the audit and the signatures the candidate's; all of them are verified where
    they will lie, before anything names them. The alias moves last.

    Raises
    ------
    NotDeployed
        The version is not registered, its bytes differ, or its approval does not allow it.
    """
    today = clock_of(home).today()
    number = registry.version_of(mlruns, digest)
    if number is None:
        raise NotDeployed("not_registered", f"MLflow has no version with bundle {digest[:12]}; run `belong train`.")
    home.deployed.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=home.deployed))
    try:
        _gather(home, digest, registry.version(mlruns, number).folder, partial)
        found = check_folder(home, partial, digest, today)
        if isinstance(found, Refused):
            raise NotDeployed(found.code, found.sentence)
        audit = _audit(home, partial, found.approval)
        _put(partial, home.deployed / digest)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    save_network_days(home, today)
    _record(home, found, audit)
    registry.move_alias(mlruns, number)
    registry.tag_version(mlruns, digest, {"verdict": found.approval.verdict})
    return found


def save_network_days(home: Home, today: date) -> None:
    """Bring the schools and calendars that the web process reads up to date with the record store."""
    schools, _ = delta.read(home.history, SCHOOLS, 0)
    calendars, _ = delta.read(home.history, CALENDARS, 0)
    if len(schools):
        save_school_days(home, latest(schools, SCHOOLS, today), latest(calendars, CALENDARS, today), today)


def _gather(home: Home, digest: str, registered: Path, folder: Path) -> None:
    try:
        bundle = read_verified(registered, digest)
    except DigestMismatch:
        raise NotDeployed("digest_mismatch", "The registered version's bytes are not the candidate's.") from None
    (folder / MANIFEST_FILE).write_bytes(bundle.manifest_bytes)
    (folder / MODEL_FILE).write_bytes(bundle.model)
    for name in _BESIDE:
        source = home.candidates / digest / name
        if source.exists():
            shutil.copyfile(source, folder / name)
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o755)


def _audit(home: Home, folder: Path, approval: Approval) -> StoredAudit:
    try:
        return stored_audit(home, folder, approval)
    except AuditUnreadable as error:
        raise NotDeployed("audit_unreadable", f"The audit cannot be shown to the board: {error}.") from error


def _put(partial: Path, place: Path) -> None:
    """Move the checked folder to its place. The same bundle under a new approval: the old folder is kept aside."""
    if place.exists():
        if all(
            _same(partial / name, place / name) for name in (MANIFEST_FILE, MODEL_FILE, AUDIT, ENVELOPE, RECORD_FILE)
        ):
            return
        aside = place.with_name(f"{place.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
        os.replace(place, aside)
    os.replace(partial, place)


def _same(one: Path, other: Path) -> bool:
    return other.exists() and one.read_bytes() == other.read_bytes()


def stored_audit(home: Home, folder: Path, approval: Approval | None = None) -> StoredAudit:
    """Return the audit in a candidate's or a deployed folder as the board's page reads it.

    Raises
    ------
    AuditUnreadable
        There is no audit, or not one of this version.
    """
    audit = read_audit(folder / AUDIT)
    shown = view(audit, policy=policy_of(home), approval=approval, earlier=earlier_audits(home, audit))
    envelope = folder / ENVELOPE
    return StoredAudit(
        bundle_digest=audit.bundle_digest,
        verdict=str(shown["verdict"]),
        created_on=audit.created_on,
        is_current=approval is not None,
        payload={**audit.to_json(), "view": shown},
        envelope=json.loads(envelope.read_bytes()) if envelope.exists() else None,
    )


def show_audit(home: Home, digest: str) -> None:
    """Put a candidate's audit, and what it was tested on, before the board; it is not deployed by this."""
    describe_model(home, digest)
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            save_audit(session, stored_audit(home, home.candidates / digest))
    finally:
        engine.dispose()


def _record(home: Home, found: Deployed, audit: StoredAudit) -> None:
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            save_audit(session, audit)
            head = found.ledger.head
            record_deployment(session, found.digest, found.approval.id, datetime.now(UTC), (head.number, head.digest))
            # Inside the transaction: a pointer that cannot be written leaves no row that says it serves.
            write_text(home.deployed / POINTER, found.digest + "\n")
    except RuleBroken as error:
        raise NotDeployed("withdrawn", str(error)) from error
    finally:
        engine.dispose()


def write_text(file: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    partial = file.with_name(f"{file.name}.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, file)
