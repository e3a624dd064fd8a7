"""The windowed features of `benchmarks.features` in DuckDB: see `benchmarks.feature_peers`."""

import os

import duckdb
import pyarrow as pa

from benchmarks.feature_peers import ALWAYS, Asked, others, weekday_of
from features.feature import Feature
from features.measure import Measure
from records.table import Table
from records.tables import TABLES


def build(asked: Asked) -> pa.Table:
    """Return `pupil`, `week` (the as-of date's number) and a column for each feature."""
    with duckdb.connect() as base:
        base.execute(f"SET threads = {os.cpu_count()}; SET preserve_insertion_order = false")
        # Day → the number of the first as-of date that is not before it: a list is a look-up without a join.
        weeks = asked.week_from().tolist()
        base.execute(f"CREATE MACRO week_from(day) AS list_extract(CAST({weeks} AS SMALLINT[]), greatest(day, 0) + 1)")
        base.execute(f"CREATE MACRO since(day) AS (day - DATE '1970-01-01') - {asked.first_day}")
        base.execute(f"""CREATE TABLE pupils AS SELECT pupil, row_number() OVER (ORDER BY pupil)::INTEGER AS who,
            week_from(since(entry_date) + 1) AS joined FROM read_parquet({list(asked.files["enrolments"])})""")
        base.execute(f"""CREATE TABLE grid AS SELECT who, week::SMALLINT AS week, pupil FROM pupils,
            range({len(asked.as_ofs)}) AS weeks(week) WHERE week >= joined""")
        for name in asked.tables:
            _table(base, asked, name)
        joined = " ".join(f"JOIN total_{name} USING (who, week)" for name in asked.tables)
        columns = ", ".join(f'{_feature(feature)} AS "{feature.name}"' for feature in asked.features)
        return base.sql(f"SELECT pupil, week, {columns} FROM grid {joined}").to_arrow_table()


def _table(base: duckdb.DuckDBPyConnection, asked: Asked, name: str) -> None:
    """Make the table of every total of a record table's measures, a row for each of the grid's."""
    table, measures = TABLES[name], asked.tables[name]
    counted = ", ".join(f'{_counted(measure)} AS "{key}"' for key, measure in measures.items())
    columns = {column for m in measures.values() for column in (*m.where, *([m.weight] if m.weight else []))}
    wanted = ", ".join(sorted({"known_on", "deleted", "source", '"row"', *others(table), *columns}))
    base.execute(f"""CREATE OR REPLACE TABLE versions AS SELECT * EXCLUDE (known_on), since(known_on) AS known,
        {_key(table)} AS key, week_from(day + 1) AS week, week_from(greatest(day, since(known_on)) + 1) AS seen FROM (
        SELECT who, since({table.happened_on}) AS day, {wanted}
        FROM read_parquet({list(asked.files[name])}) JOIN pupils USING (pupil))""")
    base.execute("""CREATE OR REPLACE TABLE again AS SELECT key FROM versions GROUP BY key HAVING count(*) > 1""")
    base.execute(f"""CREATE OR REPLACE TABLE several AS SELECT *, coalesce(lead(known) OVER
        (PARTITION BY key ORDER BY known, source, "row"), {ALWAYS}) AS last
        FROM versions SEMI JOIN again USING (key)""")
    base.execute(f"""CREATE OR REPLACE TABLE newest AS
        SELECT who, week, seen, {counted} FROM versions ANTI JOIN again USING (key) WHERE NOT deleted UNION ALL
        SELECT who, week, seen, {counted} FROM several WHERE last = {ALWAYS} AND NOT deleted""")
    sums = ", ".join(f'sum("{key}")::INTEGER AS "{key}"' for key in measures)
    base.execute(f"CREATE OR REPLACE TABLE weekly AS SELECT who, week, {sums} FROM newest GROUP BY who, week")
    along = ", ".join(f'sum(coalesce("{key}", 0)) OVER pupil_line AS "{key}"' for key in measures)
    needs = [(key, weeks) for key in measures for weeks in asked.needs[key]]
    windows = ", ".join(
        f'"{key}" - lag("{key}", {weeks}, 0) OVER pupil_line AS "{key} {weeks}"' for key, weeks in needs
    )
    base.execute(f"""CREATE OR REPLACE TABLE windows AS SELECT who, week, {windows} FROM (
        SELECT who, week, {along} FROM grid LEFT JOIN weekly USING (who, week)
        WINDOW pupil_line AS (PARTITION BY who ORDER BY week)) WINDOW pupil_line AS (PARTITION BY who ORDER BY week)""")
    some = " OR ".join(f'"{key}" <> 0' for key in measures)
    every = ", ".join(f'"{key}"' for key in measures)
    fixes = ", ".join(f'sum("{key}" * sign) FILTER (as_of - week < {weeks}) AS "{key} {weeks}"' for key, weeks in needs)
    base.execute(f"""CREATE OR REPLACE TABLE fixes AS SELECT who, as_of AS week, {fixes} FROM (
        SELECT who, week, -1 AS sign, unnest(range(week, seen)) AS as_of, {every} FROM newest
        WHERE seen > week AND ({some}) UNION ALL
        SELECT who, week, 1 AS sign, unnest(range(seen, week_from(last + 1))) AS as_of, {counted} FROM several
        WHERE last <> {ALWAYS} AND NOT deleted AND week_from(last + 1) > seen) GROUP BY who, as_of""")
    put = ", ".join(f'windows."{key} {w}" + coalesce(fixes."{key} {w}", 0) AS "{key} {w}"' for key, w in needs)
    base.execute(f"""CREATE TABLE total_{name} AS
        SELECT windows.who, windows.week, {put} FROM windows LEFT JOIN fixes USING (who, week)""")


