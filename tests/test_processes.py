"""Forks and ends of processes: real ones, in which every warning is an error."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.programs import output_of

FORKS = """
import asyncio, json, os, signal, sys, tempfile, warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
import polars as pl
from trayport_sdk import TrayportClient, decode_file, open_dataset, sync

# Pythons from 3.12 on warn of every fork of a process with threads.
warnings.simplefilter("ignore", DeprecationWarning)
APRIL, DAY = "TTF Hi Cal 51.6* Apr-24", ("2024-03-04", "2024-03-05")

async def call(client):
    return len(await client.trades.get_trades(APRIL, *DAY))

async def streamed(client):
    return [batch async for batch in client.stream_trades(APRIL, *DAY)]

def outcome(work):
    try:
        return repr(work())
    except Exception as error:
        return type(error).__name__

def called():
    return asyncio.run(call(TrayportClient.sandbox()))

def in_child(work):
    read, write = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(20)  # a call that waits for ever
        os.write(write, outcome(work).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return text

def quiet_child():
    child = os.fork()
    if not child:
        sys.exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""

USED = """
directory = tempfile.mkdtemp()
unused, used = TrayportClient.sandbox(), TrayportClient.sandbox()
threaded = sync.TrayportClient.sandbox()
rows = asyncio.run(call(used))
table = threaded.trades.get_trades(APRIL, *DAY)
(raw,) = threaded.download_raw(APRIL, *DAY, directory)
batches = iter(threaded.stream_trades(APRIL, "2024-01-01", "2024-03-05", max_responses=1))
next(batches)
calls = {
    "a client that was used": lambda: asyncio.run(call(used)),
    "a client that was made": lambda: asyncio.run(call(unused)),
    "a client of the child": called,
    "the synchronous client": lambda: threaded.trades.get_trades(APRIL, *DAY),
    "a synchronous client of the child": sync.TrayportClient.sandbox().reference.get_markets,
    "a stream": lambda: asyncio.run(streamed(used)),
    "a stream that had begun": lambda: next(batches),
    "a file": lambda: threaded.stream_to_file(APRIL, *DAY, directory + "/trades.parquet"),
    "names": lambda: threaded.resolve_contract(APRIL),
    "to_polars": table.to_polars,
    "to_pandas": table.to_pandas,
    "models": lambda: list(table),
    "candles": lambda: table.to_ohlcv("1h"),
    "map_batches": lambda: list(table.map_batches(len, workers=2)),
    "decode_file": lambda: list(decode_file(raw)),
    "open_dataset": lambda: open_dataset(directory),
    "the child of a child": lambda: in_child(lambda: asyncio.run(call(used))),
    "len": lambda: len(table) == rows,
    "close": threaded.close,
    "aclose": lambda: asyncio.run(used.aclose()),
}
found = {name: in_child(work) for name, work in calls.items()}
with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
    found["an executor"] = type(pool.submit(called).exception()).__name__
found["a child that uses nothing"] = quiet_child()
found["the parent"] = len(threaded.trades.get_trades(APRIL, *DAY)) == rows
found["the parent's stream"] = sum(map(len, batches)) > 0
threaded.close()
print(json.dumps(found))
"""


UNUSED = """
client, threaded = TrayportClient.sandbox(), sync.TrayportClient.sandbox()
found = {
    "a client that was made": in_child(lambda: asyncio.run(call(client))),
    "the synchronous client": in_child(lambda: len(threaded.trades.get_trades(APRIL, *DAY))),
}
pl.DataFrame({"number": range(100_000)}).lazy().filter(pl.col("number") > 1).collect()
found["after work of polars alone"] = in_child(lambda: asyncio.run(call(client)))
print(json.dumps(found))
"""

HANGING = """
import asyncio, atexit, os, socket, sys, threading
from pathlib import Path
from trayport_sdk import Settings, TrayportClient, sync

CONTRACT, DAY = "10000065*#Single#10000305#244#0", ("2024-03-04", "2024-03-05")
ROW = (
    b'{"tradeId":"a","venueCode":"EEX","dealDate":1709543400000000001,"price":26.5,'
    b'"quantity":5,"aggressorBuy":true}'
)
HEAD = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n[" + ROW
reads = threading.Event()
listening = socket.create_server(("127.0.0.1", 0))

def serve(whole):
    connections = []
    while True:
        connection, _ = listening.accept()
        connections.append(connection)
        connection.recv(65536)
        connection.sendall(HEAD % (len(ROW) + 2 if whole else 10_000) + (b"]" if whole else b","))
        reads.set()

def client(kind, *, whole=False):
    threading.Thread(target=serve, args=(whole,), daemon=True).start()
    url = "http://127.0.0.1:%d" % listening.getsockname()[1]
    urls = {"analytics_url": url, "reference_url": url}
    return kind(settings=Settings(api_key="k", **urls, _env_file=None))

def when_read(loop, callback):
    def wait():
        # Now a thread waits for the rest of the body, as soon as the loop has read this much of it.
        reads.wait()
        while not any(one.name == "trayport-read" for one in threading.enumerate()):
            os.sched_yield()
        loop.call_soon_threadsafe(callback)

    threading.Thread(target=wait, daemon=True).start()

def interrupt():
    raise KeyboardInterrupt
"""

# Each leaves something behind that would wait for ever; the last line is printed.
LEFT = {
    "a call, by Ctrl-C": """
loop = asyncio.new_event_loop()
when_read(loop, interrupt)
try:
    loop.run_until_complete(client(TrayportClient).trades.get_trades(CONTRACT, *DAY))
except KeyboardInterrupt:
    print("left")
""",
    "a file, by stopping the loop": """
path = Path(sys.argv[1], "trades.parquet")
loop = asyncio.new_event_loop()
task = loop.create_task(client(TrayportClient).stream_to_file(CONTRACT, *DAY, path))
when_read(loop, loop.stop)
loop.run_forever()
print("left" if list(path.parent.iterdir()) else "no part of the file")
""",
    "a call in a daemon thread": """
threaded = client(sync.TrayportClient)
threading.Thread(target=threaded.trades.get_trades, args=(CONTRACT, *DAY), daemon=True).start()
reads.wait()
print("left")
""",
    "a client that is closed at exit": """
threaded, unused = client(sync.TrayportClient, whole=True), client(sync.TrayportClient)
atexit.register(threaded.close)  # called after what is registered later
atexit.register(unused.close)
assert len(threaded.trades.get_trades(CONTRACT, *DAY)) == 1
print("left")
""",
}


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@forks
def test_a_child_that_lacks_the_threads_of_its_parent_says_so_at_once() -> None:
    found = json.loads(output_of(FORKS + USED))
    assert [found.pop(name) for name in ("len", "close", "aclose")] == ["True", "None", "None"]
    assert found.pop("a child that uses nothing") == 7
    assert found.pop("the parent") is found.pop("the parent's stream") is True
    assert found.pop("the child of a child") == "'TrayportForkError'"
    assert found == dict.fromkeys(found, "TrayportForkError")


@forks
def test_a_client_that_was_made_and_not_used_works_in_a_child() -> None:
    found = json.loads(output_of(FORKS + UNUSED))
    last = found.pop("after work of polars alone")
    assert last == ("TrayportForkError" if sys.platform == "linux" else last)
    assert all(int(rows) > 0 for rows in found.values())


@pytest.mark.parametrize("what", LEFT)
def test_what_is_left_behind_keeps_no_process_from_ending(what: str, tmp_path: Path) -> None:
    assert output_of(HANGING + LEFT[what], str(tmp_path)) == "left\n"
    assert list(tmp_path.iterdir()) == []
