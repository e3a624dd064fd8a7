"""`belong`: the command line, where the floors are composed."""

import errno
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

import typer
from rich.console import Console

from records.memory import use_small_pages
from records.refusal import Refusal
from serving.commands import (
    agreements,
    evaluating,
    gate,
    impact,
    integrations,
    mappings,
    models,
    network,
    people,
    quality,
    report,
    rights,
    site,
    tracking,
    trusting,
    uploads,
)
from serving.commands.options import Exit

if TYPE_CHECKING:
    import pandas as pd

P = ParamSpec("P")

# What the machine refuses, not what Belong got wrong: no space, quota, a read-only disk, no permission.
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})


def _ending(command: Callable[P, int]) -> Callable[P, None]:
    """Return the command ending the process with the code that it returns."""

    @functools.wraps(command)
    def ended(*args: P.args, **kwargs: P.kwargs) -> None:
        raise typer.Exit(int(command(*args, **kwargs)))

    return ended


def _truth(file: Path) -> "pd.DataFrame":
    """Read a simulation's truth: here alone in the product (the import contracts say so)."""
    from records.synthetic.truth import read_truth  # noqa: PLC0415 - pandas is not for `belong --help`

    return read_truth(file)


app = typer.Typer(
    name="belong",
    help="An early-warning system that helps a network of schools keep pupils in school.\n\n"
    "Exit codes: 0 done, 1 crash, 2 input refused, 3 the gate said FAIL, 4 the gate said NOT_SETTLED.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
for group in (
    network,
    uploads,
    quality,
    mappings,
    agreements,
    rights,
    models,
    report,
    trusting,
    tracking,
    site,
    impact,
):
    for command in group.COMMANDS:
        app.command(rich_help_panel=group.PANEL)(_ending(command))
app.command(rich_help_panel=models.PANEL)(_ending(evaluating.evaluate_with(_truth)))
pupil = typer.Typer(help="One pupil's rights: a copy of what is held, objection, erasure.", no_args_is_help=True)
for name, right in rights.PUPIL_COMMANDS.items():
    pupil.command(name)(_ending(right))
app.add_typer(pupil, name="pupil", rich_help_panel=rights.PANEL)
for title, commands, words, panel in (
    ("integration", integrations.COMMANDS, "Other systems that may call the interface.", integrations.PANEL),
    ("people", people.PEOPLE_COMMANDS, "Those who sign in.", people.PANEL),
    ("gate", gate.COMMANDS, "The gate before there is a model: can its limits hold, what can it settle?", gate.PANEL),
    ("key", trusting.KEY_COMMANDS, "Signing keys, one for each person.", trusting.PANEL),
    ("trust", trusting.TRUST_COMMANDS, "Who may sign, and how that is changed.", trusting.PANEL),
):
    rooms = typer.Typer(help=words, no_args_is_help=True)
    for name, step in commands.items():
        rooms.command(name)(_ending(step))
    app.add_typer(rooms, name=title, rich_help_panel=panel)


def main() -> None:
    """Run one command. A refusal is one sentence and exit code 2; only a fault of ours shows a traceback."""
    use_small_pages()
    try:
        app(prog_name="belong")
    except Refusal as refusal:
        _refuse(str(refusal))
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        _refuse(f"{error.filename or 'a file'}: {error.strerror}; make room for it, or check whose it is")


def _refuse(sentence: str) -> None:
    Console(stderr=True, soft_wrap=True).print(f"Refused: {sentence}", style="bold", markup=False, highlight=False)
    sys.exit(Exit.REFUSED)


if __name__ == "__main__":
    main()
