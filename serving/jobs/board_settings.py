"""Training's settings with the board's own choices in them."""

from dataclasses import replace
from pathlib import Path

from fairness.inputs import allowed_inputs, left_out
from fairness.policy import Policy, policy_of
from features.catalogue import CATALOGUE
from records.home import Home
from training.settings import OUTCOMES, SettingRefused, Settings, settings_from
from training.settings_file import read_settings


def settings_under_policy(home: Home, seed: int | None = None, file: Path | None = None) -> Settings:
    """Return training's settings with the board's choices: outcome, horizon, lead, capacity, inputs allowed.

    `file` may set whatever the policy leaves open; a seed given here comes before the file's. Where no file
    chooses inputs, they are the whole catalogue without what the policy does not allow.
    """
    policy = policy_of(home)
    said = {
        "outcome": outcome_of(policy),
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


def outcome_of(policy: Policy) -> str:
    """Return which of `training.settings.OUTCOMES` the policy's words are.

    Raises
    ------
    SettingRefused
        None of them.
    """
    said = policy.population.outcome
    found = [name for name, counted in OUTCOMES.items() if counted.words == said]
    if not found:
        allowed = "; ".join(counted.words for counted in OUTCOMES.values())
        raise SettingRefused(f"policy.toml, population.outcome: {said!r} cannot be counted; write one of: {allowed}")
    return found[0]
