"""The only door to open figures of places: for planning where help is needed, never for a pupil's score.

A small area's code stands for one boundary for good: an area that is redrawn gets another code. So a code is looked
up in every edition that was brought, and a figure of a code that the newest edition no longer has is left out: it is
of a place that is not there any more (docs/areas.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import pandas as pd

from records import delta
from records.area_tables import AREA_BOUNDARIES, AREA_FIGURES, AREAS
from records.codes import AREA_EDITION
from records.history import latest
from records.home import Home


@dataclass(frozen=True)
class Areas:
    """What is known of places on a day.

    Attributes
    ----------
    listed
        A row for each small area and edition: the columns of `AREAS`.
    figures
        A row for each figure: the columns of `AREA_FIGURES`; those of places that the newest edition has no more, too.
    """

    listed: pd.DataFrame
    figures: pd.DataFrame

    @cached_property
    def edition(self) -> str:
        """The newest edition that a list was brought of; '' where none was."""
        there = set(self.listed["edition"].astype(str))
        return next((one for one in reversed(AREA_EDITION.codes) if one in there), "")

    @cached_property
    def places(self) -> pd.DataFrame:
        """The small areas of the newest edition, in order of borough, ward and code."""
        newest = self.listed[self.listed["edition"].astype(str) == self.edition]
        return newest.sort_values(["borough_name", "ward_name", "area"], ignore_index=True)

    @cached_property
    def standing(self) -> Mapping[str, frozenset[str]]:
        """Level → the codes of the newest edition."""
        columns = {"area": "area", "ward": "ward", "borough": "borough"}
        return {level: frozenset(self.places[column]) for level, column in columns.items()}

    def current(self) -> pd.DataFrame:
        """Return the newest figure of each place and measure, of places that the newest edition has."""
        newest = self.figures[self._there()].sort_values(["to_date", "from_date"], kind="stable")
        return newest.drop_duplicates(["area", "level", "measure"], keep="last").sort_values(
            ["level", "area", "measure"], ignore_index=True
        )

    def left_out(self) -> pd.DataFrame:
        """Return the figures of places that the newest edition no longer has."""
        return self.figures[~self._there()]

    def _there(self) -> pd.Series:
        levels = self.figures["level"].astype(str)
        found = [code in self.standing[level] for code, level in zip(self.figures["area"], levels, strict=True)]
        return pd.Series(found, index=self.figures.index, dtype="bool")

    def lie_in(self, level: str, areas: pd.Series) -> pd.Series:
        """Return the ward or borough in which each small area lies, missing where no list says it.

        An area that the newest edition no longer has lies where its own edition's list says, if that place stands.
        """
        order = self.listed.assign(rank=self.listed["edition"].cat.codes).sort_values("rank", kind="stable")
        of_area = order.drop_duplicates("area", keep="last").set_index("area")[level]
        found = areas.map(of_area)
        return found.where(found.isin(self.standing[level]))

    def not_placed(self, areas: pd.Series) -> pd.Series:
        """Return which of these small areas no list says."""
        return ~areas.isin(set(self.listed["area"]))


def known_areas(home: Home, day: date) -> Areas:
    """Return what lists and figures say, as known on the day."""
    tables = (AREAS, AREA_FIGURES)
    tomorrow = day + timedelta(days=1)
    listed, figures = (latest(delta.read(home.areas, table, None)[0], table, tomorrow) for table in tables)
    return Areas(listed.reset_index(drop=True), figures.reset_index(drop=True))


def known_outlines(home: Home, areas: Areas, day: date) -> pd.DataFrame:
    """Return the newest outline of each ward and borough that the newest edition has: `AREA_BOUNDARIES`, by code."""
    rows = latest(delta.read(home.areas, AREA_BOUNDARIES, None)[0], AREA_BOUNDARIES, day + timedelta(days=1))
    levels = rows["level"].astype(str)
    there = [code in areas.standing[level] for code, level in zip(rows["area"], levels, strict=True)]
    newest = rows[pd.Series(there, index=rows.index, dtype="bool")].sort_values("from_date", kind="stable")
    return newest.drop_duplicates("area", keep="last").sort_values("area", ignore_index=True)
