"""The service may be asked for CSV, and the tables are the same."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trayport_sdk import Settings, TrayportClient, TrayportValidationError, decode_file

APRIL = "10000065*#Single#10000305#244#0"
MAY = "10000065*#Single#10000305#245#0"
RANGE = ("2024-03-04", "2024-03-06")

CALLS: dict[str, Callable[..., Awaitable[Any]]] = {
    "trades": lambda client, **how: client.trades.get_trades([APRIL, MAY], *RANGE, **how),
    "next items": lambda client, **how: client.trades.get_trades_by_trading_items(
        10000065, sequence_id=10000305, trading_items=3, from_=RANGE[0], until=RANGE[1], **how
    ),
    "own": lambda client, **how: client.trades.get_private_trades(*RANGE, **how),
    "candles": lambda client, **how: client.trades.get_ohlcv(
        APRIL, *RANGE, "1h", include_empty_buckets=True, optional_fields=["vwap"], **how
    ),
    "activity": lambda client, **how: client.trades.get_activity(
        *RANGE, optional_fields=["marketId"], **how
    ),
    "best orders": lambda client, **how: client.orders.get_order_book_top(
        APRIL, *RANGE, "1h", optional_fields=["venueCode"], **how
    ),
}


def session(test: Callable[[TrayportClient], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with TrayportClient.sandbox() as client:
            return await test(client)

    return asyncio.run(main())


@pytest.mark.parametrize("name", CALLS)
def test_a_table_is_the_same_from_csv(name: str) -> None:
    async def test(client: TrayportClient) -> tuple[Any, Any]:
        call = CALLS[name]
        return await call(client), await call(client, response_format="csv")

    from_json, from_csv = session(test)
    assert len(from_json)
    assert from_csv.to_polars().equals(from_json.to_polars())
    assert from_csv.to_polars().schema == from_json.to_polars().schema
    sizes = [sum(r.bytes_decoded for r in one.requests) for one in (from_csv, from_json)]
    assert sizes[0] < sizes[1]


def test_a_stream_of_csv_has_the_same_rows() -> None:
    async def test(client: TrayportClient) -> list[list[Any]]:
        asked: list[dict[str, Any]] = [{}, {"response_format": "csv"}]
        return [
            [batch.to_polars() async for batch in client.stream_trades(APRIL, *RANGE, **how)]
            for how in asked
        ]

    from_json, from_csv = session(test)
    assert all(one.equals(other) for one, other in zip(from_json, from_csv, strict=True))


def test_csv_is_kept_as_it_came_and_can_be_decoded_later(tmp_path: Path) -> None:
    async def test(client: TrayportClient) -> tuple[list[Path], Any]:
        how: Any = {"response_format": "csv"}
        paths = await client.download_raw(APRIL, *RANGE, tmp_path, **how)
        return paths, await client.trades.get_trades(APRIL, *RANGE)

    (path,), trades = session(test)
    assert ".csv" in path.suffixes
    assert pl.concat(decode_file(path)).equals(trades.to_polars())


def test_csv_of_an_unknown_layout_can_only_be_kept_as_it_came(tmp_path: Path) -> None:
    async def kept(client: TrayportClient) -> list[Path]:
        return await client.download_raw(
            APRIL, *RANGE, tmp_path / "raw", endpoint="order_book", interval="1h",
            response_format="csv",
        )  # fmt: skip

    (path,) = session(kept)
    assert path.stat().st_size > 0

    async def written(client: TrayportClient) -> object:
        return await client.stream_to_file(
            APRIL, *RANGE, tmp_path / "book.csv", endpoint="order_book", interval="1h",
            response_format="csv",
        )  # fmt: skip

    with pytest.raises(TrayportValidationError, match="not known") as refused:
        session(written)
    assert refused.value.parameter == "response_format"
    assert "download_raw" in str(refused.value)
    assert not (tmp_path / "book.csv").exists()


@pytest.mark.parametrize("name", ["xml", "", None, 1])
def test_another_format_is_refused(name: Any) -> None:
    with pytest.raises(TrayportValidationError) as refused:
        session(lambda client: client.trades.get_trades(APRIL, *RANGE, response_format=name))
    assert refused.value.parameter == "response_format"
    assert "json, csv" in str(refused.value)


def test_csv_is_not_decoded_leniently(tmp_path: Path) -> None:
    async def main() -> None:
        settings = Settings(_env_file=None, decode_mode="lenient")
        async with TrayportClient.sandbox(settings=settings) as client:
            await client.trades.get_trades(APRIL, *RANGE, response_format="csv")

    with pytest.raises(TrayportValidationError, match="lenient"):
        asyncio.run(main())
    (tmp_path / "a.csv").write_text("tradeId\n")
    with pytest.raises(TrayportValidationError, match="lenient"):
        decode_file(tmp_path / "a.csv", lenient=True)
