"""Settings that cannot mean anything are refused, and say what is allowed."""

import pytest

from training.settings import SettingRefused, Settings, settings_from


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"horizon_weeks": 0}, "horizon_weeks is 0; it must be between 1 and 26"),
        ({"capacity_share": 1.01}, "capacity_share is 1.01; it must be between"),
        ({"capacity_min": 20}, "capacity_min 20 is above capacity_max 15"),
        ({"past_least": 13}, "past_least 13 is above past_weeks 12"),
        ({"boosting": {"num_threads": 4}}, "num_threads, which may not be set; allowed: feature_fraction"),
        ({"horizon": 6}, "no setting is called horizon; there are horizon_weeks"),
        ({"rise_noise": float("nan")}, "rise_noise is nan"),
    ],
)
def test_a_setting_without_meaning_is_refused(said: dict[str, object], message: str) -> None:
    with pytest.raises(SettingRefused, match=message):
        settings_from(said)


def test_the_digest_knows_every_choice_but_not_how_many_processes_worked() -> None:
    assert Settings(processes=1, threads=1).digest() == Settings().digest()
    assert Settings(snooze_weeks=5).digest() != Settings().digest()
    assert Settings(boosting={"num_leaves": 7}).digest() != Settings().digest()
