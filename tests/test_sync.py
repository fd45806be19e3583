"""The synchronous client: the names of the asynchronous one, on a loop of its own."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from trayport_sdk import (
    Progress,
    TrayportConfigurationError,
    TrayportLookupError,
    TrayportValidationError,
    sync,
)
from trayport_sdk import client as async_
from trayport_sdk.bulk.stream import TableStream
from trayport_sdk.resources.generated.groups import GROUPS
from trayport_sdk.resources.planner import Planner
from trayport_sdk.sandbox import Fault, Sandbox

APRIL = "TTF Hi Cal 51.6* Apr-24"
MAY = "TTF Hi Cal 51.6* May-24"
DAY = ("2024-03-04", "2024-03-05")
ROOT = Path(__file__).resolve().parents[1]
# What has another name, or exists for one of the two only.
ASYNC_ONLY = {"aclose"}
SYNC_ONLY = {"close"}


def group(name: str) -> type:
    """The asynchronous class of a group."""
    client = async_.TrayportClient.sandbox()
    return type(getattr(client, name))


PAIRS = [
    (async_.TrayportClient, sync.TrayportClient),
    (TableStream, sync.TableStream),
    (Planner, sync.Planner),
    *((group(name), getattr(sync, group(name).__name__)) for name in GROUPS),
]


def public(kind: type) -> dict[str, Any]:
    """The public members of a class, inherited ones included."""
    return {
        name: inspect.getattr_static(kind, name) for name in dir(kind) if not name.startswith("_")
    }


def parameters(member: Any) -> list[str]:
    function = member.__func__ if isinstance(member, classmethod) else member
    given = inspect.signature(function).parameters.values()
    return [re.sub(r"\b(?:models|trayport_api\.models)\.", "", str(one)) for one in given]


def returned(member: Any) -> str:
    text = str(inspect.signature(member).return_annotation)
    return re.sub(r"\bAsync(?:Generator|Iterator)\b", "Iterator", text).replace("models.", "")


@pytest.mark.parametrize(("there", "here"), PAIRS, ids=lambda kind: kind.__name__)
def test_both_clients_have_the_same_names_parameters_and_types(there: type, here: type) -> None:
    wanted, found = public(there), public(here)
    settings = {"settings"} if here is sync.TrayportClient else set[str]()  # an attribute there
    hidden = {"of"} if there is TableStream else set[str]()  # how a client makes a stream
    assert found.keys() - SYNC_ONLY - settings == wanted.keys() - ASYNC_ONLY - hidden
    for name in found.keys() & wanted.keys():
        if not callable(getattr(there, name)):
            continue
        assert parameters(found[name]) == parameters(wanted[name]), name
        function = getattr(there, name)
        if not isinstance(wanted[name], classmethod):
            assert returned(found[name]) == returned(function), name
        assert not inspect.iscoroutinefunction(getattr(here, name)), name


def test_no_example_of_the_synchronous_client_waits() -> None:
    for _, here in PAIRS:
        for name, member in {"": here, **public(here)}.items():
            text = inspect.getdoc(member) or ""
            assert not re.search(r"\bawait\b|\basync (?:with|for)\b", text), f"{here} {name}"


def threads_since(before: set[threading.Thread]) -> set[threading.Thread]:
    """The threads that were begun since; some of before may be ending, as other tests left them."""
    return set(threading.enumerate()) - before


def test_leaving_the_client_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with sync.TrayportClient.sandbox() as client:
        assert len(client.trades.get_trades(APRIL, *DAY)) > 0
        assert threads_since(before)
    for thread in threads_since(before):  # one that has handed over its work may be just ending
        thread.join(10)
    assert not threads_since(before)


def test_a_client_that_was_not_used_closes_without_a_thread_and_without_a_trace() -> None:
    client, before = sync.TrayportClient.sandbox(), set(threading.enumerate())
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        client.close()
        assert asyncio.get_event_loop() is loop
        assert not threads_since(before)
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    with pytest.raises(TrayportConfigurationError, match="closed"):
        client.reference.get_markets()


def test_a_forgotten_client_ends_its_thread() -> None:
    client, before = sync.TrayportClient.sandbox(), set(threading.enumerate())
    client.reference.get_market_by_id(10000065)
    (thread,) = [one for one in threads_since(before) if one.name == "trayport-loop"]
    del client
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()


def test_it_works_where_a_loop_is_running() -> None:
    async def notebook() -> int:
        with sync.TrayportClient.sandbox() as client:
            return len(client.get_trades(APRIL, *DAY))

    assert asyncio.run(notebook()) > 0


def test_threads_share_a_client() -> None:
    with sync.TrayportClient.sandbox() as client, ThreadPoolExecutor(8) as threads:
        counts = threads.map(lambda _: len(client.trades.get_trades(APRIL, *DAY)), range(16))
        assert len(set(counts)) == 1


def test_a_stream_asks_for_no_more_than_it_holds() -> None:
    sandbox = Sandbox(limits=False)
    with sync.TrayportClient.sandbox(sandbox) as client:
        stream = client.stream_trades(APRIL, "2023-06-01", "2024-03-01", max_responses=2)
        batches = iter(stream)
        next(batches)
        asked = sum(request.path.endswith("/trades") for request in sandbox.requests)
        assert asked <= 4 < len(list(batches))


def test_leaving_a_stream_ends_its_requests() -> None:
    sandbox = Sandbox(limits=False)
    with sync.TrayportClient.sandbox(sandbox) as client:
        for batch in client.stream_trades(APRIL, "2023-01-01", "2024-03-01", max_responses=1):
            assert len(batch) > 0
            break
        asked = len(sandbox.requests)
        client.reference.get_market_by_id(10000065)
        assert len(sandbox.requests) == asked + 1


def test_files_bulk_calls_and_plans(tmp_path: Path) -> None:
    with sync.TrayportClient.sandbox() as client:
        report = client.stream_trades([APRIL, MAY], *DAY).to_parquet(tmp_path / "trades.parquet")
        found = client.get_trades_bulk([APRIL, MAY], *DAY)
        assert report.rows == len(found)
        april = client.resolve_contract(APRIL)
        plans = client.planner.plan_multi_contract_query(april, "trades", *DAY)
        results = client.planner.execute_plan(plans)
        assert len(results) == len(found.results[april])
        pieces = client.stream_trades(APRIL, *DAY).map_batches(len, workers=1)
        assert sum(pieces) == len(results)


def test_errors_are_those_of_the_other_client() -> None:
    with sync.TrayportClient.sandbox() as client:
        with pytest.raises(TrayportLookupError):
            client.resolve_contract("Nothing Apr-24")
        with pytest.raises(TrayportValidationError, match="until"):
            client.trades.get_trades(APRIL, "2024-03-05", "2024-03-04")


def test_a_closed_client_says_so() -> None:
    client = sync.TrayportClient.sandbox()
    client.close()
    client.close()
    with pytest.raises(TrayportConfigurationError, match="closed"):
        client.trades.get_trades(APRIL, *DAY)


def test_a_callback_that_calls_the_client_is_refused_instead_of_waiting_for_ever() -> None:
    with sync.TrayportClient.sandbox() as client:

        def call(_: Progress) -> None:
            client.reference.get_markets()

        with pytest.raises(TrayportConfigurationError, match="on_progress"):
            client.trades.get_trades(APRIL, *DAY, on_progress=call)


def test_options_make_a_client_that_shares_the_connections() -> None:
    with sync.TrayportClient.sandbox() as client:
        patient = client.with_options(timeout=300, priority="low")
        assert patient.settings.timeout == 300
        assert len(patient.reference.get_markets("ttf hi cal 51.6")) == 1
        assert client.get_metrics().total.requests == 1


def test_a_stream_is_used_once() -> None:
    with sync.TrayportClient.sandbox() as client:
        stream = client.stream_trades(APRIL, *DAY)
        assert sum(map(len, stream)) > 0
        with pytest.raises(TrayportConfigurationError, match="used already"):
            list(stream)
        stream = client.stream_trades(APRIL, *DAY)
        for _ in stream:
            break
        with pytest.raises(TrayportConfigurationError, match="used already"):
            list(stream)


def test_a_call_whose_client_is_closed_says_so() -> None:
    sandbox = Sandbox(limits=False)
    sandbox.faults.add(Fault("delay", seconds=600))
    client = sync.TrayportClient.sandbox(sandbox)
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(client.get_trades_bulk, [APRIL], *DAY)
        while not sandbox.requests:
            os.sched_yield()
        client.close()
        with pytest.raises(TrayportConfigurationError, match="closed"):
            call.result(60)


STREAM = """
from trayport_sdk import TrayportError, sync

