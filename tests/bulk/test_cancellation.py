"""Cancelled calls: bulk calls return what was complete, others end, and nothing is left behind."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from contextlib import aclosing, suppress
from typing import Any

import anyio
import pytest

from tests.service import CONTRACTS, ColumnFilter, Service, Verdict, frames, same, session
from tests.virtual_time import clock
from trayport_sdk import (
    BulkTradesResponse,
    Progress,
    Settings,
    TrayportClient,
    TrayportInterruptedError,
)
from trayport_sdk.bulk import results as bulk
from trayport_sdk.query.times import instant
from trayport_sdk.sandbox import Fault, Sandbox

QUIET = CONTRACTS[10:12]
MONTHS = ("2023-01-01", "2024-01-01")  # twelve windows
TIMEOUT = 2.5
"""In which two of twelve answers come to a client that asks for one after the other."""


def one_by_one() -> Service:
    return Service(lambda _: 1.0)


def run(test: Any, service: Service | None = None) -> None:
    session(service or one_by_one(), test, max_concurrency=1)


async def undisturbed() -> BulkTradesResponse:
    async with Service().client() as client:
        return await client.get_trades_bulk(QUIET, *MONTHS)


def check_interrupted(found: BulkTradesResponse, done: int = 2) -> None:
    """Some requests are answered, and everything else can be asked for again."""
    assert found.interrupted
    assert "cancelled before its end" in repr(found)
    assert len(found.requests) == done
    assert len(found.failures) == 12 - done
    assert all(isinstance(one.error, TrayportInterruptedError) for one in found.failures)
    assert tuple(found.incomplete) == QUIET
    assert not found.complete


def others() -> set[asyncio.Task[Any]]:
    current = asyncio.current_task()
    return {task for task in asyncio.all_tasks() if task is not current}


def test_a_cancelled_bulk_call_returns_what_was_complete() -> None:
    async def test(client: TrayportClient) -> None:
        calling = asyncio.create_task(client.get_trades_bulk(QUIET, *MONTHS))
        await asyncio.sleep(TIMEOUT)
        calling.cancel()
        found = await calling
        check_interrupted(found)
        assert not others()
        whole = await found.retry_failures()
        assert not whole.interrupted
        assert same(frames(whole), frames(await undisturbed()))
        assert [request.window for request in whole.requests] == sorted(
            (request.window for request in whole.requests), key=str
        )

    run(test)


def test_a_cancelled_plan_returns_what_was_complete() -> None:
    async def test(client: TrayportClient) -> None:
        plans = client.planner.plan_multi_contract_query(QUIET, "trades", *MONTHS)
        calling = asyncio.create_task(client.planner.execute_plan(plans))
        await asyncio.sleep(TIMEOUT)
        calling.cancel()
        found = await calling
        assert [failure.query for failure in found.failures] == plans[2:]

    run(test)


def test_a_call_that_is_cancelled_before_it_began_is_cancelled() -> None:
    service = one_by_one()

    async def test(client: TrayportClient) -> None:
        calling = asyncio.create_task(client.get_trades_bulk(QUIET, *MONTHS))
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert not service.asked

    run(test, service)


def test_while_a_request_is_being_split_all_of_it_is_missing() -> None:
    def verdict(asked: ColumnFilter) -> Verdict:
        return 413 if asked.days > 10 else 1.0

    async def test(client: TrayportClient) -> None:
        calling = asyncio.create_task(client.get_trades_bulk(QUIET, *MONTHS))
        await asyncio.sleep(10)
        calling.cancel()
        found = await calling
        assert found.interrupted
        whole = await found.retry_failures()
        assert same(frames(whole), frames(await undisturbed()))

    run(test, Service(verdict))


def test_an_answer_that_nobody_took_is_kept() -> None:
    async def test(client: TrayportClient) -> None:
        plans = client.planner.plan_multi_contract_query(QUIET, "trades", *MONTHS)
        run = client._runner.run(plans, ahead=4)
        outcomes = run.outcomes(in_order=True)
        first = await anext(outcomes)
        await asyncio.sleep(100)
        await outcomes.aclose()
        left = list(run.left())
        assert [first.query, *(one.query for one in left)] == plans
        assert [type(one).__name__ for one in left] == ["AnsweredQuery"] * 4 + ["FailedQuery"] * 7

    run(test)


def test_a_timeout_leaves_a_partial_result_and_ends_what_follows() -> None:
    async def test(client: TrayportClient) -> None:
        async with asyncio.timeout(TIMEOUT):
            found = await client.get_trades_bulk(QUIET, *MONTHS)
        check_interrupted(found)
        whole = await found.retry_failures()  # the timeout was left, so calls work again
        whole.raise_for_failures()

        results: list[BulkTradesResponse] = []

        async def again_and_again() -> None:
            async with asyncio.timeout(TIMEOUT):
                for _ in range(3):
                    results.append(await client.get_trades_bulk(QUIET, *MONTHS))  # noqa: PERF401

        with pytest.raises(TimeoutError):
            await again_and_again()
        (only,) = results
        assert only.interrupted
        await client.trades.get_trades(QUIET, "2024-03-04", "2024-03-05")
        assert not others()

    run(test)


def test_wait_for_returns_the_partial_result() -> None:
    async def test(client: TrayportClient) -> None:
        found = await asyncio.wait_for(client.get_trades_bulk(QUIET, *MONTHS), TIMEOUT)
        check_interrupted(found)
        whole = await found.retry_failures()
        whole.raise_for_failures()

    run(test)


def test_a_second_call_of_a_cancelled_task_is_cancelled() -> None:
    service = one_by_one()
    found: list[BulkTradesResponse] = []

    async def test(client: TrayportClient) -> None:
        async def forever() -> None:
            while True:
                found.append(await client.get_trades_bulk(QUIET, *MONTHS))

        calling = asyncio.create_task(forever())
        await asyncio.sleep(TIMEOUT)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        (only,) = found
        check_interrupted(only)
        sent = len(service.asked)
        await asyncio.sleep(100)
        assert len(service.asked) == sent

    run(test, service)


def test_a_task_that_a_cancelled_one_begins_is_not_cancelled() -> None:
    async def test(client: TrayportClient) -> None:
        async def clean_up() -> int:
            found = await client.get_trades_bulk(QUIET, "2024-03-04", "2024-03-05")
            return len(found.failures)

        async def work() -> int:
            await client.get_trades_bulk(QUIET, *MONTHS)
            return await asyncio.create_task(clean_up())

        calling = asyncio.create_task(work())
        await asyncio.sleep(TIMEOUT)
        calling.cancel()
        assert await calling == 0

    run(test)


def test_a_group_whose_other_task_fails_ends_and_tells_why() -> None:
    found: list[BulkTradesResponse] = []

    async def test(client: TrayportClient) -> None:
        async def call() -> None:
            found.append(await client.get_trades_bulk(QUIET, *MONTHS))

        async def fail() -> None:
            await asyncio.sleep(TIMEOUT)
            raise ZeroDivisionError

        async def beside() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(call())
                tasks.create_task(fail())

        async def within() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(fail())
                await call()
                await call()

        for group in (beside, within):
            with pytest.raises(ExceptionGroup) as failed:
                await group()
            assert failed.group_contains(ZeroDivisionError)
            check_interrupted(found[-1])
        assert len(found) == 2
        assert not others()
        whole = await client.get_trades_bulk(QUIET, *MONTHS)
        whole.raise_for_failures()

    run(test)


def test_who_cancels_again_and_again_gets_the_same_result() -> None:
    async def test(client: TrayportClient) -> None:
        with anyio.move_on_after(TIMEOUT):  # it cancels until its block is left
            found = await client.get_trades_bulk(QUIET, *MONTHS)
        check_interrupted(found)

        calling = asyncio.create_task(client.get_trades_bulk(QUIET, *MONTHS))
        await asyncio.sleep(TIMEOUT)
        for _ in range(5):
            calling.cancel()
            await asyncio.sleep(0)
        check_interrupted(await calling)
        await asyncio.sleep(0)
        assert not others()

    run(test)


def test_a_call_that_returns_one_table_is_cancelled() -> None:
    service = one_by_one()

    async def test(client: TrayportClient) -> None:
        started = clock()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(TIMEOUT):
                await client.trades.get_trades(QUIET, *MONTHS)
        assert clock() - started == TIMEOUT
        assert not others()
        assert service.under_way == 0
        calling = asyncio.create_task(client.trades.get_trades(QUIET, *MONTHS))
        await asyncio.sleep(TIMEOUT)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert not others()

    run(test, service)


def test_a_stream_that_is_cancelled_or_left_early_leaves_nothing_behind() -> None:
    service = one_by_one()

    async def test(client: TrayportClient) -> None:
        async def read() -> None:
            async for _ in client.stream_trades(QUIET, *MONTHS):
                pass

        reading = asyncio.create_task(read())
        await asyncio.sleep(TIMEOUT)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert not others()
        assert service.under_way == 0

        async with aclosing(client.stream_trades(QUIET, "2023-10-01", "2024-03-01")) as stream:
            async for _ in stream:
                break
        assert not others()
        assert service.under_way == 0
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    run(test, service)


def test_waiting_for_a_service_that_is_away_ends_with_the_call() -> None:
    def verdict(_: ColumnFilter) -> Verdict:
        return 503 if clock() > 1001 else None

    async def test(client: TrayportClient) -> None:
        calling = asyncio.create_task(client.get_trades_bulk(QUIET, *MONTHS))
        await asyncio.sleep(50)
        calling.cancel()
        found = await calling
        assert found.interrupted
        assert not others()

    run(test, Service(lambda asked: verdict(asked) or 0.5))


def test_no_connection_is_left_in_use() -> None:
    asyncio.run(over_sockets())


async def over_sockets() -> None:
    sandbox = Sandbox(limits=False)
    with sandbox.serve() as server:
        settings = Settings(
            _env_file=None,
            api_key="sandbox",
            analytics_url=server.analytics_url,
            reference_url=server.reference_url,
            requests_per_second=1000,
            requests_per_minute=60_000,
        )
        async with TrayportClient(settings=settings) as client:
            connections = client._wire.transport._connections
            assert connections is not None
            pool = connections._pool
            two_came = asyncio.Event()

            def told(progress: Progress) -> None:
                if progress.requests_done == 2:
                    two_came.set()

            sandbox.faults.add(Fault("delay", seconds=60, times=None, after=2))
            calling = asyncio.create_task(client.get_trades_bulk(QUIET, *MONTHS, on_progress=told))
            await two_came.wait()
            calling.cancel()
            found = await calling
            check_interrupted(found)
            assert all(connection.is_idle() for connection in pool.connections)
            sandbox.faults.clear()
            whole = await found.retry_failures()
            whole.raise_for_failures()
        assert not pool.connections
        assert not others()
    assert same(frames(whole), frames(await undisturbed()))


PROGRAM = f"""
import asyncio
from trayport_sdk import ContractSpec, TrayportClient
from trayport_sdk.sandbox import Fault, Sandbox

