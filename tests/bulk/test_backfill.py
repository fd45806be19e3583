"""Data sets: what they hold after growing, failing, damage and corrections."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from trayport_sdk import (
    BackfillReport,
    ContractSpec,
    Settings,
    TrayportClient,
    TrayportDatasetError,
    TrayportLookupError,
    TrayportPartialFailureError,
    TrayportValidationError,
    changes,
    open_dataset,
    prune,
    with_time_unit,
)
from trayport_sdk.bulk import manifest
from trayport_sdk.bulk.dataset_writer import DatasetWriter, now_in_nanoseconds, writing
from trayport_sdk.bulk.storage import Directory
from trayport_sdk.query.times import DAY, instant
from trayport_sdk.sandbox import Corrections, Fault, Sandbox

pytestmark = pytest.mark.anyio

APRIL, MAY = "TTF Hi Cal 51.6* Apr-24", "TTF Hi Cal 51.6* May-24"
SPREAD = "TTF Hi Cal 51.6* Apr-24/May-24"
QUIET = "TTF Hi Cal 51.6* Apr-30"
SYMBOLS = {APRIL: "10000065*#Single#10000305#244#0", MAY: "10000065*#Single#10000305#245#0"}
THIN = ["10000065*#Single#10000305#249#0", "10000065*#Spread#10000305#244#245"]
KEYS = ["product", "sequence", "item", "month"]


def sent(sandbox: Sandbox) -> list[str]:
    """The paths of the analytics requests so far, which are then forgotten."""
    paths = [r.path for r in sandbox.requests if r.path.startswith(Sandbox.ANALYTICS_PATH)]
    sandbox.requests.clear()
    return paths


def rows(path: Path, **options: Any) -> pl.DataFrame:
    frame: pl.LazyFrame = open_dataset(path, **options)
    return frame.drop(KEYS, strict=False).collect()


def manifest_of(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path / ".trayport" / "manifest.sqlite")


def data_files(path: Path) -> list[Path]:
    return sorted((path / "data").rglob("*.parquet"))


# --- Growing


async def test_a_data_set_grows_by_what_it_lacks_and_no_more(tmp_path: Path) -> None:
    sandbox, path = Sandbox(limits=False), tmp_path / "ttf"
    months = [APRIL, MAY, SPREAD, QUIET]
    async with TrayportClient.sandbox(sandbox) as client:
        first = await client.backfill([APRIL], "2024-02-10", "2024-02-20", path)
        assert len(sent(sandbox)) == first.requests_planned == first.requests_done == 1
        again = await client.backfill([APRIL], "2024-02-10", "2024-02-20", path)
        assert (sent(sandbox), again.requests_planned, again.files_written) == ([], 0, 0)
        # One request for what April lacks before, one after, with May, and the spread by itself.
        more = await client.backfill(months, "2024-02-05", "2024-03-05", path)
        assert len(sent(sandbox)) == more.requests_done == 4
        whole = await client.get_trades_bulk(months, "2024-02-05", "2024-03-05")
        sent(sandbox)
        last = await client.backfill(months, "2024-02-05", "2024-03-05", path)
        assert (sent(sandbox), last.requests_planned) == ([], 0)
    expected = whole.to_polars().sort("contract", "deal_date", maintain_order=True)
    found = rows(path).sort("contract", "deal_date", maintain_order=True)
    assert_frame_equal(found, expected)
    assert first.rows + more.rows == len(expected)
    for one in (MAY, SYMBOLS[MAY], ContractSpec.parse(SYMBOLS[MAY])):
        of_may = rows(path, contracts=[one])
        assert_frame_equal(of_may, rows(path).filter(pl.col("contract_name") == MAY))
    assert len(rows(path, contracts=[MAY], as_of="2020-01-01")) == 0
    with pytest.raises(TrayportValidationError, match=r"'TTF Jun-24' is not in the data set"):
        open_dataset(path, contracts=["TTF Jun-24"])
    for wrong in (5, [], [None]):
        with pytest.raises(TrayportValidationError, match="contracts"):
            open_dataset(path, contracts=cast("Any", wrong))
    # An empty window is remembered as well, and there is a file for each contract and month.
    assert len(data_files(path)) == 6
    names = pl.read_parquet(path / "contracts.parquet").get_column("contract_name")
    assert sorted(names) == sorted(months)
    with closing(manifest_of(path)) as database:
        states = database.execute("SELECT state, count(*) FROM windows GROUP BY 1").fetchall()
        assert [state for state, _ in states] == ["done"]
        (hashes,) = zip(*database.execute("SELECT DISTINCT spec_hash FROM windows"), strict=True)
        assert len(hashes) == 1


@pytest.mark.parametrize(
    ("endpoint", "contracts", "options", "time"),
    [
        ("trades", [APRIL, SPREAD], {"optional_fields": ("route_id",)}, "deal_date"),
        ("ohlcv", [APRIL, MAY], {"interval": "1d"}, "from_timestamp"),
        ("ohlcv", [APRIL], {"interval": "1mo"}, "from_timestamp"),
        ("order_book_top", [APRIL], {"interval": "1h"}, "timestamp"),
        ("order_book", [APRIL], {"interval": "4h", "depth": 3}, "timestamp"),
        ("private_trades", None, {}, "deal_date"),
        ("private_trades", [APRIL], {}, "deal_date"),
        ("activity", None, {}, "from_timestamp"),
    ],
)
async def test_every_kind_of_rows_is_the_same_in_parts_and_whole(
    tmp_path: Path, endpoint: Any, contracts: list[str] | None, options: Any, time: str
) -> None:
    cuts = ["2023-12-01", "2024-02-01", "2024-03-01"]
    if options.get("interval") != "1mo":
        cuts = ["2024-02-27", "2024-02-29", "2024-03-02"]
    sandbox = Sandbox(limits=False)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    async with TrayportClient.sandbox(sandbox) as client:
        for path, ranges in (
            (whole, [(cuts[0], cuts[2])]),
            (parts, [(cuts[1], cuts[2]), (cuts[0], cuts[2])]),
        ):
            for from_, until in ranges:
                report = await client.backfill(
                    contracts, from_, until, path, endpoint=endpoint, **options
                )
                assert not report.failures
        sent(sandbox)
        refreshed = await client.refresh(parts, "3650d")
        assert sent(sandbox)
    expected, found = rows(whole), rows(parts)
    assert len(expected)
    assert_frame_equal(found, expected)
    assert (refreshed.files_written, refreshed.rows) == (0, len(expected))
    for file in data_files(parts):
        table = pl.read_parquet(file, hive_partitioning=False)
        assert table.get_column(time).is_sorted()
        assert table.get_column(time).dtype == pl.Datetime("ns", "UTC")
        assert set(table.get_column(time).dt.strftime("%Y-%m")) == {file.parent.name[-7:]}


async def test_times_may_be_of_a_coarser_unit_with_nothing_lost(tmp_path: Path) -> None:
    world = Moving(1)
    question = (SYMBOLS[APRIL], "2024-03-04", "2024-03-06")
    async with TrayportClient.sandbox(world.sandbox) as client:
        with pytest.raises(TrayportValidationError, match=r"deal_date.*extra_column"):
            await client.backfill(*question, tmp_path / "raise", time_unit="us")
        assert not data_files(tmp_path / "raise")
        with pytest.raises(TrayportValidationError, match=r"on_loss .* does nothing"):
            await client.backfill(*question, tmp_path / "ns", on_loss="extra_column")
        await client.backfill(*question, tmp_path / "ns")
        await client.backfill(*question, tmp_path / "us", time_unit="us", on_loss="extra_column")
        before = rows(tmp_path / "us")
        with pytest.raises(TrayportDatasetError, match=r"trades in us \(extra_column\)"):
            await client.backfill(*question, tmp_path / "us")
        world.now += 20 * DAY
        reports = [await client.refresh(tmp_path / unit) for unit in ("ns", "us")]
    assert len({(r.added, r.altered, r.deleted) for r in reports}) == 1
    coarse, exact = rows(tmp_path / "us"), rows(tmp_path / "ns")
    assert coarse.schema["deal_date"] == pl.Datetime("us", "UTC")
    assert coarse.schema == before.schema
    assert_frame_equal(with_time_unit(exact, "us", on_loss="extra_column"), coarse)


async def test_a_bar_that_a_range_cuts_is_left_for_later(tmp_path: Path) -> None:
    async with TrayportClient.sandbox() as client:

        async def fill(from_: str, until: str) -> BackfillReport:
            return await client.backfill(
                APRIL, from_, until, tmp_path, endpoint="order_book_top", interval="4h"
            )

        first = await fill("2024-03-04T06:00", "2024-03-04T23:00")
        assert first.window is not None
        assert (first.window.start, first.window.end) == (
            instant("2024-03-04T04:00", "from_"),
            instant("2024-03-04T20:00", "until"),
        )
        await fill("2024-03-04T00:00", "2024-03-05T00:00")
        with pytest.raises(TrayportValidationError, match="no whole bar"):
            await fill("2024-03-04T00:00", "2024-03-04T03:00")
        whole = await client.orders.get_order_book_top(APRIL, "2024-03-04", "2024-03-05", "4h")
    assert_frame_equal(
        rows(tmp_path).drop("contract", "contract_name", "period"), whole.to_polars()
    )


# --- Before


async def test_a_dry_run_says_what_is_missing_and_changes_nothing(tmp_path: Path) -> None:
    sandbox, path = Sandbox(limits=False), tmp_path / "new"
    async with TrayportClient.sandbox(sandbox) as client:
        months = [APRIL, MAY]
        plan = await client.backfill(months, "2024-01-01", "2024-03-01", path, dry_run=True)
        assert (plan.requests_planned, plan.bytes_expected) == (2, None)
        assert "2 requests to send" in plan.explain()
        assert not path.exists()
        await client.backfill(months, "2024-01-01", "2024-02-01", path)
        sent(sandbox)
        plan = await client.backfill(months, "2024-01-01", "2024-03-01", path, dry_run=True)
        assert plan.requests_planned == 1
        assert sent(sandbox) == []
        size = sum(file.stat().st_size for file in data_files(path))
        assert plan.bytes_expected == pytest.approx(size * 29 / 31, rel=0.01)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c, p: c.backfill(None, "2024-03-01", "2024-03-02", p), "contracts"),
        (
            lambda c, p: c.backfill(APRIL, "2024-03-01", "2024-03-02", p, endpoint="snapshots"),
            "snapshots",
        ),
        (
            lambda c, p: c.backfill(APRIL, "2024-03-01", "2024-03-02", p, endpoint="activity"),
            "contracts .* does not go with activity",
        ),
        (
            lambda c, p: c.backfill(APRIL, "2024-03-01", "2024-03-02", p, endpoint="candles"),
            "candles are ohlcv; use one of trades, private_trades, ohlcv, activity, order_book_top"
            ", order_book$",
        ),
        *(
            (
                lambda c, p, wrong=wrong: c.backfill(wrong, "2024-03-01", "2024-03-02", p),
                "contracts",
            )
            for wrong in (5, [], [APRIL, None], [float("nan")], [244])
        ),
        (lambda c, p: c.refresh(p, "7"), "last '7' is no length of time"),
        (lambda c, p: c.refresh(p, timedelta(0)), "last"),
        (lambda c, p: c.refresh(p, "-3d"), "last"),
        (
            lambda c, p: c.backfill(APRIL, "2024-03-01", "2024-03-02", p, response_format="csv"),
            "response_format",
        ),
        (
            lambda c, p: c.backfill(
                APRIL, "2024-03-01", "2024-03-02", p, optional_fields=["contract"]
            ),
            "optional_fields .* has contract, which a data set adds itself",
        ),
        (
            lambda c, p: c.backfill(APRIL, "2024-03-01", "2024-03-02", p, trading_items=2),
            "trading_items",
        ),
    ],
)
async def test_what_cannot_work_is_refused_before_anything_is_sent(
    tmp_path: Path, call: Callable[[TrayportClient, Path], Any], message: str
) -> None:
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(sandbox) as client:
        with pytest.raises(TrayportValidationError, match=message):
            await call(client, tmp_path / "set")
    assert sent(sandbox) == []
    assert not (tmp_path / "set").exists()


async def test_a_first_call_that_failed_binds_nobody(tmp_path: Path) -> None:
    days = ("2024-03-04", "2024-03-05")
    async with TrayportClient.sandbox() as client:
        with pytest.raises(TrayportLookupError):
            await client.backfill("TTF Foo", *days, tmp_path / "d")
        plan = await client.backfill(APRIL, *days, tmp_path / "d", dry_run=True)
        assert plan.requests_planned == 1
        await client.backfill(APRIL, *days, tmp_path / "d", endpoint="ohlcv", interval="1d")
        file = tmp_path / "file"
        file.touch()
        for path, reason in ((file, "is a file"), (file / "a" / "b", "lies below .*, a file")):
            with pytest.raises(TrayportValidationError, match=f"{reason}.* give a directory"):
                await client.backfill(APRIL, *days, path)
        with pytest.raises(TrayportValidationError, match="path '' is empty"):
            await client.backfill(APRIL, *days, "")
    assert len(rows(tmp_path / "d")) == 1


async def test_a_data_set_takes_one_kind_of_rows(tmp_path: Path) -> None:
    async with TrayportClient.sandbox() as client:
        days = ("2024-03-04", "2024-03-05")
        await client.backfill(APRIL, *days, tmp_path, endpoint="ohlcv", interval="1d")
        for options in ({"endpoint": "trades"}, {"endpoint": "ohlcv", "interval": "1h"}):
            with pytest.raises(
                TrayportDatasetError, match=r"ohlcv every 1d.* directory of its own"
            ):
                await client.backfill(APRIL, *days, tmp_path, **options)  # type: ignore[arg-type]
        with pytest.raises(TrayportDatasetError, match="holds a data set already"):
            await client.backfill(
                APRIL, *days, tmp_path, endpoint="ohlcv", interval="1d", resume=False
            )
        own = tmp_path / "private"
        await client.backfill(None, *days, own, endpoint="private_trades")
        with pytest.raises(TrayportDatasetError, match="about all contracts"):
            await client.backfill(APRIL, *days, own, endpoint="private_trades")
        with writing(Directory(tmp_path / "new"), now_in_nanoseconds):
            pass
        for call in (client.refresh(tmp_path / "new"), client.verify(tmp_path / "new")):
            with pytest.raises(TrayportDatasetError, match="holds nothing yet"):
                await call
        for call in (client.refresh(tmp_path / "none"), client.verify(tmp_path / "none")):
            with pytest.raises(TrayportDatasetError, match="holds no data set"):
                await call
        assert not (tmp_path / "none").exists()


# --- Failing


async def test_failed_requests_are_sent_again_by_the_next_run(tmp_path: Path) -> None:
    sandbox = Sandbox(limits=False)
    settings = Settings(_env_file=None, max_retries=0, circuit_breakers=False)
    async with TrayportClient.sandbox(sandbox, settings=settings) as client:
        months = [APRIL, SPREAD]
        await client.resolve_contract(APRIL)
        sandbox.faults.add(
            Fault("status", status=503, operation_id="get_trades", after=1, times=None)
        )
        first = await client.backfill(months, "2024-01-01", "2024-03-01", tmp_path / "a")
        assert first.failures
        assert "the next one sends again" in first.explain()
        with pytest.raises(TrayportPartialFailureError, match="failed"):
            first.raise_for_failures()
        with closing(manifest_of(tmp_path / "a")) as database:
            failed = database.execute("SELECT error FROM windows WHERE state = 'failed'").fetchall()
        assert failed
        assert all("503" in error for (error,) in failed)
        sandbox.faults.clear()
        sent(sandbox)
        second = await client.backfill(months, "2024-01-01", "2024-03-01", tmp_path / "a")
        assert len(sent(sandbox)) == second.requests_planned
        assert second.raise_for_failures() is second
        await client.backfill(months, "2024-01-01", "2024-03-01", tmp_path / "b")
    assert_frame_equal(rows(tmp_path / "a"), rows(tmp_path / "b"))


async def test_names_that_cannot_be_had_do_not_keep_rows_away(tmp_path: Path) -> None:
    sandbox = Sandbox(limits=False)
    settings = Settings(_env_file=None, max_retries=0)
    sandbox.faults.add(Fault("status", status=500, path="/reference/*"))
    async with TrayportClient.sandbox(sandbox, settings=settings) as client:
        report = await client.backfill(SYMBOLS[APRIL], "2024-03-04", "2024-03-05", tmp_path)
    assert report.rows
    assert rows(tmp_path).get_column("contract_name").null_count() == report.rows


async def test_a_name_that_was_asked_for_once_needs_no_request(tmp_path: Path) -> None:
    sandbox = Sandbox(limits=False)
    settings = Settings(_env_file=None, cache="off")
    async with TrayportClient.sandbox(sandbox, settings=settings) as client:
        await client.backfill([APRIL, MAY], "2024-03-04", "2024-03-05", tmp_path)
        sandbox.requests.clear()
        await client.backfill([APRIL, MAY], "2024-03-04", "2024-03-05", tmp_path)
        assert not sandbox.requests


# --- Beside others


async def test_what_lies_beside_the_data_is_written_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with TrayportClient.sandbox() as client:
        with monkeypatch.context() as patch:
            patch.setattr(DatasetWriter, "publish", lambda _: None)  # killed before it
            await client.backfill(APRIL, "2024-03-04", "2024-03-05", tmp_path)
        names = tmp_path / "contracts.parquet"
        assert not names.exists()
        await client.backfill(APRIL, "2024-03-04", "2024-03-05", tmp_path)
        age = names.stat().st_mtime_ns
        await client.backfill(APRIL, "2024-03-04", "2024-03-05", tmp_path)
    assert names.stat().st_mtime_ns == age
    assert (tmp_path / "catalog.duckdb.sql").exists()


async def test_one_program_writes_at_a_time(tmp_path: Path) -> None:
    async with TrayportClient.sandbox() as client:
        question = (APRIL, "2024-03-04", "2024-03-05", tmp_path)
        await client.backfill(*question)
        with writing(Directory(tmp_path), now_in_nanoseconds):
            for call in (client.backfill(*question), client.refresh(tmp_path)):
                with pytest.raises(TrayportDatasetError, match=r"being written to by process \d+"):
                    await call
            with pytest.raises(TrayportDatasetError, match="being written to"):
                prune(tmp_path, 0)
            assert len(rows(tmp_path))
        assert (await client.backfill(*question)).requests_planned == 0


def test_manifests_of_other_versions_are_upgraded_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(Directory(tmp_path), now_in_nanoseconds):
        pass
    monkeypatch.setattr(manifest, "VERSION", 2)
    with pytest.raises(TrayportDatasetError, match=r"version 1 of the manifest.*up to date"):
        changes(tmp_path)
    monkeypatch.setattr(manifest, "_UPGRADES", ("ALTER TABLE facts ADD COLUMN note TEXT;",))
    with writing(Directory(tmp_path), now_in_nanoseconds) as writer:
        assert writer.manifest.changes(0) == []
    monkeypatch.undo()
    with (
        pytest.raises(TrayportDatasetError, match="upgrade trayport-sdk"),
        writing(Directory(tmp_path), now_in_nanoseconds),
    ):
        pass


# --- Corrections


class Moving:
    """A sandbox with corrections, whose clock is moved."""

    def __init__(self, seed: int, **shares: float) -> None:
        self.now = instant("2024-03-08", "now")
        self.sandbox = Sandbox(
            limits=False,
            clock=lambda: self.now,
            corrections=Corrections(
                seed=seed,
                after=timedelta(days=4),
                until=timedelta(days=20),
                **(shares or {"late": 0.02, "altered": 0.02, "deleted": 0.02}),
            ),
        )


def injected(found: pl.DataFrame) -> Counter[tuple[object, ...]]:
    return Counter(
        found.select(
            "contract",
            "trade_id",
            "kind",
            "price_before",
            "quantity_before",
            "price_after",
            "quantity_after",
        ).rows()
    )


def recorded(found: pl.DataFrame) -> Counter[tuple[object, ...]]:
    before = pl.col("before").struct
    is_there = pl.col("change") != "deleted"
    return Counter(
        found.select(
            "contract",
            "trade_id",
            "change",
            before.field("price").alias("price_before"),
            before.field("quantity").alias("quantity_before"),
            pl.when(is_there).then("price").alias("price_after"),
            pl.when(is_there).then("quantity").alias("quantity_after"),
        ).rows()
    )


@pytest.mark.parametrize("seed", range(10))
async def test_corrections_are_found_and_every_past_state_is_kept(
    tmp_path: Path, seed: int
) -> None:
    world = Moving(seed, late=0.05, altered=0.05, deleted=0.05)
    snapshots: list[tuple[datetime, pl.DataFrame]] = []

    def keep() -> None:
        snapshots.append((datetime.now(UTC), rows(tmp_path)))

    async with TrayportClient.sandbox(world.sandbox) as client:
        await client.backfill(THIN, "2024-03-04", "2024-03-06", tmp_path)
        keep()
        await client.backfill(THIN, "2024-03-04", "2024-03-07", tmp_path)
        keep()
        total = Counter[tuple[object, ...]]()
        for days in (3, 6, 8):
            since, world.now = world.now, world.now + days * DAY
            started = datetime.now(UTC)
            report = await client.refresh(tmp_path, "2w")
            expected = injected(
                world.sandbox.corrections_of(
                    *THIN,
                    from_=instant("2024-03-04", "from_"),
                    until=instant("2024-03-07", "until"),
                    since=since,
                    now=world.now,
                )
            )
            assert expected
            assert recorded(changes(tmp_path, since=started)) == expected
            kinds = Counter(kind for _, _, kind, *_ in expected.elements())
            assert kinds == Counter(
                added=report.added, altered=report.altered, deleted=report.deleted
            )
            total += expected
            keep()
        fresh = await client.get_trades_bulk(THIN, "2024-03-04", "2024-03-07")
        unchanged = await client.refresh(tmp_path, "2w")
        assert (unchanged.files_written, unchanged.added) == (0, 0)
    assert recorded(changes(tmp_path)) == total
    assert_frame_equal(
        rows(tmp_path).drop("contract_name", "period"),
        fresh.to_polars().drop("contract_name", "period"),
    )
    for at, then in snapshots:
        assert_frame_equal(rows(tmp_path, as_of=at), then)
    assert rows(tmp_path, as_of="2020-01-01").is_empty()


async def test_windows_that_become_empty_and_full_again_are_right(tmp_path: Path) -> None:
    """All trades of two days are deleted, and others come late where there were none."""
    gone = Moving(0, late=0.0, altered=0.0, deleted=1.0)
    came = Moving(0, late=1.0, altered=0.0, deleted=0.0)
    for world in (gone, came):
        path = tmp_path / str(world is gone)
        async with TrayportClient.sandbox(world.sandbox) as client:
            await client.backfill(THIN[0], "2024-03-04", "2024-03-06", path)
            before, known = rows(path), datetime.now(UTC)
            world.now += 30 * DAY
            report = await client.refresh(path)
            after = rows(path)
            assert (await client.verify(path, repair=False)).damaged == ()
            assert (await client.backfill(THIN[0], "2024-03-04", "2024-03-06", path)).rows == 0
        assert before.is_empty() == (world is came)
        assert after.is_empty() == (world is gone)
        assert report.deleted == len(before)
        assert report.added == len(after)
        assert_frame_equal(rows(path, as_of=known), before)
        assert len(changes(path)) == len(before) + len(after)
        assert bool(data_files(path)) == (world is came)


async def test_old_versions_are_pruned_by_number_and_by_age(tmp_path: Path) -> None:
    world = Moving(3, late=0.1, altered=0.1, deleted=0.1)
    times: list[datetime] = []
    async with TrayportClient.sandbox(world.sandbox) as client:
        await client.backfill(THIN[0], "2024-03-04", "2024-03-06", tmp_path)
        for _ in range(4):
            times.append(datetime.now(UTC))
            world.now += 4 * DAY
            assert (await client.refresh(tmp_path)).files_written == 1
    states = [len(rows(tmp_path, as_of=at)) for at in times]
    versions = tmp_path / "versions"
    assert len(list(versions.rglob("*.parquet"))) == 4
    assert prune(tmp_path, "1d") == 0
    assert prune(tmp_path, 2) == 2
    assert len(list(versions.rglob("*.parquet"))) == 2
    for at, count in zip(times[2:], states[2:], strict=True):
        assert len(rows(tmp_path, as_of=at)) == count
    for at in times[:2]:
        with pytest.raises(TrayportDatasetError, match="were pruned"):
            open_dataset(tmp_path, as_of=at)
    assert prune(tmp_path, 0) == 2
    assert not versions.exists()
    assert len(rows(tmp_path, as_of=datetime.now(UTC))) == len(rows(tmp_path))
    for keep in (-1, True, "2", "soon"):
        with pytest.raises(TrayportValidationError, match="keep"):
            prune(tmp_path, keep)


async def test_a_setting_says_how_many_versions_are_kept(tmp_path: Path) -> None:
    world = Moving(4, late=0.1, altered=0.1, deleted=0.1)
    settings = Settings(_env_file=None, keep_versions=1)
    async with TrayportClient.sandbox(world.sandbox, settings=settings) as client:
        await client.backfill(THIN[0], "2024-03-04", "2024-03-06", tmp_path)
        for _ in range(3):
            world.now += 4 * DAY
            await client.refresh(tmp_path)
    assert len(list((tmp_path / "versions").rglob("*.parquet"))) == 1
    assert len(changes(tmp_path).get_column("known_at").unique()) == 3


def test_what_no_backfill_wrote_has_no_past(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(TrayportValidationError, match="as_of"):
        open_dataset(tmp_path, as_of="2024-01-01")
    for call in (changes, lambda path: prune(path, 0)):
        with pytest.raises(TrayportDatasetError, match="no data set"):
            call(tmp_path)
