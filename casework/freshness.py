"""When what Belong found is no longer shown: a withdrawn model, records in doubt, a list that is too old.

Lists and recorded facts stay: they are what people may act on. Scores and reasons go, with a sentence.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casework.explanation import SCHOOL_HELD, WITHDRAWN
from casework.tables_cases import DeploymentRow
from casework.tables_flags import PublicationRow

# A list is made every week. Two missed in a row are told of; after four nobody should lean on the last one.
NOTICE_DAYS: Final = 14
HIDE_DAYS: Final = 28


@dataclass(frozen=True, kw_only=True)
class Withheld:
    """Why a score is not shown: a code that programs may rely on, and a sentence for people."""

    code: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """What a reading of scores is held against: withdrawn bundles and the day of the newest list."""

    withdrawn: frozenset[str]
    newest: date | None
    today: date

    @property
    def notice(self) -> str | None:
        """Return the sentence that every reader is told; None while lists come every week."""
        if self.newest is None or self.newest + timedelta(days=NOTICE_DAYS) >= self.today:
            return None
        hidden = " Scores are hidden until there is a new one." if self.too_old else ""
        return f"The newest list is of {self.newest:%-d %B %Y}, and one is due every week.{hidden}"

    @property
    def too_old(self) -> bool:
        """Whether the newest list is so old that its scores are hidden."""
        return self.newest is not None and self.newest + timedelta(days=HIDE_DAYS) < self.today

    def withheld(self, bundle_digest: str, *, up_to_date: bool) -> Withheld | None:
        """Return why the score of a flag of this bundle, at a school whose records stand so, is not shown; or None."""
        if bundle_digest in self.withdrawn:
            return Withheld(code="withdrawn", sentence=WITHDRAWN)
        if not up_to_date:
            return Withheld(code="school_held", sentence=SCHOOL_HELD)
        if self.too_old and self.notice is not None:
            return Withheld(code="too_old", sentence=self.notice)
        return None


def freshness(session: Session, today: date) -> Freshness:
    """Return how fresh lists are; publications and deployments hold no pupil, so any scope may ask."""
    withdrawn = session.scalars(select(DeploymentRow.digest).where(DeploymentRow.revoked_at.is_not(None)))
    newest = session.execute(select(func.max(PublicationRow.as_of))).scalar_one()
    return Freshness(withdrawn=frozenset(withdrawn), newest=newest, today=today)
