"""One published figure beside the simulated one, and how sums become it."""

from dataclasses import dataclass

from records.synthetic import published
from records.synthetic.counted import GROUPS, MEASURES, Counted

BAND_NAMES = {"PS": "primary years", "SS": "secondary years", "SP": "special schools", "all": "all"}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure of a band: simulated and published, and how many events, pupils or sessions it rests on."""

    name: str
    band: str
    simulated: float
    published: float
    n: float


def summed(found: Counted, band: str, attribute: str, groups: tuple[str, ...], measure: str) -> float:
    """Return the sum of a measure (counted.MEASURES) over groups of an attribute."""
    table = found.groups[attribute][published.BANDS.index(band)]
    rows = [GROUPS[attribute].index(group) for group in groups]
    return float(table[rows, MEASURES.index(measure)].sum())


def share(part: float, whole: float) -> float:
    """Return a percentage; NaN of nothing."""
    return 100 * part / whole if whole else float("nan")


def ratio(above: float, below: float) -> float:
    """Return above / below; NaN where there is nothing below."""
    return above / below if below else float("nan")
