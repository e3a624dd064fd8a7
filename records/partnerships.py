"""Partnerships: what a partner organisation may see of actions that are agreed with it, and of counts by place.

A borough, a health or youth service and a family service may work with a school on a pupil's case, as far as their
agreement says and while it stands. Partners in policing see counts by place and nothing else: no pupil, no case and no
action on one leaves Belong for enforcement (docs/decisions.md, 109).
"""

from datetime import date
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from records.transfers import Standing, Words, check_days, standing_of

POLICE: Final = "police"


class Partnership(BaseModel):
    """One agreement with one partner organisation.

    Attributes
    ----------
    id, title
        What the database knows it by, and the organisation as pages name it.
    kind
        What the organisation is.
    schools
        Unique reference numbers of the schools that signed; 'all' is every school.
    actions
        Whether staff of those schools may agree actions on a pupil's case with it, which it then sees.
    places
        Whether it sees actions on a place, and counts by place.
    starts, ends, assessed_on, impact_assessment
        As in `Agreement`: nothing is shared without a signed impact assessment.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: Words
    kind: Literal["borough", "health", "youth", "family", "police"]
    schools: Literal["all"] | Annotated[tuple[int, ...], Field(min_length=1)] = "all"
    purpose: Words
    lawful_basis: Words
    starts: date
    ends: date
    impact_assessment: str = ""
    assessed_on: date | None = None
    actions: bool = False
    places: bool = False

    @model_validator(mode="after")
    def _sound(self) -> Self:
        check_days(self.starts, self.ends, self.impact_assessment, self.assessed_on)
        if self.kind == POLICE and self.actions:
            raise ValueError(
                "a partner in policing sees counts by place only: take actions = true out (docs/decisions.md, 109)"
            )
        if not self.actions and not self.places:
            raise ValueError("it shares nothing: say actions = true, or places = true")
        return self

    def standing(self, today: date) -> Standing:
        """Return whether the agreement covers anything on a day, and if not why."""
        return standing_of(self.starts, self.ends, self.assessed_on, today)
