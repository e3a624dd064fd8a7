"""Commands on people's rights: a pupil's own file, objection, erasure, and the purge of what is past its time."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from serving.commands.options import DEFAULT_HOME, Exit, HomeOption, out
from serving.jobs.stages import Stages

if TYPE_CHECKING:
    from casework.privacy.request import Asked

PANEL = "Rights"
NumberOption = Annotated[
    Path | None, typer.Option("--upn-file", help="A file with the pupil's UPN and nothing else; - reads it from input.")
]
PupilOption = Annotated[
    UUID | None, typer.Option("--pupil", help="The pupil's id in the address of their page; instead of a UPN.")
]
OfficerOption = Annotated[
    str, typer.Option("--decided-by", help="The subject under which the data-protection officer signs in.")
]
NoteOption = Annotated[
    Path, typer.Option("--note-file", help="A file that says why, in 20 characters or more, naming nobody.")
]


def export(
    to: Annotated[Path, typer.Option("--out", help="A new file for the page (HTML); the data go beside it as JSON.")],
    by: OfficerOption,
    upn_file: NumberOption = None,
    pupil: PupilOption = None,
    home: HomeOption = DEFAULT_HOME,
) -> int:
    """Write everything held about one pupil in plain words, for the pupil and the family. The look is logged."""
    from casework.database import connect
    from casework.privacy.pupil_file import export as write
    from records.clock import clock_of
    from records.home import open_home

    here = open_home(home)
    engine = connect(here, "job")
    try:
        made = write(engine, here, _asked(upn_file, pupil), by=by, out=to, today=clock_of(here).today())
    finally:
        engine.dispose()
    out.print(f"{made.rows:,} rows in {len(made.parts)} holdings, in {to} and {to.with_suffix('.json').name}")
    return Exit.DONE


def objection(
    by: OfficerOption,
    note_file: NoteOption,
    upn_file: NumberOption = None,
    pupil: PupilOption = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="End an objection instead.")] = False,
    home: HomeOption = DEFAULT_HOME,
) -> int:
    """Record an objection: from the next run the pupil is not scored, and stays in every count. Old flags stay."""
    from casework.database import connect
    from casework.privacy.objections import Answer
    from casework.privacy.objections import objection as record
    from records.clock import clock_of
    from records.home import open_home

    here = open_home(home)
    answer = Answer(asked=_asked(upn_file, pupil), decided_by=by, note=_read(note_file), withdrawn=withdraw)
    engine = connect(here, "job")
    try:
        changed = record(engine, here, answer, clock_of(here).today())
    finally:
        engine.dispose()
    if not changed:
        out.print("The objection stands already; nothing was changed.")
    else:
        out.print("The objection is withdrawn." if withdraw else "Recorded: the pupil is not scored from the next run.")
    return Exit.DONE


def erase(
    by: OfficerOption,
    note_file: NoteOption,
    ground: Annotated[
        str, typer.Option(help="retention_ended, unlawful_processing, wrong_person or objection_upheld.")
    ],
    upn_file: NumberOption = None,
    pupil: PupilOption = None,
    refuse: Annotated[
        bool, typer.Option("--refuse", help="Record that the request is refused, and erase nothing.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
) -> int:
    """Erase one pupil everywhere, for good, and print the certificate; or record that the request is refused."""
    from casework.privacy.erasure import Decision
    from casework.privacy.erasure import erase as run
    from records.clock import clock_of
    from records.home import open_home

    here = open_home(home)
    decision = Decision(
        asked=_asked(upn_file, pupil), ground=ground, decided_by=by, note=_read(note_file), refused=refuse
    )
    if refuse:
        run(here, decision, clock_of(here).today(), lambda place: None)
        out.print("Recorded: the request is refused. Tell the family why, and that they may complain to the ICO.")
        return Exit.DONE
    with Stages(out)("Erasing") as say:
        certificate = run(here, decision, clock_of(here).today(), say)
    assert certificate is not None  # only a refusal has none
    out.print(certificate.as_text(), markup=False, highlight=False)
    return Exit.DONE


def unlink(
    by: OfficerOption,
    note_file: NoteOption,
    upn_file: Annotated[Path, typer.Option(help="A file with the number whose enrolment names a wrong former one.")],
    former_upn_file: Annotated[Path, typer.Option(help="A file with that former number: another pupil's.")],
    home: HomeOption = DEFAULT_HOME,
) -> int:
    """Part two pupils whom a school's wrong former UPN joined: for good, whatever later exports repeat."""
    from records.home import open_home
    from records.rights.parting import Parting
    from serving.jobs.parting import part_numbers

    here = open_home(home)
    number, former = (_read(file).strip() for file in (upn_file, former_upn_file))
    with Stages(out)("Parting the records"):
        done = part_numbers(here, Parting(number=number, former=former, by=by, note=_read(note_file).strip()))
    out.print(f"Parted; words of schools overruled: {done.words}. Ask the school to correct its record too.")
    named = ", ".join(done.exports)
    out.print(
        f"Ingest again, so that each has their own name on the pages: {named}; `belong score` then gives each their "
        "own weeks.",
        markup=False,
        highlight=False,
    )
    return Exit.DONE


def reapply_erasures(home: HomeOption = DEFAULT_HOME) -> int:
    """Erase again whoever a restored backup brought back: run it after every restore, before anyone signs in."""
    from casework.privacy.erasure import reapply
    from records.home import open_home

    here = open_home(home)
    with Stages(out)("Looking for erased pupils") as say:
        back = reapply(here, say)
    out.print(f"{back:,} pupils were back, and are erased again.")
    return Exit.DONE


def purge(home: HomeOption = DEFAULT_HOME) -> int:
    """Delete what is past its time: records, copies of exports, flags and cases. Prints and logs the counts."""
    from casework.privacy.retention import purge as run
    from records.clock import clock_of
    from records.home import open_home

    here = open_home(home)
    with Stages(out)("Deleting what is past its time"):
        done = run(here, clock_of(here).today())
    for what, counts in (("rows of", done.records), ("files of", done.copies), ("rows of", done.database)):
        for name, count in counts.items():
            if count:
                out.print(f"  {count:>12,}  {what} {name}", highlight=False)
    for sentence in done.operator:
        out.print(f"- {sentence}", markup=False, highlight=False)
    out.print(f"{done.total:,} in all.", highlight=False)
    return Exit.DONE


def _asked(upn_file: Path | None, pupil: UUID | None) -> "Asked":
    from casework.privacy.request import Asked

    return Asked(pupil_id=pupil, upn=None if upn_file is None else _read(upn_file).strip())


def _read(path: Path) -> str:
    """Return what a file, or the input, says: a pupil's number never stands on the command line."""
    from records.refusal import Refusal

    if str(path) == "-":
        return sys.stdin.read()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{path} cannot be read as text ({type(error).__name__}); name a plain text file") from error


COMMANDS = (purge,)
PUPIL_COMMANDS: Mapping[str, Callable[..., int]] = {
    "export": export,
    "object": objection,
    "erase": erase,
    "unlink": unlink,
    "reapply-erasures": reapply_erasures,
}
