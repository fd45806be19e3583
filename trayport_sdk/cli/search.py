"""The command that finds names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from .signals import run_async
from .words import client_of

if TYPE_CHECKING:
    from ..resources.search import Match

KINDS = ("contracts", "markets", "instruments")


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--kind", type=click.Choice(KINDS), default=KINDS[0], show_default=True)
@click.option("--limit", type=int, default=10, show_default=True, help="How many at most.")
@click.option("--at", help="The time that M+1 and the like count from; now when left out.")
@click.option("--sandbox", is_flag=True, help="Search the offline sandbox; needs no key.")
def search(words: tuple[str, ...], kind: str, limit: int, at: str | None, sandbox: bool) -> int:
    """Find contracts, markets or instruments by WORDS of their names, best first.

    A delivery period is written as people do: apr 24, 2024-04, Q2 24, M+1.
    """
    pattern = " ".join(words)

    async def find() -> Sequence[Match]:
        async with client_of(sandbox=sandbox) as client:
            match kind:
                case "markets":
                    return await client.search_markets(pattern, limit)
                case "instruments":
                    return await client.search_instruments(pattern, limit)
                case _:
                    return await client.search_contracts(pattern, limit, at=at)

    found = run_async(find())
    width = max((len(match.name) for match in found), default=0)
    for match in found:
        click.echo(f"{match.name:{width}}  {match.contract or match.id}")
    if not found:
        click.echo(f"trayport: nothing is named like {pattern!r}", err=True)
    return 0 if found else 1
