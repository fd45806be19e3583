"""Plans are the fewest requests, and bring everything exactly once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cache
from itertools import combinations, groupby, pairwise, product
from unittest import mock

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from trayport_spec import ENDPOINTS, Endpoint, RangeLimit
from trayport_spec.options import Options

from tests.drawn import examples
from tests.query.test_queries import (
    BARRED,
    NAMES,
    RANGED,
    UNITS,
    few_contracts,
    questions,
)
from trayport_sdk import ContractSpec, ContractType, Interval
from trayport_sdk.query import rules
from trayport_sdk.query.plan import (
    OPERATIONS,
    BulkMarketQuery,
    BulkSequenceItemQuery,
    ParallelContractQuery,
    QueryPlan,
    alone,
)
from trayport_sdk.query.planner import (
    across,
    by_contracts,
    by_time,
    cut,
    ends,
    plan,
    size_of,
    together,
)
from trayport_sdk.query.times import DAY, SECOND, Window, instant, months_after

HOUR = 3600 * SECOND
START = instant("2024-01-01", "from_")
TRADES = ENDPOINTS["get_trades"]
MOST = TRADES.batch.maximum or 1
(LONGEST,) = (limit.max_days * DAY for limit in TRADES.limits.ranges)


def halves(query: QueryPlan) -> tuple[QueryPlan, ...]:
    """Two smaller queries, as far as there are any."""
    return by_contracts(query) or by_time(query)


def months(count: int) -> tuple[ContractSpec, ...]:
    return tuple(
        ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=item)
        for item in range(200, 200 + count)
    )


def table(name: str) -> Endpoint:
    return OPERATIONS[name]


@contextmanager
def limited(
    name: str, *, days: int | None = None, points: int | None = None, batch: int | None = None
) -> Generator[Endpoint]:
    """The table with limits so small that every way to plan can be tried."""
    endpoint = table(name)
    limits, shared = endpoint.limits, endpoint.batch
    if days is not None:
        limits = evolve(limits, ranges=tuple(evolve(r, max_days=days) for r in limits.ranges))
    if points is not None and limits.max_points is not None:
        limits = evolve(limits, max_points=points)
    if batch is not None and shared.maximum is not None:
        shared = evolve(shared, maximum=batch)
    small = evolve(endpoint, limits=limits, batch=shared)
    with mock.patch.dict(OPERATIONS, {name: small}):
        yield small


# --- The fewest, against every way there is


def fewest(cells: int, requests: Sequence[int]) -> int:
    """How many sets it takes at least to cover so many cells; sets are bits of a number."""
    maximal = [r for r in set(requests) if not any(r != o and r | o == o for o in requests)]

    @cache
    def left(uncovered: int) -> int:
        if not uncovered:
            return 0
        first = uncovered & -uncovered
        return 1 + min(left(uncovered & ~r) for r in maximal if r & first)

    return left((1 << cells) - 1)


def may_share(endpoint: Endpoint, contracts: Sequence[ContractSpec]) -> bool:
    """Whether one request can bring the rows of contracts, in words of the documentation."""
    if len(contracts) == 1:
        return True
    if endpoint.batch.by == "items":
        return (
            len(contracts) <= (endpoint.batch.maximum or 1)
            and {c.contract_type for c in contracts} == {ContractType.SINGLE_PERIOD}
            and len({(c.market_id, c.instrument_id, c.sequence_id) for c in contracts}) == 1
        )
    # Rows name the instrument; only a request for one market says which market it was.
    return endpoint.batch.by == "query" and len({c.market_id for c in contracts}) == 1


@given(
    st.sampled_from(NAMES),
    st.lists(few_contracts(), min_size=1, max_size=4, unique=True),
    st.integers(1, 6),
    st.integers(1, 2),
    st.integers(1, 3),
)
def test_no_way_to_share_requests_takes_fewer(
    name: str, contracts: list[ContractSpec], half_days: int, days: int, batch: int
) -> None:
    with limited(name, days=days, batch=batch) as endpoint:
        if endpoint.limits.contract is None:
            contracts = []
        ranged = name in RANGED and name not in BARRED
        length, longest = (half_days, 2 * days) if ranged else (1, 1)
        groups = [
            some
            for size in range(1, len(contracts) + 1)
            for some in combinations(range(len(contracts)), size)
            if may_share(endpoint, [contracts[one] for one in some])
        ]
        requests = [
            sum(1 << (row * length + moment) for row in some for moment in range(start, end))
            for some in groups or [(0,)]
            for start in range(length)
            for end in range(start + 1, min(start + longest, length) + 1)
        ]
        found = plan(
            QueryPlan(
                endpoint=name,
                contracts=tuple(contracts),
                window=Window(START, START + length * DAY // 2) if ranged else None,
            )
        )
        assert len(found) == fewest(max(1, len(contracts)) * length, requests)


def fewest_steps(edges: Sequence[int], possible: Callable[[int, int], bool]) -> int:
    """The fewest windows from the first edge to the last that each are possible."""
    reached = {edges[0]: 0}
    for place, end in enumerate(edges[1:], 1):
        steps = [
            reached[start] + 1
            for start in edges[:place]
            if start in reached and possible(start, end)
        ]
        if steps:
            reached[end] = min(steps)
    return reached[edges[-1]]


@given(
    st.sampled_from([name for name in BARRED if table(name).limits.max_points]),
    st.integers(1, 47),
    st.integers(1, 150),
    st.integers(1, 2),
    st.integers(1, 12),
)
def test_no_cuts_between_points_take_fewer_windows(
    name: str, hours: int, length: int, days: int, points: int
) -> None:
    interval = Interval(hours, "hour")
    grid = hours * HOUR
    end = START + length * HOUR
    with limited(name, days=days, points=points) as endpoint:
        found = list(cut(endpoint, Window(START, end), interval))
        if grid > days * DAY:
            assert [window.start for window in found] == list(range(START, end, grid))
            assert all(window.end - window.start <= days * DAY for window in found)
            return

        def possible(start: int, end: int) -> bool:
            few = len(range(start, end, grid)) <= points
            return few and end - start <= days * DAY

        assert len(found) == fewest_steps([*range(START, end, grid), end], possible)


@given(st.sampled_from([1, 7]), st.integers(1, 90), st.integers(7, 30))
def test_no_cuts_between_daily_and_weekly_candles_take_fewer_windows(
    bar: int, length: int, days: int
) -> None:
    with limited("ohlcv", days=days) as endpoint:
        end = START + length * DAY
        found = list(cut(endpoint, Window(START, end), Interval(bar, "day")))
        edges = [*range(START, end, bar * DAY), end]
        assert len(found) == fewest_steps(edges, lambda a, b: b - a <= days * DAY)


@given(st.integers(1990, 2030), st.integers(1, 12), st.integers(1, 60), st.integers(31, 400))
def test_no_cuts_between_months_take_fewer_windows(
    year: int, month: int, length: int, days: int
) -> None:
    edges = [
        instant(date(year + (month - 1 + n) // 12, (month - 1 + n) % 12 + 1, 1), "from_")
        for n in range(length + 1)
    ]
    with limited("ohlcv", days=days) as endpoint:
        found = list(cut(endpoint, Window(edges[0], edges[-1]), Interval(1, "month")))
    assert len(found) == fewest_steps(edges, lambda a, b: b - a <= days * DAY)
    assert {window.start for window in found} <= set(edges)


def test_a_lifetime_of_monthly_candles_takes_no_window_too_many() -> None:
    (days,) = (r.max_days for r in table("ohlcv").limits.ranges if "month" in r.units)
    edges = [months_after(instant("1970", "from_"), count) for count in range(90 * 12 + 1)]
    found = list(cut(table("ohlcv"), Window(edges[0], edges[-1]), Interval(1, "month")))
    assert len(found) == fewest_steps(edges, lambda a, b: b - a <= days * DAY)


# --- The fewest, against a bound, where there are too many ways to try


def bound(endpoint: Endpoint, contracts: Sequence[ContractSpec], length: int) -> int:
    """No plan of trades or snapshots has fewer requests.

    Instants that lie the longest range apart are never in one request, so each of them takes the
    requests that its contracts need.
    """
    groups = Counter(
        (c.market_id, c.instrument_id, c.sequence_id)
        for c in contracts
        if c.contract_type is ContractType.SINGLE_PERIOD
    )
    alone = sum(c.contract_type is not ContractType.SINGLE_PERIOD for c in contracts)
    batches = sum(-(-count // (endpoint.batch.maximum or 1)) for count in groups.values())
    ranges = endpoint.limits.ranges
    longest = min((one.max_days * DAY for one in ranges), default=length)
    return (batches + alone) * -(-length // longest)


@settings(max_examples=examples(25))
@given(st.sampled_from(["trades", "snapshots"]), st.integers(), st.integers(1, 3000))
def test_thousands_of_contracts_over_years_reach_the_bound(name: str, seed: int, days: int) -> None:
    chance = random.Random(seed)
    contracts = {
        ContractSpec(
            market_id=chance.randint(1, 3),
            sequence_id=chance.randint(1, 4),
            sequence_item_id=chance.randint(1, 400),
            second_sequence_item_id=None if single else 7,
            contract_type=ContractType.SINGLE_PERIOD if single else ContractType.SPREAD,
        )
        for single in chance.choices([True, False], [9, 1], k=3000)
    }
    window = Window(START, START + days * DAY) if name in RANGED else None
    found = plan(QueryPlan(endpoint=name, contracts=tuple(contracts), window=window))
    assert len(found) == bound(table(name), tuple(contracts), days * DAY)


@given(st.sampled_from(BARRED), st.integers(1, 5000), st.integers(1, 500))
def test_candles_and_books_of_hours_reach_the_bound_for_every_contract(
    name: str, days: int, count: int
) -> None:
    interval = Interval(1, "hour")
    limits = table(name).limits
    longest = min(r.max_days for r in limits.ranges if not r.units or "hour" in r.units) * DAY
    if limits.max_points is not None:
        longest = min(longest, limits.max_points * HOUR)
    window = Window(START, START + days * DAY)
    assert len(list(cut(table(name), window, interval))) == -(-days * DAY // longest)
    one_day = Window(START, START + DAY)
    query = QueryPlan(endpoint=name, contracts=months(count), window=one_day, interval=interval)
    assert len(plan(query)) == count


def test_fifty_contracts_over_ninety_days_take_three_requests() -> None:
    window = Window(START, START + 90 * DAY)
    query = QueryPlan(endpoint="trades", contracts=months(50), window=window)
    assert len(plan(query)) == 3
    assert len(plan(evolve(query, contracts=months(50) * 2))) == 3


def test_one_more_than_the_maximum_takes_twice_as_many() -> None:
    window = Window(START, START + LONGEST)
    full = QueryPlan(endpoint="trades", contracts=months(MOST), window=window)
    assert len(plan(full)) == 1
    assert len(plan(evolve(full, contracts=months(MOST + 1)))) == 2
    assert len(plan(evolve(full, window=Window(START, START + LONGEST + SECOND)))) == 2


@pytest.mark.parametrize("name", [name for name in BARRED if table(name).limits.max_points])
def test_the_longest_range_is_one_request_even_if_points_do_not_divide_it(name: str) -> None:
    (days,) = (limit.max_days for limit in table(name).limits.ranges)
    seven_hours = Interval(7, "hour")
    assert days * DAY % (7 * HOUR)
    whole = Window(START, START + days * DAY)
    assert list(cut(table(name), whole, seven_hours)) == [whole]
    longer = Window(START, START + days * DAY + SECOND)
    first, second = cut(table(name), longer, seven_hours)
    assert first.end == second.start == START + days * DAY // (7 * HOUR) * 7 * HOUR


def test_a_point_is_asked_for_alone_where_the_next_is_farther_than_the_longest_range() -> None:
    (days,) = (limit.max_days for limit in table("order_book").limits.ranges)
    rare = Interval(24 * days + 1, "hour")
    step = (24 * days + 1) * HOUR
    found = list(cut(table("order_book"), Window(START, START + 2 * step + HOUR), rare))
    assert [window.start for window in found] == [START, START + step, START + 2 * step]
    assert [window.end - window.start for window in found] == [days * DAY, days * DAY, HOUR]


def test_nothing_to_ask_about_takes_no_request_and_everything_takes_one() -> None:
    day = Window(START, START + DAY)
    for name in NAMES:
        found = plan(QueryPlan(endpoint=name, window=day if name in RANGED else None))
        about_contracts = table(name).limits.contract in ("one", "many")
        assert [type(one) for one in found] == ([] if about_contracts else [BulkMarketQuery])


# --- Everything, exactly once, by requests that keep every limit


def longest_range(query: QueryPlan) -> int | None:
    unit = None if query.interval is None else query.interval.unit
    lengths = [
        r.max_days * DAY for r in query.operation.limits.ranges if not r.units or unit in r.units
    ]
    return min(lengths, default=None)


@given(questions())
def test_every_contract_is_asked_about_at_every_instant_exactly_once(query: QueryPlan) -> None:
    found = plan(query)
    asked: dict[ContractSpec | None, list[Window | None]] = {}
    for one in found:
        assert (one.endpoint, one.at, one.interval, one.options) == (
            query.endpoint, query.at, query.interval, query.options,
        )  # fmt: skip
        for contract in one.contracts or [None]:
            asked.setdefault(contract, []).append(one.window)
    assert asked.keys() == set(query.contracts or [None])
    length = None if query.interval is None else query.interval.length
    gaps = (length or 0) > (longest_range(query) or 0)
    for parts in asked.values():
        if query.window is None:
            assert parts == [None]
            continue
        windows = [one for one in parts if one is not None]
        assert windows == sorted(windows)
        assert windows[0].start == query.window.start
        if gaps:
            starts = range(query.window.start, query.window.end, length or 1)
            assert [one.start for one in windows] == list(starts)
        else:
            assert windows[-1].end == query.window.end
            assert all(a.end == b.start for a, b in pairwise(windows))


@given(questions())
def test_every_request_of_a_plan_keeps_every_rule(query: QueryPlan) -> None:
    for one in plan(query):
        rules.check(one.operation, one.arguments())
        assert plan(one) == [one]


@given(questions(BARRED))
def test_windows_begin_on_the_grid_that_begins_with_the_range(query: QueryPlan) -> None:
    assert query.window is not None
    assert query.interval is not None
    start, grid = query.window.start, query.interval.length
    for window in cut(query.operation, query.window, query.interval):
        if grid is None:
            assert window.start == months_after(window.start, 0)
        else:
            assert (window.start - start) % grid == 0


@given(questions(), st.randoms())
def test_neither_order_nor_repetition_changes_the_number_of_requests(
    query: QueryPlan, chance: random.Random
) -> None:
    mixed = [*query.contracts, *chance.choices(query.contracts or [None], k=5)]
    chance.shuffle(mixed)
    again = evolve(query, contracts=tuple(contract for contract in mixed if contract is not None))
    assert len(plan(again)) == len(plan(query))


@given(questions())
def test_bulk_requests_come_first_and_within_a_kind_the_earliest(query: QueryPlan) -> None:
    found = plan(query)
    parallel = [isinstance(one, ParallelContractQuery) for one in found]
    assert parallel == sorted(parallel)
    for _, some in groupby(found, key=lambda one: isinstance(one, ParallelContractQuery)):
        windows = [one.window for one in some if one.window is not None]
        assert windows == sorted(windows)


@given(questions(["private_trades"]))
def test_own_trades_take_a_request_for_all_instruments_and_one_for_each_market(
    query: QueryPlan,
) -> None:
    owners = {contract.market_id for contract in query.contracts} or {0}
    assert query.window is not None
    found = plan(query)
    assert len(found) == len(owners) * len(list(cut(query.operation, query.window)))


INSTRUMENT = ContractSpec(instrument_id=5, sequence_id=2, sequence_item_id=3)
MARKET = ContractSpec(market_id=6, sequence_id=2, sequence_item_id=3)


@pytest.mark.parametrize(
    ("others", "scope"),
    [
        ([evolve(INSTRUMENT, sequence_item_id=4)], {"instrument_id": 5, "sequence_id": 2}),
        ([evolve(INSTRUMENT, sequence_id=7)], {"instrument_id": 5}),
        ([evolve(INSTRUMENT, instrument_id=8)], {"sequence_id": 2}),
        ([evolve(INSTRUMENT, instrument_id=8, sequence_id=7)], {}),
    ],
)
def test_own_trades_are_asked_for_as_narrowly_as_covers_them(
    others: list[ContractSpec], scope: dict[str, int]
) -> None:
    day = Window(START, START + DAY)
    contracts = (INSTRUMENT, *others)
    (found,) = plan(QueryPlan(endpoint="private_trades", contracts=contracts, window=day))
    assert isinstance(found, BulkMarketQuery)
    assert found.scope == scope
    assert found.contracts == contracts
    (alone, whole) = sorted(
        plan(QueryPlan(endpoint="private_trades", contracts=(*contracts, MARKET), window=day)),
        key=lambda one: len(one.contracts),
    )
    assert whole == found
    assert isinstance(alone, ParallelContractQuery)
    assert alone.arguments()["sequence_item_id"] == MARKET.sequence_item_id


# --- Smaller requests for the same


def pieces(query: QueryPlan) -> list[QueryPlan]:
    """The smallest requests that halving comes to, each half of whose steps is checked."""
    parts = by_contracts(query) or by_time(query)
    if not parts:
        return [query]
    first, second = parts
    for part in parts:
        rules.check(part.operation, part.arguments())
    if by_contracts(query):
        assert (*first.contracts, *second.contracts) == query.contracts
        assert 0 <= len(first.contracts) - len(second.contracts) <= 1
        assert first.window == second.window == query.window
    else:
        assert first.contracts == second.contracts == query.contracts
        assert parts == by_time(query)
        windows = [one.window for one in (query, first, second) if one.window is not None]
        whole, left, right = windows
        assert (left.start, right.end) == (whole.start, whole.end)
        assert left.start < left.end == right.start < right.end
    return [piece for part in parts for piece in pieces(part)]


def smallest(query: QueryPlan) -> int:
    """The shortest window that is worth a request, in nanoseconds."""
    if query.interval is None:
        return UNITS[query.operation.limits.resolution]
    return query.interval.length or 31 * DAY


@given(questions(), st.data())
def test_halves_are_the_whole_again_and_end_at_the_smallest(
    query: QueryPlan, data: st.DataObject
) -> None:
    one = data.draw(st.sampled_from(plan(query) or [query]))
    if one.window is not None:  # few enough seconds, minutes or bars to come to the end of it
        end = min(one.window.end, one.window.start + data.draw(st.integers(1, 9)) * smallest(one))
        if one.interval is not None and one.interval.length is None:
            end = one.window.end
        one = evolve(one, window=Window(one.window.start, end))
    found = pieces(one)
    asked = Counter((piece.window, contract) for piece in found for contract in piece.contracts)
    assert all(count == 1 for count in asked.values())
    for piece in found:
        assert len(piece.contracts) <= 1 or isinstance(piece, BulkMarketQuery)
        if piece.window is not None:
            assert piece.window.end - piece.window.start <= smallest(piece)
    if one.window is not None and one.interval is not None and one.interval.length is not None:
        for piece in found:
            assert piece.window is not None
            assert (piece.window.start - one.window.start) % one.interval.length == 0


@given(questions(RANGED))
def test_halves_of_a_range_are_as_long_as_each_other_but_for_the_grid(query: QueryPlan) -> None:
    for one in plan(query)[:1]:
        for part in by_time(one):
            assert one.window is not None
            assert part.window is not None
            rest = (one.window.end - one.window.start) / 2 - (part.window.end - part.window.start)
            assert abs(rest) <= smallest(one)


def test_the_next_tradable_items_are_not_cut_by_time() -> None:
    day = Window(START, START + DAY)
    chosen = Options(trading_items=3)
    query = BulkMarketQuery(
        endpoint="trades", window=day, market_id=1, sequence_id=2, options=chosen
    )
    assert plan(query) == [query]
    assert by_time(query) == by_contracts(query) == ()
    assert len(halves(evolve(query, options=Options()))) == 2


def test_a_batch_is_halved_to_one_more_or_as_many() -> None:
    week = Window(START, START + 7 * DAY)
    (seven,) = plan(QueryPlan(endpoint="trades", contracts=months(7), window=week))
    assert [half.contracts for half in halves(seven)] == [months(7)[:4], months(7)[4:]]
    assert len(pieces(evolve(seven, window=Window(START, START + 3 * SECOND)))) == 21


def test_a_batch_of_two_becomes_two_contracts_alone() -> None:
    (pair,) = plan(
        QueryPlan(endpoint="snapshots", contracts=months(2), at=START, options=Options())
    )
    assert isinstance(pair, BulkSequenceItemQuery)
    assert [type(half) for half in halves(pair)] == [ParallelContractQuery] * 2
    assert [halves(half) for half in halves(pair)] == [(), ()]


@pytest.mark.parametrize("short", [0, 1, 3599])
@pytest.mark.parametrize(("count", "points"), [*product((1, 2, 3, 5), repeat=2)])
@pytest.mark.parametrize("name", ["trades", "order_book", "ohlcv"])
def test_the_smallest_parts_are_those_at_the_ends_and_beside_a_cut(
    name: str, count: int, points: int, short: int
) -> None:
    interval = {"ohlcv": Interval(1, "month"), "order_book": Interval(1, "hour")}.get(name)
    if name == "ohlcv":
        edges = [months_after(START, month) for month in range(points + 1)]
    else:
        step = SECOND if interval is None else HOUR
        edges = [START + point * step for point in range(points + 1)]
    if name == "order_book":
        edges[-1] -= short * SECOND  # the last point may be nearer than the others
    contracts = months(count if name == "trades" else 1)
    count = len(contracts)
    whole = QueryPlan(
        endpoint=name, contracts=contracts, window=Window(edges[0], edges[-1]), interval=interval
    )
    query = together(whole, contracts)
    assert size_of(query) == (count, points)

    def part(contract: int, point: int) -> QueryPlan:
        window = Window(edges[point], edges[point + 1])
        return alone(evolve(query, window=window), contracts[contract])

    def found(*parts: tuple[int, int]) -> tuple[QueryPlan, ...]:
        return tuple(dict.fromkeys(part(*place) for place in parts))

    for place in (-1, 0, max(count, points)):
        assert by_contracts(query, place) == by_time(query, place) == ()
    assert ends(query) == found((0, 0), (count - 1, points - 1))
    for contract, point in [(0, 0), (count - 1, points - 1)]:
        end = part(contract, point)
        cut = (count + 1) // 2
        places = [0, cut - 1, cut, count - 1] if count > 1 else []
        beside = found(*((place, point) for place in places))
        assert across(query, by_contracts, end) == tuple(one for one in beside if one != end)
        cut = max(1, points // 2)
        places = [0, cut - 1, cut, points - 1] if points > 1 else []
        beside = found(*((contract, place) for place in places))
        assert across(query, by_time, end) == tuple(one for one in beside if one != end)


def test_the_small_limits_of_these_tests_are_in_force() -> None:
    with limited("trades", days=1, batch=2) as endpoint:
        assert endpoint.limits.ranges == (RangeLimit(max_days=1),)
        window = Window(START, START + 2 * DAY)
        assert len(plan(QueryPlan(endpoint="trades", contracts=months(3), window=window))) == 4
