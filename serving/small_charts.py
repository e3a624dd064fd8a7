"""Small multiples: a little line or a few bars for each thing, drawn alike, each on its own scale from nought."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fairness.documents import svg

_WIDTH, _HEIGHT = 300, 132
_LEFT, _RIGHT, _TOP, _BASE = 34, 34, 26, 104
_BAR_TOP, _BAR_STEP = 16, 34


def small_course(
    name: str, title: str, steps: Sequence[str], values: Sequence[float | None], usual: float | None
) -> Markup:
    """Return one line over the steps, with its first and last value, and the usual value as a dashed line.

    Parameters
    ----------
    values
        One for each step, for each 1,000 pupils; None breaks the line.
    """
    known = [(at, value) for at, value in enumerate(values) if value is not None]
    top = max([value for _, value in known] + [usual or 0.0, 1.0])
    apart = (_WIDTH - _LEFT - _RIGHT) / max(len(steps) - 1, 1)

    def point(at: int, value: float) -> tuple[float, float]:
        return _LEFT + at * apart, _BASE - value / top * (_BASE - _TOP)

    parts = [svg.line("chart-axis", _LEFT - 8, _BASE, _WIDTH - _RIGHT + 8, _BASE)]
    if usual is not None:
        height = point(0, usual)[1]
        parts.append(svg.line("chart-listed", _LEFT, height, _WIDTH - _RIGHT, height))
    run: list[tuple[float, float]] = []
    for at, value in [*enumerate(values), (len(values), None)]:
        if value is not None:
            run.append(point(at, value))
            continue
        if len(run) > 1:
            parts.append(svg.polyline(run))
        run = []
    parts += [svg.circle("chart-point", *point(at, value), 3.5) for at, value in known]
    for at, value in dict((known[0], known[-1])).items() if known else ():
        x, y = point(at, value)
        # Beside its point and outside the line: over it, a dashed line would strike it through.
        first = at == known[0][0] and at < len(values) - 1
        beside = (x - 9, "end") if first else (x + 9, "start")
        parts.append(svg.words(f"{value:.0f}", beside[0], y + 5, beside[1], "chart-strong"))
    for at in (0, len(steps) - 1) if len(steps) > 1 else (0,) if steps else ():
        parts.append(svg.words(steps[at], point(at, 0)[0], _BASE + 20, "start" if at == 0 else "end"))
    if not known:
        parts.append(svg.words("not shown", _WIDTH / 2, (_TOP + _BASE) / 2, "middle"))
    return svg.whole(name, _HEIGHT, title, _words(steps, values, usual), parts, width=_WIDTH)


def _words(steps: Sequence[str], values: Sequence[float | None], usual: float | None) -> str:
    known = [(step, value) for step, value in zip(steps, values, strict=True) if value is not None]
    if not known:
        return "No count of it is shown."
    said = f"{known[0][1]:.0f} of each 1,000 pupils in {known[0][0]}, {known[-1][1]:.0f} in {known[-1][0]}"
    before = "" if usual is None else f"; {usual:.0f} on average before"
    return f"{said}{before}. The same numbers are in the table that follows."


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar: whose it is, how long, and whether it bears the mark."""

    name: str
    value: float | None
    marked: bool


def small_bars(name: str, title: str, bars: Sequence[Bar]) -> Markup:
    """Return a bar under each name, with its value; a diamond marks those that stand out, a word what is not known."""
    top = max([bar.value for bar in bars if bar.value is not None] + [0.0]) or 1.0
    parts = []
    for at, bar in enumerate(bars):
        y = _BAR_TOP + at * _BAR_STEP
        said = "not shown" if bar.value is None else f"{bar.value:.1f}"
        parts.append(svg.words(bar.name, 0, y, "start"))
        parts.append(
            svg.words(
                f"◆ {said}" if bar.marked else said, _WIDTH, y, "end", "chart-strong" if bar.marked else "chart-words"
            )
        )
        if bar.value:
            parts.append(svg.rect("chart-bar", 0, y + 6, max(bar.value / top * _WIDTH, 1), 8))
    known = [f"{bar.name} {bar.value:.1f}{' (high)' if bar.marked else ''}" for bar in bars if bar.value is not None]
    words = f"{'; '.join(known) or 'No value of it is shown'}. The same numbers are in the table that follows."
    return svg.whole(name, _BAR_TOP + len(bars) * _BAR_STEP, title, words, parts, width=_WIDTH)
