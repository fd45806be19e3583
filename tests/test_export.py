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
