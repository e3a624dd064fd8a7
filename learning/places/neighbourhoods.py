"""How deprived the small area is in which each pupil lives: protected, and read here for counts of places alone."""

from datetime import date

import pandas as pd

from records.home import Home
from records.protected import ProtectedStore


def deciles(home: Home, day: date) -> pd.Series:
    """Return pupil → decile of the index of multiple deprivation where the pupil lives, 1 the most deprived.

    As known on the day; pupils of whom no area, or no decile of it, is known are not in it.
    """
    rows = ProtectedStore(home).known_protected(day)["neighbourhoods"]
    newest = rows.sort_values(["pupil", "start_date"], kind="stable").drop_duplicates("pupil", keep="last")
    known = newest[newest["deprivation"].notna()]
    return pd.Series(known["deprivation"].astype("int64").to_numpy(), index=known["pupil"].to_numpy("int64"))
