"""The part 'After deployment' of an audit's page: the newest look at what was served, and those before it.

Like the audit itself it shows the `view` that was stored, whose small figures are hidden already.
"""

from typing import Any

from casework.watches import watches_of
from serving.page import Visit

WORDS = {
    "PASS": "Within the limits",
    "FAIL": "Outside a limit: revoked",
    "NOT_SETTLED": "Not settled",
    "NOT_YET": "No outcomes yet",
    "NO_NEWS": "No new outcomes",
}


def after_deployment(visit: Visit, digest: str) -> dict[str, Any] | None:
    """Return what the template `after_deployment.html` shows of this bundle; None where nobody has looked yet."""
    looks = watches_of(visit.session, digest)
    if not looks:
        return None
    newest = looks[0]
    return {
        **newest.payload["view"],
        "on": newest.looked_on,
        "looks": [{"on": one.looked_on, "words": WORDS.get(one.verdict, one.verdict)} for one in looks],
    }
