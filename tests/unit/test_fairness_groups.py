"""Groups from the protected root, worked by hand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from fairness.groups import UnknownGroup, groups

AS_OF = date(2026, 1, 1)


class Protected:
    """A protected root with what a test puts there."""

    def __init__(self, people, periods=(), care=()):
        census = pd.Timestamp("2025-10-02")
        self.people = pd.DataFrame(
            [{"census_date": census, **person} for person in people],
            columns=["pupil", "census_date", "sex", "ethnicity", "language", "sen_provision"],
        )
        self.periods = pd.DataFrame(list(periods), columns=["pupil", "start_date", "end_date"])
        self.care = pd.DataFrame(list(care), columns=["pupil", "status", "start_date", "end_date"])
        for frame in (self.periods, self.care):
            for column in ("start_date", "end_date"):
                frame[column] = pd.to_datetime(frame[column]).astype("datetime64[s]")

    def known_protected(self, as_of):
        assert as_of == AS_OF
        return {"characteristics": self.people, "fsm_periods": self.periods, "care": self.care}


def person(pupil, ethnicity="WBRI", **changes):
    return {"pupil": pupil, "sex": "F", "ethnicity": ethnicity, "language": "ENG", "sen_provision": "N"} | changes


def test_census_codes_lead_to_groups():
    codes = ["WBRI", "WROM", "APKN", "BCRB", "BOTH", "MWBC", "OOTH", "CHNE", "REFU", "NOBT", None]
    found = groups(Protected([person(place, code) for place, code in enumerate(codes)]), AS_OF)
    expected = "White White Asian Black Black Mixed Other Asian unclassified unclassified unclassified"
    assert list(found["ethnicity"]) == expected.split()
    assert (found.index.name, found.index.dtype) == ("pupil", np.int64)


def test_the_merge_is_the_policys():
    with pytest.raises(UnknownGroup, match="'CHNE' belongs to no census group; declare its merge"):
        groups(Protected([person(1, "CHNE")]), AS_OF, merges={})


def test_provision_sex_and_language():
    people = [
        person(1, sex="M", sen_provision="K", language="URD"),
        person(2, sen_provision="E", language="ENB"),
        person(3, sen_provision=None, language="NOT"),
        person(4, language="OTB"),
    ]
    found = groups(Protected(people), AS_OF)
    assert list(found["sex"]) == ["male", "female", "female", "female"]
    assert list(found["sen"]) == ["support", "ehcp", "unknown", "none"]
    assert list(found["eal"]) == ["eal", "not", "unknown", "eal"]


def test_free_school_meals_count_for_six_years():
    periods = [
        (1, "2025-09-01", None),  # open
        (2, "2015-09-01", "2020-01-01"),  # ended six years ago to the day
        (3, "2015-09-01", "2019-12-31"),  # a day earlier
        (4, "2026-01-01", None),  # begins on the day: not yet
    ]
    found = groups(Protected([person(pupil) for pupil in range(1, 6)], periods), AS_OF)
    assert list(found["fsm"]) == ["fsm", "fsm", "not", "not", "not"]


def test_care_now_and_a_social_worker_within_six_years():
    care = [
        (1, "CLA", "2025-09-01", None),
        (1, "CIN", "2024-09-01", None),  # looked after now weighs more
        (2, "CLA", "2024-09-01", "2025-12-31"),  # no longer, and no other status
        (3, "CPP", "2015-09-01", "2020-01-01"),  # ended six years ago to the day
        (4, "CIN", "2015-09-01", "2019-12-31"),  # a day earlier
        (5, "CIN", "2026-01-01", None),  # begins on the day: not yet
        (6, "PLA", "2020-01-01", None),  # previously looked after
    ]
    found = groups(Protected([person(pupil) for pupil in range(1, 8)], care=care), AS_OF)
    assert list(found["care"]) == ["looked_after", "none", "social_worker", "none", "none", "none", "none"]


def test_without_a_local_authority_s_file_nobody_s_care_is_known():
    assert list(groups(Protected([person(1)]), AS_OF)["care"]) == ["unknown"]


def test_the_newest_census_counts():
    people = [
        person(1, census_date=pd.Timestamp("2025-10-02"), sen_provision="K"),
        person(1, census_date=pd.Timestamp("2025-01-16"), sen_provision="N"),
    ]
    assert list(groups(Protected(people), AS_OF)["sen"]) == ["support"]
