"""What personal data this floor holds, about whom, why and for how long: declared once, for rights and records."""

from dataclasses import dataclass
from typing import Final

from casework import tables_cases, tables_flags, tables_people
from casework.base import Base

_REGISTERED = (tables_people, tables_flags, tables_cases)


@dataclass(frozen=True, kw_only=True)
class Holding:
    """One holding of personal data: its tables, whose it is, its purpose, and when it goes."""

    name: str
    tables: tuple[str, ...]
    about: str
    purpose: str
    kept: str

    def __post_init__(self) -> None:
        unknown = [table for table in self.tables if table not in Base.metadata.tables]
        if unknown:
            raise ValueError(f"holding {self.name!r} names no table of ours: {', '.join(unknown)}")


HOLDINGS: Final = (
    Holding(
        name="identities",
        tables=("pupils",),
        about="pupils",
        purpose="show a pupil's name to those who work with them; the only place that joins name and pseudonym",
        kept="while on roll, and until the last case about the pupil is past its time",
    ),
    Holding(
        name="recent facts",
        tables=("weekly_facts", "incidents", "feature_rows"),
        about="pupils",
        purpose="show what was recorded lately; a copy of records, renewed every night",
        kept="about 40 school weeks, and only while on roll",
    ),
    Holding(
        name="flags",
        tables=("scores", "flags", "reasons"),
        about="pupils",
        purpose="offer help early, explain why, and learn whether flags help",
        kept="three years from the flag (docs/decisions.md, 17)",
    ),
    Holding(
        name="cases",
        tables=("cases", "views", "decisions"),
        about="pupils, and staff by what they wrote",
        purpose="record what people thought, decided and offered",
        kept="three years after the case is closed",
    ),
    Holding(
        name="log of looks",
        tables=("looks",),
        about="staff by what they looked at, and pupils by who looked",
        purpose="answer who looked at whom; opaque ids only, no names",
        kept="seven years; never changed or deleted within them",
    ),
    Holding(
        name="people",
        tables=("people", "person_roles", "sign_in_sessions", "integrations", "integration_schools"),
        about="staff and board members",
        purpose="sign in, and permissions by role and school",
        kept="while the role lasts, and as long as the log of looks names them",
    ),
)

# No person in these: schools, publications and models.
IMPERSONAL: Final = frozenset({"schools", "publications", "look_head", "deployments", "audits"})
