"""Cancelled calls end at once, as asyncio expects, and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from multiprocessing import active_children
from multiprocessing.process import BaseProcess
from typing import Any

import anyio
import polars as pl
import pytest

from tests.service import CONTRACTS, Request, Service, Verdict, frames, same, session
from tests.virtual_time import clock
from trayport_sdk import (
    BulkTradesResponse,
    Progress,
    QueryResult,
    Settings,
    TrayportClient,
    TrayportValidationError,
)
from trayport_sdk.bulk.results import RunResult
from trayport_sdk.query.plan import alone
from trayport_sdk.query.times import instant
from trayport_sdk.sandbox import Fault, Sandbox

QUIET = CONTRACTS[10:12]
MONTHS = ("2023-01-01", "2024-01-01")  # twelve windows
TIMEOUT = 2.5
"""In which two of twelve responses come to a client that sends one request after the other."""

Call = Callable[[TrayportClient], Awaitable[object]]


def one_by_one() -> Service:
    return Service(lambda _: 1.0)


def run(test: Any, service: Service | None = None) -> None:
    session(service or one_by_one(), test, max_concurrency=1)


async def undisturbed() -> BulkTradesResponse:
    async with Service().client() as client:
        return await client.get_trades_bulk(QUIET, *MONTHS)


def others() -> set[asyncio.Task[Any]]:
    current = asyncio.current_task()
    return {task for task in asyncio.all_tasks() if task is not current}


async def plan(client: TrayportClient, **callbacks: Any) -> object:
    plans = client.planner.plan_multi_contract_query(QUIET, "trades", *MONTHS)
    return await client.planner.execute_plan(plans, **callbacks)


async def iterate(client: TrayportClient) -> None:
    async for _ in client.stream_trades(QUIET, *MONTHS):
        pass


CALLS: dict[str, Call] = {
    "table": lambda client: client.trades.get_trades(QUIET, *MONTHS),
    "bulk": lambda client: client.get_trades_bulk(QUIET, *MONTHS),
    "plan": plan,
    "market": lambda client: client.get_market_data("EUA*", "2024-03-04", "2024-03-05"),
    "stream": iterate,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
def test_a_cancelled_call_ends_there_and_then(call: Call) -> None:
    service = one_by_one()

    async def test(client: TrayportClient) -> None:
        started = clock()
        calling = asyncio.ensure_future(call(client))
        await asyncio.sleep(TIMEOUT)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert clock() - started == TIMEOUT
        assert not others()
        assert service.under_way == 0
        sent = len(service.requests)
        assert sent
        await asyncio.sleep(100)
        assert len(service.requests) == sent

    run(test, service)


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
def test_a_timeout_ends_the_call_and_the_task_goes_on(call: Call) -> None:
    async def test(client: TrayportClient) -> None:
        started = clock()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(TIMEOUT):
                await call(client)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.ensure_future(call(client)), TIMEOUT)
        with anyio.move_on_after(TIMEOUT) as scope:
            await call(client)
        assert scope.cancelled_caught
        assert clock() - started == 3 * TIMEOUT
        assert not others()
        whole = await client.get_trades_bulk(QUIET, *MONTHS)
        assert same(frames(whole), frames(await undisturbed()))

    run(test)


def test_a_call_that_is_cancelled_before_it_began_sends_nothing() -> None:
    service = one_by_one()

    async def test(client: TrayportClient) -> None:
        calling = asyncio.create_task(client.get_trades_bulk(QUIET, *MONTHS))
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert not service.requests

    run(test, service)


def test_who_cancels_again_and_again_cancels_once() -> None:
    async def test(client: TrayportClient) -> None:
        calling = asyncio.create_task(client.get_trades_bulk(QUIET, *MONTHS))
        await asyncio.sleep(TIMEOUT)
        for _ in range(5):
            calling.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await calling
        await asyncio.sleep(0)
        assert not others()

    run(test)


def test_a_group_whose_other_task_fails_ends_and_says_why() -> None:
    async def test(client: TrayportClient) -> None:
        async def fail() -> None:
            await asyncio.sleep(TIMEOUT)
            raise ZeroDivisionError

        async def both() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(client.get_trades_bulk(QUIET, *MONTHS))
                tasks.create_task(fail())

        with pytest.raises(ExceptionGroup) as failed:
            await both()
        assert failed.group_contains(ZeroDivisionError)
        assert len(failed.value.exceptions) == 1
        assert not others()

    run(test)


def test_a_stream_that_is_left_early_leaves_nothing_behind() -> None:
    service = one_by_one()

    async def test(client: TrayportClient) -> None:
        async with aclosing(client.stream_trades(QUIET, "2023-10-01", "2024-03-01")) as stream:
            async for _ in stream:
                break
        assert not others()
        assert service.under_way == 0
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    run(test, service)


def test_a_request_that_is_being_split_and_a_wait_for_a_service_end_with_the_call() -> None:
    def too_large(request: Request) -> Verdict:
        return 413 if request.days > 10 else 1.0

    def away(_: Request) -> Verdict:
        return 503 if clock() > 1001 else 0.5

    async def test(client: TrayportClient) -> None:
        started = clock()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10.5):
                await client.get_trades_bulk(QUIET, *MONTHS)
        assert clock() - started == 10.5
        assert not others()

    for verdict in (too_large, away):
        run(test, Service(verdict))


def test_results_that_came_before_a_cancellation_are_with_who_took_them() -> None:
    async def test(client: TrayportClient) -> None:
        whole = await undisturbed()
        came: list[QueryResult[Any]] = []
        plans = client.planner.plan_multi_contract_query(QUIET, "trades", *MONTHS)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(TIMEOUT):
                await client.planner.execute_plan(plans, on_result=came.append)
        assert [result.query for result in came] == [
            alone(query, contract) for query in plans[:2] for contract in QUIET
        ]
        for result in came:
            (request,) = result.requests
            assert request.window == result.window
            times = (whole.complete[result.contract].to_polars())["deal_date"].cast(int)
            assert result.window is not None
            inside = (times >= result.window.start) & (times < result.window.end)
            expected = whole.complete[result.contract].to_polars().filter(inside)
            assert result.table.to_polars().equals(expected)
        windows = {result.window for result in came}
        rest = await client.planner.execute_plan([p for p in plans if p.window not in windows])
        assert len(rest) + sum(len(result.table) for result in came) == len(whole)

    run(test)


def test_of_what_failed_there_is_no_result_and_of_its_parts_there_are() -> None:
    bad = QUIET[0]

    async def test(client: TrayportClient) -> None:
        came: list[QueryResult[Any]] = []
        plans = client.planner.plan_multi_contract_query(QUIET, "trades", *MONTHS)
        found = await client.planner.execute_plan(plans, on_result=came.append)
        assert len(found.failures) == 12
        assert {result.contract for result in came} == {QUIET[1]}
        assert sorted(result.window for result in came if result.window) == [
            query.window for query in plans
        ]
        assert sum(len(result.table) for result in came) == len(found.complete[QUIET[1]])

    run(test, Service(lambda request: 404 if bad.sequence_item_id in request.items else None))


@pytest.mark.parametrize("name", ["on_result", "on_progress"])
def test_what_a_callback_raises_ends_the_call(name: str) -> None:
    service = one_by_one()

    def broken(_: object) -> None:
        raise ZeroDivisionError("the user's own")

    async def test(client: TrayportClient) -> None:
        with pytest.raises(ZeroDivisionError, match="the user's own"):
            await plan(client, **{name: broken})
        assert not others()
        sent = len(service.requests)
        with pytest.raises(TrayportValidationError, match=f"{name} 3 cannot be called"):
            await plan(client, **{name: 3})
        assert len(service.requests) == sent

    run(test, service)


def test_connections_of_a_cancelled_call_are_free_for_the_next() -> None:
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
            max_connections=2,
        )
        async with TrayportClient(settings=settings) as client:
            two_came = asyncio.Event()

            def on_progress(progress: Progress) -> None:
                if progress.requests_done == 2:
                    two_came.set()

            sandbox.faults.add(Fault("delay", seconds=60, times=None, after=2))
            calling = asyncio.create_task(
                client.get_trades_bulk(QUIET, *MONTHS, on_progress=on_progress)
            )
            await two_came.wait()
            calling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await calling
            sandbox.faults.clear()
            whole = await client.get_trades_bulk(QUIET, *MONTHS)
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
    came = []
    def on_result(result):
        came.append(result)
        if len(came) == 6:
            print("begun", flush=True)
    async with TrayportClient.sandbox(sandbox) as client:
        plans = client.planner.plan_multi_contract_query(contracts, "trades", *{MONTHS})
        try:
            await client.planner.execute_plan(plans, on_result=on_result)
        finally:
            print(len(came), flush=True)
asyncio.run(main())
"""


