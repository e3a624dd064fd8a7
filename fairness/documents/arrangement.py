"""The arrangement between joint controllers: who does what, by the register and by what the system enforces."""

from fairness.documents.document import Document, facts, grid, head, words
from fairness.documents.dossier import AGREEMENT_HEADS, Dossier, agreement_rows

_FIELDS = (
    "arrangement.parties",
    "arrangement.informs",
    "arrangement.answers",
    "arrangement.breaches",
    "arrangement.ends",
    "arrangement.signed",
    "owner.contact",
)
_DUTIES = (
    ("Say by what agreement each field is read", "The network", "A field without cover is dropped before it is kept"),
    ("Keep records right", "Each school", "Belong copies them; a correction at the school is a new version here"),
    ("Explain a doubtful file", "Each school", "A school in doubt is not scored, and is asked by name of rule"),
    ("Look at flags and offer help", "Each school", "Staff see pupils of their own school alone"),
    (
        "Set the limits and sign the audit",
        "The board",
        "No model serves without two signatures, neither of them by someone who trained it",
    ),
    ("Decide on requests about rights", "The data-protection officer", "Each decision is kept with its reason"),
    ("Delete what is past its time", "The network", "`belong purge` deletes and counts; an agreement may allow less"),
)


def joint_arrangement(dossier: Dossier) -> Document:
    """Return the arrangement as a draft for the parties to complete and sign."""
    human, network = dossier.human, dossier.register.network
    controllers = list(dict.fromkeys(one.controller for one in dossier.agreements))
    return Document(
        title="Arrangement between joint controllers",
        subtitle=dossier.subtitle,
        on=dossier.on,
        draft=True,
        missing=human.missing(*_FIELDS),
        blocks=(
            head("The parties"),
            *facts(
                (
                    ("Network", f"{network.name}; {network.contact}"),
                    ("Data-protection officer", network.data_protection_officer),
                    ("Who answers for the records, by the register", "; ".join(controllers)),
                    ("Parties by name", human.text("arrangement.parties")),
                )
            ),
            head("What is shared"),
            *grid("", AGREEMENT_HEADS, agreement_rows(dossier), widths=(4, 5, 6, 4, 2)),
            head("Who does what"),
            *grid("", ("Duty", "Whose", "How the system holds it"), _DUTIES, widths=(4, 3, 6)),
            head("What the parties agree"),
            *facts(
                (
                    ("Who informs pupils and parents", human.text("arrangement.informs")),
                    ("Who answers requests", human.text("arrangement.answers")),
                    ("When something goes wrong", human.text("arrangement.breaches")),
                    ("When a school leaves", human.text("arrangement.ends")),
                    ("Contact for pupils and parents", human.text("owner.contact")),
                    ("Signed", human.text("arrangement.signed")),
                )
            ),
            *words(
                "A pupil or parent may turn to any of the parties. Pupil-level records, flags and reasons leave Belong "
                "only to the pupil's own school and to the pupil; other partners see counts under disclosure control."
            ),
        ),
    )
