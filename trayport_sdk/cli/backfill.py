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
from ..bulk.progress_bar import progress_bar
from ..errors import TrayportPartialFailureError
from ..query.plan import OPERATIONS, counted
from ..query.rules import parameters_by_argument
from ..tables.convert import flat
from .connection import TIME_HELP, ApiCommand, Command, Time, connection
from .contracts import CONTRACT_HELP, EXAMPLE_CONTRACT, contracts_parameters, with_file
from .operations import CONTRACT, option_of
from .output import Output, as_json, json_option, output_options, time_options
from .signals import run_async

if TYPE_CHECKING:
    from ..bulk.progress import OnProgress
    from ..client import TrayportClient
    from ..telemetry.status import LimiterStatus

UNSET = click.core.ParameterSource.DEFAULT
Call = Callable[["TrayportClient", "OnProgress"], Coroutine[Any, Any, BackfillReport]]

directory = click.argument("directory")


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
    cls=ApiCommand,
    example=f'backfill "{EXAMPLE_CONTRACT}" --from 2024-03-04 --until 2024-03-08 --out ttf '
    "--sandbox",
    help=f"""Fetch what a data set lacks, into the directory --out.

    What is done is recorded, and not sent for again: after an interruption the same command goes
    on, and with a later --until or more CONTRACTS it fetches the difference. None are given for
    activity, and for the private trades of all contracts.

    {CONTRACT_HELP}""",
)
@click.option("--endpoint", type=click.Choice(BACKFILLED), default="trades", show_default=True)
@click.option("--out", "directory", required=True, help="A directory, or a URL such as s3://...")
@click.option(
    "--processes",
    type=click.IntRange(1),
    help="How many processes of this machine fetch and decode; this one alone when left out.",
)
@click.option("--dry-run", is_flag=True, help="Say what is missing and what it takes; fetch none.")
@json_option
def backfill(
    contracts: tuple[str, ...],
    contracts_file: TextIO | None,
    endpoint: Any,
    from_: Any,
    until: str | None,
    directory: str,
    dry_run: bool,
    as_object: bool,
    **given: Any,
) -> None:
    # What has a default of its own may not be known to the endpoint.
    source = click.get_current_context().get_parameter_source
    options = {name: value for name, value in given.items() if source(name) is not UNSET}

    async def call(client: TrayportClient, on_progress: OnProgress) -> BackfillReport:
        return await client.backfill(
            with_file(contracts, contracts_file) or None,
            from_,
            until,
            directory,
            endpoint=endpoint,
            dry_run=dry_run,
            on_progress=on_progress,
            **options,
        )

    quiet = connection().quiet and not dry_run
    _run(endpoint, call, directory, as_object=as_object, quiet=quiet)


@click.command(
    cls=ApiCommand,
    example="refresh ttf --last 7d --sandbox",
)
@directory
@click.option("--last", default="7d", show_default=True, help="Counted from its end: 36h, 7d, 2w.")
@json_option
def refresh(directory: str, last: str, as_object: bool) -> None:
    """Fetch the last part of the data set in DIRECTORY again.

    Venues publish trades late, and alter and delete others. `trayport changes` shows what changed.
    """

    async def call(client: TrayportClient, on_progress: OnProgress) -> BackfillReport:
        return await client.refresh(directory, last, on_progress=on_progress)

    _run("refresh", call, directory, as_object=as_object)


@click.command(
    cls=ApiCommand,
    example="verify ttf --sandbox",
)
@directory
@click.option("--repair/--no-repair", default=True, help="Whether to fetch again what is damaged.")
@json_option
def verify(directory: str, repair: bool, as_object: bool) -> None:
    """Read every file of the data set in DIRECTORY, and mend what is missing or damaged."""

    async def call(client: TrayportClient, on_progress: OnProgress) -> BackfillReport:
        return await client.verify(directory, repair=repair, on_progress=on_progress)

    _run("verify", call, directory, as_object=as_object)


def _run(
    title: str, call: Call, directory: str, *, as_object: bool, quiet: bool | None = None
) -> None:
    """Runs a call with a progress bar, and says what was done.

    Raises:
        click.ClickException: Requests failed.
    """
    chosen, clients = connection(), list["TrayportClient"]()
    quiet = chosen.quiet if quiet is None else quiet

    def limiter() -> LimiterStatus | None:
        return clients[0].get_status().limiter if clients else None

    async def run() -> BackfillReport:
        async with chosen.client() as client:
            clients.append(client)
            try:
                return await call(client, on_progress)
            finally:
                clients.clear()

    with progress_bar(title, quiet=quiet or not chosen.has_bar, limiter=limiter) as on_progress:
        report = run_async(run())
    if as_object:
        click.echo(as_json(report))
    elif not quiet:
        click.echo(f"{directory}: {report.explain()}")
    try:
        report.raise_for_failures()
    except TrayportPartialFailureError as error:
        again = "the same command sends what failed again"
        raise click.ClickException(f"{error}; {again}") from error


@click.command(cls=Command, example="changes ttf --since 7d")
@directory
@click.option(
    "--since",
    type=Time(),
    help=f"From when on, by the time at which a change became known. {TIME_HELP}",
)
def changes(directory: str, since: str | None, **given: Any) -> None:
    """Show what changed in the data set in DIRECTORY after it was fetched.

    A row for each record that was added, altered or deleted; what it was is in columns that begin
    with `before`.
    """
    output = Output.taken(given)
    frame = flat(changes_of(directory, since))
    summary = counted(frame.height, "change")
    output.write(_differing(frame) if output.is_table else frame, summary, quiet=False)


changes.params += output_options()


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


@click.command(cls=Command, example="prune ttf --keep 90d")
@directory
@click.option("--keep", required=True, help="For how long, such as 90d, or how many of each file.")
def prune(directory: str, keep: str) -> None:
    """Remove old versions of the files of the data set in DIRECTORY; what is known now stays."""
    number = prune_versions(directory, int(keep) if keep.isdecimal() else keep)
    click.echo(f"{directory}: {counted(number, 'version')} removed")


backfill.params[:0] = [*contracts_parameters(), *_options(), *time_options()]
COMMANDS = {
    "backfill": backfill,
    "refresh": refresh,
    "verify": verify,
    "changes": changes,
    "prune": prune,
}
