"""Plans that are run: a few requests at once, what is too large in parts, all failures reported.

The sandbox responds, behind something that fails where a test says so, on virtual time.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.service import (
    CONTRACTS,
    Frames,
    Reported,
    Request,
    Service,
    Verdict,
    check_letters,
    frames,
    same,
    session,
)
from tests.virtual_time import clock
from trayport_sdk import (
    BulkTradesResponse,
    ContractSpec,
    TrayportAuthenticationError,
    TrayportCircuitBreakerError,
    TrayportClient,
    TrayportConnectionError,
    TrayportNotFoundError,
    TrayportServerError,
)
from trayport_sdk.query.plan import BulkSequenceItemQuery, ParallelContractQuery
from trayport_sdk.query.times import SECOND, Window, instant

TWELVE = CONTRACTS[:12]  # they trade in March 2024, the others do not
QUIET = TWELVE[-2:]
TWO_DAYS = ("2024-03-04", "2024-03-06")
MONTHS = ("2023-10-15", "2024-03-06")  # five windows


async def bulk(
    client: TrayportClient, contracts: Any, from_: str, until: str
) -> BulkTradesResponse:
    """Many trades; progress and dead letters always agree with the result."""
    reported = Reported()
    found = await client.get_trades_bulk(contracts, from_, until, on_progress=reported.append)
    reported.check(found)
    if client.settings.dead_letter_file is not None:
        check_letters(client.settings.dead_letter_file, found)
    return found


def plain(contracts: Any, from_: str, until: str) -> Frames:
    """What comes when nothing fails."""

    async def test(client: TrayportClient) -> Frames:
        return frames(await client.get_trades_bulk(contracts, from_, until))

    return session(Service(), test)


@pytest.mark.parametrize("concurrency", [1, 4, 6])
def test_no_more_requests_are_under_way_than_the_setting_says(concurrency: int) -> None:
    service = Service(lambda _: 1.0)

    async def test(client: TrayportClient) -> None:
        started = clock()
        await bulk(client, QUIET, "2023-01-01", "2024-01-01")
        assert len(service.requests) == 12
        assert clock() - started == pytest.approx(12 / concurrency)

    session(service, test, max_concurrency=concurrency)
    assert service.most_under_way == concurrency


@pytest.mark.parametrize("held", [1, 5, None])
def test_while_the_consumer_works_the_next_answers_are_fetched_and_no_more(
    held: int | None,
) -> None:
    service = Service(lambda _: 1.0)

    async def test(client: TrayportClient) -> None:
        windows: list[Window | None] = []
        stream = client.stream_trades(QUIET[0], "2023-03-01", "2024-03-01", max_responses=held)
        async for batch in stream:
            await asyncio.sleep(1000)
            (request,) = batch.requests
            windows.append(request.window)
            place = len({sent.start for sent in service.requests if _ends(sent, request.window)})
            assert len(service.requests) == min(
                12, place + (held or client.settings.max_concurrency)
            )
            assert service.under_way == 0
        assert windows == sorted(windows, key=lambda window: window or Window(0, 0))

    session(service, test)


def _ends(request: Request, window: Window | None) -> bool:
    return window is not None and request.end <= window.end


def slow_at_first(request: Request) -> Verdict:
    return 100.0 if request.covers(instant(MONTHS[0], "from_")) else 1.0


@pytest.mark.parametrize("in_order", [False, True])
def test_results_come_as_they_arrive_or_in_the_order_of_the_plan(in_order: bool) -> None:
    async def test(client: TrayportClient) -> None:
        plans = client.planner.plan_multi_contract_query(QUIET, "trades", *MONTHS)
        run = client._runner.run(plans)
        started = clock()
        async with aclosing(run.outcomes(in_order=in_order)) as outcomes:
            came = [(clock() - started, outcome.query) async for outcome in outcomes]
        order = [query for _, query in came]
        assert len(order) == len(plans) == 5
        assert set(order) == set(plans)
        assert order.index(plans[0]) == (0 if in_order else 4)
        assert order == plans or not in_order
        assert [round(when) for when, _ in came] == ([100] * 5 if in_order else [1] * 4 + [100])

    session(Service(slow_at_first), test)


@pytest.mark.parametrize("in_order", [False, True])
def test_a_stream_waits_for_a_slow_answer_only_where_the_order_matters(in_order: bool) -> None:
    async def test(client: TrayportClient) -> None:
        starts: list[int] = []
        async for batch in client.stream_trades(
            CONTRACTS[5], "2023-12-15", "2024-03-06", in_order=in_order
        ):
            (request,) = batch.requests
            assert request.window is not None
            starts.append(request.window.start)
        assert len(starts) == 3
        assert starts.index(min(starts)) == (0 if in_order else 2)
        assert starts == sorted(starts) or not in_order

    def slow_first(request: Request) -> Verdict:
        return 100.0 if request.covers(instant("2023-12-15", "from_")) else 1.0

    session(Service(slow_first), test)


def test_a_stream_stays_in_time_order_when_requests_have_to_be_split() -> None:
    expected = plain(QUIET, *MONTHS)

    async def test(client: TrayportClient) -> None:
        end = dict.fromkeys(QUIET, 0)
        rows = dict.fromkeys(QUIET, 0)
        async for batch in client.stream_trades(QUIET, *MONTHS):
            (request,) = batch.requests
            assert request.window is not None
            assert request.window.start >= end[batch.contract]
            end[batch.contract] = request.window.end
            start = rows[batch.contract]
            rows[batch.contract] += len(batch)
            whole = expected[batch.contract]
            assert batch.to_polars().equals(whole[start : start + len(batch)])
        assert rows == {contract: expected[contract].height for contract in QUIET}

    session(Service(lambda request: 413 if request.days > 3 else None), test)


def too_many_items(request: Request) -> bool:
    return len(request.items) > 7


def too_long(request: Request) -> bool:
    return request.days > 0.3


def too_much(request: Request) -> bool:
    return len(request.items) * request.days > 2


@pytest.mark.parametrize(
    ("fault", "large"),
    [
        *((fault, too_much) for fault in (413, 503, "cut", "broken", "hang")),
        (413, too_many_items),
        (503, too_long),
    ],
)
def test_what_the_service_cannot_finish_comes_in_parts(
    fault: Verdict, large: Any, tmp_path: Path
) -> None:
    file = tmp_path / "letters.jsonl"

    async def test(client: TrayportClient) -> None:
        found = await bulk(client, TWELVE, *TWO_DAYS)
        found.raise_for_failures()
        assert same(frames(found), plain_of_twelve)
        assert not file.exists()

    plain_of_twelve = plain(TWELVE, *TWO_DAYS)
    service = Service(lambda request: fault if large(request) else None)
    session(service, test, dead_letter_file=file)


@pytest.mark.parametrize("fault", [413, 503, "hang"])
def test_a_plan_whose_every_request_is_too_large_is_fetched_with_the_default_settings(
    fault: Verdict,
) -> None:
    window = ("2023-06-01", "2024-03-06")
    expected = plain(QUIET, *window)

    async def test(client: TrayportClient) -> None:
        found = await bulk(client, QUIET, *window)
        found.raise_for_failures()
        assert same(frames(found), expected)

    session(Service(lambda request: fault if request.days > 5 else None), test)


def test_a_table_comes_whole_although_its_request_is_too_large() -> None:
    whole = pl.concat(plain(QUIET, *TWO_DAYS).values())

    async def test(client: TrayportClient) -> None:
        found = await client.trades.get_trades(QUIET, *TWO_DAYS)
        assert sorted(found.to_polars()["trade_id"]) == sorted(whole["trade_id"])
        assert 8 <= len(found.requests) <= 20

    session(Service(lambda request: 503 if request.days > 0.3 else None), test)


@pytest.mark.parametrize(
    ("item", "second", "fault"), [(0, 0, 503), (11, 2 * 86_400 - 1, "cut"), (4, 40_000, 503)]
)
def test_a_row_that_nobody_can_read_costs_its_contract_and_second_and_nothing_else(
    item: int, second: int, fault: Verdict
) -> None:
    contracts = TWELVE
    moment = instant(TWO_DAYS[0], "from_") + second * SECOND
    poison = contracts[item]

    def verdict(request: Request) -> Verdict:
        inside = poison.sequence_item_id in request.items and request.covers(moment)
        return fault if inside else None

    async def test(client: TrayportClient) -> None:
        found = await bulk(client, contracts, *TWO_DAYS)
        (failure,) = found.failures
        assert failure.contracts == (poison,)
        assert failure.window == Window(moment, moment + SECOND)
        others = {c: frame for c, frame in expected.items() if c != poison}
        assert same(frames(found), others)
        (lacking,) = found.incomplete.values()
        times = expected[poison]["deal_date"].cast(int)
        keep = (times < moment) | (times >= moment + SECOND)
        assert lacking.to_polars().equals(expected[poison].filter(keep))

    expected = plain(contracts, *TWO_DAYS)
    session(Service(verdict), test, max_retries=1)


@pytest.mark.parametrize("item", [0, 5, 11])
def test_a_contract_that_always_breaks_stands_alone(item: int) -> None:
    poison = TWELVE[item]

    async def test(client: TrayportClient) -> None:
        found = await bulk(client, TWELVE, *TWO_DAYS)
        (failure,) = found.failures
        assert (failure.contracts, failure.window) == ((poison,), Window.between(*TWO_DAYS))
        assert set(found.complete) == set(TWELVE) - {poison}

    session(Service(lambda r: 503 if poison.sequence_item_id in r.items else None), test)


def test_a_candle_that_nobody_can_make_costs_that_candle() -> None:
    moment = instant("2024-03-05T14:20", "from_")
    bar = Window(moment - 20 * 60 * SECOND, moment + 40 * 60 * SECOND)
    poisoned = CONTRACTS[0].sequence_item_id
    broken = False

    def verdict(request: Request) -> Verdict:
        return 503 if broken and request.covers(moment) and poisoned in request.items else None

    async def test(client: TrayportClient) -> None:
        nonlocal broken
        plans = client.planner.plan_multi_contract_query(
            TWELVE[:3], "ohlcv", "2024-03-04", "2024-03-09", interval="1h"
        )
        whole = await client.planner.execute_plan(plans)
        broken = True
        found = await client.planner.execute_plan(plans)
        assert [(f.contracts, f.window) for f in found.failures] == [((CONTRACTS[0],), bar)]
        expected = whole.complete[CONTRACTS[0]].to_polars()
        time = expected["from_timestamp"].cast(int)
        lacking = found.incomplete[CONTRACTS[0]].to_polars()
        assert lacking.equals(expected.filter(time != bar.start))
        assert lacking.height == expected.height - 1

    session(Service(verdict), test, max_retries=1)


def test_an_outage_is_one_failure_after_few_requests(tmp_path: Path) -> None:
    service = Service(lambda _: 503)

    async def test(client: TrayportClient) -> None:
        started = clock()
        found = await bulk(client, TWELVE, *TWO_DAYS)
        (failure,) = found.failures
        assert isinstance(failure.query, BulkSequenceItemQuery)
        assert failure.contracts == TWELVE
        assert isinstance(failure.error, TrayportServerError)
        assert len(found.complete) == len(found.incomplete) == 0
        # Its halves, and the ends of these, each when the breaker lets a request through.
        assert len(service.requests) <= client.settings.breaker_threshold + 6
        assert clock() - started < 7 * client.settings.breaker_recovery

    session(service, test, dead_letter_file=tmp_path / "letters.jsonl")


@pytest.mark.parametrize("breakers", [True, False])
def test_an_outage_of_a_long_plan_ends_and_fails_as_planned(breakers: bool, tmp_path: Path) -> None:
    service = Service(lambda _: 503)

    async def test(client: TrayportClient) -> None:
        started = clock()
        plans = client.planner.plan_multi_contract_query(TWELVE, "trades", "2022-01-01", MONTHS[1])
        found = await client.planner.execute_plan(plans)
        assert {failure.query for failure in found.failures} == set(plans)
        assert clock() - started < 2 * client.settings.retry_budget
        assert len(service.requests) <= (60 if breakers else 4 * 5 * len(plans))
        check_letters(tmp_path / "letters.jsonl", found)

    session(
        service,
        test,
        dead_letter_file=tmp_path / "letters.jsonl",
        circuit_breakers=breakers,
    )


def test_where_nobody_listens_nothing_is_split() -> None:
    service = Service(lambda _: "unconnected")

    async def test(client: TrayportClient) -> None:
        with pytest.raises(TrayportConnectionError) as failed:
            await client.trades.get_trades(TWELVE, *TWO_DAYS)
        assert not failed.value.connected
        assert len(service.requests) == 1 + client.settings.max_retries
        found = await bulk(client, TWELVE, *MONTHS)
        assert len(found.failures) == 5
        assert len(service.requests) == client.settings.breaker_threshold

    session(service, test)


@pytest.mark.parametrize(("bad", "status"), [({0}, 404), ({7, 8, 49}, 400)])
def test_contracts_that_the_service_refuses_cost_nobody_else(bad: set[int], status: int) -> None:
    refused = {CONTRACTS[place] for place in bad}
    items = {contract.sequence_item_id for contract in refused}
    service = Service(lambda request: status if items & {*request.items} else None)

    async def test(client: TrayportClient) -> None:
        found = await bulk(client, CONTRACTS, *TWO_DAYS)
        assert {failure.contracts for failure in found.failures} == {(one,) for one in refused}
        assert [*found.complete] == [one for one in CONTRACTS if one not in refused]

    session(service, test)


@pytest.mark.parametrize("windows", [1, 5])
def test_a_key_that_is_refused_stops_everything_at_once(windows: int) -> None:
    service = Service(lambda _: 401)

    async def test(client: TrayportClient) -> None:
        with pytest.raises(TrayportAuthenticationError):
            await client.get_trades_bulk(QUIET, *(MONTHS if windows == 5 else TWO_DAYS))
        assert len(service.requests) <= client.settings.max_concurrency

    session(service, test, max_concurrency=2)


def test_a_key_that_is_refused_later_costs_what_it_is_refused_for() -> None:
    first = instant(MONTHS[0], "from_")

    def verdict(request: Request) -> Verdict:
        return None if request.covers(first) else 401

    async def test(client: TrayportClient) -> None:
        found = await bulk(client, QUIET, *MONTHS)
        assert len(found.failures) == 4
        assert len(found.requests) == 1

    session(Service(verdict), test, max_concurrency=1)


def away(first: float, last: float, how: Verdict = 503) -> Any:
    """A service that is away for a while, from its second request on."""

    def verdict(_: Request) -> Verdict:
        return how if first <= clock() - 1000.0 < last else 1.0

    return verdict


@pytest.mark.parametrize("how", [503, "unconnected", "cut"])
def test_a_run_that_has_begun_waits_for_a_service_that_is_away(how: Verdict) -> None:
    window = ("2022-11-01", "2024-03-06")
    expected = plain(QUIET, *window)

    async def test(client: TrayportClient) -> None:
        found = await bulk(client, QUIET, *window)
        found.raise_for_failures()
        assert same(frames(found), expected)
        assert clock() > 1000 + 300

    session(Service(away(2.5, 300, how)), test, max_concurrency=2)


@pytest.mark.parametrize("how", [503, "unconnected"])
def test_without_any_answer_for_the_budget_the_rest_is_given_up(how: Verdict) -> None:
    service = Service(away(2.5, 1e9, how))

    async def test(client: TrayportClient) -> None:
        started = clock()
        found = await bulk(client, QUIET, "2022-11-01", "2024-03-06")
        assert len(found.requests) == 6
        assert len(found.failures) == 16 - 6
        assert any(isinstance(one.error, TrayportCircuitBreakerError) for one in found.failures)
        assert clock() - started < 2 * client.settings.retry_budget
        assert len(service.requests) < 60

    session(service, test, max_concurrency=2)


def test_a_run_that_begins_while_the_endpoint_is_left_alone_fails_at_once() -> None:
    service = Service(lambda _: 503)

    async def test(client: TrayportClient) -> None:
        await client.get_trades_bulk(QUIET, *TWO_DAYS)
        sent, started = len(service.requests), clock()
        found = await bulk(client, QUIET, *MONTHS)
        assert len(found.failures) == 5
        assert {type(one.error) for one in found.failures} == {TrayportCircuitBreakerError}
        assert len(service.requests) == sent
        assert clock() == started

    session(service, test, breaker_threshold=1)


def test_an_error_of_the_callback_ends_everything() -> None:
    def broken(_: Any) -> None:
        raise ZeroDivisionError("the user's own")

    async def test(client: TrayportClient) -> None:
        with pytest.raises(ZeroDivisionError, match="the user's own"):
            await client.get_trades_bulk(QUIET, *MONTHS, on_progress=broken)

    session(Service(), test)


def test_a_failure_says_what_is_missing_and_why() -> None:
    async def test(client: TrayportClient) -> None:
        found = await bulk(client, QUIET, *TWO_DAYS)
        for failure in found.failures:
            assert isinstance(failure.query, ParallelContractQuery)
            assert str(failure.contracts[0]) in str(failure)
            assert str(failure.window) in str(failure)
            assert isinstance(failure.error, TrayportNotFoundError)

    session(Service(lambda _: 404), test)


def test_a_contract_that_was_refused_in_one_window_is_no_longer_searched_for() -> None:
    bad = TWELVE[5]

    async def test(client: TrayportClient) -> None:
        found = await client.get_trades_bulk(TWELVE, "2022-01-01", "2022-12-01")
        windows = len({failure.window for failure in found.failures})
        assert {failure.contracts for failure in found.failures} == {(bad,)}
        assert set(found.complete) == set(TWELVE) - {bad}
        # The batch and the contract in every window, and once the halves in search of it.
        assert len(service.requests) <= 2 * windows + 2 * len(TWELVE)

    service = Service(lambda request: 404 if bad.sequence_item_id in request.items else None)
    session(service, test, max_concurrency=1)


def test_many_seconds_that_nobody_can_read_cost_nothing_but_themselves() -> None:
    seconds = [instant(f"2024-03-04T{hour:02}:00:00", "from_") for hour in range(7, 15)]
    expected = plain([CONTRACTS[0]], "2024-03-04", "2024-03-05")

    async def test(client: TrayportClient) -> None:
        found = await client.get_trades_bulk(CONTRACTS[0], "2024-03-04", "2024-03-05")
        missing = sorted(failure.window for failure in found.failures if failure.window)
        assert missing == [Window(second, second + SECOND) for second in seconds]
        time = pl.col("deal_date").cast(pl.Int64)
        there = pl.all_horizontal((time < s) | (time >= s + SECOND) for s in seconds)
        (lacking,) = found.incomplete.values()
        assert lacking.to_polars().equals(expected[CONTRACTS[0]].filter(there))

    session(Service(lambda request: 413 if any(map(request.covers, seconds)) else None), test)


def test_rows_of_the_same_instant_keep_their_order_when_requests_had_to_be_split() -> None:
    of_market = CONTRACTS[0]
    of_venue = ContractSpec(instrument_id=10002806, sequence_id=10000305, sequence_item_id=244)

    async def rows(client: TrayportClient) -> pl.DataFrame:
        trades = await client.trades.get_trades(
            [of_market, of_venue], "2024-03-04T08:00", "2024-03-04T10:00"
        )
        return trades.to_polars()

    begun: list[Request] = []

    def first(request: Request) -> Verdict:
        begun.append(request)
        return 413 if len(begun) == 1 else None

    assert session(Service(first), rows).equals(session(Service(), rows))
