"""The commands that bring data, and the sandbox they can bring it from."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..client import TrayportClient
from ..errors import require_extra
from ..settings import SANDBOX_KEY, SANDBOX_PORT
from ..tables import export
from ..tables.files import FORMATS

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..bulk.progress import OnProgress, Progress
    from ..bulk.reports import FileReport

ENDINGS = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"


@click.command()
@click.argument("contracts", nargs=-1, required=True)
@click.option("--from", "from_", required=True, help="Start, inclusive, in ISO-8601; UTC.")
@click.option("--until", help="End, exclusive; the end of the data when left out.")
@click.option("--out", required=True, help=f"The file to write: {ENDINGS}.")
@click.option("--field", "fields", multiple=True, help="An optional field to add; repeatable.")
@click.option("--route", "routes", multiple=True, help="A route by name or id, or 'all'.")
@click.option("--include-private", is_flag=True, help="Add details of your own trades.")
@click.option("--sandbox", is_flag=True, help="Ask the offline sandbox; needs no key.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bar and no summary.")
def trades(
    contracts: tuple[str, ...],
    from_: str,
    until: str | None,
    out: str,
    fields: tuple[str, ...],
    routes: tuple[str, ...],
    include_private: bool,
    sandbox: bool,
    quiet: bool,
) -> None:
    """Download the trades of one or more CONTRACTS into a file.

    A contract is a name, such as "TTF Hi Cal 51.6* Apr-24" (a market ends in *), or a symbol, such
    as "10000065*#Single#10000305#244#0".
    """
    export.file_format(out)
    export.check_writable(out)

    async def download(on_progress: OnProgress) -> FileReport:
        async with TrayportClient.sandbox() if sandbox else TrayportClient() as client:
            return await client.stream_to_file(
                contracts,
                from_,
                until,
                out,
                include_private=include_private,
                routes=routes or None,
                optional_fields=fields,
                on_progress=on_progress,
            )

    with progress_bar("trades", quiet=quiet) as on_progress:
        report = asyncio.run(download(on_progress))
    if not quiet:
        click.echo(f"{out}: {report.explain()}")


@click.command(help=f'Serve an offline Trayport until interrupted; its key is "{SANDBOX_KEY}".')
@click.option("--port", type=click.IntRange(0, 65535), default=SANDBOX_PORT, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--key", "keys", multiple=True, help="Another key to accept; repeatable.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which market to invent.")
@click.option("--no-limits", is_flag=True, help="Lift the request limits.")
def sandbox(port: int, host: str, keys: tuple[str, ...], seed: int, no_limits: bool) -> None:
    require_extra("sandbox", "numpy", "uvicorn")
    from ..sandbox import Sandbox
    from ..sandbox.server import Server, run

    def ready(server: Server) -> None:
        click.echo(f"analytics: {server.analytics_url}")
        click.echo(f"reference: {server.reference_url}")
        click.echo(f"keys:      {', '.join((SANDBOX_KEY, *keys))}")
        sys.stdout.flush()

    if not all(keys):
        raise click.UsageError("--key may not be empty")
    application = Sandbox(seed=seed, keys=(SANDBOX_KEY, *keys), limits=not no_limits)
    try:
        run(application, host, port, ready=ready)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}") from error


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("demo-output/trades.parquet"))
def demo(out: Path) -> None:
    """Download a quarter of TTF trades from the sandbox over a real socket."""
    from .demo import run

    export.file_format(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    export.check_writable(out)
    with progress_bar("trades", quiet=False) as on_progress:
        told = asyncio.run(run(out, on_progress))
    click.echo(told)


@contextmanager
def progress_bar(title: str, *, quiet: bool) -> Generator[OnProgress]:
    """A progress bar on standard error, from the first answer on. A failure wipes it away."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("requests  {task.fields[told]}"),
        console=Console(stderr=True),
        disable=quiet,
    )
    task = bar.add_task(title, total=None, told="")

    def show(progress: Progress) -> None:
        bar.start()
        bar.update(
            task,
            total=progress.requests_planned,
            completed=progress.requests_done + progress.requests_failed,
            told=_told(progress),
        )

    try:
        yield show
    except BaseException:
        bar.live.transient = True
        bar.live.stop()
        raise
    if bar.live.is_started:
        bar.stop()


def _told(progress: Progress) -> str:
    """What stands beside the bar."""
    told = (
        f"{progress.rows:,} rows  {progress.bytes_decoded / 1e6:.1f} MB  "
        f"{progress.bytes_per_second / 1e6:.1f} MB/s"
    )
    if progress.requests_failed:
        told += f"  {progress.requests_failed} failed"
    left = progress.seconds_left
    return f"{told}  {left:.0f} s left" if left else told
