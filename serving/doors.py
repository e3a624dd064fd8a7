"""Every page there is, gathered; and the table of doors that the documentation prints."""

from casework.permissions import PERMISSIONS, ROLES
from serving.page import PUBLIC, Page
from serving.pages import (
    approval,
    audit,
    bring,
    bring_file,
    caseload,
    handover,
    pupil,
    record_decision,
    record_view,
    records,
    report,
    sign_in,
    take_away,
)

PAGES: tuple[Page, ...] = (
    *sign_in.PAGES,
    *caseload.PAGES,
    *handover.PAGES,
    *take_away.PAGES,
    *pupil.PAGES,
    *record_view.PAGES,
    *record_decision.PAGES,
    *records.PAGES,
    *bring.PAGES,
    *bring_file.PAGES,
    *audit.PAGES,
    *report.PAGES,
    *approval.PAGES,
)


def door_table() -> str:
    """Return the pages and who may open each, as a Markdown table."""
    lines = ["| page | address | methods | who |", "|---|---|---|---|"]
    for page in PAGES:
        if page.permission == PUBLIC:
            who = f"anyone: {page.public_because}"
        else:
            who = ", ".join(ROLES[role].lower() for role in ROLES if role in PERMISSIONS[page.permission])
        methods = ", ".join(method for method in page.methods if method != "HEAD")
        lines.append(f"| {page.name} | `{page.path}` | {methods} | {who} |")
    return "\n".join(lines) + "\n"
