from pathlib import Path

import polars as pl
import pytest

from trayport_sdk import TrayportValidationError, export

FRAME = pl.DataFrame(
    {
        "deal_date": pl.Series([1709546523123456789], dtype=pl.Int64).cast(
            pl.Datetime("ns", "UTC")
        ),
        "price": [26.475],
        "contract": [{"market_id": 10000065, "second_sequence_item_id": None}],
    }
)
STAMP = "2024-03-04T10:02:03.123456789Z"


def test_csv_flattens_nested_columns_and_keeps_every_nanosecond(tmp_path: Path) -> None:
    export.write(FRAME, tmp_path / "a.csv", ".csv")
    assert (tmp_path / "a.csv").read_text().splitlines() == [
        "deal_date,price,contract_market_id,contract_second_sequence_item_id",
        f"{STAMP},26.475,10000065,",
    ]


def test_csv_has_a_row_per_order_of_a_book_with_side_and_level(tmp_path: Path) -> None:
    orders = pl.List(pl.Struct({"price": pl.Float64, "own": pl.Struct({"id": pl.Int64})}))
    books = pl.DataFrame(
        {
            "timestamp": [1, 2, 3],
            "bids": [[{"price": 9.0, "own": {"id": 7}}, {"price": 8.0, "own": None}], [], []],
            "asks": [[{"price": 9.5, "own": None}], [], [{"price": 10.0, "own": None}]],
            "venue": ["EEX7", "ICE", "ICE"],
        },
        schema_overrides={"bids": orders, "asks": orders},
    )
    export.write(books, tmp_path / "a.csv", ".csv")
    assert (tmp_path / "a.csv").read_text().splitlines() == [
        "timestamp,venue,side,level,price,own_id",
        "1,EEX7,bid,0,9.0,7",
        "1,EEX7,bid,1,8.0,",
        "1,EEX7,ask,0,9.5,",
        "2,ICE,,,,",
        "3,ICE,ask,0,10.0,",
    ]


def test_a_table_of_no_books_has_the_columns_of_one_in_csv(tmp_path: Path) -> None:
    orders = pl.List(pl.Struct({"price": pl.Float64}))
    books = pl.DataFrame(schema={"timestamp": pl.Int64, "bids": orders, "asks": orders})
    export.write(books, tmp_path / "a.csv", ".csv")
    assert (tmp_path / "a.csv").read_text() == "timestamp,side,level,price\n"


def test_times_are_written_out_however_deep_they_lie() -> None:
    time = pl.Datetime("ns", "UTC")
    nested = pl.List(pl.Struct({"at": time, "more": pl.Struct({"at": time})}))
    frame = pl.DataFrame(
        {"a": [[{"at": 0, "more": None}, None], [], None]},
        schema={"a": nested},
        strict=False,
    )
    written = export.texts(frame)["a"].to_list()
    assert written == [[{"at": "1970-01-01T00:00:00.000000000Z", "more": None}, None], [], None]


def test_json_lines_keep_the_nesting_and_every_nanosecond(tmp_path: Path) -> None:
    export.write(FRAME, tmp_path / "a.jsonl", ".jsonl")
    assert f'"deal_date":"{STAMP}"' in (tmp_path / "a.jsonl").read_text()
    assert pl.read_ndjson(tmp_path / "a.jsonl")["contract"][0]["market_id"] == 10000065


def test_parquet_reads_back_as_the_same_table(tmp_path: Path) -> None:
    export.write(FRAME, tmp_path / "a.parquet", ".parquet")
    assert pl.read_parquet(tmp_path / "a.parquet").equals(FRAME)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.parquet").write_text("old")

    def full(_: pl.DataFrame, path: Path, **__: object) -> None:
        path.write_text("half")
        raise OSError("no space left")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    with pytest.raises(OSError, match="no space left"):
        export.write(FRAME, tmp_path / "a.parquet", ".parquet")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.parquet", "old")]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "a.csv").symlink_to(tmp_path / "real" / "b.csv")
    export.write(FRAME, tmp_path / "a.csv", ".csv")
    assert (tmp_path / "a.csv").is_symlink()
    assert (tmp_path / "real" / "b.csv").is_file()


@pytest.mark.parametrize("name", ["a", "a.xlsx", "a.parquet.gz"])
def test_an_unknown_ending_is_refused_with_the_known_ones_listed(name: str) -> None:
    with pytest.raises(TrayportValidationError, match=r"\.parquet, \.csv, \.jsonl"):
        export.file_format(name)


def test_a_path_that_cannot_be_written_is_noticed_beforehand(tmp_path: Path) -> None:
    with pytest.raises(TrayportValidationError, match="is a directory"):
        export.check_writable(tmp_path)
    with pytest.raises(TrayportValidationError, match="does not exist"):
        export.check_writable(tmp_path / "no" / "a.csv")
    export.check_writable(tmp_path / "a.csv")
