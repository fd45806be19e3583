"""Whether the rows of a response are those that its request asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NoReturn

import polars as pl

from ..errors import TrayportDecodeError
from ..query.contracts import ContractType, response_forms
from ..query.plan import CONTRACT, BulkMarketQuery, QueryPlan
from ..query.times import SECOND, Interval, TimeRange, Window, floored, to_text
from ..tables.analytics.buckets import Buckets, Clock
from ..tables.analytics.ohlcv import END, START
from ..tables.convert import SIDES

ITEM, SECOND_ITEM, KIND = "sequence_item_id", "second_sequence_item_id", "contract_type"
ROUTE, ROUTE_ID = "route", "route_id"
_OTHER_PRODUCT = {"market_id": "instrument_id", "instrument_id": "market_id"}


class RowCheck:
    """Checks the rows of one response, table by table.

    A row before the range, or of another contract, route or interval, is an error, also where
    decoding is lenient: it belongs to another request. Rows at or after the end of the range are
    left out. Whether the service sends those stamped exactly there is not documented; so each row
    is in exactly one of two ranges that meet.

    Args:
        query: The query that the response is to.

    Attributes:
        received: How many rows there were so far.
    """

    def __init__(self, query: QueryPlan) -> None:
        names = {column.name: column.python_name for column in query.operation.row}
        self._query = query
        self._time_field = query.operation.time_column or ""
        self._time = names.get(self._time_field)
        self._first_point: int | None = None
        self.received = 0

    def wanted(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows that lie before the end of the range.

        Raises:
            TrayportDecodeError: A row was not asked for.
        """
        wanted = frame
        if frame.height:
            self._check_contracts(frame)
            self._check_routes(frame)
            if self._time is not None:
                wanted = self._in_range(frame, frame.get_column(self._time).to_physical())
        self.received += frame.height
        return wanted

    def check_instant(self, timestamp: int | None) -> None:
        """Checks the instant that a whole response is about; older ones are right too.

        Raises:
            TrayportDecodeError: It is later than that of the query.
        """
        at = self._query.at
        if timestamp is not None and at is not None and timestamp > at:
            raise TrayportDecodeError(
                f"{self._query.explain()} was asked for, and the response is about a later "
                f"instant: {_exact(timestamp)}",
                field="timestamp",
            )

    def _in_range(self, frame: pl.DataFrame, times: pl.Series) -> pl.DataFrame:
        query, window, interval = self._query, self._query.window, self._query.interval
        earliest, latest = times.min(), times.max()
        if not isinstance(earliest, int) or not isinstance(latest, int):
            return frame  # nothing but nulls, which lenient decoding makes
        if window is None:
            if query.at is not None and latest >= query.at:
                self._refuse_time(times >= query.at, times, "not before that instant")
            return frame
        start = window.start if interval is None else floored(window.start, interval)
        if earliest < start:
            self._refuse_time(times < start, times, "before the range")
        if interval is not None:
            is_other = self._is_of_other_interval(frame, times, latest, window, interval)
            if is_other.any():
                self._refuse_time(is_other, times, f"not on the grid of {interval}")
        if latest < window.end:
            return frame
        return frame.filter((times < window.end).fill_null(value=True))

    def _is_of_other_interval(
        self,
        frame: pl.DataFrame,
        times: pl.Series,
        latest: int,
        window: Window,
        interval: Interval,
    ) -> pl.Series:
        """Which rows in the range are candles of another length, or points at other distances."""
        if END in frame.columns:
            start, end = pl.col(START).cast(pl.Int64), pl.col(END).cast(pl.Int64)
            buckets = Buckets.of(interval, Clock(), TimeRange(window.start), last=latest)
            after = buckets.after(start)
            # The end of the range cuts the last of several days short [assumed].
            is_right = (end == after) | ((end == window.end) & (after > window.end))
            off = frame.select((buckets.start(start) != start) | ~is_right).to_series()
        else:
            if self._first_point is None:
                self._first_point = times.drop_nulls()[0]
            off = (times - self._first_point) % (interval.length or 1) != 0
        return off & (times < window.end)

    def _check_contracts(self, frame: pl.DataFrame) -> None:
        if CONTRACT in frame.columns:
            contracts = frame.get_column(CONTRACT)
            is_other = _is_of_other_contract(self._query, contracts)
            if is_other.any():
                self._refuse(is_other, CONTRACT, lambda row: f"its contract is {contracts[row]}")

    def _check_routes(self, frame: pl.DataFrame) -> None:
        routes = [str(route).lower() for route in self._query.options.routes]
        if not routes or "all" in routes:
            return
        checks = {ROUTE: _is_of_other_route(frame.schema, pl.col, routes)}
        for side in SIDES:
            if isinstance(kind := frame.schema.get(side), pl.List):
                orders = pl.Series([], dtype=kind).explode().struct.schema
                is_other = _is_of_other_route(orders, pl.element().struct.field, routes)
                checks[f"{side}.{ROUTE}"] = pl.col(side).list.eval(is_other).list.any()
        for field, other in frame.select(**checks).to_dict().items():
            if other.any():
                self._refuse(other, field, lambda _: "it came over another route")

    def _refuse_time(self, wrong: pl.Series, times: pl.Series, why: str) -> NoReturn:
        name = self._time_field
        self._refuse(wrong, name, lambda row: f"its {name} is {why}, {_exact(times[row])}")

    def _refuse(self, wrong: pl.Series, field: str, why: Callable[[int], str]) -> NoReturn:
        place = wrong.fill_null(value=False).arg_max() or 0
        row = place + self.received
        raise TrayportDecodeError(
            f"{self._query.explain()} was asked for, and row {row} is something else: {why(place)}",
            row=row,
            field=field,
        )


