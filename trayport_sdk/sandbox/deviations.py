"""Differences from the OpenAPI document, planted on purpose: what a service may turn out to do.

There is one for each of `x-trayport-assumptions`, under its name, which makes it false, and some
more against what is documented. They change JSON responses alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from typing import Any

from attrs import frozen
from trayport_spec import Endpoint

from .catalogue import Catalogue
from .deviation import (
    MOST_ITEMS,
    Deviation,
    Headers,
    as_page,
    cut_short,
    day_first,
    each,
    empty_candles,
    first_order,
    from_mondays,
    in_an_object,
    larger_batches,
    later,
    limits,
    odd,
    only,
    order_since_ever,
    parameter,
    price,
    refuse_years,
    renamed,
    reverse,
    reverse_sides,
    reword,
    rows,
    setting,
    shorter_ranges,
    status,
    text,
    texts_for_ids,
    trading_items_from_now,
    unaligned,
    until_inclusive,
    until_now_at_most,
    wait_in_words,
    wider_counts,
    without,
    without_first,
    word,
    zero_prices,
    zero_times,
)
from .params import RawQuery
from .problems import Problem
from .query import Query

_trades, _books = only("get_trades"), only("get_order_book")
_items, _listed = only("get_sequence_items"), only("get_sequences", "get_sequence_items")
_DATES = ("periodStart", "periodEnd", "tradingStart", "tradingEnd")

ASSUMPTIONS_BROKEN: Mapping[str, Deviation] = {
    "reference-shares-rate-limit": Deviation(separate_allowances=True),
    "list-separators": reword("sequenceItemId", lambda given: [(given[0] or "").split(",")[0]]),
    "from-inclusive": rows(without_first, only("get_trades", "get_ohlcv")),
    "current-day-is-asked-whole": Deviation(query=until_now_at_most),
    "activity-until-exclusive": Deviation(only("get_activity"), query=until_inclusive),
    "explicit-items-maximum": Deviation(rules=larger_batches),
    "trading-items-reference": Deviation(query=trading_items_from_now),
    "include-private-default": word("includePrivate", "true", _trades),
    "include-empty-default": word("includeEmptyBuckets", "true", only("get_ohlcv")),
    "hours-align-to-midnight": unaligned("hour"),
    "months-align-to-first": unaligned("month"),
    "weeks-count-from-start": rows(from_mondays, only("get_ohlcv")),
    "empty-candle-is-null": empty_candles(zero_prices),
    "optional-candle-times-nullable": empty_candles(zero_times),
    "minute-resolution-is-checked": limits(resolution="second"),
    # Nothing in a response says what a price is for.
    "price-per-notional-unit": each(price(lambda price: price * 720), _trades),
    "year-precision": Deviation(words=refuse_years),
    "last-trade-year-is-365-days": limits(only("get_last_trade"), lookback_days=366),
    "ids-are-integers": each(
        texts_for_ids, only("get_trades", "get_private_trades", "get_order_book")
    ),
    "product-sequences-path": each(
        lambda row: row.pop("sequences"), only("get_instrument", "get_market")
    ),
    "names-are-never-null": each(setting("name", lambda _: None), _listed, every=3),
    "item-dates-optional-zone": each(
        lambda row: row.update({name: day_first(row[name]) for name in _DATES}), _items
    ),
    "item-count-minimum": parameter("count", minimum=0),
    "every-item-at-once": parameter("count", maximum=MOST_ITEMS),
    "counts-fit-32-bits": Deviation(rules=wider_counts),
    "depth-minimum": parameter("depth", minimum=0),
    "max-spread-from-best": reword(
        "maxSpread", lambda given: [str(2 * float(given[0] or 0))] if given != ["0"] else given
    ),
    "unlisted-venue-is-broker": order_since_ever("unlisted-venue-is-broker", "2020-01-30"),
    "eex7-history-as-eex": order_since_ever("eex7-history-as-eex", "2020-01-30"),
    "history-starts-with-month": order_since_ever("history-starts-with-month", "2020-01-30"),
    "book-fields-nullability": each(first_order(setting("quantity", lambda _: None)), _books),
    "top-quantity-of-first-order": each(
        setting("bidQuantity", lambda quantity: quantity and quantity * 2),
        only("get_order_book_top"),
    ),
    "snapshot-time-is-at": Deviation(only("get_snapshots"), document=later),
    "problem-type-and-detail": Deviation(problem=odd),
    "retry-after-forms": Deviation(problem=wait_in_words),
    "errors-are-problems": Deviation(problem=as_page),
}

OTHERS: Mapping[str, Deviation] = {
    "renamed-field": each(renamed("aggressorBuy", "buyAggressor"), _trades),
    "null-quantity": each(setting("quantity", lambda _: None), _trades, every=5),
    "shorter-ranges": Deviation(rules=shorter_ranges),
    "one-route-only": reword("routes", lambda given: given[:1]),
    "newest-first": rows(reverse, _trades),
    "worst-first": each(reverse_sides, _books),
    "unknown-field": each(lambda row: row.update(currency="EUR"), only("get_snapshots")),
    "missing-field": each(lambda row: row.pop("secondSequenceItemId"), only("get_activity")),
    "price-as-text": each(setting("price", text), _trades),
    "time-in-milliseconds": each(setting("dealDate", lambda time: time // 10**6), _trades),
    "unknown-kind": each(
        setting("contractType", lambda kind: f"{kind}s"), only("get_activity"), every=7
    ),
    "in-an-object": Deviation(only("get_markets"), document=in_an_object),
    "items-cut-short": rows(cut_short, _items),
    "not-compressed": Deviation(compressed=False),
    "no-content-type": Deviation(headers=without("content-type")),
    "gone-instead-of-not-found": Deviation(problem=status(404, 410)),
}

DEVIATIONS: Mapping[str, Deviation] = {**ASSUMPTIONS_BROKEN, **OTHERS}


@frozen
class Deviations:
    """Several of them, one after the other.

    Raises:
        ValueError: There is none of a name.
    """

    names: tuple[str, ...]

    def __attrs_post_init__(self) -> None:
        if unknown := [name for name in self.names if name not in DEVIATIONS]:
            raise ValueError(
                f"There is no deviation {unknown[0]!r}; there are {', '.join(DEVIATIONS)}."
            )

    def __iter__(self) -> Iterator[Deviation]:
        return (DEVIATIONS[name] for name in self.names)

    def of(self, endpoint: Endpoint) -> "Deviations":
        """Those that change requests of an operation."""
        return Deviations(tuple(n for n in self.names if DEVIATIONS[n].where(endpoint)))

    @property
    def change_responses(self) -> bool:
        """Whether the response to a request that is not refused may be another."""
        return any(deviation.changes_responses for deviation in self)

    @property
    def compressed(self) -> bool:
        return all(deviation.compressed for deviation in self)

    @property
    def separate_allowances(self) -> bool:
        return any(deviation.separate_allowances for deviation in self)

    def words(self, words: RawQuery, endpoint: Endpoint) -> RawQuery:
        return reduce(lambda changed, d: d.words(changed, endpoint), self, words)

    def rules(self, endpoint: Endpoint) -> Endpoint:
        return reduce(lambda changed, d: d.rules(changed), self, endpoint)

    def query(self, query: Query, catalogue: Catalogue) -> Query:
        return reduce(lambda changed, d: d.query(changed, catalogue), self, query)

    def document(self, document: Any, query: Query) -> Any:
        return reduce(lambda changed, d: d.document(changed, query), self, document)

    def headers(self, headers: Headers) -> Headers:
        return reduce(lambda changed, d: d.headers(changed), self, headers)

    def problem(self, problem: Problem) -> Problem:
        return reduce(lambda changed, d: d.problem(changed), self, problem)


def deviations(names: Iterable[str]) -> Deviations:
    """The deviations of these names."""
    return Deviations(tuple(names))
