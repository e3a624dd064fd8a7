"""How often each group's pupils are suspended in a term, from public statistics or from a network's own records."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from fairness.groups import COLUMNS, groups
from fairness.policy import Policy
from records.history import known_table
from records.home import Home
from records.protected import ProtectedStore
from records.store import Store
from records.synthetic import published

TERMS_A_YEAR = 3
# Shares of pupils by group, rough for London and set by hand, as in records/synthetic/people.py and care.py. DfE's
# census has exact ones, a network's own records better ones.
SHARES: Mapping[str, Mapping[str, float]] = {
    "sex": {"female": 0.5, "male": 0.5},
    "ethnicity": {
        "Asian": 0.244, "Black": 0.191, "Mixed": 0.118, "White": 0.418, "Other": 0.064, "unclassified": 0.018,
    },
    "sen": {"none": 0.82, "support": 0.13, "ehcp": 0.05},
    "fsm": {"fsm": 0.25, "not": 0.75},
    "eal": {"eal": 0.42, "not": 0.58},
    "care": {"looked_after": 0.006, "social_worker": 0.028, "none": 0.966},
}  # fmt: skip
_CODES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "sex": {"female": ("sex", "F"), "male": ("sex", "M")},
    "ethnicity": {
        "Asian": ("ethnicity_major", "Asian"),
        "Black": ("ethnicity_major", "Black"),
        "Mixed": ("ethnicity_major", "Mixed"),
        "White": ("ethnicity_major", "White"),
        "Other": ("ethnicity", "OOTH"),
        "unclassified": ("ethnicity", "REFU"),
    },
    "sen": {"none": ("sen", "N"), "support": ("sen", "K"), "ehcp": ("sen", "E")},
    "fsm": {"fsm": ("fsm", "fsm"), "not": ("fsm", "not")},
}


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Base rates: pupil-terms with the outcome out of all.

    `ratios` and `shares`: column of the groups frame → group → its base rate over everybody's, and its share of pupils.
    A column without figures counts as alike for all its groups. `source` says where they are from. `pupils` and
    `schools`: of the network whose own records these are, None where they are public.
    """

    base_rate: float
    ratios: Mapping[str, Mapping[str, float]]
    shares: Mapping[str, Mapping[str, float]]
    source: str
    pupils: int | None = None
    schools: int | None = None


def term_share() -> float:
    """Return how much of a year's share of pupils suspended at least once falls in one term.

    A pupil suspended n times, each time in any of three terms alike, is suspended in a given term with the chance
    1 - (2/3)^n; n as published (`recurrence`, secondary; 10 stands for 10 and more).
    """
    often = published.shares("recurrence", "SS")
    return sum(share * (1 - (1 - 1 / TERMS_A_YEAR) ** int(times)) for times, share in often.items())


def published_rates() -> Rates:
    """Return public statistics: London's secondary rate, and England's ratios between groups.

    Pupils suspended at least once in a year (DfE 2023/24, London, secondary), turned into a term by `term_share`;
    by characteristic DfE 2016/17, England, secondary. First language is not published: alike. Looked-after children
    and those with a social worker: DfE 2024, London, all phases, over the secondary rate, which is too low a ratio.
    """
    ratios: dict[str, dict[str, float]] = {"eal": dict.fromkeys(SHARES["eal"], 1.0)}
    care, rate = published.figures()["care"], published.suspensions("SS")["one_or_more"]
    ratios["care"] = {
        "looked_after": care["CLA"]["suspended"] / rate, "social_worker": care["CIN"]["suspended"] / rate, "none": 1.0,
    }  # fmt: skip
    whole = published.by_characteristic("SS", "all")["all"]["one_or_more"]
    for column, codes in _CODES.items():
        ratios[column] = {
            group: published.by_characteristic("SS", table)[code]["one_or_more"] / whole
            for group, (table, code) in codes.items()
        }
    sources = published.sources()
    return Rates(
        base_rate=published.suspensions("SS")["one_or_more"] / 100 * term_share(),
        ratios=ratios,
        shares=SHARES,
        source=f"{sources['suspensions']}; by group {sources['by_characteristic']}",
    )


def rates_for(home: Home | None, policy: Policy, today: date) -> Rates:
    """Return the home's own base rates where its records hold enough, otherwise the published ones."""
    own = None if home is None else own_rates(home, policy, today)
    return published_rates() if own is None else own


def own_rates(home: Home, policy: Policy, today: date) -> Rates | None:
    """Return base rates from a year of the home's records, or None: fewer pupils suspended than the gate counts with.

    Pupils on roll at some time in the year before `today`, those with a suspension or permanent exclusion that started
    in it, and their groups as last known. A year becomes a term by `term_share`. A group with fewer suspended pupils
    than the gate counts with has its published ratio: a chance nought would make limits look impossible.
    """
    since = pd.Timestamp(today - timedelta(days=365))
    store = Store(home)
    on_roll, suspended, schools = [], [], set()
    for shard in store.shards:
        history = store.history(shard)
        enrolled = known_table(history, "enrolments", today)
        there = enrolled[enrolled["leaving_date"].isna() | (enrolled["leaving_date"] >= since)]
        came = known_table(history, "suspensions", today)
        came = came[came["category"].isin(["SUSP", "PERM"]) & (came["start_date"] >= since)]
        on_roll.append(there["pupil"].to_numpy(np.int64))
        suspended.append(came["pupil"].to_numpy(np.int64))
        schools |= set(there["school"].unique())
    pupils = np.unique(np.concatenate(on_roll))
    hit = np.isin(pupils, np.concatenate(suspended))
    if hit.sum() < policy.inference.min_positives:
        return None
    members = groups(ProtectedStore(home), today, merges=policy.attribute("ethnicity").merges).reindex(pupils)
    shares, ratios, elsewhere = {}, {}, published_rates().ratios
    for column in COLUMNS:
        rows = pd.DataFrame({"group": members[column].to_numpy(), "hit": hit}).dropna()
        by_group = rows.groupby("group")["hit"].agg(["size", "sum", "mean"])
        shares[column] = {str(group): float(size / len(pupils)) for group, size in by_group["size"].items()}
        ratios[column] = {
            str(group): rate / hit.mean()
            if suspended_here >= policy.inference.min_positives
            else elsewhere[column].get(str(group), 1.0)
            for group, suspended_here, rate in zip(by_group.index, by_group["sum"], by_group["mean"], strict=True)
        }
    return Rates(
        base_rate=float(hit.mean()) * term_share(),
        ratios=ratios,
        shares=shares,
        source=f"this network's own records from {since.date().isoformat()} to {today.isoformat()}",
        pupils=len(pupils),
        schools=len(schools),
    )
