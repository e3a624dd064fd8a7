"""The gate from the command line: audit, sign, verify, deploy, each with its exit code."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files as files_of
from pathlib import Path

import pandas as pd
import pytest

from fairness import policy
from fairness.approval.ceremony import Change, propose, sign_proposal
from fairness.approval.ledger import read_ledger
from fairness.evaluation import evaluation_digest
from fairness.gate import Decision
from fairness.keys import SigningKey, create_key
from fairness.trusted import trusted
from records.home import Home
from serving.jobs import deploy as deploying
from serving.jobs import gatekeeping, signing
from tests import export_files as files
from tests.command_line import DONE, FAIL, NOT_SETTLED, REFUSED, Belong, Said, refused
from tests.deployed import TODAY, demo_home, put_candidate, put_record, small_audit, tiny_bundle
from training.bundle import Bundle
from training.candidate import Candidate, save_candidate
from training.evaluate import Evaluation
from training.registry import Version

# Two pupils in a term: what an evaluation's digest is of.
TERMS = pd.DataFrame(
    {
        "pupil": [1, 2],
        "school": 990001,
        "phase": "SS",
        "term": "2025/26 Autumn",
        **dict.fromkeys(("outcome", "flagged", "flagged_any"), 0),
    }
)
WEEKS = pd.DataFrame(
    {
        "pupil": [1, 2],
        "as_of": pd.Timestamp("2025-09-08").as_unit("s"),
        "school": 990001,
        "probability": [0.1, 0.2],
        "outcome": 0,
    }
)
PAST = {"expires_on": TODAY - timedelta(days=1), "review_date": TODAY - timedelta(days=2)}


def put_saved(home: Home, bundle: Bundle, **audit: float) -> Path:
    """Save the bundle as training would, with two pupils in what was held out, and an audit of it."""
    frame = pd.DataFrame({"pupil": pd.Series([], dtype="int64")})
    frames = dict.fromkeys(("first_flags", "schools", "bands"), frame)
    evaluation = Evaluation(summary={}, lead_days=0.0, pupil_terms=TERMS, snapshots=WEEKS, **frames)
    held = dict.fromkeys(("allocation", "comparison", "variants", "ground", "roll"), frame)
    candidate = Candidate(bundle=bundle, evaluation=evaluation, periods={}, data={}, **held)
    folder = save_candidate(home, candidate)
    made = replace(small_audit(bundle, **audit), evaluation_digest=evaluation_digest(TERMS, WEEKS))
    gatekeeping.write_audit(made, folder / "audit.json")
    put_record(home, bundle, made, folder)
    return folder


def add_to_trust(home: Home, keys: Sequence[SigningKey], new: SigningKey) -> None:
    """Let both board members and the newcomer enter a key in the home's trust."""
    propose(home, Change(add=[trusted(new)]), reason="Another member.", made_on=TODAY)
    for key in (*keys[:2], new):
        sign_proposal(home, key)


