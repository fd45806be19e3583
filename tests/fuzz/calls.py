"""A valid call of every public method that sends requests, drawn from what it takes."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

from attrs import frozen
from hypothesis import strategies as st
from trayport_spec import ENDPOINTS

from tests.exactness.questions import (
    COAL,
    EPOCHS,
    MONTHS,
    QUARTERS,
    SPELLINGS,
    TTF,
    TTF_EEX,
    spelled,
)
from trayport_sdk import ContractSpec, Interval, IntervalUnit, sync
from trayport_sdk.bulk.stream import TableStream
from trayport_sdk.client import TrayportClient
from trayport_sdk.query.times import DAY, SECOND, TimeLike, floored, instant, months_after
from trayport_sdk.resources.generated.groups import GROUPS
from trayport_sdk.resources.planner import Planner

# Contracts that trade little, and names of such.
SPECS = EPOCHS[2].contracts
NAMES = (
    "TTF Hi Cal 51.6* Q1-25",
    "TTF Hi Cal 51.6* Q2-24/Q4-24",
    "TTF Hi Cal 51.6 EEX Q2-25",
    "ttf hi cal 51,6* q3 25",
    "EUA* Dec-28",
)
NOWHERE = ContractSpec(market_id=TTF, sequence_id=MONTHS, sequence_item_id=10**9)
# Months, years and histories begin, clocks are changed, and days are leapt.
DAYS = ("2024-02-29", "2024-03-31", "2023-10-29", "2023-12-31", "2024-04-10", "2024-01-01")
INTERVALS = {
    "ohlcv": ("1m", "5m", "15m", "30m", "1h", "4h", "1d", "7d", "1mo"),
    "order_book_top": ("30s", "7m", "1h", "6h"),
    "order_book": ("30m", "1h", "5h"),
}
OPTIONS: Mapping[str, st.SearchStrategy[Any]] = {
    "include_private": st.booleans(),
    "include_empty_buckets": st.booleans(),
    "deduplicate_routes": st.booleans(),
    "routes": st.sampled_from(
        ("all", 1, "2", ["all"], [1, "2"], ["London, Main Desk", "trayport"])
    ),
    "depth": st.integers(1, 2**31 - 1),
    "max_spread": st.floats(0, exclude_min=True, allow_infinity=False),
}
# What is an argument of its own.
APART = {
    "instrument_id", "market_id", "sequence_id", "sequence_item_id", "second_sequence_item_id",
    "contract_type", "trading_items", "from", "until", "at", "interval", "interval_unit",
}  # fmt: skip


@frozen
class Drawn:
    """Arguments of one call."""

    draw: Callable[[st.SearchStrategy[Any]], Any]
    directory: Path

    def one_of(self, *values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def number(self, least: int, most: int) -> int:
        number: int = self.draw(st.integers(least, most))
        return number

    def contract(self, *, named: bool = True) -> Any:
        spec = self.one_of(*SPECS)
        return self.one_of(spec, str(spec), *(NAMES if named else ()))

    def contracts(self, *, named: bool = True) -> Any:
        if self.draw(st.booleans()):
            return self.contract(named=named)
        return [self.contract(named=named) for _ in range(self.number(1, 4))]

    def product(self) -> dict[str, int]:
        product: dict[str, int] = self.one_of({"market_id": TTF}, {"instrument_id": TTF_EEX})
        return product

    def path(self, ending: str = "") -> Path:
        return self.directory / f"{uuid4()}{ending}"

    def interval(self, endpoint: str) -> str:
        text: str = self.one_of(*INTERVALS[endpoint])
        return text

    def at(self, endpoint: str) -> TimeLike:
        start, _ = self.range(endpoint)
        return start

    def range(
        self, endpoint: str, interval: str | None = None, days: int = 40
    ) -> tuple[TimeLike, TimeLike]:
        """A range on the grid of its interval, and long enough for several requests at times."""
        limits = ENDPOINTS[f"get_{endpoint}"].limits
        start = instant(self.one_of(*DAYS), "day")
        if interval is not None:
            length = Interval.parse(interval)
            start, count = floored(start, length), self.number(1, 3)
            if length.unit == IntervalUnit.MONTH:
                return self._spelled(start), self._spelled(months_after(start, count))
            return self._spelled(start), self._spelled(start + count * (length.length or 0))
        grid = 60 * SECOND if limits.resolution == "minute" else SECOND
        start += self.number(0, DAY // grid - 1) * grid
        length_ns = self.one_of(grid, 3600 * SECOND, DAY, days * DAY)
        return self._spelled(start), self._spelled(start + length_ns)

    def ranged(self, endpoint: str) -> dict[str, Any]:
        """A range, with the interval where there is one."""
        if endpoint not in INTERVALS:
            start, end = self.range(endpoint)
            return {"from_": start, "until": end}
        interval = self.interval(endpoint)
        start, end = self.range(endpoint, interval)
        return {"from_": start, "until": end, "interval": interval}

    def hour(self) -> tuple[TimeLike, TimeLike]:
        """A range in which little is traded."""
        start = instant("2024-03-04T08:00", "hour") + self.number(0, 8) * 3600 * SECOND
        return self._spelled(start), self._spelled(start + 3600 * SECOND)

    def _spelled(self, moment: int) -> TimeLike:
        return spelled(moment, self.one_of(*SPELLINGS))

    def options(self, endpoint: str, *names: str) -> dict[str, Any]:
        """Some of the options of an operation, or some of these."""
        operation = ENDPOINTS[f"get_{endpoint}"]
        possible = [p.python_name for p in operation.parameters if p.python_name not in APART]
        chosen = self.draw(st.lists(st.sampled_from(names or possible), unique=True))
        return {name: self._option(name, operation.optional_fields) for name in chosen}

    def _option(self, name: str, fields: Sequence[str]) -> Any:
        if name != "optional_fields":
            return self.draw(OPTIONS[name])
        one = st.sampled_from(fields)
        return self.draw(one | st.lists(one.map(_snake), unique=True))


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


Client: TypeAlias = Any
"""The one client or the other: the same call is made of both."""
Call: TypeAlias = Callable[[Client, Drawn], Any]


async def result_of(value: Any) -> Any:
    """What a call gives, whether its client has to be awaited or not."""
    if inspect.isawaitable(value):
        return await value
    if isinstance(value, AsyncIterable):
        return [part async for part in value]
    return list(value) if isinstance(value, Iterator | sync.TableStream) else value


async def _execute_plan(client: Client, drawn: Drawn) -> None:
    await result_of(client.planner.execute_plan(_plans(client, drawn)))


async def _run_part(client: Client, drawn: Drawn) -> None:
    out = drawn.one_of(None, drawn.path())
    for part in client.planner.parts(_plans(client, drawn), 2, out=out):
        await result_of(client.run_part(part))


def _plans(client: Client, drawn: Drawn) -> Any:
    endpoint = drawn.one_of("trades", "private_trades", "last_trade", "snapshots", *INTERVALS)
    options = drawn.options(endpoint) if endpoint != "snapshots" else {}
    contracts = drawn.contracts(named=False)
    if endpoint in ("last_trade", "snapshots"):
        options["at"] = drawn.at(endpoint)
        return client.planner.plan_multi_contract_query(contracts, endpoint, **options)
    ranged = drawn.ranged(endpoint)
    return client.planner.plan_multi_contract_query(contracts, endpoint, **ranged, **options)


async def _retry_failures(client: Client, drawn: Drawn) -> None:
    result = client.get_trades_bulk([NOWHERE, drawn.contract()], *drawn.range("trades"))
    failed = await result_of(result)
    assert failed.failures
    await result_of(client.retry_failures(failed))


async def _retry_failed(client: Client, drawn: Drawn) -> None:
    await result_of(client.get_trades_bulk(NOWHERE, *drawn.range("trades")))
    await result_of(client.retry_failed(client.settings.dead_letter_file, drawn.path()))


def _backfill(client: Client, drawn: Drawn) -> Any:
    arguments = _of_any(drawn)
    fields = arguments.pop("optional_fields", ())
    if fields and "contract" not in fields:  # which a data set adds itself
        arguments["optional_fields"] = fields
    return client.backfill(drawn.contracts(), path=drawn.path(), **arguments)


async def _refresh(client: Client, drawn: Drawn) -> None:
    path = drawn.path()
    await result_of(client.backfill(drawn.contracts(), *drawn.range("trades"), path))
    await result_of(client.refresh(path, drawn.one_of("36h", "7d")))


async def _verify(client: Client, drawn: Drawn) -> None:
    path = drawn.path()
    await result_of(client.backfill(drawn.contracts(), "2024-03-04", "2024-03-06", path))
    for file in (path / "data").rglob("*.parquet"):
        file.unlink()
    await result_of(client.verify(path))


def _of_any(drawn: Drawn) -> dict[str, Any]:
    """An operation whose rows may go into files, with its arguments."""
    endpoint = drawn.one_of("trades", *INTERVALS)
    return {"endpoint": endpoint} | drawn.ranged(endpoint) | drawn.options(endpoint)


def _stream(client: Client, drawn: Drawn) -> Any:
    options = {"in_order": drawn.draw(st.booleans())} | drawn.options("trades")
    return client.stream_trades(drawn.contracts(), *drawn.range("trades"), **options)


def _trades(client: Client, drawn: Drawn) -> Any:
    what = drawn.one_of((drawn.contracts(),), ("TTF Hi Cal 51.6*", "Gas - NG Quarters", "Q1-25"))
    return client.get_trades(*what, *drawn.range("trades"), **drawn.options("trades"))


def _private_trades(client: Client, drawn: Drawn) -> Any:
    whose = drawn.one_of(
        {}, drawn.product(), {"sequence_id": MONTHS}, {"contract": drawn.contract()}
    )
    options = drawn.options("private_trades")
    return client.trades.get_private_trades(*drawn.range("private_trades"), **whose, **options)


def _by_trading_items(client: Client, drawn: Drawn) -> Any:
    start, end = drawn.range("trades", days=33)
    return client.trades.get_trades_by_trading_items(
        **drawn.product(),
        sequence_id=QUARTERS,
        trading_items=drawn.number(1, 3),
        from_=start,
        until=end,
        **drawn.options("trades"),
    )


def _resolve(client: Client, drawn: Drawn) -> Any:
    if drawn.draw(st.booleans()):
        return client.resolve_contract(drawn.one_of(*NAMES))
    parts = {"market": "TTF Hi Cal 51.6", "item": "Apr-24"}
    more = drawn.one_of({"sequence": "Gas - NG Months"}, {"second_item": "May-24"}, {})
    return client.resolve_contract(**parts, **more)


def _continuous(client: Client, drawn: Drawn) -> Any:
    how = drawn.one_of({"what": "ohlcv", "interval": "1d"}, {"what": "trades"})
    how |= drawn.one_of({"roll": "volume"}, {"days_before": 3}, {"adjust": "ratio"}, {})
    rank = drawn.number(1, 3)
    return client.continuous("TTF Hi Cal 51.6* quarters", rank, "2024-03-01", "2024-04-02", **how)


def _spread(client: Client, drawn: Drawn) -> Any:
    what = drawn.one_of("quotes", "ohlcv")
    interval = drawn.one_of("1h", "30m")
    legs = drawn.one_of((NAMES[0], NAMES[2]), ("TTF Hi Cal 51.6* Q1-25", "TTF Hi Cal 51.6* Q2-25"))
    start, end = drawn.range("ohlcv", interval)
    return client.spread(*legs, start, end, what=what, interval=interval)


CALLS: Mapping[str, Call] = {
    "client.backfill": _backfill,
    "client.continuous": _continuous,
    "client.curve": lambda c, d: c.curve(
        "TTF Hi Cal 51.6*",
        d.one_of("months", "Gas - NG Quarters"),
        n=d.number(1, 60),
        at=d.at("snapshots"),
    ),
    "client.describe": lambda c, d: c.describe(d.contract()),
    "client.download_raw": lambda c, d: c.download_raw(
        d.contracts(), directory=d.path(), response_format=d.one_of("json", "csv"), **_of_any(d)
    ),
    "client.get_market_data": lambda c, d: c.get_market_data("JKM LNG*", *d.hour()),
    "client.get_market_data_bulk": lambda c, d: c.get_market_data_bulk(
        ["API4 FOB Richards Bay*", "JKM LNG*"], *d.hour()
    ),
    "client.get_ohlcv": lambda c, d: c.get_ohlcv(
        d.contract(), **d.ranged("ohlcv"), **d.options("ohlcv")
    ),
    "client.get_ohlcv_bulk": lambda c, d: c.get_ohlcv_bulk(
        d.contracts(), **d.ranged("ohlcv"), **d.options("ohlcv")
    ),
    "client.get_order_book_top_bulk": lambda c, d: c.get_order_book_top_bulk(
        d.contracts(), **d.ranged("order_book_top"), **d.options("order_book_top")
    ),
    "client.get_snapshots_bulk": lambda c, d: c.get_snapshots_bulk(
        d.contracts(), d.at("snapshots")
    ),
    "client.get_trades": _trades,
    "client.get_trades_bulk": lambda c, d: c.get_trades_bulk(
        d.contracts(), *d.range("trades"), **d.options("trades")
    ),
    "client.health_check": lambda c, _: c.health_check(),
    "client.refresh": _refresh,
    "client.resolve_contract": _resolve,
    "client.retry_failed": _retry_failed,
    "client.retry_failures": _retry_failures,
    "client.run_part": _run_part,
    "client.search_contracts": lambda c, d: c.search_contracts(
        d.one_of("ttf apr", "eua dec 28"), d.number(1, 20)
    ),
    "client.search_instruments": lambda c, d: c.search_instruments(
        d.one_of("ttf", "EUA"), d.number(1, 20)
    ),
    "client.search_markets": lambda c, d: c.search_markets(d.one_of("ttf", "EUA"), d.number(1, 20)),
    "client.spread": _spread,
    "client.stream_to_file": lambda c, d: c.stream_to_file(
        d.contracts(), path=d.path(d.one_of(".parquet", ".csv", ".jsonl", ".arrow")), **_of_any(d)
    ),
    "client.stream_trades": _stream,
    "client.verify": _verify,
    "orders.get_order_book": lambda c, d: c.orders.get_order_book(
        d.contract(), **d.ranged("order_book"), **d.options("order_book")
    ),
    "orders.get_order_book_snapshot": lambda c, d: c.orders.get_order_book_snapshot(
        d.contract(),
        d.at("order_book"),
        **d.options("order_book", "depth", "max_spread", "routes", "include_private"),
    ),
    "orders.get_order_book_top": lambda c, d: c.orders.get_order_book_top(
        d.contract(), **d.ranged("order_book_top"), **d.options("order_book_top")
    ),
    "planner.execute_plan": _execute_plan,
    "reference.get_instrument_by_id": lambda c, _: c.reference.get_instrument_by_id(TTF_EEX),
    "reference.get_instrument_sequences": lambda c, _: c.reference.get_instrument_sequences(
        TTF_EEX
    ),
    "reference.get_instruments": lambda c, d: c.reference.get_instruments(d.one_of(None, "ttf")),
    "reference.get_market_by_id": lambda c, d: c.reference.get_market_by_id(d.one_of(TTF, COAL)),
    "reference.get_market_sequences": lambda c, d: c.reference.get_market_sequences(
        d.one_of(TTF, COAL)
    ),
    "reference.get_markets": lambda c, d: c.reference.get_markets(d.one_of(None, "ttf")),
    "reference.get_sequence_by_id": lambda c, _: c.reference.get_sequence_by_id(MONTHS),
    "reference.get_sequence_item": lambda c, d: c.reference.get_sequence_item(
        MONTHS, d.number(240, 260)
    ),
    "reference.get_sequence_items": lambda c, d: c.reference.get_sequence_items(
        MONTHS, d.one_of(None, d.at("trades")), d.one_of(None, 1, 7, 2**31 - 1)
    ),
    "reference.get_sequences": lambda c, d: c.reference.get_sequences(**d.one_of({}, d.product())),
    "snapshots.get_snapshots": lambda c, d: c.snapshots.get_snapshots(
        d.contracts(), at=d.at("snapshots")
    ),
    "snapshots.get_snapshots_by_trading_items": lambda c, d: (
        c.snapshots.get_snapshots_by_trading_items(
            **d.product(), sequence_id=MONTHS, trading_items=d.number(1, 50), at=d.at("snapshots")
        )
    ),
    "stream.download_raw": lambda c, d: _stream(c, d).download_raw(d.path()),
    "stream.map_batches": lambda c, d: _stream(c, d).map_batches(len, workers=1),
    "stream.to_arrow": lambda c, d: _stream(c, d).to_arrow(d.path()),
    "stream.to_csv": lambda c, d: _stream(c, d).to_csv(d.path()),
    "stream.to_file": lambda c, d: _stream(c, d).to_file(d.path(".parquet")),
    "stream.to_json": lambda c, d: _stream(c, d).to_json(d.path()),
    "stream.to_parquet": lambda c, d: _stream(c, d).to_parquet(d.path()),
    "trades.get_activity": lambda c, d: c.trades.get_activity(
        *d.range("activity", days=8), **d.options("activity")
    ),
    "trades.get_last_trade": lambda c, d: c.trades.get_last_trade(
        d.contract(), at=d.at("last_trade"), **d.options("last_trade")
    ),
    "trades.get_ohlcv": lambda c, d: c.trades.get_ohlcv(
        d.contract(), **d.ranged("ohlcv"), **d.options("ohlcv")
    ),
    "trades.get_private_trades": _private_trades,
    "trades.get_trades": lambda c, d: c.trades.get_trades(
        d.contracts(), *d.range("trades"), **d.options("trades")
    ),
    "trades.get_trades_by_trading_items": _by_trading_items,
}
# What is kept once it has been read.
READS_ONCE = {name for name in CALLS if re.search("reference|search|resolve|describe", name)}
SENDS_NOTHING = {
    "client.warm_up",  # over a transport of tests; a test of its own has it send over a socket
    "client.first_contact",  # asks what the document does not describe; has a test of its own
    "client.get_metrics",
    "client.get_status",
    "client.reload_settings",
    "client.sandbox",
    "client.with_options",
    "planner.estimate_duration",
    "planner.estimate_request_count",
    "planner.explain",
    "planner.parts",
    "planner.plan_multi_contract_query",
    "reference.refresh",
    "stream.of",
}


def public_methods() -> set[str]:
    """The methods of a client, its groups and its streams; those that close aside."""
    client = TrayportClient.sandbox()
    kinds: dict[str, type] = {"client": TrayportClient, "planner": Planner, "stream": TableStream}
    kinds |= {name: type(getattr(client, name)) for name in GROUPS}
    return {
        f"{group}.{name}"
        for group, kind in kinds.items()
        for name in dir(kind)
        if not name.startswith("_") and name != "aclose" and callable(getattr(kind, name))
    }
