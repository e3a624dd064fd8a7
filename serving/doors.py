"""Every page there is, gathered; the table of doors that the documentation prints, and the index of its pictures."""

import re
from pathlib import Path

from casework.permissions import PERMISSIONS, ROLES
from serving.page import PUBLIC, Page
from serving.pages import (
    actions,
    agreements,
    approval,
    audit,
    break_glass,
    bring,
    bring_file,
    caseload,
    continuum,
    corrections,
    handover,
    impact,
    integrations,
    invitations,
    lookbacks,
    looks,
    models,
    need,
    partner,
    partner_people,
    people,
    person,
    places,
    programme_form,
    programmes,
    pupil,
    record_decision,
    record_view,
    records,
    report,
    said,
    sign_in,
    support,
    take_away,
    themes,
    training,
)

PAGES: tuple[Page, ...] = (
    *sign_in.PAGES,
    *break_glass.PAGES,
    *caseload.PAGES,
    *handover.PAGES,
    *take_away.PAGES,
    *pupil.PAGES,
    *record_view.PAGES,
    *record_decision.PAGES,
    *said.PAGES,
    *support.PAGES,
    *corrections.PAGES,
    *lookbacks.PAGES,
    *themes.PAGES,
    *places.PAGES,
    *need.PAGES,
    *actions.PAGES,
    *partner.PAGES,
    *programme_form.PAGES,
    *programmes.PAGES,
    *impact.PAGES,
    *continuum.PAGES,
    *records.PAGES,
    *bring.PAGES,
    *bring_file.PAGES,
    *audit.PAGES,
    *report.PAGES,
    *models.PAGES,
    *approval.PAGES,
    *training.PAGES,
    *people.PAGES,
    *partner_people.PAGES,
    *invitations.PAGES,
    *person.PAGES,
    *agreements.PAGES,
    *looks.PAGES,
    *integrations.PAGES,
)


def door_table() -> str:
    """Return the pages and who may open each, as a Markdown table."""
    lines = ["| page | address | methods | who |", "|---|---|---|---|"]
    for page in PAGES:
        who = _who(page)
        methods = ", ".join(method for method in page.methods if method != "HEAD")
        lines.append(f"| {page.name} | `{page.path}` | {methods} | {who} |")
    return "\n".join(lines) + "\n"


def _who(page: Page) -> str:
    if page.permission == PUBLIC:
        return f"anyone: {page.public_because}"
    return ", ".join(ROLES[role].lower() for role in ROLES if role in PERMISSIONS[page.permission])


PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pages"
_WIDE, _NARROW = 1100, 375


def picture_name(name: str, width: int) -> str:
    """Return the file name of a page's picture at a width in pixels."""
    return f"{re.sub('[^a-z0-9]+', '_', name.lower()).strip('_')}_{width}.png"


def pictures_index() -> str:
    """Return the index of the pictures in docs/pages, as Markdown: each page, who sees it, and its two pictures."""
    drawn = {path.name for path in PICTURES.glob("*.png")}
    lines = [
        "# Every page, as it looks",
        "",
        "Drawn by `make pictures` from a made-up network: nobody in them exists. Of a long page, the top.",
        "",
        "| page | who | wide | narrow |",
        "|---|---|---|---|",
    ]
    indexed = set()
    for page in PAGES:
        names = [picture_name(page.name, width) for width in (_WIDE, _NARROW)]
        if drawn.issuperset(names):
            indexed.update(names)
            lines.append(_picture_row(page.name, _who(page), names))
    lines += ["", "## The same in other states", "", "| page | wide | narrow |", "|---|---|---|"]
    for wide in sorted(drawn - indexed):
        if wide.endswith(f"_{_WIDE}.png"):
            stem = wide.removesuffix(f"_{_WIDE}.png")
            lines.append(_picture_row(stem.replace("_", " "), None, [wide, f"{stem}_{_NARROW}.png"]))
    return "\n".join(lines) + "\n"


def _picture_row(name: str, who: str | None, names: list[str]) -> str:
    cells = [name, *([] if who is None else [who])]
    cells += [f"[{width} px]({file})" for width, file in zip((_WIDE, _NARROW), names, strict=True)]
    return f"| {' | '.join(cells)} |"
