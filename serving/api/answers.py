"""What `POST /api/v1/scores` and the health routes answer, and chances in words."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

CAUTION = (
    "These are patterns in past records, not causes, and most pupils with a pattern like this are not suspended. "
    "Use them only to offer help, after looking for yourself."
)


class Answer(BaseModel):
    """A part of an answer; every field is always there."""

    model_config = ConfigDict(frozen=True)


class ApprovalAnswer(Answer):
    """The approval that let the model serve."""

    id: str = Field(description="Digest of the signed approval.")
    policy: str = Field(description="Digest of the board's policy under which it was signed.")
    verdict: Literal["PASS", "WAIVED"] = Field(description="WAIVED: the audit could not settle every limit.")
    expires_on: date
    monitoring_plan: str | None = Field(description="What is watched while a waiver lasts.")


class ReasonAnswer(Answer):
    """A group of recorded facts that moved this score, in words."""

    group: str
    sentence: str
    share: str = Field(description="How much of the score on this side comes from this group: most or some.")
    changeable: bool = Field(description="Whether support can change it.")


class ChangeAnswer(Answer):
    """What changed since the pupil was last at ease, and which way it moved the figure."""

    way: str = Field(description="up or down")
    group: str
    sentence: str
    share: str
    changeable: bool


class LeverAnswer(Answer):
    """A condition in words, and the figure the model would then give: an estimate, not a promise."""

    group: str
    sentence: str
    in_words: str


class Abstention(Answer):
    """Why a pupil was not scored."""

    code: str
    sentence: str


class PupilAnswer(Answer):
    """One pupil's score, or why there is none."""

    id: str = Field(description="The caller's own reference, as sent.")
    school: int
    as_of: date | None = Field(
        default=None, description="The day scored: the request's, or for a stored pupil the newest list's up to it."
    )
    probability: float | None = Field(default=None, description="Of the outcome, within the horizon.")
    in_words: str | None = Field(default=None, description="For example: about 8 in 100.")
    usual: float | None = Field(
        default=None, description="The same share among all pupils of this phase, when the model was audited."
    )
    usual_in_words: str | None = None
    rising: Literal["yes", "no", "not_enough_history", "not_asked"] | None = None
    rising_since: date | None = None
    reasons_for: list[ReasonAnswer] = []
    reasons_against: list[ReasonAnswer] = []
    eased_on: date | None = Field(
        default=None, description="When the pupil was last at ease; null below the level at which pupils are flagged."
    )
    eased_in_words: str | None = Field(default=None, description="The figure then.")
    changed: list[ChangeAnswer] = Field(default=[], description="What moved the figure since.")
    would_lower: list[LeverAnswer] = []
    not_scored: Abstention | None = None


class ScoresAnswer(Answer):
    """The answer: one entry a pupil, in the order sent, under the approval that allowed it."""

    as_of: date
    horizon_school_weeks: int
    outcome: str = Field(description="What counts, for example: a suspension or permanent exclusion starts.")
    bundle: str = Field(description="Digest of the deployed bundle: model, calibration, flag rule and limits.")
    approval: ApprovalAnswer
    demonstration: bool
    notices: list[str]
    scores: list[PupilAnswer]


class Live(Answer):
    """The process is up."""

    status: Literal["live"] = "live"


class Ready(Answer):
    """The process can score."""

    status: Literal["ready"] = "ready"
    bundle: str
    approval: ApprovalAnswer
    demonstration: bool


def in_words(probability: float) -> str:
    """Return a chance as people out of a hundred: 'about 8 in 100', never 0 and never 100."""
    if probability < 0.01:
        return "fewer than 1 in 100"
    if probability > 0.99:
        return "more than 99 in 100"
    return f"about {round(100 * probability)} in 100"
