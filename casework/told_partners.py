"""What was agreed with partners on a pupil's case, in plain words, for the pupil's own file."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.partner_actions import OWNERS, STEPS
from casework.tables_partners import PartnerActionRow, PartnershipRow, PartnerStepRow
from casework.told import pupil_ids, roles_of
from records.rights.described import day_in_words
from records.rights.holding import Section, Subject


def sections(session: Session, subject: Subject) -> tuple[Section, ...]:
    """Return every step of every action agreed on the pupil."""
    roles = roles_of(session)
    names = {row.id: row.title for row in session.scalars(select(PartnershipRow))}
    rows = session.execute(
        select(PartnerActionRow, PartnerStepRow)
        .join(PartnerStepRow, PartnerStepRow.action_id == PartnerActionRow.id)
        .where(PartnerActionRow.pupil_id.in_(pupil_ids(session, subject)))
        .order_by(PartnerStepRow.recorded_at, PartnerStepRow.number)
    )
    told = [
        {
            "written down on": day_in_words(step.taken_on),
            "by": "the partner" if step.by_partner else roles.get(step.person_id, "a former member of staff"),
            "agreed with": names.get(action.partnership, action.partnership),
            "what is to be done": action.what,
            "who does it": OWNERS[action.owner],
            "the partner knows you as": action.reference,
            "step": "Agreed" if step.step == "agree" else STEPS[step.step],
            "to be done by": day_in_words(step.due_on),
            "words": step.said,
        }
        for action, step in rows
    ]
    says = "What your school agreed with other services to do for you, and what came of it."
    filled = tuple({heading: value for heading, value in row.items() if value} for row in told)
    return (Section(title="Actions with partners", says=says, rows=filled),)
