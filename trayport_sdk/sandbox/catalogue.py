"""What can be traded: markets, instruments, sequences and their items, from the tables in `data/`.

The catalogue is the same for every seed. Besides the markets that are quoted there is a long tail
of instruments that are only listed, so that searching names is as hard as it is on the service.
"""

import csv
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from importlib import resources
from itertools import count
from typing import Literal

import numpy as np
from attrs import frozen
from trayport_spec import VENUES

from .calendar import DAY, FIRST_YEAR, LAST_YEAR, Session, business_days_before, date_of, day_number
from .noise import I64

Product = Literal["instrument", "market"]
ContractKind = Literal["SinglePeriod", "Spread", "Range"]

KINDS: tuple[ContractKind, ...] = ("SinglePeriod", "Spread", "Range")
ID_BASE = 10_000_000
INSTRUMENT_COUNT = 14_200
_FIRST_MARKET_ID, _FIRST_INSTRUMENT_ID = ID_BASE + 1, ID_BASE + 500
# Months, quarters, seasons and years stop trading two business days before delivery.
_NOTICE_BUSINESS_DAYS = 2
_DAYTIME = Session("UTC", 8, 16)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@frozen
class Contract:
    """A product plus the items of one sequence; two items for spreads and ranges."""

    product: Product
    product_id: int
    sequence_id: int
    item_id: int
    second_item_id: int | None = None
    kind: ContractKind = "SinglePeriod"


@frozen(eq=False)
class Commodity:
    """What the markets of one kind have in common.

    Attributes:
        sizes: The usual sizes of a trade, in thousandths of the quantity unit.
        unusual_step: The step of unusual sizes, in thousandths.
        season: The winter-summer swing of the forward curve, as a share of the level.
        carry: The share by which a far delivery costs more, per year.
    """

    name: str
    sequence_ids: tuple[int, ...]
    quantity_unit: str
    notional_unit: str
    sizes: tuple[int, ...]
    unusual_step: int
    season: float
    carry: float


@frozen(eq=False)
class Instrument:
    """A product of one venue or of the brokers; `share` is its part of the market's trades."""

    id: int
    name: str
    commodity: Commodity
    currency: str
    venues: tuple[str, ...]
    market_id: int | None
    share: float = 0.0


@frozen(eq=False)
class Market:
    """A commingled product: the union of its instruments. Without a driver it is only listed.

    Attributes:
        driver: What its prices follow, times `factor`.
        scale: Trades per day, relative to the most traded market of the commodity.
        price_scale: Prices are whole numbers of ticks of 1 / price_scale of the currency.
        own: Whether the user of the sandbox trades here.
    """

    id: int
    name: str
    commodity: Commodity
    currency: str
    instruments: tuple[Instrument, ...]
    driver: str = ""
    factor: float = 1.0
    scale: float = 0.0
    price_scale: int = 1
    tick: int = 1
    session: Session = _DAYTIME
    first_year: int = FIRST_YEAR
    last_year: int = LAST_YEAR
    own: bool = False


@frozen
class Item:
    """One delivery period; times are nanoseconds UTC, ends exclusive, None where it rolls."""

    id: int
    name: str
    period_start: int | None = None
    period_end: int | None = None
    trading_start: int | None = None
    trading_end: int | None = None


@frozen(eq=False)
class Periods:
    """Delivery and trading periods as UTC day numbers, ends exclusive, in order of delivery."""

    starts: I64
    ends: I64
    trading_starts: I64
    trading_ends: I64