def test_ctrl_c_ends_the_program_and_keeps_what_was_taken() -> None:
    program = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM],
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
    assert out == "6\n"
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert program.returncode == -signal.SIGINT
    for complaint in ("was destroyed", "never retrieved", "Warning", "never awaited"):
        assert complaint not in errors


def test_the_range_has_twelve_windows() -> None:
    days = (instant(MONTHS[1], "until") - instant(MONTHS[0], "from_")) / 86_400e9
    assert 11 * 32 < days <= 12 * 32


@pytest.mark.anyio
async def test_a_call_that_is_cancelled_while_tables_are_arranged_ends_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arranging, go_on = threading.Event(), threading.Event()

    class Slow(RunResult):
        @classmethod
        def of(cls, *given: Any) -> Any:
            arranging.set()
            go_on.wait(30)
            return RunResult.of(*given)

    monkeypatch.setattr("trayport_sdk.bulk.runner.RunResult", Slow)
    async with Service().client() as client:
        task = asyncio.create_task(client.get_trades_bulk(QUIET, *MONTHS))
        await asyncio.to_thread(arranging.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()


def _long(_: pl.DataFrame) -> int:
    threading.Event().wait(600)
    return 0


@pytest.mark.anyio
async def test_cancelled_work_in_processes_is_not_waited_for() -> None:
    async with TrayportClient.sandbox() as client:
        stream = client.stream_trades("10000065*#Single#10000305#244#0", "2024-03-04", "2024-03-05")
        results = stream.map_batches(_long, 2)
        task = asyncio.ensure_future(anext(results))
        workers = await asyncio.to_thread(_started_workers)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 60)  # the work itself takes ten minutes
        for worker in workers:
            worker.kill()


def _started_workers() -> list[BaseProcess]:
    """The processes of a pool, once there are some."""
    while not (found := active_children()):
        os.sched_yield()
    return found
