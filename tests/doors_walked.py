"""What each door answers to whom: an entry for every route there is, and the answer that the tables say.

A route without an entry here fails the walk (tests/journey/test_every_door.py), with a sentence that says what to add.
"""

import html
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import pypdfium2
from sqlalchemy import text

from casework.callers import LISTS_READ, SCORES_READ
from casework.permissions import Person, may
from casework.rules import may_see_pupils
from serving.page import PUBLIC, Page
from tests.database import job_session, names_by_pupil, superuser
from tests.deployed import OTHER_SCHOOL, SCHOOL, TODAY
from tests.doors_reached import OPENED, WHY
from tests.site import RunningSite
from tests.visitors import System, Visitor

ELSEWHERE: Final = "Farid"  # a pupil of the other school, on its list
ASKED_WORDS: Final = "They were at the dentist."  # as `doors_reached.prepare` has it asked for OPENED
THEIR_WORDS: Final = "I like the climbing club."  # what ELSEWHERE says, at the other school


@dataclass
class Walk:
    """A prepared site with everyone at its doors, and the ids of what they ask for."""

    site: RunningSite
    people: dict[str, Visitor]
    systems: dict[str, System]
    ids: dict[str, str] = field(default_factory=dict)
    # School → what tells who its pupils are: forenames, numbers, opaque ids, and words that were said of them.
    told: dict[int, frozenset[str]] = field(default_factory=dict)
    # Pupils' opaque ids, which the log of looks tells to those who may read it.
    opaque: frozenset[str] = frozenset()


