"""Parts of a pupil's page that its printed form has too: the chart, the weeks as a table, events in words."""

from typing import Any, Final

from markupsafe import Markup

from casework.cases import Event, PupilPage
from serving.charts import Week, timeline
from serving.rendering import day_words

_KINDS: Final = {"incident": "Incident", "positive": "Achievement", "suspension": "Suspension"}


def chart_of(pupil: PupilPage) -> Markup:
    """Return the chart of a pupil's weeks, with the day on which they came on the list."""
    weeks = [
        Week(
            start=week.week_start,
            possible=week.sessions_possible,
            missed=week.sessions_missed,
            incidents=week.incidents,
            suspended=week.suspended,
        )
        for week in pupil.weeks
    ]
    return timeline(weeks, listed=pupil.case.on_list_since if pupil.case else None)


def week_rows(pupil: PupilPage) -> list[dict[str, Any]]:
    """Return the weeks as rows of a table, newest first."""
    rows = []
    for week in reversed(pupil.weeks):
        counts = (
            *(week.sessions_missed, week.late_marks),
            *(week.incidents, week.removals, week.positives),
        )
        school = week.sessions_possible > 0
        # An en dash where there was no school, so that nobody reads a nought as a good week.
        shown = counts if school else ["\N{EN DASH}"] * len(counts)
        cells = [week.sessions_possible, *shown, "Yes" if week.suspended else ""]
        rows.append({"start": week.week_start, "cells": cells})
    return rows


def event_words(event: Event) -> dict[str, str]:
    """Return an event as a row of a table."""
    what = event.what if event.sessions is None else f"{event.what} ({event.sessions} sessions)"
    return {
        "on": day_words(event.happened_on),
        "kind": _KINDS.get(event.kind, event.kind.capitalize()),
        "what": what,
        "where": event.place or "",
    }
