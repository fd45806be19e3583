"""What was asked for by name is found by name: in results, frames, files and their reports."""

from __future__ import annotations

import pickle
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trayport_sdk import (
    BulkQueryResult,
    ContractSpec,
    Settings,
    TradesResponse,
    TrayportClient,
    TrayportLookupError,
    open_dataset,
)
from trayport_sdk.bulk.results import RunResult
from trayport_sdk.sandbox import Fault, Sandbox

pytestmark = pytest.mark.anyio

DAY = ("2024-03-04", "2024-03-05")
SPREAD = "TTF Hi Cal 51.6* Apr-24/May-24"
ASKED = ["ttf hi cal 51.6*  APR 24", "TTF Hi Cal 51.6* May-24", "NBP* Apr-24", SPREAD]
NAMES = {
    "10000065*#Single#10000305#244#0": ("TTF Hi Cal 51.6* Apr-24", "Apr-24"),
    "10000065*#Single#10000305#245#0": ("TTF Hi Cal 51.6* May-24", "May-24"),
    "10000001*#Single#10000305#244#0": ("NBP* Apr-24", "Apr-24"),
    "10000065*#Spread#10000305#244#245": (SPREAD, "Apr-24/May-24"),
}
Contracts = list[str]
Fetch = Callable[[TrayportClient, Contracts, Path], Awaitable[pl.DataFrame]]


async def streamed(client: TrayportClient, contracts: Contracts, _: Path) -> pl.DataFrame:
    frames = client.stream_trades(contracts, *DAY).map_batches(rows_as_they_are, workers=0)
    return pl.concat([frame async for frame in frames])


def rows_as_they_are(frame: pl.DataFrame) -> pl.DataFrame:
    return frame


def written(endpoint: Any, suffix: str, **options: Any) -> Fetch:
    async def fetch(client: TrayportClient, contracts: Contracts, path: Path) -> pl.DataFrame:
        file = path / f"a{suffix}"
        report = await client.stream_to_file(contracts, *DAY, file, endpoint=endpoint, **options)
        frame = open_dataset(file).collect()
        counts = dict(frame["contract"].value_counts().iter_rows())
        rows = report.rows_by_contract
        assert {str(contract): count for contract, count in rows.items() if count} == counts
        assert all(
            rows[name] == rows[symbol] for name, symbol in zip(contracts, NAMES, strict=True)
        )
        return frame

    return fetch


async def frame_of(coming: Awaitable[Any]) -> pl.DataFrame:
    frame: pl.DataFrame = (await coming).to_polars()
    return frame


FRAMES: dict[str, Fetch] = {
    "trades": lambda c, names, _: frame_of(c.get_trades(names, *DAY)),
    "snapshots": lambda c, names, _: frame_of(c.snapshots.get_snapshots(names, at=DAY[1])),
    "bulk trades": lambda c, names, _: frame_of(c.get_trades_bulk(names, *DAY)),
    "bulk candles": lambda c, names, _: frame_of(c.get_ohlcv_bulk(names, *DAY, "1h")),
    "bulk books": lambda c, names, _: frame_of(c.get_order_book_top_bulk(names, *DAY, "1h")),
    "bulk snapshots": lambda c, names, _: frame_of(c.get_snapshots_bulk(names, DAY[1])),
    "stream": streamed,
    "file of trades": written("trades", ".parquet"),
    "file of candles": written("ohlcv", ".arrow", interval="1h"),
}


@pytest.mark.parametrize("fetch", FRAMES.values(), ids=FRAMES)
async def test_rows_of_several_contracts_have_the_names_that_are_known(
    fetch: Fetch, tmp_path: Path
) -> None:
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(sandbox) as client:
        bare = await fetch(client, list(NAMES), tmp_path)
        assert not [r for r in sandbox.requests if r.path.startswith(Sandbox.REFERENCE_PATH)]
        frame = await fetch(client, ASKED, tmp_path)
    assert frame.columns[:3] == ["contract", "contract_name", "period"]
    assert frame.height > 0
    found = frame.unique("contract").select("contract", "contract_name", "period").iter_rows()
    assert all((name, period) == NAMES[symbol] for symbol, name, period in found)
    unnamed = pl.col("contract_name", "period")
    assert bare.with_columns(unnamed).schema == frame.schema
    assert bare.select(unnamed.null_count()).row(0) == (bare.height, bare.height)
    assert bare.drop("contract_name", "period").equals(frame.drop("contract_name", "period"))


async def test_results_are_found_by_what_was_asked() -> None:
    async with TrayportClient.sandbox() as client:
        result = await client.get_trades_bulk(ASKED, *DAY)
    loaded: BulkQueryResult[Any] = pickle.loads(pickle.dumps(result))  # noqa: S301  (own bytes)
    whole: list[Any] = [result.results, result.complete, loaded.results]
    for results in whole:
        assert {str(contract): (contract.name, contract.period) for contract in results} == NAMES
        for asked, (symbol, (name, _)) in zip(ASKED, NAMES.items(), strict=True):
            table = results[ContractSpec.parse(symbol)]
            assert results[asked] is results[name] is results[symbol] is table
            assert results.get(name.upper()) is table
            assert asked in results
            assert name in results
        assert len(results) == len(NAMES)
        assert 1 not in results
    assert repr(result.results).startswith("{'TTF Hi Cal 51.6* Apr-24': TradesResponse(")


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("TTF Hi Cal 51.6* Apr-25", "TTF Hi Cal 51.6* Apr-24"),
        ("ttf hi cal 51.6 may-24", "TTF Hi Cal 51.6* May-24"),
        (ContractSpec.parse("10000001*#Single#10000305#245#0"), "NBP* Apr-24"),
        (0, ""),
        (("TTF Hi Cal 51.6*", "Apr-24"), ""),
    ],
)
async def test_what_was_not_asked_for_is_a_key_error_with_the_nearest(key: Any, near: str) -> None:
    async with TrayportClient.sandbox() as client:
        result = await client.get_trades_bulk(ASKED[:3], *DAY)
    assert key not in result.results
    assert result.results.get(key) is None
    with pytest.raises(KeyError) as refused:
        _ = result.results[key]
    assert isinstance(refused.value, TrayportLookupError)
    if isinstance(key, str):
        assert refused.value.candidates[0] == near
    if not near:
        assert str(refused.value).startswith(f"{key!r} is none of the 3 contracts")


