"""The School Census reader: links, old words, what is held, and what is passed over."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from records.clock import Clock
from records.history import known
from records.home import Home
from records.identity.identities import Identities
from records.intake.ingest import ingest
from records.intake.summary import IngestSummary
from records.protected import ProtectedStore
from records.pseudonym import pseudonyms, read_pepper
from records.store import Store
from tests import export_files as files
from tests.export_files import ANN, BOB, CAT, CLOCK


def run(tmp_path: Path, given: list[Identities] | None = None, **how: bool) -> tuple[Home, IngestSummary]:
    home = files.make_home(tmp_path / "home", shards=1)
    source = files.golden_census(tmp_path / "in" / "2025_spring", **how)
    given = [] if given is None else given
    return home, ingest(home, source, clock=CLOCK, save_identities=given.append)


def fates(summary: IngestSummary) -> dict[str, tuple[int, int, int]]:
    return {name: (c.accepted, c.held.total(), c.quarantined) for name, c in summary.tables.items()}


def test_every_row_of_the_golden_census_meets_its_fate(tmp_path):
    _, summary = run(tmp_path)
    assert fates(summary) == {
        "enrolments": (3, 0, 0),
        "suspensions": (1, 0, 0),
        "characteristics": (1, 0, 1),  # ethnicity ZZZZ
        "sen_needs": (1, 1, 0),  # p9 is no pupil
        "fsm_periods": (1, 0, 1),  # ends before it starts
        "identities": (3, 0, 0),
    }
    assert summary.exit_code == 0
    assert [item.file for item in summary.passed_over] == ["termlysessiondetailsonroll.csv"]
    assert dict(summary.tables["sen_needs"].held) == {"no pupil row has this row's identifier": 1}


def test_what_lands_is_what_the_census_says(tmp_path):
    given: list[Identities] = []
    home, _ = run(tmp_path, given)
    ann, bob, cat = pseudonyms([ANN, BOB, CAT], read_pepper(home)).tolist()
    tables = Store(home).history(0).tables
    enrolled = tables["enrolments"].set_index("pupil")
    assert enrolled["year_group"].to_dict() == {ann: "9", bob: "9", cat: "10"}  # cat was 14 on 31 August 2024
    assert enrolled["status"].to_dict() == {ann: "C", bob: "C", cat: "P"}
    assert enrolled.loc[cat, "leaving_date"] == pd.Timestamp(2024, 12, 20)
    assert enrolled["leaving_date"].isna().to_dict() == {ann: True, bob: True, cat: False}
    # Who is on roll is a fact of the reference date; who has left, of the day the census was made.
    assert enrolled["known_on"].to_dict() == {
        ann: pd.Timestamp(2025, 1, 16),
        bob: pd.Timestamp(2025, 1, 16),
        cat: pd.Timestamp(2025, 1, 30),
    }
    assert set(enrolled["school"]) == {900001}
    (sanction,) = tables["suspensions"].to_dict("records")
    assert (sanction["pupil"], sanction["sessions"], sanction["category"]) == (ann, 10, "SUSP")
    (person,) = ProtectedStore(home).read("characteristics").to_dict("records")
    assert (person["pupil"], person["ethnicity"], person["sen_provision"]) == (ann, "WOTH", "E")
    assert (person["census_date"], person["known_on"]) == (pd.Timestamp(2025, 1, 16), pd.Timestamp(2025, 1, 30))
    assert ProtectedStore(home).read("sen_needs")["type"].tolist() == ["SEMH"]
    assert given[0].rows.set_index("pupil").loc[cat, "upn"] == CAT


def test_a_late_census_does_not_put_leavers_back_on_the_roll(tmp_path):
    """Bob left on 20 January and the school said so on the 21st; the census of the 16th was sent on the 30th."""
    home, _ = run(tmp_path)
    (bob,) = pseudonyms([BOB], read_pepper(home)).tolist()
    rows = Store(home).history(0).tables["enrolments"]
    entry = rows.set_index("pupil").loc[bob, "entry_date"].date().isoformat()
    left = tmp_path / "register"
    left.mkdir()
    heading = "upn,former_upn,forename,surname,date_of_birth,urn,year_group,status,entry_date,leaving_date,updated_on\n"
    line = f"{BOB},,Bob,Example,2010-10-10,900001,9,C,{entry},2025-01-20,2025-01-21\n"
    (left / "enrolments_900001_20250121.csv").write_text(heading + line, encoding="utf-8")
    ingest(home, left, clock=Clock(date(2025, 2, 20)), save_identities=None)
    enrolled = known(Store(home).history(0), date(2025, 2, 20))["enrolments"].set_index("pupil")
    assert enrolled.loc[bob, "leaving_date"] == pd.Timestamp(2025, 1, 20)


def test_nothing_of_a_census_is_known_before_its_reference_date_and_nothing_protected_before_it_was_made(tmp_path):
    home, _ = run(tmp_path)
    history = Store(home).history(0)
    assert len(known(history, date(2025, 1, 16))["enrolments"]) == 0
    assert len(known(history, date(2025, 1, 17))["enrolments"]) == 2
    assert len(known(history, date(2025, 1, 31))["enrolments"]) == 3
    assert len(known(history, date(2025, 1, 30))["suspensions"]) == 0
    assert len(known(history, date(2025, 1, 31))["suspensions"]) == 1
    assert len(ProtectedStore(home).known_protected(date(2025, 1, 30))["characteristics"]) == 0
    assert len(ProtectedStore(home).known_protected(date(2025, 1, 31))["characteristics"]) == 1


def test_without_its_heading_row_a_census_is_known_from_today_and_its_schools_are_unproven(tmp_path):
    home, summary = run(tmp_path, with_school=False)
    assert fates(summary) == {
        "enrolments": (0, 3, 0),
        "suspensions": (0, 1, 0),
        "characteristics": (1, 0, 1),
        "sen_needs": (1, 1, 0),
        "fsm_periods": (1, 0, 1),
        "identities": (0, 3, 0),
    }
    held = dict(summary.tables["suspensions"].held)
    assert held == {"the school is not proven: schoolcensus.csv names no such school": 1}
    (person,) = ProtectedStore(home).read("characteristics").to_dict("records")
    assert person["known_on"] == person["census_date"] == pd.Timestamp(CLOCK.today())


def test_a_pupil_without_a_proven_number_is_held_with_all_that_hangs_on_them(tmp_path):
    home = files.make_home(tmp_path / "home", shards=1)
    source = files.golden_census(tmp_path / "in")
    pupils = source / "pupilonroll.csv"
    pupils.write_text(pupils.read_text().replace(ANN, "21db2df8-fa0"))
    summary = ingest(home, source, clock=CLOCK, save_identities=None)
    assert fates(summary)["suspensions"] == (0, 1, 0)
    assert fates(summary)["sen_needs"] == (0, 2, 0)
    assert fates(summary)["enrolments"] == (2, 1, 0)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (",sentype\n", ",needtype\n", "missing: sentype; unexpected or twice: needtype"),
        ("sentyperank", "sentype", "missing: sentyperank"),
    ],
)
def test_a_census_table_with_other_columns_refuses_the_folder(tmp_path, old, new, told):
    home = files.make_home(tmp_path / "home", shards=1)
    source = files.golden_census(tmp_path / "in")
    needs = source / "senneeds.csv"
    needs.write_text(needs.read_text().replace(old, new))
    summary = ingest(home, source, clock=CLOCK, save_identities=None)
    assert summary.exit_code == 2
    assert summary.loaded == ()
    assert told in str(summary.refused[0])
    assert Store(home).versions() == {}


def test_needs_that_the_newest_census_no_longer_lists_have_ended(tmp_path):
    home, _ = run(tmp_path)
    later = files.golden_census(tmp_path / "in" / "2025_summer")
    heading = later / "schoolcensus.csv"
    heading.write_text(heading.read_text().replace("2025-Jan-16", "2025-May-15").replace("2025-Jan-30", "2025-May-29"))
    needs = later / "senneeds.csv"
    needs.write_text(needs.read_text().replace("p1,SCH1,1.0,BESD", "p1,SCH1,2.0,ASD"))
    ingest(home, later, clock=CLOCK, save_identities=None)
    store = ProtectedStore(home)
    assert store.known_protected(date(2025, 5, 29))["sen_needs"]["type"].tolist() == ["SEMH"]
    assert store.known_protected(date(2025, 5, 30))["sen_needs"]["type"].tolist() == ["ASD"]


def test_only_protected_tables_are_behind_the_protected_door(tmp_path):
    home, _ = run(tmp_path)
    with pytest.raises(KeyError, match="not a protected table"):
        ProtectedStore(home).read("marks")
    assert not set(Store(home).history(0).tables) & {table.name for table in ProtectedStore(home).tables()}
