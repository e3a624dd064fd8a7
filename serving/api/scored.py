"""Posted records to answers: the network's engine, model, flag rule and reasons, over a handful of pupils."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import engine
from features.cohort import ABSTAIN
from features.matrix import Matrix
from records.calendar import Calendar
from records.history import known
from serving.api.answers import Abstention, PupilAnswer, ReasonAnswer, in_words
from serving.api.posted import Posted
from serving.api.schemas import PupilRecords, ScoresRequest
from serving.scoring import Deployed
from training.flags import allocate
from training.reasons import Reason, reasons
from training.scorer import scores_of
from training.weeks import as_ofs_for

# The features look back over weeks; with less than this the records say little, and earlier weeks of a
# pupil whose marks begin later would only look calm because nothing is there.
LEAST_WEEKS = 4
TOO_FEW_MARKS = "too_few_marks"
_WORDS = {
    **ABSTAIN,
    TOO_FEW_MARKS: f"The marks given reach back less than {LEAST_WEEKS} school weeks; send more of them",
    "not_on_roll": "Belong scores reception to year 11, and this pupil is in another year group",
}


def score(
    deployed: Deployed, records: Posted, request: ScoresRequest, build: engine.Build = engine.build
) -> list[PupilAnswer]:
    """Return one answer a pupil, in the request's order."""
    scorer, rule = deployed.scorer, deployed.scorer.rule
    calendar = known(records.history, request.as_of).calendar
    matrix = build(records.history, as_ofs_for(calendar, request.as_of, rule.past_weeks + rule.since_weeks))
    scores = scores_of(scorer, matrix)
    scores["abstain"] = _abstain(matrix.keys, records, request.pupils, calendar)
    # Places on a school's list are the weekly job's to give; of an allocation only the rise is read here.
    roll = scores.groupby(["school", "as_of"]).size().rename("roll").reset_index()
    log = allocate(scores, roll, rule, start=request.as_of)
    today = (matrix.keys["as_of"] == pd.Timestamp(request.as_of)).to_numpy(bool)
    scored = today & (scores["abstain"] == "").to_numpy(bool)
    found = _answers(deployed, records, log, _reasons(deployed, matrix, scored))
    abstained = dict(zip(scores["pupil"][today & ~scored], scores["abstain"][today & ~scored], strict=True))
    return [
        _named(found[number], pupil) if number in found else _not_scored(pupil, abstained.get(number, "not_on_roll"))
        for number, pupil in enumerate(request.pupils, start=1)
    ]


def _abstain(keys: pd.DataFrame, records: Posted, pupils: Sequence[PupilRecords], calendar: Calendar) -> pd.Series:
    """Return why each row is not scored: the cohort's own reason, else that the marks begin too late for it."""
    codes: list[str] = keys["abstain"].tolist()
    days: list[pd.Timestamp] = keys["as_of"].tolist()
    for at, (number, as_of) in enumerate(zip(keys["pupil"].tolist(), days, strict=True)):
        if codes[at]:
            continue
        pupil, first = pupils[number - 1], records.first_mark[number - 1]
        needed = max(calendar.back(pupil.school, as_of.date(), LEAST_WEEKS), pupil.entry_date)
        # A first mark within a week of the day needed is all there can be: training days, a late first day.
        if first is None or first > needed + timedelta(days=7):
            codes[at] = TOO_FEW_MARKS
    return pd.Series(codes, index=keys.index, dtype="str")


def _reasons(deployed: Deployed, matrix: Matrix, scored: npt.NDArray[np.bool_]) -> dict[int, tuple[Reason, ...]]:
    mine = matrix.where(scored)
    return dict(zip(mine.keys["pupil"].tolist(), reasons(deployed.scorer, mine), strict=True))


def _answers(
    deployed: Deployed, records: Posted, log: pd.DataFrame, why: dict[int, tuple[Reason, ...]]
) -> dict[int, PupilAnswer]:
    rates = deployed.scorer.base_rates
    answers = {}
    for row in log.to_dict("records"):
        number, school, probability = int(row["pupil"]), int(row["school"]), float(row["probability"])
        usual = rates.get(records.phases.get(school, ""), rates["all"])
        margin = float(row["rise_margin"])
        rising = margin >= 0
        answers[number] = PupilAnswer(
            id="",
            school=school,
            probability=round(probability, 6),
            in_words=in_words(probability),
            usual=round(usual, 6),
            usual_in_words=in_words(usual),
            rising=_rising(deployed, margin),
            rising_since=row["rising_since"].date() if rising else None,
            reasons_for=_side(why[number], "for"),
            reasons_against=_side(why[number], "against"),
            not_scored=None,
        )
    return answers


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


def _named(answer: PupilAnswer, pupil: PupilRecords) -> PupilAnswer:
    return answer.model_copy(update={"id": pupil.id})


def _not_scored(pupil: PupilRecords, code: str) -> PupilAnswer:
    return PupilAnswer(
        id=pupil.id,
        school=pupil.school,
        probability=None,
        in_words=None,
        usual=None,
        usual_in_words=None,
        rising=None,
        rising_since=None,
        reasons_for=[],
        reasons_against=[],
        not_scored=Abstention(code=code, sentence=f"{_WORDS[code]}."),
    )
