"""The governance documents of a candidate, written as Markdown and PDF, and what is missing in them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import rfc8785

from fairness.documents.arrangement import joint_arrangement
from fairness.documents.document import Document
from fairness.documents.dossier import Dossier
from fairness.documents.human import human_of
from fairness.documents.impact import impact_annex
from fairness.documents.markdown import as_markdown
from fairness.documents.model_card import model_card
from fairness.documents.notices import parent_notice, pupil_notice
from fairness.documents.pdf import as_pdf
from fairness.documents.transparency import transparency_record
from records.agreements import register_of
from records.home import Home
from serving.jobs.reporting import NoReport, audited
from serving.scoring import ANNEX
from training.candidate import load_candidate

# The name of each document's files, and what writes it.
DOCUMENTS: Mapping[str, Callable[[Dossier], Document]] = {
    "model_card": model_card,
    "transparency_record": transparency_record,
    "impact_assessment_annex": impact_annex,
    "privacy_notice_pupils": pupil_notice,
    "privacy_notice_parents": parent_notice,
    "joint_controllers": joint_arrangement,
}
IMPACT = "impact_assessment_annex"


@dataclass(frozen=True, kw_only=True)
class Written:
    """One document, its files, its digest, and what people have yet to write in it."""

    name: str
    files: tuple[Path, ...]
    digest: str
    missing: tuple[str, ...]


def dossier_of(home: Home, digest: str, today: date) -> Dossier:
    """Return all that the documents are written from.

    Raises
    ------
    NoReport
        The candidate has not been audited.
    RegisterRefused, FieldsRefused, PolicyRefused, AuditUnreadable
        What they are written from cannot be read.
    """
    found = audited(home, digest, today)
    return Dossier(
        network=home.network,
        demo=home.demo,
        candidate=load_candidate(home, digest),
        view=found.view,
        policy=found.policy,
        register=register_of(home),
        human=human_of(home),
        today=today,
    )


def write_documents(home: Home, digest: str, folder: Path, today: date) -> tuple[Written, ...]:
    """Write every document into the folder. Raises as `dossier_of`, and NoReport where the folder is a file."""
    if folder.exists() and not folder.is_dir():
        raise NoReport(f"--out is {folder}, a file; name a folder")
    dossier = dossier_of(home, digest, today)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, make in DOCUMENTS.items():
        document = make(dossier)
        files = (folder / f"{name}.md", folder / f"{name}.pdf")
        files[0].write_text(as_markdown(document), encoding="utf-8")
        files[1].write_bytes(as_pdf(document))
        written.append(Written(name=name, files=files, digest=document.digest, missing=document.missing))
    return tuple(written)


def keep_annex(home: Home, digest: str, today: date) -> str:
    """Keep the annex to the impact assessment beside the candidate, as it is today; return its digest for signing.

    Raises as `dossier_of`.
    """
    annex = impact_annex(dossier_of(home, digest, today))
    folder = home.candidates / digest
    (folder / ANNEX).write_bytes(rfc8785.dumps(annex.to_json()))
    (folder / ANNEX).with_suffix(".md").write_text(as_markdown(annex), encoding="utf-8")
    return annex.digest
