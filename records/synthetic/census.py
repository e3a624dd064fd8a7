"""The termly School Census of the simulated network: one folder per term, one file per table, all schools in it.

Columns are those of the School Census CSV files of spring 2026, in their order. Protected characteristics
leave the simulation through these files only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from records.synthetic.export import Exporter
from records.synthetic.register import CODES, possible_and_missed
from records.synthetic.rolls import NOT_ON_ROLL
from records.synthetic.rows import CATEGORIES, Rows, joined, reason_name, write_csv
from records.synthetic.week import Live
from records.synthetic.world import World

_LEAD = "{0}tableid NativeId {0}orderseqcolumn sourceid"


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


COLUMNS: Mapping[str, tuple[str, ...]] = {
    "schoolcensus": (
        *_names(_LEAD.format("schoolcensus")),
        *_names("term collection name year referencedate sourcelevel estab softwarecode release serialno"),
        *_names("xversion datetime lea urn"),
    ),
    "pupilonroll": (
        *_names(_LEAD.format("pupilonroll")),
        *_names("schoolcensustableid upn formerupn surname forename uniquelearnernumber middlenames preferredsurname"),
        *_names("formersurname dob entrydate schoollunchtaken parttime senunitindicator resourcedprovisionindicator"),
        *_names("missingaddress hoursatsetting termlysessionspossible fundedhours duplicatenotfunded moveoffrollflag"),
        *_names("topupfunding unitcontacttime ethnicity yssa language enrolstatus classtype boarder ncyearactual"),
        *_names("senprovision servicechild eyppbf plaa dafindicator extendedhours eyppr youngcarer sex"),
        "eligibilitycode",
    ),
    "senneeds": (*_names(_LEAD.format("senneeds")), "pupilonrolltableid", "sentyperank", "sentype"),
    "fsmperiod": (
        *_names(_LEAD.format("fsmperiod")),
        *_names("pupilonrolltableid fsmstartdate fsmenddate ukcountry"),
    ),
    "termlyexclusionsonroll": (
        *_names(_LEAD.format("termlyexclusionsonroll")),
        *_names("pupilonrolltableid startdate sessions category senprovision reason1 reason2 reason3"),
    ),
    "termlysessiondetailsonroll": (
        *_names(_LEAD.format("termlysessiondetailsonroll")),
        *_names("pupilonrolltableid attendancereason sessions"),
    ),
}
TERMS = ("autumn", "spring", "summer")
_REFERENCE = {"autumn": (10, 1, 3, 1), "spring": (1, 1, 3, 3), "summer": (5, 1, 3, 3)}  # month, day, weekday, n-th
# The file is made on the census day itself: made later it would be a newer version that forgets who has left since.
DAYS_TO_RETURN = 0
_SHORT = {
    "schoolcensus": "cen",
    "pupilonroll": "pup",
    "senneeds": "sen",
    "fsmperiod": "fsm",
    "termlyexclusionsonroll": "exc",
    "termlysessiondetailsonroll": "ses",
}
Texts = npt.NDArray[np.str_]


@dataclass(frozen=True, kw_only=True)
class Taking:
    """One census: its folder's name, reference day, the week that holds it, and the term it looks back on."""

    year: int
    term: str
    reference: date
    week: int
    back: tuple[int, int] | None

    @property
    def returned_on(self) -> date:
        """Return the day the schools sent it."""
        return self.reference + timedelta(days=DAYS_TO_RETURN)


def takings(mondays: Sequence[date], years: Sequence[int], until: date) -> list[Taking]:
    """Return the censuses returned before `until`: autumn, spring and summer of each academic year."""
    found = []
    for index, start in enumerate(years):
        for order, term in enumerate(TERMS):
            year = start if term == "autumn" else start + 1
            month, day, weekday, nth = _REFERENCE[term]
            first = date(year, month, day)
            reference = first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
            before = [i for i, monday in enumerate(mondays) if monday <= reference]
            back = (index, order - 1) if order else ((index - 1, 2) if index else None)
            taking = Taking(year=year, term=term, reference=reference, week=before[-1], back=back)
            if taking.returned_on < until:
                found.append(taking)
    return found


