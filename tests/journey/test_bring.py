"""A school brings its own CSV files on a page: to timelines, or to a sentence that says what is wrong with them."""

import contextlib
import gzip
import re
import zipfile
from io import BytesIO

import pytest
from sqlalchemy import select

from casework.database import connect, scoped
from casework.sealed_files import sealed_folder
from casework.tables_cases import LookRow
from casework.tables_uploads import UploadRow, UploadStepRow
from records.agreements import demonstration
from records.readers.confirmed import saved
from serving.jobs import uploads as job
from serving.jobs.uploads import work_on_uploads
from tests.brought import (
    MARKS,
    ROLL,
    TERMS,
    THE_SCHOOL,
    bring_all,
    confirm_all,
    confirm_columns,
    hidden_fields,
    opened_links,
    send_files,
    take_in,
)
from tests.deployed import OTHER_SCHOOL, SCHOOL
from tests.export_files import ANN, BOB


@pytest.fixture
def lead(client):
    """The school's lead, signed in."""
    client.sign_in("school-lead")
    return client


def states(site):
    """Return the states of all uploads, oldest first."""
    engine = connect(site.home, "job")
    with scoped(engine, None) as session:
        found = list(session.scalars(select(UploadRow.state).order_by(UploadRow.sent_at, UploadRow.id)))
    engine.dispose()
    return found


def sentence_about(site, lead, data, **form):
    """Send one file, confirm what is proposed of it, and return what the page says in the end."""
    send_files(lead, [data], form=form)
    confirm_all(site, lead)
    return lead.get("/bring").words()


def test_from_csv_files_to_a_timeline(site, lead):
    """Nothing is among the records before it is confirmed; then the pupil's own page has the weeks."""
    page = send_files(lead, [ROLL, MARKS, TERMS, THE_SCHOOL])
    assert "Belong is looking at the headings" in page.words()
    work_on_uploads(site.home)
    page = lead.get("/bring")
    assert page.words().count("Waiting for you to confirm the columns") == 4
    for address in opened_links(page):
        confirm_columns(lead, address)
    work_on_uploads(site.home)
    page = lead.get("/bring")
    assert "40 rows: 40 would be taken in, 0 would wait, 0 put aside." in page.words()
    assert not (site.home.history / "marks").exists()
    page = take_in(site, lead)
    assert "40 rows are among the records." in page.words()
    assert states(site) == ["landed"] * 4
    # The school joined after what the approval was audited on, so it has its own records and no list.
    # The bytes are gone, and what was confirmed is a mapping of the home.
    assert list(sealed_folder(site.home).iterdir()) == []
    assert {one.mapping.export[0].table for one in saved(site.home, SCHOOL)} >= {"enrolments", "marks"}

    roll = lead.get(f"/records/pupils?school={SCHOOL}")
    assert "Testzoë Synthetic" in roll.words()
    (ann,) = [one["href"] for one in roll.all("a") if one.get("href", "").startswith("/pupils/")][:1]
    pupil = lead.get(ann)
    assert "Testann" in pupil.words("h1") + pupil.words()
    assert "8 June" in pupil.words()
    assert "newest register" in lead.get("/records").words()


def test_the_second_time_goes_straight_to_the_check_and_the_same_bytes_change_nothing(site, lead):
    first = ROLL.replace(b"8A", b"8C")
    bring_all(site, lead, [first])
    send_files(lead, [first, ROLL.replace(b"8A", b"8D")])
    work_on_uploads(site.home)
    page = lead.get("/bring")
    assert "Already loaded; nothing changed. This file was loaded on 22 June 2026." in page.words()
    assert "2 rows: 2 would be taken in" in page.words()
    assert not any("Confirm the columns" in word for word in page.words_of.get("a", []))


def test_what_is_put_aside_is_told_by_line_heading_and_remedy_and_never_by_value(site, lead):
    wrong_letter = f"A{ANN[1:]}"
    bad = MARKS + f"\n{wrong_letter},08/06/2026,AM,/,08/06/2026\n{BOB},08/06/2026,AM,Zebra,08/06/2026\n".encode()
    send_files(lead, [bad])
    confirm_all(site, lead)
    (address,) = opened_links(lead.get("/bring"))[:1]
    words = lead.get(address).words()
    assert "What would become of 42 rows" in words
    assert "Line 43 Mark Text of 5 letters; attendance code is not in the list" in words
    assert "UPN's check letter does not match its digits" in words
    for value in ("Zebra", ANN, BOB, wrong_letter, "Testann"):
        assert value not in words
    withdraw = f"{address}/withdraw"
    lead.post(withdraw, hidden_fields(lead.get("/bring"), withdraw))
    assert states(site)[-1] == "withdrawn"


