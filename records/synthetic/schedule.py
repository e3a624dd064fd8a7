"""Who is out of school on which day: suspensions and permanent exclusions on the school's calendar."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records.synthetic.network import School
from records.synthetic.register import CODE
from records.synthetic.sanctions import Sanctioned

FOREVER = 30_000
DAYS_TO_PROVISION = 5  # from the sixth school day other education must be arranged


@dataclass(frozen=True, kw_only=True)
class Out:
    """First and last day out of school of each pupil, and the day from which other education is arranged.

    Days are indices of days of the run; a pupil who was never out has -1 throughout.
    """

    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    provision: npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Decided:
    """The week's sanctions on the calendar: day decided and first day out, one entry per sanction."""

    trigger: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    out: Out


def nobody_out(pupils: int) -> Out:
    """Return the state in which no pupil has ever been out."""
    never = np.full(pupils, -1, np.int64)
    return Out(first=never, last=never.copy(), provision=np.full(pupils, FOREVER, np.int64))


def open_indices(schools: Sequence[School], first_day: np.datetime64) -> list[npt.NDArray[np.int64]]:
    """Return each school's open days as indices of days of the run."""
    return [(school.days.open_days - first_day).astype(np.int64) for school in schools]


def decide(
    found: Sanctioned,
    school: npt.NDArray[np.int8],
    open_days: Sequence[npt.NDArray[np.int64]],
    monday: int,
    out: Out,
) -> Decided:
    """Return when each sanction was decided and starts; a start may lie in a later week or after a holiday."""
    number = len(found.pupil)
    trigger, start = np.empty(number, np.int64), np.empty(number, np.int64)
    first, last, provision = out.first.copy(), out.last.copy(), out.provision.copy()
    for i, pupil in enumerate(found.pupil.tolist()):
        days = open_days[school[pupil]]
        at = int(np.searchsorted(days, monday + found.weekday[i]))
        if at == len(days) or days[at] >= monday + 5:
            at -= 1
        begin = min(at + int(found.delay_days[i]), len(days) - 1)
        trigger[i], start[i] = days[at], days[begin]
        if found.category[i] == "LNCH":
            continue
        permanent = found.category[i] == "PERM"
        length = DAYS_TO_PROVISION if permanent else int(found.days[i])
        end = days[min(begin + length - 1, len(days) - 1)]
        first[pupil] = start[i]
        last[pupil] = FOREVER if permanent else end
        provision[pupil] = end + 1 if permanent or length > DAYS_TO_PROVISION else FOREVER
    return Decided(trigger=trigger, start=start, out=Out(first=first, last=last, provision=provision))


def forced_marks(
    decided: Decided, found: Sanctioned, monday: int, open_week: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int8]:
    """Return (pupils, 5, 2): the codes that a sanction dictates this week, -1 elsewhere.

    On the day of the decision the pupil was in school, at least in the morning.
    """
    day = monday + np.arange(5)
    out = decided.out
    serving = (out.first[:, None] <= day) & (day <= out.last[:, None]) & open_week
    code = np.where(day >= out.provision[:, None], CODE["K"], CODE["E"])
    forced = np.repeat(np.where(serving, code, -1)[:, :, None], 2, axis=2).astype(np.int8)
    weekday = decided.trigger - monday
    forced[found.pupil, weekday, 0] = CODE["/"]
    same_day = (decided.start == decided.trigger) & (found.category != "LNCH")
    forced[found.pupil, weekday, 1] = np.where(same_day, CODE["E"], CODE["\\"])
    return forced
