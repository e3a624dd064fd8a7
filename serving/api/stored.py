"""Pupils whom Belong holds already, answered like posted ones: from the newest list of the deployed bundle."""

import math
import uuid
from typing import Literal

import numpy as np

from casework.explanation import Explanation
from casework.stored_scores import StoredScore
from features.cohort import ABSTAIN
from serving.api.answers import Abstention, ChangeAnswer, PupilAnswer, ReasonAnswer, in_words
from serving.api.list_answers import levers, reasons
from serving.scoring import Deployed
from training.reasons import reasons_of

NOT_LISTED = "not_in_newest_list"
_NOT_LISTED = "No list of the deployed model holds this pupil yet; lists are made every week."


def stored_answer(deployed: Deployed, pupil: uuid.UUID, found: StoredScore) -> PupilAnswer:
    """Return what the newest list says of this pupil, or why it says nothing."""
    not_scored = _why_not(found)
    if not_scored is not None or found.probability is None:
        return PupilAnswer(id=str(pupil), school=found.school, as_of=found.as_of, not_scored=not_scored)
    rates = deployed.scorer.base_rates
    usual = rates.get(found.phase, rates["all"])
    reasons_for, reasons_against = _reasons(deployed, found)
    flagged = found.explanation
    return PupilAnswer(
        id=str(pupil),
        school=found.school,
        as_of=found.as_of,
        probability=round(found.probability, 6),
        in_words=in_words(found.probability),
        usual=round(usual, 6),
        usual_in_words=in_words(usual),
        rising=_rising(deployed, found.rising),
        rising_since=found.rising_since,
        reasons_for=reasons_for,
        reasons_against=reasons_against,
        eased_on=flagged.eased_on if flagged else None,
        eased_in_words=flagged.eased_words if flagged and flagged.eased_on else None,
        changed=_changed(flagged) if flagged else [],
        would_lower=levers(flagged) if flagged else [],
    )


def _why_not(found: StoredScore) -> Abstention | None:
    if found.withheld is not None:
        return Abstention(code=found.withheld.code, sentence=found.withheld.sentence)
    if found.as_of is None:
        return Abstention(code=NOT_LISTED, sentence=_NOT_LISTED)
    if found.abstain is not None:
        return Abstention(code=found.abstain, sentence=f"{ABSTAIN.get(found.abstain, 'The pupil was not scored')}.")
    return None


def _rising(deployed: Deployed, rising: bool | None) -> Literal["yes", "no", "not_enough_history", "not_asked"]:
    if deployed.scorer.rule.rise_least is None:
        return "not_asked"
    return "not_enough_history" if rising is None else "yes" if rising else "no"


def _reasons(deployed: Deployed, found: StoredScore) -> tuple[list[ReasonAnswer], list[ReasonAnswer]]:
    """Return the flag's own reasons, else those that the pupil's inputs of that day give."""
    if found.explanation is not None:
        return reasons(found.explanation)
    scorer, kept = deployed.scorer, found.features
    if kept is None or kept.keys() != set(scorer.names):
        return [], []
    values = np.array([[math.nan if kept[name] is None else float(kept[name]) for name in scorer.names]])
    fingerprint = str(deployed.bundle.manifest["feature_fingerprint"])
    [said] = reasons_of(values, scorer.parts(values, fingerprint))
    sides: dict[str, list[ReasonAnswer]] = {"for": [], "against": []}
    for one in said:
        sides[one.side].append(
            ReasonAnswer(group=one.group, sentence=one.sentence, share=one.share, changeable=one.changeable)
        )
    return sides["for"], sides["against"]


def _changed(said: Explanation) -> list[ChangeAnswer]:
    return [
        ChangeAnswer(way=c.way, group=c.group, sentence=c.sentence, share=c.share, changeable=c.changeable)
        for c in said.changes
    ]
