"""Posted records to answers: the network's engine, model, flag rule and reasons, over a handful of pupils."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from features import engine
from features.cohort import ABSTAIN
from features.engine import Worked
from features.grid_cohort import REASONS
from features.machine import PLAIN, Machine
from serving.api.answers import Abstention, PupilAnswer, ReasonAnswer, in_words
from serving.api.eased import Eased, eased, rows_at_ease
from serving.api.posted import Posted
from serving.api.schemas import PupilRecords, ScoresRequest
from serving.scoring import Deployed
from training.flags import rises_by
from training.reasons import Reason, reasons_of

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

# The features look back over weeks; with less than this the records say little, and earlier weeks of a
# pupil whose marks begin later would only look calm because nothing is there.
LEAST_WEEKS = 4
TOO_FEW_MARKS = "too_few_marks"
_WORDS = {
    **ABSTAIN,
    TOO_FEW_MARKS: f"The marks given reach back less than {LEAST_WEEKS} school weeks; send more of them",
    "not_on_roll": "Belong scores reception to year 11, and this pupil is in another year group",
}


def score(deployed: Deployed, records: Posted, request: ScoresRequest, machine: Machine = PLAIN) -> list[PupilAnswer]:
    """Return one answer a pupil, in the request's order."""
    rule = deployed.scorer.rule
    as_ofs = records.standing.as_ofs(rule.past_weeks + rule.since_weeks)
    worked = engine.work_out(records.history, as_ofs, machine=machine, kept=records.standing.kept)
    # A pupil's number is one above their place in the request.
    places = worked.rows.pupils[worked.rows.pupil] - 1
    codes = _abstain(worked, places, records, request.pupils)
    scored = np.array([not code for code in codes], dtype=np.bool_)
    now = worked.rows.stand == len(as_ofs) - 1
    found = _answers(deployed, records, request, worked, scored)
    why_not = {int(places[at]): codes[at] for at in np.flatnonzero(now & ~scored)}
    return [
        found[place] if place in found else _not_scored(pupil, why_not.get(place, "not_on_roll"), request.as_of)
        for place, pupil in enumerate(request.pupils)
    ]


def _abstain(worked: Worked, places: Ints, records: Posted, pupils: Sequence[PupilRecords]) -> list[str]:
    """Return why each row is not scored: the cohort's own reason, else that the marks begin too late for it."""
    calendar, days = records.standing.calendar, worked.rows.days
    codes = [REASONS[number] for number in worked.abstain.tolist()]
    for at, (place, stand) in enumerate(zip(places.tolist(), worked.rows.stand.tolist(), strict=True)):
        if codes[at]:
            continue
        pupil, first = pupils[place], records.first_mark[place]
        needed = max(calendar.back(pupil.school, days[stand], LEAST_WEEKS), pupil.entry_date)
        # A first mark within a week of the day needed is all there can be: training days, a late first day.
        if first is None or first > needed + timedelta(days=7):
            codes[at] = TOO_FEW_MARKS
    return codes


def _answers(
    deployed: Deployed, records: Posted, request: ScoresRequest, worked: Worked, scored: Flags
) -> dict[int, PupilAnswer]:
    """Return the answer of each pupil scored on the as-of date, by place. Their earlier weeks say whether they rise.

    Places on a school's list are the weekly job's to give (`training.flags.allocate`): here nobody competes.
    """
    rows, scorer = worked.rows, deployed.scorer
    chances = scorer.chances(worked.values[scored], worked.fingerprint)
    stand = rows.stand[scored].astype(np.intp)
    _, margin, since = rises_by(scorer.rule, chances, rows.pupil[scored].astype(np.intp), stand)
    now = stand == len(rows.days) - 1
    every = worked.values[scored]
    values = every[now]
    why = reasons_of(values, scorer.parts(values, worked.fingerprint))
    before = rows_at_ease(scorer.rule, chances, rows.pupil[scored].astype(np.intp), stand, now)
    past = eased(scorer, worked.fingerprint, every, before, [rows.days[week] for week in stand], chances)
    answers = {}
    for at, reasons in zip(np.flatnonzero(now).tolist(), why, strict=True):
        place = int(rows.pupils[rows.pupil[scored][at]]) - 1
        pupil, probability = request.pupils[place], float(chances[at])
        usual = scorer.base_rates.get(records.phases.get(pupil.school, ""), scorer.base_rates["all"])
        answers[place] = PupilAnswer(
            id=pupil.id,
            school=pupil.school,
            as_of=request.as_of,
            probability=round(probability, 6),
            in_words=in_words(probability),
            usual=round(usual, 6),
            usual_in_words=in_words(usual),
            rising=_rising(deployed, float(margin[at])),
            rising_since=rows.days[since[at]] if since[at] >= 0 else None,
            reasons_for=_side(reasons, "for"),
            reasons_against=_side(reasons, "against"),
            **_past(past.get(at)),
        )
    return answers


def _past(said: Eased | None) -> dict[str, Any]:
    if said is None:
        return {}
    return {
        "eased_on": said.on,
        "eased_in_words": said.in_words,
        "changed": said.changed,
        "would_lower": said.would_lower,
    }


def _rising(deployed: Deployed, margin: float) -> Literal["yes", "no", "not_enough_history", "not_asked"]:
    """Return whether the pupil rises; a transparent rule does not ask it."""
    if deployed.scorer.rule.rise_least is None:
        return "not_asked"
    return "not_enough_history" if np.isnan(margin) else "yes" if margin >= 0 else "no"


def _side(found: tuple[Reason, ...], side: str) -> list[ReasonAnswer]:
    return [
        ReasonAnswer(group=r.group, sentence=r.sentence, share=r.share, changeable=r.changeable)
        for r in found
        if r.side == side
    ]


def _not_scored(pupil: PupilRecords, code: str, as_of: date) -> PupilAnswer:
    why_not = Abstention(code=code, sentence=f"{_WORDS[code]}.")
    return PupilAnswer(id=pupil.id, school=pupil.school, as_of=as_of, not_scored=why_not)
