"""Whether anything that a model found may be shown at this moment: by its bytes and signatures, and by the database."""

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from casework.deployments import current_deployment
from casework.freshness import Withheld
from fairness.approval.ledger import Head
from serving.scoring import Deployed, Refused
from serving.site import NO_SCHOOLS, Site


def speaking(site: Site) -> Deployed | Refused:
    """Return the bundle that may serve now, or why none may."""
    try:
        with site.database(NO_SCHOOLS) as session:
            return may_speak(site, session)
    except OperationalError:
        return Refused(code="database_unavailable", sentence="The operational database cannot be reached.")


def why_silent(site: Site, session: Session) -> Withheld | None:
    """Return why no score and no reason may be shown now, None where they may: a published one is a model's word too.

    `session` is the page's own transaction: a second connection for each page would empty the pool.
    """
    found = may_speak(site, session)
    if isinstance(found, Refused):
        return Withheld(code=found.code, sentence=f"Belong is not scoring, so no figure is shown. {found.sentence}")
    return None


def may_speak(site: Site, session: Session) -> Deployed | Refused:
    """Return the bundle that may serve now, or why none may, asking the database in a transaction that is open."""
    found = site.door.deployed()
    if isinstance(found, Refused):
        return found
    row = current_deployment(session)
    if row is None or row.digest != found.digest:
        return Refused(code="deployment_mismatch", sentence="The database does not record this model as deployed.")
    if not found.ledger.holds(Head(number=row.ledger[0], digest=row.ledger[1])):
        return Refused(code="ledger_broken", sentence="The home's ledger lacks an entry that the database knows of.")
    return found