def write_censuses(exporter: Exporter, world: World, live: Live, until: date) -> None:
    """Write `census/<year>_<term>/` for every census returned before `until`."""
    mondays = [moment.monday.astype(object) for moment in world.moments]
    first = int(world.first_day.astype("datetime64[Y]").astype(int)) + 1970
    years = [first + n for n in range(world.rolls.year_group.shape[1])]
    suspensions = joined(live.decided)
    for taking in takings(mondays, years, until):
        folder = exporter.out / "census" / f"{taking.year}_{taking.term}"
        folder.mkdir(parents=True)
        _write(exporter, world, live, suspensions, taking, folder)


def _write(exporter: Exporter, world: World, live: Live, suspensions: Rows, taking: Taking, folder: Path) -> None:
    school = world.rolls.school[:, taking.week]
    pupils = np.flatnonzero(school != NOT_ON_ROLL)
    window = next(i for i, last in enumerate(exporter.windows) if last >= taking.week)
    upns = np.asarray(exporter.upns(window).to_pylist())
    counts = live.tally.codes[:, taking.back[0], taking.back[1]] if taking.back else live.tally.codes[:, 0, 0] * 0
    tables = {
        "schoolcensus": _schools(world, taking),
        "pupilonroll": _pupils(world, taking, pupils, upns, counts),
        "senneeds": _needs(world, taking, pupils),
        "fsmperiod": _meals(world, taking, pupils),
        "termlyexclusionsonroll": _exclusions(world, taking, pupils, suspensions),
        "termlysessiondetailsonroll": _sessions(taking, pupils, counts),
    }
    natives = np.array([f"SCH{n + 1}" for n in range(len(world.schools))])
    for name, filled in tables.items():
        who = filled.pop("pupil", None)
        rows = len(next(iter(filled.values())))
        filled.setdefault("NativeId", natives[school[who]] if who is not None else natives[:rows])
        filled[f"{name}tableid"] = _ids(name, taking, np.arange(rows)) if name != "pupilonroll" else filled["id"]
        filled[f"{name}orderseqcolumn"] = np.arange(1, rows + 1).astype(str)
        filled["sourceid"] = np.full(rows, f"{taking.year}{taking.term}")
        blank = np.full(rows, "")
        columns = {c: pa.array(filled.get(c, blank).tolist(), pa.string()) for c in COLUMNS[name]}
        exporter.count(name, write_csv(folder / f"{name}.csv", ",".join(COLUMNS[name]), pa.table(columns)))


def _ids(table: str, taking: Taking, number: npt.NDArray[np.integer]) -> Texts:
    return np.array([f"{_SHORT[table]}{taking.year % 100}{taking.term[:2]}-{n:06d}" for n in number.tolist()], "U20")


def _stamp(days: npt.NDArray[np.datetime64]) -> Texts:
    """Return days as the School Census writes them: `2025-Feb-14 00:00:00`; '' for no day."""
    found = [f"{d:%Y-%b-%d} 00:00:00" if d is not None else "" for d in days.astype("datetime64[D]").astype(object)]
    return np.array(found, "U20")


def _one(day: date) -> npt.NDArray[np.datetime64]:
    return np.array([day], "datetime64[D]")


def _schools(world: World, taking: Taking) -> dict[str, Texts]:
    number = len(world.schools)
    return {
        "term": np.full(number, {"autumn": "AUT", "spring": "SPR", "summer": "SUM"}[taking.term]),
        "collection": np.full(number, "SC"),
        "name": np.array([s.name for s in world.schools]),
        "year": np.full(number, str(taking.year)),
        "referencedate": np.repeat(_stamp(_one(taking.reference)), number),
        "sourcelevel": np.full(number, "L"),
        "estab": np.array([s.laestab[3:] for s in world.schools]),
        "lea": np.array([s.laestab[:3] for s in world.schools]),
        "urn": np.array([str(s.urn) for s in world.schools]),
        "datetime": np.repeat(_stamp(_one(taking.returned_on)), number),
    }


