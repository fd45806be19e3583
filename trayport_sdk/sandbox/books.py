"""Order books: what stands at an instant, as a function of the contract and the instant alone.

A book is quoted anew every epoch: around the price at the epoch's start stand *leads*, each at a
price of its own and for one instrument, and *followers*, each at the price of the lead before it
and for the same instrument. An order comes and goes once within its epoch and is the same whenever
it is seen. A follower shows only behind a better lead of its instrument, so the best price of an
instrument, and of the market, is always one order.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from attrs import frozen
from trayport_spec import PRIVATE_ORDERS_FROM

from trayport_sdk.sandbox.calendar import SECOND, day_number
from trayport_sdk.sandbox.market_day import MarketDay
from trayport_sdk.sandbox.noise import F64, I64, U64, bits, draws, unit
from trayport_sdk.sandbox.tape import ROUTE_COUNT, U8, Bools
from trayport_sdk.sandbox.trades import quantities_drawn
from trayport_sdk.sandbox.venues import VENUE_CODES, aggregates_orders

_EPOCH = 47 * SECOND
_REGIME_EPOCHS = 19
_POINTS_AT_ONCE = 8_192
_SIDES = 2
# Of 256 orders: early ones come at the start of the epoch, lasting ones stay to its end.
_EARLY_OF_256, _LASTING_OF_256, _OWN_OF_256, _HIDDEN_OF_256 = 180, 176, 9, 150
_EARLY_SHARE, _LATE_SHARE = 0.03, 0.8
_WIDER_OF_256, _WIDEST_OF_256 = 96, 24
_ROUTE_OF_256 = (110, 40, 14)
_LARGEST_HIDDEN_MULTIPLE = 4
_ARRIVAL, _CANCEL, _PLACE, _VENUE, _SIZE, _CHANCE, _ID, _REGIME, _QUOTE = range(9)
_BID, _ASK = 0, 1


@frozen
class _Depth:
    """How full a book is: its slots (L lead, F follower), its spread, its empty sides."""

    at_least_per_day: float
    slots: str
    spread_factor: int
    empty_of_1024: int

    @property
    def is_lead(self) -> Bools:
        return np.array([slot == "L" for slot in self.slots])

    @property
    def leads(self) -> list[int]:
        """For every slot, the slot of the lead whose price it has."""
        leads: list[int] = []
        for n, slot in enumerate(self.slots):
            leads.append(n if slot == "L" else leads[-1])
        return leads


_DEPTHS = (
    _Depth(100.0, "LLLLFLFFLLFLLLFLLFFLLL", 1, 4),
    _Depth(12.0, "LLLFLLFFLL", 3, 60),
    _Depth(0.0, "LLLF", 12, 450),
)


@frozen(eq=False)
class Book:
    """One entry per order, grouped by point (index into times), then side (0 bid, 1 ask).

    Best first, oldest first within a price. Prices count in 1 / price_scale of the currency,
    quantities in thousandths of the unit.
    """

    times: I64
    price_scale: int
    point: npt.NDArray[np.int32]
    side: npt.NDArray[np.int8]
    price: I64
    quantity: I64
    hidden_quantity: I64
    venue: npt.NDArray[np.int16]
    instrument_id: I64
    routes: U8
    own: Bools
    order_id: I64
    created: I64

    def __len__(self) -> int:
        return len(self.point)


@frozen(eq=False)
class _Epochs:
    """The orders of some epochs: arrays of (epoch, side, slot)."""

    instrument: I64
    venue: npt.NDArray[np.int16]
    price: I64
    quantity: I64
    hidden_quantity: I64
    routes: U8
    own: Bools
    order_id: I64
    # nanoseconds since the opening
    created: I64
    cancelled: I64
    exists: Bools


def make_book(market_day: MarketDay, times: I64, points: I64) -> Iterator[Book]:
    """The market's book at the points of this day, in pieces of bounded size."""
    opens, closes = market_day.opens, market_day.closes
    points = points[(times[points] >= opens) & (times[points] < closes)]
    depth = next(d for d in _DEPTHS if market_day.per_day >= d.at_least_per_day)
    if not _has_orders(market_day):
        return
    for first in range(0, len(points), _POINTS_AT_ONCE):
        yield _book_at(market_day, depth, times, points[first : first + _POINTS_AT_ONCE])