ZIPPED = BytesIO()
with zipfile.ZipFile(ZIPPED, "w") as archive:
    archive.writestr("marks.csv", MARKS)
    archive.writestr("other.txt", b"x")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (MARKS.replace(b"AM", b"A\0M", 1), "there is a NUL byte"),
        (MARKS + f'\n{ANN},09/06/2026,"AM,/,09/06/2026'.encode(), "a quote is not closed on its line"),
        (MARKS + f"\n{ANN},09/06/2026,AM,/,09/06/2026,extra".encode(), "Line 42: there are 6 values where the heading"),
        (ZIPPED.getvalue(), "it is a zip archive or an Excel workbook. Save or export each table as CSV"),
        (MARKS.split(b"\n", 1)[1], "it seems to be a row and no heading"),
        (b"Colour,Shape\nred,round\n", "no heading of it is one that Belong has met"),
        (TERMS.replace(str(SCHOOL).encode(), str(OTHER_SCHOOL).encode()), "are about another school than 990001"),
        (gzip.compress(MARKS)[:-20], "it is not a whole gzip file"),
    ],
    ids=["NUL", "open quote", "extra value", "zip", "no heading", "unknown", "other school", "cut gzip"],
)
def test_a_file_that_cannot_be_used_is_refused_in_a_sentence(site, lead, data, says):
    assert says in sentence_about(site, lead, data)
    assert states(site)[-1] == "refused"


def test_a_mark_at_the_beginning_and_windows_letters_are_read(site, lead):
    """A byte-order mark is no part of a heading; what is neither UTF-8 nor as confirmed is refused at its byte."""
    assert "40 rows: 40 would be taken in" in sentence_about(site, lead, b"\xef\xbb\xbf" + MARKS + b"\n")
    said = sentence_about(site, lead, ROLL.replace(b"Testann", b"Test\x81ann"))
    assert re.search(r"Byte \d+: this byte is not cp1252", said)


def test_a_bomb_is_refused_where_it_passes_the_cap(site, lead, monkeypatch):
    monkeypatch.setattr("records.text.unpacking.UNPACKED_CAP_BYTES", 1_000_000)
    bomb = gzip.compress(MARKS.split(b"\n")[0] + b"\n" + b"0" * 3_000_000)
    assert "it holds more than 1 MB" in sentence_about(site, lead, bomb)


def test_too_large_and_too_many_are_refused_before_they_are_kept(site, lead):
    page = lead.get("/bring")
    hidden = hidden_fields(page, "/bring")
    before = len(list(sealed_folder(site.home).iterdir()))
    answer = lead.http.post(
        "/bring",
        content=iter([b"x" * 10]),
        headers={"sec-fetch-site": "same-origin", "content-type": "multipart/form-data; boundary=b"},
    )
    assert answer.status_code == 400
    answer = lead.http.post(
        "/bring",
        data=hidden,
        files=[("files", ("a.csv", b"x", "text/csv"))] * 21,
        headers={"sec-fetch-site": "same-origin"},
    )
    assert answer.status_code == 400
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n'
    body = (head if at == 0 else b"0" * 1_000_000 for at in range(103))
    answer = lead.http.post(
        "/bring",
        content=body,
        headers={"sec-fetch-site": "same-origin", "content-type": "multipart/form-data; boundary=b"},
    )
    assert answer.status_code == 413
    assert "send a smaller file" in answer.text
    assert len(list(sealed_folder(site.home).iterdir())) == before
    # A page that does not say that it takes files takes none.
    other = lead.http.post(
        "/records/enter",
        data=hidden,
        files=[("files", ("a.csv", b"x", "text/csv"))],
        headers={"sec-fetch-site": "same-origin"},
    )
    assert other.status_code == 400


def test_an_agreement_that_ended_stops_it_with_a_sentence(site, lead):
    register = site.home.path / "agreements.toml"
    register.write_text(demonstration().replace("ends = 2027-08-31", "ends = 2026-03-31"), encoding="utf-8")
    try:
        said = sentence_about(site, lead, MARKS + b"\n")
        assert "agreement 'school-records' ended on 2026-03-31" in said
    finally:
        register.unlink()


