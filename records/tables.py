"""Every record table, declared once: columns, units, codes, protection and retention.

A frame of any table also carries the columns of time and origin in `ORIGIN`. A correction is a new
version (same key, later `known_on`); a deletion is a new version with `deleted` true.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from records import codes
from records.codes import CodeList

Kind = Literal["pupil", "school", "text", "date", "integer", "number", "flag", "code"]
Root = Literal["history", "protected"]

# Pandas types of each kind in memory. Dates are midnights: 'datetime64[s]'. A `code` column is a
# pandas categorical whose categories are exactly the code list, in its order, so that integer codes
# compare across shards and processes.
DTYPES: dict[Kind, Any] = {
    "pupil": "int64",
    "school": "int32",
    "text": "str",
    "date": "datetime64[s]",
    "integer": "Int32",
    "number": "Float64",
    "flag": "bool",
    "code": "category",
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table: what it holds, in what unit, from which code list."""

    name: str
    kind: Kind
    means: str
    unit: str = ""
    codes: CodeList | None = None
    required: bool = True
    lowest: int | None = None
    highest: int | None = None

    def __post_init__(self) -> None:
        if (self.kind == "code") != (self.codes is not None):
            raise ValueError(f"column {self.name!r}: a code column names its code list, and no other does")


@dataclass(frozen=True, kw_only=True)
class Table:
    """One record table: its root, the key that identifies a thing through its versions, its columns."""

    name: str
    means: str
    root: Root
    key: tuple[str, ...]
    happened_on: str
    columns: tuple[Column, ...]
    retention_years: int
    sharded: bool = field(default=True)

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        unknown = [name for name in (*self.key, self.happened_on) if name not in names]
        if unknown or len(set(names)) != len(names):
            raise ValueError(f"table {self.name!r}: {unknown or names} must be distinct declared columns")
        if self.sharded != ("pupil" in names):
            raise ValueError(f"table {self.name!r}: a table is sharded exactly when it has a pupil")

    @property
    def protected(self) -> bool:
        """Whether the table lies in the separate root that features cannot reach."""
        return self.root == "protected"

    def column(self, name: str) -> Column:
        """Return the declared column, or raise KeyError naming the table's columns."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}; it has {', '.join(c.name for c in self.columns)}")


ORIGIN: tuple[Column, ...] = (
    Column(name="known_on", kind="date", means="the day the row could first be known to the network"),
    Column(name="deleted", kind="flag", means="whether this version says that the row never was"),
    Column(name="source", kind="text", means="the first 16 hexadecimal digits of the file's SHA-256"),
    Column(name="row", kind="integer", means="the row's line in that file", unit="line, the heading is 1"),
)

_PUPIL = Column(name="pupil", kind="pupil", means="keyed pseudonym of the UPN")
_SCHOOL = Column(name="school", kind="school", means="unique reference number", unit="URN")

ENROLMENTS = Table(
    name="enrolments",
    means="a pupil on a school's roll",
    root="history",
    key=("pupil", "school", "entry_date"),
    happened_on="entry_date",
    retention_years=7,
    columns=(
        _PUPIL,
        _SCHOOL,
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
        _PUPIL,
        _SCHOOL,
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
        _PUPIL,
        _SCHOOL,
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
        _PUPIL,
        _SCHOOL,
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
        _PUPIL,
        _SCHOOL,
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
        _SCHOOL,
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
        _SCHOOL,
        Column(name="kind", kind="code", means="half-term, training day or closure", codes=codes.CALENDAR_KIND),
        Column(name="name", kind="text", means="for example 'Autumn 1'"),
        Column(name="start_date", kind="date", means="first day"),
        Column(name="end_date", kind="date", means="last day, included"),
    ),
)

CHARACTERISTICS = Table(
    name="characteristics",
    means="protected characteristics as a School Census gave them: for auditing only",
    root="protected",
    key=("pupil",),
    happened_on="census_date",
    retention_years=7,
    columns=(
        _PUPIL,
        Column(name="census_date", kind="date", means="reference date of the census"),
        Column(name="sex", kind="code", means="sex", codes=codes.SEX),
        Column(name="ethnicity", kind="code", means="ethnicity, DfE main code", codes=codes.ETHNICITY, required=False),
        Column(name="language", kind="code", means="first language", codes=codes.LANGUAGE, required=False),
        Column(name="sen_provision", kind="code", means="SEN provision", codes=codes.SEN_PROVISION, required=False),
    ),
)

SEN_NEEDS = Table(
    name="sen_needs",
    means="a pupil's ranked types of special educational need",
    root="protected",
    key=("pupil", "rank"),
    happened_on="census_date",
    retention_years=7,
    columns=(
        _PUPIL,
        Column(name="census_date", kind="date", means="reference date of the census"),
        Column(name="rank", kind="integer", means="1 is the primary need", lowest=1, highest=20),
        Column(name="type", kind="code", means="type of need", codes=codes.SEN_TYPE),
    ),
)

FSM_PERIODS = Table(
    name="fsm_periods",
    means="a period of eligibility for free school meals",
    root="protected",
    key=("pupil", "start_date"),
    happened_on="start_date",
    retention_years=7,
    columns=(
        _PUPIL,
        Column(name="start_date", kind="date", means="first day of eligibility"),
        Column(name="end_date", kind="date", means="last day of eligibility", required=False),
        Column(name="country", kind="code", means="UK country", codes=codes.UK_COUNTRY, required=False),
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        ENROLMENTS,
        MARKS,
        BEHAVIOUR,
        POSITIVES,
        SUSPENSIONS,
        SCHOOLS,
        CALENDARS,
        CHARACTERISTICS,
        SEN_NEEDS,
        FSM_PERIODS,
    )
}
