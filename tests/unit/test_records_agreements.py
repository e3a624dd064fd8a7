"""The data-sharing register: what may be read, from whom, and what is left out."""

from datetime import date
from importlib.resources import files as package

import numpy as np
import pandas as pd
import pytest

from records.agreements import Register, RegisterRefused, demonstration, read_register, register_of
from records.home import create_home
from records.intake.coverage import only_covered
from records.intake.ingest import ingest
from records.rights.processing_record import as_markdown, warnings
from records.rows.batch import Batch, Form
from records.store import Store
from records.tables import BEHAVIOUR, MARKS, SUSPENSIONS
from records.text.sheet import Sheet, distinct
from tests import export_files

TODAY = date(2026, 10, 1)
BROKEN = export_files.SUSPENSION.replace(",SUSP,", ",nonsense,")
AGREEMENT = {
    "id": "one",
    "title": "Attendance",
    "sources": ["network CSV"],
    "purpose": "offer support early",
    "lawful_basis": "public task",
    "controller": "the trust",
    "starts": date(2026, 9, 1),
    "ends": date(2027, 8, 31),
    "impact_assessment": "DPIA 1",
    "assessed_on": date(2026, 8, 20),
    "fields": ["marks.*"],
}
NETWORK = {"name": "A network", "contact": "the office", "data_protection_officer": "the officer"}


def register(*agreements):
    return Register.model_validate({"network": NETWORK, "agreement": [AGREEMENT | one for one in agreements]})


def cover(*agreements, source="network CSV", today=TODAY):
    return register(*agreements).cover(source, today)


def suspensions(schools=("900001", "900002"), reasons=("PP", "DB")):
    text = {
        "upn": ["A", "B"],
        "urn": list(schools),
        "start_date": ["2026-09-14"] * 2,
        "sessions": ["2"] * 2,
        "category": ["SUSP"] * 2,
        "reason1": list(reasons),
        "reason2": [""] * 2,
        "reason3": [""] * 2,
        "updated_on": ["2026-09-14"] * 2,
        "deleted": [""] * 2,
    }
    columns = {name: distinct(values) for name, values in text.items()}
    sheet = Sheet("suspensions_1.csv", "0" * 16, columns, 2)
    renamed = {"school": "urn", "known_on": "updated_on"}
    names = [column.name for column in SUSPENSIONS.columns if column.kind != "pupil"] + ["known_on", "deleted"]
    return Batch(
        table=SUSPENSIONS,
        sheet=sheet,
        form=Form(dates="%Y-%m-%d", whole_numbers=r"(\d+)"),
        rows=np.arange(2),
        columns={name: columns[renamed.get(name, name)] for name in names},
        headings=renamed,
        upn=columns["upn"],
    )


ALL_BUT_REASONS = [
    f"suspensions.{name}" for name in ("school", "start_date", "category", "sessions", "reason2", "reason3")
]


class TestStanding:
    @pytest.mark.parametrize(
        ("today", "standing"),
        [
            (date(2026, 8, 31), "not yet"),
            (date(2026, 9, 1), "valid"),
            (date(2027, 8, 31), "valid"),
            (date(2027, 9, 1), "ended"),
        ],
    )
    def test_first_and_last_day_are_included(self, today, standing):
        assert register({}).agreement[0].standing(today) == standing

    def test_nothing_is_covered_before_the_impact_assessment_is_signed(self):
        unsigned = {"impact_assessment": "", "assessed_on": None}
        assert cover(unsigned).columns(MARKS) == frozenset()
        assert cover(unsigned).refusal() == "agreement 'one' has no signed impact assessment"
        assert cover({"assessed_on": date(2026, 10, 2)}).refusal().endswith("has no signed impact assessment")

    def test_an_ended_agreement_stops_its_source_by_name_and_day(self):
        assert cover({}, today=date(2027, 9, 1)).refusal() == "agreement 'one' ended on 2027-08-31"

    def test_a_source_nobody_agreed_on_is_refused(self):
        assert cover({}, source="Wonde").refusal() == "no agreement is about the source 'Wonde'"

    def test_two_agreements_cover_together(self):
        both = cover({"fields": ["marks.code"]}, {"id": "two", "fields": ["marks.school", "marks.date"]})
        assert both.columns(MARKS) == {"code", "school", "date"}
        assert both.missing(MARKS) == ("session",)
        assert both.missing(BEHAVIOUR) == ("school", "event_id", "date", "type", "severity", "role")


