"""What leaves the screen, on paper or as a file: for which purpose, by whom, logged as looks. Recorded facts only."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from casework.rules import RuleBroken

# A choice and never free text: what is written here stays in the log for good, and must name nobody.
PURPOSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "weekly_meeting": "The weekly meeting about pupils on the list",
        "pupil_or_family": "A meeting with a pupil or their family",
        "support_meeting": "A meeting about support for a pupil",
        "handing_over": "Handing cases over to a colleague",
    }
)
LINES_MOST: Final = 500


def check_purpose(purpose: str) -> str:
    """Return the purpose in words. Raises RuleBroken where it is none of ours."""
    if purpose not in PURPOSES:
        raise RuleBroken("Select what you need it for.", "purpose")
    return PURPOSES[purpose]
