"""Commands on the gate itself, before there is a model: can the limits hold, and what can it settle?"""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from serving.commands.options import Exit, out

PANEL = "Models and the gate"
HomeIfAny = Annotated[
    Path | None,
    typer.Option(
        "--home", help="A home whose own policy and records to go by; without one, public statistics.", envvar=None
    ),
]


def check_policy(
    file: Annotated[
        Path | None, typer.Argument(help="A policy; default the home's, or the one Belong ships with.")
    ] = None,
    home: HomeIfAny = None,
    recall: Annotated[
        float, typer.Option(min=0.01, max=1, help="Share of suspended pupils found, for the table.")
    ] = 0.25,
    precision: Annotated[
        float, typer.Option(min=0.01, max=0.99, help="Share of flags that are right, for the table.")
    ] = 0.2,
) -> int:
    """Check, before anything is trained, that the board's limits can hold together, be kept and be broken."""
    from fairness.outlook.feasible import LimitsRefused, feasibility
    from fairness.outlook.rates import rates_for
    from fairness.outlook.sentences import limits_text
    from fairness.policy import policy_of, read_policy
    from fairness.policy_history import in_force_since, note_policy
    from records.clock import clock_of
    from records.home import open_home
    from serving.jobs.limits import usual_roll

    here = None if home is None else open_home(home)
    policy = policy_of(here) if here is not None and file is None else read_policy(file)
    today = date.today() if here is None else clock_of(here).today()
    rates = rates_for(here, policy, today)
    found = feasibility(policy, rates, roll=usual_roll(rates), recall=recall, precision=precision)
    out.print(limits_text(policy, rates, found), markup=False, highlight=False)
    if here is not None and file is None:
        since = in_force_since(note_policy(here, policy, today))
        out.print(f"\nThese limits are in force in this home since {since.isoformat()}.", highlight=False)
    if found.problems:
        raise LimitsRefused(f"policy {policy.id}: {' '.join(found.problems)}")
    out.print("\nThe limits can hold together, can be kept and can be broken.")
    return Exit.DONE


def power(
    pupils: Annotated[int | None, typer.Option(min=500, max=3_000_000, help="How many pupils the network has.")] = None,
    schools: Annotated[int | None, typer.Option(min=2, help="In how many schools; default what is usual.")] = None,
    home: HomeIfAny = None,
    file: Annotated[Path | None, typer.Option("--policy", help="A policy; default the home's, or Belong's.")] = None,
) -> int:
    """Say, before training, what the gate will be able to settle in a network of this size."""
    from fairness.outlook.foresee import foresee
    from fairness.outlook.rates import rates_for
    from fairness.outlook.sentences import power_text
    from fairness.policy import policy_of, read_policy
    from records.clock import clock_of
    from records.home import open_home
    from records.refusal import Refusal
    from serving.jobs.stages import Stages

    here = None if home is None else open_home(home)
    policy = policy_of(here) if here is not None and file is None else read_policy(file)
    rates = rates_for(here, policy, date.today() if here is None else clock_of(here).today())
    size = pupils or rates.pupils
    if size is None:
        raise Refusal("say how many pupils the network has with --pupils, or name a --home that holds its records")
    number = schools or (rates.schools if pupils is None else None)
    with Stages(out)("Asking the gate") as say:
        found = foresee(
            policy, rates, pupils=size, schools=number, told=lambda done, of: say(f"{done} of {of} networks")
        )
    out.print(power_text(policy, found), markup=False, highlight=False)
    return Exit.DONE


COMMANDS: Mapping[str, Callable[..., int]] = {"check-policy": check_policy, "power": power}
