"""The fast engine's forms that look at rows one by one. `features.reference_rows` says what they mean.

They are no sums: each costs in proportion to the rows seen, times the as-of dates whose window holds them.
"""

import numpy as np

from features import loops_rows as loops
from features.asked import by_weekday, named
from features.engine_work import Block, Values, divide
from features.feature import Feature
from features.forms import Kind
from features.ledger import weights_of
from features.loops_sessions import RUNS, THERE

_FORM: dict[Kind, int] = {
    "maximum": loops.MAXIMUM,
    "days": loops.DAYS,
    "since": loops.SINCE,
    "gap": loops.GAP,
    "gap_change": loops.GAP_CHANGE,
    "distinct": loops.DISTINCT,
    "top_share": loops.TOP_SHARE,
}
_COLUMN: dict[Kind, int] = {"spells": 0, "brief": 1, "longest": 2}


def of_rows(block: Block, feature: Feature) -> Values:
    """Return a form of the rows of the window, one by one."""
    measure = named(feature.measure)
    if by_weekday(feature):
        each = block.totals[block.work.asked.weekdays[feature.name]]
        return divide(each.max(axis=0).astype(np.float64), each.sum(axis=0, dtype=np.float64))
    plan = block.plan(measure)
    book = block.book(plan)
    value = np.empty(0, dtype=np.int32)
    if feature.by:
        value = np.maximum(book.ledger.column(feature.by), -1)
    elif feature.kind == "maximum":
        weight = measure.weight
        value = np.ones(len(book.of), dtype=np.int32) if weight is None else weights_of(book.ledger, weight)
    which, before, first_day = block.work.rows.groups.opened
    return block.work.machine.looked_at(
        _FORM[feature.kind],
        block.pupils,
        book.versions,
        (plan.counts(measure), value),
        (block.row_start, block.as_of, *block.window(feature)),
        (which[block.group], before, first_day),
    )


def after(block: Block, feature: Feature) -> Values:
    """Return the rows of the measure whose day lies 1 to `within_days` days after the day of a row of `other`."""
    measure, other = named(feature.measure), named(feature.other)
    plan, lead = block.plan(measure), block.plan(other)
    return block.work.machine.after(
        block.pupils,
        block.book(plan).versions,
        block.book(lead).versions,
        (plan.counts(measure), lead.counts(other), feature.within_days),
        (block.row_start, block.as_of, *block.window(feature)),
    )


def of_line(block: Block, feature: Feature, made: dict[object, Values]) -> Values:
    """Return a form of the pupil's line of sessions; `made` keeps what forms of one line share."""
    measure, per = named(feature.measure), named(feature.per)
    plan, machine = block.plan(measure), block.work.machine
    book, said = block.book(plan), RUNS * plan.counts(measure) + THERE * plan.counts(per)
    sessions = (
        block.pupils,
        book.versions,
        (said.astype(np.int8), book.ledger.turn),
        (block.row_start, block.as_of, *block.window(feature)),
    )
    if feature.kind == "run":
        return machine.ending(*sessions)
    line = (measure.name, per.name, feature.window_weeks)
    if line not in made:
        made[line] = machine.along(*sessions)
    found: Values = made[line][_COLUMN[feature.kind]]
    return found
