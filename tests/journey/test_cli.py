"""The command line as people use it: help, exit codes, and refusals of one sentence without a traceback."""

import re
import shutil
import socket
import sys
from collections.abc import Iterator

import pytest
import uvicorn

from records.home import HOME_FILE, Home, create_home
from serving import cli
from serving.jobs.web import NotServed, check_ports
from tests import export_files as files
from tests.command_line import DONE, REFUSED, refused
from tests.deployed import clear

OPTIONS = {
    "simulate": (
        "--out --pupils --schools --phase --first-year --years --until --seed --mess --world --injustice --as --truth "
        "--jobs --report"
    ),
    "pull": "--since --base --home",
    "ingest": "--home --network",
    "mappings": "--home --check",
    "agreements": "--home --check --template --out",
    "quality": "--home --school --out --accept --until --reason --by",
    "features": "--as-of --home --out",
    "train": "--home --mlruns --person --seed --settings --approach --dask --fair --point",
    "evaluate": "--scores --home",
    "looks": "--head",
    "monday": "--home",
    "uploads": "--home --watch --seconds",
    "runs": "--home --mlruns --most --metric --json",
    "mlflow": "--mlruns --host --port",
    "search": "--home --mlruns --trials --seed --choose --out",
    "audit": "--home --leave-one-out",
    "sign": "--person --role --keys --refuse --reason --monitoring-plan --review-date --expires-on --home",
    "verify": "--home",
    "report": "--home --out",
    "documents": "--home --out --template",
    "revoke": "--reason --person --role --keys --home",
    "reconcile": "--home --mlruns",
    "monitor": "--home",
    "deploy": "--home --mlruns",
    "score": "--as-of --home",
    "impact": "--home --example --register --restore --worth",
    "serve": "--home --port --address",
    "purge": "--home",
    "demo": "--home --mlruns --pupils --schools --seed --world --port --no-serve",
}
DOES = {
    "simulate": "Write the export files of a simulated network",
    "pull": "Pull schools' records from Wonde into the landing folder",
    "ingest": "Read a school's or a network's export files into the home",
    "mappings": "List the column mappings that belong ingest reads school systems' CSV files by",
    "agreements": "Print the record of processing",
    "quality": "Say which schools' records are in doubt and not scored",
    "features": "Build every pupil's features as they were known on a day",
    "train": "Train a candidate on what is known today",
    "evaluate": "Judge a simulation's true hazards beside a candidate",
    "looks": "Check the whole log of looks, and write its head for another custodian",
    "monday": "Write to each who works with pupils how many are theirs this week",
    "uploads": "Look at files that schools brought on the page",
    "runs": "Compare the candidates that were trained",
    "mlflow": "Open MLflow's own pages on this machine",
    "search": "Search for settings",
    "audit": "Audit a candidate's held-out flags group by group",
    "sign": "Decide on a candidate's approval: sign it, or refuse",
    "verify": "Check, offline, the ledger, and whether a candidate's bytes and signatures would let it serve today",
    "report": "Write the board's report on a candidate's audit",
    "documents": "Write the governance documents as drafts",
    "revoke": "End an approval at once, by one signature",
    "reconcile": "Compare what MLflow's alias, the database and the home say is deployed",
    "monitor": "Look at what serves, each week",
    "deploy": "Deploy a signed candidate",
    "score": "Score every pupil with the deployed model",
    "impact": "Does a flag help? Publish each registered study that is due",
    "purge": "Delete what is past its time",
    "serve": "Serve the pages and the scoring endpoint on loopback",
    "demo": "Run the whole chain on a simulated network",
}


@pytest.fixture
def home(casework_home: Home) -> Iterator[Home]:
    """The home whose database runs, without records."""
    _empty(casework_home)
    yield casework_home
    _empty(casework_home)


def _empty(home: Home) -> None:
    clear(home)
    for name in ("protected", "held", "quarantine", "loads"):
        shutil.rmtree(home.path / name, ignore_errors=True)


class TestHelp:
    def test_every_command_is_listed_with_what_it_does(self, belong):
        said = belong("--help")
        assert said.code == DONE
        assert [name for name, words in DOES.items() if words not in said.words] == []
        assert "0 done, 1 crash, 2 input refused, 3 the gate said FAIL, 4 the gate said NOT_SETTLED" in said.words

    @pytest.mark.parametrize("command", OPTIONS)
    def test_a_command_says_what_it_does_and_names_its_options(self, belong, command):
        said = belong(command, "--help")
        assert said.code == DONE
        assert DOES[command] in said.words
        listed = set(re.findall(r"(?<!\S)--[a-z][a-z-]*", re.sub(r"[│*]", " ", said.out))) - {"--help", "--no-report"}
        assert listed >= set(OPTIONS[command].split())

    def test_no_command_is_missing_here(self):
        assert {command.callback.__name__ for command in cli.app.registered_commands} == set(OPTIONS)

    @pytest.mark.parametrize("arguments", [(), ("forecast",), ("score", "--school", "1"), ("sign", "ab")])
    def test_what_is_no_command_is_refused_with_its_usage(self, belong, arguments):
        said = belong(*arguments)
        assert said.code == REFUSED
        assert "Usage: belong" in said.words


