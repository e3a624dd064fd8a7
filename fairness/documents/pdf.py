"""A document as a PDF: tagged for screen readers (PDF/UA-1), the same bytes for the same document, no network.

Typst carries its own fonts and is told to use no others; what the document says reaches it as data.
"""

import json
from datetime import UTC, datetime, time
from importlib.resources import files

from fairness.documents.document import Document


def as_pdf(document: Document) -> bytes:
    """Return the PDF. It is dated as the document is, whenever it is made."""
    import typst  # noqa: PLC0415 - the web process carries no typesetter until somebody asks for a PDF

    here = files("fairness.documents")
    said = document.to_json()
    made = typst.compile(
        here.joinpath("document.typ").read_bytes(),
        format="pdf",
        ignore_system_fonts=True,
        font_paths=[],
        pdf_standards=["ua-1"],
        sys_inputs={
            "document": json.dumps(said, ensure_ascii=False),
            "style": here.joinpath("charts.css").read_text(encoding="utf-8") + _FONT,
        },
        timestamp=int(datetime.combine(document.on, time(), UTC).timestamp()),
    )
    assert isinstance(made, bytes)  # without an output file it returns the bytes
    return made


_FONT = 'text { font-family: "Libertinus Serif" }'
