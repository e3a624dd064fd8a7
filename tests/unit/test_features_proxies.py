"""Inputs that may stand for a protected characteristic: refused unless the board's policy allows them by name."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from fairness import policy as policy_room
from fairness.inputs import allowed_inputs, check_inputs, left_out
from fairness.policy import PolicyRefused, read_policy
from features.catalogue import CATALOGUE
from features.definitions.attendance import sessions
from features.measure import Forbidden
from features.proxies import InputNotAllowed, ProxyRisk, compose
from records.clock import clock_of
from records.home import create_home
from serving.jobs.board_settings import settings_under_policy
from tests.deployed import rule_bundle, tiny_bundle
from training.run import train

SHIPPED = Path(policy_room.__file__).with_name("policy.toml").read_text(encoding="utf-8")
BY_NAME = {feature.name: feature for feature in CATALOGUE}
RISKY = [feature.name for feature in CATALOGUE if feature.proxy_risk is not None]
MISSED, PART_TIME = BY_NAME["missed_rate_4w"], BY_NAME["part_time_4w"]
DISABILITY = ProxyRisk("disability", "illness follows disability")


def policy(tmp_path, old, new):
    assert old in SHIPPED
    file = tmp_path / "policy.toml"
    file.write_text(SHIPPED.replace(old, new, 1), encoding="utf-8")
    return read_policy(file)


def test_a_feature_that_stands_for_nothing_needs_no_leave():
    assert compose((MISSED,), ()) == (MISSED,)


@pytest.mark.parametrize("name", RISKY)
def test_an_input_with_a_proxy_risk_is_refused_unless_it_is_named(name):
    others = [risky for risky in RISKY if risky != name]
    with pytest.raises(InputNotAllowed) as refused:
        compose(CATALOGUE, others)
    risk = BY_NAME[name].proxy_risk
    said = str(refused.value)
    assert f"feature '{name}' may stand for {risk.of} ({risk.because})" in said
    assert f'in policy.toml: [[input]] risk = "{risk.of}", features = ["{name}"]' in said
    assert "governance board's" in said
    assert "two board members sign again" in said
    assert compose(CATALOGUE, [*others, name]) == CATALOGUE


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("part_time_4", "'part_time_4', which is no feature; did you mean part_time_4w"),
        ("ethnicity", "'ethnicity', which is no feature; take it out"),
        ("incidents_4w", "'incidents_4w', which needs no leave"),
    ],
)
def test_leave_that_would_do_nothing_is_refused(name, says):
    with pytest.raises(InputNotAllowed, match=says):
        compose(CATALOGUE, [*RISKY, name])


def test_the_shipped_policy_allows_what_the_catalogue_needs_and_no_more():
    assert sorted(allowed_inputs(read_policy())) == sorted(RISKY)


def test_a_policy_that_does_not_name_an_input_leaves_it_out(tmp_path):
    assert left_out(read_policy()) == ()
    without = policy(tmp_path, ', "placements_39w"]', "]")
    assert left_out(without) == (BY_NAME["placements_39w"],)
    assert set(allowed_inputs(without)) == set(RISKY) - {"placements_39w"}


def test_an_audit_refuses_a_model_that_could_read_what_the_policy_of_today_leaves_out(tmp_path):
    names = [feature.name for feature in CATALOGUE]
    without = policy(tmp_path, ', "placements_39w"]', "]")
    whole = tiny_bundle()
    check_inputs(whole, read_policy())
    with pytest.raises(InputNotAllowed, match="feature 'placements_39w' may stand for disability"):
        check_inputs(whole, without)
    kept = [name for name in names if name != "placements_39w"]
    check_inputs(tiny_bundle(settings={"inputs": kept}), without)
    check_inputs(rule_bundle(), without)


def test_leave_under_another_risk_is_refused(tmp_path):
    """The reason given for one risk says nothing of another."""
    wrong = policy(tmp_path, 'risk = "poverty"\nfeatures = ["minor', 'risk = "disability"\nfeatures = ["minor')
    with pytest.raises(
        PolicyRefused, match="allows 'minor_events_12w' under the risk 'disability'; it may stand for p"
    ):
        allowed_inputs(wrong)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('risk = "poverty"', 'risk = "wealth"', "input.2.risk: Input should be 'disability', 'ethnicity' or 'poverty'"),
        ('features = ["minor_events_12w"]', "features = []", "input.2.features"),
        ('"placements_39w"]', '"part_time_4w"]', "one input stands twice"),
        ('reason = "Education elsewhere is a change of place and people in which pupils get lost from view."',
         'reason = "yes"', "input.5.reason"),
    ],
)  # fmt: skip
def test_a_policy_says_which_risk_once_and_why(tmp_path, old, new, says):
    with pytest.raises(PolicyRefused, match=says):
        policy(tmp_path, old, new)


@pytest.mark.parametrize("code", ["I", "M"])
def test_illness_and_appointments_enter_only_where_disability_is_named(code):
    """Read as any other code once the risk is said; the board must still allow it."""
    ill = sessions("health", "sessions ill", frozenset({code}))
    said = replace(MISSED, name="health_rate_4w", measure=ill, proxy_risk=DISABILITY)
    with pytest.raises(InputNotAllowed, match="'health_rate_4w' may stand for disability"):
        compose((said,), ())
    assert compose((said,), ["health_rate_4w"]) == (said,)


@pytest.mark.parametrize("risk", [None, ProxyRisk("poverty", "some other reason")])
def test_a_feature_of_illness_that_does_not_name_disability_cannot_be_declared(risk):
    ill = sessions("ill", "sessions ill", frozenset({"I"}))
    with pytest.raises(Forbidden, match=r"reads marks for illness .* say proxy_risk=ProxyRisk\('disability'"):
        replace(MISSED, measure=ill, proxy_risk=risk)
    with pytest.raises(Forbidden, match="reads marks for illness"):
        replace(MISSED, per=ill, proxy_risk=risk)


@pytest.mark.parametrize("code", ["Y5", "R", "T", "E"])
def test_no_leave_brings_in_what_no_measure_may_read(code):
    with pytest.raises(Forbidden, match="E is the suspension itself, Y5 criminal justice"):
        sessions("x", "x", frozenset({code}))


@pytest.mark.parametrize(("of", "because"), [("religion", "why"), ("poverty", "")])
def test_a_risk_is_one_that_the_policy_knows_and_says_why(of, because):
    with pytest.raises(ValueError, match="a proxy risk is of disability, ethnicity, poverty, and says why"):
        ProxyRisk(of, because)


def test_training_stops_before_it_reads_a_record(tmp_path):
    """Settings come from the policy; settings made by hand allow nothing."""
    home = create_home(tmp_path / "home", demo=True, today=date(2026, 3, 2), shards=1)
    settings = settings_under_policy(home)
    assert sorted(settings.allow) == sorted(RISKY)
    assert settings.choices()["allow"] == sorted(RISKY)
    today = clock_of(home).today()
    with pytest.raises(InputNotAllowed, match="feature 'unagreed_holiday_rate_12w' may stand for ethnicity"):
        train(home, replace(settings, allow=()), mlruns=None, observed_until=today)
    (home.path / "policy.toml").write_text(SHIPPED.replace(', "verbal_abuse_12w"', ""), encoding="utf-8")
    narrower = settings_under_policy(home)
    assert set(BY_NAME) - set(narrower.inputs) == {"verbal_abuse_12w"}
    file = tmp_path / "settings.toml"
    file.write_text('inputs = ["incidents_4w", "verbal_abuse_12w"]\n', encoding="utf-8")
    with pytest.raises(InputNotAllowed, match=r"feature 'verbal_abuse_12w' .* Leave it out of the settings' inputs"):
        train(home, settings_under_policy(home, file=file), mlruns=None, observed_until=today)
