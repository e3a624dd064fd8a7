"""A stand-in for a school's sign-in service, on loopback, for the demonstration only.

It is OpenID Connect like the real ones, so signing in takes the same path through the same code; but it
asks for no password, which is why only a home marked `demo` may start it.
"""

import json
import logging
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
from jinja2 import DictLoader
from sqlalchemy.orm import Session

from casework.partners import put_member
from casework.people import NewPerson, add_person
from casework.permissions import Role
from records.home import Home
from records.refusal import Refusal
from serving.demo_accounts import ACCOUNTS, COLLEAGUES
from serving.providers import PROVIDERS_FILE

__all__ = [
    "ACCOUNTS",
    "NotADemo",
    "demo_identity",
    "issuer_of",
    "save_demo_colleagues",
    "save_demo_leads",
    "save_demo_people",
    "subject_of_lead",
]

PROVIDER = "demo"
RETURN_PATH = "/sign-in/return"
_FORM = Path(__file__).resolve().parent.parent / "templates" / "stand_in.html"
_SECRET_FILE = "demo_client.secret"  # noqa: S105  # a file's name


class NotADemo(Refusal):
    """A home of real pupils must never be opened without a password."""


def issuer_of(port: int) -> str:
    """Return the issuer that the stand-in calls itself; people are known by it."""
    return f"http://127.0.0.1:{port}"


@contextmanager
def demo_identity(home: Home, *, address: str, port: int) -> Iterator[str]:
    """Run the stand-in on loopback until the block ends, name it in the home's oidc.toml, and yield its issuer.

    Parameters
    ----------
    address
        Where the site is reached; the stand-in sends people nowhere else.
    port
        Its port; keep it the same, since people are known by issuer and subject.

    Raises
    ------
    NotADemo
        The home is not a demonstration's.
    OSError
        The port is taken.
    """
    if not home.demo:
        raise NotADemo(f"{home.path} holds a real network, whose own sign-in service is named in {PROVIDERS_FILE}")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it would log addresses with sign-in codes in them
    server = stand_in(port, {account.subject: {} for account in ACCOUNTS})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        issuer = issuer_of(server.server_port)
        _configure(home, issuer, address)
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def stand_in(port: int, people: Mapping[str, Mapping[str, Any]]):  # type: ignore[no-untyped-def]  # werkzeug's server
    """Return the stand-in, not yet serving, that signs in these subjects and says these further claims of each."""
    with warnings.catch_warnings():
        # Authlib, inside the stand-in, warns that parts of it will be replaced, and on import sets its
        # own filter to say so each time: hence twice.
        warnings.simplefilter("ignore")
        import authlib.deprecate  # noqa: F401, PLC0415  # the filter comes with it

        warnings.simplefilter("ignore")
        import oidc_provider_mock  # noqa: PLC0415  # a demonstration's dependency, not the web process's
        from werkzeug.serving import make_server  # noqa: PLC0415  # likewise

        users = [oidc_provider_mock.User(sub=subject, claims=dict(said)) for subject, said in people.items()]
        app = oidc_provider_mock.app(
            require_client_registration=True, require_nonce=True, issue_refresh_token=False, user_claims=users
        )
    # The package turns on a debugger that runs code typed into an error page. Not even on loopback.
    app.debug = False
    app.wsgi_app = _quiet(app.wsgi_app.app)
    # Its own pages fetch a style sheet from elsewhere; the demonstration must run without a network.
    app.jinja_loader = DictLoader({"authorization_form.html": _FORM.read_text(encoding="utf-8")})
    app.jinja_env.globals["accounts"] = ACCOUNTS
    return make_server("127.0.0.1", port, app, threaded=True)


def _quiet(answer: Callable[..., Any]) -> Callable[..., Any]:
    """Return the stand-in with its library's warnings about itself left out."""
    one_at_a_time = threading.Lock()

    def quiet(*request: Any) -> Any:
        with one_at_a_time, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return answer(*request)

    return quiet


def _configure(home: Home, issuer: str, address: str) -> None:
    """Register the site with the stand-in, which forgets its clients when it ends, and name it in oidc.toml."""
    wanted: dict[str, Sequence[str] | str] = {
        "redirect_uris": [f"{address}{RETURN_PATH}"],
        "token_endpoint_auth_method": "client_secret_basic",
        "scope": "openid",
    }
    answer = httpx.post(f"{issuer}/oauth2/clients", json=wanted, timeout=10, trust_env=False)
    answer.raise_for_status()
    client = answer.json()
    secret = home.secrets / _SECRET_FILE
    secret.touch(mode=0o600)
    secret.write_text(client["client_secret"], encoding="utf-8")
    lines = [
        "# Written by the demonstration each time it starts.",
        "[[provider]]",
        f"name = {json.dumps(PROVIDER)}",
        f"issuer = {json.dumps(issuer)}",
        f"client_id = {json.dumps(client['client_id'])}",
        f'client_secret_file = "{home.secrets.name}/{_SECRET_FILE}"',
        'label = "Sign in with a demonstration account"',
    ]
    (home.path / PROVIDERS_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def save_demo_people(session: Session, issuer: str, schools: Sequence[int], today: date) -> None:
    """Add the demonstration's people, or bring them up to date. Needs the job's role.

    `schools` are the URNs that accounts refer to by place; with one school, all school accounts are there.
    """
    made: dict[str, uuid.UUID] = {}
    for account in ACCOUNTS:
        school = None if account.school is None else schools[min(account.school, len(schools) - 1)]
        made[account.subject] = add_person(
            session,
            NewPerson(
                issuer=issuer,
                subject=account.subject,
                name=account.name,
                email=f"{account.subject}@demonstration.invalid",
                roles=(Role(name=account.role, school=school),),
                training_on=today - timedelta(days=30),
            ),
        )
    _save_demo_partners(session, made)


def _save_demo_partners(session: Session, made: Mapping[str, uuid.UUID]) -> None:
    for account in ACCOUNTS:
        if account.partner:
            put_member(session, made[account.subject], account.partner, given_by=made["administrator"])


def subject_of_lead(school: int) -> str:
    """Return what the sign-in service would call the lead of a school where no account of the demonstration works."""
    return f"lead-of-{school}"


def save_demo_leads(session: Session, issuer: str, schools: Mapping[int, str], today: date) -> None:
    """Add a lead, who signs in nowhere, for each of these schools (URN to name): every school has one."""
    for urn, name in schools.items():
        add_person(
            session,
            NewPerson(
                issuer=issuer,
                subject=subject_of_lead(urn),
                name=f"Lead at {name or urn}",
                email=f"{subject_of_lead(urn)}@demonstration.invalid",
                roles=(Role(name="school_lead", school=urn),),
                training_on=today - timedelta(days=30),
            ),
        )


def save_demo_colleagues(session: Session, issuer: str, schools: Sequence[int], today: date) -> None:
    """Add people who sign in nowhere: training that ends or never was, a role for some weeks, one that is over."""
    for one in COLLEAGUES:
        school = None if one.school is None else schools[min(one.school, len(schools) - 1)]
        add_person(
            session,
            NewPerson(
                issuer=issuer,
                subject=one.name.lower().replace(" ", "-"),
                name=one.name,
                email=f"{one.name.split()[0].lower()}@demonstration.invalid",
                roles=(Role(name=one.role, school=school),),
                training_on=None if one.trained_ago is None else today - timedelta(days=one.trained_ago),
                roles_expire_on=None if one.ends_in is None else today + timedelta(days=one.ends_in),
            ),
        )