async def test_what_failed_says_so_and_keeps_its_name_when_it_is_retried() -> None:
    sandbox = Sandbox(limits=False)
    once = Settings(_env_file=None, max_retries=0, circuit_breakers=False)
    async with TrayportClient.sandbox(sandbox, settings=once) as client:
        names = [await client.resolve_contract(name) for name in ASKED[:2]]
        sandbox.faults.add(Fault("status", operation_id="get_ohlcv", times=1, status=404))
        result = await client.get_ohlcv_bulk([ASKED[0], names[1]], *DAY, "1h")
        (failed,) = result.failures[0].contracts
        assert f"of {failed.name} " in str(result.failures[0])
        asked = ASKED[0] if failed == names[0] else names[1]
        if isinstance(asked, str):
            with pytest.raises(TrayportLookupError, match="failures"):
                _ = result.results[asked]
        again = await client.retry_failures(result)
    assert len(again.results[ASKED[0]]) > 0
    assert list(again.results) == names


async def test_a_result_of_nothing_has_the_columns_of_names() -> None:
    frame = BulkQueryResult(TradesResponse, RunResult({})).to_polars()
    assert frame.columns[:4] == ["contract", "contract_name", "period", "trade_id"]
    assert frame.is_empty()


async def test_rows_of_a_table_are_picked_by_name() -> None:
    async with TrayportClient.sandbox() as client:
        table = await client.get_trades(ASKED, *DAY)
    for symbol, (name, _) in NAMES.items():
        assert len(table.of_contract(name.lower())) == len(table.of_contract(symbol)) > 0
    with pytest.raises(TrayportLookupError) as refused:
        table.of_contract("TTF Hi Cal 51.6* Apr-25")
    assert refused.value.candidates[0] == "TTF Hi Cal 51.6* Apr-24"


async def test_a_stream_counts_the_rows_of_what_was_asked() -> None:
    async with TrayportClient.sandbox() as client:
        stream = client.stream_trades(ASKED, *DAY)
        assert len(stream.rows_by_contract) == 0
        total = 0
        async for batch in stream:
            total += len(batch)
            assert stream.rows_by_contract[batch.contract.label] >= len(batch)
            assert batch.contracts == (batch.contract,)
            assert sum(stream.rows_by_contract.values()) == total
    assert stream.rows_by_contract[ASKED[0]] > 0


@pytest.mark.parametrize(
    ("contracts", "words"),
    [
        (ASKED[:1], ["trades-TTF-Hi-Cal-51.6-Apr-24"]),
        (ASKED[:3], ["trades-TTF-Hi-Cal-51.6-Apr-24-and-1-more", "trades-NBP-Apr-24"]),
        ([SPREAD], ["trades-TTF-Hi-Cal-51.6-Apr-24-May-24"]),
        (list(NAMES)[:1], ["trades"]),
    ],
)
async def test_names_of_files_show_those_of_contracts(
    contracts: list[str], words: list[str], tmp_path: Path
) -> None:
    async with TrayportClient.sandbox() as client:
        paths = await client.download_raw(contracts, *DAY, tmp_path)
    ends = "20240304T000000Z-20240305T000000Z.json.br"
    expected = [f"{number:05d}-{word}-{ends}" for number, word in enumerate(words, 1)]
    assert [path.name for path in paths] == expected


MONTH_AHEAD = "TTF Hi Cal 51.6* M+1"
CALLS: dict[str, Callable[[TrayportClient, str, tuple[str, str]], Awaitable[Any]]] = {
    "trades": lambda c, name, day: c.get_trades(name, *day),
    "parts": lambda c, name, day: c.get_trades(
        name.rpartition(" ")[0],
        "Gas - NG Months",
        name.rpartition(" ")[2],
        *day,
    ),
    "candles": lambda c, name, day: c.get_ohlcv(name, *day, "1h"),
    "bulk": lambda c, name, day: c.get_trades_bulk([name, "NBP* Apr-24"], *day),
    "snapshots": lambda c, name, day: c.snapshots.get_snapshots(name, at=day[0]),
    "spread": lambda c, name, day: c.spread(name, "TTF Hi Cal 51.6* Jun-24", *day, interval="1h"),
}


@pytest.mark.parametrize("call", CALLS)
async def test_relative_periods_count_from_the_time_of_the_call(call: str) -> None:
    async with TrayportClient.sandbox(Sandbox(limits=False)) as client:
        for month, name in (("2024-03", "Apr-24"), ("2024-04", "May-24"), ("2024-03", "Apr-24")):
            day = (f"{month}-25", f"{month}-26")
            relative = await frame_of(CALLS[call](client, MONTH_AHEAD, day))
            dated = await frame_of(CALLS[call](client, f"TTF Hi Cal 51.6* {name}", day))
            assert relative.height
            assert relative.equals(dated)
