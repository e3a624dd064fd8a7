"""The policy in force as a page of documentation, and the schema of any policy."""

import json

from pydantic import BaseModel

from fairness.policy import CheckSample, Metric, Policy, read_policy


def schema() -> str:
    """Return the JSON Schema of a policy, for editors and for those who write one."""
    said = {"$comment": "Printed by `make generate`; a stale one fails a test."} | Policy.model_json_schema()
    return json.dumps(said, indent=1) + "\n"


def page() -> str:
    """Return the policy in force as a page of documentation: every limit with its reason."""
    policy = read_policy()
    lines = [
        "# The board's limits",
        "",
        (
            f"Policy `{policy.id}`, owned by the {policy.owner}, decided on {policy.decided_on.isoformat()}. "
            "No law sets these numbers; each is the board's."
        ),
        "",
        "## Groups",
        "",
        "| attribute | groups | shown, not judged | judged | why |",
        "|---|---|---|---|---|",
        *(
            f"| {a.name} | {'; '.join(a.groups)} | {'; '.join(a.report_only) or 'none'} "
            f"| {a.gate.replace('_', ' ')} | {a.reason} |"
            for a in policy.attributes
        ),
        "",
        "## Metrics",
        "",
        "| metric | lowest allowed | highest allowed | judged | why |",
        "|---|---|---|---|---|",
        *(_metric_row(metric) for metric in policy.metrics),
        "",
        "## Inputs that may stand for something else",
        "",
        "A feature not named here that may stand for one of these is refused.",
        "",
        "| may stand for | allowed | why |",
        "|---|---|---|",
        *(f"| {i.risk} | {', '.join(f'`{name}`' for name in i.features)} | {i.reason} |" for i in policy.inputs),
        "",
        "## Everything else",
        "",
        *(
            f"- **{name.capitalize()}**: {_settings(part)}. {part.reason}"
            for name in (
                "population",
                "capacity",
                "inference",
                "usefulness",
                "practice",
                "disclosure",
                "approval",
                "waiver",
                "after",
            )
            for part in (getattr(policy, name),)
        ),
        f"- **Check sample**: {_check_sample(policy.check_sample)}",
    ]
    return "\n".join(lines) + "\n"


def _metric_row(metric: Metric) -> str:
    low, high = ("none" if end is None else f"{end:g}" for end in metric.bounds)
    return f"| `{metric.name}` ({metric.scale}) | {low} | {high} | {'yes' if metric.gate else 'no'} | {metric.reason} |"


def _check_sample(part: CheckSample | None) -> str:
    return "not allowed; nobody is drawn onto a list." if part is None else f"{_settings(part)}. {part.reason}"


def _settings(part: BaseModel) -> str:
    said = {key: value for key, value in part.model_dump(mode="json").items() if key != "reason"}
    return "; ".join(
        f"{key.replace('_', ' ')} {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for key, value in said.items()
    )