def _key(table: Table) -> str:
    if "event_id" in table.key:
        return "hash(school, event_id)"
    # Pupil, day, school and session in one whole number: far cheaper to group by than four columns.
    key = "(who::BIGINT * 1024 + day) * 65536 + school % 65536"
    return f"({key}) * 2 + (session = 'PM')::INTEGER" if "session" in table.key else key


def _counted(measure: Measure) -> str:
    conditions = [
        f"{column} IN ({', '.join(_quoted(code) for code in sorted(codes))})" for column, codes in measure.where.items()
    ]
    days = list(weekday_of(measure))
    if days:
        # `first_day` is a Monday.
        conditions.append(f"day % 7 + 1 IN ({', '.join(str(day) for day in days)})")
    weight = "1" if measure.weight is None else f"coalesce({measure.weight}, 0)"
    return f"CASE WHEN {' AND '.join(conditions) or 'true'} THEN {weight} ELSE 0 END"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _feature(feature: Feature) -> str:
    recent, both = feature.window_weeks, feature.window_weeks + feature.before_weeks

    def total(measure: Measure | None, weeks: int) -> str:
        assert measure is not None
        return f'"{measure.name} {weeks}"'

    def ratio(above: str, below: str) -> str:
        return f"(CASE WHEN {below} > 0 THEN ({above})::DOUBLE / ({below}) ELSE 'NaN'::DOUBLE END)"

    value = f"{total(feature.measure, recent)}::DOUBLE"
    if feature.kind == "rate":
        value = ratio(total(feature.measure, recent), total(feature.per, recent))
    elif feature.kind == "share":
        mine = total(feature.measure, recent)
        value = ratio(mine, f"{mine} + {total(feature.other, recent)}")
    elif feature.kind == "contrast":
        first = ratio(total(feature.measure, recent), total(feature.per, recent))
        value = f"{first} - {ratio(total(feature.other, recent), total(feature.other_per, recent))}"
    elif feature.kind == "change":
        now = f"least(week + 1, {recent})"
        before = f"least(week + 1, {both}) - {now}"
        if feature.per is not None:
            now = total(feature.per, recent)
            before = f"{total(feature.per, both)} - {now}"
        earlier = f"{total(feature.measure, both)} - {total(feature.measure, recent)}"
        value = f"{ratio(total(feature.measure, recent), now)} - {ratio(earlier, before)}"
    if feature.when_empty is not None:
        value = f"CASE WHEN isnan({value}) THEN {feature.when_empty} ELSE {value} END"
    return value
