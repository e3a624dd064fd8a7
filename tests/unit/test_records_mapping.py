"""What a mapping may say: each slip is refused when the mapping is read, by file, key and remedy."""

from pathlib import Path

import pytest

from records.home import Home
from records.readers.claims import BROUGHT, known_mappings, read_mapping
from records.readers.mapping import MappingRefused, mapping_from

GOOD = """
system = "Own"
encoding = "cp1252"
dates = "%d/%m/%Y"
[[export]]
name = "incidents"
files = "Own_*.csv"
table = "behaviour"
passed_over = ["Name"]
[export.columns]
school = { file_name = '_(\\d{6})' }
upn = "UPN"
event_id = "No"
date = "Day"
type = { heading = "Type", words = { "Noise" = "Disruption" } }
severity = { constant = "1" }
role = { constant = "Participant" }
known_on = { heading = "Stamp", dates = "%Y-%m-%d" }
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('encoding = "cp1252"', 'encoding = "latin"', "encoding: 'latin' is not one of utf-8, cp1252, utf-16"),
        ('encoding = "cp1252"\n', "", "encoding: Field required"),
        ('dates = "%d/%m/%Y"\n', "", "dates: Field required"),
        ('"%d/%m/%Y"', '"%d/%m"', "dates: '%d/%m' must give day, month and year"),
        ('"%Y-%m-%d"', '"%Q"', "export.incidents.columns.known_on.dates: '%Q'"),
        ('dates = "%d/%m/%Y"', 'dates = "%d/%m/%Y"\ncolour = 1', "colour: Extra inputs are not permitted; take it out"),
        ('"behaviour"', '"behavior"', "export.incidents: table is 'behavior'; name one of enrolments, marks,"),
        ('"behaviour"', '"flags_given"', "table is 'flags_given'"),
        ('event_id = "No"\n', "", "export.incidents: columns does not say where event_id come from"),
        ('date = "Day"', 'day = "Day"', "columns has day; behaviour has"),
        ("known_on = {", "points = {", "known_on come from"),
        ('"Disruption"', '"Disrupton"', "columns.type: 'Disrupton' is not in the list of incident type"),
        ('severity = { constant = "1" }', 'severity = { constant = "9" }', "columns.severity: '9' must be 1 to 5"),
        ('severity = { constant = "1" }', 'severity = { constant = "" }', "columns.severity: '' may not stand"),
        ('severity = { constant = "1" }', 'severity = { constant = "1", heading = "S" }', "say exactly one of heading"),
        ('date = "Day"', 'date = { constant = "2025-03-03" }', "columns.date: write the day like 14/02/2025"),
        ("'_(\\d{6})'", "'_\\d{6}'", "file_name needs exactly one group"),
        ("'_(\\d{6})'", "'_(\\d{6}'", "file_name is no regular expression"),
        ('["Name"]', '["UPN"]', "UPN is both read and passed over"),
        ('passed_over = ["Name"]', 'form = "week"', "form = 'week' is for the table marks"),
        ('role = { constant = "Participant" }', 'role = { heading = "R", times = 2 }', "times is for a whole number"),
        ('role = { constant = "Participant" }', 'role = { constant = "Target", times = 2 }', "name the heading"),
        ('table = "behaviour"', 'table = "behaviour"\nknown_on = "file"', "known_on is said twice"),
        ('table = "behaviour"', 'table = "behaviour"\ndeleted = "Gone"', "export.incidents.deleted: Extra inputs"),
        ("[[export]]", "[export]", "export: "),
        ('upn = "UPN"', "upn = UPN", "is not TOML"),
    ],
)
def test_a_slip_is_refused_by_file_and_key(old: str, new: str, told: str):
    assert old in GOOD
    with pytest.raises(MappingRefused) as refusal:
        mapping_from(GOOD.replace(old, new, 1), "own.toml")
    assert str(refusal.value).startswith("own.toml")
    assert told in str(refusal.value)


def test_a_mapping_without_exports_is_refused():
    with pytest.raises(MappingRefused, match=r"there is no \[\[export\]\]"):
        mapping_from('system = "Own"\nencoding = "utf-8"\ndates = "%Y-%m-%d"\nexport = []', "own.toml")


def test_two_exports_of_one_name_are_refused():
    both = GOOD + GOOD[GOOD.index("[[export]]") :]
    with pytest.raises(MappingRefused, match="two exports are called incidents"):
        mapping_from(both, "own.toml")


def test_words_for_deletions_say_true_or_false():
    wrong = GOOD + 'deleted = { heading = "State", words = { "Gone" = "yes" } }'
    with pytest.raises(MappingRefused, match=r"columns.deleted: 'yes' must be true or false"):
        mapping_from(wrong, "own.toml")


def test_a_glob_claims_a_name_in_any_case_packed_or_not():
    (export,) = mapping_from(GOOD, "own.toml").export
    assert [
        export.claims(name) for name in ("own_1.csv", "OWN_1.CSV", "own_1.csv.gz", "own_1.txt", "my_own_1.csv")
    ] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_what_belong_brings_can_be_used_and_one_of_the_home_takes_its_place(tmp_path):
    home = Home(path=tmp_path)
    assert [(one.file, one.where) for one in known_mappings(home)] == [
        (name, BROUGHT) for name in ("arbor.toml", "bromcom.toml", "sims.toml")
    ]
    home.mappings.mkdir()
    (home.mappings / "sims.toml").write_text(GOOD, encoding="utf-8")
    assert [one.mapping.system for one in known_mappings(home)] == ["Arbor", "Bromcom", "Own"]


@pytest.mark.parametrize(("content", "told"), [(None, "cannot be read"), (b"system = 'Zo\xeb'", "byte 12")])
def test_a_mapping_that_is_no_text_is_refused(tmp_path, content: bytes | None, told: str):
    path: Path = tmp_path / "own.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MappingRefused, match=told):
        read_mapping(path)
