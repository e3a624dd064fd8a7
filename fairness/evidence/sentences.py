"""What stands out in the evidence, in sentences for people who read nothing else. No small number is in any of them."""

from collections.abc import Iterator, Mapping

from fairness.cells import EVERYONE
from fairness.exhibits import Evidence, PracticeSlice, Sanction
from fairness.metrics import BY_NAME
from fairness.policy import Policy
from fairness.words import attribute_words, group_words, listed

# A verdict that fewer than this share of a group's outcomes would end rests on the sanctions being just.
FRAGILE = 0.10
NOT_AN_ERROR_GAP = (
    "Errors by group cannot show this: a model that learned from unjust sanctions predicts them well for every group."
)
_SANCTIONS: Mapping[Sanction, str] = {"removal": "removal from lessons", "suspension": "suspension"}
_OUTCOMES = {
    "severe_absence": "severe absence",
    "left_roll": "leaving the roll",
    "alternative_provision": "a placement elsewhere",
    "suspended": "suspensions alone",
    "permanent": "permanent exclusions alone",
}


def sentences(evidence: Evidence, policy: Policy) -> tuple[str, ...]:
    """Return the sentences, those on what is done to pupils first."""
    return (
        *_practice(evidence, policy),
        *_recording(evidence, policy),
        *_terms(evidence),
        *_outcomes(evidence),
        *_tipping(evidence),
        *_proxies(evidence),
        *_left_out(evidence),
        *_schools(evidence),
    )


def _practice(evidence: Evidence, policy: Policy) -> Iterator[str]:
    """Yield a sentence for each group sanctioned more for the same, within schools where that can be said."""
    least = policy.disclosure.primary
    notable = [one for one in evidence.practice if one.notable and min(one.incidents, one.sanctions) >= least]
    within = {(one.attribute, one.group, one.sanction) for one in notable if one.against == "school"}
    for one in notable:
        if one.school is not None:
            continue
        if one.against == "school":
            yield (
                f"Practice: within the same schools, incidents of {_group(one)} graded as equally severe ended in "
                f"{_SANCTIONS[one.sanction]} {_times(one)} as often as those of others. {NOT_AN_ERROR_GAP}"
            )
        elif (one.attribute, one.group, one.sanction) not in within:
            yield (
                f"Practice: incidents of {_group(one)} ended in {_SANCTIONS[one.sanction]} {_times(one)} as often as "
                "those of others graded as equally severe; within the same schools that is not shown, so it may be "
                "the schools that differ."
            )
    for sanction, words in _SANCTIONS.items():
        here = [one for one in notable if one.school is not None and one.sanction == sanction]
        schools = {one.school for one in here if one.attribute == EVERYONE}
        if schools:
            yield (
                f"Practice: in {_counted(len(schools), 'school', 'schools')} incidents of the same severity end in "
                f"{words} clearly more often than in the others."
            )
        inside = {one.school for one in here if one.attribute != EVERYONE}
        if inside:
            yield (
                f"Practice: in {_counted(len(inside), 'school', 'schools')} some group's incidents clearly end in "
                f"{words} more often than others' graded the same."
            )


def _recording(evidence: Evidence, policy: Policy) -> Iterator[str]:
    least = policy.disclosure.primary
    for one in evidence.recording:
        rest_bare = one.suspensions - one.without_incident
        if one.over and min(one.suspensions, one.without_incident, rest_bare) >= least:
            yield (
                f"Recording: more suspensions of {group_words(one.attribute, one.group)} than of others come with no "
                f"incident recorded in the {one.days} days before. What is not written down cannot be seen coming, "
                "and makes sanctions for each incident look higher than they are."
            )


def _terms(evidence: Evidence) -> Iterator[str]:
    for term in evidence.terms:
        for cell in term.outside:
            which = "The newest term" if term.newest else "An earlier term"
            yield (
                f"{which} ({term.term}) by itself is outside the limit: by {attribute_words(cell.attribute)}, "
                f"{group_words(cell.attribute, cell.group)}, {BY_NAME[cell.metric].title.lower()}."
            )


def _outcomes(evidence: Evidence) -> Iterator[str]:
    for outcome in evidence.other_outcomes:
        worse = [group_words(one.attribute, one.group) for one in outcome.disagrees if one.reads == "worse"]
        better = [group_words(one.attribute, one.group) for one in outcome.disagrees if one.reads == "better"]
        if worse or better:
            # Groups are set beside each other: where one fares worse the others look better for it.
            who, how = (worse, "less well") if worse else (better, "better")
            yield (
                f"Held against {_OUTCOMES[outcome.name]}, the same flags serve {listed(who)} clearly {how} than held "
                "against the policy's outcome."
            )


def _tipping(evidence: Evidence) -> Iterator[str]:
    fragile = [one for one in evidence.tipping if one.to_doubt is not None and one.to_doubt < FRAGILE]
    if fragile:
        who = listed(list(dict.fromkeys(group_words(one.attribute, one.group) for one in fragile)))
        yield (
            f"Rests on the sanctions being just: if fewer than {FRAGILE * 100:.0f} in 100 outcomes had been discretion "
            f"and not need, some verdict on {who} would no longer hold."
        )


def _proxies(evidence: Evidence) -> Iterator[str]:
    for attribute in dict.fromkeys(one.attribute for one in evidence.proxies if one.alert):
        here = [one for one in evidence.proxies if one.attribute == attribute and one.alert]
        names = [item.feature for one in here for item in one.inputs[:2]]
        yield (
            f"The inputs give away {attribute_words(attribute)} "
            f"({listed([group_words(attribute, one.group) for one in here])}), most of all "
            f"{listed(list(dict.fromkeys(names)))}."
        )


def _left_out(evidence: Evidence) -> Iterator[str]:
    names = [one.name for one in evidence.left_out if one.suggested]
    if names:
        yield (
            f"Worth trying without: {listed(names)}. Each costs under half a point of the pupils found, and narrows "
            "some gap by over a point, as estimated: belong train --fair tries them."
        )


def _schools(evidence: Evidence) -> Iterator[str]:
    for funnel in evidence.funnels:
        far = [point for point in funnel.schools if point.reads in {"very_low", "very_high"}]
        if far:
            yield (
                f"{_counted(len(far), 'school lies', 'schools lie')} further from the network's "
                f"{'share of pupils flagged in time' if funnel.metric == 'recall' else 'truth of percentages'} than "
                "chance explains."
            )


def _group(one: PracticeSlice) -> str:
    return group_words(one.attribute, one.group)


def _times(one: PracticeSlice) -> str:
    return f"{one.ratio:.1f} times (probably {one.lower:.1f} to {one.upper:.1f})"


def _counted(number: int, single: str, plural: str) -> str:
    return f"one {single}" if number == 1 else f"{number} {plural}"
