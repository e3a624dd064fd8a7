"""The windowed features of `benchmarks.features` in Polars: see `benchmarks.feature_peers`."""

from functools import reduce

import polars as pl

from benchmarks.feature_peers import ALWAYS, Asked, others, weekday_of
from features.feature import Feature
from features.measure import Measure
from records.table import Table
from records.tables import TABLES


def build(asked: Asked) -> pl.DataFrame:
    """Return `pupil`, `week` (the as-of date's number) and a column for each feature, by pupil, then week."""
    weeks = pl.LazyFrame({"week": pl.Series(range(len(asked.as_ofs)), dtype=pl.Int16)})
    roll = pl.scan_parquet(list(asked.files["enrolments"])).select(
        "pupil",
        joined=pl.lit(pl.Series(asked.week_from())).gather(
            _since(pl.col("entry_date") + pl.duration(days=1), asked).clip(0)
        ),
    )
    pupils = roll.collect().sort("pupil").with_row_index("at").with_columns(pl.col("at").cast(pl.UInt32))
    grid = (
        pupils.lazy().join(weeks, how="cross").filter(pl.col("week") >= pl.col("joined")).sort("at", "week").collect()
    )
    grid = grid.with_columns(
        back=(pl.col("week") - pl.col("joined")).cast(pl.Int32), row=pl.int_range(pl.len(), dtype=pl.Int32)
    )
    totals = [_table(asked, name, pupils, grid) for name in asked.tables]
    whole = pl.concat([grid, *totals], how="horizontal")
    return whole.lazy().select("pupil", "week", *(_feature(feature) for feature in asked.features)).collect()


def _since(day: pl.Expr, asked: Asked) -> pl.Expr:
    return day.to_physical() - asked.first_day


def _table(asked: Asked, name: str, pupils: pl.DataFrame, grid: pl.DataFrame) -> pl.DataFrame:
    """Return every total of the table's measures, a row for each of the grid's."""
    table, measures = TABLES[name], asked.tables[name]
    week_from = pl.lit(pl.Series(asked.week_from()))
    columns = {
        column
        for measure in measures.values()
        for column in (*measure.where, *([measure.weight] if measure.weight else []))
    }
    rows = (
        pl.scan_parquet(list(asked.files[name]))
        .select(
            "pupil",
            *{*others(table), *columns},
            "known_on",
            "deleted",
            "source",
            "row",
            day=_since(pl.col(table.happened_on), asked),
        )
        .join(pupils.lazy().select("pupil", "at"), on="pupil")
        .with_columns(
            known=_since(pl.col("known_on"), asked),
            week=week_from.gather(pl.col("day") + 1),
            seen=week_from.gather(pl.max_horizontal(pl.col("day"), _since(pl.col("known_on"), asked)) + 1),
        )
        .with_columns(key=_key(table))
        .collect(engine="streaming")
    )
    again = rows["key"].is_duplicated()
    counted = [_counted(measure, table, asked).alias(key) for key, measure in measures.items()]
    plain = rows.lazy().filter(~again & ~pl.col("deleted"))
    several = _replaced(rows.filter(again), table)
    newest = pl.concat(
        [
            plain.select("at", "week", "seen", *counted),
            several.lazy().filter(pl.col("last") == ALWAYS).select("at", "week", "seen", *counted),
        ]
    )
    weekly = newest.group_by("at", "week").agg(pl.col(list(measures)).sum()).collect(engine="streaming")
    lines = (
        grid.lazy()
        .select("at", "week", "back", "row")
        .join(weekly.lazy(), on=["at", "week"], how="left", maintain_order="left")
        .with_columns(pl.col(list(measures)).fill_null(0).cum_sum())
    )
    windows = lines.select(_window(key, weeks) for key in measures for weeks in asked.needs[key]).collect()
    late = newest.filter(pl.col("seen") > pl.col("week")).with_columns(
        pl.int_ranges("week", "seen").alias("as_of"), sign=-1
    )
    last = several.filter((pl.col("last") != ALWAYS) & ~pl.col("deleted")).with_columns(
        until=week_from.gather(pl.col("last") + 1)
    )
    older = (
        last.lazy()
        .filter(pl.col("until") > pl.col("seen"))
        .select("at", "week", "seen", *counted, as_of=pl.int_ranges("seen", "until"), sign=1)
    )
    wrong = pl.concat([late, older], how="diagonal_relaxed").explode("as_of").collect()
    back = pl.col("as_of") - pl.col("week")
    fixes = (
        wrong.lazy()
        .filter(pl.any_horizontal(pl.col(list(measures)) != 0))
        .group_by("at", week=pl.col("as_of").cast(pl.Int16))
        .agg(
            (pl.col(key) * pl.col("sign")).filter(back < weeks).sum().alias(f"{key} {weeks}")
            for key in measures
            for weeks in asked.needs[key]
        )
    )
    put = (
        grid.lazy()
        .select("at", "week")
        .join(fixes, on=["at", "week"], how="left", maintain_order="left")
        .drop("at", "week")
        .fill_null(0)
        .collect()
    )
    return windows.lazy().with_columns(pl.col(column) + put[column] for column in put.columns).collect()


