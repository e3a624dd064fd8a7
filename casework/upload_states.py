"""Where a file that a school brings may stand, and who takes it a step further, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

UPLOAD_STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sent": "Received; Belong is about to look at its headings",
        "columns": "Waiting for you to confirm the columns",
        "confirmed": "Columns confirmed; Belong is about to check the rows",
        "checked": "Checked; waiting for you to take it in",
        "taking_in": "Being taken in",
        "landed": "Among the records",
        "already": "Already loaded; nothing changed",
        "refused": "Cannot be used",
        "withdrawn": "Withdrawn",
        "expired": "Deleted unused",
    }
)
# The file is deleted in these.
OVER: Final = frozenset({"landed", "already", "refused", "withdrawn", "expired"})
WAITING_FOR_BELONG: Final = frozenset({"sent", "confirmed", "taking_in"})
WAITING_FOR_A_PERSON: Final = frozenset({"columns", "checked"})


@dataclass(frozen=True, kw_only=True)
class UploadStep:
    """One step that an upload may take; `person`: whether a person takes it, or Belong's own job."""

    starts: frozenset[str]
    end: str
    person: bool
    says: str

    def __post_init__(self) -> None:
        unknown = (self.starts | {self.end}) - UPLOAD_STATES.keys()
        if unknown or self.starts & OVER:
            raise ValueError(f"step to {self.end!r}: unknown states {sorted(unknown)}, or it leaves a final state")


UPLOAD_STEPS: Final = (
    UploadStep(starts=frozenset({"sent"}), end="columns", person=False, says="Columns are proposed from the headings"),
    UploadStep(
        starts=frozenset({"sent"}), end="confirmed", person=False, says="The headings are those confirmed before"
    ),
    UploadStep(
        starts=frozenset({"columns", "checked"}), end="confirmed", person=True, says="A person confirms the columns"
    ),
    UploadStep(starts=frozenset({"confirmed"}), end="checked", person=False, says="Every row is checked, none lands"),
    UploadStep(starts=frozenset({"checked"}), end="taking_in", person=True, says="A person takes the file in"),
    UploadStep(starts=frozenset({"taking_in"}), end="landed", person=False, says="The rows are among the records"),
    UploadStep(
        starts=frozenset({"confirmed"}), end="already", person=False, says="These very bytes were loaded before"
    ),
    UploadStep(starts=WAITING_FOR_BELONG, end="refused", person=False, says="The file cannot be used, in a sentence"),
    UploadStep(
        starts=WAITING_FOR_A_PERSON | {"sent", "confirmed"}, end="withdrawn", person=True, says="A person withdraws it"
    ),
    UploadStep(
        starts=WAITING_FOR_A_PERSON, end="expired", person=False, says="Nobody went on with it; the file is deleted"
    ),
)


def may_step(start: str, end: str, *, person: bool) -> bool:
    """Return whether an upload may go from one state to another, taken there by a person or by the job."""
    return any(start in one.starts and one.end == end and one.person == person for one in UPLOAD_STEPS)
