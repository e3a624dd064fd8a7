"""A school's exports as its own system might write them, and sending them on the page as a browser does."""

from collections.abc import Mapping, Sequence

from serving.jobs.uploads import work_on_uploads
from tests.deployed import SCHOOL
from tests.export_files import ANN, BOB
from tests.journey.client import Client, Read
from tests.site import RunningSite

_ROLL = f"""\
Forename,Surname,UPN,Former UPN,Date of birth,Year,Reg,Enrolment status,Admission date,Leaving date,Last updated
Testann,Synthetic,{ANN},,04/03/2013,Year 8,8A,C,01/09/2024,,01/09/2025
Testzoë,Synthetic,{BOB},,09/10/2012,Year 8,8B,C,01/09/2024,,01/09/2025
"""
ROLL = _ROLL.encode("cp1252")
DAYS = [f"{day:02d}/{month:02d}/2026" for month, days in ((5, range(11, 16)), (6, range(8, 13))) for day in days]
MARKS = "\n".join(
    ["UPN,Date,Session,Mark,Last updated"]
    + [
        f"{upn},{day},{session},{'O' if upn == ANN and day in DAYS[5:7] else '/'},{day}"
        for upn in (ANN, BOB)
        for day in DAYS
        for session in ("AM", "PM")
    ]
).encode()
TERMS = (
    "urn,kind,name,start_date,end_date,updated_on\n"
    f"{SCHOOL},half_term,Summer 1,2026-04-20,2026-05-22,2025-09-01\n"
    f"{SCHOOL},half_term,Summer 2,2026-06-01,2026-07-17,2025-09-01\n"
).encode()
THE_SCHOOL = (
    "urn,laestab,name,phase,open_date,updated_on\n"
    f"{SCHOOL},2019999,Riverside Example Academy,SS,2026-06-01,2025-09-01\n"
).encode()


def send_files(
    client: Client, files: Sequence[bytes], *, system: str = "SIMS", status: int = 200, form: Mapping[str, str] = {}
) -> Read:
    """Send files by the page's own form and return the page it leads to."""
    hidden = hidden_fields(client.get("/bring"), "/bring")
    several = [("files", ("any name.csv", data, "text/csv")) for data in files]
    answer = client.http.post(
        "/bring",
        data={**hidden, "system": system, **form},
        files=several,
        headers={"sec-fetch-site": "same-origin"},
    )
    return client._check(client._follow(answer), status)


def hidden_fields(page: Read, action: str) -> dict[str, str]:
    """Return the hidden fields of a form, by its action."""
    inside, found = False, {}
    for tag, attributes in page.elements:
        if tag == "form":
            inside = attributes.get("action") == action
        elif inside and tag == "input" and attributes.get("type") == "hidden":
            found[attributes["name"]] = attributes.get("value", "")
    assert found, f"no form of this page is sent to {action}"
    return found


def opened_links(page: Read) -> list[str]:
    """Return the addresses of files that wait for a person."""
    return [one["href"] for one in page.all("a") if one.get("href", "").startswith("/bring/files/")]


def confirm_columns(client: Client, address: str, **changes: str) -> Read:
    """Confirm the columns of one file as they are proposed, but for changes."""
    page = client.get(address)
    form, name = hidden_fields(page, address), ""
    for tag, attributes in page.elements:
        if tag == "select":
            name = attributes["name"]
        elif tag == "option" and "selected" in attributes and name != "kind":
            form[name] = attributes.get("value", "")
    return client.post(address, {**form, **changes})


def confirm_all(site: RunningSite, client: Client) -> None:
    """Let the job look at the headings, confirm what it proposes where it asks, and let it check the rows."""
    work_on_uploads(site.home)
    for address in opened_links(client.get("/bring")):
        if client.get(address).words("h1") == "Confirm the columns":
            confirm_columns(client, address)
    work_on_uploads(site.home)


def bring_all(site: RunningSite, client: Client, files: Sequence[bytes]) -> Read:
    """Send files, confirm what is proposed of each, take all in, and return the page that says so."""
    send_files(client, files)
    confirm_all(site, client)
    return take_in(site, client)


def take_in(site: RunningSite, client: Client) -> Read:
    """Take in every checked file, and return the page after the job has done so."""
    page = client.get("/bring")
    uploads = [one["value"] for one in page.all("input") if one.get("name") == "upload"]
    client.post("/bring/take-in", {"csrf": hidden_fields(page, "/bring")["csrf"], "upload": uploads})
    work_on_uploads(site.home)
    return client.get("/bring")
