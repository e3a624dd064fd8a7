"""`belong`: the command line, where the floors are composed."""

import sys

import click
import typer
from rich.console import Console

from records.refusal import Refusal
from serving.commands import models, network, site
from serving.commands.options import Exit

app = typer.Typer(
    name="belong",
    help="An early-warning system that helps a network of schools keep pupils in school.\n\n"
    "Exit codes: 0 done, 1 crash, 2 input refused, 3 the gate said FAIL, 4 the gate said NOT_SETTLED.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
for group in (network, models, site):
    for command in group.COMMANDS:
        app.command(rich_help_panel=group.PANEL)(command)


def main() -> None:
    """Run one command. A refusal is one sentence and exit code 2; only a fault of ours shows a traceback."""
    try:
        code = app(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = Exit.REFUSED
    except click.exceptions.Abort:
        code = Exit.CRASH
    except Refusal as refusal:
        Console(stderr=True, soft_wrap=True).print(f"Refused: {refusal}", style="bold", markup=False, highlight=False)
        code = Exit.REFUSED
    sys.exit(int(code or 0))


if __name__ == "__main__":
    main()
