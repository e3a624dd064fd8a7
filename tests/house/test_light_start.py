"""What the web process loads before it can answer. Contracts count imports; this counts what is really loaded."""

import subprocess
import sys

# Libraries that train, explain, audit or open the record store, and the model's own, which is loaded beside the start.
HEAVY = (
    *("mlflow", "shap", "fairlearn", "optuna", "dask", "distributed", "numba", "matplotlib"),
    *("deltalake", "lightgbm", "sklearn", "scipy", "statsmodels", "alembic"),
)


def test_the_web_process_starts_without_what_only_others_need() -> None:
    code = f"import sys, serving.app; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
