"""What commands share: the home option, exit codes, and saying things."""

from datetime import date
from enum import IntEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

HomeOption = Annotated[
    Path, typer.Option("--home", help="The folder that holds everything a network keeps.", envvar="BELONG_HOME")
]
RunsOption = Annotated[
    Path, typer.Option("--mlruns", help="MLflow's folder (MLFLOW_TRACKING_URI, where set, names a server instead).")
]

DEFAULT_HOME = Path("var")
DEFAULT_RUNS = Path("mlruns")

out = Console(soft_wrap=True)


class Exit(IntEnum):
    """What a command's exit code says (docs/glossary.md: verdict)."""

    DONE = 0
    CRASH = 1
    REFUSED = 2
    FAIL = 3
    NOT_SETTLED = 4


def day_option(option: str, said: str) -> date:
    """Return the day an option names.

    Raises
    ------
    typer.BadParameter
        It is not a date written YYYY-MM-DD.
    """
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise typer.BadParameter(f"{said!r} is not a day; write it as YYYY-MM-DD", param_hint=option) from None
