"""Belong in a simulated network through a term: what schools send is taken in, pupils are flagged, the flagged helped.

`Belong` is a simulation's plan of support (`records.synthetic.support.Support`): on each Monday it knows the files that
are there, and nothing else. Of a night it leaves out what needs the database or changes no flag (reasons, pages, pupils
set aside, the check sample), and it holds no school back whose records are in doubt.
"""

import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.compiled import build
from learning.impact.design import first_in_term, near_cut_off
from records.clock import Clock
from records.home import Home
from records.identity.link_log import settled
from records.intake.ingest import ingest
from records.pseudonym import Prover, read_pepper
from records.store import Store
from records.synthetic.deliveries import stamp_of
from records.synthetic.support import TYPES, Asked, Starts, no_support
from serving.jobs.impact import beside
from training.dataset import dataset, network_of, roll_of
from training.fitting import bundle_of, fit_all, part_of
from training.flags import allocate
from training.outcomes import mature
from training.run import as_ofs_of
from training.scorer import Scorer, scores_of
from training.settings import Settings
from training.splits import network_terms, periods, term_label
from training.weeks import as_ofs_for, open_weeks

COURSE = TYPES.index("mentoring")
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Begun:
    """A home on the Monday of the first list: the files it holds with their digests, its model, the days of lists."""

    home: Home
    files: Mapping[str, str]
    scorer: Scorer
    lists: tuple[date, ...]

    def copied(self, place: Path) -> Home:
        """Return a copy of the home in a new folder."""
        shutil.copytree(self.home.path, place)
        return replace(self.home, path=place)


def begun(home: Home, exports: Path, lists: tuple[date, date], settings: Settings) -> Begun:
    """Return the home with the files of the days before the first list taken in, and the model trained on them.

    Lists are made in every school week from the first to the second of `lists`, both Mondays.
    """
    first, last = lists
    early = [path for path in _files(exports) if stamp_of(path.name) < f"{first:%Y%m%d}"]
    take_in(home, early, first)
    network = network_of(Store(home).history(0), first)
    when = periods(network.calendar, first, settings)
    # The audit's weeks are left out: nothing is fitted to them.
    days = tuple(day for day in as_ofs_of(when, settings) if day <= when.calibrate[-1])
    data = dataset(home, days, settings, first, train=when.train)
    part = part_of(data, when.train)
    scorer = Scorer(bundle_of(fit_all(data, part, network, when, settings), part, when, {}, settings))
    weeks = tuple(day for day in open_weeks(network.calendar, last) if day >= first)
    return Begun(home, _digests(early), scorer, weeks)


def take_in(home: Home, files: Iterable[Path], today: date) -> None:
    """Ingest these files, all of one folder.

    Raises
    ------
    SystemExit
        A file is refused: the figures would be of other records than were sent.
    """
    arrived = list(files)
    if not arrived:
        return
    folder = arrived[0].parent.with_name(f"{home.path.name}-{today.isoformat()}")
    folder.mkdir()
    for path in arrived:
        (folder / path.name).hardlink_to(path)
    summary = ingest(home, folder, clock=Clock(today), save_identities=None)
    if summary.refused:
        raise SystemExit(str(summary.refused[0]))


@dataclass
class Belong:
    """Flags pupils on the Monday of each list and starts a course for each of them, `times` as strong as it usually is.

    `home` is a copy of that of `begun`; schools' files appear in `exports`. `log` is the allocation log, a part a list.
    """

    begun: Begun
    home: Home
    exports: Path
    times: float
    log: list[pd.DataFrame] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def __call__(self, asked: Asked, /) -> Starts:
        """Return who starts support: the pupils flagged today, and nobody else."""
        today = asked.monday.astype(object)
        if today not in self.begun.lists:
            return no_support(asked)
        if today == self.begun.lists[0]:
            self._check()
        else:
            self.take_in(today)
        rows = flags(self.home, self.begun.scorer, [today], self.log)
        self.log.append(rows)
        flagged = rows.loc[rows["flagged"], "pupil"].to_numpy(np.int64)
        pupils = np.flatnonzero((asked.urn > 0) & np.isin(known_as(self.home, asked.upn), flagged))
        return Starts(pupil=pupils, type=np.full(len(pupils), COURSE), times=self.times)

    def take_in(self, today: date) -> None:
        """Ingest what has come since the last time."""
        new = [path for path in _files(self.exports) if path.name not in self.taken]
        take_in(self.home, new, today)
        self.taken.update(path.name for path in new)

    def _check(self) -> None:
        """Raise SystemExit unless schools have sent what the home holds: nobody has been helped yet."""
        files = _digests(_files(self.exports))
        if files != self.begun.files:
            raise SystemExit("two runs of one plan differ before anybody was helped; nothing can be compared")
        self.taken.update(files)


def flags(home: Home, scorer: Scorer, lists: Sequence[date], earlier: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the allocation log of these lists, successive school weeks, each as its Monday knew the records.

    `earlier` are the logs of the lists before.
    """
    history = Store(home).history(0)
    calendar, rule = network_of(history, lists[0]).calendar, scorer.rule
    matrix = build(history, (*as_ofs_for(calendar, lists[0], rule.past_weeks + rule.since_weeks), *lists[1:]))
    given = [part.loc[part["flagged"], ["pupil", "as_of"]] for part in earlier]
    return allocate(
        scores_of(scorer, matrix),
        roll_of(matrix.keys),
        rule,
        start=lists[0],
        earlier_flags=pd.concat(given) if given else None,
    )


def known_as(home: Home, upn: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return the pseudonym of each number's pupil, by what the home knows of changed numbers."""
    return settled(home).of(Prover(read_pepper(home)).prove(tuple(upn))[0])


def followed_up(
    home: Home, scorer: Scorer, log: pd.DataFrame, settings: Settings, today: date
) -> tuple[pd.DataFrame, Array]:
    """Return the pupil-terms near the cut-off, and whether each was suspended within the horizon, NaN where not known.

    Beside the columns of `learning.impact.design.first_in_term` each row has `horizon_end`.
    """
    history = Store(home).history(0)
    calendar = network_of(history, today).calendar
    terms, rule = network_terms(calendar), scorer.rule
    log = log.assign(
        level_least=rule.level_least,
        rise_asked=rule.rise_least is not None,
        term=log["as_of"].map(lambda day: term_label(terms, day.date())).astype("str"),
    )
    rows = first_in_term(near_cut_off(log))
    ends = [
        calendar.ahead(int(school), day.date(), settings.horizon_weeks)
        for school, day in zip(rows["school"], rows["as_of"], strict=True)
    ]
    came = mature(history, rows.assign(abstain=""), settings=settings, observed_until=today).frame
    rows = rows.assign(horizon_end=np.array(ends, "datetime64[s]"))
    return rows, beside(rows, came[["pupil", "as_of", "outcome"]])["outcome"]


def _files(exports: Path) -> list[Path]:
    """Return the export files, censuses left out: they repeat what schools have said."""
    return sorted(exports.glob("*.csv*"))


def _digests(files: Iterable[Path]) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
