"""The rows of each kind of response: what the market is queried for, and where each column is from.

Which kind an operation returns is read off the columns of its row in the table. Columns that
no kind knows are invented by `render`, and so are whole rows that look like nothing known.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import polars as pl
from attrs import frozen
from trayport_spec import ENDPOINTS, PRIVATE_ORDERS_FROM, VENUES, Endpoint

from .books import ASK, BID
from .calendar import DAY, HOUR, day_number
from .catalogue import KINDS, Contract
from .engine import Engine
from .intervals import edges, next_edge, points
from .noise import I64
from .query import Query, Routes, Steps
from .reference import ITEM, PRODUCT, SEQUENCE, item_data, product_data, sequence_data
from .render import Known, frame_of, json_lines
from .rules import ROUTES
from .trades import AGGRESSOR, INITIATOR, VENUE_CODE, VENUE_CODES, with_trade_ids

YOUR_COMPANY_ID = 4_711
YOUR_COMPANY_NAME = "Nordlicht Energy Trading"
YOUR_TRADERS: Mapping[int, str] = {
    81_001: "Anna Petersen",
    81_002: "Jonas Brandt",
    81_003: "Mirja Lund",
}
_CLASSIFICATION = "Physical Forward"
# Requests and responses name the kinds of contracts differently.
_RESPONSE_KINDS = {"SinglePeriod": "SinglePeriod", "Spread": "PeriodSpread", "Range": "PeriodRange"}
_POINTS_AT_ONCE = 2048
_PRIVATE_FROM = day_number(PRIVATE_ORDERS_FROM) * DAY
_SEPARATE_FEEDS = [n for n, code in enumerate(VENUE_CODES) if VENUES[code].separate_feeds]
# Of so many own orders, one is held back, one has no id of its owner's making.
_WITHHELD_ONE_OF, _UNNAMED_ONE_OF = 16, 4
_SIDES = (("bid", BID), ("ask", ASK))

_time, _number = pl.col("time"), pl.col("number")
_trader = pl.lit(pl.Series(list(YOUR_TRADERS))).gather(_number % len(YOUR_TRADERS))


def _columns(names: str, prefix: str = "") -> Known:
    """Columns of the data by the names that they have in responses, in camelCase."""
    known: dict[str, pl.Expr] = {}
    for name in names.split():
        first, *rest = name.split("_")
        known[prefix + first + "".join(map(str.capitalize, rest))] = pl.col(name)
    return known


def _sides(prefix: str) -> Known:
    """Both sides of a trade: your own has names and ids, the other one is unknown."""
    known: dict[str, pl.Expr] = {f"{prefix}productClassification": pl.lit(_CLASSIFICATION)}
    values = {
        "CompanyId": (pl.lit(YOUR_COMPANY_ID), 0),
        "TraderCompanyName": (pl.lit(YOUR_COMPANY_NAME), ""),
        "TraderId": (_trader, 0),
        "TraderName": (_trader.replace_strict(dict(YOUR_TRADERS), return_dtype=pl.String), ""),
        "DerivativeIndicator": (_number % 2 == 0, False),
    }
    for side, meaning in (("aggressor", AGGRESSOR), ("initiator", INITIATOR)):
        for name, (own, other) in values.items():
            expr = pl.when(pl.col("own") == meaning).then(own).otherwise(pl.lit(other))
            known[f"{prefix}{side}{name}"] = expr
    return known


_ROUTE: Known = {
    "route": pl.col("route").replace_strict(dict(ROUTES), return_dtype=pl.String),
    "routeId": pl.col("route"),
}
_PARTS: Known = {
    "contractType": pl.col("kind"),
    "marketId": pl.col("market"),
    "instrumentId": pl.col("instrument"),
    "sequenceId": pl.col("sequence"),
    "sequenceItemId": pl.col("item"),
    "secondSequenceItemId": pl.col("second"),
}
_CONTRACT: Known = {f"contract.{name}": expr for name, expr in _PARTS.items()}
_TRADE: Known = {
    "tradeId": pl.when(pl.col("private") & pl.col("venue").is_in(_SEPARATE_FEEDS))
    .then(pl.col("trade_id").str.replace(" Public$", " Private"))
    .otherwise("trade_id"),
    "venueCode": VENUE_CODE,
    "dealDate": _time,
    "privateFields": pl.col("private"),
    **_columns("price quantity aggressor_buy from_broken_spread last_updated"),
    **_columns("initiator_owned_spread aggressor_owned_spread"),
    **_columns("aggressor_sleeve initiator_sleeve"),
    **_ROUTE,
    **_CONTRACT,
    **_sides("privateFields."),
}
_PRIVATE_TRADE: Known = {**_TRADE, **_sides("")}
_ORDER_PRIVATE: Known = {
    "clientOrderId": pl.when(_number % _UNNAMED_ONE_OF != 0).then(pl.format("ORD-{}", _number)),
    "orderStatus": pl.when(_number % _WITHHELD_ONE_OF == 0)
    .then(pl.lit("Withheld"))
    .otherwise(pl.lit("Firm")),
    "lastModifierUserId": _trader,
    "hiddenQuantity": pl.col("hidden_quantity"),
    "ownerUserId": _trader,
    "ownerCompanyId": pl.lit(YOUR_COMPANY_ID),
    "originalHiddenQuantity": pl.col("hidden_quantity"),
    "hiddenQtyPriceDelta": pl.lit(0.0),
}
_ORDER: Known = {
    "venueCode": VENUE_CODE,
    "privateFields": pl.col("private"),
    **_columns("price quantity"),
    **_ROUTE,
    **{f"privateFields.{name}": expr for name, expr in _ORDER_PRIVATE.items()},
}
_BEST = "bid_price bid_quantity ask_price ask_quantity"


def with_contract(data: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """The data with the parts of a contract as responses name them."""
    product_ids = {contract.product: contract.product_id}
    numbers = {
        "market": product_ids.get("market"),
        "instrument": product_ids.get("instrument"),
        "sequence": contract.sequence_id,
        "item": contract.item_id,
        "second": contract.second_item_id,
    }
    return data.with_columns(
        *(pl.lit(number, pl.Int64).alias(name) for name, number in numbers.items()),
        kind=pl.lit(_RESPONSE_KINDS[contract.kind]),
    )


def _over_routes(data: pl.DataFrame, routes: Routes) -> pl.DataFrame:
    """The records that come over the routes, once each or once per route."""
    seen = [
        pl.when(pl.col("routes") & (1 << (n - 1)) != 0).then(pl.lit(n, pl.Int64))
        for n in routes.ids
    ]
    if not routes.are_apart:
        return data.with_columns(route=pl.coalesce(seen)).drop_nulls("route")
    several = data.with_columns(route=pl.concat_list(seen).list.drop_nulls())
    return several.filter(pl.col("route").list.len() > 0).explode("route")


def _with_private(data: pl.DataFrame, own: pl.Expr) -> pl.DataFrame:
    """Own records marked, and shown twice by venues that have a feed for each."""
    marked = data.select(own=own, twice=own & pl.col("venue").is_in(_SEPARATE_FEEDS))
    is_own, twice = (marked[name].to_numpy() for name in ("own", "twice"))
    copies = np.repeat(np.arange(data.height), 1 + twice)
    second = np.diff(copies, prepend=-1) == 0
    return data[copies].with_columns(
        private=pl.Series(is_own[copies] & (second | ~twice[copies]), dtype=pl.Boolean)
    )


def _keyed(data: pl.DataFrame) -> pl.DataFrame:
    return data.with_columns(key=_time + 1_000_003 * _number)


def trades_between(engine: Engine, query: Query, start: int, end: int) -> pl.DataFrame:
    """The trades of all contracts of a query, by time."""
    names = {column.name for column in query.endpoint.row}
    parts: list[pl.DataFrame] = []
    for contract in query.contracts:
        trades = engine.trades(contract, start, end)
        if "tradeId" in names:
            trades = with_trade_ids(trades, contract, engine.catalogue)
        parts.append(with_contract(trades, contract))
    data = parts[0] if len(parts) == 1 else pl.concat(parts).sort("time", maintain_order=True)
    data = _over_routes(data, query.shape.routes)
    if "includePrivate" not in query.shape.parameters:
        return _keyed(data).with_columns(private=False)
    return _keyed(_with_private(data, pl.col("own") > 0))


def _trades(engine: Engine, query: Query) -> Iterator[pl.DataFrame]:
    if query.has_range:
        yield trades_between(engine, query, query.start, query.end)
    else:
        yield from _last_trades(engine, query)


def _private_trades(engine: Engine, query: Query) -> Iterator[pl.DataFrame]:
    """Your trades, by time; of the instruments, or of the market if the query names one."""
    narrowed, parts = query.narrowed, list[pl.DataFrame]()
    of_market = narrowed.product == "market" and narrowed.product_id is not None
    for contract, trades in engine.own_trades(query.start, query.end, _admitted(query)):
        named = with_contract(with_trade_ids(trades, contract, engine.catalogue), contract)
        if not of_market:
            named = named.with_columns(
                market=pl.lit(None, pl.Int64), instrument=pl.col("instrument_id")
            )
        parts.append(named)
    if parts:
        order = ("time", "instrument_id", "sequence", "item", "second", "kind")
        data = pl.concat(parts).sort(order, maintain_order=True)
        data = _over_routes(data, query.shape.routes)
        yield _keyed(data).with_columns(private=True)


def _admitted(query: Query) -> pl.Expr:
    """Which instrument contracts the parts of a contract in a query leave."""
    narrowed = query.narrowed
    parts = {
        f"{narrowed.product}_id": narrowed.product_id,
        "sequence_id": narrowed.sequence_id,
        "item_id": narrowed.item_id,
        # No item has the number 0, which stands for none in the table of contracts.
        "second_item_id": -1 if narrowed.second_item_id == 0 else narrowed.second_item_id,
        "kind": None if narrowed.kind is None else [*KINDS].index(narrowed.kind),  # type: ignore[arg-type]
    }
    given = [pl.col(name) == part for name, part in parts.items() if part is not None]
    return pl.all_horizontal(pl.lit(True), *given)


def _last_trades(engine: Engine, query: Query) -> Iterator[pl.DataFrame]:
    days = query.endpoint.limits.lookback_days or _lookback_days()
    for contract in query.contracts:
        trades = engine.last_trade(contract, query.at, lookback_days=days)
        trades = with_trade_ids(trades, contract, engine.catalogue)
        data = _over_routes(with_contract(trades, contract), query.shape.routes)
        yield _keyed(data).with_columns(private=False)


def _lookback_days() -> int:
    return max((e.limits.lookback_days or 1 for e in ENDPOINTS.values()), default=1)


def _candles(engine: Engine, query: Query) -> Iterator[pl.DataFrame]:
    """The candles between the edges; empty ones only when the query includes them."""
    borders = _borders(query)
    for contract in query.contracts:
        # What comes after the end of the data has not happened yet.
        candles = engine.candles(contract, np.minimum(borders, query.data_end))
        data = candles.with_columns(time=pl.Series(borders[:-1]), key=pl.Series(borders[:-1]))
        data = with_contract(data.with_columns(until=pl.Series(borders[1:])), contract)
        yield data if query.flag("includeEmptyBuckets") else data.filter(pl.col("count") > 0)


def _borders(query: Query) -> I64:
    """The edges of the buckets; one bucket more when rows stamped at the end belong to it."""
    steps = query.steps or Steps(1, "day")
    start = query.start if query.has_range else query.at - DAY
    until = query.until if query.has_range else query.at
    borders = edges(start, until, steps)
    if query.has_range and query.end > query.until:
        after = next_edge(query.until, steps)
        if after <= query.data_end:
            return np.append(borders, np.int64(after))
    return borders


def _activity(engine: Engine, query: Query) -> Iterator[pl.DataFrame]:
    """Counts per contract and route of the query."""
    end = min(query.until, query.data_end)
    counts = engine.activity(query.start, max(query.start, end))
    kinds = {n: _RESPONSE_KINDS[kind] for n, kind in enumerate(KINDS)}
    yield counts.filter(pl.col("route").is_in(query.shape.routes.ids), _admitted(query)).select(
        market="market_id",
        instrument="instrument_id",
        sequence="sequence_id",
        item="item_id",
        second=pl.col("second_item_id").replace(0, None),
        kind=pl.col("kind").replace_strict(kinds, return_dtype=pl.String),
        route="route",
        count="count",
        update_count="update_count",
        delete_count="delete_count",
        key=pl.col("instrument_id") * 31 + pl.col("item_id") + pl.col("route"),
    )


def _instants(query: Query) -> I64:
    """The instants of a query: by its interval, else every hour of its range, else the one."""
    if not query.has_range:
        return np.array([query.at], np.int64)
    if query.end <= query.start:
        return np.zeros(0, np.int64)
    if query.steps is not None:
        return points(query.start, query.end, query.steps)
    return np.arange(-(-query.start // HOUR) * HOUR, query.end, HOUR, dtype=np.int64)


def _sampled(query: Query) -> Iterator[I64]:
    """The instants of a query, some at a time."""
    times = _instants(query)
    for first in range(0, len(times), _POINTS_AT_ONCE):
        yield times[first : first + _POINTS_AT_ONCE]


def _timed(times: I64) -> pl.DataFrame:
    return pl.DataFrame({"point": np.arange(len(times)), "time": times, "key": times})


def _joined(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return parts[0] if len(parts) == 1 else pl.concat(parts).sort("time", maintain_order=True)


def _books(engine: Engine, query: Query) -> Iterator[pl.DataFrame]:
    """Books, some points at a time: one row per point, the orders of each side as JSON text."""
    for times in _sampled(query):
        yield _joined([_books_at(engine, query, contract, times) for contract in query.contracts])


def _books_at(engine: Engine, query: Query, contract: Contract, times: I64) -> pl.DataFrame:
    orders = _over_routes(engine.orders(contract, times), query.shape.routes)
    if "includePrivate" in query.shape.parameters:
        known = pl.lit(pl.Series(times)).gather(pl.col("point")) >= _PRIVATE_FROM
        orders = _with_private(orders, pl.col("own") & known)
    orders = orders.with_columns(key=_number)
    side = ["point", "side"]
    percent, depth = query.number("maxSpread"), query.number("depth")
    if percent is not None:
        best = pl.col("ticks").first().over(side)
        orders = orders.filter((pl.col("ticks") - best).abs() * 100 <= percent * best.abs())
    if depth is not None:
        orders = orders.filter(pl.int_range(pl.len()).over(side) < depth)
    data = with_contract(_timed(times), contract)
    for column in query.endpoint.row:
        number = {"bids": BID, "asks": ASK}.get(column.name)
        if number is not None:
            rows = orders.filter(pl.col("side") == number)
            frame = frame_of(column.fields, query.shape, _ORDER, rows)
            lines = pl.DataFrame({"point": rows["point"], "line": json_lines(column.fields, frame)})
            text = pl.format("[{}]", pl.col("line").str.join(","))
            texts = lines.group_by("point").agg(text.alias(column.name))
            data = data.join(texts, on="point", how="left", maintain_order="left")
            data = data.with_columns(pl.col(column.name).fill_null("[]"))
    if query.flag("includeEmptyBuckets"):
        return data
    return data.filter(pl.col("point").is_in(orders["point"].implode()))


def _tops(engine: Engine, query: Query) -> Iterator[pl.DataFrame]:
    """The best prices, some points at a time; one row per route where they are kept apart."""
    routes = query.shape.routes
    groups = [Routes((n,)) for n in routes.ids] if routes.are_apart else [routes]
    for times in _sampled(query):
        parts: list[pl.DataFrame] = []
        for contract in query.contracts:
            orders = engine.orders(contract, times)
            parts += [_top(query, contract, orders, times, group) for group in groups]
        yield _joined(parts)


def _top(
    query: Query, contract: Contract, orders: pl.DataFrame, times: I64, routes: Routes
) -> pl.DataFrame:
    """The best order of each side at each point, of those that come over any of the routes."""
    seen = orders.with_columns(pl.col("routes") & routes.mask).filter(pl.col("routes") != 0)
    best = seen.group_by("point", "side", maintain_order=True).first()
    data = with_contract(_timed(times), contract)
    for name, side in _SIDES:
        columns = {
            f"{name}_price": pl.col("price"),
            f"{name}_quantity": pl.col("quantity"),
            f"{name}_venue_code": VENUE_CODE,
            f"{name}_routes": pl.col("routes"),
        }
        rows = best.filter(pl.col("side") == side).select("point", **columns)
        data = data.join(rows, on="point", how="left", maintain_order="left")
    # The lowest route that both sides came over, or else one of them.
    bid, ask = (pl.col(f"{name}_routes").fill_null(0) for name, _ in _SIDES)
    both = pl.when(bid & ask != 0).then(bid & ask).when(bid != 0).then(bid).otherwise(ask)
    data = data.with_columns(common=pl.when(both != 0).then(both).otherwise(routes.mask))
    in_order = [
        pl.when(pl.col("common") & (1 << (n - 1)) != 0).then(pl.lit(n, pl.Int64))
        for n in sorted(ROUTES)
    ]
    data = data.with_columns(route=pl.coalesce(in_order))
    if query.flag("includeEmptyBuckets") or not query.has_range:
        return data
    return data.filter(pl.col("bid_price").is_not_null() | pl.col("ask_price").is_not_null())


def _snapshots(engine: Engine, query: Query) -> Iterator[pl.DataFrame]:
    """The last trade and the best orders of each contract at one instant."""
    days = _lookback_days()
    at = np.array([query.at], np.int64)
    whole = Routes(query.shape.routes.ids)
    for contract in query.contracts:
        last = engine.last_trade(contract, query.at, lookback_days=days)
        best = _top(query, contract, engine.orders(contract, at), at, whole)
        yield best.with_columns(
            last=pl.lit(last.height > 0),
            last_price=pl.lit(last["price"].item() if last.height else None, pl.Float64),
            last_time=pl.lit(last["time"].item() if last.height else None, pl.Int64),
            key=pl.lit(query.at + contract.item_id),
        )


def _invented(_: Engine, query: Query) -> Iterator[pl.DataFrame]:
    """Rows of a kind that the market does not know: one per instant and contract."""
    if query.endpoint.root == "object" and query.endpoint.rows_at is None:
        times = np.array([query.start if query.has_range else query.at], np.int64)
    else:
        times = _instants(query)
    data = _timed(times).with_columns(route=pl.lit(min(query.shape.routes.ids), pl.Int64))
    parts = [
        with_contract(data, contract).with_columns(key=pl.col("key") + contract.item_id)
        for contract in query.contracts
    ]
    yield _joined(parts) if parts else data


@frozen(eq=False)
class Kind:
    """One kind of response.

    Attributes:
        columns: The columns that a row of this kind has at least.
        known: Where the values of its columns are from, by path.
        data: What the market says, in pieces, before columns are chosen.
        needs_contracts: Whether it takes contracts that are named in full.
    """

    columns: frozenset[str]
    known: Known
    data: Callable[[Engine, Query], Iterator[pl.DataFrame]]
    needs_contracts: bool = False
    by_day: bool = False


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The first that fits is taken, so special kinds stand before general ones.
_KINDS = (
    Kind(_names("tradeId dealDate price"), _TRADE, _trades, needs_contracts=True, by_day=True),
    Kind(_names("tradeId dealDate price"), _PRIVATE_TRADE, _private_trades),
    Kind(
        _names("fromTimestamp toTimestamp open high low close"),
        {
            "fromTimestamp": _time,
            "toTimestamp": pl.col("until"),
            **_columns("open high low close volume vwap count open_timestamp close_timestamp"),
            **_CONTRACT,
        },
        _candles,
        needs_contracts=True,
    ),
    Kind(
        _names("timestamp bids asks"),
        {"timestamp": _time, **_columns("bids asks"), **_CONTRACT},
        _books,
        needs_contracts=True,
    ),
    Kind(
        _names("timestamp bidPrice askPrice"),
        {
            "timestamp": _time,
            **_columns(f"{_BEST} bid_venue_code ask_venue_code"),
            **_ROUTE,
            **_CONTRACT,
        },
        _tops,
        needs_contracts=True,
    ),
    Kind(
        _names("lastTrade bestOrders"),
        {
            "lastTrade": pl.col("last"),
            "lastTrade.price": pl.col("last_price"),
            "lastTrade.dealDate": pl.col("last_time"),
            **_columns(_BEST, "bestOrders."),
            **_CONTRACT,
        },
        _snapshots,
        needs_contracts=True,
    ),
    Kind(_names("price dealDate"), _TRADE, _trades, needs_contracts=True),
    Kind(
        _names("instrumentId sequenceItemId contractType count"),
        {**_columns("count update_count delete_count"), **_ROUTE, **_PARTS},
        _activity,
    ),
    Kind(_names("id name periodStart periodEnd"), ITEM, item_data),
    Kind(_names("id name sequenceItems"), SEQUENCE, sequence_data),
    Kind(_names("id name sequences"), PRODUCT, product_data),
)


def kind_of(endpoint: Endpoint) -> Kind:
    """The kind of response that the row of an operation looks like."""
    names = {column.name for column in endpoint.row}
    named = endpoint.limits.contract in ("one", "many")
    fitting = (k for k in _KINDS if k.columns <= names and (named or not k.needs_contracts))
    return next(fitting, _invented_kind(endpoint, named=named))


def _invented_kind(endpoint: Endpoint, *, named: bool) -> Kind:
    known: dict[str, pl.Expr] = dict(_ROUTE)
    if named:
        known |= {**_PARTS, **_CONTRACT}
    if endpoint.time_column is not None:
        known[endpoint.time_column] = _time
    return Kind(frozenset(), known, _invented)
