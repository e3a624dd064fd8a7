"""Commands on other systems' access: grant, rotate the secret, take back, list."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from serving.commands.options import DEFAULT_HOME, Exit, HomeOption, out

PANEL = "The site"
ClientArgument = Annotated[str, typer.Argument(help="The system's id: letters, digits and hyphens, riverside-mis.")]
OfficerOption = Annotated[
    str, typer.Option("--decided-by", help="The subject under which the data-protection officer signs in.")
]
SecretFileOption = Annotated[
    Path, typer.Option("--secret-file", help="A new file for id and secret (JSON); the secret is shown nowhere else.")
]


def add(
    client_id: ClientArgument,
    name: Annotated[str, typer.Option(help="What people call the system.")],
    school: Annotated[list[int], typer.Option(help="A school (URN) whose pupils it may read; give it again for more.")],
    scope: Annotated[list[str], typer.Option(help="lists:read, scores:read or upns:read; give it again for more.")],
    by: OfficerOption,
    secret_file: SecretFileOption,
    days: Annotated[int, typer.Option(min=1, max=366, help="Days until access ends by itself.")] = 365,
    calls: Annotated[int, typer.Option("--calls-per-minute", min=1, help="How often it may call.")] = 600,
    home: HomeOption = DEFAULT_HOME,
) -> int:
    """Grant a system access to named schools. The same id again replaces its secrets and what it may do."""
    from casework.integrations import NewIntegration
    from records.clock import clock_of
    from records.home import open_home
    from serving.jobs import granting

    here = open_home(home)
    last = clock_of(here).today() + timedelta(days=days)
    new = NewIntegration(
        client_id=client_id,
        name=name,
        scopes=frozenset(scope),
        schools=frozenset(school),
        expires_on=last,
        calls_per_minute=calls,
    )
    granting.add(here, new, by=by, file=secret_file)
    out.print(f"{client_id} may call until {last.isoformat()}; id and secret are in {secret_file}", highlight=False)
    return Exit.DONE


def rotate(
    client_id: ClientArgument,
    by: OfficerOption,
    secret_file: SecretFileOption,
    grace: Annotated[int, typer.Option(min=0, max=90, help="Days for which the secret before still works.")] = 7,
    home: HomeOption = DEFAULT_HOME,
) -> int:
    """Make a new secret beside the one in use, so that nothing stops while the system changes over."""
    from records.home import open_home
    from serving.jobs import granting

    granting.rotate(open_home(home), client_id, by=by, file=secret_file, grace_days=grace)
    kept = f"the one before works for {grace} more days" if grace else "the one before works no more"
    out.print(f"The new secret of {client_id} is in {secret_file}; {kept}", highlight=False)
    return Exit.DONE


def revoke(
    client_id: ClientArgument,
    by: OfficerOption,
    older_secret: Annotated[
        bool, typer.Option("--older-secret", help="Withdraw only the older of two secrets.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
) -> int:
    """Take access away at once: the next call is refused, whatever token it carries."""
    from records.home import open_home
    from serving.jobs import granting

    granting.revoke(open_home(home), client_id, by=by, older_secret=older_secret)
    out.print(f"Withdrawn: {'the older secret of ' if older_secret else ''}{client_id}", highlight=False)
    return Exit.DONE


def show(home: HomeOption = DEFAULT_HOME) -> int:
    """List every system with access: scopes, schools, last day, and when each of its secrets was last used."""
    from records.home import open_home
    from serving.jobs import granting

    found = granting.listed(open_home(home))
    for one in found:
        standing = f"until {one.expires_on.isoformat()}" if one.live else "no access"
        schools = ", ".join(map(str, one.schools))
        out.print(
            f"{one.client_id} ({one.name}): {standing}; {', '.join(one.scopes)}; schools {schools}; "
            f"{one.calls_per_minute} calls a minute",
            markup=False,
            highlight=False,
        )
        for secret in one.secrets:
            ends = f", ends after {secret.ends_on.isoformat()}" if secret.ends_on else ""
            used = secret.last_used_on.isoformat() if secret.last_used_on else "never"
            out.print(f"  secret of {secret.made_on.isoformat()}{ends}, last used: {used}", highlight=False)
    if not found:
        out.print("No system has access.")
    return Exit.DONE


COMMANDS: Mapping[str, Callable[..., int]] = {"add": add, "rotate": rotate, "revoke": revoke, "list": show}
