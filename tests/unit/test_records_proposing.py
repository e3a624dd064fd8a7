"""What a file's headings say it is, and how what a person confirms becomes the mapping that every ingest uses."""

import pytest

from records.intake.ingest import ingest
from records.intake.preview import preview
from records.readers.claims import known_mappings
from records.readers.confirmed import Confirmed, file_name, fits, mapping_of, mapping_text, save, saved
from records.readers.mapping import MappingRefused
from records.readers.network_csv import LAYOUTS
from records.readers.proposing import KEPT_APART, propose
from records.text.sheet import FileRefused
from tests.export_files import ANN, BOB, CLOCK, INCIDENT, MARK, make_home, write

SCHOOL = 900001


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home of its own."""
    return make_home(tmp_path_factory.mktemp("proposing"))


@pytest.fixture(scope="module")
def known(home):
    """The mappings that Belong brings."""
    return known_mappings(home)


def said(proposal, **changes):
    """Return the proposal as a person confirms it."""
    parts = {
        name: getattr(proposal, name) for name in Confirmed.__dataclass_fields__ if name not in ("school", "system")
    }
    return Confirmed(**{**parts, "school": SCHOOL, "system": "SIMS", **changes})


def test_headings_of_every_system_that_belong_knows_are_recognised(known):
    for one in known:
        for export in one.mapping.export:
            read = {name: filling.heading for name, filling in export.columns.items() if filling.heading}
            line = ",".join([*export.passed_over, *read.values()]) + "\n"
            found = propose(line.encode(one.mapping.encoding), "file", known, one.mapping.system)
            assert (found.table, found.columns, found.encoding) == (export.table, read, one.mapping.encoding)


def test_the_networks_own_headings_are_recognised(known):
    for layout in LAYOUTS.values():
        if layout.tables[0].name not in KEPT_APART:
            found = propose((",".join(layout.heading) + "\n").encode(), "file", known)
            assert found.table == layout.tables[0].name
            assert set(found.columns.values()) == set(layout.heading)


def test_days_are_proposed_as_most_of_a_column_writes_them_and_never_month_first(known):
    rows = f"UPN,Date,Session,Mark,Last updated\n{ANN},04/03/2025,AM,/,2025-03-04\n{ANN},31/12/2025,AM,/,2025-12-31\n"
    found = propose(rows.encode(), "file", known)
    assert found.dates == "%d/%m/%Y"
    assert found.own_dates == {"known_on": "%Y-%m-%d"}
    american = propose(rows.replace("31/12/2025", "12/31/2025").encode(), "file", known)
    assert american.dates == "%d/%m/%Y"


def test_words_and_halves_of_days_that_a_known_mapping_reads_are_proposed_with_their_heading(known):
    rows = f"UPN,Start date,Days,Type,Reason 1,Last updated\n{ANN},04/03/2025,2.5,Suspension,DB,04/03/2025\n"
    found = propose(rows.encode(), "file", known, "SIMS")
    assert found.table == "suspensions"
    assert found.times == {"sessions": 2}
    assert found.words["category"]["Suspension"] == "SUSP"
    assert found.words["category"]["SUSP"] == "SUSP"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "there is no heading"),
        (f"{ANN},2025-03-03,AM,/\n".encode(), "seems to be a row"),
        (b"Ann,Bee,04/03/2025\n", "seems to be a row"),
        (b"red,blue\n1,2\n", "no heading of it is one that Belong has met"),
    ],
)
def test_a_first_line_that_may_be_a_row_is_refused_and_not_repeated(known, data, says):
    with pytest.raises(FileRefused, match=says) as refused:
        propose(data, "file", known)
    assert ANN not in str(refused.value)
    assert "Bee" not in str(refused.value)


def test_what_is_confirmed_reads_the_file_and_knows_the_next_one(home, known, tmp_path):
    """The mapping is proved, saved once, and then claims the school's files of that kind and no others."""
    rows = f"UPN,Date,Session,Mark,Form\n{ANN},04/03/2025,AM,/,9A\n{BOB},04/03/2025,AM,Zebra,9A\n"
    found = propose(rows.encode(), "file", known, "SIMS")
    assert not fits(mapping_of(said(found)), ("UPN",), found.encoding, "SIMS")
    save(home, said(found))
    (mapping,) = (one.mapping for one in saved(home, SCHOOL))
    assert fits(mapping, found.headings, found.encoding, "SIMS")
    assert not fits(mapping, (*found.headings, "Tutor"), found.encoding, "SIMS")
    assert saved(home, SCHOOL + 1) == ()
    path = tmp_path / file_name(SCHOOL, "marks", "ab12", packed=False)
    path.write_text(rows, encoding="utf-8")
    before = preview(home, path, school=SCHOOL, clock=CLOCK)
    assert (before.read, before.accepted, before.quarantined, before.held) == (2, 1, 1, 0)
    assert (before.faults[0].line, before.faults[0].column) == (3, "Mark")
    assert "Zebra" not in repr(before)
    assert not home.history.exists()
    ingest(home, path, clock=CLOCK, save_identities=None)
    assert preview(home, path, school=SCHOOL, clock=CLOCK).loaded_on == CLOCK.today()


def test_a_column_that_every_row_needs_must_have_a_heading(known):
    found = propose(f"UPN,Date,Session,Mark\n{ANN},04/03/2025,AM,/\n".encode(), "file", known)
    columns = {name: heading for name, heading in found.columns.items() if name != "session"}
    with pytest.raises(MappingRefused, match="where session come from"):
        mapping_of(said(found, columns=columns))


def test_a_heading_is_only_ever_text_in_the_mapping(known):
    found = propose(f"UPN,Date,Session,Mark\n{ANN},04/03/2025,AM,/\n".encode(), "file", known)
    strange = 'Mark" }\n[[export]]\nname = "x'
    columns = {**found.columns, "code": strange}
    mapping = mapping_of(said(found, columns=columns, headings=(*found.headings[:3], strange)))
    assert [one.name for one in mapping.export] == ["marks"]
    assert mapping.export[0].columns["code"].heading == strange
    assert "[[export]]\nname" in mapping_text(said(found))


def test_rows_of_another_school_refuse_the_file_by_line(home, tmp_path):
    path = write(tmp_path, "marks_x.csv", MARK, MARK.replace("900001", "900002"))
    with pytest.raises(FileRefused, match="line 3: 1 of 2 rows are about another school than 900001"):
        preview(home, path, school=SCHOOL, clock=CLOCK)


def test_a_preview_counts_as_the_ingest_does(tmp_path):
    """The same fates, row for row, from a home in which nothing has landed yet."""
    fresh = make_home(tmp_path / "home")
    wrong_letter = INCIDENT.replace(ANN, f"A{ANN[1:]}").replace("e1,", "e2,")
    path = write(tmp_path, "behaviour_x.csv", INCIDENT, INCIDENT, wrong_letter, INCIDENT.replace("Disruption", "Zebra"))
    told = preview(fresh, path, school=SCHOOL, clock=CLOCK)
    count = ingest(fresh, path, clock=CLOCK, save_identities=None).tables["behaviour"]
    assert (told.read, told.accepted, told.repeated) == (count.read, count.accepted, count.repeated) == (4, 1, 1)
    assert (told.held, told.quarantined) == (sum(count.held.values()), count.quarantined) == (1, 1)
    assert (told.first, told.last) == (told.last, told.first)