class TestTheGate:
    @pytest.mark.parametrize("command", ["audit", "verify", "deploy"])
    @pytest.mark.parametrize(
        ("digest", "sentence"),
        [
            ("abc", "give at least 8 digits"),
            ("f" * 64, "no candidate begins with"),
            ("../../..", "no candidate begins"),
        ],
    )
    def test_an_unknown_digest(self, belong, tmp_path, command, digest, sentence):
        home = files.make_home(tmp_path)
        (home.candidates / ("0" * 64)).mkdir(parents=True)
        refused(belong(command, digest, "--home", home.path), sentence)

    @pytest.mark.parametrize(("verdict", "code"), [("PASS", DONE), ("FAIL", FAIL), ("NOT_SETTLED", NOT_SETTLED)])
    def test_an_audit_ends_with_its_verdict(self, belong, tmp_path, monkeypatch, verdict, code):
        home, _ = demo_home(tmp_path)
        bundle = tiny_bundle()
        put_saved(home, bundle)
        decision = Decision(
            verdict=verdict,
            sentences=("One sentence.",),
            failing=(),
            unsettled=(),
            **dict.fromkeys(("bundle_digest", "audit_digest", "policy_digest"), "0" * 64),
        )
        monkeypatch.setattr(gatekeeping, "audit_candidate", lambda *_, **__: (small_audit(bundle), decision))
        monkeypatch.setattr(deploying, "show_audit", lambda *_: None)
        said = belong("audit", bundle.digest[:12], "--home", home.path)
        assert said.code == code
        assert f"{verdict} - One sentence." in said.words

    def test_limits_that_cannot_hold_stop_training_before_anything_is_read(self, belong, tmp_path):
        home = files.make_home(tmp_path)
        shipped = Path(policy.__file__).with_name("policy.toml").read_text(encoding="utf-8")
        file = home.path / "policy.toml"
        # The raw ratio of false-positive rates, judged: no model can hold it beside the others.
        file.write_text(shipped.replace("limit = 1.5\ngate = false", "limit = 1.5\ngate = true"), encoding="utf-8")
        cannot = "Give up or widen one of: false_alarms, fpr_ratio"
        refused(belong("train", "--home", home.path, "--mlruns", tmp_path / "mlruns"), cannot)
        refused(belong("gate", "check-policy", file), cannot)
        refused(belong("gate", "check-policy", tmp_path / "none.toml"), "cannot be read as TOML")
        file.unlink()
        said = belong("gate", "check-policy", "--home", home.path)
        assert said.code == DONE
        assert "SEN support 6.4% 6.8% 2.92" in said.words
        assert "DfE, Suspensions and permanent exclusions in England 2023/24, London" in said.words
        assert "The limits can hold together" in said.words

    def test_what_the_gate_can_settle_is_told_before_there_is_a_model(self, belong, tmp_path):
        said = belong("gate", "power", "--pupils", 12_000)
        assert said.code == DONE
        assert "A network of 12,000 pupils in 14 schools" in said.words
        assert "The gate says PASS of a model that is fair to every group in 0 of 100 networks" in said.words
        refused(belong("gate", "power"), "say how many pupils the network has with --pupils")
        refused(belong("gate", "power", "--home", tmp_path / "none"), "is not a Belong home")

    def test_training_without_terms_and_with_a_bad_seed(self, belong, tmp_path):
        arguments = ("train", "--home", files.make_home(tmp_path).path, "--mlruns", tmp_path / "mlruns")
        refused(belong(*arguments), "0 terms have begun by 2025-07-01; training needs 6")
        refused(belong(*arguments, "--seed", -1), "seed is -1; it must be between 0 and")

    @pytest.mark.parametrize(
        ("scores", "sentence"),
        [
            ("truth.parquet", "--scores is 'truth.parquet'; write oracle=FILE"),
            ("model=x", "write oracle=FILE"),
            ("oracle=nowhere", "there is no file 'nowhere'; `belong simulate --truth FILE` writes one"),
        ],
    )
    def test_only_a_simulations_truth_is_judged_beside_a_candidate(self, belong, tmp_path, scores, sentence):
        home, _ = demo_home(tmp_path)
        bundle = tiny_bundle()
        put_saved(home, bundle)
        refused(belong("evaluate", bundle.digest, "--home", home.path, "--scores", scores), sentence)

    @pytest.mark.parametrize(
        ("approach", "sentence"),
        [
            ("school_year_rate", "nobody is flagged by it: it is there to be beaten; choose model, logistic"),
            ("astrology", "no approach is called 'astrology'; choose model"),
            ("rule_of_thumb", "0 terms have begun by 2025-07-01; a rule needs 3"),
        ],
    )
    def test_only_what_may_flag_somebody_is_trained(self, belong, tmp_path, approach, sentence):
        arguments = ("train", "--home", files.make_home(tmp_path).path, "--mlruns", tmp_path / "mlruns")
        refused(belong(*arguments, "--approach", approach), sentence)

    def test_scoring_without_a_deployment(self, belong, tmp_path):
        said = belong("score", "--home", files.make_home(tmp_path).path)
        assert said.code == REFUSED
        assert said.words.endswith("Not scored (no_deployment): No model is deployed.")

    def test_a_damaged_candidate_is_refused_by_name(self, belong, tmp_path):
        home, _ = demo_home(tmp_path)
        bundle = tiny_bundle()
        folder = put_saved(home, bundle)
        (folder / "candidate.json").write_text("{")
        refused(belong("audit", bundle.digest, "--home", home.path), f"candidate {bundle.digest[:12]} is damaged")
        (folder / "model.txt").write_bytes(b"x")
        refused(belong("audit", bundle.digest, "--home", home.path), f"candidate {bundle.digest[:12]} cannot be used")


