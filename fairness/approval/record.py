"""The audit record: everything that an approval rests on, by digest, and every figure, in one ledger entry.

Signatures name its digest, so they cover the data, the code and the library lock as well as the verdict.
No figure is left out for being uncomputable: it stands as null, with the reason in words beside it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fairness.approval.ledger import Entry, append
from fairness.findings import Audit
from fairness.gate import Decision
from fairness.policy import Policy
from records.home import Home
from training.bundle import Bundle

RECORD_FILE = "record.json"
# Figures of a cell that may be null, and what a null there means where the cell itself gives no reason.
_MAY_BE_NULL: Mapping[str, str] = {
    "estimate": "the base is nought",
    "rest_estimate": "there are no other pupils, or the figure stands alone",
    "harm": "there is nothing to compare",
    "lower": "no lower bound can be computed",
    "upper": "there is no upper bound",
    "limit_low": "the policy sets no lower limit",
    "limit_high": "the policy sets no upper limit",
    "p_outside": "there is nothing to test",
    "effective_n": "the base is nought",
}


@dataclass(frozen=True, kw_only=True)
class MadeFrom:
    """The code and the libraries that made an audit. A None has its reason in `missing`, under the same name.

    `git_dirty`: whether files of the repository differed from the commit. `lock` is the SHA-256 of
    requirements.lock.
    """

    git_commit: str | None
    git_dirty: bool | None
    lock: str | None
    versions: Mapping[str, str]
    missing: Mapping[str, str]


def record_audit(
    home: Home, audit: Audit, decision: Decision, about: tuple[Bundle, Policy, str], made_from: MadeFrom, *, on: date
) -> tuple[Entry, bytes]:
    """Write the audit's record into the home's ledger; return the entry and its bytes.

    Parameters
    ----------
    about
        The bundle and the policy that were audited under, and the digest of the newest link of trust.
    """
    bundle, policy, trust_digest = about
    whole = audit.to_json()
    said = _plain(
        {
            "decision": {"verdict": decision.verdict, "sentences": list(decision.sentences)},
            "audit": {
                **{key: value for key, value in whole.items() if key != "cells"},
                "digest": audit.digest,
                "cells": [_cell(cell) for cell in whole["cells"]],
            },
            "digests": {
                "bundle": bundle.digest,
                "model": bundle.manifest["model_sha256"],
                "features": bundle.manifest["feature_fingerprint"],
                "scoring_code": bundle.manifest["scoring_digest"],
                "settings": bundle.manifest["settings_digest"],
                "evaluation_data": audit.evaluation_digest,
                "training_data": bundle.manifest["data"].get("training_sha256"),
                "policy": policy.digest,
                "trust": trust_digest,
                "requirements_lock": made_from.lock,
            },
            "training": {
                "tables": bundle.manifest["data"].get("tables", {}),
                "rows": bundle.manifest["data"].get("training_rows"),
                "outcomes": bundle.manifest["data"].get("training_outcomes"),
                "trained_by": bundle.manifest["data"].get("trained_by", []),
                "periods": bundle.manifest["periods"],
            },
            "code": {"git_commit": made_from.git_commit, "git_dirty": made_from.git_dirty},
            "versions": made_from.versions,
            "policy": {"id": policy.id, "decided_on": policy.decided_on.isoformat()},
            "null_because": dict(made_from.missing)
            | ({} if "training_sha256" in bundle.manifest["data"] else {"training_data": "the bundle names none"}),
        }
    )
    return append(home, "audit", bundle=bundle.digest, on=on, said=said)


def _cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Return a cell in which every null has its reason."""
    nulls = {
        name: cell.get("why") or words for name, words in _MAY_BE_NULL.items() if name in cell and cell[name] is None
    }
    return {**cell, **({"null_because": nulls} if nulls else {})}


def _plain(value: Any) -> Any:
    """Return the value as canonical JSON can say it: what is no number is null (its reason stands beside it)."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