def _pupils(
    world: World,
    taking: Taking,
    pupils: npt.NDArray[np.int64],
    upns: Texts,
    counts: npt.NDArray[np.int32],
) -> dict[str, Texts]:
    people, school = world.people, world.rolls.school[:, taking.week]
    group = world.year_group(taking.week)[pupils]
    possible, _ = possible_and_missed(counts[pupils])
    entry = world.first_day + world.entry_days()[pupils, taking.week].astype("timedelta64[D]")
    census_ids = _ids("schoolcensus", taking, np.arange(len(world.schools)))
    return {
        "pupil": pupils,
        "id": _ids("pupilonroll", taking, pupils),
        "schoolcensustableid": census_ids[school[pupils]],
        "upn": upns[pupils],
        "surname": people.surname[pupils],
        "forename": people.forename[pupils],
        "dob": _stamp(people.birth_day[pupils]),
        "entrydate": _stamp(entry),
        "parttime": np.full(len(pupils), "False"),
        "termlysessionspossible": possible.astype(str),
        "ethnicity": people.ethnicity[pupils],
        "language": people.language[pupils],
        "enrolstatus": np.full(len(pupils), "C"),
        "boarder": np.full(len(pupils), "N"),
        "ncyearactual": np.where(group == 0, "R", group.astype(str)),
        "senprovision": people.sen[pupils, world.rolls.year_of_week[taking.week]],
        "sex": people.sex[pupils],
    }


def _needs(world: World, taking: Taking, pupils: npt.NDArray[np.int64]) -> dict[str, Texts]:
    provision = world.people.sen[pupils, world.rolls.year_of_week[taking.week]]
    mine = pupils[(provision != "N") & (world.people.need[pupils] != "")]
    return {
        "pupil": mine,
        "pupilonrolltableid": _ids("pupilonroll", taking, mine),
        "sentyperank": np.full(len(mine), "1"),
        "sentype": world.people.need[mine],
    }


def _meals(world: World, taking: Taking, pupils: npt.NDArray[np.int64]) -> dict[str, Texts]:
    start, end = world.people.fsm_start[pupils], world.people.fsm_end[pupils]
    reference = np.datetime64(taking.reference)
    mine = start <= reference
    over = np.where(end[mine] <= reference, end[mine], np.datetime64("NaT", "D"))
    return {
        "pupil": pupils[mine],
        "pupilonrolltableid": _ids("pupilonroll", taking, pupils[mine]),
        "fsmstartdate": _stamp(start[mine]),
        "fsmenddate": _stamp(over),
        "ukcountry": np.full(int(mine.sum()), "ENG"),
    }


def _exclusions(world: World, taking: Taking, pupils: npt.NDArray[np.int64], rows: Rows) -> dict[str, Texts]:
    """Return the sanctions that started in the term before, of pupils who are still on a roll."""
    year, term = taking.back or (-1, -1)
    weeks = [i for i in range(len(world.moments)) if world.rolls.year_of_week[i] == year and world.term(i) == term]
    low, high = (world.day(weeks[0]), world.day(weeks[-1]) + 6) if weeks else (0, -1)
    due = (rows["start_date"] >= low) & (rows["start_date"] <= high) & np.isin(rows["pupil"], pupils)
    mine = {name: values[due] for name, values in rows.items()}
    return {
        "pupil": mine["pupil"],
        "pupilonrolltableid": _ids("pupilonroll", taking, mine["pupil"]),
        "startdate": _stamp(world.first_day + mine["start_date"].astype("timedelta64[D]")),
        "sessions": np.where(mine["sessions"] < 0, "", mine["sessions"].astype(str)),
        "category": np.array(CATEGORIES)[mine["category"]],
        "senprovision": world.people.sen[mine["pupil"], max(year, 0)],
        "reason1": reason_name(mine["reason1"]),
        "reason2": reason_name(mine["reason2"]),
        "reason3": reason_name(mine["reason3"]),
    }


def _sessions(taking: Taking, pupils: npt.NDArray[np.int64], counts: npt.NDArray[np.int32]) -> dict[str, Texts]:
    """Return sessions by reason for absence and other codes in the term before; presence is not listed."""
    listed = [i for i, code in enumerate(CODES) if code not in ("/", "\\", "#")]
    who, what = np.nonzero(counts[pupils][:, listed])
    return {
        "pupil": pupils[who],
        "pupilonrolltableid": _ids("pupilonroll", taking, pupils[who]),
        "attendancereason": np.array(CODES)[listed][what],
        "sessions": counts[pupils][:, listed][who, what].astype(str),
    }
