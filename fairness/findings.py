"""What an audit found: one cell for each group and metric, kept as JSON that anyone can check again."""

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import rfc8785
from pydantic import TypeAdapter, ValidationError

from fairness.cells import EVERYONE, LIFT, Cell, CellVerdict
from fairness.exhibits import Evidence
from records.refusal import Refusal

__all__ = [
    "EVERYONE",
    "LIFT",
    "Audit",
    "AuditUnreadable",
    "Cell",
    "CellVerdict",
    "Evidence",
    "PracticeRow",
    "read_audit",
    "write_audit",
]

AUDIT_SCHEMA = "belong-audit/1"
_DIGITS = 12
_EVIDENCE = TypeAdapter(Evidence)


class AuditUnreadable(Refusal):
    """The JSON is not an audit of this version."""


@dataclass(frozen=True, kw_only=True)
class PracticeRow:
    """Sanctions that followed a group's incidents, against those expected at the same recorded severity."""

    attribute: str
    group: str
    incidents: int
    sanctions: int
    expected: float
    ratio: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True, kw_only=True)
class Audit:
    """A whole audit of one bundle's held-out flags. Holds no pupil.

    `period` is the first and last as-of day; `comparison` has one row for each approach (the model and
    the rules it must beat); `made_with` the seed and library versions that make the numbers again;
    `evidence` what is shown beside the cells (None: an audit from before there was any).
    """

    bundle_digest: str
    policy_digest: str
    period: tuple[date, date]
    created_on: date
    terms: tuple[str, ...]
    pupils: int
    pupil_terms: int
    schools: int
    cells: tuple[Cell, ...]
    comparison: tuple[Mapping[str, Any], ...]
    practice: tuple[PracticeRow, ...]
    base_rates: Mapping[str, float]
    evaluation_digest: str
    made_with: Mapping[str, str]
    notes: tuple[str, ...] = ()
    evidence: Evidence | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the audit as plain JSON values: no NaN or infinity, numbers to 12 significant digits."""
        said = {"schema": AUDIT_SCHEMA} | _plain(asdict(self))
        if self.evidence is None:
            # An audit from before there was evidence keeps the digest that was signed.
            del said["evidence"]
        return dict(said)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Audit":
        """Return the audit in these JSON values.

        Raises
        ------
        AuditUnreadable
            Another schema, a missing or an unknown key.
        """
        try:
            if said["schema"] != AUDIT_SCHEMA:
                raise AuditUnreadable(f"audit schema {said['schema']!r}; this version reads {AUDIT_SCHEMA!r}")
            values: dict[str, Any] = {key: value for key, value in said.items() if key != "schema"}
            first, last = values["period"]
            values["period"] = (date.fromisoformat(first), date.fromisoformat(last))
            values["created_on"] = date.fromisoformat(values["created_on"])
            values["cells"] = tuple(Cell(**cell) for cell in values["cells"])
            values["practice"] = tuple(PracticeRow(**row) for row in values["practice"])
            for name in ("terms", "comparison", "notes"):
                values[name] = tuple(values[name])
            if values.get("evidence") is not None:
                values["evidence"] = _EVIDENCE.validate_python(values["evidence"])
            return cls(**values)
        except ValidationError as error:
            first_wrong = error.errors()[0]
            where = ".".join(str(step) for step in first_wrong["loc"])
            raise AuditUnreadable(f"not an audit of this version (evidence.{where}: {first_wrong['msg']})") from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            allowed = ", ".join(field.name for field in fields(cls))
            raise AuditUnreadable(f"not an audit of this version ({error}); it has {allowed}") from error

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON (RFC 8785): what signatures name."""
        return hashlib.sha256(rfc8785.dumps(self.to_json())).hexdigest()


def write_audit(audit: Audit, file: Path) -> None:
    """Write the audit as `audit.json`, whole or not at all. Its canonical form is what is signed."""
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(audit.to_json(), indent=1, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(partial, file)


def read_audit(file: Path) -> Audit:
    """Return the audit in this file.

    Raises
    ------
    AuditUnreadable
        No such file, not JSON, or not an audit of this version.
    """
    try:
        said = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise AuditUnreadable(f"{file} cannot be read as an audit: {type(error).__name__}") from error
    if not isinstance(said, dict):
        raise AuditUnreadable(f"{file} holds no audit")
    return Audit.from_json(said)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    return value