def _has_orders(market_day: MarketDay) -> bool:
    return bool(market_day.shares[market_day.order_venues.instrument].sum() > 0.0)


def _book_at(market_day: MarketDay, depth: _Depth, times: I64, points: I64) -> Book:
    elapsed = times[points] - market_day.opens
    numbers, position = np.unique(elapsed // _EPOCH, return_inverse=True)
    epochs = _make_epochs(market_day, depth, numbers)
    now = elapsed[:, None, None]
    stands = epochs.exists[position]
    stands &= (epochs.created[position] <= now) & (now < epochs.cancelled[position])
    _hide_best_followers(stands, epochs.instrument[position], depth)
    row, side, slot = np.nonzero(stands)
    at = (position[row], side, slot)
    return Book(
        times=times,
        price_scale=market_day.family.price_scale,
        point=points[row].astype(np.int32),
        side=side.astype(np.int8),
        price=epochs.price[at],
        quantity=epochs.quantity[at],
        hidden_quantity=epochs.hidden_quantity[at],
        venue=epochs.venue[at],
        instrument_id=market_day.instrument_ids[epochs.instrument[at]],
        routes=epochs.routes[at],
        own=epochs.own[at],
        order_id=epochs.order_id[at],
        created=epochs.created[at] + market_day.opens,
    )


def _hide_best_followers(stands: Bools, instrument: I64, depth: _Depth) -> None:
    for slot, lead in enumerate(depth.leads):
        if slot == lead:
            continue
        same = instrument[:, :, :lead] == instrument[:, :, slot : slot + 1]
        better = (stands[:, :, :lead] & depth.is_lead[:lead] & same).any(axis=2)
        stands[:, :, slot] &= better


def _make_epochs(market_day: MarketDay, depth: _Depth, numbers: I64) -> _Epochs:
    slots = len(depth.slots)
    shape = (len(numbers), _SIDES, slots)
    ids = (numbers[:, None] * (_SIDES * slots) + np.arange(_SIDES * slots)).reshape(shape)

    def words(field: int) -> U64:
        return draws(market_day.book_stream, ids, field)

    chance = words(_CHANCE)
    leads = depth.leads
    instrument = _instruments(market_day, unit(words(_PLACE)))[:, :, leads]
    venue = market_day.order_venues.pick(instrument, unit(words(_VENUE)))
    created, cancelled = _lives(depth, unit(words(_ARRIVAL)), unit(words(_CANCEL)), chance)
    starts = numbers[:, None, None] * _EPOCH
    quantity = quantities_drawn(market_day.family, words(_SIZE))
    own_orders = market_day.family.own and market_day.day >= day_number(PRIVATE_ORDERS_FROM)
    own = bits(chance, 16, 8) < (_OWN_OF_256 if own_orders else 0)
    hidden = own & (bits(chance, 24, 8) < _HIDDEN_OF_256)
    multiple = 1 + bits(chance, 32, 8) % _LARGEST_HIDDEN_MULTIPLE
    # Followers are on the first route only, so that every route has a single best order.
    routes = np.ones(shape, np.uint8)
    for n, share in enumerate(_ROUTE_OF_256[: ROUTE_COUNT - 1]):
        routes |= (depth.is_lead & (bits(chance, 40 + 8 * n, 8) < share)).astype(
            np.uint8
        ) << np.uint8(n + 1)
    return _Epochs(
        instrument=instrument,
        venue=venue,
        price=_prices(market_day, depth, numbers, bits(words(_ID), 0, 8)),
        quantity=quantity,
        hidden_quantity=np.where(hidden, quantity * multiple, 0),
        routes=routes,
        own=own,
        order_id=(words(_ID) >> np.uint64(11)).astype(np.int64),
        created=created + starts,
        cancelled=cancelled + starts,
        exists=_exist(market_day, depth, numbers, venue),
    )


def _instruments(market_day: MarketDay, dice: F64) -> I64:
    """Positions of instruments that have a venue with orders, by their shares."""
    weights = np.zeros(len(market_day.shares))
    with_orders = np.unique(market_day.order_venues.instrument)
    weights[with_orders] = market_day.shares[with_orders]
    reached = np.cumsum(weights) / weights.sum()
    reached[np.flatnonzero(weights)[-1] :] = 1.0
    return np.searchsorted(reached, dice, side="right").astype(np.int64)


def _lives(depth: _Depth, arrival: F64, cancel: F64, chance: U64) -> tuple[I64, I64]:
    """When orders come and go, in nanoseconds since their epoch's start."""
    early = bits(chance, 0, 8) < _EARLY_OF_256
    comes = arrival * np.where(early, _EARLY_SHARE, _LATE_SHARE)
    for slot, lead in enumerate(depth.leads):
        if slot != lead:
            # Followers come after whoever has the price before them: the oldest is the first.
            before = comes[:, :, slot - 1]
            comes[:, :, slot] = before + (_LATE_SHARE - before) * comes[:, :, slot]
    goes = np.where(bits(chance, 8, 8) < _LASTING_OF_256, 1.0, comes + (1.0 - comes) * cancel)
    return (comes * _EPOCH).astype(np.int64), (goes * _EPOCH).astype(np.int64)


def _prices(market_day: MarketDay, depth: _Depth, numbers: I64, dice: I64) -> I64:
    family = market_day.family
    middle = market_day.path.at(market_day.opens + numbers * _EPOCH)
    base = np.floor(middle * (family.price_scale / family.tick)).astype(np.int64)
    quotes = draws(market_day.book_stream, numbers, _QUOTE)
    gaps = 1 + (dice < _WIDER_OF_256) + 2 * (dice < _WIDEST_OF_256)
    moves_away = depth.is_lead
    moves_away[0] = False
    away = np.cumsum(np.where(moves_away, gaps * depth.spread_factor, 0), axis=2)
    half_spreads = np.stack([bits(quotes, shift, 8) % 3 for shift in (0, 8)], axis=1)
    away += (half_spreads * depth.spread_factor)[:, :, None]
    ticks = np.empty_like(away)
    ticks[:, _BID] = base[:, None] - away[:, _BID]
    ticks[:, _ASK] = base[:, None] + 1 + away[:, _ASK]
    return ticks * family.tick


def _exist(
    market_day: MarketDay, depth: _Depth, numbers: I64, venue: npt.NDArray[np.int16]
) -> Bools:
    """Orders on sides that are not empty for a while, and one order a price where aggregated."""
    regimes = draws(market_day.book_stream, numbers // _REGIME_EPOCHS, _REGIME)
    quoted = np.stack(
        [bits(regimes, shift, 10) >= depth.empty_of_1024 for shift in (0, 10)], axis=1
    )
    aggregated = np.array([aggregates_orders(code) for code in VENUE_CODES])
    exists: Bools = quoted[:, :, None] & (depth.is_lead | ~aggregated[venue])
    return exists


_COLUMNS = (
    "point",
    "side",
    "price",
    "quantity",
    "hidden_quantity",
    "venue",
    "instrument_id",
    "routes",
    "own",
    "order_id",
    "created",
)


def of_instrument(book: Book, instrument_id: int) -> Book:
    """The orders of one instrument."""
    mask = book.instrument_id == instrument_id
    columns = (getattr(book, name)[mask] for name in _COLUMNS)
    return Book(book.times, book.price_scale, *columns)


def empty_book(times: I64, price_scale: int = 1) -> Book:
    empty = np.zeros(0, np.int64)
    return Book(
        times=times,
        price_scale=price_scale,
        point=empty.astype(np.int32),
        side=empty.astype(np.int8),
        price=empty,
        quantity=empty,
        hidden_quantity=empty,
        venue=empty.astype(np.int16),
        instrument_id=empty,
        routes=empty.astype(np.uint8),
        own=empty.astype(np.bool_),
        order_id=empty,
        created=empty,
    )


def joined_books(times: I64, parts: Sequence[Book], price_scale: int) -> Book:
    """Books of different points as one, in order of the points."""
    if not parts:
        return empty_book(times, price_scale)
    order = np.argsort(np.concatenate([part.point for part in parts]), kind="stable")
    columns = (np.concatenate([getattr(part, name) for part in parts])[order] for name in _COLUMNS)
    return Book(times, price_scale, *columns)
