"""Training's settings with the board's own choices in them."""

from dataclasses import replace
from pathlib import Path

from fairness.inputs import allowed_inputs, left_out
from fairness.policy import policy_of
from features.catalogue import CATALOGUE
from records.home import Home
from training.settings import Settings, settings_from
from training.settings_file import read_settings


def settings_under_policy(home: Home, seed: int | None = None, file: Path | None = None) -> Settings:
    """Return training's settings with the board's choices: outcome, horizon, lead, capacity, inputs allowed.

    `file` may set whatever the policy leaves open; a seed given here comes before the file's. Where no file
    chooses inputs, they are the whole catalogue without what the policy does not allow.
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
    chosen = settings_from(said) if file is None else read_settings(file, said)
    refused = {feature.name for feature in left_out(policy)}
    if refused and not chosen.inputs:
        kept = tuple(feature.name for feature in CATALOGUE if feature.name not in refused)
        chosen = replace(chosen, inputs=kept)
    return chosen if seed is None else replace(chosen, seed=seed)
