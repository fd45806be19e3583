"""What the first responses tell, which later questions and the probes need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from attrs import frozen
from trayport_spec import CONTRACT_TYPE_ALIASES, ENDPOINTS

from .answers import Answers, NotReachableError, Row, members, objects

SECOND = 10**9
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
MOST_ITEMS = ENDPOINTS["get_snapshots"].batch.maximum or 1
SINGLE = "SinglePeriod"
DEPTH = 50
"""How many orders a side are requested of a book."""
_IDS = ("instrumentId", "marketId", "sequenceId", "sequenceItemId")
FIRST_DAY = datetime(2019, 1, 1, tzinfo=UTC)
"""Early enough for items that were traded when the history of orders begins."""
HISTORY = datetime(2020, 1, 29, tzinfo=UTC), datetime(2020, 2, 5, tzinfo=UTC)
"""The days around the beginning of the history of orders."""


def nanoseconds(moment: datetime) -> int:
    """A time of whole seconds in nanoseconds since 1970."""
    return int(moment.timestamp()) * SECOND


def moment_of(text: object) -> datetime | None:
    """The time of an ISO-8601 text, in UTC where it has no zone; None when it is none."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def integer(row: Row, name: str) -> int | None:
    """A whole number of a row, given as number or as text; None when it is none."""
    value = row.get(name)
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@frozen
class Item:
    """A delivery period that has dates, in nanoseconds."""

    id: int
    period_end: int
    trading_start: int
    trading_end: int


@frozen
class Subject:
    """The contract that most questions are about."""

    instrument_id: int
    market_id: int | None
    sequence_id: int
    item_id: int


