"""A case's states and transitions, as data: rules, buttons, audit events and the state chart read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from casework.support_kinds import KINDS

STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "open": "Nobody has recorded a view yet",
        "viewed": "A view is recorded; nothing is decided yet",
        "support_offered": "Support was offered or is being arranged",
        "no_action_now": "No action for now",
        "records_wrong": "The records are wrong and need correcting",
        "closed": "Closed",
        "expired": "The flag ran out before anything was decided",
    }
)

OPINIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "known_support_in_place": "Known, support in place",
        "new_needs_conversation": "New, needs a conversation",
        "records_wrong": "Records are wrong",
        "no_concern": "No concern",
    }
)

# Offers of help and nothing else. There is no place here for a sanction (docs/decisions.md, 20).
ACTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {kind.action: kind.words for kind in KINDS.values() if kind.action} | {"none_now": "Nothing for now"}
)
# The state that an action leads to; 'none_now' leads to 'records_wrong' where that is the person's view.
STATE_OF_ACTION: Final[Mapping[str, str]] = MappingProxyType(
    {action: "no_action_now" if action == "none_now" else "support_offered" for action in ACTIONS}
)

FINAL: Final = frozenset({"closed", "expired"})
UNDECIDED: Final = frozenset({"open", "viewed"})
DECIDED: Final = frozenset({"support_offered", "no_action_now", "records_wrong"})


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One step that a case may take.

    `permission` is what a person needs; None: the nightly job takes this step, nobody else.
    """

    name: str
    starts: frozenset[str]
    end: str
    permission: str | None
    says: str

    def __post_init__(self) -> None:
        unknown = (self.starts | {self.end}) - STATES.keys()
        if unknown or self.starts & FINAL:
            raise ValueError(f"transition {self.name!r}: unknown states {sorted(unknown)}, or it leaves a final state")


TRANSITIONS: Final = (
    Transition(
        name="record_view",
        starts=frozenset({"open", "viewed"}),
        end="viewed",
        permission="record_view",
        says="A person records their own view",
    ),
    Transition(
        name="offer_support",
        starts=frozenset({"viewed"}) | DECIDED,
        end="support_offered",
        permission="record_decision",
        says="A person decides on an offer of support",
    ),
    Transition(
        name="no_action",
        starts=frozenset({"viewed"}) | DECIDED,
        end="no_action_now",
        permission="record_decision",
        says="A person decides that nothing is needed for now",
    ),
    Transition(
        name="correct_records",
        starts=frozenset({"viewed"}) | DECIDED,
        end="records_wrong",
        permission="record_decision",
        says="A person finds the records wrong",
    ),
    Transition(
        name="expire", starts=UNDECIDED, end="expired", permission=None, says="The flag's last day is past, undecided"
    ),
    Transition(
        name="close",
        starts=UNDECIDED | DECIDED,
        end="closed",
        permission=None,
        says="The pupil left, moved school, or the flag's last day is past after a decision",
    ),
)


def steps_from(state: str) -> tuple[Transition, ...]:
    """Return the transitions that a case in this state may take."""
    return tuple(step for step in TRANSITIONS if state in step.starts)


def leads(state: str, end: str) -> bool:
    """Whether some transition leads from the one state to the other."""
    return any(step.end == end for step in steps_from(state))


def page() -> str:
    """Return the generated page: states, transitions and the words of views, actions and kinds of support."""
    lines = ["# A case's states", "", "| state | means |", "|---|---|"]
    lines += [f"| `{name}` | {means} |" for name, means in STATES.items()]
    lines += ["", "## Transitions", "", "| step | from | to | who | when |", "|---|---|---|---|---|"]
    for step in TRANSITIONS:
        starts = ", ".join(f"`{name}`" for name in STATES if name in step.starts)
        who = f"permission `{step.permission}`" if step.permission else "the nightly job"
        lines.append(f"| `{step.name}` | {starts} | `{step.end}` | {who} | {step.says} |")
    lines += ["", "A new view on a decided case is recorded without changing its state. A case that is set aside keeps"]
    lines += ["its state, leaves the list until the day that was named, and gets no new flag until then."]
    for title, words in (("Own views", OPINIONS), ("Actions", ACTIONS)):
        lines += ["", f"## {title}", ""] + [f"- `{name}`: {means}" for name, means in words.items()]
    lines += ["", "## Kinds of support", "", "| kind | is | means | begins with the decision |", "|---|---|---|---|"]
    lines += [
        f"| `{kind.name}` | {kind.words} | {kind.means} | {f'`{kind.action}`' if kind.action else ''} |"
        for kind in KINDS.values()
    ]
    return "\n".join(lines) + "\n"
