"""What every page must say beside its own matter: demonstration, emergency access, waiver, not scoring."""

from dataclasses import dataclass
from datetime import UTC, date

from casework.permissions import Person, may
from casework.training import last_day, may_take
from serving.rendering import day_words, full_day_words
from serving.scoring import Deployed, Refused
from serving.site import Site

APPROVAL_PATH = "/approval"
TRAINING_PATH = "/training"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One line at the top of every page: a mark in a box, the words, and perhaps a link."""

    mark: str
    words: str
    link: str = ""
    link_words: str = ""


def what_chooses(found: Deployed) -> str:
    """Return what puts pupils on lists: a model, or a transparent rule in its own words."""
    if found.scorer.kind == "rule":
        return f"A transparent rule, the same for everyone: {found.scorer.means}"
    return found.scorer.means


def notices(site: Site) -> tuple[Notice, ...]:
    """Return the notices of this moment; the approval page, open to everyone, holds the whole plan."""
    said = []
    if site.home.demo:
        said.append(
            Notice(
                mark="Demonstration",
                words=f"Every pupil, school and person here is invented. Today is {full_day_words(site.today())}.",
            )
        )
    else:
        said += _emergency(site)
    found = site.door.deployed()
    if isinstance(found, Refused):
        said.append(Notice(mark="Not scoring", words=f"Belong is not scoring. {found.sentence}"))
        return tuple(said)
    if found.scorer.kind == "rule":
        said.append(Notice(mark="Transparent rule", words=f"{what_chooses(found)}. No model is used."))
    if found.approval.verdict == "WAIVED":
        words = (
            "It is not settled whether these lists are fair to every group of pupils. They are used under a "
            f"waiver that ends on {day_words(found.approval.expires_on)}."
        )
        said.append(Notice(mark="Under waiver", words=words, link=APPROVAL_PATH, link_words="Read the monitoring plan"))
    return tuple(said)


def training_notice(person: Person, today: date) -> Notice | None:
    """Return the notice to somebody who works with pupils and whose training ends within a month; else None."""
    if person.training_on is None or not may(person, "see_pupil") or not may_take(person, today):
        return None
    last = last_day(person.training_on)
    if last < today:
        return None  # the page itself asks for it then
    words = f"Yours ends on {day_words(last)}."
    return Notice(mark="Training", words=words, link=TRAINING_PATH, link_words="Take it again, in 10 minutes")


def _emergency(site: Site) -> list[Notice]:
    used = site.emergency.lately(site.database, site.now())
    if used is None:
        return []
    words = (
        f"The break-glass administrator signed in on {day_words(used)} at {used.astimezone(UTC):%H:%M} UTC. If nobody "
        "told you why, ask your data-protection officer."
    )
    return [Notice(mark="Emergency access", words=words)]
