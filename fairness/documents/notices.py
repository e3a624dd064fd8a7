"""Privacy notices in plain English: one for pupils, one for parents and carers."""

from fairness.documents.document import Block, Document, facts, grid, head, points, words
from fairness.documents.dossier import AGREEMENT_HEADS, Dossier, agreement_rows
from fairness.documents.human import Human

_FIELDS = ("notice.ask", "notice.where", "use.challenge", "use.help", "owner.contact")


def pupil_notice(dossier: Dossier) -> Document:
    """Return the notice for pupils: short sentences, no law that they would have to know."""
    human = dossier.human
    return Document(
        title="Belong: what it does with your school record",
        subtitle=f"For pupils. {dossier.network}.",
        on=dossier.on,
        draft=True,
        missing=human.missing(*_FIELDS),
        blocks=(
            head("What is Belong?"),
            *words(
                "School can get harder, bit by bit, before anyone notices. Belong is a computer program that helps "
                "staff at your school notice earlier, so that they can ask how things are and offer help."
            ),
            head("What does it look at?"),
            *points(
                (
                    "Whether you were in school and in lessons, and if you were late.",
                    "What staff wrote down about behaviour, and about things that went well.",
                    "Suspensions, and moves between schools.",
                )
            ),
            *words(
                "It does not use your sex, ethnic group, religion, language, free school meals or special needs to "
                "work out anything about you. Those are only used to check that Belong does not treat groups worse."
            ),
            head("What happens then?"),
            *points(
                (
                    "Each week it works out whether your record looks like things are getting harder.",
                    "If so, someone at your own school is asked to look. They first say what they think themselves.",
                    "A person decides if anything is offered to you. It is help, not a punishment.",
                    "The program does not decide anything. It can be wrong, and often is.",
                )
            ),
            *_how_often(dossier),
            head("Who can see it?"),
            *words(
                "Staff at your school who work with you. Every look is written down. Nothing about you goes to the "
                "police from Belong. Boards and other people get numbers about large groups only."
            ),
            *_pupils_can(human),
        ),
    )


def parent_notice(dossier: Dossier) -> Document:
    """Return the notice for parents and carers: the same facts, with the basis in law and the rights by name."""
    human, network = dossier.human, dossier.register.network
    horizon = dossier.policy.population.horizon_school_weeks
    return Document(
        title="Belong: how your child's school record is used to offer help early",
        subtitle=f"For parents and carers. {dossier.network}.",
        on=dossier.on,
        draft=True,
        missing=human.missing(*_FIELDS),
        blocks=(
            head("What it is for"),
            *words(
                f"Belong reads what schools already record and notices pupils whose risk of being {dossier.happened} "
                f"in the next {horizon} school weeks is rising. It asks a member of staff at the pupil's own school "
                "to look, and to offer help. It decides nothing, and no sanction can follow from it."
            ),
            *_how_often(dossier),
            head("Whose responsibility it is"),
            *facts(
                (
                    ("Controller", network.name),
                    ("Contact", network.contact),
                    ("Data-protection officer", network.data_protection_officer),
                    ("Who to ask", human.text("notice.ask")),
                )
            ),
            head("What is used, why, and on what basis"),
            *grid("", AGREEMENT_HEADS, agreement_rows(dossier), widths=(4, 5, 6, 4, 2)),
            head("What is not used"),
            *words(
                "No protected characteristic is used to score a pupil. Sex, ethnic group, special educational needs, "
                "language, free school meals and the like lie apart and are read only to check, group by group, that "
                "the model's mistakes do not fall on some groups more than others."
            ),
            head("Is it decided by a computer?"),
            *words(
                "No. A member of staff looks, writes down their own view before they see any figure, and decides what "
                "to offer. You can be told about it, say what you think, ask for a person to look, and contest it (UK "
                "GDPR, Articles 22A to 22D)."
            ),
            *_rights(human),
            head("How it is checked"),
            *words(
                "Before a model may be used, its mistakes are compared between groups of pupils and held against "
                "limits that the board set beforehand. People who did not build it must sign, and what they sign ends "
                f"by itself. The last audit's result: {dossier.view['first']['sentence']}"
            ),
        ),
    )


def _how_often(dossier: Dossier) -> tuple[Block, ...]:
    said = dossier.view["past_lists"]
    return (head("How often is it right?"), *words(said)) if said else ()


def _pupils_can(human: Human) -> tuple[Block, ...]:
    """What a pupil can do, and whom to ask."""
    return (
        head("What can you do?"),
        *points(
            (
                "Ask to see everything Belong has about you. You get it in plain words.",
                "Say that something is wrong. School can put it right.",
                "Say no to being scored. From the next week there is no score and no flag.",
                "Ask for a person to look, and say what you think about it.",
                "Complain, and get an answer.",
            )
        ),
        *facts(
            (
                ("Who to ask", human.text("notice.ask")),
                ("To question a flag", human.text("use.challenge")),
                ("What help there is", human.text("use.help")),
                ("Write to", human.text("owner.contact")),
            )
        ),
    )


def _rights(human: Human) -> tuple[Block, ...]:
    """The rights by name, and whom to ask."""
    return (
        head("Your and your child's rights"),
        *points(
            (
                "To see all that is held, in plain words (Article 15).",
                "To have it corrected (Article 16): the school corrects its own record, and Belong follows.",
                "To have it erased (Article 17): the data-protection officer decides and gives reasons.",
                "To object (Article 21): from the next run there is no score and no flag.",
                (
                    "To complain to the network, also by an electronic form. It is acknowledged within 30 days, "
                    "and you are told the outcome without undue delay (Data Protection Act 2018, section 164A)."
                ),
                "To complain to the Information Commissioner's Office (ico.org.uk) if that does not satisfy you.",
            )
        ),
        *facts((("To question a flag", human.text("use.challenge")), ("What help there is", human.text("use.help")))),
    )
