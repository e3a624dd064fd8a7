"""The only code that imports MLflow: runs, versions of the model, and the alias of the one in use.

MLflow does not gate: any client may move an alias (docs/decisions.md, 6). What is served is decided by
digest and signatures; a version's tag `bundle_digest` only says which bytes it stands for.
"""

import functools
import json
import logging
import math
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlparse
from urllib.request import url2pathname

from records.refusal import Refusal

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # before the import, which starts its thread
os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

import mlflow
import pandas as pd
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

with warnings.catch_warnings():
    # It warns of the types of its own chat agents while it loads.
    warnings.simplefilter("ignore")
    import mlflow.pyfunc

from training.bundle import Bundle
from training.scorer import Scorer
from training.served import input_example, open_scorer, predict

MODEL = "belong"
CHAMPION = "champion"
EXPERIMENT = "belong"
_BUNDLE = "bundle"
_PYFUNC = "pyfunc"
_DIGEST_LENGTH = 36  # MLflow keeps no longer one


P = ParamSpec("P")
R = TypeVar("R")


def _quietly(work: Callable[P, R]) -> Callable[P, R]:
    """Keep MLflow's own library warnings (a deprecated SQLAlchemy loader) and migration chatter out of ours."""

    @functools.wraps(work)
    def quiet(*args: P.args, **kwargs: P.kwargs) -> R:
        logging.getLogger("alembic").setLevel(logging.WARNING)
        # It warns that the model has no signature, which is on purpose (docs/decisions.md, 41).
        logging.getLogger("mlflow").setLevel(logging.ERROR)
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
    store, _ = store_address(mlruns)
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
    client.log_inputs(run_id, _datasets(bundle))
    with TemporaryDirectory() as folder:
        client.log_artifacts(run_id, str(write_pyfunc(bundle, Path(folder))), _PYFUNC)
    client.set_terminated(run_id)
    return run_id


def _datasets(bundle: Bundle) -> list[DatasetInput]:
    """Return what the run read: the training rows by digest, and each record table at its version."""
    read = bundle.manifest["data"]
    rows = str(read.get("training_sha256", ""))[:_DIGEST_LENGTH]
    said = [("training_rows", rows or "none", "local", "{}", "training")]
    said += [
        (name, f"version-{version}", "delta_table", json.dumps({"delta_table_version": version}), "records")
        for name, version in sorted(read.get("tables", {}).items())
    ]
    return [
        DatasetInput(
            Dataset(name=name, digest=digest, source_type=kind, source=source),
            [InputTag(key="mlflow.data.context", value=context)],
        )
        for name, digest, kind, source, context in said
    ]


class BundleModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]  # MLflow has no types
    """The bundle as MLflow's own server loads it; no pickle: the script `pyfunc_script` makes it anew."""

    def load_context(self, context: Any) -> None:
        """Open the verified bundle among the model's artifacts."""
        self.scorer: Scorer = open_scorer(Path(context.artifacts[_BUNDLE]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return `probability` for each row of features."""
        return predict(self.scorer, model_input)


def declare_model() -> None:
    """Tell MLflow, from within the script that it runs, which model the script is of."""
    mlflow.models.set_model(BundleModel())


@_quietly
def write_pyfunc(bundle: Bundle, folder: Path) -> Path:
    """Write the bundle as an MLflow model with the python_function flavour and return its folder.

    It has no MLflow signature on purpose: with one, MLflow drops columns that it does not know in silence
    and puts reordered ones in order. `training.served` refuses both.
    """
    place = folder / "model"
    held = bundle.write(folder / _BUNDLE)
    mlflow.pyfunc.save_model(
        path=str(place),
        python_model=str(Path(__file__).with_name("pyfunc_script.py")),
        artifacts={_BUNDLE: held.resolve().as_uri()},
        pip_requirements=["belong"],
        metadata={"bundle_digest": bundle.digest},
    )
    (place / "bundle_digest.txt").write_text(bundle.digest, encoding="ascii")
    (place / "features_example.json").write_text(json.dumps(input_example(bundle)), encoding="utf-8")
    return place


@_quietly
def log_search(mlruns: Path, name: str, *, parameters: Mapping[str, object], tables: Mapping[str, Path]) -> str:
    """Log a search and its table of trials as a run of its own kind; return the run's id."""
    client = _client(mlruns)
    run = client.create_run(_experiment(client, mlruns), tags={"kind": "search"}, run_name=name)
    run_id = str(run.info.run_id)
    client.log_batch(run_id, params=[Param(key, str(value)) for key, value in parameters.items()])
    for place, file in tables.items():
        client.log_artifact(run_id, str(file), place)
    client.set_terminated(run_id)
    return run_id


@dataclass(frozen=True)
class RunRow:
    """A logged candidate: MLflow's run, the bundle, when (milliseconds since 1970) and its numbers."""

    run_id: str
    digest: str
    started: int
    metrics: Mapping[str, float]


@_quietly
def runs(mlruns: Path, most: int) -> tuple[RunRow, ...]:
    """Return the newest logged candidates, the newest first."""
    client = _client(mlruns)
    found = client.search_runs(
        [_experiment(client, mlruns)],
        order_by=["attributes.start_time DESC"],
        max_results=most,
        filter_string="tags.bundle_digest != ''",
    )
    return tuple(
        RunRow(
            str(run.info.run_id), str(run.data.tags["bundle_digest"]), int(run.info.start_time), dict(run.data.metrics)
        )
        for run in found
    )


@_quietly
def tag_version(mlruns: Path, digest: str, tags: Mapping[str, str]) -> None:
    """Write tags on the newest registered version of the bundle; nothing where there is none."""
    number = version_of(mlruns, digest)
    for key, value in tags.items() if number is not None else ():
        _client(mlruns).set_model_version_tag(MODEL, number, key, value)


def store_address(mlruns: Path) -> tuple[str, str]:
    """Return the address of MLflow's store and of its artifacts, as its own server takes them."""
    store = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(mlruns / 'mlflow.db').resolve()}"
    return store, (mlruns / "artifacts").resolve().as_uri()


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
    tags = {
        "bundle_digest": bundle.digest,
        "model_sha256": str(bundle.manifest["model_sha256"]),
        "kind": str(bundle.manifest["approach"]),
        "verdict": "not audited",
    }
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
    return _located(found)


@_quietly
def version(mlruns: Path, number: str) -> Version:
    """Return a version by its number: what is deployed is fetched so, since an alias may move in between.

    Raises
    ------
    NoVersion
        There is no such version, or its bundle does not lie in a folder here.
    """
    try:
        found = _client(mlruns).get_model_version(MODEL, number)
    except MlflowException as error:
        raise NoVersion(f"there is no version {number} of {MODEL!r}; run `belong train`") from error
    return _located(found)


def _located(found: Any) -> Version:
    digest = found.tags.get("bundle_digest", "")
    # The folder is read as it lies: download_artifacts would add files of MLflow's own to it.
    place = urlparse(str(found.source))
    folder = Path(url2pathname(place.path)) if place.scheme in ("", "file") else None
    if folder is None or not folder.is_dir():
        folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=str(found.source)))
    if not digest:
        raise NoVersion(f"version {found.version} of {MODEL!r} names no bundle; register it with `belong train`")
    return Version(str(found.version), digest, folder)
