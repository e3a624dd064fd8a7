"""Every day over HTTP: taking on, handing over, cover, paper and files. The client checks every page it touches."""

import csv
import io
import re

import pandas as pd
import pytest
from sqlalchemy import text

from serving.school_days import save_school_days
from tests.database import job_session
from tests.deployed import SCHOOL, TODAY
from tests.journey.client import Client, Read
from tests.site import RunningSite

# Nothing that a model said, in any of its words, in what leaves the screen.
SCORED = (
    "in 100",
    "0.29",
    "0.14",
    "Time in lessons",
    "rising",
    "Rising",
    "began to rise",
    "were again",
    "check sample",
)


def hidden(page: Read) -> dict[str, str]:
    return {one["name"]: one["value"] for one in page.all("input") if one.get("type") == "hidden"}


def logged(site: RunningSite, action: str) -> list[str]:
    with job_session(site.home) as session:
        rows = session.execute(text("SELECT detail FROM looks WHERE action = :action ORDER BY seq"), {"action": action})
        return [row.detail for row in rows]


def ids_of(page: Read, name: str) -> dict[str, str]:
    """Return words → value of the options of a select; words come in the order of the options."""
    chosen, inside = {}, False
    words = iter(page.words_of.get("option", []))
    for tag, attributes in page.elements:
        if tag == "select":
            inside = attributes.get("name") == name
        elif tag == "option":
            said = " ".join(next(words).split())
            if inside:
                chosen[said] = attributes["value"]
    return chosen


def test_capacity_and_who_looks_after_whom_are_said_in_words(site: RunningSite, client: Client) -> None:
    words = client.sign_in("school-lead").words()
    assert "At most 2 new pupils come on it each week (0.5% of a roll, at least 2 and at most 15)" in words
    assert "5 pupils have nobody who looks after them yet." in words
    assert "Looked after by" in words


def test_a_case_taken_on_is_mine_and_the_second_is_told(site: RunningSite, client: Client) -> None:
    page = client.sign_in("school-staff")
    forms = [one for one in page.all("input") if one.get("name") == "case"]
    assert len(forms) == 5
    token = hidden(page)["csrf"]
    case = forms[0]["value"]
    taken = client.post("/handover/take", {"csrf": token, "case": case})
    assert "This pupil is now yours to look after." in taken.words()
    assert (
        "Someone took this pupil on before you." in client.post("/handover/take", {"csrf": token, "case": case}).words()
    )
    assert "1 pupil matches what you chose." in client.get("/pupils?whose=mine").words()
    assert "Demonstration member of staff" in client.get("/pupils?whose=mine").words("td")
    client.post("/handover/take", {"csrf": token, "case": "no-id"}, status=404)


def test_a_lead_hands_cases_over_and_arranges_cover(site: RunningSite, client: Client) -> None:
    client.sign_in("school-lead")
    page = client.get("/handover")
    assert "Cases that nobody looks after" in page.words()
    colleagues = ids_of(page, "to")
    assert {"Demonstration member of staff", "Demonstration school lead"} < set(colleagues)
    lead = colleagues["Demonstration school lead"]
    cases = [one["value"] for one in page.all("input") if one.get("name") == "case"]
    wrong = client.send(page, "/handover", {"case": cases[:2]}, status=422)
    assert "Select who will look after them." in wrong.words()
    done = client.send(wrong, "/handover", {"case": cases[:2], "to": lead})
    assert "The cases are handed over." in done.words()
    mine = client.get(f"/handover?whose={lead}")
    assert "Cases of Demonstration school lead" in mine.words()
    given = {"away": lead, "covering": colleagues["Demonstration member of staff"], "from-day": "22", "from-month": "6"}
    given |= {"from-year": "2026", "until-day": "31", "until-month": "6", "until-year": "2026"}
    wrong = client.send(page, "/handover/cover", given, status=422)
    assert "Enter a real date" in wrong.words()
    assert {one["name"]: one["value"] for one in wrong.all("input") if one.get("name") == "from-day"} == {
        "from-day": "22"
    }
    covered = client.send(page, "/handover/cover", {**given, "until-day": "26"})
    assert "22 June 2026 to 26 June 2026" in covered.words()
    assert "Demonstration school lead; Demonstration member of staff covers" in client.get("/pupils").words()
    ended = client.send(covered, "/handover/cover/end", {})
    assert "The cover is ended." in ended.words()
    assert len(logged(site, "hand_over")) == 2


