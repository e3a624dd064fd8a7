"""Five pupils of one school at a few weekly dates: their flags, what came, and what the flags were worth."""

from collections.abc import Collection, Mapping
from datetime import date

import pandas as pd

from tests.training_factory import calendar
from training.evaluate import Evaluation, Ground, evaluate, ground
from training.matured import MaturedOutcomes
from training.settings import Settings
from training.splits import network_terms

WEEK1, WEEK2, WEEK3 = date(2025, 9, 8), date(2025, 9, 15), date(2026, 1, 5)


def judged(
    flags: Collection[tuple[int, date]], starts: Mapping[int, date], permanent: Collection[int] = ()
) -> Evaluation:
    """Return the evaluation of pupils 1 to 4 at two autumn weeks and pupil 5 in spring; starts by pupil.

    Pupil 4 was suspended before; those of `permanent` are excluded permanently, the others suspended.
    """
    on = ground_of(starts, permanent)
    return evaluate(log_of(on, flags), on)


def ground_of(starts: Mapping[int, date], permanent: Collection[int] = ()) -> Ground:
    """Return what the flags of those pupils are judged on."""
    keys = pd.DataFrame(
        [(pupil, day) for pupil in (1, 2, 3, 4) for day in (WEEK1, WEEK2)] + [(5, WEEK3)], columns=["pupil", "as_of"]
    )
    keys["as_of"] = keys["as_of"].astype("datetime64[s]")
    keys["school"] = 900001
    keys["suspended_before"] = (keys["pupil"] == 4).astype("int8")
    keys["seen"] = 1
    frame = keys[["pupil", "as_of"]].copy()
    frame["starts_on"] = pd.Series([starts.get(pupil) for pupil in keys["pupil"]]).astype("datetime64[s]")
    frame["outcome"] = (frame["starts_on"] >= frame["as_of"]).astype("int8")
    frame["permanent"] = frame["outcome"] * keys["pupil"].isin(list(permanent)).astype("int8")
    frame["suspended"] = frame["outcome"] - frame["permanent"]
    frame["starts_on"] = frame["starts_on"].where(frame["outcome"] == 1)
    schools = calendar()
    return ground(
        keys,
        MaturedOutcomes(frame, 6),
        phases={900001: "SS"},
        terms=network_terms(schools),
        calendar=schools,
        settings=Settings(),
    )


def log_of(on: Ground, flags: Collection[tuple[int, date]]) -> pd.DataFrame:
    """Return an allocation in which these pupils are flagged on these days, each with a chance of 0.1."""
    log = on.rows[["pupil", "as_of", "school"]].assign(probability=0.1, capacity=2)
    log["flagged"] = [(pupil, day.date()) in flags for pupil, day in zip(log["pupil"], log["as_of"], strict=True)]
    return log.assign(holds=log["flagged"])


def terms_of(found: Evaluation) -> dict[tuple[int, str], tuple[int, int, int, int]]:
    """Return (pupil, term) → outcome, flagged (in time), flagged at all, flagged by the longer lead."""
    return {
        (row.pupil, row.term): (row.outcome, row.flagged, row.flagged_any, row.flagged_also)
        for row in found.pupil_terms.itertuples()
    }
