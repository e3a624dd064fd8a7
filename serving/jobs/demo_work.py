"""What a demonstration's schools do with a week's list: views, decisions, offers of support, learning reviews.

What they write is made up, and goes by turns; everything passes through the rules of the forms it would be typed into.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from casework import states
from casework.cases import NewDecision, NewView, record_decision, record_view
from casework.database import connect, scoped
from casework.lookbacks import ELSEWHERE, Line, Lookback, NewNote, add_note, lookback, lookbacks, take_on
from casework.people import find_person
from casework.permissions import Person
from casework.programmes import Programme, programmes_for
from casework.support import SupportSaid, offer_support
from casework.support_kinds import KINDS
from casework.tables_cases import CaseRow
from casework.tables_flags import WeeklyFactsRow
from casework.tables_people import PupilRow, SchoolRow
from casework.tables_support import SupportRow, SupportVersionRow
from casework.voices import NewVoice, record_voice
from records.home import Home
from serving.jobs.demo_help import PROGRAMMES, DemoProgramme
from serving.jobs.demo_identity import subject_of_lead

REVIEW_AFTER: Final = timedelta(weeks=5)
# A look-back is concluded some weeks after what opened it, when everybody has been listened to.
LISTENED_AFTER: Final = timedelta(days=16)
SIGNS_LEAST: Final = 6
_BEFORE: Final = timedelta(weeks=7)
_PROVIDER: Final = "A demonstration youth charity"
# Of each ten offers: mostly taken up, two declined, one without an answer.
_STANDINGS: Final = ("taken_up",) * 4 + ("declined",) + ("taken_up",) * 3 + ("declined", "waiting")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What somebody thinks of a case and decides on it."""

    opinion: str
    why: str
    action: str


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is said in a learning review, and the themes that it is coded by."""

    adult: str
    pupil: str
    needed: str
    themes: tuple[str, ...]


# None: nobody gets to it, and it stays on the list.
ANSWERS: Final[Sequence[Answer | None]] = (
    Answer(
        opinion="new_needs_conversation",
        why="Quieter than before in lessons, and late on most mornings since half-term.",
        action="conversation",
    ),
    Answer(
        opinion="known_support_in_place",
        why="We speak with the family every week, and will ask what else would help.",
        action="family_contact",
    ),
    None,
    Answer(
        opinion="new_needs_conversation",
        why="Falls out with the same two pupils in most breaks; trusts one of our mentors.",
        action="mentor",
    ),
    Answer(
        opinion="no_concern",
        why="Two hard days after news at home; settled since, and the tutor keeps an eye on it.",
        action="none_now",
    ),
    Answer(
        opinion="new_needs_conversation",
        why="Reading has become harder to follow this year; nobody has checked why.",
        action="send_check",
    ),
    Answer(
        opinion="records_wrong",
        why="The incidents of one Thursday belong to another pupil of the same surname.",
        action="none_now",
    ),
    None,
    Answer(
        opinion="new_needs_conversation",
        why="Has begun to miss the lessons after lunch; would like somebody to talk to.",
        action="mentor",
    ),
)
TOLD: Final = (
    Told(
        adult="Mornings had been hard since the autumn. Each of us knew a part of it, and nobody had all of it.",
        pupil="Nobody asked me what was wrong until it was too late.",
        needed="One adult who meets the pupil every week, and one place where what each of us saw comes together.",
        themes=("signal_missed", "relationship", "voice"),
    ),
    Told(
        adult="We had asked for an assessment in the spring of last year, and waited for it ever since.",
        pupil="I did not understand the work, so I walked out.",
        needed="Help with reading while we wait, instead of after the assessment.",
        themes=("need_unmet", "waiting"),
    ),
    Told(
        adult="The mentor left at Christmas, and it took until March to find another.",
        pupil="He was the only one I talked to.",
        needed="Somebody who takes over before a mentor leaves.",
        themes=("offer_stopped", "relationship"),
    ),
)
SUDDEN: Final = Told(
    adult="It came out of nothing. There had been no trouble to speak of all year.",
    pupil="I was scared, and did not know whom to tell.",
    needed="A way to tell an adult about threats outside school without being seen to.",
    themes=("single", "safety"),
)


def work(home: Home, issuer: str, day: date) -> None:
    """Let the lead of each school do the week's work on that day. Run again, it finds what was done."""
    engine = connect(home, "app")
    try:
        for lead in _leads(engine, issuer, day):
            with scoped(engine, lead.schools) as session:
                _decide(session, lead, day)
                for one in PROGRAMMES:
                    _offer(session, lead, one, day)
                _look_back(session, lead, day)
    finally:
        engine.dispose()


def _leads(engine: Engine, issuer: str, day: date) -> list[Person]:
    """Return one lead for each school."""
    with scoped(engine, None) as session:
        schools = session.scalars(select(SchoolRow.urn).order_by(SchoolRow.urn)).all()
        subjects = ["school-lead", "other-school-lead", *(subject_of_lead(urn) for urn in schools)]
        found = [find_person(session, issuer, subject, day) for subject in subjects]
    return list({lead.schools: lead for lead in reversed(found) if lead is not None}.values())


