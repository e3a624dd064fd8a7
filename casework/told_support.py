"""What support a pupil was offered, version by version, in plain words, for the pupil's own file."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.support import REVIEWS, STANDINGS
from casework.support_kinds import KINDS
from casework.support_read import hours_words
from casework.tables_support import ProgrammeVersionRow, SupportRow, SupportVersionRow
from casework.told import pupil_ids, roles_of
from records.rights.described import day_in_words
from records.rights.holding import Section, Subject


def sections(session: Session, subject: Subject) -> tuple[Section, ...]:
    """Return every offer, as each version of it says."""
    roles = roles_of(session)
    paying = {
        row.programme_id: row.name
        for row in session.scalars(select(ProgrammeVersionRow).order_by(ProgrammeVersionRow.version))
    }
    rows = session.scalars(
        select(SupportVersionRow)
        .join(SupportRow, SupportRow.id == SupportVersionRow.support_id)
        .where(SupportRow.pupil_id.in_(pupil_ids(session, subject)))
        .order_by(SupportVersionRow.seq)
    )
    told = [
        {
            "written down on": day_in_words(row.recorded_on),
            "by": roles.get(row.person_id, "a former member of staff"),
            "what was offered": KINDS[row.kind].words,
            "offered on": day_in_words(row.offered_on),
            "who gives it": row.provider,
            "paid for by": paying.get(row.programme_id, "") if row.programme_id else "",
            "how it stands": STANDINGS[row.standing],
            "first day": day_in_words(row.start_on),
            "last day": day_in_words(row.end_on),
            "hours so far": "" if row.hours is None else hours_words(row.hours),
            "how it goes": REVIEWS[row.review] if row.review else "",
            "note": row.note,
        }
        for row in rows
    ]
    says = "Help that was offered, and what came of it. What you said about it stands among what you said."
    filled = tuple({heading: value for heading, value in row.items() if value} for row in told)
    return (Section(title="Support", says=says, rows=filled),)