class TestWithoutAHome:
    @pytest.mark.parametrize(
        "arguments",
        [
            ("features",),
            ("pull", "A1930499544"),
            ("ingest",),
            ("train",),
            ("audit", "0" * 64),
            ("sign", "0" * 64, "--person", "a", "--role", "board_member", "--keys", "keys"),
            ("verify", "0" * 64),
            ("deploy", "0" * 64),
            ("score",),
            ("serve",),
        ],
        ids=lambda arguments: arguments[0],
    )
    def test_no_home_is_refused_and_none_is_made(self, belong, tmp_path, arguments):
        refused(belong(*arguments, "--home", tmp_path / "none"), "is not a Belong home (no home.toml)")
        assert not (tmp_path / "none").exists()

    @pytest.mark.parametrize(
        ("said", "sentence"),
        [
            ("network = 3", "network is 3; write it as text in quotes"),
            ('demo = "false"', "demo is 'false'; write it as true or false"),
            ("today = 2026-06-22T00:00:00", "write it as YYYY-MM-DD"),
            ("shards = 0", "shards must be 1 to 4096, not 0"),
            ("colour = 1", "it says colour; a home may say network, demo, today, shards, pepper_version"),
            ("network", "home.toml cannot be used"),
        ],
    )
    def test_a_home_that_says_something_else(self, belong, tmp_path, said, sentence):
        (tmp_path / HOME_FILE).write_text(said + "\n")
        refused(belong("score", "--home", tmp_path), sentence)

    def test_a_file_is_no_home(self, belong, tmp_path):
        (tmp_path / "file").write_text("")
        refused(belong("score", "--home", tmp_path / "file"), "cannot be read")
        source = files.write(tmp_path / "in", "schools.csv")
        refused(belong("ingest", source, "--home", tmp_path / "file"), "cannot be made a home")

    def test_a_frozen_today_beside_a_database_of_its_own(self, belong, tmp_path, monkeypatch):
        monkeypatch.setenv("BELONG_DATABASE_URL", "postgresql://nowhere/belong")
        refused(belong("score", "--home", files.make_home(tmp_path).path), "which only the demonstration may do")


class TestDays:
    @pytest.mark.parametrize("day", ["2026-13-01", "22/06/2026", "tomorrow", ""])
    @pytest.mark.parametrize("command", ["score", "features"])
    def test_a_bad_day_is_refused_with_the_way_to_write_it(self, belong, tmp_path, command, day):
        said = belong(command, "--as-of", day, "--home", files.make_home(tmp_path).path)
        assert said.code == REFUSED
        assert f"--as-of: {day!r} is not a day; write it as YYYY-MM-DD" in said.words

    def test_a_day_to_come(self, belong, tmp_path):
        home = files.make_home(tmp_path)
        refused(belong("features", "--as-of", "2025-07-02", "--home", home.path), "a day to come; today is 2025-07-01")
        said = belong("score", "--as-of", "2025-07-02", "--home", home.path)
        assert (said.code, said.out) == (REFUSED, said.out)
        assert "2025-07-02 lies ahead; today is 2025-07-01" in said.words