async def main():
    sandbox = Sandbox(limits=False)
    sandbox.faults.add(Fault("delay", seconds=600, times=None, after=3))
    contracts = [ContractSpec.parse(text) for text in {[str(one) for one in QUIET]}]
    def told(progress):
        if progress.requests_done == 3:
            print("begun", flush=True)
    async with TrayportClient.sandbox(sandbox) as client:
        found = await client.get_trades_bulk(contracts, *{MONTHS}, on_progress=told)
        print(found.interrupted, len(found.requests), len(found.failures), flush=True)
        AGAIN
asyncio.run(main())
print("clean", flush=True)
"""


@pytest.mark.parametrize("again", [False, True])
def test_ctrl_c_gives_what_has_come_and_ends_the_program(again: bool) -> None:
    more = f"await client.get_trades_bulk(contracts, *{MONTHS})" if again else ""
    program = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM.replace("AGAIN", more)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    try:
        assert program.stdout.readline() == "begun\n"
        program.send_signal(signal.SIGINT)
        out, errors = program.communicate(timeout=60)
    finally:
        with suppress(ProcessLookupError):
            program.kill()
        program.wait()
    assert out == "True 3 9\n" + ("" if again else "clean\n")
    if again:
        assert errors.rstrip().endswith("KeyboardInterrupt")
    else:
        assert (errors, program.returncode) == ("", 0)
    for complaint in ("was destroyed", "never retrieved", "Warning", "never awaited"):
        assert complaint not in errors


def test_the_range_has_twelve_windows() -> None:
    days = (instant(MONTHS[1], "until") - instant(MONTHS[0], "from_")) / 86_400e9
    assert 11 * 32 < days <= 12 * 32


@pytest.mark.anyio
async def test_who_is_told_to_end_while_tables_are_arranged_gets_them_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = await undisturbed()
    arranging, told = threading.Event(), threading.Event()

    def ran(*given: Any, **more: Any) -> Any:
        if threading.current_thread() is not threading.main_thread():
            arranging.set()
            told.wait(30)
        return bulk.ran(*given, **more)

    monkeypatch.setattr("trayport_sdk.bulk.runner.ran", ran)
    async with Service().client() as client:
        task = asyncio.create_task(client.get_trades_bulk(QUIET, *MONTHS))
        await asyncio.to_thread(arranging.wait, 30)
        task.cancel()
        await asyncio.sleep(0)
        told.set()
        found = await task
    assert found.interrupted
    assert not found.failures
    assert same(frames(found), frames(whole))
