"""Commands on models: train, audit, sign, verify, deploy."""

from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from serving.commands.options import DEFAULT_HOME, DEFAULT_RUNS, Exit, HomeOption, RunsOption, day_option, out
from serving.jobs.stages import Stages

if TYPE_CHECKING:
    from fairness.policy import Policy
    from records.home import Home
    from training.candidate import Candidate
    from training.settings import Settings

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
    fair: Annotated[
        bool, typer.Option("--fair", help="Show what a fairer model would cost: inputs left out, rows weighed.")
    ] = False,
    point: Annotated[int | None, typer.Option(help="With --fair: train this point as a candidate.")] = None,
) -> int:
    """Train a candidate on what is known today, and compare it with every other way of choosing pupils."""
    from records.clock import clock_of
    from records.home import open_home
    from records.refusal import Refusal
    from serving.jobs.board_settings import settings_under_policy
    from serving.jobs.limits import check_policy
    from training.calibration import TooFewOutcomes
    from training.candidate import save_candidate
    from training.model import MatrixRefused
    from training.rerun import last_run
    from training.run import By
    from training.run import train as run

    here = open_home(home)
    settings, today = settings_under_policy(here, seed, settings_file), clock_of(here).today()
    _say_left_out(check_policy(here, today))
    if fair or point is not None:
        return _train_fair(here, settings, (person or _login(),), mlruns, (fair, point, approach, dask))
    with Stages(out)("Training") as say:
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
    return Exit.DONE


def _train_fair(
    home: "Home",
    settings: "Settings",
    people: tuple[str, ...],
    mlruns: Path,
    asked: tuple[bool, int | None, str, str | None],
) -> int:
    """Search for a fairer model and, where a point is named, train it."""
    from records.refusal import Refusal
    from serving.commands.fairer import search_and_show, train_one
    from training.candidate import save_candidate
    from training.rerun import last_run

    fair, point, approach, dask = asked
    if not fair:
        raise Refusal("--point names a point of a search; give --fair too")
    if approach != "model" or dask is not None:
        raise Refusal("--fair searches on this machine and for the model alone; leave out --approach and --dask")
    found = search_and_show(home, settings)
    if point is None:
        out.print("Next: belong train --fair --point NUMBER, which trains it; the search is kept")
        return Exit.DONE
    candidate = train_one(home, found, point, people, mlruns)
    before = last_run(home)
    save_candidate(home, candidate)
    _show(candidate, before)
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
    out.print(f"Candidate {candidate.bundle.digest}\nNext: belong audit {candidate.bundle.digest[:12]}")


def _say_left_out(policy: "Policy") -> None:
    from fairness.inputs import left_out

    if refused := left_out(policy):
        names = ", ".join(feature.name for feature in refused)
        out.print(f"Left out, since the board's policy does not allow them: {names}", markup=False)


def _login() -> str:
    from records.refusal import Refusal

    try:
        return getuser()
    except (KeyError, OSError) as error:  # a container may run under a number that has no name
        raise Refusal("this machine does not say who you are; name who trains with --person") from error


def audit(
    digest: DigestArgument,
    home: HomeOption = DEFAULT_HOME,
    leave_one_out: Annotated[
        str,
        typer.Option(
            help="none; risk: train again without each feature that may stand for something else, and without each "
            "family; all: without each feature. Minutes."
        ),
    ] = "none",
) -> int:
    """Audit a candidate's held-out flags group by group, and say the gate's verdict and what stands out beside it."""
    from records.clock import clock_of
    from records.home import open_home
    from serving.jobs.deploy import show_audit
    from serving.jobs.gatekeeping import audit_candidate, find_candidate

    here = open_home(home)
    chosen = _left_out(leave_one_out)
    with Stages(out)("Auditing") as say:
        say("resampling pupils")
        whole = find_candidate(here, digest)
        told = lambda done, of: say(f"left out {done} of {of}")  # noqa: E731 - a name for one argument
        found, decision = audit_candidate(here, whole, clock_of(here).today(), leave_one_out=chosen, told=told)
        show_audit(here, whole)
    out.print(f"[bold]{decision.verdict}[/bold]")
    for sentence in decision.sentences:
        out.print(f"- {sentence}", markup=False, highlight=False)
    if found.evidence is not None and found.evidence.sentences:
        out.print("[bold]Beside the verdict[/bold]")
        for sentence in found.evidence.sentences:
            out.print(f"- {sentence}", markup=False, highlight=False)
    return _BY_VERDICT[decision.verdict]


def _left_out(said: str) -> Literal["risk", "all"] | None:
    from records.refusal import Refusal

    if said == "none":
        return None
    if said == "risk":
        return "risk"
    if said == "all":
        return "all"
    raise Refusal(f"--leave-one-out is {said!r}; it is none, risk or all")


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
    refuse: Annotated[str | None, typer.Option(help="Do not sign, and say why: recorded as your decision.")] = None,
    home: HomeOption = DEFAULT_HOME,
) -> int:
    """Decide on a candidate's approval: sign it, or refuse. A failed audit cannot be signed.

    Your decision stays sealed until everyone needed has decided; run the same command again to open it.
    Until then keep the file that appears beside your key.
    """
    from records.clock import clock_of
    from records.home import open_home
    from serving.jobs.gatekeeping import find_candidate
    from serving.jobs.signing import sign_candidate, signing_key
    from serving.jobs.terms import Terms

    here = open_home(home)
    today = clock_of(here).today()
    terms = Terms(
        reason=reason,
        monitoring_plan=monitoring_plan,
        review_date=None if review_date is None else day_option("--review-date", review_date),
        expires_on=None if expires_on is None else day_option("--expires-on", expires_on),
    )
    key = signing_key(person, role, keys)
    now = sign_candidate(here, find_candidate(here, digest), key, terms, today, openings=keys, refuse=refuse)
    out.print("Decided.", *now.sentences(), markup=False)
    if now.everyone_decided and not now.unopened and not now.refusals:
        out.print(f"The approval is signed. Next: belong deploy {digest[:12]}")
    return Exit.DONE


def verify(digest: DigestArgument, home: HomeOption = DEFAULT_HOME) -> int:
    """Check, offline, the ledger, and whether a candidate's bytes and signatures would let it serve today."""
    from fairness.approval.ledger import read_ledger
    from records.clock import clock_of
    from records.home import open_home
    from serving.jobs.gatekeeping import exit_code, find_candidate
    from serving.jobs.signing import round_of
    from serving.scoring import AUDIT, Deployed, check_folder

    here = open_home(home)
    whole, today = find_candidate(here, digest), clock_of(here).today()
    head = read_ledger(here).head
    out.print(f"Ledger: {head.number} entries, the last {head.digest}; trust: link {_newest_link(here)}")
    found = check_folder(here, here.candidates / whole, whole, today)
    if isinstance(found, Deployed):
        approval = found.approval
        out.print(f"May serve: {approval.verdict}, until {approval.expires_on.isoformat()}, approval {approval.id}")
        return Exit.DONE
    out.print(f"May not serve ({found.code}): {found.sentence}", markup=False)
    decided = round_of(here, whole, today)
    for sentence in () if decided is None else decided.sentences():
        out.print(sentence, markup=False)
    if not (here.candidates / whole / AUDIT).exists():
        out.print(f"Next: belong audit {whole[:12]}")
    return exit_code(found.code)


def _newest_link(home: "Home") -> str:
    from fairness.trust import TrustRefused, read_trust

    try:
        return read_trust(home).digest
    except TrustRefused as no:
        return f"unusable: {no}"


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
