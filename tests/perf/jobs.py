"""The jobs measured in a process of their own: `python -m tests.perf.jobs <job> <JSON>`."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from tests.perf.process import forget_the_peak, limit_growth, memory
from trayport_sdk.tables.decode.decoder import Decoder
from trayport_sdk.tables.decode.schema import RequestedColumns

CHUNK = 1 << 16
"""What a connection brings at once."""

BATCH = 1 << 20
SEPARATOR = b'},{"tradeId":'
CONTRACT = "10000065*#Single#10000305#244#0"
ONE_ROW = (
    b'[{"tradeId":"a","venueCode":"b","dealDate":1,"price":1.5,"quantity":1,"aggressorBuy":true}]'
)


def chunks(path: str, size: int = CHUNK) -> Iterator[bytes]:
    """The bytes of a file, as a connection brings them."""
    with Path(path).open("rb", buffering=0) as file:
        while chunk := file.read(size):
            yield chunk


def decoder() -> Decoder:
    """A decoder of trades."""
    return Decoder("get_trades", RequestedColumns())


def frame(path: str) -> dict[str, Any]:
    """One table of a body that is in memory."""
    body = Path(path).read_bytes()
    forget_the_peak()
    before = memory("VmRSS")
    table = pl.concat(decoder().frames([body]))
    return {"rows": table.height, "share": (memory("VmHWM") - before) / len(body)}


def frames(path: str) -> dict[str, Any]:
    """Tables of a stream, let go one after another."""
    return {"rows": sum(table.height for table in decoder().frames(chunks(path)))}


def parquet(path: str, out: str) -> dict[str, Any]:
    """A Parquet file of a stream."""
    # Here, as below: writing loads the room of the HTTP client, whose memory is no decoder's.
    from trayport_sdk.bulk.writer import FileWriter
    from trayport_sdk.tables.formats import FileFormat

    with FileWriter(out, FileFormat(".parquet")) as writer:
        for table in decoder().frames(chunks(path)):
            writer.write(table)
        writer.finish()
    return {"rows": writer.rows}


def orjson_batches(path: str) -> dict[str, Any]:
    """Dictionaries of a stream, by orjson in batches of 1 MiB, cut where rows meet."""
    import orjson

    rows, rest = 0, b""
    for chunk in chunks(path, BATCH):
        text = rest + chunk
        end = text.rfind(SEPARATOR) + 1
        if end:
            rows += len(orjson.loads(text[:end] + b"]"))
            text = b"[" + text[end + 1 :]
        rest = text
    return {"rows": rows + len(orjson.loads(rest))}


def ijson_items(path: str) -> dict[str, Any]:
    """Dictionaries of a stream, by ijson."""
    import ijson  # type: ignore[import-untyped]

    with Path(path).open("rb") as file:
        return {"rows": sum(1 for _ in ijson.items(file, "item", buf_size=CHUNK, use_float=True))}


def download(url: str, start: int, end: int, out: str) -> dict[str, Any]:
    """The trades of a range, from a server into a Parquet file."""
    return asyncio.run(_download(url, start, end, out))


async def _download(url: str, start: int, end: int, out: str) -> dict[str, Any]:
    # Here, because the memory that they take is no matter of the other jobs.
    from trayport_sdk import Settings, TrayportClient

    from_, until = (datetime.fromtimestamp(time // 10**9, UTC) for time in (start, end))
    settings = Settings(_env_file=None, api_key="key", analytics_url=url, reference_url=url)
    async with TrayportClient(settings=settings) as client:
        report = await client.stream_to_file(CONTRACT, from_, until, out)
    return {
        "received": sum(one.bytes_received for one in report.requests),
        "decoded": sum(one.bytes_decoded for one in report.requests),
        "on_the_link": sum(one.seconds for one in report.requests),
    }


JOBS: dict[str, Callable[..., dict[str, Any]]] = {
    job.__name__: job for job in (frame, frames, parquet, orjson_batches, ijson_items, download)
}


def main(job: str, arguments: str) -> None:
    """Runs a job and prints what it came to."""
    wanted = json.loads(arguments)
    headroom = wanted.pop("headroom", None)
    warm_up()
    if headroom is not None:
        limit_growth(headroom)
    before = memory("VmRSS")
    started = time.perf_counter()
    result = JOBS[job](**wanted)
    seconds, peak = time.perf_counter() - started, memory("VmHWM")
    figures = {"seconds": seconds, "peak": peak, "grown": peak - before, "result": result}
    print(json.dumps(figures))


def warm_up() -> None:
    """Has that imported which is imported on first use."""
    for _ in decoder().frames([ONE_ROW]):
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
