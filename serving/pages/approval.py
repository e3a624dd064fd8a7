"""What the service runs under: the approval, its end and, under a waiver, the plan for watching the gap."""

from starlette.responses import Response

from serving.notices import APPROVAL_PATH, what_chooses
from serving.page import PUBLIC, Page, Visit
from serving.rendering import day_words
from serving.scoring import Refused

_ROLES = {
    "board_member": "Board member",
    "data_protection_officer": "Data-protection officer",
}


def show_approval(visit: Visit) -> Response:
    """Show the approval in words; signers by role, since who they are is the board's to say."""
    found = visit.site.door.deployed()
    if isinstance(found, Refused):
        return visit.show(
            "message.html",
            title="Belong is not scoring",
            sentences=(found.sentence, "No pupil is put on a list until a tested and signed model may serve again."),
        )
    approval = found.approval
    waived = approval.verdict == "WAIVED"
    rows = [
        ("What chooses pupils", what_chooses(found)),
        ("Result", "Under waiver: not settled, so not a pass" if waived else "Passed within the board's limits"),
        ("Signed on", day_words(approval.signed_on)),
        ("Ends on", day_words(approval.expires_on)),
        ("Signed by", ", ".join(_ROLES.get(role, role) for role in approval.roles)),
        ("Why", approval.reason),
        ("How it is watched", approval.monitoring_plan),
        ("To be looked at again", day_words(approval.review_date)),
    ]
    return visit.show(
        "approval.html",
        title="What these lists run under",
        waived=waived,
        rows=[(key, value) for key, value in rows if value],
    )


PAGES = (
    Page(
        name="approval",
        path=APPROVAL_PATH,
        permission=PUBLIC,
        public_because="it holds no pupil data, and whoever is affected should be able to read the plan",
        show=show_approval,
    ),
)