def _exact(time: int) -> str:
    return f"{time} ({to_text(time)[:-1]}.{time % SECOND:09d}Z)"


def _is_of_other_contract(query: QueryPlan, contracts: pl.Series) -> pl.Series:
    """Which rows name a contract that the query is not about, or do not name theirs."""
    own = contracts.struct.field
    is_broad = isinstance(query, BulkMarketQuery)
    parts: dict[str, int] = dict(query.scope)
    if not is_broad:
        first = query.contracts[0]
        named = {name: getattr(first, name) for name in (*_OTHER_PRODUCT, "sequence_id")}
        parts = {name: id_ for name, id_ in named.items() if id_ is not None}
    # Where any part of a contract may be named, rows may leave out what the request named.
    may_omit = query.operation.limits.contract == "subset"
    wrong = pl.Series([False]).new_from_index(0, len(contracts))
    for name, id_ in parts.items():
        wrong |= own(name) != id_
        if name in _OTHER_PRODUCT and not may_omit:
            wrong |= own(name).is_null() & own(_OTHER_PRODUCT[name]).is_not_null()
    if query.is_shared and query.contracts:
        for name in (ITEM, "sequence_id", "instrument_id") if is_broad else (ITEM,):
            # A market is always named by the request.
            if name not in parts and not (name == "instrument_id" and "market_id" in parts):
                wrong |= own(name).is_null()
    kind, second = ContractType.SINGLE_PERIOD, None
    if not is_broad:
        first = query.contracts[0]
        kind, second = first.contract_type, first.second_sequence_item_id
        wrong |= ~own(ITEM).is_in([contract.sequence_item_id for contract in query.contracts])
    if not is_broad or query.options.trading_items is not None:
        wrong |= ~own(KIND).is_in(response_forms(kind))
        wrong |= own(ITEM).is_not_null() & own(SECOND_ITEM).ne_missing(second)
    return wrong


def _is_of_other_route(
    names: Collection[str], field: Callable[[str], pl.Expr], routes: list[str]
) -> pl.Expr:
    """Whether a row came over another route than these, as far as it says so."""
    ids = [int(route) for route in routes if route.isdecimal()]
    by_name = field(ROUTE).str.to_lowercase().is_in(routes)
    if ROUTE not in names or (ids and ROUTE_ID not in names):
        return pl.lit(value=False)
    return ~(by_name | field(ROUTE_ID).is_in(ids)) if ids else ~by_name
