"""The command on whether flags help: register a study, publish what came of it, say what can be found."""

from typing import Annotated

import typer

from serving.commands.options import DEFAULT_HOME, Exit, HomeOption, out

PANEL = "The site"


def impact(
    home: HomeOption = DEFAULT_HOME,
    example: Annotated[bool, typer.Option("--example", help="Print a study to fill in, and do nothing else.")] = False,
    register: Annotated[
        bool, typer.Option("--register", help="Register the home's impact.toml, by the first week that counts.")
    ] = False,
    restore: Annotated[
        bool, typer.Option("--restore", help="Write the newest registered study back to the home's impact.toml.")
    ] = False,
    worth: Annotated[
        float, typer.Option(min=0.001, max=1, help="For what can be found: the smallest effect worth knowing.")
    ] = 0.05,
) -> int:
    """Does a flag help? Publish each registered study that is due, and print what came of it and what can be found."""
    from learning.impact.registration import EXAMPLE, FILE

    if example:
        out.print(EXAMPLE, end="", markup=False, highlight=False)
        return Exit.DONE
    from records.home import open_home
    from serving.jobs.impact import foreseen, publish_impact, register_study, shown

    here = open_home(home)
    if register:
        study = register_study(here)
        out.print(f"Registered: {study.title}, weeks from {study.first_week} to {study.last_week}", markup=False)
        out.print(f"Digest: {study.digest}", highlight=False)
        return Exit.DONE
    found = shown(here)
    if restore:
        if not found:
            out.print("No study is registered, so there is nothing to put back", markup=False)
            return Exit.REFUSED
        (here.path / FILE).write_text(found[0]["study"].text, "utf-8")
        out.print(f"{FILE} is as it was registered on {found[0]['study'].registered_on}", markup=False)
        return Exit.DONE
    for title in publish_impact(here):
        out.print(f"Published: {title}", markup=False)
    for one in shown(here):
        payload = one["payload"]
        said = (
            f"{payload['sentence']} {payload['settles']}" if payload else "Not yet: its last outcomes are not settled."
        )
        out.print(f"{one['title']}: {said}", markup=False, highlight=False)
    if not found:
        out.print("No study is registered. `belong impact --example` prints one to fill in.", markup=False)
    ahead = foreseen(here, worth)
    if ahead is None:
        out.print("The log holds too few weeks near the cut-off to say what can be found.", markup=False)
        return Exit.DONE
    out.print(
        f"{ahead.near:,} pupil-terms near the cut-off so far: an effect of {100 * ahead.detectable:.1f} in 100 is "
        f"found four times in five. For {100 * worth:.1f} in 100 it takes {ahead.needed:,}, or {ahead.terms} terms.",
        markup=False,
        highlight=False,
    )
    return Exit.DONE


COMMANDS = (impact,)
