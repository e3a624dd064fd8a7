"""Pseudonyms: the only code that sees a unique pupil number.

A pseudonym is 63 bits of HMAC-SHA256(UPN, pepper). A bare hash would be undone by trying every number:
there are few. The pepper lies in the home's secrets, apart from the records and from their backups.
"""

import contextlib
import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from stdnum.gb import upn as upn_standard

from records.home import Home
from records.refusal import Refusal
from records.upns import ALPHABET, sound
from records.upns import LENGTH as UPN_LENGTH

PEPPER_BYTES = 32
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
    return _keyed(map(canonical, upns), pepper)


def _keyed(numbers: Iterable[str], pepper: bytes) -> npt.NDArray[np.int64]:
    keyed = HMAC(pepper, SHA256())
    made = bytearray()
    for number in numbers:
        # A copy of one keyed state: setting up the key anew for each number takes twice as long.
        one = keyed.copy()
        one.update(number.encode())
        made += one.finalize()[:8]
    return (np.frombuffer(made, dtype=">u8") & np.uint64(_SIXTY_THREE_BITS)).astype(np.int64)


class Prover:
    """Pseudonyms and doubts under one pepper, each number worked once: most files name the same pupils."""

    def __init__(self, pepper: bytes, trusted: frozenset[int] = frozenset()) -> None:
        self._pepper = pepper
        self._trusted = trusted
        self._met: dict[str, int] = {}
        self._doubted: dict[str, str] = {}
        self._last: tuple[Sequence[str], npt.NDArray[np.int64], Mapping[int, str]] | None = None

    def trusting(self, temporary: frozenset[int]) -> "Prover":
        """Return a prover for whom these temporary numbers are proven: a school said whose they are."""
        return Prover(self._pepper, temporary)

    def prove(self, upns: Sequence[str]) -> tuple[npt.NDArray[np.int64], Mapping[int, str]]:
        """Return a pseudonym for each number and, by its position, why it is not proven."""
        if self._last is not None and self._last[0] is upns:
            # The batches of one sheet share its column of numbers.
            return self._last[1], self._last[2]
        new = [upn for upn in upns if upn not in self._met] if self._met else upns
        unsure = ~sound(new)
        # What is sound as it was written is canonical.
        made = pseudonyms(new, self._pepper) if unsure.any() else _keyed(new, self._pepper)
        self._met.update(zip(new, made.tolist(), strict=True))
        for place in np.flatnonzero(unsure).tolist():
            if why := self._doubt(new[place], int(made[place])):
                self._doubted[new[place]] = why
        # A look-up for each of a million numbers takes as long as making them: none where all are new.
        everyone = map(self._met.__getitem__, upns)
        numbers = made if len(new) == len(upns) else np.fromiter(everyone, dtype=np.int64, count=len(upns))
        doubts = {}
        if self._doubted:
            doubts = {place: self._doubted[upn] for place, upn in enumerate(upns) if upn in self._doubted}
        if isinstance(upns, tuple):
            self._last = (upns, numbers, doubts)
        return numbers, doubts

    def _doubt(self, upn: str, number: int) -> str:
        why = doubt(upn)
        return PROVEN if why == TEMPORARY and number in self._trusted else why
