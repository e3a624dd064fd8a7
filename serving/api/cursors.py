"""Where to go on reading, sealed: a cursor counts changes of other schools too, and is nobody's to read or make."""

import json

from cryptography.fernet import Fernet, InvalidToken

from casework.callers import Integration
from serving.api.problems import FieldFault, Refusal, fields_wrong

LONGEST = 500


def seal(key: Fernet, caller: Integration, where: str, number: int) -> str:
    """Return the cursor that goes on after this number, for this caller and question only."""
    return key.encrypt(json.dumps([caller.client_id, where, number]).encode()).decode()


def unseal(key: Fernet, caller: Integration, where: str, cursor: str | None) -> int:
    """Return the number to go on after; 0 without a cursor.

    Raises
    ------
    Refusal
        422: not a cursor that Belong gave to this caller for this question.
    """
    if cursor is None:
        return 0
    try:
        client_id, asked, number = json.loads(key.decrypt(cursor.encode()))
    except (InvalidToken, ValueError):
        raise _unknown() from None
    if (client_id, asked) != (caller.client_id, where):
        raise _unknown()
    return int(number)


def _unknown() -> Refusal:
    fault = "is not one that Belong gave for this question; leave it out to begin again"
    return fields_wrong([FieldFault(field="cursor", fault=fault)])
