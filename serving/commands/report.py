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


COMMANDS = (report,)
