"""Options of files: which go together, and CSV for spreadsheets."""

from __future__ import annotations

import csv
from codecs import BOM_UTF8
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from trayport_sdk import TrayportValidationError
from trayport_sdk.tables import files
from trayport_sdk.tables.formats import FORMATS, FileFormat

TEXTS = [
    "=1+1",
    "+1",
    "-",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "\nx",
    "\uff1d1",
    "a=1",
    "'x",
    "",
    "10#S",
    "ü;,",
]
CELLS = pl.DataFrame(
    {
        "text": TEXTS,
        "price": [-26.475] * len(TEXTS),
        "quantity": [Decimal("-0.50")] * len(TEXTS),
        "count": [-3] * len(TEXTS),
    },
    schema_overrides={"quantity": pl.Decimal(38, 2)},
)


@pytest.mark.parametrize(
    ("kind", "options", "parameter", "message"),
    [
        (".parquet", {"separator": ";"}, "separator", "does not go with .parquet files"),
        (".jsonl", {"bom": True}, "bom", r"write \.csv"),
        (".arrow", {"decimal_comma": True}, "decimal_comma", r"leave it out, or write \.csv"),
        (".jsonl", {"guard_formulas": True}, "guard_formulas", r"\.csv"),
        (".csv", {"compression": "zstd"}, "compression", r"write \.parquet or \.arrow"),
        (".parquet", {"compression": "snappy"}, "compression", "'snappy' is unknown"),
        (".csv", {"separator": ";;"}, "separator", r"'\\t'"),
        (".csv", {"decimal_comma": True}, "separator", 'separator=";"'),
        (".csv", {"time_unit": "s"}, "time_unit", "ns, us, ms"),
        (".csv", {"time_unit": "us", "on_loss": "cut"}, "on_loss", "raise, extra_column"),
        (".csv", {"on_loss": "extra_column"}, "on_loss", "time_unit"),
        (".csv", {"seperator": ";"}, "seperator", "separator"),
    ],
)
def test_options_that_cannot_work_are_refused_before_anything_is_done(
    kind: str, options: dict[str, Any], parameter: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(TrayportValidationError, match=message) as refused:
        files.write(CELLS, tmp_path / "a", kind, **options)
    assert refused.value.parameter == parameter
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", FORMATS)
def test_options_at_their_defaults_go_with_every_format(kind: str) -> None:
    form = FileFormat(kind, "none", separator=",", decimal_comma=False, bom=False)
    assert form.codec == "none"
    assert FileFormat(kind).codec == ("zstd" if kind in (".parquet", ".arrow") else "none")


@pytest.mark.parametrize(
    ("options", "is_guarded"),
    [
        ({}, False),
        ({"separator": ";"}, False),
        ({"bom": True}, True),
        ({"separator": ";", "decimal_comma": True}, True),
        ({"bom": True, "guard_formulas": False}, False),
        ({"separator": "|", "guard_formulas": True}, True),
    ],
)
def test_text_is_guarded_where_a_spreadsheet_reads_it_and_numbers_never_are(
    options: dict[str, Any], is_guarded: bool, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    files.write(CELLS, path, ".csv", **options)
    assert path.read_bytes().startswith(BOM_UTF8) == options.get("bom", False)
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file, delimiter=options.get("separator", ","))
    assert header == CELLS.columns
    expected = [f"'{text}" if is_guarded and n < 8 else text for n, text in enumerate(TEXTS)]
    assert [row[0] for row in rows] == expected
    numbers = ["-26.475", "-0.50", "-3"]
    if options.get("decimal_comma"):
        numbers = [text.replace(".", ",") for text in numbers]
    assert {tuple(row[1:]) for row in rows} == {tuple(numbers)}


def test_other_programs_read_the_csv_of_a_spreadsheet(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    table = pl.DataFrame({"name": ["ü;x", None], "price": [-1.25, 1e-7]})
    files.write(table, path, ".csv", separator=";", decimal_comma=True, bom=True)
    assert pl.read_csv(path, separator=";", decimal_comma=True).equals(table)
    query = "select name, price from read_csv(?, delim=';', decimal_separator=',')"
    with duckdb.connect() as connection:
        assert connection.execute(query, [str(path)]).fetchall() == table.rows()


def test_a_file_of_many_pieces_has_one_mark_and_one_header(tmp_path: Path) -> None:
    table = pl.DataFrame({"n": range(50_000)})
    files.write(table, tmp_path / "a.csv", ".csv", bom=True)
    content = (tmp_path / "a.csv").read_bytes()
    assert (content.count(BOM_UTF8), content.count(b"n")) == (1, 1)
    assert content.count(b"\n") == 50_001
