"""One market contract on one day: everything its trades and orders are drawn from."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from attrs import frozen

from trayport_sdk.sandbox.catalogue import Catalogue
from trayport_sdk.sandbox.contract import KINDS, Contract
from trayport_sdk.sandbox.levels import Levels, Path
from trayport_sdk.sandbox.liquidity import Liquidity, Rows
from trayport_sdk.sandbox.listings import Family
from trayport_sdk.sandbox.noise import F64, I64, U64, unit
from trayport_sdk.sandbox.venues import VENUE_INDEX, sends_orders_on, trades_on

_STREAM_PURPOSE, _OWN_PURPOSE, _BOOK_PURPOSE = 2_001, 2_002, 2_003
# share of the contracts that you trade on a day, in the markets where you trade
_OWN_DAYS = 0.35


@frozen(eq=False)
class VenueChoice:
    """The venues of a market's instruments on a day, with the weights they are picked by."""

    # per candidate: position of its instrument, index of its venue
    instrument: I64
    venue: npt.NDArray[np.int16]
    # per candidate: instrument's position plus the cumulative weight within the instrument
    reached: F64

    def pick(self, instruments: I64, dice: F64) -> npt.NDArray[np.int16]:
        """A venue of each of the instruments, which must have one."""
        return self.venue[np.searchsorted(self.reached, instruments + dice, side="right")]


@frozen(eq=False)
class MarketDay:
    """Arrays have one row per instrument of the market, in order of ids."""

    contract: Contract
    family: Family
    day: int
    opens: int
    closes: int
    path: Path
    instrument_ids: I64
    counts: I64
    shares: F64
    per_day: float
    streams: U64
    book_stream: U64
    venues: VenueChoice
    order_venues: VenueChoice
    own: bool


def instrument_streams(seed: int, rows: Rows, days: I64) -> U64:
    """The streams that the trades of instrument contracts are drawn from."""
    return rows.keys(seed + _STREAM_PURPOSE, rows.instrument_ids, days)


def own_days(seed: int, rows: Rows, days: I64) -> npt.NDArray[np.bool_]:
    """Whether you trade each of the market contracts on the day."""
    return unit(rows.keys(seed + _OWN_PURPOSE, rows.market_ids, days)) < _OWN_DAYS


class MarketDays:
    """Makes market days of one seed."""

    def __init__(self, seed: int, catalogue: Catalogue, liquidity: Liquidity) -> None:
        self._seed = seed
        self._catalogue = catalogue
        self._liquidity = liquidity
        self._levels = Levels(seed)
        self._venues = lru_cache(maxsize=8_192)(self._make_venues)

    def make(self, contract: Contract, day: int) -> MarketDay:
        """The day of a market's contract that trades on it."""
        market_id = contract.product_id
        market = self._catalogue.markets[market_id]
        family = self._catalogue.families[market_id]
        ids = np.array(market.instrument_ids, np.int64)
        days = np.full(len(ids), day, np.int64)
        rows = _rows(contract, market_id, ids)
        opens, closes = family.session.bounds(day)
        own = family.own and bool(own_days(self._seed, rows, days)[0])
        return MarketDay(
            contract=contract,
            family=family,
            day=day,
            opens=opens,
            closes=closes,
            path=self._path(contract, family, day),
            instrument_ids=ids,
            counts=self._liquidity.counts(contract, market_id, days[:1])[0],
            shares=self._liquidity.shares(market_id, day),
            per_day=self._liquidity.per_day(contract, market_id, day),
            streams=instrument_streams(self._seed, rows, days),
            book_stream=rows.keys(self._seed + _BOOK_PURPOSE, rows.market_ids, days)[:1],
            venues=self._venues(market_id, day, trades_on),
            order_venues=self._venues(market_id, day, sends_orders_on),
            own=own,
        )

    def _path(self, contract: Contract, family: Family, day: int) -> Path:
        grid = self._catalogue.grids[contract.sequence_id]
        first = grid.ordinal(contract.item_id)
        second_id = contract.second_item_id
        second = first if second_id is None else grid.ordinal(second_id)
        if first is None or second is None:
            raise KeyError(contract)
        ordinals = range(first, second + 1) if contract.kind == "Range" else (first, second)
        return self._levels.path(contract.product_id, family, grid, ordinals, contract.kind, day)

    def _make_venues(
        self, market_id: int, day: int, is_open: Callable[[str, int], bool]
    ) -> VenueChoice:
        instruments: list[int] = []
        venues: list[int] = []
        reached: list[float] = []
        for position, number in enumerate(self._catalogue.markets[market_id].instrument_ids):
            codes = self._catalogue.instruments[number].venues
            # The first named do most.
            weights = [(1.0 / (n + 2), code) for n, code in enumerate(codes) if is_open(code, day)]
            total = sum(weight for weight, _ in weights)
            so_far = 0.0
            for n, (weight, code) in enumerate(weights):
                so_far += weight
                instruments.append(position)
                venues.append(VENUE_INDEX[code])
                # The last one ends at exactly the next whole number.
                reached.append(position + (so_far / total if n + 1 < len(weights) else 1.0))
        return VenueChoice(
            np.array(instruments, np.int64), np.array(venues, np.int16), np.array(reached)
        )


def _rows(contract: Contract, market_id: int, instrument_ids: I64) -> Rows:
    def column(value: int) -> I64:
        return np.full(len(instrument_ids), value, np.int64)

    return Rows(
        column(market_id),
        instrument_ids,
        column(contract.sequence_id),
        column(KINDS.index(contract.kind)),
        column(contract.item_id),
        column(contract.second_item_id or 0),
    )
