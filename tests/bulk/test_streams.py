"""Streams into files: what is in them, and that nothing half done is left."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import pytest
from trayport_spec.options import EndpointName

from tests.service import CONTRACTS, Request, Service, Verdict, session
from trayport_sdk import (
    ContractSpec,
    Progress,
    TableStream,
    TrayportClient,
    TrayportConfigurationError,
    TrayportError,
    TrayportServerError,
    TrayportValidationError,
    decode_file,
    open_dataset,
)
from trayport_sdk.bulk.writer import FileWriter
from trayport_sdk.tables.formats import FORMATS, FileFormat

Result = TypeVar("Result")

brotli: Any = import_module("brotli")  # it has no types

# They trade some hundred times a day, the next months ten times as often.
OCTOBER, NOVEMBER, DECEMBER = CONTRACTS[6:9]
SPREAD = ContractSpec.parse("10000065*#Spread#10000305#244#245")
DAY = ("2024-03-04", "2024-03-05")
MONTHS = ("2024-01-20", "2024-03-10")
"""A range of two windows."""


def run(test: Callable[[TrayportClient], Awaitable[Result]]) -> Result:
    async def main() -> Result:
        async with TrayportClient.sandbox() as client:
            found = await test(client)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return found

    found = asyncio.run(main())
    assert not [one for one in threading.enumerate() if one.name == "trayport-write"]
    return found


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_has_the_rows_and_columns_of_the_table(kind: str, tmp_path: Path) -> None:
    """With several contracts, two windows and a spread that shares no request."""

    async def test(client: TrayportClient) -> None:
        contracts = [OCTOBER, NOVEMBER, SPREAD]
        options: dict[str, Any] = {"optional_fields": ["route_id"], "routes": "all"}
        table = await client.trades.get_trades(contracts, *MONTHS, **options)
        path = tmp_path / f"a{kind}"
        report = await client.stream_to_file(contracts, *MONTHS, path, **options)
        assert report.rows == len(table) > 0
        assert report.path == path
        assert report.bytes_written == path.stat().st_size
        assert len(report.requests) == len(table.requests) == 4
        assert f"{len(table):,} rows from 4 requests" in report.explain()
        expected = table.to_polars()
        if kind in (".csv", ".jsonl"):
            read = pl.read_csv if kind == ".csv" else pl.read_ndjson
            other = tmp_path / f"b{kind}"
            (table.to_csv if kind == ".csv" else table.to_json)(other)
            found, expected = (read(one, infer_schema_length=None) for one in (path, other))
        else:
            found = open_dataset(path).collect()
        assert found.schema == expected.schema
        assert set(expected["contract"]) <= set(map(str, contracts))
        for contract in contracts:
            rows = expected.filter(contract=str(contract))
            # The rows of each contract are in their order.
            assert found.filter(contract=str(contract)).equals(rows)
            assert rows.height or contract == SPREAD

    run(test)


def test_files_for_readers_without_nanoseconds_lose_nothing(tmp_path: Path) -> None:
    """Of a stream, of its table, of a bulk result and of none at all: one schema."""

    async def test(client: TrayportClient) -> None:
        kept: dict[str, Any] = {"time_unit": "us", "on_loss": "extra_column"}
        names = ("stream", "table", "bulk", "empty")
        paths = [tmp_path / f"{name}.parquet" for name in names]
        table = await client.trades.get_trades([OCTOBER], *DAY, optional_fields="contract")
        bulk = await client.get_trades_bulk([OCTOBER], *DAY)
        await client.stream_to_file([OCTOBER], *DAY, paths[0], optional_fields="contract", **kept)
        table.to_parquet(paths[1], **kept)
        bulk.to_parquet(paths[2], **kept)
        second = (DAY[0], f"{DAY[0]}T00:00:01")
        nothing = client.stream_trades([OCTOBER], *second, optional_fields="contract")
        assert (await nothing.to_parquet(paths[3], **kept)).rows == 0
        wanted = table.to_polars()["deal_date"]
        assert len(wanted) > 0
        found = [pl.read_parquet(path) for path in paths]
        assert {frame.schema["deal_date"] for frame in found} == {pl.Datetime("us", "UTC")}
        for frame in found[:3]:
            back = pl.col("deal_date").cast(pl.Datetime("ns", "UTC"))
            back += pl.duration(nanoseconds="deal_date_ns")
            assert frame.select(back)["deal_date"].equals(wanted)
        assert found[0].schema == found[1].schema == found[3].schema
        for path in (tmp_path / "a.parquet", tmp_path / "a.csv"):
            with pytest.raises(TrayportValidationError, match="column 'deal_date' has the time"):
                await client.stream_to_file(OCTOBER, *DAY, path, time_unit="us")
        assert sorted(tmp_path.iterdir()) == sorted(paths)

    run(test)


def test_csv_for_a_spreadsheet_is_the_same_of_a_stream_and_a_table(tmp_path: Path) -> None:
    async def test(client: TrayportClient) -> None:
        options: dict[str, Any] = {"separator": ";", "decimal_comma": True, "bom": True}
        one, other = tmp_path / "a.csv", tmp_path / "b.csv"
        table = await client.trades.get_trades(OCTOBER, *DAY)
        table.to_csv(one, **options)
        await client.stream_to_file(OCTOBER, *DAY, other, **options)
        assert one.read_bytes() == other.read_bytes()
        prices = pl.read_csv(one, separator=";", decimal_comma=True)["price"]
        assert prices.equals(table.to_polars()["price"])
        sent = [one.requests for one in client.get_metrics().endpoints.values()]
        with pytest.raises(TrayportValidationError, match=r"does not go with \.parquet files"):
            await client.stream_to_file(OCTOBER, *DAY, tmp_path / "c.parquet", separator=";")
        assert [one.requests for one in client.get_metrics().endpoints.values()] == sent

    run(test)


def test_rows_come_in_the_order_of_the_requests(tmp_path: Path) -> None:
    async def test(client: TrayportClient) -> None:
        table = await client.trades.get_trades(OCTOBER, *MONTHS)
        stream = client.stream_trades(OCTOBER, *MONTHS)
        report = await stream.to_arrow(tmp_path / "a.arrow", compression="none")
        assert open_dataset(tmp_path / "a.arrow").collect().equals(table.to_polars())
        starts = [record.window.start for record in report.requests if record.window]
        assert starts == sorted(starts)
        assert len(starts) == 2

    run(test)


@pytest.mark.parametrize(
    ("endpoint", "options"),
    [
        ("ohlcv", {"interval": "1d", "optional_fields": "vwap"}),
        ("order_book_top", {"interval": "1h"}),
        ("order_book", {"interval": "6h", "depth": 3}),
        ("private_trades", {}),
    ],
)
def test_every_endpoint_with_times_goes_into_a_file(
    endpoint: EndpointName, options: dict[str, Any], tmp_path: Path
) -> None:
    async def test(client: TrayportClient) -> None:
        range_ = ("2024-03-04", "2024-03-06")
        plans = client.planner.plan_multi_contract_query(
            [OCTOBER, NOVEMBER], endpoint, *range_, **options
        )
        bulk = await client.planner.execute_plan(plans)
        path = tmp_path / "a.parquet"
        report = await client.stream_to_file(
            [OCTOBER, NOVEMBER], *range_, path, endpoint=endpoint, **options
        )
        found = open_dataset(path).collect()
        assert report.rows == found.height == sum(map(len, bulk.results.values())) > 0
        for contract, response in bulk.results.items():
            rows = response.to_polars()
            own = found.filter(contract=str(contract))
            assert own.columns[0] == "contract"
            assert own.select(rows.columns).equals(rows)
        one = await client.stream_to_file(OCTOBER, *range_, path, endpoint=endpoint, **options)
        alone = open_dataset(path).collect()
        assert alone.equals(bulk.results[OCTOBER].to_polars())
        assert one.rows == alone.height

    run(test)


@pytest.mark.parametrize("endpoint", ["activity", "snapshots", "last_trade", "tickers"])
def test_rows_without_times_cannot_be_put_together(endpoint: EndpointName, tmp_path: Path) -> None:
    async def test(client: TrayportClient) -> None:
        with pytest.raises(TrayportValidationError, match="trades, private_trades") as refused:
            await client.stream_to_file(OCTOBER, *DAY, tmp_path / "a.csv", endpoint=endpoint)
        assert refused.value.parameter == "endpoint"
        assert client.get_metrics().total.requests == 0

    run(test)


@pytest.mark.parametrize(
    ("path", "compression", "parameter"),
    [
        ("a.xlsx", None, "path"),
        ("no/a.csv", None, "path"),
        ("", None, "path"),
        ("a.csv", "zstd", "compression"),
        ("a.parquet", "gzip", "compression"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_sent(
    path: str, compression: Any, parameter: str, tmp_path: Path
) -> None:
    async def test(client: TrayportClient) -> None:
        with pytest.raises(TrayportValidationError) as refused:
            await client.stream_to_file(OCTOBER, *DAY, tmp_path / path, compression=compression)
        assert refused.value.parameter == parameter
        assert client.get_metrics().total.requests == 0

    run(test)


@pytest.mark.parametrize("kind", FORMATS)
def test_no_rows_make_a_file_with_the_columns(kind: str, tmp_path: Path) -> None:
    async def test(client: TrayportClient) -> None:
        night = ("2024-03-03T01:00", "2024-03-03T02:00")
        table = await client.trades.get_trades([OCTOBER, NOVEMBER], *night)
        assert len(table) == 0
        report = await client.stream_to_file([OCTOBER, NOVEMBER], *night, tmp_path / f"a{kind}")
        assert report.rows == 0
        if kind == ".jsonl":
            assert report.bytes_written == 0
        elif kind == ".csv":
            table.to_csv(tmp_path / "b")
            assert (tmp_path / "a.csv").read_text() == (tmp_path / "b").read_text() != ""
        else:
            assert open_dataset(tmp_path / f"a{kind}").collect().equals(table.to_polars())

    run(test)


USES: dict[str, Callable[[TableStream, Path], Awaitable[Any]]] = {
    "iterated": lambda stream, _: anext(stream),
    "to_parquet": lambda stream, path: stream.to_parquet(path / "a.parquet"),
    "to_csv": lambda stream, path: stream.to_csv(path / "a.csv"),
    "to_json": lambda stream, path: stream.to_json(path / "a.jsonl"),
    "to_file": lambda stream, path: stream.to_file(path / "b.arrow"),
    "download_raw": lambda stream, path: stream.download_raw(path / "raw"),
    "mapped": lambda stream, _: anext(stream.map_batches(len, workers=1)),
}


@pytest.mark.parametrize("first", USES)
def test_a_stream_is_used_once(first: str, tmp_path: Path) -> None:
    async def test(client: TrayportClient) -> None:
        async with aclosing(client.stream_trades(OCTOBER, *DAY)) as stream:
            await USES[first](stream, tmp_path)
            before = client.get_metrics().total.requests
            for name, use in USES.items():
                if not first == name == "iterated":
                    with pytest.raises(TrayportConfigurationError, match="used already"):
                        await use(stream, tmp_path)
            assert client.get_metrics().total.requests == before == 1

    run(test)


def test_a_stream_that_has_ended_is_not_empty_but_an_error() -> None:
    async def test(client: TrayportClient) -> None:
        stream = client.stream_trades(OCTOBER, *DAY)
        assert [batch.contract async for batch in stream] == [OCTOBER]
        with pytest.raises(TrayportConfigurationError, match="used already"):
            _ = [batch async for batch in stream]

    run(test)


def test_a_loop_that_was_left_can_be_taken_up_again() -> None:
    async def test(client: TrayportClient) -> None:
        async with aclosing(client.stream_trades([OCTOBER, NOVEMBER], *DAY)) as stream:
            async for batch in stream:
                assert batch.contract == OCTOBER
                break
            assert [batch.contract async for batch in stream] == [NOVEMBER]

    run(test)


def test_progress_is_told_of_every_answer(tmp_path: Path) -> None:
    reported: list[Progress] = []

    async def test(client: TrayportClient) -> None:
        path = tmp_path / "a.csv"
        report = await client.stream_to_file(OCTOBER, *MONTHS, path, on_progress=reported.append)
        assert [one.requests_done for one in reported] == [1, 2]
        assert reported[-1].rows == report.rows

    run(test)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_request_that_fails_leaves_the_old_file(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{kind}"
    path.write_text("old")

    def verdict(request: Request) -> Verdict:
        return 500 if request.start > 1_707_000_000 * 10**9 else None

    async def test(client: TrayportClient) -> None:
        with pytest.raises(TrayportServerError):
            await client.stream_to_file(OCTOBER, *MONTHS, path)

    session(Service(verdict), test, max_retries=0, circuit_breakers=False)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [(path.name, "old")]


@pytest.mark.parametrize("seconds", [0.0, 0.5])
def test_a_cancelled_call_leaves_neither_file_nor_thread(seconds: float, tmp_path: Path) -> None:
    """Cancelled while it waits for a response, or after the first response was written."""

    async def test(client: TrayportClient) -> None:
        first_came = asyncio.Event()
        call = asyncio.create_task(
            client.stream_to_file(
                OCTOBER, *MONTHS, tmp_path / "a.csv", on_progress=lambda _: first_came.set()
            )
        )
        if seconds:
            await first_came.wait()
        await asyncio.sleep(seconds)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    session(Service(lambda request: 30.0 if request.start > 1_707_000_000 * 10**9 else None), test)
    assert list(tmp_path.iterdir()) == []
    assert not [one for one in threading.enumerate() if one.name == "trayport-write"]


def test_a_file_that_cannot_be_written_ends_the_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr("trayport_sdk.bulk.writer.encode", full)

    async def test(client: TrayportClient) -> None:
        with pytest.raises(OSError, match="no space left"):
            await client.stream_to_file(OCTOBER, *MONTHS, tmp_path / "a.csv")

    run(test)
    assert list(tmp_path.iterdir()) == []


ENDLESS = """
import asyncio, sys
from pathlib import Path
from trayport_sdk import TrayportClient

