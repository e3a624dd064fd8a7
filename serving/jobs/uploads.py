"""What schools brought on the page, taken further: columns proposed, rows checked, confirmed files taken in.

The web process seals bytes and asks; this job, another process, opens them. Each step ends in one transaction
that moves the upload's state, so a job killed at any moment does that step again: proposing and checking write
nothing else, and a load lands once (records/intake).
"""

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from casework.database import connect, identities_key, migrate, scoped
from casework.published_facts import CannotPublish
from casework.sealed_files import CannotOpen, blocks_of, sealed_folder, sealed_path
from casework.uploads import Upload, any_waiting, left_lying, move, needed_files, uploads_in
from records.clock import clock_of
from records.home import Home
from records.intake import loads
from records.intake.ingest import ingest
from records.intake.lock import IngestRunning, only_one
from records.intake.preview import Preview, preview
from records.readers import confirmed
from records.readers.claims import known_mappings
from records.readers.confirmed import Confirmed
from records.readers.mapping import MappingRefused
from records.readers.proposing import Proposal, propose
from records.refusal import Refusal
from records.text.sheet import FileRefused
from records.text.unpacking import GZIP, unpacked
from serving.jobs.facts import publish_recorded
from serving.jobs.intake import saving
from serving.jobs.nightly import NotScored, list_is_due, score_network

LOCK_FILE = "uploads.lock"
OPEN_FOLDER = "open"
# The web process seals a file before it notes it; one that no row speaks of for so long was left behind.
_LEFT_BEHIND_SECONDS = 3600
_SWEEP_SECONDS = 3600.0
_PACKED = b"\x1f\x8b"
_FOREIGN: Mapping[bytes, str] = {
    b"PK": "it is a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "it is an old Excel workbook",
    b"%PDF": "it is a PDF",
    b"<": "it is XML or a web page",
    b"{": "it is JSON",
}


@dataclass
class Worked:
    """What one pass did, by the state it led to; `pupils` on roll where facts were published, `listed` flags given."""

    moved: dict[str, int] = field(default_factory=dict)
    pupils: int | None = None
    listed: int | None = None

    def add(self, state: str) -> None:
        """Count one upload that came to a state."""
        self.moved[state] = self.moved.get(state, 0) + 1


def work_on_uploads(home: Home, say: Callable[[str], None] = lambda words: None) -> Worked:
    """Take every upload as far as it goes without a person; what cannot be done now is done by the next pass."""
    migrate(home)
    engine = connect(home, "job")
    try:
        return _one_pass(home, engine, say)
    finally:
        engine.dispose()


def watch_uploads(home: Home, seconds: float, say: Callable[[str], None], beside: int | None = None) -> None:
    """Work on uploads as they come, until the process is ended, or `beside`, the process that started it, has.

    What cannot be done now (another ingest runs, the disk is full) is told, and tried again after a wait.
    """
    migrate(home)
    engine = connect(home, "job")
    swept = 0.0
    try:
        while beside is None or os.getppid() == beside:
            try:
                with scoped(engine, None) as session:
                    waiting = any_waiting(session)
                if waiting or time.monotonic() - swept > _SWEEP_SECONDS:
                    _one_pass(home, engine, say)
                    swept = time.monotonic()
            except Refusal as refusal:
                say(str(refusal))
                time.sleep(seconds * 5)
            time.sleep(seconds)
    finally:
        engine.dispose()


def _one_pass(home: Home, engine: Engine, say: Callable[[str], None]) -> Worked:
    worked = Worked()
    with only_one(home, LOCK_FILE) as mine:
        if mine:
            _Worker(home, engine, say, worked).run()
    return worked


