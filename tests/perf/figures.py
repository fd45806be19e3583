"""Today's figures: each is measured beside its baselines, in turns with them."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from statistics import median
from typing import TypeAlias

import polars as pl
from attrs import frozen
from trayport_api.models import Instrument

from tests.perf.contest import OTHERS, Contender, Times, contest, faster, faster_by_the_clock, ours
from tests.perf.data_sets import month_of_one, year_of
from tests.perf.goals import Figure
from tests.perf.imports import heavy_imports, import_seconds
from tests.perf.jobs import CONTRACT
from tests.perf.link import Served, link
from tests.perf.pace import at_the_documented_limit, cost_of_the_rules, reuse_share, share_used
from tests.perf.process import MB, READERS, Done, read_by, run
from tests.perf.trades import Part, body, fingerprint_of, parts, write_body
from trayport_sdk import ContractSpec, Settings, TrayportClient
from trayport_sdk.http.messages import ApiRequest
from trayport_sdk.http.session import limits_of
from trayport_sdk.resources.cache import Disk
from trayport_sdk.sandbox.catalogue import catalogue

WINDOW_DAYS = 32
HTTPX = "import sys; sys.modules['rich'] = None; import httpx"
"""Without its command line, which it would load where rich is installed."""
LINK_RATE = 20 * MB
CALL_ROWS = 400_000
LIMIT_OF_GROWTH = 512 << 20

Figures: TypeAlias = dict[str, Figure]


@frozen
class Size:
    """How much is measured.

    Attributes:
        body_rows: Rows of a body that is decoded at once.
        stream_rows: Rows of a stream.
        link_rows: Rows that come over the link of 20 MB/s.
        contracts: How many contracts a data set has.
        rounds: How often each is done.
        calls: How often each call over HTTP is.
    """

    body_rows: int = 1_000_000
    stream_rows: int = 6_200_000
    link_rows: int = 1_500_000
    contracts: int = 50
    rounds: int = 3
    calls: int = 9


FULL = Size()
QUICK = Size(
    body_rows=500_000, stream_rows=600_000, link_rows=300_000, contracts=10, rounds=3, calls=7
)


@contextmanager
def written(rows: int) -> Iterator[tuple[Path, Part]]:
    """A body in a file, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="trayport-perf-") as folder:
        (part,) = parts(1, WINDOW_DAYS, rows)
        path = Path(folder, "body.json")
        write_body(part, path)
        yield path, part


def decoding(size: Size) -> Figures:
    """A whole body into tables and models, beside other decoders."""
    text = b"".join(body(parts(1, WINDOW_DAYS, size.body_rows)[0]))
    times = contest(text, size.rounds, {**OTHERS, **ours()})
    rate = {
        name: f"{len(text) / MB / min(t.wall for t in took):.0f}" for name, took in times.items()
    }
    others = {
        "frame": ("orjson", f"orjson {rate['orjson']}"),
        "frame_pandas": ("pandas", f"pandas {rate['pandas']}"),
        "models": ("orjson", f"orjson {rate['orjson']}"),
        "models_from_dict": ("from_dict", f"`from_dict` {rate['from_dict']}"),
    }
    figures: Figures = {}
    for name, (other, beside) in others.items():
        for reader in READERS:
            one = f"{name.partition('_')[0]}{reader}"
            figures[f"{name}{reader}"] = compared(times, one, other, f"{rate[one]} MB/s, {beside}")
    return figures


def compared(times: Times, one: str, other: str, beside: str) -> Figure:
    """How much less of the processor one takes than the other, with what it is by the clock."""
    clock = faster_by_the_clock(times, one, other)
    return Figure(faster(times, one, other), f"{clock:.2f} x by the clock, {beside}")


