"""Commands of `belong` run inside the test, and what they said."""

import re
from collections.abc import Callable
from dataclasses import dataclass

DONE, REFUSED, FAIL, NOT_SETTLED = 0, 2, 3, 4


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it printed to its two outputs."""

    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """Everything printed, with the help's boxes and line breaks taken out."""
        return " ".join(re.sub(r"[│╭╮╰╯─]", " ", self.out + self.err).split())


Belong = Callable[..., Said]


def refused(said: Said, sentence: str) -> None:
    """Input refused: the sentence on one line of standard error, and nothing else there."""
    assert said.code == REFUSED
    assert said.err.startswith("Refused: ")
    assert said.err.count("\n") == 1
    assert sentence in said.err
