"""The register of agreements, published for the pages each time a job has read it."""

from datetime import date

from sqlalchemy.orm import Session

from casework.register import save_register
from records.agreements import Register


def show_register(session: Session, register: Register | None, today: date) -> None:
    """Publish the register that this run went by; one that could not be read leaves the one before, with its day."""
    if register is not None:
        save_register(session, register, today)
