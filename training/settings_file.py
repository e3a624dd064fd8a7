"""A file of settings, as `belong search` writes it and `belong train --settings` takes it."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from training.settings import TUNABLE, SettingRefused, Settings, settings_from

_PROTECTED = (
    "features are declared in features/definitions/ and chosen among by `inputs`; protected characteristics are for "
    "auditing only (docs/decisions.md, 14); take it out"
)
_METRICS = (
    "no file of settings chooses metrics: those a model is judged by are the board's, in policy.toml, and "
    "`belong runs --metric` shows any that a run logged; take it out"
)
# What people look for here and is decided elsewhere.
_ELSEWHERE = {
    **dict.fromkeys(("features", "columns", "protected", "sex", "ethnicity", "sen", "fsm", "eal"), _PROTECTED),
    **dict.fromkeys(("metric", "metrics", "objective"), _METRICS),
}
# Beyond these LightGBM stops with an error of its own, or fits nothing.
_BOOSTING: Mapping[str, tuple[float, float]] = {
    "learning_rate": (0.001, 1.0),
    "num_leaves": (2, 4096),
    "min_data_in_leaf": (1, 1_000_000),
    "lambda_l2": (0.0, 10_000.0),
    "feature_fraction": (0.01, 1.0),
    "max_bin": (2, 255),
    "min_sum_hessian_in_leaf": (0.0, 10_000.0),
    "path_smooth": (0.0, 10_000.0),
}
_COUNTS = frozenset({"num_leaves", "min_data_in_leaf", "max_bin"})


def read_settings(file: Path, policy: Mapping[str, Any]) -> Settings:
    """Return the settings that the file and the board's policy give together.

    Parameters
    ----------
    policy
        Settings that are the board's: a file may repeat them, never change them.

    Raises
    ------
    SettingRefused
        The file cannot be read, names what is no setting, has a value of the wrong kind or out of range,
        or says other than the policy.
    """
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingRefused(f"{file} cannot be read ({error.strerror}); check --settings") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingRefused(f"{file} is no TOML: {error}") from error
    try:
        for name, value in said.items():
            _check_name(name)
            _check_kind(name, value)
        _check_boosting(said.get("boosting", {}))
        # A value that cannot mean anything is told of before whose choice it is.
        settings_from({**policy, **said})
        chosen = settings_from({**said, **policy})
    except SettingRefused as error:
        raise SettingRefused(f"{file.name}: {error}") from error
    theirs = sorted(name for name, value in policy.items() if name in said and said[name] != value)
    if theirs:
        raise SettingRefused(
            f"{file.name} sets {', '.join(theirs)}, which the board's policy decides; take it out of the file, or ask "
            "the board to change policy.toml"
        )
    return chosen


def _check_name(name: str) -> None:
    allowed = [item.name for item in fields(Settings)]
    if name in allowed:
        return
    if name in _ELSEWHERE:
        raise SettingRefused(f"{name} is no setting: {_ELSEWHERE[name]}")
    if name in TUNABLE:
        raise SettingRefused(f"{name} belongs under [boosting]; move it there")
    near = get_close_matches(name, allowed, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(allowed)}"
    raise SettingRefused(f"no setting is called {name}; {hint}")


def _check_kind(name: str, value: object) -> None:
    kinds = {item.name: type(getattr(Settings(), item.name)) for item in fields(Settings)}
    if kinds.get(name) is str:
        if not isinstance(value, str):
            raise SettingRefused(f"{name} is {value!r}; write a word in quotation marks")
        return
    if kinds.get(name) is tuple:
        return  # a list of names, which `settings_from` looks at
    numbers = value.values() if name == "boosting" and isinstance(value, dict) else [value]
    # A whole number may stand for a decimal one; true is no number.
    if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
        raise SettingRefused(f"{name} is {value!r}; write {'a table of numbers' if name == 'boosting' else 'a number'}")
    if kinds.get(name) is int and not isinstance(value, int):
        raise SettingRefused(f"{name} is {value!r}; write a whole number")
    if name == "boosting" and not isinstance(value, dict):
        raise SettingRefused(f"boosting is {value!r}; write a table: [boosting] and a line for each parameter")


def _check_boosting(said: Mapping[str, float]) -> None:
    for name, value in said.items():
        low, high = _BOOSTING.get(name, (value, value))
        if not low <= value <= high:
            raise SettingRefused(f"boosting.{name} is {value!r}; it must be between {low} and {high}")
        if name in _COUNTS and not isinstance(value, int):
            raise SettingRefused(f"boosting.{name} is {value!r}; write a whole number")


def settings_text(settings: Settings, why: str) -> str:
    """Return the file's text: what differs from the defaults, and all of LightGBM's parameters."""
    usual = Settings()
    lines = [f"# {why}"]
    for name, value in settings.choices().items():
        if name != "boosting" and value != usual.choices()[name]:
            lines.append(f"{name} = {value!r}")  # a list of names reads the same in TOML
    lines += ["", "[boosting]", *(f"{name} = {value!r}" for name, value in sorted(settings.boosting.items()))]
    return "\n".join(lines) + "\n"
