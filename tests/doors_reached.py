"""How tests reach every page there is, in one place: what stands in its address, and who opens it.

A page whose path has a parameter that `STANDS_FOR` does not name fails every walk, with a sentence that
says what to add here.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Final

from sqlalchemy import text

from casework.database import looks_key
from casework.integrations import NewIntegration, add_integration
from casework.log_checks import check_log
from casework.people import person_by_id
from casework.permissions import PERMISSIONS, Person
from serving.demo_accounts import ACCOUNTS
from serving.jobs.uploads import work_on_uploads
from serving.page import PUBLIC, Page
from tests.brought import ROLL, send_files
from tests.database import job_session
from tests.deployed import OTHER_SCHOOL, SCHOOL, TODAY
from tests.model_made_up import save_looks
from tests.programmes_made_up import entered, save_made_up_release
from tests.site import RunningSite
from tests.themes_made_up import TERM

# The pupil whose page every walk opens; a view of them is recorded first, so that the whole page shows.
OPENED: Final = "Esme"
SYSTEM: Final = "riverside-mis"
UNTRAINED: Final = "data-scientist"
WHY: Final = "They told their tutor on Thursday that mornings are hard at home."
SUPPORT: Final = {
    "kind": "mentoring",
    "standing": "taken_up",
    "provider": "The climbing club",
    **{f"offered_on-{part}": value for part, value in (("day", "15"), ("month", "6"), ("year", "2026"))},
    "pupil_said": "It is good to have somebody to talk to on Thursdays.",
}
PROGRAMME: Final = {
    "name": "Mentors for the summer",
    "funder": "The Riverside Trust",
    **{f"start-{part}": value for part, value in (("day", "5"), ("month", "1"), ("year", "2026"))},
    **{f"end-{part}": value for part, value in (("day", "17"), ("month", "7"), ("year", "2026"))},
    "kinds": ["mentoring", "youth_work"],
    "schools": [str(SCHOOL), str(OTHER_SCHOOL)],
    "budget": "24,000",
}
ACTION: Final = {
    "partnership": "youth-service",
    "what": "Meet at the climbing club on two Thursdays.",
    "owner": "theirs",
    **{f"due_on-{part}": value for part, value in (("day", "6"), ("month", "7"), ("year", "2026"))},
}
RECEIVED: Final = {"received_on-day": "22", "received_on-month": "6", "received_on-year": "2026"}


def asked_for(site: RunningSite) -> str:
    """Return the correction that `prepare` had asked for."""
    with job_session(site.home) as session:
        return str(session.execute(text("SELECT id FROM challenges ORDER BY recorded_at LIMIT 1")).scalar_one())


def offered(site: RunningSite) -> str:
    """Return the support that `prepare` had written down for OPENED."""
    with job_session(site.home) as session:
        query = text("SELECT id FROM supports WHERE pupil_id = :pupil")
        return str(session.execute(query, {"pupil": site.ids[OPENED]}).scalar_one())


def programme(site: RunningSite) -> str:
    """Return the programme that `prepare` had entered."""
    with job_session(site.home) as session:
        return entered(session)


def brought(site: RunningSite) -> str:
    """Return the file that `prepare` brought, whose columns wait to be confirmed."""
    with job_session(site.home) as session:
        return str(session.execute(text("SELECT id FROM uploads")).scalar_one())


def agreed(site: RunningSite, *, on_place: bool = False) -> str:
    """Return the action with a partner that `prepare` had agreed on OPENED, or on a place."""
    with job_session(site.home) as session:
        query = f"SELECT id FROM partner_actions WHERE place IS {'NOT NULL' if on_place else 'NULL'} LIMIT 1"
        return str(session.execute(text(query)).scalar_one())


def looked_back(site: RunningSite) -> str:
    """Return the look-back that the site was filled with: of the first school, of a pupil without a case."""
    with job_session(site.home) as session:
        return str(session.execute(text("SELECT id FROM lookbacks ORDER BY event_on LIMIT 1")).scalar_one())


def _person(site: RunningSite, subject: str) -> Person:
    with job_session(site.home) as session:
        query = text("SELECT id FROM people WHERE subject = :subject")
        found = person_by_id(session, session.execute(query, {"subject": subject}).scalar_one(), TODAY)
    assert found is not None
    return found


def give_access(site: RunningSite) -> None:
    """Let a system read one school's list, and check the log of looks, as a night does."""
    officer = _person(site, "data-protection-officer")
    new = NewIntegration(
        client_id=SYSTEM,
        name="Riverside's school system",
        scopes=frozenset({"lists:read"}),
        schools=frozenset({SCHOOL}),
        expires_on=TODAY + timedelta(days=90),
    )
    with job_session(site.home) as session:
        add_integration(session, officer, new, TODAY)
        check_log(session, looks_key(site.home), datetime.now(UTC))


