"""The requests of a first contact, in the order in which they depend on each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import evolve, field, frozen
from trayport_spec import ENDPOINTS

from ...http.messages import ApiRequest
from .answers import NotReachableError
from .known import (
    DAY,
    DEPTH,
    FIRST_DAY,
    HISTORY,
    HOUR,
    MINUTE,
    MOST_ITEMS,
    SECOND,
    Known,
    nanoseconds,
)

NO_INSTRUMENT = 999_999_999_999
INT32 = 2**31


@frozen
class Question:
    """One request of a first contact.

    Attributes:
        name: What probes know it by.
        operation_id: The operation.
        arguments: Gives the arguments of its request builder from what is known so far; raises
            `NotReachableError` when something is missing.
        status: The status that the document promises.
        settles: The assumption that another status speaks of; None when it speaks of the document.
        instead_of: The question in whose place it comes when that one was refused.
        limit: The limit of the document that it reaches to the full, as a JSONPath.
        precision: How many characters of a time are sent, by parameter.
    """

    name: str
    operation_id: str
    arguments: Callable[[Known], Mapping[str, Any]] = lambda _: {}
    status: int = 200
    settles: str | None = None
    instead_of: str | None = None
    limit: str | None = None
    precision: Mapping[str, int] = field(factory=dict[str, int])

    def request(self, known: Known) -> ApiRequest:
        """What is sent.

        Raises:
            NotReachableError: Something is missing, or there is no need for it.
        """
        if self.instead_of is not None and not known.answers.get(self.instead_of).was_refused:
            raise NotReachableError("there is no need for it")
        request = ApiRequest.of(self.operation_id, **self.arguments(known))
        cut = {n: str(request.parameters[n])[:size] for n, size in self.precision.items()}
        return evolve(request, parameters={**request.parameters, **cut})


def _range_limit(path: str, number: int = 0) -> str:
    return f"$.paths['{path}'].get['x-trayport-limits'].ranges[{number}]"


def _optional(operation_id: str) -> list[str]:
    return [*ENDPOINTS[operation_id].optional_fields]


def _longest(operation_id: str, number: int = 0) -> int:
    return ENDPOINTS[operation_id].limits.ranges[number].max_days * DAY


def _month(end: int, back: int, day: int) -> int:
    """A day of the month that lies so many before that of a time."""
    now = datetime.fromtimestamp(end // SECOND, UTC)
    months = now.year * 12 + now.month - 1 - back
    return nanoseconds(datetime(months // 12, months % 12 + 1, day, tzinfo=UTC))


def _until_end(known: Known, length: int) -> dict[str, int]:
    return {"from_": known.end - length, "until": known.end}


def _on_day(known: Known, start: int = 0, length: int = DAY) -> dict[str, int]:
    return {"from_": known.day + start, "until": known.day + start + length}


def _sampled(known: Known, count: int = 15) -> dict[str, Any]:
    """The subject's book on its day, at regular instants."""
    return {**known.contract(), **_on_day(known), "interval": count, "interval_unit": "minute"}


def _over_routes(known: Known) -> dict[str, Any]:
    return {
        **known.batch(by_instrument=True),
        "routes": known.route_names,
        "deduplicate_routes": False,
    }


def _history(known: Known) -> dict[str, Any]:
    start, end = map(nanoseconds, HISTORY)
    return {
        **known.contract(known.tradable(end).id),
        "from_": start, "until": end, "interval": 6, "interval_unit": "hour",
        "depth": DEPTH, "optional_fields": ["venueCode"],
    }  # fmt: skip


def _next_items(known: Known) -> dict[str, Any]:
    rest = {k: v for k, v in known.batch().items() if k != "sequence_item_id"}
    return {**rest, "trading_items": 1}


def _narrow(known: Known) -> dict[str, Any]:
    row, percent = known.spread
    start: int = row["timestamp"]
    return {
        **_sampled(known), "from_": start, "until": start + MINUTE,
        "depth": DEPTH, "max_spread": percent,
    }  # fmt: skip


