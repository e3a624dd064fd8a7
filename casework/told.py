"""What the operational database holds about one pupil, in plain words, for the pupil's own file."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from casework import states
from casework.base import Base
from casework.explanation import changes_of, in_a_hundred, levers_of, reasons_of
from casework.names import master_key, unseal
from casework.permissions import ROLES
from casework.tables_cases import CaseRow, DecisionRow, LookRow, ViewRow
from casework.tables_flags import FeatureRow, FlagRow, IncidentRow, ScoreRow, WeeklyFactsRow
from casework.tables_people import PersonRoleRow, PupilKeyRow, PupilRow, RightsDecisionRow, SchoolRow
from features.cohort import ABSTAIN
from records.rights.described import day_in_words
from records.rights.holding import Section, Subject

Row = Mapping[str, str]
_ACTIONS: Final[Mapping[str, str]] = {
    "see_pupil": "looked at the pupil's page",
    "listed": "saw the pupil on the week's list",
    "record_view": "recorded their own view",
    "record_decision": "recorded a decision",
    "see_history": "asked for the pupil's recorded history",
    "score_stored": "asked for the pupil's score",
    "take_case": "took it on to look after the pupil",
    "hand_over": "handed the pupil's case to a colleague",
    "set_aside": "set the pupil's case aside for some weeks",
    "grant_fresh_start": "granted the pupil a fresh start",
    "record_voice": "wrote down what the pupil or family said",
    "record_support": "wrote down support for the pupil",
    "record_challenge": "wrote down a correction that was asked for",
    "see_challenge": "read a correction that was asked for",
    "listed_challenge": "saw on a list that a correction is asked for",
    "answer_challenge": "answered a correction that was asked for",
    "take_letter": "took the letter to the pupil and family",
    "print_pupil": "printed the pupil's page for a meeting",
    "export_pupil": "made a copy of what is held, at the pupil's or family's request",
}


def pupil_ids(session: Session, subject: Subject) -> list[uuid.UUID]:
    """Return the opaque ids of the pupil: one, or none, or several where numbers were linked lately."""
    return list(session.scalars(select(PupilRow.id).where(PupilRow.pseudonym.in_(subject.pseudonyms))))


def identity(session: Session, subject: Subject) -> tuple[Section, ...]:
    """Return who the pupil is."""
    found = session.execute(
        select(PupilRow, SchoolRow.name, PupilKeyRow.wrapped)
        .join(SchoolRow, SchoolRow.urn == PupilRow.school_urn)
        .outerjoin(PupilKeyRow, PupilKeyRow.pupil_id == PupilRow.id)
        .where(PupilRow.pseudonym.in_(subject.pseudonyms))
    )
    master = master_key(session)
    rows = []
    for pupil, school, key in found:
        named = unseal(master, pupil.pseudonym, pupil.identity, key)
        rows.append(
            {
                "forename": named.forename if named else "",
                "surname": named.surname if named else "",
                "unique pupil number": named.upn if named else "",
                "date of birth": day_in_words(named.date_of_birth) if named else "",
                "school": school,
                "year group": pupil.year_group,
                "left on": day_in_words(pupil.left_on),
                "known since": day_in_words(pupil.known_on),
                "number in the records": str(pupil.pseudonym),
                "number in addresses": str(pupil.id),
            }
        )
    says = "Who you are. Names are kept here only, sealed; everywhere else you are a number."
    return (_section("Identity", says, rows),)


def facts(session: Session, subject: Subject) -> tuple[Section, ...]:
    """Return the weeks, events and model inputs that pages and scoring show."""
    pupils = pupil_ids(session, subject)
    weeks = _all(session, select(WeeklyFactsRow).where(WeeklyFactsRow.pupil_id.in_(pupils)), "week_start")
    events = _all(session, select(IncidentRow).where(IncidentRow.pupil_id.in_(pupils)), "happened_on")
    features = _all(session, select(FeatureRow).where(FeatureRow.pupil_id.in_(pupils)), "as_of")
    numbers = [
        {"measure": name.replace("_", " "), "value": "unknown" if value is None else f"{value:g}"}
        for row in features
        for name, value in row.features.items()
    ]
    return (
        _section("Recent weeks", "A copy of the records, as staff see them week by week.", map(_columns, weeks)),
        _section("Recent events", "A copy of the records, in words.", map(_columns, events)),
        _section("What the model reads", "The numbers that the last score was worked out from.", numbers),
    )


def flags(session: Session, subject: Subject) -> tuple[Section, ...]:
    """Return the scores, the flags and why they were given."""
    pupils = pupil_ids(session, subject)
    scores = [
        {
            "week of": day_in_words(row.as_of),
            "chance of suspension or exclusion": in_a_hundred(row.probability) if row.abstain is None else "",
            "not scored because": ABSTAIN.get(row.abstain or "", row.abstain or ""),
            "put on the week's list": "yes" if row.flagged else "no",
            "model": row.bundle_digest[:12],
        }
        for row in _all(session, select(ScoreRow).where(ScoreRow.pupil_id.in_(pupils)), "as_of")
    ]
    flags = []
    for row in _all(session, select(FlagRow).where(FlagRow.pupil_id.in_(pupils)), "as_of"):
        sides = reasons_of(session, row.id)
        flags.append(
            {
                "week of": day_in_words(row.as_of),
                "why the pupil was on the list": "drawn at random, to check the list" if row.check_sample else "a flag",
                "rising since": day_in_words(row.rising_since),
                "ends": day_in_words(row.expires_on),
                "reasons for": "; ".join(f"{r.sentence} ({r.share})" for r in sides[0]),
                "reasons against": "; ".join(f"{r.sentence} ({r.share})" for r in sides[1]),
                "before it began to rise": f"{day_in_words(row.eased_on)}, {in_a_hundred(row.eased)}"
                if row.eased_on
                else "",
                "what changed since": "; ".join(
                    f"{c.sentence} ({c.way}, {c.share})" for c in changes_of(session, row.id)
                ),
                "what would lower it": "; ".join(
                    f"{v.sentence}: {v.probability_words}" for v in levers_of(session, row.id)
                ),
            }
        )
    return (
        _section("Scores", "Each week's score: how likely suspension or exclusion seemed in the weeks after.", scores),
        _section("Flags", "The weeks in which the pupil came on the list of pupils to look at, and why.", flags),
    )


def cases(session: Session, subject: Subject) -> tuple[Section, ...]:
    """Return the cases, own views and decisions."""
    pupils = pupil_ids(session, subject)
    cases = [
        {
            "on the list since": day_in_words(row.opened_on),
            "state": states.STATES[row.state],
            "look again on": day_in_words(row.review_on),
            "closed on": day_in_words(row.closed_on),
        }
        for row in _all(session, select(CaseRow).where(CaseRow.pupil_id.in_(pupils)), "opened_on")
    ]
    mine = select(CaseRow.id).where(CaseRow.pupil_id.in_(pupils))
    roles = roles_of(session)
    views = [
        {
            "day": day_in_words(row.recorded_on),
            "by": roles.get(row.person_id, "a former member of staff"),
            "what they thought": states.OPINIONS[row.opinion],
            "why": row.why,
        }
        for row in _all(session, select(ViewRow).where(ViewRow.case_id.in_(mine)), "recorded_at")
    ]
    decisions = [
        {
            "day": day_in_words(row.recorded_on),
            "by": roles.get(row.person_id, "a former member of staff"),
            "what was decided": states.ACTIONS[row.action],
            "note": row.note,
            "look again on": day_in_words(row.review_on),
        }
        for row in _all(session, select(DecisionRow).where(DecisionRow.case_id.in_(mine)), "recorded_at")
    ]
    return (
        _section("Cases", "When people were asked to look at how things are going.", cases),
        _section("What staff thought", "Each person's own view, written before they saw a score.", views),
        _section("What was decided", "Offers of help, or nothing for now.", decisions),
    )


def looks(session: Session, subject: Subject) -> tuple[Section, ...]:
    """Return who looked, by role and day."""
    pupils = pupil_ids(session, subject)
    roles = roles_of(session)
    looks = session.execute(
        select(func.date(LookRow.at).label("day"), LookRow.person_id, LookRow.action, func.count().label("times"))
        .where(LookRow.pupil_id.in_(pupils))
        .group_by("day", LookRow.person_id, LookRow.action)
        .order_by("day", LookRow.action)
    )
    rows = [
        {
            "day": day_in_words(look.day),
            "who": roles.get(look.person_id, "a former member of staff") if look.person_id else "a school's own system",
            "what": _ACTIONS.get(look.action, look.action.replace("_", " ")),
            "times": str(look.times),
        }
        for look in looks
    ]
    return (_section("Who looked", "Everyone who looked at this pupil here, by role and day.", rows),)


def rights(session: Session, subject: Subject) -> tuple[Section, ...]:
    """Return the decisions on the pupil's rights."""
    pupils = pupil_ids(session, subject)
    rows = [
        {
            "day": day_in_words(row.decided_on),
            "what was asked": row.asked,
            "ground": row.ground,
            "outcome": row.outcome,
            "note": row.note,
        }
        for row in _all(session, select(RightsDecisionRow).where(RightsDecisionRow.pupil_id.in_(pupils)), "recorded_at")
    ]
    return (_section("Decisions on this pupil's rights", "Objections and requests to erase, and the answers.", rows),)


def _section(title: str, says: str, rows: Iterable[Row]) -> Section:
    told = [{heading: value for heading, value in row.items() if value != ""} for row in rows]
    return Section(title=title, says=says, rows=tuple(told))


def _all(session: Session, rows: Select[Any], order: str) -> Sequence[Any]:
    return session.scalars(rows.order_by(text(order))).all()


def _columns(row: Base) -> Row:
    """Return a row's columns in words; its ids are nobody's business."""
    said = {}
    for column in row.__table__.columns:
        value = getattr(row, column.name)
        if column.name in ("id", "pupil_id") or value is None:
            continue
        words = day_in_words(value) if hasattr(value, "year") else "yes" if value is True else str(value)
        said[column.name.replace("_", " ")] = "no" if value is False else words
    return said


def roles_of(session: Session) -> dict[uuid.UUID, str]:
    held: dict[uuid.UUID, list[str]] = {}
    for person, role in session.execute(select(PersonRoleRow.person_id, PersonRoleRow.role).order_by("role")):
        held.setdefault(person, []).append(ROLES[role].lower())
    return {person: " and ".join(dict.fromkeys(roles)) for person, roles in held.items()}
