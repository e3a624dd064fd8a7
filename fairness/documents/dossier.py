"""What the governance documents are written from: the run, the audit as shown, the policy, the register, people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fairness.documents.board_report import day_words
from fairness.documents.human import Human
from fairness.policy import Policy
from records.agreements import Agreement, Register
from records.rights.processing_record import partner_sees
from training.candidate import Candidate
from training.settings import counted


@dataclass(frozen=True, kw_only=True)
class Dossier:
    """Everything at hand on one candidate. `view` is the audit after disclosure control (`fairness.report.view`)."""

    network: str
    demo: bool
    candidate: Candidate
    view: Mapping[str, Any]
    policy: Policy
    register: Register
    human: Human
    today: date

    @property
    def digest(self) -> str:
        """The bundle's digest."""
        return self.candidate.bundle.digest

    @property
    def on(self) -> date:
        """The day of the audit: it dates every document written from it."""
        return date.fromisoformat(self.view["about"]["created_on"])

    @property
    def subtitle(self) -> str:
        """Whose it is and which model it is of."""
        said = f"{self.network}; bundle {self.digest[:12]}, audited on {day_words(self.on)}."
        return f"{said} Demonstration: no child in it exists." if self.demo else said

    @property
    def happened(self) -> str:
        """What the flag is about: 'suspended or excluded'."""
        return str(counted(self.candidate.bundle.manifest["settings"]).happened)

    @property
    def agreements(self) -> Sequence[Agreement]:
        """The agreements that stand on the day."""
        return [one for one in self.register.agreement if one.standing(self.today) == "valid"]

    @property
    def periods(self) -> list[tuple[str, str]]:
        """Each period of the run and its days, in words."""
        names = {
            "train": "Learned from",
            "calibrate": "Percentages set on",
            "audit": "Audited on",
            "serve": "Used in",
        }
        days = self.candidate.periods
        return [
            (said, f"{day_words(date.fromisoformat(days[name][0]))} to {day_words(date.fromisoformat(days[name][1]))}")
            for name, said in names.items()
            if len(days.get(name, ())) > 1
        ]


def agreement_rows(dossier: Dossier) -> list[tuple[str, ...]]:
    """Return the agreements that stand: what, why, on what basis, who receives, until when."""
    shared = [
        (
            one.title,
            one.purpose,
            f"{one.lawful_basis}{f'; {one.condition}' if one.condition else ''}",
            ", ".join(one.recipients) or "nobody else",
            day_words(one.ends),
        )
        for one in dossier.agreements
    ]
    partners = [
        (f"With a partner: {partner_sees(one)}", one.purpose, one.lawful_basis, one.title, day_words(one.ends))
        for one in dossier.register.partner
        if one.standing(dossier.today) == "valid"
    ]
    return [*shared, *partners]


AGREEMENT_HEADS = ("What is shared", "Why", "Lawful basis, as the register says it", "Who receives it", "Until")
