"""XML as data from outside: streamed element by element, or refused with the place; entities never.

defusedxml refuses document types, entities and external references before the parser expands anything:
no billion laughs, no quadratic blow-up, no file of ours read into theirs.
"""

import io
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from records.text.delimited import FIELD_CAP_BYTES
from records.text.sheet import FileRefused

XML_CAP_BYTES = 256 << 20
DEPTH_CAP = 32


def elements(
    data: bytes, file: str, *, root: str, names: frozenset[str], field_cap: int = FIELD_CAP_BYTES
) -> Iterator[Element]:
    """Yield each element of one of these names when it is whole, then forget it.

    An element of these names inside another of them is part of the outer one. Namespaces are not used by
    the formats we read: a name with one is another name.

    Raises
    ------
    FileRefused
        The file is larger than `XML_CAP_BYTES`, is not well-formed, declares a document type or entity,
        nests deeper than `DEPTH_CAP`, has another root, or holds a text longer than `FIELD_CAP_BYTES`.
    """
    if len(data) > XML_CAP_BYTES:
        raise _refusal(file, f"byte {XML_CAP_BYTES}", f"the file is larger than {XML_CAP_BYTES >> 20} MB")
    open_elements: list[Element] = []
    inside = 0
    try:
        for event, element in iterparse(
            io.BytesIO(data), ("start", "end"), forbid_dtd=True, forbid_entities=True, forbid_external=True
        ):
            if event == "start":
                _refuse_start(element, open_elements, file, root)
                open_elements.append(element)
                inside += element.tag in names
                continue
            open_elements.pop()
            if len(element.text or "") > FIELD_CAP_BYTES:
                what = f"a text is longer than {FIELD_CAP_BYTES} characters"
                raise _refusal(file, f"element {_named(element)}", what)
            if element.tag in names:
                inside -= 1
                if not inside:
                    yield element
            if not inside and open_elements:
                open_elements[-1].remove(element)
    except ParseError as error:
        line, column = error.position
        raise _refusal(file, f"line {line}, column {column}", "it is not well-formed XML from here on") from error
    except DefusedXmlException as error:
        raise FileRefused(
            file=file,
            place="before the first element",
            what="it declares a document type, an entity or an external reference",
            remedy="export it again; no file of this format needs one",
        ) from error
    except (LookupError, ValueError) as error:
        raise _refusal(file, "line 1", "it declares an encoding that XML readers do not have") from error


def _refuse_start(element: Element, open_elements: list[Element], file: str, root: str) -> None:
    if not open_elements and element.tag != root:
        raise FileRefused(
            file=file,
            place="the first element",
            what=f"it is not {root}",
            remedy="only the Common Transfer File is read as XML; export anything else as CSV",
        )
    if len(open_elements) >= DEPTH_CAP:
        raise _refusal(file, f"an element {DEPTH_CAP + 1} deep", f"elements are nested more than {DEPTH_CAP} deep")


def _named(element: Element) -> str:
    # A name of the file's own choosing may hold anything: only a short plain one is repeated.
    tag = str(element.tag)
    return tag if tag.isascii() and tag.isidentifier() and len(tag) <= 40 else "of another name"


def _refusal(file: str, place: str, what: str) -> FileRefused:
    return FileRefused(file=file, place=place, what=what, remedy="export it again")