with sync.TrayportClient.sandbox() as client:
    try:
        for batch in client.stream_trades({contracts!r}, "2019-01-01", "2024-03-05"):
            print("a batch", flush=True)
    except TrayportError as error:
        print("not stopped by", error)
"""

SLOW = """
import threading
import time
from trayport_sdk import sync
from trayport_sdk.sandbox import Fault, Sandbox

sandbox = Sandbox(limits=False)
sandbox.faults.add(Fault("delay", seconds=600))

def tell():
    # Before, the main thread imports, and an interrupt may come where Python ignores exceptions.
    while not sandbox.requests:
        time.sleep(0.01)
    print("asking", flush=True)

with sync.TrayportClient.sandbox(sandbox) as client:
    threading.Thread(target=tell, daemon=True).start()
    client.reference.get_markets()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as on POSIX")
@pytest.mark.parametrize(
    ("script", "line"),
    [(SLOW, "asking"), (STREAM.format(contracts=[APRIL, MAY]), "a batch")],
    ids=["call", "stream"],
)
def test_ctrl_c_ends_a_call_at_once(script: str, line: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == f"{line}\n"
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate(timeout=60)  # the response would take ten minutes
    assert "not stopped" not in printed
    assert "KeyboardInterrupt" in said
    assert process.returncode == -signal.SIGINT
