"""Moves between schools, and sessions away from the pupil's own timetable."""

from features.definitions.attendance import ELSEWHERE, PART_TIME, POSSIBLE_SESSIONS
from features.feature import Feature
from features.measure import Measure
from features.proxies import ProxyRisk
from features.spans import said

SOURCE = "School Census enrolments and DfE attendance codes in force from 19 August 2024"


PLACEMENTS = Measure(
    name="placements", means="placements in alternative provision begun", table="alternative_provision"
)
_PART_TIME_RISK = ProxyRisk(
    "disability",
    "part-time timetables follow special educational needs and health, and should be watched as a sanction",
)
_MOVE_RISK = ProxyRisk("poverty", "moves follow poverty, care and being a refugee")
_ELSEWHERE_RISK = ProxyRisk("disability", "education elsewhere follows special educational needs")


def _sessions(name: str, measure: Measure, weeks: int, words: str, proxy_risk: ProxyRisk) -> Feature:
    return Feature(
        name=f"{name}_{weeks}w",
        kind="count",
        measure=measure,
        window_weeks=weeks,
        unit=measure.means,
        phrase=f"{{value:.0f}} session{{s}} {words} {said('weeks', weeks)}",
        phrase_low=f"No sessions {words} {said('weeks', weeks)}",
        group="Moves and changes",
        changeable=True,
        source=SOURCE,
        proxy_risk=proxy_risk,
    )


MOVES: tuple[Feature, ...] = (
    *(_sessions("part_time", PART_TIME, weeks, "on a part-time timetable", _PART_TIME_RISK) for weeks in (4, 12, 39)),
    Feature(
        name="part_time_longest_39w",
        kind="longest",
        measure=PART_TIME,
        per=POSSIBLE_SESSIONS,
        window_weeks=39,
        unit="sessions",
        phrase="The longest spell on a part-time timetable in the last year was {value:.0f} session{s}",
        phrase_low="No sessions on a part-time timetable in the last year",
        group="Moves and changes",
        changeable=True,
        source=SOURCE,
        proxy_risk=_PART_TIME_RISK,
    ),
    *(_sessions("elsewhere", ELSEWHERE, weeks, "educated elsewhere", _ELSEWHERE_RISK) for weeks in (4, 12)),
    Feature(
        name="placements_39w",
        kind="count",
        measure=PLACEMENTS,
        window_weeks=39,
        unit=PLACEMENTS.means,
        phrase="{value:.0f} placement{s} in alternative provision begun in the last year",
        phrase_low="No placement in alternative provision begun in the last year",
        group="Moves and changes",
        changeable=True,
        source="School Census, school-arranged alternative provision",
        proxy_risk=_ELSEWHERE_RISK,
    ),
    Feature(
        name="days_on_roll",
        kind="context",
        context="days_on_roll",
        window_weeks=0,
        unit="school days, at most 195",
        phrase="On this school's roll for {value:.0f} school day{s}, of which at most 195 are counted",
        phrase_low="New on this school's roll",
        group="Moves and changes",
        changeable=False,
        source=SOURCE,
        proxy_risk=_MOVE_RISK,
    ),
    Feature(
        name="joined_mid_year",
        kind="context",
        context="joined_mid_year",
        window_weeks=0,
        unit="1 yes, 0 no",
        phrase="Joined this school in the last year, while a school year was under way",
        phrase_low="Did not join this school in the last year while a school year was under way",
        group="Moves and changes",
        changeable=False,
        source=SOURCE,
        proxy_risk=_MOVE_RISK,
    ),
    Feature(
        name="schools_117w",
        kind="context",
        context="schools",
        window_weeks=0,
        unit="schools of the network",
        phrase="On the roll of {value:.0f} school{s} of the network in the last three years",
        phrase_low="On the roll of no school of the network",
        group="Moves and changes",
        changeable=False,
        source=SOURCE,
        proxy_risk=_MOVE_RISK,
    ),
)
