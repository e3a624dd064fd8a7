"""Files in any order, split over ingests in any way, end in the same records for every as-of day."""

from datetime import date
from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from records.history import latest
from records.home import Home
from records.intake.ingest import ingest
from records.pseudonym import create_pepper
from records.store import Store
from records.tables import TABLES
from tests import export_files as files
from tests.export_files import ANN, BOB, CAT, CLOCK

TEMPORARY = "M80120000500A"
SHARDS = 2
DAYS = ("2025-02-27", "2025-02-28", "2025-03-03")
# The edges: each day itself, and the day after it.
AS_OF = tuple(date(2025, *day) for day in ((2, 27), (2, 28), (3, 1), (3, 3), (3, 4)))
DAY = st.sampled_from(DAYS)
NUMBER = st.sampled_from([ANN, BOB, TEMPORARY])

MARK = st.builds("{},900001,{},AM,{},{}".format, NUMBER, DAY, st.sampled_from("/NI?"), DAY)
INCIDENT = st.builds(
    "{},{},900001,{},2,Disruption,{},1,Classroom,Participant,Detention,{},{}".format,
    st.sampled_from(["e1", "e2"]),
    NUMBER,
    DAY,
    st.integers(1, 3),
    DAY,
    st.sampled_from(["true", "false"]),
)
ENROLMENT = st.builds(
    "{},{},Test,Synthetic,2011-03-04,90000{},9,C,2025-01-06,,{}".format,
    st.sampled_from([ANN, BOB, CAT]),
    st.sampled_from(["", ANN, BOB, TEMPORARY]),
    st.sampled_from("12"),
    DAY,
)
EXPORT = st.one_of(
    st.tuples(st.just(kind), st.lists(row, min_size=1, max_size=4))
    for kind, row in (("marks", MARK), ("behaviour", INCIDENT), ("enrolments", ENROLMENT))
)


def ends(home: Home) -> dict[str, pd.DataFrame]:
    """Return everything known of three tables on each as-of day, with the file and line it came from."""
    found = {}
    for name in ("marks", "behaviour", "enrolments"):
        parts = [Store(home).rows(name, shard)[0] for shard in range(SHARDS)]
        for as_of in AS_OF:
            rows = pd.concat([latest(part, TABLES[name], as_of) for part in parts])
            found[f"{name} {as_of}"] = rows.sort_values(list(rows.columns), ignore_index=True)
    return found


def land(home: Path, ingests: list[list[Path]]) -> dict[str, pd.DataFrame]:
    made = files.make_home(home, shards=SHARDS)
    create_pepper(made, demo_seed=3)
    for number, paths in enumerate(ingests):
        folder = home / f"in_{number}"
        folder.mkdir()
        for path in paths:
            (folder / path.name).write_bytes(path.read_bytes())
        ingest(made, folder, clock=CLOCK, save_identities=None)
    return ends(made)


@settings(max_examples=5, deadline=None)
@given(st.lists(EXPORT, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_files_in_any_order_and_any_parts_end_in_the_same_records(tmp_path_factory, exports, random):
    folder = tmp_path_factory.mktemp("out")
    paths = [files.write(folder, f"{kind}_{n}.csv", *rows) for n, (kind, rows) in enumerate(exports)]
    shuffled = random.sample(paths, len(paths))
    cut = random.randint(0, len(paths))
    calm = land(tmp_path_factory.mktemp("calm"), [paths])
    other = land(tmp_path_factory.mktemp("other"), [shuffled[:cut], *([path] for path in shuffled[cut:])])
    for name, rows in calm.items():
        pd.testing.assert_frame_equal(rows, other[name], obj=name)
