"""Trades that come late, are altered or are deleted: what is seen when, and what is said of it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drawn import examples
from tests.sandbox.asking import (
    APRIL_2024,
    INSTRUMENT,
    MARKET,
    MAY_2024,
    MINIMAL,
    MONTH,
    SEQUENCE,
    Asker,
    Query,
    Value,
    at,
)
from trayport_sdk.sandbox import Corrections, Sandbox

Rows = list[dict[str, Any]]
Change = tuple[object, ...]

HOUR, DAY = 3600 * 10**9, 86_400 * 10**9
FROM, UNTIL = at("2024-03-04"), at("2024-03-06")
RANGE: Query = {"from": "2024-03-04", "until": "2024-03-06"}
# All of them are known so long after the last deal.
LONGEST = dt.timedelta(days=4)
END = UNTIL + 4 * DAY
CONTRACTS: Mapping[str, Mapping[str, Value]] = {
    f"{MARKET}*#Single#{SEQUENCE}#{APRIL_2024}#0": MONTH,
    f"{INSTRUMENT}#Single#{SEQUENCE}#{MAY_2024}#0": {
        "instrumentId": INSTRUMENT,
        "sequenceId": SEQUENCE,
        "sequenceItemId": MAY_2024,
        "contractType": "SinglePeriod",
    },
    f"{MARKET}*#Spread#{SEQUENCE}#{APRIL_2024}#{MAY_2024}": {
        **MONTH,
        "secondSequenceItemId": MAY_2024,
        "contractType": "Spread",
    },
}
APRIL = next(iter(CONTRACTS))


class Moved(Asker):
    """Asks a sandbox with corrections, whose clock is set."""

    def __init__(self, corrections: Corrections) -> None:
        self.now = END
        sandbox = Sandbox(limits=False, corrections=corrections, clock=lambda: self.now)
        super().__init__(sandbox)

    def trades(self, now: int, query: Mapping[str, Value] = MONTH, **more: Value) -> Rows:
        self.now = now
        return self.rows("/trades", {**query, **RANGE}, **more)

    def changes(self, since: int, now: int, *contracts: str) -> pl.DataFrame:
        return self.sandbox.corrections_of(
            *contracts, from_=FROM, until=UNTIL, since=since, now=now
        )


MANY = Corrections(late=0.1, altered=0.2, deleted=0.1, until=LONGEST)
moved = Moved(MANY)
plain = Asker()
times = st.one_of(st.integers(UNTIL, END), st.just(UNTIL), st.just(END))


def by_id(rows: Rows) -> dict[tuple[str, str], tuple[float, float]]:
    found = {(row["venueCode"], row["tradeId"]): (row["price"], row["quantity"]) for row in rows}
    assert len(found) == len(rows)
    return found


def difference(before: Rows, after: Rows) -> set[Change]:
    """What two downloads differ by, found without the help of the sandbox."""
    old, new, none = by_id(before), by_id(after), (None, None)
    return {
        (
            *key,
            "added" if key not in old else "deleted" if key not in new else "altered",
            *old.get(key, none),
            *new.get(key, none),
        )
        for key in old.keys() | new.keys()
        if old.get(key) != new.get(key)
    }


def listed(changes: pl.DataFrame) -> set[Change]:
    columns = ["venue_code", "trade_id", "kind"]
    columns += ["price_before", "quantity_before", "price_after", "quantity_after"]
    return set(changes.select(columns).iter_rows())


@settings(max_examples=examples(60))
@given(clock=st.tuples(times, times).map(sorted), symbol=st.sampled_from(sorted(CONTRACTS)))
def test_the_corrections_between_two_times_are_what_downloads_at_both_differ_by(
    clock: list[int], symbol: str
) -> None:
    since, now = clock
    before, after = (moved.trades(time, CONTRACTS[symbol]) for time in clock)
    changes = moved.changes(since, now, symbol)
    assert listed(changes) == difference(before, after)
    assert changes["at"].is_between(since, now, closed="right").all()


def test_at_the_end_all_is_as_without_corrections_less_the_deleted_trades() -> None:
    truth, final = plain.rows("/trades", {**MONTH, **RANGE}), moved.trades(END)
    changes = moved.changes(0, END, APRIL)
    deleted = set(changes.filter(kind="deleted").select("venue_code", "trade_id").iter_rows())
    assert final == [row for row in truth if (row["venueCode"], row["tradeId"]) not in deleted]
    shares = {kind: rows / len(truth) for kind, rows in changes.group_by("kind").len().rows()}
    assert shares == pytest.approx({"added": 0.1, "altered": 0.2, "deleted": 0.1}, rel=0.2)
    assert changes.equals(moved.changes(0, END + 100 * DAY, APRIL))
    before = changes.drop_nulls("price_before")["price_before"].to_list()
    assert before == [round(price * 200) / 200 for price in before]
    delays = changes["at"] - changes["deal_date"]
    assert delays.is_between(HOUR, 4 * DAY).all()
    assert (delays.min(), delays.max()) == pytest.approx((HOUR, 4 * DAY), abs=6 * HOUR)


def test_the_union_over_time_is_the_truth_and_every_trade_changes_once() -> None:
    truth = by_id(plain.rows("/trades", {**MONTH, **RANGE}))
    states = [by_id(moved.trades(time)) for time in range(UNTIL, END + 1, 12 * HOUR)]
    gone = moved.changes(0, UNTIL, APRIL).filter(kind="deleted")
    seen = set[tuple[str, str]](gone.select("venue_code", "trade_id").iter_rows()).union(*states)
    assert seen == truth.keys()
    changes = moved.changes(0, END, APRIL)
    assert not changes.select("venue_code", "trade_id").is_duplicated().any()
    parts = [moved.changes(time, time + DAY, APRIL) for time in range(FROM, END, DAY)]
    assert pl.concat(parts).equals(changes)


@pytest.mark.parametrize("path", MINIMAL)
def test_no_corrections_leave_every_byte_as_it_is(path: str) -> None:
    none = Asker(
        Sandbox(
            limits=False,
            clock=plain.sandbox.clock,
            corrections=Corrections(late=0, altered=0, deleted=0),
        )
    )
    expected = plain.analytics(path, MINIMAL[path]).content
    assert none.analytics(path, MINIMAL[path]).content == expected
    assert len(expected) > 100 or path == "/trades/last"
    few = Sandbox(corrections=None)
    assert few.corrections_of(APRIL, from_=FROM, until=UNTIL, since=0, now=END).is_empty()


@settings(max_examples=examples(30))
@given(now=times)
def test_candles_and_last_trades_agree_with_the_trades_of_the_moment(now: int) -> None:
    instrument: Query = {**MONTH, "instrumentId": INSTRUMENT}
    del instrument["marketId"]
    trades = moved.trades(now, instrument)
    bars = moved.rows(
        "/trades/ohlcv",
        {**instrument, **RANGE, "interval": 1, "intervalUnit": "day"},
        optionalFields="vwap",
    )
    assert len(bars) > 1
    for bar in bars:
        inside = [t for t in trades if bar["fromTimestamp"] <= t["dealDate"] < bar["toTimestamp"]]
        prices = [trade["price"] for trade in inside]
        assert (bar["open"], bar["high"]) == (prices[0], max(prices))
        assert (bar["low"], bar["close"]) == (min(prices), prices[-1])
        volume = sum(trade["quantity"] for trade in inside)
        assert bar["volume"] == pytest.approx(volume)
        turnover = sum(trade["quantity"] * trade["price"] for trade in inside)
        assert bar["vwap"] == pytest.approx(turnover / volume)
    (last,) = moved.rows("/trades/last", {**instrument, "at": "2024-03-06"})
    assert (last["dealDate"], last["price"]) == (trades[-1]["dealDate"], trades[-1]["price"])
    snapshot = moved.analytics("/snapshots", {**instrument, "at": "2024-03-06"}).json()[
        "snapshots"
    ][0]
    assert snapshot["lastTrade"] == last


def test_activity_counts_the_trades_of_the_moment_and_their_corrections() -> None:
    symbol, query = list(CONTRACTS.items())[1]
    counts: list[tuple[int, ...]] = []
    for asker in (plain, moved):
        moved.now = UNTIL + 2 * DAY
        fields = {"optionalFields": "updateCount,deleteCount"}
        rows = asker.rows("/trades/activity", {**RANGE, **fields})
        (row,) = (r for r in rows if query == {name: r[name] for name in query})
        counts.append((row["count"], row["updateCount"], row["deleteCount"]))
    (_, usual_updates, usual_deletes), (count, updates, deletes) = counts
    assert count == len(moved.trades(moved.now, query))
    kinds = moved.changes(0, moved.now, symbol)["kind"].to_list()
    assert 0 < kinds.count("altered") <= updates <= usual_updates + kinds.count("altered")
    assert 0 < kinds.count("deleted") <= deletes <= usual_deletes + kinds.count("deleted")


def test_private_trades_have_the_same_corrections_and_say_when_they_were_updated() -> None:
    always = Moved(Corrections(late=0.5, altered=0.5, deleted=0, until=LONGEST))
    middle = UNTIL + DAY
    query: Query = {**MONTH, "sequenceItemId": MAY_2024, **RANGE}
    symbol = f"{MARKET}*#Single#{SEQUENCE}#{MAY_2024}#0"
    found: dict[int, Rows] = {}
    for always.now in (UNTIL, middle, END):
        found[always.now] = always.rows("/trades/private", query)
    known_at = {
        row["trade_id"]: row["at"] for row in always.changes(0, END, symbol).iter_rows(named=True)
    }
    assert len(found[UNTIL]) < len(found[END])
    truth = plain.rows("/trades/private", query)
    ids = [row["tradeId"].replace(" Private", " Public") for row in truth]
    updated = [max(row["lastUpdated"], known_at[n]) for n, row in zip(ids, truth, strict=True)]
    assert found[END] == [
        {**row, "lastUpdated": time} for row, time in zip(truth, updated, strict=True)
    ]
    for row in found[middle]:
        known = known_at[row["tradeId"].replace(" Private", " Public")] <= middle
        assert known == (row in found[END])


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"late": -0.1}, ["late", "-0.1"]),
        ({"altered": 1.1}, ["altered", "1.1"]),
        ({"late": 0.5, "deleted": 0.6}, ["1.11", "'deleted'"]),
        ({"after": dt.timedelta(-1)}, ["'after'", "-1 day"]),
        ({"until": dt.timedelta(minutes=1)}, ["'until'", "0:01:00"]),
    ],
)
def test_impossible_corrections_are_refused(given: dict[str, Any], names: list[str]) -> None:
    with pytest.raises(ValueError, match=names[0]) as error:
        Corrections(**given)
    assert all(name in str(error.value) for name in names)


@pytest.mark.parametrize(
    "symbol",
    [
        "TTF Apr-24",
        "1*#Single#10000305#244#0",
        "10000065*#Single#10000305#244#245",
        "10000065*#Spread#10000305#244#0",
        "10000065*#Single#10000305#9999#0",
    ],
)
def test_corrections_of_an_unknown_contract_are_refused(symbol: str) -> None:
    with pytest.raises(ValueError, match=symbol[:3]):
        moved.changes(0, END, symbol)
