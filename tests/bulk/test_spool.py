import asyncio
import gc
import tempfile
import threading
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import IO, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.service import CONTRACTS, Service, Verdict, session
from trayport_sdk import TableStream, TrayportClient, TrayportError
from trayport_sdk.bulk.reading import BLOCK_ROWS, Spool
from trayport_sdk.bulk.stream import _Source

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


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[IO[bytes]]:
    """The temporary files that spools have made."""
    files: list[IO[bytes]] = []
    make = tempfile.TemporaryFile

    def noted(**options: Any) -> IO[bytes]:
        files.append(make(**options))
        return files[-1]

    monkeypatch.setattr("trayport_sdk.bulk.reading.tempfile.TemporaryFile", noted)
    monkeypatch.setitem(_Source.fetched.__kwdefaults__ or {}, "hold", 0)
    return files


MONTHS = ("2024-01-20", "2024-03-10")
OCTOBER, NOVEMBER = CONTRACTS[6:8]  # they trade less than the next months


async def iterated(stream: TableStream, _: Path) -> None:
    async for _batch in stream:
        pass


async def left(stream: TableStream, _: Path) -> None:
    async with aclosing(stream):
        async for _batch in stream:
            break
    raise TrayportError("left")


async def mapped(stream: TableStream, _: Path) -> None:
    async for _size in stream.map_batches(len, workers=1):
        pass


async def cancelled(stream: TableStream, path: Path) -> None:
    async with asyncio.timeout(20):
        await stream.to_parquet(path)


USES: dict[str, tuple[Callable[[TableStream, Path], Awaitable[object]], Verdict]] = {
    "iterated": (iterated, 500),
    "left": (left, None),
    "mapped": (mapped, 500),
    "to_csv": (lambda stream, path: stream.to_csv(path), 500),
    "cut": (lambda stream, path: stream.to_parquet(path), "cut"),
    "cancelled": (cancelled, 30.0),
}


@pytest.mark.parametrize("name", USES)
def test_no_temporary_file_stays_open_after_an_error_that_is_kept(
    name: str, opened: list[IO[bytes]], tmp_path: Path
) -> None:
    use, verdict = USES[name]
    service = Service(lambda request: verdict if request.start > 1_707_000_000 * 10**9 else None)

    async def test(client: TrayportClient) -> BaseException:
        with pytest.raises((TrayportError, TimeoutError)) as raised:
            await use(client.stream_trades([OCTOBER, NOVEMBER], *MONTHS), tmp_path / "a")
        return raised.value

    error = session(service, test, max_retries=0, circuit_breakers=False)
    assert error.__traceback__ is not None
    for thread in threading.enumerate():  # what was being read when the client was closed
        if thread.name.startswith("trayport-read"):
            thread.join(60)
    assert opened
    assert all(file.closed for file in opened)
    assert not list(tmp_path.iterdir())


def test_a_temporary_file_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(FileNotFoundError) as raised:
        Spool(0).add(pl.DataFrame({"a": range(BLOCK_ROWS)}))
    assert str(raised.value.filename).startswith(str(tmp_path / "gone"))
    assert "TMPDIR" in raised.value.__notes__[0]


def test_a_full_disk_for_temporary_files_is_named_and_nothing_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    full = Path("/dev/full").open("w+b")  # noqa: SIM115
    monkeypatch.setattr("trayport_sdk.bulk.reading.tempfile.TemporaryFile", lambda **_: full)
    spool = Spool(0)
    with pytest.raises(OSError, match="No space left on device") as raised:
        spool.add(pl.DataFrame({"a": range(BLOCK_ROWS)}).with_columns(b=pl.col("a").hash()))
    assert raised.value.filename == str(tmp_path)
    assert "make room, or set TMPDIR" in raised.value.__notes__[0]
    spool.close()
    assert full.closed
