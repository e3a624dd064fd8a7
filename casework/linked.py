"""Pupils who turned out to be one: the row of the number that is not the pupil's own is retired."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from casework import states


def retire_linked(session: Session, links: Iterable[tuple[int, int]], day: date) -> int:
    """Take off the pages who stands here under another pupil's number too; return how many rows. Needs the job's role.

    Flags and scores are a log that nobody rewrites, so they stay under the row they were written for, and
    a pupil's own file gathers both rows. Its open case is closed: the next publication flags the pupil
    under their own row, with the whole of their history.

    Parameters
    ----------
    links
        Pseudonym of a number → that of the pupil (`records.identity.identities.Identities.links`). A row stays as
        it is while the pupil's own is not here.
    """
    given = [{"old": old, "new": new, "day": day, "final": sorted(states.FINAL)} for old, new in links]
    if not given:
        return 0
    retire = text(
        "UPDATE pupils SET left_on = :day WHERE pseudonym = :old AND left_on IS NULL "
        "AND EXISTS (SELECT FROM pupils WHERE pseudonym = :new)"
    )
    close = text(
        "UPDATE cases SET state = 'closed', closed_on = :day, version = version + 1 FROM pupils p "
        "WHERE p.id = pupil_id AND p.pseudonym = :old AND p.left_on IS NOT NULL AND NOT state = ANY (:final)"
    ).bindparams(bindparam("final"))
    retired = 0
    for one in given:
        retired += session.execute(retire, {name: one[name] for name in ("old", "new", "day")}).rowcount  # type: ignore[attr-defined]  # an UPDATE's result counts rows
        session.execute(close, {name: one[name] for name in ("old", "day", "final")})
    return retired
