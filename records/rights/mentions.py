"""Whether a row of text speaks of a pupil: by number, or by both names and the date of birth."""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import Literal

from records.home import Home
from records.pseudonym import pseudonyms, read_pepper
from records.rights.holding import Subject

Mention = Literal["", "theirs", "perhaps"]
# How exports write a day; the format of a file is not asked, since a row may be here because it broke it.
_DAYS = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y%m%d", "%d/%m/%y", "%d %B %Y", "%d %b %Y")
_ENCODINGS = ("utf-8", "cp1252")
_NUMBER = re.compile(rb"(?<![0-9A-Za-z])[A-Za-z][0-9]{11}[0-9A-Za-z](?![0-9A-Za-z])")


class Seeker:
    """Looks for one pupil in rows of bytes, whatever their separator and (of those common here) encoding.

    Every number met is turned into its pseudonym, so that former numbers which nobody kept are found too.
    """

    def __init__(self, home: Home, subject: Subject) -> None:
        self._pepper = read_pepper(home)
        self._pseudonyms = frozenset(subject.pseudonyms)
        self._met: dict[bytes, bool] = {}
        self._numbers = [_word(b" ?".join(re.escape(letter.encode()) for letter in n)) for n in subject.numbers]
        self._names = [_either(subject.forename), _either(subject.surname)]
        born = subject.date_of_birth
        self._born = [] if born is None else [_word(re.escape(born.strftime(form).encode())) for form in _DAYS]
        self._named = bool(subject.forename and subject.surname)

    def mention(self, row: bytes) -> Mention:
        """Return 'theirs' where the row has the number, or names and date of birth; 'perhaps' for names alone."""
        if any(map(self._mine, _NUMBER.findall(row))) or any(number.search(row) for number in self._numbers):
            return "theirs"
        if not self._named or not all(name.search(row) for name in self._names):
            return ""
        return "theirs" if any(day.search(row) for day in self._born) else "perhaps"

    def knows(self, pseudonym: int) -> bool:
        """Whether it is one of the pupil's."""
        return pseudonym in self._pseudonyms

    def _mine(self, number: bytes) -> bool:
        if number not in self._met:
            self._met[number] = int(pseudonyms([number.decode()], self._pepper)[0]) in self._pseudonyms
        return self._met[number]


def rows_of(lines: Iterable[bytes]) -> Iterator[tuple[list[str], bytes]]:
    """Yield each row of a CSV file as cells (as if Latin-1) and as the bytes that it was: a quoted cell may span lines.

    What no CSV reader takes (a bare NUL, an endless cell) comes line by line.
    """
    taken: list[bytes] = []

    def fed() -> Iterator[str]:
        for line in source:
            taken.append(line)
            yield line.decode("latin-1")

    source = iter(lines)
    reader = csv.reader(fed())
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:
            for line in taken:
                yield [], line
            taken.clear()
            reader = csv.reader(fed())
            continue
        yield cells, b"".join(taken)
        taken.clear()
    if taken:
        yield [], b"".join(taken)


def _word(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"(?<![0-9A-Za-z])" + pattern + rb"(?![0-9A-Za-z])", re.IGNORECASE)


def _either(name: str) -> re.Pattern[bytes]:
    forms = set()
    for encoding in _ENCODINGS:
        for form in (name, name.lower(), name.upper()):
            forms.add(re.escape(form.encode(encoding, errors="replace")))
    return _word(b"(?:" + b"|".join(sorted(forms)) + b")")
