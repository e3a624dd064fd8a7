"""The record for the Algorithmic Transparency Recording Standard, field by field.

Names and numbers are those of version 3.0, the last whose fields are a machine-readable table, with what version 4.0
changed beside each. The standard binds central government; a network of schools may publish the record if it likes.
"""

import csv
from collections.abc import Callable, Mapping
from importlib.resources import files
from itertools import groupby

from fairness.documents.document import Block, Document, grid, head, words
from fairness.documents.dossier import Dossier
from fairness.documents.plain_words import VERDICT_WORDS
from fairness.words import approach_words
from training.inputs import inputs_of

# Fields that people write: the standard's attribute -> the field of documents.toml.
_PEOPLE: Mapping[str, str] = {
    "website_url": "owner.website",
    "contact_email": "owner.contact",
    "team": "owner.team",
    "senior_responsible_owner": "owner.senior_responsible_owner",
    "external_supplier_involvement": "third_party.involvement",
    "external_supplier_role": "third_party.role",
    "benefit": "why.need",
    "previous_process": "why.before",
    "alternatives_considered": "why.alternatives",
    "process_integration": "use.process",
    "required_training": "use.training",
    "appeals_and_review": "use.challenge",
    "impact_assessment": "assessment.completed_on",
}
_NOT_NEEDED = "Not part of version 4.0."
_NOBODY = "Left to whoever publishes the record."


def transparency_record(dossier: Dossier) -> Document:
    """Return the record: what the run knows is filled in, what people know is theirs or missing."""
    fields = standard()
    written = {**_written(dossier), **{name: dossier.human.text(field) for name, field in _PEOPLE.items()}}
    blocks: list[Block] = []
    for part, rows in groupby(fields, key=lambda row: row["part"]):
        table = [
            (row["reference"], row["name"], _said(row, written), row["in_v4"]) for row in rows if not _dropped(row)
        ]
        if table:
            blocks += [head(part), *grid("", ("", "Field", "Record", "In version 4.0"), table, widths=(2, 5, 12, 4))]
    return Document(
        title="Algorithmic transparency record",
        subtitle=dossier.subtitle,
        on=dossier.on,
        draft=True,
        missing=dossier.human.missing(*dict.fromkeys(_PEOPLE.values())),
        blocks=(
            *words(
                "Fields of the Algorithmic Transparency Recording Standard, version 3.0 (March 2024), with what "
                "version 4.0 (July 2025) changed. Contains public sector information licensed under the Open "
                "Government Licence. It is required of central government; for schools it is optional."
            ),
            *blocks,
        ),
    )