class TestVerifying:
    @pytest.mark.parametrize(
        ("signers", "changes", "code", "reason"),
        [
            (3, {}, DONE, "May serve: WAIVED, until 2026-08-21"),
            (0, {}, NOT_SETTLED, "May not serve (signature_missing)"),
            (1, {}, NOT_SETTLED, "May not serve (threshold)"),
            (2, {}, NOT_SETTLED, "May not serve (waiver_signature)"),
            (
                3,
                {"expires_on": TODAY - timedelta(days=1), "review_date": TODAY - timedelta(days=2)},
                REFUSED,
                "(expired)",
            ),
        ],
    )
    def test_by_signatures(self, belong, tmp_path, signers, changes, code, reason):
        home, keys = demo_home(tmp_path)
        bundle = tiny_bundle()
        put_candidate(home, bundle, keys[:signers], **changes)
        said = belong("verify", bundle.digest[:12], "--home", home.path)
        assert said.code == code
        assert reason in said.words

    @pytest.mark.parametrize("signers", [0, 3])
    def test_a_failed_audit_is_a_fail_signed_or_not(self, belong, tmp_path, signers):
        home, keys = demo_home(tmp_path)
        bundle = tiny_bundle()
        put_candidate(home, bundle, keys[:signers], audit=small_audit(bundle, recall=0.1))
        said = belong("verify", bundle.digest, "--home", home.path)
        assert said.code == FAIL
        assert "May not serve (verdict_failed)" in said.words

    @pytest.mark.parametrize("name", ["model.txt", "bundle.json", "audit.json", "envelope.json"])
    def test_one_flipped_byte(self, belong, tmp_path, name):
        home, keys = demo_home(tmp_path)
        bundle = tiny_bundle()
        file = put_candidate(home, bundle, keys) / name
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
        said = belong("verify", bundle.digest, "--home", home.path)
        assert said.code in ({REFUSED, NOT_SETTLED} if name == "envelope.json" else {REFUSED})
        assert "May not serve (" in said.words

    def test_without_an_audit_the_next_step_is_named(self, belong, tmp_path):
        home, _ = demo_home(tmp_path)
        bundle = tiny_bundle()
        bundle.write(home.candidates / bundle.digest)
        said = belong("verify", bundle.digest, "--home", home.path)
        assert said.code == REFUSED
        assert f"Next: belong audit {bundle.digest[:12]}" in said.words

    def test_deploying_what_mlflow_does_not_know_and_what_nobody_signed(self, belong, tmp_path, monkeypatch):
        home, keys = demo_home(tmp_path)
        bundle = tiny_bundle()
        folder = put_candidate(home, bundle, keys[:1])
        arguments = ("deploy", bundle.digest, "--home", home.path, "--mlruns", tmp_path / "mlruns")
        monkeypatch.setattr(deploying.registry, "version_of", lambda *_: None)
        said = belong(*arguments)
        assert (said.code, "not_registered" in said.words) == (REFUSED, True)
        monkeypatch.setattr(deploying.registry, "version_of", lambda *_: "1")
        monkeypatch.setattr(deploying.registry, "version", lambda *_: Version("1", bundle.digest, folder))
        said = belong(*arguments)
        assert (said.code, "(threshold)" in said.words) == (NOT_SETTLED, True)


WAIVER = ("--reason", "Small.", "--monitoring-plan", "Each half-term.", "--review-date", "2026-07-20")


