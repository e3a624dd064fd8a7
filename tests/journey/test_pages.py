"""Walks through the site over HTTP; the client checks every page that it touches (see client.py)."""

import re
import uuid
from datetime import date

import httpx
import pypdfium2
import pytest

from casework.database import connect, scoped
from casework.tables_cases import LookRow, ViewRow
from casework.watches import StoredWatch, save_watch
from serving.scoring import Refused
from tests.database import superuser
from tests.journey.client import Client, Read
from tests.site import RunningSite

WHY = "They told their tutor on Thursday that mornings are hard at home."


def form_of(page: Read) -> dict[str, str]:
    return {one["name"]: one["value"] for one in page.all("input") if one.get("type") == "hidden"}


def test_signing_in_leads_to_the_list_and_signing_out_ends_the_session(site: RunningSite, client: Client) -> None:
    assert client.get("/").words("h1") == "Sign in to Belong"
    page = client.sign_in("school-lead")
    assert page.words("h1") == "Pupils to look at this week"
    cookie = client.http.cookies["belong_session"]
    assert client.send(page, "/sign-out", {}).words("h1") == "Sign in to Belong"
    # The cookie, copied before signing out, opens nothing afterwards.
    with httpx.Client(base_url=site.address, trust_env=False, cookies={"belong_session": cookie}) as copied:
        assert copied.get("/pupils").status_code == 303


def test_the_session_cookie_is_closed_to_scripts_and_to_other_sites(client: Client) -> None:
    away = client.http.get("/sign-in/demo")
    assert re.search(r"belong_sign_in=[^;]+; HttpOnly; Max-Age=600; Path=/; SameSite=lax", away.headers["set-cookie"])


def test_a_page_asked_for_before_signing_in_comes_after_it(site: RunningSite, client: Client) -> None:
    asked = client.http.get(f"/pupils/{site.ids['Grace']}")
    assert asked.headers["location"] == f"/sign-in?then=/pupils/{site.ids['Grace']}"


def test_an_answer_of_the_sign_in_service_works_once_and_only_where_it_was_asked_for(
    site: RunningSite, client: Client
) -> None:
    away = client.http.get("/sign-in/demo")
    back = httpx.post(away.headers["location"], data={"sub": "school-lead"}, trust_env=False).headers["location"]
    stranger = site.client()
    assert "not started in this browser" in stranger.get(back, status=400).words()
    stranger.close()
    tampered = re.sub("state=[^&]+", "state=another", back)
    assert "does not belong" in client.get(tampered, status=400).words()
    # The failed attempt ended the sign-in that was started: the true answer comes too late.
    assert "not started in this browser" in client.get(back, status=400).words()


def test_someone_unknown_here_is_told_so_and_gets_no_session(client: Client) -> None:
    away = client.http.get("/sign-in/demo")
    back = httpx.post(away.headers["location"], data={"sub": "a-stranger"}, trust_env=False)
    page = client.get(back.headers["location"], status=403)
    assert page.words("h1") == "Your account is not known to Belong"
    assert "belong_session" not in client.http.cookies


def test_the_list_says_facts_and_nothing_about_a_score(client: Client) -> None:
    page = client.sign_in("school-lead")
    words = page.words()
    assert "of 23 pupils are on this list" in words  # of 40 made-up pupils, 23 are at this school
    assert "Incidents 8 in the last 4 weeks, 0 in the 4 before" in words  # Chidi: 1 + 2 + 2 + 3
    assert "Overdue. Not reviewed yet" in words
    assert "Of every 100 pupils on this network's lists in the two terms audited, about" in words
    assert "Farid" not in words  # at the other school
    for said_too_early in ("rising", "Rising", "risk", "in 100", "29", "Time in lessons"):
        assert said_too_early not in words.replace("22 June 2026", "")


