"""Every record table, declared once. The protected ones are declared in `records.protected_tables`."""

from records import codes
from records.protected_tables import (
    CARE,
    CHARACTERISTICS,
    FSM_PERIODS,
    NEIGHBOURHOODS,
    PLACEMENT_REASONS,
    SEN_NEEDS,
)
from records.table import PUPIL, SCHOOL, Column, Table

ENROLMENTS = Table(
    name="enrolments",
    means="a pupil on a school's roll",
    root="history",
    key=("pupil", "school", "entry_date"),
    happened_on="entry_date",
    retention_years=7,
    columns=(
        PUPIL,
        SCHOOL,
        Column(name="entry_date", kind="date", means="first day on roll"),
        Column(name="leaving_date", kind="date", means="last day on roll", required=False),
        Column(name="year_group", kind="code", means="National Curriculum year", codes=codes.YEAR_GROUP),
        Column(name="status", kind="code", means="enrolment status", codes=codes.ENROLMENT_STATUS),
    ),
)

MARKS = Table(
    name="marks",
    means="one attendance mark: a pupil, a date, a session",
    root="history",
    key=("pupil", "school", "date", "session"),
    happened_on="date",
    retention_years=6,
    columns=(
        PUPIL,
        SCHOOL,
        Column(name="date", kind="date", means="the day of the session"),
        Column(name="session", kind="code", means="morning or afternoon", codes=codes.SESSION),
        Column(name="code", kind="code", means="attendance code", codes=codes.ATTENDANCE),
    ),
)

BEHAVIOUR = Table(
    name="behaviour",
    means="one pupil's part in one behaviour event",
    root="history",
    key=("school", "event_id"),
    happened_on="date",
    retention_years=6,
    columns=(
        PUPIL,
        SCHOOL,
        Column(name="event_id", kind="text", means="the school system's own number of the event"),
        Column(name="date", kind="date", means="the day of the event"),
        Column(
            name="period", kind="integer", means="lesson period, 0 before school", lowest=0, highest=9, required=False
        ),
        Column(name="type", kind="code", means="what kind of event", codes=codes.INCIDENT_TYPE),
        Column(name="severity", kind="integer", means="as the school graded it", unit="1 to 5", lowest=1, highest=5),
        Column(name="points", kind="integer", means="behaviour points", lowest=0, highest=100, required=False),
        Column(name="location", kind="code", means="where", codes=codes.LOCATION, required=False),
        Column(name="role", kind="code", means="the pupil's part", codes=codes.INCIDENT_ROLE),
        Column(name="outcome", kind="code", means="what was done", codes=codes.INCIDENT_OUTCOME, required=False),
    ),
)

POSITIVES = Table(
    name="positives",
    means="one recorded achievement",
    root="history",
    key=("school", "event_id"),
    happened_on="date",
    retention_years=6,
    columns=(
        PUPIL,
        SCHOOL,
        Column(name="event_id", kind="text", means="the school system's own number of the event"),
        Column(name="date", kind="date", means="the day of the event"),
        Column(name="type", kind="code", means="what kind of achievement", codes=codes.ACHIEVEMENT_TYPE),
        Column(name="points", kind="integer", means="achievement points", lowest=0, highest=100, required=False),
    ),
)

SUSPENSIONS = Table(
    name="suspensions",
    means="a suspension, lunchtime exclusion or permanent exclusion",
    root="history",
    key=("pupil", "school", "start_date"),
    happened_on="start_date",
    retention_years=7,
    columns=(
        PUPIL,
        SCHOOL,
        Column(name="start_date", kind="date", means="first day of the suspension"),
        Column(
            name="sessions",
            kind="integer",
            means="length",
            unit="sessions, two a day",
            lowest=1,
            highest=90,
            required=False,
        ),
        Column(
            name="category", kind="code", means="suspension, lunchtime or permanent", codes=codes.EXCLUSION_CATEGORY
        ),
        Column(name="reason1", kind="code", means="first reason", codes=codes.EXCLUSION_REASON, required=False),
        Column(name="reason2", kind="code", means="second reason", codes=codes.EXCLUSION_REASON, required=False),
        Column(name="reason3", kind="code", means="third reason", codes=codes.EXCLUSION_REASON, required=False),
    ),
)

SCHOOLS = Table(
    name="schools",
    means="a school of the network",
    root="history",
    key=("school",),
    happened_on="open_date",
    retention_years=25,
    sharded=False,
    columns=(
        SCHOOL,
        Column(name="name", kind="text", means="the school's name"),
        Column(name="laestab", kind="text", means="local authority and establishment number"),
        Column(name="phase", kind="code", means="phase of education", codes=codes.PHASE),
        Column(name="open_date", kind="date", means="the day the school joined the network's records"),
    ),
)

CALENDARS = Table(
    name="calendars",
    means="a half-term of school days, a training day or a closure",
    root="history",
    key=("school", "kind", "start_date"),
    happened_on="start_date",
    retention_years=25,
    sharded=False,
    columns=(
        SCHOOL,
        Column(name="kind", kind="code", means="half-term, training day or closure", codes=codes.CALENDAR_KIND),
        Column(name="name", kind="text", means="for example 'Autumn 1'"),
        Column(name="start_date", kind="date", means="first day"),
        Column(name="end_date", kind="date", means="last day, included"),
    ),
)

