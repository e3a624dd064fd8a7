"""The training's three past cases: made-up pupils, a question each, and what happened. In the second the model errs."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One answer that can be chosen, and what is said to somebody who chose it."""

    words: str
    reply: str


@dataclass(frozen=True, kw_only=True)
class PastCase:
    """A made-up past case: what the list said, the question, and what is told after the answer."""

    who: str
    seen: tuple[str, ...]
    question: str
    choices: tuple[Choice, ...]
    happened: tuple[str, ...]
    learned: str


CASES: Final = (
    PastCase(
        who="Sam, Year 8",
        seen=(
            "New on the list this week.",
            "Late marks 6 in the last 4 weeks, 1 in the 4 before.",
            "Removals from lessons 3 in the last 4 weeks, 0 in the 4 before.",
            "In school for 38 of 40 sessions in the last 4 weeks.",
        ),
        question="What would you do first?",
        choices=(
            Choice(
                words="Ask Sam, and those who teach Sam, how things are going",
                reply="That is what the list is for: it asks you to look, and somebody did.",
            ),
            Choice(
                words="Put Sam on report, so that it does not get worse",
                reply="The list says nothing about what Sam deserves. A flag opens an offer of help; a sanction for it "
                "cannot be recorded in Belong, and none should be given.",
            ),
            Choice(
                words="Leave it: a computer knows nothing about Sam",
                reply="It knows little about Sam, but it noticed something that nobody had put together yet. "
                "Not looking is as much a mistake as believing it.",
            ),
        ),
        happened=(
            (
                "Sam's tutor asked. Sam had moved to a grandparent's home an hour away, came late, and was sent out of "
                "the first lesson each time."
            ),
            (
                "The school found a place on an earlier bus, and the teacher stopped sending Sam out for being late. "
                "Six weeks later Sam was on no list."
            ),
        ),
        learned="The pattern was real and the reason was not in the records. Only a person could find it.",
    ),
    PastCase(
        who="Jo, Year 10",
        seen=(
            "On the list since last week.",
            "Sessions missed 14 in the last 4 weeks, 1 in the 4 before.",
            "Incidents 5 in the last 4 weeks, 0 in the 4 before.",
            "You teach Jo. Jo was away with the hockey team for a week, and has been in no trouble that you know of.",
        ),
        question="What do you record as your own view?",
        choices=(
            Choice(
                words="Things are getting harder for Jo: the records say so",
                reply="The records say so, and you have reason to doubt them. What you know counts for more than a "
                "figure that was worked out from records alone.",
            ),
            Choice(
                words="The records are wrong or misleading, and why I think so",
                reply="Yes. Your view is asked for before any figure is shown, so that no figure talks over it.",
            ),
            Choice(
                words="Nothing until I have seen what the model says",
                reply="Then the figure would have spoken first. People who see it first tend to agree with it, "
                "even where it is wrong.",
            ),
        ),
        happened=(
            (
                "Here the model was wrong. After the views it said: about 41 in 100 pupils with such a record "
                "were suspended in the half-term that followed."
            ),
            (
                "The tournament was marked as absence without leave, and the incidents were another pupil's of the "
                "same surname. The office put both right, and the next list did not have Jo on it."
            ),
        ),
        learned="The model reads records and nothing else. Where they are wrong, it is wrong, and as sure as ever. "
        "To disagree is normal, and what you write is kept beside the figure.",
    ),
    PastCase(
        who="Ash, Year 9",
        seen=(
            "On the list for three weeks, and you have recorded your view.",
            (
                "Now the page says: about 30 in 100 pupils with a similar record were suspended in the half-term that "
                "followed; of all pupils at this time of year, about 2 in 100."
            ),
        ),
        question="Which sentence says what the figure means?",
        choices=(
            Choice(
                words="Ash will probably be suspended",
                reply="No. Even by the figure it is more likely that Ash will not: about 70 in 100 were not.",
            ),
            Choice(
                words="Of 100 pupils with a record like Ash's, about 30 were suspended and about 70 were not",
                reply="Yes. It speaks of a hundred pupils with such a record. Which of them Ash is, it does not know.",
            ),
            Choice(
                words="Ash is among the 30 most difficult pupils of every 100",
                reply="No. It is no ranking of pupils and no judgement of Ash: it counts what happened to others.",
            ),
        ),
        happened=(
            (
                "Ash was one of the 70. Ash's head of year talked with Ash and Ash's mother, found the quarrel "
                "behind the removals, and asked a teaching assistant whom Ash trusts to look in each morning."
            ),
            (
                "Nobody knows what would have happened otherwise. That is why Belong asks what was offered, and "
                "whether help helps."
            ),
        ),
        learned="Most pupils on the list are never suspended. Speak to no pupil and no family as if it were foretold.",
    ),
)
