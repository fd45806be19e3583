"""The commands about data sets: fill one, refresh and check it, and show what changed in it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TextIO

import click
import polars as pl

from ..bulk.backfill import BACKFILLED
from ..bulk.backfill_report import BackfillReport
from ..bulk.corrections import BEFORE
from ..bulk.dataset_reader import changes as changes_of
from ..bulk.dataset_reader import prune as prune_versions
from ..query.plan import OPERATIONS, counted
from ..query.rules import parameters_by_argument
from ..tables import files
from ..tables.convert import flat
from ..tables.formats import FileFormat
from .file_options import file_options, taken_file_options, time_options
from .operations import CONTRACT, CONTRACT_HELP, ROWS_SHOWN, option_of, readable, shown
from .plan import contracts_file, with_file
from .progress import progress_bar
from .signals import run_async
from .words import client_of

if TYPE_CHECKING:
    from ..bulk.progress import OnProgress
    from ..client import TrayportClient
    from ..telemetry.status import LimiterStatus

Call = Callable[["TrayportClient", "OnProgress"], Coroutine[Any, Any, BackfillReport]]

directory = click.argument("directory")
sandboxed = click.option("--sandbox", is_flag=True, help="Ask the offline sandbox; needs no key.")
quietly = click.option("--quiet", "-q", is_flag=True, help="No progress bar and no summary.")


def commands() -> Iterator[click.Command]:
    """Every command about data sets."""
    backfill.params[2:2] = [*_options(), *time_options()]
    yield from (backfill, refresh, verify, changes, prune)


def _options() -> Iterator[click.Option]:
    """What the operations of data sets take, each option once."""
    known: set[str] = set()
    for endpoint in map(OPERATIONS.__getitem__, BACKFILLED):
        for name, parameter in parameters_by_argument(endpoint).items():
            if name not in CONTRACT | known:
                known.add(name)
                option = option_of(name, parameter)
                option.required = False  # not all of them take it; the client says what is missing
                yield option


@click.command(
    help=f"""Fetch what a data set lacks, into the directory --out.

    What is done is recorded, and not sent for again: after an interruption the same command goes
    on, and with a later --until or more CONTRACTS it fetches the difference. None are given for
    activity, and for the private trades of all contracts.

    {CONTRACT_HELP}"""
)
@click.argument("contracts", nargs=-1)
@contracts_file
@click.option("--endpoint", type=click.Choice(BACKFILLED), default="trades", show_default=True)
@click.option("--out", "directory", required=True, help="A directory, or a URL such as s3://...")
@click.option(
    "--processes",
    type=click.IntRange(1),
    help="How many processes of this machine fetch and decode; this one alone when left out.",
)
@click.option("--dry-run", is_flag=True, help="Say what is missing and what it takes; fetch none.")
@sandboxed
@quietly
def backfill(
    contracts: tuple[str, ...],
    file: TextIO | None,
    endpoint: Any,
    from_: Any,
    until: str | None,
    directory: str,
    dry_run: bool,
    sandbox: bool,
    quiet: bool,
    **given: Any,
) -> None:
    options = {name: value for name, value in given.items() if value not in (None, (), False)}

    async def call(client: TrayportClient, on_progress: OnProgress) -> BackfillReport:
        return await client.backfill(
            with_file(contracts, file) or None,
            from_,
            until,
            directory,
            endpoint=endpoint,
            dry_run=dry_run,
            on_progress=on_progress,
            **options,
        )

    _run(endpoint, call, directory, sandbox=sandbox, quiet=quiet and not dry_run)


@click.command()
@directory
@click.option("--last", default="7d", show_default=True, help="Counted from its end: 36h, 7d, 2w.")
@sandboxed
@quietly
def refresh(directory: str, last: str, sandbox: bool, quiet: bool) -> None:
    """Fetch the last part of the data set in DIRECTORY again.

    Venues publish trades late, and alter and delete others. `trayport changes` shows what changed.
    """

    async def call(client: TrayportClient, on_progress: OnProgress) -> BackfillReport:
        return await client.refresh(directory, last, on_progress=on_progress)

    _run("refresh", call, directory, sandbox=sandbox, quiet=quiet)


@click.command()
@directory
@click.option("--repair/--no-repair", default=True, help="Whether to fetch again what is damaged.")
@sandboxed
@quietly
def verify(directory: str, repair: bool, sandbox: bool, quiet: bool) -> None:
    """Read every file of the data set in DIRECTORY, and mend what is missing or damaged."""

    async def call(client: TrayportClient, on_progress: OnProgress) -> BackfillReport:
        return await client.verify(directory, repair=repair, on_progress=on_progress)

    _run("verify", call, directory, sandbox=sandbox, quiet=quiet)


def _run(title: str, call: Call, directory: str, *, sandbox: bool, quiet: bool) -> None:
    """Runs a call with a progress bar, and says what was done.

    Raises:
        click.ClickException: Requests failed.
    """
    clients: list[TrayportClient] = []

    def limiter() -> LimiterStatus | None:
        return clients[0].get_status().limiter if clients else None

    async def run() -> BackfillReport:
        async with client_of(sandbox=sandbox) as client:
            clients.append(client)
            try:
                return await call(client, on_progress)
            finally:
                clients.clear()

    with progress_bar(title, quiet=quiet, limiter=limiter) as on_progress:
        report = run_async(run())
    if not quiet:
        click.echo(f"{directory}: {report.explain()}")
    if report.failures:
        failed = counted(len(report.failures), "request")
        raise click.ClickException(
            f"{failed} failed, the first with: {report.failures[0].error}; the same command sends "
            "what failed again"
        )


@click.command()
@directory
@click.option("--since", help="From when on, by the time at which a change became known; UTC.")
@click.option("--rows", type=click.IntRange(1), default=ROWS_SHOWN, show_default=True)
def changes(directory: str, since: str | None, rows: int, out: str | None, **given: Any) -> None:
    """Show what changed in the data set in DIRECTORY after it was fetched.

    A row for each record that was added, altered or deleted; what it was is in columns that begin
    with `before`.
    """
    written = taken_file_options(out, given)
    frame = flat(changes_of(directory, since))
    if out is None:
        click.echo(shown(_differing(readable(frame)), rows))
    else:
        files.write(frame, out, FileFormat.of_path(out).kind, **written)
    click.echo(counted(frame.height, "change"), err=out is None)


changes.params += file_options()


def _differing(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with what records were before only where it is another, beside what they are."""
    columns: list[str] = []
    for name in frame.columns:
        before = f"{BEFORE}_{name}"
        if not name.startswith(f"{BEFORE}_"):
            columns.append(name)
        if before in frame.columns:
            both = frame.drop_nulls(before)
            if not both.get_column(before).equals(both.get_column(name)):
                columns.append(before)
    return frame.select(columns)


@click.command()
@directory
@click.option("--keep", required=True, help="For how long, such as 90d, or how many of each file.")
def prune(directory: str, keep: str) -> None:
    """Remove old versions of the files of the data set in DIRECTORY; what is known now stays."""
    number = prune_versions(directory, int(keep) if keep.isdecimal() else keep)
    click.echo(f"{directory}: {counted(number, 'version')} removed")