def reported(progress):
    print(progress.requests_done, flush=True)

async def main():
    async with TrayportClient.sandbox() as client:
        await client.stream_to_file(
            "10000065*#Single#10000305#250#0", "2022-01-01", "2024-03-01", sys.argv[1],
            on_progress=reported, max_responses=1,
        )

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_process_that_is_ended_leaves_no_half_file(number: int, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_text("old")
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(path)],
        env={"PYTHONPATH": ":".join(sys.path), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stdout is not None
        for _ in range(2):
            process.stdout.readline()
        process.send_signal(number)
    assert process.returncode != 0
    assert path.read_text() == "old"
    # What is killed cannot clean up; the next one does.
    assert len([*tmp_path.iterdir()]) == 1 + (number == signal.SIGKILL)
    with FileWriter(path, FileFormat(".parquet")) as writer:
        writer.write(pl.DataFrame({"a": [1]}))
        writer.finish()
    assert [*tmp_path.iterdir()] == [path]


def decoded(path: Path, **options: Any) -> pl.DataFrame:
    return pl.concat(list(decode_file(path, **options)))


def test_raw_bodies_are_those_of_the_wire_and_decode_to_the_rows(tmp_path: Path) -> None:
    async def test(client: TrayportClient) -> None:
        table = await client.trades.get_trades([OCTOBER, NOVEMBER], *MONTHS)
        paths = await client.download_raw([OCTOBER, NOVEMBER], *MONTHS, tmp_path / "raw")
        assert [path.name for path in paths] == [
            "00001-trades-20240120T000000Z-20240221T000000Z.json.br",
            "00002-trades-20240221T000000Z-20240310T000000Z.json.br",
        ]
        assert sorted((tmp_path / "raw").iterdir()) == paths
        received = [record.bytes_received for record in table.requests]
        assert [path.stat().st_size for path in paths] == received
        bodies = [brotli.decompress(path.read_bytes()) for path in paths]
        assert [len(body) for body in bodies] == [one.bytes_decoded for one in table.requests]
        rows = pl.concat([decoded(path, optional_fields="contract") for path in paths])
        expected = table.to_polars().drop("contract_name", "period")
        assert rows.unique(maintain_order=True).equals(expected)

    run(test)


@pytest.mark.parametrize("endpoint", ["trades", "order_book"])
def test_csv_is_kept_as_it_came_and_makes_no_table(endpoint: Any, tmp_path: Path) -> None:
    interval = None if endpoint == "trades" else "1h"
    call: Any = {"endpoint": endpoint, "interval": interval, "response_format": "csv"}

    async def test(client: TrayportClient) -> None:
        (path,) = await client.download_raw(OCTOBER, *DAY, tmp_path / "raw", **call)
        assert path.suffixes[-2:] == [".csv", ".br"]
        table = pl.read_csv(brotli.decompress(path.read_bytes()), infer_schema=False)
        assert table.height > 0
        with pytest.raises(TrayportValidationError, match="makes no table") as refused:
            await client.stream_to_file(OCTOBER, *DAY, tmp_path / "a.csv", **call)
        assert refused.value.parameter == "response_format"
        assert "download_raw" in str(refused.value)
        assert not (tmp_path / "a.csv").exists()
        plans = client.planner.plan_multi_contract_query(
            [OCTOBER], endpoint, *DAY, interval=interval, response_format="csv"
        )
        with pytest.raises(TrayportValidationError, match="makes no table"):
            await client.planner.execute_plan(plans)

    run(test)


def test_a_body_that_is_not_right_is_asked_for_again_and_not_kept(tmp_path: Path) -> None:
    verdicts = iter(["broken", "cut", None, None])

    async def test(client: TrayportClient) -> list[Path]:
        return await client.download_raw(OCTOBER, *MONTHS, tmp_path, max_responses=1)

    paths = session(Service(lambda _: next(verdicts)), test)  # type: ignore[arg-type]
    assert [path.name[:5] for path in paths] == ["00001", "00002"]
    assert sorted(tmp_path.iterdir()) == paths
    assert all(decoded(path).height for path in paths)


def test_a_download_that_fails_keeps_what_is_whole(tmp_path: Path) -> None:
    def verdict(request: Request) -> Verdict:
        return "broken" if request.start > 1_707_000_000 * 10**9 else None

    async def test(client: TrayportClient) -> None:
        with pytest.raises(TrayportError):
            await client.download_raw(OCTOBER, *MONTHS, tmp_path, max_responses=1)

    session(Service(verdict), test, max_retries=0)
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("00001-trades-")
    assert decoded(path).height


def test_bodies_are_private_and_replace_only_files(tmp_path: Path) -> None:
    """Under their names, which others know, may lie links, pipes and files that are read-only."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    out = tmp_path / "real"
    out.mkdir()
    (tmp_path / "raw").symlink_to("real")

    async def test(client: TrayportClient) -> None:
        (path,) = await client.download_raw(OCTOBER, *DAY, tmp_path / "raw")
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o640)
        (out / ".trayport-0123456789abcdef").write_text("half of a download that was killed")
        assert await client.download_raw(OCTOBER, *DAY, out) == [out / path.name]
        assert path.stat().st_mode & 0o777 == 0o640
        assert [*out.iterdir()] == [out / path.name]
        path.unlink()
        path.symlink_to(victim)
        await client.download_raw(OCTOBER, *DAY, out)
        assert not path.is_symlink()
        assert victim.read_text() == "precious"
        path.chmod(0o400)
        with pytest.raises(PermissionError, match="it is read-only") as refused:
            await client.download_raw(OCTOBER, *DAY, out)
        assert refused.value.filename == str(out / path.name)
        path.unlink()
        os.mkfifo(path)
        with pytest.raises(PermissionError, match="it is a pipe"):
            await client.download_raw(OCTOBER, *DAY, out)
        assert path.is_fifo()
        assert [*out.iterdir()] == [out / path.name]

    run(test)


def test_a_cancelled_download_keeps_nothing_half(tmp_path: Path) -> None:
    async def test(client: TrayportClient) -> None:
        call = asyncio.create_task(client.download_raw(OCTOBER, *MONTHS, tmp_path))
        await asyncio.sleep(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    session(Service(lambda _: 30.0), test)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")

    async def test(client: TrayportClient) -> None:
        for path in (tmp_path / "a", tmp_path / "a" / "b"):
            with pytest.raises(TrayportValidationError) as refused:
                await client.download_raw(OCTOBER, *DAY, path)
            assert refused.value.parameter == "directory"
        assert client.get_metrics().total.requests == 0

    run(test)


def test_work_on_a_stream_sees_the_table_in_pieces() -> None:
    async def test(client: TrayportClient) -> None:
        table = await client.trades.get_trades([OCTOBER, NOVEMBER], *MONTHS)
        stream = client.stream_trades([OCTOBER, NOVEMBER], *MONTHS)
        found = [piece async for piece in stream.map_batches(pl.DataFrame.clone, workers=2)]
        assert pl.concat(found).equals(table.to_polars())

    run(test)


def test_work_that_fails_ends_the_stream() -> None:
    async def test(client: TrayportClient) -> None:
        stream = client.stream_trades(OCTOBER, *DAY)
        with pytest.raises(TypeError) as raised:
            await anext(stream.map_batches(pl.DataFrame.rename, workers=1))  # type: ignore[arg-type]
        assert raised.value.__notes__[0].startswith("The function was given the rows 0 to ")
        with pytest.raises(TrayportValidationError, match="top level of a module"):
            client.stream_trades(OCTOBER, *DAY).map_batches(lambda frame: frame, workers=2)

    run(test)


@pytest.mark.parametrize(("large", "most"), [(0, 2), (1 << 23, 6)])
def test_while_answers_are_large_few_are_under_way(
    large: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trayport_sdk.bulk.stream.LARGE_RESPONSE", large)
    service = Service(lambda _: 1.0)

    async def test(client: TrayportClient) -> None:
        async for _ in client.stream_trades(OCTOBER, "2023-03-01", "2024-03-01"):
            pass

    session(service, test, max_concurrency=6)
    assert service.most_under_way == most


@pytest.mark.parametrize(("large", "times"), [(0, 1), (1 << 23, 0)])
def test_memory_is_given_back_after_large_responses_whose_rows_do_not_stay(
    large: int, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back: list[int] = []
    monkeypatch.setattr("trayport_sdk.bulk.reading.LARGE_RESPONSE", large)
    monkeypatch.setattr("trayport_sdk.bulk.reading.give_back_memory", lambda: given_back.append(1))

    async def test(client: TrayportClient) -> None:
        assert len(await client.trades.get_trades(OCTOBER, *DAY))
        assert not given_back
        async for _ in client.stream_trades(OCTOBER, *DAY):
            pass
        assert len(given_back) == times

    run(test)


def test_who_breaks_out_of_a_loop_ends_the_requests(caplog: pytest.LogCaptureFixture) -> None:
    service = Service(lambda _: 1.0)

    async def test(client: TrayportClient) -> None:
        async for _ in client.stream_trades(OCTOBER, "2023-03-01", "2024-03-01"):
            break
        await asyncio.sleep(100)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    session(service, test)
    assert not [one for one in caplog.messages if "asynchronous generator" in one]
