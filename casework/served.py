"""What was really served, as the log kept it: every week's scores and flags, and what people did about the flags."""

import uuid
from datetime import date

import pandas as pd
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casework import states
from casework.tables_cases import CaseRow, DecisionRow, ViewRow
from casework.tables_flags import FlagRow, ScoreRow
from casework.tables_people import PupilRow
from casework.tables_support import SupportRow, SupportVersionRow

_LOGGED = (
    "as_of",
    "school_urn",
    "year_group",
    "probability",
    "rise",
    "rise_margin",
    "rank",
    "cut_off",
    "eligible",
    "snoozed",
    "flagged",
    "rising_since",
    "capacity",
    "abstain",
)
REVIEWS = ("pupil", "as_of", "opened_on", "viewed_on", "decided_on", "seconds", "agreed", "helped")


def served_log(session: Session, bundle_digest: str, since: date) -> pd.DataFrame:
    """Return the allocation log of a bundle from a day on: one row for each pupil and published week.

    Columns `pupil` (pseudonym), `as_of`, `school`, `year_group`, `probability`, `rise`, `rise_margin`, `rank`,
    `cut_off`, `eligible`, `snoozed`, `flagged`, `rising_since`, `capacity`, `abstain` ('' where scored).
    Needs the job's role and every school in scope. A pupil erased since is not in it.
    """
    columns = [getattr(ScoreRow, name) for name in _LOGGED]
    rows = session.execute(
        select(PupilRow.pseudonym, *columns)
        .join(ScoreRow, ScoreRow.pupil_id == PupilRow.id)
        .where(ScoreRow.bundle_digest == bundle_digest, ScoreRow.as_of >= since)
        .order_by(ScoreRow.as_of, PupilRow.pseudonym)
    ).all()
    frame = pd.DataFrame([tuple(row) for row in rows], columns=["pupil", *_LOGGED])
    frame = frame.rename(columns={"school_urn": "school"})
    frame["as_of"] = pd.to_datetime(frame["as_of"]).astype("datetime64[s]")
    frame["abstain"] = frame["abstain"].fillna("").astype("str")
    kinds = {"pupil": "int64", "school": "int64", "year_group": "str", "capacity": "int32"}
    numbers = dict.fromkeys(("probability", "rise", "rise_margin", "cut_off"), "float64")
    return frame.astype({**kinds, **numbers, **dict.fromkeys(("eligible", "snoozed", "flagged"), "bool")})


def reviews(session: Session, bundle_digest: str, since: date) -> pd.DataFrame:
    """Return what people did about each flag that opened a case: one row a case, columns `REVIEWS`.

    `viewed_on` and `decided_on` are the first days, NaT where nobody did; `seconds` from the newest view
    before the first decision to that decision: how long somebody read the reasons. `agreed`: support was
    offered, missing where nothing is decided. `helped`: support was offered, was in place already, or
    was written down for the case.
    Needs the job's role and every school in scope.
    """
    viewed = (
        select(ViewRow.case_id, func.min(ViewRow.recorded_on).label("viewed_on"))
        .group_by(ViewRow.case_id)
        .subquery("first_views")
    )
    rows = session.execute(
        select(PupilRow.pseudonym, FlagRow.as_of, CaseRow.opened_on, viewed.c.viewed_on, CaseRow.id)
        .join(FlagRow, FlagRow.id == CaseRow.flag_id)
        .join(PupilRow, PupilRow.id == CaseRow.pupil_id)
        .outerjoin(viewed, viewed.c.case_id == CaseRow.id)
        .where(FlagRow.bundle_digest == bundle_digest, FlagRow.as_of >= since, FlagRow.check_sample.is_(False))
        .order_by(FlagRow.as_of, PupilRow.pseudonym)
    ).all()
    frame = pd.DataFrame([tuple(row) for row in rows], columns=["pupil", "as_of", "opened_on", "viewed_on", "case"])
    decided = pd.DataFrame(
        [
            tuple(row)
            for row in session.execute(
                select(DecisionRow.case_id, DecisionRow.action, DecisionRow.recorded_on, DecisionRow.recorded_at)
            )
        ],
        columns=["case", "action", "decided_on", "decided_at"],
    )
    views = pd.DataFrame(
        [tuple(row) for row in session.execute(select(ViewRow.case_id, ViewRow.opinion, ViewRow.recorded_at))],
        columns=["case", "opinion", "viewed_at"],
    )
    first = decided.sort_values("decided_at").drop_duplicates("case")
    read = first.merge(views, on="case")
    read = read[read["viewed_at"] <= read["decided_at"]].sort_values("viewed_at").drop_duplicates("case", keep="last")
    read["seconds"] = [
        (one - other).total_seconds() for one, other in zip(read["decided_at"], read["viewed_at"], strict=True)
    ]
    frame = frame.merge(first[["case", "decided_on"]], on="case", how="left")
    frame = frame.merge(read[["case", "seconds"]], on="case", how="left")
    offered = {case for case, action in zip(decided["case"], decided["action"], strict=True) if _offers(action)}
    known = set(views.loc[views["opinion"] == "known_support_in_place", "case"]) | _supported(session)
    frame["agreed"] = pd.array(
        [
            None if pd.isna(day) else case in offered
            for case, day in zip(frame["case"], frame["decided_on"], strict=True)
        ],
        dtype="boolean",
    )
    frame["helped"] = frame["case"].isin(offered | known)
    for name in ("as_of", "opened_on", "viewed_on", "decided_on"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    return frame.astype({"pupil": "int64", "seconds": "float64"})[list(REVIEWS)]


def _supported(session: Session) -> set[uuid.UUID]:
    """Return the cases with support that waits for an answer or was taken up, whatever was decided."""
    version = SupportVersionRow
    rows = session.execute(
        select(version.support_id, SupportRow.case_id, version.standing)
        .join(SupportRow, SupportRow.id == version.support_id)
        .order_by(version.support_id, version.version)
    )
    newest = {support: (case, standing) for support, case, standing in rows}
    return {case for case, standing in newest.values() if case and standing in ("waiting", "taken_up")}


def _offers(action: str) -> bool:
    return states.STATE_OF_ACTION[action] == "support_offered"
