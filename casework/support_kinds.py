"""Kinds of support, in one catalogue: what a decision offers, a form asks, a letter says and the records hold.

A kind's name is its code among the records (`records.codes.SUPPORT_TYPE`), whose meaning it has. A decision on a case
offers the few with which help mostly begins; whatever comes of it is of any kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from records.codes import SUPPORT_TYPE


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of support.

    Attributes
    ----------
    name
        Its code in `records.codes.SUPPORT_TYPE`.
    words
        What staff read; a form lists it under these words.
    told
        What a pupil reads of it.
    action
        The decision with which it begins; '' where no decision names it.
    """

    name: str
    words: str
    told: str
    action: str = ""

    def __post_init__(self) -> None:
        if self.name not in SUPPORT_TYPE.codes:
            raise ValueError(f"kind of support {self.name!r} is not in records/codes.py: add it to SUPPORT_TYPE")

    @property
    def means(self) -> str:
        """What it is, in plain words: the meaning of its code."""
        return SUPPORT_TYPE.meanings[self.name]


_ALL: Final = (
    Kind(
        name="conversation",
        words="A conversation with a trusted adult",
        told="You can talk with an adult you trust.",
        action="conversation",
    ),
    Kind(
        name="assessment",
        words="A check of special educational needs",
        told="We will check if you need more help with learning.",
        action="send_check",
    ),
    Kind(
        name="family",
        words="Contact with the family",
        told="We will talk with your family.",
        action="family_contact",
    ),
    Kind(
        name="mentoring",
        words="A mentor",
        told="You can have a mentor. A mentor is an adult who meets you often and helps.",
        action="mentor",
    ),
    Kind(name="youth_work", words="A youth worker", told="You can meet a youth worker."),
    Kind(name="counselling", words="Counselling", told="You can talk with someone trained to help with feelings."),
    Kind(name="learning", words="Help with learning", told="You can get more help with learning."),
    Kind(name="attendance", words="A plan for attendance", told="We will plan with you how to be in school more."),
    Kind(name="behaviour_plan", words="A plan agreed with the pupil", told="We will make a plan together with you."),
    Kind(name="transition", words="Help with a move", told="We will help you with your move."),
    Kind(name="reintegration", words="A planned return", told="We will plan with you how to come back to school."),
    Kind(name="timetable", words="Other lessons for a while", told="You can have other lessons for a while."),
    Kind(name="external", words="Help from a partner", told="People from outside school can help you."),
    Kind(name="other", words="Other help", told="You can get other help."),
)
KINDS: Final[Mapping[str, Kind]] = MappingProxyType({kind.name: kind for kind in _ALL})
KIND_OF_ACTION: Final[Mapping[str, Kind]] = MappingProxyType({kind.action: kind for kind in _ALL if kind.action})