def end_to_end(size: Size) -> Figures:
    """A call to a server in a process of its own, until its table is there."""
    windows = parts(1, WINDOW_DAYS, CALL_ROWS)
    text = b"".join(body(windows[0]))
    with ExitStack() as stack:
        calls = {
            "identity": stack.enter_context(caller(windows[0], "identity")),
            "compressed": stack.enter_context(caller(windows[0], "br")),
        }
        for call in ours(calls).values():
            call(text)  # for what is loaded on first use
        times = contest(text, size.calls, {"orjson": OTHERS["orjson"], **ours(calls)})
    return {
        name: compared(times, name, "orjson", f"{len(text) / MB:.0f} MB")
        for name in times
        if name != "orjson"
    }


@contextmanager
def caller(part: Part, encoding: str) -> Iterator[Contender]:
    """A call of an open client to a server of its own, for a table."""
    from_, until = (datetime.fromtimestamp(time // 10**9, UTC) for time in (part.start, part.end))
    with link([part], encoding) as server, asyncio.Runner() as runner:
        url = server.url
        settings = Settings(_env_file=None, api_key="key", analytics_url=url, reference_url=url)
        client = TrayportClient(settings=settings)

        async def call() -> pl.DataFrame:
            return (await client.trades.get_trades(CONTRACT, from_, until)).to_polars()

        def called(_: bytes) -> pl.DataFrame:
            table = runner.run(call())
            if table.height != part.rows:
                raise WrongRowsError(f"{table.height} rows instead of {part.rows}")
            return table

        try:
            yield called
        finally:
            runner.run(client.aclose())


def memory_of_a_frame(size: Size) -> Figures:
    """What a table takes beside the body that it is made of."""
    # A small body would be compared with what any decoding takes.
    figures: Figures = {}
    with written(FULL.body_rows) as (path, _):
        megabytes = path.stat().st_size / MB
        for reader in READERS:
            with read_by(reader):
                shares = [run("frame", path=path).result["share"] for _ in range(size.rounds)]
            figures[f"frame_memory{reader}"] = Figure(max(shares), f"{megabytes:.0f} MB")
    return figures


def streams(size: Size) -> Figures:
    """A body that is larger than what is held of it, into tables and into a file."""
    figures: Figures = {}
    with written(size.stream_rows) as (path, _):
        out = path.with_name("trades.parquet")
        megabytes = path.stat().st_size / MB
        orjson = min(run("orjson_batches", path=path).seconds for _ in range(size.rounds))
        beside = f"orjson in batches of 1 MiB {megabytes / orjson:.0f} MB/s"
        for reader in READERS:
            with read_by(reader):
                frames = [run("frames", path=path) for _ in range(size.rounds)]
                files = [run("parquet", path=path, out=out) for _ in range(size.rounds)]
            figures |= {
                f"frames{reader}": Figure(megabytes / min(d.seconds for d in frames), beside),
                f"frames_memory{reader}": peak_of(frames),
                f"parquet{reader}": Figure(megabytes / min(d.seconds for d in files)),
                f"parquet_memory{reader}": peak_of(files),
            }
    return figures


def peak_of(runs: list[Done]) -> Figure:
    """The most memory that a job used in any of its runs."""
    most = max(runs, key=lambda one: one.peak)
    return Figure(most.peak / MB, f"{most.grown / MB:.0f} MB of it after the imports")


def downloads(size: Size) -> Figures:
    """Large responses from a server into a file: compressed, and over a slow link."""
    windows = parts(1, WINDOW_DAYS, size.stream_rows)
    figures: Figures = {}
    with link(windows) as served:
        for reader in READERS:
            with read_by(reader):
                runs = [downloaded(windows, served) for _ in range(size.rounds)]
            best = min(runs, key=lambda one: one.done.seconds)
            figures |= {
                f"download{reader}": Figure(best.rate / MB, f"{best.decoded / MB:.0f} MB"),
                f"download_memory{reader}": peak_of([one.done for one in runs]),
            }
        figures["brotli"] = Figure(100 * served.sent / served.decoded, "the server's quality is 4")
    figures["busy"] = Figure(
        100 * busy_share(size, "identity"),
        f"without compression; with Brotli {100 * busy_share(size, 'br'):.0f} %",
    )
    return figures


def busy_share(size: Size, encoding: str) -> float:
    """The share of the time from a request to the last byte that a slow link takes for it alone.

    Little of the body waits anywhere, so that the link waits for the decoder that does not keep up.
    """
    windows = parts(1, WINDOW_DAYS, size.link_rows)
    with link(windows, encoding, LINK_RATE) as served:
        found = downloaded(windows, served)
    return found.sent / LINK_RATE / float(found.done.result["on_the_link"])


@frozen
class Download:
    """A range that went from a server into a file, with every row in its place.

    Attributes:
        done: What it took.
        sent: Bytes on the wire.
        decoded: Bytes decompressed.
        rows: How many rows the file has.
    """

    done: Done
    sent: int
    decoded: int
    rows: int

    @property
    def rate(self) -> float:
        """Decompressed bytes in a second."""
        return self.decoded / self.done.seconds


class WrongRowsError(Exception):
    """A file does not have the rows that were sent."""


def downloaded(windows: list[Part], served: Served, *, headroom: int | None = None) -> Download:
    """Has a process download windows that follow one another, and checks every row.

    Args:
        windows: The windows.
        served: What the server has, which is as much.
        headroom: How many bytes of addresses the process may add to those of its imports.

    Raises:
        WrongRowsError: The file does not have the rows that were sent.
    """
    with tempfile.TemporaryDirectory(prefix="trayport-perf-") as folder:
        out = Path(folder, "trades.parquet")
        span = {"start": windows[0].start, "end": windows[-1].end}
        done = run("download", url=served.url, **span, out=out, headroom=headroom)
        if (found := fingerprint_of([out])) != served.fingerprint:
            raise WrongRowsError(f"{found} instead of {served.fingerprint}")
    sent, decoded = done.result["received"], done.result["decoded"]
    if (sent, decoded) != (served.sent, served.decoded):
        raise WrongRowsError(f"{sent} and {decoded} bytes instead of {served}")
    return Download(done, sent, decoded, sum(part.rows for part in windows))


def requests(_: Size = FULL) -> Figures:
    """How many requests a plan takes."""
    client = TrayportClient(settings=Settings(_env_file=None, api_key="key"))
    contracts = [
        ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=item)
        for item in range(200, 250)
    ]
    plans = client.planner.plan_multi_contract_query(
        contracts, "trades", "2024-01-01", "2024-03-31"
    )
    return {"plan": Figure(client.planner.estimate_request_count(plans), "not 150")}


def pace(_: Size = FULL) -> Figures:
    """How much of the allowance is used, and what keeping to it costs."""
    arrivals = at_the_documented_limit(60)
    cost = cost_of_the_rules()
    return {
        "share": Figure(100 * share_used(limits_of(Settings(_env_file=None)), 61)),
        "burst": Figure(arrivals.seconds),
        "most_in_a_second": Figure(arrivals.most_in_a_second),
        "rules": Figure(cost.rules, f"a request of httpx to nowhere {cost.httpx:.0f} µs"),
    }


def connections(_: Size = FULL) -> Figures:
    """How often a connection is used again."""
    requests = 1000
    return {"reuse": Figure(100 * reuse_share(requests), f"{requests} requests")}


def names(_: Size = FULL) -> Figures:
    """How long it takes to find what a name names."""
    look_up, parse = asyncio.run(_look_up())
    search, difflib = asyncio.run(_search())
    with tempfile.TemporaryDirectory(prefix="trayport-perf-") as folder:
        cold, orjson = _cold_names(Path(folder))
    return {
        "lookup": Figure(look_up * 1e6),
        "lookup_ratio": Figure(look_up / parse, f"{parse * 1e6:.1f} µs"),
        "search": Figure(search * 1e3, "the slowest of five patterns"),
        "search_ratio": Figure(difflib / search, f"{difflib * 1e3:.0f} ms"),
        "cold_names": Figure(cold * 1e3),
        "cold_names_ratio": Figure(cold / orjson, f"{orjson * 1e3:.0f} ms"),
    }


PATTERNS = ("ttf", "ttf hi cal 51.6 eex", "germny base", "ttfhical51,6", "eex ice gfi")


async def _look_up(rounds: int = 9, calls: int = 2000) -> tuple[float, float]:
    """Seconds of a look-up and of reading a symbol, the median of several rounds."""
    name, symbol = "TTF Hi Cal 51.6* Apr-24", "10000065*#Single#10000305#244#0"
    took: list[tuple[float, float]] = []
    async with TrayportClient.sandbox() as client:
        await client.resolve_contract(name)
        for _ in range(rounds):
            started = time.perf_counter()
            for _ in range(calls):
                await client.resolve_contract(name)
            between = time.perf_counter()
            for _ in range(calls):
                ContractSpec.parse(symbol)
            ended = time.perf_counter()
            took.append(((between - started) / calls, (ended - between) / calls))
    return median(one for one, _ in took), median(other for _, other in took)


async def _search(rounds: int = 5) -> tuple[float, float]:
    """Seconds of the slowest search of some, and of the same with difflib, each at its best."""
    async with TrayportClient.sandbox() as client:
        every = [instrument.name.lower() for instrument in await client.reference.get_instruments()]
        await client.search_instruments("ttf")  # the first one reads the names
        ours: list[float] = []
        theirs: list[float] = []
        for pattern in PATTERNS:
            took: list[float] = []
            for _ in range(rounds):
                started = time.perf_counter()
                await client.search_instruments(pattern)
                took.append(time.perf_counter() - started)
            started = time.perf_counter()
            get_close_matches(pattern, every, 10, 0.35)
            theirs.append(time.perf_counter() - started)
            ours.append(min(took))
    slowest = max(range(len(PATTERNS)), key=ours.__getitem__)
    return ours[slowest], theirs[slowest]


def _cold_names(folder: Path, rounds: int = 7) -> tuple[float, float]:
    """Seconds until instruments are read from disk, and of decoding the file, at their best."""
    import orjson

    request = ApiRequest.of("get_instruments")
    documents = [
        {"id": i.id, "name": i.name, "sequences": f"/instruments/{i.id}/sequences"}
        for i in catalogue().instruments.values()
    ]
    Disk(folder).write(request, documents, datetime.now(UTC))
    (path,) = folder.glob("*.json")
    took: list[tuple[float, float]] = []
    for _ in range(rounds):
        started = time.perf_counter()
        rows = Disk(folder).read(request, Instrument.from_dict)
        between = time.perf_counter()
        orjson.loads(path.read_bytes().partition(b"\n")[2])
        took.append((between - started, time.perf_counter() - between))
        if len(rows or ()) != len(documents):
            raise WrongRowsError(f"{len(rows or ())} rows instead of {len(documents)}")
    return min(one for one, _ in took), min(other for _, other in took)


def data_sets(size: Size) -> Figures:
    """How long it takes to read a small part of a data set."""
    with year_of(size.contracts, 100_000) as path:
        ours, duckdb, rows = month_of_one(path, size.contracts, size.rounds + 2)
    return {
        "month": Figure(ours * 1e3, f"{rows:,} of {size.contracts * 100_000:,} rows"),
        "month_ratio": Figure(ours / duckdb, f"{duckdb * 1e3:.0f} ms"),
    }


def imports(_: Size = FULL) -> Figures:
    """How long imports take, in new interpreters."""
    package, client = "import trayport_sdk", "from trayport_sdk import TrayportClient"
    took = import_seconds([package, client, HTTPX])
    heavy = sorted({*heavy_imports(package), *heavy_imports(client)})
    return {
        "import": Figure(1000 * took[package]),
        "import_client": Figure(
            took[client] / took[HTTPX],
            f"{1000 * took[client]:.0f} ms, httpx {1000 * took[HTTPX]:.0f}",
        ),
        "import_heavy": Figure(len(heavy), ", ".join(heavy)),
    }


MEASURES: Mapping[str, Callable[[Size], Figures]] = {
    measure.__name__: measure
    for measure in (
        decoding,
        end_to_end,
        memory_of_a_frame,
        streams,
        downloads,
        requests,
        pace,
        connections,
        names,
        data_sets,
        imports,
    )
}
