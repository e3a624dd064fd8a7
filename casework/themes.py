"""What learning reviews say, once a term: what the nightly job publishes, and who reads it.

Counts are rounded and hidden before they are stored (`learning.themes`), and the database takes nothing else. They are
of the whole network: a school's are too few to be told of without telling of a pupil.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from casework.lookback_words import KINDS, OFFERS, SIGNALS, STATES, THEMES, WAITS
from casework.permissions import Person, check_may
from casework.programmes import open_to_answer
from casework.tables_themes import ThemeCountRow, ThemeTermRow
from records.refusal import Refusal

CONCLUDED: Final = "concluded"
WHOLE: Final = "all"
# Division → its parts. Those of the first four are everybody; a wait is of those whom a list had, and a theme of those
# whose review is concluded, who may have several.
DIVISIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "kind": tuple(KINDS),
        "standing": tuple(state for state in STATES if state != "withdrawn"),
        "signal": tuple(SIGNALS),
        "offer": tuple(OFFERS),
        "wait": tuple(WAITS),
        "theme": tuple(THEMES),
    }
)
# (division, part) → pupils, rounded; None where they are not shown.
ThemeCounts = Mapping[tuple[str, str], int | None]


class ThemesPublished(Refusal):
    """This term is out: a second version could be laid beside the first."""


@dataclass(frozen=True, kw_only=True)
class ThemeRelease:
    """One term's publication: its days, and the day its counts were known."""

    term: date
    name: str
    ends_on: date
    known_on: date


def save_themes(session: Session, release: ThemeRelease, counts: ThemeCounts) -> None:
    """Publish a term, once. Needs the job's role and every school in scope.

    Raises
    ------
    ThemesPublished
        The term is out.
    """
    if session.get(ThemeTermRow, release.term) is not None:
        raise ThemesPublished(f"what learning reviews say of {release.name} is published, and is published once")
    session.add(
        ThemeTermRow(
            term=release.term,
            name=release.name,
            ends_on=release.ends_on,
            known_on=release.known_on,
            published_at=datetime.now(UTC),
        )
    )
    session.flush()
    rows = [{"term": release.term, "cut": cut, "place": place, "count": n} for (cut, place), n in counts.items()]
    if rows:
        session.execute(insert(ThemeCountRow), rows)


def theme_terms_out(session: Session) -> tuple[ThemeRelease, ...]:
    """Return every term that is published, the newest first."""
    rows = session.scalars(select(ThemeTermRow).order_by(ThemeTermRow.term.desc()))
    return tuple(ThemeRelease(term=row.term, name=row.name, ends_on=row.ends_on, known_on=row.known_on) for row in rows)


def themes_of(session: Session, person: Person, term: date) -> ThemeCounts:
    """Return the counts of one term, for those who answer for the network. Raises NotAllowed."""
    check_may(person, "see_themes")
    open_to_answer(session)
    rows = session.scalars(select(ThemeCountRow).where(ThemeCountRow.term == term))
    return {(row.cut, row.place): row.count for row in rows}