class Sequence:
    """A series of delivery periods; the items of a rolling one never expire.

    Ordinals are positions in the order of delivery.
    """

    def __init__(self, row: Mapping[str, str]) -> None:
        self._row = row
        self.id = ID_BASE + int(row["number"])
        self.name = row["name"]
        self.letter = row["letter"]
        self.rolling = not row["unit"]
        self.display_name = None if self.rolling else self.name.partition(" - ")[2] or None
        # Mean trades per day by position from the nearest item, in the most traded market.
        self.trades_per_day = tuple(map(float, row["trades_per_day"].split()))
        self.first_id, self.id_step = int(row["first_id"]), int(row["id_step"])

    @cached_property
    def _rolling_names(self) -> list[str]:
        return self._row["item_name"].split("|")

    @cached_property
    def periods(self) -> Periods:
        row = self._row
        if self.rolling:
            nothing = np.zeros(len(self._rolling_names), np.int64)
            return Periods(nothing, nothing, nothing, nothing)
        step, traded = int(row["step"]), int(row["traded"])
        if row["unit"] == "day":
            starts = np.arange(_day(row["first"]), _day(f"{LAST_YEAR + 1}-01-01"), step)
            return Periods(starts, starts + int(row["days"]), starts - traded, starts)
        first = np.datetime64(row["first"], "M")
        last = np.datetime64(f"{LAST_YEAR + 1}-{row['first'][5:]}", "M")
        months = np.arange(first, last + np.timedelta64(1, "M"), np.timedelta64(step, "M"))
        opened = _day_numbers(months - np.timedelta64(traded, "M"))
        edges = _day_numbers(months)
        if row["unit"] == "december":
            # Expiry is the Monday between the 14th and the 20th; day 0 was a Thursday.
            mondays = edges + 13 + (4 - (edges + 13)) % 7
            return Periods(edges, edges + int(row["days"]), opened, mondays + 1)
        closed = business_days_before(edges[:-1], _NOTICE_BUSINESS_DAYS) + 1
        return Periods(edges[:-1], edges[1:], opened[:-1], closed)

    def __len__(self) -> int:
        return len(self.periods.starts)

    def ordinal(self, item_id: int) -> int | None:
        position, rest = divmod(item_id - self.first_id, self.id_step)
        return position if rest == 0 and 0 <= position < len(self) else None

    def ids_at(self, ordinals: I64) -> I64:
        return self.first_id + ordinals * self.id_step

    def fronts(self, days: I64) -> I64:
        """The ordinal of the nearest item that still trades on each of the days."""
        if self.rolling:
            return np.zeros(len(days), np.int64)
        return np.searchsorted(self.periods.trading_ends, days, side="right").astype(np.int64)

    @cached_property
    def items(self) -> tuple[Item, ...]:
        ids: list[int] = self.ids_at(np.arange(len(self))).tolist()
        if self.rolling:
            return tuple(map(Item, ids, self._rolling_names))
        periods = self.periods
        columns = (periods.starts, periods.ends, periods.trading_starts, periods.trading_ends)
        rows = zip(ids, *(column.tolist() for column in columns), strict=True)
        return tuple(
            Item(number, _item_name(self._row["item_name"], days[0]), *(day * DAY for day in days))
            for number, *days in rows
        )

    def item(self, item_id: int) -> Item | None:
        ordinal = self.ordinal(item_id)
        return None if ordinal is None else self.items[ordinal]

    def tradable_items(self, instant: int, most: int) -> tuple[Item, ...]:
        """The next items that trade at the instant, by trading end; none when rolling."""
        if self.rolling:
            return ()
        day = instant // DAY
        first = int(self.fronts(np.array([day], np.int64))[0])
        end = int(np.searchsorted(self.periods.trading_starts, day, side="right"))
        return self.items[first : min(first + most, end)]


def _day(text: str) -> int:
    return day_number(dt.date.fromisoformat(text))


def _day_numbers(months: np.ndarray[tuple[int], np.dtype[np.datetime64]]) -> I64:
    return months.astype("datetime64[D]").astype(np.int64)


def _item_name(template: str, day: int) -> str:
    date = date_of(day)
    week_year, week, _ = date.isocalendar()
    return template.format(
        day=f"{date.day:02d}",
        month=_MONTHS[date.month - 1],
        year=f"{date.year % 100:02d}",
        quarter=(date.month + 2) // 3,
        season="Sum" if date.month == 4 else "Win",
        week=f"{week:02d}",
        week_year=f"{week_year % 100:02d}",
    )


@frozen(eq=False)
class Catalogue:
    """All reference data by id."""

    instruments: Mapping[int, Instrument]
    markets: Mapping[int, Market]
    sequences: Mapping[int, Sequence]

    def product(self, product: Product, product_id: int) -> Instrument | Market | None:
        known: Mapping[int, Instrument | Market]
        known = self.markets if product == "market" else self.instruments
        return known.get(product_id)

    def item(self, sequence_id: int, item_id: int) -> Item | None:
        sequence = self.sequences.get(sequence_id)
        return None if sequence is None else sequence.item(item_id)

    @cached_property
    def quoted(self) -> Mapping[int, Market]:
        return {market.id: market for market in self.markets.values() if market.driver}


def table(name: str) -> Iterator[dict[str, str]]:
    """The rows of one of the sandbox's own tables."""
    text = (
        resources.files("trayport_sdk.sandbox").joinpath("data", f"{name}.csv").read_text("utf-8")
    )
    return csv.DictReader(text.splitlines())


def _numbers(text: str, base: int = 0) -> tuple[int, ...]:
    return tuple(base + int(number) for number in text.split())


