"""Parting two pupils whom a wrong former number joined: the officer's decision, then the records, then the names."""

from casework.database import connect, scoped
from casework.privacy.request import Asked, check_note, find, officer
from records.clock import clock_of
from records.home import Home
from records.pseudonym import PROVEN, doubt
from records.rights.parting import Parted, Parting, part
from serving.jobs.intake import saving


def part_numbers(home: Home, parting: Parting) -> Parted:
    """Take a link back as the data-protection officer decided it.

    Raises
    ------
    CannotAnswer
        The officer may not, or the note will not do.
    NoSuchLink
        No school said so.
    """
    engine, clock = connect(home, "job"), clock_of(home)
    try:
        with scoped(engine, None) as session:
            officer(session, parting.by, clock.today())
            for number in (parting.number, parting.former):
                if doubt(number) == PROVEN:
                    check_note(parting.note, find(session, home, Asked(upn=number)).subject)
        return part(home, parting, clock=clock, save_identities=saving(engine, clock.today()))
    finally:
        engine.dispose()
