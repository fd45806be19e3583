"""Files read back: with the types they had, in bounded memory, and never wrong in silence."""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
import zlib
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trayport_sdk import (
    TableResponse,
    TrayportClient,
    TrayportDecodeError,
    TrayportValidationError,
    decode_file,
    open_dataset,
)
from trayport_sdk.tables import files
from trayport_sdk.tables.convert import texts

brotli: Any = import_module("brotli")  # it has no types

APRIL = "10000065*#Single#10000305#244#0"
DAY = ("2024-03-04", "2024-03-05")


@pytest.fixture(scope="module")
def tables() -> dict[str, TableResponse[Any]]:
    """A table of each endpoint."""

    async def main() -> dict[str, TableResponse[Any]]:
        async with TrayportClient.sandbox() as client:
            trades, orders = client.trades, client.orders
            return {
                "trades": await trades.get_trades(APRIL, *DAY),
                "with_contract": await trades.get_trades(
                    APRIL, *DAY, optional_fields=["contract", "route"], include_private=True
                ),
                "private": await trades.get_private_trades("2024-03-04", "2024-03-08"),
                "candles": await trades.get_ohlcv(APRIL, *DAY, "1h", optional_fields="vwap"),
                "activity": await trades.get_activity(*DAY),
                "top": await orders.get_order_book_top(APRIL, *DAY, "1h"),
                "book": await orders.get_order_book(APRIL, *DAY, "6h", depth=3),
                "snapshots": await client.snapshots.get_snapshots(APRIL, at="2024-03-05"),
            }

    return asyncio.run(main())


FORMATS = (".parquet", ".arrow", ".jsonl")
NAMES = ["trades", "with_contract", "private", "candles", "activity", "top", "book", "snapshots"]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", NAMES)
def test_what_was_written_reads_back_with_its_types(
    name: str, kind: str, tables: dict[str, TableResponse[Any]], tmp_path: Path
) -> None:
    table = tables[name].to_polars()
    assert table.height
    files.write(table, tmp_path / f"a{kind}", kind)
    found = open_dataset(tmp_path / f"a{kind}")
    if kind == ".jsonl":
        assert found.collect().to_dicts() == texts(table).to_dicts()
        return
    assert found.collect_schema() == table.schema
    assert found.collect().equals(table)


@pytest.mark.parametrize("kind", [".parquet", ".arrow"])
@pytest.mark.parametrize("name", NAMES)
def test_arrow_reads_the_same(
    name: str, kind: str, tables: dict[str, TableResponse[Any]], tmp_path: Path
) -> None:
    table = tables[name].to_polars()
    files.write(table, tmp_path / f"a{kind}", kind)
    found = open_dataset(tmp_path / f"a{kind}", backend="arrow").to_table()
    assert pl.DataFrame(found).equals(table)


@pytest.mark.parametrize("backend", ["polars", "arrow"])
@pytest.mark.parametrize("kind", FORMATS)
def test_a_directory_is_one_table_in_the_order_of_the_names(
    kind: str, backend: Any, tables: dict[str, TableResponse[Any]], tmp_path: Path
) -> None:
    table = tables["trades"].to_polars()
    for number, part in enumerate(table.iter_slices(1000)):
        files.write(part, tmp_path / f"{number}{kind}", kind)
    (tmp_path / f".{kind}.half").write_text("half")
    found = open_dataset(tmp_path, backend=backend)
    rows = found.collect() if backend == "polars" else pl.DataFrame(found.to_table())
    assert rows["trade_id"].to_list() == table["trade_id"].to_list()


def test_what_cannot_be_opened_is_said_clearly(tmp_path: Path) -> None:
    def refused(path: Path, **options: Any) -> str:
        with pytest.raises(TrayportValidationError) as error:
            open_dataset(path, **options)
        return str(error.value)

    assert "does not exist" in refused(tmp_path / "a.jsonl")
    assert "a directory without files" in refused(tmp_path)
    (tmp_path / "a.jsonl").write_text("")
    assert "is empty" in refused(tmp_path / "a.jsonl")
    assert "is empty" in refused(tmp_path)
    (tmp_path / "a.jsonl").write_text("{}\n")
    (tmp_path / "a.parquet").write_text("x")
    assert "several formats: .jsonl, .parquet" in refused(tmp_path)
    for name in ("a.xlsx", "a.csv"):
        (tmp_path / name).write_text("x")
        assert "has no known ending" in refused(tmp_path / name)
    assert "backend 'pandas'" in refused(tmp_path / "a.jsonl", backend="pandas")