def _decide(session: Session, lead: Person, day: date) -> None:
    waiting = (
        select(CaseRow.id, CaseRow.version, PupilRow.id.label("pupil"), PupilRow.pseudonym)
        .join(PupilRow, PupilRow.id == CaseRow.pupil_id)
        .where(CaseRow.state.in_(states.UNDECIDED), CaseRow.opened_on < day)
        .order_by(PupilRow.pseudonym)
    )
    for case in session.execute(waiting).all():
        answer = ANSWERS[case.pseudonym % len(ANSWERS)]
        if answer is None:
            continue
        key = f"demonstration-{case.id}"
        view = NewView(
            case_id=case.id,
            opinion=answer.opinion,
            why=answer.why,
            version=case.version,
            idempotency_key=f"{key}-view",
        )
        record_view(session, lead, view, day)
        decision = NewDecision(
            case_id=case.id,
            reasons_changed_view=case.pseudonym % 4 == 0,
            action=answer.action,
            version=case.version + 1,
            idempotency_key=f"{key}-decision",
            review_on=None if answer.action == "none_now" else day + REVIEW_AFTER,
        )
        record_decision(session, lead, decision, day)
        kind = next((kind.name for kind in KINDS.values() if kind.action == answer.action), None)
        if kind is not None:
            turn = case.pseudonym // len(ANSWERS)
            offer_support(session, lead, case.pupil, _said(session, lead, kind, turn, day), f"{key}-offer", day)


def _said(session: Session, lead: Person, kind: str, turn: int, day: date) -> SupportSaid:
    """Return an offer of this kind, paid for by the programme that pays for it, if any."""
    paying = _paying(session, lead, kind, day)
    return SupportSaid(
        kind=kind,
        provider=_PROVIDER if paying else "The school",
        offered_on=day,
        standing=_STANDINGS[turn % len(_STANDINGS)],
        programme_id=paying.id if paying else None,
    )


def _paying(session: Session, lead: Person, kind: str, day: date) -> Programme | None:
    assert lead.schools, "a lead of the demonstration leads at one school"
    [school] = lead.schools
    there = programmes_for(session, school, day)
    return next((one for one in there if kind in one.kinds and one.start_on <= day <= one.end_on), None)


def _offer(session: Session, lead: Person, one: DemoProgramme, day: date) -> None:
    """Offer a programme, in its first weeks, to those who miss most and have not been offered any."""
    programme = _paying(session, lead, one.kind, day)
    if programme is None or (day - programme.start_on).days >= 7 * one.weeks:
        return
    offered = (
        select(SupportRow.pupil_id)
        .join(SupportVersionRow, SupportVersionRow.support_id == SupportRow.id)
        .where(SupportVersionRow.programme_id.is_not(None))
    )
    this_week = offered.where(
        SupportVersionRow.programme_id == programme.id, SupportVersionRow.idempotency_key.like(f"%-{day.isoformat()}")
    )
    if session.execute(this_week.limit(1)).first() is not None:
        return
    missed = func.sum(WeeklyFactsRow.sessions_missed)
    rows = (
        select(PupilRow.id, PupilRow.pseudonym)
        .join(WeeklyFactsRow, WeeklyFactsRow.pupil_id == PupilRow.id)
        .where(WeeklyFactsRow.week_start.between(day - _BEFORE, day), PupilRow.left_on.is_(None))
        .where(PupilRow.id.not_in(offered))
        .group_by(PupilRow.id, PupilRow.pseudonym)
        .order_by(missed.desc(), PupilRow.pseudonym)
        .limit(one.a_school)
    )
    for pupil in session.execute(rows).all():
        key = f"demonstration-{pupil.id}-{day.isoformat()}"
        offer_support(session, lead, pupil.id, _said(session, lead, one.kind, pupil.pseudonym, day), key, day)


def _look_back(session: Session, lead: Person, day: date) -> None:
    """Conclude the learning reviews whose event lies some weeks back."""
    for line in lookbacks(session, lead):
        if line.is_open and line.event_on <= day - LISTENED_AFTER:
            _conclude(session, lead, line, day)


def _told(found: Lookback) -> Told:
    """Return something that the weeks before do not belie: where hardly anything was written down, it came suddenly."""
    signs = sum(week.missed + week.incidents for week in found.weeks)
    return SUDDEN if signs < SIGNS_LEAST else TOLD[found.line.event_on.toordinal() % len(TOLD)]


def _conclude(session: Session, lead: Person, line: Line, day: date) -> None:
    told = _told(lookback(session, lead, line.id, day))
    key = f"demonstration-{line.id}"

    def now() -> Lookback:
        return lookback(session, lead, line.id, day)

    take_on(session, lead, now(), day)
    add_note(session, lead, now(), NewNote(kind="adult", said=told.adult, themes=(), idempotency_key=f"{key}-a"), day)
    voice = NewVoice(
        pupil_id=line.pupil_id, whose="pupil", said=told.pupil, asked_on=day, idempotency_key=f"{key}-voice"
    )
    if line.name != ELSEWHERE:
        record_voice(session, lead, voice, day)
    needed = NewNote(kind="needed", said=told.needed, themes=told.themes, idempotency_key=f"{key}-n")
    add_note(session, lead, now(), needed, day)
