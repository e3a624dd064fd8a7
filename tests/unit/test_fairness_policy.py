"""The policy file: nothing unknown, nothing without its reason, nothing that cannot say no."""

from datetime import date
from pathlib import Path

import pytest

from fairness import policy as policy_room
from fairness import policy_page
from fairness.audit import audit
from fairness.evaluation import AuditRefused
from fairness.metrics import BY_NAME
from fairness.policy import PolicyRefused, policy_digest, read_policy
from fairness.signoff import MAX_DAYS
from tests.unit.fairness_factory import comparison, made_network

SHIPPED = Path(policy_room.__file__).with_name("policy.toml").read_text(encoding="utf-8")


def written(tmp_path, old, new):
    assert old in SHIPPED
    file = tmp_path / "policy.toml"
    file.write_text(SHIPPED.replace(old, new, 1), encoding="utf-8")
    return file


def test_the_shipped_policy_names_known_metrics_and_the_same_durations_as_the_signatures():
    policy = read_policy()
    assert {metric.name: metric.scale for metric in policy.metrics} == {n: BY_NAME[n].scale for n in BY_NAME}
    assert {"PASS": policy.approval.valid_days, "WAIVED": policy.waiver.max_days} == MAX_DAYS
    assert policy.attribute("ethnicity").merges == {"CHNE": "Asian"}
    assert policy.metric("recall").bounds == (None, 0.10)
    assert policy.metric("precision_ratio").bounds == (0.67, None)
    assert policy.metric("oe_ratio").bounds == (0.80, 1.25)


def test_the_digest_is_of_what_is_said_and_not_of_how_it_is_laid_out(tmp_path):
    assert policy_digest(written(tmp_path, "# The board's limits", "\n#  Limits")) == policy_digest()
    assert policy_digest(written(tmp_path, "margin = 0.10", "margin = 0.11")) != policy_digest()
    assert policy_digest(written(tmp_path, "Missed help.", "Help missed.")) != policy_digest()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("min_positives = 30", "min_positives = 30\nmin_positive = 5", "unknown key 'inference.min_positive'"),
        ("min_positives = 30", "min_positives = 3", "inference.min_positives"),
        ('reason = "Stigma. ', 'note = "', "unknown key"),
        ("margin = 0.10", "limit = 1.2", "takes 'margin' and nothing else"),
        ("limit = 1.5", "limit = 0.5", "under 1, an excess's over 1"),
        ("interval = [0.80, 1.25]", "interval = [1.1, 1.25]", "hold 1 between"),
        ("max_days = 90", "max_days = 365", "waiver.max_days"),
        ('allowed_from = ["NOT_SETTLED"]', 'allowed_from = ["FAIL"]', "waiver.allowed_from"),
        ("nobody_who_trained = true", "nobody_who_trained = false", "nobody_who_trained"),
        ('merges = { CHNE = "Asian" }', 'merges = { CHNE = "Chinese" }', "not among groups"),
        ('name = "fsm"\n', 'name = "eal"\n', "stands twice"),
        ("alpha = 0.05", "alpha = inf", "inference.alpha"),
        ("alpha = 0.05", "alpha = ", "cannot be read as TOML"),
        ("min = 0\nmax = 15", "min = 16\nmax = 15", "min 16 is over max 15"),
        ('suspend_on = ["FAIL", ', "suspend_on = [", "must hold FAIL"),
        ("missed_after_days = 14", "missed_after_days = 12\nlookss = 3", "unknown key 'after.lookss'"),
        ("every_school_weeks = 1", "every_school_weeks = 3", "shorter than the time between two audits"),
    ],
)
def test_a_policy_that_cannot_be_relied_on_is_refused(tmp_path, old, new, message):
    with pytest.raises(PolicyRefused, match=message):
        read_policy(written(tmp_path, old, new))


def test_a_policy_that_judges_nothing_is_refused(tmp_path):
    file = tmp_path / "policy.toml"
    file.write_text(SHIPPED.replace("gate = true", "gate = false"), encoding="utf-8")
    with pytest.raises(PolicyRefused, match="cannot say no"):
        read_policy(file)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(PolicyRefused, match="cannot be read"):
        read_policy(tmp_path / "none.toml")


def test_the_page_gives_every_limit_with_its_reason():
    policy, page = read_policy(), policy_page.page()
    assert all(metric.reason in page for metric in policy.metrics)
    assert all(attribute.reason in page for attribute in policy.attributes)
    assert policy.waiver.reason in page


def test_an_unknown_metric_is_refused_when_the_audit_is_made(tmp_path):
    policy = read_policy(written(tmp_path, 'name = "recall"', 'name = "accuracy"'))
    evaluation, groups = made_network(pupils=50)
    with pytest.raises(AuditRefused, match="metric 'accuracy' is unknown; known: recall"):
        audit(
            evaluation,
            groups,
            policy,
            bundle_digest="a" * 64,
            comparison=comparison(),
            created_on=date(2026, 3, 1),
        )


SAMPLE = """
[check_sample]
pupils_a_school_a_week = 1
impact_assessment = "DPIA 9"
reason = "To see how far people follow the list."
"""


def test_a_check_sample_is_allowed_by_the_policy_alone_and_allowing_it_is_another_policy(tmp_path):
    """It asks for signatures anew, and is no new limit: what was audited under the old one is judged by the same."""
    path = tmp_path / "policy.toml"
    shipped = (Path(policy_room.__file__).parent / "policy.toml").read_text(encoding="utf-8")
    path.write_text(shipped + SAMPLE, encoding="utf-8")
    assert read_policy().check_sample is None
    allowed = read_policy(path)
    assert allowed.digest != read_policy().digest
    assert allowed.deciding_digest == read_policy().deciding_digest
    path.write_text(shipped + SAMPLE.replace("= 1", "= 4"), encoding="utf-8")
    with pytest.raises(PolicyRefused, match=r"check_sample\.pupils_a_school_a_week"):
        read_policy(path)
