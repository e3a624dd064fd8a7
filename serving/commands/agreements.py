"""The command on the data-sharing register."""

from pathlib import Path
from typing import Annotated

import typer

from serving.commands.options import DEFAULT_HOME, Exit, HomeOption, out

PANEL = "Records"


def agreements(
    home: HomeOption = DEFAULT_HOME,
    check: Annotated[Path | None, typer.Option(help="Prove this register, and leave the home's alone.")] = None,
    template: Annotated[bool, typer.Option("--template", help="Print a register to fill in.")] = False,
    to: Annotated[Path | None, typer.Option("--out", help="Write the record of processing to this file.")] = None,
) -> int:
    """Print the record of processing: who shares what, why, on what basis, until when."""
    from importlib.resources import files

    from records.agreements import read_register, register_of
    from records.clock import clock_of
    from records.home import HOME_FILE, open_home
    from records.rights.processing_record import as_markdown, warnings

    if template:
        text = files("records").joinpath("agreements_template.toml").read_text(encoding="utf-8")
        out.print(text, markup=False, highlight=False, end="")
        return Exit.DONE
    if check is not None and not (home / HOME_FILE).exists():
        from records.clock import Clock

        register, today = read_register(check), Clock().today()
    else:
        here = open_home(home)
        register = register_of(here) if check is None else read_register(check)
        today = clock_of(here).today()
    page = as_markdown(register, today)
    if to is None:
        out.print(page, markup=False, highlight=False, end="")
        return Exit.DONE
    to.write_text(page, encoding="utf-8")
    out.print(f"Written to {to}", markup=False)
    for sentence in warnings(register, today):
        out.print(f"  {sentence}", markup=False, highlight=False)
    return Exit.DONE


COMMANDS = (agreements,)
