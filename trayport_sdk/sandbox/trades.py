"""Trades of one market contract and day, drawn as columns.

A frame of trades is ordered by time, instrument and number. Prices come as whole `ticks` of 1 /
price scale of the currency, too, and quantities as whole `thousandths`, which add up exactly.
`venue` is a position in `VENUE_CODES`. Bit k - 1 of `routes` stands for route k; `own` is 0 for
trades of others, 1 where you were the aggressor, 2 where you were the initiator.
"""

from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl
from attrs import frozen
from trayport_spec import VENUES

from .calendar import DAY, HOUR, MINUTE, SECOND, date_of, day_number
from .catalogue import ID_BASE, Catalogue, Commodity, Contract, Market, Sequence, opening_days
from .liquidity import Liquidity, hashed
from .noise import F64, I64, U8, U64, Bools, bits, draws, unit
from .prices import Path, Prices

VENUE_CODES: tuple[str, ...] = tuple(VENUES)
VENUE_CODE = pl.col("venue").replace_strict(dict(enumerate(VENUE_CODES)), return_dtype=pl.String)
THOUSAND = 1000
AGGRESSOR, INITIATOR = 1, 2
TRADES: dict[str, pl.DataType] = {
    "time": pl.Int64(),
    "instrument_id": pl.Int64(),
    "venue": pl.Int16(),
    "number": pl.Int64(),
    "ticks": pl.Int64(),
    "price": pl.Float64(),
    "thousandths": pl.Int64(),
    "quantity": pl.Float64(),
    "aggressor_buy": pl.Boolean(),
    "from_broken_spread": pl.Boolean(),
    "initiator_owned_spread": pl.Boolean(),
    "aggressor_owned_spread": pl.Boolean(),
    "aggressor_sleeve": pl.Boolean(),
    "initiator_sleeve": pl.Boolean(),
    "own": pl.Int8(),
    "last_updated": pl.Int64(),
    "routes": pl.UInt8(),
}

_STREAM_PURPOSE, _OWN_PURPOSE, _BOOK_PURPOSE = 2_001, 2_002, 2_003
_TIME, _SNAP, _MARK, _VENUE, _SIZE, _FLAG, _OWN, _DELAY = range(8)
# Share of the contracts that you trade on a day, in the markets where you trade, and of the trades
# that are yours there.
_OWN_DAYS, _OWN_SHARE = 0.35, 0.025
# Of 1024 trades, how many fall exactly on a whole second, minute and hour, and how many share the
# time of the trade before.
_ON_SECOND, _ON_MINUTE, _ON_HOUR, _AS_BEFORE = 20, 20, 3, 24
# Share of trades spread evenly over the session; the rest gathers at its ends.
_EVEN = 0.55
_SHAPE_KNOTS = 257
# Of 256 trades, how many are seen on the further routes, corrected, or follow a deletion.
_ROUTE_SHARES = (120, 48, 16)
_UPDATED, _DELETED = 8, 5
ROUTE_COUNT = 1 + len(_ROUTE_SHARES)
# Trades spread around the path by so many ticks, and by half of one towards their aggressor.
_NOISE_TICKS, _SIDE_TICKS = 1.5, 0.5
# Of 256 trades: unusual sizes; and by name, from which bit of a word and how many, the flags.
_UNUSUAL = 36
_FLAGS = (
    ("from_broken_spread", 17, 14),
    ("initiator_owned_spread", 25, 10),
    ("aggressor_owned_spread", 33, 10),
    ("aggressor_sleeve", 41, 6),
    ("initiator_sleeve", 49, 6),
)
_USUAL_DELAY, _CORRECTION_DELAY = 2 * SECOND, 1800 * SECOND
_EUREX = [n for n, code in enumerate(VENUE_CODES) if code in ("EEX", "EEX7")]
_EUREX_PRODUCTS = {"2806": "G3B", "3008": "FEU"}


@frozen(eq=False)
class VenueChoice:
    """The open venues of a market's instruments on a day: one row per instrument, padded."""

    venues: npt.NDArray[np.int16]
    counts: I64

    def pick(self, instruments: I64, dice: F64) -> npt.NDArray[np.int16]:
        """A venue of each of the instruments, mostly one of the first named."""
        return self.venues[instruments, (dice**2 * self.counts[instruments]).astype(np.int64)]


@frozen(eq=False)
class MarketDay:
    """A market's contract on a day: everything its trades and orders are drawn from.

    The rows of `counts`, `shares` and `streams` are its instruments in order of ids.
    """

    market: Market
    day: int
    opens: int
    closes: int
    path: Path
    counts: I64
    shares: F64
    per_day: float
    streams: U64
    book_stream: U64
    venues: VenueChoice
    order_venues: VenueChoice
    own: bool

    @property
    def instrument_ids(self) -> I64:
        return np.array([instrument.id for instrument in self.market.instruments], np.int64)


