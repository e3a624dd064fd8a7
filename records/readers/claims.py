"""Which mapping reads which file: the home's own mappings, and those that Belong brings."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from records.home import Home
from records.readers.mapping import Export, MappingFile, MappingRefused, mapping_from

TOML = ".toml"
BROUGHT = "brought by Belong"


@dataclass(frozen=True, kw_only=True)
class Known:
    """A mapping and where it lies: a path, or 'brought by Belong'."""

    file: str
    where: str
    mapping: MappingFile


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One export of one mapping that says a file is its own."""

    known: Known
    export: Export

    def __str__(self) -> str:
        return f"{self.export.name} of {self.known.file} ({self.known.where})"


def known_mappings(home: Home) -> tuple[Known, ...]:
    """Return every mapping, by file name. One in the home takes the place of a brought one of the same name.

    Raises
    ------
    MappingRefused
        One of them cannot be used.
    """
    brought = files("records.readers").joinpath("mappings")
    found = {
        item.name: Known(file=item.name, where=BROUGHT, mapping=mapping_from(item.read_text("utf-8"), item.name))
        for item in brought.iterdir()
        if item.name.endswith(TOML)
    }
    for path in sorted(home.mappings.glob(f"*{TOML}")):
        found[path.name] = Known(file=path.name, where=str(path), mapping=read_mapping(path))
    return tuple(found[name] for name in sorted(found))


def read_mapping(path: Path) -> MappingFile:
    """Return the mapping in a file.

    Raises
    ------
    MappingRefused
        It cannot be read as UTF-8 text, or says something that a mapping cannot.
    """
    try:
        return mapping_from(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise MappingRefused(f"{path} cannot be read ({error.strerror}); check its name and permissions") from error
    except UnicodeDecodeError as error:
        raise MappingRefused(f"{path}, byte {error.start}: a mapping is written in UTF-8; save it so") from error


def claims_on(file: str, known: Sequence[Known]) -> tuple[Claim, ...]:
    """Return every export that says a file of this name is its own; more than one is a quarrel."""
    return tuple(
        Claim(known=one, export=export) for one in known for export in one.mapping.export if export.claims(file)
    )
