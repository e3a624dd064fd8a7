"""Commands on who may sign: keys, the chain of trust, revocation, and the look at what serves."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from serving.commands.options import DEFAULT_HOME, DEFAULT_RUNS, Exit, HomeOption, RunsOption, day_option, out

PANEL = "Models and the gate"
PersonOption = Annotated[str, typer.Option(help="Your identifier in trust.json.")]
RoleOption = Annotated[str, typer.Option(help="board_member or data_protection_officer.")]
KeysOption = Annotated[Path, typer.Option(help="The folder that holds your key, named after you: PERSON.pem.")]


def new_key(
    person: Annotated[str | None, typer.Option(help="Whose key: lower-case letters, digits, '.', '-', '_'.")] = None,
    role: RoleOption = "board_member",
    keys: Annotated[Path | None, typer.Option(help="The folder to put it in: a stick that only you hold.")] = None,
    service: Annotated[
        bool, typer.Option("--service", help="The service account's key, in the home: it may stop a model only.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
) -> int:
    """Make a signing key, encrypted with a password that is asked for, and print its public half."""
    from getpass import getpass

    from fairness.keys import KeyRefused, create_key, service_key
    from records.home import open_home

    if service:
        key = service_key(open_home(home))
    elif person is None or keys is None:
        raise KeyRefused("name whose key it is and where it goes: --person and --keys, or --service")
    else:
        try:
            password = getpass(f"A password for the key of {person}, 12 characters or more: ")
            again = getpass("The same again: ")
        except EOFError:
            raise KeyRefused("a key needs a password, and nobody is there to type it") from None
        if password != again:
            raise KeyRefused("the two passwords differ; nothing was written")
        key = create_key(person, role, keys, password.encode())
    out.print("Give this line to whoever proposes the change of trust; it is public:")
    out.print(f"{key.person_id}:{key.role}:{key.public_key}", markup=False, highlight=False)
    return Exit.DONE


def show_trust(home: HomeOption = DEFAULT_HOME) -> int:
    """Show who may sign, every change of it, and a proposal that waits for signatures."""
    from fairness.approval.ceremony import as_text, proposal
    from fairness.trust import TRUST_FILE, read_trust
    from records.home import open_home

    here = open_home(home)
    waiting = proposal(here)
    if (here.trust / TRUST_FILE).exists():
        trust = read_trust(here)
        for link in trust.links:
            for line in as_text(link):
                out.print(line, markup=False, highlight=False)
        out.print(f"Note the newest link outside this machine, or pin it: BELONG_TRUST={trust.digest}", highlight=False)
    else:
        out.print("Nobody is trusted yet. Begin with `belong key new` and `belong trust propose`.")
    if waiting is not None:
        out.print("Proposed, and not in force:")
        for line in as_text(waiting[0]):
            out.print(line, markup=False, highlight=False)
        out.print(f"Still needed: {waiting[1]}", markup=False)
    return Exit.DONE


def propose_trust(
    reason: Annotated[str, typer.Option(help="Why: it stands in the chain for good.")],
    add: Annotated[list[str] | None, typer.Option(help="PERSON:ROLE:KEY, as `belong key new` printed it.")] = None,
    retire: Annotated[list[str] | None, typer.Option(help="PERSON or PERSON:DAY, the key's last day.")] = None,
    revoke: Annotated[list[str] | None, typer.Option(help="PERSON whose key is lost or known to others.")] = None,
    home: HomeOption = DEFAULT_HOME,
) -> int:
    """Propose who may sign: the first time for a new home, later as a change. It counts once signed."""
    from fairness.approval.ceremony import Change, as_text, key_from, proposal, propose
    from records.clock import clock_of
    from records.home import open_home

    here = open_home(home)
    today = clock_of(here).today()
    ends = []
    for one in retire or ():
        person, _, day = one.partition(":")
        ends.append((person, day_option("--retire", day) if day else today))
    change = Change(add=[key_from(said) for said in add or ()], retire=ends, revoke=revoke or ())
    link = propose(here, change, reason=reason, made_on=today)
    for line in as_text(link):
        out.print(line, markup=False, highlight=False)
    waiting = proposal(here)
    out.print(f"Still needed: {waiting[1] if waiting else ''}. Each signs with `belong trust sign`.", markup=False)
    return Exit.DONE


def sign_trust(person: PersonOption, role: RoleOption, keys: KeysOption, home: HomeOption = DEFAULT_HOME) -> int:
    """Sign the proposed change of who may sign. Read it first: `belong trust show`."""
    from fairness.approval.ceremony import sign_proposal
    from fairness.trust import read_trust
    from records.home import open_home
    from serving.jobs.signing import signing_key

    here = open_home(home)
    still = sign_proposal(here, signing_key(person, role, keys))
    if still:
        out.print(f"Signed. Still needed: {still}", markup=False)
    else:
        trust = read_trust(here)
        out.print(f"Signed, and in force. Note link {trust.links[-1].number} in the minutes: {trust.digest}")
    return Exit.DONE


def revoke(
    reason: Annotated[str, typer.Option(help="One sentence; it stands on every page.")],
    digest: Annotated[str, typer.Argument(help="The deployed bundle's first digits; left out: what serves now.")] = "",
    person: Annotated[str | None, typer.Option(help="Who revokes; left out: the service account.")] = None,
    role: RoleOption = "board_member",
    keys: Annotated[Path | None, typer.Option(help="The folder that holds your key.")] = None,
    home: HomeOption = DEFAULT_HOME,
) -> int:
    """End an approval at once, by one signature. Only a new audit and two people's signatures begin another."""
    from fairness.keys import KeyRefused, service_key
    from records.clock import clock_of
    from records.home import open_home
    from serving.jobs.signing import signing_key
    from serving.jobs.stopping import find_deployed, stop

    here = open_home(home)
    if person is not None and keys is None:
        raise KeyRefused("name the folder of your key with --keys")
    key = service_key(here) if person is None or keys is None else signing_key(person, role, keys)
    whole = find_deployed(here, digest)
    approval = stop(here, whole, reason, key=key, today=clock_of(here).today())
    out.print(f"Approval {approval[:12]} of {whole[:12]} is revoked, and nothing is scored.", highlight=False)
    out.print(f"To begin again: belong audit {whole[:12]}, then two people sign.", highlight=False)
    return Exit.DONE


