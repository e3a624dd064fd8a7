"""Behaviour events by what kind they were, where they happened and what was done about them."""

from features.definitions.behaviour import INCIDENTS, JUDGEMENT, REMOVALS, SOURCE, TOOK_PART, VIOLENCE, count, events
from features.feature import Feature
from features.measure import Measure
from features.proxies import ProxyRisk

_MINOR_TYPES = frozenset(
    {
        "Equipment",
        "Homework",
        "Inadequate Work",
        "Other (Minor)",
        "Persistent Homework Failure",
        "Uniform/Jewellery etc",
    }
)
_LATENESS_TYPES = frozenset({"Persistent Lateness to Lessons", "Persistent Lateness to School"})
_UNSTRUCTURED = frozenset({"Bus", "Corridor", "Dinner Hall", "Foyer", "Outside School", "Playground", "Toilets"})
_SENIOR = frozenset({"Referred to Leadership Group", "Refer to Deputy Head", "Refer to Head Teacher"})
_HOME = frozenset({"Parents/Guardian Informed", "Letter to Parent/Guardian", "Discussed with Parents"})

MINOR = events("minor_events", "events about equipment, homework, uniform and the like", types=_MINOR_TYPES)
DAMAGE = events("damage", "damage to property", types=frozenset({"Damage - Property"}))
SUBSTANCES = events(
    "substances", "events about smoking or substances", types=frozenset({"Illicit Substances", "Smoking"})
)
MISSED_DETENTIONS = events("missed_detentions", "detentions missed", types=frozenset({"Missed Detention"}))
LATENESS_REPORTS = events("lateness_reports", "reports of persistent lateness", types=_LATENESS_TYPES)
STARTED = events("events_started", "events that the pupil is said to have started", roles=frozenset({"Aggressor"}))
ON_REPORT = events("on_report", "events that put the pupil on report", outcomes=frozenset({"Daily Report"}))
SENIOR = events("senior_referrals", "events referred to school leaders", outcomes=_SENIOR)
HOME = events("home_contacts", "events of which home was told", outcomes=_HOME)
UNSTRUCTURED = Measure(
    name="unstructured",
    means="events outside lessons: corridors, playground, dinner hall, journeys",
    table="behaviour",
    where={"role": TOOK_PART, "type": INCIDENTS.where["type"], "location": _UNSTRUCTURED},
)

BEHAVIOUR_KINDS: tuple[Feature, ...] = (
    count(VIOLENCE, 4, "fight{s} or assault{s}", "Behaviour"),
    count(VIOLENCE, 39, "fight{s} or assault{s}", "Behaviour"),
    count(STARTED, 12, "event{s} that the pupil is said to have started", "Behaviour", proxy_risk=JUDGEMENT),
    count(DAMAGE, 39, "report{s} of damage to property", "Behaviour"),
    count(SUBSTANCES, 39, "report{s} about smoking or substances", "Behaviour"),
    count(
        MINOR,
        12,
        "report{s} about equipment, homework or uniform",
        "Behaviour",
        monotone=False,
        proxy_risk=ProxyRisk(
            "poverty", "equipment and uniform cost money, and who is reported for them is an adult's judgement"
        ),
    ),
    count(MISSED_DETENTIONS, 12, "missed detention{s}", "Time in lessons"),
    count(LATENESS_REPORTS, 12, "report{s} of persistent lateness", "Punctuality", monotone=False),
    count(ON_REPORT, 12, "incident{s} that put the pupil on report", "Time in lessons", monotone=False),
    count(SENIOR, 12, "incident{s} referred to school leaders", "Behaviour", monotone=False),
    count(HOME, 12, "incident{s} that home was told of", "Behaviour", monotone=False),
    Feature(
        name="unstructured_share_12w",
        kind="rate",
        measure=UNSTRUCTURED,
        per=INCIDENTS,
        window_weeks=12,
        unit="share of events",
        phrase="{value:.0%} of incidents in the last 12 school weeks happened outside lessons",
        phrase_low="No incidents outside lessons in the last 12 school weeks",
        group="Behaviour",
        changeable=True,
        source=SOURCE,
    ),
    Feature(
        name="incident_types_12w",
        kind="distinct",
        measure=INCIDENTS,
        by="type",
        window_weeks=12,
        unit="kinds of event",
        phrase="Incidents of {value:.0f} different kind{s} in the last 12 school weeks",
        phrase_low="No incidents in the last 12 school weeks",
        group="Behaviour",
        changeable=True,
        source=SOURCE,
    ),
    Feature(
        name="incident_same_period_share_12w",
        kind="top_share",
        measure=INCIDENTS,
        by="period",
        window_weeks=12,
        unit="share of events",
        phrase="{value:.0%} of incidents in the last 12 school weeks were in the same period of the day",
        phrase_low="No incidents in the last 12 school weeks",
        group="Behaviour",
        changeable=True,
        source=SOURCE,
    ),
    Feature(
        name="removals_year",
        kind="count",
        measure=REMOVALS,
        window_weeks=0,
        span="school_year",
        unit=REMOVALS.means,
        phrase="{value:.0f} removal{s} from lessons this school year",
        phrase_low="No removals from lessons this school year",
        group="Time in lessons",
        changeable=True,
        source=SOURCE,
        monotone=1,
    ),
    Feature(
        name="days_since_removal_39w",
        kind="since",
        measure=REMOVALS,
        window_weeks=39,
        when_empty=195.0,  # every school day of 39 school weeks: as long ago as the window can say
        unit="school days",
        phrase="The last removal from a lesson was {value:.0f} school day{s} ago",
        phrase_low="No removal from a lesson in the last year",
        group="Time in lessons",
        changeable=True,
        source=SOURCE,
        monotone=-1,
    ),
)
