import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.drawn import examples
from trayport_sdk import TrayportValidationError
from trayport_sdk.bulk.writer import AbandonedError, FileWriter
from trayport_sdk.tables import files
from trayport_sdk.tables.convert import texts
from trayport_sdk.tables.files import GROUP_ROWS, encode, gathered
from trayport_sdk.tables.formats import COMPRESSED, FORMATS, Compression, FileFormat

pa: Any = import_module("pyarrow")  # it has no types
pq: Any = import_module("pyarrow.parquet")

FRAME = pl.DataFrame(
    {
        "deal_date": pl.Series([1709546523123456789], dtype=pl.Int64).cast(
            pl.Datetime("ns", "UTC")
        ),
        "price": [26.475],
        "last_trade": [{"price": 26.4, "deal_date": None}],
    }
)
ORDERS = pl.List(pl.Struct({"price": pl.Float64, "own": pl.Struct({"id": pl.Int64})}))
STAMP = "2024-03-04T10:02:03.123456789Z"


def test_text_keeps_every_nanosecond_and_csv_flattens_nested_columns(tmp_path: Path) -> None:
    files.write(FRAME, tmp_path / "a.jsonl", ".jsonl")
    assert f'"deal_date":"{STAMP}"' in (tmp_path / "a.jsonl").read_text()
    assert pl.read_ndjson(tmp_path / "a.jsonl")["last_trade"][0]["price"] == 26.4
    files.write(FRAME, tmp_path / "a.csv", ".csv")
    assert (tmp_path / "a.csv").read_text().splitlines() == [
        "deal_date,price,last_trade_price,last_trade_deal_date",
        f"{STAMP},26.475,26.4,",
    ]


A, B, C = ({"price": n, "own": {"id": 7} if n > 9 else None} for n in (9.5, 9.0, 10.0))


@pytest.mark.parametrize(
    ("sides", "lines"),
    [
        ([([A, B], [C])], ["1,EEX,bid,0,9.5,7", "1,EEX,bid,1,9.0,", "1,EEX,ask,0,10.0,7"]),
        ([([], []), ([], [C])], ["1,EEX,,,,", "2,EEX,ask,0,10.0,7"]),
        ([(None, []), ([], None), (None, [A])], ["1,EEX,,,,", "2,EEX,,,,", "3,EEX,ask,0,9.5,7"]),
        ([], []),
    ],
)
def test_csv_has_a_row_per_order_of_a_book_with_side_and_level(
    sides: list[tuple[Any, Any]], lines: list[str], tmp_path: Path
) -> None:
    books = pl.DataFrame(
        [(n + 1, *both, "EEX") for n, both in enumerate(sides)],
        schema={"timestamp": pl.Int64, "bids": ORDERS, "asks": ORDERS, "venue": pl.String},
        orient="row",
    )
    files.write(books, tmp_path / "a.csv", ".csv")
    header = "timestamp,venue,side,level,price,own_id"
    assert (tmp_path / "a.csv").read_text().splitlines() == [header, *lines]


@pytest.mark.parametrize("finer", ["bids", "asks"])
def test_decimals_of_a_book_keep_all_places_in_csv_when_its_sides_differ(
    finer: str, tmp_path: Path
) -> None:
    def orders(places: int) -> pl.List:
        return pl.List(pl.Struct({"quantity": pl.Decimal(38, places)}))

    coarser = "asks" if finer == "bids" else "bids"
    books = pl.DataFrame(
        {finer: [[{"quantity": Decimal("0.001")}]], coarser: [[{"quantity": Decimal(5)}]]},
        schema={finer: orders(3), coarser: orders(0)},
    )
    files.write(books, tmp_path / "a.csv", ".csv")
    lines = (tmp_path / "a.csv").read_text().splitlines()
    quantities = {line.split(",")[0]: line.split(",")[2] for line in lines[1:]}
    assert quantities == {finer[:-1]: "0.001", coarser[:-1]: "5.000"}


def test_times_are_written_out_however_deep_they_lie() -> None:
    time = pl.Datetime("ns", "UTC")
    nested = pl.List(pl.Struct({"at": time, "more": pl.Struct({"at": time})}))
    frame = pl.DataFrame(
        {"a": [[{"at": 0, "more": None}, None], [], None]},
        schema={"a": nested},
        strict=False,
    )
    written = texts(frame)["a"].to_list()
    assert written == [[{"at": "1970-01-01T00:00:00.000000000Z", "more": None}, None], [], None]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.parquet").write_text("old")

    def full(_: pl.LazyFrame, file: IO[bytes], **__: object) -> None:
        file.write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(pl.LazyFrame, "sink_parquet", full)
    with pytest.raises(OSError, match="no space left"):
        files.write(FRAME, tmp_path / "a.parquet", ".parquet")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.parquet", "old")]


