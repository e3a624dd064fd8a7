"""Monday's letters: counts worked by hand, nobody named, sent once, through a mail server or into the outbox."""

import email
import email.policy
import socket
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller

from casework.database import connect, scoped
from casework.handover import NewCover, arrange_cover, hand_over
from casework.people import NewPerson, Role, add_person, person_by_id
from records.home import create_home
from serving.commands.options import Exit
from serving.commands.site import monday
from serving.jobs.monday import send_monday
from serving.post import PostRefused, read_post
from tests.database import (
    NORTH,
    SOUTH,
    TODAY,
    identity,
    job_session,
    publication,
    publish_now,
    save_pupils,
    superuser,
)

PUPILS = {11: NORTH, 12: NORTH, 13: NORTH, 22: SOUTH}
STAFF = {
    "lead": ("school_lead", NORTH, 30),
    "amina": ("school_staff", NORTH, 30),
    "bola": ("school_staff", NORTH, 30),
    "untrained": ("school_staff", NORTH, 365),
    "south": ("school_lead", SOUTH, 30),
    "network": ("network_lead", None, 30),
}


@pytest.fixture
def people(casework_home):
    """Everybody is on the list; amina owns 11 and 12 (12 for a week, unseen), bola covers for her, 13 is nobody's."""
    save_pupils(casework_home, *(identity(pupil, school) for pupil, school in PUPILS.items()))
    publish_now(casework_home, publication(PUPILS, flagged=tuple(PUPILS)))
    found = {}
    with job_session(casework_home) as session:
        for name, (role, school, days) in STAFF.items():
            new = NewPerson(
                issuer="https://issuer.test",
                subject=name,
                name=name,
                email=f"{name}@school.test",
                roles=(Role(name=role, school=school),),
                training_on=TODAY - timedelta(days=days),
            )
            found[name] = person_by_id(session, add_person(session, new), TODAY)
    with superuser(casework_home) as connection:
        connection.execute(
            "UPDATE cases SET opened_on = %s FROM pupils p WHERE p.id = pupil_id AND pseudonym = 12",
            [TODAY - timedelta(days=7)],
        )
        cases = dict(
            connection.execute("SELECT pseudonym, c.id FROM cases c JOIN pupils p ON p.id = c.pupil_id").fetchall()
        )
    app = connect(casework_home, "app")
    with scoped(app, frozenset({NORTH})) as session:
        hand_over(session, found["lead"], [cases[11], cases[12]], found["amina"].id, TODAY)
        new = NewCover(school=NORTH, away=found["amina"].id, covering=found["bola"].id, from_on=TODAY, until_on=TODAY)
        arrange_cover(session, found["lead"], new, TODAY)
    app.dispose()
    return casework_home


@pytest.fixture
def outbox(people):
    folder = people.path / "outbox"
    yield folder
    for letter in folder.glob("*"):
        letter.unlink()


def letter_to(folder, name):
    raw = (folder / f"{TODAY.isoformat()}-{name}.eml").read_bytes()
    return email.message_from_bytes(raw, policy=email.policy.default)


def test_each_letter_says_how_many_are_theirs_and_names_nobody(people, outbox):
    sent = send_monday(people)
    assert (sent.sent, sent.before, sent.refused, sent.without_address, sent.outbox) == (5, 0, 0, 0, outbox)
    words = {name: letter_to(outbox, name).get_content() for name in STAFF if name != "network"}
    assert not (outbox / f"{TODAY.isoformat()}-network.eml").exists()
    for name in ("amina", "bola"):
        assert "2 pupils are yours to look after, 1 of them new since Monday.\n1 review is overdue." in words[name]
        assert "nobody who looks after" not in words[name]
    assert "1 pupil is yours to look after, 1 of them new" in words["lead"]
    assert "1 pupil where you lead has nobody who looks after them yet; until someone does, you do." in words["lead"]
    assert "Your training in reading flags is not current" in words["untrained"]
    assert "1 pupil is yours" in words["south"]
    with superuser(people) as connection:
        ids = [
            str(row[0])
            for table in ("pupils", "cases", "people")
            for row in connection.execute(f"SELECT id FROM {table}")
        ]
    for name, said in words.items():
        whole = letter_to(outbox, name).as_string()
        assert [one for one in ("Pupil11", "Example", "North", *ids) if one in whole] == []
        assert "Sign in: http://127.0.0.1:8000\n" in said
        assert whole.count("http") == 1


