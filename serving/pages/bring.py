"""Bring your data: a school sends its exports, sees where each stands, and takes in what was checked."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.responses import Response

from casework.names import master_key
from casework.rules import RuleBroken
from casework.upload_states import OVER, WAITING_FOR_A_PERSON, WAITING_FOR_BELONG
from casework.uploads import (
    KEPT_DAYS,
    NoSuchUpload,
    Received,
    Upload,
    check_brings,
    receive,
    schools_to_bring,
    step,
    upload_of,
    uploads_of,
)
from records.readers.claims import known_mappings
from serving.form_fields import id_of, select_field, told_errors, urn_of
from serving.page import NotFound, Page, Visit
from serving.pages.bring_words import KINDS, counted_rows, size_words
from serving.rendering import count_words, day_words
from serving.uploading import MEGABYTE, FileLimits

LIMITS: Final = FileLimits(files=20, file_bytes=100 * MEGABYTE, all_bytes=250 * MEGABYTE)
ANOTHER: Final = "Another system"
_SLOW: Final = timedelta(minutes=2)
_SAVED: Final = {
    "sent": "Received. Belong is looking at the headings.",
    "confirmed": "Columns saved. Belong is checking the rows; nothing is taken in yet.",
    "taking-in": "Belong is taking the files in.",
    "withdrawn": "Withdrawn. The file is deleted.",
}


def show_bring(visit: Visit) -> Response:
    """Show the form, and where every file of the school stands."""
    return _page(visit, urn_of(visit.asked("school")))


def save_files(visit: Visit) -> Response:
    """Note the files that came sealed; a job beside the site opens them."""
    school = urn_of(visit.value("school")) or 0
    sealed = visit.sent.files.get("files", ()) if visit.sent else ()
    # A form without a chosen file sends an empty one without a name.
    chosen = [(file_id, file) for file_id, file in sealed if file.size or len(sealed) > 1]
    try:
        check_brings(visit.session, visit.person, school)
        received = [
            Received(
                id=file_id, size=file.size, key=file.finish(master_key(visit.session), file_id), digest=file.digest
            )
            for file_id, file in chosen
        ]
        system = visit.value("system")
        receive(visit.session, visit.person, school, system if system in _systems(visit) else "", received)
    except RuleBroken as error:
        return _page(visit, school, error)
    except NoSuchUpload:
        raise NotFound from None
    for _, file in chosen:
        file.keep()
    return visit.go(f"/bring?school={school}&saved=sent")


def save_take_in(visit: Visit) -> Response:
    """Take in the files that were chosen, each of them checked."""
    uploads = [_upload(visit, text) for text in visit.values("upload")]
    if not uploads:
        raise NotFound
    try:
        for upload in uploads:
            step(visit.session, visit.person, upload, "taking_in")
    except RuleBroken as error:
        return _page(visit, uploads[0].school, error)
    return visit.go(f"/bring?school={uploads[0].school}&saved=taking-in")


def save_withdrawal(visit: Visit) -> Response:
    """Withdraw a file; the job deletes its bytes, whose key is gone at once."""
    upload = _upload(visit, visit.part("upload_id"))
    try:
        step(visit.session, visit.person, upload, "withdrawn")
    except RuleBroken as error:
        return _page(visit, upload.school, error)
    return visit.go(f"/bring?school={upload.school}&saved=withdrawn")


def _upload(visit: Visit, text: str) -> Upload:
    upload_id = id_of(text)
    if upload_id is None:
        raise NotFound
    try:
        return upload_of(visit.session, visit.person, upload_id)
    except NoSuchUpload:
        raise NotFound from None


def _systems(visit: Visit) -> list[str]:
    # A school's own confirmed mappings carry the names that were chosen here.
    return [*sorted({one.mapping.system for one in known_mappings(visit.site.home)} - {ANOTHER}), ANOTHER]


def _page(visit: Visit, school: int | None, error: RuleBroken | None = None) -> Response:
    schools = schools_to_bring(visit.session, visit.person)
    if not schools or (school is not None and school not in dict(schools)):
        raise NotFound
    here = school if school is not None else schools[0][0]
    uploads = uploads_of(visit.session, visit.person, here)
    fields = {
        "system": select_field(
            "system",
            "Which system do the files come from?",
            [(name, name) for name in _systems(visit)],
            visit.value("system") or next((one.system for one in uploads), ""),
            empty="Choose a system",
        ),
        "files": _file_field(),
    }
    choices = [(str(urn), name) for urn, name in schools]
    return visit.show(
        "bring.html",
        title="Bring your data",
        status=200 if error is None else 422,
        errors=told_errors(fields, error),
        saved=_SAVED.get(visit.asked("saved"), ""),
        school={"urn": here, "name": dict(schools)[here]},
        schools=select_field("school", "School", choices, str(here)) if len(schools) > 1 else None,
        fields=fields,
        yours=[_row(one) for one in uploads if one.state in WAITING_FOR_A_PERSON],
        checked=[one.id for one in uploads if one.state == "checked"],
        working=[_row(one) for one in uploads if one.state in WAITING_FOR_BELONG],
        slow=_is_slow(uploads),
        over=[_row(one) for one in uploads if one.state in OVER],
        kept_days=KEPT_DAYS,
    )


def _file_field() -> dict[str, Any]:
    most = f"{LIMITS.files} files at once, {LIMITS.file_bytes // MEGABYTE} MB each"
    return {
        "id": "files",
        "name": "files",
        "label": {"text": "Export files, as CSV", "classes": "govuk-label--s"},
        "hint": {"text": f"You can choose several. At most {most}, {LIMITS.all_bytes // MEGABYTE} MB together."},
        "attributes": {"multiple": "multiple", "accept": ".csv,.txt,.gz"},
    }


def _is_slow(uploads: Sequence[Upload]) -> bool:
    """Whether a file has waited so long for Belong that its job may not be running."""
    waiting = [one.moved_at for one in uploads if one.state in WAITING_FOR_BELONG]
    return bool(waiting) and datetime.now(UTC) - min(waiting) > _SLOW


def _row(upload: Upload) -> dict[str, Any]:
    return {
        "id": upload.id,
        "what": KINDS[upload.kind].name if upload.kind else "Not yet known",
        "system": upload.system,
        "size": size_words(upload.size),
        "sent": f"{day_words(upload.sent_at)}, {upload.sent_at:%H:%M} UTC",
        "by": upload.sent_by,
        "state": upload.state,
        "says": upload.state_words,
        "sentence": upload.sentence or _result(upload),
        "open": upload.state in WAITING_FOR_A_PERSON,
        "link": "Confirm the columns" if upload.state == "columns" else "See what was found",
    }


def _result(upload: Upload) -> str:
    rows = counted_rows(upload.findings)
    if upload.state == "checked":
        return (
            f"{count_words(rows.read, 'row', 'rows')}: {rows.accepted:,} would be taken in, {rows.held:,} would wait, "
            f"{rows.quarantined:,} put aside."
        )
    if upload.state == "landed":
        waits = f" {rows.held:,} wait for a proven UPN." if rows.held else ""
        aside = f" {rows.quarantined:,} are put aside." if rows.quarantined else ""
        return f"{count_words(rows.accepted + rows.repeated, 'row is', 'rows are')} among the records.{waits}{aside}"
    return ""


PAGES = (
    Page(
        name="bring your data",
        path="/bring",
        permission="bring_data",
        navigation="Bring data",
        show=show_bring,
        save=save_files,
        takes=LIMITS,
    ),
    Page(name="take files in", path="/bring/take-in", permission="bring_data", save=save_take_in),
    Page(
        name="withdraw a file", path="/bring/files/{upload_id}/withdraw", permission="bring_data", save=save_withdrawal
    ),
)