def reconcile(home: HomeOption = DEFAULT_HOME, mlruns: RunsOption = DEFAULT_RUNS) -> int:
    """Compare what MLflow's alias, the database and the home say is deployed; where they differ, stop it."""
    from records.home import open_home
    from serving.jobs.stopping import reconcile as run

    said = run(open_home(home), mlruns=mlruns)
    out.print(said or "All agree on what is deployed.", markup=False)
    return Exit.DONE if said is None else Exit.FAIL


def monitor(home: HomeOption = DEFAULT_HOME) -> int:
    """Look at what serves, each week: audit the weeks whose outcomes have matured, and signals that need none.

    A failure or a missed look revokes the approval by the service account's key; people alone begin again.
    """
    from records.home import open_home
    from serving.jobs.stages import Stages
    from serving.jobs.watching import NothingToWatch
    from serving.jobs.watching import monitor as run

    here = open_home(home)
    try:
        with Stages(out)("Looking at what was served"):
            seen = run(here)
    except NothingToWatch as no:
        out.print(f"Nothing serves ({no.code}): {no}", markup=False)
        return Exit.REFUSED
    out.print(f"{seen.verdict}: {seen.view['headline']}", markup=False, highlight=False)
    for name in ("sentences", "alarms"):
        for sentence in seen.view.get(name, ()):
            out.print(f"- {'Alarm: ' if name == 'alarms' else ''}{sentence}", markup=False, highlight=False)
    out.print(seen.view.get("follows", ""), seen.done, markup=False, highlight=False)
    if seen.follows == "suspend":
        return Exit.FAIL
    return Exit.NOT_SETTLED if seen.verdict == "NOT_SETTLED" else Exit.DONE


COMMANDS = (revoke, reconcile, monitor)
KEY_COMMANDS: Mapping[str, Callable[..., int]] = {"new": new_key}
TRUST_COMMANDS: Mapping[str, Callable[..., int]] = {"show": show_trust, "propose": propose_trust, "sign": sign_trust}
