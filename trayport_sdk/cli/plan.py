"""The command that says what a download would take, without sending anything."""

from __future__ import annotations

import json
import warnings
from datetime import UTC, datetime
from typing import TextIO

import click

from ..http.limiter import RequestLimiter
from ..http.session import limits_of
from ..resources.estimates import duration, explain
from ..resources.planner import planned
from ..settings import Settings

contracts_file = click.option(
    "--contracts-file",
    "file",
    type=click.File(encoding="utf-8-sig", errors="replace"),
    help="A file with one contract a line; - for standard input.",
)


def with_file(contracts: tuple[str, ...], file: TextIO | None) -> list[str]:
    """Contracts, and those of a file."""
    lines = [] if file is None else [line.strip() for line in file]
    return [*contracts, *filter(None, lines)]


@click.command()
@click.argument("contracts", nargs=-1)
@contracts_file
@click.option(
    "--endpoint",
    default="trades",
    show_default=True,
    help="What to ask for, such as trades, private_trades, ohlcv, last_trade, order_book_top, "
    "order_book or snapshots.",
)
@click.option("--from", "from_", help="Start, inclusive, in ISO-8601; UTC.")
@click.option("--until", help="End, exclusive; the end of the data when left out.")
@click.option("--at", help="The instant, for last trades and snapshots.")
@click.option("--interval", help="Such as 15m, 1h or 1d, for candles and order books.")
@click.option("--field", "fields", multiple=True, help="An optional field to add; repeatable.")
@click.option("--route", "routes", multiple=True, help="A route by name or id, or 'all'.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as a JSON list.")
def plan(
    contracts: tuple[str, ...],
    file: TextIO | None,
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

    Sends nothing and needs no key, so contracts are symbols, such as
    "10000065*#Single#10000305#244#0". The time is that of a key that is not in use.
    """
    settings = Settings()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        plans = planned(
            with_file(contracts, file),
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
