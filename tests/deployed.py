"""A small bundle under real signatures, deployed in a home of its own: what serving reads, made in a second."""

import os
import shutil
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np

from fairness.approval.record import RECORD_FILE, MadeFrom, record_audit
from fairness.findings import Audit, write_audit
from fairness.gate import decide
from fairness.keys import SigningKey
from fairness.policy import policy_digest, policy_of, read_policy
from fairness.signoff import Statement, enclose, sign, write_envelope
from fairness.trust import TRUST_FILE, create_demo_trust, read_trust
from features.catalogue import CATALOGUE, fingerprint
from records.home import Home, create_home
from serving.school_days import save_school_days
from serving.scoring import AUDIT, ENVELOPE, POINTER
from tests.factories import frame, term_calendar
from training.bundle import SCHEMA, Bundle, scoring_digest, sha256
from training.calibration import Calibrator
from training.rules import RULES

TODAY = date(2026, 6, 22)
SCHOOL = 990001
OTHER_SCHOOL = 990002


RULE = {
    "level_least": 0.03,
    "rise": "quartile",
    "rise_least": 0.2,
    "past_weeks": 8,
    "past_least": 4,
    "since_weeks": 6,
    "snooze_weeks": 6,
    "capacity_share": 0.005,
    "capacity_min": 2,
    "capacity_max": 15,
}


@cache
def tiny_booster() -> bytes:
    """Return a booster of a few trees over the whole catalogue, from made-up rows; the same bytes every time."""
    random = np.random.default_rng(20261122)
    values = random.normal(size=(600, len(CATALOGUE))) * 3
    values[random.random(values.shape) < 0.1] = np.nan
    outcome = (np.nan_to_num(values).sum(axis=1) > 2).astype(float)
    data = lgb.Dataset(values, outcome, feature_name=[feature.name for feature in CATALOGUE], free_raw_data=False)
    parameters = {"objective": "binary", "num_leaves": 7, "num_threads": 1, "deterministic": True, "verbosity": -1}
    return lgb.train({**parameters, "seed": 1}, data, 12).model_to_string().encode()


def tiny_bundle(**changes: Any) -> Bundle:
    """Return a bundle of that booster; `changes` replace entries of its manifest."""
    manifest: dict[str, Any] = {
        "schema": SCHEMA,
        "approach": "model",
        "kind": "booster",
        "model_sha256": sha256(tiny_booster()),
        "calibrator": Calibrator(a=1.0, b=1.0, c=-3.0).as_dict(),
        "flag_rule": RULE,
        "horizon_weeks": 6,
        "feature_names": [feature.name for feature in CATALOGUE],
        "feature_fingerprint": fingerprint(),
        "scoring_digest": scoring_digest(),
        "base_rates": {"all": 0.012, "SS": 0.021, "PS": 0.004},
        "settings": {},
        "settings_digest": "0" * 64,
        "data": {"trained_by": ["a-trainer"]},
        "periods": {},
    }
    return Bundle({**manifest, **changes}, tiny_booster())


def rule_bundle(**changes: Any) -> Bundle:
    """Return a bundle of the rule of thumb, which flags whoever meets it; `changes` replace entries of its manifest."""
    text = RULES["rule_of_thumb"].text().encode()
    # At its limits a rule's raw score is nought, and the probability there is the least that is flagged.
    calibrator = Calibrator(a=1.0, b=1.0, c=-3.0)
    said = {
        "approach": "rule_of_thumb",
        "kind": "rule",
        "model_sha256": sha256(text),
        "calibrator": calibrator.as_dict(),
        "flag_rule": {
            **RULE,
            "rise": "none",
            "rise_least": None,
            "level_least": float(calibrator.probabilities(np.zeros(1))[0]),
        },
    }
    return Bundle({**tiny_bundle().manifest, **said, **changes}, text)


