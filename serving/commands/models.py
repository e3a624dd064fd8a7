"""Commands on models: train, audit, sign, verify, deploy."""

from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.commands.options import DEFAULT_HOME, DEFAULT_RUNS, Exit, HomeOption, RunsOption, day_option, out
from serving.jobs.stages import Stages

if TYPE_CHECKING:
    from training.candidate import Candidate

PANEL = "Models and the gate"
DigestArgument = Annotated[str, typer.Argument(help="The bundle's digest, or enough of its first digits.")]
_BY_VERDICT = {"PASS": Exit.DONE, "WAIVED": Exit.DONE, "FAIL": Exit.FAIL, "NOT_SETTLED": Exit.NOT_SETTLED}


def train(
    home: HomeOption = DEFAULT_HOME,
    mlruns: RunsOption = DEFAULT_RUNS,
    person: Annotated[str | None, typer.Option(help="Who trains: they cannot sign. Default: your login name.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the model; default the settings' own.")] = None,
    settings_file: Annotated[
        Path | None, typer.Option("--settings", help="A TOML file of settings, as `belong search` writes it.")
    ] = None,
    approach: Annotated[
        str, typer.Option(help="model, logistic, rule_of_thumb or prior_suspensions: the rules need fewer terms.")
    ] = "model",
    dask: Annotated[
        str | None,
        typer.Option(
            help="Address of a Dask scheduler, for instance tcp://HOST:8786: its workers, which must reach the home by "
            "the same path, build the features and fit the model."
        ),
    ] = None,
) -> int:
    """Train a candidate on what is known today, and compare it with every other way of choosing pupils."""
    from fairness.inputs import left_out
    from fairness.policy import policy_of
    from records.clock import clock_of
    from records.home import open_home
    from records.refusal import Refusal
    from serving.jobs.board_settings import settings_under_policy
    from training.calibration import TooFewOutcomes
    from training.candidate import save_candidate
    from training.model import MatrixRefused
    from training.rerun import last_run
    from training.run import By
    from training.run import train as run

    here = open_home(home)
    settings = settings_under_policy(here, seed, settings_file)
    if refused := left_out(policy_of(here)):
        names = ", ".join(feature.name for feature in refused)
        out.print(f"Left out, since the board's policy does not allow them: {names}", markup=False)
    with Stages(out)("Training") as say:
        today = clock_of(here).today()
        told = lambda stage, done, of: say(f"{stage} {done} of {of}")  # noqa: E731 - a name for one argument
        try:
            candidate = run(
                here,
                settings,
                mlruns=mlruns,
                observed_until=today,
                by=By((person or _login(),), dask, approach),
                progress=told,
            )
        except (TooFewOutcomes, MatrixRefused) as few:
            # Their modules are digested into every bundle, so they keep to what decides a score.
            raise Refusal(str(few)) from few
        before = last_run(here)
        save_candidate(here, candidate)
    _show(candidate, before)
    out.print(f"Candidate {candidate.bundle.digest}\nNext: belong audit {candidate.bundle.digest[:12]}")
    return Exit.DONE


def _show(candidate: "Candidate", before: "Candidate | None") -> None:
    from training.rerun import since
    from training.text import text_abstained, text_schools, text_table, text_variants

    out.print(text_table(candidate.comparison), markup=False, highlight=False)
    out.print(f"\n{text_schools(candidate.evaluation.schools)}", markup=False, highlight=False)
    out.print(f"\n{text_abstained(candidate.data['abstained'])}", markup=False, highlight=False)
    out.print(f"\n{text_variants(candidate.variants)}", markup=False, highlight=False)
    if before is not None:
        out.print(f"\nSince the last run ({before.bundle.digest[:12]}):")
        for sentence in since(before, candidate):
            out.print(f"- {sentence}", markup=False, highlight=False)


def _login() -> str:
    from records.refusal import Refusal

    try:
        return getuser()
    except (KeyError, OSError) as error:  # a container may run under a number that has no name
        raise Refusal("this machine does not say who you are; name who trains with --person") from error


