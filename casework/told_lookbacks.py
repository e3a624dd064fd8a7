"""Learning reviews in plain words, for the pupil's own file."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.lookback_words import KINDS, NOTES, STEPS, THEMES, list_words
from casework.tables_lookbacks import LookbackNoteRow, LookbackRow, LookbackStepRow
from casework.told import pupil_ids, roles_of
from features.cohort import ABSTAIN
from records.rights.described import day_in_words
from records.rights.holding import Section, Subject

_FORMER = "a former member of staff"


def sections(session: Session, subject: Subject) -> tuple[Section, ...]:
    """Return what was looked back at, the weeks as they were known, the steps, and what people wrote."""
    rows = session.scalars(
        select(LookbackRow).where(LookbackRow.pupil_id.in_(pupil_ids(session, subject))).order_by(LookbackRow.event_on)
    ).all()
    ids, roles = [row.id for row in rows], roles_of(session)
    steps = session.scalars(
        select(LookbackStepRow).where(LookbackStepRow.lookback_id.in_(ids)).order_by(LookbackStepRow.recorded_at)
    )
    notes = session.scalars(
        select(LookbackNoteRow).where(LookbackNoteRow.lookback_id.in_(ids)).order_by(LookbackNoteRow.recorded_at)
    )
    opened = [
        {"what": KINDS[row.kind], "on": day_in_words(row.event_on), "look-back opened on": day_in_words(row.opened_on)}
        for row in rows
    ]
    weeks = [
        {
            "week of": week["start"],
            "missed sessions": str(week["missed"]),
            "incidents": str(week["incidents"]),
            "removals from lessons": str(week["removals"]),
            "list": list_words(week["belong"], ABSTAIN.get(week["belong"].partition(":")[2], "")),
        }
        for row in rows
        for week in row.payload["weeks"]
    ]
    taken = [
        {
            "day": day_in_words(step.taken_on),
            "by": roles.get(step.person_id, _FORMER) if step.person_id else "the nightly job",
            "what": STEPS[step.step].says,
        }
        for step in steps
    ]
    said = [
        {
            "day": day_in_words(note.recorded_on),
            "by": roles.get(note.person_id, _FORMER),
            "about": NOTES[note.kind],
            "what they wrote": note.said,
            "themes": "; ".join(THEMES[name] for name in note.themes),
        }
        for note in notes
    ]
    made = (
        ("Learning reviews", "What was looked back at, to learn from it.", opened),
        ("The weeks before", "What was known of each week then, and what Belong did.", weeks),
        ("Steps of learning reviews", "Who looked back, and when.", taken),
        ("What was written in learning reviews", "What adults said, and what would have been needed.", said),
    )
    return tuple(
        Section(title=title, says=says, rows=tuple({k: v for k, v in row.items() if v} for row in found))
        for title, says, found in made
    )
