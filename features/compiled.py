"""The fast engine with its loops compiled: for training and the nightly run. The web process never loads numba."""

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from importlib.resources import files
from types import FunctionType
from typing import TypeVar, cast

import numba

from features import engine, loops, loops_rows, loops_series, loops_sessions, loops_sums, loops_totals
from features.machine import Machine

F = TypeVar("F", bound=Callable[..., object])
_FILES = (
    "loops.py",
    "loops_totals.py",
    "loops_series.py",
    "loops_rows.py",
    "loops_sessions.py",
    "loops_sums.py",
    "forms.py",
)
_SOURCES = sha256(b"".join(files("features").joinpath(name).read_bytes() for name in _FILES)).hexdigest()[:12]


def _compiled(function: F) -> F:
    """Compile a copy of a loop, and of the loops of its own file that it calls; numba keeps them for the next process.

    The digest of every file of loops is in the name that it keeps the machine code under: it compiles anew by itself
    only where the loop's own file has changed.
    """
    source = cast(FunctionType, function)
    within = dict(source.__globals__)
    for name in source.__code__.co_names:
        called = within.get(name)
        if isinstance(called, FunctionType) and called.__module__.startswith("features.loops"):
            within[name] = _compiled(called)
    copy = FunctionType(source.__code__, within, source.__name__, source.__defaults__)
    copy.__module__, copy.__qualname__ = source.__module__, f"{source.__qualname__}_{_SOURCES}"
    try:
        return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(copy))
    except RuntimeError:  # nowhere may be written: compiled again in every process
        return cast(F, numba.njit(nogil=True, error_model="numpy")(copy))


MACHINE = Machine(
    place=_compiled(loops.place),
    order=_compiled(loops.order),
    versions=_compiled(loops.versions),
    classes=_compiled(loops_totals.classes),
    totals=_compiled(loops_totals.totals),
    sums=_compiled(loops_sums.sums_by_row),
    series=_compiled(loops_series.series),
    looked_at=_compiled(loops_rows.looked_at),
    after=_compiled(loops_rows.after),
    along=_compiled(loops_sessions.along),
    ending=_compiled(loops_sessions.ending),
)
# The same matrix as `features.engine.build`, sooner where there are more than a few pupils.
build = partial(engine.build, machine=MACHINE)
