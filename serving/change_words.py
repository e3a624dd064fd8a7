"""A change of a rate in words that a reader sees at once: 'fell by a third', 'doubled'."""

_FALLS = (
    (0.97, "stayed as they were"),
    (0.87, "fell by a tenth"),
    (0.78, "fell by a fifth"),
    (0.71, "fell by a quarter"),
)
_FURTHER = (
    (0.58, "fell by a third"),
    (0.42, "fell by half"),
    (0.29, "fell by two thirds"),
    (0.0, "fell by more than two thirds"),
)
_RISES = (
    (1.03, "stayed as they were"),
    (1.15, "rose by a tenth"),
    (1.22, "rose by a fifth"),
    (1.29, "rose by a quarter"),
)
_MORE = ((1.42, "rose by a third"), (1.75, "rose by half"), (2.5, "doubled"), (3.5, "trebled"))


def change_words(ratio: float) -> str:
    """Return what became of a rate, given as now over before; the nearest plain fraction.

    Raises
    ------
    ValueError
        The ratio is below nought.
    """
    if ratio < 0:
        raise ValueError(f"a rate over another is never below nought: {ratio}")
    if ratio < 1:
        return next(words for least, words in (*_FALLS, *_FURTHER) if ratio >= least)
    times = round(ratio)
    return next((words for most, words in (*_RISES, *_MORE) if ratio <= most), f"became {times} times as many")
