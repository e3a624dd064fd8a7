"""How incidents run: over the school year, gathering pace, growing graver, beside the pupil's own usual weeks."""

from features.definitions.behaviour import INCIDENTS, REMOVALS, SEVERITY, SOURCE, events
from features.feature import Feature
from features.forms import Kind
from features.measure import Measure
from features.spans import Span, said

POINTS = events("behaviour_points", "behaviour points", weight="points")


def _series(name: str, kind: Kind, measure: Measure, weeks: int, phrase: str, low: str, before: int = 0) -> Feature:
    units = {
        "momentum": "events a school week",
        "volatility": "spread of events a school week",
        "departure": "usual spreads",
        "cusum": "events, added up",
        "weeks": "school weeks",
        "gap": "school days",
        "gap_change": "school days",
    }
    return Feature(
        name=f"{name}_{kind}_{weeks}w",
        kind=kind,
        measure=measure,
        window_weeks=weeks,
        before_weeks=before,
        unit=units[kind],
        phrase=phrase,
        phrase_low=low,
        group="Time in lessons" if measure is REMOVALS else "Behaviour",
        changeable=True,
        source=SOURCE,
    )


def _in_span(span: Span, short: str) -> Feature:
    return Feature(
        name=f"incidents_{short}",
        kind="count",
        measure=INCIDENTS,
        window_weeks=0,
        span=span,
        unit=INCIDENTS.means,
        phrase=f"{{value:.0f}} incident{{s}} {said(span)}",
        phrase_low=f"No incidents {said(span)}",
        group="Behaviour",
        changeable=True,
        source=SOURCE,
        monotone=1,
    )


def _severity(name: str, kind: Kind, weeks: int, unit: str, phrase: str, low: str) -> Feature:
    return Feature(
        name=f"{name}_{weeks}w",
        kind=kind,
        measure=SEVERITY,
        per=None if kind == "maximum" else INCIDENTS,
        window_weeks=weeks,
        unit=unit,
        phrase=phrase,
        phrase_low=low,
        group="Behaviour",
        changeable=True,
        source=SOURCE,
        monotone=1 if kind == "maximum" else 0,
    )


BEHAVIOUR_PATTERNS: tuple[Feature, ...] = (
    _in_span("school_year", "year"),
    _in_span("half_term", "half_term"),
    _series(
        "incidents",
        "weeks",
        INCIDENTS,
        12,
        "Incidents in {value:.0f} of the last 12 school weeks",
        "Incidents in none of the last 12 school weeks",
    ),
    _series(
        "incidents",
        "momentum",
        INCIDENTS,
        12,
        "Incidents have lately been more frequent than over the last 12 school weeks, by {size:.1f} a week",
        "Incidents have lately been no more frequent than over the last 12 school weeks",
    ),
    _series(
        "incidents",
        "departure",
        INCIDENTS,
        4,
        "Incidents were above this pupil's usual level in the last 4 school weeks, "
        "by {size:.1f} times the usual variation",
        "Incidents were not above this pupil's usual level in the last 4 school weeks",
        12,
    ),
    _series(
        "incidents",
        "cusum",
        INCIDENTS,
        6,
        "Incidents have been building up over the last 6 school weeks, to {value:.1f} more than usual",
        "Incidents have not been building up over the last 6 school weeks",
        12,
    ),
    _series(
        "incidents",
        "volatility",
        INCIDENTS,
        12,
        "The number of incidents varied from week to week over the last 12 school weeks, by about {value:.1f}",
        "The number of incidents was the same in each of the last 12 school weeks",
    ),
    _series(
        "incidents",
        "gap",
        INCIDENTS,
        39,
        "On average {value:.1f} school days from one incident to the next in the last year",
        "Incidents came less than a school day apart in the last year",
    ),
    _series(
        "incidents",
        "gap_change",
        INCIDENTS,
        39,
        "The time between the last two incidents was longer than it had been before, by {size:.0f} school day{s}",
        "The time between the last two incidents was no longer than it had been before",
    ),
    _series(
        "removals",
        "momentum",
        REMOVALS,
        12,
        "Removals from lessons have lately been more frequent than over the last 12 school weeks, by {size:.1f} a week",
        "Removals from lessons have lately been no more frequent than over the last 12 school weeks",
    ),
    _series(
        "removals",
        "departure",
        REMOVALS,
        4,
        "Removals from lessons were above this pupil's usual level in the last 4 school weeks, "
        "by {size:.1f} times the usual variation",
        "Removals from lessons were not above this pupil's usual level in the last 4 school weeks",
        12,
    ),
    _severity(
        "severity_mean",
        "rate",
        12,
        "severity, 1 to 5, for each event",
        "Incidents in the last 12 school weeks were graded {value:.1f} of 5 on average",
        "No incidents in the last 12 school weeks",
    ),
    _severity(
        "severity_slope",
        "slope",
        8,
        "severity for each event, change each school week",
        "Incidents have become more serious over the last 8 school weeks, by {size:.1f} of 5 a week",
        "Incidents have not become more serious over the last 8 school weeks",
    ),
    _severity(
        "severity_largest",
        "maximum",
        12,
        "severity, 1 to 5, 0 for no event",
        "The most serious incident in the last 12 school weeks was graded {value:.0f} of 5",
        "No incidents in the last 12 school weeks",
    ),
    Feature(
        name="behaviour_points_12w",
        kind="count",
        measure=POINTS,
        window_weeks=12,
        unit="behaviour points",
        phrase="{value:.0f} behaviour point{s} in the last 12 school weeks",
        phrase_low="No behaviour points in the last 12 school weeks",
        group="Behaviour",
        changeable=True,
        source=SOURCE,
    ),
    Feature(
        name="incident_days_4w",
        kind="days",
        measure=INCIDENTS,
        window_weeks=4,
        unit="days with an event",
        phrase="Incidents on {value:.0f} day{s} in the last 4 school weeks",
        phrase_low="Incidents on no day in the last 4 school weeks",
        group="Behaviour",
        changeable=True,
        source=SOURCE,
        monotone=1,
    ),
)
