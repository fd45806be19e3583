"""Splitting costs little more than the fewest requests there are, and loses and doubles nothing.

A service that is only a rule decides what it finishes: no network, and no rows. The last tests send
real requests.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, cast
from urllib.parse import parse_qs

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests import virtual_time
from tests.drawn import examples
from tests.faults.test_chaos import client_of
from tests.http.peers import encoded, peer
from tests.service import CONTRACTS
from trayport_sdk import (
    ContractSpec,
    TrayportAPIError,
    TrayportClient,
    TrayportRateLimitError,
    TrayportServerError,
)
from trayport_sdk.bulk import splitting
from trayport_sdk.bulk.reading import FetchedQuery
from trayport_sdk.bulk.result import FailedQuery, Outcome
from trayport_sdk.bulk.splitting import Splitter
from trayport_sdk.query.plan import QueryPlan
from trayport_sdk.query.planner import by_contracts, by_time, plan
from trayport_sdk.query.times import DAY, SECOND, Window, instant
from trayport_sdk.sandbox import Fault, Sandbox

START = instant("2024-01-01", "from_")
HOUR = 3600 * SECOND
TIMES, MORE = 2, 40
"""At most so many times the fewest requests, and so many more: as docs/bulk.md says."""

Verdict = Callable[[QueryPlan], int | None]
"""The status of the failure of a request, or None when it comes."""


def contracts(count: int) -> tuple[ContractSpec, ...]:
    return tuple(
        ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=item)
        for item in range(1, count + 1)
    )


def days(first: float, last: float) -> Window:
    return Window(START + round(first * DAY), START + round(last * DAY))


def planned(count: int, length: float = 32.0, endpoint: str = "trades") -> list[QueryPlan]:
    return plan(QueryPlan(endpoint=endpoint, contracts=contracts(count), window=days(0, length)))


def size_of(query: QueryPlan) -> tuple[int, int]:
    assert query.window is not None
    return len(query.contracts), query.window.end - query.window.start


class Service:
    """Stands for a run: finishes what the rule lets through, and counts the requests it gets.

    Attributes:
        requests: Every request that came, with its outcome.
        planned: Requests that the run plans.
    """

    def __init__(self, verdict: Verdict, retries: int = 0, concurrency: int = 6) -> None:
        self._verdict = verdict
        self._retries = retries
        self._slots = asyncio.Semaphore(concurrency)
        self.requests: list[tuple[QueryPlan, int | None]] = []
        self.responses = 0
        self.planned = 0

    async def send(self, query: QueryPlan, *, once: bool = False, keep: bool = True) -> Outcome:
        async with self._slots:
            for _ in range(1 if once else 1 + self._retries):
                await asyncio.sleep(0)
                status = self._verdict(query)
                self.requests.append((query, status))
                if status is None:
                    self.responses += 1
                    return FetchedQuery(query, cast("Any", None), cast("Any", None))
                failed = FailedQuery(query, ERRORS[status])
                if status < 500:
                    break
            return failed

    async def rest(self, responses: int) -> bool:
        return False

    def plan_more(self, requests: int) -> None:
        self.planned += requests

    def fail(self, failed: FailedQuery) -> None:
        pass


ERRORS = {
    status: kind(f"{status}", status_code=status, body="")
    for status, kind in (
        (404, TrayportAPIError),
        (429, TrayportRateLimitError),
        (503, TrayportServerError),
    )
}


def run(
    plans: Sequence[QueryPlan], verdict: Verdict, **service: int
) -> tuple[Service, list[FailedQuery]]:
    """What a run costs, and what fails; all of the rest came, and nothing twice."""

    async def fetched() -> list[Outcome]:
        splitter = Splitter(sender)
        parts = await asyncio.gather(*map(splitter.fetched, plans))
        return [outcome for some in parts for outcome in some]

    sender = Service(verdict, **service)
    outcomes = asyncio.run(asyncio.wait_for(fetched(), 60))
    assert windows_of(outcome.query for outcome in outcomes) == windows_of(plans)
    assert sender.planned + len(plans) == len(outcomes)
    return sender, [outcome for outcome in outcomes if isinstance(outcome, FailedQuery)]


def windows_of(queries: Iterable[QueryPlan]) -> dict[ContractSpec, list[Window]]:
    """What queries cover of each contract, where they meet without a gap and do not overlap."""
    windows: dict[ContractSpec, list[Window]] = defaultdict(list)
    for query in queries:
        assert query.window is not None
        for contract in query.contracts:
            windows[contract].append(query.window)
    for some in windows.values():
        some.sort()
        assert all(one.end == following.start for one, following in pairwise(some))
        some[:] = [Window(some[0].start, some[-1].end)]
    return windows


def fewest(plans: Sequence[QueryPlan], most: int, longest: int) -> int:
    """The fewest requests of at most so many contracts and so much time."""
    sizes = map(size_of, plans)
    return sum(math.ceil(count / most) * math.ceil(length / longest) for count, length in sizes)


def limit(most: int, longest: int) -> Verdict:
    def verdict(query: QueryPlan) -> int | None:
        count, length = size_of(query)
        return 503 if count > most or length > longest else None

    return verdict


# --- Limits that are everywhere the same

lengths = st.one_of(
    st.integers(1, 32).map(lambda count: count * DAY),
    st.integers(2, 32 * 24).map(lambda count: count * HOUR),
    st.integers(9, 24 * 60).map(lambda count: count * 60 * SECOND + 7 * SECOND),
)


@given(st.integers(1, 50), st.integers(1, 32), st.integers(1, 50), lengths)
def test_limits_of_contracts_and_time_cost_little_more_than_the_fewest_requests(
    count: int, length: int, most: int, longest: int
) -> None:
    plans = planned(count, length)
    best = fewest(plans, most, longest)
    assume(best <= 500)  # more would only be slower
    service, failed = run(plans, limit(most, longest))
    assert not failed
    assert len(service.requests) <= TIMES * best + MORE
    assert len(service.requests) == 1 or best > 1


@given(st.integers(1, 50), st.integers(1, 32), st.integers(2, 300), st.integers(0, 3))
def test_a_limit_of_contracts_times_days_costs_little_more_than_the_fewest_requests(
    count: int, length: int, parts: int, seed: int
) -> None:
    plans = planned(count, length)
    largest = count * length * DAY // parts * (1 - seed / 10)

    def verdict(query: QueryPlan) -> int | None:
        contracts, time = size_of(query)
        return 503 if contracts * time > largest else None

    service, failed = run(plans, verdict)
    assert not failed
    assert len(service.requests) <= TIMES * math.ceil(count * length * DAY / largest) + MORE


@pytest.mark.parametrize("retries", [0, 4])
@pytest.mark.parametrize(("most", "longest"), [(7, 5 * DAY), (50, DAY), (2, 31 * DAY), (11, DAY)])
def test_a_long_plan_learns_once_and_sends_nothing_that_is_known_to_be_too_large(
    most: int, longest: int, retries: int
) -> None:
    plans = planned(120, 365)
    service, failed = run(plans, limit(most, longest), retries=retries, concurrency=6)
    assert not failed
    best = fewest(plans, most, longest)
    at_once = len(plans)  # all of them fail before the first one has taught anything
    assert len(service.requests) <= 1.5 * best + MORE + at_once * (1 + retries)
    too_large = [query for query, status in service.requests if status is not None]
    # The rest was larger than what worked, to see whether it works by now.
    assert len(too_large) <= at_once * (1 + retries) + MORE


def test_what_other_queries_learned_is_used_from_the_first_request_on() -> None:
    first, *others = planned(50, 320)
    verdict = limit(7, 5 * DAY)

    async def main() -> tuple[int, list[tuple[QueryPlan, int | None]]]:
        service = Service(verdict)
        splitter = Splitter(service)
        await splitter.fetched(first)
        before = len(service.requests)
        await asyncio.gather(*map(splitter.fetched, others))
        return before, service.requests[before:]

    before, requests = asyncio.run(main())
    assert before <= TIMES * fewest([first], 7, 5 * DAY) + MORE
    assert len(requests) <= 1.3 * fewest(others, 7, 5 * DAY)


# --- Rows


@given(st.integers(1, 50), st.integers(1, 32), st.integers(1, 40), st.floats(0, 2.5), st.integers())
def test_a_limit_of_rows_that_are_not_spread_evenly(
    count: int, length: int, parts: int, spread: float, seed: int
) -> None:
    """Some contracts and some days have very many rows; the reference knows where they are."""
    chance = random.Random(seed)
    by_contract = [chance.lognormvariate(0, spread) for _ in range(count)]
    by_day = [chance.lognormvariate(0, spread) for _ in range(length)]
    until = [sum(by_day[:day]) for day in range(length + 1)]

    def before(moment: int) -> float:
        day, rest = divmod(moment - START, DAY)
        return until[day] + (by_day[day] * rest / DAY if rest else 0.0)

    def rows(query: QueryPlan) -> float:
        assert query.window is not None
        time = before(query.window.end) - before(query.window.start)
        return time * sum(by_contract[one.sequence_item_id - 1] for one in query.contracts)

    def halved(query: QueryPlan) -> int:
        """The requests that somebody needs who knows all rows, and halves as evenly as can be."""
        if rows(query) <= most:
            return 1
        ways = [halves for halves in (by_contracts(query), by_time(query)) if halves]
        first, second = min(ways, key=lambda two: abs(rows(two[0]) - rows(two[1])))
        return halved(first) + halved(second)

    plans = planned(count, length)
    most = rows(plans[0]) / parts
    service, failed = run(plans, lambda query: 503 if rows(query) > most else None)
    assert not failed
    assert len(service.requests) <= 4 * halved(plans[0]) + 60


# --- What is wrong in one place

places = st.tuples(st.integers(0, 49), st.integers(0, 32 * 86_400 - 1), st.integers(1, 86_400))


@given(places, st.sampled_from(["contract", "time", "both"]), st.booleans())
def test_one_bad_contract_or_time_costs_itself_and_nothing_else(
    place: tuple[int, int, int], what: str, midnight: bool
) -> None:
    item, second, seconds = place
    if midnight:
        second, seconds = second // 86_400 * 86_400, 86_400
    end = min(START + (second + seconds) * SECOND, START + 32 * DAY)
    bad = Window(START + second * SECOND, end)

    def verdict(query: QueryPlan) -> int | None:
        assert query.window is not None
        touched = query.window.start < bad.end and query.window.end > bad.start
        has_item = any(one.sequence_item_id == item + 1 for one in query.contracts)
        fails = {"contract": has_item, "time": touched, "both": touched and has_item}[what]
        return 503 if fails else None

    plans = planned(50)
    service, (failed,) = run(plans, verdict)
    assert failed.contracts == (plans[0].contracts if what == "time" else (contracts(50)[item],))
    assert failed.window == (plans[0].window if what == "contract" else bad)
    # The ends of a bad time are found to the second.
    assert len(service.requests) <= (20 if what == "contract" else 360)


@settings(max_examples=examples(20))
@given(places, st.integers(2, 50), st.integers(1, 32))
def test_a_bad_time_is_searched_once_also_where_requests_must_be_small(
    place: tuple[int, int, int], most: int, longest: int
) -> None:
    _, second, seconds = place
    end = min(START + (second + seconds) * SECOND, START + 32 * DAY)
    bad = Window(START + second * SECOND, end)
    too_large = limit(most, longest * DAY)

    def verdict(query: QueryPlan) -> int | None:
        assert query.window is not None
        touched = query.window.start < bad.end and query.window.end > bad.start
        return 503 if touched else too_large(query)

    plans = planned(50)
    service, failed = run(plans, verdict)
    lost = windows_of(one.query for one in failed)
    assert lost == {contract: [bad] for contract in contracts(50)}
    best = fewest(plans, most, longest * DAY)
    groups = math.ceil(50 / most)
    assert len(service.requests) <= TIMES * best + MORE + 400 + 20 * groups


def test_contracts_of_their_own_requests_learn_a_bad_time_from_each_other() -> None:
    plans = [one for contract in contracts(50) for one in plan(of_one(contract))]
    bad = days(10.125, 10.25)

    def verdict(query: QueryPlan) -> int | None:
        assert query.window is not None
        return 503 if query.window.start < bad.end and query.window.end > bad.start else None

    service, failed = run(plans, verdict)
    assert [one.window for one in failed] == [bad] * 50
    assert len(service.requests) <= 320 + 10 * len(plans)


def of_one(contract: ContractSpec) -> QueryPlan:
    return QueryPlan(endpoint="trades", contracts=(contract,), window=days(0, 32))


@given(st.sets(st.integers(0, 49), max_size=3), st.sampled_from([404, 503]))
@example({2, 3, 26}, 503)
def test_bad_contracts_cost_nobody_else(bad: set[int], status: int) -> None:
    def verdict(query: QueryPlan) -> int | None:
        return status if any(one.sequence_item_id - 1 in bad for one in query.contracts) else None

    service, failed = run(planned(50), verdict)
    assert {contract for one in failed for contract in one.contracts} == {
        contracts(50)[item] for item in bad
    }
    levels = 6  # 50 contracts are halved so often
    each = 2 * levels if status == 404 else 2 * levels + 30
    assert len(service.requests) <= 1 + each * len(bad)


@pytest.mark.parametrize("status", [404, 503])
def test_a_contract_that_failed_alone_spoils_no_other_batch(status: int) -> None:
    plans = planned(50, 365)
    bad = contracts(50)[20]
    service, failed = run(plans, lambda query: status if bad in query.contracts else None)
    assert {one.contracts for one in failed} == {(bad,)}
    assert len(failed) == len(plans)
    # The batch, the others and the bad one, and whether parts of that come; once it is searched.
    assert len(service.requests) <= (3 if status == 404 else 10) * len(plans) + 12


@settings(max_examples=examples(20))
@given(st.integers(0, 49), st.integers(1, 20), st.integers(1, 31))
def test_a_bad_contract_where_size_is_limited_too(item: int, most: int, longest: int) -> None:
    bad, limited = contracts(50)[item], limit(most, longest * DAY)
    plans = planned(50)
    service, failed = run(plans, lambda q: 503 if bad in q.contracts else limited(q))
    assert {one.contracts for one in failed} == {(bad,)}
    assert windows_of(one.query for one in failed) == {bad: [days(0, 32)]}
    assert len(service.requests) <= 4 * fewest(plans, most, longest * DAY) + 4 * MORE


# --- Other reasons than size


@pytest.mark.parametrize("retries", [0, 4])
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("after", [0, 1, 5, 12, 30, 300])
@pytest.mark.parametrize(("most", "longest"), [(50, 32 * DAY), (7, 5 * DAY), (50, HOUR)])
def test_a_service_that_stops_costs_few_requests_and_what_came_stays(
    most: int, longest: int, after: int, status: int, retries: int
) -> None:
    came = 0

    def verdict(query: QueryPlan) -> int | None:
        nonlocal came
        if came >= after:
            return status
        answer = limited(query)
        came += answer is None
        return answer

    limited = limit(most, longest)
    plans = planned(50, 320)
    service, failed = run(plans, verdict, retries=retries)
    assert {str(one.error) for one in failed} <= {"503", f"{status}"}
    since = [query for query, _ in service.requests]
    places = [place for place, (_, one) in enumerate(service.requests) if one is None]
    more = len(since) - (places[-1] + 1 if places else 0)
    assert more <= (2 * (1 + retries) + 10) * len(plans) + 24
    assert len(failed) <= 3 * len(plans)
    if not after:
        assert {one.query for one in failed} == set(plans)


def test_a_query_that_fails_as_a_whole_is_one_failure_after_few_requests() -> None:
    plans = planned(50)
    service, (failed,) = run(plans, lambda _: 503)
    assert failed.query == plans[0]
    assert len(service.requests) == 7  # itself, its halves, and the ends of these


# --- Failures that pass


@settings(max_examples=examples(20))
@given(st.integers(), st.integers(1, 50), st.integers(1, 32))
def test_failures_that_pass_lose_nothing(seed: int, most: int, longest: int) -> None:
    chance = random.Random(seed)
    limited = limit(most, longest * DAY)
    plans = planned(50)
    service, failed = run(
        plans, lambda query: 503 if chance.random() < 0.2 else limited(query), retries=8
    )
    assert not failed
    assert len(service.requests) <= 4 * fewest(plans, most, longest * DAY) + 5 * MORE


def test_a_request_that_cannot_be_split_is_sent_again_and_one_larger_than_works_is_not() -> None:
    plans = planned(4)
    bad = Window(START + 5 * DAY, START + 5 * DAY + SECOND)

    def verdict(query: QueryPlan) -> int | None:
        assert query.window is not None
        is_bad = query.window.start < bad.end and query.window.end > bad.start
        return 503 if is_bad and contracts(4)[2] in query.contracts else None

    service, (failed,) = run(plans, verdict, retries=3)
    assert (failed.contracts, failed.window) == ((contracts(4)[2],), bad)
    times: dict[QueryPlan, int] = defaultdict(int)
    for query, _ in service.requests:
        times[query] += 1
    assert times.pop(plans[0]) == times.pop(failed.query) == 4
    assert set(times.values()) == {1}


# --- Over a real connection


@pytest.mark.anyio
@pytest.mark.parametrize("how", ["504", "cut"])
async def test_a_server_of_few_contracts_and_days_sends_everything(how: str) -> None:
    most, longest, sent = 9, 3, 0

    def respond(request: bytes) -> bytes:
        nonlocal sent
        sent += 1
        query = parse_qs(request.split()[1].decode().partition("?")[2])
        start, end = (instant(query[name][0], name) for name in ("from", "until"))
        if len(query["sequenceItemId"][0].split(",")) <= most and end - start <= longest * DAY:
            return encoded(b"[]")
        return b"HTTP/1.1 504 -\r\nContent-Length: 0\r\n\r\n" if how == "504" else encoded(b"[{")

    async with peer(respond) as server:
        settings = server.settings(requests_per_second=5000, requests_per_minute=300_000)
        async with TrayportClient(settings=settings) as client:
            found = await client.get_trades_bulk(contracts(40), "2024-01-01", "2024-02-02")
    found.raise_for_failures()
    assert len(found.complete) == 40
    assert sent <= TIMES * fewest(planned(40), most, longest * DAY) + MORE


def test_a_service_that_means_something_else_is_not_asked_for_every_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    most = 16
    monkeypatch.setattr(splitting, "MOST_UNREADABLE", most)

    async def main() -> None:
        sandbox = Sandbox(limits=False)
        sandbox.faults.add(Fault("null", operation_id="get_trades", times=None))
        async with await client_of(sandbox) as client:
            found = await client.get_trades_bulk(CONTRACTS[6:8], "2024-03-04", "2024-03-06")
        assert len(sandbox.requests) < 5 * most
        failed = [failure.query for failure in found.failures]
        came = {contract: table.requests for contract, table in found.results.items()}
        for contract in found.contracts:
            windows = [one.window for one in came.get(contract, ()) if one.window]
            windows += [one.window for one in failed if one.window and contract in one.contracts]
            windows.sort()
            assert windows[0].start == instant("2024-03-04", "from_")
            assert windows[-1].end == instant("2024-03-06", "from_")
            assert all(a.end >= b.start for a, b in pairwise(windows))

    virtual_time.run(main())
