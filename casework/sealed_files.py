"""Files that lie in the home sealed: written as they stream in, opened block by block, never whole in memory.

Each file has a key of its own, wrapped under the home's master key and bound to the file's id. Blocks are
AES-256-GCM with their number and whether they are the last as what they are bound to (the STREAM
construction: Hoang, Reyhanitabar, Rogaway and Vizár 2015), so that none can be cut off, moved or exchanged.
"""

import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from casework.names import KEY_BYTES
from records.home import Home
from records.refusal import Refusal

FOLDER = "uploads"
BLOCK_BYTES = 1 << 20
_TAG_BYTES = 16
_NONCE_BYTES = 12


class CannotOpen(Refusal):
    """A sealed file does not open: it was changed or cut short, or the home's key is another."""


def sealed_folder(home: Home) -> Path:
    """Return the home's folder of sealed files, readable by its owner only, making it the first time."""
    folder = home.path / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def sealed_path(home: Home, file_id: uuid.UUID) -> Path:
    """Return where a sealed file lies."""
    return home.path / FOLDER / f"{file_id}.sealed"


class SealedWriter:
    """A file being sealed as its bytes come; what a multipart parser takes for a file.

    Attributes
    ----------
    size, digest
        Of what was written so far, in bytes and as a SHA-256.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.kept = False
        self._key = AESGCM.generate_key(8 * KEY_BYTES)
        self._digest = hashlib.sha256()
        self._number = 0
        self._waiting = bytearray()
        # O_EXCL: an id is used once. 0600 from the first byte on.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file: BinaryIO | None = os.fdopen(descriptor, "wb")

    @property
    def digest(self) -> str:
        """The SHA-256 of what was written, in hexadecimal."""
        return self._digest.hexdigest()

    def write(self, data: bytes) -> int:
        """Take the next bytes."""
        self.size += len(data)
        self._digest.update(data)
        self._waiting += data
        # A full block waits until more comes: only then is it known not to be the last.
        while len(self._waiting) > BLOCK_BYTES:
            self._write_block(bytes(self._waiting[:BLOCK_BYTES]), last=False)
            del self._waiting[:BLOCK_BYTES]
        return len(data)

    def seek(self, place: int) -> int:
        """Stand for the rewind with which a parser ends a file; nothing can be read back here."""
        return place

    def finish(self, master: bytes, file_id: uuid.UUID) -> bytes:
        """Write the last block to the disk for good, and return the file's key, wrapped under the master key."""
        self._write_block(bytes(self._waiting), last=True)
        self._waiting.clear()
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(master).encrypt(nonce, self._key, file_id.bytes)

    def keep(self) -> None:
        """Say that a row in the database speaks of the file now, so that closing leaves it."""
        self.kept = True

    def close(self) -> None:
        """Let go of the file, and delete it unless it is kept."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if not self.kept:
            self.path.unlink(missing_ok=True)

    def _write_block(self, block: bytes, *, last: bool) -> None:
        assert self._file is not None, "a finished file takes nothing more"
        self._file.write(AESGCM(self._key).encrypt(_nonce(self._number), block, _bound(self._number, last)))
        self._number += 1


def blocks_of(path: Path, master: bytes, file_id: uuid.UUID, wrapped: bytes) -> Iterator[bytes]:
    """Yield the file's bytes, a block at a time, each proven before it is yielded.

    Raises
    ------
    CannotOpen
        A block was changed, moved or cut off, or the master key is not the one it was sealed under.
    """
    try:
        key = AESGCM(AESGCM(master).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], file_id.bytes))
        with path.open("rb") as file:
            number, block = 0, file.read(BLOCK_BYTES + _TAG_BYTES)
            while True:
                following = file.read(BLOCK_BYTES + _TAG_BYTES)
                yield key.decrypt(_nonce(number), block, _bound(number, not following))
                if not following:
                    return
                number, block = number + 1, following
    except (InvalidTag, OSError, ValueError) as error:
        raise CannotOpen(
            "an uploaded file does not open: it was changed, cut short or deleted, or the home's identities.key is "
            "another; send the file again"
        ) from error


def _nonce(number: int) -> bytes:
    return number.to_bytes(_NONCE_BYTES, "big")


def _bound(number: int, last: bool) -> bytes:
    return number.to_bytes(8, "big") + bytes([last])
