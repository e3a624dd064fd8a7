"""What a model was tested on, put before those who may see models, once it is audited."""

from datetime import UTC, datetime

from casework.database import connect, scoped
from casework.models import StoredModel, save_model
from fairness.policy import policy_of
from learning.models.described import described, half_terms_of
from learning.places.half_terms import half_terms
from records import delta
from records.calendar import calendar_from
from records.clock import clock_of
from records.history import latest
from records.home import Home
from records.tables import CALENDARS
from training.candidate import NoCandidate, load_candidate


def describe_model(home: Home, digest: str) -> bool:
    """Store what a candidate was tested on; return whether the home holds the candidate.

    Raises
    ------
    training.candidate.CandidateDamaged
        A file of its folder is not what was saved.
    """
    try:
        candidate = load_candidate(home, digest)
    except NoCandidate:
        return False
    today = clock_of(home).today()
    calendar = calendar_from(latest(delta.read(home.history, CALENDARS, 0)[0], CALENDARS, today))
    days = [day.date() for day in candidate.ground["as_of"].drop_duplicates()]
    names = half_terms_of(days, {one.start: one.name for one in half_terms(calendar)})
    # The bundle says no day of training on purpose: trained again on the same records it is the same bundle. A home
    # whose clock stands still was trained on that day.
    written = (home.candidates / digest / "candidate.json").stat().st_mtime
    trained_on = min(datetime.fromtimestamp(written, UTC).date(), today)
    model = StoredModel(
        bundle_digest=digest,
        trained_on=trained_on,
        payload=described(candidate, names, policy_of(home).disclosure),
    )
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            save_model(session, model)
    finally:
        engine.dispose()
    return True
