"""What learning reviews say together, term by term: to read as a page, and to take away as a PDF, from one document."""

from starlette.responses import Response

from casework.audit_log import look
from casework.themes import ThemeCounts, ThemeRelease, theme_terms_out, themes_of
from fairness.documents.document import Document
from fairness.documents.pdf import as_pdf
from learning.themes.report import Counted, themes_report
from serving.form_fields import select_field
from serving.page import NotFound, Page, Visit

TITLE = "What learning reviews say"


def show_themes(visit: Visit) -> Response:
    """Show one term's report, the newest unless another is asked for."""
    out = theme_terms_out(visit.session)
    look(visit.session, visit.person, "see_themes")
    if not out:
        return visit.show("themes.html", title=TITLE, document=None)
    asked = visit.asked("term") or out[0].term.isoformat()
    document, release = _report(visit, out, asked)
    return visit.show(
        "themes.html",
        title=TITLE,
        document=document,
        term=release.term.isoformat(),
        terms=select_field("term", "Term", [(one.term.isoformat(), one.name) for one in out], asked),
        several=len(out) > 1,
    )


def take_themes(visit: Visit) -> Response:
    """Hand out one term's report as a PDF; that it was taken is logged."""
    document, release = _report(visit, theme_terms_out(visit.session), visit.part("term"))
    content = as_pdf(document)
    look(visit.session, visit.person, "take_themes", detail=release.term.isoformat())
    name = f"belong-learning-reviews-{release.term.isoformat()}.pdf"
    return Response(
        content, media_type="application/pdf", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _report(visit: Visit, out: tuple[ThemeRelease, ...], asked: str) -> tuple[Document, ThemeRelease]:
    """Return the report of the term that is named, beside the one before it. Raises NotFound."""
    at = next((at for at, one in enumerate(out) if one.term.isoformat() == asked), None)
    if at is None:
        raise NotFound
    release = out[at]
    home = visit.site.home
    before = next(iter(out[at + 1 :]), None)
    document = themes_report(
        release,
        _counts(visit, release),
        network=home.network,
        demo=home.demo,
        before=Counted(name=before.name, counts=_counts(visit, before)) if before else None,
    )
    return document, release


def _counts(visit: Visit, release: ThemeRelease) -> ThemeCounts:
    return themes_of(visit.session, visit.person, release.term)


PAGES = (
    Page(
        name="what learning reviews say",
        path="/themes",
        permission="see_themes",
        navigation="Themes of reviews",
        show=show_themes,
    ),
    Page(
        name="what learning reviews say as PDF",
        path="/themes/{term}/report.pdf",
        permission="see_themes",
        show=take_themes,
    ),
)
