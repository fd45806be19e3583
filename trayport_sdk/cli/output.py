"""What becomes of a table: a file, a table on the terminal, or lines for another program."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, Literal, TypeAlias

import attrs
import click
import polars as pl
from attrs import field, frozen

from ..bulk.result import FailedQuery
from ..query.plan import CONTRACT, QueryPlan, counted
from ..tables import files
from ..tables.convert import NAMES, check_zone, converted
from ..tables.formats import FORMATS, SEPARATORS, FileFormat
from ..tables.output import check_writable
from ..tables.time_units import ON_LOSS, TIME_UNITS
from .connection import connection
from .words import option_name

Style: TypeAlias = Literal["table", "csv", "json"]

ENDINGS = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
FILE_OPTIONS = ("time_unit", "on_loss", "separator", "decimal_comma", "bom", "guard_formulas")
ROWS_SHOWN = 20
CHUNK = 1 << 14
WIDEST_TEXT, WIDE = 40, 32
# What gives way where the terminal is narrow; the last ones first.
LATER = (
    {"bid_quantity", "ask_quantity", "aggressor_buy"},
    {"last_deal_date", "to_timestamp", "period_start", "period_end", "venue_code"},
    {"trade_id", "route"},
)
SHORT_NAMES = {
    "last_trade_price": "last_price",
    "last_trade_deal_date": "last_deal_date",
    **{
        f"best_orders_{side}_{what}": f"{side}_{what}"
        for side in ("bid", "ask")
        for what in ("price", "quantity")
    },
}


def output_options() -> list[click.Option]:
    """Where a table goes, and how it is written."""
    separators = ["tab" if separator == "\t" else separator for separator in SEPARATORS]
    styles = {
        "table": "Show a table; without this, in a pipe it is CSV.",
        "csv": "Print CSV.",
        "json": "Print JSON Lines.",
    }
    return [
        click.Option(["--out"], metavar="FILE", help=f"The file to write: {ENDINGS}."),
        *(
            click.Option([f"--{style}", "style"], flag_value=style, help=text)
            for style, text in styles.items()
        ),
        click.Option(
            ["--rows"],
            type=click.IntRange(1),
            default=ROWS_SHOWN,
            show_default=True,
            help="How many rows of the table to show.",
        ),
        click.Option(
            ["--tz"], metavar="ZONE", help="The time zone of what is shown; UTC by default."
        ),
        *time_options(),
        click.Option(
            ["--separator"],
            type=click.Choice(separators),
            help="CSV, with --out: the character between values.",
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


@frozen
class Output:
    """Where a table goes.

    Attributes:
        file: The file; None for standard output.
        options: How the file is written.
        style: How it is printed.
        rows: How many rows of a table are shown.
        tz: The time zone of what is printed.
    """

    file: str | None
    options: dict[str, Any] = field(factory=dict[str, Any])
    style: Style = "table"
    rows: int = ROWS_SHOWN
    tz: str | None = None

    @classmethod
    def taken(cls, given: dict[str, Any]) -> Output:
        """Takes the options out of the arguments of a command, and checks them.

        Raises:
            TrayportValidationError: There can be no such file, or no such time zone.
            UsageError: Options do not go together.
        """
        chosen = {name: given.pop(name) for name in FILE_OPTIONS}
        options = {name: value for name, value in chosen.items() if value}
        if chosen["guard_formulas"] is False:
            options["guard_formulas"] = False
        if options.get("separator") == "tab":
            options["separator"] = "\t"
        file, style, rows, tz = (given.pop(name) for name in ("out", "style", "rows", "tz"))
        if file is not None:
            for option, value in ((f"--{style}", style), ("--tz", tz)):
                if value is not None:
                    raise click.UsageError(f"{option} is about what is shown, not about --out")
            FileFormat.of_path(file, options, parameter="out")
            check_writable(file)
        elif options:
            raise click.UsageError(f"{option_name(next(iter(options)))} needs --out")
        if tz is not None:
            check_zone(tz)
        return cls(file, options, style or ("table" if on_terminal() else "csv"), rows, tz)

    @property
    def is_table(self) -> bool:
        """Whether people are shown a table."""
        return self.file is None and self.style == "table"

    def write(self, frame: pl.DataFrame, summary: str, *, quiet: bool) -> None:
        """Writes a table, and says what it is beside it."""
        frame = converted(frame, self.tz, decimal=False)
        if self.file is not None:
            files.write(frame, self.file, FileFormat.of_path(self.file).kind, **self.options)
            summary = f"{click.format_filename(self.file)}: {summary}"
        elif self.is_table:
            click.echo(shown(readable(frame), self.rows))
        else:
            encoded = BytesIO()
            kind = ".csv" if self.style == "csv" else ".jsonl"
            files.encode([frame], encoded, FileFormat(kind))
            text = encoded.getvalue().decode()
            for start in range(0, len(text), CHUNK):  # a longer one may be cut off silently
                click.echo(text[start : start + CHUNK], nl=False)
        if not quiet:
            click.echo(summary, err=self.file is None)


def as_json(value: object) -> str:
    """A report as a JSON object."""
    return json.dumps(value, indent=2, default=_plain)


def _plain(value: Any) -> Any:
    """A value as JSON has it, or at least what it consists of."""
    if isinstance(value, QueryPlan | FailedQuery):
        return value.to_dict()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return attrs.asdict(value, recurse=False)


json_option = click.option("--json", "as_object", is_flag=True, help="Print a JSON object.")


def in_short(summary: str) -> str:
    """What a table says of itself, as far as people want to know it each time."""
    found = re.match(r".*? requests?", summary)
    return found[0] if found and not connection().verbose else summary


def on_terminal() -> bool:
    """Whether people read standard output, and no program."""
    return sys.stdout.isatty()


def readable(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with one column for the contract: its name, or its symbol where that is unknown."""
    name, period = NAMES
    frame = frame.rename(SHORT_NAMES, strict=False)
    if name not in frame.columns:
        return frame
    ids = [n for n in frame.columns if n.startswith("contract_")]
    contract = pl.coalesce(name, "contract").alias("contract")
    return frame.with_columns(contract).drop(*ids, period, strict=False)


