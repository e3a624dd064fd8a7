"""Rows as a CSV file that a spreadsheet reads as text: every cell quoted, none run as a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

# A spreadsheet runs a cell that begins so, after white space too; the last four are the full-width = + - @.
# A leading apostrophe makes it text (ASVS 1.2.10).
_FORMULA: Final = re.compile("^\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]")


def as_csv(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return the rows under their heads as UTF-8 with a byte-order mark, which spreadsheets need to read 'Zoë'."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow([as_text(head) for head in heads])
    writer.writerows([as_text(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def as_text(value: object) -> str:
    """Return a cell that is read as text, whatever a name or a note begins with."""
    said = "" if value is None else str(value)
    return f"'{said}" if _FORMULA.match(said) else said
