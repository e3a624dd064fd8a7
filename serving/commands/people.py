"""Commands on people that no page can do: the administrator of last resort."""

from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from serving.commands.options import DEFAULT_HOME, Exit, HomeOption, out

PANEL = "The site"


def break_glass(
    remove: Annotated[bool, typer.Option("--remove", help="Take the account away, and end its sessions.")] = False,
    home: HomeOption = DEFAULT_HOME,
) -> int:
    """Make the administrator of last resort, for when no sign-in service answers; password and key are shown once.

    Made again, the password and the key of before open nothing any more.
    """
    from records.home import open_home
    from serving.jobs import last_resort

    if remove:
        last_resort.remove(open_home(home))
        out.print("The break-glass account is gone.")
        return Exit.DONE
    made = last_resort.make(open_home(home))
    for line in (
        "The break-glass account is made. Write both down now, on paper, and lock each away apart from the other:",
        "they are shown this once and kept nowhere.",
        "",
        f"Password: {made.password}",
        f"Key for an authenticator app: {made.code_key}",
        made.address,
        "",
        "It signs in at /break-glass, for an hour at a time. Every use is logged, and told on every page for a day.",
    ):
        out.print(line, markup=False, highlight=False)
    return Exit.DONE


PEOPLE_COMMANDS: Mapping[str, Callable[..., int]] = {"break-glass": break_glass}
