"""The exclusions continuum, once a term: counted shard by shard, held against the terms before, rounded and hidden."""

from casework.continuum import TermRelease, save_term, terms_out
from casework.database import connect, scoped
from fairness.policy import policy_of
from learning.continuum.counting import Counted, count_term, together
from learning.continuum.publishing import published
from learning.continuum.terms import due
from learning.places.cuts import labelled
from records import delta
from records.calendar import calendar_from
from records.clock import clock_of
from records.history import known, latest
from records.home import Home
from records.store import Store
from records.tables import CALENDARS
from serving.jobs.places import labels_of


def publish_continuum(home: Home) -> tuple[str, ...]:
    """Publish the terms that ended a week ago and are not out yet; return their names, the oldest first.

    Most nights nothing is due, and no record is read. One shard of pupils is in memory at a time. A term is held
    against those before it as their records stand now, not as they were published.
    """
    today = clock_of(home).today()
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            out = [release.term for release in terms_out(session)]
        calendar = calendar_from(latest(delta.read(home.history, CALENDARS, 0)[0], CALENDARS, today))
        wanted, counted = due(calendar, today, out)
        if not wanted:
            return ()
        store = Store(home)
        parts: list[list[Counted]] = [[] for _ in counted]
        for shard in store.shards:
            there = known(store.history(shard), today)
            for mine, term in zip(parts, counted, strict=True):
                mine.append(count_term(there, term))
        labels = labels_of(home, today)
        rows = [
            labelled(together(mine, term), labels.phases, labels.deciles, labels.groups)
            for mine, term in zip(parts, counted, strict=True)
        ]
        done = []
        for at, term in enumerate(counted):
            if term not in wanted or not len(rows[at]):
                continue  # out already, or from before there were records
            counts, drifted, compared = published(rows[: at + 1], policy_of(home))
            release = TermRelease(term=term.start, name=term.name, ends_on=term.end, known_on=today, compared=compared)
            with scoped(engine, None) as session:
                save_term(session, release, counts, drifted)
            done.append(term.name)
        return tuple(done)
    finally:
        engine.dispose()
