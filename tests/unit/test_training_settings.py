"""Settings that cannot mean anything are refused, and say what is allowed."""

from pathlib import Path

import pytest

from fairness.inputs import allowed_inputs
from fairness.policy import PolicyRefused, read_policy
from records.home import create_home
from serving.jobs.board_settings import settings_under_policy
from training.settings import OUTCOMES, SettingRefused, Settings, settings_from
from training.settings_file import read_settings, settings_text


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"horizon_weeks": 0}, "horizon_weeks is 0; it must be between 1 and 26"),
        ({"capacity_share": 1.01}, "capacity_share is 1.01; it must be between"),
        ({"capacity_min": 20}, "capacity_min 20 is above capacity_max 15"),
        ({"past_least": 13}, "past_least 13 is above past_weeks 12"),
        ({"boosting": {"num_threads": 4}}, "num_threads, which may not be set; allowed: feature_fraction"),
        ({"horizon": 6}, "no setting is called horizon; there are outcome, horizon_weeks"),
        ({"rise_noise": float("nan")}, "rise_noise is nan"),
        ({"stop_by": "accuracy"}, "stop_by is 'accuracy'; it must be one of log_loss, average_precision"),
        ({"rise": "twice"}, "rise is 'twice'; it must be one of quartile, median, momentum, none"),
        ({"outcome": "detention"}, "outcome is 'detention'; it must be one of suspension_or_permanent, suspension,"),
        ({"resamples": -1}, "resamples is -1; it must be between 0"),
    ],
)
def test_a_setting_without_meaning_is_refused(said: dict[str, object], message: str) -> None:
    with pytest.raises(SettingRefused, match=message):
        settings_from(said)


@pytest.mark.parametrize("name", ["sex", "ethnicity", "sen", "sen_provision", "fsm", "care", "language", "deprivation"])
def test_a_protected_input_is_refused_with_the_fix(name: str) -> None:
    with pytest.raises(
        SettingRefused, match=f"names {name}: a protected characteristic is for audits only.*take it out"
    ):
        settings_from({"inputs": ["incidents_4w", name]})


def test_an_input_must_be_a_feature_named_once() -> None:
    assert settings_from({"inputs": ["incidents_4w"]}).inputs == ("incidents_4w",)
    with pytest.raises(SettingRefused, match=r"inputs names shoe_size, no feature; docs/generated/features\.md"):
        settings_from({"inputs": ["shoe_size"]})
    with pytest.raises(SettingRefused, match="twice; name each once"):
        settings_from({"inputs": ["incidents_4w", "incidents_4w"]})
    with pytest.raises(SettingRefused, match="inputs is 'incidents_4w'; write a list"):
        settings_from({"inputs": "incidents_4w"})


def test_the_digest_knows_every_choice_but_not_how_many_processes_worked() -> None:
    assert Settings(processes=1, threads=1).digest() == Settings().digest()
    others = [
        Settings(snooze_weeks=5),
        Settings(boosting={"num_leaves": 7}),
        Settings(outcome="permanent"),
        Settings(inputs=("incidents_4w",)),
        Settings(stop_by="average_precision"),
    ]
    assert len({one.digest() for one in (*others, Settings())}) == len(others) + 1


def test_settings_written_are_the_settings_read(tmp_path: Path) -> None:
    chosen = Settings(rise="momentum", inputs=("incidents_4w", "late_rate_4w"), stop_by="average_precision", folds=3)
    file = tmp_path / "settings.toml"
    file.write_text(settings_text(chosen, "for a test"), encoding="utf-8")
    assert read_settings(file, {"horizon_weeks": 6}) == chosen


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("rise = 3", "rise is 3; write a word in quotation marks"),
        ('inputs = ["sex"]', "inputs names sex: a protected characteristic"),
        ("inputs = [1]", "write a list of names"),
        ("capacity_share = 0.01", "which the board's policy decides"),
        ("capacity_share = 1.5", "capacity_share is 1.5; it must be between"),
        ('outcome = "permanent"', "which the board's policy decides"),
    ],
)
def test_a_file_says_no_more_than_the_policy_leaves_open(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(line, encoding="utf-8")
    with pytest.raises(SettingRefused, match=message):
        read_settings(file, {"capacity_share": 0.005, "outcome": "suspension_or_permanent"})


def test_the_boards_words_decide_what_is_counted(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home", demo=True)
    assert settings_under_policy(home) == Settings(allow=allowed_inputs(read_policy()))
    shipped = (Path(__file__).parents[2] / "fairness" / "policy.toml").read_text(encoding="utf-8")
    words = read_policy().population.outcome
    assert words == OUTCOMES["suspension_or_permanent"].words
    policy = home.path / "policy.toml"
    policy.write_text(shipped.replace(words, "a suspension starts"), encoding="utf-8")
    assert settings_under_policy(home).outcome == "suspension"
    policy.write_text(shipped.replace(words, "a detention is given"), encoding="utf-8")
    with pytest.raises(
        PolicyRefused, match=r"population\.outcome: .*'a detention is given' cannot be counted; write one"
    ):
        settings_under_policy(home)
