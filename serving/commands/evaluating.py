"""The command that judges other scores beside a candidate; who may read the simulator's truth hands the reader in."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.commands.models import DigestArgument
from serving.commands.options import DEFAULT_HOME, Exit, HomeOption, out

if TYPE_CHECKING:
    import pandas as pd

ReadTruth = Callable[[Path], "pd.DataFrame"]
ORACLE = "oracle"


def evaluate_with(read_truth: ReadTruth) -> Callable[..., int]:
    """Return the command, with the way of reading a simulation's truth (records/synthetic/truth.py)."""

    def evaluate(
        digest: DigestArgument,
        scores: Annotated[
            str, typer.Option(help="oracle=FILE: the true hazards that `belong simulate --truth FILE` wrote.")
        ],
        home: HomeOption = DEFAULT_HOME,
    ) -> int:
        """Judge a simulation's true hazards beside a candidate: how good any list could be."""
        from records.home import open_home
        from serving.jobs.evaluating import BY_RANK, oracle_beside
        from serving.jobs.gatekeeping import find_candidate
        from serving.jobs.stages import Stages
        from training.candidate import load_candidate
        from training.text import text_table

        here = open_home(home)
        candidate = load_candidate(here, find_candidate(here, digest))
        file = _file(scores)
        with Stages(out)("Judging") as say:
            say("true hazards")
            beside = oracle_beside(here, candidate, read_truth(file), ORACLE)
        out.print(text_table(beside.comparison), markup=False, highlight=False)
        out.print(
            f"{ORACLE}: the true rate of the week, which no record shows in full, known for {beside.found:.1%} of the "
            f"scored rows. Lists {BY_RANK} are filled to capacity; the candidate's own also ask for level and rise.",
            highlight=False,
        )
        return Exit.DONE

    return evaluate


def _file(scores: str) -> Path:
    from records.refusal import Refusal

    name, equals, path = scores.partition("=")
    if not equals or name != ORACLE:
        raise Refusal(f"--scores is {scores!r}; write {ORACLE}=FILE, with the file of `belong simulate --truth FILE`")
    file = Path(path)
    if not file.is_file():
        raise Refusal(f"--scores {ORACLE}: there is no file {path!r}; `belong simulate --truth FILE` writes one")
    return file
