"""The words that the board and staff read in place of the policy's codes: groups, attributes, approaches.

Every name is written as in the middle of a sentence; `heading` makes the start of one.
"""

from collections.abc import Sequence

from fairness.findings import EVERYONE
from training.approaches import approach_words

__all__ = ["approach_words", "attribute_words", "group_words", "heading", "listed"]

_ATTRIBUTES = {
    EVERYONE: "all pupils",
    "sex": "sex",
    "ethnicity": "ethnic group",
    "sen": "special educational needs provision",
    "fsm": "free school meals (now or in the last six years)",
    "eal": "first language",
    "care": "care and social work",
    "sex_x_sen": "sex and special educational needs provision",
}
_GROUPS = {
    (EVERYONE, EVERYONE): "all pupils",
    ("sex", "female"): "girls",
    ("sex", "male"): "boys",
    ("sex", "unknown"): "sex not known",
    ("ethnicity", "Other"): "any other ethnic group",
    ("ethnicity", "unclassified"): "refused or not obtained",
    ("sen", "none"): "no special educational need",
    ("sen", "support"): "SEN support",
    ("sen", "ehcp"): "EHC plan",
    ("sen", "unknown"): "provision not known",
    ("fsm", "fsm"): "free school meals",
    ("fsm", "not"): "no free school meals",
    ("fsm", "unknown"): "free school meals not known",
    ("eal", "eal"): "English as an additional language",
    ("eal", "not"): "English first language",
    ("eal", "unknown"): "first language not known",
    ("care", "looked_after"): "looked after",
    ("care", "social_worker"): "had a social worker (now or in the last six years)",
    ("care", "none"): "neither looked after nor with a social worker",
    ("care", "unknown"): "care status not known",
}


def attribute_words(attribute: str) -> str:
    """Return what pupils are compared by: 'ethnic group'."""
    return _ATTRIBUTES.get(attribute, attribute.replace("_x_", " and ").replace("_", " "))


def group_words(attribute: str, group: str) -> str:
    """Return the name of a group; one of two attributes joins the names of both: 'girls, SEN support'."""
    named = _GROUPS.get((attribute, group))
    if named is not None:
        return named
    attributes, parts = attribute.split("_x_"), group.split(", ")
    if len(attributes) == len(parts) > 1:
        return ", ".join(group_words(one, part) for one, part in zip(attributes, parts, strict=True))
    return group


def heading(words: str) -> str:
    """Return the words with a capital first letter, as a heading or a row of a table has them."""
    return f"{words[:1].upper()}{words[1:]}"


def listed(words: Sequence[str]) -> str:
    """Return 'girls and boys', or 'Asian; girls, EHC plan; and boys' where a name holds a comma itself."""
    if len(words) < 2:
        return "".join(words)
    comma = any("," in word for word in words)
    return f"{('; ' if comma else ', ').join(words[:-1])}{'; ' if comma else ' '}and {words[-1]}"