LESSON_MARKS = Table(
    name="lesson_marks",
    means="one lesson's mark, where a school takes them: the statutory register is `marks`",
    root="history",
    key=("pupil", "school", "date", "period"),
    happened_on="date",
    retention_years=6,
    columns=(
        PUPIL,
        SCHOOL,
        Column(name="date", kind="date", means="the day of the lesson"),
        Column(name="period", kind="integer", means="lesson period", lowest=0, highest=9),
        Column(name="code", kind="code", means="attendance code", codes=codes.ATTENDANCE),
        Column(
            name="minutes_late",
            kind="integer",
            means="how late",
            unit="minutes",
            lowest=0,
            highest=120,
            required=False,
        ),
    ),
)

EXCLUSION_REVIEWS = Table(
    name="exclusion_reviews",
    means="what governors or an independent panel decided about a suspension or exclusion",
    root="history",
    key=("pupil", "school", "start_date", "category"),
    happened_on="reviewed_on",
    retention_years=7,
    columns=(
        PUPIL,
        SCHOOL,
        Column(name="start_date", kind="date", means="first day of the suspension that was reviewed"),
        Column(name="category", kind="code", means="who reviewed it", codes=codes.REVIEW_CATEGORY),
        Column(name="reviewed_on", kind="date", means="the day of the review"),
        Column(name="result", kind="code", means="what was decided", codes=codes.REVIEW_RESULT),
    ),
)

ALTERNATIVE_PROVISION = Table(
    name="alternative_provision",
    means="a placement that the school arranged elsewhere; why lies in `placement_reasons`, protected",
    root="history",
    key=("pupil", "school", "entry_date"),
    happened_on="entry_date",
    retention_years=7,
    columns=(
        PUPIL,
        SCHOOL,
        Column(name="entry_date", kind="date", means="first day of the placement"),
        Column(name="leaving_date", kind="date", means="last day of the placement", required=False),
        Column(name="setting", kind="code", means="kind of setting", codes=codes.AP_SETTING),
        Column(
            name="sessions_a_week", kind="integer", means="time there", unit="sessions a week", lowest=1, highest=10
        ),
        Column(
            name="pattern", kind="code", means="full-time or part-time there", codes=codes.AP_PATTERN, required=False
        ),
    ),
)

SUPPORT = Table(
    name="support",
    means="help that a pupil was offered or given",
    root="history",
    key=("school", "support_id"),
    happened_on="start_date",
    retention_years=6,
    columns=(
        PUPIL,
        SCHOOL,
        Column(name="support_id", kind="text", means="the school system's own number of the support"),
        Column(name="type", kind="code", means="what kind of help", codes=codes.SUPPORT_TYPE),
        Column(name="start_date", kind="date", means="first day"),
        Column(name="end_date", kind="date", means="last day", required=False),
    ),
)

FLAGS_GIVEN = Table(
    name="flags_given",
    means="a flag that Belong gave: written by casework, so that a later model can learn whether flags help",
    root="history",
    key=("pupil", "as_of"),
    happened_on="as_of",
    retention_years=3,
    columns=(
        PUPIL,
        SCHOOL,
        Column(name="as_of", kind="date", means="the day the flag was given for"),
        Column(name="bundle", kind="text", means="digest of the model that gave it"),
    ),
)

MISSED = Table(
    name="missed",
    means="a permanent exclusion, or a suspension over five school days, that no list of Belong's came before: written "
    "by casework, for later models to be measured on",
    root="history",
    key=("pupil", "school", "event_on"),
    happened_on="event_on",
    retention_years=3,
    hindsight=True,
    columns=(
        PUPIL,
        SCHOOL,
        Column(name="event_on", kind="date", means="its first day"),
    ),
)

OBJECTIONS = Table(
    name="objections",
    means="an objection to being scored: from the next run the pupil is not scored, and stays in denominators",
    root="history",
    key=("pupil", "made_on"),
    happened_on="made_on",
    retention_years=7,
    columns=(
        PUPIL,
        Column(name="made_on", kind="date", means="the day it was made"),
        Column(name="ended_on", kind="date", means="the day it was withdrawn or refused", required=False),
    ),
)

FRESH_STARTS = Table(
    name="fresh_starts",
    means="a fresh start that a person granted: what the pupil did before it no longer counts",
    root="history",
    key=("pupil", "from_on"),
    happened_on="from_on",
    retention_years=7,
    columns=(
        PUPIL,
        Column(name="from_on", kind="date", means="the day from which the pupil starts afresh"),
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        ENROLMENTS,
        MARKS,
        LESSON_MARKS,
        BEHAVIOUR,
        POSITIVES,
        SUSPENSIONS,
        EXCLUSION_REVIEWS,
        ALTERNATIVE_PROVISION,
        SUPPORT,
        FLAGS_GIVEN,
        MISSED,
        OBJECTIONS,
        FRESH_STARTS,
        SCHOOLS,
        CALENDARS,
        CHARACTERISTICS,
        SEN_NEEDS,
        FSM_PERIODS,
        CARE,
        NEIGHBOURHOODS,
        PLACEMENT_REASONS,
    )
}
