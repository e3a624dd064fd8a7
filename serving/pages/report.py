"""The board's report on one audit: to read as a page, and to take away as a PDF.

Both are made of the `view` that was stored with the audit, with disclosure control already applied.
"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from casework.audit_log import look
from casework.deployments import audits
from fairness.documents.board_report import Past, board_report
from fairness.documents.document import Document
from fairness.documents.pdf import as_pdf
from fairness.documents.plain_words import VERDICT_WORDS
from serving.page import NotFound, Page, Visit
from serving.pages.audit import has_report, stored


def show_report(visit: Visit) -> Response:
    """Show the board's report as a page; the look at it is logged."""
    digest = visit.part("digest")
    document = _report(visit, digest)
    look(visit.session, visit.person, "see_report", detail=digest)
    return visit.show("report.html", title=document.title, digest=digest, document=document)


def take_report(visit: Visit) -> Response:
    """Hand out the board's report as a PDF; that it was taken is logged."""
    digest = visit.part("digest")
    content = as_pdf(_report(visit, digest))
    look(visit.session, visit.person, "take_report", detail=digest)
    name = f"belong-audit-{digest[:12]}.pdf"
    return Response(
        content, media_type="application/pdf", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _report(visit: Visit, digest: str) -> Document:
    """Return the report from the stored view, with the audits made up to then as its history."""
    found = stored(visit, digest)
    view: Mapping[str, Any] = found.payload.get("view") or {}
    if not has_report(view):
        raise NotFound
    history = [
        Past(
            on=one.created_on,
            model=one.bundle_digest[:12],
            result=VERDICT_WORDS.get(one.verdict, one.verdict),
            signed=one.signed,
        )
        for one in reversed(audits(visit.session))
        if one.created_on <= found.created_on
    ]
    home = visit.site.home
    return board_report(view, network=home.network, demo=home.demo, history=history)


PAGES = (
    Page(name="audit report", path="/audits/{digest}/report", permission="see_report", show=show_report),
    Page(name="audit report as PDF", path="/audits/{digest}/report.pdf", permission="see_report", show=take_report),
)
