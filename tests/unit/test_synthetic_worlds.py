"""The worlds a network can be simulated in: what differs between groups, and what is planted."""

from dataclasses import replace
from datetime import date

import numpy as np

from records.synthetic.clusters import clusters_of
from records.synthetic.injustices import Injustice
from records.synthetic.plan import UNFAIR, NetworkPlan
from records.synthetic.simulate import world_of

PLAN = NetworkPlan(pupils=800, schools=1, phase="SS", years=(2024,), until=date(2024, 9, 17), seed=2, mess=0)


def world(name, **changes):
    plan = replace(PLAN, world=name, **changes)
    (cluster,) = clusters_of(plan)
    return world_of(plan, cluster, cluster.streams(plan.seed))


def test_in_the_fair_world_no_group_has_more_need_or_is_treated_otherwise_and_as_many_are_in_trouble():
    """Only care still counts as need; the mean hazard of the band is what it was, so rates stay near the published."""
    fair, need, published = world("fair"), world("need"), world("published")
    assert not fair.traits.practice.any()
    for status in np.unique(fair.care):
        of_status = fair.traits.nowhere[fair.care == status]
        assert np.ptp(of_status) < 1e-5
        assert (fair.care == need.care).all()
    assert np.ptp(need.traits.nowhere[need.care == 0]) > 0.5
    assert not need.traits.practice.any()
    assert published.traits.practice.any()
    alone = fair.care == 0
    hazards = [np.exp(made.traits.nowhere[alone]).mean() for made in (fair, need)]
    assert abs(hazards[0] / hazards[1] - 1) < 0.05
    assert (fair.people.ethnicity == published.people.ethnicity).all()


def test_in_the_fair_world_a_special_school_is_a_school_for_pupils_of_its_years():
    special = {"phase": "SP", "pupils": 200}
    fair, need = world("fair", **special), world("need", **special)
    years = fair.year_group(0)
    on_roll = fair.rolls.school[:, 0] == 0
    assert fair.special(0)[on_roll].all()
    assert (fair.setting(0).band == np.where(years >= 7, 1, 0))[on_roll].all()
    assert (need.setting(0).band == 2)[on_roll].all()
    assert fair.traits.base.std() > 0


def test_in_the_fair_world_schools_sanction_and_write_down_alike_and_pupils_differ():
    fair, need = (world(name, pupils=1600, schools=2) for name in ("fair", "need"))
    here = fair.rolls.school[:, 0] < 2
    for name in ("sanctions", "recording"):
        assert not getattr(fair.setting(0), name)[here].any()
        assert getattr(need.setting(0), name)[here].any()
    assert fair.setting(0).praise[here].any()


def test_the_unfair_world_is_the_fair_one_with_one_group_passed_over():
    fair, unfair = world("fair"), world("unfair")
    assert (fair.traits.base == unfair.traits.base).all()
    at = np.zeros(len(unfair.people.upn), np.int64)
    black = np.char.startswith(unfair.people.ethnicity, "B")
    assert black.any()
    for kind in ("under_recorded", "marked_present", "recorded_late"):
        chance = unfair.planted.chance(kind, at)
        assert (chance[black] == 1).all()
        assert not chance[~black].any()
        assert fair.planted.chance(kind, at) is None
    assert not unfair.planted.sanction(at).any()


def test_what_is_planted_besides_stays_planted():
    more = Injustice(kind="miscoded", group="girls", strength=1.0)
    assert replace(PLAN, world="unfair", injustices=(more,)).ways.injustices == (*UNFAIR, more)
    assert replace(PLAN, world="fair", injustices=(more,)).ways.injustices == (more,)
