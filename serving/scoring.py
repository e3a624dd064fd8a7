"""The deployed bundle, opened only under a passed (or waived) and signed gate; otherwise the reason why not."""

import json
import os
import threading
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from fairness.approval import ledger as ledgers
from fairness.approval.ledger import Ledger, LedgerBroken, read_ledger
from fairness.approval.record import RECORD_FILE
from fairness.approval.revocation import RevocationRefused, trust_in_force
from fairness.approval.standing import missed_audit
from fairness.findings import AuditUnreadable, read_audit
from fairness.gate import decide
from fairness.policy import POLICY_FILE, PolicyRefused, policy_of
from fairness.signoff import Approval, NotApproved, verify
from fairness.trust import TRUST_FILE, TrustRefused
from features.catalogue import fingerprint
from records.clock import clock_of
from records.home import Home
from training.bundle import Bundle, DigestMismatch, read_verified, scoring_digest, sha256

if TYPE_CHECKING:
    from training.scorer import Scorer

POINTER = "current"
ENVELOPE = "envelope.json"
AUDIT = "audit.json"
ANNEX = "impact_assessment_annex.json"
REVOKED = "revoked"
# How long an unchanged folder is trusted before every byte is read again, in seconds of the wall clock.
RECHECK_SECONDS = 60.0

# Codes of `fairness.signoff.CODES` come through as they are; these are the door's own.
CODES = {
    "no_deployment": "nothing is deployed",
    "digest_mismatch": "the bytes are not the ones that were signed",
    "bundle_unreadable": "verified bytes that this version cannot read",
    "audit_unreadable": "there is no audit that can be read",
    "policy_unreadable": "the policy in force cannot be read",
    "trust_unreadable": "there is no usable trust.json",
    "code_changed": "the scoring code or the features are not the ones that were audited",
    "withdrawn": "the deployment was withdrawn",
    "wrong_record": "the audit's record is missing, is not the one that was signed, or is not in the home's ledger",
    "wrong_annex": "the annex to the impact assessment is missing or is not the one that was signed",
    "ledger_broken": "the home's ledger of audits and revocations is not the chain that was written",
    "audit_missed": "the deployed model has not been audited again for longer than the policy allows",
}


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Why nothing is scored: a code of `CODES` or of `fairness.signoff.CODES`, and one sentence for people."""

    code: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A bundle that may serve today: its verified bytes, parsed, and the approval that allows it.

    `ledger` is the home's, as it was read: the database keeps a head that it must still hold.
    """

    bundle: Bundle
    scorer: "Scorer"
    approval: Approval
    demo: bool
    ledger: Ledger

    @property
    def digest(self) -> str:
        """What audit, signatures, registry and serving call this bundle."""
        return self.bundle.digest


def open_deployed(home: Home, today: date) -> Deployed | Refused:
    """Return what is deployed in this home, or why it may not serve today; never raises for a bad file.

    The order matters: bytes against the digest, then signatures under this home's own trust, then the
    code that would run, and only then is the booster parsed (a damaged one ends the process).
    """
    digest = deployed_digest(home)
    if digest is None:
        return Refused(code="no_deployment", sentence="No model is deployed.")
    return check_folder(home, home.deployed / digest, digest, today)


def check_folder(home: Home, folder: Path, digest: str, today: date) -> Deployed | Refused:
    """Return the bundle of a folder under the digest it must have, or why it may not serve today."""
    try:
        return _opened(home, folder, digest, today)
    except NotApproved as error:
        return Refused(code=error.code, sentence=error.sentence)
    except _Stopped as error:
        return Refused(code=error.code, sentence=str(error))
    except _UNREADABLE as error:
        # The first kind that fits: DigestMismatch and the like before the general ones at the end.
        code, sentence = next(words for kind, words in _WORDS if isinstance(error, kind))
        return Refused(code=code, sentence=sentence)


_WORDS: tuple[tuple[type[Exception], tuple[str, str]], ...] = (
    (DigestMismatch, ("digest_mismatch", "The deployed model is not the one that was approved: its bytes differ.")),
    (NotADirectoryError, ("digest_mismatch", "The deployed model is not where it should be.")),
    (AuditUnreadable, ("audit_unreadable", "The audit that was signed is missing or cannot be read.")),
    (TrustRefused, ("trust_unreadable", "The list of those who may sign is missing or unusable.")),
    (LedgerBroken, ("ledger_broken", "The home's ledger was cut or changed, so a revocation may be missing from it.")),
    (RevocationRefused, ("ledger_broken", "A revocation in the home's ledger cannot be checked.")),
    (PolicyRefused, ("policy_unreadable", "The board's limits cannot be read, so no approval can hold.")),
    (OSError, ("bundle_unreadable", "The deployed model cannot be read from disk.")),
    (ValueError, ("bundle_unreadable", "The deployed model cannot be read by this version.")),
)
_UNREADABLE = tuple(kind for kind, _ in _WORDS)


class _Stopped(Exception):
    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def _opened(home: Home, folder: Path, digest: str, today: date) -> Deployed:
    bundle = read_verified(folder, digest)
    ledger = read_ledger(home)
    approval = _approval(home, folder, digest, today, ledger)
    if withdrawn(home, digest) in {approval.id, ""}:
        raise _Stopped("withdrawn", "The deployed model was withdrawn; people must approve one anew.")
    if not_watched := missed_audit(ledger, approval, policy_of(home), today):
        raise _Stopped("audit_missed", not_watched)
    said = bundle.manifest
    # The bundle itself names who trained it; what the statement says of that was written by its signers.
    if {person for person, _ in approval.signers} & set(said["data"].get("trained_by", ())):
        raise _Stopped("trainer_signed", "Someone who trained this model signed its approval.")
    if said["feature_fingerprint"] != fingerprint() or said["scoring_digest"] != scoring_digest():
        raise _Stopped("code_changed", "The scoring code has changed since the model was audited; audit it again.")
    # LightGBM brings scikit-learn along, a second of imports: a process starts without, and opens its door then.
    from training.scorer import Scorer  # noqa: PLC0415  # see above

    return Deployed(bundle=bundle, scorer=Scorer(bundle), approval=approval, demo=approval.demo, ledger=ledger)


