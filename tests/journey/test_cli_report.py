"""The report and the governance drafts from the command line."""

import json
from pathlib import Path

import pypdfium2
import pytest

from fairness.approval.revocation import revoke_approval
from fairness.signoff import read_envelope, read_statement
from records.home import Home
from tests.command_line import DONE, refused
from tests.deployed import TODAY, demo_home, put_candidate, tiny_bundle
from tests.journey.test_cli_gate import put_saved

DOCUMENTS = (
    "impact_assessment_annex",
    "joint_controllers",
    "model_card",
    "privacy_notice_parents",
    "privacy_notice_pupils",
    "transparency_record",
)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, str]:
    """A candidate as training saves it, with an audit and a waiver that three people signed."""
    home, keys = demo_home(tmp_path_factory.mktemp("report"))
    bundle = tiny_bundle()
    put_saved(home, bundle)
    put_candidate(home, bundle, keys)
    return home, bundle.digest


def test_the_report_is_written_as_page_pdf_and_data(belong, ready, tmp_path):
    home, digest = ready
    said = belong("report", digest[:12], "--home", home.path, "--out", tmp_path / "r")
    assert said.code == DONE
    assert sorted(file.name for file in (tmp_path / "r").iterdir()) == ["report.html", "report.json", "report.pdf"]
    shown = json.loads((tmp_path / "r" / "report.json").read_text())
    assert shown["first"]["verdict"] == "WAIVED"
    assert "WAIVED" in (tmp_path / "r" / "report.html").read_text()
    once = (tmp_path / "r" / "report.pdf").read_bytes()
    assert "WAIVED" in pypdfium2.PdfDocument(once)[0].get_textpage().get_text_range()
    belong("report", digest, "--home", home.path, "--out", tmp_path / "again")
    assert (tmp_path / "again" / "report.pdf").read_bytes() == once
    assert not [name for name in shown if name in {"cells", "evaluation"}]


def test_a_revoked_approval_is_no_longer_shown_as_one(belong, tmp_path):
    home, keys = demo_home(tmp_path)
    bundle = tiny_bundle()
    put_saved(home, bundle)
    put_candidate(home, bundle, keys)
    signed = read_statement(read_envelope((home.candidates / bundle.digest / "envelope.json").read_bytes()))
    revoke_approval(home, signed, keys[0], reason="Trained on wrong records.", on=TODAY)
    belong("report", bundle.digest, "--home", home.path, "--out", tmp_path / "r")
    shown = json.loads((tmp_path / "r" / "report.json").read_text())
    assert shown["first"]["verdict"] == "NOT_SETTLED"
    assert (shown["waiver"], shown["approval"]) == (None, None)


def test_without_out_it_lies_in_the_home(belong, ready):
    home, digest = ready
    said = belong("report", digest, "--home", home.path)
    assert f"Written to {home.path / 'reports' / digest[:12] / 'report.pdf'}" in said.out


def test_what_cannot_be_reported_is_refused(belong, ready, tmp_path):
    home, digest = ready
    (tmp_path / "file").write_text("x")
    for command in ("report", "documents"):
        refused(belong(command, digest, "--home", home.path, "--out", tmp_path / "file"), "a file; name a folder")
        refused(belong(command, "f" * 64, "--home", home.path), "no candidate begins with")
    bare, _ = demo_home(tmp_path / "bare")
    bundle = tiny_bundle()
    bundle.write(bare.candidates / bundle.digest)
    refused(belong("report", bundle.digest, "--home", bare.path), f"run `belong audit {bundle.digest[:12]}`")
    refused(belong("documents", "--home", home.path), "name a candidate by its digest, or give --template")


def test_the_drafts_say_what_is_missing_until_people_write_it(belong, ready, tmp_path):
    home, digest = ready
    arguments = ("documents", digest, "--home", home.path, "--out", tmp_path / "d")
    said = belong(*arguments)
    assert said.code == DONE
    names = sorted(file.name for file in (tmp_path / "d").iterdir())
    assert names == sorted(f"{name}.{kind}" for name in DOCUMENTS for kind in ("md", "pdf"))
    assert "Missing, for people to write (28):" in said.out
    annex = _annex(said.out)
    card = (tmp_path / "d" / "model_card.md").read_text()
    assert "Missing: The team that answers for the use of Belong." in card
    (home.path / "documents.toml").write_text('[owner]\nteam = "The inclusion team"\n', encoding="utf-8")
    said = belong(*arguments)
    assert "Missing, for people to write (27):" in said.out
    assert "The inclusion team" in (tmp_path / "d" / "model_card.md").read_text()
    assert _annex(said.out) == annex  # the annex does not speak of the team
    (home.path / "documents.toml").write_text('[assessment]\nnecessity = "Because."\n', encoding="utf-8")
    assert _annex(belong(*arguments).out) != annex
    (home.path / "documents.toml").write_text('[owner]\nteem = "x"\n', encoding="utf-8")
    refused(belong(*arguments), "no document has owner.teem")
    (home.path / "documents.toml").unlink()


def test_the_drafts_name_the_register_and_no_pupil(belong, ready, tmp_path):
    home, digest = ready
    belong("documents", digest, "--home", home.path, "--out", tmp_path / "d")
    for name in DOCUMENTS:
        text = (tmp_path / "d" / f"{name}.md").read_text()
        assert "**Draft.**" in text, name
        document = pypdfium2.PdfDocument((tmp_path / "d" / f"{name}.pdf").read_bytes())
        assert document.is_tagged(), name
    parents = (tmp_path / "d" / "privacy_notice_parents.md").read_text()
    assert "Example Schools Network (demonstration)" in parents
    assert "Public task: UK GDPR Article 6(1)(e); Education Act 2002, section 175" in parents
    record = (tmp_path / "d" / "transparency_record.md").read_text()
    assert "| 2.4.2.2 | Model version | bundle " + digest in record


def test_the_template_is_printed_to_be_filled_in(belong):
    said = belong("documents", "--template")
    assert said.code == DONE
    assert "[assessment]\n" in said.out
    assert '# The team that answers for the use of Belong.\nteam = ""' in said.out


def _annex(printed: str) -> str:
    return printed.rstrip().rsplit(" ", 1)[1]


def test_a_report_folder_is_made_where_its_parents_are_missing(belong, ready, tmp_path):
    home, digest = ready
    deep = Path(tmp_path / "a" / "b")
    assert belong("report", digest, "--home", home.path, "--out", deep).code == DONE
    assert (deep / "report.pdf").exists()
