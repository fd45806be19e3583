"""The command that runs again what had failed for good."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import TrayportValidationError
from .connection import ApiCommand, connection
from .signals import run_async

if TYPE_CHECKING:
    from ..bulk.dead_letters import RetryReport


@click.command(
    "retry-failed",
    cls=ApiCommand,
    example="retry-failed failed.jsonl --sandbox",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="The directory for the rows; FILE.rows when left out.",
)
def retry_failed(file: Path, out: Path | None) -> int:
    """Run the queries of a dead-letter FILE again.

    The rows of each become a Parquet file. What fails again stays in FILE, and the exit code is 1.
    An interrupted run loses nothing: run the command again.
    """
    if file.is_dir():
        raise TrayportValidationError(
            f"FILE {str(file)!r}: this is a directory, not a file of dead letters",
            parameter="file",
        )
    directory = out or file.with_name(f"{file.name}.rows")

    async def retry() -> RetryReport:
        async with connection().client() as client:
            return await client.retry_failed(file, directory)

    report = run_async(retry())
    click.echo(
        f"{report.succeeded:,} fetched, into {directory}; {report.failed:,} failed again, in {file}"
    )
    return 1 if report.failed else 0


COMMANDS = {"retry-failed": retry_failed}
