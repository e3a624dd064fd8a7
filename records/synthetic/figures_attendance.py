"""Published figures of attendance: codes, terms and weekdays, absence bands, persistent absence, boroughs, care."""

from collections.abc import Iterator

import numpy as np

from records.synthetic import published
from records.synthetic.counted import BINS, Counted
from records.synthetic.figures import Figure, ratio, share, summed
from records.synthetic.register import CODES, possible_and_missed, unauthorised

NOT_DRAWN = {"PS": ("S", "W"), "SS": (), "SP": ()}
TOO_RARE = 0.004  # % of sessions
TERMS = ("autumn", "spring", "summer")


def attendance_figures(found: Counted) -> Iterator[Figure]:
    """Return every published figure of attendance that the simulation shows."""
    for index, band in enumerate(published.BANDS):
        if not found.codes[index].sum():
            continue
        yield from _codes(found, index, band)
        yield from _levels(found, index, band)
        yield from _boroughs(found, band)
    yield from _patterns(found)
    yield from _by_group(found)
    yield from _care(found)


def _codes(found: Counted, index: int, band: str) -> Iterator[Figure]:
    counts = found.codes[index].sum(axis=0).astype(np.int64)
    possible, missed = (float(number) for number in possible_and_missed(counts))
    figures = published.attendance(band)
    without = float(unauthorised(counts))
    for name, number in (("absence", missed), ("authorised", missed - without), ("unauthorised", without)):
        label = "sessions missed %" if name == "absence" else f"sessions missed, {name} %"
        yield Figure(name=label, band=band, simulated=share(number, possible), published=figures[name], n=number)
    for code, figure in figures.items():
        if code in CODES and figure >= TOO_RARE and code not in NOT_DRAWN[band]:
            number = float(counts[CODES.index(code)])
            label = f"code {code} %"
            yield Figure(name=label, band=band, simulated=share(number, possible), published=figure, n=number)


def _levels(found: Counted, index: int, band: str) -> Iterator[Figure]:
    pupils = summed(found, band, "all", ("all",), "seen")
    for name, measure, figure in (
        ("persistently absent %", "persistent", published.figures()["persistent_absence"][band]),
        ("severely absent %", "severe", published.figures()["severe_absence"][band]),
    ):
        number = summed(found, band, "all", ("all",), measure)
        yield Figure(name=name, band=band, simulated=share(number, pupils), published=figure, n=number)
    bands = published.figures()["absence_bands"].get(band, {})
    for place, (label, figure) in enumerate(bands.items()):
        number = float(found.bins[index, place])
        yield Figure(
            name=f"pupils missing {label} % of sessions, %",
            band=band,
            simulated=share(number, float(found.bins[index].sum())),
            published=figure,
            n=number,
        )
    assert not bands or len(bands) == len(BINS), "the published bands are those that are counted"
    for name, sums, key in (
        ("persistently absent, of those who missed the first week's days, %", found.first_days, "first_days"),
        ("pupils with code C2 in September, %", found.september, "september_c2"),
    ):
        figure = published.figures()[key].get(band)
        if figure is not None:
            among, those = (float(value) for value in sums[index])
            yield Figure(name=name, band=band, simulated=share(those, among), published=figure, n=those)


def _boroughs(found: Counted, band: str) -> Iterator[Figure]:
    for number, name in published.boroughs().items():
        figures = published.borough(number, band)
        sums = {
            measure: summed(found, band, "borough", (number,), measure)
            for measure in ("seen", "possible", "missed", "unauthorised", "persistent")
        }
        for label, key, part, whole in (
            ("sessions missed %", "absence", "missed", "possible"),
            ("sessions missed, unauthorised %", "unauthorised", "unauthorised", "possible"),
            ("persistently absent %", "persistent", "persistent", "seen"),
        ):
            if key in figures and sums["seen"]:
                yield Figure(
                    name=f"{name}: {label}",
                    band=band,
                    simulated=share(sums[part], sums[whole]),
                    published=figures[key],
                    n=sums["seen"],
                )


def _patterns(found: Counted) -> Iterator[Figure]:
    index = published.BANDS.index("SS")
    if not found.codes[index].sum():
        return
    rates = []
    for term in range(3):
        possible, missed = possible_and_missed(found.codes[index, term].astype(np.int64))
        rates.append(share(float(missed), float(possible)))
    terms = published.figures()["terms"]["SS"]
    for place in (1, 2):
        yield Figure(
            name=f"absence, {TERMS[place]} to autumn term",
            band="SS",
            simulated=ratio(rates[place], rates[0]),
            published=terms[TERMS[place]] / terms["autumn"],
            n=float(found.codes[index, place].sum()),
        )
    sessions, away = found.weekday[index, :, :, 0], found.weekday[index, :, :, 1]
    by_session = 100 * away / np.maximum(sessions, 1)
    yield Figure(
        name="Friday afternoon above Wednesday morning, percentage points",
        band="SS",
        simulated=float(by_session[4, 1] - by_session[2, 0]),
        published=published.figures()["weekday"]["SS"]["friday_pm_over_wednesday_am"],
        n=float(sessions[4, 1]),
    )


def _by_group(found: Counted) -> Iterator[Figure]:
    """Persistent absence is published by group for another year than in all: the ratios are compared."""
    figures = published.figures()["persistent_by_group"]["SS"]
    for attribute, high, low, above, below in (
        ("fsm", ("fsm",), ("not",), figures["fsm"]["fsm"], figures["fsm"]["not"]),
        ("sen", ("K", "E"), ("N",), figures["sen_any"]["yes"], figures["sen_any"]["no"]),
        ("sex", ("F",), ("M",), figures["sex"]["F"], figures["sex"]["M"]),
        ("year_group", ("11",), ("7",), figures["year_group"]["11"], figures["year_group"]["7"]),
        ("fsm_and_sen", ("yes",), ("no", "yes"), figures["fsm_and_sen"]["yes"], 23.5),
    ):
        parts = [
            (summed(found, "SS", attribute, groups, "persistent"), summed(found, "SS", attribute, groups, "seen"))
            for groups in (high, low)
        ]
        yield Figure(
            name=f"persistently absent, {attribute.replace('_', ' ')}: {'+'.join(high)} to {'+'.join(low)}",
            band="SS",
            simulated=ratio(share(*parts[0]), share(*parts[1])),
            published=above / below,
            n=min(parts[0][0], parts[1][0]),
        )


def _care(found: Counted) -> Iterator[Figure]:
    """Published for all ages together."""
    for status, figures in published.figures()["care"].items():
        sums = {
            measure: sum(summed(found, band, "care", (status,), measure) for band in published.BANDS)
            for measure in ("seen", "possible", "missed", "persistent")
        }
        for name, figure, part, whole in (
            ("sessions missed %", figures["absence"], "missed", "possible"),
            ("persistently absent %", figures["persistent"], "persistent", "seen"),
        ):
            yield Figure(
                name=f"{status}, all ages: {name}",
                band="all",
                simulated=share(sums[part], sums[whole]),
                published=figure,
                n=sums["seen"],
            )