def table(rows: int, start: int = 0) -> pl.DataFrame:
    """Rows of every kind that tables have."""
    number = pl.int_range(start, start + rows, eager=True).alias("number")
    order = pl.struct(
        price=pl.col("number") / 10, own=pl.struct(id=pl.col("number").cast(pl.Int64))
    )
    return number.to_frame().select(
        (pl.lit("a trade, ") + pl.col("number").cast(pl.String)).alias("trade_id"),
        (1709546523123456789 + pl.col("number")).cast(pl.Datetime("ns", "UTC")).alias("deal_date"),
        pl.when(pl.col("number") % 3 > 0).then(pl.col("number") / 7).alias("value"),
        pl.struct(id=pl.col("number"), name=pl.lit(None, pl.String)).alias("contract"),
        *(
            pl.when(pl.col("number") % 5 > 1).then(order.reshape((-1, 1)).arr.to_list())
            .otherwise(pl.lit([], dtype=ORDERS)).cast(ORDERS).alias(side)
            for side in ("bids", "asks")
        ),
    )  # fmt: skip


def pieces(frame: pl.DataFrame, sizes: Sequence[int]) -> Iterator[pl.DataFrame]:
    start = 0
    for size in sizes:
        yield frame.slice(start, size)
        start += size
    yield frame.slice(start)


def read(path: Path) -> Any:
    match path.suffix:
        case ".parquet":
            return pl.read_parquet(path)
        case ".arrow":
            return pl.read_ipc(path)
        case _:
            return path.read_bytes()


def same(one: Any, other: Any) -> bool:
    return bool(one.equals(other)) if isinstance(one, pl.DataFrame) else bool(one == other)


@settings(
    max_examples=examples(25),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    sizes=st.lists(st.integers(0, 90), max_size=6),
    kind=st.sampled_from(FORMATS),
    group=st.integers(1, 40),
)
def test_a_file_of_many_tables_is_that_of_the_whole_table(
    sizes: list[int], kind: str, group: int, tmp_path: Path
) -> None:
    frame = table(120)
    files.write(frame, tmp_path / f"whole{kind}", kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "group_rows", lambda _: group * files.PARTS)
        with FileWriter(tmp_path / f"parts{kind}", FileFormat(kind)) as writer:
            for piece in pieces(frame, sizes):
                writer.write(piece)
            writer.finish()
    assert writer.rows == 120
    assert same(read(tmp_path / f"parts{kind}"), read(tmp_path / f"whole{kind}"))
    if kind in COMPRESSED:
        assert frame.equals(read(tmp_path / f"parts{kind}"))


@given(st.lists(st.integers(0, 12), min_size=1, max_size=8), st.integers(1, 10), st.integers(1, 3))
def test_tables_are_gathered_and_cut_into_groups_of_one_size(
    sizes: list[int], full: int, parts: int
) -> None:
    frame = pl.DataFrame({"a": range(sum(sizes))})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "group_rows", lambda _: full * parts)
        groups = list(gathered(list(pieces(frame, sizes[:-1])), parts))
    assert pl.concat(groups).equals(frame)
    assert all(group.height == full for group in groups[:-1])
    assert 0 < groups[-1].height <= full or (len(groups) == 1 and not frame.height)


