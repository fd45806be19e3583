"""The options of commands that write a table to a file."""

from __future__ import annotations

from typing import Any

import click

from ..tables.formats import FORMATS, SEPARATORS, FileFormat
from ..tables.output import check_writable
from ..tables.time_units import ON_LOSS, TIME_UNITS
from .words import option_name

ENDINGS = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
NAMES = ("time_unit", "on_loss", "separator", "decimal_comma", "bom", "guard_formulas")


def file_options() -> list[click.Option]:
    """The file, and how it is written."""
    separators = ["tab" if separator == "\t" else separator for separator in SEPARATORS]
    return [
        click.Option(["--out"], help=f"The file to write: {ENDINGS}. Left out, a table is shown."),
        *time_options(),
        click.Option(
            ["--separator"], type=click.Choice(separators), help="CSV: what is between cells."
        ),
        click.Option(["--decimal-comma"], is_flag=True, help="CSV: numbers with a comma."),
        click.Option(["--bom"], is_flag=True, help="CSV: begin with a byte order mark, for Excel."),
        click.Option(
            ["--guard-formulas/--no-guard-formulas"],
            default=None,
            help="CSV: an apostrophe before text that a spreadsheet would run; by default with "
            "--decimal-comma or --bom.",
        ),
    ]


def time_options() -> list[click.Option]:
    """The unit of times in files."""
    return [
        click.Option(
            ["--time-unit"], type=click.Choice(TIME_UNITS), help="The unit of times in the file."
        ),
        click.Option(
            ["--on-loss"],
            type=click.Choice(ON_LOSS),
            help="Whether a time with a part below the unit is an error, or <column>_ns keeps it.",
        ),
    ]


def taken_file_options(out: str | None, given: dict[str, Any]) -> dict[str, Any]:
    """Takes how the file is written out of the arguments of a command, and checks it.

    Raises:
        TrayportValidationError: There can be no such file.
        UsageError: There is no file.
    """
    chosen = {name: given.pop(name) for name in NAMES}
    options = {name: value for name, value in chosen.items() if value not in (None, False)}
    if chosen["guard_formulas"] is False:
        options["guard_formulas"] = False
    if options.get("separator") == "tab":
        options["separator"] = "\t"
    if out is not None:
        FileFormat.of_path(out, options, parameter="out")
        check_writable(out)
    elif options:
        raise click.UsageError(f"{option_name(next(iter(options)))} needs --out")
    return options