def trade_streams(seed: int, contracts: pl.DataFrame, day: int) -> U64:
    """The streams that the trades of instrument contracts are drawn from."""
    return hashed(seed + _STREAM_PURPOSE, contracts, "instrument_id", day)


def own_days(seed: int, contracts: pl.DataFrame, day: int) -> Bools:
    """Whether you trade each of the market contracts on the day."""
    return unit(hashed(seed + _OWN_PURPOSE, contracts, "market_id", day)) < _OWN_DAYS


class MarketDays:
    """Makes the days of one seed."""

    def __init__(self, seed: int, catalogue: Catalogue, liquidity: Liquidity) -> None:
        self._seed = seed
        self._catalogue = catalogue
        self._liquidity = liquidity
        self._prices = Prices(seed)
        self._venues = lru_cache(maxsize=8_192)(_open_venues)

    def make(self, contract: Contract, day: int) -> MarketDay:
        """The day of a market's contract that trades on it."""
        market = self._catalogue.markets[contract.product_id]
        contracts = self._liquidity.instrument_contracts(contract)
        opens, closes = market.session.bounds(day)
        return MarketDay(
            market=market,
            day=day,
            opens=opens,
            closes=closes,
            path=self._path(contract, market, day),
            counts=self._liquidity.counts(contract, np.array([day], np.int64))[0],
            shares=self._liquidity.shares(market.id, day),
            per_day=self._liquidity.per_day(contract, day),
            streams=trade_streams(self._seed, contracts, day),
            book_stream=hashed(self._seed + _BOOK_PURPOSE, contracts, "market_id", day)[:1],
            venues=self._venues(market, day, for_orders=False),
            order_venues=self._venues(market, day, for_orders=True),
            own=market.own and bool(own_days(self._seed, contracts, day)[0]),
        )

    def _path(self, contract: Contract, market: Market, day: int) -> Path:
        sequence = self._catalogue.sequences[contract.sequence_id]
        first = sequence.ordinal(contract.item_id) or 0
        last = sequence.ordinal(contract.second_item_id or contract.item_id) or 0
        ordinals = range(first, last + 1) if contract.kind == "Range" else (first, last)
        return self._prices.path(market, sequence, ordinals, contract.kind, day)


def _open_venues(market: Market, day: int, *, for_orders: bool) -> VenueChoice:
    rows: list[list[int]] = []
    for instrument in market.instruments:
        codes = [c for c in instrument.venues if opening_days()[c][0] <= day < opening_days()[c][1]]
        if for_orders:
            codes = [code for code in codes if day >= day_number(VENUES[code].orders_from)]
        rows.append([VENUE_CODES.index(code) for code in codes])
    counts = np.array(list(map(len, rows)), np.int64)
    table = np.zeros((len(rows), max(1, *map(len, rows))), np.int16)
    for n, row in enumerate(rows):
        table[n, : len(row)] = row
    return VenueChoice(table, counts)


@cache
def _session_shape() -> tuple[F64, F64]:
    """Cumulative share of trades, and the share of the session at which it is reached."""
    elapsed = np.linspace(0.0, 1.0, _SHAPE_KNOTS)
    reached: F64 = _EVEN * elapsed + (1.0 - _EVEN) * ((2.0 * elapsed - 1.0) ** 3 + 1.0) / 2.0
    return reached, elapsed


def numbers_within(counts: I64) -> I64:
    """0, 1, 2… within each group of the given sizes."""
    ends = np.cumsum(counts)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)


def times_of(streams: U64, counts: I64, opens: I64, closes: I64) -> I64:
    """Times of all trades of several contracts on one UTC day, ascending within each.

    The four columns have one row per contract; a contract's times depend on its own row only.
    """
    owners, numbers = np.repeat(np.arange(len(counts)), counts), numbers_within(counts)
    by_trade, first, lengths = streams[owners], opens[owners], (closes - opens)[owners]
    shares = np.interp(unit(draws(by_trade, numbers, _TIME)), *_session_shape())
    offsets = np.minimum((shares * lengths).astype(np.int64), lengths - 1)
    snap = bits(draws(by_trade, numbers, _SNAP), 0, 10)
    steps = np.ones(len(owners), np.int64)
    steps[snap < _ON_SECOND + _ON_MINUTE + _ON_HOUR] = SECOND
    steps[snap < _ON_MINUTE + _ON_HOUR] = MINUTE
    steps[snap < _ON_HOUR] = HOUR
    offsets -= (first + offsets) % steps
    # One sort for all contracts: each gets a day of its own on a common axis.
    axis: I64 = np.sort(owners * DAY + offsets)
    together = (snap >= 1024 - _AS_BEFORE) & (numbers > 0)
    axis[together] = axis[np.flatnonzero(together) - 1]
    return first + (axis - owners * DAY)


