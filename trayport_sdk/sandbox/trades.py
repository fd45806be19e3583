"""Trades as columns, and how they are made for one market contract and day."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from attrs import evolve, frozen

from trayport_sdk.sandbox.calendar import SECOND
from trayport_sdk.sandbox.contract import Contract
from trayport_sdk.sandbox.identifiers import trade_ids
from trayport_sdk.sandbox.levels import Path
from trayport_sdk.sandbox.listings import Family
from trayport_sdk.sandbox.market_day import MarketDay
from trayport_sdk.sandbox.noise import F64, I64, U64, bits, draws, unit
from trayport_sdk.sandbox.tape import U8, Bools, marks, numbers_within, stamps

THOUSAND = 1000
AGGRESSOR, INITIATOR = 1, 2

_VENUE_FIELD, _SIZE_FIELD, _FLAG_FIELD, _OWN_FIELD, _DELAY_FIELD = range(3, 8)
# trades spread around the path by so many ticks, and by half of one towards their aggressor
_NOISE_TICKS = 1.5
_SIDE_TICKS = 0.5
# Of 256 trades: odd sizes, and the flags.
_ODD_OF_256 = 36
_BROKEN_OF_256, _SPREAD_OF_256, _SLEEVE_OF_256 = 14, 10, 6
_OWN_SHARE = 0.025
_USUAL_DELAY = 2 * SECOND
_CORRECTION_DELAY = 1800 * SECOND


_COLUMNS = (
    "time",
    "instrument_id",
    "venue",
    "number",
    "price",
    "quantity",
    "aggressor_buy",
    "from_broken_spread",
    "initiator_owned_spread",
    "aggressor_owned_spread",
    "aggressor_sleeve",
    "initiator_sleeve",
    "own",
    "last_updated",
    "routes",
    "updated",
    "deleted",
)


@frozen(eq=False)
class Trades:
    """Columns of equal length, ordered by time, instrument and number.

    Prices count in 1 / price_scale of the currency, quantities in thousandths of the unit.
    `day` is the UTC day number, or -1 when the rows are of several days. Bit k-1 of `routes` stands
    for route k; `own` is 0 for others' trades, 1 where you were the aggressor, 2 the initiator.
    """

    day: int
    contract: Contract
    price_scale: int
    time: I64
    instrument_id: I64
    venue: npt.NDArray[np.int16]
    number: I64
    price: I64
    quantity: I64
    aggressor_buy: Bools
    from_broken_spread: Bools
    initiator_owned_spread: Bools
    aggressor_owned_spread: Bools
    aggressor_sleeve: Bools
    initiator_sleeve: Bools
    own: npt.NDArray[np.int8]
    last_updated: I64
    routes: U8
    updated: Bools
    deleted: U8

    def __len__(self) -> int:
        return len(self.time)

    def where(self, mask: Bools) -> "Trades":
        return self._cut(mask)

    def between(self, start: int, end: int) -> "Trades":
        """The rows of [start, end); this very object when that is all of them."""
        first, last = np.searchsorted(self.time, (start, end)).tolist()
        if first == 0 and last == len(self):
            return self
        return self._cut(slice(first, last))

    def _cut(self, rows: Bools | slice) -> "Trades":
        cut = (getattr(self, name)[rows] for name in _COLUMNS)
        return Trades(self.day, self.contract, self.price_scale, *cut)

    def of(self, contract: Contract, mask: Bools) -> "Trades":
        """The rows of one instrument's contract."""
        return evolve(self._cut(mask), contract=contract)

    def trade_ids(self) -> list[str]:
        """The venues' names of the trades, unique together with the venue."""
        return trade_ids(self.contract, self.time, self.instrument_id, self.venue, self.number)

    def prices(self) -> F64:
        return self.price / self.price_scale

    def quantities(self) -> F64:
        return self.quantity / THOUSAND


def joined(contract: Contract, parts: Sequence[Trades]) -> Trades:
    """The rows of several days, in order."""
    columns = (np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS)
    return Trades(-1, contract, parts[0].price_scale, *columns)