def test_the_list_can_be_filtered_and_an_unknown_filter_filters_nothing(client: Client) -> None:
    client.sign_in("school-lead")
    assert "1 pupil matches what you chose." in client.get("/pupils?year=10").words()
    for nothing in ("state=nonsense&school=x", "year=%00", "school=99999999999"):
        assert "of 23 pupils are on this list" in client.get(f"/pupils?{nothing}").words()
    assert "No pupil matches what you chose." in client.get("/pupils?year=13").words()


def test_no_figure_and_no_reason_is_in_the_page_before_an_own_view(site: RunningSite, client: Client) -> None:
    client.sign_in("school-lead")
    page = client.get(f"/pupils/{site.ids['Aisha']}")
    assert "Record your own view first" in page.words()
    raw = client.http.get(f"/pupils/{site.ids['Aisha']}").text
    hiding = (
        "in 100",
        "0.29",
        "0.14",
        "Time in lessons",
        "rising",
        "Why the model",
        "began to rise",
        "were again",
        "estimate",
    )
    for hidden in hiding:
        assert hidden not in raw
    assert "Aisha" not in page.words("title")


def test_a_view_then_the_reasons_then_what_happens_next(site: RunningSite, client: Client) -> None:
    client.sign_in("school-lead")
    here = f"/pupils/{site.ids['Ben']}"
    form = client.get(f"{here}/view")
    wrong = client.send(form, f"{here}/view", {"opinion": "new_needs_conversation", "why": "Too short"}, status=422)
    assert wrong.words("title").startswith("Error: ")
    assert "Too short" in wrong.words("textarea")
    after = client.send(wrong, f"{here}/view", {"opinion": "new_needs_conversation", "why": WHY})
    assert "About 29 in 100 pupils with a similar record" in after.words()
    assert "it was about 2 in 100" in after.words()
    assert "Up, most Time in lessons." in after.words()
    assert "On 20 April 2026, before it began to rise, it was about 8 in 100." in after.words()
    assert "3 in the last 4 school weeks, 0 in the 4 before 20 April Yes" in after.words()
    assert "An estimate, not a promise" in after.words()
    assert "If time in lessons (removals from lessons) were again as before 20 April, about 14 in 100" in after.words()
    assert "The figure is about 29 in 100 now." in after.words()
    assert WHY in after.words()
    assert after.words("dt") == "22 June 2026"  # the home's day, whatever the wall clock says
    next_form = client.get(f"{here}/next")
    given = {"changed": "no", "misfits": "2", "action": "mentor", "note": "", "review_on-day": "31"}
    wrong = client.send(
        next_form, f"{here}/next", {**given, "review_on-month": "2", "review_on-year": "2026"}, status=422
    )
    assert "Enter a real date" in wrong.words()
    right = {**given, "review_on-day": "6", "review_on-month": "7", "review_on-year": "2026"}
    check = client.send(wrong, f"{here}/next", right)
    assert "Check your answers" in check.words("h1")
    assert "A mentor" in check.words()
    assert "Next step" not in client.get(here).words(), "nothing is saved before it is confirmed"
    again = client.send(check, f"{here}/next", {**right, "confirmed": "change"})
    assert "What happens next" in again.words("h1")
    saved = client.send(check, f"{here}/next", {**right, "confirmed": "yes"})
    assert "Next step: A mentor" in saved.words()


def test_sending_a_view_twice_saves_one(site: RunningSite, client: Client) -> None:
    client.sign_in("school-lead")
    here = f"/pupils/{site.ids['Dylan']}"
    form = form_of(client.get(f"{here}/view")) | {"opinion": "no_concern", "why": WHY}
    client.post(f"{here}/view", form)
    client.post(f"{here}/view", form)
    engine = connect(site.home, "job")
    with scoped(engine, None) as session:
        assert session.query(ViewRow).filter_by(idempotency_key=form["key"]).count() == 1
    engine.dispose()


