"""How absence and lateness run: over the school year, by day of the week, in spells, beside the pupil's own past."""

from features.definitions.attendance import (
    AFTER_REGISTER,
    COUNTED,
    LATE,
    MISSED,
    MISSED_CODES,
    POSSIBLE_SESSIONS,
    SOURCE,
    WITHOUT_PERMISSION,
    sessions,
)
from features.feature import Feature, Group
from features.forms import Kind
from features.measure import Measure
from features.proxies import ProxyRisk
from features.spans import Span, said

_MONDAY, _FRIDAY = frozenset({0}), frozenset({4})
POSSIBLE_MONDAYS = sessions("possible_mondays", "possible Monday sessions", COUNTED, weekdays=_MONDAY)
MISSED_MONDAYS = sessions("missed_mondays", "Monday sessions missed", MISSED_CODES, weekdays=_MONDAY)
POSSIBLE_FRIDAYS = sessions("possible_friday_pm", "possible Friday afternoons", COUNTED, "PM", _FRIDAY)
MISSED_FRIDAYS = sessions("missed_friday_pm", "Friday afternoons missed", MISSED_CODES, "PM", _FRIDAY)
NO_REASON_YET = sessions("no_reason_yet", "sessions missed for which no reason is known yet", frozenset({"N"}))
HOLIDAYS = sessions("holidays", "sessions missed for a holiday that was not agreed", frozenset({"G"}))

_SHARE = "share of possible sessions"
_SPANS: dict[Span, str] = {"school_year": "year", "half_term": "half_term", "first_week": "first_week"}


def _in_span(name: str, measure: Measure, span: Span, verb: str, group: Group = "Attendance") -> Feature:
    return Feature(
        name=f"{name}_rate_{_SPANS[span]}",
        kind="rate",
        measure=measure,
        per=POSSIBLE_SESSIONS,
        window_weeks=0,
        span=span,
        unit=_SHARE,
        phrase=f"{verb.format(share='{value:.0%} of sessions')} {said(span)}",
        phrase_low=f"{verb.format(share='no sessions')} {said(span)}",
        group=group,
        changeable=span != "first_week",
        source=SOURCE,
    )


def _rate(name: str, weeks: int, measure: Measure, per: Measure, share: str, low: str, unit: str = _SHARE) -> Feature:
    return Feature(
        name=f"{name}_rate_{weeks}w",
        kind="rate",
        measure=measure,
        per=per,
        window_weeks=weeks,
        unit=unit,
        phrase=f"{share} {said('weeks', weeks)}",
        phrase_low=f"{low} {said('weeks', weeks)}",
        group="Attendance",
        changeable=True,
        source=SOURCE,
    )


def _series(
    name: str, kind: Kind, measure: Measure, weeks: int, words: tuple[str, str], *, group: Group, before: int = 0
) -> Feature:
    units = {
        "momentum": "difference of shares of possible sessions",
        "volatility": "spread of the weekly share of possible sessions",
        "departure": "usual spreads",
        "cusum": "shares of possible sessions, added up",
    }
    return Feature(
        name=f"{name}_{kind}_{weeks}w",
        kind=kind,
        measure=measure,
        per=POSSIBLE_SESSIONS,
        window_weeks=weeks,
        before_weeks=before,
        unit=units[kind],
        phrase=words[0],
        phrase_low=words[1],
        group=group,
        changeable=True,
        source=SOURCE,
    )


def _line(name: str, kind: Kind, measure: Measure, phrase: str, low: str, group: Group = "Attendance") -> Feature:
    return Feature(
        name=f"{name}_{kind}_12w",
        kind=kind,
        measure=measure,
        per=POSSIBLE_SESSIONS,
        window_weeks=12,
        unit="sessions" if kind in ("longest", "run") else "spells",
        phrase=phrase,
        phrase_low=low,
        group=group,
        changeable=True,
        source=SOURCE,
    )


