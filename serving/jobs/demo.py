"""The demonstration: a simulated network from its export files to reviewed flags, under a home marked `demo`.

It begins some weeks before its today, as a network would: with what schools would have sent by then a model is
trained, audited, signed and deployed; then the weeks pass, one list after another (serving/jobs/demo_weeks.py).
"""

import json
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console

from fairness.findings import read_audit
from fairness.gate import Decision, decide
from fairness.policy import policy_of
from fairness.trust import create_demo_trust
from records.home import Home, create_home
from records.intake.summary import IngestSummary
from records.pseudonym import create_pepper
from records.refusal import Refusal
from records.synthetic.deliveries import deliver, deliveries
from records.synthetic.places import write_places
from records.synthetic.plan import NetworkPlan
from records.synthetic.simulate import simulate
from serving.jobs.board_settings import settings_under_policy
from serving.jobs.demo_days import MOST_LISTS, TODAY, YEARS, mondays, on
from serving.jobs.demo_identity import ACCOUNTS
from serving.jobs.demo_people import CREDENTIALS_FILE, save_colleagues_and_program, save_people
from serving.jobs.demo_weeks import Lived, last_day, live
from serving.jobs.deploy import deploy, show_audit
from serving.jobs.gatekeeping import audit_candidate
from serving.jobs.intake import read_exports
from serving.jobs.limits import check_policy
from serving.jobs.signing import sign_candidate
from serving.jobs.stages import Say, Stages
from serving.jobs.terms import Terms
from serving.rendering import count_words
from serving.scoring import AUDIT, Refused, deployed_digest, open_deployed
from training.candidate import Candidate, load_candidate, save_candidate
from training.run import By, train
from training.text import text_table

NETWORK = "Demonstration Schools Network"
PLAN_FILE = "demo.json"
# What a shard costs however small it is, every night and every week, is not worth paying for fewer.
PUPILS_A_SHARD = 4_000
TRAINER = "demo-data-scientist"
# The last school day before a waiver of 90 days ends.
REVIEW_AFTER = timedelta(days=88)
WAIVER = Terms(
    reason=(
        "In a network of this size the audit cannot settle whether groups bear different errors: too few pupils are "
        "suspended in two terms. Nothing failed. The lists only ask people to look, and lead to offers of support."
    ),
    monitoring_plan=(
        "Every half-term the data-protection officer and one board member read the audit again with the outcomes that "
        "have matured, by group, and the share of flags that staff disagree with. Any group outside a limit ends the "
        "waiver at once. Outcomes of both terms are pooled with the next before another waiver is considered."
    ),
)


class OtherDemo(Refusal):
    """The home holds a demonstration of another size or seed."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which demonstration: two of one plan have the same files, the same bundle digest and the same flags."""

    pupils: int = 12_000
    schools: int = 14
    seed: int = 20261122
    world: str = "published"
    lists: int = MOST_LISTS

    @property
    def began(self) -> date:
        """The day of the network's first list."""
        return mondays(self.lists)[0]


def plan_of(pupils: int, schools: int | None, *, seed: int, world: str, lists: int) -> Plan:
    """Return the plan of a demonstration; `schools` None: as many as so many pupils have in London.

    Raises
    ------
    SimulationRefused
        No such network can be simulated; before anything is written.
    """
    network = NetworkPlan(pupils=pupils, schools=schools, years=YEARS, until=TODAY, seed=seed, world=world)
    return Plan(pupils=pupils, schools=network.number_of_schools, seed=seed, world=world, lists=lists)


@dataclass(frozen=True, kw_only=True)
class Demo:
    """A demonstration that is ready to be looked at. `lived` is None where the gate said FAIL: nothing is scored."""

    home: Home
    records: IngestSummary
    candidate: Candidate
    decision: Decision
    lived: Lived | None
    seconds: dict[str, float]