def marks(streams: U64, numbers: I64) -> tuple[U8, Bools, Bools]:
    """The routes of trades, and whether they were corrected or follow a deletion."""
    words = draws(streams, numbers, _MARK)
    routes = np.ones(len(numbers), np.uint8)
    for n, share in enumerate(_ROUTE_SHARES):
        routes |= (bits(words, 8 * n, 8) < share).astype(np.uint8) << np.uint8(n + 1)
    return routes, bits(words, 32, 8) < _UPDATED, bits(words, 40, 8) < _DELETED


def own_sides(streams: U64, numbers: I64) -> npt.NDArray[np.int8]:
    """Which side you were on, in contracts where you trade on the day: mostly none."""
    words = draws(streams, numbers, _OWN)
    side = np.where(bits(words, 0, 1) == 0, AGGRESSOR, INITIATOR)
    return np.where(unit(words) < _OWN_SHARE, side, 0).astype(np.int8)


def make_trades(today: MarketDay) -> pl.DataFrame:
    """All trades of a market's contract on a day."""
    width, market = len(today.counts), today.market
    by_instrument = times_of(
        today.streams, today.counts, np.full(width, today.opens), np.full(width, today.closes)
    )
    order = np.argsort(by_instrument, kind="stable")
    time = by_instrument[order]
    owner = np.repeat(np.arange(width), today.counts)[order]
    number = numbers_within(today.counts)[order]
    stream = today.streams[owner]
    flags = draws(stream, number, _FLAG)
    routes, updated, _ = marks(stream, number)
    buy = bits(flags, 0, 1) == 1
    ticks = today.path.at(time) * (market.price_scale / market.tick)
    ticks += (bits(flags, 1, 16) * (2.0 / 65_535) - 1.0) * _NOISE_TICKS
    ticks += np.where(buy, _SIDE_TICKS, -_SIDE_TICKS)
    whole_ticks = np.rint(ticks).astype(np.int64) * market.tick
    thousandths = sizes_drawn(market.commodity, draws(stream, number, _SIZE))
    delay = unit(draws(stream, number, _DELAY))
    corrected = updated * (_USUAL_DELAY + (delay * _CORRECTION_DELAY).astype(np.int64))
    columns = {
        "time": time,
        "instrument_id": today.instrument_ids[owner],
        "venue": today.venues.pick(owner, unit(draws(stream, number, _VENUE))),
        "number": number,
        "ticks": whole_ticks,
        "price": whole_ticks / market.price_scale,
        "thousandths": thousandths,
        "quantity": thousandths / THOUSAND,
        "aggressor_buy": buy,
        **{name: bits(flags, first, 8) < of_256 for name, first, of_256 in _FLAGS},
        "own": own_sides(stream, number) * today.own,
        "last_updated": time + (delay * _USUAL_DELAY).astype(np.int64) + corrected,
        "routes": routes,
    }
    return pl.DataFrame(columns, schema=TRADES)


def sizes_drawn(commodity: Commodity, words: U64) -> I64:
    sizes = np.array(commodity.sizes, np.int64)
    usual = sizes[(bits(words, 0, 16) * len(sizes)) >> 16]
    steps_per_unit = max(THOUSAND // commodity.unusual_step, 1)
    more = (1 + bits(words, 16, 16) % steps_per_unit) * commodity.unusual_step
    drawn: I64 = usual + np.where(bits(words, 32, 8) < _UNUSUAL, more, 0)
    return drawn


def with_trade_ids(trades: pl.DataFrame, contract: Contract, catalogue: Catalogue) -> pl.DataFrame:
    """The trades with a `trade_id`, unique for the venue; those of EEX are named by Eurex."""
    period = _period_code(contract, catalogue.sequences[contract.sequence_id])
    product = (pl.col("instrument_id") - ID_BASE).cast(pl.String)
    day = pl.from_epoch("time", "ns").dt.strftime("%Y%m%d")
    parts = (product.replace(_EUREX_PRODUCTS), day, pl.col("number") + 1)
    eurex = pl.format(f"Eurex T7/{{}}{period}-{{}}/{{}}/1 Public", *parts)
    sequence = contract.sequence_id - ID_BASE
    other = pl.format(f"{{}}{{}}{sequence}{period}-{{}}-{{}}", VENUE_CODE, product, *parts[1:])
    is_eurex = pl.col("venue").is_in(_EUREX)
    return trades.with_columns(trade_id=pl.when(is_eurex).then(eurex).otherwise(other))


def _period_code(contract: Contract, sequence: Sequence) -> str:
    codes: list[str] = []
    for number in filter(None, (contract.item_id, contract.second_item_id)):
        item = sequence.item(number)
        start = None if item is None else item.period_start
        form = "%d%m%Y" if sequence.letter in "DEW" else "%m%Y"
        codes.append(f"{number:02d}" if start is None else f"{date_of(start // DAY):{form}}")
    return sequence.letter + contract.kind[0].join(codes)
