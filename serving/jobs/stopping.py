"""Stopping what serves: a signed revocation in the ledger, and the deployment's end everywhere it is known."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

from casework.database import connect, scoped
from casework.deployments import current_deployment, note_ledger, revoke
from fairness.approval.ledger import FIRST, Head, LedgerBroken, read_ledger
from fairness.approval.revocation import RevocationRefused, revoke_approval
from fairness.approval.sealed import approval_id_of
from fairness.keys import SERVICE, SigningKey, service_key
from fairness.signoff import NotApproved, Statement, read_envelope, read_statement
from fairness.trusted import TrustRefused
from records.clock import clock_of
from records.home import Home
from records.refusal import Refusal
from serving.jobs.deploy import write_text
from serving.scoring import ENVELOPE, REVOKED, deployed_digest
from training import registry


class NothingToStop(Refusal):
    """No approval that could be revoked was found."""


def find_deployed(home: Home, digest: str) -> str:
    """Return the whole digest of the one bundle ever deployed here that starts so; '' names what is deployed now.

    Raises
    ------
    NothingToStop
        None does, or more than one.
    """
    if not digest:
        digest = deployed_digest(home) or "nothing is deployed"
    held = [path.name for path in home.deployed.glob("*") if path.is_dir() and len(path.name) == len(FIRST)]
    found = [name for name in held if name.startswith(digest)]
    if len(found) != 1:
        listed = ", ".join(sorted(name[:12] for name in held)) or "none"
        raise NothingToStop(f"no one deployed bundle begins with {digest[:20]!r}; deployed here: {listed}")
    return found[0]


def stop(home: Home, digest: str, reason: str, *, key: SigningKey, today: date) -> str:
    """Revoke the approval of a deployed bundle and end its deployment; return the approval's id.

    People alone begin again: a new audit and new signatures, under which the same bundle may serve.

    Raises
    ------
    NothingToStop
        The bundle was never deployed here, or its approval cannot be read.
    RevocationRefused
        No reason, or a key that trust.json does not know.
    """
    statement = _approved(home, digest)
    if statement is None:
        raise NothingToStop(f"{digest[:12]} is not deployed in this home, so there is nothing to revoke")
    revoke_approval(home, statement, key, reason=reason, on=today)
    withdraw(home, digest, reason)
    return approval_id_of(statement)


def stop_by_service(home: Home, digest: str, reason: str) -> str:
    """Stop what serves when nobody is there, by the service account's own key; return what was done, in words.

    Where trust.json does not name that key, the approval cannot be read or the ledger is broken, the
    deployment is ended all the same, without a signed statement.
    """
    today = clock_of(home).today()
    statement = _approved(home, digest)
    signed = False
    if statement is not None and (home.secrets / f"{SERVICE}.pem").exists():
        try:
            revoke_approval(home, statement, service_key(home), reason=reason, on=today)
            signed = True
        except (RevocationRefused, TrustRefused, LedgerBroken):
            signed = False
    withdraw(home, digest, reason)
    how = "with the service account's signature" if signed else "unsigned: no service key in trust, or a broken ledger"
    return f"The deployment of {digest[:12]} was revoked ({how}): {reason}"


def withdraw(home: Home, digest: str, reason: str) -> None:
    """End a deployment: every process sees it at its next request. `reason` names no pupil."""
    # The file first: a database that cannot be reached must not keep the door open.
    statement = _approved(home, digest)
    note = {"reason": reason, "at": datetime.now(UTC).isoformat()}
    note["approval_id"] = "" if statement is None else approval_id_of(statement)
    write_text(home.deployed / f"{digest}.{REVOKED}", json.dumps(note))
    try:
        head = read_ledger(home).head
    except LedgerBroken:  # what is broken opens no door; the end is recorded all the same
        head = Head(number=0, digest=FIRST)
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            note_ledger(session, digest, (head.number, head.digest))
            revoke(session, digest, reason, datetime.now(UTC))
    finally:
        engine.dispose()


def reconcile(home: Home, *, mlruns: Path) -> str | None:
    """Compare registry, database and pointer; where they name different bundles, revoke and say so.

    Someone who moves the alias by hand, or edits the pointer, does not choose what serves: the
    deployment ends, and only a new approval begins another. None: all three agree.
    """
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            row = current_deployment(session)
    finally:
        engine.dispose()
    if row is None:
        return None
    named = {"the registry's alias": _alias_digest(mlruns), "the pointer": deployed_digest(home)}
    other = [what for what, digest in named.items() if digest != row.digest]
    if not other:
        return None
    reason = f"{' and '.join(other).capitalize()} did not name the bundle that the database says is deployed."
    return stop_by_service(home, row.digest, reason)


def _approved(home: Home, digest: str) -> Statement | None:
    """Return the statement under which the bundle was deployed, as its envelope says; None where there is none."""
    try:
        return read_statement(read_envelope((home.deployed / digest / ENVELOPE).read_bytes()))
    except (OSError, NotApproved):
        return None


def _alias_digest(mlruns: Path) -> str | None:
    try:
        return registry.resolve(mlruns).digest
    except registry.NoVersion:
        return None
