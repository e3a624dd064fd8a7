"""What may be posted to `POST /api/v1/scores`: strict, closed, every code from its list."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from records import codes
from records.codes import CodeList

MOST_PUPILS = 1000
URN_LEAST, URN_MOST = 100_000, 9_999_999
EARLIEST = date(2000, 1, 1)
NO_MARK = "- "
SATURDAY = 5
_MARKS = re.compile(f"[{re.escape(NO_MARK + ''.join(code for code in codes.ATTENDANCE.codes if len(code) == 1))}]*")


@dataclass(frozen=True, eq=False)  # compared as itself: a code list holds a mapping and has no hash
class _Listed:
    """Makes a text field take only codes of one list, and say so in the published schema."""

    codes: CodeList

    def _check(self, value: str) -> str:
        if value in self.codes:
            return value
        raise PydanticCustomError(
            "belong_unknown_code",
            "is not in the list of {name}s: {allowed}",
            {"name": self.codes.name, "allowed": ", ".join(self.codes.codes)},
        )

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "enum": list(self.codes.codes), "description": self.codes.source}


Day = Annotated[date, Field(ge=EARLIEST)]
School = Annotated[
    int, Field(ge=URN_LEAST, le=URN_MOST, description="Unique reference number (URN).", examples=[990001])
]
AttendanceCode = Annotated[str, _Listed(codes.ATTENDANCE)]
YearGroup = Annotated[str, _Listed(codes.YEAR_GROUP)]


class Strict(BaseModel):
    """No unknown field, no conversion: "3" is not 3 and true is not 1."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Mark(Strict):
    """One attendance mark."""

    date: Day
    session: Literal["AM", "PM"]
    code: AttendanceCode


class MarksString(Strict):
    """Attendance as the Common Transfer File writes it: one character a session from a start date.

    Each day takes two characters, morning then afternoon. `days` says which days the string counts:
    Monday to Friday only (a start date at a weekend is refused), or every day of the week. A hyphen or
    a space is 'no mark' (school closed, not yet taken). Codes of two characters (C1, C2, J1, Y1 to Y7)
    do not fit: write a hyphen there and add the mark as a row of `marks`.
    """

    start_date: Day
    marks: Annotated[str, Field(min_length=2, max_length=4000, examples=["/\\/\\L\\/\\U\\"])]
    days: Literal["monday_to_friday", "every_day"] = "monday_to_friday"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.marks) % 2:
            raise PydanticCustomError("belong_half_day", "needs two characters a day, morning and afternoon")
        fits = _MARKS.match(self.marks)
        odd = fits.end() if fits else 0
        if odd < len(self.marks):
            raise PydanticCustomError(
                "belong_unknown_code",
                "character {at} of the marks is not an attendance code of one character, a hyphen or a space",
                {"at": odd + 1},
            )
        if self.days == "monday_to_friday" and self.start_date.weekday() >= SATURDAY:
            raise PydanticCustomError("belong_weekend", "a string of Monday to Friday cannot start at a weekend")
        return self

    def sessions(self) -> list[tuple[date, Literal["AM", "PM"], str]]:
        """Return (day, session, code) for every mark that is there."""
        return [
            (self.day(at // 2), "PM" if at % 2 else "AM", code)
            for at, code in enumerate(self.marks)
            if code not in NO_MARK
        ]

    def last_day(self) -> date:
        """Return the last day that the string counts, marked or not."""
        return self.day(len(self.marks) // 2 - 1)

    def day(self, number: int) -> date:
        """Return the day of that number among those that the string counts, from 0."""
        weekends = 0 if self.days == "every_day" else (self.start_date.weekday() + number) // 5 * 2
        return self.start_date + timedelta(days=number + weekends)


class BehaviourEvent(Strict):
    """The pupil's part in one behaviour event."""

    date: Day
    type: Annotated[str, _Listed(codes.INCIDENT_TYPE)]
    severity: Annotated[int, Field(ge=1, le=5, description="As the school graded it, 1 to 5.")]
    role: Annotated[str, _Listed(codes.INCIDENT_ROLE)] = "Participant"
    outcome: Annotated[str, _Listed(codes.INCIDENT_OUTCOME)] | None = None
    location: Annotated[str, _Listed(codes.LOCATION)] | None = None
    period: Annotated[int, Field(ge=0, le=9)] | None = None
    points: Annotated[int, Field(ge=0, le=100)] | None = None


class PositiveEvent(Strict):
    """One recorded achievement."""

    date: Day
    type: Annotated[str, _Listed(codes.ACHIEVEMENT_TYPE)]
    points: Annotated[int, Field(ge=0, le=100)] | None = None


class SuspensionRecord(Strict):
    """A suspension, lunchtime exclusion or permanent exclusion."""

    start_date: Day
    category: Annotated[str, _Listed(codes.EXCLUSION_CATEGORY)] = "SUSP"
    sessions: Annotated[int, Field(ge=1, le=90, description="Length in sessions, two a day.")] | None = None
    recorded_on: Day | None = Field(
        default=None,
        description="The day it was recorded, where that is earlier than its start: one that is already "
        "decided and starts on or after `as_of` is not predicted, and the answer says so.",
    )


class PupilRecords(Strict):
    """A pupil and the records from which Belong scores. The id is the caller's own and is only sent back."""

    id: Annotated[str, Field(min_length=1, max_length=64, examples=["row-1"])]
    school: School
    year_group: YearGroup
    entry_date: Day = Field(description="First day on this school's roll.")
    leaving_date: Day | None = None
    phase: Literal["PS", "SS", "AT", "SP"] | None = Field(
        default=None, description="Only for a school whose phase the deployed network does not know."
    )
    marks: Annotated[list[Mark], Field(max_length=2000)] = []
    marks_string: MarksString | None = None
    behaviour: Annotated[list[BehaviourEvent], Field(max_length=1000)] = []
    positives: Annotated[list[PositiveEvent], Field(max_length=1000)] = []
    suspensions: Annotated[list[SuspensionRecord], Field(max_length=200)] = []


class HalfTerm(Strict):
    """A half-term of school days, first and last day included."""

    name: Annotated[str, Field(min_length=1, max_length=40)] = "Half-term"
    start_date: Day
    end_date: Day


class SchoolCalendar(Strict):
    """The school days of one school, for a school (or a year) that the deployed network does not hold."""

    school: School
    half_terms: Annotated[list[HalfTerm], Field(min_length=1, max_length=60)]
    days_closed: Annotated[list[Day], Field(max_length=200)] = []


class ScoresRequest(Strict):
    """Pupils to score as of a day: posted with what was recorded before it, or stored in Belong already."""

    as_of: Day = Field(description="Records on this day or later are refused. Not after today.")
    pupils: Annotated[list[PupilRecords], Field(max_length=MOST_PUPILS)] = []
    stored: Annotated[list[UUID], Field(max_length=MOST_PUPILS)] = Field(
        default=[], description="Pupils whom Belong holds, by its own ids; answered after `pupils`, from the lists."
    )
    calendars: Annotated[list[SchoolCalendar], Field(max_length=100)] = Field(
        default=[], description="Left out: the school calendars of the deployed network."
    )

    @model_validator(mode="after")
    def _some(self) -> Self:
        count = len(self.pupils) + len(self.stored)
        if not 1 <= count <= MOST_PUPILS:
            raise PydanticCustomError(
                "belong_how_many",
                "names {count} pupils in pupils and stored together; 1 to {most} are allowed",
                {"count": count, "most": MOST_PUPILS},
            )
        return self