def test_another_schools_cases_and_covers_are_not_found(site: RunningSite, client: Client) -> None:
    client.sign_in("other-school-lead")
    page = client.get("/handover")
    token = hidden(page)["csrf"]
    with job_session(site.home) as session:
        case = session.execute(text("SELECT id FROM cases WHERE school_urn = :s LIMIT 1"), {"s": SCHOOL}).scalar_one()
        cover = session.execute(text("SELECT id FROM covers LIMIT 1")).scalar_one()
    client.get(f"/handover?school={SCHOOL}", status=404)
    to = next(iter(ids_of(page, "to").values()), "")
    for path, form in (
        ("/handover", {"case": str(case), "to": to or "11111111-1111-1111-1111-111111111111"}),
        ("/handover/take", {"case": str(case)}),
        ("/handover/cover/end", {"cover": str(cover)}),
    ):
        client.post(path, {"csrf": token, **form}, status=404)


@pytest.mark.parametrize("names", [True, False])
def test_the_printed_list_has_facts_and_its_purpose_and_no_score(
    site: RunningSite, client: Client, names: bool
) -> None:
    client.sign_in("school-lead")
    form = client.get("/week/print")
    assert "What do you need it for?" in client.send(form, "/week/print", {}, status=422).words()
    page = client.send(form, "/week/print", {"purpose": "weekly_meeting", **({"names": "yes"} if names else {})})
    words = page.words()
    assert ("Aisha Example" in words) is names
    assert ("Pupil 1" in words) is not names
    assert "Printed by Demonstration school lead on Monday 22 June 2026. Purpose: The weekly meeting" in words
    for said in SCORED:
        assert said not in words
    assert logged(site, "print_list")[-1] == "5 pupils; weekly_meeting"


def test_a_pupils_printed_page_is_logged_and_has_no_score_even_after_an_own_view(
    site: RunningSite, client: Client
) -> None:
    client.sign_in("school-lead")
    here = f"/pupils/{site.ids['Aisha']}"
    why = "They told their tutor on Thursday that mornings are hard at home."
    after = client.send(client.get(f"{here}/view"), f"{here}/view", {"opinion": "new_needs_conversation", "why": why})
    assert "About 29 in 100" in after.words()
    form = client.get(f"{here}/print")
    page = client.send(form, f"{here}/print", {"purpose": "pupil_or_family", "names": "yes"})
    assert page.words("h1") == "Aisha Example"
    assert client.send(form, f"{here}/print", {"purpose": "pupil_or_family"}).words("h1") == "Name left out"
    for said in (*SCORED, why):
        assert said not in page.words()
    assert logged(site, "print_pupil") == ["pupil_or_family"] * 2
    client.get(f"/pupils/{site.ids['Farid']}/print", status=404)


def test_ones_own_cases_as_a_file_with_every_cell_quoted_and_no_score(site: RunningSite, client: Client) -> None:
    client.sign_in("school-staff")
    form = client.get("/week/download")
    answer = client.http.post(
        "/week/download",
        data={**hidden(form), "purpose": "handing_over", "names": "yes"},
        headers={"sec-fetch-site": "same-origin"},
    )
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="belong-own-list-2026-06-22.csv"'
    assert answer.headers["cache-control"] == "no-store"
    raw = answer.content.decode("utf-8-sig")
    assert all(line.startswith('"') and line.endswith('"') for line in raw.splitlines())
    rows = list(csv.DictReader(io.StringIO(raw)))
    # One was taken on above; the lead's two are covered no more.
    assert [row["Looked after by"] for row in rows] == ["Demonstration member of staff"]
    assert re.fullmatch(r".+ \d+ in the last 4 weeks, \d+ in the 4 before", rows[0]["What changed"])
    for said in SCORED:
        assert said not in raw
    assert logged(site, "take_list") == ["1 pupils; handing_over"]


@pytest.mark.parametrize("account", ["network-lead", "board-member", "administrator", "data-scientist"])
def test_only_those_who_meet_the_pupils_take_a_list_away(site: RunningSite, client: Client, account: str) -> None:
    client.sign_in(account)
    for path in ("/week/print", "/week/download", f"/pupils/{site.ids['Aisha']}/print"):
        client.get(path, status=403)
    client.get("/handover", status=200 if account == "network-lead" else 403)


