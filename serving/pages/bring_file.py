"""One file that a school brings: confirm what its columns are, then see what would come of its rows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from starlette.responses import Response

from casework.rules import RuleBroken
from casework.upload_states import WAITING_FOR_A_PERSON
from casework.uploads import NoSuchUpload, Upload, step, upload_of
from records.readers.claims import known_mappings
from records.readers.confirmed import Confirmed, mapping_of
from records.readers.mapping import MappingRefused
from records.readers.proposing import DATES, FILLED, Proposal, columns_for, columns_of
from records.text.encoding import ENCODINGS
from serving.form_fields import id_of, select_field, told_errors
from serving.page import NotFound, Page, Visit
from serving.pages.bring_words import KINDS, column_hint, column_words, counted_rows, size_words
from serving.rendering import day_words

NOT_READ: Final = "Not in this file"
_EXAMPLE: Final = datetime(2025, 2, 14, 9, 30)
_ENCODINGS: Final[Mapping[str, str]] = {
    "utf-8": "UTF-8 (most newer systems)",
    "cp1252": "Windows (cp1252; SIMS, older systems)",
    "utf-16": "UTF-16 (Excel's 'Unicode text')",
}
if _ENCODINGS.keys() != ENCODINGS.keys():
    raise ValueError("the page must name every encoding that is read")


def show_file(visit: Visit) -> Response:
    """Show the columns to confirm, or what was found in the rows."""
    upload = _upload(visit)
    if upload.state == "columns" or (upload.state == "checked" and visit.asked("columns")):
        return _columns_page(visit, upload, _proposed(visit, upload, visit.asked("kind")))
    if upload.state == "checked":
        return _found_page(visit, upload)
    return visit.go(f"/bring?school={upload.school}")


def save_columns(visit: Visit) -> Response:
    """Save what a person says the columns are; the job makes it the mapping, and checks the rows by it."""
    upload = _upload(visit)
    proposal = _proposed(visit, upload, visit.value("kind"))
    try:
        said = _said(visit, proposal)
        _check(upload, said)
    except RuleBroken as error:
        return _columns_page(visit, upload, proposal, error)
    columns = {
        "encoding": said.encoding,
        "delimiter": said.delimiter,
        "dates": said.dates,
        "headings": list(said.headings),
        "columns": dict(said.columns),
        "own_dates": dict(said.own_dates),
        "words": {name: dict(words) for name, words in said.words.items()},
        "times": dict(said.times),
    }
    try:
        step(visit.session, visit.person, upload, "confirmed", columns=columns, kind=said.table)
    except RuleBroken as error:
        return _columns_page(visit, upload, said, error)
    return visit.go(f"/bring?school={upload.school}&saved=confirmed")


def _upload(visit: Visit) -> Upload:
    upload_id = id_of(visit.part("upload_id"))
    if upload_id is None:
        raise NotFound
    try:
        found = upload_of(visit.session, visit.person, upload_id)
    except NoSuchUpload:
        raise NotFound from None
    if visit.request.method == "POST" and found.state not in WAITING_FOR_A_PERSON:
        raise NotFound
    return found


def _proposed(visit: Visit, upload: Upload, kind: str) -> Proposal:
    """Return the job's proposal, or what a person confirmed before; for another kind, what its headings would fill."""
    kept = {**upload.proposal, **upload.columns}
    proposal = Proposal(**{**kept, "table": upload.kind, "headings": tuple(kept["headings"])})
    if not kind or kind == proposal.table or kind not in KINDS:
        return proposal
    columns = columns_for(kind, proposal.headings, known_mappings(visit.site.home))
    return replace(proposal, table=kind, columns=columns, own_dates={}, words={}, times={})


