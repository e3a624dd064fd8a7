"""Every holding of personal data, gathered from the floors: for a pupil's file, erasure and the page of holdings."""

import shutil
from typing import Final

from sqlalchemy.orm import Session

from casework import holdings as casework_holdings
from records.home import Home
from records.protected import ProtectedStore
from records.rights import holdings as records_holdings
from records.rights.holding import Gone, Holding, Subject
from training import holdings as training_holdings

PROTECTED: Final = Holding[Home](
    name="protected characteristics",
    places=("protected",),
    about="pupils",
    purpose="audit whether groups bear different errors, plan places, and a pupil's own file; never a score",
    kept="seven years from the end of the school year",
    find=lambda home, subject: records_holdings.count_in(home.protected, ProtectedStore(home).tables(), home, subject),
    describe=lambda home, subject: records_holdings.describe_in(
        home.protected, ProtectedStore(home).tables(), home, subject
    ),
    erase=lambda home, subject: records_holdings.erase_in(home.protected, ProtectedStore(home).tables(), home, subject),
)


def _without_nights(home: Home, subject: Subject) -> Gone:
    shutil.rmtree(home.nights, ignore_errors=True)  # everybody's; the next night works out again what is still held
    return Gone(rows=0)


NIGHTS: Final = Holding[Home](
    name="A night's scoring that was stopped",
    places=("nights",),
    about="pupils on roll",
    purpose="to go on where it was stopped",
    kept="until the week is published; the next night, a purge and any erasure remove it whole",
    # Copies of rows that other holdings count and describe.
    find=lambda home, subject: 0,
    describe=lambda home, subject: (),
    erase=_without_nights,
)
# Files first, then the database: by the names that it holds, the rows of files are found.
IN_THE_HOME: Final[tuple[Holding[Home], ...]] = (
    *records_holdings.HOLDINGS,
    PROTECTED,
    NIGHTS,
    *training_holdings.HOLDINGS,
)
IN_THE_DATABASE: Final[tuple[Holding[Session], ...]] = casework_holdings.HOLDINGS
IMPERSONAL_TABLES: Final = casework_holdings.IMPERSONAL
# The database's own files are covered by its tables; certificates name nobody.
IMPERSONAL_FILES: Final = records_holdings.IMPERSONAL | {"postgres", "certificates"}


def page() -> str:
    """Return the holdings as a page of Markdown."""
    lines = [
        "# Holdings of personal data",
        "",
        "What Belong keeps about people, whose it is, what for and how long. A pupil's own file",
        "(`belong pupil export`) and an erasure (`belong pupil erase`) go through every one of them.",
        "",
        "| holding | about | what for | kept | where |",
        "|---|---|---|---|---|",
    ]
    lines += [_line(holding, "folder") for holding in IN_THE_HOME]
    lines += [_line(holding, "table") for holding in IN_THE_DATABASE]
    lines += [
        "",
        "No person in these tables: " + ", ".join(f"`{name}`" for name in sorted(IMPERSONAL_TABLES)) + ".",
        "No person in these files and folders: " + ", ".join(f"`{name}`" for name in sorted(IMPERSONAL_FILES)) + ".",
        "`postgres` is the database's own folder, whose tables are above. A deployed bundle and MLflow's runs hold",
        "numbers learned from many pupils and no pupil's row (docs/governance/rights.md).",
    ]
    return "\n".join(lines) + "\n"


def _line(holding: Holding[Home] | Holding[Session], where: str) -> str:
    places = ", ".join(f"{where} `{place}`" for place in holding.places)
    return f"| {holding.name} | {holding.about} | {holding.purpose} | {holding.kept} | {places} |"
