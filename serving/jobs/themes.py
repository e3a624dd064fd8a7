"""What learning reviews say, once a term: from the operational database alone, rounded and hidden before it is kept."""

from casework.database import connect, scoped
from casework.lookback_facts import looked_back
from casework.lookback_opening import first_list
from casework.themes import ThemeRelease, save_themes, theme_terms_out
from learning.themes.counting import due, released, told_of
from records import delta
from records.calendar import calendar_from
from records.clock import clock_of
from records.history import latest
from records.home import Home
from records.tables import CALENDARS


def publish_themes(home: Home) -> tuple[str, ...]:
    """Publish the terms whose reviews should be concluded and that are not out; return their names, the oldest first.

    A term that ended before the home's first list has no reviews, and no report that would say so.
    """
    today = clock_of(home).today()
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            out = [release.term for release in theme_terms_out(session)]
            begun = first_list(session)
        if begun is None:
            return ()
        calendar = calendar_from(latest(delta.read(home.history, CALENDARS, 0)[0], CALENDARS, today))
        wanted = [term for term in due(calendar, today, out) if term.end >= begun]
        for term in wanted:
            release = ThemeRelease(term=term.start, name=term.name, ends_on=term.end, known_on=today)
            with scoped(engine, None) as session:
                save_themes(session, release, released(told_of(looked_back(session, term.start, term.end))))
        return tuple(term.name for term in wanted)
    finally:
        engine.dispose()
