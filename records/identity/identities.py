"""Who a pseudonym is: names that only the operational database keeps, never the record store."""

from dataclasses import dataclass

import pandas as pd

from records import codes
from records.table import Column, Table

# Checked like every other table, but it is no record table: it is not in TABLES and has no folder. The
# root says 'protected' so that anything that asks treats it as closed to features.
IDENTITIES = Table(
    name="identities",
    means="a pupil's names and number, as an enrolment gives them",
    root="protected",
    key=("pupil", "school", "entry_date"),
    happened_on="entry_date",
    retention_years=7,
    columns=(
        Column(name="pupil", kind="pupil", means="keyed pseudonym of the UPN"),
        Column(name="school", kind="school", means="unique reference number", unit="URN"),
        Column(name="upn", kind="text", means="unique pupil number"),
        Column(name="former_upn", kind="text", means="the number before it", required=False),
        Column(name="forename", kind="text", means="first name"),
        Column(name="surname", kind="text", means="family name"),
        Column(name="date_of_birth", kind="date", means="date of birth"),
        Column(name="entry_date", kind="date", means="first day on roll"),
        Column(name="leaving_date", kind="date", means="last day on roll", required=False),
        Column(name="year_group", kind="code", means="National Curriculum year", codes=codes.YEAR_GROUP),
    ),
)


@dataclass(frozen=True)
class Identities:
    """The proven identities that one ingest met.

    Attributes
    ----------
    rows
        A row for each enrolment version: pupil int64, school int32, upn, former_upn (empty: none),
        forename, surname, date_of_birth, entry_date, leaving_date (NaT: on roll), year_group,
        known_on. Ordered by known_on, so that the last row of a pupil is the newest. `pupil` is the
        pupil's own pseudonym, whichever number the row bore.
    links
        `old`, `new` int64: every pseudonym that is another pupil's. Who stands under `old` is `new`.
    """

    rows: pd.DataFrame
    links: pd.DataFrame
