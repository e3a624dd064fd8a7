"""The command on the quality of records: which schools are held, why, and what to ask them."""

from pathlib import Path
from typing import Annotated

import typer

from serving.commands.options import DEFAULT_HOME, Exit, HomeOption, day_option, out
from serving.jobs.stages import Stages

PANEL = "Records"


def quality(
    home: HomeOption = DEFAULT_HOME,
    school: Annotated[int | None, typer.Option(help="One school's URN; default the whole network.")] = None,
    to: Annotated[
        Path | None, typer.Option("--out", help="Write the report to this file: .md for Markdown, .html for a page.")
    ] = None,
    accept: Annotated[
        str | None, typer.Option(metavar="RULE", help="Score the school in spite of this rule's doubt; with the below.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who accepts it: the person who answers for it.")] = "",
    until: Annotated[str | None, typer.Option(help="The last day it is accepted, YYYY-MM-DD.")] = None,
    reason: Annotated[str, typer.Option(help="Why the school may be scored all the same.")] = "",
) -> int:
    """Say which schools' records are in doubt and not scored, and what to ask. Exit code 0 whether or not one is."""
    from records.home import open_home
    from records.refusal import Refusal
    from serving.jobs.quality import accept_doubt, as_html, as_markdown, report_of

    here = open_home(home)
    if accept is not None:
        if school is None or until is None:
            raise Refusal("--accept needs --school URN, --until YYYY-MM-DD, --reason TEXT and --by NAME beside it")
        end = day_option("--until", until)
        for doubt in accept_doubt(here, rule=accept, school=school, until=end, reason=reason, by=by):
            out.print(f"Accepted by {by} until {end.isoformat()}: {doubt.sentence}", markup=False, highlight=False)
        out.print("The next `belong score` scores the school, unless another doubt holds it.")
        return Exit.DONE
    if to is not None and (to.suffix not in {".md", ".html"} or not to.parent.is_dir()):
        raise Refusal(f"--out is {to}; name a file that ends in .md or .html, in a folder that exists")
    with Stages(out)("Looking at each school's records"):
        report = report_of(here, school)
    if to is None:
        out.print(as_markdown(report), markup=False, highlight=False)
    else:
        to.write_text(as_html(report) if to.suffix == ".html" else as_markdown(report), encoding="utf-8")
        out.print(f"Written to {to}", markup=False)
    out.print(report.verdict, markup=False, highlight=False)
    return Exit.DONE


COMMANDS = (quality,)
