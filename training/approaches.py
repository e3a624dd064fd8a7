"""The ways of choosing pupils in the words that people read, in place of the names that code has for them."""

from collections.abc import Mapping

APPROACH_WORDS: Mapping[str, str] = {
    "model": "the model",
    "logistic": "logistic regression",
    "rule_of_thumb": "the rule of thumb (attendance under 90% or three incidents in four weeks)",
    "prior_suspensions": "counting earlier suspensions",
    "school_year_rate": "the usual rate of the school and year group",
}


def approach_words(name: str) -> str:
    """Return the name of an approach as in the middle of a sentence."""
    return APPROACH_WORDS.get(name, name.replace("_", " "))
