"""Forms with files: for pages that declare it alone, capped, and sealed on their way to the disk.

The web process looks at no byte of a file: it seals what streams in. Who may not send is told before anything
is read.
"""

import uuid
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from casework.sealed_files import SealedWriter, sealed_folder, sealed_path
from records.home import Home

MEGABYTE = 1_000_000
_FIELDS_MOST = 20
# What the boundaries and fields of a form take beside its files.
_AROUND_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class FileLimits:
    """What files a page takes: how many at once, and how large each and all together may be, in bytes."""

    files: int
    file_bytes: int
    all_bytes: int

    @property
    def body_bytes(self) -> int:
        """The longest body."""
        return self.all_bytes + _AROUND_BYTES


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A form as it was sent: its fields, and its files by field, each sealed in the home under its id."""

    form: Mapping[str, tuple[str, ...]]
    files: Mapping[str, tuple[tuple[uuid.UUID, SealedWriter], ...]]

    def close(self) -> None:
        """Delete what no page has kept."""
        for several in self.files.values():
            for _, file in several:
                file.close()


class TooLarge(HTTPException):
    """A file, or the whole form, is larger than the page takes."""

    def __init__(self) -> None:
        super().__init__(status_code=413)


async def read_files(request: Request, home: Home, limits: FileLimits) -> Sent:
    """Return the form with its files sealed.

    Raises
    ------
    TooLarge
        A file or the whole is larger than the page takes; nothing of it stays.
    HTTPException
        400: it is no multipart form, or has more files or fields than the page takes.
    """
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > limits.body_bytes:
        raise TooLarge
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(400)
    parser = _SealingParser(request.headers, _counted(request, limits.body_bytes), home, limits)
    try:
        said = await parser.parse()
    except MultiPartException:
        raise HTTPException(400) from None
    fields = {
        name: tuple(value for value in said.getlist(name) if not isinstance(value, UploadFile))
        for name in dict.fromkeys(said)
    }
    return Sent(form=fields, files=_by_field(said.multi_items(), parser.sealed))


def _by_field(
    items: Iterable[tuple[str, object]], sealed: Mapping[int, tuple[uuid.UUID, SealedWriter]]
) -> Mapping[str, tuple[tuple[uuid.UUID, SealedWriter], ...]]:
    found: dict[str, tuple[tuple[uuid.UUID, SealedWriter], ...]] = {}
    for name, value in items:
        if isinstance(value, UploadFile):
            found[name] = (*found.get(name, ()), sealed[id(value.file)])
    return found


async def _counted(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    # A body that does not declare its length is stopped where it passes the limit.
    count = 0
    async for chunk in request.stream():
        count += len(chunk)
        if count > most:
            raise TooLarge
        yield chunk


class _CappedWriter(SealedWriter):
    """A sealed file that refuses to grow past the page's limit."""

    most: int = 0

    def write(self, data: bytes) -> int:
        if self.size + len(data) > self.most:
            raise TooLarge
        return super().write(data)


class _SealingParser(MultiPartParser):
    """Starlette's parser, with files sealed in the home instead of in the clear in a temporary folder."""

    def __init__(self, headers: Headers, stream: AsyncGenerator[bytes, None], home: Home, limits: FileLimits) -> None:
        super().__init__(headers, stream, max_files=limits.files, max_fields=_FIELDS_MOST)
        self.sealed: dict[int, tuple[uuid.UUID, SealedWriter]] = {}
        self._home = home
        self._limits = limits
        sealed_folder(home)

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        part = self._current_part
        if part.file is None:
            return
        part.file.file.close()
        file_id = uuid.uuid4()
        writer = _CappedWriter(sealed_path(self._home, file_id))
        writer.most = self._limits.file_bytes
        self.sealed[id(writer)] = (file_id, writer)
        # The name that the sender gave is let go here: it may be a pupil's.
        part.file = UploadFile(file=writer, size=0, filename="")  # type: ignore[arg-type]  # write, seek, close: all that is asked
        self._files_to_close_on_error[-1] = writer  # type: ignore[call-overload]  # closing it is all that is asked
