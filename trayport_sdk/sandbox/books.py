"""Order books: what stands at an instant, as a function of the contract and the instant alone.

A book is quoted anew every epoch: on each side stand orders in slots, further and further away from
the price at the epoch's start, some at the price of the slot before. An order comes and goes once
within its epoch and is the same whenever it is seen.

A frame of orders is grouped by `point` (a position in the sampled instants), then `side` (0 bid, 1
ask); best first, oldest first within a price. Prices come as whole ticks, too.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from attrs import frozen
from trayport_spec import PRIVATE_ORDERS_FROM, VENUES

from .calendar import SECOND, day_number
from .noise import I64, U64, bits, draws, unit
from .trades import ROUTE_COUNT, THOUSAND, VENUE_CODES, MarketDay, sizes_drawn

BID, ASK = 0, 1
ORDERS: dict[str, pl.DataType] = {
    "point": pl.Int64(),
    "side": pl.Int8(),
    "ticks": pl.Int64(),
    "price": pl.Float64(),
    "quantity": pl.Float64(),
    "hidden_quantity": pl.Float64(),
    "venue": pl.Int16(),
    "instrument_id": pl.Int64(),
    "routes": pl.UInt8(),
    "own": pl.Boolean(),
    "number": pl.Int64(),
    "created": pl.Int64(),
}
_EPOCH = 47 * SECOND
_REGIME_EPOCHS = 19
_POINTS_AT_ONCE = 2_048
# Of 256 orders: early ones come at the start of the epoch, lasting ones stay to its end.
_EARLY, _LASTING, _OWN, _HIDDEN = 180, 176, 9, 150
_EARLY_SHARE, _LATE_SHARE = 0.03, 0.8
# Of 256 slots, how many have the price of the one before, or leave a larger gap to it.
_SAME, _WIDER = 96, 48
_ROUTE_SHARES = (110, 40, 14)
_LARGEST_HIDDEN_MULTIPLE = 4
_ARRIVAL, _CANCEL, _PLACE, _VENUE, _SIZE, _CHANCE, _ID, _REGIME, _QUOTE = range(9)
_AGGREGATED = np.array([VENUES[code].aggregated_book for code in VENUE_CODES])


@frozen
class _Depth:
    """How full a book is: its slots, its spread, and how often a side is empty."""

    at_least_per_day: float
    slots: int
    spread_factor: int
    empty_of_1024: int


_DEPTHS = (_Depth(100.0, 22, 1, 4), _Depth(12.0, 10, 3, 60), _Depth(0.0, 4, 12, 450))


def make_orders(today: MarketDay, times: I64, points: I64) -> Iterator[pl.DataFrame]:
    """The market's orders at the points of this day, in pieces of bounded size."""
    points = points[(times[points] >= today.opens) & (times[points] < today.closes)]
    if (today.shares * (today.order_venues.counts > 0)).sum() > 0.0:
        for first in range(0, len(points), _POINTS_AT_ONCE):
            yield _orders_at(today, times, points[first : first + _POINTS_AT_ONCE])


def _orders_at(today: MarketDay, times: I64, points: I64) -> pl.DataFrame:
    depth = next(d for d in _DEPTHS if today.per_day >= d.at_least_per_day)
    market, stream, slots = today.market, today.book_stream, depth.slots
    elapsed = (times[points] - today.opens)[:, None, None]
    epoch = elapsed // _EPOCH
    side, slot = np.arange(2)[:, None], np.arange(slots)
    ids = (epoch * 2 + side) * slots + slot

    chance, names = draws(stream, ids, _CHANCE), draws(stream, ids, _ID)
    weights = today.shares * (today.order_venues.counts > 0)
    reached = np.cumsum(weights) / weights.sum()
    reached[np.flatnonzero(weights)[-1] :] = 1.0
    dice = unit(draws(stream, ids, _PLACE))
    instrument = np.searchsorted(reached, dice, side="right").astype(np.int64)
    venue = today.order_venues.pick(instrument, unit(draws(stream, ids, _VENUE)))

    comes = unit(draws(stream, ids, _ARRIVAL))
    comes *= np.where(bits(chance, 0, 8) < _EARLY, _EARLY_SHARE, _LATE_SHARE)
    goes = comes + (1.0 - comes) * unit(draws(stream, ids, _CANCEL))
    goes[bits(chance, 8, 8) < _LASTING] = 1.0
    created = epoch * _EPOCH + (comes * _EPOCH).astype(np.int64)
    stands = (created <= elapsed) & (elapsed < epoch * _EPOCH + (goes * _EPOCH).astype(np.int64))
    regime = draws(stream, epoch // _REGIME_EPOCHS * 2 + side, _REGIME)
    stands &= bits(regime, 0, 10) >= depth.empty_of_1024

    middle = today.path.at((today.opens + epoch * _EPOCH).ravel()).reshape(epoch.shape)
    base = np.floor(middle * (market.price_scale / market.tick)).astype(np.int64)
    kind = bits(names, 0, 8)
    # An aggregated book has one order per price.
    gaps = np.where((kind < _SAME) & ~_AGGREGATED[venue], 0, 1 + (kind >= 256 - _WIDER))
    gaps[:, :, 0] = bits(draws(stream, epoch * 2 + side, _QUOTE)[:, :, 0], 0, 8) % 3
    away = np.cumsum(gaps, axis=2) * depth.spread_factor
    ticks = np.where(side == BID, base - away, base + 1 + away) * market.tick

    at = np.nonzero(stands)
    row, chance, words = at[0], chance[at], draws(stream, ids[at], _SIZE)
    thousandths = sizes_drawn(market.commodity, words)
    own = np.zeros(len(row), np.bool_)
    if market.own and today.day >= day_number(PRIVATE_ORDERS_FROM):
        own = bits(chance, 16, 8) < _OWN
    multiple = 1 + bits(chance, 32, 8) % _LARGEST_HIDDEN_MULTIPLE
    hidden = thousandths * multiple * (own & (bits(chance, 24, 8) < _HIDDEN))
    columns = {
        "point": points[row],
        "side": at[1].astype(np.int8),
        "ticks": ticks[at],
        "price": ticks[at] / market.price_scale,
        "quantity": thousandths / THOUSAND,
        "hidden_quantity": hidden / THOUSAND,
        "venue": venue[at],
        "instrument_id": today.instrument_ids[instrument[at]],
        "routes": _routes(chance),
        "own": own,
        "number": (names[at] >> np.uint64(11)).astype(np.int64),
        "created": created[at] + today.opens,
    }
    worse = pl.when(pl.col("side") == BID).then(-pl.col("ticks")).otherwise("ticks")
    return pl.DataFrame(columns, schema=ORDERS).sort("point", "side", worse, "created", "number")


def _routes(chance: U64) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    routes = np.ones(chance.shape, np.uint8)
    for n, share in enumerate(_ROUTE_SHARES[: ROUTE_COUNT - 1]):
        routes |= (bits(chance, 40 + 8 * n, 8) < share).astype(np.uint8) << np.uint8(n + 1)
    return routes
