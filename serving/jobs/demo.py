"""The demonstration: a simulated network from its export files to reviewed flags, under a home marked `demo`."""

import json
import shutil
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casework.callers import SCOPES
from casework.database import connect, scoped
from casework.integrations import NewIntegration, add_integration
from casework.people import find_person
from casework.tables_cases import CaseRow
from casework.tables_people import SchoolRow
from fairness.gate import Decision
from fairness.trust import create_demo_trust
from records.home import Home, create_home
from records.intake.summary import IngestSummary
from records.pseudonym import create_pepper
from records.refusal import Refusal
from records.synthetic.places import write_places
from records.synthetic.plan import NetworkPlan
from records.synthetic.simulate import simulate
from serving.jobs.board_settings import settings_under_policy
from serving.jobs.continuum import publish_continuum
from serving.jobs.demo_help import write_down_help
from serving.jobs.demo_identity import ACCOUNTS, issuer_of, save_demo_colleagues, save_demo_people
from serving.jobs.deploy import deploy, show_audit
from serving.jobs.gatekeeping import audit_candidate
from serving.jobs.granting import write_credentials
from serving.jobs.intake import read_exports
from serving.jobs.limits import check_policy
from serving.jobs.lookbacks import open_lookbacks
from serving.jobs.nightly import Night, score_network
from serving.jobs.places import publish_places
from serving.jobs.school_quality import publish_quality
from serving.jobs.signing import sign_candidate
from serving.jobs.stages import Stages
from serving.jobs.terms import Terms
from training.candidate import Candidate, save_candidate
from training.run import By, train
from training.text import text_table

TODAY = date(2026, 5, 18)
YEARS = (2023, 2024, 2025)
NETWORK = "Demonstration Schools Network"
PLAN_FILE = "demo.json"
CREDENTIALS_FILE = "demo_api.json"
CLIENT = "demo-school-system"
TRAINER = "demo-data-scientist"
IDENTITY_PORT = 8001
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
    review_date=TODAY + timedelta(days=42),
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


def plan_of(pupils: int, schools: int | None, seed: int, world: str) -> Plan:
    """Return the plan of a demonstration; `schools` None: as many as so many pupils have in London.

    Raises
    ------
    SimulationRefused
        No such network can be simulated; before anything is written.
    """
    network = NetworkPlan(pupils=pupils, schools=schools, years=YEARS, until=TODAY, seed=seed, world=world)
    return Plan(pupils=pupils, schools=network.number_of_schools, seed=seed, world=world)


@dataclass(frozen=True, kw_only=True)
class Demo:
    """A demonstration that is ready to be looked at. `night` is None where the gate said FAIL: nothing is scored."""

    home: Home
    records: IngestSummary
    candidate: Candidate
    decision: Decision
    night: Night | None
    seconds: dict[str, float]


def build_demo(path: Path, plan: Plan, *, mlruns: Path, console: Console) -> Demo:
    """Carry a simulated network through every room, and return what came of it.

    Run again on the same home, it begins from the files it finds and lands on the same result.

    Raises
    ------
    OtherDemo
        The home holds a demonstration made under another plan.
    """
    home = create_home(path, network=NETWORK, demo=True, today=TODAY)
    _same_plan(home, plan)
    create_pepper(home, demo_seed=plan.seed)
    stages = Stages(console)
    exports = _simulated(home, plan, stages)
    with stages("Reading the schools' export files: checks, quarantine, record store") as say:
        records = read_exports(home, exports, say)
    with stages("Building features at weekly as-of dates, training and calibrating") as say:
        settings = settings_under_policy(home, plan.seed)
        check_policy(home, TODAY)
        candidate = train(
            home,
            settings,
            mlruns=mlruns,
            observed_until=TODAY,
            by=By((TRAINER,)),
            progress=lambda stage, done, of: say(f"{stage} {done} of {of}"),
        )
        save_candidate(home, candidate)
        say(f"bundle {candidate.bundle.digest[:12]}")
    digest = candidate.bundle.digest
    with stages("Auditing the held-out flags, group by group") as say:
        _, decision = audit_candidate(home, digest, TODAY)
        say(decision.verdict)
        show_audit(home, digest)
    night = None if decision.verdict == "FAIL" else _served(home, digest, decision, mlruns, stages)
    schools = _people(home)
    if night is not None:
        with stages("Writing down a programme, its offers of support and a study") as say:
            say(f"{write_down_help(home, issuer_of(IDENTITY_PORT), schools, TODAY)} offers")
    return Demo(home=home, records=records, candidate=candidate, decision=decision, night=night, seconds=stages.seconds)


