"""One command per operation of the API, made of the table of operations when the command starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from enum import Enum
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TextIO, cast

import attrs
import click
import polars as pl
from trayport_spec import ENDPOINTS, Column, Endpoint, Parameter

from ..bulk.progress_bar import progress_bar
from ..bulk.stream import STREAMED
from ..errors import TrayportLookupError
from ..query.contracts import ContractSpec
from ..query.plan import CONTRACT as CONTRACT_COLUMN
from ..query.plan import counted
from ..query.rules import parameters_by_argument
from ..tables import RESPONSES, TableResponse
from ..tables.convert import NAMES
from ..tables.order_book import BooksTable
from .connection import TIME_HELP, ApiCommand, Time, connection
from .contracts import CONTRACT_HELP, EXAMPLE_CONTRACT, contracts_parameters, with_file
from .output import Output, in_short, output_options
from .signals import run_async
from .words import option_name

if TYPE_CHECKING:
    from trayport_spec.options import EndpointName

    from ..bulk.progress import OnProgress
    from ..client import TrayportClient

# What stands for the parts of a contract, and for two parameters that are one here.
CONTRACT = {
    "market_id", "instrument_id", "sequence_id", "sequence_item_id", "second_sequence_item_id",
    "contract_type", "trading_items", "interval_unit",
}  # fmt: skip
SCOPE = ("market_id", "instrument_id", "sequence_id")
TYPES: dict[str, Any] = {"integer": int, "number": float, "instant": Time()}
EXAMPLES = {"from_": "2024-03-04", "until": "2024-03-05", "at": "2024-03-05", "interval": "1h"}


def command(endpoint: Endpoint) -> click.Command:
    """The command of an operation."""
    about = "" if endpoint.limits.contract is None else f"\n\n{CONTRACT_HELP}"
    return ApiCommand(
        endpoint.command,
        callback=partial(_run, endpoint),
        params=[*parameters_of(endpoint), *output_options()],
        help=f"{endpoint.summary}\n\n{endpoint.description}{about}",
        example=example_of(endpoint),
    )


def parameters_of(endpoint: Endpoint) -> Iterator[click.Parameter]:
    """What the command of an operation takes."""
    contract = endpoint.limits.contract
    if takes_many(endpoint):
        yield from contracts_parameters()
    elif contract == "one":
        yield click.Argument(["contract"])
    elif contract == "subset":
        yield click.Option(["--contract"], help="Only rows of this contract.")
        for name in SCOPE:
            what = name.removesuffix("_id")
            yield click.Option([option_name(name)], type=int, help=f"Only rows of this {what}.")
    for name, parameter in parameters_by_argument(endpoint).items():
        if parameter.location == "path":
            yield click.Argument([name], type=TYPES.get(parameter.type))
        elif contract is None or name not in CONTRACT:
            yield option_of(name, parameter)


def takes_many(endpoint: Endpoint) -> bool:
    """Whether a command is about several contracts, in one request or in several."""
    contract = endpoint.limits.contract
    return contract == "many" or (contract == "one" and endpoint.key in STREAMED)


def example_of(endpoint: Endpoint) -> str:
    """A call of the command of an operation."""
    words = [endpoint.command]
    if endpoint.limits.contract in ("one", "many"):
        words.append(f'"{EXAMPLE_CONTRACT}"')
    for name, parameter in parameters_by_argument(endpoint).items():
        value = EXAMPLES.get(name, parameter.example)
        if parameter.location == "path":
            words.append(str(value))
        elif name in EXAMPLES and name != "interval_unit":
            words += [option_name(name), str(value)]
    return " ".join([*words, "--sandbox"])


def option_of(name: str, parameter: Parameter) -> click.Option:
    """The option that stands for a parameter."""
    names, help_ = [option_name(name), name], parameter.description
    kind: Any = TYPES.get(parameter.type)
    if name == "until":
        help_ = "End, exclusive; the end of the data when left out."
        return click.Option(names, type=kind, help=f"{help_} {TIME_HELP}")
    if parameter.type == "instant":
        help_ = f"{help_} {TIME_HELP}"
    if name == "interval":
        return click.Option(names, required=True, help="Such as 15m, 1h or 1d.")
    if parameter.type == "boolean" and parameter.default is not None:
        return click.Option(names, is_flag=True, help=help_)
    if parameter.type == "boolean":
        both = f"{names[0]}/--no-{names[0].removeprefix('--')}"
        return click.Option([both, name], default=None, help=help_)
    if parameter.repeated:
        return click.Option(names, multiple=True, help=f"{help_} Repeatable.")
    if parameter.enum:
        kind = click.Choice(parameter.enum)
    return click.Option(names, type=kind, required=parameter.required, help=help_)


def _run(endpoint: Endpoint, **given: Any) -> None:
    output = Output.taken(given)
    arguments = arguments_of(endpoint, given)
    is_streamed = endpoint.key in STREAMED and endpoint.limits.contract != "subset"
    if output.file is not None and is_streamed:
        report = with_client(
            endpoint.command,
            partial(_streamed, endpoint, arguments, output.file, **output.options),
        )
        if not connection().quiet:
            click.echo(f"{click.format_filename(output.file)}: {in_short(report.explain())}")
        return

    async def work(client: TrayportClient, on_progress: OnProgress) -> tuple[pl.DataFrame, str]:
        result = await call(endpoint, arguments, client, on_progress)
        frame, summary = _frame(endpoint, result)
        if output.is_table:
            frame = await _for_people(client, result, frame, output.rows)
        return frame, summary

    frame, summary = with_client(endpoint.command, work)
    output.write(frame, summary, quiet=connection().quiet)


def with_client(title: str, work: Callable[[TrayportClient, OnProgress], Any]) -> Any:
    """What is done with a client and a progress bar."""
    chosen = connection()

    async def run(on_progress: OnProgress) -> Any:
        async with chosen.client() as client:
            return await work(client, on_progress)

    with progress_bar(title, quiet=not chosen.has_bar) as on_progress:
        return run_async(run(on_progress))


def arguments_of(endpoint: Endpoint, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a method, from those of its command."""
    arguments = {name: value for name, value in given.items() if value is not None and value != ()}
    file: TextIO | None = arguments.pop("contracts_file", None)
    if takes_many(endpoint):
        arguments["contracts"] = with_file(arguments.get("contracts", ()), file)
        if not arguments["contracts"]:
            raise click.UsageError("Missing argument 'CONTRACTS...', or --contracts-file.")
    return arguments


