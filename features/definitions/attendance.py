"""Attendance and punctuality, from register marks.

A share is over the sessions that were possible by DfE's arithmetic, less the neutral codes
(`features.measure.NEUTRAL_CODES`): those are neither missed nor attended.
"""

from features.feature import Feature
from features.measure import NEUTRAL_CODES, Measure
from features.spans import said
from records.codes import POSSIBLE, UNAUTHORISED

SOURCE = "DfE attendance codes in force from 19 August 2024; docs/decisions.md, 14"
COUNTED = POSSIBLE - NEUTRAL_CODES
# Absences that are neither permitted nor neutral, and permitted ones that say something of the pupil:
# leave in exceptional circumstances, agreed holiday (withdrawn), part-time timetable.
MISSED_CODES = UNAUTHORISED | {"C", "C2", "H"}


def sessions(
    name: str, means: str, codes: frozenset[str], session: str | None = None, weekdays: frozenset[int] = frozenset()
) -> Measure:
    """Return the measure of register marks with these codes."""
    where = {"code": codes} if session is None else {"code": codes, "session": frozenset({session})}
    return Measure(name=name, means=means, table="marks", where=where, weekdays=weekdays)


POSSIBLE_SESSIONS = sessions("possible_sessions", "possible sessions, neutral codes aside", COUNTED)
MISSED = sessions("missed_sessions", "sessions missed, illness and other neutral codes aside", MISSED_CODES)
WITHOUT_PERMISSION = sessions("unauthorised_sessions", "sessions missed without permission", UNAUTHORISED)
LATE = sessions("late_marks", "sessions arrived at late, before the register closed", frozenset({"L"}))
AFTER_REGISTER = sessions("after_register_marks", "sessions arrived at after the register closed", frozenset({"U"}))
PART_TIME = sessions("part_time_sessions", "sessions on a part-time timetable", frozenset({"C2"}))
ELSEWHERE = sessions("elsewhere_sessions", "sessions educated elsewhere", frozenset({"B", "K", "D"}))
_POSSIBLE_AM = sessions("possible_mornings", "possible mornings", COUNTED, "AM")
_POSSIBLE_PM = sessions("possible_afternoons", "possible afternoons", COUNTED, "PM")
_MISSED_AM = sessions("missed_mornings", "mornings missed", MISSED_CODES, "AM")
_MISSED_PM = sessions("missed_afternoons", "afternoons missed", MISSED_CODES, "PM")


def _rate(name: str, weeks: int, measure: Measure, verb: str, group: str, *, monotone: bool = False) -> Feature:
    return Feature(
        name=f"{name}_{weeks}w",
        kind="rate",
        measure=measure,
        per=POSSIBLE_SESSIONS,
        window_weeks=weeks,
        unit="share of possible sessions",
        phrase=f"{verb.format(share='{value:.0%} of sessions')} {said('weeks', weeks)}",
        phrase_low=f"{verb.format(share='no sessions')} {said('weeks', weeks)}",
        group="Punctuality" if group == "Punctuality" else "Attendance",
        changeable=True,
        source=SOURCE,
        monotone=1 if monotone else 0,
    )


def _change(name: str, measure: Measure, words: str, group: str) -> Feature:
    return Feature(
        name=f"{name}_change_4w",
        kind="change",
        measure=measure,
        per=POSSIBLE_SESSIONS,
        window_weeks=4,
        before_weeks=8,
        unit="difference of shares of possible sessions",
        phrase=f"{words} higher in the last 4 school weeks than in the 8 before, by {{size:.0%}} of sessions",
        phrase_low=f"{words} no higher in the last 4 school weeks than in the 8 before",
        group="Punctuality" if group == "Punctuality" else "Attendance",
        changeable=True,
        source=SOURCE,
    )


_ABSENT = "Missed {share}, illness aside,"
_WITHOUT = "Missed {share} without permission"
_LATE = "Arrived late to {share}"
_AFTER = "Arrived after the register had closed for {share}"

ATTENDANCE: tuple[Feature, ...] = (
    *(_rate("missed_rate", weeks, MISSED, _ABSENT, "Attendance") for weeks in (2, 4, 12)),
    *(_rate("unauthorised_rate", weeks, WITHOUT_PERMISSION, _WITHOUT, "Attendance") for weeks in (2, 4, 12)),
    _change("missed", MISSED, "Absence, illness aside, was", "Attendance"),
    _change("unauthorised", WITHOUT_PERMISSION, "Absence without permission was", "Attendance"),
    Feature(
        name="missed_slope_6w",
        kind="slope",
        measure=MISSED,
        per=POSSIBLE_SESSIONS,
        window_weeks=6,
        unit="share of possible sessions, change each school week",
        phrase="Absence, illness aside, has gone up over the last 6 school weeks, by {size:.1%} of sessions a week",
        phrase_low="Absence, illness aside, has not gone up over the last 6 school weeks",
        group="Attendance",
        changeable=True,
        source=SOURCE,
    ),
    Feature(
        name="afternoon_gap_8w",
        kind="contrast",
        measure=_MISSED_PM,
        per=_POSSIBLE_PM,
        other=_MISSED_AM,
        other_per=_POSSIBLE_AM,
        window_weeks=8,
        unit="difference of shares of possible sessions, afternoons less mornings",
        phrase="Missed afternoons more than mornings in the last 8 school weeks, by {size:.0%} of sessions",
        phrase_low="Missed afternoons no more than mornings in the last 8 school weeks",
        group="Attendance",
        changeable=True,
        source=SOURCE,
    ),
    *(_rate("late_rate", weeks, LATE, _LATE, "Punctuality") for weeks in (2, 4, 12)),
    *(_rate("after_register_rate", weeks, AFTER_REGISTER, _AFTER, "Punctuality") for weeks in (4, 12)),
    _change("late", LATE, "Lateness was", "Punctuality"),
)
