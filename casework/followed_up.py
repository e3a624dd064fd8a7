"""What people did about each flag, whatever the model that gave it: one row a flag, for counts by place."""

from datetime import date

import pandas as pd
from sqlalchemy import text
from sqlalchemy.orm import Session

from casework import states

COLUMNS = ("pupil", "as_of", "school", "reviewed", "supported")
_OFFERS = sorted(action for action, state in states.STATE_OF_ACTION.items() if state == "support_offered")
# A pupil who is flagged again while their case is open is on that same case, which may be from before.
_FLAGS = text(
    """
    SELECT p.pseudonym, f.as_of, s.school_urn,
      EXISTS (SELECT FROM views v WHERE v.case_id = c.id AND v.recorded_on <= :until),
      EXISTS (SELECT FROM decisions d WHERE d.case_id = c.id AND d.recorded_on <= :until AND d.action = ANY (:offers))
      OR EXISTS (SELECT FROM views v WHERE v.case_id = c.id AND v.recorded_on <= :until
        AND v.opinion = 'known_support_in_place')
    FROM flags f
    JOIN pupils p ON p.id = f.pupil_id
    JOIN scores s ON s.pupil_id = f.pupil_id AND s.bundle_digest = f.bundle_digest AND s.as_of = f.as_of
    LEFT JOIN LATERAL (
      SELECT id FROM cases WHERE pupil_id = f.pupil_id AND opened_on <= f.as_of
      ORDER BY opened_on DESC, id LIMIT 1
    ) c ON true
    WHERE NOT f.check_sample AND f.as_of BETWEEN :first AND :last
    ORDER BY f.as_of, p.pseudonym
    """
)


def followed_up(session: Session, first: date, last: date, until: date) -> pd.DataFrame:
    """Return the flags of these days, both included, with what had been done about each by the day `until`.

    Columns `COLUMNS`: pupil (pseudonym), as_of, school, whether a view is recorded, and whether support was offered or
    was in place already. The check sample is no flag. Needs the job's role and every school in scope.
    """
    rows = session.execute(_FLAGS, {"first": first, "last": last, "until": until, "offers": _OFFERS}).all()
    frame = pd.DataFrame([tuple(row) for row in rows], columns=list(COLUMNS))
    frame["as_of"] = pd.to_datetime(frame["as_of"]).astype("datetime64[s]")
    return frame.astype({"pupil": "int64", "school": "int64", "reviewed": "bool", "supported": "bool"})