def withdrawn(home: Home, digest: str) -> str | None:
    """Return the approval that was withdrawn, '' where the note does not name one; None: nothing was withdrawn."""
    try:
        said = json.loads((home.deployed / f"{digest}.{REVOKED}").read_bytes())
        return str(said["approval_id"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def deployed_digest(home: Home) -> str | None:
    """Return the digest that the pointer names; None where nothing is deployed or the pointer is damaged."""
    try:
        digest = (home.deployed / POINTER).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return digest if len(digest) == 64 and set(digest) <= set("0123456789abcdef") else None


def _approval(home: Home, folder: Path, digest: str, today: date, ledger: Ledger) -> Approval:
    audit, policy = read_audit(folder / AUDIT), policy_of(home)
    try:
        envelope = (folder / ENVELOPE).read_bytes()
    except FileNotFoundError:
        envelope = None
    try:
        approval = verify(
            envelope,
            trust_in_force(home, ledger),
            today=today,
            bundle_digest=digest,
            policy_digest=policy.digest,
            audit_digest=audit.digest,
            demo_home=home.demo,
        )
    except NotApproved as no:
        # Nobody signs a failure, so a missing signature must not hide that there is one.
        if no.code == "signature_missing" and decide(audit, policy).verdict == "FAIL":
            raise _Stopped("verdict_failed", "The model failed its fairness audit; it may not serve.") from no
        raise
    _check_record(folder, approval, ledger)
    if approval.annex_digest and _digest(folder / ANNEX) != approval.annex_digest:
        raise _Stopped("wrong_annex", "The annex to the impact assessment is not the one that was signed.")
    # People sign what they are told the audit says; here the audit itself is asked again.
    verdict = decide(audit, policy).verdict
    if verdict == "FAIL":
        raise _Stopped("verdict_failed", "The model failed its fairness audit, whatever was signed; it may not serve.")
    if verdict != approval.audited:
        raise _Stopped("verdict_mismatch", f"The audit says {verdict}, and what was signed says {approval.audited}.")
    return approval


def _check_record(folder: Path, approval: Approval, ledger: Ledger) -> None:
    """Refuse an audit's record that is not the one signed, or that the ledger does not hold."""
    digest = _digest(folder / RECORD_FILE)
    entry = ledger.entry(digest)
    known = entry is not None and entry.kind == "audit" and entry.bundle == approval.bundle_digest
    if digest != approval.record_digest or not known:
        raise _Stopped("wrong_record", "The audit's record is not the one that was signed, or not in the ledger.")


def _digest(file: Path) -> str:
    try:
        return sha256(file.read_bytes())
    except OSError:
        return ""


class Door:
    """The scoring door of one process: what is deployed, checked again whenever a file or the day changes.

    A change on disk is seen at the next request by the files' times and sizes; a change that hides
    them is seen within `RECHECK_SECONDS`, when every byte is read again.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self._lock = threading.Lock()
        self._found: Deployed | Refused | None = None
        self._seen: tuple[object, ...] = ()
        self._at = 0.0
        self._pointer = str(home.deployed / POINTER)
        self._pointer_seen: _Stamp | None = None
        self._files: tuple[str, ...] = ()

    def deployed(self) -> Deployed | Refused:
        """Return the bundle that may serve now, or why there is none."""
        today = clock_of(self.home).today()
        with self._lock:
            late = time.monotonic() - self._at > RECHECK_SECONDS
            seen = (today, *self._stamps(anew=late))
            if self._found is None or seen != self._seen or late:
                self._found = open_deployed(self.home, today)
                self._seen, self._at = seen, time.monotonic()
            return self._found

    def _stamps(self, *, anew: bool) -> tuple[object, ...]:
        """Return what tells at a glance whether any file that the door relies on has changed.

        Asked at every request: the pointer is read only when its own stamp has changed, or `anew`.
        """
        pointer = _stamp(self._pointer)
        if anew or pointer is None or pointer != self._pointer_seen:
            self._files, self._pointer_seen = _relied_on(self.home), pointer
        return (pointer, *map(_stamp, self._files))


_Stamp = tuple[int, int, int, int]


def _relied_on(home: Home) -> tuple[str, ...]:
    """Return the files, beside the pointer, that decide whether what is deployed may serve."""
    digest = deployed_digest(home) or "none"
    folder = home.deployed / digest
    files = [
        home.trust / TRUST_FILE,
        home.path / POLICY_FILE,
        home.deployed / f"{digest}.{REVOKED}",
        # A folder's time changes with every entry added or taken out; an edit of one is seen within a minute.
        home.path / ledgers.FOLDER,
    ]
    files += [folder / name for name in ("bundle.json", "model.txt", ENVELOPE, AUDIT, RECORD_FILE, ANNEX)]
    return tuple(map(str, files))


def _stamp(file: str) -> _Stamp | None:
    try:
        found = os.stat(file)  # a Path for each of a dozen files would cost more than all else that is asked
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
