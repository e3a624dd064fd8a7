"""What personal data the operational database holds: each holding's tables, how one pupil's part is told and erased."""

from typing import Any, Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from casework import told, told_lookbacks, told_partners, told_said, told_support
from casework.tables_cases import CaseRow, DecisionRow, ViewRow
from casework.told import pupil_ids
from records.rights.holding import Gone, Holding, Subject

# No person in these: schools, publications and models.
IMPERSONAL: Final = frozenset(
    {
        "schools",
        "publications",
        "look_head",
        "deployments",
        "audits",
        "theme_counts",
        "theme_terms",
        "watches",
        "school_doubts",
        "place_releases",
        "place_counts",
        "areas",
        "partnerships",
        "area_figures",
        "area_standing",
        "area_outlines",
        "continuum_terms",
        "continuum_counts",
        "continuum_drifts",
        "models",
        "school_quality",
        "look_checks",
        "impact_studies",
        "impact_results",
        "shown_register",
        "programme_releases",
        "programme_counts",
        "programme_effects",
    }
)
LOOKS_STAY: Final = (
    "{count} entries of the log of looks stay: each is chained to the one before, so none can go without breaking the "
    "proof of the rest. They hold an opaque id that now stands for nobody"
)
DECISIONS_STAY: Final = "{count} decisions on this pupil's rights stay, under the same opaque id"


def _count(session: Session, subject: Subject, *tables: str) -> int:
    """Return how many rows of tables with a `pupil_id` are about the pupil."""
    pupils = pupil_ids(session, subject)
    counts = [f"SELECT count(*) AS n FROM {table} WHERE pupil_id = ANY (:pupils)" for table in tables]  # noqa: S608  # ours
    together = text(f"SELECT sum(n) FROM ({' UNION ALL '.join(counts)}) AS c")  # noqa: S608  # our own names
    return int(session.execute(together, {"pupils": pupils}).scalar_one())


def _delete(session: Session, subject: Subject, *conditions: tuple[str, str]) -> Gone:
    """Delete in the order given, each table by a condition on `:pupils`, and return how many rows went."""
    pupils = pupil_ids(session, subject)
    gone = 0
    for table, condition in conditions:
        done: Any = session.execute(text(f"DELETE FROM {table} WHERE {condition}"), {"pupils": pupils})  # noqa: S608  # ours
        gone += done.rowcount
    return Gone(rows=gone)


def _cases(session: Session, subject: Subject) -> int:
    mine = select(CaseRow.id).where(CaseRow.pupil_id.in_(pupil_ids(session, subject)))
    written = (select(func.count()).where(row.case_id.in_(mine)) for row in (ViewRow, DecisionRow))
    return _count(session, subject, "cases", "list_changes") + sum(
        session.execute(rows).scalar_one() for rows in written
    )


def _said(session: Session, subject: Subject) -> int:
    steps = text(f"SELECT count(*) FROM challenge_steps WHERE {_CHALLENGES_OF}")  # noqa: S608  # our own names
    answers = int(session.execute(steps, {"pupils": pupil_ids(session, subject)}).scalar_one())
    return answers + _count(session, subject, *_SAID)


def _support(session: Session, subject: Subject) -> int:
    versions = text(f"SELECT count(*) FROM support_versions WHERE {_SUPPORTS_OF}")  # noqa: S608  # our own names
    said = int(session.execute(versions, {"pupils": pupil_ids(session, subject)}).scalar_one())
    return said + _count(session, subject, "supports")


def _lookbacks(session: Session, subject: Subject) -> int:
    parts = (text(f"SELECT count(*) FROM {table} WHERE {_LOOKBACKS_OF}") for table in _PARTS)  # noqa: S608  # ours
    pupils = pupil_ids(session, subject)
    counts = [int(session.execute(one, {"pupils": pupils}).scalar_one()) for one in parts]
    return _count(session, subject, "lookbacks") + sum(counts)