class TestSigning:
    @pytest.fixture
    def ready(self, tmp_path: Path) -> tuple[Home, Bundle, tuple[SigningKey, ...]]:
        home, keys = demo_home(tmp_path)
        bundle = tiny_bundle()
        put_saved(home, bundle)
        return home, bundle, keys

    @staticmethod
    def sign(belong: Belong, home: Home, bundle: Bundle, person: str, role: str, *terms: object) -> Said:
        keys = home.secrets / "demo_keys"
        return belong(
            "sign", bundle.digest, "--person", person, "--role", role, "--keys", keys, "--home", home.path, *terms
        )

    def test_three_decide_blind_and_the_last_to_open_is_told_that_it_is_signed(self, belong, ready):
        home, bundle, _ = ready
        folder = home.candidates / bundle.digest
        first = self.sign(belong, home, bundle, "demo-board-1", "board_member", *WAIVER)
        assert first.words.startswith("Decided. 1 decided; still to decide: 1 board member and 1 data-protection off")
        again = self.sign(belong, home, bundle, "demo-board-1", "board_member")
        assert again.words == first.words
        # What the home holds tells nothing of the decision: neither a word of it nor the approval's signature.
        held = b"".join(file.read_bytes() for file in (folder / "sealed").iterdir())
        assert b"agree" not in held
        assert not (folder / "envelope.json").exists()
        self.sign(belong, home, bundle, "demo-board-2", "board_member")
        third = self.sign(belong, home, bundle, "demo-dpo", "data_protection_officer")
        assert third.words.endswith("Still to open theirs, with the same command: demo-board-1, demo-board-2.")
        said = belong("verify", bundle.digest, "--home", home.path)
        assert (said.code, "Still to open theirs" in said.words) == (NOT_SETTLED, True)
        self.sign(belong, home, bundle, "demo-board-1", "board_member")
        last = self.sign(belong, home, bundle, "demo-board-2", "board_member")
        assert "Everyone agreed. The approval is signed. Next: belong deploy" in last.words
        assert not list((home.secrets / "demo_keys").glob("*.opening.json"))
        assert belong("verify", bundle.digest, "--home", home.path).code == DONE
        kinds = [entry.kind for entry in read_ledger(home).entries]
        assert kinds == ["audit", *["sealed"] * 3, *["opened"] * 3]

    def test_one_refuses_and_nothing_is_signed(self, belong, ready):
        home, bundle, _ = ready
        no = ("--refuse", "Nobody can say how pupils in care fare.")
        self.sign(belong, home, bundle, "demo-board-1", "board_member", *WAIVER)
        refused(self.sign(belong, home, bundle, "demo-board-1", "board_member", *no), "a sealed decision stands")
        self.sign(belong, home, bundle, "demo-board-2", "board_member", *no)
        self.sign(belong, home, bundle, "demo-dpo", "data_protection_officer")
        self.sign(belong, home, bundle, "demo-board-1", "board_member")
        last = self.sign(belong, home, bundle, "demo-board-2", "board_member")
        assert last.words == "Decided. demo-board-2 refused: Nobody can say how pupils in care fare."
        assert not (home.candidates / bundle.digest / "envelope.json").exists()
        said = belong("verify", bundle.digest, "--home", home.path)
        assert (said.code, "demo-board-2 refused" in said.words) == (NOT_SETTLED, True)
        opened = [entry.said["opening"]["decision"] for entry in read_ledger(home).of("opened")]
        assert sorted(opened) == ["agree", "agree", "refuse"]

    def test_nobody_opens_another_decision_than_the_one_they_sealed(self, belong, ready):
        home, bundle, _ = ready
        self.sign(belong, home, bundle, "demo-board-1", "board_member", *WAIVER)
        [kept] = (home.secrets / "demo_keys").glob("demo-board-1.*.opening.json")
        assert kept.stat().st_mode & 0o777 == 0o600
        whole = kept.read_bytes()
        self.sign(belong, home, bundle, "demo-board-2", "board_member")
        self.sign(belong, home, bundle, "demo-dpo", "data_protection_officer")
        changed = json.loads(whole) | {"decision": "refuse", "reason": "Now that I know.", "signature": None}
        kept.write_text(json.dumps(changed))
        said = self.sign(belong, home, bundle, "demo-board-1", "board_member")
        refused(said, "what demo-board-1 opens is not what they sealed")
        kept.unlink()
        refused(self.sign(belong, home, bundle, "demo-board-1", "board_member"), "keeps their decision")
        kept.write_bytes(whole)
        assert self.sign(belong, home, bundle, "demo-board-1", "board_member").code == DONE

    def test_a_third_board_member_is_not_needed_and_limits_that_changed_end_the_round(self, belong, ready, tmp_path):
        home, bundle, keys = ready
        third = create_key("member-3", "board_member", home.secrets / "demo_keys", None)
        add_to_trust(home, keys, third)
        for person in ("demo-board-1", "demo-board-2"):
            self.sign(belong, home, bundle, person, "board_member", *WAIVER)
        refused(self.sign(belong, home, bundle, "member-3", "board_member"), "nobody else is needed")
        shipped = files_of("fairness").joinpath("policy.toml").read_text(encoding="utf-8")
        (home.path / "policy.toml").write_text(shipped.replace("min_gain = 0.02", "min_gain = 0.03"))
        refused(self.sign(belong, home, bundle, "demo-dpo", "data_protection_officer"), "limits have changed")

    @pytest.mark.parametrize(
        ("person", "role", "terms", "sentence"),
        [
            ("demo-board-1", "headteacher", WAIVER, "role 'headteacher' may not sign"),
            ("demo-board-9", "board_member", WAIVER, "there is no key file"),
            ("demo-dpo", "board_member", WAIVER, "no key in use today of demo-dpo as board_member"),
            ("demo-board-1", "board_member", (), "give --reason, --monitoring-plan and --review-date"),
            ("demo-board-1", "board_member", (*WAIVER, "--expires-on", "2027-06-22"), "the longest the policy allows"),
            ("demo-board-1", "board_member", (*WAIVER, "--expires-on", "2026-06-22"), "it must be after today"),
            ("demo-board-1", "board_member", (*WAIVER, "--expires-on", "2026-07-01"), "--review-date is 2026-07-20"),
        ],
    )
    def test_what_cannot_be_signed_leaves_no_envelope(self, belong, ready, person, role, terms, sentence):
        home, bundle, _ = ready
        refused(self.sign(belong, home, bundle, person, role, *terms), sentence)
        assert not (home.candidates / bundle.digest / "envelope.json").exists()

    def test_a_group_taken_out_of_the_evaluation_after_the_audit(self, belong, ready):
        home, bundle, _ = ready
        file = home.candidates / bundle.digest / "pupil_terms.parquet"
        rows = pd.read_parquet(file)
        rows[rows["pupil"] != 2].to_parquet(file, index=False)
        said = self.sign(belong, home, bundle, "demo-board-1", "board_member", *WAIVER)
        refused(said, "are not as they were saved; run `belong train` again")
        assert not (home.candidates / bundle.digest / "sealed").exists()

    def test_other_terms_than_those_signed(self, belong, ready):
        home, bundle, _ = ready
        self.sign(belong, home, bundle, "demo-board-1", "board_member", *WAIVER)
        said = self.sign(belong, home, bundle, "demo-board-2", "board_member", "--reason", "Another.")
        refused(said, "other terms were proposed (reason)")

    def test_a_failure_and_a_trainer_and_no_audit(self, belong, ready):
        home, bundle, _ = ready
        put_saved(home, bundle, recall=0.1)
        refused(self.sign(belong, home, bundle, "demo-board-1", "board_member", *WAIVER), "a failure is not signed")
        own = tiny_bundle(data={"trained_by": ["demo-board-1"]})
        folder = put_saved(home, own)
        refused(self.sign(belong, home, own, "demo-board-1", "board_member", *WAIVER), "trained this candidate")
        (folder / "audit.json").unlink()
        refused(self.sign(belong, home, own, "demo-board-2", "board_member", *WAIVER), "run `belong audit")

    def test_a_key_of_ones_own_asks_for_its_password(self, belong, ready, monkeypatch):
        home, bundle, keys = ready
        folder = home.secrets / "demo_keys"
        key = create_key("member-3", "board_member", folder, b"a long enough one")
        add_to_trust(home, keys, key)
        asked = []

        def type_in(password: str) -> Callable[[str], str]:
            return lambda prompt: (asked.append(prompt), password)[1]

        monkeypatch.setattr(signing, "getpass", type_in("a wrong password"))
        refused(self.sign(belong, home, bundle, "member-3", "board_member", *WAIVER), "the password is wrong")
        monkeypatch.setattr(signing, "getpass", type_in("a long enough one"))
        assert self.sign(belong, home, bundle, "member-3", "board_member", *WAIVER).code == DONE
        assert asked == ["Password of the key of member-3: "] * 2
