"""The commands about several contracts that belong together, and the charts of every table."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import click
from trayport_spec import ENDPOINTS, Endpoint

from ..query.contracts import ContractSpec
from ..query.plan import CONTRACT
from ..tables import RESPONSES
from ..tables.analytics.units import unit_of
from ..tables.convert import check_zone
from ..tables.plots.chart import check_chart_file
from .connection import TIME_HELP, ApiCommand, Time, connection
from .operations import arguments_of, call, example_of, parameters_of, with_client
from .output import Output, in_short, output_options

if TYPE_CHECKING:
    from ..bulk.progress import OnProgress
    from ..client import TrayportClient

MONTHS = '"TTF Hi Cal 51.6*" months'
RANGE = "--from 2024-03-01 --until 2024-05-01"


SEQUENCE_HELP = (
    "A product with several SEQUENCEs needs one by name, or by its periods, such as months."
)


def _product() -> list[click.Argument]:
    return [click.Argument(["product"]), click.Argument(["sequence"], required=False)]


def _times() -> list[click.Option]:
    until = f"End, exclusive; the end of the data when left out. {TIME_HELP}"
    return [
        click.Option(["--from", "from_"], type=Time(), required=True, help=f"Start. {TIME_HELP}"),
        click.Option(["--until"], type=Time(), help=until),
    ]


def _choice(name: str, help_: str, *choices: str, default: str | None = None) -> click.Option:
    kind = click.Choice(choices)
    return click.Option([name], type=kind, default=default, show_default=True, help=help_)


@attrs.frozen
class Series:
    """A call of the client that makes one table of several contracts.

    Attributes:
        name: The name of the command and of the method.
        help: What it shows.
        params: What it takes.
        example: What follows the name in an example.
    """

    name: str
    help: str
    params: list[click.Parameter]
    example: str

    async def __call__(
        self, arguments: dict[str, Any], client: TrayportClient, on_progress: OnProgress
    ) -> Any:
        """The table."""
        if self.name == "continuous":
            product, sequence = arguments["product"], arguments.get("sequence", "")
            left = {n: v for n, v in arguments.items() if n not in ("product", "sequence")}
            series = f"{product} {sequence}".rstrip()
            return await client.continuous(series, on_progress=on_progress, **left)
        return await getattr(client, self.name)(**arguments)


SERIES = (
    Series(
        "curve",
        f"The forward curve of PRODUCT: its next contracts, with their last trades and orders."
        f"\n\n{SEQUENCE_HELP}",
        [
            *_product(),
            click.Option(
                ["--n"], type=int, default=12, show_default=True, help="How many contracts."
            ),
            click.Option(["--at"], type=Time(), help=f"The instant, in whole minutes. {TIME_HELP}"),
        ],
        f"{MONTHS} --n 6 --at 2024-03-04T16:30",
    ),
    Series(
        "continuous",
        f"The rolling series of PRODUCT: its front contract, or one after it.\n\n{SEQUENCE_HELP}",
        [
            *_product(),
            click.Option(
                ["--rank"], type=int, default=1, show_default=True, help="1 is the front."
            ),
            *_times(),
            _choice("--what", "Its trades or its candles.", "trades", "ohlcv", default="ohlcv"),
            click.Option(["--interval"], help="The length of a candle, such as 1h or 1d."),
            _choice(
                "--roll", "When the next one takes over.", "expiry", "volume", default="expiry"
            ),
            _choice("--adjust", "How prices before a roll are adjusted.", "difference", "ratio"),
        ],
        f"{MONTHS} {RANGE} --interval 1d",
    ),
    Series(
        "spread",
        "The price of contract A less that of contract B, as traded and as made of the two.",
        [
            click.Argument(["a"]),
            click.Argument(["b"]),
            *_times(),
            _choice("--what", "Best prices or candles.", "quotes", "ohlcv", default="quotes"),
            click.Option(["--interval"], required=True, help="Such as 15m, 1h or 1d."),
        ],
        '"TTF Hi Cal 51.6* Apr-24" "TTF Hi Cal 51.6* May-24" --from 2024-03-04 --until 2024-03-05 '
        "--interval 1h",
    ),
)


def _command(series: Series) -> click.Command:
    return ApiCommand(
        series.name,
        callback=partial(_show, series),
        params=[*series.params, *output_options()],
        help=series.help,
        example=f"{series.name} {series.example} --sandbox",
    )


def _show(series: Series, /, **given: Any) -> None:
    output = Output.taken(given)
    table = with_client(series.name, partial(series, _present(given)))
    output.write(table.to_polars(), in_short(table.explain()), quiet=connection().quiet)


def _present(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


# --- Charts


def _plot() -> click.Group:
    group = click.Group(
        "plot",
        help="Draw a table into a file: a page (.html), or a picture (.svg, .png).",
    )
    for endpoint in ENDPOINTS.values():
        if hasattr(RESPONSES.get(endpoint.key), "plot"):
            group.add_command(
                ApiCommand(
                    endpoint.command,
                    callback=partial(_draw, endpoint, endpoint.command),
                    params=[*parameters_of(endpoint), *_chart_options()],
                    help=endpoint.summary,
                    example=f"plot {example_of(endpoint)} --out {endpoint.command}.svg",
                )
            )
    for series in SERIES:
        group.add_command(
            ApiCommand(
                series.name,
                callback=partial(_draw, series, series.name),
                params=[*series.params, *_chart_options()],
                help=series.help,
                example=f"plot {series.name} {series.example} --sandbox --out {series.name}.svg",
            )
        )
    return group


def _chart_options() -> list[click.Option]:
    return [
        click.Option(["--out"], metavar="FILE", required=True, help="The file to draw into."),
        click.Option(["--unit"], help="The unit of prices, where rows are of several products."),
        click.Option(["--tz"], metavar="ZONE", help="The time zone of the axis; UTC by default."),
    ]


def _draw(what: Endpoint | Series, title: str, /, **given: Any) -> None:
    out, unit, tz = (given.pop(name) for name in ("out", "unit", "tz"))
    check_chart_file(out, "out")
    if tz is not None:
        check_zone(tz)
    if isinstance(what, Endpoint):
        arguments = arguments_of(what, given)
        if what.limits.contract == "one" and len(arguments["contracts"]) > 1:
            raise click.UsageError("a chart of this is about one contract")
        fetch: Any = partial(call, what, arguments)
    else:
        arguments = _present(given)
        fetch = partial(what, arguments)

    async def drawn(client: TrayportClient, on_progress: OnProgress) -> Any:
        table = await fetch(client, on_progress)
        return table, await _product_of(client, table, arguments)

    table, product = with_client(title, drawn)
    if unit is not None and product is not None and unit_of(product).text != unit:
        raise click.UsageError(
            f"--unit {unit!r}: the prices are in {unit_of(product).text}; leave --unit out"
        )
    chart = table.plot(product or unit, tz=tz)
    chart.save(out)
    if not connection().quiet:
        click.echo(f"{click.format_filename(out)}: {chart.title}, {in_short(table.explain())}")


async def _product_of(client: TrayportClient, table: Any, arguments: dict[str, Any]) -> Any:
    """The product that gives prices their unit, where the rows or the arguments name one."""
    rows = table.to_polars()
    given = arguments.get("contract") or next(iter(arguments.get("contracts", ())), None)
    named: list[str] = []
    if CONTRACT in rows.columns:
        named = rows.get_column(CONTRACT).drop_nulls().unique().to_list()
    contracts = [ContractSpec.parse(symbol) for symbol in named]
    if not contracts and given is not None:
        contracts = [await client.resolve_contract(given)]
    if len({(one.market_id, one.instrument_id) for one in contracts}) != 1:
        return None
    contract = contracts[0]
    if contract.market_id is not None:
        return await client.reference.get_market_by_id(contract.market_id)
    return await client.reference.get_instrument_by_id(contract.instrument_id or 0)


COMMANDS = {series.name: _command(series) for series in SERIES} | {"plot": _plot()}
