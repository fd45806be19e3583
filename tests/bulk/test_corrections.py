"""What changed between two answers, against a slow computation with plain Python."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drawn import examples
from trayport_sdk.bulk.corrections import difference, identity
from trayport_sdk.bulk.partitions import Grid, month_window, months_of
from trayport_sdk.query.times import DAY, Interval, Window, instant, to_text

TIME = pl.Datetime("ns", "UTC")
TRADES: dict[str, Any] = {
    "trade_id": pl.String,
    "deal_date": TIME,
    "price": pl.Float64,
    "route": pl.String,
}
Row = tuple[Any, ...]

trades = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.integers(0, 3),
        st.sampled_from([1.0, 2.0, None]),
        st.sampled_from(["x", None]),
    ),
    max_size=8,
)


def table(rows: list[Row]) -> pl.DataFrame:
    plain: pl.Schema = pl.Schema({**TRADES, "deal_date": pl.Int64})
    return pl.DataFrame(rows, schema=plain, orient="row").cast({"deal_date": TIME})


def counted(frame: pl.DataFrame) -> Counter[Row]:
    # Python's datetimes have no nanoseconds.
    return Counter(frame.with_columns(pl.col("deal_date").to_physical()).rows())


@settings(max_examples=examples(300))
@given(trades, trades)
def test_the_difference_makes_the_new_rows_of_the_old_ones_and_is_the_least(
    before: list[Row], after: list[Row]
) -> None:
    old, new = table(before), table(after)
    key = identity(old.columns, "deal_date")
    found = difference(old, new, key)
    is_there = found.filter(pl.col("change") != "deleted").select(new.columns)
    was_there = found.filter(pl.col("change") != "added").get_column("before").struct.unnest()
    assert counted(old) - counted(was_there) + counted(is_there) == counted(new)
    # No row is named that did not change, and rows of one record are one change.
    gone, came = counted(old) - counted(new), counted(new) - counted(old)
    assert counted(was_there) == gone
    assert counted(is_there) == came

    def records(rows: Counter[Row]) -> Counter[Row]:
        return Counter((row[0], row[3]) for row in rows.elements())

    altered = (records(gone) & records(came)).total()
    kinds = Counter(found.get_column("change").to_list())
    assert kinds == Counter(
        {"altered": altered, "added": came.total() - altered, "deleted": gone.total() - altered}
    )


def test_books_are_compared_by_their_time() -> None:
    order = pl.List(pl.Struct({"price": pl.Float64}))
    schema = {"timestamp": TIME, "bids": order}
    old = pl.DataFrame({"timestamp": [1, 2, 3], "bids": [[{"price": 1.0}], [], None]}, schema)
    new = pl.DataFrame({"timestamp": [1, 2, 4], "bids": [[{"price": 2.0}], [], None]}, schema)
    found = difference(old, new, identity(old.columns, "timestamp")).sort("timestamp")
    assert found.get_column("change").to_list() == ["altered", "deleted", "added"]
    assert found.get_column("before").struct.field("bids").to_list()[0] == [{"price": 1.0}]


@pytest.mark.parametrize("interval", ["15s", "4h", "1d", "7d", "1mo", None])
@given(st.integers(-(10**4), 10**5), st.integers(0, 400), st.integers(0, DAY))
@settings(max_examples=examples(50))
def test_every_time_is_between_two_places_of_a_grid(
    interval: str | None, steps: int, day: int, part: int
) -> None:
    every = None if interval is None else Interval.parse(interval)
    grid = Grid(instant("2024-01-01", "from_") if interval == "1mo" else day * DAY, every)
    time = instant("2024-01-01", "from_") + steps * DAY // 10 + part
    below, above = grid.floor(time), grid.ceil(time)
    assert below <= time <= above
    assert grid.floor(below) == grid.ceil(below) == below
    assert grid.floor(above) == above
    if every is not None and below < above:
        assert grid.ceil(below + 1) == above
        assert grid.floor(above - 1) == below
    if every is not None and every.length is not None:
        assert (below - grid.start) % every.length == 0


@given(st.integers(0, 10**5), st.integers(1, 10**7))
@settings(max_examples=examples(50))
def test_months_tile_a_range(start: int, length: int) -> None:
    window = Window(start * DAY // 7, start * DAY // 7 + length * 10**9)
    months = [month_window(month) for month in months_of(window)]
    assert months[0].start <= window.start < months[0].end
    assert months[-1].start < window.end <= months[-1].end
    assert all(a.end == b.start for a, b in pairwise(months))
    assert [to_text(month.start)[:7] for month in months] == months_of(window)