def test_the_second_of_two_reviewers_is_told_and_keeps_their_text(site: RunningSite, client: Client) -> None:
    client.sign_in("school-lead")
    other = site.client()
    other.sign_in("school-staff")
    here = f"/pupils/{site.ids['Esme']}/view"
    mine, theirs = client.get(here), other.get(here)
    other.send(theirs, here, {"opinion": "no_concern", "why": "Settled in well since she joined the choir."})
    late = client.send(mine, here, {"opinion": "new_needs_conversation", "why": WHY}, status=422)
    assert "Demonstration member of staff saved a review just now." in late.words()
    assert WHY in late.words("textarea")
    assert "About 29 in 100" in client.send(late, here, {"opinion": "new_needs_conversation", "why": WHY}).words()
    other.close()


def test_a_pupil_of_another_school_is_not_found_whatever_the_door(site: RunningSite, client: Client) -> None:
    client.sign_in("school-lead")
    token = form_of(client.get("/pupils"))["csrf"]
    asking = ("/voice", "/correction", "/aside", "/fresh-start")
    for pupil in (site.ids["Farid"], str(uuid.uuid4()), "not-an-id"):
        for door in ("", "/view", "/next", *asking, "/letter.pdf"):
            assert client.get(f"/pupils/{pupil}{door}", status=404).words("h1") == "Page not found"
        for door in ("/view", "/next", *asking):
            client.post(f"/pupils/{pupil}{door}", {"csrf": token, "key": "k", "version": "1"}, status=404)
    engine = connect(site.home, "job")
    with scoped(engine, None) as session:
        looks = session.query(LookRow).filter_by(action="pupil_not_in_scope", pupil_id=uuid.UUID(site.ids["Farid"]))
        assert looks.count() == 14  # fourteen doors, each look kept although nothing was found
    engine.dispose()


# Who gets an area at all: 200 the page, 403 a refusal in words. Pupils' own pages come under the test above.
MAY = {
    "school-lead": {"/pupils": 200, "/audits": 200, "pupil": 200, "view": 200, "report": 403},
    "school-staff": {"/pupils": 200, "/audits": 200, "pupil": 200, "view": 200, "report": 403},
    "network-lead": {"/pupils": 200, "/audits": 200, "pupil": 200, "view": 403, "report": 403},
    "board-member": {"/pupils": 403, "/audits": 200, "pupil": 403, "view": 403, "report": 200},
    "data-protection-officer": {"/pupils": 403, "/audits": 200, "pupil": 403, "view": 403, "report": 200},
    "data-scientist": {"/pupils": 403, "/audits": 200, "pupil": 403, "view": 403, "report": 403},
    "administrator": {"/pupils": 403, "/audits": 200, "pupil": 403, "view": 403, "report": 403},
}


@pytest.mark.parametrize("account", MAY)
def test_every_role_finds_its_own_doors_and_no_other(site: RunningSite, client: Client, account: str) -> None:
    client.sign_in(account)
    here = f"/pupils/{site.ids['Chidi']}"
    for door, status in MAY[account].items():
        report = f"/audits/{site.digest}/report"
        path = {"pupil": here, "view": f"{here}/view", "report": report}.get(door, door)
        page = client.get(path, status=status)
        if status == 403:
            assert "you hold" in page.words()
    assert ("Chidi" in client.http.get(here).text) == (MAY[account]["pupil"] == 200)


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "same-site"}, True),
        ({"origin": "https://evil.example"}, True),
        ({"sec-fetch-site": "same-origin"}, False),
    ],
)
def test_a_change_from_another_site_or_without_the_token_is_refused(
    site: RunningSite, client: Client, headers: dict[str, str], token: bool
) -> None:
    client.sign_in("school-lead")
    here = f"/pupils/{site.ids['Chidi']}/view"
    form = form_of(client.get(here)) | {"opinion": "no_concern", "why": WHY}
    if not token:
        form["csrf"] = "another session's"
    answer = client.http.post(here, data=form, headers=headers)
    assert answer.status_code == 400
    assert "Record your own view first" in client.get(f"/pupils/{site.ids['Chidi']}").words()


