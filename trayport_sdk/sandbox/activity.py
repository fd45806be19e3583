"""How much was traded in everything: counted from times and marks, without making trades."""

import numpy as np
from attrs import frozen

from trayport_sdk.sandbox.cache import BoundedCache
from trayport_sdk.sandbox.calendar import DAY
from trayport_sdk.sandbox.catalogue import Catalogue
from trayport_sdk.sandbox.contract import KINDS, Contract
from trayport_sdk.sandbox.liquidity import Liquidity, Rows
from trayport_sdk.sandbox.market_day import instrument_streams, own_days
from trayport_sdk.sandbox.noise import I64
from trayport_sdk.sandbox.tape import ROUTE_COUNT, Marks, marks, numbers_within, stamps
from trayport_sdk.sandbox.trades import own_sides

_ID_BASE = 10_000_000
# A contract packed into one integer: widths of sequence, kind, item and second item in bits.
_SEQUENCE_BITS, _KIND_BITS, _ITEM_BITS = 10, 2, 15
_KEPT_SUMMARIES = 128
_KEPT_TAPE_TRADES = 1_500_000


@frozen(eq=False)
class Activity:
    """One row per instrument contract and route that had trades; 0 stands for no id."""

    instrument_id: I64
    market_id: I64
    sequence_id: I64
    item_id: I64
    second_item_id: I64
    kind: list[str]
    route: I64
    count: I64
    update_count: I64
    delete_count: I64

    def __len__(self) -> int:
        return len(self.count)


@frozen(eq=False)
class _Tape:
    """Every trade of a day: the row of its contract, its time and marks."""

    owners: I64
    times: I64
    marks: Marks


@frozen(eq=False)
class _Counts:
    """Trades, corrections and deletions per contract (rows) and route (columns)."""

    contracts: Rows
    counts: I64
    updates: I64
    deletes: I64