@dataclass(frozen=True)
class _Worker:
    home: Home
    engine: Engine
    say: Callable[[str], None]
    worked: Worked

    def run(self) -> None:
        self._sweep()
        self._each("sent", self._propose)
        self._each("confirmed", self._check)
        with scoped(self.engine, None) as session:
            taken = uploads_in(session, "taking_in")
        if taken:
            # One at a time may be running; the uploads wait where they are.
            with contextlib.suppress(IngestRunning):
                self._take_in(taken)
        self._sweep()

    def _each(self, state: str, work: Callable[[Upload], None]) -> None:
        with scoped(self.engine, None) as session:
            waiting = uploads_in(session, state)
        for number, upload in enumerate(waiting, start=1):
            self.say(f"{upload.state_words} ({number} of {len(waiting)})")
            try:
                work(upload)
            except (FileRefused, MappingRefused, CannotOpen) as refusal:
                self._move(upload, "refused", sentence=_without_name(refusal))

    def _move(self, upload: Upload, end: str, **values: object) -> None:
        with scoped(self.engine, None) as session:
            if move(session, upload, end, None, **values):
                self.worked.add(end)

    def _propose(self, upload: Upload) -> None:
        """Propose columns, or go straight on where the school has confirmed such headings before."""
        with self._opened([(upload, "file")]) as (path,):
            _refuse_foreign(path)
            made = propose(unpacked(path), "the file", known_mappings(self.home), upload.system)
        proposal = asdict(made)
        for known in confirmed.saved(self.home, upload.school):
            (export,) = known.mapping.export
            if confirmed.fits(known.mapping, made.headings, made.encoding, upload.system):
                self._move(upload, "confirmed", proposal=proposal, kind=export.table)
                return
        self._move(upload, "columns", proposal=proposal, kind=made.table)

    def _check(self, upload: Upload) -> None:
        """Save what was confirmed as the mapping that every ingest uses, and tell what would come of the rows."""
        if upload.columns:
            confirmed.save(self.home, confirmed_of(upload))
        with self._opened([(upload, upload.kind)]) as (path,):
            found = preview(self.home, path, school=upload.school, clock=clock_of(self.home))
        if found.loaded_on is not None:
            self._move(upload, "already", sentence=f"This file was loaded on {found.loaded_on:%-d %B %Y}.")
        else:
            self._move(upload, "checked", findings=findings_of(found))

    def _take_in(self, uploads: Sequence[Upload]) -> None:
        today = clock_of(self.home).today()
        wanted = []
        for upload in uploads:
            try:
                with self._opened([(upload, upload.kind)]):
                    wanted.append(upload)
            except CannotOpen as refusal:
                self._move(upload, "refused", sentence=_without_name(refusal))
        if not wanted:
            return
        with self._opened([(upload, upload.kind) for upload in wanted]) as paths:
            summary = ingest(
                self.home,
                paths[0].parent,
                clock=clock_of(self.home),
                save_identities=saving(self.engine, today),
                progress=lambda _, done, whole: self.say(f"Taking in ({done} of {whole})"),
            )
            refused = {one.file: one for one in summary.refused}
            self._show()
            for upload, path in zip(wanted, paths, strict=True):
                landed = loads.find(self.home, upload.digest)
                if path.name in refused:
                    self._move(upload, "refused", sentence=_without_name(refused[path.name]))
                elif landed is not None:
                    # From the ledger, not from this run: the run that landed it may have been killed since.
                    fates = {name: asdict(one) for name, one in landed.tables.items()}
                    self._move(upload, "landed", findings={**upload.findings, "fates": fates})

    def _show(self) -> None:
        """Publish what is recorded now, and the week's list where one is due and a model may serve."""
        self.say("Showing the records on the pages")
        with contextlib.suppress(CannotPublish):
            shown = publish_recorded(self.home)
            self.worked.pupils = shown.pupils if shown else None
        if list_is_due(self.home):
            with contextlib.suppress(NotScored, CannotPublish):
                self.worked.listed = score_network(self.home).published.flags

    @contextlib.contextmanager
    def _opened(self, uploads: Sequence[tuple[Upload, str]]) -> Iterator[tuple[Path, ...]]:
        """Lay files open in a folder of their own for as long as the block lasts."""
        folder = sealed_folder(self.home) / OPEN_FOLDER / uuid.uuid4().hex
        folder.mkdir(mode=0o700, parents=True)
        master = identities_key(self.home)
        try:
            yield tuple(_lay_open(self.home, folder, master, upload, kind) for upload, kind in uploads)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _sweep(self) -> None:
        """Delete what a killed job left open, what nobody went on with, and bytes that no upload needs."""
        shutil.rmtree(sealed_folder(self.home) / OPEN_FOLDER, ignore_errors=True)
        with scoped(self.engine, None) as session:
            late = left_lying(session, datetime.now(UTC))
        for upload in late:
            self._move(upload, "expired", sentence="Nobody went on with it for a week, so the file was deleted.")
        with scoped(self.engine, None) as session:
            needed = dict(needed_files(session))
        for path in sealed_folder(self.home).glob("*.sealed"):
            with contextlib.suppress(OSError, ValueError):
                left_behind = time.time() - path.stat().st_mtime > _LEFT_BEHIND_SECONDS
                if not needed.get(uuid.UUID(path.stem), not left_behind):
                    path.unlink()


def confirmed_of(upload: Upload) -> Confirmed:
    """Return what a person confirmed of an upload's columns."""
    said: dict[str, Any] = {**upload.columns, "headings": tuple(upload.columns["headings"])}
    return Confirmed(school=upload.school, system=upload.system, table=upload.kind, **said)


def findings_of(found: Preview) -> dict[str, Any]:
    """Return a preview as plain values for the page."""
    said = asdict(found)
    days = {name: said.pop(name) for name in ("first", "last")}
    del said["loaded_on"]
    return {**said, **{name: day.isoformat() if day else None for name, day in days.items()}}


def proposal_of(upload: Upload) -> Proposal:
    """Return the proposal that the job made of an upload."""
    said: dict[str, Any] = {**upload.proposal, "headings": tuple(upload.proposal["headings"])}
    return Proposal(**said)


def _lay_open(home: Home, folder: Path, master: bytes, upload: Upload, kind: str) -> Path:
    blocks = blocks_of(sealed_path(home, upload.id), master, upload.id, upload.key or b"")
    first = next(blocks)
    packed = first.startswith(_PACKED)
    if kind in ("", "file"):
        path = folder / f"file{GZIP if packed else '.csv'}"
    else:
        path = folder / confirmed.file_name(upload.school, kind, upload.id.hex[:12], packed=packed)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(first)
        for block in blocks:
            file.write(block)
    return path


def _refuse_foreign(path: Path) -> None:
    with path.open("rb") as file:
        first = file.read(16).lstrip()
    for mark, what in _FOREIGN.items():
        if first.startswith(mark):
            raise FileRefused(
                file="the file", place="byte 0", what=what, remedy="save or export each table as CSV, and send those"
            )


def _without_name(refusal: Refusal) -> str:
    """Return the refusal as a sentence without the name of our own making."""
    if isinstance(refusal, FileRefused):
        place = refusal.place[:1].upper() + refusal.place[1:]
        return f"{place}: {refusal.what}. {refusal.remedy[:1].upper()}{refusal.remedy[1:]}."
    return str(refusal)