class TestWhatIsLeftOut:
    def test_a_field_without_cover_is_empty_in_the_row_and_in_the_sheet_that_quarantine_keeps(self):
        (kept,), left_out = only_covered([suspensions()], cover({"fields": ALL_BUT_REASONS}))
        assert kept.columns["reason1"].text().tolist() == ["", ""]
        assert kept.sheet.columns["reason1"].text().tolist() == ["", ""]
        assert kept.columns["category"].text().tolist() == ["SUSP", "SUSP"]
        assert kept.sheet.columns["upn"].text().tolist() == ["A", "B"]
        assert left_out.fields == {"suspensions.reason1"}

    def test_a_table_whose_rows_cannot_do_without_the_field_is_left_out_whole(self):
        kept, left_out = only_covered([suspensions()], cover({"fields": ["suspensions.category"]}))
        assert kept == ()
        assert left_out.fields == {"suspensions"}

    def test_rows_of_a_school_that_did_not_sign_are_left_out_and_counted(self):
        (kept,), left_out = only_covered([suspensions()], cover({"fields": ["suspensions.*"], "schools": [900002]}))
        assert kept.columns["school"].text().tolist() == ["900002"]
        assert kept.rows.tolist() == [1]
        assert kept.upn.text().tolist() == ["B"]
        assert left_out.rows == {"suspensions": 1}

    def test_a_school_number_that_cannot_be_read_is_left_to_the_checks(self):
        (kept,), _ = only_covered(
            [suspensions(schools=("nine", "900001"))], cover({"fields": ["suspensions.*"], "schools": [900002]})
        )
        assert kept.columns["school"].text().tolist() == ["nine"]

    def test_full_cover_changes_nothing(self):
        batch = suspensions()
        (kept,), left_out = only_covered([batch], cover({"fields": ["suspensions.*"]}))
        assert kept.columns == batch.columns
        assert kept.sheet is batch.sheet
        assert (left_out.fields, left_out.rows) == (set(), {})


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"fields": ["marks.colour"]}, "no such field: marks.colour"),
            ({"fields": ["sen_needs.*"]}, "condition is needed for sen_needs"),
            ({"ends": date(2026, 8, 1)}, "is before starts"),
            ({"assessed_on": None}, "go together"),
            ({"retention_years": {"marks": 7}}, "longer than the table's own"),
            ({"colour": "red"}, "Extra inputs"),
        ],
    )
    def test_what_a_register_cannot_say(self, change, said):
        with pytest.raises(ValueError, match=said):
            register(change)

    def test_an_id_stands_once(self):
        with pytest.raises(ValueError, match="stands twice: one"):
            register({}, {})

    def test_a_file_that_cannot_be_used_names_the_place(self, tmp_path):
        path = tmp_path / "agreements.toml"
        path.write_text(demonstration().replace('controller = "The network"', "controller = 3"), encoding="utf-8")
        with pytest.raises(RegisterRefused, match=r"agreement\.1\.controller: Input should be a valid string"):
            read_register(path)

    def test_a_real_home_without_a_register_reads_nothing(self, tmp_path):
        with pytest.raises(RegisterRefused, match="--template"):
            register_of(create_home(tmp_path / "real"))

    def test_a_demonstration_has_its_own_and_the_home_s_comes_first(self, tmp_path):
        home = create_home(tmp_path / "demo", demo=True)
        assert not register_of(home).uncovered(date(2026, 6, 22))
        text = demonstration().replace("(demonstration)", "(ours)")
        (home.path / "agreements.toml").write_text(text, encoding="utf-8")
        assert "ours" in register_of(home).network.name

    def test_the_template_is_a_register_that_covers_nothing_yet(self, tmp_path):
        path = tmp_path / "agreements.toml"
        path.write_text(
            package("records").joinpath("agreements_template.toml").read_text(encoding="utf-8"), encoding="utf-8"
        )
        assert read_register(path).cover("network CSV", TODAY).refusal().endswith("no signed impact assessment")


class TestRecordOfProcessing:
    def test_it_says_what_to_see_to(self):
        told = warnings(register({}, {"id": "two", "ends": date(2026, 9, 30)}), TODAY)
        assert told == ("'two' ended on 2026-09-30: it covers nothing now. Renew it.",)
        assert warnings(register({"ends": date(2026, 11, 1)}), TODAY) == ("'one' ends on 2026-11-01, in 31 days.",)

    def test_it_names_every_field_without_cover_and_the_shorter_retention(self):
        page = as_markdown(register({"fields": ["marks.code"], "retention_years": {"marks": 2}}), TODAY)
        assert "| marks | code | no | 2 years |" in page
        assert "- `marks.session`" in page
        assert "- `marks.code`" not in page


