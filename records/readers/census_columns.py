"""The School Census tables that Belong reads, and every column that their exports may carry.

Source: School Census fields, spring 2026, and the columns that exports of 2025 and before still carry.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CensusTable:
    """One census table: the columns Belong reads, which must be there, and those it passes by."""

    needed: tuple[str, ...]
    passed_by: tuple[str, ...]


def _table(needed: str, passed_by: str) -> CensusTable:
    return CensusTable(needed=tuple(needed.split()), passed_by=tuple(passed_by.split()))


READ: Mapping[str, CensusTable] = {
    "schoolcensus": _table(
        "schoolcensustableid NativeId referencedate datetime urn",
        "schoolcensusorderseqcolumn sourceid term collection name year sourcelevel estab softwarecode release serialno "
        "xversion lea",
    ),
    "pupilonroll": _table(
        "pupilonrolltableid NativeId schoolcensustableid upn formerupn surname forename dob entrydate ethnicity "
        "language enrolstatus ncyearactual senprovision sex",
        "pupilonrollorderseqcolumn sourceid uniquelearnernumber middlenames preferredsurname formersurname "
        "schoollunchtaken parttime senunitindicator resourcedprovisionindicator missingaddress hoursatsetting "
        "termlysessionspossible fundedhours duplicatenotfunded moveoffrollflag topupfunding unitcontacttime yssa "
        "classtype boarder servicechild eyppbf plaa dafindicator extendedhours eyppr youngcarer eligibilitycode",
    ),
    "pupilnolongeronroll": _table(
        "pupilnolongeronrolltableid NativeId schoolcensustableid upn formerupn surname forename dob entrydate "
        "leavingdate",
        "pupilnolongeronrollorderseqcolumn sourceid middlenames preferredsurname formersurname parttime "
        "termlysessionspossible moveonrollflag uniquelearnernumber ethnicity language boarder sex",
    ),
    "senneeds": _table(
        "pupilonrolltableid NativeId sentyperank sentype", "senneedstableid senneedsorderseqcolumn sourceid"
    ),
    "fsmperiod": _table(
        "pupilonrolltableid NativeId fsmstartdate fsmenddate ukcountry",
        "fsmperiodtableid fsmperiodorderseqcolumn sourceid",
    ),
    "termlyexclusionsonroll": _table(
        "pupilonrolltableid NativeId startdate sessions category reason1 reason2 reason3",
        "termlyexclusionsonrolltableid termlyexclusionsonrollorderseqcolumn sourceid senprovision",
    ),
    "termlyexclusionsoffroll": _table(
        "pupilnolongeronrolltableid NativeId startdate sessions category reason1 reason2 reason3",
        "termlyexclusionsoffrolltableid termlyexclusionsoffrollorderseqcolumn sourceid senprovision",
    ),
}

_TOTALS = "termly totals of sessions: Belong keeps the marks themselves"
_NOT_NEEDED = "not needed to keep pupils in school, so not kept"
PASSED_OVER: Mapping[str, str] = {
    "termlysessiondetailsonroll": _TOTALS,
    "termlysessiondetailsoffroll": _TOTALS,
    **dict.fromkeys(
        (
            "addresses",
            "childcare",
            "classes",
            "learnersupportoffroll",
            "learnersupportonroll",
            "provisions",
            "school",
            "fundingbasisitems",
            "approvisiondetailoffroll",
            "approvisiondetailonroll",
            "learnerfamoffroll",
            "learnerfamonroll",
            "schoolarrangedapdetailoffroll",
            "schoolarrangedapdetailonroll",
        ),
        _NOT_NEEDED,
    ),
}
