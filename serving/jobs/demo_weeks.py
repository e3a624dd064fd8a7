"""A demonstration's weeks: on Mondays exports come in, the model is looked at and a list goes out; then people work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from casework.database import connect, migrate, scoped
from casework.publishing import newest_list
from records.home import Home
from records.synthetic.deliveries import deliveries
from serving.jobs.demo_days import TODAY, every_monday, is_look, on
from serving.jobs.demo_help import register_first_study, register_next_study, write_down_programmes
from serving.jobs.demo_identity import issuer_of
from serving.jobs.demo_people import IDENTITY_PORT, save_people
from serving.jobs.demo_work import work
from serving.jobs.intake import read_exports
from serving.jobs.learn import learn
from serving.jobs.nightly import Night, score_network
from serving.jobs.school_quality import publish_quality
from serving.jobs.stages import Say
from serving.jobs.watching import monitor

# People work on a Monday's list on the Wednesday.
WORK_DAY: Final = timedelta(days=2)


@dataclass(frozen=True, kw_only=True)
class Lived:
    """What came of the weeks: today's night, and what was said on the way.

    `night` None: a weekly look ended the approval, and no list went out from then on.
    """

    night: Night | None
    said: Sequence[str]


def live(home: Home, exports: Path, say: Say) -> Lived:
    """Carry the deployed model through every week up to today, and return what came of it.

    Weeks whose list is out are left as they are: a run that was stopped goes on where it was.

    Parameters
    ----------
    exports
        A folder for each Monday with a list (records/synthetic/deliveries.py); what lies in the first is in the store.
    """
    newest = last_day(home)
    said: list[str] = []
    night: Night | None = None
    arriving = deliveries(exports)
    began = min(arriving)
    for day in every_monday(began):
        if newest is not None and day < newest:
            continue
        say(f"{day:%-d %B}")
        home = on(home, day)
        if day in arriving and day != began:
            came = read_exports(home, arriving[day], lambda file: None)
            said += [f"Refused: {refusal}" for refusal in came.refused]
        if is_look(began, day):
            watched = monitor(home)
            if watched.follows == "suspend":
                return Lived(night=None, said=[*said, watched.done])
        if day in arriving:
            night = score_network(home, day)
            said += learn(home)
            _work(home, day, list(arriving))
    publish_quality(home)  # each week's takes the place of the one before
    return Lived(night=night, said=said)


def _work(home: Home, day: date, lists: Sequence[date]) -> None:
    """Let people do their week's work; today's is left for whoever looks at the demonstration."""
    issuer = issuer_of(IDENTITY_PORT)
    if day == lists[0]:
        save_people(home, day)
        write_down_programmes(home, issuer, day)
        register_first_study(home, len(lists) - 1)
    if day == TODAY:
        register_next_study(home)
    else:
        work(home, issuer, day + WORK_DAY)


def last_day(home: Home) -> date | None:
    """Return the day of the home's newest list; None before the first."""
    migrate(home)
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            return newest_list(session)
    finally:
        engine.dispose()
