"""Open figures of places: lists of areas, figures held against them, and a code of the wrong edition told in words."""

import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from records.areas import known_areas
from records.home import Home
from records.intake.ingest import ingest
from records.intake.summary import IngestSummary
from tests.export_files import CLOCK, make_home

GOLDEN = Path(__file__).parent.parent / "golden" / "areas"
TODAY = date(2025, 7, 1)
HEADING = "area,level,edition,measure,from_date,to_date,count,among,publisher,updated_on,deleted"


def take_in(home: Home, source: Path) -> IngestSummary:
    return ingest(home, source, clock=CLOCK, save_identities=None)


def figures(folder: Path, *rows: str) -> Path:
    path = folder / "areafigures_more.csv"
    path.write_text("\n".join([HEADING, *rows]) + "\n", encoding="utf-8")
    return path


def row(area: str, *, level: str = "area", edition: str = "2021", measure: str = "deprivation", count: int = 1) -> str:
    return f"{area},{level},{edition},{measure},2025-01-01,2025-01-31,{count},10,Example (OGL v3.0),2025-02-01,false"


def told(summary: IngestSummary) -> pd.DataFrame:
    return pd.concat([pd.read_csv(one.folder / "faults.csv") for one in summary.quarantined], ignore_index=True)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path / "home")


def test_golden_lists_and_figures_land_and_say_what_is_known(home):
    """Each figure worked by hand from the golden files; the area that 2011 alone has lies in its ward all the same."""
    summary = take_in(home, GOLDEN)
    assert {name: count.landed for name, count in summary.tables.items()} == {
        "areas": 5,
        "areafigures": 5,
        "areaboundaries": 3,
    }
    assert summary.quarantined == ()
    there = known_areas(home, TODAY)
    assert there.edition == "2021"
    assert [tuple(one) for one in there.current()[["area", "measure", "count", "among"]].to_numpy()] == [
        ("E01000901", "deprivation", 2, 10),
        ("E01033901", "deprivation", 4, 10),
        ("E05000901", "violence", 412, 9815),
        ("E09000091", "admissions", 96, 210400),
        ("E09000091", "safety", 702, 1004),
    ]
    asked = pd.Series(["E01033902", "E01000902", "E01999999"])
    assert there.lie_in("ward", asked).tolist()[:2] == ["E05000902", "E05000901"]
    assert there.not_placed(asked).tolist() == [False, False, True]
    assert take_in(home, GOLDEN).already, "the same files bring nothing new"


def test_a_code_of_the_wrong_edition_is_answered_in_words(home, tmp_path):
    """E01000902 was redrawn after 2011: a row that calls it an area of 2021 is of another place than it says."""
    take_in(home, GOLDEN)
    summary = take_in(home, figures(tmp_path, row("E01000902"), row("E01000901"), row("E01777777")))
    assert summary.tables["areafigures"].landed == 1
    faults = told(summary).set_index("line")
    assert faults.loc[2, "column"] == "area"
    assert faults.loc[2, "value_class"] == "code of edition 2011"
    assert "take the publisher's file by areas of 2021" in faults.loc[2, "remedy"]
    assert faults.loc[4, "value_class"] == "code of no list"
    said_so = take_in(home, figures(tmp_path, row("E01000902", edition="2011")))
    assert said_so.tables["areafigures"].landed == 1, "said to be of 2011 it is kept,"
    assert "E01000902" not in set(known_areas(home, TODAY).current()["area"]), "and laid over no area of 2021"


def test_figures_without_a_list_wait_for_it(home, tmp_path):
    path = figures(tmp_path, row("E01000901"), row("E05000901"), row("E01000901", count=-1))
    faults = told(take_in(home, path)).set_index("line")
    assert "bring areas_2021.csv" in faults.loc[2, "remedy"]
    assert "must be E01 and six digits" in faults.loc[3, "rule"]
    shutil.copy(GOLDEN / "areas_2021.csv", tmp_path)
    take_in(home, tmp_path / "areas_2021.csv")
    again = take_in(home, path)
    assert again.tables["areafigures"].landed == 1, "the same file, read again because its list is there now"


def test_without_an_agreement_nothing_is_read(home, tmp_path):
    register = (Path(__file__).parents[2] / "records" / "agreements.toml").read_text(encoding="utf-8")
    ended = register.replace('sources = ["open areas"]', 'sources = ["something else"]').replace(
        'sources = ["*"]', 'sources = ["network CSV"]'
    )
    (home.path / "agreements.toml").write_text(ended, encoding="utf-8")
    summary = take_in(home, GOLDEN)
    assert len(summary.refused) == 5
    assert "no agreement is about the source 'open areas'" in str(summary.refused[0])
