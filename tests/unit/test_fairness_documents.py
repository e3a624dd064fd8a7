"""The board's report and the governance drafts: one source, the same words in every form, nothing hidden let out."""

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser

import pypdfium2
import pytest

from fairness.documents.board_report import Past, board_report
from fairness.documents.document import Block, Document, grid, head
from fairness.documents.human import FIELDS, FieldsRefused, Human, human_of, read_human, template
from fairness.documents.markdown import as_markdown
from fairness.documents.pdf import as_pdf
from fairness.documents.transparency import standard
from fairness.findings import Cell
from fairness.policy import read_policy
from fairness.report import view
from fairness.settling import needed
from fairness.signoff import Approval
from records.home import Home
from serving.jobs.reporting import as_html_file
from tests.flags_made_up import made_audit, made_pupils

POLICY = read_policy()
TERMS = ("2025/26 Autumn", "2025/26 Spring")


@pytest.fixture(scope="module")
def audit():
    return made_audit(made_pupils(3, 900, TERMS, POLICY), TERMS, POLICY, seed=3)[0]


@pytest.fixture(scope="module")
def report(audit):
    history = [Past(on=date(2026, 3, 20), model="0" * 12, result="NOT SETTLED", signed=False)]
    return board_report(view(audit, policy=POLICY), network="Riverside <Schools>", demo=True, history=history)


@pytest.fixture(scope="module")
def pdf(report):
    return as_pdf(report)


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in document)


class Words(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.said, self.inside = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.inside.append(tag)

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data):
        if "style" not in self.inside:
            self.said.append(data)


def words_of(html: str) -> str:
    return " ".join(" ".join(Words(html).said).split())


def test_the_pdf_is_tagged_named_in_english_and_the_same_every_time(report, pdf):
    assert as_pdf(report) == pdf
    document = pypdfium2.PdfDocument(pdf)
    assert document.is_tagged()
    assert document.get_metadata_dict()["Title"] == "Fairness audit: report to the board"
    assert document.get_metadata_dict()["CreationDate"].startswith("D:20260320")
    assert b"/Lang(en-GB)" in pdf
    assert b"pdfuaid" in pdf  # it says of itself that it keeps PDF/UA


def test_the_pdf_carries_its_fonts_and_they_are_typsts_own(pdf):
    fonts = set(re.findall(rb"/FontName ?/[A-Z]{6}\+([\w-]+)", pdf))
    assert fonts
    assert all(font.startswith((b"Libertinus", b"DejaVu", b"NewCM")) for font in fonts)
    assert len(re.findall(rb"/FontFile[23]?\b", pdf)) >= len(fonts)


def test_page_and_pdf_say_the_same(report, pdf):
    page, printed = words_of(as_html_file(report)), text_of(pdf)
    for block in report.blocks:
        for said in (block.text if block.kind in {"words", "heading", "box"} else "", *block.items):
            assert " ".join(said.split()) in page
            assert re.sub(r"[\s\ufffe-]", "", said) in re.sub(r"[\s\ufffe\u00ad-]", "", printed), said
    charts = [block for block in report.blocks if block.kind == "picture"]
    assert charts
    assert as_html_file(report).count("<svg") == len(charts)


def test_the_first_page_holds_the_verdict_what_it_means_and_what_would_settle_it(pdf):
    first = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()
    said = " ".join(first.split())
    assert "NOT SETTLED The records are too few to say whether the model treats every group alike." in said
    for title in ("What it means for pupils", "What is not settled", "What would settle it", "What the board can do"):
        assert title in said
    second = pypdfium2.PdfDocument(pdf)[1].get_textpage().get_text_range()
    assert "PASS, FAIL, NOT SETTLED and WAIVED in plain words" in " ".join(second.split())


def test_what_the_network_wrote_is_text_and_never_markup(report):
    assert "Riverside &lt;Schools&gt;" in as_html_file(report)
    assert "Riverside \\<Schools\\>" in as_markdown(report)


def test_no_form_of_the_report_gives_a_hidden_figure(audit, report, pdf):
    """Every estimate that is hidden in the view is looked for as it would be written, among rows of its group."""
    shown = view(audit, policy=POLICY)
    hidden = [
        row["group"]
        for figure in shown["figures"]
        for block in figure["blocks"]
        for row in block["rows"]
        if row["estimate"] is None and row["share"] is None
    ]
    assert hidden
    grids = [row for block in report.blocks if block.kind == "grid" for row in block.rows if len(row) > 4]
    assert grids
    assert not any(row[0] in set(hidden) and re.search(r"\d", " ".join(row[1:])) for row in grids)
    assert "NaN" not in json.dumps(shown, allow_nan=False)


