"""The offline service, and a demonstration against it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..bulk.progress_bar import progress_bar
from ..bulk.raw import check_directory
from ..errors import require_extra
from ..settings import SANDBOX_KEY, SANDBOX_PORT
from ..tables.formats import FileFormat
from ..tables.output import check_writable
from .connection import Command
from .docs import built_docs
from .signals import run_async

if TYPE_CHECKING:
    from ..sandbox import SandboxServer


@click.command(
    cls=Command,
    example="sandbox --port 8080",
    help=f'Serve an offline Trayport until interrupted; its key is "{SANDBOX_KEY}".',
)
@click.option("--port", type=click.IntRange(0, 65535), default=SANDBOX_PORT, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--key", "keys", multiple=True, help="Another key to accept; repeatable.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which market to invent.")
@click.option("--no-limits", is_flag=True, help="Lift the request limits.")
@click.option(
    "--corrections", is_flag=True, help="Publish some trades late, and alter and delete others."
)
@click.option(
    "--replay",
    metavar="FILE",
    help="Give the responses of a cassette of `doctor --live`, and no others.",
)
@click.option(
    "--docs",
    is_flag=False,
    flag_value="",
    metavar="[DIRECTORY]",
    help="Serve the documentation on the same port: that of the checkout, or a DIRECTORY with it.",
)
def sandbox(
    port: int,
    host: str,
    keys: tuple[str, ...],
    seed: int,
    no_limits: bool,
    corrections: bool,
    replay: str | None,
    docs: str | None,
) -> None:
    require_extra("sandbox", "numpy", "uvicorn")
    from ..sandbox import Corrections, Sandbox
    from ..sandbox.server import run

    folder = None if docs is None else built_docs(docs)

    def ready(server: SandboxServer) -> None:
        if folder:
            click.echo(f"docs:      {server.url}/")
        click.echo(f"analytics: {server.analytics_url}")
        click.echo(f"reference: {server.reference_url}")
        click.echo(f"keys:      {', '.join((SANDBOX_KEY, *keys))}")
        sys.stdout.flush()

    if not all(keys):
        raise click.UsageError("--key may not be empty")
    application = Sandbox(
        seed=seed,
        replay=replay,
        keys=(SANDBOX_KEY, *keys),
        limits=not no_limits,
        corrections=Corrections() if corrections else None,
    )
    try:
        application.prepare()
    except (OSError, ValueError) as error:
        raise click.UsageError(f"--replay: {error}") from error
    try:
        run(application, host, port, ready=ready, docs=folder)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}") from error


@click.command(
    cls=Command,
    example="demo --out demo/trades.parquet",
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("demo-output/trades.parquet"))
def demo(out: Path) -> None:
    """Download a quarter of TTF trades from the sandbox over a real socket."""
    from .demo import run

    FileFormat.of_path(out, parameter="out")
    check_directory(out.parent, "out")
    check_writable(out)
    with progress_bar("trades", quiet=False) as on_progress:
        story = run_async(run(out, on_progress))
    click.echo(story)


COMMANDS = {"sandbox": sandbox, "demo": demo}
