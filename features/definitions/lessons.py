"""Lessons missed by pupils who were in school, where a school takes lesson registers.

Where none are taken every value is unknown or none, and the model has nothing to go by: the simulated
network takes none, so these say nothing there.
"""

from features.feature import Feature
from features.measure import NEUTRAL_CODES, Measure
from features.spans import said
from records.codes import POSSIBLE, UNAUTHORISED

SOURCE = "lesson registers as school systems keep them; DfE attendance codes in force from 19 August 2024"
_LATE_CODES = frozenset({"L", "U"})


def _lessons(name: str, means: str, codes: frozenset[str], weight: str | None = None) -> Measure:
    return Measure(name=name, means=means, table="lesson_marks", where={"code": codes}, weight=weight)


POSSIBLE_LESSONS = _lessons("possible_lessons", "possible lessons, neutral codes aside", POSSIBLE - NEUTRAL_CODES)
MISSED_LESSONS = _lessons("missed_lessons", "lessons missed without permission", UNAUTHORISED - _LATE_CODES)
LATE_LESSONS = _lessons("late_lessons", "lessons arrived at late", _LATE_CODES)
MINUTES_LATE = _lessons("minutes_late", "minutes late to lessons", _LATE_CODES, "minutes_late")


def _rate(name: str, measure: Measure, weeks: int, phrase: str, low: str) -> Feature:
    return Feature(
        name=f"{name}_rate_{weeks}w",
        kind="rate",
        measure=measure,
        per=POSSIBLE_LESSONS,
        window_weeks=weeks,
        unit="share of possible lessons",
        phrase=f"{phrase} {said('weeks', weeks)}",
        phrase_low=f"{low} {said('weeks', weeks)}",
        group="Time in lessons",
        changeable=True,
        source=SOURCE,
    )


LESSONS: tuple[Feature, ...] = (
    *(
        _rate(
            "lessons_missed",
            MISSED_LESSONS,
            weeks,
            "Missed {value:.0%} of lessons without permission",
            "Missed no lessons without permission",
        )
        for weeks in (2, 12)
    ),
    _rate("lessons_late", LATE_LESSONS, 4, "Arrived late to {value:.0%} of lessons", "Arrived late to no lessons"),
    Feature(
        name="lessons_missed_change_4w",
        kind="change",
        measure=MISSED_LESSONS,
        per=POSSIBLE_LESSONS,
        window_weeks=4,
        before_weeks=8,
        unit="difference of shares of possible lessons",
        phrase="Missed more lessons in the last 4 school weeks than in the 8 before, by {size:.0%} of lessons",
        phrase_low="Missed no more lessons in the last 4 school weeks than in the 8 before",
        group="Time in lessons",
        changeable=True,
        source=SOURCE,
    ),
    Feature(
        name="lessons_missed_same_period_share_12w",
        kind="top_share",
        measure=MISSED_LESSONS,
        by="period",
        window_weeks=12,
        unit="share of the lessons missed",
        phrase="{value:.0%} of the lessons missed in the last 12 school weeks were in the same period of the day",
        phrase_low="Missed no lessons in the last 12 school weeks",
        group="Time in lessons",
        changeable=True,
        source=SOURCE,
    ),
    Feature(
        name="minutes_late_rate_12w",
        kind="rate",
        measure=MINUTES_LATE,
        per=POSSIBLE_LESSONS,
        window_weeks=12,
        unit="minutes of lateness written down for each possible lesson",
        phrase="{value:.1f} minutes of lateness written down for each lesson in the last 12 school weeks",
        phrase_low="No minutes of lateness recorded in the last 12 school weeks",
        group="Punctuality",
        changeable=True,
        source=SOURCE,
    ),
)