def test_a_lead_enters_term_dates_and_is_warned_where_marks_contradict_them(site: RunningSite, client: Client) -> None:
    halves = [("Summer 2", "2026-06-01", "2026-07-21"), ("Autumn 1", "2025-09-01", "2025-10-24")]
    rows = [(SCHOOL, "half_term", name, pd.Timestamp(start), pd.Timestamp(end)) for name, start, end in halves]
    calendars = pd.DataFrame(rows, columns=["school", "kind", "name", "start_date", "end_date"])
    schools = pd.DataFrame([(SCHOOL, "Riverside Example Academy", "2019999", "SS", pd.Timestamp("2020-09-01"))])
    schools.columns = ["school", "name", "laestab", "phase", "open_date"]
    save_school_days(site.home, schools, calendars, TODAY)
    with job_session(site.home) as session:
        session.execute(
            text(
                "INSERT INTO school_doubts VALUES (:school, 'open_when_closed', '2026-05-28', 'Registers were taken on "
                "1 days that the calendar calls closed (28 May 2026).', 'Ask for the right term dates.', false), "
                "(:school, 'unexplained', '2026-06-01', 'Absences stand at N.', 'Ask the attendance officer.', false)"
            ),
            {"school": SCHOOL},
        )
    client.sign_in("school-lead")
    page = client.get("/records")
    assert "Registers and these dates do not agree. Registers were taken on 1 days" in page.words()
    assert "Absences stand at N. Ask the attendance officer." in page.words()
    assert "The newest register is of Friday 19 June 2026." in page.words()
    given = {"kind": "inset", "name": "", "start-day": "4", "start-month": "8", "start-year": "2026"}
    wrong = client.send(page, "/records/enter", {**given, "school": str(SCHOOL)}, status=422)
    assert "It lies in no half-term" in wrong.words()
    right = {**given, "school": str(SCHOOL), "start-day": "26", "start-month": "6"}
    saved = client.send(wrong, "/records/enter", right)
    assert "Training day Training day (INSET) 26 June 2026" in saved.words()
    assert "Entered here; counts from the next list on" in saved.words()
    back = {"csrf": hidden(saved)["csrf"], "school": str(SCHOOL), "kind": "inset", "start": "2026-06-26"}
    assert "26 June 2026" not in client.post("/records/withdraw", back).words()
    assert logged(site, "enter_term_date") == ["inset 2026-06-26"]


def test_term_dates_are_entered_by_leads_and_seen_by_those_who_see_the_school(
    site: RunningSite, client: Client
) -> None:
    client.sign_in("school-staff")
    page = client.get("/records")
    assert "Enter school days" not in page.words()
    form = {"csrf": hidden(page)["csrf"], "school": str(SCHOOL), "kind": "inset", "start-day": "26"}
    client.post("/records/enter", form, status=403)
    client.get("/records?school=900002", status=404)
    other = site.client()
    lead = other.sign_in("other-school-lead")
    other.post(
        "/records/enter", {**form, "csrf": hidden(lead)["csrf"], "start-month": "6", "start-year": "2026"}, status=404
    )
    other.close()


def test_a_school_that_no_approval_covers_gets_its_own_records_by_name(site: RunningSite, client: Client) -> None:
    client.sign_in("school-lead")
    client.get(f"/records/pupils?school={SCHOOL}", status=404)
    with job_session(site.home) as session:
        session.execute(
            text("INSERT INTO school_doubts VALUES (:s, 'not_covered', '2026-06-01', 'No list yet.', 'Wait.', true)"),
            {"s": SCHOOL},
        )
    try:
        assert "Look at your pupils' own records" in client.get("/records").words()
        page = client.get(f"/records/pupils?school={SCHOOL}&year=9")
        assert "Year 9, by name" in page.words()
        assert "Aisha Example" in page.words()
        for said in SCORED:
            assert said not in page.words()
        other = site.client()
        other.sign_in("other-school-lead")
        other.get(f"/records/pupils?school={SCHOOL}", status=404)
        other.close()
    finally:
        with job_session(site.home) as session:
            session.execute(text("DELETE FROM school_doubts"))
