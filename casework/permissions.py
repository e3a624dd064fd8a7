"""Who may do what: one table of permissions by role, and the checks that read it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

SCHOOL_ROLES: Final = frozenset({"school_staff", "school_lead"})
ROLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "school_staff": "School staff",
        "school_lead": "School lead",
        "network_lead": "Network lead",
        "data_scientist": "Data scientist",
        "board_member": "Board member",
        "data_protection_officer": "Data-protection officer",
        "administrator": "Administrator",
        "partner": "Partner",
    }
)

# A partner of another organisation sees what its agreement covers, and nothing else of Belong.
_EVERYONE: Final = frozenset(ROLES) - {"partner"}
_WITH_PUPILS: Final = frozenset({"school_staff", "school_lead", "network_lead"})

PERMISSIONS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "see_caseload": _WITH_PUPILS,
        "see_pupil": _WITH_PUPILS,
        "see_names": _WITH_PUPILS,
        # A view and a decision are made by those who work with the pupil, not from a distance.
        "record_view": SCHOOL_ROLES,
        "record_decision": SCHOOL_ROLES,
        "set_aside": SCHOOL_ROLES,
        "take_case": SCHOOL_ROLES,
        # When staff leave or are away, those who answer for the school see to it that no case is left alone.
        "hand_over": frozenset({"school_lead", "network_lead"}),
        # On paper or in a file it leaves Belong's log behind, so only those who meet the pupil take it.
        "take_away": SCHOOL_ROLES,
        "see_records": _WITH_PUPILS,
        # Counts only. A school's lead sees their own school's beside the network's.
        "see_places": frozenset({"school_lead", "network_lead", "board_member", "data_protection_officer"}),
        # Where need is and support does not reach: counts and open figures, for those who answer for every place.
        "see_need": frozenset({"network_lead", "board_member", "data_protection_officer"}),
        # Whether a flag helps: counts and intervals, for those who answer for the network or for its models.
        "see_impact": frozenset({"network_lead", "data_scientist", "board_member", "data_protection_officer"}),
        # How schools answer pupils, held against their own past: for whoever can ask them about it.
        # To learn from: by those who met the pupil, and whoever answers for the network.
        "see_lookbacks": _WITH_PUPILS,
        "record_lookback": SCHOOL_ROLES,
        # What all of them say together, in counts: for those who answer for the network.
        "see_themes": frozenset({"network_lead", "board_member", "data_protection_officer"}),
        "see_continuum": frozenset({"network_lead"}),
        # What is agreed with partners: on a case by those who work with the pupil, on a place by the network's lead.
        "record_action": SCHOOL_ROLES,
        "manage_place_actions": frozenset({"network_lead"}),
        "see_partner_actions": frozenset({"partner"}),
        # What is paid for and whom it reaches, in counts: for those who answer for the network's money and fairness.
        "see_programmes": frozenset({"network_lead", "board_member", "data_protection_officer"}),
        "manage_programmes": frozenset({"network_lead"}),
        "enter_term_dates": frozenset({"school_lead"}),
        # What they say is written down by whoever meets them; whether the records are right is for those who answer.
        "record_voice": SCHOOL_ROLES,
        "record_challenge": SCHOOL_ROLES,
        "record_support": SCHOOL_ROLES,
        "write_letter": SCHOOL_ROLES,
        "grant_fresh_start": frozenset({"school_lead"}),
        "see_challenges": frozenset({"school_lead", "data_protection_officer"}),
        "answer_challenge": frozenset({"school_lead", "data_protection_officer"}),
        # A school's own files, by those who answer for them there; nobody brings another school's.
        "bring_data": frozenset({"school_lead"}),
        # What Belong gets wrong, and for whom, is no secret from anyone who signs in.
        "see_audits": _EVERYONE,
        # The report is made to be taken away and printed, so those who answer for it take it.
        "see_report": frozenset({"board_member", "data_protection_officer"}),
        "see_models": frozenset({"data_scientist", "board_member", "data_protection_officer"}),
        "sign_approval": frozenset({"board_member", "data_protection_officer"}),
        "take_training": _EVERYONE,
        "see_looks": frozenset({"data_protection_officer", "administrator"}),
        "see_agreements": frozenset({"data_protection_officer", "administrator"}),
        "manage_people": frozenset({"administrator"}),
        "grant_integration": frozenset({"data_protection_officer"}),
        # A copy of what is held, an objection, an erasure: `casework.privacy`.
        "answer_rights": frozenset({"data_protection_officer"}),
    }
)

_SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "see_caseload": "look at a list of pupils",
        "see_pupil": "look at a pupil's page",
        "see_names": "see pupils' names",
        "record_view": "record a view about a pupil",
        "record_decision": "record what is decided for a pupil",
        "set_aside": "set a case aside",
        "take_case": "take on a case",
        "record_voice": "write down what a pupil or family said",
        "record_challenge": "record that a correction is asked for",
        "record_support": "write down support for a pupil",
        "write_letter": "write a letter to a pupil and their family",
        "grant_fresh_start": "grant a fresh start",
        "see_challenges": "look at corrections that are asked for",
        "answer_challenge": "answer a correction that is asked for",
        "hand_over": "hand cases over or arrange cover",
        "take_away": "print or download a list of pupils",
        "see_records": "look at how a school's records stand",
        "see_places": "look at counts by place",
        "see_need": "look at need and support by place",
        "see_lookbacks": "look at learning reviews",
        "record_lookback": "write in a learning review",
        "see_themes": "look at what learning reviews say together",
        "see_impact": "look at whether a flag helps",
        "see_continuum": "look at the exclusions continuum",
        "record_action": "agree actions with partners",
        "manage_place_actions": "look after actions with partners",
        "see_partner_actions": "see what is agreed with a partner",
        "see_programmes": "look at programmes of support",
        "manage_programmes": "enter programmes of support",
        "enter_term_dates": "enter a school's term dates",
        "bring_data": "bring a school's data",
        "see_audits": "look at fairness audits",
        "see_report": "read or download the board's report",
        "see_models": "look at models",
        "sign_approval": "sign an approval",
        "take_training": "take the training in reading the list",
        "see_looks": "read the log of looks",
        "see_agreements": "read the register of agreements",
        "manage_people": "manage people and their roles",
        "grant_integration": "give another system access",
        "answer_rights": "answer a request about a pupil's rights",
    }
)


class NotAllowed(Exception):
    """The person's roles do not include this; `sentence` may be shown to them."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, kw_only=True)
