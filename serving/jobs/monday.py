"""Monday's letters: to each who works with pupils, how many are theirs. No pupil, and no link to one."""

import smtplib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path

from sqlalchemy import Engine

from casework.database import connect, scoped
from casework.monday import Letter, letters, note_letter, without_address
from records.clock import clock_of
from records.home import Home
from serving.post import DEMO_ADDRESS, OUTBOX, Carrier, carrier, read_post
from serving.rendering import count_words, day_words

_DEMO_SENDER = "belong@demonstration.invalid"


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What became of a week's letters.

    `refused`: the mail server did not take them; the next run tries again. `outbox`: the demonstration's
    folder, where they went into one.
    """

    outbox: Path | None
    sent: int
    before: int
    refused: int
    without_address: int


def send_monday(home: Home) -> Sent:
    """Send this week's letters to those who have not had theirs.

    A letter is noted in the transaction in which it is handed over, so a run that is killed sends one
    letter twice at most, and none is lost.

    Raises
    ------
    PostRefused
        The home does not say how to send letters, or the mail server takes none.
    """
    today = clock_of(home).today()
    post = read_post(home)
    address, sender = (post.address, post.sender) if post else (DEMO_ADDRESS, _DEMO_SENDER)
    engine = connect(home, "job")
    try:
        with scoped(engine, None) as session:
            due, nowhere = letters(session, today), without_address(session, today)
        with carrier(home, post) as way:
            became = [
                _send(engine, way, letter, message_of(letter, today, home.network, address, sender), today)
                for letter in due
            ]
    finally:
        engine.dispose()
    return Sent(
        outbox=None if post else home.path / OUTBOX,
        sent=became.count("sent"),
        before=became.count("before"),
        refused=became.count("refused"),
        without_address=nowhere,
    )


def _send(engine: Engine, way: Carrier, letter: Letter, message: EmailMessage, today: date) -> str:
    try:
        with scoped(engine, None) as session:
            if not note_letter(session, letter.person_id, today, datetime.now(UTC)):
                return "before"
            way.send_message(message)
    except smtplib.SMTPException:
        # Rolled back: it was not sent, and the next run tries again. Whom it was to stays out of logs.
        return "refused"
    return "sent"


def message_of(letter: Letter, today: date, network: str, address: str, sender: str) -> EmailMessage:
    """Return the letter: counts, and the address of the site."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.email
    message["Subject"] = f"Belong: your week from {day_words(today)}"
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Auto-Submitted"] = "auto-generated"
    message["Message-ID"] = make_msgid(domain=sender.partition("@")[2])
    message["X-Belong-Week"] = today.isoformat()
    lines = [
        "Good morning,",
        "",
        *(_counts(letter) if letter.trained else _untrained()),
        "",
        f"Sign in: {address}",
        "",
        "This letter holds counts only. It names nobody, and links to nobody's page.",
        f"Belong, {network}",
    ]
    message.set_content("\n".join(lines) + "\n")
    return message


def _counts(letter: Letter) -> list[str]:
    if letter.mine:
        new = f", {letter.new} of them new since Monday" if letter.new else ""
        said = [f"{count_words(letter.mine, 'pupil is', 'pupils are')} yours to look after{new}."]
    else:
        said = ["No pupil is yours to look after this week."]
    if letter.overdue:
        said.append(f"{count_words(letter.overdue, 'review is', 'reviews are')} overdue.")
    if letter.ownerless:
        said.append(
            f"{count_words(letter.ownerless, 'pupil', 'pupils')} where you lead "
            f"{'has' if letter.ownerless == 1 else 'have'} nobody who looks after them yet; until someone does, you do."
        )
    return said


def _untrained() -> list[str]:
    return [
        "Your training in reading flags is not current, so your list is closed until you take it. It takes ten minutes."
    ]
