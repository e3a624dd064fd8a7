"""Behaviour events, removals from lessons, and achievements.

An event whose recorded outcome is a suspension counts as an event like any other: its outcome is the
sanction that Belong is asked about, so no measure picks it out (`features.measure.FORBIDDEN_CODES`).
"""

from collections.abc import Mapping

from features.feature import Feature, Group
from features.measure import Measure
from features.proxies import ProxyRisk
from features.spans import said
from records.codes import INCIDENT_TYPE

SOURCE = "behaviour records as school systems keep them; code lists of records/codes.py"
TOOK_PART = frozenset({"Aggressor", "Participant"})
# Not conduct: being in an accident or lacking a type says nothing of behaviour.
CONDUCT = frozenset(INCIDENT_TYPE.codes) - {"Accident", "Not Applicable"}
JUDGEMENT = ProxyRisk(
    "ethnicity",
    "what counts as defiance, abuse or disruption is an adult's judgement, and is known to differ by ethnicity",
)
_REMOVED = frozenset({"Internal Exclusion", "Isolation", "Cooling off Period"})
_DETENTION = frozenset({"Detention", "Detention Given - Pastoral", "Detention Given - Faculty"})


def events(
    name: str,
    means: str,
    *,
    types: frozenset[str] = CONDUCT,
    outcomes: frozenset[str] | None = None,
    weight: str | None = None,
    roles: frozenset[str] = TOOK_PART,
) -> Measure:
    """Return the measure of the behaviour events of these types, outcomes and roles."""
    where: Mapping[str, frozenset[str]] = {"role": roles, "type": types}
    return Measure(
        name=name,
        means=means,
        table="behaviour",
        where=where if outcomes is None else {**where, "outcome": outcomes},
        weight=weight,
    )


INCIDENTS = events("incidents", "behaviour events the pupil took part in")
SEVERITY = events("severity", "severity points, 1 to 5 an event", weight="severity")
VIOLENCE = events("violence", "assaults and fights", types=frozenset({"Assault - Pupil", "Fighting", "Bullying"}))
VERBAL = events("verbal_abuse", "verbal abuse", types=frozenset({"Verbal Abuse"}))
DISRUPTION = events(
    "disruption", "disruption, defiance or insolence", types=frozenset({"Disruption", "Defiance", "Insolence"})
)
TRUANCY = events("truancy", "lessons missed while in school", types=frozenset({"Truancy"}))
REMOVALS = events("removals", "removals from lessons", outcomes=_REMOVED)
DETENTIONS = events("detentions", "detentions given", outcomes=_DETENTION)
POSITIVES = Measure(name="positives", means="achievements recorded", table="positives")
HARMED = Measure(
    name="harmed",
    means="events in which the pupil was the one harmed",
    table="behaviour",
    where={"role": frozenset({"Target"})},
)


def count(
    measure: Measure, weeks: int, noun: str, group: Group, *, monotone: bool = True, proxy_risk: ProxyRisk | None = None
) -> Feature:
    """Return a count over school weeks; `noun` may hold {s}, for one and many."""
    return Feature(
        name=f"{measure.name}_{weeks}w",
        kind="count",
        measure=measure,
        window_weeks=weeks,
        unit=measure.means,
        phrase=f"{{value:.0f}} {noun} {said('weeks', weeks)}",
        phrase_low=f"No {noun.format(s='s')} {said('weeks', weeks)}",
        group=group,
        changeable=True,
        source=SOURCE,
        monotone=1 if monotone else 0,
        proxy_risk=proxy_risk,
    )


def change(measure: Measure, noun: str, group: Group, *, monotone: bool = False) -> Feature:
    """Return the change of a weekly count: the last 4 school weeks beside the 8 before."""
    return Feature(
        name=f"{measure.name}_change_4w",
        kind="change",
        measure=measure,
        window_weeks=4,
        before_weeks=8,
        unit=f"{measure.means}, a school week",
        phrase=f"{noun} more frequent in the last 4 school weeks than in the 8 before, by {{size:.1f}} a week",
        phrase_low=f"{noun} no more frequent in the last 4 school weeks than in the 8 before",
        group=group,
        changeable=True,
        source=SOURCE,
        monotone=1 if monotone else 0,
    )


