"""The page that says in plain words what a verdict means and how a chart is read."""

from fairness.documents.document import Block, facts, head, points, words
from fairness.documents.interval_chart import Axis, Interval, intervals
from fairness.documents.interval_chart import Block as Lines

VERDICT_WORDS = {"PASS": "PASS", "FAIL": "FAIL", "NOT_SETTLED": "NOT SETTLED", "WAIVED": "WAIVED"}


def plain_words() -> tuple[Block, ...]:
    """The page that explains the four verdicts, and how to read a chart, to someone new to statistics."""
    return (
        head("PASS, FAIL, NOT SETTLED and WAIVED in plain words"),
        *words(
            "The board wrote limits down before anyone saw a result: how much more often than other pupils a group "
            "may be missed or wrongly flagged. The audit then asks of each group: do the records show that the model "
            "keeps to the limit, show that it breaks it, or show neither?"
        ),
        *facts(
            (
                ("PASS", "Shown to keep to every limit, for every group that must be judged. It may be signed."),
                ("FAIL", "Shown to break at least one limit, or no better than a simple rule. It may not be used."),
                (
                    "NOT SETTLED",
                    (
                        "Neither is shown: there are too few pupils to tell. This is not a pass. It does not mean that "
                        "the model is probably fair, nor that it is probably unfair."
                    ),
                ),
                (
                    "WAIVED",
                    (
                        "Not settled, and named people have accepted that in writing, for a limited time, with a plan "
                        "for watching it. It is never shown as a pass, and a FAIL cannot be waived."
                    ),
                ),
            )
        ),
        *_how_to_read(),
        head("Why not just compare the figures?", 2),
        *words(
            "Because chance alone makes figures differ. With six groups that a model treats exactly alike, the best "
            "and the worst group's figures still lie more than ten points apart most of the time, in a network of "
            "ordinary size. A gate on the bare figures would fail fair models and pass unfair ones."
        ),
    )


def _how_to_read() -> tuple[Block, ...]:
    sample = [
        Interval(label="Group A", n="", estimate=1.1, lower=0.9, upper=1.3, word="Within limit", shape="circle"),
        Interval(label="Group B", n="", estimate=1.1, lower=0.6, upper=2.0, word="Not settled", shape="hollow"),
        Interval(label="Group C", n="", estimate=2.2, lower=1.7, upper=2.7, word="Outside limit", shape="square"),
    ]
    axis = Axis(low=0.5, high=3.0, limit_high=1.5, same=1.0, log=True)
    chart = intervals([Lines(title="", rows=sample)], axis, name="how-to-read", title="How to read a chart")
    return (
        head("How to read a chart", 2),
        *words(
            "Say that 1 means as many false alarms as among other pupils, and that the board allows up to one and a "
            "half times as many: the shaded band. The mark is what the records show. The line is the range in which "
            "the truth is likely to lie: few pupils give a long line."
        ),
        Block(
            kind="picture",
            svg=str(chart),
            title="How to read a chart",
            text="Group A's whole line lies in the band: within the limit. Group B's line runs out of the band: not "
            "settled. Group C's whole line lies outside the band: outside the limit.",
        ),
        *points(
            (
                "Group A: the whole line lies within the band. Whatever the truth is, the limit is kept.",
                (
                    "Group B: the mark is where Group A's is, and the line runs far out of the band. The truth may lie "
                    "on either side of the limit, so nothing is settled. More pupils would make the line shorter."
                ),
                "Group C: the whole line lies outside the band. The limit is broken.",
                "An upright stroke is shown and not judged. 'Not shown' hides a figure that could point to a pupil.",
            )
        ),
    )
