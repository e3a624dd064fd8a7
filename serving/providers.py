"""Who may sign people in: the providers of `oidc.toml`, and what is particular to Entra, Google and DfE Sign-in.

Whatever the provider, a person is known by the issuer and one claim that is theirs for good. What else a token says
(an e-mail address, groups, DfE Sign-in's organisation and roles) is never read: who may do what, and at which school,
is said in Belong alone.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from records.home import Home
from records.refusal import Refusal

PROVIDERS_FILE = "oidc.toml"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_GUID: Final = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class NoProvider(Refusal):
    """The home names no usable way to sign in."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What is particular to one provider.

    Attributes
    ----------
    host
        The end of its issuers' host names; an issuer there must be of this kind.
    issuer
        What its issuer looks like, whole. A group `tenant` must come back in the token's claim `tid`.
    says
        The same for people, in a refusal.
    subject
        The claim that names a person for good.
    """

    host: str
    issuer: str
    says: str
    subject: str = "sub"


KINDS: Final[Mapping[str, Kind]] = {
    # The endpoints 'common' and 'organizations' sign in the people of every organisation there is. A person's `sub`
    # is another for each registered application, and shown to nobody; `oid` stays, and stands in Entra's own pages.
    "entra": Kind(
        host="login.microsoftonline.com",
        issuer=rf"https://login\.microsoftonline\.com/(?P<tenant>{_GUID})/v2\.0",
        says="https://login.microsoftonline.com/ with the tenant's own id and /v2.0, never 'common'",
        subject="oid",
    ),
    "google": Kind(
        host="accounts.google.com",
        issuer=r"https://accounts\.google\.com",
        says="https://accounts.google.com",
    ),
    # Its issuer has been written with and without the port.
    "dfe": Kind(
        host="signin.education.gov.uk",
        issuer=r"https://((test|pp)-)?oidc\.signin\.education\.gov\.uk(:443)?",
        says="https://oidc.signin.education.gov.uk, as its discovery document writes it",
    ),
    "openid": Kind(host="", issuer=".+", says="the address that its discovery document names"),
}


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One OpenID Connect provider, as `oidc.toml` describes it; `label` is what its button says."""

    name: str
    issuer: str
    client_id: str
    client_secret: str
    label: str
    kind: str = "openid"

    def __post_init__(self) -> None:
        address = urlsplit(self.issuer)
        if address.scheme != "https" and not (address.scheme == "http" and self.local):
            raise NoProvider(f"{PROVIDERS_FILE}: issuer of {self.name!r} must be an https address")
        if self.kind not in KINDS:
            raise NoProvider(f"{PROVIDERS_FILE}: kind of {self.name!r} is none of {', '.join(KINDS)}")
        meant = next((kind for kind, one in KINDS.items() if one.host and str(address.hostname).endswith(one.host)), "")
        if meant and meant != self.kind:
            raise NoProvider(f'{PROVIDERS_FILE}: write kind = "{meant}" for {self.name!r}, which is one')
        if not self.local and not re.fullmatch(KINDS[self.kind].issuer, self.issuer):
            raise NoProvider(f"{PROVIDERS_FILE}: issuer of {self.name!r} must be {KINDS[self.kind].says}")

    @property
    def local(self) -> bool:
        """Whether it runs on this machine, as only a demonstration's may."""
        return urlsplit(self.issuer).hostname in LOOPBACK

    @property
    def subject_claim(self) -> str:
        """The claim that names a person for good."""
        return KINDS[self.kind].subject

    @property
    def tenant(self) -> str | None:
        """The organisation whose people alone it may sign in, where the issuer names it."""
        found = re.fullmatch(KINDS[self.kind].issuer, self.issuer)
        return found.groupdict().get("tenant") if found else None


def read_providers(home: Home) -> tuple[Provider, ...]:
    """Return the providers of `oidc.toml`: one `[[provider]]` table each; none where the file is missing.

    Raises
    ------
    NoProvider
        The file or a client secret's file cannot be read, a kind is unknown, or an issuer is not one of its kind.
    """
    file = home.path / PROVIDERS_FILE
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
        found = tuple(_provider(home.path, table) for table in said.get("provider", []))
    except FileNotFoundError as error:
        if error.filename == str(file):
            return ()
        raise NoProvider(f"{PROVIDERS_FILE} names a client_secret_file that does not exist") from None
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise NoProvider(f"{file.name}: {error}") from error
    if not home.demo and any(provider.local for provider in found):
        raise NoProvider(f"{PROVIDERS_FILE}: only a demonstration may use a sign-in service on this machine")
    return found


def _provider(folder: Path, table: Mapping[str, str]) -> Provider:
    return Provider(
        name=table["name"],
        issuer=table["issuer"].rstrip("/"),
        client_id=table["client_id"],
        client_secret=(folder / table["client_secret_file"]).read_text(encoding="utf-8").strip(),
        label=table["label"],
        kind=table.get("kind", "openid"),
    )