BEHAVIOUR: tuple[Feature, ...] = (
    *(count(INCIDENTS, weeks, "incident{s}", "Behaviour") for weeks in (1, 2, 4, 8, 12)),
    change(INCIDENTS, "Incidents were", "Behaviour"),
    Feature(
        name="incidents_slope_6w",
        kind="slope",
        measure=INCIDENTS,
        window_weeks=6,
        unit="events a school week, change each week",
        phrase="Incidents have gone up over the last 6 school weeks, by {size:.1f} each week",
        phrase_low="Incidents have not gone up over the last 6 school weeks",
        group="Behaviour",
        changeable=True,
        source=SOURCE,
    ),
    *(count(SEVERITY, weeks, "severity point{s}", "Behaviour") for weeks in (4, 12)),
    Feature(
        name="severity_largest_4w",
        kind="maximum",
        measure=SEVERITY,
        window_weeks=4,
        unit="severity, 1 to 5, 0 for no event",
        phrase="The most serious incident in the last 4 school weeks was graded {value:.0f} of 5",
        phrase_low="No incidents in the last 4 school weeks",
        group="Behaviour",
        changeable=True,
        source=SOURCE,
        monotone=1,
    ),
    count(VIOLENCE, 12, "fight{s} or assault{s}", "Behaviour"),
    count(VERBAL, 12, "report{s} of verbal abuse", "Behaviour", proxy_risk=JUDGEMENT),
    *(
        count(DISRUPTION, weeks, "report{s} of disruption or defiance", "Behaviour", proxy_risk=JUDGEMENT)
        for weeks in (4, 12)
    ),
    Feature(
        name="incident_days_12w",
        kind="days",
        measure=INCIDENTS,
        window_weeks=12,
        unit="days with an event",
        phrase="Incidents on {value:.0f} day{s} in the last 12 school weeks",
        phrase_low="Incidents on no day in the last 12 school weeks",
        group="Behaviour",
        changeable=True,
        source=SOURCE,
        monotone=1,
    ),
    Feature(
        name="days_since_incident_39w",
        kind="since",
        measure=INCIDENTS,
        window_weeks=39,
        when_empty=195.0,  # every school day of 39 school weeks: as long ago as the window can say
        unit="school days",
        phrase="The last incident was {value:.0f} school day{s} ago",
        phrase_low="No incident in the last year",
        group="Behaviour",
        changeable=True,
        source=SOURCE,
        monotone=-1,
    ),
    # Being harmed is not conduct: it is here because staff should see it, and the model may use it either way.
    count(HARMED, 12, "event{s} in which the pupil was harmed", "Behaviour", monotone=False),
    count(TRUANCY, 12, "report{s} of missing lessons while in school", "Time in lessons"),
    *(count(REMOVALS, weeks, "removal{s} from lessons", "Time in lessons") for weeks in (2, 4, 12)),
    change(REMOVALS, "Removals from lessons were", "Time in lessons"),
    *(count(DETENTIONS, weeks, "detention{s}", "Time in lessons") for weeks in (4, 12)),
    *(
        count(POSITIVES, weeks, "achievement{s} recorded", "Positives and strengths", monotone=False)
        for weeks in (4, 12)
    ),
    change(POSITIVES, "Achievements were", "Positives and strengths"),
    Feature(
        name="positive_share_12w",
        kind="share",
        measure=POSITIVES,
        other=INCIDENTS,
        window_weeks=12,
        unit="achievements as a share of achievements and incidents",
        phrase="{value:.0%} of what was recorded in the last 12 school weeks was an achievement",
        phrase_low="Nothing recorded in the last 12 school weeks was an achievement",
        group="Positives and strengths",
        changeable=True,
        source=SOURCE,
    ),
)
