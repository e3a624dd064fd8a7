"""Small export files for tests: rows of the network's CSV format and a golden census.

Every pupil here is invented: the numbers are valid by their check letter and belong to nobody.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from records.clock import Clock, clock_of
from records.home import Home, create_home, open_home
from records.intake.ingest import ingest
from records.readers.network_csv import LAYOUTS, WEEKS_HEADING

TODAY = date(2025, 7, 1)
CLOCK = Clock(TODAY)
# Check letters worked by hand: weights 2 to 13 over the twelve digits, sum modulo 23, in A..Z without I, O, S.
ANN, BOB, CAT = "R201100018042", "B801200005001", "Q201999924001"

ENROLMENT = f"{ANN},,Testann,Synthetic,2011-03-04,900001,9,C,2022-09-05,,2022-09-05"
MARK = f"{ANN},900001,2025-03-03,AM,/,2025-03-03"
INCIDENT = f"e1,{ANN},900001,2025-03-03,2,Disruption,2,1,Classroom,Participant,Detention,2025-03-04,false"
SUSPENSION = f"{ANN},900001,2025-03-10,4,SUSP,DB,,,2025-03-07,false"
POSITIVE = f"p1,{ANN},900001,2025-03-03,Excellent Effort,1,2025-03-03,false"


def make_home(path: Path, *, shards: int = 2) -> Home:
    """Return a small home of the demonstration whose today stands still."""
    return create_home(path, demo=True, today=TODAY, shards=shards)


def into_records(home: Path, source: Path) -> None:
    """Ingest into a home's record store alone, without the database: what another process runs."""
    here = open_home(home)
    ingest(here, source, clock=clock_of(here), save_identities=None)


def write(folder: Path, name: str, *rows: str) -> Path:
    """Write an export file: the heading that its name asks for, then the rows."""
    heading = ",".join(LAYOUTS[name.split("_", maxsplit=1)[0].removesuffix(".csv")].heading)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("\n".join([heading, *rows]) + "\n", encoding="utf-8")
    return path


def table(folder: Path, name: str, heading: str, rows: Sequence[str]) -> None:
    """Write a census table."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join([heading, *rows]) + "\n", encoding="utf-8")


def golden_census(folder: Path, *, with_school: bool = True) -> Path:
    """Write a census of two pupils on roll and one who left; return its folder."""
    midnight = "00:00:00"
    if with_school:
        table(
            folder,
            "schoolcensus.csv",
            "schoolcensustableid,NativeId,term,year,referencedate,datetime,lea,estab,urn",
            [f"c1,SCH1,SPR,2025,2025-Jan-16 {midnight},2025-Jan-30 10:11:12,201,9999,900001"],
        )
    table(
        folder,
        "pupilonroll.csv",
        "pupilonrolltableid,NativeId,schoolcensustableid,upn,formerupn,surname,forename,dob,entrydate,ethnicity,language,"
        "enrolstatus,ncyearactual,senprovision,sex",
        [
            f"p1,SCH1,c1,{ANN},,Synthetic,Testann,2011-Mar-04 {midnight},2022-Sep-05 {midnight},WSER,ENG,C,9,S,F",
            f"p2,SCH1,c1,{BOB},,Synthetic,Testbob,2010-Oct-04 {midnight},2022-Sep-05 {midnight},ZZZZ,ENG,C,9,N,M",
        ],
    )
    table(
        folder,
        "pupilnolongeronroll.csv",
        "pupilnolongeronrolltableid,NativeId,schoolcensustableid,upn,formerupn,surname,forename,dob,entrydate,leavingdate",
        [
            f"x1,SCH1,c1,{CAT},,Synthetic,Testcat,2010-Aug-31 {midnight},2021-Sep-06 {midnight},2024-Dec-20 {midnight}",
        ],
    )
    child = "pupilonrolltableid,NativeId,startdate,sessions,category,reason1,reason2,reason3"
    table(folder, "termlyexclusionsonroll.csv", child, [f"p1,SCH1,2025-Jan-14 {midnight},10.0,FIXD,DB,,"])
    table(
        folder,
        "senneeds.csv",
        "pupilonrolltableid,NativeId,sentyperank,sentype",
        ["p1,SCH1,1.0,BESD", "p9,SCH1,1.0,ASD"],
    )
    table(
        folder,
        "fsmperiod.csv",
        "pupilonrolltableid,NativeId,fsmstartdate,fsmenddate,ukcountry",
        [f"p2,SCH1,2023-Sep-05 {midnight},,ENG", f"p2,SCH1,2024-Sep-05 {midnight},2023-Sep-05 {midnight},ENG"],
    )
    table(
        folder,
        "termlysessiondetailsonroll.csv",
        "pupilonrolltableid,NativeId,attendancereason,sessions",
        ["p1,SCH1,I,4.0"],
    )
    return folder


def weeks(folder: Path, name: str, *rows: str) -> Path:
    """Write a file of weeks: the heading of the network's format, then the rows."""
    path = folder / name
    path.write_text("\n".join([",".join(WEEKS_HEADING), *rows]) + "\n", encoding="utf-8")
    return path
