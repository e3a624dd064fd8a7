"""What the lists, the feed of changes and a pupil's history answer, made from what casework read."""

import uuid
from datetime import date, datetime
from typing import Literal

from pydantic import Field

from casework.explanation import Explanation
from casework.facts import Week
from casework.freshness import Withheld
from casework.lists_read import Change, Listed, Read
from casework.pupils import Event
from casework.recorded_history import History, PastScore
from serving.api.answers import Answer, ChangeAnswer, LeverAnswer, ReasonAnswer, in_words


class WithheldAnswer(Answer):
    """Why a score is not shown."""

    code: str = Field(description="withdrawn, school_held, too_old, or why nothing may be scored now.")
    sentence: str


class ListScore(Answer):
    """What Belong found about a pupil on a list; only with the scope scores:read."""

    as_of: date
    probability: float | None = Field(description="Of the outcome, within the horizon; null: not scored.")
    in_words: str
    usual: float | None = Field(description="The same share among all pupils of this phase.")
    usual_in_words: str
    outcome: str
    horizon_school_weeks: int
    rising_since: date | None
    drawn_at_random: bool = Field(description="On the list to check it, whatever the score.")
    not_scored: str | None
    reasons_for: list[ReasonAnswer]
    reasons_against: list[ReasonAnswer]
    changed: list[ChangeAnswer] = Field(description="What moved the figure since the pupil was last at ease.")
    would_lower: list[LeverAnswer]
    bundle: str


class ListedAnswer(Answer):
    """A pupil on a list, or one who left it (`on_list` false). Flagged pupils and the check sample look the same."""

    pupil: uuid.UUID = Field(description="Belong's own id; it says nothing outside Belong.")
    upn: str | None = Field(description="Only with the scope upns:read.")
    school: int
    year_group: str | None
    on_list: bool
    since: date | None = Field(description="null: the pupil went on to another school with their case.")
    until: date | None = Field(description="Leaves the list after this day, unless flagged again.")
    left_on: date | None
    facts: list[str] = Field(description="Recorded counts, the last four school weeks beside the four before.")
    data_to: date | None = Field(description="The day up to which the school's records reach.")
    updated_at: datetime
    score: ListScore | None = Field(description="Only with the scope scores:read.")
    score_withheld: WithheldAnswer | None


class ListsAnswer(Answer):
    """A page of the lists."""

    notices: list[str]
    pupils: list[ListedAnswer]
    next: str | None = Field(description="The cursor of the next page; null: this is the last.")


class ListChange(Answer):
    """One entry of the feed, with the pupil as the list stands now."""

    at: datetime
    what: Literal["joined", "again", "facts", "left"] = Field(
        description="joined: came on the list. again: flagged again while on it. facts: newer counts. left: is off it."
    )
    pupil: ListedAnswer


class ChangesAnswer(Answer):
    """What changed on the lists, oldest first."""

    notices: list[str]
    changes: list[ListChange]
    next: str = Field(description="Where to go on, now or tomorrow: keep it. Whoever keeps it misses no change.")
    more: bool = Field(description="Whether there is more at once.")


class WeekAnswer(Answer):
    """Counts of one week; it begins on a Monday. No possible session: the school was closed to this pupil."""

    week_start: date
    sessions_possible: int
    sessions_missed: int
    late_marks: int
    incidents: int
    removals: int
    positives: int
    suspended: bool


class EventAnswer(Answer):
    """One recorded incident, achievement or suspension."""

    happened_on: date
    kind: str
    what: str
    place: str | None
    sessions: int | None


class OnListAnswer(Answer):
    """A time on the list."""

    since: date
    left_on: date | None


class PastScoreAnswer(Answer):
    """The score of one list."""

    as_of: date
    bundle: str
    probability: float | None
    in_words: str | None
    rising: bool | None
    rising_since: date | None
    not_scored: str | None
    withheld: WithheldAnswer | None


class HistoryAnswer(Answer):
    """One pupil's recorded past, oldest first."""

    pupil: uuid.UUID
    upn: str | None
    school: int
    year_group: str
    left_on: date | None
    data_to: date | None
    notices: list[str]
    weeks: list[WeekAnswer]
    events: list[EventAnswer]
    on_list: list[OnListAnswer]
    scores: list[PastScoreAnswer] | None = Field(description="Only with the scope scores:read.")


