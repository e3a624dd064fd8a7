"""The board's report on an audit, as a page, a PDF and data, from what lies beside a candidate."""

import json
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from fairness.approval.ledger import LedgerBroken
from fairness.approval.revocation import RevocationRefused, trust_in_force
from fairness.documents.board_report import Past, board_report
from fairness.documents.document import Document
from fairness.documents.pdf import as_pdf
from fairness.documents.plain_words import VERDICT_WORDS
from fairness.findings import Audit, AuditUnreadable, read_audit
from fairness.policy import Policy, policy_of
from fairness.report import view
from fairness.signoff import Approval, NotApproved, verify
from fairness.trust import TrustRefused
from records.home import Home
from records.refusal import Refusal
from serving.rendering import environment
from serving.scoring import AUDIT, ENVELOPE


class NoReport(Refusal):
    """There is no audit to report on, or nowhere to write."""


@dataclass(frozen=True, kw_only=True)
class Audited:
    """A candidate's audit, the approval that holds for it today, if any, and the audits made before it."""

    audit: Audit
    policy: Policy
    approval: Approval | None
    earlier: tuple[Audit, ...]

    @property
    def view(self) -> dict[str, Any]:
        """What may be shown of it: disclosure control is applied here and nowhere after."""
        return view(self.audit, policy=self.policy, approval=self.approval, earlier=self.earlier)


def audited(home: Home, digest: str, today: date) -> Audited:
    """Return what there is to report of the candidate with this digest.

    Raises
    ------
    NoReport
        It has not been audited.
    AuditUnreadable
        Its audit is not of this version.
    """
    file = home.candidates / digest / AUDIT
    if not file.exists():
        raise NoReport(f"candidate {digest[:12]} has no audit; run `belong audit {digest[:12]}`")
    audit, policy = read_audit(file), policy_of(home)
    return Audited(
        audit=audit,
        policy=policy,
        approval=approval_of(home, audit, policy, today),
        earlier=earlier_audits(home, audit),
    )


def earlier_audits(home: Home, audit: Audit) -> tuple[Audit, ...]:
    """Return the audits in this home that were made no later than this one, oldest first; unreadable ones left out."""
    found = []
    for file in sorted(home.candidates.glob(f"*/{AUDIT}")):
        try:
            other = read_audit(file)
        except AuditUnreadable:
            continue
        if other.created_on <= audit.created_on and other.bundle_digest != audit.bundle_digest:
            found.append(other)
    return tuple(sorted(found, key=lambda one: (one.created_on, one.bundle_digest)))


def approval_of(home: Home, audit: Audit, policy: Policy, today: date) -> Approval | None:
    """Return the approval that the candidate's envelope gives today; None: it gives none, or was revoked."""
    envelope = home.candidates / audit.bundle_digest / ENVELOPE
    if not envelope.exists():
        return None
    try:
        return verify(
            envelope.read_bytes(),
            trust_in_force(home),
            today=today,
            bundle_digest=audit.bundle_digest,
            policy_digest=policy.digest,
            audit_digest=audit.digest,
            demo_home=home.demo,
        )
    except (NotApproved, TrustRefused, LedgerBroken, RevocationRefused):
        return None


def report_of(home: Home, found: Audited) -> Document:
    """Return the report, with every audit of the home up to this one as its history."""
    shown = found.view
    history = [
        *(_past(home, one, view(one, policy=found.policy)["verdict"]) for one in found.earlier),
        _past(home, found.audit, shown["verdict"]),
    ]
    return board_report(shown, network=home.network, demo=home.demo, history=history)


def _past(home: Home, audit: Audit, verdict: str) -> Past:
    signed = (home.candidates / audit.bundle_digest / ENVELOPE).exists()
    return Past(on=audit.created_on, model=audit.bundle_digest[:12], result=VERDICT_WORDS[verdict], signed=signed)


def write_report(home: Home, digest: str, folder: Path, today: date) -> tuple[Path, ...]:
    """Write report.html, report.pdf and report.json into the folder and return their paths.

    Raises
    ------
    NoReport, AuditUnreadable
        See `audited`; or the folder is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise NoReport(f"--out is {folder}, a file; name a folder")
    found = audited(home, digest, today)
    document = report_of(home, found)
    folder.mkdir(parents=True, exist_ok=True)
    written = {
        "report.html": as_html_file(document).encode(),
        "report.pdf": as_pdf(document),
        "report.json": json.dumps(found.view, indent=1, sort_keys=True, allow_nan=False).encode() + b"\n",
    }
    for name, content in written.items():
        (folder / name).write_bytes(content)
    return tuple(folder / name for name in written)


def as_html_file(document: Document) -> str:
    """Return the document as one HTML file that needs nothing beside it."""
    style = files("fairness.documents").joinpath("charts.css").read_text(encoding="utf-8")
    return environment({}).get_template("document_file.html").render(document=document, chart_style=style)