ATTENDANCE_PATTERNS: tuple[Feature, ...] = (
    _in_span("missed", MISSED, "school_year", "Missed {share}, illness aside,"),
    _in_span("missed", MISSED, "half_term", "Missed {share}, illness aside,"),
    _in_span("missed", MISSED, "first_week", "Missed {share}, illness aside,"),
    _in_span("unauthorised", WITHOUT_PERMISSION, "school_year", "Missed {share} without permission"),
    _rate(
        "missed_monday",
        12,
        MISSED_MONDAYS,
        POSSIBLE_MONDAYS,
        "Missed {value:.0%} of Monday sessions, illness aside,",
        "Missed no Monday sessions, illness aside,",
        "share of possible Monday sessions",
    ),
    _rate(
        "missed_friday_afternoon",
        12,
        MISSED_FRIDAYS,
        POSSIBLE_FRIDAYS,
        "Missed {value:.0%} of Friday afternoons, illness aside,",
        "Missed no Friday afternoons, illness aside,",
        "share of possible Friday afternoons",
    ),
    _rate(
        "no_reason_yet",
        4,
        NO_REASON_YET,
        POSSIBLE_SESSIONS,
        "No reason is known yet for {value:.0%} of sessions",
        "A reason is known for every absence",
    ),
    Feature(
        name="unagreed_holiday_rate_12w",
        kind="rate",
        measure=HOLIDAYS,
        per=POSSIBLE_SESSIONS,
        window_weeks=12,
        unit=_SHARE,
        phrase="Missed {value:.0%} of sessions for a holiday that was not agreed in the last 12 school weeks",
        phrase_low="Missed no sessions for a holiday that was not agreed in the last 12 school weeks",
        group="Attendance",
        changeable=True,
        source=SOURCE,
        proxy_risk=ProxyRisk("ethnicity", "families with relatives abroad travel in term time more often"),
    ),
    _series(
        "missed",
        "momentum",
        MISSED,
        12,
        (
            (
                "Absence, illness aside, has lately been above its level over the last 12 school weeks, "
                "by {size:.0%} of sessions"
            ),
            "Absence, illness aside, has lately not been above its level over the last 12 school weeks",
        ),
        group="Attendance",
    ),
    _series(
        "missed",
        "volatility",
        MISSED,
        12,
        (
            (
                "Absence, illness aside, varied from week to week over the last 12 school weeks, "
                "by about {value:.0%} of sessions"
            ),
            "Absence, illness aside, was the same in each of the last 12 school weeks",
        ),
        group="Attendance",
    ),
    _series(
        "missed",
        "departure",
        MISSED,
        4,
        (
            (
                "Absence, illness aside, was above this pupil's usual level in the last 4 school weeks, "
                "by {size:.1f} times the usual variation"
            ),
            "Absence, illness aside, was not above this pupil's usual level in the last 4 school weeks",
        ),
        group="Attendance",
        before=12,
    ),
    _series(
        "unauthorised",
        "cusum",
        WITHOUT_PERMISSION,
        6,
        (
            (
                "Absence without permission has been building up over the last 6 school weeks, "
                "to {value:.0%} of a week's sessions more than usual"
            ),
            "Absence without permission has not been building up over the last 6 school weeks",
        ),
        group="Attendance",
        before=12,
    ),
    _line(
        "missed",
        "spells",
        MISSED,
        "{value:.0f} separate spell{s} of absence, illness aside, in the last 12 school weeks",
        "No spells of absence, illness aside, in the last 12 school weeks",
    ),
    _line(
        "missed",
        "brief",
        MISSED,
        "{value:.0f} absence{s} of a single session, illness aside, in the last 12 school weeks",
        "No absence of a single session, illness aside, in the last 12 school weeks",
    ),
    _line(
        "missed",
        "longest",
        MISSED,
        "The longest absence, illness aside, in the last 12 school weeks was {value:.0f} session{s}",
        "No absence, illness aside, in the last 12 school weeks",
    ),
    _line(
        "unauthorised",
        "run",
        WITHOUT_PERMISSION,
        "Missed {value:.0f} session{s} in a row without permission, up to the last one",
        "Was not absent without permission from the last session",
    ),
    Feature(
        name="missed_same_weekday_share_12w",
        kind="top_share",
        measure=MISSED,
        by="weekday",
        window_weeks=12,
        unit="share of the sessions missed",
        phrase="{value:.0%} of the sessions missed in the last 12 school weeks fell on the same day of the week",
        phrase_low="Missed no sessions, illness aside, in the last 12 school weeks",
        group="Attendance",
        changeable=True,
        source=SOURCE,
    ),
    _in_span("late", LATE, "school_year", "Arrived late to {share}", "Punctuality"),
    _line(
        "late",
        "run",
        LATE,
        "Arrived late to {value:.0f} session{s} in a row, up to the last one",
        "Did not arrive late to the last session",
        "Punctuality",
    ),
    _series(
        "late",
        "momentum",
        LATE,
        12,
        (
            "Lateness has lately been above its level over the last 12 school weeks, by {size:.0%} of sessions",
            "Lateness has lately not been above its level over the last 12 school weeks",
        ),
        group="Punctuality",
    ),
    _series(
        "after_register",
        "departure",
        AFTER_REGISTER,
        4,
        (
            (
                "Arriving after the register had closed was above this pupil's usual level in the last 4 school weeks, "
                "by {size:.1f} times the usual variation"
            ),
            "Arriving after the register had closed was not above this pupil's usual level in the last 4 school weeks",
        ),
        group="Punctuality",
        before=12,
    ),
)
