"""The time of year and the year group: context against which the rest is read."""

from features.feature import Feature

SOURCE = "School term dates; published suspension figures by term and year group (DfE)"

SEASON: tuple[Feature, ...] = (
    Feature(
        name="half_term",
        kind="context",
        context="half_term",
        window_weeks=0,
        unit="half-term of the school year, 1 to 6",
        phrase="It is half-term {value:.0f} of 6",
        phrase_low="It is the start of the school year",
        group="Year group and time of year",
        changeable=False,
        source=SOURCE,
    ),
    Feature(
        name="week_of_half_term",
        kind="context",
        context="week_of_half_term",
        window_weeks=0,
        unit="week since the half-term began, 1 to 9",
        phrase="It is week {value:.0f} since the half-term began",
        phrase_low="It is the start of a half-term",
        group="Year group and time of year",
        changeable=False,
        source=SOURCE,
    ),
    Feature(
        name="year",
        kind="context",
        context="year",
        window_weeks=0,
        unit="National Curriculum year, reception is 0",
        phrase="The pupil is in year {value:.0f}",
        phrase_low="The pupil is in reception",
        group="Year group and time of year",
        changeable=False,
        source=SOURCE,
    ),
)
