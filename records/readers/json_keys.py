"""Where a JSON interface says what we keep: one TOML table of paths for each format, which a network can correct.

Suppliers' keys are partly known only from others' programs (each table says which). A network that meets
other keys writes those endpoints anew in `mappings/keys/<format>.toml` of its home; no code changes.
"""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from records.refusal import Refusal

ENTRY = "@"
FOLDER = "keys"

Path_ = Annotated[str, Field(pattern=r"^@?[A-Za-z_][\w.-]*$")]


class KeysRefused(Refusal):
    """A table of keys cannot be used; the message names the file, the key and the remedy."""


class Endpoint(BaseModel):
    """Where the records of one endpoint say what.

    Attributes
    ----------
    id
        Path of the record's own number in the supplier's system. Steps are joined by dots.
    each
        Path of a list inside the record; each entry is a row. '': the record is the row.
    columns
        What we keep → its path in the record, or '@' and its path in the entry.
    fixed
        What we keep → a text for every row, where the system says nothing.
    words
        What we keep → the system's word → ours. Other words stay as they are, for the code list to judge.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: Path_
    each: Path_ | None = None
    columns: Mapping[str, Path_]
    fixed: Mapping[str, str] = Field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)


Keys = Mapping[str, Endpoint]
_READ = TypeAdapter(dict[str, Endpoint])


def read_keys(name: str, own: Path | None = None) -> Keys:
    """Return the format's table of keys, with the endpoints that the network has written anew.

    Parameters
    ----------
    name
        The format: 'wonde' or 'assembly'.
    own
        A home's `mappings` folder; its `keys/<name>.toml` is read where it is there.

    Raises
    ------
    KeysRefused
        The network's file is not TOML, or says what a table of keys cannot say.
    """
    shipped = files("records").joinpath("readers", FOLDER, f"{name}.toml").read_text(encoding="utf-8")
    keys: dict[str, Endpoint] = _READ.validate_python(tomllib.loads(shipped))
    path = None if own is None else own / FOLDER / f"{name}.toml"
    if path is None or not path.exists():
        return keys
    try:
        corrected = _READ.validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KeysRefused(f"{path.name} in mappings/{FOLDER}: it is not TOML ({error}); correct it") from error
    except ValidationError as error:
        slip = error.errors()[0]
        place = ".".join(str(step) for step in slip["loc"])
        raise KeysRefused(f"{path.name} in mappings/{FOLDER}, {place}: {slip['msg']}; correct it") from error
    unknown = sorted(set(corrected) - set(keys))
    if unknown:
        raise KeysRefused(
            f"{path.name} in mappings/{FOLDER}: Belong reads no endpoint {', '.join(unknown)}; "
            f"write any of {', '.join(keys)}"
        )
    return keys | corrected
