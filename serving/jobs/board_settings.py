"""Training's settings with the board's own choices in them."""

from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc

from fairness.inputs import allowed_inputs, left_out
from fairness.policy import policy_of
from features.catalogue import CATALOGUE
from records import delta
from records.home import Home
from records.tables import ENROLMENTS
from training.settings import Settings, settings_from
from training.settings_file import read_settings

# Above so many, training keeps a share of the rows without the outcome, each standing for more (training/sampling.py):
# all of a large network's rows would need more memory than one machine has, and teach hardly more.
ENOUGH_PUPILS = 24_000


def pupils_of(home: Home) -> int:
    """Return how many pupils ever had an enrolment in the home; one shard in memory at a time."""
    found = (delta.scan(home.history, ENROLMENTS, shard, ["pupil"])["pupil"] for shard in range(home.shards))
    return sum(len(pc.unique(pupils)) for pupils in found)


def settings_under_policy(home: Home, seed: int | None = None, file: Path | None = None) -> Settings:
    """Return training's settings with the board's choices: outcome, horizon, lead, capacity, inputs allowed.

    `file` may set whatever the policy leaves open; a seed given here comes before the file's. Where no file chooses
    inputs, they are the whole catalogue without what the policy does not allow; where there is none, a large network
    keeps a share of the rows without the outcome.
    """
    policy = policy_of(home)
    said = {
        "outcome": policy.population.counted,
        "horizon_weeks": policy.population.horizon_school_weeks,
        "lead_days": policy.population.lead_school_days,
        "capacity_share": policy.capacity.share_of_roll,
        "capacity_min": policy.capacity.min,
        "capacity_max": policy.capacity.max,
        "allow": allowed_inputs(policy),
    }
    share = round(min(1.0, ENOUGH_PUPILS / max(1, pupils_of(home))), 3)
    chosen = settings_from({**said, "others_share": share}) if file is None else read_settings(file, said)
    refused = {feature.name for feature in left_out(policy)}
    if refused and not chosen.inputs:
        kept = tuple(feature.name for feature in CATALOGUE if feature.name not in refused)
        chosen = replace(chosen, inputs=kept)
    return chosen if seed is None else replace(chosen, seed=seed)