def _actions(session: Session, subject: Subject) -> int:
    steps = text(f"SELECT count(*) FROM partner_steps WHERE {_ACTIONS_OF}")  # noqa: S608  # our own names
    taken = int(session.execute(steps, {"pupils": pupil_ids(session, subject)}).scalar_one())
    return taken + _count(session, subject, "partner_actions")


def _flags(session: Session, subject: Subject) -> int:
    pupils = pupil_ids(session, subject)
    said = (text(f"SELECT count(*) FROM {table} WHERE {_FLAGS_OF}") for table in _WHY)  # noqa: S608  # our own names
    counts = [int(session.execute(one, {"pupils": pupils}).scalar_one()) for one in said]
    return _count(session, subject, "scores", "flags") + sum(counts)


def _staying(session: Session, subject: Subject, table: str, sentence: str) -> Gone:
    count = _count(session, subject, table)
    return Gone(rows=0, left=(sentence.format(count=count),) if count else ())


_CASES_OF = "case_id IN (SELECT id FROM cases WHERE pupil_id = ANY (:pupils))"
_CHALLENGES_OF = "challenge_id IN (SELECT id FROM challenges WHERE pupil_id = ANY (:pupils))"
_SUPPORTS_OF = "support_id IN (SELECT id FROM supports WHERE pupil_id = ANY (:pupils))"
_LOOKBACKS_OF = "lookback_id IN (SELECT id FROM lookbacks WHERE pupil_id = ANY (:pupils))"
_ACTIONS_OF = "action_id IN (SELECT id FROM partner_actions WHERE pupil_id = ANY (:pupils))"
_FLAGS_OF = "flag_id IN (SELECT id FROM flags WHERE pupil_id = ANY (:pupils))"
_MINE = "pupil_id = ANY (:pupils)"
# Other systems: who granted them access; of their secrets and posts there are hashes only.
_SYSTEMS: Final = ("integrations", "integration_schools", "integration_secrets", "posted_keys")
# What is said and asked for a pupil.
_SAID: Final = ("challenges", "voices", "fresh_starts", "snoozes")
# What is done and said in a learning review.
_PARTS: Final = ("lookback_notes", "lookback_steps")
# What is said of a flag.
_WHY: Final = ("reasons", "changes", "levers")

