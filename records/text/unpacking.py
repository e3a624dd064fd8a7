"""A file's bytes, unpacked where it is gzip, never more than a cap: what is too large is refused before it is held."""

import gzip
import zlib
from pathlib import Path

from records.text.sheet import FileRefused

GZIP = ".gz"
# A year of a large secondary's marks is some 40 MB; a week of 1.2 million pupils as weekly strings some 90 MB.
UNPACKED_CAP_BYTES = 512 << 20
_BLOCK_BYTES = 1 << 20


def unpacked(path: Path) -> bytes:
    """Return the bytes of the file, or of what it packs when its name ends in .gz.

    A packed file is read twice: once only to count, so that a bomb takes no memory.

    Raises
    ------
    FileRefused
        It, or what it unpacks to, is larger than the cap; it is no whole gzip file; it cannot be opened.
    """
    try:
        if path.suffix.lower() != GZIP:
            _refuse_large(path.stat().st_size, path.name)
            return path.read_bytes()
        with gzip.open(path, "rb") as packed:
            count = 0
            while block := packed.read(_BLOCK_BYTES):
                count += len(block)
                _refuse_large(count, path.name)
        with gzip.open(path, "rb") as packed:
            return packed.read()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise FileRefused(
            file=path.name,
            place="file",
            what="it is not a whole gzip file",
            remedy="send it again: it may have been cut short on the way",
        ) from error
    except OSError as error:
        raise FileRefused(
            file=path.name,
            place="byte 0",
            what=f"it cannot be opened ({error.strerror})",
            remedy="check its permissions",
        ) from error


def _refuse_large(count: int, name: str) -> None:
    if count > UNPACKED_CAP_BYTES:
        raise FileRefused(
            file=name,
            place=f"byte {UNPACKED_CAP_BYTES}",
            what=f"it holds more than {UNPACKED_CAP_BYTES // 1_000_000} MB",
            remedy="export a shorter period, or one school in each file",
        )
