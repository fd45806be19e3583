"""How commands take contracts: by name or symbol, one by one or from a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

import click

EXAMPLE_CONTRACT = "TTF Hi Cal 51.6* Apr-24"
CONTRACT_HELP = (
    f'A contract is a name, such as "{EXAMPLE_CONTRACT}" (a market ends in *), or a symbol, '
    'such as "10000065*#Single#10000305#244#0".'
)


def contracts_parameters() -> list[click.Parameter]:
    """Contracts, and a file of more."""
    return [
        click.Argument(["contracts"], nargs=-1),
        click.Option(
            ["--contracts-file"],
            type=click.File(encoding="utf-8-sig", errors="replace"),
            help="A file with one contract a line; # begins a comment, - is standard input.",
        ),
    ]


def with_file(contracts: Iterable[str], file: TextIO | None) -> list[str]:
    """Contracts, and those of a file; a comment begins with # after a space."""
    # The # of a symbol has no space before it.
    lines = [] if file is None else [f" {line}".partition(" #")[0].strip() for line in file]
    return [*contracts, *filter(None, lines)]
