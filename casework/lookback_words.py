"""Learning reviews as data: states and steps, what Belong did in a week, and the closed list of themes."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {"permanent": "Permanent exclusion", "long": "Suspension over five school days"}
)
STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "waiting": "Nobody looks back yet",
        "looking": "Somebody is looking back",
        "concluded": "What would have been needed is written down",
        "withdrawn": "What opened it is no longer in the records",
    }
)
OPEN: Final = frozenset({"waiting", "looking"})
# School weeks are longer to wait for than days, and a family should not wait a term.
DUE_DAYS: Final = 42
# A suspension whose first day moves by so little is the same one, put right.
SAME_DAYS: Final = 14
LONG_SESSIONS: Final = 10
# How far back a look-back looks: school weeks on its page, and lists before the event.
WEEKS: Final = 20


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: from which states, to which ('' stays), who takes it (None: the nightly job alone), what it says."""

    starts: frozenset[str]
    end: str
    permission: str | None
    says: str


STEPS: Final[Mapping[str, Step]] = MappingProxyType(
    {
        "take": Step(starts=OPEN, end="looking", permission="record_lookback", says="Takes the look-back on"),
        "conclude": Step(
            starts=frozenset({"looking"}),
            end="concluded",
            permission="record_lookback",
            says="Writes down what would have been needed",
        ),
        "reopen": Step(
            starts=frozenset({"concluded"}), end="looking", permission="record_lookback", says="Looks once more"
        ),
        "withdraw": Step(
            starts=frozenset(STATES) - {"withdrawn"},
            end="withdrawn",
            permission=None,
            says="The records no longer hold what opened it: deleted, or five days or less",
        ),
        "restore": Step(
            starts=frozenset({"withdrawn"}), end="waiting", permission=None, says="The records hold it again"
        ),
        "redate": Step(
            starts=frozenset(STATES) - {"withdrawn"}, end="", permission=None, says="Its first day was corrected"
        ),
    }
)

# What Belong did with the pupil on a week's list; '' where there was none. Reasons not to score stand as 'not_scored:'
# and a key of `features.cohort.ABSTAIN`.
NOT_SCORED: Final = "not_scored"
LISTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "flagged": "Flagged: came on the list",
        "snoozed": "On the list already, or set aside",
        "beyond_capacity": "Level and rise held, but the list was full",
        "below_level": "Rising, but below the level",
        "no_rise": "Not rising",
        "too_short": "Too short a past to tell a rise",
        NOT_SCORED: "Not scored",
        "": "No list that week",
    }
)
# What the look-back as a whole says of Belong and of help, for the report of themes.
SIGNALS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "in_time": "Flagged a school week or more before",
        "late": "Flagged in the last week before",
        "full": "Not flagged: the list was full",
        "no_rise": "Not flagged: no rise seen",
        "below_level": "Not flagged: rising, but below the level",
        "not_scored": "Not flagged: not scored, or too short a past",
        "no_list": "No list with the pupil in the twenty weeks before",
    }
)
ON_LIST: Final = frozenset({"flagged", "snoozed"})
OFFERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "before": "Help was offered a school week or more before",
        "late": "Help was offered in the last week before",
        "after": "Help was offered only afterwards",
        "none": "No help is recorded",
    }
)
# From the first list before the event that the pupil was on to the first help that anybody wrote down.
WAITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "already": "Help was there before the first list",
        "week": "Within a week of it",
        "month": "More than one week, and up to four",
        "longer": "More than four weeks",
        "never": "No help is recorded",
    }
)
THEMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "signal_missed": "Signs were there, and nobody put them together",
        "signal_late": "It was noticed, but late",
        "offer_late": "Help came late",
        "offer_stopped": "Help stopped, or was not kept up",
        "offer_unfit": "Help did not fit what was needed",
        "waiting": "Waiting for a service outside the school",
        "need_unmet": "A special educational need was not seen or not met",
        "transition": "A change of school, year or timetable",
        "home": "Something hard at home",
        "safety": "The pupil was harmed, or did not feel safe",
        "relationship": "No adult in school whom the pupil trusted",
        "voice": "The pupil or family was not heard",
        "records": "Records were missing or wrong",
        "practice": "How adults or the policy answered made it worse",
        "single": "One serious event that nothing led up to",
    }
)
NOTES: Final[Mapping[str, str]] = MappingProxyType(
    {"adult": "What an adult who knows the pupil says", "needed": "What would have been needed"}
)


def list_words(code: str, why: str = "") -> str:
    """Return what Belong did in a week, in words; `why` is the reason not to score, in words."""
    kind = code.split(":", 1)[0]
    return f"{LISTS[kind]}: {why[:1].lower()}{why[1:]}" if why else LISTS[kind]


def not_flagged(code: str) -> str:
    """Return the key of `SIGNALS` that the last list's code stands for, where no list had flagged the pupil."""
    kind = code.split(":", 1)[0]
    return {"beyond_capacity": "full", "no_rise": "no_rise", "below_level": "below_level"}.get(kind, "not_scored")


def page() -> str:
    """Return the generated page of states, steps and themes."""
    lines = ["# A learning review's states", "", "| state | means |", "|---|---|"]
    lines += [f"| `{name}` | {means} |" for name, means in STATES.items()]
    lines += ["", "## Steps", "", "| step | from | to | who | when |", "|---|---|---|---|---|"]
    for name, step in STEPS.items():
        starts = ", ".join(f"`{one}`" for one in STATES if one in step.starts)
        who = f"permission `{step.permission}`" if step.permission else "the nightly job"
        lines.append(f"| `{name}` | {starts} | {f'`{step.end}`' if step.end else 'stays'} | {who} | {step.says} |")
    for title, words in (
        ("Themes", THEMES),
        ("What Belong did", SIGNALS),
        ("Help", OFFERS),
        ("From list to help", WAITS),
    ):
        lines += ["", f"## {title}", ""] + [f"- `{name}`: {means}" for name, means in words.items()]
    return "\n".join(lines) + "\n"