def test_a_waiver_is_said_on_the_first_page(audit):
    approval = Approval(
        id="i" * 64,
        bundle_digest="b" * 64,
        audit_digest=audit.digest,
        policy_digest=POLICY.digest,
        record_digest="r" * 64,
        annex_digest="",
        verdict="WAIVED",
        audited="NOT_SETTLED",
        signed_on=date(2026, 3, 21),
        expires_on=date(2026, 3, 21) + timedelta(days=60),
        review_date=date(2026, 4, 21),
        reason="Too few pupils.",
        monitoring_plan="Read again each half-term.",
        signers=(("ann", "board_member"), ("bea", "board_member"), ("dan", "data_protection_officer")),
        demo=False,
    )
    document = board_report(view(audit, policy=POLICY, approval=approval), network="N", demo=False)
    first = pypdfium2.PdfDocument(as_pdf(document))[0].get_textpage().get_text_range()
    assert "WAIVED" in first
    assert "20 May 2026" in first
    assert "Read again each half-term." in first
    assert "board member, board member, data protection officer" in " ".join(first.split())


def test_a_table_in_markdown_cannot_be_broken_out_of():
    blocks = (head("A *title*"), *grid("", ("a", "b"), [("x | y", "<script>"), ("[l](u)", "ok")]))
    said = as_markdown(Document(title="T", subtitle="", on=date(2026, 1, 1), blocks=blocks))
    assert "| x \\| y | \\<script\\> |" in said
    assert "## A \\*title\\*" in said
    assert "\\[l\\](u)" in said


def test_a_documents_digest_is_of_what_it_says():
    one = Document(title="T", subtitle="", on=date(2026, 1, 1), blocks=(Block(kind="words", text="a"),))
    assert one.digest == replace(one).digest
    assert one.digest != replace(one, blocks=(Block(kind="words", text="b"),)).digest


class TestWhatWouldSettle:
    """Recall, limit .10, alpha .05, 80 % power: z = 1.6449 + 0.8416, so a standard error of .10 / 2.4865 = .04022."""

    def cell(self, **changes):
        said = {"attribute": "sex", "group": "female", "metric": "recall", "gate": "full", "pupils": 900, "n": 50}
        return Cell(**said | {"positives": 50} | changes)

    def test_without_an_interval_it_is_the_usual_sample_size(self):
        """.6 x .4 / .04022^2 = 148.4, two figures up: 150; two terms of 25 each, so 100 more are four terms."""
        found = needed(self.cell(), POLICY, terms=2, overall=0.6)
        assert (found.needed, found.more_terms) == (150, 4)

    def test_an_interval_says_how_sure_it_is_already(self):
        """.03 either side of 0 is a standard error of .03 / 1.6449 = .01824; (.01824 / .04022)^2 x 50 = 10.3: 30."""
        found = needed(self.cell(lower=-0.03, upper=0.03), POLICY, terms=2, overall=0.6)
        assert (found.needed, found.more_terms) == (30, 1)

    def test_a_ratio_is_asked_on_the_log_scale(self):
        """False alarms, limit 1.5: log 1.5 / 2.4865 = .16307; .5 to 2 is .42140; (2.5842)^2 x 50 = 333.9: 340."""
        found = needed(self.cell(metric="false_alarms", lower=0.5, upper=2.0), POLICY, terms=2, overall=None)
        assert found.needed == 340

    def test_nothing_is_said_of_what_has_no_limit_or_no_pupil(self):
        assert needed(self.cell(positives=0), POLICY, terms=2, overall=0.6) is None
        assert needed(self.cell(metric="precision_lift"), POLICY, terms=2, overall=0.6) is None
        assert needed(self.cell(metric="oe_ratio"), POLICY, terms=2, overall=0.6) is None


class TestWhatPeopleWrite:
    def test_the_template_has_every_field_and_all_are_missing(self, tmp_path):
        file = tmp_path / "documents.toml"
        file.write_text(template(), encoding="utf-8")
        human = read_human(file)
        names = [field.name for field in FIELDS]
        assert list(human.said) == names
        assert len(human.missing(*names)) == len(names)
        assert human.text("owner.team") == "Missing: The team that answers for the use of Belong."

    def test_no_file_is_nothing_written(self, tmp_path):
        assert human_of(Home(path=tmp_path)) == Human({})

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ('[owner]\nteem = "x"', "no document has owner.teem"),
            ("[owner]\nteam = 3", "owner.team must be text in quotes"),
            ('team = "x"', "stands outside a [part]"),
            ("[owner", "cannot be read as TOML"),
        ],
    )
    def test_what_would_silently_do_nothing_is_refused(self, tmp_path, text, sentence):
        file = tmp_path / "documents.toml"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(FieldsRefused, match=re.escape(sentence)):
            read_human(file)


def test_the_transparency_standard_is_all_there():
    fields = standard()
    assert len(fields) == 65
    assert {row["required"] for row in fields} == {"yes", "no"}
    by_reference = {row["reference"]: row["attribute"] for row in fields}
    assert (by_reference["2.4.2.7"], by_reference["2.5.2"]) == ("model_performance", "risks_and_mitigations")
