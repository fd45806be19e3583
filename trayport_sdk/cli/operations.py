"""One command per operation of the API, made of the table of operations when the command starts."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import attrs
import click
import polars as pl
from trayport_spec import ENDPOINTS, Column, Endpoint, Parameter

from ..bulk.stream import STREAMED
from ..query.plan import counted
from ..query.rules import parameters_by_argument
from ..tables import RESPONSES, TableResponse, files
from ..tables.convert import NAMES
from ..tables.formats import FileFormat
from .file_options import file_options, taken_file_options
from .progress import progress_bar
from .signals import run_async
from .words import client_of, option_name

if TYPE_CHECKING:
    from trayport_spec.options import EndpointName

    from ..bulk.progress import OnProgress

ROWS_SHOWN = 20
LEAST_COLUMNS, COLUMN_WIDTH = 4, 10
WIDEST_TEXT = 40
# What stands for the parts of a contract, and for two parameters that are one here.
CONTRACT = {
    "market_id", "instrument_id", "sequence_id", "sequence_item_id", "second_sequence_item_id",
    "contract_type", "trading_items", "interval_unit",
}  # fmt: skip
SCOPE = ("market_id", "instrument_id", "sequence_id")
TYPES: dict[str, Any] = {"integer": int, "number": float}
CONTRACT_HELP = (
    'A contract is a name, such as "TTF Hi Cal 51.6* Apr-24" (a market ends in *), or a symbol, '
    'such as "10000065*#Single#10000305#244#0".'
)


def commands() -> Iterator[click.Command]:
    """A command for every operation."""
    return map(command, ENDPOINTS.values())


def command(endpoint: Endpoint) -> click.Command:
    """The command of an operation."""
    about = "" if endpoint.limits.contract is None else f"\n\n{CONTRACT_HELP}"
    return click.Command(
        endpoint.command,
        callback=partial(_run, endpoint),
        params=[*_parameters(endpoint), *_common()],
        help=f"{endpoint.summary}\n\n{endpoint.description}{about}",
        short_help=endpoint.summary,
    )


def _common() -> list[click.Parameter]:
    return [
        *file_options(),
        click.Option(
            ["--rows"],
            type=click.IntRange(1),
            default=ROWS_SHOWN,
            show_default=True,
            help="How many rows of the table to show.",
        ),
        click.Option(["--sandbox"], is_flag=True, help="Ask the offline sandbox; needs no key."),
        click.Option(["--quiet", "-q"], is_flag=True, help="No progress bar and no summary."),
    ]


def _parameters(endpoint: Endpoint) -> Iterator[click.Parameter]:
    contract = endpoint.limits.contract
    if contract == "many":
        yield click.Argument(["contracts"], nargs=-1, required=True)
    elif contract == "one":
        yield click.Argument(["contract"])
    elif contract == "subset":
        yield click.Option(["--contract"], help="Only what is of this contract.")
        for name in SCOPE:
            what = name.removesuffix("_id")
            yield click.Option([option_name(name)], type=int, help=f"Only what is of this {what}.")
    for name, parameter in parameters_by_argument(endpoint).items():
        if parameter.location == "path":
            yield click.Argument([name], type=TYPES.get(parameter.type))
        elif contract is None or name not in CONTRACT:
            yield option_of(name, parameter)


def option_of(name: str, parameter: Parameter) -> click.Option:
    """The option that stands for a parameter."""
    names, help_ = [option_name(name), name], parameter.description
    if parameter.type == "instant":
        help_ = f"{help_} In ISO-8601; UTC."
    if name == "until":
        return click.Option(names, help="End, exclusive; the end of the data when left out.")
    if name == "interval":
        return click.Option(names, required=True, help="Such as 15m, 1h or 1d.")
    if parameter.type == "boolean" and parameter.default is not None:
        return click.Option(names, is_flag=True, help=help_)
    if parameter.type == "boolean":
        both = f"{names[0]}/--no-{names[0].removeprefix('--')}"
        return click.Option([both, name], default=None, help=help_)
    if parameter.repeated:
        return click.Option(names, multiple=True, help=f"{help_} Repeatable.")
    kind: Any = TYPES.get(parameter.type)
    if parameter.enum:
        kind = click.Choice(parameter.enum)
    return click.Option(names, type=kind, required=parameter.required, help=help_)


def _run(
    endpoint: Endpoint, *, out: str | None, rows: int, sandbox: bool, quiet: bool, **given: Any
) -> None:
    written = taken_file_options(out, given)
    arguments = {name: value for name, value in given.items() if value not in (None, ())}

    async def call(on_progress: OnProgress) -> str:
        async with client_of(sandbox=sandbox) as client:
            if out is not None and endpoint.key in STREAMED and given.keys().isdisjoint(SCOPE):
                contracts = arguments.pop("contracts", None) or arguments.pop("contract")
                report = await client.stream_to_file(
                    contracts,
                    arguments.pop("from_"),
                    arguments.pop("until", None),
                    out,
                    endpoint=cast("EndpointName", endpoint.key),
                    on_progress=on_progress,
                    **written,
                    **arguments,
                )
                return f"{click.format_filename(out)}: {report.explain()}"
            method = getattr(getattr(client, endpoint.group), endpoint.method)
            if endpoint.api == "analytics":
                arguments["on_progress"] = on_progress
            frame, summary = _frame(endpoint, await _called(method, endpoint, arguments))
            if out is None:
                click.echo(shown(readable(frame), rows))
                return summary
            kind = FileFormat.of_path(out).kind
            await asyncio.to_thread(files.write, frame, out, kind, **written)
            return f"{click.format_filename(out)}: {summary}"

    with progress_bar(endpoint.command, quiet=quiet) as on_progress:
        summary = run_async(call(on_progress))
    if not quiet:
        click.echo(summary, err=out is None)


async def _called(method: Callable[..., Any], endpoint: Endpoint, arguments: dict[str, Any]) -> Any:
    """What a method returns; ids in the path have other names there, so they go by position."""
    in_path = [
        arguments.pop(name)
        for name, parameter in parameters_by_argument(endpoint).items()
        if parameter.location == "path"
    ]
    return await method(*in_path, **arguments)


def _frame(endpoint: Endpoint, result: Any) -> tuple[pl.DataFrame, str]:
    """What a method returned as a table, and in a few words."""
    if isinstance(result, TableResponse):
        table: TableResponse[Any] = result  # pyright: ignore[reportUnknownVariableType]
        return table.to_polars(), table.explain()
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


def readable(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with one column for the contract: its name, or its symbol where that is unknown."""
    name, period = NAMES
    if name not in frame.columns:
        return frame
    ids = [n for n in frame.columns if n.startswith("contract_")]
    contract = pl.coalesce(name, "contract").alias("contract")
    return frame.with_columns(contract).drop(*ids, period)


def shown(frame: pl.DataFrame, rows: int) -> str:
    """A table as the screen shows it, of at most so many rows."""
    width = shutil.get_terminal_size().columns
    with pl.Config(
        tbl_rows=rows,
        tbl_cols=max(LEAST_COLUMNS, width // COLUMN_WIDTH),
        tbl_width_chars=width,
        fmt_str_lengths=WIDEST_TEXT,
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        tbl_formatting="UTF8_FULL_CONDENSED",
    ):
        return str(frame)