class TestRecords:
    def test_ingest_tells_each_table_what_is_put_aside_and_what_to_do(self, belong, home, tmp_path):
        files.write(tmp_path, "schools.csv", "900001,2019999,Test School,SS,2020-09-01,2020-09-01")
        files.write(tmp_path, "enrolments_900001_20250701.csv", files.ENROLMENT)
        rows = [files.MARK, files.MARK.replace(",/,", ",?,"), files.MARK.replace(files.ANN, "A201100018042")]
        files.write(tmp_path, "marks_900001_20250701.csv", *rows)
        refused(belong("ingest", "--home", home.path), "put the export files there, or name where they are")
        shutil.copytree(tmp_path, home.landing)
        said = belong("ingest", "--home", home.path)
        assert said.code == DONE
        assert re.search(r"^marks +3 +1 +0 +1 +1$", said.out, re.MULTILINE)
        assert "1 UPN's check letter does not match its digits (marks); correct the UPN" in said.words
        assert (
            "1 attendance code is not in the list (marks); use a code of the list: DfE attendance codes" in said.words
        )
        (folder,) = home.quarantine.iterdir()
        assert f"1 marks_900001_20250701.csv: {folder}" in said.words
        assert (folder / "faults.csv").read_text(encoding="utf-8").splitlines()[0] == (
            '"file","line","column","value_class","rule","remedy"'
        )
        assert not [secret for secret in (files.ANN, "A201100018042", "Testann") if secret in said.words]

    def test_the_same_files_twice_are_already_loaded(self, belong, home, tmp_path):
        for day in range(10, 15):
            row = files.MARK.replace("2025-03-03", f"2025-03-{day}")
            files.write(tmp_path, f"marks_900001_202503{day}.csv", row)
        assert belong("ingest", tmp_path, "--home", home.path).code == DONE
        said = belong("ingest", tmp_path, "--home", home.path)
        assert said.code == DONE
        named = ", ".join(f"marks_900001_202503{day}.csv" for day in (10, 11, 12))
        assert f"already loaded, nothing changed: 5 exports ({named}, ...)" in said.words

    @pytest.mark.parametrize(
        ("name", "content", "sentence"),
        [
            ("marks_1_2.csv", b"upn,urn\n", "marks_1_2.csv, line 1: the heading is not this format's (missing: date,"),
            ("marks_1_2.csv", b"upn,urn,date,session,code,updated_on\nx,\x00", "byte 39: there is a NUL byte"),
            ("pictures.csv", b"a,b\n1,2\n", "pictures.csv, name: no reader knows a file of this name"),
        ],
    )
    def test_a_refused_file_names_the_place(self, belong, home, tmp_path, name, content, sentence):
        (tmp_path / name).write_bytes(content)
        said = belong("ingest", tmp_path, "--home", home.path)
        assert said.code == REFUSED
        assert f"REFUSED {name}, " in said.words
        assert sentence in said.words

    def test_a_folder_that_is_no_export(self, belong, home, tmp_path):
        (tmp_path / "readme.txt").write_text("not an export")
        said = belong("ingest", tmp_path, "--home", home.path)
        assert said.code == REFUSED
        assert "nothing to read: no export file of a known format is there" in said.words

    def test_a_source_that_is_not_there_makes_no_home(self, belong, tmp_path):
        refused(belong("ingest", tmp_path / "none", "--home", tmp_path / "home"), "there is no file or folder")
        assert not (tmp_path / "home").exists()

    def test_features_need_pupils_and_a_folder_to_write_in(self, belong, tmp_path):
        path = files.make_home(tmp_path / "home").path
        refused(belong("features", "--home", path), "no pupil is known to have been on roll as of 2025-07-01")
        refused(belong("features", "--home", path, "--out", tmp_path / "none" / "x.parquet"), "there is no folder")

    @pytest.mark.parametrize(
        ("option", "sentence"),
        [
            (("--pupils", 3), "Refused: a school needs 12 to 4,000 pupils, so 1 of them cannot have 3"),
            (("--phase", "XY"), "Refused: phase must be one of PS, SS, AT, SP, not XY"),
            (("--as", "paper"), "Refused: --as must be one of network, compact, "),
            (("--as", "sims", "--pupils", 30_000), "--as sims is written for at most 20,000 pupils, not 30,000"),
            (("--first-year", 99999), "--first-year"),
            (("--until", "soon"), "--until: 'soon' is not a day"),
        ],
    )
    def test_a_plan_that_cannot_be_simulated(self, belong, tmp_path, option, sentence):
        said = belong("simulate", "--out", tmp_path / "out", *option)
        assert said.code == REFUSED
        assert sentence in said.words
        assert not (tmp_path / "out").exists()


class TestTheSite:
    def test_a_port_in_use_is_refused_before_any_work(self, belong, tmp_path):
        home = files.make_home(tmp_path)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            refused(belong("serve", "--home", home.path, "--port", port), f"port {port} cannot be used")
            refused(belong("demo", "--home", tmp_path / "demo", "--port", port), f"port {port} cannot be used")
            with pytest.raises(NotServed, match="must differ"):
                check_ports(port, port)
        assert not (tmp_path / "demo").exists()

    def test_ctrl_c_is_how_serving_ends(self, belong, home, monkeypatch):
        def interrupted(server: uvicorn.Server, sockets: list[socket.socket]) -> None:
            assert sockets[0].getsockname()[0] == "127.0.0.1"
            server.started = True
            raise KeyboardInterrupt

        monkeypatch.setattr(uvicorn.Server, "run", interrupted)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        assert belong("serve", "--home", home.path, "--port", port).code == DONE
        monkeypatch.setattr(uvicorn.Server, "run", lambda *_, **__: None)
        refused(belong("serve", "--home", home.path, "--port", port), "the site did not start")

    def test_a_demonstration_in_the_home_of_a_network(self, belong, tmp_path):
        create_home(tmp_path / "home", network="A network")
        refused(belong("demo", "--home", tmp_path / "home", "--no-serve"), "is already a home with demo = false")

    def test_no_room_is_refused_input_and_other_faults_are_crashes(self, belong, tmp_path, monkeypatch):
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device", "home.toml")

        monkeypatch.setattr("records.home.open_home", full)
        refused(belong("score", "--home", tmp_path), "home.toml: No space left on device")

        def broken(*_: object) -> None:
            raise OSError(5, "Input/output error", "home.toml")

        monkeypatch.setattr("records.home.open_home", broken)
        monkeypatch.setattr(sys, "argv", ["belong", "score"])
        with pytest.raises(OSError, match="Input/output error"):
            cli.main()
