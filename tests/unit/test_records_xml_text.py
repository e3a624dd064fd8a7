"""XML from outside: entities, depth and size are refused, and no file of ours is read into theirs (FAULTS 5, 6)."""

import pytest

from records.text import xml_text
from records.text.sheet import FileRefused
from records.text.xml_text import elements

BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(9))


def read(data: bytes) -> list[str | None]:
    return [element.text for element in elements(data, "p.xml", root="r", names=frozenset({"p"}))]


def test_elements_come_one_by_one_and_are_forgotten():
    found = []
    for element in elements(
        b"<r><h>x</h><q><p>1<p>in</p></p><p>2</p></q></r>", "p.xml", root="r", names=frozenset({"p"})
    ):
        found.append((element.text, len(element)))
    assert found == [("1", 1), ("2", 0)]


@pytest.mark.parametrize(
    "declared",
    [
        f"<!DOCTYPE r [{BOMB}]>",  # billion laughs
        f'<!DOCTYPE r [<!ENTITY a "{"x" * 50_000}">]>',  # quadratic blow-up
        '<!DOCTYPE r [<!ENTITY a SYSTEM "SECRET">]>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/outside.dtd">',
        '<!DOCTYPE r PUBLIC "a" "http://127.0.0.1:9/outside.dtd">',
        "<!DOCTYPE r>",
    ],
)
def test_a_document_type_is_refused_before_anything_is_expanded_or_opened(declared, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("do not read me")
    data = declared.replace("SECRET", secret.as_uri()) + "<r><p>&a;</p></r>"
    with pytest.raises(FileRefused, match="declares a document type, an entity or an external reference") as refused:
        read(data.encode())
    assert "do not read me" not in str(refused.value)


def test_200_000_levels_are_refused_and_not_a_crash():
    with pytest.raises(FileRefused, match="an element 33 deep: elements are nested more than 32 deep"):
        read(b"<r>" + b"<a>" * 200_000 + b"</a>" * 200_000 + b"</r>")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<r><p>1</p>", "line 1, column 11: it is not well-formed"),
        (b"<r><p>1</q></r>", "line 1, column 9: it is not well-formed"),
        (b"<r>\n<p>&nbsp;</p></r>", "line 2, column 3: it is not well-formed"),
        (b"<r><p>\x00</p></r>", "line 1, column 6: it is not well-formed"),
        (b"", "line 1, column 0: it is not well-formed"),
        (b'<?xml version="1.0" encoding="UTF-8"?><r><p>Zo\xeb</p></r>', "line 1, column 46: it is not well-formed"),
        (b'<?xml version="1.0" encoding="no-such"?><r/>', "it declares an encoding that XML readers do not have"),
        (b"<other><p>1</p></other>", "the first element: it is not r"),
        (b"<r><p>" + b"x" * 10_001 + b"</p></r>", "element p: a text is longer than 10000 characters"),
        (b"<r><\xc3\xa9>" + b"x" * 10_001 + b"</\xc3\xa9></r>", "element of another name: a text is longer"),
    ],
)
def test_damage_is_refused_with_its_place(data, message):
    with pytest.raises(FileRefused, match=message):
        read(data)


def test_the_encoding_that_a_file_declares_is_the_one_it_is_read_in():
    assert read('<?xml version="1.0" encoding="ISO-8859-1"?><r><p>Zoë</p></r>'.encode("latin-1")) == ["Zoë"]
    assert read('<?xml version="1.0" encoding="windows-1252"?><r><p>€Zoë</p></r>'.encode("cp1252")) == ["€Zoë"]


def test_a_file_over_the_cap_is_refused(monkeypatch):
    monkeypatch.setattr(xml_text, "XML_CAP_BYTES", 1 << 20)
    with pytest.raises(FileRefused, match="larger than 1 MB"):
        read(b"<r>" + b" " * (1 << 20) + b"</r>")
