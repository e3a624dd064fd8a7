"""What casework learned, landed among the records before the night's scoring: flags, misses, support."""

from datetime import date

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.tables_cases import CaseRow
from casework.tables_flags import FlagRow, ScoreRow
from casework.tables_people import PupilRow
from casework.tables_said import FreshStartRow, SnoozeRow
from records import delta
from records.home import Home
from records.table import Table
from records.tables import FLAGS_GIVEN, FRESH_STARTS
from records.written import append
from serving.jobs.missed import land_missed
from serving.jobs.support import land_support


def land_learned(home: Home, session: Session, today: date) -> int:
    """Land flags, fresh starts, what was missed and support that are not in the store yet; return how many rows were.

    Landing twice adds nothing. The check sample is no flag: it was drawn whatever the score. Needs the job's role
    and every school in scope.
    """
    flags = session.execute(
        select(PupilRow.pseudonym, FlagRow.as_of, ScoreRow.school_urn, FlagRow.bundle_digest)
        .join(PupilRow, PupilRow.id == FlagRow.pupil_id)
        .join(
            ScoreRow,
            (ScoreRow.pupil_id == FlagRow.pupil_id)
            & (ScoreRow.bundle_digest == FlagRow.bundle_digest)
            & (ScoreRow.as_of == FlagRow.as_of),
        )
        .where(FlagRow.check_sample.is_(False))
        .order_by(FlagRow.as_of, FlagRow.id)
    )
    given = {(who, day): {"school": school, "bundle": digest} for who, day, school, digest in flags}
    starts = session.execute(
        select(PupilRow.pseudonym, FreshStartRow.from_on).join(PupilRow, PupilRow.id == FreshStartRow.pupil_id)
    )
    granted: dict[tuple[int, date], dict[str, object]] = {(who, day): {} for who, day in starts}
    learned = sum(_land(home, table, rows, today) for table, rows in ((FLAGS_GIVEN, given), (FRESH_STARTS, granted)))
    return learned + land_missed(home, session, today) + land_support(home, session)


def pupils_set_aside(session: Session, day: date) -> frozenset[int]:
    """Return the pseudonyms of pupils whom a person set aside, whose day has not come by the day of the list.

    The last word holds; a case that was taken up again (`cases.snoozed_until` empty) has no pupil set aside.
    """
    rows = session.execute(
        select(PupilRow.pseudonym)
        .join(SnoozeRow, SnoozeRow.pupil_id == PupilRow.id)
        .join(CaseRow, CaseRow.id == SnoozeRow.case_id)
        .where(SnoozeRow.until_on == CaseRow.snoozed_until, SnoozeRow.recorded_on <= day, SnoozeRow.until_on > day)
    )
    return frozenset(rows.scalars())


def _land(home: Home, table: Table, rows: dict[tuple[int, date], dict[str, object]], today: date) -> int:
    day = table.happened_on
    there = delta.scan(home.history, table, None, ["pupil", day]).to_pandas()
    landed = set(zip(there["pupil"].astype(int), pd.to_datetime(there[day]).dt.date, strict=True))
    # Known from the day on which a person did it, as the term dates that schools enter.
    fresh = [
        {"pupil": key[0], day: key[1], "known_on": key[1], **rest}
        for key, rest in sorted(rows.items())
        if key not in landed
    ]
    return append(home, table, fresh, today)
