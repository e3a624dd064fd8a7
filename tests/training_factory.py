"""A made-up network's features and outcomes for tests of training: no records, a known true risk.

Each pupil has a steady part of risk and, for some, a spell of rising risk that shows in incidents,
absence and, later, a suspension. Everything follows from the seed.
"""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from features.catalogue import CATALOGUE, fingerprint
from features.matrix import Matrix
from records.calendar import Calendar, calendar_from
from records.history import typed
from records.tables import CALENDARS
from training.dataset import Dataset, Network, roll_of
from training.matured import MaturedOutcomes
from training.run import as_ofs_of
from training.settings import Settings
from training.splits import Periods, periods

SCHOOLS = (900001, 900002, 900003)
TODAY = date(2026, 6, 22)
NAMES = tuple(feature.name for feature in CATALOGUE)
TERMS = (
    ("2023/24 Autumn 1", date(2023, 9, 4), date(2023, 10, 20)),
    ("2023/24 Autumn 2", date(2023, 10, 30), date(2023, 12, 21)),
    ("2023/24 Spring 1", date(2024, 1, 8), date(2024, 2, 9)),
    ("2023/24 Spring 2", date(2024, 2, 19), date(2024, 3, 28)),
    ("2023/24 Summer 1", date(2024, 4, 15), date(2024, 5, 24)),
    ("2023/24 Summer 2", date(2024, 6, 3), date(2024, 7, 19)),
    ("2024/25 Autumn 1", date(2024, 9, 2), date(2024, 10, 25)),
    ("2024/25 Autumn 2", date(2024, 11, 4), date(2024, 12, 20)),
    ("2024/25 Spring 1", date(2025, 1, 6), date(2025, 2, 14)),
    ("2024/25 Spring 2", date(2025, 2, 24), date(2025, 4, 4)),
    ("2024/25 Summer 1", date(2025, 4, 22), date(2025, 5, 23)),
    ("2024/25 Summer 2", date(2025, 6, 2), date(2025, 7, 22)),
    ("2025/26 Autumn 1", date(2025, 9, 1), date(2025, 10, 24)),
    ("2025/26 Autumn 2", date(2025, 11, 3), date(2025, 12, 19)),
    ("2025/26 Spring 1", date(2026, 1, 5), date(2026, 2, 13)),
    ("2025/26 Spring 2", date(2026, 2, 23), date(2026, 3, 27)),
    ("2025/26 Summer 1", date(2026, 4, 13), date(2026, 5, 22)),
    ("2025/26 Summer 2", date(2026, 6, 1), date(2026, 7, 21)),
)


def calendar(schools: tuple[int, ...] = SCHOOLS) -> Calendar:
    """Return the calendar of schools that all keep `TERMS`."""
    rows = [
        {
            "school": school,
            "kind": "half_term",
            "name": name,
            "start_date": start,
            "end_date": end,
            "known_on": date(2023, 7, 1),
            "deleted": False,
            "source": "0" * 16,
            "row": line,
        }
        for school in schools
        for line, (name, start, end) in enumerate(TERMS, start=2)
    ]
    return calendar_from(typed(pd.DataFrame(rows), CALENDARS))


def network() -> Network:
    """Return the made-up network: two secondary schools and a primary school."""
    return Network(calendar(), dict(zip(SCHOOLS, ("SS", "SS", "PS"), strict=True)))


def made_up(
    settings: Settings, *, pupils: int = 400, seed: int = 1, today: date = TODAY, trained: bool = True
) -> tuple[Dataset, Network, Periods]:
    """Return a dataset at every as-of date that training asks for, and its network and periods."""
    net = network()
    when = periods(net.calendar, today, settings, trained=trained)
    days = as_ofs_of(when, settings)
    rng = np.random.default_rng(seed)
    number = np.sort(rng.choice(np.int64(2**62), pupils, replace=False))
    school = np.asarray(SCHOOLS)[np.arange(pupils) % len(SCHOOLS)]
    steady = rng.normal(-3.6, 1.0, pupils)
    starts_on, last = _suspensions(steady, days, rng)
    keys = pd.DataFrame(
        {
            "pupil": np.tile(number, len(days)),
            "as_of": np.repeat(np.array(days, "datetime64[s]"), pupils),
            "school": np.tile(school, len(days)).astype("int32"),
            "year_group": np.tile((7 + np.arange(pupils) % 5).astype("str"), len(days)),
            "abstain": "",
        }
    )
    matrix = Matrix(keys, _values(steady, starts_on, last, days, rng), NAMES, fingerprint())
    ends = pd.Series([np.datetime64(net.calendar.ahead(SCHOOLS[0], day, settings.horizon_weeks), "s") for day in days])
    frame = keys[["pupil", "as_of"]].copy()
    start = pd.Series(starts_on.T.ravel()).astype("datetime64[s]")
    inside = start < pd.Series(np.repeat(ends.to_numpy(), pupils)).astype("datetime64[s]")
    frame["outcome"] = frame["suspended"] = inside.astype("int8")
    frame["permanent"] = np.int8(0)
    frame["starts_on"] = start.where(inside)
    outcomes = MaturedOutcomes(frame, settings.horizon_weeks)
    return Dataset(matrix, outcomes, roll_of(keys), {"marks": 3}), net, when


def _suspensions(steady: np.ndarray, days: tuple[date, ...], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return, pupil by as-of date, the next suspension's start and how many came before."""
    begin, end = days[0] - timedelta(days=60), days[-1] + timedelta(days=120)
    span = (end - begin).days
    nexts = np.full((len(steady), len(days)), np.datetime64("NaT", "s"))
    before = np.zeros((len(steady), len(days)))
    for pupil, level in enumerate(steady):
        many = rng.poisson(span / 42 / (1 + np.exp(-level)))
        offsets = np.sort(rng.integers(0, span, many))
        starts = np.array([begin + timedelta(days=int(offset)) for offset in offsets], "datetime64[s]")
        at = np.searchsorted(starts, np.array(days, "datetime64[s]"))
        before[pupil] = at
        has = at < many
        nexts[pupil, has] = starts[at[has]]
    return nexts, before


def _values(
    steady: np.ndarray, starts_on: np.ndarray, before: np.ndarray, days: tuple[date, ...], rng: np.random.Generator
) -> np.ndarray:
    """Return features that are noise but for earlier suspensions, incidents and absence."""
    shape = (len(days), len(steady))
    values = rng.normal(size=(*shape, len(NAMES))).round(2)
    away = (starts_on.T - np.array(days, "datetime64[s]")[:, None]).astype("timedelta64[D]").astype(float)
    near = np.nan_to_num(np.clip(1 - away / 45, 0, 1))
    level = 1 / (1 + np.exp(-steady))[None, :]
    columns = {
        "incidents_4w": rng.poisson(0.3 + 3 * near + 4 * level),
        "missed_rate_12w": np.clip(0.04 + 0.2 * near + 0.3 * level + rng.normal(0, 0.03, shape), 0, 1),
        "suspensions_39w": np.minimum(before.T, 3),
        "suspensions_117w": before.T,
        "days_since_suspension_39w": np.where(before.T > 0, 60.0, 195.0),
    }
    for name, column in columns.items():
        values[:, :, NAMES.index(name)] = column
    values[:, :, NAMES.index("late_rate_2w")] = np.where(rng.random(shape) < 0.05, np.nan, 0.1)
    return values.reshape(-1, len(NAMES))
