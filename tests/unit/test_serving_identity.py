"""ID tokens that must not sign anyone in, and the sealed cookie between leaving and coming back."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from records.home import create_home
from serving.identity import (
    Identity,
    SignInRefused,
    Started,
    check_token,
    finish,
    local_path,
    seal,
    unseal,
)
from serving.providers import NoProvider, Provider, read_providers

NOW = 1_790_000_000.0
PROVIDER = Provider(name="ours", issuer="https://id.example", client_id="belong", client_secret="s", label="Sign in")
KEY = RSAKey.generate_key(2048, parameters={"kid": "one"})
KEYS = {"keys": [KEY.as_dict(private=False)]}
GOOD = {
    "iss": "https://id.example",
    "aud": "belong",
    "sub": "abc",
    "exp": int(NOW) + 300,
    "iat": int(NOW) - 5,
    "nonce": "n",
}


def token(key: Any = KEY, algorithm: str = "RS256", **changes: Any) -> str:
    claims = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return jwt.encode({"alg": algorithm, "kid": "one"}, claims, key)


def check(text: str) -> Identity:
    return check_token(text, KEYS, PROVIDER, nonce="n", now=NOW)


def test_a_token_that_holds_names_issuer_and_subject_and_nothing_else() -> None:
    assert check(token(email="someone@example.org")) == Identity(issuer="https://id.example", subject="abc")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"aud": "another-service"},
        {"aud": ["belong", "another-service"]},  # two audiences and no azp: section 3.1.3.7, rule 4
        {"aud": ["belong", "another-service"], "azp": "another-service"},
        {"exp": int(NOW) - 61},
        {"iat": int(NOW) + 3600},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"sub": None},
        {"exp": None},
        {"iat": None},
    ],
)
def test_a_token_with_a_wrong_or_missing_claim_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SignInRefused):
        check(token(**changes))


def test_a_token_signed_by_another_key_is_refused() -> None:
    with pytest.raises(SignInRefused, match="could not be checked"):
        check(token(RSAKey.generate_key(2048, parameters={"kid": "one"})))


def test_a_token_without_a_signature_is_refused() -> None:
    def part(said: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()

    with pytest.raises(SignInRefused):
        check(f"{part({'alg': 'none', 'kid': 'one'})}.{part(GOOD)}.")


def test_a_token_signed_with_the_public_key_as_a_shared_secret_is_refused() -> None:
    """The classic confusion: HS256 over a key that everyone can read."""
    shared = OctKey.import_key(KEY.as_pem(private=False).hex(), {"kid": "one"})
    with pytest.raises(SignInRefused):
        check(token(shared, "HS256"))


def test_a_changed_payload_is_refused() -> None:
    head, _, signature = token().split(".")
    body = base64.urlsafe_b64encode(json.dumps({**GOOD, "sub": "someone-else"}).encode()).rstrip(b"=").decode()
    with pytest.raises(SignInRefused):
        check(f"{head}.{body}.{signature}")


STARTED = Started(provider="ours", state="s", nonce="n", verifier="v", then="/pupils")


def test_a_sealed_sign_in_opens_for_ten_minutes_and_only_with_its_key() -> None:
    key = Fernet(Fernet.generate_key())
    sealed = seal(STARTED, key, NOW)
    assert unseal(sealed, key, NOW + 600) == STARTED
    for cookie, opener, at in (
        (sealed, key, NOW + 601),
        (sealed, Fernet(Fernet.generate_key()), NOW),
        (sealed[:-4] + "AAAA", key, NOW),
        (None, key, NOW),
    ):
        with pytest.raises(SignInRefused, match="not started in this browser"):
            unseal(cookie, opener, at)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"code": "c", "state": "another"}, "does not belong"),
        ({"code": "c"}, "does not belong"),
        ({"code": "c", "state": "s", "iss": "https://other.example"}, "another sign-in service"),
        ({"state": "s", "error": "access_denied"}, "did not sign you in"),
        ({"state": "s"}, "did not sign you in"),
    ],
)
def test_an_answer_to_another_question_is_refused_before_anything_is_fetched(answer: dict[str, str], says: str) -> None:
    with pytest.raises(SignInRefused, match=says):
        finish(PROVIDER, STARTED, answer, return_address="https://belong.example/sign-in/return", now=NOW)


@pytest.mark.parametrize(
    ("asked", "goes"),
    [
        ("/pupils", "/pupils"),
        ("//evil.example/pupils", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/pupils\r\nSet-Cookie: x", "/"),
        ("", "/"),
    ],
)
def test_sign_in_leads_back_to_this_site_only(asked: str, goes: str) -> None:
    assert local_path(asked) == goes


def test_an_issuer_without_https_is_refused_unless_it_is_this_machine() -> None:
    said = {"name": "ours", "client_id": "belong", "client_secret": "s", "label": "Sign in"}
    assert Provider(issuer="http://127.0.0.1:8001", **said)
    with pytest.raises(NoProvider, match="https"):
        Provider(issuer="http://id.example", **said)


def test_a_home_names_its_providers_and_keeps_their_secrets_apart(tmp_path: Path) -> None:
    home = create_home(tmp_path)
    assert read_providers(home) == ()
    (home.path / "oidc.toml").write_text(
        '[[provider]]\nname = "ours"\nissuer = "https://id.example/"\nclient_id = "belong"\n'
        'client_secret_file = "secrets/ours.secret"\nlabel = "Sign in with your school account"\n'
    )
    with pytest.raises(NoProvider, match="client_secret_file"):
        read_providers(home)
    (home.secrets / "ours.secret").write_text("hush\n")
    (provider,) = read_providers(home)
    assert (provider.issuer, provider.client_secret) == ("https://id.example", "hush")


ENTRA = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0"
SHAPES = [
    ("entra", ENTRA),
    ("google", "https://accounts.google.com"),
    ("dfe", "https://oidc.signin.education.gov.uk"),
    ("dfe", "https://pp-oidc.signin.education.gov.uk:443"),
    ("openid", "https://id.school.example/realms/staff"),
]


def provider_of(kind: str, issuer: str) -> Provider:
    return Provider(name="ours", issuer=issuer, client_id="belong", client_secret="s", label="Sign in", kind=kind)


@pytest.mark.parametrize(("kind", "issuer"), SHAPES)
def test_the_issuers_of_each_kind_are_taken(kind: str, issuer: str) -> None:
    assert provider_of(kind, issuer).issuer == issuer


@pytest.mark.parametrize(
    ("kind", "issuer", "says"),
    [
        # These sign in the people of every organisation that Microsoft knows.
        ("entra", "https://login.microsoftonline.com/common/v2.0", "tenant's own id"),
        ("entra", "https://login.microsoftonline.com/organizations/v2.0", "tenant's own id"),
        ("entra", ENTRA.removesuffix("/v2.0"), "tenant's own id"),
        ("entra", "https://id.example/v2.0", "tenant's own id"),
        ("google", "https://accounts.google.com.example", "must be https://accounts.google.com"),
        ("dfe", "https://signin.education.gov.uk", "discovery document"),
        ("openid", ENTRA, 'write kind = "entra"'),
        ("openid", "https://accounts.google.com", 'write kind = "google"'),
        ("saml", "https://id.example", "none of entra, google, dfe, openid"),
    ],
)
def test_an_issuer_that_is_not_of_its_kind_is_refused(kind: str, issuer: str, says: str) -> None:
    with pytest.raises(NoProvider, match=says):
        provider_of(kind, issuer)


@pytest.mark.parametrize(
    ("changes", "who"),
    [
        ({"oid": "o-1", "tid": "11111111-2222-3333-4444-555555555555"}, "o-1"),
        ({"oid": "o-1", "tid": "99999999-2222-3333-4444-555555555555"}, None),
        ({"oid": "o-1"}, None),
        ({"tid": "11111111-2222-3333-4444-555555555555"}, None),
        ({"oid": "", "tid": "11111111-2222-3333-4444-555555555555"}, None),
        ({"oid": ["o-1"], "tid": "11111111-2222-3333-4444-555555555555"}, None),
    ],
)
def test_entra_names_a_person_by_object_id_and_only_of_its_own_tenant(changes: dict[str, Any], who: str | None) -> None:
    entra = provider_of("entra", ENTRA)
    text = token(iss=ENTRA, **changes)
    if who is None:
        with pytest.raises(SignInRefused, match="could not be checked"):
            check_token(text, KEYS, entra, nonce="n", now=NOW)
    else:
        assert check_token(text, KEYS, entra, nonce="n", now=NOW) == Identity(issuer=ENTRA, subject=who)
