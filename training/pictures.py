"""Pictures of a candidate on its held-out terms: are its percentages true, what capacity buys, how early it speaks.

Every picture counts pupils over the whole network; a count under `plain.LEAST` is not drawn.
"""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from training.candidate import Candidate
from training.plain import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    LEAST,
    LINES,
    MARKERS,
    canvas,
    days,
    intervals,
    percent,
    save,
    whole,
)

MOST_A_WEEK = 15
APPROACHES = {
    "model": "This model",
    "rule_of_thumb": "Rule of thumb",
    "prior_suspensions": "Earlier suspensions only",
    "school_year_rate": "School and year group only",
}


def calibration(candidate: Candidate) -> Figure:
    """Return expected against observed suspensions, in bands of equal expectation."""
    bands = candidate.evaluation.bands
    shown = bands[(bands["observed"] >= LEAST) & (bands["snapshots"] - bands["observed"] >= LEAST)]
    hidden = (
        f"{len(bands) - len(shown)} of {len(bands)} bands hidden: too few pupils. " if len(shown) < len(bands) else ""
    )
    figure, axes = canvas(
        "Are the percentages true?",
        across="Probability given (average of a band)",
        up="Share then suspended",
        height=5.0,
        note=f"{hidden}Above the line the model says too little, below it too much. Held-out terms.",
    )
    observed = shown["observed"] / shown["snapshots"]
    most = 1.1 * max([0.01, *shown["probability"], *observed])
    axes.plot([0, most], [0, most], color=GREY, linestyle="--", linewidth=1, label="if every percentage were true")
    axes.plot(shown["probability"], observed, color=BLUE, marker="o", label="this model")
    axes.set_xlim(0, most)
    axes.set_ylim(0, most)
    percent(axes, "x", "y")
    axes.legend(frameon=False)
    return figure


def capacity_points(candidate: Candidate) -> pd.DataFrame:
    """Return, for each number of pupils a school looks at a week, the precision and recall of that list.

    Columns `flags_a_week`, `precision`, `recall`, `listed`, `pupils`. The lists are by probability alone,
    the same pupil may stand on many: precision is of weekly list places, recall of pupils suspended who
    stood on a list within the horizon before. It shows the trade, not the flag rule's own figures.
    """
    rows = candidate.evaluation.snapshots
    rank = rows.groupby(["school", "as_of"])["probability"].rank(method="first", ascending=False)
    came = rows["outcome"] == 1
    pupils = rows.loc[came, "pupil"].nunique()
    found = []
    for places in range(1, MOST_A_WEEK + 1):
        listed = rank <= places
        right = rows.loc[listed & came]
        found.append(
            {
                "flags_a_week": places,
                "precision": len(right) / max(1, int(listed.sum())),
                "recall": right["pupil"].nunique() / max(1, pupils),
                "listed": int(listed.sum()),
                "pupils": right["pupil"].nunique(),
            }
        )
    return pd.DataFrame(found)


def capacity_curve(candidate: Candidate) -> Figure:
    """Return precision and recall by how many pupils each school looks at in a week."""
    points = capacity_points(candidate)
    shown = points[points["pupils"] >= LEAST]
    figure, axes = canvas(
        "What a longer list buys: more pupils are found, fewer of those on it would have been suspended",
        across="Pupils each school looks at in a week",
        up="Share",
        note=(
            "By probability alone, so the same pupil may stand on many lists; the flag rule spares schools that."
            + (" Short lists hidden: too few pupils." if len(shown) < len(points) else "")
        ),
    )
    lines = (
        ("recall", "of pupils suspended, on a list in the weeks before"),
        ("precision", "of places on lists, pupil suspended in the weeks after"),
    )
    for at, (name, says) in enumerate(lines):
        axes.plot(
            shown["flags_a_week"], shown[name], color=COLOURS[at], linestyle=LINES[at], marker=MARKERS[at], label=says
        )
    axes.set_ylim(bottom=0)
    percent(axes, "y")
    whole(axes, 1, MOST_A_WEEK)
    axes.legend(frameon=False, loc="lower right")
    return figure


