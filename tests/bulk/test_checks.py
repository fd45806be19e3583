"""Rows that were not asked for are an error that names them; those at the end are left out."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve, frozen
from trayport_spec.options import Options

from trayport_sdk import ContractSpec, Settings, TrayportClient, TrayportDecodeError
from trayport_sdk.bulk.reading import RowCheck, columns_of
from trayport_sdk.query.plan import BulkMarketQuery, QueryPlan, narrowed
from trayport_sdk.query.planner import plan
from trayport_sdk.query.times import Interval, Window, instant
from trayport_sdk.tables.decode.decoder import decode_response
from trayport_sdk.tables.decode.schema import to_frame

Row = dict[str, Any]
MARKET, INSTRUMENT, SEQUENCE, ITEM = 10000065, 10002806, 10000305, 244
DAY = Window.between("2024-03-04", "2024-03-05")
HOUR = 3_600_000_000_000
APRIL = ContractSpec(market_id=MARKET, sequence_id=SEQUENCE, sequence_item_id=ITEM)
MAY = evolve(APRIL, sequence_item_id=245)
SPREAD = evolve(APRIL, second_sequence_item_id=245, contract_type="Spread")
LISTED = evolve(APRIL, market_id=None, instrument_id=INSTRUMENT)


def contract(**other: Any) -> Row:
    return {
        "contractType": "SinglePeriod",
        "marketId": MARKET,
        "instrumentId": None,
        "sequenceId": SEQUENCE,
        "sequenceItemId": ITEM,
        "secondSequenceItemId": None,
    } | other


def trade(time: int = DAY.start, **more: Any) -> Row:
    row = {"tradeId": "T", "venueCode": "SPEC", "dealDate": time, "price": 1.0, "quantity": 1.0}
    return row | {"aggressorBuy": True} | more


def own_trade(**more: Any) -> Row:
    sides = ("aggressor", "initiator")
    text = [f"{side}{name}" for side in sides for name in ("TraderName", "TraderCompanyName")]
    text += ["route", "productClassification"]
    ids = ("aggressorCompanyId", "aggressorTraderId", "initiatorCompanyId", "initiatorTraderId")
    flags = ("aggressorDerivativeIndicator", "initiatorDerivativeIndicator")
    row = trade(lastUpdated=0) | dict.fromkeys(text, "") | dict.fromkeys(ids, 0)
    return row | dict.fromkeys(flags, False) | more


def candle(start: int, end: int) -> Row:
    prices = dict.fromkeys(("open", "high", "low", "close", "volume"), 1.0)
    return {"fromTimestamp": start, "toTimestamp": end, **prices}


def top(time: int, **more: Any) -> Row:
    names = ("bidPrice", "bidQuantity", "askPrice", "askQuantity")
    return {"timestamp": time, **dict.fromkeys(names, 1.0), **more}


def book(route: str) -> Row:
    order = {"price": 1.0, "quantity": 1.0}
    return {
        "timestamp": DAY.start,
        "bids": [order | {"route": "Continent"}],
        "asks": [order | {"route": "Continent"}, order | {"route": route}],
    }


def asked(endpoint: str, *contracts: ContractSpec, every: str = "", **more: Any) -> QueryPlan:
    """One request for a day, or an hour after its end."""
    options = Options(**more.pop("options", {}))
    if endpoint in ("last_trade", "snapshots"):
        more = {"at": DAY.end, **more}
    else:
        more = {"window": DAY, **more}
    interval = Interval.parse(every) if every else None
    query = QueryPlan(
        endpoint=endpoint, contracts=contracts, interval=interval, options=options, **more
    )
    (request,) = plan(query)
    return request


def scoped(endpoint: str, trading_items: int | None = None, **scope: int) -> QueryPlan:
    options = Options(trading_items=trading_items)
    query = QueryPlan(endpoint=endpoint, window=DAY, options=options)
    return narrowed(query, BulkMarketQuery, (), **scope)


def checked(query: QueryPlan, rows: list[Row], before: int = 0) -> int:
    """How many rows are kept, of which some came in a table before."""
    operation = query.operation
    body: Any = {"timestamp": query.at, "snapshots": rows} if operation.rows_at else rows
    decoded = decode_response(operation.operation_id, json.dumps(body).encode())
    check = RowCheck(query)
    check.received = before
    check.check_instant(decoded.timestamp)
    return check.wanted(to_frame(operation.operation_id, decoded.rows, columns_of(query))).height


NAMED: dict[str, Any] = {"options": {"optional_fields": ("contract",)}}
WEEKS = Window(DAY.start, DAY.start + 10 * 24 * HOUR)
MONTHS = Window.between("2024-02-01", "2024-04-01")
ODD = Window(DAY.start + 7 * 60_000_000_000, DAY.start + 3 * HOUR)


@frozen
class Case:
    """A query, a row that it asked for, and one that it did not."""

    query: QueryPlan
    right: Row
    wrong: Row
    says: str
    field: str


def routed(*routes: str, ids: bool = False) -> dict[str, Any]:
    return {"options": {"routes": routes, "optional_fields": ("routeId",) if ids else ()}}


START = DAY.start
CASES = {
    "before the range": Case(
        asked("trades", APRIL),
        trade(),
        trade(START - 1),
        f"before the range, {START - 1} (2024-03-03T23:59:59.999999999Z)",
        "dealDate",
    ),
    "private, before the range": Case(
        asked("private_trades", APRIL),
        own_trade(),
        own_trade(dealDate=START - 1),
        "before the range",
        "dealDate",
    ),
    "candle before the range": Case(
        asked("ohlcv", APRIL, every="1h"),
        candle(START, START + HOUR),
        candle(START - HOUR, START),
        "before the range",
        "fromTimestamp",
    ),
    "day before the range": Case(
        asked("ohlcv", APRIL, every="1d"),
        candle(START, DAY.end),
        candle(START - 24 * HOUR, START),
        "before the range",
        "fromTimestamp",
    ),
    "month before the range": Case(
        asked("ohlcv", APRIL, every="1mo", window=MONTHS),
        candle(instant("2024-02", ""), instant("2024-03", "")),
        candle(instant("2024-01", ""), instant("2024-02", "")),
        "before the range",
        "fromTimestamp",
    ),
    "longer candle": Case(
        asked("ohlcv", APRIL, every="1h"),
        candle(START, START + HOUR),
        candle(START, START + 4 * HOUR),
        "not on the grid of 1h",
        "fromTimestamp",
    ),
    "candle beside the grid": Case(
        asked("ohlcv", APRIL, every="1h"),
        candle(START, START + HOUR),
        candle(START + 1, START + 1 + HOUR),
        "not on the grid of 1h",
        "fromTimestamp",
    ),
    "day for a month": Case(
        asked("ohlcv", APRIL, every="1mo", window=MONTHS),
        candle(instant("2024-03", ""), instant("2024-04", "")),
        candle(instant("2024-03", ""), instant("2024-03-02", "")),
        "not on the grid of 1mo",
        "fromTimestamp",
    ),
    "week that the range does not cut": Case(
        asked("ohlcv", APRIL, every="7d", window=WEEKS),
        candle(START + 168 * HOUR, WEEKS.end),
        candle(START, START + 144 * HOUR),
        "not on the grid of 7d",
        "fromTimestamp",
    ),
    "book before the floored start": Case(
        asked("order_book_top", APRIL, every="15m", window=ODD),
        top(START),
        top(START - HOUR),
        "before the range",
        "timestamp",
    ),
    "books of another interval": Case(
        asked("order_book_top", APRIL, every="15m", window=ODD),
        top(ODD.start),
        top(ODD.start + HOUR // 60),
        "not on the grid of 15m",
        "timestamp",
    ),
    "last trade at the instant": Case(
        asked("last_trade", APRIL),
        {"price": 1.0, "dealDate": 1},
        {"price": 1.0, "dealDate": DAY.end},
        "not before that instant",
        "dealDate",
    ),
    "last trade of another": Case(
        asked("last_trade", APRIL, **NAMED),
        {"price": 1.0, "dealDate": 1, "contract": contract()},
        {"price": 1.0, "dealDate": 1, "contract": contract(sequenceItemId=245)},
        "245",
        "contract",
    ),
    "snapshot of another": Case(
        asked("snapshots", APRIL, MAY),
        {
            "contract": contract(),
            "lastTrade": None,
            "bestOrders": dict.fromkeys(("bidPrice", "bidQuantity", "askPrice", "askQuantity")),
        },
        {
            "contract": contract(sequenceItemId=246),
            "lastTrade": None,
            "bestOrders": dict.fromkeys(("bidPrice", "bidQuantity", "askPrice", "askQuantity")),
        },
        "246",
        "contract",
    ),
    "no contract in a batch": Case(
        asked("trades", APRIL, MAY),
        trade(contract=contract()),
        trade(),
        "its contract is None",
        "contract",
    ),
    "another route": Case(
        asked("trades", APRIL, **routed("continent")),
        trade(route="Continent"),
        trade(route="Trayport"),
        "another route",
        "route",
    ),
    "another route by id": Case(
        asked("trades", APRIL, **routed("4", "London", ids=True)),
        trade(route="Continent", routeId=4),
        trade(route="Trayport", routeId=1),
        "another route",
        "route",
    ),
    "an order's route": Case(
        asked("order_book", APRIL, every="1h", **routed("Continent")),
        book("continent"),
        book("Trayport"),
        "another route",
        "asks.route",
    ),
}
OTHER: Mapping[str, tuple[QueryPlan, Row, Row]] = {
    "item": (asked("trades", APRIL, **NAMED), {}, {"sequenceItemId": 245}),
    "sequence": (asked("trades", APRIL, **NAMED), {}, {"sequenceId": SEQUENCE + 1}),
    "market": (asked("trades", APRIL, **NAMED), {}, {"marketId": MARKET + 1}),
    "market of a batch": (asked("trades", APRIL, MAY), {}, {"marketId": MARKET + 1}),
    "sequence of a batch": (asked("trades", APRIL, MAY), {}, {"sequenceId": SEQUENCE + 1}),
    "type of a batch": (asked("trades", APRIL, MAY), {}, {"contractType": "PeriodSpread"}),
    "instrument for a market": (
        asked("trades", APRIL, **NAMED),
        {},
        {"marketId": None, "instrumentId": INSTRUMENT},
    ),
    "market for an instrument": (
        asked("trades", LISTED, **NAMED),
        {"marketId": None, "instrumentId": INSTRUMENT},
        {},
    ),
    "second item": (
        asked("trades", SPREAD, **NAMED),
        {"contractType": "PeriodSpread", "secondSequenceItemId": 245},
        {"contractType": "PeriodSpread", "secondSequenceItemId": 246},
    ),
    "no second item": (
        asked("trades", SPREAD, **NAMED),
        {"contractType": "PeriodSpread", "secondSequenceItemId": 245},
        {},
    ),
    "spread for a single period": (
        asked("trades", APRIL, **NAMED),
        {},
        {"secondSequenceItemId": 245},
    ),
    "range for a spread": (
        asked("trades", SPREAD, **NAMED),
        {"contractType": "PeriodSpread", "secondSequenceItemId": 245},
        {"contractType": "PeriodRange", "secondSequenceItemId": 245},
    ),
    "sequence of the next items": (
        scoped("trades", 3, market_id=MARKET, sequence_id=SEQUENCE),
        {"sequenceItemId": 9},
        {"sequenceId": 1},
    ),
    "spread of the next items": (
        scoped("trades", 3, market_id=MARKET, sequence_id=SEQUENCE),
        {},
        {"secondSequenceItemId": 245},
    ),
}
for name, (query, right, wrong) in OTHER.items():
    one, other = contract(**right), contract(**wrong)
    CASES[f"other {name}"] = Case(
        query,
        trade(contract=one),
        trade(contract=other),
        f"contract is {'{'}'contract_type'",
        "contract",
    )
for name, query, wrong in (
    ("sequence", scoped("private_trades", sequence_id=SEQUENCE), {"sequenceId": 1}),
    ("instrument", scoped("private_trades", instrument_id=INSTRUMENT), {"instrumentId": 1}),
    ("item", asked("private_trades", APRIL, **NAMED), {"sequenceItemId": 245}),
):
    # Rows of your own trades may name the instrument of a market that was asked for.
    right = {"marketId": None, "instrumentId": INSTRUMENT}
    CASES[f"private, other {name}"] = Case(
        query,
        own_trade(contract=contract(**right)),
        own_trade(contract=contract(**right | wrong)),
        "its contract is",
        "contract",
    )


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_row_that_was_not_asked_for_is_named(case: Case) -> None:
    assert checked(case.query, [case.right]) == 1
    rows = [case.right, case.wrong]
    with pytest.raises(TrayportDecodeError, match=re.escape(case.says)) as error:
        checked(case.query, rows, before=100)
    assert (error.value.row, error.value.field) == (101, case.field)
    assert f"{case.query.explain()} was asked for, and row 101" in str(error.value)


def test_what_the_end_of_the_range_cuts_is_no_error() -> None:
    assert checked(asked("trades", APRIL), [trade(), trade(DAY.end - 1), trade(DAY.end)]) == 2
    weeks = asked("ohlcv", APRIL, every="7d", window=WEEKS)
    short, whole = (candle(START + 168 * HOUR, START + hours * HOUR) for hours in (240, 336))
    assert checked(weeks, [short]) == checked(weeks, [whole]) == 1
    assert checked(asked("trades", APRIL), []) == 0


def test_snapshots_may_be_older_than_asked_but_not_newer() -> None:
    check = RowCheck(asked("snapshots", APRIL))
    check.check_instant(DAY.end)
    check.check_instant(1)
    check.check_instant(None)
    with pytest.raises(TrayportDecodeError, match=f"later instant: {DAY.end + 1} "):
        check.check_instant(DAY.end + 1)


class Poisoned:
    """A service that gives the rows of another request so many times, and then none."""

    def __init__(self, times: int, *rows: Row) -> None:
        self.left = times
        self.rows = rows
        self.requests = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        self.left -= 1
        return httpx.Response(200, json=self.rows if self.left >= 0 else [])

    def client(self, **more: Any) -> TrayportClient:
        settings = Settings(
            _env_file=None,
            api_key="key",
            analytics_url="http://127.0.0.1",
            reference_url="http://127.0.0.1",
            requests_per_second=100_000,
            requests_per_minute=1_000_000,
            evenly_spaced=False,
            retry_base=0.001,
            **more,
        )
        return TrayportClient(settings=settings, transport=httpx.MockTransport(self))


RANGE = ("2024-03-04", "2024-03-05")
Use = Callable[[TrayportClient, Path], Awaitable[object]]


async def read_all(client: TrayportClient, _: Path) -> None:
    async for batch in client.stream_trades(APRIL, *RANGE):
        assert batch is None


async def mapped(client: TrayportClient, _: Path) -> None:
    async for rows in client.stream_trades(APRIL, *RANGE).map_batches(len, workers=1):
        assert rows is None


async def in_bulk(client: TrayportClient, _: Path) -> None:
    result = await client.get_trades_bulk([APRIL], *RANGE)
    (failure,) = result.failures or [None]
    if failure:
        raise failure.error


USES: Mapping[str, Use] = {
    "table": lambda client, _: client.trades.get_trades(APRIL, *RANGE),
    "bulk": in_bulk,
    "stream": read_all,
    "map_batches": mapped,
    "file": lambda client, path: client.stream_to_file(APRIL, *RANGE, path / "a.parquet"),
    "raw": lambda client, path: client.download_raw(APRIL, *RANGE, path),
}


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["strict", "lenient"])
@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_rows_of_another_request_are_asked_for_again(
    use: Use, mode: str, tmp_path: Path
) -> None:
    healed = Poisoned(1, trade(START - 1))
    async with healed.client(decode_mode=mode) as client:
        await use(client, tmp_path)
    assert healed.requests == 2
    for file in tmp_path.iterdir():
        file.unlink()
    lasting = Poisoned(1000, trade(), trade(START - 1))
    async with lasting.client(decode_mode=mode) as client:
        with pytest.raises(TrayportDecodeError, match="row 1 is something else"):
            await use(client, tmp_path)
    assert lasting.requests <= 12
    assert not list(tmp_path.iterdir())


@pytest.mark.anyio
async def test_an_item_of_reference_data_is_the_one_that_was_asked_for() -> None:
    dates = dict.fromkeys(("periodStart", "periodEnd", "tradingStart", "tradingEnd"))
    service = Poisoned(1000, {"id": 245, "name": "May-24", **dates})
    service.rows = service.rows[0]  # type: ignore[assignment]
    async with service.client() as client:
        assert (await client.reference.get_sequence_item(SEQUENCE, 245)).id == 245
        with pytest.raises(TrayportDecodeError, match=r"/244 was asked for.* about 245"):
            await client.reference.get_sequence_item(SEQUENCE, 244)
