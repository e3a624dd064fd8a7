"""Where each pupil lives, by small area, ward and borough: protected, and read here for counts of places alone."""

from datetime import date

import pandas as pd

from casework.places import LEVELS
from records.areas import Areas
from records.home import Home
from records.protected import ProtectedStore


def deciles(home: Home, day: date) -> pd.Series:
    """Return pupil → decile of the index of multiple deprivation where the pupil lives, 1 the most deprived.

    As known on the day; pupils of whom no area, or no decile of it, is known are not in it.
    """
    newest = _newest(home, day)
    known = newest[newest["deprivation"].notna()]
    return pd.Series(known["deprivation"].astype("int64").to_numpy(), index=known["pupil"].to_numpy("int64"))


def homes(home: Home, areas: Areas, day: date) -> pd.DataFrame:
    """Return pupil → code of the ward and of the borough where the pupil lives, missing where no list says it.

    Places, not figures of them: what is published about a place never stands beside a pupil.
    """
    newest = _newest(home, day)
    return pd.DataFrame(
        {level: areas.lie_in(level, newest["area"]).to_numpy() for level in LEVELS},
        index=newest["pupil"].to_numpy("int64"),
    )


def unlisted(home: Home, areas: Areas, day: date) -> bool:
    """Whether any pupil lives in a small area that no list says: its code is of an edition that was not brought."""
    return bool(areas.not_placed(_newest(home, day)["area"]).any())


def _newest(home: Home, day: date) -> pd.DataFrame:
    rows = ProtectedStore(home).known_protected(day)["neighbourhoods"]
    return rows.sort_values(["pupil", "start_date"], kind="stable").drop_duplicates("pupil", keep="last")