Form = Callable[[Walk], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Door:
    """One page's entry.

    Attributes
    ----------
    school
        Whose matter the walk asks for there; None: no school's, or whatever schools the person has.
    trained
        Whether those who may open it must be trained in reading flags, too; "POST": to send its form alone.
    shows, saves
        What GET and POST answer to those who may.
    untrained
        The same for those who are not trained, where that differs.
    form
        What POST sends beside the token: enough to pass every check of who asks, too little to be saved, or such
        that saving it again and again changes nothing.
    query
        What GET's address has after '?'.
    undo
        SQL that puts back what the form changed.
    writes
        The permission that the form asks for, where more may read the page than write on it.
    """

    school: int | None = None
    trained: bool | str = False
    shows: int = 200
    saves: int = 422
    untrained: tuple[int, int] | None = None
    form: Form = lambda walk: {}
    query: str = ""
    undo: str = ""
    writes: str = ""


def _days(name: str, day: int) -> dict[str, str]:
    return {f"{name}-day": str(day), f"{name}-month": "6", f"{name}-year": "2026"}


def _cover(walk: Walk) -> dict[str, Any]:
    days = _days("from", 22) | _days("until", 26)
    return {"school": SCHOOL, "away": walk.ids["lead"], "covering": walk.ids["staff"], **days}


_QUERY = f"?school={SCHOOL}"
_TERM = {"school": SCHOOL, "kind": "half_term", "name": "", **_days("start", 1)}
_PAPER: Final = {"purpose": "weekly_meeting", "names": "yes"}
# Complete, but as from a page that was opened before somebody else saved.
_VIEW: Final = {"opinion": "no_concern", "why": "Typed some time before all others.", "key": "late", "version": "0"}
_NEXT: Final = {"changed": "no", "action": "mentor", **_days("review_on", 30), "confirmed": "yes", "key": "late"}
_BACK: Final = (
    "UPDATE people SET active = true WHERE subject = 'school-staff'; INSERT INTO person_roles (person_id, role, "
    f"school_urn) SELECT id, 'school_staff', {SCHOOL} FROM people WHERE subject = 'school-staff'"
)
_PUPIL: Final = Door(school=SCHOOL, trained=True)

DOORS: Final[Mapping[str, Door]] = {
    "front": Door(shows=303),
    "sign in": Door(),
    "return from the sign-in service": Door(shows=400),
    "start of sign-in": Door(shows=303),
    "sign out": Door(saves=303),
    "break-glass": Door(shows=404, saves=404),  # not there in a demonstration
    "caseload": Door(trained=True),
    "handing over": Door(
        school=SCHOOL,
        trained="GET",
        saves=303,
        query=_QUERY,
        form=lambda walk: {"school": SCHOOL, "case": walk.ids["case"], "to": walk.ids["lead"]},
    ),
    "arrange cover": Door(school=SCHOOL, saves=303, form=_cover),
    "end cover": Door(school=SCHOOL, saves=303, form=lambda walk: {"cover": walk.ids["cover"]}),
    "take on a case": Door(school=SCHOOL, trained=True, saves=303, form=lambda walk: {"case": walk.ids["case"]}),
    "print the list": Door(trained="POST", saves=200, form=lambda walk: _PAPER),
    "download own cases": Door(trained="POST", saves=200, form=lambda walk: _PAPER),
    "print a pupil's page": Door(school=SCHOOL, trained=True, saves=200, form=lambda walk: _PAPER),
    "pupil": _PUPIL,
    "record a view": Door(school=SCHOOL, trained=True, form=lambda walk: _VIEW),
    "record what happens next": Door(school=SCHOOL, trained=True, form=lambda walk: _NEXT),
    "write down what they say": _PUPIL,
    "record a correction": _PUPIL,
    "write down support": _PUPIL,
    "say how support goes": _PUPIL,
    "set a case aside": Door(school=SCHOOL, trained=True, form=lambda walk: _days("until_on", 29)),
    "grant a fresh start": _PUPIL,
    "letter as PDF": _PUPIL,
    "corrections asked for": Door(),
    "one correction": Door(school=SCHOOL),
    "agree an action": _PUPIL,
    "follow up an action": _PUPIL,
    "actions with partners": Door(),
    "agree an action on a place": Door(),
    "follow up an action on a place": Door(),
    "agreed actions": Door(),
    "counts for partners": Door(),
    "a partner says how it goes": Door(),
    "people of partners": Door(),
    "learning reviews": Door(),
    "one learning review": Door(school=SCHOOL, trained=True, writes="record_lookback"),
    "what learning reviews say": Door(),
    "what learning reviews say as PDF": Door(),
    "places": Door(),
    "need and reach": Door(),
    "programmes": Door(),
    "one programme": Door(),
    "enter a programme": Door(),
    "change a programme": Door(),
    "the exclusions continuum": Door(),
    "does it help": Door(),
    "a school's records": Door(school=SCHOOL, query=_QUERY),
    "pupils of a school without a list": Door(school=OTHER_SCHOOL, trained=True, query=f"?school={OTHER_SCHOOL}"),
    "enter a term date": Door(school=SCHOOL, form=lambda walk: _TERM),
    "withdraw a term date": Door(
        school=SCHOOL, form=lambda walk: {"school": SCHOOL, "kind": "inset", "start": "2026-01-05"}
    ),
    "bring your data": Door(school=SCHOOL, query=_QUERY, form=lambda walk: {"school": SCHOOL}),
    "take files in": Door(school=SCHOOL, form=lambda walk: {"upload": walk.ids["upload"]}),
    "withdraw a file": Door(
        school=SCHOOL, saves=303, undo="UPDATE uploads SET state = 'columns' WHERE state = 'withdrawn'"
    ),
    "one file that was brought": Door(school=SCHOOL),
    "audits": Door(),
    "audit": Door(),
    "audit report": Door(),
    "audit report as PDF": Door(),
    "models": Door(),
    "what a model reads": Door(),
    "model": Door(),
    "drift": Door(),
    "approval": Door(),
    "training": Door(),
    "training taken": Door(saves=303),
    "a past case of the training": Door(shows=303, saves=303, untrained=(200, 422)),
    "people": Door(),
    "add somebody": Door(),
    "changes of people": Door(),
    "invite somebody": Door(),
    "withdraw an invitation": Door(saves=303),
    "accept an invitation": Door(saves=303),
    "one person": Door(),
    "change a name or address": Door(),
    "give a role": Door(),
    "take a role away": Door(saves=404),  # of no role: to name one would take it
    "somebody has left": Door(saves=303, undo=_BACK),
    "let somebody back": Door(saves=303),
    "agreements": Door(),
    "log of looks": Door(),
    "who looked at a pupil": Door(saves=200, form=lambda walk: {"pupil": walk.site.ids[OPENED]}),
    "unusual volumes": Door(),
    "other systems": Door(),
    "give a system access": Door(),
    "one system": Door(),
    "make a new secret": Door(),
    "withdraw a secret": Door(form=lambda walk: {"secret": str(uuid.uuid4())}),
    "take a system's access away": Door(saves=303),
}


def expected(page: Page, door: Door, method: str, person: Person | None, school: int | None) -> set[int]:
    """Return what the page may answer to this person, as the tables of permissions and of doors say.

    `school`: whose matter is asked for. Where a person works at a school but not in the role that it takes
    there, a page may say so (403) or deny that there is anything (404); across schools it is 404 alone.
    """
    trained = person is not None and may_see_pupils(person, TODAY)
    shows, saves = (door.shows, door.saves) if trained or door.untrained is None else door.untrained
    done = {shows if method == "GET" else saves}
    if page.permission == PUBLIC:
        nowhere = page.path == "/" and person is not None and not person.roles
        return {403} if nowhere else done
    if person is None:
        return {303}
    asked = [page.permission, *([door.writes] if method == "POST" and door.writes else [])]
    if not all(may(person, permission) for permission in asked):
        return {403}
    if (door.trained is True or door.trained == method) and not trained:
        return {303 if method == "GET" else 403}  # to the training, and back; a form is told so
    if school is not None and not may(person, page.permission, school):
        works_there = person.schools is None or school in person.schools
        return {403, 404} if works_there else {404}
    return done


@dataclass(frozen=True, kw_only=True)
class ApiDoor:
    """One route of the interface: the scope it takes (None: open to anyone), and what is asked of which school."""

    method: str
    scope: str | None
    school: int | None = None
    answers: int = 200
    asks: Callable[[Walk], dict[str, Any]] = lambda walk: {}


def _rows(walk: Walk) -> dict[str, Any]:
    found = walk.site.door.found
    names = list(found.scorer.names)
    fingerprint = found.bundle.manifest["feature_fingerprint"]
    rows = [[None] * len(names)]
    return {"json": {"fingerprint": fingerprint, "names": names, "rows": rows, "reasons": True}}


_HERE: Final = {"params": {"school": SCHOOL}}
API: Final[Mapping[str, ApiDoor]] = {
    "/api/v1/health/live": ApiDoor(method="GET", scope=None),
    "/api/v1/health/ready": ApiDoor(method="GET", scope=None),
    "/api/v1/openapi.json": ApiDoor(method="GET", scope=None),
    "/api/v1/token": ApiDoor(method="POST", scope=None, answers=401, asks=lambda walk: {"data": _CREDENTIALS}),
    "/api/v1/flags": ApiDoor(method="GET", scope=LISTS_READ, school=SCHOOL, asks=lambda walk: _HERE),
    "/api/v1/changes": ApiDoor(method="GET", scope=LISTS_READ, school=SCHOOL, asks=lambda walk: _HERE),
    "/api/v1/pupils/{pupil}/history": ApiDoor(method="GET", scope=LISTS_READ, school=SCHOOL),
    "/api/v1/scores": ApiDoor(
        method="POST",
        scope=SCORES_READ,
        school=SCHOOL,
        asks=lambda walk: {"json": {"as_of": TODAY.isoformat(), "stored": [walk.site.ids[OPENED]]}},
    ),
    "/api/v1/rows": ApiDoor(method="POST", scope=SCORES_READ, asks=_rows),
    "/api/v1/{rest:path}": ApiDoor(method="GET", scope=None, answers=404),
}
_CREDENTIALS: Final = {"grant_type": "client_credentials", "client_id": "everywhere", "client_secret": "a guess"}
# What is mounted holds files of ours alone: the style sheet and two scripts.
MOUNTED: Final = frozenset({"/assets"})


def expected_of_system(door: ApiDoor, system: System) -> int:
    """Return what a route answers to a system."""
    if door.scope is None:
        return door.answers
    if not system.known:
        return 401
    if door.scope not in system.scopes:
        return 403
    return 404 if door.school is not None and door.school not in system.schools else door.answers


def remember(walk: Walk) -> None:
    """Note the ids of what the walk asks for, and what tells who each school's pupils are."""
    site = walk.site
    with superuser(site.home) as database:

        def one(query: str) -> str:
            return str(database.execute(query).fetchone()[0])

        walk.ids["upload"] = one("SELECT id FROM uploads")
        walk.ids["case"] = one(f"SELECT id FROM cases WHERE pupil_id = '{site.ids[OPENED]}'")
        walk.ids["lead"] = one("SELECT id FROM people WHERE subject = 'school-lead'")
        walk.ids["staff"] = one("SELECT id FROM people WHERE subject = 'school-staff'")
        walk.ids["cover"] = one(
            "INSERT INTO covers (school_urn, away_id, covering_id, from_on, until_on, arranged_by, arranged_at) "
            f"VALUES ({SCHOOL}, '{walk.ids['lead']}', '{walk.ids['staff']}', '2026-06-22', '2026-06-26', "
            f"'{walk.ids['lead']}', now()) RETURNING id"
        )
        walk.ids["support there"] = one(
            f"INSERT INTO supports (pupil_id, school_urn) VALUES ('{site.ids[ELSEWHERE]}', {OTHER_SCHOOL}) RETURNING id"
        )
        database.execute(
            "INSERT INTO support_versions (support_id, version, school_urn, kind, provider, offered_on, standing, "
            f"note, person_id, recorded_on, recorded_at, idempotency_key) VALUES ('{walk.ids['support there']}', 1, "
            f"{OTHER_SCHOOL}, 'youth_work', '{THEIR_WORDS}', '2026-06-22', 'waiting', '', '{walk.ids['lead']}', "
            "'2026-06-22', now(), 'there')"
        )
        walk.ids["action there"] = one(
            "INSERT INTO partner_actions (partnership, pupil_id, school_urn, reference, what, owner) VALUES "
            f"('health', '{site.ids[ELSEWHERE]}', {OTHER_SCHOOL}, 'H-7', '{THEIR_WORDS}', 'ours') RETURNING id"
        )
        database.execute(
            "INSERT INTO partner_steps (action_id, number, step, due_on, said, person_id, by_partner, taken_on, "
            f"recorded_at, idempotency_key) VALUES ('{walk.ids['action there']}', 1, 'agree', '2026-07-06', '', "
            f"'{walk.ids['lead']}', false, '2026-06-22', now(), 'action there')"
        )
    with job_session(site.home) as session:
        rows = session.execute(text("SELECT id, school_urn FROM pupils")).all()
    school_of = {row.id: row.school_urn for row in rows}
    told: dict[int, set[str]] = {SCHOOL: {WHY, ASKED_WORDS}, OTHER_SCHOOL: {THEIR_WORDS}}
    for pupil, named in names_by_pupil(site.home).items():
        told[school_of[pupil]] |= {named.forename, named.upn, str(pupil)}
    walk.opaque = frozenset(str(pupil) for pupil in school_of)
    walk.told = {school: frozenset(words) for school, words in told.items()}


def betrayed(walk: Walk, answer: httpx.Response, schools: frozenset[int] | None, also: frozenset[str]) -> set[str]:
    """Return what an answer tells of pupils at schools beyond these; `also` may be told all the same.

    What the address asks for by id is known already.
    """
    said = words_of(answer)
    hidden = {
        word
        for school, words in walk.told.items()
        if schools is not None and school not in schools
        for word in words - also
        if word not in str(answer.request.url)
    }
    return {word for word in hidden if word in said and _whole(word, said)}


def _whole(word: str, said: str) -> bool:
    # 'Pupil1' is not told where 'Pupil11' is.
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said) is not None


def words_of(answer: httpx.Response) -> str:
    """Return an answer's text, a PDF's too."""
    if answer.content and answer.headers.get("content-type") == "application/pdf":
        document = pypdfium2.PdfDocument(answer.content)
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    return html.unescape(answer.text)