def no_trades(contract: Contract, price_scale: int = 1) -> Trades:
    empty = np.zeros(0, np.int64)
    none = np.zeros(0, np.bool_)
    return Trades(
        day=-1,
        contract=contract,
        price_scale=price_scale,
        time=empty,
        instrument_id=empty,
        venue=empty.astype(np.int16),
        number=empty,
        price=empty,
        quantity=empty,
        aggressor_buy=none,
        from_broken_spread=none,
        initiator_owned_spread=none,
        aggressor_owned_spread=none,
        aggressor_sleeve=none,
        initiator_sleeve=none,
        own=empty.astype(np.int8),
        last_updated=empty,
        routes=empty.astype(np.uint8),
        updated=none,
        deleted=empty.astype(np.uint8),
    )


def own_sides(streams: U64, numbers: I64) -> npt.NDArray[np.int8]:
    """Which side you were on, in contracts where you trade on the day: mostly none."""
    words = draws(streams, numbers, _OWN_FIELD)
    side = np.where(bits(words, 0, 1) == 0, AGGRESSOR, INITIATOR)
    return np.where(unit(words) < _OWN_SHARE, side, 0).astype(np.int8)


def make_trades(market_day: MarketDay) -> Trades:
    """All trades of a market's contract on a day."""
    today = market_day
    per_instrument = len(today.counts)
    opens = np.full(per_instrument, today.opens)
    closes = np.full(per_instrument, today.closes)
    by_instrument = stamps(today.streams, today.counts, opens, closes)
    order = np.argsort(by_instrument, kind="stable")
    time = by_instrument[order]
    owner = np.repeat(np.arange(per_instrument), today.counts)[order]
    number = numbers_within(today.counts)[order]
    stream = today.streams[owner]
    flags = draws(stream, number, _FLAG_FIELD)
    marked = marks(stream, number)
    buy = bits(flags, 0, 1) == 1
    return Trades(
        day=today.day,
        contract=today.contract,
        price_scale=today.family.price_scale,
        time=time,
        instrument_id=today.instrument_ids[owner],
        venue=today.venues.pick(owner, unit(draws(stream, number, _VENUE_FIELD))),
        number=number,
        price=_prices(today.family, today.path, time, bits(flags, 1, 16), buy),
        quantity=quantities_drawn(today.family, draws(stream, number, _SIZE_FIELD)),
        aggressor_buy=buy,
        from_broken_spread=bits(flags, 17, 8) < _BROKEN_OF_256,
        initiator_owned_spread=bits(flags, 25, 8) < _SPREAD_OF_256,
        aggressor_owned_spread=bits(flags, 33, 8) < _SPREAD_OF_256,
        aggressor_sleeve=bits(flags, 41, 8) < _SLEEVE_OF_256,
        initiator_sleeve=bits(flags, 49, 8) < _SLEEVE_OF_256,
        own=own_sides(stream, number) if today.own else np.zeros(len(time), np.int8),
        last_updated=_last_updated(time, marked.updated, draws(stream, number, _DELAY_FIELD)),
        routes=marked.routes,
        updated=marked.updated,
        deleted=marked.deleted,
    )


def _prices(family: Family, path: Path, time: I64, dice: I64, buy: Bools) -> I64:
    ticks = path.at(time) * (family.price_scale / family.tick)
    ticks += (dice * (2.0 / 65_535) - 1.0) * _NOISE_TICKS
    ticks += np.where(buy, _SIDE_TICKS, -_SIDE_TICKS)
    return np.rint(ticks).astype(np.int64) * family.tick


def quantities_drawn(family: Family, words: U64) -> I64:
    commodity = family.commodity
    sizes = np.array(commodity.sizes, np.int64)
    usual = sizes[(bits(words, 0, 16) * len(sizes)) >> 16]
    steps_per_unit = max(THOUSAND // commodity.odd_step, 1)
    odd = (1 + bits(words, 16, 16) % steps_per_unit) * commodity.odd_step
    drawn: I64 = usual + np.where(bits(words, 32, 8) < _ODD_OF_256, odd, 0)
    return drawn


def _last_updated(time: I64, updated: Bools, words: U64) -> I64:
    share = unit(words)
    corrected = time + _USUAL_DELAY + (share * _CORRECTION_DELAY).astype(np.int64)
    return np.where(updated, corrected, time + (share * _USUAL_DELAY).astype(np.int64))
