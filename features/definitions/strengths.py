"""What is going well: how often, how lately and how steadily achievements are recorded."""

from features.definitions.behaviour import INCIDENTS, POSITIVES, SOURCE
from features.feature import Feature, Group
from features.measure import Measure

GROUP: Group = "Positives and strengths"
POSITIVE_POINTS = Measure(name="positive_points", means="achievement points", table="positives", weight="points")

STRENGTHS: tuple[Feature, ...] = (
    Feature(
        name="positives_year",
        kind="count",
        measure=POSITIVES,
        window_weeks=0,
        span="school_year",
        unit=POSITIVES.means,
        phrase="{value:.0f} achievement{s} recorded this school year",
        phrase_low="No achievements recorded this school year",
        group=GROUP,
        changeable=True,
        source=SOURCE,
    ),
    Feature(
        name="positives_weeks_12w",
        kind="weeks",
        measure=POSITIVES,
        window_weeks=12,
        unit="school weeks",
        phrase="Achievements in {value:.0f} of the last 12 school weeks",
        phrase_low="Achievements in none of the last 12 school weeks",
        group=GROUP,
        changeable=True,
        source=SOURCE,
    ),
    Feature(
        name="days_since_positive_39w",
        kind="since",
        measure=POSITIVES,
        window_weeks=39,
        when_empty=195.0,  # every school day of 39 school weeks: as long ago as the window can say
        unit="school days",
        phrase="The last achievement was recorded {value:.0f} school day{s} ago",
        phrase_low="No achievement recorded in the last year",
        group=GROUP,
        changeable=True,
        source=SOURCE,
    ),
    Feature(
        name="positives_momentum_12w",
        kind="momentum",
        measure=POSITIVES,
        window_weeks=12,
        unit="achievements a school week",
        phrase="Achievements have lately been more frequent than over the last 12 school weeks, by {size:.1f} a week",
        phrase_low="Achievements have lately been no more frequent than over the last 12 school weeks",
        group=GROUP,
        changeable=True,
        source=SOURCE,
    ),
    Feature(
        name="positive_points_12w",
        kind="count",
        measure=POSITIVE_POINTS,
        window_weeks=12,
        unit="achievement points",
        phrase="{value:.0f} achievement point{s} in the last 12 school weeks",
        phrase_low="No achievement points in the last 12 school weeks",
        group=GROUP,
        changeable=True,
        source=SOURCE,
    ),
    Feature(
        name="positive_share_4w",
        kind="share",
        measure=POSITIVES,
        other=INCIDENTS,
        window_weeks=4,
        unit="achievements as a share of achievements and incidents",
        phrase="{value:.0%} of what was recorded in the last 4 school weeks was an achievement",
        phrase_low="Nothing recorded in the last 4 school weeks was an achievement",
        group=GROUP,
        changeable=True,
        source=SOURCE,
    ),
)