def lead_weeks(candidate: Candidate) -> pd.Series:
    """Return, for each pupil flagged rightly, school weeks from the first right flag to the last list before it.

    Weekly lists after a flag that still see the suspension ahead: the flag's own week counts as none.
    """
    rows = candidate.evaluation.snapshots.merge(
        candidate.allocation[["pupil", "as_of", "flagged"]], on=["pupil", "as_of"], how="left"
    ).sort_values(["pupil", "as_of"], kind="stable")
    rows["flagged"] = rows["flagged"].eq(True)
    came = rows["outcome"].eq(1)
    # A run of weeks with a suspension ahead ends where it came; another may begin later.
    rows["run"] = (came.ne(came.groupby(rows["pupil"]).shift(fill_value=False))).groupby(rows["pupil"]).cumsum()
    ahead = rows[came].copy()
    ahead["left"] = ahead.groupby(["pupil", "run"]).cumcount(ascending=False)
    return ahead[ahead["flagged"]].groupby("pupil")["left"].first()


def lead_time(candidate: Candidate) -> Figure:
    """Return how many school weeks lay between a right flag and the suspension."""
    weeks = lead_weeks(candidate)
    counts = weeks.value_counts().sort_index()
    shown = counts[counts >= LEAST]
    last = max(0, int(candidate.bundle.manifest["horizon_weeks"]) - 1)
    figure, axes = canvas(
        "How early: weekly lists between the first right flag and the suspension",
        across="School weeks",
        up="Pupils flagged rightly",
        note=(
            f"0: flagged on the last list before. No flag is counted more than {last + 1} school weeks ahead."
            + (f" Bars of fewer than {LEAST} pupils hidden." if len(shown) < len(counts) or counts.empty else "")
        ),
    )
    bars = axes.bar(shown.index.to_numpy(), shown.to_numpy(), color=BLUE, width=0.7)
    axes.bar_label(bars, padding=2)
    axes.set_xlim(-0.6, last + 0.6)
    whole(axes, 0, last)
    return figure


def comparison(candidate: Candidate, measure: str = "recall", title: str = "") -> Figure:
    """Return the model beside the rules it must beat, with intervals; `measure` is recall or precision."""
    rows = candidate.comparison
    figure, axes = canvas(
        title or "Of pupils later suspended, the share flagged in time",
        across=f"{measure.capitalize()}, with its 95 % interval",
        up="",
        height=1.6 + 0.5 * len(rows),
        note="Held-out terms; every rule may flag as many pupils as the model.",
    )
    names = [APPROACHES.get(str(name), str(name).replace("_", " ").capitalize()) for name in rows["approach"]]
    intervals(axes, names, *(rows[f"{measure}{end}"].tolist() for end in ("", "_lower", "_upper")))
    axes.set_xlim(left=0)
    percent(axes, "x")
    return figure


def write_pictures(candidate: Candidate, folder: Path) -> tuple[Path, ...]:
    """Write every picture of a run as PNG and return the files."""
    drawn = {
        "calibration": calibration(candidate),
        "capacity_curve": capacity_curve(candidate),
        "lead_time": lead_time(candidate),
        "comparison": comparison(candidate),
    }
    return tuple(save(figure, folder / f"{name}.png") for name, figure in drawn.items())


def reasons_over_time(dates: pd.Series, contributions: pd.DataFrame) -> Figure:
    """Return one simulated pupil's contributions by feature group, week by week.

    `contributions` has one row a date and one column a group, in log-odds; the four largest are drawn.
    """
    largest = contributions.abs().max().nlargest(4).index
    figure, axes = canvas(
        "What raised and lowered one simulated pupil's score, week by week",
        across="",
        up="Added to the score (log-odds)",
    )
    for at, name in enumerate(largest):
        axes.plot(dates, contributions[name], color=COLOURS[at], linestyle=LINES[at], marker=MARKERS[at], label=name)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.legend(frameon=False, fontsize=9)
    days(axes)
    return figure
