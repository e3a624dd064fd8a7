"""How letters are sent: through the mail server that post.toml names, or into a demonstration's outbox."""

import os
import re
import smtplib
import ssl
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated, Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from records.home import Home
from records.refusal import Refusal

POST_FILE = "post.toml"
OUTBOX = "outbox"
DEMO_ADDRESS = "http://127.0.0.1:8000"
TIMEOUT_SECONDS = 30
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
Words = Annotated[str, Field(min_length=3)]


class PostRefused(Refusal):
    """Letters cannot be sent: the home does not say how, or the mail server does not take them."""


class Post(BaseModel):
    """What post.toml says.

    Attributes
    ----------
    address
        Where staff reach the site; it stands in the letters.
    sender
        The address that letters come from.
    host, port, security
        The mail server. 'none' is for a server on this machine only.
    username, password_file
        Where the server asks for them; the file lies under the home's `secrets/`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[str, Field(pattern=r"^https?://[^\s/]+$")]
    sender: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    host: Words
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password_file: str = ""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.security == "none" and self.host not in _LOOPBACK:
            raise ValueError("security 'none' is for a mail server on this machine; write 'starttls' or 'tls'")
        if bool(self.username) != bool(self.password_file):
            raise ValueError("username and password_file go together")
        return self


class Carrier(Protocol):
    """What takes a letter; raises `smtplib.SMTPException` where the server refuses it."""

    def send_message(self, message: EmailMessage) -> object:
        """Take one letter."""
        ...


class Outbox:
    """A demonstration's mail server: a folder of letters that nobody gets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, exist_ok=True)

    def send_message(self, message: EmailMessage) -> object:
        """Write one letter."""
        name = (
            re.sub("[^a-z0-9-]+", "-", f"{message['X-Belong-Week']}-{message['To'].partition('@')[0]}".lower()) + ".eml"
        )
        partial = self.folder / f"{name}.partial"
        partial.write_bytes(message.as_bytes())
        os.replace(partial, self.folder / name)
        return {}


def read_post(home: Home) -> Post | None:
    """Return how the home sends letters; None for a demonstration, whose letters go into its outbox.

    Raises
    ------
    PostRefused
        post.toml is missing, or says something that it cannot.
    """
    path = home.path / POST_FILE
    try:
        return Post.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        if home.demo:
            return None
        raise PostRefused(
            f"{path} is missing: write the site's address, the sender, and the mail server's host, port and security "
            "(docs/governance/every_day.md)"
        ) from None
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg']}" for one in error.errors())
        raise PostRefused(f"{path} cannot be used: {told}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PostRefused(f"{path} cannot be read: {error}") from error


@contextmanager
def carrier(home: Home, post: Post | None) -> Iterator[Carrier]:
    """Open the way that letters take, until the block ends.

    Raises
    ------
    PostRefused
        The mail server cannot be reached, or does not let Belong in.
    """
    if post is None:
        yield Outbox(home.path / OUTBOX)
        return
    try:
        server = _connected(home, post)
    except (OSError, smtplib.SMTPException) as error:
        raise PostRefused(
            f"the mail server {post.host}, port {post.port}, takes no letters ({type(error).__name__}); "
            f"check {POST_FILE}"
        ) from error
    with server:
        yield server


def _connected(home: Home, post: Post) -> smtplib.SMTP:
    secure = ssl.create_default_context()
    if post.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(post.host, post.port, timeout=TIMEOUT_SECONDS, context=secure)
    else:
        server = smtplib.SMTP(post.host, post.port, timeout=TIMEOUT_SECONDS)
    try:
        if post.security == "starttls":
            server.starttls(context=secure)
        if post.username:
            password = (home.secrets / post.password_file).read_text(encoding="utf-8").strip()
            server.login(post.username, password)
    except BaseException:
        server.close()
        raise
    return server
