"""Published figures of suspension and exclusion: rates by group and borough, recurrence, lengths, reasons, onset."""

from collections.abc import Iterator, Mapping

import numpy as np

from records.synthetic import published
from records.synthetic.counted import GROUPS, Counted
from records.synthetic.figures import Figure, ratio, share, summed
from records.synthetic.sanctions import REASONS

_MAJOR = {"White": "W", "Mixed": "M", "Asian": "A", "Black": "B"}
_KINDS = {
    "rate": "suspensions per 100",
    "one_or_more": "pupils suspended %",
    "permanent": "permanent exclusions per 100",
}
_SPIKES = (1, 2, 3, 4, 5, 10, 15)


def sanction_figures(found: Counted) -> Iterator[Figure]:
    """Return every published figure of suspension and exclusion that the simulation shows."""
    for index, band in enumerate(published.BANDS):
        if not found.codes[index].sum():
            continue
        yield from _whole(found, band)
        for attribute in ("sex", "fsm", "sen", "need", "year_group", "ethnicity"):
            yield from _by_group(found, band, attribute)
        yield from _major(found, band)
        yield from _recurrence(found, index, band)
        yield from _lengths(found, index, band)
        yield from _reasons(found, index, band)
        yield from _boroughs(found, band)
    yield from _care(found)
    yield from _onset(found)


def _rates(found: Counted, band: str, attribute: str, groups: tuple[str, ...]) -> Mapping[str, tuple[float, float]]:
    """Return kind of figure → (value, number it rests on)."""
    sums = {
        measure: summed(found, band, attribute, groups, measure)
        for measure in ("exposure", "suspensions", "permanent", "whole", "suspended")
    }
    return {
        "rate": (share(sums["suspensions"], sums["exposure"]), sums["suspensions"]),
        "one_or_more": (share(sums["suspended"], sums["whole"]), sums["suspended"]),
        "permanent": (share(sums["permanent"], sums["exposure"]), sums["permanent"]),
    }


def _whole(found: Counted, band: str) -> Iterator[Figure]:
    rates, figures = _rates(found, band, "all", ("all",)), published.suspensions(band)
    for kind, label in _KINDS.items():
        value, n = rates[kind]
        yield Figure(name=f"{label} (London)", band=band, simulated=value, published=figures[kind], n=n)


def _by_group(found: Counted, band: str, attribute: str) -> Iterator[Figure]:
    """A group's figures to those of its band, so that 2016/17 in England can be held against London's level."""
    for group in published.by_characteristic(band, attribute):
        if group in GROUPS[attribute]:
            yield from _ratios(found, band, attribute, (group,), published.by_characteristic(band, attribute)[group])


def _major(found: Counted, band: str) -> Iterator[Figure]:
    for name, figures in published.by_characteristic(band, "ethnicity_major").items():
        groups = tuple(code for code in GROUPS["ethnicity"] if code.startswith(_MAJOR[name]))
        yield from _ratios(found, band, "ethnicity", groups, figures, name)


def _ratios(
    found: Counted, band: str, attribute: str, groups: tuple[str, ...], figures: published.Figures, label: str = ""
) -> Iterator[Figure]:
    mine, everyone = _rates(found, band, attribute, groups), _rates(found, band, "all", ("all",))
    whole = published.by_characteristic(band, "all")["all"]
    for kind, name in (("rate", "suspensions"), ("one_or_more", "pupils suspended")):
        if kind in figures:
            yield Figure(
                name=f"{name}, {attribute.replace('_', ' ')} {label or groups[0]} to all",
                band=band,
                simulated=ratio(mine[kind][0], everyone[kind][0]),
                published=figures[kind] / whole[kind],
                n=mine[kind][1],
            )


def _recurrence(found: Counted, index: int, band: str) -> Iterator[Figure]:
    times, days = found.times[index], found.days[index]
    suspended, lost = float(times[1:].sum()), float(days[1:].sum())
    for number, figure in published.shares("recurrence", band).items():
        count = float(times[int(number)])
        label = f"of those suspended, {number}{' or more' if number == '10' else ''} times in the year %"
        yield Figure(name=label, band=band, simulated=share(count, suspended), published=100 * figure, n=count)
    for key, figure in published.shares("days_lost", band).items():
        over = int(key.removeprefix("over_"))
        count = float(days[over + 1 :].sum())
        label = f"of those suspended, more than {over} days lost %"
        yield Figure(name=label, band=band, simulated=share(count, lost), published=100 * figure, n=count)
    if band == "SS":
        for key, figure in published.figures()["days_lost_2022_23"].items():
            count = float(days[int(key)])
            label = f"of those suspended, {key} days lost (2022/23, all schools) %"
            yield Figure(name=label, band=band, simulated=share(count, lost), published=100 * figure, n=count)


def _lengths(found: Counted, index: int, band: str) -> Iterator[Figure]:
    lengths = found.lengths[index, 1:]
    whole, figures = float(lengths.sum()), published.shares("length_days", band)
    older = published.shares("length_days_2016_17", band)
    for days in _SPIKES:
        count = float(lengths[days - 1])
        label = f"suspensions of {days} days %"
        value = share(count, whole)
        yield Figure(name=label, band=band, simulated=value, published=100 * figures[str(days)], n=count)
        yield Figure(name=f"{label} (2016/17)", band=band, simulated=value, published=100 * older[str(days)], n=count)


def _reasons(found: Counted, index: int, band: str) -> Iterator[Figure]:
    """Shares of reasons in London 2016/17, but for 'other', withdrawn in 2020 and given to other codes here."""
    counts, figures = found.reasons[index], published.shares("reasons", band)
    whole = float(counts.sum())
    for code in REASONS:
        if figures.get(code) and code != "DB":
            count = float(counts[REASONS.index(code)])
            label = f"reason {code}, share of all %"
            yield Figure(name=label, band=band, simulated=share(count, whole), published=100 * figures[code], n=count)
    if band == "SS":
        count = float(counts[REASONS.index("DB")])
        figure = 100 * published.figures()["reason_db"]
        label = "reason DB, share of all (2023/24, all schools) %"
        yield Figure(name=label, band=band, simulated=share(count, whole), published=figure, n=count)


def _boroughs(found: Counted, band: str) -> Iterator[Figure]:
    for number, name in published.boroughs().items():
        figures = published.borough(number, band)
        rates = _rates(found, band, "borough", (number,))
        for kind in ("rate", "one_or_more", "permanent"):
            value, n = rates[kind]
            if kind in figures and np.isfinite(value):
                yield Figure(name=f"{name}: {_KINDS[kind]}", band=band, simulated=value, published=figures[kind], n=n)


def _care(found: Counted) -> Iterator[Figure]:
    for status, figures in published.figures()["care"].items():
        sums = {
            measure: sum(summed(found, band, "care", (status,), measure) for band in published.BANDS)
            for measure in ("whole", "suspended", "expelled")
        }
        for kind, measure, name in (
            ("suspended", "suspended", "pupils suspended %"),
            ("permanent", "expelled", "pupils permanently excluded %"),
        ):
            if kind in figures:
                yield Figure(
                    name=f"{status}, all ages: {name}",
                    band="all",
                    simulated=share(sums[measure], sums["whole"]),
                    published=figures[kind],
                    n=sums[measure],
                )


def _onset(found: Counted) -> Iterator[Figure]:
    often, early = (float(value) for value in found.onset[published.BANDS.index("SS")])
    yield Figure(
        name="of those with six or more incidents, two by the end of October %",
        band="SS",
        simulated=share(early, often),
        published=published.figures()["onset"],
        n=often,
    )
