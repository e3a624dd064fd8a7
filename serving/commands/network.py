"""Commands on records: simulate, pull, ingest, features."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from serving.commands.options import DEFAULT_HOME, Exit, HomeOption, day_option, out
from serving.jobs.stages import Stages

PANEL = "Records"


def simulate(
    folder: Annotated[Path, typer.Option("--out", help="A new folder for the export files.")],
    pupils: Annotated[int, typer.Option(help="About how many are on roll at any time, up to 3 million.")] = 12_000,
    schools: Annotated[int | None, typer.Option(help="How many; default: what follows from the pupils.")] = None,
    phase: Annotated[str | None, typer.Option(help="All schools are PS, SS, AT or SP; default: a mix.")] = None,
    first_year: Annotated[
        int, typer.Option(min=2000, max=2100, help="The year in which the first academic year starts.")
    ] = 2023,
    years: Annotated[int, typer.Option(min=1, max=12, help="How many academic years.")] = 3,
    until: Annotated[str | None, typer.Option(help="First day of which nothing is exported, YYYY-MM-DD.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 20261122,
    mess: Annotated[float, typer.Option(min=0, max=1, help="How untidy the records are, 0 to 1.")] = 0.3,
    world: Annotated[
        str, typer.Option(help="published, need, fair or unfair: docs/governance/injustices.md.")
    ] = "published",
    injustice: Annotated[
        list[str] | None,
        typer.Option(help="Plant KIND:GROUP:STRENGTH, such as over_sanctioned:BCRB:1; may be given again."),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--as",
            help="Format: network, compact (default over 200,000 pupils), ctf, wonde, assembly, sims, arbor, bromcom.",
        ),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Where to keep the true weekly hazards: outside the folder and any home.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes; each holds a cluster of 50,000 pupils.")] = 1,
    places: Annotated[bool, typer.Option("--places", help="Made-up wards, and where each pupil lives.")] = False,
    report: Annotated[bool, typer.Option("--report", help="Print simulated beside published figures.")] = False,
) -> int:
    """Write the export files of a simulated network of schools in London. No child in it exists."""
    from records.synthetic.injustices import injustice_of
    from records.synthetic.plan import NetworkPlan
    from records.synthetic.report import as_text
    from records.synthetic.report import report as figures
    from serving.jobs.simulation import cost, kind_of, simulate_as

    plan = NetworkPlan(
        pupils=pupils,
        schools=schools,
        phase=phase,
        years=tuple(range(first_year, first_year + years)),
        until=None if until is None else day_option("--until", until),
        seed=seed,
        mess=mess,
        world=world,
        injustices=tuple(injustice_of(text) for text in injustice or ()),
    )
    wanted = kind_of(kind, pupils, places=places)
    stages = Stages(out)
    with stages("Simulating a network of schools") as say:
        made, rows = simulate_as(wanted, plan, folder, truth=truth, say=say, jobs=jobs, places=places)
    told = f"{rows:,} rows about {made.pupils:,} pupils in {folder}; schools: {len(made.schools):,}; format: {wanted}"
    out.print(told, highlight=False)
    out.print(cost(sum(stages.seconds.values()), jobs), highlight=False)
    if report:
        out.print(as_text(figures(made.counted)), markup=False, highlight=False, soft_wrap=True)
    return Exit.DONE


def ingest(
    source: Annotated[
        Path | None,
        typer.Argument(help="A folder of export files, or one file; default: the home's own landing folder."),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    network: Annotated[
        str, typer.Option(help="The network's name, for a home that does not exist yet.")
    ] = "Schools network",
) -> int:
    """Read a school's or a network's export files into the home: checked, held or quarantined row by row."""
    from records.home import HOME_FILE, create_home, open_home
    from records.refusal import Refusal
    from serving.jobs.intake import read_exports

    if source is not None and not source.exists():
        raise Refusal(f"there is no file or folder {source}; name the export files to read")
    there = source is None or (home / HOME_FILE).exists()
    here = open_home(home) if there else create_home(home, network=network)
    if source is None and not here.landing.is_dir():
        raise Refusal(f"there is no folder {here.landing}; put the export files there, or name where they are")
    with Stages(out)("Reading the export files") as say:
        summary = read_exports(here, source or here.landing, say)
    out.print(summary.as_text(), markup=False, highlight=False)
    if any(count.held for count in summary.tables.values()):
        out.print(f"Held rows, as they came: {here.held}", markup=False, highlight=False)
    return summary.exit_code


def pull(
    schools: Annotated[list[str], typer.Argument(help="Wonde's own identifiers of the schools, such as A1930499544.")],
    since: Annotated[
        str | None,
        typer.Option(help="Ask for what changed from this day on, YYYY-MM-DD; default: since the school's last pull."),
    ] = None,
    base: Annotated[str | None, typer.Option(help="Wonde's address in another region; https, ends with /.")] = None,
    home: HomeOption = DEFAULT_HOME,
) -> int:
    """Pull schools' records from Wonde into the landing folder, for belong ingest to read.

    The token is read from the home's secrets/wonde-token, or from BELONG_WONDE_TOKEN; never from an option.
    """
    from records.home import open_home
    from records.readers.wonde_pull import BASE
    from serving.jobs.pulling import pull as run

    here = open_home(home)
    from_day = None if since is None else day_option("--since", since)
    with Stages(out)("Pulling from Wonde") as say:
        folders = run(here, schools, since=from_day, say=say, base=base or BASE)
    for folder in folders:
        pages = sum(1 for _ in folder.glob("*.json"))
        out.print(f"{pages:,} pages in {folder}", markup=False, highlight=False)
    out.print("`belong ingest` reads them.")
    return Exit.DONE


def features(
    as_of: Annotated[str | None, typer.Option(help="The day the question is asked, YYYY-MM-DD; default today.")] = None,
    home: HomeOption = DEFAULT_HOME,
    to: Annotated[Path | None, typer.Option("--out", help="Write the matrix to this Parquet file.")] = None,
    dask: Annotated[
        str | None, typer.Option(help="Work on the Dask cluster with this scheduler, for example tcp://10.0.0.5:8786.")
    ] = None,
) -> int:
    """Build every pupil's features as they were known on a day, and describe them."""
    from functools import partial

    from features.matrix import concat
    from features.shards import over_shards
    from records.clock import clock_of
    from records.home import open_home
    from records.refusal import Refusal
    from serving.jobs.matrices import shard_matrix

    here = open_home(home)
    today = clock_of(here).today()
    day: date = today if as_of is None else day_option("--as-of", as_of)
    if day > today:
        raise Refusal(f"--as-of is {day.isoformat()}, a day to come; today is {today.isoformat()}")
    if to is not None and not to.parent.is_dir():
        raise Refusal(f"there is no folder {to.parent} to write {to.name} in; make it, or name another --out")
    with Stages(out)(f"Building features as of {day.isoformat()}") as say:
        parts = []
        for part in over_shards(partial(shard_matrix, here, day), here.shards, dask=dask):
            parts.append(part)
            say(f"shard {len(parts)} of {here.shards}")
        matrix = concat(parts)
    if not len(matrix):
        raise Refusal(f"no pupil is known to have been on roll as of {day.isoformat()}; ingest enrolments first")
    frame = matrix.frame()
    out.print(f"{len(matrix):,} pupils x {len(matrix.names)} features; catalogue {matrix.fingerprint[:12]}")
    told = frame[list(matrix.names)].describe().T[["count", "mean", "min", "50%", "max"]]
    out.print(told.to_string(float_format=lambda value: f"{value:.3f}"), markup=False, highlight=False)
    if to is not None:
        frame.to_parquet(to, index=False)
        out.print(f"Written to {to}")
    return Exit.DONE


COMMANDS = (simulate, pull, ingest, features)
