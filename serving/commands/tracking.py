"""Commands on runs: compare candidates, open MLflow's own pages, search for settings."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from records.home import Home
from serving.commands.options import DEFAULT_HOME, DEFAULT_RUNS, Exit, HomeOption, RunsOption, out

PANEL = "Models and the gate"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SHOWN = {
    "precision": "precision",
    "recall": "recall",
    "recall_never_suspended": "recall, first-timers",
    "average_precision": "av. precision",
    "lead_days_median": "days' notice",
}


def runs(
    home: HomeOption = DEFAULT_HOME,
    mlruns: RunsOption = DEFAULT_RUNS,
    most: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 10,
    metric: Annotated[list[str] | None, typer.Option(help="A logged metric to show; may be given again.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> int:
    """Compare the candidates that were trained, the newest first."""
    from rich.box import SIMPLE
    from rich.table import Column, Table

    from records.home import open_home
    from records.refusal import Refusal
    from training import registry

    here = open_home(home)
    found = registry.runs(mlruns, most)
    known = sorted({name for run in found for name in run.metrics})
    chosen = list(metric or SHOWN)
    unknown = [name for name in chosen if found and metric and name not in known]
    if unknown:
        raise Refusal(f"no run logged {', '.join(unknown)}; there are {', '.join(known)}")
    rows = [
        {
            "digest": run.digest,
            "trained": datetime.fromtimestamp(run.started / 1000, UTC).isoformat(timespec="minutes"),
            "state": _state(here, run.digest),
            "run_id": run.run_id,
            "metrics": {name: run.metrics[name] for name in chosen if name in run.metrics},
        }
        for run in found
    ]
    if as_json:
        print(json.dumps(rows, indent=1))  # noqa: T201 - for another program: no colours and no line breaks of rich's
        return Exit.DONE
    # The digest is what the next command is given: it is never cut, however narrow the terminal.
    whole = [Column(name, no_wrap=True, min_width=width) for name, width in (("candidate", 12), ("trained", 16))]
    table = Table(*whole, "state", *(SHOWN.get(name, name) for name in chosen), box=SIMPLE, padding=(0, 1, 0, 0))
    for run, row in zip(found, rows, strict=True):
        figures = (f"{run.metrics[name]:.3g}" if name in run.metrics else "-" for name in chosen)
        table.add_row(run.digest[:12], str(row["trained"])[:16].replace("T", " "), str(row["state"]), *figures)
    out.print(table if rows else "No run yet; begin with `belong train`.")
    return Exit.DONE


def _state(home: Home, digest: str) -> str:
    """Return how far a candidate has come, from what lies beside it: nothing here is verified."""
    from serving.jobs.gatekeeping import DECISION
    from serving.scoring import ENVELOPE, deployed_digest

    folder = home.candidates / digest
    if deployed_digest(home) == digest:
        return "deployed"
    if (folder / DECISION).is_file():
        verdict = str(json.loads((folder / DECISION).read_text(encoding="utf-8"))["verdict"])
        return f"{verdict}, signed" if (folder / ENVELOPE).is_file() else verdict
    return "not audited" if folder.is_dir() else "not in this home"


def mlflow(
    mlruns: RunsOption = DEFAULT_RUNS,
    host: Annotated[str, typer.Option(help="Loopback only: MLflow's pages ask nobody to sign in.")] = LOOPBACK[0],
    port: Annotated[int, typer.Option(min=1024, max=65535)] = 5000,
) -> int:
    """Open MLflow's own pages on this machine, until Ctrl-C."""
    import sys

    from records.refusal import Refusal
    from serving.jobs.children import until_ended
    from serving.jobs.web import check_ports

    command, settings = mlflow_server(mlruns, host, port)
    check_ports(port)
    out.print(f"MLflow: http://{host}:{port}   (Ctrl-C ends it)", highlight=False)
    code = until_ended([sys.executable, *command], settings)
    if code:
        raise Refusal(f"MLflow's server ended by itself with exit code {code}; what it printed says why")
    out.print("Ended.")
    return Exit.DONE


def mlflow_server(mlruns: Path, host: str, port: int) -> tuple[list[str], dict[str, str]]:
    """Return the words and the environment that MLflow's server is started with.

    Raises
    ------
    Refusal
        The host is not loopback.
    """
    import os

    from records.refusal import Refusal
    from training.registry import store_address

    if host not in LOOPBACK:
        raise Refusal(f"--host {host} is not this machine; MLflow's pages ask nobody to sign in: {', '.join(LOOPBACK)}")
    mlruns.mkdir(parents=True, exist_ok=True)
    store, artifacts = store_address(mlruns)
    quiet = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        # Jobs would run what a page asks for; nothing here needs one.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_SERVER_JOB_ENABLE_PERIODIC_TASKS": "false",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    }
    words = ["-m", "mlflow", "server", "--host", host, "--port", str(port), "--workers", "1"]
    words += ["--backend-store-uri", store, "--default-artifact-root", artifacts]
    return words, {**os.environ, **quiet}


def search(
    home: HomeOption = DEFAULT_HOME,
    mlruns: RunsOption = DEFAULT_RUNS,
    trials: Annotated[int, typer.Option(min=0, max=10_000, help="How many more trials; 0 shows what there is.")] = 20,
    seed: Annotated[int | None, typer.Option(help="Seed of model and search; default the settings' own.")] = None,
    choose: Annotated[int | None, typer.Option(help="Write this trial's settings to --out.")] = None,
    out_file: Annotated[Path, typer.Option("--out", help="Where --choose writes.")] = Path("settings.toml"),
) -> int:
    """Search for settings: ranking within capacity, the worst-off group, size. Run again, it goes on."""
    from records.home import open_home
    from serving.jobs.searching import run_search, write_choice
    from serving.jobs.stages import Stages

    here = open_home(home)
    with Stages(out)("Searching") as say:
        told = lambda done, of: say(f"trial {done} of {of}")  # noqa: E731 - a name for one argument
        settings, found = run_search(here, mlruns=mlruns, trials=trials, seed=seed, told=told)
    out.print(f"{len(found.trials)} trials; none is better in all three aims than:")
    for trial in found.trials:
        if trial.number in found.best:
            out.print(
                f"{trial.number:4}  recall {trial.recall:.3f}  worst group's shortfall {trial.shortfall:.3f}  "
                f"{trial.leaves} leaves  (average precision {trial.average_precision:.3f})",
                highlight=False,
            )
    if choose is None:
        out.print("Next: belong search --trials 0 --choose NUMBER")
        return Exit.DONE
    write_choice(settings, found, choose, out_file)
    out.print(f"Next: belong train --settings {out_file}", markup=False)
    return Exit.DONE


COMMANDS = (runs, mlflow, search)
