"""How earlier suspensions lie in time: this year and term, how long, how far apart, and what followed them.

The law's own limits stand behind two of them: 45 school days in a school year, and governors' meetings after more
than 15 in a term.
"""

from features.definitions.behaviour import INCIDENTS
from features.definitions.sanctions import SESSIONS_LOST, SOURCE, SUSPENSIONS, THREE_YEARS_WEEKS, YEAR_WEEKS
from features.feature import Feature
from features.forms import Kind
from features.measure import Measure
from features.spans import Span

LUNCHTIMES = Measure(
    name="lunchtime_exclusions",
    means="lunchtime exclusions, half a day each",
    table="suspensions",
    where={"category": frozenset({"LNCH"})},
)
DAYS_AFTER_RETURN = 14


def _past(
    name: str,
    kind: Kind,
    measure: Measure,
    window: int | Span,
    unit: str,
    words: tuple[str, str],
    *,
    free: bool = False,
) -> Feature:
    """Return a feature of earlier suspensions; `free` where more need not mean a higher risk."""
    return Feature(
        name=name,
        kind=kind,
        measure=measure,
        window_weeks=window if isinstance(window, int) else 0,
        span="weeks" if isinstance(window, int) else window,
        unit=unit,
        phrase=words[0],
        phrase_low=words[1],
        group="Earlier suspensions",
        changeable=False,
        source=SOURCE,
        monotone=0 if free else 1,
    )


SANCTION_PATTERNS: tuple[Feature, ...] = (
    _past(
        "suspensions_year",
        "count",
        SUSPENSIONS,
        "school_year",
        "suspensions",
        (
            "{value:.0f} suspension{s} this school year",
            "No suspension this school year",
        ),
    ),
    _past(
        "sessions_lost_year",
        "count",
        SESSIONS_LOST,
        "school_year",
        "sessions, of at most 90 in a school year",
        (
            "Lost {value:.0f} session{s} to suspension this school year",
            "Lost no sessions to suspension this school year",
        ),
    ),
    _past(
        "sessions_lost_term",
        "count",
        SESSIONS_LOST,
        "term",
        "sessions; above 30 in a term governors must meet",
        (
            "Lost {value:.0f} session{s} to suspension this term",
            "Lost no sessions to suspension this term",
        ),
    ),
    _past(
        "sessions_lost_117w",
        "count",
        SESSIONS_LOST,
        THREE_YEARS_WEEKS,
        "sessions lost to suspension",
        (
            "Lost {value:.0f} session{s} to suspension in the last three years",
            "Lost no sessions to suspension in the last three years",
        ),
    ),
    _past(
        "suspension_longest_39w",
        "maximum",
        SESSIONS_LOST,
        YEAR_WEEKS,
        "sessions",
        (
            "The longest suspension or lunchtime exclusion in the last year took {value:.0f} session{s}",
            "No suspension in the last year",
        ),
    ),
    _past(
        "lunchtime_exclusions_39w",
        "count",
        LUNCHTIMES,
        YEAR_WEEKS,
        "lunchtime exclusions",
        (
            "{value:.0f} exclusion{s} at lunchtime in the last year",
            "No exclusion at lunchtime in the last year",
        ),
    ),
    _past(
        "suspension_gap_117w",
        "gap",
        SUSPENSIONS,
        THREE_YEARS_WEEKS,
        "school days",
        (
            "On average {value:.1f} school days from one suspension to the next in the last three years",
            "Suspensions began less than a school day apart in the last three years",
        ),
        free=True,
    ),
    _past(
        "suspension_gap_change_117w",
        "gap_change",
        SUSPENSIONS,
        THREE_YEARS_WEEKS,
        "school days",
        (
            "The time between the last two suspensions was longer than it had been before, by {size:.0f} school day{s}",
            "The time between the last two suspensions was no longer than it had been before",
        ),
        free=True,
    ),
    Feature(
        name="incidents_after_suspension_39w",
        kind="after",
        measure=INCIDENTS,
        other=SUSPENSIONS,
        within_days=DAYS_AFTER_RETURN,
        window_weeks=YEAR_WEEKS,
        unit="events",
        phrase="{value:.0f} incident{s} within two weeks after a suspension began in the last year",
        phrase_low="No incident within two weeks after a suspension began in the last year",
        group="Earlier suspensions",
        changeable=False,
        source=SOURCE,
    ),
)