def build_demo(path: Path, plan: Plan, *, mlruns: Path, console: Console) -> Demo:
    """Carry a simulated network through every room, and return what came of it.

    Run again on the same home, it begins from the files it finds, goes on with the model that serves, and lands on the
    same result.

    Raises
    ------
    OtherDemo
        The home holds a demonstration made under another plan, or by another version of Belong.
    """
    _check_plan(path / PLAN_FILE, plan)
    shards = min(8, max(2, plan.pupils // PUPILS_A_SHARD))
    home = create_home(path, network=NETWORK, demo=True, today=plan.began, shards=shards)
    (home.path / PLAN_FILE).write_text(json.dumps(asdict(plan)) + "\n", encoding="utf-8")
    create_pepper(home, demo_seed=plan.seed)
    stages = Stages(console)
    exports = _simulated(home, plan, stages)
    with stages("Reading what schools sent until the first list: checks, quarantine, record store") as say:
        records = read_exports(home, deliveries(exports)[plan.began], say)
    candidate, decision = _that_serves(home) or _made(home, plan, mlruns, stages)
    lived = None
    if decision.verdict != "FAIL":
        with stages("Going through the weeks since: exports in, a list out, people at work") as say:
            lived = live(home, exports, say)
            say(_told(lived, plan))
    home = on(home, TODAY if lived else plan.began)
    save_people(home, plan.began)
    save_colleagues_and_program(home)
    return Demo(home=home, records=records, candidate=candidate, decision=decision, lived=lived, seconds=stages.seconds)


def _told(lived: Lived, plan: Plan) -> str:
    if lived.night is None:
        return f"a look at what serves ended its approval: {lived.said[-1]}"
    return f"{count_words(plan.lists, 'list', 'lists')}, {lived.night.published.flags} new flags on today's"


def _that_serves(home: Home) -> tuple[Candidate, Decision] | None:
    """Return the candidate whose lists are out, with its verdict; None before the first list."""
    digest, newest = deployed_digest(home), last_day(home)
    if digest is None or newest is None:
        return None
    found = open_deployed(home, newest)
    if isinstance(found, Refused) and found.code == "code_changed":
        raise OtherDemo(
            f"{home.path} holds a demonstration by another version of Belong; give another --home or delete the folder"
        )
    return load_candidate(home, digest), decide(read_audit(home.candidates / digest / AUDIT), policy_of(home))


def _made(home: Home, plan: Plan, mlruns: Path, stages: Stages) -> tuple[Candidate, Decision]:
    """Train and audit a candidate, and deploy it unless it failed."""
    with stages("Building features at weekly as-of dates, training and calibrating") as say:
        candidate = _trained(home, plan, mlruns, say)
    digest = candidate.bundle.digest
    with stages("Auditing the held-out flags, group by group") as say:
        _, decision = audit_candidate(home, digest, plan.began)
        say(decision.verdict)
        show_audit(home, digest)
    if decision.verdict != "FAIL":
        with stages("Signing and deploying") as say:
            waiver = replace(WAIVER, review_date=plan.began + REVIEW_AFTER)
            sign_for_demo(home, digest, waiver if decision.verdict == "NOT_SETTLED" else Terms(), plan.began)
            say(f"approval {deploy(home, digest, mlruns=mlruns).approval.verdict}")
    return candidate, decision


def _trained(home: Home, plan: Plan, mlruns: Path, say: Say) -> Candidate:
    settings = settings_under_policy(home, plan.seed)
    check_policy(home, plan.began)
    candidate = train(
        home,
        settings,
        mlruns=mlruns,
        observed_until=plan.began,
        by=By((TRAINER,)),
        progress=lambda stage, done, of: say(f"{stage} {done} of {of}"),
    )
    save_candidate(home, candidate)
    say(f"bundle {candidate.bundle.digest[:12]}")
    return candidate


def sign_for_demo(home: Home, digest: str, terms: Terms, today: date) -> None:
    """Let the demonstration's people decide, each sealed, and open what they decided: in life, four or five people."""
    kept = home.secrets / "demo_keys"
    keys = create_demo_trust(home)
    waived = bool(terms.monitoring_plan)
    for key in keys if waived else keys[:2]:
        now = sign_candidate(home, digest, key, terms, today, openings=kept)
    for key in keys:
        if key.person_id in now.unopened:
            now = sign_candidate(home, digest, key, terms, today, openings=kept)


def show(demo: Demo, console: Console) -> None:
    """Print what the demonstration found, in a screen."""
    console.print()
    console.print("[bold]Held-out flags, within capacity[/bold]")
    console.print(text_table(demo.candidate.comparison), markup=False, highlight=False)
    console.print(f"\n[bold]The gate: {demo.decision.verdict}[/bold]")
    for sentence in demo.decision.sentences[:6]:
        console.print(f"- {sentence}", markup=False, highlight=False)
    if demo.lived is None:
        console.print(
            "Nothing was deployed: a failure cannot be waived. The pages say so, and the endpoint answers 503."
        )
    elif demo.decision.verdict == "NOT_SETTLED":
        console.print(
            "The model serves under a WAIVED approval, signed by two demonstration board members and the "
            "demonstration data-protection officer. The limits were not loosened.",
            highlight=False,
        )


def show_doors(home: Home, address: str, console: Console) -> None:
    """Print where the demonstration is, and who may sign in."""
    console.print(f"\n[bold]{address}[/bold]   (Ctrl-C ends it)")
    console.print("Sign in with one of these account names; the demonstration asks for no password:")
    for account in ACCOUNTS:
        console.print(f"  {account.subject:<26} {account.words}", highlight=False)
    where = home.secrets / CREDENTIALS_FILE
    console.print(f"Interface for programs: {address}/api/v1/openapi.json, id and secret in {where}", highlight=False)


def _check_plan(file: Path, plan: Plan) -> None:
    if not file.exists():
        return
    said, asked = json.loads(file.read_text(encoding="utf-8")), asdict(plan)
    if said != asked:
        raise OtherDemo(
            f"{file.parent} holds a demonstration with {said}, not {asked}; give the same, or another --home, or "
            "delete the folder"
        )


def _simulated(home: Home, plan: Plan, stages: Stages) -> Path:
    exports = home.path / "exports"
    if exports.exists():
        return exports
    with stages("Simulating a network of schools in London") as say:
        # Beside, then renamed: a simulation cut short is never taken for a whole one.
        partial = home.path / "exports.partial"
        shutil.rmtree(partial, ignore_errors=True)
        made = simulate(
            NetworkPlan(
                pupils=plan.pupils,
                schools=plan.schools,
                years=YEARS,
                until=TODAY,
                weekly_from=plan.began,
                seed=plan.seed,
                world=plan.world,
            ),
            partial,
            progress=lambda stage, done, whole: say(f"week {done} of {whole}"),
        )
        write_places(partial, plan.seed)
        deliver(partial, mondays(plan.lists))
        partial.rename(exports)
        say(f"{sum(made.rows.values()):,} rows in {plan.schools} schools")
    return exports
