"""What learning reviews say in a made-up network, in two terms."""

from datetime import date, timedelta
from itertools import cycle
from typing import Final

from sqlalchemy.orm import Session

from casework.lookback_facts import LookedBack
from casework.lookback_words import THEMES
from casework.themes import ThemeRelease, save_themes
from learning.themes.counting import released, told_of

TERM: Final = "2026-01-05"
_CODES: Final = ("flagged", "no_rise", "flagged", "beyond_capacity", "no_rise", "flagged", "below_level", "too_short")
_STATES: Final = (*("concluded",) * 8, "looking", "waiting")
_OFFERED: Final = (30, 3, -4, None, 20, -10, 12)
# How many of every hundred concluded reviews each theme is coded for, in the order of the list.
_CODED: Final = (52, 40, 36, 20, 18, 30, 34, 22, 28, 9, 25, 31, 4, 14, 6)


def made_reviews(pupils: int, first: date) -> list[LookedBack]:
    """Return a look-back for each of so many pupils, in the three months from a day on."""
    made = []
    shapes = zip(range(pupils), cycle(_CODES), cycle(_STATES), cycle(_OFFERED), strict=False)
    for pupil, code, state, offered in shapes:
        on = first + timedelta(days=pupil % 80)
        themes = {name for at, name in enumerate(THEMES) if (pupil * 37 + at * 61) % 100 < _CODED[at]} or {"home"}
        made.append(
            LookedBack(
                pupil=pupil,
                school=1,
                kind="permanent" if pupil % 4 == 0 else "long",
                on=on,
                state=state,
                themes=frozenset(themes) if state == "concluded" else frozenset(),
                lists={on - timedelta(days=21 if pupil % 3 else 4): code},
                offered=() if offered is None else (on - timedelta(days=offered),),
            )
        )
    return made


def save_made_up_themes(session: Session) -> None:
    """Publish the autumn and the spring term, as the nightly job would have counted them."""
    for name, first, last, pupils in (
        ("2025/26 Autumn", date(2025, 9, 1), date(2025, 12, 19), 75),
        ("2025/26 Spring", date.fromisoformat(TERM), date(2026, 3, 27), 140),
    ):
        release = ThemeRelease(term=first, name=name, ends_on=last, known_on=last + timedelta(days=50))
        save_themes(session, release, released(told_of(made_reviews(pupils, first))))