def standard() -> list[dict[str, str]]:
    """Return the standard's fields in order: reference, attribute, name, part, required, in_v4."""
    text = files("fairness.documents").joinpath("atrs_v3.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def _dropped(row: Mapping[str, str]) -> bool:
    return row["part"] == "Metadata"


def _said(row: Mapping[str, str], written: Mapping[str, str]) -> str:
    return written.get(row["attribute"]) or (_NOBODY if row["required"] == "yes" else "Not filled in.")


def _written(dossier: Dossier) -> dict[str, str]:
    parts: tuple[Callable[[Dossier], dict[str, str]], ...] = (_tool, _use, _model, _data, _risks)
    return {name: said for part in parts for name, said in part(dossier).items()}


def _tool(dossier: Dossier) -> dict[str, str]:
    sentence = (
        f"Belong notices pupils whose risk of being {dossier.happened} is rising, and asks a person at their school to "
        "look and to offer help."
    )
    return {
        "title": "Belong",
        "name": "Belong",
        "organisation_name": dossier.register.network.name,
        "organisation_or_department": dossier.register.network.name,
        "region": "England",
        "one_sentence_description": sentence,
        "description": f"{sentence} It never decides anything about a pupil.",
        "detailed_description": (
            "Each week it reads what schools have recorded (attendance marks, behaviour, earlier suspensions, moves, "
            "strengths) up to the day before, and works out a percentage for each pupil. A pupil is listed when it is "
            "high, has risen over the pupil's own past, and the school has room to look."
        ),
        "scope": (
            "For early offers of help by a pupil's own school. Not for sanctions, admissions, attainment, police or "
            "immigration matters, or for ranking schools or staff."
        ),
    }


def _use(dossier: Dossier) -> dict[str, str]:
    capacity, counts = dossier.policy.capacity, dossier.view["counts"]
    return {
        "provided_information": (
            "The weekly list with recorded facts. The percentage, the rise and the reasons come after a member of "
            "staff has written down their own view."
        ),
        "frequency_and_scale_of_usage": (
            f"Weekly. New flags a week: {capacity.share_of_roll:.1%} of a school's roll, what is less than a pupil "
            f"carried over, {f'at least {capacity.min} and ' if capacity.min else ''}at most {capacity.max}. "
            f"The audit covered about {counts['pupils']:,} pupils of {counts['schools']} schools."
        ),
        "human_decisions_and_review": (
            "People decide whether anything is offered and what. They can disagree, and their view and reason are "
            "kept. Sanctions cannot be chosen. The board reviews an audit before the model is used, and it ends by "
            "itself."
        ),
    }


def _model(dossier: Dossier) -> dict[str, str]:
    manifest, view = dossier.candidate.bundle.manifest, dossier.view
    days = dossier.policy.approval.valid_days
    return {
        "system_architecture": (
            "Records are kept by pseudonym in versioned tables; a nightly job scores; a separate web service shows "
            "lists to staff of the pupil's school. The service refuses a model without a signed, unexpired audit."
        ),
        "maintenance": (
            f"An approval holds at most {days} days, a waiver at most {dossier.policy.waiver.max_days}; then the model "
            "is audited and signed anew, or is not used."
        ),
        "models": f"One: {approach_words(str(manifest['approach']))}.",
        "model_name": "Belong",
        "model_version": f"bundle {dossier.digest}",
        "model_task": (
            f"To estimate the chance that {dossier.policy.population.outcome} within {manifest['horizon_weeks']} "
            "school weeks."
        ),
        "model_input": f"{len(inputs_of(dossier.candidate.bundle))} figures worked out from school records.",
        "model_output": "A percentage, whether it has risen, and the recorded facts that moved it.",
        "model_architecture": {
            "booster": "Gradient-boosted decision trees (LightGBM), with percentages calibrated on later weeks.",
            "logistic": "Logistic regression, with percentages calibrated on later weeks.",
            "rule": "A rule that anyone can read, with percentages calibrated on later weeks.",
        }[str(manifest["kind"])],
        "model_performance": (
            f"Fairness audit: {VERDICT_WORDS[view['verdict']]}. {view['headline']} {view['past_lists']} "
            "The model card and the audit report give every figure."
        ),
    }


def _data(dossier: Dossier) -> dict[str, str]:
    data = dossier.candidate.bundle.manifest["data"]
    tables = ", ".join(name.replace("_", " ") for name in sorted(data.get("tables", {})))
    spans = "; ".join(f"{name.lower()} {span}" for name, span in dossier.periods)
    rows = f"{data['training_rows']:,} weekly scores were learned from. " if "training_rows" in data else ""
    attributes = ", ".join(attribute.name.replace("_", " ") for attribute in dossier.policy.attributes)
    agreements = "; ".join(f"{one.title} ({one.lawful_basis})" for one in dossier.agreements)
    return {
        "datasets": f"Records of the network's own schools: {tables}.",
        "dataset_purposes": f"{spans}.",
        "source_data_name": tables,
        "data_modality": "Tables",
        "data_description": "What schools recorded of attendance, behaviour, suspensions, moves and strengths.",
        "data_quantities": f"{rows}Periods: {spans}.",
        "sensitive_attributes": (
            f"For the audit alone, never for the model: {attributes}. Some inputs may stand for such a characteristic; "
            "the board allows each by name, with its reason."
        ),
        "data_completeness_and_representativeness": (
            "All pupils on roll of the network's schools, except those who object, and those with too short a past to "
            "be scored, which the pages say."
        ),
        "source_data_url": "None: pupils' records are not public.",
        "data_collection": "Recorded by schools for their own work; shared under the agreements below.",
        "data_cleaning": "Rows that break a rule are put aside with the reason; those without a proven pupil are held.",
        "data_sharing_agreements": agreements,
        "data_access_and_storage": (
            "Staff see pupils of their own school, by role; looks are logged. Names are sealed. Each table has a "
            "longest time, or the shorter one of its agreement, after which rows are deleted."
        ),
    }


def _risks(dossier: Dossier) -> dict[str, str]:
    return {
        "risks_and_mitigations": (
            "Listed in the annex to the data-protection impact assessment, each with what is done about it; what "
            f"remains: {dossier.human.text('assessment.remaining_risk')}"
        )
    }
