"""The tables of protected characteristics: for auditing, planning and a pupil's own file, never for features."""

from records import codes
from records.table import PUPIL, SCHOOL, Column, Table

CHARACTERISTICS = Table(
    name="characteristics",
    means="protected characteristics as a School Census gave them: for auditing only",
    root="protected",
    key=("pupil",),
    happened_on="census_date",
    retention_years=7,
    columns=(
        PUPIL,
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
        PUPIL,
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
        PUPIL,
        Column(name="start_date", kind="date", means="first day of eligibility"),
        Column(name="end_date", kind="date", means="last day of eligibility", required=False),
        Column(name="country", kind="code", means="UK country", codes=codes.UK_COUNTRY, required=False),
    ),
)

CARE = Table(
    name="care",
    means="a period of being looked after, in need or on a child protection plan",
    root="protected",
    key=("pupil", "status", "start_date"),
    happened_on="start_date",
    retention_years=7,
    columns=(
        PUPIL,
        Column(name="status", kind="code", means="which", codes=codes.CARE_STATUS),
        Column(name="start_date", kind="date", means="first day"),
        Column(name="end_date", kind="date", means="last day", required=False),
    ),
)

NEIGHBOURHOODS = Table(
    name="neighbourhoods",
    means="the small area a pupil lives in and how deprived it is: for planning places and audits only",
    root="protected",
    key=("pupil", "start_date"),
    happened_on="start_date",
    retention_years=7,
    columns=(
        PUPIL,
        Column(name="start_date", kind="date", means="first day there"),
        Column(name="area", kind="text", means="lower-layer super output area", unit="LSOA code"),
        Column(
            name="deprivation",
            kind="integer",
            means="index of multiple deprivation",
            unit="decile, 1 is the most deprived",
            lowest=1,
            highest=10,
            required=False,
        ),
    ),
)

PLACEMENT_REASONS = Table(
    name="placement_reasons",
    means="why a school arranged alternative provision: it can say that a pupil is ill",
    root="protected",
    key=("pupil", "school", "entry_date"),
    happened_on="entry_date",
    retention_years=7,
    columns=(
        PUPIL,
        SCHOOL,
        Column(name="entry_date", kind="date", means="first day of the placement"),
        Column(name="reason", kind="code", means="why", codes=codes.AP_REASON),
    ),
)