def _window(key: str, weeks: int) -> pl.Expr:
    """Return the sum over the last so many of the pupil's weeks, from sums along the whole column."""
    at = pl.col("row") - pl.min_horizontal(pl.col("back") + 1, pl.lit(weeks, pl.Int32))
    return (pl.col(key) - pl.when(at >= 0).then(pl.col(key).gather(at.clip(0))).otherwise(0)).alias(f"{key} {weeks}")


def _key(table: Table) -> pl.Expr:
    """Return one number for the thing that a row is a version of."""
    if "event_id" in table.key:
        return pl.struct("school", "event_id").hash()
    # Pupil, day, school and session in one whole number: far cheaper to compare than four columns.
    key = (pl.col("at").cast(pl.Int64) * 1024 + pl.col("day")) * 65536 + pl.col("school") % 65536
    return key * 2 + (pl.col("session") == "PM") if "session" in table.key else key


def _replaced(rows: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Return the versions of things that have several, with the day on which the next became known."""
    return (
        rows.sort("key", "known", "source", "row")
        .with_columns(
            last=pl.when(pl.col("key") == pl.col("key").shift(-1)).then(pl.col("known").shift(-1)).fill_null(ALWAYS)
        )
        .filter(~pl.col("deleted"))
    )


def _counted(measure: Measure, table: Table, asked: Asked) -> pl.Expr:
    conditions = [pl.col(column).is_in(sorted(codes)) for column, codes in measure.where.items()]
    days = list(weekday_of(measure))
    if days:
        # `first_day` is a Monday.
        conditions.append((pl.col("day") % 7 + 1).is_in(days))
    counts = reduce(lambda one, other: one & other, conditions) if conditions else pl.lit(True)
    weight = pl.lit(1, pl.Int32) if measure.weight is None else pl.col(measure.weight).fill_null(0)
    return pl.when(counts).then(weight).otherwise(0).cast(pl.Int32)


def _feature(feature: Feature) -> pl.Expr:
    recent, both = feature.window_weeks, feature.window_weeks + feature.before_weeks

    def total(measure: Measure | None, weeks: int) -> pl.Expr:
        assert measure is not None
        return pl.col(f"{measure.name} {weeks}")

    def ratio(above: pl.Expr, below: pl.Expr) -> pl.Expr:
        return pl.when(below > 0).then(above / below).otherwise(float("nan"))

    value = total(feature.measure, recent).cast(pl.Float64)
    if feature.kind == "rate":
        value = ratio(value, total(feature.per, recent))
    elif feature.kind == "share":
        value = ratio(value, value + total(feature.other, recent))
    elif feature.kind == "contrast":
        value = ratio(value, total(feature.per, recent)) - ratio(
            total(feature.other, recent), total(feature.other_per, recent)
        )
    elif feature.kind == "change":
        earlier = total(feature.measure, both) - total(feature.measure, recent)
        held = [pl.min_horizontal(pl.col("week") + 1, pl.lit(weeks)) for weeks in (recent, both)]
        now, before = held[0], held[1] - held[0]
        if feature.per is not None:
            now, before = total(feature.per, recent), total(feature.per, both) - total(feature.per, recent)
        value = ratio(value, now) - ratio(earlier, before)
    if feature.when_empty is not None:
        value = value.fill_nan(feature.when_empty)
    return value.alias(feature.name)