async def _streamed(
    endpoint: Endpoint,
    arguments: dict[str, Any],
    file: str | Path,
    client: TrayportClient,
    on_progress: OnProgress,
    **options: Any,
) -> Any:
    """Writes rows into a file while they come."""
    left = dict(arguments)
    contracts = left.pop("contracts", None) or left.pop("contract", None)
    from_, until = left.pop("from_"), left.pop("until", None)
    key = cast("EndpointName", endpoint.key)
    return await client.stream_to_file(
        contracts, from_, until, file, endpoint=key, on_progress=on_progress, **options, **left
    )


async def call(
    endpoint: Endpoint, arguments: dict[str, Any], client: TrayportClient, on_progress: OnProgress
) -> Any:
    """What the method of an operation returns, or the rows of several contracts."""
    left = dict(arguments)
    if endpoint.limits.contract == "one" and (contracts := left.pop("contracts", None)):
        if len(contracts) > 1:
            with TemporaryDirectory() as directory:
                file = Path(directory, "rows.parquet")
                await _streamed(endpoint, arguments, file, client, on_progress)
                return pl.read_parquet(file)
        left["contract"] = contracts[0]
    # Ids in the path have other names there, so they go by position.
    in_path = [
        left.pop(name)
        for name, parameter in parameters_by_argument(endpoint).items()
        if parameter.location == "path"
    ]
    if endpoint.api == "analytics":
        left["on_progress"] = on_progress
    return await getattr(getattr(client, endpoint.group), endpoint.method)(*in_path, **left)


async def _for_people(
    client: TrayportClient, result: Any, frame: pl.DataFrame, rows: int
) -> pl.DataFrame:
    """A row for each order of a book, and the names of the contracts that are shown."""
    if isinstance(result, BooksTable):
        return result.levels()
    ids = [name for name in frame.columns if name in CONTRACT]
    if CONTRACT_COLUMN not in frame.columns and "sequence_item_id" in ids:
        symbols = [str(ContractSpec.from_model(row)) for row in result]
        no_name = pl.lit(None, pl.String).alias(NAMES[0])
        frame = frame.select(pl.Series(CONTRACT_COLUMN, symbols), no_name, pl.exclude(ids))
    if not {CONTRACT_COLUMN, NAMES[0]} <= {*frame.columns}:
        return frame
    symbol, name = pl.col(CONTRACT_COLUMN), pl.col(NAMES[0])
    ends = pl.concat([frame.head(rows), frame.tail(rows)]).filter(name.is_null())
    names: dict[str, str] = {}
    for unnamed in ends.get_column(CONTRACT_COLUMN).drop_nulls().unique():
        with suppress(TrayportLookupError):  # the symbol says what it is, too
            names[unnamed] = (await client.describe(unnamed)).name
    found = symbol.replace_strict(names, default=None, return_dtype=pl.String)
    return frame.with_columns(pl.coalesce(name, found).alias(NAMES[0]))


def _frame(endpoint: Endpoint, result: Any) -> tuple[pl.DataFrame, str]:
    """What a method returned as a table, and in a few words."""
    if isinstance(result, pl.DataFrame):
        return result, counted(result.height, "row")
    if isinstance(result, TableResponse):
        table: TableResponse[Any] = result  # pyright: ignore[reportUnknownVariableType]
        return table.to_polars(), in_short(table.explain())
    items: list[Any] = list(result) if isinstance(result, list) else [result]  # pyright: ignore[reportUnknownArgumentType]
    items = [item for item in items if item is not None]
    if not items and endpoint.key in RESPONSES:
        empty = RESPONSES[endpoint.key].nothing(lambda column: column.required)
        return empty.to_polars(), counted(0, "row")
    return table_of(endpoint.row, items), counted(len(items), "row")


def table_of(columns: Iterable[Column], items: Iterable[Any]) -> pl.DataFrame:
    """Models as a table."""
    rows = [_plain(item) for item in items]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    times = [c.python_name for c in columns if c.type == "timestamp"]
    return frame.with_columns(
        pl.col(name).cast(pl.Datetime("ns", "UTC")) for name in times if name in frame.columns
    )


def _plain(model: Any) -> dict[str, Any]:
    fields = attrs.asdict(
        model,
        filter=lambda field, value: value is not None or field.default is attrs.NOTHING,
        value_serializer=lambda _, __, value: value.value if isinstance(value, Enum) else value,
    )
    return {name.rstrip("_"): value for name, value in fields.items()}


COMMANDS = {endpoint.command: command(endpoint) for endpoint in ENDPOINTS.values()}