@pytest.mark.parametrize("kind", COMPRESSED)
@pytest.mark.parametrize("size", [999, 260_000])
def test_files_consist_of_groups_of_the_same_size(kind: str, size: int, tmp_path: Path) -> None:
    whole = pl.DataFrame({"a": range(260_000)})
    with FileWriter(tmp_path / "a", FileFormat(kind)) as writer:
        for piece in whole.iter_slices(size):
            writer.write(piece)
        writer.finish()
    if kind == ".parquet":
        metadata = pq.ParquetFile(tmp_path / "a").metadata
        rows = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    else:
        reader = pa.ipc.open_file(tmp_path / "a")
        rows = [reader.get_batch(n).num_rows for n in range(reader.num_record_batches)]
    full, rest = (GROUP_ROWS // 2, 10_000) if kind == ".parquet" else (GROUP_ROWS, 60_000)
    assert rows == [*[full] * (260_000 // full), rest]
    assert same(read((tmp_path / "a").rename(tmp_path / f"a{kind}")), whole)


def test_a_format_that_cannot_be_written_is_noticed_beforehand() -> None:
    for name in ("a", "a.xlsx", "a.parquet.gz"):
        with pytest.raises(TrayportValidationError, match=r"\.parquet, \.csv, \.jsonl, \.arrow"):
            FileFormat.of_path(name)


def test_the_codec_is_the_one_that_was_chosen(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [0] * 50_000})
    size: dict[str, int] = {}
    names: dict[Compression, str] = {"zstd": "ZSTD", "lz4": "LZ4", "none": "UNCOMPRESSED"}
    for codec, name in names.items():
        files.write(frame, tmp_path / codec, ".arrow", compression=codec)
        size[codec] = (tmp_path / codec).stat().st_size
        assert pl.read_ipc(tmp_path / codec).equals(frame)
        files.write(frame, tmp_path / codec, ".parquet", compression=codec)
        assert pq.ParquetFile(tmp_path / codec).metadata.row_group(0).column(0).compression == name
    assert size["none"] > 10 * size["lz4"] > 10 * size["zstd"]
    files.write(frame, tmp_path / "a", ".parquet")
    assert pq.ParquetFile(tmp_path / "a").metadata.row_group(0).column(0).compression == "ZSTD"


def writers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "trayport-write"]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_writer_that_is_left_early_changes_nothing(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")

    def interrupted() -> None:
        with FileWriter(tmp_path / "a", FileFormat(kind)) as writer:
            writer.write(table(30_000))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a", "old")]
    assert not writers()


def test_writing_waits_for_a_slow_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may_go_on = threading.Semaphore(0)
    taken = threading.Semaphore(0)

    def slow(frames: Iterator[pl.DataFrame], *_: object) -> None:
        while may_go_on.acquire():
            if next(frames, None) is None:
                return
            taken.release()

    monkeypatch.setattr("trayport_sdk.bulk.writer.encode", slow)
    handed_in = threading.Semaphore(0)
    count = 0

    def produce() -> None:
        nonlocal count
        for _ in range(10):
            writer.write(table_of_60_000)
            count += 1
            handed_in.release()

    table_of_60_000 = pl.DataFrame({"a": range(60_000)})
    with FileWriter(tmp_path / "a", FileFormat(".parquet")) as writer:
        producer = threading.Thread(target=produce)
        producer.start()
        assert handed_in.acquire(timeout=60)
        for number in range(1, 10):
            # A second table has no room beside the first until that is taken.
            assert count == number
            may_go_on.release()
            assert taken.acquire(timeout=60)
            assert handed_in.acquire(timeout=60)
        producer.join()
        may_go_on.release(2)
        writer.finish()
    assert writer.rows == 600_000


def test_waiting_for_room_ends_when_the_file_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(frames: Iterator[pl.DataFrame], *_: object) -> None:
        next(frames)
        begun.set()
        given_up.wait(timeout=60)
        next(frames)

    monkeypatch.setattr("trayport_sdk.bulk.writer.encode", stuck)
    begun, given_up = threading.Event(), threading.Event()
    errors: list[BaseException] = []

    def produce() -> None:
        try:
            for _ in range(3):
                writer.write(pl.DataFrame({"a": range(100_000)}))
        except AbandonedError as error:
            errors.append(error)

    with FileWriter(tmp_path / "a", FileFormat(".parquet")) as writer:
        producer = threading.Thread(target=produce)
        producer.start()
        assert begun.wait(timeout=60)
        writer.abandon()
        given_up.set()
        producer.join()
    assert len(errors) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_table_with_other_columns_spoils_the_file(tmp_path: Path) -> None:
    tables = [pl.DataFrame({"a": range(200_000)}), pl.DataFrame({"b": range(200_000)})]

    def written() -> None:
        with FileWriter(tmp_path / "a", FileFormat(".parquet")) as writer:
            for one in tables:
                writer.write(one)
            writer.finish()

    with pytest.raises(pl.exceptions.PolarsError):
        written()
    assert list(tmp_path.iterdir()) == []


FULL = """
import resource, signal, sys
from pathlib import Path
import polars as pl
from trayport_sdk.tables.formats import FileFormat
from trayport_sdk.bulk.writer import FileWriter

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
path, *kinds = sys.argv[1:]
frame = pl.DataFrame({"a": range(100_000)}).select(pl.col("a").hash().cast(pl.String))
for kind in kinds:
    try:
        with FileWriter(path, FileFormat(kind)) as writer:
            for _ in range(50):
                writer.write(frame)
            writer.finish()
    except OSError as error:
        print(kind, error.errno, error.filename == path, error.__notes__[0].split(",")[0])
    print([one.name for one in Path(path).parent.iterdir()])
"""


def test_a_disk_that_is_full_is_an_error_of_the_system(tmp_path: Path) -> None:
    printed = python(FULL, str(tmp_path / "a"), *FORMATS).stdout
    assert printed == "".join(f"{kind} 27 True make room on the disk\n[]\n" for kind in FORMATS)


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={"PYTHONPATH": ":".join(sys.path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )


def test_the_error_of_the_source_of_the_tables_is_the_error_of_the_call(tmp_path: Path) -> None:
    def broken() -> Iterator[pl.DataFrame]:
        yield from table(30_000).iter_slices(9_000)
        raise LookupError("no more")

    for kind in FORMATS:
        with (tmp_path / "a").open("wb") as file, pytest.raises(LookupError, match="no more"):
            encode(broken(), file, FileFormat(kind))