ROW = {
    "tradeId": "a",
    "venueCode": "EEX7",
    "dealDate": 1_709_546_523_123_456_789,
    "price": 26.475,
    "quantity": 1,
    "aggressorBuy": True,
}
BODY = json.dumps([{**ROW, "price": number / 8} for number in range(5000)]).encode()
COMPRESSED = {
    "a.json": BODY,
    "a.json.br": brotli.compress(BODY, quality=4),
    "a.json.gz": gzip.compress(BODY),
    "A.JSON.ZZ": zlib.compress(BODY),
}


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_body_decodes_however_it_is_compressed(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(COMPRESSED[name])
    found = pl.concat(list(decode_file(tmp_path / name)))
    assert found["price"].to_list() == [number / 8 for number in range(5000)]
    assert found["deal_date"].cast(pl.Int64).unique().to_list() == [ROW["dealDate"]]


@pytest.mark.parametrize("name", COMPRESSED)
@pytest.mark.parametrize("cut", [0, 1, 20, -1])
def test_a_body_that_is_cut_is_an_error(name: str, cut: int, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(COMPRESSED[name][:cut])
    with pytest.raises(TrayportDecodeError):
        list(decode_file(tmp_path / name))


def test_an_error_tells_the_place_in_the_body(tmp_path: Path) -> None:
    row = json.dumps(ROW)
    (tmp_path / "a.json").write_text(f"[{row},{row.replace('26.475', 'true')}]")
    with pytest.raises(TrayportDecodeError) as raised:
        list(decode_file(tmp_path / "a.json"))
    assert (raised.value.row, raised.value.field) == (1, "price")
    assert raised.value.offset is not None
    assert "a.json" in raised.value.__notes__[0]


def test_columns_are_those_that_were_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"[]")
    (plain,) = decode_file(tmp_path / "a.json")
    (more,) = decode_file(tmp_path / "a.json", optional_fields="route", include_private=True)
    private = [name for name in more.columns if name.startswith("private_fields_")]
    assert [*plain.columns, "route", *private] == more.columns
    assert private
    (candles,) = decode_file(tmp_path / "a.json", "ohlcv")
    assert candles.columns[0] == "from_timestamp"


def test_what_cannot_be_decoded_is_refused_at_once(tmp_path: Path) -> None:
    for name in ("a.json", "a.txt", "a.parquet.br"):
        (tmp_path / name).write_bytes(b"[]")
    for path, endpoint, parameter in [
        ("b.json", "trades", "path"),
        ("a.txt", "trades", "path"),
        ("a.parquet.br", "trades", "path"),
        ("a.json", "tickers", "endpoint"),
    ]:
        with pytest.raises(TrayportValidationError) as refused:
            decode_file(tmp_path / path, endpoint)  # type: ignore[arg-type]
        assert refused.value.parameter == parameter
    with pytest.raises(TrayportValidationError, match="colour"):
        decode_file(tmp_path / "a.json", optional_fields=["colour"])  # type: ignore[list-item]


def test_a_file_that_is_left_in_the_middle_is_closed(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(BODY)
    frames = decode_file(tmp_path / "a.json")
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    assert str(tmp_path) not in Path("/proc/self/maps").read_text()


GROWTH = """
import sys
from trayport_sdk import decode_file

def peak():
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return int(status["VmHWM"].split()[0]) * 1024

for path in sys.argv[1:]:
    before = peak()
    rows = sum(frame.height for frame in decode_file(path))
print(rows, peak() - before)
"""


def test_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    """Much less than the file, which is mapped: what was read does not stay."""
    rows = json.dumps([ROW] * 50_000).encode()[1:-1]
    paths = [tmp_path / "small.json", tmp_path / "large.json"]
    for path, times in zip(paths, (1, 12), strict=True):
        path.write_bytes(b"[" + b",".join([rows] * times) + b"]")
    measured = subprocess.run(
        [sys.executable, "-c", GROWTH, *map(str, paths)],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    count, growth = map(int, measured.stdout.split())
    assert count == 600_000
    assert growth < paths[1].stat().st_size / 2


def test_a_file_of_json_lines_without_rows_adds_none_to_those_beside_it(tmp_path: Path) -> None:
    frame = pl.DataFrame({"price": [26.475]})
    files.write(frame.clear(), tmp_path / "a.jsonl", ".jsonl")
    files.write(frame, tmp_path / "b.jsonl", ".jsonl")
    assert open_dataset(tmp_path).collect().equals(frame)
    (tmp_path / "b.jsonl").unlink()
    with pytest.raises(TrayportValidationError, match="is empty"):
        open_dataset(tmp_path)
