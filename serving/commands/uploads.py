"""The command that works on what schools bring on the page."""

from typing import Annotated

import typer

from serving.commands.options import DEFAULT_HOME, Exit, HomeOption, out

PANEL = "Records"


def uploads(
    home: HomeOption = DEFAULT_HOME,
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and look again every few seconds.")] = False,
    seconds: Annotated[float, typer.Option(min=0.2, max=600, help="How long --watch waits between two looks.")] = 2,
    beside: Annotated[int | None, typer.Option(hidden=True, help="End when this process does.")] = None,
) -> int:
    """Look at files that schools brought on the page: propose columns, check rows, take in what was confirmed.

    Safe to run again and to end at any moment. With the embedded database `belong serve` keeps one running beside
    the site; where BELONG_DATABASE_URL names another, the scheduler or a service of its own runs this.
    """
    from records.home import open_home
    from serving.jobs.stages import Stages
    from serving.jobs.uploads import watch_uploads, work_on_uploads

    here = open_home(home)
    if watch:
        watch_uploads(here, seconds, lambda words: out.print(words, markup=False, highlight=False), beside)
        return Exit.DONE
    with Stages(out)("Looking at what schools brought") as say:
        worked = work_on_uploads(here, say)
    told = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in sorted(worked.moved.items()))
    out.print(told or "Nothing was waiting", highlight=False)
    if worked.pupils is not None:
        out.print(f"Timelines of {worked.pupils:,} pupils are on the pages", highlight=False)
    if worked.listed is not None:
        out.print(f"This week's list is out: {worked.listed} flags", highlight=False)
    return Exit.DONE


COMMANDS = (uploads,)
