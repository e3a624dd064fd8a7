"""A file of settings, as `belong search` writes it and `belong train --settings` takes it."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from training.settings import SettingRefused, Settings, settings_from


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
    theirs = sorted(name for name, value in policy.items() if name in said and said[name] != value)
    if theirs:
        raise SettingRefused(
            f"{file.name} sets {', '.join(theirs)}, which the board's policy decides; take it out of the file, or ask "
            "the board to change policy.toml"
        )
    for name, value in said.items():
        _check_kind(name, value)
    return settings_from({**said, **policy})


def _check_kind(name: str, value: object) -> None:
    kinds = {item.name: type(getattr(Settings(), item.name)) for item in fields(Settings)}
    numbers = value.values() if name == "boosting" and isinstance(value, dict) else [value]
    # A whole number may stand for a decimal one; true is no number.
    if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
        raise SettingRefused(f"{name} is {value!r}; write {'a table of numbers' if name == 'boosting' else 'a number'}")
    if kinds.get(name) is int and not isinstance(value, int):
        raise SettingRefused(f"{name} is {value!r}; write a whole number")
    if name == "boosting" and not isinstance(value, dict):
        raise SettingRefused(f"boosting is {value!r}; write a table: [boosting] and a line for each parameter")


def settings_text(settings: Settings, why: str) -> str:
    """Return the file's text: what differs from the defaults, and all of LightGBM's parameters."""
    usual = Settings()
    lines = [f"# {why}"]
    for name, value in settings.choices().items():
        if name != "boosting" and value != getattr(usual, name):
            lines.append(f"{name} = {value!r}")
    lines += ["", "[boosting]", *(f"{name} = {value!r}" for name, value in sorted(settings.boosting.items()))]
    return "\n".join(lines) + "\n"