def audit(digest: DigestArgument, home: HomeOption = DEFAULT_HOME) -> int:
    """Audit a candidate's held-out flags group by group, and say the gate's verdict."""
    from records.clock import clock_of
    from records.home import open_home
    from serving.jobs.deploy import show_audit
    from serving.jobs.gatekeeping import audit_candidate, find_candidate

    here = open_home(home)
    with Stages(out)("Auditing") as say:
        say("resampling pupils")
        whole = find_candidate(here, digest)
        _, decision = audit_candidate(here, whole, clock_of(here).today())
        show_audit(here, whole)
    out.print(f"[bold]{decision.verdict}[/bold]")
    for sentence in decision.sentences:
        out.print(f"- {sentence}", markup=False, highlight=False)
    return _BY_VERDICT[decision.verdict]


def sign(
    digest: DigestArgument,
    person: Annotated[str, typer.Option(help="Your identifier in trust.json.")],
    role: Annotated[str, typer.Option(help="board_member or data_protection_officer.")],
    keys: Annotated[Path, typer.Option(help="The folder that holds your key, named after you: PERSON.pem.")],
    reason: Annotated[str, typer.Option(help="Why this model may serve. Anyone may ask to read it.")] = "",
    monitoring_plan: Annotated[str, typer.Option(help="For a waiver: what is watched meanwhile, by whom.")] = "",
    review_date: Annotated[str | None, typer.Option(help="For a waiver: the day it is looked at again.")] = None,
    expires_on: Annotated[
        str | None, typer.Option(help="Last day of the approval; default the longest allowed.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
) -> int:
    """Sign a candidate's approval: a pass, or a waiver of what is not settled. A failure cannot be signed."""
    from records.clock import clock_of
    from records.home import open_home
    from serving.jobs.gatekeeping import Terms, find_candidate, sign_candidate, signing_key

    here = open_home(home)
    today = clock_of(here).today()
    terms = Terms(
        reason=reason,
        monitoring_plan=monitoring_plan,
        review_date=None if review_date is None else day_option("--review-date", review_date),
        expires_on=None if expires_on is None else day_option("--expires-on", expires_on),
    )
    still = sign_candidate(here, find_candidate(here, digest), signing_key(person, role, keys), terms, today)
    out.print("Signed." if still is None else f"Signed. Still needed: {still}", markup=False)
    return Exit.DONE


def verify(digest: DigestArgument, home: HomeOption = DEFAULT_HOME) -> int:
    """Check, offline, whether a candidate's bytes and signatures would let it serve today."""
    from records.clock import clock_of
    from records.home import open_home
    from serving.jobs.gatekeeping import exit_code, find_candidate
    from serving.scoring import AUDIT, Deployed, check_folder

    here = open_home(home)
    whole = find_candidate(here, digest)
    found = check_folder(here, here.candidates / whole, whole, clock_of(here).today())
    if isinstance(found, Deployed):
        approval = found.approval
        out.print(f"May serve: {approval.verdict}, until {approval.expires_on.isoformat()}, approval {approval.id}")
        return Exit.DONE
    out.print(f"May not serve ({found.code}): {found.sentence}", markup=False)
    if not (here.candidates / whole / AUDIT).exists():
        out.print(f"Next: belong audit {whole[:12]}")
    return exit_code(found.code)


def deploy(digest: DigestArgument, home: HomeOption = DEFAULT_HOME, mlruns: RunsOption = DEFAULT_RUNS) -> int:
    """Deploy a signed candidate: verify its registered bytes, copy them once, and let the site serve them."""
    from records.home import open_home
    from serving.jobs.deploy import NotDeployed
    from serving.jobs.deploy import deploy as run
    from serving.jobs.gatekeeping import find_candidate

    here = open_home(home)
    try:
        deployed = run(here, find_candidate(here, digest), mlruns=mlruns)
    except NotDeployed as no:
        out.print(f"Not deployed ({no.code}): {no}", markup=False)
        return no.exit_code
    out.print(f"Deployed {deployed.digest[:12]} under {deployed.approval.verdict} approval {deployed.approval.id[:12]}")
    return Exit.DONE


COMMANDS = (train, audit, sign, verify, deploy)