def lists_answer(read: Read[Listed], notices: list[str], cursor: str | None) -> ListsAnswer:
    """Return a page of the lists."""
    return ListsAnswer(notices=notices, pupils=[listed_answer(one) for one in read.rows], next=cursor)


def changes_answer(read: Read[Change], notices: list[str], cursor: str) -> ChangesAnswer:
    """Return a page of the feed."""
    entries = [
        ListChange.model_validate({"at": one.at, "what": one.what, "pupil": listed_answer(one.listed)})
        for one in read.rows
    ]
    return ChangesAnswer(notices=notices, changes=entries, next=cursor, more=read.more)


def listed_answer(one: Listed) -> ListedAnswer:
    """Return one pupil of a list."""
    return ListedAnswer(
        pupil=one.pupil_id,
        upn=one.upn,
        school=one.school,
        year_group=one.year_group,
        on_list=one.left_on is None,
        since=one.since,
        until=one.until,
        left_on=one.left_on,
        facts=[f"{sentence}." for sentence in one.facts],
        data_to=one.data_to,
        updated_at=one.updated_at,
        score=None if one.explanation is None else _score(one.explanation),
        score_withheld=_withheld(one.withheld),
    )


def history_answer(history: History, notices: list[str]) -> HistoryAnswer:
    """Return a pupil's recorded past."""
    return HistoryAnswer(
        pupil=history.pupil_id,
        upn=history.upn,
        school=history.school,
        year_group=history.year_group,
        left_on=history.left_on,
        data_to=history.data_to,
        notices=notices,
        weeks=[_week(week) for week in history.weeks],
        events=[_event(event) for event in history.events],
        on_list=[OnListAnswer(since=one.since, left_on=one.left_on) for one in history.on_list],
        scores=None if history.scores is None else [_past(one) for one in history.scores],
    )


def reasons(said: Explanation) -> tuple[list[ReasonAnswer], list[ReasonAnswer]]:
    """Return the reasons of both sides."""
    for_, against = (
        [ReasonAnswer(group=r.group, sentence=r.sentence, share=r.share, changeable=r.changeable) for r in side]
        for side in (said.reasons_for, said.reasons_against)
    )
    return for_, against


def levers(said: Explanation) -> list[LeverAnswer]:
    """Return what would lower the figure."""
    return [LeverAnswer(group=v.group, sentence=v.sentence, in_words=v.probability_words) for v in said.levers]


def _score(said: Explanation) -> ListScore:
    reasons_for, reasons_against = reasons(said)
    return ListScore(
        as_of=said.as_of,
        probability=said.probability,
        in_words=said.probability_words,
        usual=said.base_rate,
        usual_in_words=said.base_rate_words,
        outcome=said.outcome_words,
        horizon_school_weeks=said.horizon_weeks,
        rising_since=said.rising_since,
        drawn_at_random=said.check_sample,
        not_scored=said.abstain,
        reasons_for=reasons_for,
        reasons_against=reasons_against,
        changed=[
            ChangeAnswer(way=c.way, group=c.group, sentence=c.sentence, share=c.share, changeable=c.changeable)
            for c in said.changes
        ],
        would_lower=levers(said),
        bundle=said.bundle_digest,
    )


def _withheld(why: Withheld | None) -> WithheldAnswer | None:
    return None if why is None else WithheldAnswer(code=why.code, sentence=why.sentence)


def _week(week: Week) -> WeekAnswer:
    return WeekAnswer.model_validate({name: getattr(week, name) for name in WeekAnswer.model_fields})


def _event(event: Event) -> EventAnswer:
    return EventAnswer.model_validate({name: getattr(event, name) for name in EventAnswer.model_fields})


def _past(one: PastScore) -> PastScoreAnswer:
    return PastScoreAnswer(
        as_of=one.as_of,
        bundle=one.bundle_digest,
        probability=one.probability,
        in_words=None if one.probability is None else in_words(one.probability),
        rising=one.rising,
        rising_since=one.rising_since,
        not_scored=one.abstain,
        withheld=_withheld(one.withheld),
    )
