"""The register of agreements as a job last read it: the web process does not open the home's records, so it is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from casework.partners import save_partners
from casework.permissions import Person, check_may
from casework.tables_staff import ShownRegisterRow
from records.agreements import Register

_ONE: Final = 1


@dataclass(frozen=True, kw_only=True)
class ShownRegister:
    """The register, and the day on which it was read."""

    read_on: date
    register: Register


def save_register(session: Session, register: Register, read_on: date) -> None:
    """Publish the register in place of the one before, and what partners may see by it. Needs the job's role."""
    save_partners(session, register.partner)
    values: Mapping[str, Any] = {"read_on": read_on, "register": register.model_dump(mode="json")}
    statement = upsert(ShownRegisterRow).values(id=_ONE, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=dict(values)))


def shown_register(session: Session, person: Person) -> ShownRegister | None:
    """Return the register, None where no job has published one yet. Raises NotAllowed."""
    check_may(person, "see_agreements")
    row = session.execute(
        select(ShownRegisterRow.read_on, ShownRegisterRow.register).where(ShownRegisterRow.id == _ONE)
    ).one_or_none()
    return None if row is None else ShownRegister(read_on=row.read_on, register=Register.model_validate(row.register))
