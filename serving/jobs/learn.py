"""What a network learns once the week's list is out: learning reviews opened, and whatever is due published."""

from collections.abc import Iterator

from records.home import Home
from records.refusal import Refusal
from serving.jobs.continuum import publish_continuum
from serving.jobs.impact import publish_impact
from serving.jobs.lookbacks import open_lookbacks
from serving.jobs.places import publish_places
from serving.jobs.programme_effects import publish_programme_effects
from serving.jobs.programmes import publish_programmes
from serving.jobs.themes import publish_themes


def learn(home: Home) -> Iterator[str]:
    """Open learning reviews and publish what is due of everything that is learned; say each in a sentence.

    Nothing happens that the caller does not ask for: go through all of them. Safe to run again.
    """
    looked = open_lookbacks(home)
    if looked.opened:
        yield f"{looked.opened} learning reviews opened"
    if answered := looked.redated + looked.withdrawn + looked.restored:
        yield f"{answered} learning reviews follow a correction of the records"
    for term in publish_themes(home):
        yield f"What learning reviews say of {term} is published, once and for good"
    for half_term in publish_places(home):
        yield f"Counts by place of {half_term} are published, once and for good"
    if periods := publish_programmes(home):
        yield f"Counts of programmes are published: {periods} more"
    for programme, came in publish_programme_effects(home).items():
        yield f"Whether {programme} helped: {came}"
    try:
        for title in publish_impact(home):
            yield f"Whether a flag helps: {title} is published, once and for good"
    except Refusal as no:
        # The week's list is out; a study that cannot be worked out is no reason to call the night refused.
        yield f"Whether a flag helps: not published. {no}"
    for term in publish_continuum(home):
        yield f"The exclusions continuum of {term} is published, once and for good"
