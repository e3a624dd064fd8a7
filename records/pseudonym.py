"""Pseudonyms: the only code that sees a unique pupil number.

A pseudonym is 63 bits of HMAC-SHA256(UPN, pepper). A bare hash would be undone by trying every number:
there are few. The pepper lies in the home's secrets, apart from the records and from their backups.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from stdnum.gb import upn as upn_standard

from records.home import Home
from records.refusal import Refusal

UPN_LENGTH = 13
PEPPER_BYTES = 32
# The characters of a UPN, in the order of their values: I, O and S are left out.
ALPHABET = "ABCDEFGHJKLMNPQRTUVWXYZ0123456789"
_SIXTY_THREE_BITS = (1 << 63) - 1

PROVEN = ""
EMPTY = "UPN is empty"
NOT_A_UPN = "UPN is not a letter and twelve digits"
WRONG_LETTER = "UPN's check letter does not match its digits"
TEMPORARY = "UPN is temporary"


class PepperRefused(Refusal):
    """The key of the pseudonyms is missing or not safe to use."""


def create_pepper(home: Home, *, demo_seed: int | None = None) -> None:
    """Make the home's pepper, unless it is there: random, as it must be where pupils are real.

    `demo_seed` makes a demonstration's pepper from its seed, so that two demonstrations of one seed have
    the same pseudonyms, and with them the same bundle.

    Raises
    ------
    PepperRefused
        Records have landed under a pepper that is gone: a new one would make every pupil a stranger. Or
        a seed was given for a home that is no demonstration.
    """
    if demo_seed is not None and not home.demo:
        raise PepperRefused(f"{home.path} is not a demonstration, and only a demonstration's pepper may be foreseeable")
    path = home.secrets / f"pepper-v{home.pepper_version}"
    if path.exists():
        return
    if home.history.exists() and any(home.history.iterdir()):
        raise PepperRefused(
            f"{path} is missing though records have landed; restore it from its own backup: "
            "a new one would part every pupil from their history"
        )
    home.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    pepper = secrets.token_hex(PEPPER_BYTES)
    if demo_seed is not None:
        pepper = hashlib.sha256(f"belong demonstration {demo_seed}".encode()).hexdigest()[: 2 * PEPPER_BYTES]
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(pepper + "\n")
        file.flush()
        os.fsync(file.fileno())
    # A hard link appears whole or not at all, and does not replace: a process killed here leaves no half pepper.
    with contextlib.suppress(FileExistsError):
        os.link(partial, path)
    partial.unlink()


def read_pepper(home: Home) -> bytes:
    """Return the home's pepper.

    Raises
    ------
    PepperRefused
        It is missing, too short, or readable by others than its owner.
    """
    path = home.secrets / f"pepper-v{home.pepper_version}"
    try:
        text = path.read_text(encoding="ascii").strip()
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise PepperRefused(f"{path} cannot be read; restore it from its own backup") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise PepperRefused(f"{path} can be read by others than its owner; set its mode to 600")
    try:
        pepper = bytes.fromhex(text)
    except ValueError:
        raise PepperRefused(f"{path} is not {PEPPER_BYTES} bytes in hexadecimal") from None
    if len(pepper) < PEPPER_BYTES:
        raise PepperRefused(f"{path} is shorter than {PEPPER_BYTES} bytes")
    return pepper


def canonical(upn: str) -> str:
    """Return the number without spaces and in capitals: the check letter proves it is the same one."""
    return upn.replace(" ", "").upper()


def doubt(upn: str) -> str:
    """Return why this number does not prove who the pupil is, or '' when it does.

    The check letter is python-stdnum's. Its list of authorities is not used: it lacks those founded
    since 2019 (Dorset, the Northamptonshires, Cumberland ...), whose pupils would all be held.
    """
    number = canonical(upn)
    if not number:
        return EMPTY
    if len(number) != UPN_LENGTH or not number.isascii() or not number[1:-1].isdigit() or number[-1] not in ALPHABET:
        return NOT_A_UPN
    if upn_standard.calc_check_digit(number[1:]) != number[0]:
        return WRONG_LETTER
    return PROVEN if number[-1].isdigit() else TEMPORARY


def pseudonyms(upns: Sequence[str], pepper: bytes) -> npt.NDArray[np.int64]:
    """Return a pseudonym for each number, shape ``(n,)``, 0 to 2**63 - 1.

    Give distinct numbers: this is called on each once. Whether they are valid is `doubt`'s question.
    """
    made = (
        int.from_bytes(hmac.digest(pepper, canonical(upn).encode(), "sha256")[:8], "big") & _SIXTY_THREE_BITS
        for upn in upns
    )
    return np.fromiter(made, dtype=np.int64, count=len(upns))


class Prover:
    """Pseudonyms and doubts under one pepper, each number worked once: most files name the same pupils."""

    def __init__(self, pepper: bytes) -> None:
        self._pepper = pepper
        self._met: dict[str, tuple[int, str]] = {}

    def prove(self, upns: Sequence[str]) -> tuple[npt.NDArray[np.int64], Mapping[int, str]]:
        """Return a pseudonym for each number and, by its position, why it is not proven."""
        new = [upn for upn in dict.fromkeys(upns) if upn not in self._met]
        made = pseudonyms(new, self._pepper).tolist()
        self._met |= {upn: (number, doubt(upn)) for upn, number in zip(new, made, strict=True)}
        found = [self._met[upn] for upn in upns]
        doubts = {position: why for position, (_, why) in enumerate(found) if why}
        return np.array([number for number, _ in found], dtype=np.int64), doubts
