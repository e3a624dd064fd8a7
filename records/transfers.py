"""Transfer agreements: what of a pupil's records at one school the staff of their next school may read.

A pupil who moves is one person in the records, and the model reads their whole history. Staff read what
their own school recorded; what an earlier one did, only as far as such an agreement says, and only while
it stands.
"""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Words = Annotated[str, Field(min_length=3)]
Standing = Literal["valid", "not yet", "ended", "not assessed"]
SHOWN_TABLES: Final = ("marks", "behaviour", "positives", "suspensions")
# (table, the school that recorded it, the school whose staff would read it) → whether they may.
Shares = Callable[[str, int, int], bool]


def standing_of(starts: date, ends: date, assessed_on: date | None, today: date) -> Standing:
    """Return whether an agreement covers anything on a day, and if not why."""
    if today > ends:
        return "ended"
    if today < starts:
        return "not yet"
    return "valid" if assessed_on is not None and assessed_on <= today else "not assessed"


def nothing_shared(table: str, earlier: int, present: int) -> bool:
    """Share nothing: what holds without an agreement."""
    return False


class Transfer(BaseModel):
    """One agreement between schools that pupils leave and schools that they join.

    Attributes
    ----------
    leaving, joining
        Unique reference numbers; 'all' is every school.
    tables
        Which records of the earlier school pages of the next one show.
    cases
        Whether an open case goes on at the next school, with the views and decisions in it.
    starts, ends, assessed_on, impact_assessment
        As in `Agreement`: nothing is shared without a signed impact assessment.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: Words
    leaving: Literal["all"] | Annotated[tuple[int, ...], Field(min_length=1)]
    joining: Literal["all"] | Annotated[tuple[int, ...], Field(min_length=1)]
    purpose: Words
    lawful_basis: Words
    starts: date
    ends: date
    impact_assessment: str = ""
    assessed_on: date | None = None
    tables: tuple[Literal["marks", "behaviour", "positives", "suspensions"], ...] = ()
    cases: bool = False

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.ends < self.starts:
            raise ValueError(f"ends {self.ends} is before starts {self.starts}")
        if (self.assessed_on is None) != (not self.impact_assessment):
            raise ValueError("impact_assessment and assessed_on go together: say where it is and when it was signed")
        if not self.tables and not self.cases:
            raise ValueError(f"it shares nothing: name tables ({', '.join(SHOWN_TABLES)}), or cases = true")
        return self

    def standing(self, today: date) -> Standing:
        """Return whether the agreement covers anything on a day, and if not why."""
        return standing_of(self.starts, self.ends, self.assessed_on, today)

    def between(self, earlier: int, present: int, today: date) -> bool:
        """Whether the agreement stands, and is about pupils who went from the one school to the other."""
        return (
            self.standing(today) == "valid"
            and (self.leaving == "all" or earlier in self.leaving)
            and (self.joining == "all" or present in self.joining)
        )
