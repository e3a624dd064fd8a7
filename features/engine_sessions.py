"""The fast engine's forms of a line of sessions. `features.reference_sessions` says what they mean."""

import numpy as np
import numpy.typing as npt

from features.cube import Versions
from features.engine_work import Values, Work, named
from features.feature import Feature
from features.forms import Kind
from features.grid import Ints

_COLUMN: dict[Kind, int] = {"spells": 0, "brief": 1, "longest": 2, "run": 3}


def of_line(work: Work, feature: Feature, made: dict[object, Values]) -> Values:
    """Return a form of the pupil's line of sessions; `made` keeps what forms of one line share."""
    line = (named(feature.measure).name, named(feature.per).name, feature.window_weeks)
    if line not in made:
        made[line] = _runs(work, feature)
    return made[line][:, _COLUMN[feature.kind]]


def _runs(work: Work, feature: Feature) -> Values:
    if not len(work.rows):
        return np.empty((0, 4))
    versions = work.table(named(feature.measure).table)
    first, end = work.edges(feature)
    start, stop = int(first.min()), int(end.max())
    says = [np.zeros(len(versions.day), dtype=np.int64) for _ in range(2)]
    for says_so, measure in zip(says, (feature.per, feature.measure), strict=True):
        says_so[versions.weights(named(measure))[0]] = 1
    session = 2 * (versions.day - start) + versions.kinds("session")
    inside = (versions.day >= start) & (versions.day < stop)
    possible, counted = (
        _cube(versions, (says_so == 1) & inside, session, (len(work.rows.pupils), 2 * (stop - start)))
        for says_so in says
    )
    fix_from, fixes = _fixes(versions, inside, session, says[0], says[1], len(work.rows))
    return work.runs(possible, counted, work.rows.pupil, 2 * (first - start), 2 * (end - start), fix_from, fixes)


def _cube(
    versions: Versions, says_so: npt.NDArray[np.bool_], session: Ints, shape: tuple[int, int]
) -> npt.NDArray[np.int8]:
    """Return how many of the newest versions say so, for each pupil and session."""
    mine = says_so & versions.newest
    cells = versions.pupil[mine] * shape[1] + session[mine]
    return np.bincount(cells, minlength=shape[0] * shape[1]).astype(np.int8).reshape(shape)


def _fixes(
    versions: Versions, inside: npt.NDArray[np.bool_], session: Ints, possible: Ints, counted: Ints, rows: int
) -> tuple[Ints, Ints]:
    pairs = versions.corrections
    mine = inside[pairs.version] & ((possible | counted)[pairs.version] == 1)
    version, row, sign = pairs.version[mine], pairs.row[mine], pairs.sign[mine]
    order = np.argsort(row, kind="stable")
    version, row, sign = version[order], row[order], sign[order]
    fixes = np.stack([session[version], sign * possible[version], sign * counted[version]], axis=1)
    return np.searchsorted(row, np.arange(rows + 1)), fixes