def _commodity(row: Mapping[str, str]) -> Commodity:
    return Commodity(
        row["name"],
        _numbers(row["sequences"], ID_BASE),
        row["quantity_unit"],
        row["notional_unit"],
        tuple(1000 * size for size in _numbers(row["sizes"])),
        int(row["unusual_step"]),
        float(row["season"]),
        float(row["carry"]),
    )


def _ids(first: int, taken: set[str]) -> Iterator[int]:
    """Ids in order, without those that the tables use."""
    return (number for number in count(first) if str(number) not in taken)


class _Builder:
    def __init__(self) -> None:
        self.markets: dict[int, Market] = {}
        self.instruments: dict[int, Instrument] = {}
        self._commodities = {row["name"]: _commodity(row) for row in table("commodities")}
        self._listings = list(table("listings"))
        fixed = {row["instrument_id"] for row in self._listings}
        self._instrument_ids = _ids(_FIRST_INSTRUMENT_ID, fixed)
        fixed = {row["market_id"] for row in table("markets")}
        self._market_ids = _ids(_FIRST_MARKET_ID, fixed)

    def add_quoted(self) -> None:
        listed = {code for row in self._listings for code in row["venues"].split()}
        # Venues that no listing names are brokers of the first market.
        self._listings[0]["venues"] += "".join(f" {code}" for code in VENUES if code not in listed)
        for row in table("markets"):
            listings = [listing for listing in self._listings if listing["market"] == row["name"]]
            zone, opens, closes = row["session"].split()
            market_id = int(row["market_id"] or 0) or next(self._market_ids)
            self.markets[market_id] = Market(
                market_id,
                row["name"],
                self._commodities[row["commodity"]],
                row["currency"],
                self._instruments(row, row["name"], market_id, listings),
                row["driver"],
                float(row["factor"]),
                float(row["scale"]),
                int(row["price_scale"]),
                int(row["tick"]),
                Session(zone, int(opens), int(closes)),
                int(row["first_year"]),
                int(row["last_year"]),
                row["own"] == "true",
            )

    def add_unquoted(self, total: int) -> None:
        for row in table("unquoted"):
            places = [place.partition(":") for place in row["places"].split("|")]
            listings = [{"suffix": suffix, "venues": code} for suffix, _, code in places]
            for name in _names(row):
                if not (part := listings[: total - len(self.instruments)]):
                    return
                market_id = next(self._market_ids) if row["has_market"] == "true" else None
                instruments = self._instruments(row, name, market_id, part)
                if market_id is not None:
                    commodity = self._commodities[row["commodity"]]
                    market = Market(market_id, name, commodity, row["currency"], instruments)
                    self.markets[market_id] = market

    def _instruments(
        self,
        row: Mapping[str, str],
        name: str,
        market_id: int | None,
        listings: Iterable[Mapping[str, str]],
    ) -> tuple[Instrument, ...]:
        """The instruments of a product, one per listing, in order of their ids."""
        instruments = [
            Instrument(
                int(listing.get("instrument_id") or 0) or next(self._instrument_ids),
                f"{name} {listing['suffix']}".rstrip(),
                self._commodities[row["commodity"]],
                row["currency"],
                tuple(listing["venues"].split()),
                market_id,
                float(listing.get("share", 0.0)),
            )
            for listing in listings
        ]
        self.instruments.update((instrument.id, instrument) for instrument in instruments)
        return tuple(sorted(instruments, key=lambda instrument: instrument.id))


def _names(row: Mapping[str, str]) -> Iterator[str]:
    names, endings = row["names"].split("|"), row["more_names"].split("|")
    if row["outer"] == "names":
        return (f"{name} {ending}".rstrip() for name in names for ending in endings)
    return (f"{name} {ending}" for ending in endings for name in names)


@cache
def catalogue() -> Catalogue:
    """The catalogue of this process."""
    builder = _Builder()
    builder.add_quoted()
    builder.add_unquoted(INSTRUMENT_COUNT)
    return Catalogue(
        dict(sorted(builder.instruments.items())),
        dict(sorted(builder.markets.items())),
        {sequence.id: sequence for sequence in map(Sequence, table("sequences"))},
    )


@cache
def opening_days() -> Mapping[str, tuple[int, int]]:
    """The first day on which each venue traded, and the day after its last."""
    known = {row["code"]: row for row in table("venues")}
    days: dict[str, tuple[int, int]] = {}
    for code, venue in VENUES.items():
        row = known.get(code, {})
        # An inactive venue stopped before 2022 unless the table says otherwise.
        closed = row.get("closed") or ("9999-01-01" if venue.active else "2022-01-01")
        opened = row.get("opened") or f"{FIRST_YEAR}-01-01"
        days[code] = _day(opened), _day(closed)
    return days
