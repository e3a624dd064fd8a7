"""Laws of the mapped reader: what a school system's report says is what the network's own format says."""

import gzip
import tempfile
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from records import codes
from records.readers import mapped, network_csv
from records.readers.network_csv import LAYOUTS, WEEKS_HEADING
from records.synthetic.exported import Exported
from records.synthetic.formats.mis import SYSTEMS, write_mis
from tests.export_files import ANN, BOB, CAT
from tests.judged import Fates, home_at, read_folder, without_origin

# Few and small: each example writes and reads a dozen files.
FEW = settings(max_examples=3, deadline=None, derandomize=True)
MONDAY = date(2025, 3, 3)
BOTH_SCHOOLS = ("900001", "900002")
# A letter of another alphabet's Windows page is left out: cp1252 has none of it, and says '?'.
NAMES = st.sampled_from(["Zoë", "Testann", "Œuvre", "O'Test", "Test, Jr", 'A "B" C', "François"])
UPNS = st.sampled_from([ANN, BOB, CAT, "M80120000500A", ""])
DAYS = st.integers(-3, 9).map(lambda after: (MONDAY + timedelta(days=after)).isoformat())
# What the simulator's planted mess sends: a wrong year, no day of the calendar, another format.
WRONG = st.sampled_from(["1900-01-01", "2024-02-30", "31/12/2024"])
DATES = st.one_of(DAYS, DAYS, DAYS, WRONG)
SCHOOLS = st.sampled_from(BOTH_SCHOOLS)
STAMPS = st.integers(9, 30).map(lambda after: (MONDAY + timedelta(days=after)).isoformat())
DELETED = st.sampled_from(["false", "true"])


def rows(table: str, **columns: st.SearchStrategy[str]) -> st.SearchStrategy[pd.DataFrame]:
    """Return frames of up to six rows of the network's format."""
    heading = list(LAYOUTS[table].heading)
    assert sorted(columns) == sorted(heading)
    row = st.tuples(*(columns[name] for name in heading))
    return st.lists(row, min_size=1, max_size=6).map(lambda found: pd.DataFrame(found, columns=heading, dtype="str"))


def listed(codes_: codes.CodeList, *more: str) -> st.SearchStrategy[str]:
    return st.sampled_from([*codes_.codes, *more])


EXPORTED = st.fixed_dictionaries(
    {
        "enrolments": rows(
            "enrolments",
            upn=UPNS,
            former_upn=st.sampled_from(["", BOB]),
            forename=NAMES,
            surname=NAMES,
            date_of_birth=st.sampled_from(["2011-03-04", "2010-10-04"]),
            urn=SCHOOLS,
            year_group=st.sampled_from(["R", "6", "9", "13"]),
            status=listed(codes.ENROLMENT_STATUS),
            entry_date=st.just("2022-09-05"),
            leaving_date=st.sampled_from(["", "2025-02-14"]),
            updated_on=STAMPS,
        ),
        "marks": rows(
            "marks",
            upn=UPNS,
            urn=SCHOOLS,
            date=DATES,
            session=listed(codes.SESSION),
            code=listed(codes.ATTENDANCE, "?", "AA"),
            updated_on=STAMPS,
        ),
        "behaviour": rows(
            "behaviour",
            event_id=st.sampled_from(["1", "2", "3"]),
            upn=UPNS,
            urn=SCHOOLS,
            date=DATES,
            period=st.sampled_from(["", "0", "5", "12"]),
            type=listed(codes.INCIDENT_TYPE, "Unlisted event"),
            severity=st.sampled_from(["1", "3", "5"]),
            points=st.sampled_from(["", "1", "20"]),
            location=listed(codes.LOCATION, ""),
            role=listed(codes.INCIDENT_ROLE),
            outcome=listed(codes.INCIDENT_OUTCOME, ""),
            updated_on=STAMPS,
            deleted=DELETED,
        ),
        "positives": rows(
            "positives",
            event_id=st.sampled_from(["1", "2"]),
            upn=UPNS,
            urn=SCHOOLS,
            date=DATES,
            type=listed(codes.ACHIEVEMENT_TYPE),
            points=st.sampled_from(["", "2"]),
            updated_on=STAMPS,
            deleted=DELETED,
        ),
        "suspensions": rows(
            "suspensions",
            upn=UPNS,
            urn=SCHOOLS,
            start_date=DATES,
            sessions=st.sampled_from(["1", "2", "5", "90", ""]),
            category=listed(codes.EXCLUSION_CATEGORY),
            reason1=st.sampled_from(["DB", "PP", "OT"]),
            reason2=st.sampled_from(["", "VA"]),
            reason3=st.just(""),
            updated_on=STAMPS,
            deleted=DELETED,
        ),
    }
)


def network(exported: Exported, folder: Path) -> dict[str, Fates]:
    folder.mkdir()
    for table, frame in exported.tables.items():
        frame.to_csv(folder / f"{table}_all.csv", index=False)
    return read_folder(network_csv.READER, folder)


@FEW
@given(tables=EXPORTED)
def test_a_system_s_reports_read_back_to_the_same_rows(tables: dict[str, pd.DataFrame]):
    """Written in the system's words, dates and encoding and read again: the same rows land, and the same do not."""
    exported = Exported(tables)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        expected = network(exported, folder / "network")
        reader = mapped.reader(home_at(folder))
        for system in SYSTEMS:
            (folder / system).mkdir()
            write_mis(system, exported, folder / system)
            same(read_folder(reader, folder / system), expected, system)


def same(found: dict[str, Fates], expected: dict[str, Fates], system: str) -> None:
    assert found.keys() == expected.keys(), system
    for table, fates in expected.items():
        assert without_origin(found[table]) == without_origin(fates), (system, table)
        assert found[table].held == fates.held, (system, table)
        # A file for each school, so the lines differ; how many faults there are does not.
        assert len(found[table].faults) == len(fates.faults), (system, table)


CODES = st.sampled_from(["/", "\\", "L", "C2", "Y1", "I", "?", ""])
WEEKS = st.lists(
    st.tuples(UPNS, SCHOOLS, st.sampled_from([0, 7, 14]), st.lists(CODES, min_size=10, max_size=10), STAMPS),
    min_size=1,
    max_size=6,
)


@FEW
@given(weeks=WEEKS)
def test_a_week_s_string_is_its_ten_marks(weeks: list[tuple[str, str, int, list[str], str]]):
    """The compact form and a row for each mark give the same rows, held rows and quarantined marks."""
    compact, plain = [WEEKS_HEADING], [LAYOUTS["marks"].heading]
    for upn, urn, after, week, stamp in weeks:
        monday = MONDAY + timedelta(days=after)
        compact.append((upn, urn, monday.isoformat(), "".join(code.ljust(2) for code in week), stamp))
        for number, code in enumerate(week):
            day = (monday + timedelta(days=number // 2)).isoformat()
            if code:
                plain.append((upn, urn, day, ("AM", "PM")[number % 2], code, stamp))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name, lines in (("weeks", compact), ("marks", plain)):
            (folder / name).mkdir()
            text = "".join(",".join(line) + "\n" for line in lines)
            (folder / name / f"{name}_1.csv.gz").write_bytes(gzip.compress(text.encode()))
        found = read_folder(network_csv.READER, folder / "weeks")
        expected = read_folder(network_csv.READER, folder / "marks")
    if "marks" in found:
        assert without_origin(found["marks"]) == without_origin(expected["marks"])
        assert found["marks"].held == expected["marks"].held
        assert len(found["marks"].faults) == len(expected["marks"].faults)
    else:
        assert "marks" not in expected or expected["marks"].rows.empty
