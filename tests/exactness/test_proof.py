"""The real limits cut as exactly as the small ones, and whatever cuts badly is found out."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import evolve
from trayport_spec import Endpoint
from trayport_spec.options import EndpointName

from tests.exactness.questions import (
    EPOCHS,
    QUARTERS,
    TTF,
    TTF_EEX,
    YEARS,
    Question,
    Small,
)
from tests.exactness.world import DAY, HOUR, SECOND, World, at, parts, table
from trayport_sdk import ContractSpec, Interval
from trayport_sdk.bulk.reading import FetchedQuery, Spool, read_response
from trayport_sdk.http.messages import ApiResponse
from trayport_sdk.query.plan import QueryPlan
from trayport_sdk.query.planner import cut
from trayport_sdk.query.times import Window

pytestmark = pytest.mark.filterwarnings("ignore::trayport_sdk.TrayportHistoryWarning")

REAL = Small(0)  # never put in force
EPOCH = EPOCHS[2]
QUARTER = EPOCH.contracts[0]
YEAR = ContractSpec.parse(f"{TTF}*#Single#{YEARS}#25#0")
FIFTY_FIVE = tuple(
    ContractSpec.parse(f"{TTF_EEX}#Single#{QUARTERS}#{item}#0") for item in range(85, 140)
)
readings = pytest.mark.parametrize("inclusive", [False, True], ids=["exclusive", "inclusive"])


def long(
    endpoint: EndpointName,
    from_: str,
    until: str,
    *contracts: ContractSpec,
    interval: str | None = None,
    small: Small = REAL,
) -> Question:
    return Question(
        endpoint=endpoint,
        contracts=contracts,
        start=at(from_),
        end=at(until),
        small=small,
        interval=interval,
    )


LONG = {
    "trades": (long("trades", "2024-01-20", "2024-03-27", QUARTER), 3),
    "fifty-five contracts": (long("trades", "2024-02-20", "2024-03-26", *FIFTY_FIVE), 4),
    "private trades": (long("private_trades", "2024-02-20", "2024-03-26", *EPOCH.own[:2]), 2),
    "hourly candles": (long("ohlcv", "2023-12-20", "2024-05-15", YEAR, interval="1h"), 2),
    "daily candles": (long("ohlcv", "2012-02-20", "2024-02-29", YEAR, interval="1d"), 3),
    "weekly candles": (long("ohlcv", "2018-11-23", "2024-02-28", YEAR, interval="7d"), 2),
    "monthly candles": (long("ohlcv", "2018-11-01", "2024-03-01", YEAR, interval="1mo"), 2),
    "tops": (long("order_book_top", "2024-01-20", "2024-03-26", QUARTER, interval="7h"), 2),
    "seconds": (
        long("order_book_top", "2024-03-03T12:00", "2024-03-04T16:30", QUARTER, interval="1s"),
        2,
    ),
    "books": (long("order_book", "2024-01-20", "2024-06-20", QUARTER, interval="1501h"), 3),
}


@pytest.mark.parametrize("name", LONG)
def test_the_real_limits_cut_exactly(world: World, name: str) -> None:
    """Where `until` is part of a response, so that rows at a cut come twice."""
    question, requests = LONG[name]
    planner = world.clients[True].planner
    plans = planner.plan_multi_contract_query(
        question.contracts, question.endpoint, *question.range, interval=question.interval
    )
    found = world.run(planner.execute_plan(plans))
    found.raise_for_failures()
    whole = question.by_contract(world)
    assert {one: table(rows.to_polars(nested=True)) for one, rows in found.results.items()} == whole
    assert any(whole.values())
    assert len(found.requests) == requests


@readings
def test_counts_over_several_weeks_are_added_up(world: World, inclusive: bool) -> None:
    question = long("activity", "2023-04-10", "2023-04-19")
    found = world.run(world.clients[inclusive].trades.get_activity(*question.range))
    assert table(found.to_polars(nested=True)) == question.whole(world)
    assert len(found.requests) == 2


def on_a_trade(world: World) -> Question:
    """A range that is cut on a trade."""
    times = world.on_seconds("/trades", EPOCH.start, EPOCH.end, **parts(QUARTER))
    traded = times[len(times) // 2]
    return Question(
        endpoint="trades",
        contracts=(QUARTER,),
        start=traded - 2 * HOUR,
        end=traded + HOUR,
        small=Small(1),
    )


def on_a_grid(endpoint: EndpointName, interval: str, days: int) -> Question:
    small = Small(7, day=DAY) if endpoint == "ohlcv" else Small(2)
    question = long(endpoint, "2024-02-26", "2024-03-10", YEAR, small=small, interval=interval)
    return evolve(question, end=question.start + days * DAY)


def is_exact(world: World, question: Question) -> bool:
    client = world.clients[True]
    group = client.trades if question.endpoint in ("trades", "ohlcv") else client.orders
    call = getattr(group, f"get_{question.endpoint}")
    more = {} if question.interval is None else {"interval": question.interval}
    (contract,) = question.contracts
    with question.small.in_force():
        found = world.run(call(contract, *question.range, **more))
    assert len(found.requests) > 1
    return table(found.to_polars(nested=True)) == question.whole(world, **parts(contract))


def keeping_the_end(response: ApiResponse, query: QueryPlan, **how: Any) -> FetchedQuery:
    window = query.window
    assert window is not None
    longer = evolve(query, window=Window(window.start, window.end + 1))
    return evolve(read_response(response, longer, **how), query=query)


def merging_equals(response: ApiResponse, query: QueryPlan, **how: Any) -> FetchedQuery:
    piece = read_response(response, query, **how)
    rows = Spool()
    rows.add(piece.frame.unique("deal_date", maintain_order=True))
    return evolve(piece, rows=rows)


def cut_by(change: Callable[[Window], Window]) -> Callable[..., Iterator[Window]]:
    def changed(*arguments: Any) -> Iterator[Window]:
        return map(change, cut(*arguments))

    return changed


def cut_off_the_grid(
    endpoint: Endpoint, window: Window, interval: Interval | None = None
) -> Iterator[Window]:
    """Windows as short as days, whatever the bars or points in them."""
    assert endpoint.limits.ranges
    step = DAY if interval and interval.length == 7 * DAY else HOUR
    for start in range(window.start, window.end, step):
        yield Window(start, min(start + step, window.end))


def begin_late(window: Window) -> Window:
    return evolve(window, start=window.start + SECOND)


def end_early(window: Window) -> Window:
    return evolve(window, end=window.end - HOUR // 2)


def overlap(window: Window) -> Window:
    return evolve(window, start=window.start - HOUR // 2)


@pytest.mark.parametrize("change", [begin_late, end_early, overlap])
def test_windows_that_do_not_tile_are_found_out(
    world: World, monkeypatch: pytest.MonkeyPatch, change: Callable[[Window], Window]
) -> None:
    question = on_a_trade(world)
    assert is_exact(world, question)
    monkeypatch.setattr("trayport_sdk.query.planner.cut", cut_by(change))
    assert not is_exact(world, question)


def test_rows_that_are_kept_at_the_ends_of_windows_are_found_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trayport_sdk.bulk.executor.read_response", keeping_the_end)
    assert not is_exact(world, on_a_trade(world))


def test_rows_that_are_merged_are_found_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    question = evolve(on_a_trade(world), start=EPOCH.start, end=EPOCH.end, small=Small(1, day=DAY))
    assert is_exact(world, question)
    monkeypatch.setattr("trayport_sdk.bulk.executor.read_response", merging_equals)
    assert not is_exact(world, question)


@pytest.mark.parametrize(
    "question",
    [on_a_grid("ohlcv", "7d", 13), on_a_grid("order_book_top", "37m", 1)],
    ids=["candles", "books"],
)
def test_windows_cut_off_the_grid_are_found_out(
    world: World, monkeypatch: pytest.MonkeyPatch, question: Question
) -> None:
    assert is_exact(world, question)
    monkeypatch.setattr("trayport_sdk.query.planner.cut", cut_off_the_grid)
    assert not is_exact(world, question)
