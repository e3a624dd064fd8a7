"""The only code that imports MLflow: runs, versions of the model, and the alias of the one in use.

MLflow does not gate: any client may move an alias (docs/decisions.md, 6). What is served is decided by
digest and signatures; a version's tag `bundle_digest` only says which bytes it stands for.
"""

import functools
import logging
import math
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ParamSpec, TypeVar
from urllib.parse import urlparse
from urllib.request import url2pathname

from records.refusal import Refusal

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # before the import, which starts its thread
os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")

import mlflow
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from training.bundle import Bundle

MODEL = "belong"
CHAMPION = "champion"
EXPERIMENT = "belong"
_BUNDLE = "bundle"


P = ParamSpec("P")
R = TypeVar("R")


def _quietly(work: Callable[P, R]) -> Callable[P, R]:
    """Keep MLflow's own library warnings (a deprecated SQLAlchemy loader) and migration chatter out of ours."""

    @functools.wraps(work)
    def quiet(*args: P.args, **kwargs: P.kwargs) -> R:
        logging.getLogger("alembic").setLevel(logging.WARNING)
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return work(*args, **kwargs)

    return quiet


class NoVersion(Refusal):
    """The alias names no version, or its version names no bundle that lies here."""


@dataclass(frozen=True)
class Version:
    """A registered version: its number, the digest it claims, and the folder that holds its bytes.

    The digest is MLflow's word only: read the folder with `bundle.read_verified`.
    """

    number: str
    digest: str
    folder: Path


def _client(mlruns: Path) -> MlflowClient:
    """Return a client of the root's own store; MLFLOW_TRACKING_URI names a server instead."""
    mlruns.mkdir(parents=True, exist_ok=True)
    store = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(mlruns / 'mlflow.db').resolve()}"
    return MlflowClient(tracking_uri=store, registry_uri=store)


def _experiment(client: MlflowClient, mlruns: Path) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    return str(client.create_experiment(EXPERIMENT, artifact_location=(mlruns / "artifacts").resolve().as_uri()))


@_quietly
def log_run(
    mlruns: Path,
    bundle: Bundle,
    *,
    parameters: Mapping[str, object],
    metrics: Mapping[str, float],
    files: Mapping[str, Path] | None = None,
) -> str:
    """Log a finished run with the bundle's folder as its artifact; return the run's id.

    `files` are further artifacts, by the folder they belong in.
    """
    client = _client(mlruns)
    run = client.create_run(
        _experiment(client, mlruns), tags={"bundle_digest": bundle.digest}, run_name=bundle.digest[:12]
    )
    run_id = str(run.info.run_id)
    # A value above 6,000 characters is refused by MLflow; settings never come near.
    client.log_batch(
        run_id,
        metrics=[
            Metric(name, float(value), run.info.start_time, 0)
            for name, value in metrics.items()
            if not math.isnan(value)
        ],
        params=[Param(name, str(value)) for name, value in parameters.items()],
    )
    with TemporaryDirectory() as folder:
        client.log_artifacts(run_id, str(bundle.write(Path(folder))), _BUNDLE)
    for place, file in (files or {}).items():
        client.log_artifact(run_id, str(file), place)
    client.set_terminated(run_id)
    return run_id


@_quietly
def register(mlruns: Path, bundle: Bundle, run_id: str) -> str:
    """Register the run's bundle as a new version of the model and return its number."""
    client = _client(mlruns)
    try:
        client.create_registered_model(MODEL)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    source = f"{client.get_run(run_id).info.artifact_uri}/{_BUNDLE}"
    tags = {"bundle_digest": bundle.digest, "booster_sha256": str(bundle.manifest["booster_sha256"])}
    return str(client.create_model_version(MODEL, source=source, run_id=run_id, tags=tags).version)


@_quietly
def move_alias(mlruns: Path, number: str, alias: str = CHAMPION) -> None:
    """Point the alias at the version."""
    _client(mlruns).set_registered_model_alias(MODEL, alias, number)


@_quietly
def drop_alias(mlruns: Path, alias: str = CHAMPION) -> None:
    """Take the alias from whatever version it points at."""
    _client(mlruns).delete_registered_model_alias(MODEL, alias)


@_quietly
def version_of(mlruns: Path, digest: str) -> str | None:
    """Return the number of the newest version that claims the digest, or None."""
    found = _client(mlruns).search_model_versions(f"name = '{MODEL}'")
    numbers = [int(item.version) for item in found if item.tags.get("bundle_digest") == digest]
    return str(max(numbers)) if numbers else None


@_quietly
def resolve(mlruns: Path, alias: str = CHAMPION) -> Version:
    """Return the version that the alias points at.

    Raises
    ------
    NoVersion
        There is no such alias, or the version's bundle does not lie in a folder here.
    """
    client = _client(mlruns)
    try:
        found = client.get_model_version_by_alias(MODEL, alias)
    except MlflowException as error:
        raise NoVersion(f"no version of {MODEL!r} has the alias {alias!r}; run `belong deploy`") from error
    digest = found.tags.get("bundle_digest", "")
    # The folder is read as it lies: download_artifacts would add files of MLflow's own to it.
    place = urlparse(str(found.source))
    folder = Path(url2pathname(place.path)) if place.scheme in ("", "file") else None
    if folder is None or not folder.is_dir():
        folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=str(found.source)))
    if not digest:
        raise NoVersion(f"version {found.version} of {MODEL!r} names no bundle; register it with `belong train`")
    return Version(str(found.version), digest, folder)
