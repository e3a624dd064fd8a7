"""Commands that write documents for people: the board's report, and the governance drafts."""

from pathlib import Path
from typing import Annotated

import typer

from serving.commands.models import PANEL, DigestArgument
from serving.commands.options import DEFAULT_HOME, Exit, HomeOption, out

__all__ = ["COMMANDS", "PANEL"]


def report(
    digest: DigestArgument,
    home: HomeOption = DEFAULT_HOME,
    to: Annotated[
        Path | None, typer.Option("--out", help="The folder to write to; default: reports/DIGEST in the home.")
    ] = None,
) -> int:
    """Write the board's report on a candidate's audit: a page (HTML), a PDF and the figures shown in it (JSON)."""
    from records.clock import clock_of
    from records.home import open_home
    from serving.jobs.gatekeeping import find_candidate
    from serving.jobs.reporting import write_report

    here = open_home(home)
    whole = find_candidate(here, digest)
    folder = here.path / "reports" / whole[:12] if to is None else to
    for file in write_report(here, whole, folder, clock_of(here).today()):
        out.print(f"Written to {file}", markup=False, highlight=False)
    return Exit.DONE


def documents(
    digest: Annotated[str, typer.Argument(help="The bundle's digest, or enough of its first digits.")] = "",
    home: HomeOption = DEFAULT_HOME,
    to: Annotated[
        Path | None, typer.Option("--out", help="The folder to write to; default: documents/DIGEST in the home.")
    ] = None,
    template: Annotated[
        bool, typer.Option("--template", help="Print an empty documents.toml, for what only people can write.")
    ] = False,
) -> int:
    """Write the governance documents as drafts (model card, annex, notices and others), and say what is missing."""
    from fairness.documents.human import template as empty
    from records.clock import clock_of
    from records.home import open_home
    from records.refusal import Refusal
    from serving.jobs.gatekeeping import find_candidate
    from serving.jobs.governance import IMPACT, write_documents

    if template:
        out.print(empty(), end="", markup=False, highlight=False)
        return Exit.DONE
    if not digest:
        raise Refusal("name a candidate by its digest, or give --template")
    here = open_home(home)
    whole = find_candidate(here, digest)
    folder = here.path / "documents" / whole[:12] if to is None else to
    written = write_documents(here, whole, folder, clock_of(here).today())
    for one in written:
        out.print(f"{one.name}: {', '.join(str(file) for file in one.files)}", markup=False, highlight=False)
    missing = list(dict.fromkeys(field for one in written for field in one.missing))
    out.print(f"Missing, for people to write ({len(missing)}):" if missing else "Nothing is missing.")
    for field in missing:
        out.print(f"- {field}", markup=False, highlight=False)
    annex = next(one for one in written if one.name == IMPACT)
    out.print(f"Digest of the impact-assessment annex, for the approval: {annex.digest}", markup=False, highlight=False)
    return Exit.DONE


COMMANDS = (report, documents)
