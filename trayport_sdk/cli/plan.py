"""The command that says what a download would take, without sending anything."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TextIO

import click

from ..http.limiter import RequestLimiter
from ..http.session import limits_of
from ..query.contracts import ContractSpec, looks_like_symbol
from ..resources.estimates import duration, explain
from ..resources.planner import planned
from .connection import TIME_HELP, ApiCommand, Time, connection
from .contracts import EXAMPLE_CONTRACT, contracts_parameters, with_file
from .signals import run_async


@click.command(
    cls=ApiCommand,
    example=f'plan "{EXAMPLE_CONTRACT}" --from 2024-01-01 --until 2024-03-31 --sandbox',
)
@click.option(
    "--endpoint",
    default="trades",
    show_default=True,
    help="What to ask for, such as trades, private_trades, ohlcv, last_trade, order_book_top, "
    "order_book or snapshots.",
)
@click.option("--from", "from_", type=Time(), help=f"Start, inclusive. {TIME_HELP}")
@click.option("--until", type=Time(), help="End, exclusive; the end of the data when left out.")
@click.option("--at", type=Time(), help="The instant, for last trades and snapshots.")
@click.option("--interval", help="Such as 15m, 1h or 1d, for candles and order books.")
@click.option("--field", "fields", multiple=True, help="An optional field to add; repeatable.")
@click.option("--route", "routes", multiple=True, help="A route by name or id, or 'all'.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as a JSON list.")
def plan(
    contracts: tuple[str, ...],
    contracts_file: TextIO | None,
    endpoint: str,
    from_: str | None,
    until: str | None,
    at: str | None,
    interval: str | None,
    fields: tuple[str, ...],
    routes: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show the fewest requests that fetch the data of CONTRACTS, and how long they take.

    For symbols, such as "10000065*#Single#10000305#244#0", nothing is sent and no key is needed;
    names are looked up in the reference data. The time is that of a key that is not in use.
    """
    settings = connection().settings()
    wanted = _resolved(with_file(contracts, contracts_file))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        plans = planned(
            wanted,
            endpoint,
            now=datetime.now(UTC),
            intraday=settings.intraday,
            from_=from_,
            until=until,
            at=at,
            interval=interval,
            optional_fields=fields,
            routes=routes or None,
        )
    for warning in caught:
        click.echo(f"trayport: {warning.message}", err=True)
    if as_json:
        written = ",\n ".join(json.dumps(query.to_dict()) for query in plans)
        click.echo(f"[{written}]")
        return
    idle = RequestLimiter(limits_of(settings)).status()
    click.echo(explain(plans, duration(len(plans), idle)))


def _resolved(contracts: Sequence[str]) -> list[ContractSpec | str]:
    """Contracts, with names looked up where that is possible."""
    can_look_up = connection().sandbox or connection().settings().api_key is not None
    if not can_look_up or all(map(looks_like_symbol, contracts)):
        return [*contracts]

    async def resolve() -> list[ContractSpec | str]:
        async with connection().client() as client:
            return [await client.resolve_contract(contract) for contract in contracts]

    return run_async(resolve())


plan.params[:0] = contracts_parameters()


COMMANDS = {"plan": plan}