STANDS_FOR: Final[Mapping[str, Callable[[RunningSite], str]]] = MappingProxyType(
    {
        "pupil_id": lambda site: site.ids[OPENED],
        "digest": lambda site: site.digest,
        "provider": lambda site: "demo",
        "challenge_id": asked_for,
        "support_id": offered,
        "lookback_id": looked_back,
        "action_id": agreed,
        "agreed_id": agreed,
        "place_action_id": partial(agreed, on_place=True),
        "term": lambda site: TERM,
        "programme_id": programme,
        "upload_id": brought,
        "place": lambda site: "1",
        "person_id": lambda site: str(_person(site, "school-staff").id),
        "client_id": lambda site: SYSTEM,
    }
)

# Doors that answer GET with no page of their own.
SHOWS_NOTHING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "front": "sends people on",
        "return from the sign-in service": "takes the service's answer and sends people on",
        "start of sign-in": "sends people to the service",
        "audit report as PDF": "hands out a file",
        "what learning reviews say as PDF": "hands out a file",
        "letter as PDF": "hands out a file",
        "break-glass": "is not there in a demonstration",
    }
)

# What an address asks for after its '?', where the page needs it, and who then opens it.
ASKS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "pupils of a school without a list": (f"?school={OTHER_SCHOOL}", "other-school-lead"),
        "training": ("", UNTRAINED),
        "a past case of the training": ("", UNTRAINED),
        "places": (f"?by=school&chart=lessons&place={SCHOOL}", "network-lead"),
    }
)


def parameters(page: Page) -> list[str]:
    """Return the names of the parameters in a page's path."""
    return re.findall(r"{(\w+)(?::\w+)?}", page.path)


def address_of(page: Page, site: RunningSite) -> str:
    """Return an address at which this site shows the page."""
    for name in parameters(page):
        assert name in STANDS_FOR, (
            f"page {page.name!r} has {{{name}}} in its path, and nothing says what stands for it: "
            f"add {name!r} to STANDS_FOR in tests/doors_reached.py"
        )
    query = ASKS[page.name][0] if page.name in ASKS else ""
    return re.sub(r"{(\w+)(?::\w+)?}", lambda found: STANDS_FOR[found[1]](site), page.path) + query


def account_of(page: Page) -> str | None:
    """Return the first demonstration account whose role may open the page; None for a page that is public."""
    if page.permission == PUBLIC:
        return None
    if page.name in ASKS:
        return ASKS[page.name][1]
    able = [account.subject for account in ACCOUNTS if account.role in PERMISSIONS[page.permission]]
    assert able, f"no demonstration account may {page.permission!r}: add one to serving/demo_accounts.py"
    return able[0]


def prepare(site: RunningSite) -> None:
    """Bring every page into a state worth looking at: a file brought, a system with access, views recorded."""
    give_access(site)
    lead = site.client()
    lead.sign_in("school-lead")
    send_files(lead, [ROLL])
    lead.close()
    work_on_uploads(site.home)
    network = site.client()
    network.sign_in("network-lead")
    network.send(network.get("/programmes/new"), "/programmes/new", PROGRAMME)
    network.send(network.get("/actions/new"), "/actions/new", ACTION | {"place": "Old Dock", "owner": "ours"})
    network.close()
    with job_session(site.home) as session:
        session.execute(
            text("INSERT INTO school_doubts VALUES (:s, 'not_covered', '2026-06-01', 'No list yet.', 'Wait.', false)"),
            {"s": OTHER_SCHOOL},
        )
        save_looks(session, site.digest)
        save_made_up_release(session, uuid.UUID(entered(session)), (SCHOOL, OTHER_SCHOOL))
        session.execute(text("UPDATE people SET training_on = NULL WHERE subject = :s"), {"s": UNTRAINED})
    for account in ACCOUNTS:
        if account.role not in PERMISSIONS["record_view"] or account.school != 0:
            continue
        client = site.client()
        client.sign_in(account.subject)
        here = f"/pupils/{site.ids[OPENED]}/view"
        client.send(client.get(here), here, {"opinion": "new_needs_conversation", "why": WHY})
        if account.subject == "school-staff":
            here = f"/pupils/{site.ids[OPENED]}/correction"
            asked = {"whose": "family", "about": "records", "said": "They were at the dentist.", **RECEIVED}
            client.send(client.get(here), here, asked)
            here = f"/pupils/{site.ids[OPENED]}/support"
            client.send(client.get(here), here, SUPPORT)
            here = f"/pupils/{site.ids[OPENED]}/actions"
            client.send(client.get(here), here, ACTION | {"reference": "YS-2041"})
        client.close()
