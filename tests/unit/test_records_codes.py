"""The arithmetic of possible sessions gives back the columns that DfE publishes beside its codes."""

import json
from datetime import date
from pathlib import Path

import pytest

from records import codes

PUBLISHED = json.loads((Path(__file__).parents[1] / "golden" / "attendance_2025_26.json").read_text(encoding="utf-8"))[
    "rows"
]
# Published column → the code it counts. Published with four decimals, so sums of a dozen differ by up to 0.001.
COLUMNS = {
    "present_am": "/", "present_pm": "\\", "l_present_late_before_registers_closed": "L",
    "i_authorised_illness": "I", "m_authorised_medical_dental": "M", "r_authorised_religious_observance": "R",
    "s_authorised_study_leave": "S", "t_authorised_mobile_child": "T", "h_authorised_holiday": "H",
    "e_authorised_excluded": "E", "c_authorised_other": "C", "c1_authorised_regulated_performance": "C1",
    "j1_authorised_interview": "J1", "c2_authorised_temp_reduced_timetable": "C2",
    "b_aea_education_off_site": "B", "j_aea_interview": "J", "p_aea_approved_sporting_activity": "P",
    "v_aea_educational_visit_trip": "V", "w_aea_work_experience": "W", "k_aea_education_arranged_by_la": "K",
    "g_unauthorised_holiday": "G", "u_unauthorised_late_after_registers_closed": "U",
    "o_other_unauthorised": "O", "n_no_yet": "N",
}  # fmt: skip
ROUNDING = 0.0015


def total(row, counted):
    return sum(row[column] for column, code in COLUMNS.items() if code in counted)


@pytest.mark.parametrize("where", PUBLISHED)
def test_the_classes_add_up_to_the_published_rates(where):
    row = PUBLISHED[where]
    assert total(row, codes.POSSIBLE) == pytest.approx(100, abs=ROUNDING)
    assert total(row, codes.AUTHORISED) == pytest.approx(row["authorised_absence_perc"], abs=ROUNDING)
    assert total(row, codes.UNAUTHORISED) == pytest.approx(row["unauthorised_absence_perc"], abs=ROUNDING)
    attended = codes.PRESENT | codes.EDUCATIONAL_ACTIVITY
    assert total(row, attended) == pytest.approx(row["attendance_perc"], abs=ROUNDING)


def test_every_code_that_counts_is_published_and_no_other():
    assert set(COLUMNS.values()) == codes.POSSIBLE


def test_a_code_more_or_less_would_be_seen():
    row = PUBLISHED["London|Secondary"]
    for code in ("E", "C2", "U", "J1"):
        assert abs(total(row, codes.POSSIBLE - {code}) - 100) > ROUNDING, code


def test_the_classes_share_no_code():
    classes = (codes.PRESENT, codes.EDUCATIONAL_ACTIVITY, codes.AUTHORISED, codes.UNAUTHORISED)
    assert sum(len(one) for one in classes) == len(codes.POSSIBLE)


@pytest.mark.parametrize("code", ["D", "X", "Q", "Y1", "Y5", "Z", "#", "Y"])
def test_what_is_no_possible_session(code):
    assert code in codes.ATTENDANCE
    assert code not in codes.POSSIBLE


@pytest.mark.parametrize(("old", "new"), [("FIXD", "SUSP"), ("BESD", "SEMH"), ("A", "K"), ("P", "K"), ("S", "E")])
def test_legacy_codes_count_as_their_successors(old, new):
    listed = next(
        each for each in (codes.EXCLUSION_CATEGORY, codes.SEN_TYPE, codes.SEN_PROVISION) if old in each.legacy
    )
    assert listed.legacy[old] == new
    assert old not in listed


def test_withdrawn_codes_keep_their_class_and_their_last_day():
    assert "H" in codes.AUTHORISED
    assert "J" in codes.EDUCATIONAL_ACTIVITY
    assert codes.ATTENDANCE.ended == dict.fromkeys("HJY", date(2024, 8, 19))
    assert codes.EXCLUSION_REASON.ended["OT"] == date(2020, 9, 1)


def test_every_list_says_where_it_comes_from_and_names_only_its_own_codes():
    assert len(codes.lists()) >= 20
    for each in codes.lists():
        assert each.source, each.name
        assert set(each.started) | set(each.ended) <= set(each.codes), each.name
        assert set(each.legacy.values()) <= set(each.codes), each.name
        assert not set(each.legacy) & set(each.codes), each.name
