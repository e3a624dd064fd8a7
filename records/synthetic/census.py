"""The termly School Census of a cluster of schools: one folder per term, one file per table, all schools in it.

Protected characteristics leave the simulation through these files only.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from records.synthetic.census_form import COLUMNS, Taking, Texts, filled, ids, stamp, takings
from records.synthetic.export import Exporter
from records.synthetic.register import CODES, possible_and_missed
from records.synthetic.rolls import NOT_ON_ROLL
from records.synthetic.rows import CATEGORIES, Ints, Rows, joined, reason_name, write_csv
from records.synthetic.week import Live
from records.synthetic.world import World

Columns = tuple[dict[str, Texts], Ints]
"""A table's columns, and each row's school."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Who a census counts and on what: one entry per registration on the reference day, or per departure.

    `upns` and `codes` have an entry per pupil of the cluster: the UPN in use, and sessions by code in the term
    before. `day` is the day of entry; `status` the enrolment status or, where `off`, the day they left.
    """

    taking: Taking
    pupil: npt.NDArray[np.int64]
    school: npt.NDArray[np.int64]
    status: Texts
    day: npt.NDArray[np.int64]
    upns: Texts
    codes: npt.NDArray[np.int32]
    suspensions: Rows
    off: bool

    @property
    def parent(self) -> str:
        """The name of the pupils' table."""
        return "pupilnolongeronroll" if self.off else "pupilonroll"

    def numbers(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Texts:
        """Return the identifiers of those rows of the pupils' table."""
        return ids(self.parent, self.taking, np.arange(len(self.pupil))[rows])


def write_censuses(exporter: Exporter, world: World, live: Live, until: date) -> None:
    """Write `census/<year>_<term>/` for every census returned before `until`."""
    mondays = [moment.monday.astype(object) for moment in world.moments]
    first = int(world.first_day.astype("datetime64[Y]").astype(int)) + 1970
    years = [first + n for n in range(world.rolls.year_group.shape[1])]
    suspensions = joined(live.decided)
    entry = world.entry_days()
    for taking in takings(mondays, years, until):
        name = "_".join(part for part in (str(taking.year), taking.term, exporter.tag) if part)
        folder = exporter.out / "census" / name
        folder.mkdir(parents=True)
        window = next(i for i, last in enumerate(exporter.windows) if last >= taking.week)
        upns = np.asarray(exporter.upns(window).to_pylist())
        codes = live.tally.codes
        counts = codes[:, taking.back[0], taking.back[1]] if taking.back else codes[:, 0, 0] * 0
        for counted in (
            _on_roll(world, taking, entry, upns, counts, suspensions),
            _gone(world, taking, entry, upns, counts, suspensions),
        ):
            _write(exporter, world, counted, window, folder)


def _write(exporter: Exporter, world: World, counted: Counted, window: int, folder: Path) -> None:
    natives = np.array([f"SCH{n + 1}" for n in range(len(world.schools))])
    tables = {counted.parent: _pupils(world, counted, exporter.people.former(window))}
    if counted.off:
        tables["termlyexclusionsoffroll"] = _exclusions(world, counted)
        tables["termlysessiondetailsoffroll"] = _sessions(counted)
    else:
        tables["schoolcensus"] = _schools(world, counted.taking)
        tables["senneeds"] = _needs(world, counted)
        tables["fsmperiod"] = _meals(world, counted)
        tables["termlyexclusionsonroll"] = _exclusions(world, counted)
        tables["termlysessiondetailsonroll"] = _sessions(counted)
    for name, (columns, school) in tables.items():
        table = filled(name, columns, counted.taking, natives[school])
        exporter.count(name, write_csv(folder / f"{name}.csv", ",".join(COLUMNS[name]), table))


def _on_roll(
    world: World,
    taking: Taking,
    entry: npt.NDArray[np.int64],
    upns: Texts,
    codes: npt.NDArray[np.int32],
    suspensions: Rows,
) -> Counted:
    school, dual = world.rolls.school[:, taking.week], world.rolls.dual
    spells = dual.now(taking.week, school)
    pupil = np.flatnonzero(school != NOT_ON_ROLL)
    both = np.isin(pupil, dual.pupil[spells])
    begun = np.array([world.day(int(week)) for week in dual.first[spells]], np.int64)
    return Counted(
        taking=taking,
        pupil=np.concatenate([pupil, dual.pupil[spells]]),
        school=np.concatenate([school[pupil].astype(np.int64), dual.second[spells]]),
        status=np.concatenate([np.where(both, "M", "C"), np.full(len(spells), "S")]),
        day=np.concatenate([entry[pupil, taking.week], begun]),
        upns=upns,
        codes=codes,
        suspensions=_of_term(world, taking, suspensions),
        off=False,
    )


def _gone(
    world: World,
    taking: Taking,
    entry: npt.NDArray[np.int64],
    upns: Texts,
    codes: npt.NDArray[np.int32],
    suspensions: Rows,
) -> Counted:
    """Return who was on a roll after the census before and is not now."""
    school = world.rolls.school[:, taking.before : taking.week + 1]
    leaves = (school[:, :-1] != school[:, 1:]) & (school[:, :-1] != NOT_ON_ROLL) & (school[:, :-1] != school[:, -1:])
    pupil, week = np.nonzero(leaves)
    friday = np.array([world.day(taking.before + int(w)) + 4 for w in week], np.int64)
    return Counted(
        taking=taking,
        pupil=pupil,
        school=school[pupil, week].astype(np.int64),
        status=stamp(world.first_day + friday.astype("timedelta64[D]")),
        day=entry[pupil, taking.before + week],
        upns=upns,
        codes=codes,
        suspensions=_of_term(world, taking, suspensions),
        off=True,
    )


def _of_term(world: World, taking: Taking, rows: Rows) -> Rows:
    """Return the sanctions that started in the term before."""
    year, term = taking.back or (-1, -1)
    weeks = [i for i in range(len(world.moments)) if world.rolls.year_of_week[i] == year and world.term(i) == term]
    low, high = (world.day(weeks[0]), world.day(weeks[-1]) + 6) if weeks else (0, -1)
    due = (rows["start_date"] >= low) & (rows["start_date"] <= high)
    return {name: values[due] for name, values in rows.items()}


def _one(day: date) -> npt.NDArray[np.datetime64]:
    return np.array([day], "datetime64[D]")


def _schools(world: World, taking: Taking) -> Columns:
    number = len(world.schools)
    columns = {
        "term": np.full(number, {"autumn": "AUT", "spring": "SPR", "summer": "SUM"}[taking.term]),
        "collection": np.full(number, "SC"),
        "name": np.array([s.name for s in world.schools]),
        "year": np.full(number, str(taking.year)),
        "referencedate": np.repeat(stamp(_one(taking.reference)), number),
        "sourcelevel": np.full(number, "L"),
        "estab": np.array([s.laestab[3:] for s in world.schools]),
        "lea": np.array([s.laestab[:3] for s in world.schools]),
        "urn": np.array([str(s.urn) for s in world.schools]),
        "datetime": np.repeat(stamp(_one(taking.returned_on)), number),
    }
    return columns, np.arange(number)


def _pupils(world: World, counted: Counted, former: npt.NDArray[np.bool_]) -> Columns:
    people, taking, pupil = world.people, counted.taking, counted.pupil
    group = world.year_group(taking.week)[pupil]
    possible, _ = possible_and_missed(counted.codes[pupil])
    changed = (people.former_upn[pupil] != "") & ~former[pupil]
    columns = {
        f"{counted.parent}tableid": counted.numbers(np.arange(len(pupil))),
        "schoolcensustableid": ids("schoolcensus", taking, np.arange(len(world.schools)))[counted.school],
        "upn": counted.upns[pupil],
        "formerupn": np.where(changed, people.former_upn[pupil], ""),
        "surname": people.surname[pupil],
        "forename": people.forename[pupil],
        "dob": stamp(people.birth_day[pupil]),
        "entrydate": stamp(world.first_day + counted.day.astype("timedelta64[D]")),
        "parttime": np.full(len(pupil), "False"),
        "termlysessionspossible": possible.astype(str),
        "ethnicity": people.ethnicity[pupil],
        "language": people.language[pupil],
        "boarder": np.full(len(pupil), "N"),
        "sex": people.sex[pupil],
    }
    if counted.off:
        return columns | {"leavingdate": counted.status}, counted.school
    columns |= {
        "enrolstatus": counted.status,
        "ncyearactual": np.where(group == 0, "R", group.astype(str)),
        "senprovision": people.sen[pupil, world.rolls.year_of_week[taking.week]],
    }
    return columns, counted.school


def _needs(world: World, counted: Counted) -> Columns:
    people, pupil = world.people, counted.pupil
    provision = people.sen[pupil, world.rolls.year_of_week[counted.taking.week]]
    mine = (provision != "N") & (people.need[pupil] != "")
    return {
        "pupilonrolltableid": counted.numbers(mine),
        "sentyperank": np.full(int(mine.sum()), "1"),
        "sentype": people.need[pupil[mine]],
    }, counted.school[mine]


def _meals(world: World, counted: Counted) -> Columns:
    start, end = world.people.fsm_start[counted.pupil], world.people.fsm_end[counted.pupil]
    reference = np.datetime64(counted.taking.reference)
    mine = start <= reference
    over = np.where(end[mine] <= reference, end[mine], np.datetime64("NaT", "D"))
    return {
        "pupilonrolltableid": counted.numbers(mine),
        "fsmstartdate": stamp(start[mine]),
        "fsmenddate": stamp(over),
        "ukcountry": np.full(int(mine.sum()), "ENG"),
    }, counted.school[mine]


def _exclusions(world: World, counted: Counted) -> Columns:
    """Return the sanctions of the term before, each with the pupil's registration at the school that gave it."""
    rows = counted.suspensions
    place = {pair: i for i, pair in enumerate(zip(counted.pupil.tolist(), counted.school.tolist(), strict=True))}
    at = np.array(
        [place.get((p, s), -1) for p, s in zip(rows["pupil"].tolist(), rows["school"].tolist(), strict=True)], np.int64
    )
    mine = {name: values[at >= 0] for name, values in rows.items()}
    at = at[at >= 0]
    return {
        f"{counted.parent}tableid": counted.numbers(at),
        "startdate": stamp(world.first_day + mine["start_date"].astype("timedelta64[D]")),
        "sessions": np.where(mine["sessions"] < 0, "", mine["sessions"].astype(str)),
        "category": np.array(CATEGORIES)[mine["category"]],
        "senprovision": world.people.sen[mine["pupil"], max((counted.taking.back or (0, 0))[0], 0)],
        "reason1": reason_name(mine["reason1"]),
        "reason2": reason_name(mine["reason2"]),
        "reason3": reason_name(mine["reason3"]),
    }, counted.school[at]


def _sessions(counted: Counted) -> Columns:
    """Return sessions by reason for absence and other codes in the term before; presence is not listed.

    They stand with the registration that is no second one.
    """
    listed = [i for i, code in enumerate(CODES) if code not in ("/", "\\", "#")]
    counts = counted.codes[counted.pupil][:, listed] * (counted.status != "S")[:, None]
    who, what = np.nonzero(counts)
    return {
        f"{counted.parent}tableid": counted.numbers(who),
        "attendancereason": np.array(CODES)[listed][what],
        "sessions": counts[who, what].astype(str),
    }, counted.school[who]
