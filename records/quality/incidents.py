"""Behaviour events, school by school and week by week, summed over shards of pupils."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from records import codes
from records.arrow import one_array
from records.calendar import Days
from records.history import latest
from records.quality.span import Counts, Part, Span, integers, places
from records.tables import BEHAVIOUR

SEVERITIES = 5


@dataclass(frozen=True, kw_only=True)
class Events:
    """A school's behaviour events by week.

    Attributes
    ----------
    mondays, open_days
        The weeks with school, and how many days of each were open; shape ``(w,)``.
    types, severities
        Events by type (in the order of `codes.INCIDENT_TYPE`) and by severity 1 to 5; ``(w, k)``.
    points, pointed
        Sum of behaviour points, and events that carry points; ``(w,)``.
    """

    mondays: Days
    open_days: Counts
    types: Counts
    severities: Counts
    points: Counts
    pointed: Counts


class EventSums:
    """Sums over shards of behaviour events by week."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.weeks = -(-span.days // 7)
        shape = (len(span.schools), self.weeks)
        self.types = np.zeros((*shape, len(codes.INCIDENT_TYPE.codes)), dtype=np.int64)
        self.severities = np.zeros((*shape, SEVERITIES), dtype=np.int64)
        self.points = np.zeros(shape, dtype=np.int64)
        self.pointed = np.zeros(shape, dtype=np.int64)

    def add(self, part: Part) -> None:
        """Add one shard of pupils."""
        # Not by date at reading: an event whose date was corrected must not leave its old version behind.
        names = ["school", "event_id", "date", "type", "severity", "points", "known_on", "deleted", "source", "row"]
        day = pa.scalar(self.span.as_of, pa.date32())
        rows, _ = part.rows(BEHAVIOUR, names, pc.field("known_on") < day)
        if not rows.num_rows:
            return
        frame = pd.DataFrame({name: integers(rows[name]) for name in ("school", "date", "severity", "points", "row")})
        frame["type"] = places(rows["type"], codes.INCIDENT_TYPE.codes)
        frame["event_id"] = rows["event_id"].to_pandas()
        frame["source"] = rows["source"].to_pandas()
        frame["known_on"] = integers(rows["known_on"]).astype("datetime64[D]").astype("datetime64[s]")
        frame["deleted"] = one_array(rows["deleted"]).to_numpy(zero_copy_only=False)
        stands = latest(frame, BEHAVIOUR, self.span.as_of)
        school = self.span.place(stands["school"].to_numpy(np.int64))
        at = self.span.day(stands["date"].to_numpy(np.int64))
        here = (school >= 0) & (at >= 0) & (at < self.span.days) & (stands["type"] >= 0).to_numpy(bool)
        stands, cell = stands[here], (school * self.weeks + at // 7)[here]
        kinds = len(codes.INCIDENT_TYPE.codes)
        self.types.ravel()[:] += np.bincount(cell * kinds + stands["type"].to_numpy(), minlength=self.types.size)
        severity = np.clip(stands["severity"].to_numpy() - 1, 0, SEVERITIES - 1)
        self.severities.ravel()[:] += np.bincount(cell * SEVERITIES + severity, minlength=self.severities.size)
        pointed = stands["points"].to_numpy() >= 0
        self.pointed.ravel()[:] += np.bincount(cell[pointed], minlength=self.pointed.size)
        sums = np.bincount(cell[pointed], stands["points"].to_numpy()[pointed], minlength=self.points.size)
        self.points.ravel()[:] += sums.astype(np.int64)

    def of(self, at: int, open_days: Days) -> Events:
        """Return one school's weeks with school, whole weeks only."""
        first = np.datetime64(self.span.first, "D")
        mondays = first + 7 * np.arange(self.weeks)
        place = (open_days - first).astype(np.int64) // 7
        inside = (place >= 0) & (place < self.weeks) & (open_days < np.datetime64(self.span.as_of, "D"))
        opened = np.bincount(place[inside], minlength=self.weeks)
        kept = (opened > 0) & (mondays + 7 <= np.datetime64(self.span.as_of, "D"))
        return Events(
            mondays=mondays[kept],
            open_days=opened[kept],
            types=self.types[at][kept],
            severities=self.severities[at][kept],
            points=self.points[at][kept],
            pointed=self.pointed[at][kept],
        )
