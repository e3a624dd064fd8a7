"""The one clock: frozen only where nothing real depends on it."""

from datetime import date
from pathlib import Path

import pytest

from records.clock import DATABASE_VARIABLE, FrozenClockRefused, clock_of
from records.home import NoHome, create_home, open_home

DAY = date(2026, 6, 22)


def test_a_demonstration_may_stand_still(tmp_path: Path) -> None:
    assert clock_of(create_home(tmp_path, demo=True, today=DAY)).today() == DAY
    assert clock_of(open_home(tmp_path)).today() == DAY


def test_a_real_home_may_not(tmp_path: Path) -> None:
    with pytest.raises(FrozenClockRefused, match="which only the demonstration may do"):
        clock_of(create_home(tmp_path, today=DAY))


def test_nor_may_a_demonstration_on_a_named_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = create_home(tmp_path, demo=True, today=DAY)
    monkeypatch.setenv(DATABASE_VARIABLE, "postgresql://elsewhere")
    with pytest.raises(FrozenClockRefused, match=f"unset {DATABASE_VARIABLE}"):
        clock_of(home)


def test_a_home_is_never_turned_into_the_other_kind(tmp_path: Path) -> None:
    create_home(tmp_path)
    with pytest.raises(NoHome, match="already a home with demo = false"):
        create_home(tmp_path, demo=True)


def test_a_home_file_that_says_too_much_is_refused(tmp_path: Path) -> None:
    create_home(tmp_path)
    (tmp_path / "home.toml").write_text("shards = 8\ncolour = 'red'\n", encoding="utf-8")
    with pytest.raises(NoHome, match="colour"):
        open_home(tmp_path)