def test_another_schools_files_are_not_there(site, lead):
    """By the page, by the address and by the database itself: 404, and no row."""
    send_files(lead, [MARKS])
    work_on_uploads(site.home)
    (address,) = opened_links(lead.get("/bring"))[:1]
    other = site.client()
    other.sign_in("other-school-lead")
    token = hidden_fields(other.get("/bring"), "/bring")["csrf"]
    assert address not in opened_links(other.get("/bring"))
    other.get(address, status=404)
    other.get(f"/bring?school={SCHOOL}", status=404)
    other.post(f"{address}/withdraw", {"csrf": token}, status=404)
    other.post("/bring/take-in", {"csrf": token, "upload": address.rsplit("/", 1)[1]}, status=404)
    other.http.close()
    engine = connect(site.home, "app")
    with scoped(engine, frozenset({OTHER_SCHOOL})) as session:
        assert session.scalars(select(UploadRow)).all() == []
        assert session.scalars(select(UploadStepRow)).all() == []
    engine.dispose()


def test_who_may_not_send_is_told_before_anything_is_read(site, client):
    """No session, no permission, another site, no token: nothing of the body is kept."""
    before = len(list(sealed_folder(site.home).iterdir()))
    files = [("files", ("a.csv", MARKS, "text/csv"))]
    assert client.http.post("/bring", files=files).status_code == 303
    client.sign_in("network-lead")
    assert client.http.post("/bring", files=files, headers={"sec-fetch-site": "same-origin"}).status_code in (400, 403)
    lead = site.client()
    lead.sign_in("school-lead")
    assert lead.http.post("/bring", files=files, headers={"sec-fetch-site": "cross-site"}).status_code == 400
    assert lead.http.post("/bring", files=files, headers={"sec-fetch-site": "same-origin"}).status_code == 400
    lead.http.close()
    assert len(list(sealed_folder(site.home).iterdir())) == before


class Killed(BaseException):
    """Stands for the end of the process, which no code catches."""


# Each with a day of its own: the site is shared, and bytes that were loaded once change nothing.
@pytest.mark.parametrize(("at", "day"), [("propose", 15), ("preview", 16), ("ingest", 17), ("publish_recorded", 18)])
def test_a_job_killed_on_the_way_does_that_step_again(site, lead, monkeypatch, at, day):
    """Whatever was being done, the next run ends where an unbroken one would."""
    data = MARKS + f"\n{ANN},{day}/06/2026,AM,/,19/06/2026".encode()
    send_files(lead, [data])

    def killed(*_arguments, **_named):
        raise Killed

    def run():
        with monkeypatch.context() as patched:
            patched.setattr(job, at, killed)
            with contextlib.suppress(Killed):
                work_on_uploads(site.home)
        work_on_uploads(site.home)

    run()
    for address in opened_links(lead.get("/bring")):
        if "Confirm the columns" in lead.get(address).words("h1"):
            confirm_columns(lead, address)
    run()
    page = lead.get("/bring")
    uploads = [one["value"] for one in page.all("input") if one.get("name") == "upload"]
    lead.post("/bring/take-in", {"csrf": hidden_fields(page, "/bring")["csrf"], "upload": uploads})
    run()
    assert states(site)[-1] == "landed"
    assert list(sealed_folder(site.home).iterdir()) == []


def test_every_step_is_logged_with_who_took_it(site, lead):
    bring_all(site, lead, [MARKS + f"\n{BOB},18/06/2026,AM,/,18/06/2026".encode()])
    engine = connect(site.home, "job")
    with scoped(engine, None) as session:
        newest = session.scalars(select(UploadRow.id).order_by(UploadRow.sent_at.desc())).first()
        steps = session.execute(
            select(UploadStepRow.state, UploadStepRow.person_id.is_not(None))
            .where(UploadStepRow.upload_id == newest)
            .order_by(UploadStepRow.seq)
        ).all()
        logged = session.scalars(select(LookRow.detail).where(LookRow.detail.contains(str(newest)))).all()
    engine.dispose()
    told = [tuple(one) for one in steps]
    assert told[-2:] == [("taking_in", True), ("landed", False)]
    assert told[0] == ("sent", True)
    assert f"sent {newest}" in logged
    assert f"taking_in {newest}" in logged
