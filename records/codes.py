"""The closed code lists of England's school data, each with its source.

The lists are Department for Education lists (Open Government Licence v3.0), copied as
`records/reference/*.csv`. Attendance codes are those in force since 19 August 2024
(School Attendance (Pupil Registration) (England) Regulations 2024) with the withdrawn codes
that older exports still carry.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files

ATTENDANCE_CODES_FROM = date(2024, 8, 19)


@dataclass(frozen=True, kw_only=True)
class CodeList:
    """A closed list of codes.

    Attributes
    ----------
    meanings
        Code → what it means.
    legacy
        Older or finer code → the code it counts as.
    started, ended
        Code → the first day on which it could be given, and on which it no longer could. A code that
        stands in neither was valid for as long as our source goes back.
    """

    name: str
    source: str
    meanings: Mapping[str, str]
    legacy: Mapping[str, str] = field(default_factory=dict)
    started: Mapping[str, date] = field(default_factory=dict)
    ended: Mapping[str, date] = field(default_factory=dict)

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code in today's list, in the list's own order."""
        return tuple(self.meanings)

    def __contains__(self, code: object) -> bool:
        return code in self.meanings


def _rows(name: str) -> list[dict[str, str]]:
    text = files("records").joinpath("reference", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _from_code_sets(
    code_set: str, *, name: str, legacy: Mapping[str, str] | None = None, without: frozenset[str] = frozenset()
) -> CodeList:
    # A code that stands twice keeps its later wording: the file lists the older list first.
    meanings = {
        row["code"]: row["meaning"]
        for row in _rows("code_sets.csv")
        if row["code_set"] == code_set and row["code"] and row["code"] not in without
    }
    source = "DfE Common Basic Data Set, May 2026 (Open Government Licence)"
    return CodeList(name=name, source=source, meanings=meanings, legacy=legacy or {})


def _from_meanings(code_set: str, *, name: str) -> CodeList:
    # Lists that school systems keep by name: the name is the code.
    meanings = {row["meaning"]: row["meaning"] for row in _rows("code_sets.csv") if row["code_set"] == code_set}
    return CodeList(name=name, source="lists common in school systems (reference/code_sets.csv)", meanings=meanings)


def _own(name: str, source: str, **meanings: str) -> CodeList:
    return CodeList(name=name, source=source, meanings=meanings)


_ATTENDANCE_ROWS = _rows("attendance_codes.csv")

ATTENDANCE = CodeList(
    name="attendance code",
    source="DfE attendance codes in force from 19 August 2024, and withdrawn codes still met in exports",
    meanings={row["code"]: row["meaning"] for row in _ATTENDANCE_ROWS},
    # The codes that the 2024 regulations brought in, and those they withdrew.
    started=dict.fromkeys(("C1", "C2", "J1", "K", "Q", *(f"Y{n}" for n in range(1, 8))), ATTENDANCE_CODES_FROM),
    ended=dict.fromkeys(("H", "J", "Y"), ATTENDANCE_CODES_FROM),
)
POSSIBLE = frozenset(row["code"] for row in _ATTENDANCE_ROWS if row["in_possible_sessions"] == "yes")
AUTHORISED = frozenset(row["code"] for row in _ATTENDANCE_ROWS if row["statistical_class"] == "authorised")
UNAUTHORISED = frozenset(row["code"] for row in _ATTENDANCE_ROWS if row["statistical_class"].startswith("unauthorised"))
PRESENT = frozenset({"/", "\\", "L"})
EDUCATIONAL_ACTIVITY = POSSIBLE - AUTHORISED - UNAUTHORISED - PRESENT

EXCLUSION_CATEGORY = _from_code_sets(
    "ExclusionTypes", name="exclusion category", legacy={"FIXD": "SUSP"}, without=frozenset({"FIXD"})
)
EXCLUSION_REASON = CodeList(
    name="exclusion reason",
    source="DfE Common Basic Data Set, May 2026; OT was withdrawn in 2020/21",
    meanings={**_from_code_sets("ExclusionReasons", name="exclusion reason").meanings, "OT": "Other (withdrawn)"},
    ended={"OT": date(2020, 9, 1)},
)
REVIEW_CATEGORY = _own("review category", "DfE CS137", GB="governing board", IRP="independent review panel")
REVIEW_RESULT = _from_code_sets("ExclusionAppealResults", name="review result")
AP_SETTING = _own(
    "setting of alternative provision",
    "DfE School Census, school-arranged alternative provision since 2022/23",
    # Our source lists these codes without their wording, and a guess would read like DfE's.
    NFE="NFE (wording not held)",
    OOT="OOT (wording not held)",
    WBP="WBP (wording not held)",
    OTH="other",
)
AP_REASON = _own(
    "reason of a placement",
    "DfE School Census, school-arranged alternative provision since 2022/23",
    BHS="behaviour",
    SUS="suspended",
    EXR="excluded",
    MHN="MHN (wording not held)",
    PHN="PHN (wording not held)",
    OTH="other",
)
AP_PATTERN = _own("attendance pattern", "DfE School Census", FT="full-time", PT="part-time")
CARE_STATUS = _own(
    "care status",
    "Children Act 1989 terms, as local authorities' files give them",
    CLA="looked after",
    CIN="in need",
    CPP="on a child protection plan",
    PLA="previously looked after",
)
SUPPORT_TYPE = _own(
    "type of support",
    "kinds of help that schools in England offer; a list of ours",
    conversation="one talk, or a few, with an adult whom the pupil trusts",
    assessment="an assessment of special educational needs",
    family="work with the family",
    mentoring="a named adult, regularly",
    youth_work="a youth worker, in school or outside it",
    counselling="counselling or mental-health support",
    learning="help with learning",
    attendance="an attendance plan",
    behaviour_plan="a plan agreed with the pupil",
    transition="help before and after a move to another school, year or class",
    reintegration="a planned return after time away",
    timetable="other lessons or courses for a while, full-time",
    external="a partner outside the school",
    other="other help",
)
# London boroughs collect DfE's extended codes (WSER, BSOM, OAFG ...). Each counts as its main code, by a
# closed list: a wildcard on the first letter would have let any four letters in.
ETHNICITY = _from_code_sets(
    "Ethnicities",
    name="ethnicity",
    legacy={row["extended_code"]: row["main_code"] for row in _rows("ethnicity_extended.csv")},
)
SEN_PROVISION = CodeList(
    name="SEN provision",
    source="DfE Common Basic Data Set, May 2026; A, P and S predate the 2014 reforms",
    meanings={"N": "no special educational need", "K": "SEN support", "E": "education, health and care plan"},
    legacy={"A": "K", "P": "K", "S": "E"},
)
SEN_TYPE = _from_code_sets("SenTypes", name="SEN type", legacy={"BESD": "SEMH"})
# Extended language codes are the main code and a letter: these are the families London exports carry.
_LANGUAGE_FAMILIES = {"BNG": "ACS", "CHI": "ACHKM", "KUR": "AMS", "PNJ": "AGM", "POR": "AB", "PRS": "ADT"}
LANGUAGE = _from_code_sets(
    "Languages",
    name="language",
    legacy={main + letter: main for main, letters in _LANGUAGE_FAMILIES.items() for letter in letters},
)
ENROLMENT_STATUS = _from_code_sets("EnrolmentStatus", name="enrolment status")
YEAR_GROUP = CodeList(
    name="National Curriculum year group",
    source="DfE Common Basic Data Set, May 2026",
    meanings={
        "E1": "early years 1",
        "E2": "early years 2",
        "N1": "nursery 1",
        "N2": "nursery 2",
        "R": "reception",
        **{str(year): f"year {year}" for year in range(1, 15)},
        "X": "not following the National Curriculum year",
        "M": "mixed",
    },
)
SEX = _own("sex", "DfE Common Basic Data Set, May 2026", M="male", F="female")
SESSION = _own("session", "Two sessions a school day", AM="morning", PM="afternoon")
PHASE = _own(
    "phase", "DfE Common Basic Data Set, May 2026", PS="primary", SS="secondary", AT="all-through", SP="special"
)
UK_COUNTRY = _own(
    "UK country", "DfE Common Basic Data Set", ENG="England", WLS="Wales", SCT="Scotland", NIR="Northern Ireland"
)
INCIDENT_TYPE = _from_meanings("IncidentTypes", name="incident type")
INCIDENT_ROLE = _from_meanings("BehaviourRoleTypes", name="role in an incident")
INCIDENT_OUTCOME = _from_meanings("BehaviourOutcomes", name="outcome of an incident")
LOCATION = _from_meanings("Locations", name="location")
ACHIEVEMENT_TYPE = _from_meanings("AchievementTypes", name="achievement type")
CALENDAR_KIND = _own(
    "calendar kind",
    "School term dates as schools publish them",
    half_term="a half-term of school days",
    inset="a training day: no pupils",
    closure="an unplanned closure",
)
AREA_EDITION = CodeList(
    name="edition of the census geography",
    source="Office for National Statistics: a small area whose boundary changes gets another code",
    meanings={"2011": "areas of the census of 2011", "2021": "areas of the census of 2021"},
)
AREA_LEVEL = _own(
    "kind of place",
    "Office for National Statistics codes: E01, E05, and E06 to E09",
    area="small area (lower-layer super output area)",
    ward="electoral ward",
    borough="borough, district or unitary authority",
)
AREA_MEASURE = _own(
    "figure of a place",
    "docs/areas.md says how each is counted",
    deprivation="index of multiple deprivation: the tenth, 1 the most deprived, among 10",
    violence="recorded violence and sexual offences, among residents",
    admissions="hospital admissions after an assault, among residents",
    safety="people who feel safe outside after dark, among people asked",
)

# The E code and these outcomes *are* the sanction that Belong is asked about: no feature may read them.
SUSPENSION_OUTCOMES = frozenset(
    {
        "Fixed Period Exclusion",
        "Excluded from School",
        "Permanent Exclusion",
        "Suspended from School",
        "Reinstated from Fixed Period",
        "Reinstated from Permanent",
        "Governors Sub-Committee",
    }
)

ATTENDANCE_CLASSES: Mapping[str, frozenset[str]] = {
    "present": PRESENT,
    "approved educational activity, counted as present": EDUCATIONAL_ACTIVITY,
    "authorised absence": AUTHORISED,
    "unauthorised absence": UNAUTHORISED,
    "no possible session": frozenset(ATTENDANCE.codes) - POSSIBLE,
}


def lists() -> tuple[CodeList, ...]:
    """Return every code list, in the order they are declared."""
    return tuple(value for value in globals().values() if isinstance(value, CodeList))


def page() -> str:
    """Return the code lists as a page: meaning, class, days of validity, older codes, source."""
    lines = ["# Code lists", ""]
    for listed in lists():
        lines += [f"## {listed.name.capitalize()}", "", f"Source: {listed.source}.", ""]
        lines += ["| code | meaning | valid |", "|---|---|---|"]
        lines += [f"| `{code}` | {_meaning(listed, code)} | {_valid(listed, code)} |" for code in listed.codes]
        if listed.legacy:
            older = ", ".join(f"`{old}` as `{new}`" for old, new in listed.legacy.items())
            lines += ["", f"Older or finer codes are read: {older}."]
        lines.append("")
    return "\n".join(lines)


def _meaning(listed: CodeList, code: str) -> str:
    meaning = listed.meanings[code].replace("|", "/")
    named = [name for name, members in ATTENDANCE_CLASSES.items() if code in members]
    return f"{meaning}: {named[0]}" if listed is ATTENDANCE else meaning


def _valid(listed: CodeList, code: str) -> str:
    started, ended = listed.started.get(code), listed.ended.get(code)
    return " ".join(
        [*([f"from {started.isoformat()}"] if started else []), *([f"before {ended.isoformat()}"] if ended else [])]
    )
