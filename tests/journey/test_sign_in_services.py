"""Signing in with Entra, Google and DfE Sign-in as they answer, and with answers that someone made up."""

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import OctKey, RSAKey

from serving.identity import Identity, begin, finish
from serving.jobs.demo_identity import issuer_of, stand_in
from serving.providers import PROVIDERS_FILE, Provider
from tests.forger import CLIENT, KID, Forger, forging
from tests.journey.client import Client
from tests.site import RunningSite

RETURN = "http://127.0.0.1:8000/sign-in/return"
TENANT = "11111111-2222-3333-4444-555555555555"
# What each says of a person beside who they are. None of it may decide anything.
SAYS: dict[str, dict[str, Any]] = {
    "entra": {
        "oid": "aaaaaaaa-0000-4000-8000-000000000001",
        "tid": TENANT,
        "upn": "lead@school.test",
        "roles": ["administrator"],
        "groups": ["board_member"],
    },
    "google": {"hd": "school.test", "azp": None},
    "dfe": {
        "organisation": {"id": "x", "urn": "990001", "name": "Another school"},
        "roles": [{"code": "administrator"}],
    },
    "openid": {"role": "administrator"},
}


@contextmanager
def service(kind: str) -> Iterator[Provider]:
    """Run a stand-in that answers as such a provider does, and register with it."""
    said = {name: value for name, value in SAYS[kind].items() if value is not None}
    server = stand_in(0, {"subject-1": said})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        issuer = issuer_of(server.server_port)
        wanted = {"redirect_uris": [RETURN], "token_endpoint_auth_method": "client_secret_basic", "scope": "openid"}
        client = httpx.post(f"{issuer}/oauth2/clients", json=wanted, trust_env=False).json()
        yield Provider(
            name=kind,
            issuer=issuer,
            client_id=client["client_id"],
            client_secret=client["client_secret"],
            label="Sign in",
            kind=kind,
        )
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


@pytest.mark.parametrize("kind", SAYS)
def test_each_kind_of_service_names_a_person_by_issuer_and_what_is_theirs_for_good(kind: str) -> None:
    with service(kind) as provider:
        address, started = begin(provider, return_address=RETURN, then="/pupils")
        asked = parse_qs(urlsplit(address).query)
        assert asked["scope"] == ["openid"], "neither e-mail nor organisation is asked for"
        assert asked["code_challenge_method"] == ["S256"]
        back = httpx.post(address, data={"sub": "subject-1"}, trust_env=False).headers["location"]
        answer = {name: value for name, (value,) in parse_qs(urlsplit(back).query).items()}
        found = finish(provider, started, answer, return_address=RETURN, now=time.time())
    who = SAYS["entra"]["oid"] if kind == "entra" else "subject-1"
    assert found == Identity(issuer=provider.issuer, subject=who)


@pytest.fixture(scope="module")
def forger(site: RunningSite) -> Iterator[Forger]:
    """A second service of the site's, in wrong hands: the site trusts its issuer and key, and nothing else it says."""
    with forging() as made:
        (site.home.secrets / "forger.secret").write_text("hush")
        with (site.home.path / PROVIDERS_FILE).open("a") as file:
            file.write(
                f'[[provider]]\nname = "forger"\nissuer = "{made.issuer}"\nclient_id = "{CLIENT}"\n'
                'client_secret_file = "secrets/forger.secret"\nlabel = "Sign in elsewhere"\n'
            )
        yield made


def start(client: Client, provider: str = "forger") -> dict[str, str]:
    """Leave for a provider, and return what it is asked: state and nonce among the rest."""
    away = client.http.get(f"/sign-in/{provider}")
    assert away.status_code == 303, away.text
    return {name: value for name, (value,) in parse_qs(urlsplit(away.headers["location"]).query).items()}


def claims(forger: Forger, nonce: str, **changes: Any) -> dict[str, Any]:
    """Return the claims of a token that would hold, but for changes."""
    now = int(time.time())
    good = {"iss": forger.issuer, "aud": CLIENT, "sub": "somebody", "exp": now + 300, "iat": now, "nonce": nonce}
    return {**good, **changes}


