"""The annex to the data-protection impact assessment: what the system does, found in the run, and the risks it knows.

The judgement (necessity, proportion, what risk is accepted) is people's, and stands as missing until they write it.
"""

from fairness.documents.document import Block, Document, facts, grid, head, points, words
from fairness.documents.dossier import AGREEMENT_HEADS, Dossier, agreement_rows
from fairness.documents.plain_words import VERDICT_WORDS
from fairness.words import listed
from features.catalogue import CATALOGUE
from features.feature import GROUPS
from records.agreements import REGISTERED
from training.inputs import inputs_of

_FIELDS = (
    "assessment.necessity",
    "assessment.proportionality",
    "assessment.consulted",
    "assessment.officer_advice",
    "assessment.remaining_risk",
    "assessment.completed_on",
    "equality.due_regard",
)
_FLOW = (
    "Schools send export files. A field that no agreement covers is dropped before it is kept anywhere.",
    "Each pupil's number is turned into a keyed pseudonym. Names are kept apart, sealed under a key for each pupil.",
    "Protected characteristics lie in a store of their own, which only the audit reads. The model cannot.",
    (
        "Once a week each pupil on roll is scored from what was known before that day. Few are flagged: a school's "
        "share is capped."
    ),
    (
        "Staff of the pupil's own school see the list and the recorded facts. They write down their own view before "
        "any figure or reason is shown."
    ),
    "A person decides what to offer. Sanctions cannot be chosen. Every look at a pupil is logged.",
    "The model may serve only under an audit and signatures, which end; counts alone reach the board.",
)
_RISKS = (
    (
        "A group is passed over or wrongly flagged more often than others",
        (
            "The fairness audit, group by group, with three results; a failure cannot be waived; the server refuses a "
            "model without a signed audit"
        ),
    ),
    (
        "Unjust sanctions are learned and carried on",
        (
            "Sanctions for each incident of the same severity are shown by group and school; other outcomes and how "
            "much discretion would move the result stand beside the verdict"
        ),
    ),
    (
        "Staff follow the flag without thinking",
        (
            "Own view first; the figure comes later, with its usual share and past lists' true results; agreement and "
            "time to review are watched"
        ),
    ),
    (
        "A flag becomes a label that follows a pupil",
        "No colour, no ranking, no score on lists; flags expire; nothing about a pupil leaves Belong for enforcement",
    ),
    (
        "Records are wrong or late",
        "Rows are checked, held or put aside with reasons; a school in doubt is not scored; corrections are versions",
    ),
    (
        "Someone sees what they should not",
        "Access by role and school, enforced in the database; every look in a chained log; names sealed per pupil",
    ),
    (
        "Small numbers in reports point to a pupil",
        "Figures on few pupils are hidden with all that would give them away; counts are rounded; tests attack it",
    ),
    (
        "It is used for something else",
        (
            "Agreements say why each field may be read, and until when; pupil-level records have no way out but to the "
            "pupil's own school and the pupil"
        ),
    ),
)


def impact_annex(dossier: Dossier) -> Document:
    """Return the annex. Its digest (`Document.digest`) can be named in the approval."""
    human, view = dossier.human, dossier.view
    return Document(
        title="Annex to the data-protection impact assessment",
        subtitle=dossier.subtitle,
        on=dossier.on,
        draft=True,
        missing=human.missing(*_FIELDS),
        blocks=(
            head("Why an assessment is made"),
            *words(
                "UK GDPR, Article 35. The Information Commissioner's list names artificial intelligence together with "
                "another criterion, large-scale profiling, and children's data; this use is all three."
            ),
            head("How records flow"),
            *points(_FLOW),
            head("What is shared, and by what agreement"),
            *grid("", AGREEMENT_HEADS, agreement_rows(dossier), widths=(4, 5, 6, 4, 2)),
            *_kept(dossier),
            head("What the model reads"),
            *_inputs(dossier),
            head("What was measured"),
            *words(f"Audit: {VERDICT_WORDS[view['verdict']]}. {view['first']['sentence']} {view['past_lists']}"),
            *points(view["sentences"]),
            head("Is it a decision by a machine alone?"),
            *words(
                "UK GDPR, Articles 22A to 22D (in force since 5 February 2026), ask whether people are meaningfully "
                "involved. A flag changes nothing about a pupil: a person looks, writes their own view first, may "
                "disagree, and decides what to offer. A pupil or parent can be told, make representations, ask for a "
                "person and contest it. Whether that is so in practice is for people to judge, from how reviews go."
            ),
            head("Risks and what is done about them"),
            *grid("", ("Risk", "What is done"), _RISKS, widths=(2, 3)),
            head("Judgements that people make"),
            *facts([(field.split(".")[1].replace("_", " ").capitalize(), human.text(field)) for field in _FIELDS]),
        ),
    )


def _kept(dossier: Dossier) -> tuple[Block, ...]:
    covered = sorted({name for one in dossier.agreements for name, _ in one.covered})
    rows = [
        (
            name.replace("_", " "),
            REGISTERED[name].means,
            str(dossier.register.retention_years(REGISTERED[name])),
            "yes, read by the audit alone" if getattr(REGISTERED[name], "protected", False) else "no",
        )
        for name in covered
    ]
    heads = ("Records", "What they are", "Kept, years at most", "Protected")
    return grid("Records covered by an agreement that stands", heads, rows, widths=(3, 6, 2, 3))


def _inputs(dossier: Dossier) -> tuple[Block, ...]:
    read = set(inputs_of(dossier.candidate.bundle))
    mine = [feature for feature in CATALOGUE if feature.name in read]
    rows = [(group, str(sum(feature.group == group for feature in mine))) for group in GROUPS]
    allowed = [
        (one.risk, listed([name.replace("_", " ") for name in one.features if name in read]), one.reason)
        for one in dossier.policy.inputs
        if read & set(one.features)
    ]
    return (
        *grid("", ("About", "Inputs"), [row for row in rows if row[1] != "0"], numeric=(1,), widths=(4, 1)),
        *grid(
            "Inputs that may stand for something protected, allowed by the board by name",
            ("May stand for", "Inputs", "The board's reason"),
            allowed,
            widths=(2, 4, 6),
        ),
    )