class Counter:
    """Counts of one seed."""

    def __init__(self, seed: int, catalogue: Catalogue, liquidity: Liquidity) -> None:
        self._seed = seed
        self._catalogue = catalogue
        self._liquidity = liquidity
        self._tapes: BoundedCache[int, _Tape] = BoundedCache(
            _KEPT_TAPE_TRADES, lambda tape: len(tape.times) + 1
        )
        self._rows: BoundedCache[int, tuple[Rows, I64]] = BoundedCache(_KEPT_SUMMARIES, lambda _: 1)
        self._summaries: BoundedCache[int, _Counts] = BoundedCache(_KEPT_SUMMARIES, lambda _: 1)

    def activity(self, start: int, end: int) -> Activity:
        """Everything traded in [start, end)."""
        parts: list[_Counts] = []
        for day in range(start // DAY, -(-end // DAY)):
            whole = start <= day * DAY and (day + 1) * DAY <= end
            parts.append(self._whole_day(day) if whole else self._part_of_day(day, start, end))
        return _added_up(parts)

    def own_contracts(self, day: int) -> list[Contract]:
        """The instrument contracts in which you traded on a day."""
        contracts, counts = self._on_day(day)
        families = self._catalogue.families
        own_markets = [number for number, family in families.items() if family.own]
        mine = np.isin(contracts.market_ids, own_markets)
        mine &= own_days(self._seed, contracts, np.full(len(mine), day, np.int64))
        index = np.flatnonzero(mine)
        contracts, counts = contracts.take(index), counts[index]
        streams = instrument_streams(self._seed, contracts, np.full(len(index), day, np.int64))
        owners = np.repeat(np.arange(len(index)), counts)
        own = own_sides(streams[owners], numbers_within(counts)) > 0
        traded = contracts.take(np.unique(owners[own]))
        columns = (
            traded.instrument_ids,
            traded.sequence_ids,
            traded.items,
            traded.seconds,
            traded.kinds,
        )
        rows: list[list[int]] = np.array(columns, np.int64).T.tolist()
        return [
            Contract("instrument", instrument, sequence, item, second or None, KINDS[kind])
            for instrument, sequence, item, second, kind in rows
        ]

    def _on_day(self, day: int) -> tuple[Rows, I64]:
        return self._rows.get(day, lambda: self._liquidity.on_day(day))

    def _tape(self, day: int) -> _Tape:
        return self._tapes.get(day, lambda: self._make_tape(day))

    def _make_tape(self, day: int) -> _Tape:
        contracts, counts = self._on_day(day)
        days = np.full(len(counts), day, np.int64)
        streams = instrument_streams(self._seed, contracts, days)
        owners = np.repeat(np.arange(len(counts)), counts)
        opens, closes = self._sessions(contracts, day)
        times = stamps(streams, counts, opens, closes)
        return _Tape(owners, times, marks(streams[owners], numbers_within(counts)))

    def _sessions(self, contracts: Rows, day: int) -> tuple[I64, I64]:
        markets, positions = np.unique(contracts.market_ids, return_inverse=True)
        families = [self._catalogue.families[number] for number in markets.tolist()]
        bounds = [family.session.bounds(day) for family in families]
        table = np.array(bounds, np.int64).reshape(len(bounds), 2)
        return table[positions, 0], table[positions, 1]

    def _whole_day(self, day: int) -> _Counts:
        return self._summaries.get(day, lambda: self._part_of_day(day, day * DAY, (day + 1) * DAY))

    def _part_of_day(self, day: int, start: int, end: int) -> _Counts:
        contracts, counts = self._on_day(day)
        tape = self._tape(day)
        inside = (tape.times >= start) & (tape.times < end)
        size = len(counts)
        by_route = [inside & ((tape.marks.routes >> n) & 1 == 1) for n in range(ROUTE_COUNT)]
        seen = [np.bincount(tape.owners[on], minlength=size) for on in by_route]
        updated = [
            np.bincount(tape.owners[on & tape.marks.updated], minlength=size) for on in by_route
        ]
        deleted = [
            np.bincount(tape.owners[on], tape.marks.deleted[on], minlength=size) for on in by_route
        ]
        return _Counts(
            contracts,
            np.array(seen).T,
            np.array(updated).T,
            np.array(deleted).T.astype(np.int64),
        )


def _packed(contracts: Rows) -> I64:
    packed = contracts.instrument_ids - _ID_BASE
    for column, width in (
        (contracts.sequence_ids - _ID_BASE, _SEQUENCE_BITS),
        (contracts.kinds, _KIND_BITS),
        (contracts.items, _ITEM_BITS),
        (contracts.seconds, _ITEM_BITS),
    ):
        packed = (packed << width) | column
    return packed


def _names(kinds: I64) -> list[str]:
    numbers: list[int] = kinds.tolist()
    return [KINDS[number] for number in numbers]


def _added_up(parts: list[_Counts]) -> Activity:
    if not parts:
        empty = np.zeros(0, np.int64)
        kinds: list[str] = []
        return Activity(empty, empty, empty, empty, empty, kinds, empty, empty, empty, empty)
    contracts = Rows(
        *(
            np.concatenate([getattr(part.contracts, name) for part in parts])
            for name in (
                "market_ids",
                "instrument_ids",
                "sequence_ids",
                "kinds",
                "items",
                "seconds",
            )
        )
    )
    _, first, groups = np.unique(_packed(contracts), return_index=True, return_inverse=True)
    sums = np.zeros((3, len(first), ROUTE_COUNT), np.int64)
    for n, name in enumerate(("counts", "updates", "deletes")):
        np.add.at(sums[n], groups, np.concatenate([getattr(part, name) for part in parts]))
    rows, routes = np.nonzero(sums[0])
    shown = contracts.take(first[rows])
    return Activity(
        instrument_id=shown.instrument_ids,
        market_id=shown.market_ids,
        sequence_id=shown.sequence_ids,
        item_id=shown.items,
        second_item_id=shown.seconds,
        kind=_names(shown.kinds),
        route=routes + 1,
        count=sums[0][rows, routes],
        update_count=sums[1][rows, routes],
        delete_count=sums[2][rows, routes],
    )