QUESTIONS: tuple[tuple[Question, ...], ...] = (
    (
        Question("sequences", "get_sequences"),
        Question("markets", "get_markets"),
        Question("instruments", "get_instruments"),
        Question(
            "activity", "get_activity",
            lambda k: {**_until_end(k, _longest("get_activity")), "routes": ["all"],
                       "optional_fields": _optional("get_activity")},
            limit=_range_limit("/trades/activity"),
        ),
        Question(
            "private", "get_private_trades",
            lambda k: {"from_": k.end - 6 * DAY, "until": k.end + DAY},
            settles="current-day-is-asked-whole",
        ),
        Question("unknown", "get_instrument", lambda _: {"id": NO_INSTRUMENT}, status=404),
    ),
    (
        Question(
            "activity_of_a_day", "get_activity",
            lambda k: {**_until_end(k, DAY), "routes": ["all"],
                       "optional_fields": ["route", "marketId"]},
            instead_of="activity",
        ),
    ),
    (
        Question("instrument", "get_instrument", lambda k: {"id": k.subject.instrument_id}),
        Question("market", "get_market", lambda k: {"id": k.market_id}),
        Question(
            "instrument_sequences", "get_instrument_sequences",
            lambda k: {"id": k.subject.instrument_id},
        ),
        Question("market_sequences", "get_market_sequences", lambda k: {"id": k.market_id}),
        Question(
            "items", "get_sequence_items",
            lambda k: {"id": k.subject.sequence_id, "start_date": nanoseconds(FIRST_DAY),
                       "count": INT32 - 1},
            settles="every-item-at-once",
        ),
        Question(
            "no_items", "get_sequence_items",
            lambda k: {"id": k.subject.sequence_id, "count": 0},
            status=400, settles="item-count-minimum",
        ),
        Question(
            "too_many_items", "get_sequence_items",
            lambda k: {"id": k.subject.sequence_id, "count": INT32},
            status=400, settles="counts-fit-32-bits",
        ),
        Question(
            "last", "get_last_trade",
            lambda k: {**k.contract(), "optional_fields": ["contract"]},
        ),
        Question(
            "activity_with_seconds", "get_activity",
            lambda k: {"from_": k.end - HOUR + SECOND, "until": k.end},
            status=400, settles="minute-resolution-is-checked",
        ),
    ),
    (
        Question(
            "some_items", "get_sequence_items",
            lambda k: {"id": k.subject.sequence_id, "start_date": nanoseconds(FIRST_DAY)},
            instead_of="items",
        ),
    ),
    (
        Question(
            "item", "get_sequence_item",
            lambda k: {"id": k.subject.sequence_id, "item_id": k.subject.item_id},
        ),
        Question(
            "later_items", "get_sequence_items",
            lambda k: {"id": k.subject.sequence_id, "start_date": k.last_end + DAY},
        ),
        Question(
            "trades", "get_trades",
            lambda k: {**_over_routes(k), **_on_day(k), "optional_fields": _optional("get_trades")},
        ),
        Question(
            "far_trades", "get_trades",
            lambda k: {**k.batch(*k.item_ids[-2:]), **_until_end(k, _longest("get_trades")),
                       "optional_fields": ["contract"]},
            limit=_range_limit("/trades"),
        ),
        Question(
            "next_trades", "get_trades",
            lambda k: {**_next_items(k), "from_": k.a_year_ago, "until": k.a_year_ago + 2 * HOUR,
                       "optional_fields": ["contract"]},
        ),
        Question("own_trade", "get_trades", lambda k: k.own_second),
        Question(
            "own_trade_with_private", "get_trades",
            lambda k: {**k.own_second, "include_private": True},
        ),
        Question(
            "candles", "get_ohlcv",
            lambda k: {**k.contract(), **_until_end(k, _longest("get_ohlcv")),
                       "interval": 1, "interval_unit": "hour", "include_empty_buckets": True,
                       "optional_fields": _optional("get_ohlcv")},
            limit=_range_limit("/trades/ohlcv"),
        ),
        Question(
            "candles_from_one", "get_ohlcv",
            lambda k: {**k.contract(), **_on_day(k, HOUR, 20 * HOUR), "interval": 4,
                       "interval_unit": "hour"},
            status=400, settles="hours-align-to-midnight",
        ),
        Question(
            "candles_from_the_15th", "get_ohlcv",
            lambda k: {**k.contract(), "from_": _month(k.end, 2, 15), "until": _month(k.end, 0, 1),
                       "interval": 1, "interval_unit": "month"},
            status=400, settles="months-align-to-first",
        ),
        Question(
            "weeks", "get_ohlcv",
            lambda k: {**k.contract(), **_until_end(k, 1000 * DAY), "interval": 7,
                       "interval_unit": "day"},
            settles="weeks-count-from-start",
        ),
        Question(
            "old", "get_last_trade",
            lambda k: {**k.contract(k.old_item.id), "at": k.old_year},
            settles="year-precision", precision={"at": len("2024")},
        ),
        Question(
            "top", "get_order_book_top",
            lambda k: {**_sampled(k), "optional_fields": _optional("get_order_book_top")},
        ),
        Question(
            "book", "get_order_book",
            lambda k: {**_sampled(k), "depth": DEPTH,
                       "optional_fields": _optional("get_order_book")},
        ),
        Question(
            "book_of_depth_0", "get_order_book",
            lambda k: {**_sampled(k), **_on_day(k, 12 * HOUR, HOUR), "depth": 0},
            status=400, settles="depth-minimum",
        ),
        Question("first_books", "get_order_book", _history),
        Question(
            "snapshots", "get_snapshots",
            lambda k: {**k.batch(*k.many_items(MOST_ITEMS)), "at": k.day + 12 * HOUR},
        ),
        Question(
            "too_many_snapshots", "get_snapshots",
            lambda k: {**k.batch(*k.many_items(MOST_ITEMS + 1)), "at": k.day + 12 * HOUR},
            status=400, settles="explicit-items-maximum",
        ),
        Question(
            "next_snapshots", "get_snapshots", lambda k: {**_next_items(k), "at": k.a_year_ago}
        ),
    ),
    (
        Question(
            "between_stamps", "get_trades",
            lambda k: {**_over_routes(k), "from_": k.two_stamps[0], "until": k.two_stamps[1]},
        ),
        Question(
            "minute", "get_activity",
            lambda k: {"from_": k.minute_stamp - MINUTE, "until": k.minute_stamp,
                       "routes": k.route_names},
        ),
        Question(
            "within_a_year", "get_last_trade",
            lambda k: {**k.contract(k.old_item.id), "at": k.old_trade + 365 * DAY},
        ),
        Question(
            "after_a_year", "get_last_trade",
            lambda k: {**k.contract(k.old_item.id), "at": k.old_trade + 365 * DAY + SECOND},
        ),
        Question("narrow_book", "get_order_book", _narrow),
    ),
)  # fmt: skip
"""Questions of one group do not depend on each other, only on those of the groups before."""

BY_NAME: Mapping[str, Question] = {q.name: q for group in QUESTIONS for q in group}
