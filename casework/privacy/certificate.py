"""What an erasure says it did: what went, what stays and why. It names nobody."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from records.home import Home
from records.rights.described import day_in_words

FOLDER: Final = "certificates"
STAYS: Final = (
    "Trained models stay: they hold sums over many pupils, no pupil's row. The next will not have seen this one.",
    "Reports and audits stay: they hold counts of groups, never of one pupil.",
    "The ledger of erasures stays, as a keyed token: by it a restored backup and a new export are erased again.",
    "Backups are not reached from here: restore one only with `belong pupil reapply-erasures`; they go in their time.",
    "What schools' own systems hold is theirs: ask the school.",
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """What an erasure did in one holding: how many rows went, and sentences on what stays there."""

    holding: str
    rows: int
    left: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What one erasure did. `operator` says what the database's operator must still do."""

    token: str
    ground: str
    day: date
    lines: tuple[Line, ...]
    operator: tuple[str, ...]

    def as_text(self) -> str:
        """Return the certificate for people."""
        done = [f"- {line.holding}: {line.rows:,} {'row' if line.rows == 1 else 'rows'} erased" for line in self.lines]
        stays = [*(sentence for line in self.lines for sentence in line.left), *STAYS]
        sections = [
            "# Certificate of erasure",
            f"A pupil's data were erased on {day_in_words(self.day)}, because {self.ground}.",
            f"Entry in the ledger: {self.token}",
            "## What went",
            "\n".join(done),
            "The key of the pupil's name was destroyed, and files were written anew without the rows.",
            "## What stays, and why",
            "\n".join(f"- {sentence}" for sentence in stays),
        ]
        if self.operator:
            sections += ["## What the database's operator must still do", "\n".join(f"- {s}" for s in self.operator)]
        return "\n\n".join(sections) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Return the certificate as data."""
        return {
            "token": self.token,
            "ground": self.ground,
            "day": self.day.isoformat(),
            "erased": {line.holding: line.rows for line in self.lines},
            "stays": [*(sentence for line in self.lines for sentence in line.left), *STAYS],
            "operator": list(self.operator),
        }


def keep(home: Home, certificate: Certificate) -> Path:
    """Write the certificate into the home's `certificates/`, in words and as data, and return the first."""
    folder = home.path / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{certificate.day.isoformat()}-{certificate.token[:16]}.md"
    path.write_text(certificate.as_text(), encoding="utf-8")
    path.with_suffix(".json").write_text(json.dumps(certificate.to_json(), indent=1) + "\n", encoding="utf-8")
    return path
