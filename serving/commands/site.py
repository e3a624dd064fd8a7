"""Commands on the site: score, looks, monday, serve, demo."""

from pathlib import Path
from typing import Annotated

import typer

from serving.commands.options import DEFAULT_HOME, DEFAULT_RUNS, Exit, HomeOption, RunsOption, day_option, out
from serving.jobs.stages import Stages

PANEL = "The site"
PortOption = Annotated[int, typer.Option(min=1, max=65535, help="Port on loopback.")]


def score(
    as_of: Annotated[str | None, typer.Option(help="The week to score, YYYY-MM-DD; default today.")] = None,
    home: HomeOption = DEFAULT_HOME,
    processes: Annotated[int, typer.Option(min=1, help="Shards worked on at a time on this machine.")] = 1,
    dask: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler whose workers reach the home by the same path.")
    ] = None,
) -> int:
    """Score every pupil with the deployed model, publish facts and flags, and open cases.

    Safe to run again: a week that is out keeps its scores and flags, and a run that was stopped goes on where it was.
    """
    from records.clock import clock_of
    from records.home import open_home
    from serving.jobs.learn import learn
    from serving.jobs.night_shards import Where
    from serving.jobs.nightly import NotScored, score_network
    from serving.jobs.school_quality import publish_quality

    here = open_home(home)
    day = clock_of(here).today() if as_of is None else day_option("--as-of", as_of)
    try:
        with Stages(out)(f"Scoring as of {day.isoformat()}"):
            night = score_network(here, day, Where(processes=processes, dask=dask))
    except NotScored as no:
        out.print(f"Not scored ({no.code}): {no}", markup=False)
        return Exit.REFUSED
    published = night.published
    again = " (this week was published before: flags stay as they were)" if published.repeated else ""
    out.print(
        f"{published.scores:,} pupils scored, {published.flags} flags, {published.cases_opened} cases opened{again}"
    )
    if published.cases_passed_on:
        out.print(f"{published.cases_passed_on} cases passed on to the next school, under its transfer agreement")
    for standing in night.held:
        out.print(f"Not scored: {standing.name}. {standing.note}.", markup=False, highlight=False)
    if night.held:
        out.print("Next: belong quality")
    publish_quality(here)
    for said in learn(here):
        out.print(said, markup=False, highlight=False)
    return Exit.DONE


def looks(
    head: Annotated[
        Path | None,
        typer.Option(help="A file that somebody else keeps: the chain must hold the head in it; then it gets the new."),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
) -> int:
    """Check the whole log of looks, and write its head for another custodian. Exit code 3: the chain is broken."""
    from records.home import open_home
    from serving.jobs.log_check import check_looks

    state = check_looks(open_home(home), head)
    out.print(f"The log of looks: {state.sentence}", markup=False, highlight=False)
    out.print(f"Head: {state.head.hash} after {state.looks} looks", markup=False, highlight=False)
    return Exit.DONE if state.ok else Exit.FAIL


def monday(home: HomeOption = DEFAULT_HOME) -> int:
    """Write to each who works with pupils how many are theirs this week: counts only. Safe to run again."""
    from records.home import open_home
    from serving.jobs.monday import send_monday

    sent = send_monday(open_home(home))
    again = f"; {sent.before} had theirs before" if sent.before else ""
    where = f" into {sent.outbox}" if sent.outbox else ""
    out.print(f"{sent.sent} letters sent{where}{again}", markup=False, highlight=False)
    if sent.without_address:
        out.print(f"{sent.without_address} people who work with pupils have no address to write to")
    if sent.refused:
        out.print(f"{sent.refused} letters were refused by the mail server; run `belong monday` again to try once more")
        return Exit.REFUSED
    return Exit.DONE


def serve(
    home: HomeOption = DEFAULT_HOME,
    port: PortOption = 8000,
    address: Annotated[
        str | None, typer.Option(help="Where browsers reach the site; default this machine only.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that answer; one for each core at most.")] = 1,
) -> int:
    """Serve the pages and the scoring endpoint on loopback until Ctrl-C; a proxy gives it its public address."""
    from records.home import open_home
    from serving.jobs.web import serve_site

    serve_site(open_home(home), port=port, address=address or f"http://127.0.0.1:{port}", workers=workers)
    return Exit.DONE


def demo(
    home: HomeOption = Path("var/demo"),
    mlruns: RunsOption = DEFAULT_RUNS,
    pupils: Annotated[int, typer.Option(help="About how many pupils are on roll.")] = 12_000,
    schools: Annotated[int | None, typer.Option(help="How many; default: what follows from the pupils.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bundle and the same flags.")] = 20261122,
    world: Annotated[
        str,
        typer.Option(
            help="published: groups differ by need and practice; need: by need alone; fair: not at all; unfair: fair, "
            "but one group's incidents are not written down, so that the audit has something to find."
        ),
    ] = "published",
    lists: Annotated[
        int, typer.Option(min=1, max=11, help="Weekly lists since the network began with Belong; 1: it begins today.")
    ] = 11,
    port: PortOption = 8000,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Stop before serving.")] = False,
) -> int:
    """Run the whole chain on a simulated network, from export files to a reviewed flag, then serve it."""
    from serving.jobs.demo import build_demo, plan_of, show, show_doors
    from serving.jobs.demo_people import IDENTITY_PORT
    from serving.jobs.web import check_ports, serve_demo

    if not no_serve:
        check_ports(port, IDENTITY_PORT)
    plan = plan_of(pupils, schools, seed=seed, world=world, lists=lists)
    made = build_demo(home, plan, mlruns=mlruns, console=out)
    show(made, out)
    out.print(f"\nBundle {made.candidate.bundle.digest}\nTook {sum(made.seconds.values()):.0f} s, set-up aside")
    if no_serve:
        return Exit.DONE if made.lived and made.lived.night else Exit.FAIL
    doors = lambda address: show_doors(made.home, address, out)  # noqa: E731 - a name for one argument
    serve_demo(made.home, port=port, identity_port=IDENTITY_PORT, ready=doors)
    return Exit.DONE


COMMANDS = (score, looks, monday, serve, demo)
