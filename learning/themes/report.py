"""The termly report of learning reviews as a document, from published counts alone: one source for page and PDF."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from casework.lookback_words import KINDS, OFFERS, SIGNALS, THEMES, WAITS
from casework.themes import CONCLUDED, DIVISIONS, WHOLE, ThemeCounts, ThemeRelease
from fairness.documents.board_report import day_words
from fairness.documents.document import Block, Document, grid, head, points, words

_NOT_SHOWN: Final = "not shown"
_WORDS: Final = {
    "kind": KINDS,
    "standing": {
        "waiting": "Opened, and nobody has taken it on",
        "looking": "Taken on, and not concluded",
        CONCLUDED: "Concluded",
    },
    "signal": SIGNALS,
    "offer": OFFERS,
    "wait": WAITS,
}
_METHOD: Final = (
    (
        "A review opens on every permanent exclusion and every suspension over five school days, from the network's "
        "first list on. A pupil counts once in a term: by the first such event for what Belong saw and when help came, "
        "by every concluded review of theirs for its themes."
    ),
    (
        "The term's counts were taken once, seven weeks after its end, when its last review should have been "
        "concluded. What was written since is not in them."
    ),
    (
        "Help is what somebody wrote down: a decision on a case, or support that was offered, from half a year before "
        "the event. Help that nobody wrote down is not seen."
    ),
    "Themes are chosen from a fixed list by those who concluded a review; a review may have several.",
)
# As `learning.places.release.RULE` has it, which a page that starts light does not load.
_DISCLOSURE: Final = (
    "Not shown are counts of 1 to 7, and any that would give one away; others are rounded to the nearest 5. No "
    "school is named: a school's own reviews are on its own pages. Differences of a few between terms may be rounding."
)
_CAREFUL: Final = (
    "This says what was seen, offered and written down. It does not say that help which came earlier would have "
    "changed what happened, and it is no measure of a school or of a person."
)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A term's name and its published counts."""

    name: str
    counts: ThemeCounts


def themes_report(
    release: ThemeRelease, counts: ThemeCounts, *, network: str, demo: bool, before: Counted | None = None
) -> Document:
    """Return the report of one term; the counts of the term `before` it stand beside its own."""
    subtitle = (
        f"{network}: events of {day_words(release.term)} to {day_words(release.ends_on)}, as known on "
        f"{day_words(release.known_on)}."
    )
    if demo:
        subtitle += " Demonstration: no child in it exists."
    terms = (Counted(name=release.name, counts=counts), *(() if before is None else (before,)))
    return Document(
        title=f"What learning reviews say: {release.name}",
        subtitle=subtitle,
        on=release.known_on,
        blocks=(*_body(counts, terms), head("How it was counted"), *points(_METHOD), *words(_DISCLOSURE)),
    )


def _body(counts: ThemeCounts, terms: Sequence[Counted]) -> tuple[Block, ...]:
    whole = counts[WHOLE, WHOLE]
    if whole == 0:
        return (Block(kind="box", title="Nothing to look back at", text="No event of this term opened a review."),)
    if whole is None:
        said = "Fewer than 8 pupils were looked back at: anything more would be a fact about each of them."
        return (Block(kind="box", title="Too few to show", text=said),)
    return (
        Block(kind="box", title=f"About {whole:,} pupils were looked back at", text=_first_words(counts)),
        *words(_CAREFUL),
        head("Themes"),
        *_themes(counts, terms),
        head("What Belong had seen"),
        *words("Whether a weekly list had the pupil in the twenty weeks before; if none had, what the last list said."),
        *_division("signal", "Pupils, by what Belong did", terms),
        head("When help was offered"),
        *_division("offer", "Pupils, by the first help that is recorded", terms),
        *_division("wait", "Pupils, by how long help took", terms, "Of those whom a list had: from that list to help"),
        head("The reviews"),
        *_division("kind", "Pupils, by what opened the review", terms),
        *_division("standing", "Pupils, by where the review stands", terms),
    )


def _first_words(counts: ThemeCounts) -> str:
    """Return the three things that a board asks first, as far as they may be told."""
    missed = [counts["signal", name] for name in SIGNALS if name not in ("in_time", "late")]
    late = [counts["offer", name] for name in ("late", "after", "none")]
    said = (
        _told(_added(missed), "had been on no list before"),
        _told(_added(late), "were offered help in the last week, only afterwards, or not at all"),
        _told(counts["standing", CONCLUDED], "have a review that is concluded"),
    )
    return " ".join(one for one in said if one) or "How many of them were seen or helped before is too few to show."


def _told(count: int | None, what: str) -> str:
    if count is None:
        return ""
    return f"About {count:,} {what}." if count else f"None {what}."


def _added(parts: Sequence[int | None]) -> int | None:
    """Return a total of rounded counts, None where one is not shown."""
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _division(name: str, first: str, terms: Sequence[Counted], title: str = "") -> tuple[Block, ...]:
    rows = [(_WORDS[name][part], *_cells((name, part), terms)) for part in DIVISIONS[name]]
    return _grid(first, rows, terms, title)


def _themes(counts: ThemeCounts, terms: Sequence[Counted]) -> tuple[Block, ...]:
    """Return the themes that are shown, the most frequent first, and the others in the order of the list."""
    if counts["standing", CONCLUDED] == 0:
        return words("No review of this term is concluded, so no theme is coded.")
    shown = [name for name in THEMES if counts["theme", name] is not None]
    shown.sort(key=lambda name: -(counts["theme", name] or 0))
    if not shown:
        return words("Each theme was coded for too few pupils to show.")
    rows = [(THEMES[name], *_cells(("theme", name), terms)) for name in shown]
    hidden = "; ".join(f"{THEMES[name][:1].lower()}{THEMES[name][1:]}" for name in THEMES if name not in shown)
    said = "What would have been needed, of pupils whose review is concluded. A pupil may count under several themes."
    rest = f"Too few to show, or hidden because they would give such a count away: {hidden}."
    return (*words(said), *_grid("Pupils, by theme", rows, terms), *words(rest if hidden else ""))


def _cells(key: tuple[str, str], terms: Sequence[Counted]) -> tuple[str, ...]:
    counts = [term.counts.get(key) for term in terms]
    return tuple(_NOT_SHOWN if count is None else f"{count:,}" for count in counts)


def _grid(first: str, rows: Sequence[Sequence[str]], terms: Sequence[Counted], title: str = "") -> tuple[Block, ...]:
    heads = (first, *(term.name for term in terms))
    return grid(title, heads, rows, numeric=tuple(range(1, len(heads))), widths=(6, *(2,) * len(terms)))
