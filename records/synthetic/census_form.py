"""The form of the simulated School Census: its tables' columns, identifiers and dates, and which are taken when.

Columns are those of the School Census CSV files of spring 2026, in their order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from records.synthetic.rows import Ints

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
    "pupilnolongeronroll": (
        *_names(_LEAD.format("pupilnolongeronroll")),
        *_names("schoolcensustableid upn formerupn surname forename middlenames formersurname dob entrydate"),
        *_names("leavingdate parttime termlysessionspossible moveonrollflag uniquelearnernumber ethnicity language"),
        *_names("boarder sex"),
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
    "termlyexclusionsoffroll": (
        *_names(_LEAD.format("termlyexclusionsoffroll")),
        *_names("pupilnolongeronrolltableid startdate sessions category senprovision reason1 reason2 reason3"),
    ),
    "termlysessiondetailsoffroll": (
        *_names(_LEAD.format("termlysessiondetailsoffroll")),
        *_names("pupilnolongeronrolltableid attendancereason sessions"),
    ),
}
TERMS = ("autumn", "spring", "summer")
_REFERENCE = {"autumn": (10, 1, 3, 1), "spring": (1, 1, 3, 3), "summer": (5, 1, 3, 3)}  # month, day, weekday, n-th
# The file is made on the census day itself: made later it would be a newer version that forgets who has left since.
DAYS_TO_RETURN = 0
_SHORT = {
    "schoolcensus": "cen",
    "pupilonroll": "pup",
    "pupilnolongeronroll": "off",
    "senneeds": "sen",
    "fsmperiod": "fsm",
    "termlyexclusionsonroll": "exc",
    "termlysessiondetailsonroll": "ses",
    "termlyexclusionsoffroll": "exo",
    "termlysessiondetailsoffroll": "seo",
}
Texts = npt.NDArray[np.str_]


@dataclass(frozen=True, kw_only=True)
class Taking:
    """One census: its folder's name, reference day, the week that holds it, and the term it looks back on.

    `before` is the week of the census before it, or the first week of the run.
    """

    year: int
    term: str
    reference: date
    week: int
    before: int
    back: tuple[int, int] | None

    @property
    def returned_on(self) -> date:
        """Return the day the schools sent it."""
        return self.reference + timedelta(days=DAYS_TO_RETURN)


def takings(mondays: Sequence[date], years: Sequence[int], until: date) -> list[Taking]:
    """Return the censuses returned before `until`: autumn, spring and summer of each academic year."""
    found: list[Taking] = []
    for index, start in enumerate(years):
        for order, term in enumerate(TERMS):
            year = start if term == "autumn" else start + 1
            month, day, weekday, nth = _REFERENCE[term]
            first = date(year, month, day)
            reference = first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
            week = max(i for i, monday in enumerate(mondays) if monday <= reference)
            back = (index, order - 1) if order else ((index - 1, 2) if index else None)
            before = found[-1].week if found else 0
            taking = Taking(year=year, term=term, reference=reference, week=week, before=before, back=back)
            if taking.returned_on < until:
                found.append(taking)
    return found


def ids(table: str, taking: Taking, number: Ints) -> Texts:
    """Return table identifiers: unique in their table, census and cluster of schools."""
    return np.array([f"{_SHORT[table]}{taking.year % 100}{taking.term[:2]}-{n:06d}" for n in number.tolist()], "U20")


def stamp(days: npt.NDArray[np.datetime64]) -> Texts:
    """Return days as the School Census writes them: `2025-Feb-14 00:00:00`; '' for no day."""
    distinct, place = np.unique(days.astype("datetime64[D]"), return_inverse=True)
    found = [f"{d:%Y-%b-%d} 00:00:00" if d is not None else "" for d in distinct.astype(object)]
    return np.array(found, "U20")[place]


def filled(name: str, columns: Mapping[str, Texts], taking: Taking, natives: Texts) -> pa.Table:
    """Return a census table: the columns given, those that follow from the row's place, and blanks elsewhere."""
    rows = len(natives)
    given = {
        f"{name}tableid": ids(name, taking, np.arange(rows)),
        **columns,
        "NativeId": natives,
        f"{name}orderseqcolumn": np.arange(1, rows + 1).astype(str),
        "sourceid": np.full(rows, f"{taking.year}{taking.term}"),
    }
    blank = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int8)), pa.array([""]))
    return pa.table({c: pa.array(given[c].tolist(), pa.string()) if c in given else blank for c in COLUMNS[name]})
