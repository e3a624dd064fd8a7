"""Commands on mappings: which file of which school system is read as which record table."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.commands.options import DEFAULT_HOME, Exit, HomeOption, out

if TYPE_CHECKING:
    from records.readers.claims import Known

PANEL = "Records"


def mappings(
    home: HomeOption = DEFAULT_HOME,
    check: Annotated[
        Path | None, typer.Option("--check", help="Prove this mapping file, and list nothing else.")
    ] = None,
) -> int:
    """List the column mappings that `belong ingest` reads school systems' CSV files by, or prove one."""
    from records.home import Home
    from records.readers.claims import Known, known_mappings, read_mapping

    if check is not None:
        _tell([Known(file=check.name, where=str(check), mapping=read_mapping(check))])
        out.print(f"{check.name} can be used: put it in {home / 'mappings'}", markup=False, highlight=False)
        return Exit.DONE
    # A home need not exist yet: what Belong brings is read without one.
    _tell(known_mappings(Home(path=home.resolve())))
    return Exit.DONE


def _tell(known: "Sequence[Known]") -> None:
    for one in known:
        mapping = one.mapping
        written = f"{mapping.encoding}, dates like {mapping.example_day}"
        out.print(f"{mapping.system}: {one.file} ({one.where}); {written}", markup=False, highlight=False)
        for export in mapping.export:
            form = "" if export.form == "rows" else f", a row for a {export.form}"
            out.print(f"  {export.files:<32} {export.name} → {export.table}{form}", markup=False, highlight=False)


COMMANDS = (mappings,)