def test_too_long_a_form_and_a_strange_host_are_refused(client: Client) -> None:
    long = client.http.post("/sign-out", data={"x": "a" * 70_000}, headers={"sec-fetch-site": "same-origin"})
    assert long.status_code == 413
    assert client.http.get("/sign-in", headers={"host": "evil.example"}).status_code == 400


def test_the_audit_says_not_settled_in_words_and_its_numbers_stand_beside_the_charts(
    site: RunningSite, client: Client
) -> None:
    client.sign_in("board-member")
    listed = client.get("/audits").words()
    assert "15 June 2026" in listed
    assert "In use under a waiver: not settled, so not a pass" in listed
    page = client.get(f"/audits/{site.digest}")
    words = page.words()
    assert "Not settled" in page.words("p")
    assert "a hollow circle is not settled, which is not a pass" in words
    assert "Compared with simple rules" in words
    assert "ends the waiver at once if any group is outside a limit" in words
    # Five judged figures, then the folds: four by two attributes at once, and three that are not judged.
    assert len(page.all("svg")) == 5 + 4 + 3
    assert "At a glance" in words
    assert "By sex and special educational needs provision" in words
    for name in ("Girls", "SEN support", "EHC plan", "No free school meals"):
        assert name in words
    raw = client.http.get(f"/audits/{site.digest}").text
    assert raw.index('id="waiver"') < raw.index('id="at-a-glance"') < raw.index("<svg")
    assert client.get("/audits/" + "0" * 64, status=404).words("h1") == "Page not found"
    for colour in ("red", "amber", "green"):
        assert f">{colour}<" not in client.http.get(f"/audits/{site.digest}").text.lower()


def test_the_board_reads_the_report_and_takes_it_away_and_both_are_logged(site: RunningSite, client: Client) -> None:
    client.sign_in("board-member")
    audit = client.get(f"/audits/{site.digest}")
    assert f"/audits/{site.digest}/report" in [link.get("href") for link in audit.all("a")]
    assert f"/audits/{site.digest}/report" in [link.get("href") for link in client.get("/audits").all("a")]
    page = client.get(f"/audits/{site.digest}/report")
    words = page.words()
    for said in (
        "WAIVED The records are too few to say",
        "PASS, FAIL, NOT SETTLED and WAIVED in plain words",
        "What would settle it",
        "The waiver ends on 21 August 2026",
        "No law sets these numbers; each is the board's",
        "Audits and approvals so far",
    ):
        assert said in words, said
    answer = client.http.get(f"/audits/{site.digest}/report.pdf")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-disposition"] == f'attachment; filename="belong-audit-{site.digest[:12]}.pdf"'
    printed = pypdfium2.PdfDocument(answer.content)
    assert printed.is_tagged()
    assert "WAIVED" in printed[0].get_textpage().get_text_range()
    engine = connect(site.home, "job")
    with scoped(engine, None) as session:
        for action in ("see_report", "take_report"):
            assert session.query(LookRow).filter_by(action=action, detail=site.digest).count() >= 1, action
    engine.dispose()


def test_there_is_no_report_of_what_was_not_audited_and_no_link_for_those_who_may_not(
    site: RunningSite, client: Client
) -> None:
    client.sign_in("school-staff")
    links = [link.get("href") for path in ("/audits", f"/audits/{site.digest}") for link in client.get(path).all("a")]
    assert not [link for link in links if link and "report" in link]
    assert client.http.get(f"/audits/{site.digest}/report.pdf").status_code == 403
    member = site.client()
    member.sign_in("board-member")
    for path in ("0" * 64, "not-a-digest"):
        assert member.http.get(f"/audits/{path}/report").status_code == 404
        assert member.http.get(f"/audits/{path}/report.pdf").status_code == 404
    member.close()