def _part(said: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()


def _unsigned(forger: Forger, good: dict[str, Any]) -> str:
    return f"{_part({'alg': 'none', 'kid': KID})}.{_part(good)}."


def _by_the_public_key(forger: Forger, good: dict[str, Any]) -> str:
    shared = OctKey.import_key(forger.key.as_pem(private=False).hex())
    return forger.signed(good, key=shared, algorithm="HS256")


def _with_another_key(forger: Forger, good: dict[str, Any], **header: Any) -> str:
    return forger.signed(good, key=RSAKey.generate_key(2048), **header)


def _with_its_key_inside(forger: Forger, good: dict[str, Any]) -> str:
    mine = RSAKey.generate_key(2048)
    return forger.signed(good, key=mine, jwk=mine.as_dict(private=False))


def _changed_afterwards(forger: Forger, good: dict[str, Any]) -> str:
    head, _, signature = forger.signed(good).split(".")
    return f"{head}.{_part({**good, 'sub': 'administrator'})}.{signature}"


HOUR = 3600
FORGED: dict[str, Callable[[Forger, dict[str, Any]], object]] = {
    "of another issuer": lambda f, good: f.signed({**good, "iss": "https://id.example"}),
    "for another service": lambda f, good: f.signed({**good, "aud": "another"}),
    "for two services": lambda f, good: f.signed({**good, "aud": [CLIENT, "another"]}),
    "given to another service": lambda f, good: f.signed({**good, "azp": "another"}),
    "over": lambda f, good: f.signed({**good, "exp": int(time.time()) - HOUR}),
    "not yet valid": lambda f, good: f.signed({**good, "nbf": int(time.time()) + HOUR}),
    "made tomorrow": lambda f, good: f.signed({**good, "iat": int(time.time()) + 24 * HOUR}),
    "of another sign-in": lambda f, good: f.signed({**good, "nonce": "another"}),
    "of no sign-in": lambda f, good: f.signed({**good, "nonce": None}),
    "of nobody": lambda f, good: f.signed({**good, "sub": None}),
    "of an empty name": lambda f, good: f.signed({**good, "sub": ""}),
    "of a list of names": lambda f, good: f.signed({**good, "sub": ["somebody"]}),
    "unsigned": _unsigned,
    "signed by the public key": _by_the_public_key,
    "signed by another key": _with_another_key,
    "signed by a key that nobody knows": lambda f, good: _with_another_key(f, good, kid="two"),
    "signed by a key that it brings": _with_its_key_inside,
    "signed by a key from elsewhere": lambda f, good: _with_another_key(f, good, jku="https://id.example/keys"),
    "changed afterwards": _changed_afterwards,
    "no token": lambda f, good: "not.a.token",
    "a part of a token": lambda f, good: f.signed(good).rpartition(".")[0],
}


def test_a_token_that_holds_is_taken_and_names_nobody_here(forger: Forger, client: Client) -> None:
    """So what is refused below is refused for what is wrong with it."""
    asked = start(client)
    forger.token = forger.signed(claims(forger, asked["nonce"]))
    page = client.get(f"/sign-in/return?code=c&state={asked['state']}", status=403)
    assert page.words("h1") == "Your account is not known to Belong"
    form = parse_qs(forger.asked[-1])
    assert len(form["code_verifier"][0]) >= 43


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_token_is_refused_with_one_sentence_and_no_detail(forger: Forger, client: Client, how: str) -> None:
    asked = start(client)
    forger.token = FORGED[how](forger, claims(forger, asked["nonce"]))
    page = client.get(f"/sign-in/return?code=c&state={asked['state']}", status=400)
    said = re.sub(r"\s+", " ", page.words())
    assert said.count("The sign-in service's answer could not be checked. Sign in again.") == 1
    for detail in ("nonce", "issuer", "audience", "signature", "expired", "kid", "claim", "key", "joserfc", "Error:"):
        assert detail not in said.replace("Error: Sign in", ""), detail
    assert "belong_session" not in client.http.cookies


def test_a_service_cannot_speak_for_another_ones_people(forger: Forger, client: Client, site: RunningSite) -> None:
    """The same subject under another issuer is another person; and an answer names the service that it is from."""
    asked = start(client)
    forger.token = forger.signed(claims(forger, asked["nonce"], sub="school-lead", email="school-lead@example.org"))
    page = client.get(f"/sign-in/return?code=c&state={asked['state']}", status=403)
    assert page.words("h1") == "Your account is not known to Belong"
    asked = start(client)
    page = client.get(f"/sign-in/return?code=c&state={asked['state']}&iss=https://id.example", status=400)
    assert "The answer came from another sign-in service." in page.words()
    assert "belong_session" not in client.http.cookies


@pytest.mark.parametrize("token", [None, 7, {"alg": "none"}, ["a"]])
def test_an_answer_without_a_token_is_no_fault_of_the_sites(forger: Forger, client: Client, token: object) -> None:
    asked = start(client)
    forger.token = token
    page = client.get(f"/sign-in/return?code=c&state={asked['state']}", status=400)
    assert "The sign-in service answered without saying who you are." in page.words()


def test_a_code_from_another_browser_opens_nothing(site: RunningSite, client: Client) -> None:
    """Two begin; the one brings the other's code with a state of its own. The token's nonce is of the other."""
    other = site.client()
    away = other.http.get("/sign-in/demo")
    back = httpx.post(away.headers["location"], data={"sub": "school-lead"}, trust_env=False).headers["location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    mine = start(client, "demo")
    page = client.get(f"/sign-in/return?code={code}&state={mine['state']}", status=400)
    assert "could not be" in page.words()
    assert "belong_session" not in client.http.cookies
    # Spent with the first try: the browser that it was for gets nothing either, and starts anew.
    assert "Sign in again." in other.get(back, status=400).words()
    other.close()


@pytest.mark.parametrize(
    "discovered",
    [{"issuer": "https://id.example"}, {"token_endpoint": None}, {"jwks_uri": 7}, {"authorization_endpoint": ["a"]}],
)
def test_a_service_that_describes_itself_as_another_is_not_gone_to(
    forger: Forger, client: Client, discovered: dict[str, Any]
) -> None:
    forger.discovered = discovered
    try:
        page = client.get("/sign-in/forger", status=503)
    finally:
        forger.discovered = {}
    assert "The sign-in service" in page.words()
