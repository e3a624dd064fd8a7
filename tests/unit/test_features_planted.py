"""Guards that bite: a feature that leaks and a window one off, planted in each engine, and the tests that see them."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from features import plain
from features.catalogue import CATALOGUE
from features.engine import build
from features.matrix import Matrix
from records.history import History, Known, known
from tests.property import test_features_laws as laws
from tests.spec import test_features_time as manual
from tests.spec.conftest import Spec

BY_NAME = {feature.name: feature for feature in CATALOGUE}


def with_column(matrix: Matrix, name: str, other: Matrix) -> Matrix:
    """Return the matrix with one feature's values taken from another."""
    values = matrix.values.copy()
    values[:, matrix.names.index(name)] = other.values[:, 0]
    return replace(matrix, values=values)


def leaky_build(records: History, as_ofs) -> Matrix:
    """The fast engine, but for one feature that also reads what is recorded on the day asked about."""
    early = {name: rows.assign(known_on=rows["known_on"] - timedelta(days=1)) for name, rows in records.tables.items()}
    peeking = replace(records, tables={**records.tables, "behaviour": early["behaviour"]})
    return with_column(build(records, as_ofs), "incidents_4w", build(peeking, as_ofs, (BY_NAME["incidents_4w"],)))


def leaky_known(records: History, as_of) -> Known:
    """What was known by the end of the day asked about rather than by its start, of achievements alone."""
    honest, tomorrow = known(records, as_of), known(records, as_of + timedelta(days=1))
    rows = tomorrow["positives"]
    late = rows[rows["date"] < pd.Timestamp(as_of)]
    return replace(honest, tables={**honest.tables, "positives": late})


def long_build(records: History, as_ofs) -> Matrix:
    """The fast engine, but for one window that is a school week too long."""
    long = replace(BY_NAME["unauthorised_rate_4w"], window_weeks=5)
    return with_column(build(records, as_ofs), "unauthorised_rate_4w", build(records, as_ofs, (long,)))


@pytest.mark.parametrize(
    ("place", "trial", "law", "names"),
    [
        (
            "build",
            leaky_build,
            laws.test_what_is_known_on_or_after_as_of_changes_nothing_in_the_fast_engine,
            "incidents_4w",
        ),
        ("build", leaky_build, laws.test_the_engines_agree, "incidents_4w"),
        (
            "known",
            leaky_known,
            laws.test_what_is_known_on_or_after_as_of_changes_nothing_in_the_reference,
            "positive",
        ),
        ("build", long_build, laws.test_the_engines_agree, "unauthorised_rate_4w"),
    ],
    ids=["a leak, by the law of time", "a leak, by agreement", "a leak in the reference", "a window too long"],
)
def test_a_planted_fault_is_caught(monkeypatch, place: str, trial: Callable[..., object], law, names: str):
    monkeypatch.setattr(laws, place, trial)
    with pytest.raises(AssertionError, match=names):
        law()


@pytest.fixture
def a_day_off(monkeypatch):
    """The plain engine, with every window a day late at both ends."""
    monkeypatch.setattr(plain, "bisect_left", bisect_right)


def test_a_window_that_begins_a_day_late_is_caught_by_agreement(a_day_off):
    with pytest.raises(AssertionError):
        laws.test_the_engines_agree()


def test_a_window_that_begins_a_day_late_is_caught_by_the_manual(a_day_off):
    with pytest.raises(AssertionError, match="incidents_4w of ann"):
        manual.test_a_window_holds_its_first_day(Spec("reference"))
    manual.test_a_window_holds_its_first_day(Spec("engine"))
