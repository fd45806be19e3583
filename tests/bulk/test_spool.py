import gc
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trayport_sdk.bulk.result import BLOCK_ROWS, Spool

EMPTY = pl.DataFrame(
    {"time": [], "price": [], "contract": []},
    schema={
        "time": pl.Datetime("ns", "UTC"),
        "price": pl.Float64,
        "contract": pl.Struct({"id": pl.Int64}),
    },
)


def frame(numbers: list[int]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "time": pl.Series(numbers, dtype=pl.Int64).cast(pl.Datetime("ns", "UTC")),
            "price": pl.Series([number / 7 for number in numbers], dtype=pl.Float64),
            "contract": pl.Series(
                [{"id": n} if n % 3 else None for n in numbers], dtype=pl.Struct({"id": pl.Int64})
            ),
        }
    )


@settings(deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 2**62), max_size=5), min_size=1, max_size=8),
    st.sampled_from([None, 0, 100]),
    st.integers(0, 8),
)
def test_rows_come_back_in_order_wherever_they_waited(
    parts: list[list[int]], hold: int | None, read_after: int
) -> None:
    spool = Spool(hold)
    for number, part in enumerate(parts):
        if number == read_after:
            list(spool.frames())
        spool.add(frame(part))
    expected = frame([number for part in parts for number in part])
    assert spool.frame().equals(expected)
    assert spool.frame().schema == expected.schema
    assert spool.height == expected.height
    spool.close()


def test_an_answer_without_rows_has_columns() -> None:
    spool = Spool()
    spool.add(EMPTY)
    spool.add(EMPTY)
    assert [one.schema for one in spool.frames()] == [EMPTY.schema]


def test_rows_are_gathered_into_blocks() -> None:
    spool = Spool()
    for start in range(0, 3 * BLOCK_ROWS, 10_000):
        spool.add(pl.DataFrame({"a": range(start, start + 10_000)}))
    assert [block.height for block in spool.frames()] == [BLOCK_ROWS] * 3


def test_what_is_more_than_it_may_hold_is_in_a_file_that_nobody_sees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    held = Spool(10_000_000)
    held.add(pl.DataFrame({"a": range(BLOCK_ROWS)}))
    assert held._file is None
    spilled = Spool(100)
    spilled.add(pl.DataFrame({"a": range(BLOCK_ROWS)}))
    assert spilled._file is not None
    assert not spilled._blocks
    assert not list(tmp_path.iterdir())


def test_a_spool_that_nobody_closes_leaves_no_open_file() -> None:
    spool = Spool(0)
    spool.add(pl.DataFrame({"a": range(BLOCK_ROWS)}))
    file = spool._file
    assert file is not None
    del spool
    gc.collect()
    assert file.closed