class TestIngest:
    """The register at work: `belong ingest` reads what is covered and says what is not."""

    def ingested(self, tmp_path, *changes):
        home = export_files.make_home(tmp_path / "home")
        text = demonstration()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (home.path / "agreements.toml").write_text(text, encoding="utf-8")
        export_files.write(tmp_path / "in", "suspensions_900001_1.csv", export_files.SUSPENSION, BROKEN)
        return home, ingest(home, tmp_path / "in", clock=export_files.CLOCK, save_identities=None)

    def test_a_field_without_cover_lands_nowhere_and_the_summary_says_so(self, tmp_path):
        without = ", ".join(f'"{field}"' for field in ALL_BUT_REASONS)
        home, summary = self.ingested(tmp_path, ('"suspensions.*"', without))
        landed = pd.concat([Store(home).history(shard).tables["suspensions"] for shard in Store(home).shards])
        assert landed["reason1"].isna().all()
        assert landed["sessions"].tolist() == [4]
        (kept,) = home.quarantine.glob("*/rows.csv")
        assert "nonsense" in kept.read_text(encoding="utf-8")
        assert ",DB," not in kept.read_text(encoding="utf-8")
        assert "Not read, because no agreement covers it" in summary.as_text()
        assert "fields: suspensions.reason1" in summary.as_text()
        assert summary.exit_code == 0

    def test_an_ended_agreement_stops_its_source_and_nothing_of_it_lands(self, tmp_path):
        home, summary = self.ingested(tmp_path, ("ends = 2027-08-31", "ends = 2025-06-30"))
        assert summary.exit_code == 2
        assert "agreement 'school-records' ended on 2025-06-30" in summary.as_text()
        assert not list(home.history.glob("suspensions/*"))
        assert not home.quarantine.exists()

    def covers(self, home, *changes):
        """Write another register into the home."""
        text = demonstration()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (home.path / "agreements.toml").write_text(text, encoding="utf-8")

    def again(self, home, folder):
        return ingest(home, folder, clock=export_files.CLOCK, save_identities=None)

    def test_a_table_that_a_later_agreement_covers_is_read_from_files_already_loaded(self, tmp_path):
        without = ('"suspensions.*", ', "")
        home, first = self.ingested(tmp_path, without)
        assert "suspensions" not in first.tables
        assert self.again(home, tmp_path / "in").already == ("suspensions_900001_1.csv",)
        self.covers(home)
        found = self.again(home, tmp_path / "in").tables["suspensions"]
        assert (found.read, found.accepted, found.landed, found.quarantined) == (2, 1, 1, 1)
        assert self.again(home, tmp_path / "in").already == ("suspensions_900001_1.csv",)

    def test_rows_of_a_school_that_signs_later_are_read_and_no_other_row_twice(self, tmp_path):
        only_one = ('schools = "all"', "schools = [900001]")
        other = export_files.SUSPENSION.replace("900001", "900002").replace(export_files.ANN, export_files.BOB)
        home = export_files.make_home(tmp_path / "home")
        self.covers(home, only_one)
        export_files.write(tmp_path / "in", "suspensions_1.csv", export_files.SUSPENSION, other, BROKEN)
        first = self.again(home, tmp_path / "in")
        assert first.uncovered.rows == {"suspensions": 1}
        assert (first.tables["suspensions"].accepted, first.tables["suspensions"].quarantined) == (1, 1)
        self.covers(home)
        found = self.again(home, tmp_path / "in").tables["suspensions"]
        assert (found.read, found.accepted, found.landed, found.quarantined) == (2, 1, 1, 1)
        landed = pd.concat([Store(home).history(shard).tables["suspensions"] for shard in Store(home).shards])
        assert sorted(landed["school"]) == [900001, 900002]
        assert len(list(home.quarantine.glob("*/rows.csv"))) == 1
        assert self.again(home, tmp_path / "in").already == ("suspensions_1.csv",)

    def test_a_field_covered_later_stays_empty_in_rows_that_landed_and_the_summary_says_so(self, tmp_path):
        without = ", ".join(f'"{field}"' for field in ALL_BUT_REASONS)
        home, _ = self.ingested(tmp_path, ('"suspensions.*"', without))
        self.covers(home)
        summary = self.again(home, tmp_path / "in")
        assert summary.already == ("suspensions_900001_1.csv",)
        assert "1 exports read without suspensions.reason1" in summary.as_text()
        # What the school corrects comes with the field.
        later = export_files.SUSPENSION.replace("2025-03-07", "2025-03-12")
        export_files.write(tmp_path / "in", "suspensions_900001_2.csv", later)
        assert self.again(home, tmp_path / "in").tables["suspensions"].landed == 1

    def test_it_is_read_when_the_agreement_is_renewed(self, tmp_path):
        home, _ = self.ingested(tmp_path, ("ends = 2027-08-31", "ends = 2025-06-30"))
        (home.path / "agreements.toml").write_text(demonstration(), encoding="utf-8")
        assert ingest(home, tmp_path / "in", clock=export_files.CLOCK, save_identities=None).loaded
