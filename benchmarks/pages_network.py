"""A made-up network for the pages' benchmark: a year of weekly facts and incidents, and one night's flags."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from casework.people import Identity
from casework.publishing import Publication

FIRST_URN = 990_001
_BASE = 5_000_000_000
_WEEKS = 52
# Weeks without school in the year that ends in June, counted from its first.
_CLOSED = (5, 6, 7, 8, 9, 18, 26, 27, 34, 40, 41, 48)
_REASONS = (
    ("for", "Time in lessons", "Removed from 3 lessons in the last 4 school weeks, from none before", "most"),
    ("for", "Punctuality", "Late 6 times in the last 4 school weeks, once in the 4 before", "some"),
    ("against", "Attendance", "In school for 39 of 40 sessions in the last 4 school weeks", "some"),
)
_RATES = {"sessions_missed": 0.5, "late_marks": 0.3, "incidents": 0.15, "removals": 0.03, "positives": 0.4}


@dataclass(frozen=True, kw_only=True)
class Network:
    """How large it is: pupils are spread evenly over the schools, `listed` of each school are on its list."""

    pupils: int
    schools: int
    listed: int

    def urns(self) -> list[int]:
        """Return the schools' numbers."""
        return [FIRST_URN + at for at in range(self.schools)]

    def frame(self) -> pd.DataFrame:
        """Return every pupil with school, year group and whether they are on the list."""
        at = np.arange(self.pupils)
        place = at // self.schools
        return pd.DataFrame(
            {
                "pupil": _BASE + at,
                "school": FIRST_URN + at % self.schools,
                "year_group": (7 + place % 5).astype(str),
                "flagged": place < self.listed,
            }
        )


def identities(network: Network) -> list[Identity]:
    """Return obviously made-up pupils."""
    return [
        Identity(
            pseudonym=pupil,
            upn=f"T{pupil - _BASE:012d}",
            forename=f"Pupil{pupil - _BASE}",
            surname="Example",
            date_of_birth=date(2012, 1, 1),
            year_group=year_group,
            school=school,
            left_on=None,
            known_on=date(2025, 9, 1),
        )
        for pupil, school, year_group in network.frame()[["pupil", "school", "year_group"]].values.tolist()
    ]


def publication(network: Network, digest: str, as_of: date) -> Publication:
    """Return one night's work over the whole network; the same every time."""
    random = np.random.default_rng(20261128)
    roll = network.frame()
    flagged = roll.loc[roll["flagged"], "pupil"].to_numpy()
    return Publication(
        bundle_digest=digest,
        as_of=as_of,
        horizon_weeks=6,
        outcome_words="suspended or excluded",
        base_rates={"SS": 0.021},
        schools=_schools(network, as_of),
        roll=roll[["pupil", "school", "year_group"]],
        weekly_facts=_weekly_facts(roll, as_of, random),
        incidents=_incidents(roll, as_of, random),
        scores=_scores(roll),
        flags=pd.DataFrame(
            {
                "pupil": flagged,
                "rising_since": pd.Timestamp(as_of - timedelta(days=21)),
                "expires_on": pd.Timestamp(as_of + timedelta(days=42)),
                "check_sample": False,
                "eased_on": pd.Timestamp(as_of - timedelta(days=63)),
                "eased": 0.08,
            }
        ),
        reasons=_told(flagged, _REASONS, "side"),
        changes=_told(flagged, [("up", *reason[1:]) for reason in _REASONS[:2]], "way"),
        levers=_levers(flagged),
        feature_rows=pd.DataFrame({"pupil": roll["pupil"], "late_4w": 1.0}),
    )


def _schools(network: Network, as_of: date) -> pd.DataFrame:
    names = [f"Example School {urn}" for urn in network.urns()]
    data_to = pd.Timestamp(as_of - timedelta(days=3))
    return pd.DataFrame({"urn": network.urns(), "name": names}).assign(
        phase="SS", data_to=data_to, up_to_date=True, note=""
    )


def _weekly_facts(roll: pd.DataFrame, as_of: date, random: np.random.Generator) -> pd.DataFrame:
    monday = as_of - timedelta(days=as_of.weekday())
    weeks = pd.to_datetime([monday - timedelta(weeks=back) for back in range(_WEEKS, 0, -1)])
    is_open = ~np.isin(np.arange(_WEEKS), _CLOSED)
    rows = len(roll) * _WEEKS
    opened = np.tile(is_open, len(roll))
    counts = {name: random.poisson(rate, rows) * opened for name, rate in _RATES.items()}
    return pd.DataFrame(
        {
            "pupil": np.repeat(roll["pupil"].to_numpy(), _WEEKS),
            "week_start": np.tile(weeks.to_numpy(), len(roll)),
            "sessions_possible": 10 * opened,
            **counts,
            "suspended": (random.random(rows) < 0.0005) & opened,
        }
    )


def _incidents(roll: pd.DataFrame, as_of: date, random: np.random.Generator) -> pd.DataFrame:
    pupils = np.repeat(roll["pupil"].to_numpy(), random.poisson(6, len(roll)))
    back = pd.to_timedelta(random.integers(1, 365, len(pupils)), unit="D")
    return pd.DataFrame(
        {
            "pupil": pupils,
            "happened_on": pd.Timestamp(as_of) - back,
            "kind": random.choice(["incident", "positive"], len(pupils)),
            "what": random.choice(["Removed from a lesson", "Late to lesson", "Kindness"], len(pupils)),
            "place": "Classroom",
            "sessions": pd.array([None] * len(pupils), "Int16"),
        }
    )


def _scores(roll: pd.DataFrame) -> pd.DataFrame:
    flagged = roll["flagged"].to_numpy()
    return roll[["pupil", "school", "year_group"]].assign(
        probability=np.where(flagged, 0.29, 0.01),
        rise=1.2,
        rise_margin=0.4,
        rank=range(1, len(roll) + 1),
        cut_off=0.15,
        eligible=flagged,
        snoozed=False,
        flagged=flagged,
        rising_since=pd.Timestamp("2026-06-01"),
        capacity=5,
        abstain=None,
    )


def _told(
    pupils: np.ndarray, sentences: list[tuple[str, ...]] | tuple[tuple[str, ...], ...], side: str
) -> pd.DataFrame:
    rows = [(int(pupil), place, *said, True) for pupil in pupils for place, said in enumerate(sentences, start=1)]
    return pd.DataFrame(rows, columns=["pupil", "position", side, "group", "sentence", "share", "changeable"])


def _levers(pupils: np.ndarray) -> pd.DataFrame:
    words = "If time in lessons (removals from lessons) were again as before 20 April"
    return pd.DataFrame(
        {"pupil": pupils, "position": 1, "group": "Time in lessons", "sentence": words, "probability": 0.14}
    )