def test_a_second_run_sends_none_twice_and_the_next_week_sends_anew(people, outbox):
    assert send_monday(people).sent == 5
    again = send_monday(people)
    assert (again.sent, again.before) == (0, 5)
    later = create_home(people.path, demo=True, today=TODAY + timedelta(days=7))
    try:
        assert send_monday(later).sent == 5
    finally:
        create_home(people.path, demo=True, today=TODAY)


def test_the_command_says_how_many_went_where_and_whom_it_could_not_write_to(people, outbox, capsys):
    with superuser(people) as connection:
        connection.execute("UPDATE people SET email = NULL WHERE subject = 'amina'")
    assert monday(home=people.path) == Exit.DONE
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith(f"4 letters sent into {outbox}")
    assert "1 people who work with pupils have no address to write to" in said
    assert monday(home=people.path) == Exit.DONE
    assert "0 letters sent" in capsys.readouterr().out


class Sink:
    """A mail server's handler that keeps what comes, and turns one recipient away."""

    def __init__(self):
        self.letters = []

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("bola@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.letters.append(
            (envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default))
        )
        return "250 OK"


def post_file(home, **changes):
    said = {"address": "https://belong.test", "sender": "belong@network.test", "host": "127.0.0.1", "security": "none"}
    lines = [
        f"{name} = {value}" if isinstance(value, int) else f'{name} = "{value}"'
        for name, value in (said | changes).items()
    ]
    path = home.path / "post.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_mail_server_gets_the_letters_and_one_that_it_refuses_is_tried_again(people):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    sink = Sink()
    server = Controller(sink, hostname="127.0.0.1", port=port)
    path = post_file(people, port=port)
    server.start()
    try:
        first, second = send_monday(people), send_monday(people)
    finally:
        server.stop()
        path.unlink()
    assert (first.sent, first.refused, first.outbox) == (4, 1, None)
    assert (second.sent, second.before, second.refused) == (0, 4, 1)
    assert sorted(to for (to,), _ in sink.letters) == sorted(
        f"{n}@school.test" for n in ("amina", "lead", "south", "untrained")
    )
    (amina,) = [letter for (to,), letter in sink.letters if to.startswith("amina")]
    assert (amina["From"], amina["Subject"]) == ("belong@network.test", "Belong: your week from 22 June 2026")
    assert "https://belong.test" in amina.get_content()


def test_a_mail_server_that_cannot_be_reached_is_said_and_nothing_counts_as_sent(people, outbox):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        path = post_file(people, port=closed.getsockname()[1])
        with pytest.raises(PostRefused, match="takes no letters"):
            send_monday(people)
    path.unlink()
    assert send_monday(people).sent == 5


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"host": "mail.example.org"}, "security 'none' is for a mail server on this machine"),
        ({"address": "https://belong.test/pupils"}, "address"),
        ({"username": "me"}, "username and password_file go together"),
        ({"sender": "nobody"}, "sender"),
        ({"ports": 25}, "ports"),
    ],
)
def test_a_post_file_that_cannot_be_is_refused_with_the_place(tmp_path, changes, sentence):
    home = create_home(tmp_path, demo=True)
    post_file(home, **changes)
    with pytest.raises(PostRefused, match=sentence):
        read_post(home)


def test_a_real_home_must_say_how_letters_go(tmp_path):
    with pytest.raises(PostRefused, match=r"post\.toml is missing"):
        read_post(create_home(tmp_path, demo=False))