def test_every_page_carries_the_waiver_and_the_demonstration(site: RunningSite, client: Client) -> None:
    client.sign_in("school-lead")
    for path in ("/sign-in", "/pupils", f"/pupils/{site.ids['Grace']}", "/audits", "/approval"):
        words = client.get(path).words()
        assert "Demonstration Every pupil, school and person here is invented. Today is Monday 22 June 2026." in words
        assert "They are used under a waiver that ends on 21 August 2026. Read the monitoring plan" in words
    assert "ends the waiver at once if any group is outside a limit" in client.get("/approval").words()


def test_a_model_that_may_not_serve_is_said_on_every_page(site: RunningSite, client: Client) -> None:
    serving = site.door.found
    site.door.found = Refused(code="expired", sentence="The approval ended on 21 August 2026.")
    try:
        client.sign_in("school-lead")
        for path in ("/sign-in", "/pupils", "/audits", "/approval"):
            assert "Belong is not scoring" in client.get(path).words()
            assert "The approval ended on 21 August 2026." in client.get(path).words()
    finally:
        site.door.found = serving


def test_a_figure_is_not_shown_while_nothing_may_serve_not_even_one_worked_out_before(
    site: RunningSite, client: Client
) -> None:
    client.sign_in("school-lead")
    here, serving = f"/pupils/{site.ids['Esme']}", site.door.found
    form = client.get(f"{here}/view")
    shown = client.send(form, f"{here}/view", {"opinion": "new_needs_conversation", "why": WHY})
    assert "An estimate, not a promise" in shown.words()
    site.door.found = Refused(code="expired", sentence="The approval ended on 21 August 2026.")
    try:
        silent = client.get(here)
        assert "no figure is shown. The approval ended on 21 August 2026." in silent.words()
        raw = client.http.get(here).text
        assert not any(word in raw for word in ("in 100", "Time in lessons", "An estimate"))
    finally:
        site.door.found = serving


def test_a_list_that_is_weeks_old_says_so(site: RunningSite, client: Client) -> None:
    # Scores keep the day that their list was of: as a replica, PostgreSQL lets it be moved under them.
    alone = "SET session_replication_role = replica; UPDATE publications SET as_of = as_of"
    assert "The newest list is of" not in client.sign_in("school-lead").words()
    with superuser(site.home) as connection:
        connection.execute(f"{alone} - 21")
    try:
        assert "The newest list is of 1 June 2026, and one is due every week." in client.get("/pupils").words()
    finally:
        with superuser(site.home) as connection:
            connection.execute(f"{alone} + 21")


def test_a_pupil_who_is_not_on_the_list_has_a_page_without_a_form(site: RunningSite, client: Client) -> None:
    client.sign_in("school-lead")
    page = client.get(f"/pupils/{site.ids['Grace']}")
    assert "Belong does not ask anyone to look at this pupil this week." in page.words()
    assert client.get(f"/pupils/{site.ids['Grace']}/view").words("h1") == "Grace Example"


def test_a_look_after_deployment_stands_on_the_audits_page_with_its_words(site: RunningSite, client: Client) -> None:
    client.sign_in("board-member")
    assert "After deployment" not in client.get(f"/audits/{site.digest}").words()
    said = {
        "headline": "Nothing failed, and not every group is settled: this is not a pass.",
        "follows": "The model goes on serving.",
        "sentences": ["Some pupils were flagged, helped and not suspended. Help inflates false alarms."],
        "alarms": ["Support was offered after 97% of decisions."],
        "signals": ["Every school's records are up to date."],
    }
    watch = StoredWatch(
        bundle_digest=site.digest,
        approval_id="a" * 64,
        looked_on=date(2026, 6, 22),
        verdict="NOT_SETTLED",
        payload={"view": said},
    )
    engine = connect(site.home, "job")
    try:
        with scoped(engine, None) as session:
            save_watch(session, watch)
        words = client.get(f"/audits/{site.digest}").words()
    finally:
        engine.dispose()
        with superuser(site.home) as database:
            database.execute("DELETE FROM watches")
    for sentence in (said["headline"], said["follows"], *said["sentences"], *said["alarms"], *said["signals"]):
        assert str(sentence) in words
    assert "22 June 2026: Not settled" in words