class Role:
    """One role of a person: at one school, or (school None) across the network."""

    name: str
    school: int | None = None

    def __post_init__(self) -> None:
        if self.name not in ROLES:
            raise ValueError(f"role {self.name!r} is none of {', '.join(ROLES)}")
        if (self.name in SCHOOL_ROLES) != (self.school is not None):
            raise ValueError(f"role {self.name!r} is held {'at one school' if self.school is None else 'network-wide'}")


@dataclass(frozen=True, kw_only=True)
class Person:
    """Someone signed in, with the roles they hold today.

    Attributes
    ----------
    schools
        Whose pupils they may see: a set of URNs, None for every school of the network, empty for none.
    training_on
        The day of their last training in reading flags; None: never.
    """

    id: uuid.UUID
    name: str
    roles: tuple[Role, ...]
    training_on: date | None = None

    @property
    def schools(self) -> frozenset[int] | None:
        """The schools of the roles that come with pupils."""
        with_pupils = [role for role in self.roles if role.name in PERMISSIONS["see_caseload"]]
        if any(role.school is None for role in with_pupils):
            return None
        return frozenset(role.school for role in with_pupils if role.school is not None)


def may(person: Person, permission: str, school: int | None = None) -> bool:
    """Whether any of the person's roles includes the permission; given a school, a role held there or network-wide.

    Raises
    ------
    KeyError
        No such permission is declared.
    """
    allowed = PERMISSIONS[permission]
    return any(role.name in allowed and (school is None or role.school in (None, school)) for role in person.roles)


def check_may(person: Person, permission: str, school: int | None = None) -> None:
    """Raise `NotAllowed` with a sentence unless `may`."""
    if not may(person, permission, school):
        held = ", ".join(sorted({ROLES[role.name].lower() for role in person.roles})) or "no role"
        needed = ", ".join(ROLES[name].lower() for name in ROLES if name in PERMISSIONS[permission])
        where = " at this school" if school is not None else ""
        raise NotAllowed(f"You cannot {_SENTENCES[permission]}{where}: it needs {needed}, and you hold {held}.")