def shown(frame: pl.DataFrame, rows: int) -> str:
    """A table as the terminal shows it: as many columns as fit, and so many rows at most."""
    width = shutil.get_terminal_size().columns
    frame, zone = _short_times(frame)
    with pl.Config(
        tbl_rows=rows,
        tbl_cols=-1,
        fmt_str_lengths=WIDEST_TEXT,
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        tbl_formatting="UTF8_FULL_CONDENSED",
        tbl_cell_numeric_alignment="RIGHT",
    ):
        columns = _fitting(frame, width)
        with pl.Config(tbl_width_chars=width):
            lines = [str(frame.select(columns))]
    if hidden := [name for name in frame.columns if name not in columns]:
        lines.append(f"more columns: {', '.join(hidden)}")
    if zone:
        lines.append(f"times in {zone}")
    if frame.height > rows:
        lines.append(f"{rows:,} of {counted(frame.height, 'row')}: --rows shows more")
    return "\n".join(lines)


def _short_times(frame: pl.DataFrame) -> tuple[pl.DataFrame, str | None]:
    """The table with times as short as they can be, and their zone, where there are any."""
    zone: str | None = None
    for name, kind in frame.schema.items():
        if isinstance(kind, pl.Datetime):
            zone, time = kind.time_zone, pl.col(name)
            is_date = frame.select((time.dt.time() == pl.time()).all()).item()
            form = "%Y-%m-%d" if is_date else "%Y-%m-%d %H:%M:%S%.f"
            frame = frame.with_columns(time.dt.strftime(form))
    return frame, zone


def _fitting(frame: pl.DataFrame, width: int) -> Sequence[str]:
    """The columns that fit beside each other, one at least; long texts come last."""
    with pl.Config(tbl_width_chars=10**4):
        widths = {
            name: len(str(frame.select(name)).partition("\n")[0]) - 1 for name in frame.columns
        }
    fitting, left = list[str](), width - 1

    def place(name: str) -> int:
        is_wide = name != CONTRACT and widths[name] > WIDE
        return (
            len(LATER) if is_wide else next((n for n, own in enumerate(LATER) if name in own), -1)
        )

    for name in sorted(widths, key=place):
        left -= widths[name]
        if left < 0 and fitting:
            break
        fitting.append(name)
    return fitting
