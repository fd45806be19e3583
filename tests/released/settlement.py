"""A script of a user, strictly typed and without async: what a day's closing window settled at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

from trayport_sdk import (
    BulkTradesResponse,
    ContractSpec,
    FileReport,
    OHLCVResponse,
    TradesBatch,
    TradesResponse,
    TrayportLookupError,
)
from trayport_sdk.sync import TableStream, TrayportClient


@frozen
class Settlement:
    contract: ContractSpec
    price: float | None
    volume: float
    high: float | None


def settlements(client: TrayportClient, names: Sequence[str], day: str) -> list[Settlement]:
    """The volume-weighted price of the last half hour, and the high of the day."""
    contracts = [contract for name in names if (contract := known(client, name)) is not None]
    traded: BulkTradesResponse = client.get_trades_bulk(contracts, day, f"{day}T18")
    traded.raise_for_failures()
    found: list[Settlement] = []
    for contract, trades in traded.results.items():
        window: TradesResponse = trades
        candles: OHLCVResponse = trades.to_ohlcv("1d")
        high: float | None = candles[0].high if len(candles) else None
        price: float | None = window.vwap(f"{day}T16:00", f"{day}T16:30")
        found.append(Settlement(contract, price, window.volume(), high))
    return found


def known(client: TrayportClient, name: str) -> ContractSpec | None:
    try:
        return client.resolve_contract(name)
    except TrayportLookupError as error:
        print(f"{name}: did you mean {', '.join(error.candidates)}?")
        return None


def batches(client: TrayportClient, name: str, from_: str, until: str) -> Iterator[TradesBatch]:
    stream: TableStream = client.stream_trades(name, from_, until, optional_fields=["route"])
    yield from stream


def kept(client: TrayportClient, name: str, day: str, path: Path) -> FileReport:
    report: FileReport = client.stream_trades(name, day, f"{day}T18").to_parquet(path)
    return report


def last_price(client: TrayportClient, name: str) -> float | None:
    last = client.trades.get_last_trade(name, at="2024-03-05")
    return None if last is None else last.price


def first_sequence(client: TrayportClient, market_id: int) -> str:
    return client.reference.get_sequences(market_id=market_id)[0].name