def small_audit(bundle: Bundle, *, recall: float = 0.31) -> Audit:
    """Return an audit of this bundle in which no group could be tested: honestly not settled.

    Its `recall` stands beside 0.20 of each rule that the model must beat.
    """
    return Audit(
        bundle_digest=bundle.digest,
        policy_digest=policy_digest(),
        period=(date(2025, 9, 8), date(2026, 3, 2)),
        created_on=TODAY - timedelta(days=4),
        terms=("2025/26 Autumn", "2025/26 Spring"),
        pupils=400,
        pupil_terms=780,
        schools=2,
        cells=(),
        comparison=(
            {"approach": "model", "recall": recall, "precision": 0.12},
            *({"approach": name, "recall": 0.2, "precision": 0.08} for name in read_policy().usefulness.must_beat),
        ),
        practice=(),
        base_rates={"SS": 0.021},
        evaluation_digest="0" * 64,
        made_with={"seed": "1"},
    )


def demo_home(path: Path, *, today: date = TODAY) -> tuple[Home, tuple[SigningKey, ...]]:
    """Return a demonstration's home with its keys (two board members, the data-protection officer) and school days."""
    home = create_home(path, demo=True, today=today, shards=2)
    keys = create_demo_trust(home)
    schools = frame("schools", [{"school": school, "phase": "SS"} for school in (SCHOOL, OTHER_SCHOOL)])
    calendars = frame("calendars", [*term_calendar(SCHOOL), *term_calendar(OTHER_SCHOOL)])
    save_school_days(home, schools, calendars, today)
    return home, keys


def put_candidate(
    home: Home,
    bundle: Bundle,
    signers: tuple[SigningKey, ...],
    *,
    audit: Audit | None = None,
    **statement: Any,
) -> Path:
    """Write the bundle, an audit, its record and an envelope by these signers into `candidates/<digest>/`."""
    folder = bundle.write(home.candidates / bundle.digest)
    audit = audit or small_audit(bundle)
    write_audit(audit, folder / AUDIT)
    said: dict[str, Any] = {
        "bundle_digest": bundle.digest,
        "audit_digest": audit.digest,
        "record_digest": put_record(home, bundle, audit, folder),
        "policy_digest": audit.policy_digest,
        "verdict": "NOT_SETTLED",
        "decision": "WAIVED",
        "signed_on": TODAY - timedelta(days=3),
        "expires_on": TODAY + timedelta(days=60),
        "reason": "The network is small; the audit cannot settle every group.",
        "monitoring_plan": "The audit runs again each week as outcomes mature.",
        "review_date": TODAY + timedelta(days=30),
        "demo": True,
    }
    envelope = enclose(Statement(**{**said, **statement}))
    for signer in signers:
        envelope = sign(envelope, signer.signer)
    (folder / ENVELOPE).write_bytes(write_envelope(envelope))
    return folder


MADE_FROM = MadeFrom(git_commit="f" * 40, git_dirty=False, lock="e" * 64, versions={"numpy": "2"}, missing={})


def put_record(home: Home, bundle: Bundle, audit: Audit, folder: Path) -> str:
    """Write the audit's record into the home's ledger and the folder; return its digest."""
    trust = read_trust(home).digest if (home.trust / TRUST_FILE).exists() else "0" * 64
    about = (bundle, policy_of(home), trust)
    entry, content = record_audit(home, audit, decide(audit, about[1]), about, MADE_FROM, on=TODAY - timedelta(days=4))
    (folder / RECORD_FILE).write_bytes(content)
    return entry.digest


def put_deployed(home: Home, bundle: Bundle, signers: tuple[SigningKey, ...], **said: Any) -> Path:
    """Do as `put_candidate`, and lay the folder where serving reads, with no check at all; return that folder."""
    folder = put_candidate(home, bundle, signers, **said)
    home.deployed.mkdir(exist_ok=True)
    place = home.deployed / bundle.digest
    os.replace(folder, place)
    (home.deployed / POINTER).write_text(bundle.digest)
    return place


def clear(home: Home) -> None:
    """Take everything but the database and its secrets out of a home that tests share."""
    for folder in ("deployed", "candidates", "history", "trust", "ledger"):
        shutil.rmtree(home.path / folder, ignore_errors=True)