def _said(visit: Visit, proposal: Proposal) -> Proposal:
    """Return what the form says. What goes with a heading goes only where the heading stays."""
    chosen = {name: visit.value(f"column-{name}") for name in columns_of(proposal.table)}
    columns = {name: heading for name, heading in chosen.items() if heading in proposal.headings and heading}
    same = {name for name, heading in columns.items() if proposal.columns.get(name) == heading}
    dates = visit.value("dates")
    if dates not in DATES:
        raise RuleBroken("Select how days are written.", "dates")
    if visit.value("encoding") not in ENCODINGS:
        raise RuleBroken("Select what the file is written in.", "encoding")
    return replace(
        proposal,
        columns=columns,
        dates=dates,
        encoding=visit.value("encoding"),
        own_dates={name: own for name, own in proposal.own_dates.items() if name in same},
        words={name: words for name, words in proposal.words.items() if name in same},
        times={name: times for name, times in proposal.times.items() if name in same},
    )


def _check(upload: Upload, said: Proposal) -> None:
    for name, needed in columns_of(said.table).items():
        if needed and name not in said.columns and name not in FILLED:
            raise RuleBroken(
                f"Every row needs '{column_words(name)}'. Select its heading, or export the file with it.",
                f"column-{name}",
            )
    try:
        mapping_of(
            Confirmed(
                school=upload.school,
                system=upload.system,
                table=said.table,
                encoding=said.encoding,
                delimiter=said.delimiter,
                dates=said.dates,
                headings=said.headings,
                columns=said.columns,
                own_dates=said.own_dates,
                words=said.words,
                times=said.times,
            )
        )
    except MappingRefused as refusal:
        raise RuleBroken(f"These columns cannot be used: {refusal}") from refusal


def _columns_page(visit: Visit, upload: Upload, said: Proposal, error: RuleBroken | None = None) -> Response:
    headings = [(name, name) for name in said.headings if name]
    fields: dict[str, dict[str, Any]] = {
        "encoding": select_field(
            "encoding", "What is it written in?", list(_ENCODINGS.items()), visit.value("encoding") or said.encoding
        ),
        "dates": select_field(
            "dates",
            "How are days written?",
            [(dates, _EXAMPLE.strftime(dates)) for dates in DATES],
            visit.value("dates") or said.dates,
        ),
    }
    for name, needed in columns_of(said.table).items():
        chosen = visit.value(f"column-{name}") if error else said.columns.get(name, "")
        label = column_words(name) + ("" if needed and name not in FILLED else " (may be missing)")
        field = select_field(f"column-{name}", label, headings, chosen, empty=NOT_READ)
        fields[f"column-{name}"] = {**field, "hint": {"text": column_hint(said.table, name)}}
    used = set(said.columns.values())
    return visit.show(
        "bring_columns.html",
        title="Confirm the columns",
        status=200 if error is None else 422,
        errors=told_errors(fields, error),
        upload=_about(upload),
        kind=said.table,
        kind_words=KINDS[said.table].name,
        kinds=select_field("kind", "What is this file?", [(name, one.name) for name, one in KINDS.items()], said.table),
        first=[fields.pop("encoding"), fields.pop("dates")],
        fields=list(fields.values()),
        not_read=[name for name in said.headings if name and name not in used],
    )


def _found_page(visit: Visit, upload: Upload) -> Response:
    found = upload.findings
    return visit.show(
        "bring_found.html",
        title="What was found",
        upload=_about(upload),
        kind_words=KINDS[upload.kind].name,
        rows=counted_rows(found),
        first=day_words(found["first"]),
        last=day_words(found["last"]),
        held=found["held_for"],
        broken=found["broken"],
        faults=found["faults"],
        left_out=[_field_words(name) for name in found["left_out"]],
    )


def _field_words(name: str) -> str:
    table, _, column = name.partition(".")
    kind = KINDS[table].name if table in KINDS else "Names and numbers of pupils"
    return f"{kind}: {column_words(column)}" if column else f"{kind}, all of it"


def _about(upload: Upload) -> dict[str, Any]:
    return {
        "id": upload.id,
        "school": upload.school,
        "system": upload.system,
        "size": size_words(upload.size),
        "sent": day_words(upload.sent_at),
        "by": upload.sent_by,
    }


PAGES = (
    Page(
        name="one file that was brought",
        path="/bring/files/{upload_id}",
        permission="bring_data",
        show=show_file,
        save=save_columns,
    ),
)