class Known:
    """What is known so far. Each of it raises `NotReachableError` while it cannot be known."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    @property
    def end(self) -> int:
        """Where the data ends: the start of the current day in UTC."""
        return self.answers.now - self.answers.now % DAY

    @cached_property
    def activity(self) -> list[Row]:
        """What has traded lately."""
        if "activity_of_a_day" in self.answers.by_name:
            return self.answers.rows("activity_of_a_day")
        return self.answers.rows("activity")

    @cached_property
    def subject(self) -> Subject:
        """The single period that traded most often lately, in months where there are any."""
        counts: Counter[tuple[Any, ...]] = Counter()
        for row in self.activity:
            if row.get("secondSequenceItemId") is None:
                counts[tuple(map(row.get, _IDS))] += integer(row, "count") or 0
        months = self._months
        found = sorted(counts, key=lambda key: (key[2] in months, key[1] is not None, counts[key]))
        for key in reversed(found):
            instrument, market, sequence, item = (
                integer(dict(zip(_IDS, key, strict=True)), name) for name in _IDS
            )
            if instrument is not None and sequence is not None and item is not None:
                return Subject(instrument, market, sequence, item)
        raise NotReachableError("nothing that the key may see has traded in the last week")

    @property
    def _months(self) -> set[int]:
        """The sequences of months."""
        answer = self.answers.by_name.get("sequences")
        rows = answer.rows if answer is not None else []
        return {integer(row, "id") or 0 for row in rows if "Month" in str(row.get("name"))}

    @property
    def market_id(self) -> int:
        """The market of the subject."""
        if self.subject.market_id is None:
            raise NotReachableError("no instrument that has traded lately belongs to a market")
        return self.subject.market_id

    @property
    def product(self) -> Mapping[str, int]:
        """The market of the subject, or its instrument when it has none."""
        subject = self.subject
        if subject.market_id is None:
            return {"instrument_id": subject.instrument_id}
        return {"market_id": subject.market_id}

    def contract(self, *items: int, by_instrument: bool = False) -> dict[str, Any]:
        """The arguments for the subject, or for other items of its sequence."""
        subject = self.subject
        product = {"instrument_id": subject.instrument_id} if by_instrument else self.product
        rest = {"sequence_id": subject.sequence_id, "contract_type": SINGLE}
        return {**product, **rest, "sequence_item_id": items[0] if items else subject.item_id}

    def batch(self, *items: int, by_instrument: bool = False) -> dict[str, Any]:
        """The same, for operations that take several items."""
        one = self.contract(*items, by_instrument=by_instrument)
        return one | {"sequence_item_id": [*items] or [one["sequence_item_id"]]}

    @cached_property
    def day(self) -> int:
        """The start of the day on which the subject traded last."""
        for row in self.answers.rows("last"):
            time = integer(row, "dealDate") or 0
            if self.end - 31 * DAY <= time < self.end:
                return time - time % DAY
        raise NotReachableError("the subject has not traded in the last month")

    @cached_property
    def route_names(self) -> list[str]:
        """The routes that most trades come over, two at most; their names are text."""
        counts: Counter[str] = Counter()
        for row in self.activity:
            if isinstance(name := row.get("route"), str):
                counts[name] += integer(row, "count") or 0
        if not counts:
            raise NotReachableError("no trade says over which route it came")
        return [name for name, _ in counts.most_common(2)]

    @cached_property
    def item_rows(self) -> list[Row]:
        """The rows of the items of the subject's sequence, all of them if they came at once."""
        if "some_items" in self.answers.by_name:
            return self.answers.rows("some_items")
        return self.answers.rows("items")

    @cached_property
    def item_ids(self) -> list[int]:
        """The items of the subject's sequence, in order."""
        ids = [integer(row, "id") for row in self.item_rows]
        return [number for number in ids if number is not None]

    @cached_property
    def items(self) -> list[Item]:
        """Those of them that have dates."""
        return list(self._dated())

    @property
    def last_end(self) -> int:
        """The end of the last delivery period."""
        if not self.items:
            raise NotReachableError("no item of the subject's sequence has dates")
        return max(item.period_end for item in self.items)

    def _dated(self) -> Iterator[Item]:
        for row in self.item_rows:
            dates = [moment_of(row.get(n)) for n in ("periodEnd", "tradingStart", "tradingEnd")]
            known = [nanoseconds(date) for date in dates if date is not None]
            if (number := integer(row, "id")) is not None and len(known) == len(dates):
                yield Item(number, *known)

    def many_items(self, count: int) -> list[int]:
        """So many items around the subject's."""
        ids = self.item_ids
        if len(ids) < count:
            raise NotReachableError(f"the sequence of the subject has {len(ids)} items only")
        place = ids.index(self.subject.item_id) if self.subject.item_id in ids else 0
        first = max(0, min(place - 5, len(ids) - count))
        return ids[first : first + count]

    def tradable(self, at: int) -> Item:
        """The first item that can be traded at a time."""
        for item in sorted(self.items, key=lambda item: item.trading_end):
            if item.trading_start <= at < item.trading_end:
                return item
        raise NotReachableError("no item of the subject's sequence says when it can be traded")

    @property
    def a_year_ago(self) -> int:
        """Noon of a day a year before the end of the data."""
        return self.end - 365 * DAY + 12 * HOUR

    @cached_property
    def old_item(self) -> Item:
        """An item that was traded last in the year before a leap year that is over."""
        year = datetime.fromtimestamp(self.end // SECOND, UTC).year - 1
        year -= year % 4
        start, end = (nanoseconds(datetime(year - 1, m, 1, tzinfo=UTC)) for m in (3, 12))
        for item in self.items:
            if start <= item.trading_end < end:
                return item
        raise NotReachableError("no item was traded last in the year before a leap year")

    @property
    def old_year(self) -> int:
        """The start of the year after that item could be traded."""
        traded = datetime.fromtimestamp(self.old_item.trading_end // SECOND, UTC)
        return nanoseconds(datetime(traded.year + 1, 1, 1, tzinfo=UTC))

    @cached_property
    def old_trade(self) -> int:
        """The whole second of the last trade in that item."""
        for row in self.answers.rows("old"):
            if (time := integer(row, "dealDate")) is not None:
                return time - time % SECOND
        raise NotReachableError("the last trade of an old item has no time")

    @cached_property
    def stamps(self) -> list[int]:
        """The times of the subject's trades on its day that a request can name, in order."""
        times = {integer(row, "dealDate") or 1 for row in self.answers.rows("trades")}
        return sorted(t for t in times if t % SECOND == 0 and self.day <= t < self.day + DAY)

    @cached_property
    def two_stamps(self) -> tuple[int, int]:
        """Two such times, one after the other."""
        if len(self.stamps) < 2:
            raise NotReachableError("no two trades of a day lie on whole seconds")
        middle = len(self.stamps) // 2
        return self.stamps[middle - 1], self.stamps[middle]

    @cached_property
    def minute_stamp(self) -> int:
        """Such a time that is a whole minute."""
        found = [t for t in self.stamps if t % MINUTE == 0 and t > self.day]
        if not found:
            raise NotReachableError("no trade of a day lies on a whole minute")
        return found[len(found) // 2]

    @cached_property
    def own_trade(self) -> Row:
        """A trade of the key's owner, with its contract."""
        for row in self.answers.rows("private"):
            if members(row.get("contract")) and integer(row, "dealDate"):
                return row
        raise NotReachableError("no private trade names its contract")

    @property
    def own_second(self) -> dict[str, Any]:
        """The arguments for the second of that trade."""
        row = self.own_trade
        contract: Row = row["contract"]
        ids = {
            "instrument_id": integer(contract, "instrumentId"),
            "market_id": integer(contract, "marketId"),
            "sequence_id": integer(contract, "sequenceId"),
            "second_sequence_item_id": integer(contract, "secondSequenceItemId"),
        }
        kind = str(contract.get("contractType"))
        time = integer(row, "dealDate") or 0
        start = time - time % SECOND
        return {
            **ids,
            "sequence_item_id": [integer(contract, "sequenceItemId")],
            "contract_type": CONTRACT_TYPE_ALIASES.get(kind, kind),
            "from_": start,
            "until": start + SECOND,
        }

    @cached_property
    def spread(self) -> tuple[Row, float]:
        """A book, and a percentage that leaves out some of its orders."""
        books = [row for row in self.answers.rows("book") if integer(row, "timestamp")]
        for row in sorted(books, key=lambda row: len(str(row)), reverse=True):
            sides = [distances(row, side) for side in ("bids", "asks")]
            if max(map(len, sides)) >= DEPTH:
                continue  # it may have more orders than came
            away = sorted({percent for side in sides for percent, _ in side})
            if len(away) > 3:
                middle = len(away) // 2
                return row, round((away[middle - 1] + away[middle]) / 2, 6)
        raise NotReachableError("no book has orders at enough prices")


def distances(book: Row, side: str) -> list[tuple[float, float]]:
    """How many percent each order lies from the best price of its side, with its price."""
    prices = [o["price"] for o in objects(book.get(side)) if _is_number(o.get("price"))]
    best = (max if side == "bids" else min)(prices, default=0)
    if best == 0:
        return []
    return sorted((abs(price - best) * 100 / abs(best), price) for price in prices)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
