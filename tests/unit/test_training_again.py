"""A candidate's model fitted again on its own records: the same flags with every input, others without one."""

import pandas as pd
import pytest

from tests.training_factory import made_up
from training.again import Bench, terms_without
from training.fitting import part_of
from training.run import candidate_of, ground_of
from training.settings import Settings

SMALL = Settings(rounds_most=10, patience=5, folds=1, resamples=0, threads=1, processes=1)


@pytest.fixture(scope="module")
def bench():
    data, network, when = made_up(SMALL, pupils=200)
    part = part_of(data, when.train)
    return Bench(
        candidate=candidate_of(data, network, when, SMALL),
        data=data,
        part=part,
        network=network,
        when=when,
        settings=SMALL,
        on=ground_of(data, network, when, part, SMALL),
    )


def test_with_every_input_it_is_the_candidate_again(bench):
    pd.testing.assert_frame_equal(terms_without(bench, ()), bench.candidate.evaluation.pupil_terms)


def test_without_what_carries_the_signal_other_pupils_are_flagged(bench):
    """In the made-up network a spell of trouble shows in incidents: without them flags fall elsewhere."""
    names = [name for name in bench.inputs if name.startswith(("incident", "severity"))]
    without = terms_without(bench, names)
    own = bench.candidate.evaluation.pupil_terms
    assert without[["pupil", "term", "outcome"]].equals(own[["pupil", "term", "outcome"]])
    assert (without["flagged_any"] != own["flagged_any"]).any()
