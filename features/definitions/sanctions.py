"""Earlier suspensions: only those that began before as_of, never their reasons, and none older than three years.

History expires on purpose: a pupil starts afresh (docs/decisions.md, 13).
"""

from features.feature import Feature
from features.measure import Measure

SOURCE = "DfE suspensions and permanent exclusions, School Census"
_AWAY = frozenset({"SUSP", "PERM"})
SUSPENSIONS = Measure(name="suspensions", means="suspensions", table="suspensions", where={"category": _AWAY})
SESSIONS_LOST = Measure(
    name="sessions_lost", means="sessions lost to suspension", table="suspensions", weight="sessions"
)
YEAR_WEEKS = 39
THREE_YEARS_WEEKS = 117


def _count(name: str, measure: Measure, weeks: int, phrase: str, low: str) -> Feature:
    return Feature(
        name=name,
        kind="count",
        measure=measure,
        window_weeks=weeks,
        unit=measure.means,
        phrase=phrase,
        phrase_low=low,
        group="Earlier suspensions",
        changeable=False,
        source=SOURCE,
        monotone=1,
    )


SANCTIONS: tuple[Feature, ...] = (
    _count(
        "suspensions_12w",
        SUSPENSIONS,
        12,
        "{value:.0f} suspension{s} in the last 12 school weeks",
        "No suspension in the last 12 school weeks",
    ),
    _count(
        "suspensions_39w",
        SUSPENSIONS,
        YEAR_WEEKS,
        "{value:.0f} suspension{s} in the last year",
        "No suspension in the last year",
    ),
    _count(
        "suspensions_117w",
        SUSPENSIONS,
        THREE_YEARS_WEEKS,
        "{value:.0f} suspension{s} in the last three years",
        "No suspension in the last three years",
    ),
    _count(
        "sessions_lost_39w",
        SESSIONS_LOST,
        YEAR_WEEKS,
        "Lost {value:.0f} session{s} to suspension in the last year",
        "Lost no sessions to suspension in the last year",
    ),
    Feature(
        name="days_since_suspension_39w",
        kind="since",
        measure=SUSPENSIONS,
        window_weeks=YEAR_WEEKS,
        when_empty=195.0,  # every school day of 39 school weeks: as long ago as the window can say
        unit="school days",
        phrase="The last suspension began {value:.0f} school day{s} ago",
        phrase_low="No suspension in the last year",
        group="Earlier suspensions",
        changeable=False,
        source=SOURCE,
        # Free: a pupil just back from a suspension may be at less risk for a while.
        monotone=0,
    ),
)
