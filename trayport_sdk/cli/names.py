"""The commands that say what things are called: find a name, show what has it, list the venues."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any

import click
import polars as pl
from attrs import frozen
from trayport_spec import VENUES

from ..errors import TrayportLookupError
from ..query.plan import counted
from ..tables.analytics.units import unit_of
from .connection import TIME_HELP, ApiCommand, Command, Time, connection
from .output import Output, output_options
from .signals import run_async

if TYPE_CHECKING:
    from ..client import TrayportClient
    from ..resources.catalog import ContractDescription

KINDS = ("contract", "market", "instrument", "venue")
ITEMS_SHOWN = 8


@frozen
class Found:
    """Something that has a name.

    Attributes:
        kind: What it is.
        name: The name, as every call takes it.
        id: Its symbol, id or code.
    """

    kind: str
    name: str
    id: str


@click.command(
    cls=ApiCommand,
    example="find ttf hi cal apr 24 --sandbox",
)
@click.argument("words", nargs=-1, required=True)
@click.option("--kind", type=click.Choice(KINDS), help="Only these; all when left out.")
@click.option(
    "--limit", type=click.IntRange(1), default=5, show_default=True, help="How many of each kind."
)
@click.option("--at", type=Time(), help=f"The time that M+1 and the like count from. {TIME_HELP}")
def find(words: tuple[str, ...], kind: str | None, limit: int, at: str | None, **given: Any) -> int:
    """Find contracts, markets, instruments and venues by WORDS of their names, best first.

    A delivery period is written as people do: apr 24, 2024-04, Q2 24, M+1. The names of contracts
    can be pasted into every command.
    """
    output, pattern = Output.taken(given), " ".join(words)

    async def search() -> list[Found]:
        kinds = KINDS if kind is None else (kind,)
        async with connection().client() as client:
            return [
                one
                for wanted in kinds
                async for one in _of_kind(client, wanted, pattern, limit, at)
            ]

    found = run_async(search())
    if not found:
        click.echo(f"trayport: nothing is named like {pattern!r}", err=True)
        return 1
    if output.is_table:
        click.echo(_lines([(one.kind, one.name, one.id) for one in found]))
    else:
        rows = [(one.kind, one.name, one.id) for one in found]
        frame = pl.DataFrame(rows, schema=["kind", "name", "id"], orient="row")
        output.write(frame, counted(len(found), "name"), quiet=connection().quiet)
    return 0


find.params += output_options()


async def _of_kind(
    client: TrayportClient, kind: str, pattern: str, limit: int, at: str | None
) -> AsyncIterator[Found]:
    match kind:
        case "contract":
            for match in await client.search_contracts(pattern, limit, at=at):
                yield Found(kind, match.name, str(match.contract))
        case "venue":
            words = pattern.casefold().split()
            for venue in VENUES.values():
                text = f"{venue.code} {venue.name}".casefold()
                if all(word in text for word in words) and limit:
                    limit -= 1
                    yield Found(kind, venue.name, venue.code)
        case _:
            search = client.search_markets if kind == "market" else client.search_instruments
            for product in await search(pattern, limit):
                yield Found(kind, product.name, str(product.id))


@click.command(
    cls=ApiCommand,
    example='show "TTF Hi Cal 51.6*" --at 2024-03-04 --sandbox',
)
@click.argument("name", nargs=-1, required=True)
@click.option(
    "--at", type=Time(), help=f"From when on periods are listed; now by default. {TIME_HELP}"
)
def show(name: tuple[str, ...], at: str | None) -> None:
    """Show what has a NAME: a market or an instrument, a sequence, or a contract."""
    wanted = " ".join(name)

    async def described() -> str:
        async with connection().client() as client:
            for found in (_product, _sequence):
                if text := await found(client, wanted, at):
                    return text
            try:
                return _contract(await client.describe(wanted))
            except TrayportLookupError as error:
                products = [match.name for match in await client.search_markets(wanted, 3)]
                if not products:
                    raise
                advice = f"{error.suggestion} Products are called {', '.join(products)}"
                raise TrayportLookupError(error.args[0], suggestion=advice) from error

    click.echo(run_async(described()))


async def _product(client: TrayportClient, wanted: str, at: str | None) -> str | None:
    """A market or an instrument, with its sequences."""
    for is_market, search in ((True, client.search_markets), (False, client.search_instruments)):
        for match in await search(wanted, 1):
            if _same(match.name, wanted) and match.id is not None:
                reference = client.reference
                if is_market:
                    details: Any = await reference.get_market_by_id(match.id)
                    sequences = await reference.get_market_sequences(match.id)
                else:
                    details = await reference.get_instrument_by_id(match.id)
                    sequences = await reference.get_instrument_sequences(match.id)
                lines = [
                    ("market" if is_market else "instrument", str(match.id)),
                    ("prices", unit_of(details).text),
                    *[(one.name, await _periods(client, one.id, at)) for one in sequences],
                ]
                return f"{match.name}\n{_lines(lines)}"
    return None


async def _sequence(client: TrayportClient, wanted: str, at: str | None) -> str | None:
    """A sequence, by name or id, with its periods."""
    for one in await client.reference.get_sequences():
        if wanted == str(one.id) or _same(one.name, wanted):
            lines = [("sequence", str(one.id)), ("periods", await _periods(client, one.id, at))]
            return f"{one.name}\n{_lines(lines)}"
    return None


async def _periods(client: TrayportClient, sequence: int, at: str | None) -> str:
    """The first periods of a sequence."""
    items = await client.reference.get_sequence_items(sequence, at)
    more = f" and {len(items) - ITEMS_SHOWN:,} more" if len(items) > ITEMS_SHOWN else ""
    return ", ".join(item.name for item in items[:ITEMS_SHOWN]) + more or "none from then on"


def _contract(contract: ContractDescription) -> str:
    dates = {
        "delivery": (contract.period_start, contract.period_end),
        "traded": (contract.trading_start, contract.trading_end),
    }
    lines = [
        ("symbol", str(contract.contract)),
        ("product", contract.product_name),
        ("sequence", contract.sequence_name),
        *(
            (what, " to ".join("?" if day is None else f"{day:%Y-%m-%d %H:%M} UTC" for day in both))
            for what, both in dates.items()
            if any(both)
        ),
    ]
    return f"{contract.name}\n{_lines(lines)}"


def _same(one: str, other: str) -> bool:
    """Whether two names are the same but for case, spaces and the star of a market."""
    first, second = ("".join(text.casefold().split()).removesuffix("*") for text in (one, other))
    return first == second and one.endswith("*") >= other.endswith("*")


def _lines(rows: Iterable[tuple[str, ...]]) -> str:
    """Cells below each other."""
    rows = list(rows)
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]) - 1)]
    return "\n".join(
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, [*widths, 0], strict=True)).rstrip()
        for row in rows
    )


@click.command(cls=Command, example="venues --active")
@click.option("--active", is_flag=True, help="Only those that are still in use.")
def venues(active: bool, **given: Any) -> None:
    """List the venues that rows may name by their codes."""
    output = Output.taken(given)
    rows = [
        (venue.code, venue.name, venue.kind, venue.active, venue.orders_from)
        for venue in VENUES.values()
        if venue.active or not active
    ]
    schema = ["code", "name", "kind", "active", "orders_from"]
    output.write(
        pl.DataFrame(rows, schema=schema, orient="row"), counted(len(rows), "venue"), quiet=False
    )


venues.params += output_options()


COMMANDS = {"find": find, "show": show, "venues": venues}
