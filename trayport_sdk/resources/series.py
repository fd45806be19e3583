"""What a desk asks for daily: forward curves, continuous series, and spreads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import polars as pl
from attrs import frozen

from ..bulk.results import RunResult
from ..bulk.runner import Runner
from ..errors import (
    TrayportLookupError,
    TrayportNotFoundError,
    TrayportValidationError,
    exclusive,
    invalid,
    missing,
    not_whole,
    unknown_value,
)
from ..query.build import about, end_of_data
from ..query.contracts import ContractSpec, ContractType
from ..query.plan import OPERATIONS, QueryPlan
from ..query.planner import plan
from ..query.times import Interval, TimeLike, Window, floored, to_text
from ..tables.analytics import spreads
from ..tables.base import RequestRecord
from ..tables.convert import flat
from ..tables.series import ContinuousResponse, CurveResponse, SpreadResponse
from .catalog import kind_of, product_of
from .rolls import (
    Listed,
    Segment,
    ceiled,
    check_days_before,
    check_rank,
    days_needed,
    ends_by_expiry,
    ends_by_volume,
    expiring,
    fronts,
    requests_for,
    segments,
)

if TYPE_CHECKING:
    from ..bulk.progress import OnProgress
    from .resolve import Resolver

Roll: TypeAlias = Literal["expiry", "volume"]
"""When a contract gives way: at the end of its trading, or when the next one trades more."""

Adjust: TypeAlias = Literal["difference", "ratio"]
"""How earlier prices of a continuous series are brought to the level of later ones."""

_TIME = pl.Datetime("ns", "UTC")
_DAY, _MINUTE = Interval(1, "day"), Interval(1, "minute")
_TIMES = {"trades": "deal_date", "ohlcv": "from_timestamp"}
_OTHER_KINDS = {"cal": "year", "cals": "year", "calendar": "year"}
_PRICES = ("price", "open", "high", "low", "close", "vwap")


@frozen
class _Sequence:
    """A sequence of a product, and its periods."""

    name: str
    listed: Sequence[Listed]


class Series:
    """Makes tables of several contracts of a product."""

    def __init__(self, runner: Runner, resolver: Resolver) -> None:
        self._runner = runner
        self._resolver = resolver
        self._catalog = resolver.catalog

    async def curve(
        self, product: str, sequence: str | None, n: int, at: TimeLike | None
    ) -> CurveResponse:
        """The next contracts of a product at an instant."""
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise not_whole("n", n)
        query = self._runner.query("snapshots", at=at)
        known = await self._sequence(product, sequence)
        moment = query.at or 0
        tradable = [one for one in known.listed if one.is_tradable(moment)]
        tradable.sort(key=lambda one: (one.period_start is not None, one.period_start or 0))
        wanted = tradable[:n]
        if not wanted:
            raise TrayportLookupError(
                f"no period of {known.name} can be traded at {to_text(moment)}",
                suggestion="use another time, or another sequence",
            )
        came = await self._whole(plan(about(query, [one.contract for one in wanted])))
        rows = [_snapshot(came, one) for one in wanted]
        frame = pl.DataFrame(rows, schema=_CURVE, orient="row").with_columns(
            mid=(pl.col("bid_price") + pl.col("ask_price")) / 2
        )
        return CurveResponse(frame, _requests(came))

    async def continuous(
        self,
        series: str,
        rank: int,
        from_: TimeLike,
        until: TimeLike | None,
        *,
        roll: Roll,
        days_before: int | None,
        what: Literal["trades", "ohlcv"],
        interval: Interval | str | None,
        adjust: Adjust | None,
        on_progress: OnProgress | None,
    ) -> ContinuousResponse:
        """The rows of contracts that follow each other."""
        _check_choices({"roll": (roll, ("expiry", "volume")), "what": (what, tuple(_TIMES))})
        if adjust is not None:
            _check_choices({"adjust": (adjust, ("difference", "ratio"))})
        check_rank(rank)
        check_days_before(days_before)
        if roll == "volume" and days_before is not None:
            raise exclusive("roll='volume'", "days_before")
        if what == "trades" and interval is not None:
            raise invalid("interval", str(interval), "is for candles", 'use what="ohlcv"')
        query = self._runner.query(what, from_=from_, until=until, interval=interval)
        product, sequence = _series_named(series)
        known = await self._sequence(product, sequence, joined=True)
        listed = expiring(known.listed)
        if not listed:
            raise TrayportValidationError(
                f"the periods of {known.name} never expire, so they do not follow each other",
                parameter="series",
                suggestion="ask for their trades by name",
            )
        window = query.window or Window(0, 0)
        ends = ends_by_expiry(listed, days_before, query.interval, window.start)
        requests: list[RequestRecord] = []
        if roll == "volume":
            ends, requests = await self._ends_by_volume(listed, ends, window)
        parts = segments(listed, ends, window, rank, series)
        came = await self._whole(requests_for(query, parts), on_progress)
        rolls = _rolls(parts)
        requests += _requests(came)
        prices: list[tuple[float, float]] = []
        if adjust is not None:
            prices, more = await self._prices_at(parts)
            requests += more
            rolls = rolls.with_columns(
                from_price=pl.Series([old for old, _ in prices], dtype=pl.Float64),
                to_price=pl.Series([new for _, new in prices], dtype=pl.Float64),
            )
        factors = _factors(prices, adjust, len(parts))
        frames = [
            _adjusted(_rows(came, part, _TIMES[what]), factor, adjust)
            for part, factor in zip(parts, factors, strict=True)
        ]
        return ContinuousResponse(pl.concat(frames), requests, rolls)

    async def spread(
        self,
        first: ContractSpec | str,
        second: ContractSpec | str,
        from_: TimeLike,
        until: TimeLike | None,
        *,
        what: Literal["quotes", "ohlcv"],
        interval: Interval | str | None,
    ) -> SpreadResponse:
        """The difference between two contracts."""
        _check_choices({"what": (what, ("quotes", "ohlcv"))})
        if interval is None:
            raise missing("interval", "a spread is given at regular intervals", 'give one: "1m"')
        endpoint = "order_book_top" if what == "quotes" else "ohlcv"
        query = self._runner.query(endpoint, from_=from_, until=until, interval=interval)
        legs = await self._resolver.resolve_all((first, second), query.starts_at)
        if legs[0] == legs[1]:
            raise invalid("b", str(second), "is the same contract as a", "give two contracts")
        await self._check_units(legs[0], legs[1])
        traded, is_reversed = await self._traded(legs[0], legs[1])
        plans = [request for leg in legs for request in plan(about(query, [leg]))]
        if traded is not None:
            plans += plan(about(query, [traded]))
        came = await self._runner.run_result(plans)
        for failed in came.failures:
            is_unknown = isinstance(failed.error, TrayportNotFoundError)
            if not (is_unknown and failed.contracts == (traded,)):
                raise failed.error
        make = spreads.of_quotes if what == "quotes" else spreads.of_candles
        made = make(*(_joined(came, leg) for leg in legs))
        own = made.clear()
        if traded is not None and came.rows[traded]:
            own = _joined(came, traded)
            own = spreads.negated(own) if is_reversed else own
            own = (spreads.with_mid(own) if what == "quotes" else own).select(made.columns)
        parts = {"exchange": own, "synthetic": made}
        frame = pl.concat(
            rows.select(pl.lit(source).alias("source"), pl.all()) for source, rows in parts.items()
        )
        time = pl.col("timestamp" if what == "quotes" else "from_timestamp")
        return SpreadResponse(frame.sort(time, maintain_order=True), _requests(came))

    async def _check_units(self, first: ContractSpec, second: ContractSpec) -> None:
        """Refuses prices that have no difference.

        Raises:
            TrayportValidationError: They are in different currencies or units.
        """
        products = [product_of(first), product_of(second)]
        if products[0] == products[1]:
            return
        own = [await self._catalog.specifications(product) for product in products]
        units = [f"{one.price_currency}/{one.notional_quantity_unit}" for one in own]
        if units[0] != units[1]:
            raise TrayportValidationError(
                f"b {second.label} has prices in {units[1]}, and {first.label} in {units[0]}",
                parameter="b",
                suggestion="fetch both, and convert one with to_unit before taking the difference",
            )

    async def _sequence(self, name: str, sequence: str | None, joined: bool = False) -> _Sequence:
        """The sequence of a product that a word such as `months` names; the only one without."""
        product = await self._resolver.product(name)
        sequences = await self._catalog.sequences(product)
        wanted = " ".join((sequence or "").lower().split())
        kind = _OTHER_KINDS.get(wanted, wanted.removesuffix("s"))
        found = list(sequences) if not wanted else []
        found = found or [one for one in sequences if one.name.lower() == wanted]
        found = found or [one for one in sequences if kind_of(one) == kind]
        found = found or [one for one in sequences if one.name.lower().endswith(f" {wanted}")]
        if len(found) != 1:
            names = [one.name for one in found or sequences]
            raise TrayportLookupError(
                f"no sequence of {product.title} is named {sequence!r}"
                if wanted
                else f"{product.title} has several sequences",
                candidates=[f"{product.title} {name}" for name in names] if joined else names,
            )
        (only,) = found
        items = (await self._catalog.items(only.id)).rows
        listed = [Listed.of(product.contract(only.id, [item]), item) for item in items]
        return _Sequence(f"{product.title} {only.name}", listed)

    async def _ends_by_volume(
        self, listed: Sequence[Listed], expiries: Mapping[ContractSpec, int], window: Window
    ) -> tuple[dict[ContractSpec, int], list[RequestRecord]]:
        """The end of the first day on which the next contract traded more, or of trading."""
        found = fronts(listed, expiries, window)
        last = min(self._last_day(), ceiled(window.end, _DAY))
        queries: list[QueryPlan] = []
        for contract, days in days_needed(found).items():
            until = min(days.end, last)
            if days.start < until:
                query = self._runner.query(
                    "ohlcv",
                    [contract],
                    from_=to_text(days.start),
                    until=to_text(until),
                    interval=_DAY,
                )
                queries += plan(query)
        came = await self._whole(queries)
        volumes = {contract: _volumes(came, contract) for contract in days_needed(found)}
        return ends_by_volume(found, expiries, volumes), _requests(came)

    def _last_day(self) -> int:
        """Where the last whole day of candles ends."""
        runner = self._runner
        end = end_of_data(OPERATIONS["ohlcv"], runner.now(), intraday=runner.intraday)
        return floored(end, _DAY)

    async def _prices_at(
        self, parts: Sequence[Segment]
    ) -> tuple[list[tuple[float, float]], list[RequestRecord]]:
        """The last prices of both contracts before each roll."""
        rolls = [
            (old.listed, new.listed, floored(new.window.start, _MINUTE))
            for old, new in pairwise(parts)
        ]
        queries: list[QueryPlan] = []
        for old, new, at in rolls:
            pair = [old.contract, new.contract]
            queries += plan(self._runner.query("snapshots", pair, at=to_text(at)))
        came = await self._whole(queries)
        prices = [(_price(came, old, at), _price(came, new, at)) for old, new, at in rolls]
        return prices, _requests(came)

    async def _traded(
        self, first: ContractSpec, second: ContractSpec
    ) -> tuple[ContractSpec | None, bool]:
        """The traded spread of two contracts, and whether it is the other way round."""
        single = ContractType.SINGLE_PERIOD
        if first.contract_type != single or second.contract_type != single:
            return None, False
        products = {(one.market_id, one.instrument_id, one.sequence_id) for one in (first, second)}
        if len(products) > 1:
            return await self._between_places(first, second)
        items = await self._catalog.items(first.sequence_id)
        order = {item.id: item.period_start or "" for item in items.rows}
        near, far = sorted((first, second), key=lambda one: order.get(one.sequence_item_id, ""))
        traded = ContractSpec(
            market_id=near.market_id,
            instrument_id=near.instrument_id,
            sequence_id=near.sequence_id,
            sequence_item_id=near.sequence_item_id,
            second_sequence_item_id=far.sequence_item_id,
            contract_type=ContractType.SPREAD,
        )
        return traded, near != first

    async def _between_places(
        self, first: ContractSpec, second: ContractSpec
    ) -> tuple[ContractSpec | None, bool]:
        """The traded spread of one period at two places, which is a market of its own."""
        period = first.period
        if period is None or period != second.period:
            return None, False
        markets = await self._catalog.names(is_market=True)
        here, there = (
            (one.name or "").removesuffix(f" {period}").removesuffix("*") for one in (first, second)
        )
        for name in (f"{here}/{there}", f"{there}/{here}"):
            if markets.find(name):
                with suppress(TrayportLookupError):  # the market does not have this period
                    contract = await self._resolver.contract_of(market=name, item=period)
                    return contract, name.startswith(f"{there}/")
        return None, False

    async def _whole(
        self, plans: Sequence[QueryPlan], on_progress: OnProgress | None = None
    ) -> RunResult:
        """What came of a plan, all of it."""
        came = await self._runner.run_result(plans, on_progress)
        for failed in came.failures:
            raise failed.error
        return came


_CURVE: dict[str, Any] = {
    "contract": pl.String,
    "contract_name": pl.String,
    "period": pl.String,
    "period_start": _TIME,
    "period_end": _TIME,
    "last_price": pl.Float64,
    "last_deal_date": _TIME,
    "bid_price": pl.Float64,
    "bid_quantity": pl.Float64,
    "ask_price": pl.Float64,
    "ask_quantity": pl.Float64,
}
_FROM_SNAPSHOTS = {
    "last_price": "last_trade_price",
    "last_deal_date": "last_trade_deal_date",
    **{f"{name}": f"best_orders_{name}" for name in list(_CURVE)[-4:]},
}


def _check_choices(given: Mapping[str, tuple[object, tuple[str, ...]]]) -> None:
    for name, (value, choices) in given.items():
        if value not in choices:
            raise unknown_value(name, value, choices)


def _series_named(series: str) -> tuple[str, str]:
    """The product and the sequence in a text such as `TTF Hi Cal 51.6* months`."""
    text = series.strip() if isinstance(series, str) else ""  # pyright: ignore[reportUnnecessaryIsInstance]
    product, star, sequence = text.rpartition("*")
    if not star:
        product, _, sequence = text.rpartition(" ")
    if not product.strip() or not (star or sequence.strip()):
        raise invalid(
            "series",
            series,
            "is no product and sequence",
            'write them like "TTF Hi Cal 51.6* months"',
        )
    return product.strip() + star, sequence.strip()


def _requests(came: RunResult) -> list[RequestRecord]:
    records = (part.record for parts in came.rows.values() for part in parts)
    return list({id(record): record for record in records}.values())


def _joined(came: RunResult, contract: ContractSpec) -> pl.DataFrame:
    """The flat rows of a contract, in time order."""
    parts = sorted(came.rows[contract], key=lambda part: part.query.window or Window(0, 0))
    return flat(pl.concat([part.frame for part in parts])) if parts else pl.DataFrame()


def _snapshot(came: RunResult, listed: Listed) -> list[object]:
    """The row of a curve."""
    rows = _joined(came, listed.contract)
    state = rows.row(0, named=True) if rows.height else {}
    return [
        str(listed.contract),
        listed.name,
        listed.period,
        listed.period_start,
        listed.period_end,
        *(state.get(_FROM_SNAPSHOTS[name]) for name in list(_CURVE)[5:]),
    ]


def _price(came: RunResult, listed: Listed, at: int) -> float:
    """The last price of a contract before a roll."""
    for part in came.rows[listed.contract]:
        if part.query.at == at:
            for price in flat(part.frame)["last_trade_price"].drop_nulls():
                return float(price)
    raise TrayportLookupError(
        f"{listed.name} had no trade before {to_text(at)}, so prices cannot be adjusted there",
        suggestion="leave adjust out, use a later start, or another rank",
    )


def _volumes(came: RunResult, contract: ContractSpec) -> dict[int, float]:
    """What was traded on each day, by the instant at which it starts."""
    parts = came.rows.get(contract, ())
    frames = [part.frame.select("from_timestamp", "volume") for part in parts]
    if not frames:
        return {}
    return dict(pl.concat(frames).with_columns(pl.col("from_timestamp").to_physical()).iter_rows())


def _rolls(parts: Sequence[Segment]) -> pl.DataFrame:
    """When contracts give way to each other."""
    pairs = list(pairwise(parts))
    return pl.DataFrame(
        {
            "time": pl.Series([new.window.start for _, new in pairs], dtype=pl.Int64).cast(_TIME),
            "from_contract": [str(old.listed.contract) for old, _ in pairs],
            "from_name": [old.listed.name for old, _ in pairs],
            "to_contract": [str(new.listed.contract) for _, new in pairs],
            "to_name": [new.listed.name for _, new in pairs],
        },
        schema_overrides=dict.fromkeys(
            ("from_contract", "from_name", "to_contract", "to_name"), pl.String
        ),
    )


def _factors(
    prices: Sequence[tuple[float, float]], adjust: Adjust | None, count: int
) -> list[float]:
    """What is added to the prices of each part, or by which they are multiplied."""
    factor = 1.0 if adjust == "ratio" else 0.0
    if adjust is None:
        return [factor] * count
    factors = [factor]
    for old, new in reversed(prices):
        if adjust == "ratio":
            if old <= 0 or new <= 0:
                raise TrayportValidationError(
                    f"prices of {old} and {new} at a roll have no ratio",
                    parameter="adjust",
                    suggestion='use adjust="difference"',
                )
            factor *= new / old
        else:
            factor += new - old
        factors.append(factor)
    return factors[::-1]


def _adjusted(frame: pl.DataFrame, factor: float, adjust: Adjust | None) -> pl.DataFrame:
    if adjust is None:
        return frame
    prices = pl.col([name for name in _PRICES if name in frame.columns])
    changed = prices * factor if adjust == "ratio" else prices + factor
    return frame.with_columns(changed, factor=pl.lit(factor))


def _rows(came: RunResult, part: Segment, time: str) -> pl.DataFrame:
    """The rows of a segment, with the contract that they are of."""
    rows = _joined(came, part.listed.contract)
    inside = (
        pl.col(time).to_physical().is_between(part.window.start, part.window.end, closed="left")
    )
    return rows.filter(inside).select(
        pl.lit(str(part.listed.contract)).alias("contract"),
        pl.lit(part.listed.name).alias("contract_name"),
        pl.lit(part.listed.period).alias("period"),
        pl.exclude("contract"),
    )
