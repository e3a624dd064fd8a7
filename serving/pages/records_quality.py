"""The part of a school's records page that counts: registers by week, rows put aside, agreements that end."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from casework.school_quality import quality_of
from serving.page import Visit
from serving.rendering import count_words, day_words

_FATES: Final[Mapping[str, str]] = {"quarantined": "Not taken in", "held": "Held back"}


def quality_parts(visit: Visit, school: int) -> dict[str, Any] | None:
    """Return what the template shows of a school's records in counts; None where no job has counted them yet."""
    found = quality_of(visit.session, visit.person, school)
    if found is None:
        return None
    said = found.payload
    return {
        "on": found.as_of,
        "weeks": [_week(row) for row in said["weeks"]],
        "aside": [
            {
                "why": row["why"],
                "rows": count_words(row["rows"], "row", "rows"),
                "fate": _FATES.get(row["fate"], row["fate"]),
                "remedy": row["remedy"] or "Put it right in the school's own system, and send the export again.",
            }
            for row in said["aside"]
        ],
        "agreements": [_agreement(row, visit.today) for row in said["agreements"]],
    }


def _week(row: Mapping[str, Any]) -> dict[str, str]:
    missing = row["owed"] - row["marked"]
    return {
        "week": day_words(row["week"]),
        "marked": f"{row['marked'] / row['owed']:.1%}" if row["owed"] else "nobody on roll",
        "missing": f"{missing:,}",
        "bare": f"{row['bare']:,}",
        "unexplained": f"{row['unexplained']:,}",
    }


def _agreement(row: Mapping[str, str], today: date) -> str:
    ended = date.fromisoformat(row["ends"]) < today
    when = f"ended on {day_words(row['ends'])}" if ended else f"ends on {day_words(row['ends'])}"
    what = "is not read" if ended else "will not be read after that day"
    source = "What every system sends" if row["sources"] == "*" else f"What {row['sources']} sends"
    return f"'{row['title']}' {when}. {source} under it {what}. Ask whoever signed it for the school to renew it."
