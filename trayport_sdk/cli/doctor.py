"""The command that looks at everything a download depends on, and the one for completion."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete
from trayport_spec import SPEC_HASH

from .. import __version__
from ..bulk.raw import check_directory
from ..resources.health import HealthCheck, HealthReport
from ..settings import Settings, user_directory
from .connection import ApiCommand, Command, connection
from .output import as_json, json_option
from .signals import run_async

if TYPE_CHECKING:
    import httpx

    from ..resources.contact.report import FirstContact

LIBRARIES = ("httpx", "attrs", "polars", "msgspec", "pydantic")
MOST_SECONDS_OFF = 30
LEAST_ROOM = 1e9
SHELLS = {found.name: found for found in (BashComplete, ZshComplete, FishComplete)}
ROWS = 200_000


@click.command(
    cls=ApiCommand,
    example="doctor --sandbox --live --report first-contact",
)
@click.option("--bench", is_flag=True, help="Measure this machine as well, for some seconds.")
@click.option(
    "--live",
    is_flag=True,
    help="Compare responses with the OpenAPI document instead, by 40 requests at most.",
)
@click.option(
    "--report",
    metavar="DIRECTORY",
    help="With --live, write a report, an overlay and a cassette of the responses there.",
)
@click.option(
    "--round-prices",
    type=click.IntRange(0, 9),
    metavar="DECIMALS",
    help="With --report, round the prices in the cassette.",
)
@json_option
def doctor(
    bench: bool, live: bool, report: str | None, round_prices: int | None, as_object: bool
) -> int:
    """Check versions, settings, the clock, the network and the disks, and say what is wrong.

    Sends two small requests if there is a key. The exit code is 1 when something is wrong.

    With --live, all operations are asked, in a minute at most: what responses say is compared with
    the document that this package is made of, and each of its assumptions is confirmed or refuted.
    """
    if live:
        return _live(report, round_prices, as_object)
    if report is not None or round_prices is not None:
        raise click.UsageError("--report and --round-prices go with --live")
    settings = connection().settings()
    checks = [*_versions(), _settings(settings), *_places(settings)]
    if connection().sandbox or settings.api_key is not None:
        checks += run_async(_service())
    else:
        checks.append(
            HealthCheck(
                "service", None, "not asked: there is no key, see `trayport config example`"
            )
        )
    if bench:
        checks += _bench()
    health = HealthReport(tuple(checks))
    click.echo(as_json(health) if as_object else str(health))
    return 0 if health.ok else 1


def _live(directory: str | None, round_prices: int | None, as_object: bool) -> int:
    """Compares what the service sends with the document; the exit code is 1 when it differs."""
    if directory is None and round_prices is not None:
        raise click.UsageError("--round-prices goes with --report")
    if directory is not None:
        check_directory(directory, "report")

    async def contact() -> FirstContact:
        async with connection().client() as client:
            return await client.first_contact()

    report = run_async(contact())
    click.echo(as_json(report.to_dict()) if as_object else str(report))
    if directory is not None:
        for path in report.write(directory, round_prices=round_prices):
            click.echo(f"wrote {path}", err=True)
    return 0 if report.ok else 1


def _versions() -> Iterator[HealthCheck]:
    python = (
        f"{platform.python_implementation()} {platform.python_version()} on {platform.platform()}"
    )
    yield HealthCheck("python", True, python)
    yield HealthCheck("package", True, f"trayport-sdk {__version__}, spec {SPEC_HASH[:12]}")
    yield HealthCheck("libraries", True, ", ".join(f"{name} {version(name)}" for name in LIBRARIES))
    from ..tables.decode.native.reader import reader

    yield HealthCheck("reader", True, f"{reader()}, {os.cpu_count()} processors")


def _settings(settings: Settings) -> HealthCheck:
    changed = [name for name in Settings.model_fields if settings.origin(name).name != "DEFAULT"]
    return HealthCheck("settings", True, f"set: {', '.join(changed) or 'nothing'}")


def _places(settings: Settings) -> Iterator[HealthCheck]:
    """The directories that this package writes to by itself."""
    places = {
        "cache": settings.cache_dir or user_directory("cache"),
        "temporary files": Path(tempfile.gettempdir()),
    }
    for name, place in places.items():
        there = next(path for path in (place, *place.parents) if path.exists())
        room = shutil.disk_usage(there).free
        if not os.access(there, os.W_OK | os.X_OK):
            yield HealthCheck(name, False, f"{there} may not be written to")
        else:
            words = f"{place}: {room / 1e9:,.0f} GB free"
            yield HealthCheck(name, room > LEAST_ROOM, words)


async def _service() -> list[HealthCheck]:
    """Whether the service responds, and how far its clock is from the one here."""
    offsets: list[float] = []

    async def note(response: httpx.Response) -> None:
        if date := response.headers.get("date"):
            offsets.append((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())

    async with connection().client(event_hooks={"response": [note]}) as client:
        checks = (await client.health_check()).checks
    if not offsets:
        return [*checks, HealthCheck("clock", None, "the service does not say the time")]
    off = min(offsets, key=abs)
    words = f"{abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} that of the service"
    return [*checks, HealthCheck("clock", abs(off) < MOST_SECONDS_OFF, words)]


def _bench() -> Iterator[HealthCheck]:
    """How fast this machine decodes and writes."""
    import msgspec
    import polars as pl

    from ..bulk.dataset import decode_file
    from ..tables import files

    row = {
        "tradeId": "1234567", "dealDate": 1_709_544_600_123_456_789, "price": 35.585,
        "quantity": 30.0, "venueCode": "ICE", "aggressorBuy": True,
    }  # fmt: skip
    body = msgspec.json.encode([row] * ROWS)
    with tempfile.TemporaryDirectory() as directory:
        file, table = Path(directory, "rows.json"), Path(directory, "rows.parquet")
        file.write_bytes(body)
        reference = _fastest(lambda: msgspec.json.decode(body))
        frames: list[pl.DataFrame] = []
        decoded = _fastest(lambda: frames.__setitem__(slice(None), list(decode_file(file))))
        frame = pl.concat(frames)
        written = _fastest(lambda: files.write(frame, table, ".parquet"))
    for name, seconds in (("decoding", decoded), ("Parquet", written)):
        words = f"{len(body) / seconds / 1e6:,.0f} MB/s of JSON"
        yield HealthCheck(name, True, f"{words}, {reference / seconds:.1f} x msgspec.json.decode")


def _fastest(work: Callable[[], Any]) -> float:
    """The seconds that some work takes, at best."""
    times: list[float] = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


@click.command(
    cls=Command,
    example="completion bash >> ~/.bashrc",
)
@click.argument("shell", type=click.Choice([*SHELLS]))
def completion(shell: str) -> None:
    """Print the script that completes commands and options in a SHELL."""
    from . import trayport

    click.echo(SHELLS[shell](trayport, {}, "trayport", "_TRAYPORT_COMPLETE").source())


COMMANDS = {"doctor": doctor, "completion": completion}
