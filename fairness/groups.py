"""Which group each pupil belongs to, from the protected root: read here for auditing, and nowhere near a score."""

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from records.refusal import Refusal

COLUMNS = ("sex", "ethnicity", "sen", "fsm", "eal", "care")
# What stands where nothing is known of a pupil: never guessed, shown but not judged.
UNKNOWN: Mapping[str, str] = MappingProxyType(
    {
        "sex": "unknown",
        "ethnicity": "unclassified",
        "sen": "unknown",
        "fsm": "unknown",
        "eal": "unknown",
        "care": "unknown",
    }
)
DECLARED_MERGES: Mapping[str, str] = MappingProxyType({"CHNE": "Asian"})
_SEX = {"F": "female", "M": "male"}
_SEN = {"N": "none", "K": "support", "E": "ehcp"}
# The first letter of a main ethnicity code is the major group: DfE Common Basic Data Set, May 2026.
_MAJOR = {"A": "Asian", "B": "Black", "M": "Mixed", "W": "White", "O": "Other"}
_NOT_SAID = frozenset({"REFU", "NOBT"})
_ENGLISH = frozenset({"ENG", "ENB"})
_LANGUAGE_NOT_SAID = frozenset({"NOT", "REF"})
# A child in need, or on a protection plan: DfE counts whoever had a social worker in the last six years.
_SOCIAL_WORKER = frozenset({"CIN", "CPP"})
EVER_YEARS = 6


class UnknownGroup(Refusal):
    """A code leads to no declared group."""


class ProtectedRecords(Protocol):
    """The protected root: `records.protected.ProtectedStore`."""

    def known_protected(self, as_of: date) -> Mapping[str, pd.DataFrame]:
        """Table name → the latest versions known before `as_of`."""


def groups(store: ProtectedRecords, as_of: date, *, merges: Mapping[str, str] = DECLARED_MERGES) -> pd.DataFrame:
    """Return each pupil's groups as they were known on a day.

    Parameters
    ----------
    as_of
        Characteristics are as the last census known before this day gave them.
    merges
        Ethnicity code → the group it joins, as the policy declares it beforehand.

    Returns
    -------
    Index `pupil` (int64); text columns sex (female, male, unknown), ethnicity (Asian, Black, Mixed,
    White, Other, unclassified), sen (none, support, ehcp, unknown), fsm (fsm: eligible on the day or in
    the six years before it, as DfE's 'Ever 6'; not), eal (eal, not, unknown), care (looked_after: on the day;
    social_worker: in need or on a protection plan on the day or in the six years before it; none; unknown for all where
    no local authority's file has come in, since nothing known is not nobody). One row for each pupil of whom a census
    is known.

    Raises
    ------
    UnknownGroup
        An ethnicity code with no major group.
    """
    tables = store.known_protected(as_of)
    people = tables["characteristics"].sort_values(["pupil", "census_date"], kind="stable")
    people = people.drop_duplicates("pupil", keep="last")
    index = pd.Index(people["pupil"].to_numpy("int64"), name="pupil")

    def column(name: str, group_of: Callable[[str], str]) -> pd.Series:
        codes = people[name].astype("object")
        named = {code: group_of(str(code)) for code in codes.dropna().unique()}
        return pd.Series(codes.map(named).fillna(UNKNOWN[_GROUPED[name]]).to_numpy(), index=index, dtype="str")

    ever = index.isin(_open(tables["fsm_periods"], as_of, years=EVER_YEARS))
    return pd.DataFrame(
        {
            "sex": column("sex", _SEX.__getitem__),
            "ethnicity": column("ethnicity", lambda code: _ethnicity(code, merges)),
            "sen": column("sen_provision", _SEN.__getitem__),
            "fsm": pd.Series(np.where(ever, "fsm", "not"), index=index, dtype="str"),
            "eal": column("language", _language),
            "care": pd.Series(_care(tables["care"], index, as_of), index=index, dtype="str"),
        }
    )


_GROUPED = {"sex": "sex", "ethnicity": "ethnicity", "sen_provision": "sen", "language": "eal"}


def _ethnicity(code: str, merges: Mapping[str, str]) -> str:
    if code in merges:
        return merges[code]
    if code in _NOT_SAID:
        return UNKNOWN["ethnicity"]
    if code[:1] not in _MAJOR:
        raise UnknownGroup(
            f"ethnicity code {code!r} belongs to no census group; declare its merge in fairness/policy.toml"
        )
    return _MAJOR[code[:1]]


def _language(code: str) -> str:
    if code in _LANGUAGE_NOT_SAID:
        return UNKNOWN["eal"]
    return "not" if code in _ENGLISH else "eal"


def _care(periods: pd.DataFrame, index: pd.Index, as_of: date) -> npt.NDArray[np.str_]:
    """Return each pupil's care group; being looked after now weighs more than having had a social worker."""
    if periods.empty:
        return np.full(len(index), UNKNOWN["care"])
    status = periods["status"].astype("str")
    looked_after = index.isin(_open(periods[status == "CLA"], as_of, years=0))
    helped = index.isin(_open(periods[status.isin(_SOCIAL_WORKER)], as_of, years=EVER_YEARS))
    return np.where(looked_after, "looked_after", np.where(helped, "social_worker", "none"))


def _open(periods: pd.DataFrame, as_of: date, *, years: int) -> npt.NDArray[np.int64]:
    """Return pupils with a period that was open on the day or within so many years before it."""
    day = pd.Timestamp(as_of)
    recent = periods["end_date"].isna() | (periods["end_date"] >= day - pd.DateOffset(years=years))
    return periods.loc[(periods["start_date"] < day) & recent, "pupil"].to_numpy(np.int64)
