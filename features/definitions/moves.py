"""Moves between schools, and sessions away from the pupil's own timetable."""

from features.definitions.attendance import ELSEWHERE, PART_TIME
from features.feature import Feature
from features.measure import Measure

SOURCE = "School Census enrolments and DfE attendance codes in force from 19 August 2024"


def _sessions(name: str, measure: Measure, weeks: int, words: str) -> Feature:
    return Feature(
        name=f"{name}_{weeks}w",
        kind="count",
        measure=measure,
        window_weeks=weeks,
        unit=measure.means,
        phrase=f"{{value:.0f}} session{{s}} {words} in the last {weeks} school weeks",
        phrase_low=f"No sessions {words} in the last {weeks} school weeks",
        group="Moves and changes",
        changeable=True,
        source=SOURCE,
    )


MOVES: tuple[Feature, ...] = (
    _sessions("part_time", PART_TIME, 4, "on a part-time timetable"),
    _sessions("part_time", PART_TIME, 12, "on a part-time timetable"),
    _sessions("elsewhere", ELSEWHERE, 12, "educated elsewhere"),
    Feature(
        name="days_on_roll",
        kind="context",
        context="days_on_roll",
        window_weeks=0,
        unit="school days, at most 195",
        phrase="On this school's roll for {value:.0f} school day{s} (195 stands for a year or more)",
        phrase_low="New on this school's roll",
        group="Moves and changes",
        changeable=False,
        source=SOURCE,
    ),
    Feature(
        name="joined_mid_year",
        kind="context",
        context="joined_mid_year",
        window_weeks=0,
        unit="1 yes, 0 no",
        phrase="Joined this school during the school year",
        phrase_low="Did not join this school during the last school year",
        group="Moves and changes",
        changeable=False,
        source=SOURCE,
    ),
    Feature(
        name="schools_117w",
        kind="context",
        context="schools",
        window_weeks=0,
        unit="schools of the network",
        phrase="On the roll of {value:.0f} school{s} of the network in the last three school years",
        phrase_low="On the roll of no school of the network",
        group="Moves and changes",
        changeable=False,
        source=SOURCE,
    ),
)