# In the order in which an erasure goes through them: who the pupil is goes last, since by it the rest is found.
HOLDINGS: Final = (
    Holding[Session](
        name="voice and corrections",
        places=("challenge_steps", *_SAID),
        about="pupils, and staff by what they wrote",
        purpose="hear pupils and families, put right what is wrong, let a flag end and a pupil start afresh",
        kept="while anything else about the pupil is kept; cases set aside as long as the case",
        find=_said,
        describe=told_said.sections,
        erase=lambda session, subject: _delete(
            session, subject, ("challenge_steps", _CHALLENGES_OF), *((table, _MINE) for table in _SAID)
        ),
    ),
    Holding[Session](
        name="support",
        places=("supports", "support_versions"),
        about="pupils, and staff by what they wrote",
        purpose="know what was offered and what came of it, and learn whether it helps; taken up, it is a record too",
        kept="three years after its case is closed, or without a case after its last day and the last word on it",
        find=_support,
        describe=told_support.sections,
        erase=lambda session, subject: _delete(
            session, subject, ("support_versions", _SUPPORTS_OF), ("supports", _MINE)
        ),
    ),
    Holding[Session](
        name="actions with partners",
        places=("partner_actions", "partner_steps"),
        about="pupils, by a reference of the partner's own, and staff and partners by what they wrote; places",
        purpose="agree and follow up what a school and another service each do for a pupil or on a place",
        kept="three years from the last step",
        find=_actions,
        describe=told_partners.sections,
        erase=lambda session, subject: _delete(
            session, subject, ("partner_steps", _ACTIONS_OF), ("partner_actions", _MINE)
        ),
    ),
    Holding[Session](
        name="learning reviews",
        places=("lookbacks", *_PARTS),
        about="pupils, and staff by what they wrote",
        purpose="learn from each exclusion and long suspension: what was known, offered, and would have been needed",
        kept="three years from the day it was opened",
        find=_lookbacks,
        describe=told_lookbacks.sections,
        erase=lambda session, subject: _delete(
            session, subject, *((table, _LOOKBACKS_OF) for table in _PARTS), ("lookbacks", _MINE)
        ),
    ),
    Holding[Session](
        name="cases",
        places=("cases", "views", "decisions", "list_changes"),
        about="pupils, and staff by what they wrote",
        purpose="record what people thought, decided and offered",
        kept="three years after the case is closed",
        find=_cases,
        describe=told.cases,
        erase=lambda session, subject: _delete(
            session,
            subject,
            ("decisions", _CASES_OF),
            ("views", _CASES_OF),
            ("list_changes", _CASES_OF),
            ("cases", _MINE),
        ),
    ),
    Holding[Session](
        name="flags",
        places=("scores", "flags", *_WHY),
        about="pupils",
        purpose="offer help early, explain why, and learn whether flags help",
        kept="three years from the flag (docs/decisions.md, 17)",
        find=_flags,
        describe=told.flags,
        erase=lambda session, subject: _delete(
            session,
            subject,
            *((table, _FLAGS_OF) for table in _WHY),
            ("flags", _MINE),
            ("scores", _MINE),
        ),
    ),
    Holding[Session](
        name="recent facts",
        places=("weekly_facts", "incidents", "feature_rows"),
        about="pupils",
        purpose="show what was recorded lately; a copy of records, renewed every night",
        kept="about 40 school weeks, and only while on roll",
        find=lambda session, subject: _count(session, subject, "weekly_facts", "incidents", "feature_rows"),
        describe=told.facts,
        erase=lambda session, subject: _delete(
            session, subject, ("weekly_facts", _MINE), ("incidents", _MINE), ("feature_rows", _MINE)
        ),
    ),
    Holding[Session](
        name="log of looks",
        places=("looks",),
        about="staff by what they looked at, and pupils by who looked",
        purpose="answer who looked at whom; opaque ids only, no names",
        kept="for good: the chain is proven from its first look",
        find=lambda session, subject: _count(session, subject, "looks"),
        describe=told.looks,
        erase=lambda session, subject: _staying(session, subject, "looks", LOOKS_STAY),
    ),
    Holding[Session](
        name="decisions on rights",
        places=("rights_decisions",),
        about="pupils, by an opaque id, and the officer who decided",
        purpose="show that objections and requests to erase were answered, refusals too",
        kept="for good: a refusal must be open to challenge, and an erasure provable",
        find=lambda session, subject: _count(session, subject, "rights_decisions"),
        describe=told.rights,
        erase=lambda session, subject: _staying(session, subject, "rights_decisions", DECISIONS_STAY),
    ),
    Holding[Session](
        name="people",
        places=(
            *("people", "person_roles", "sign_in_sessions", "break_glass", *_SYSTEMS),
            *("covers", "term_dates", "monday_letters", "uploads", "upload_steps"),
            *("trainings", "staff_changes", "invitations", "programmes", "programme_versions", "partner_members"),
        ),
        about="staff and board members",
        purpose="sign in, permissions by role and school, and no case without someone who looks after it",
        kept="while the role lasts, and as long as the log of looks names them; sign-ins one year",
        find=lambda session, subject: 0,
        describe=lambda session, subject: (),
        erase=lambda session, subject: Gone(rows=0),
    ),
    Holding[Session](
        name="identities",
        places=("pupils", "pupil_keys"),
        about="pupils",
        purpose="show a pupil's name to those who work with them; the only place that joins name and pseudonym, sealed",
        kept="while on roll, and until the last record and case about the pupil is past its time",
        find=lambda session, subject: int(pupil_ids(session, subject) is not None),
        describe=told.identity,
        erase=lambda session, subject: _delete(
            session, subject, ("pupil_keys", _MINE), ("pupils", "id = ANY (:pupils)")
        ),
    ),
)
