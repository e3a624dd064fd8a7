"""The pages in docs/generated/ and the index of pictures, printed from code: `python -m serving.generate`."""

from collections.abc import Callable, Mapping
from pathlib import Path

from casework import lookback_words, states
from casework.privacy import gathered
from fairness import metrics, policy_page
from features import catalogue
from records import codes
from records.area_tables import AREA_TABLES
from records.quality import rules as quality
from records.table import ORIGIN, Column
from records.tables import TABLES
from serving import doors
from serving.api import client_page

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "generated"
_ROOTS: Mapping[str, str] = {
    "history": "history",
    "protected": "protected root, for auditing only",
    "areas": "root of open figures, for planning places only",
}
NOTICE = "<!-- Printed by `make generate`; a stale page fails a test. -->\n\n"


def tables_page() -> str:
    """Return the record tables as a page: columns, units, codes, protection and retention."""
    lines = ["# Record tables", ""]
    for table in (*TABLES.values(), *AREA_TABLES.values()):
        root = _ROOTS[table.root]
        # An agreement may allow fewer: the register says so (records/agreements.py).
        key = ", ".join(f"`{name}`" for name in table.key)
        lines += [
            f"## {table.name}",
            "",
            f"{table.means.capitalize()}. Kept in: {root}, at most {table.retention_years} years.",
            f"A version is told by {key}; it happened on `{table.happened_on}`.",
            "",
            "| column | means | type | unit or codes | may be empty |",
            "|---|---|---|---|---|",
            *(_column_row(column) for column in table.columns),
            "",
        ]
    lines += [
        "## Every table also has",
        "",
        "| column | means | type | unit or codes | may be empty |",
        "|---|---|---|---|---|",
    ]
    lines += [_column_row(column) for column in ORIGIN]
    return "\n".join(lines) + "\n"


def _column_row(column: Column) -> str:
    listed = f"{column.codes.name} ({len(column.codes.codes)})" if column.codes else column.unit
    return f"| `{column.name}` | {column.means} | {column.kind} | {listed} | {'no' if column.required else 'yes'} |"


PAGES: Mapping[str, Callable[[], str]] = {
    "tables.md": tables_page,
    "codes.md": codes.page,
    "quality.md": quality.page,
    "features.md": catalogue.page,
    "metrics.md": metrics.page,
    "policy.md": policy_page.page,
    "states.md": states.page,
    "learning_reviews.md": lookback_words.page,
    "doors.md": doors.door_table,
    "holdings.md": gathered.page,
    "policy.schema.json": policy_page.schema,
    "belong_client.py": client_page.page,
    "../pages/README.md": doors.pictures_index,
}


def whole(name: str) -> str:
    """Return a page as its file holds it; what is not Markdown says inside that it is printed."""
    return NOTICE + PAGES[name]() if name.endswith(".md") else PAGES[name]()


def main() -> None:
    """Write every generated page."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in PAGES:
        (FOLDER / name).write_text(whole(name), encoding="utf-8")


if __name__ == "__main__":
    main()