def _served(home: Home, digest: str, decision: Decision, mlruns: Path, stages: Stages) -> Night:
    with stages("Signing and deploying") as say:
        sign_for_demo(home, digest, WAIVER if decision.verdict == "NOT_SETTLED" else Terms(), TODAY)
        say(f"approval {deploy(home, digest, mlruns=mlruns).approval.verdict}")
    with stages("Scoring this week and opening cases") as say:
        night = score_network(home, TODAY)
        say(f"{night.published.flags} new flags")
    with stages("Counting by place, and along the exclusions continuum") as say:
        say(f"{len(publish_places(home))} half-terms and {len(publish_continuum(home))} terms published")
        publish_quality(home)
        open_lookbacks(home)
    return night


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
    if demo.night is None:
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


def _same_plan(home: Home, plan: Plan) -> None:
    file = home.path / PLAN_FILE
    if file.exists():
        said = json.loads(file.read_text(encoding="utf-8"))
        if {"world": Plan.world} | said != asdict(plan):  # written before there was a choice of worlds
            raise OtherDemo(
                f"{home.path} holds a demonstration with {said}; give the same, or another --home, or delete the folder"
            )
    else:
        file.write_text(json.dumps(asdict(plan)) + "\n", encoding="utf-8")


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
                seed=plan.seed,
                world=plan.world,
            ),
            partial,
            progress=lambda stage, done, whole: say(f"week {done} of {whole}"),
        )
        write_places(partial, plan.seed)
        partial.rename(exports)
        say(f"{sum(made.rows.values()):,} rows in {plan.schools} schools")
    return exports


def _schools_by_open_cases(session: Session) -> list[int]:
    """Return the schools, those with the most cases first: the demonstration's accounts should have work."""
    cases = func.count(CaseRow.id)
    counted = select(SchoolRow.urn).outerjoin(CaseRow, CaseRow.school_urn == SchoolRow.urn).group_by(SchoolRow.urn)
    return list(session.scalars(counted.order_by(cases.desc(), SchoolRow.urn)))


def _people(home: Home) -> tuple[int, ...]:
    """Add the demonstration's people at the two schools with the most open cases, and one integration.

    Returns the network's schools.
    """
    engine = connect(home, "job")
    with scoped(engine, None) as session:
        schools = _schools_by_open_cases(session)
        save_demo_people(session, issuer_of(IDENTITY_PORT), schools, TODAY)
        save_demo_colleagues(session, issuer_of(IDENTITY_PORT), schools, TODAY)
        officer = find_person(session, issuer_of(IDENTITY_PORT), "data-protection-officer", TODAY)
        assert officer is not None  # it was added three lines above
        secret = add_integration(
            session,
            officer,
            NewIntegration(
                client_id=CLIENT,
                name="Demonstration school system",
                scopes=frozenset(SCOPES),
                schools=frozenset(schools[:2]),
                expires_on=TODAY + timedelta(days=90),
            ),
            TODAY,
        )
    engine.dispose()
    credentials = home.secrets / CREDENTIALS_FILE
    credentials.unlink(missing_ok=True)
    write_credentials(credentials, CLIENT, secret)
    return tuple(schools)
