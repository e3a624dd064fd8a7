"""`belong mappings`: what can be read, and whether a network's own mapping can be used."""

from pathlib import Path

from tests.command_line import DONE, REFUSED

OWN = """system = "Own"
encoding = "cp1252"
dates = "%d/%m/%Y"
[[export]]
name = "help"
files = "own_help_*.csv"
table = "support"
known_on = "file"
[export.columns]
school = { constant = "900001" }
upn = "UPN"
support_id = "No"
type = { heading = "Kind", words = { "Mentor" = "mentoring" } }
start_date = "From"
"""


def own(home: Path, text: str) -> Path:
    (home / "mappings").mkdir(parents=True)
    path = home / "mappings" / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_mapping_is_listed_with_where_it_lies(belong, tmp_path):
    path = own(tmp_path, OWN)
    said = belong("mappings", "--home", tmp_path)
    assert said.code == DONE
    assert "SIMS: sims.toml (brought by Belong); cp1252, dates like 14/02/2025" in said.words
    assert f"Own: own.toml ({path}); cp1252, dates like 14/02/2025" in said.words
    assert "own_help_*.csv help → support" in said.words


def test_a_mapping_is_proved(belong, tmp_path):
    path = own(tmp_path, OWN)
    said = belong("mappings", "--check", path, "--home", tmp_path)
    assert (said.code, said.err) == (DONE, "")
    assert "own.toml can be used" in said.words
    assert "SIMS" not in said.words


def test_a_mapping_that_cannot_be_used_is_refused(belong, tmp_path):
    path = own(tmp_path, OWN.replace("mentoring", "mentor"))
    for arguments in (("--check", path), ("--home", tmp_path)):
        said = belong("mappings", *arguments)
        assert said.code == REFUSED
        assert "export.help: columns.type: 'mentor' is not in the list of type of support" in said.err
