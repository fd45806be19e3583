"""Data sets whose files are lost, damaged, copied in part, or not theirs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.bulk.integrity import check_integrity
from tests.bulk.test_backfill import APRIL, MAY, THIN, Moving, data_files, manifest_of, rows, sent
from trayport_sdk import (
    Settings,
    TrayportClient,
    TrayportDatasetError,
    TrayportPartialFailureError,
    TrayportValidationError,
    changes,
    open_dataset,
    prune,
)
from trayport_sdk.query.times import DAY
from trayport_sdk.sandbox import Fault, Sandbox

pytestmark = pytest.mark.anyio

DAYS = ("2024-03-04", "2024-03-06")


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def content_of(path: Path) -> dict[str, bytes]:
    """All files but those of the lock."""
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file() and ".trayport" not in file.parts
    }


async def test_files_without_a_manifest_are_not_written_over(tmp_path: Path) -> None:
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(sandbox) as client:
        question = (APRIL, *DAYS)
        await client.backfill(*question, tmp_path / "set")
        for place in ("data", "versions", "contracts.parquet"):
            copy = tmp_path / place / "copy"
            copy.mkdir(parents=True)
            if place == "contracts.parquet":
                shutil.copy(tmp_path / "set" / place, copy)
            else:
                shutil.copytree(tmp_path / "set" / "data", copy / place)
            before = content_of(copy)
            sent(sandbox)
            for call in (
                client.backfill(MAY, "2024-01-01", "2024-03-06", copy),
                client.backfill(MAY, "2024-01-01", "2024-03-06", copy, dry_run=True),
            ):
                with pytest.raises(TrayportDatasetError, match=rf"'{place}.*no manifest that"):
                    await call
            for call in (client.verify(copy), client.refresh(copy)):
                with pytest.raises(TrayportDatasetError, match="holds no data set"):
                    await call
            if place == "data":
                shutil.copy(tmp_path / "set" / "catalog.duckdb.sql", copy)
                with pytest.raises(TrayportDatasetError, match="no manifest that knows"):
                    open_dataset(copy)
                (copy / "catalog.duckdb.sql").unlink()
            assert (sent(sandbox), content_of(copy)) == ([], before)
            assert not (copy / ".trayport").exists()


async def test_a_file_that_is_not_of_the_data_set_is_refused(tmp_path: Path) -> None:
    async with TrayportClient.sandbox() as client:
        question = (APRIL, *DAYS, tmp_path)
        await client.backfill(*question)
        strange = tmp_path / "data" / "month=2024-03" / "more.parquet"
        strange.parent.mkdir()
        for harmless in (".DS_Store", "_SUCCESS", "notes.txt", ".more.parquet", "_temp.parquet"):
            (strange.parent / harmless).touch()
        assert (await client.verify(tmp_path)).damaged == ()
        shutil.copy(data_files(tmp_path)[0], strange)
        for call in (
            client.backfill(*question),
            client.refresh(tmp_path),
            client.verify(tmp_path),
            client.verify(tmp_path, repair=False),
        ):
            with pytest.raises(TrayportDatasetError, match="not of this data set: move it") as e:
                await call
            assert e.value.files == ("data/month=2024-03/more.parquet",)
        assert strange.exists()


async def test_a_damaged_manifest_says_what_can_be_done(tmp_path: Path) -> None:
    async with TrayportClient.sandbox() as client:
        await client.backfill(APRIL, *DAYS, tmp_path)
        (tmp_path / ".trayport" / "manifest.sqlite").write_bytes(b"nothing that SQLite knows" * 99)
        for call in (
            client.backfill(APRIL, *DAYS, tmp_path),
            client.backfill(APRIL, *DAYS, tmp_path, dry_run=True),
            client.verify(tmp_path),
        ):
            with pytest.raises(TrayportDatasetError, match=r"restore it from a backup.*polars"):
                await call
    with pytest.raises(TrayportDatasetError, match="restore it"):
        open_dataset(tmp_path)
    assert len(pl.read_parquet(data_files(tmp_path)))


@pytest.mark.parametrize("harm", [flip, Path.unlink], ids=["flip", "unlink"])
async def test_damage_is_an_error_and_is_mended(
    tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(sandbox) as client:
        question = ([APRIL, MAY], "2024-01-25", "2024-03-05", tmp_path)
        await client.backfill(*question)
        before = rows(tmp_path)
        files = data_files(tmp_path)
        harm(files[1])
        name = files[1].relative_to(tmp_path).as_posix()
        calls = (
            client.backfill(*question),
            client.refresh(tmp_path),
            client.verify(tmp_path, repair=False),
        )
        sent(sandbox)
        for call in calls:
            with pytest.raises(TrayportDatasetError, match="verify") as raised:
                await call
            assert raised.value.files == (name,)
        assert sent(sandbox) == []
        report = await client.verify(tmp_path)
        assert report.damaged == (name,)
        assert len(sent(sandbox)) == report.requests_done == 1
        assert_frame_equal(rows(tmp_path), before)
        assert (await client.verify(tmp_path)).damaged == ()
        assert (await client.backfill(*question)).requests_planned == 0
    assert changes(tmp_path).is_empty()


async def test_a_copy_of_a_data_set_is_as_good_as_it(tmp_path: Path) -> None:
    async with TrayportClient.sandbox() as client:
        question = (APRIL, "2024-03-04", "2024-03-05")
        await client.backfill(*question, tmp_path / "set")
        for file in data_files(tmp_path / "set"):
            content = file.read_bytes()
            file.unlink()
            file.write_bytes(content)  # of another age
        assert (await client.backfill(*question, tmp_path / "set")).requests_planned == 0
        (tmp_path / "set").rename(tmp_path / "moved")
        assert (await client.backfill(*question, tmp_path / "moved")).requests_planned == 0


async def test_rows_that_came_back_otherwise_have_no_past(tmp_path: Path) -> None:
    """What was corrected while a file was lost is not recorded, so nobody knows what it was."""
    world = Moving(3, late=0.2, altered=0.2, deleted=0.2)
    async with TrayportClient.sandbox(world.sandbox) as client:
        await client.backfill(THIN, *DAYS, tmp_path)
        first = datetime.now(UTC)
        known = rows(tmp_path, contracts=THIN[1])
        lost = next((tmp_path / "data").rglob("item=single-249/**/trades.parquet"))
        world.now += 10 * DAY
        lost.unlink()
        report = await client.verify(tmp_path)
        check_integrity(tmp_path)
        name = lost.relative_to(tmp_path).as_posix()
        assert report.damaged == report.lost == (name,)
        assert "old rows of 1 file are lost" in report.explain()
        with pytest.raises(TrayportDatasetError, match=r"lost: give a time from .*Z on") as raised:
            rows(tmp_path, as_of=first)
        assert raised.value.files == (name,)
        # The time that it advises is right to the last digit, and others are not concerned.
        advised = raised.value.suggestion.split()[4]
        assert_frame_equal(rows(tmp_path, as_of=advised), rows(tmp_path))
        assert_frame_equal(rows(tmp_path, as_of=first, contracts=THIN[1]), known)
        assert rows(tmp_path, as_of="2020-01-01").is_empty()
        # From then on everything is known again.
        repaired, then = datetime.now(UTC), rows(tmp_path)
        world.now += 10 * DAY
        assert (await client.refresh(tmp_path)).altered
        assert_frame_equal(rows(tmp_path, as_of=repaired), then)
        prune(tmp_path, 0)
        with pytest.raises(TrayportDatasetError, match="pruned"):
            rows(tmp_path, as_of=repaired)


async def test_what_is_lost_is_not_read_as_nothing(tmp_path: Path) -> None:
    sandbox = Sandbox(limits=False)
    settings = Settings(_env_file=None, max_retries=0, circuit_breakers=False)
    async with TrayportClient.sandbox(sandbox, settings=settings) as client:
        await client.backfill([APRIL, MAY], *DAYS, tmp_path)
        before, known = rows(tmp_path), datetime.now(UTC)
        (lost, other) = data_files(tmp_path)
        lost.unlink()
        sandbox.faults.add(Fault("status", status=503, operation_id="get_trades", times=None))
        with pytest.raises(TrayportPartialFailureError):
            (await client.verify(tmp_path)).raise_for_failures()
        name = lost.relative_to(tmp_path).as_posix()
        for read in (
            lambda: open_dataset(tmp_path),
            lambda: open_dataset(tmp_path, backend="arrow"),
            lambda: open_dataset(tmp_path, as_of=known),
        ):
            with pytest.raises(TrayportDatasetError, match="verify") as raised:
                read()
            assert raised.value.files == (name,)
        for call in (
            client.backfill([APRIL, MAY], *DAYS, tmp_path),
            client.refresh(tmp_path),
            client.verify(tmp_path, repair=False),
        ):
            with pytest.raises(TrayportDatasetError, match="verify") as raised:
                await call
            assert raised.value.files == (name,)
        assert len(rows(tmp_path, contracts=MAY)) == pl.read_parquet(other).height
        sandbox.faults.clear()
        assert (await client.verify(tmp_path)).raise_for_failures().lost == ()
    assert_frame_equal(rows(tmp_path), before)
    assert_frame_equal(rows(tmp_path, as_of=known), before)


@pytest.mark.parametrize("harm", [flip, Path.unlink], ids=["flip", "unlink"])
async def test_a_damaged_version_is_noted_as_lost(
    tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    world = Moving(5, late=0.1, altered=0.1, deleted=0.1)
    async with TrayportClient.sandbox(world.sandbox) as client:
        await client.backfill(THIN[0], *DAYS, tmp_path)
        known = datetime.now(UTC)
        world.now += 10 * DAY
        await client.refresh(tmp_path)
        (version,) = (tmp_path / "versions").rglob("*.parquet")
        harm(version)
        with pytest.raises(TrayportDatasetError, match="verify") as raised:
            open_dataset(tmp_path, as_of=known)
        assert raised.value.files == (version.relative_to(tmp_path).as_posix(),)
        with pytest.raises(TrayportDatasetError, match="verify"):
            await client.verify(tmp_path, repair=False)
        report = await client.verify(tmp_path)
        assert (report.requests_planned, len(report.lost)) == (0, 1)
        assert report.explain().endswith("nothing is missing; old rows of 1 file are lost")
        check_integrity(tmp_path)
        with pytest.raises(TrayportDatasetError, match="is lost: give a time from") as raised:
            open_dataset(tmp_path, as_of=known)
        advised = raised.value.suggestion.split()[4]
        assert_frame_equal(rows(tmp_path, as_of=advised), rows(tmp_path))
        assert (await client.verify(tmp_path)).lost == ()


async def test_a_copy_is_a_data_set_of_its_own(tmp_path: Path) -> None:
    """The view reads the copy once a call was made for it, and what is missing is written anew."""
    async with TrayportClient.sandbox() as client:
        await client.backfill(APRIL, *DAYS, tmp_path / "one")
        shutil.copytree(tmp_path / "one", tmp_path / "two")
        shutil.rmtree(tmp_path / "one")
        await client.verify(tmp_path / "two")
        for name in ("contracts.parquet", "catalog.duckdb.sql"):
            (tmp_path / "two" / name).unlink()
            await client.backfill(APRIL, *DAYS, tmp_path / "two")
            assert (tmp_path / "two" / name).exists()
    with duckdb.connect() as connection:
        connection.execute((tmp_path / "two" / "catalog.duckdb.sql").read_text())
        (found,) = connection.sql("SELECT count(*) FROM trades").fetchall()
    assert found == (len(rows(tmp_path / "two")),)


async def test_a_data_set_that_may_not_be_written_to_can_be_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    async with TrayportClient.sandbox() as client:
        await client.backfill([APRIL, MAY], *DAYS, tmp_path)
        before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*") if file.is_file()}
        monkeypatch.setattr("trayport_sdk.bulk.dataset_writer.locked", refuse)
        report = await client.verify(tmp_path, repair=False)
        assert report.contracts == 2
        assert "nothing is missing" in report.explain()
        flip(data_files(tmp_path)[0])
        with pytest.raises(TrayportDatasetError):
            await client.verify(tmp_path, repair=False)
    after = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*") if file.is_file()}
    assert [file for file in before if before[file] != after[file]] == [data_files(tmp_path)[0]]


async def test_a_repair_changes_no_past(tmp_path: Path) -> None:
    """Days that were fetched one by one, and come back together."""
    sandbox = Sandbox(limits=False)
    states: list[tuple[datetime, pl.DataFrame]] = []
    async with TrayportClient.sandbox(sandbox) as client:
        for until in ("2024-03-05", "2024-03-06", "2024-03-09", "2024-03-07"):
            await client.backfill(APRIL, "2024-03-04", until, tmp_path)
            states.append((datetime.now(UTC), rows(tmp_path)))
        data_files(tmp_path)[0].unlink()
        sent(sandbox)
        report = await client.verify(tmp_path)
        assert len(sent(sandbox)) == 1
    assert report.lost == ()
    for at, then in states:
        assert_frame_equal(rows(tmp_path, as_of=at), then)
    with closing(manifest_of(tmp_path)) as database:
        (counted,) = database.execute("SELECT sum(rows) FROM windows").fetchone()
    assert counted == len(rows(tmp_path))


@pytest.mark.parametrize("manifest", ["empty", "older"])
async def test_another_manifest_takes_nothing_away(tmp_path: Path, manifest: str) -> None:
    """The right one may come back."""
    world, path = Moving(3, late=0.2, altered=0.2, deleted=0.2), tmp_path / "set"
    own = path / ".trayport" / "manifest.sqlite"
    async with TrayportClient.sandbox(world.sandbox) as client:
        question = (THIN, *DAYS, path)
        await client.backfill(*question)
        older = own.read_bytes()
        world.now += 10 * DAY
        await client.refresh(path)
        right, before = own.read_bytes(), content_of(path)
        assert any("versions" in name for name in before)
        own.write_bytes(older if manifest == "older" else b"")
        for call in (
            client.backfill(*question),
            client.backfill(MAY, "2024-03-01", *DAYS[1:], path),
        ):
            with pytest.raises(TrayportDatasetError, match=r"verify|no manifest that knows"):
                await call
        assert content_of(path) == before
        own.write_bytes(right)
        assert (await client.verify(path)).damaged == ()


@pytest.mark.parametrize("above", ["env=prod", "br[ab]*ck", "month=2024-03"])
async def test_a_data_set_lies_below_directories_of_any_name(tmp_path: Path, above: str) -> None:
    path = tmp_path / above / "ttf"
    async with TrayportClient.sandbox() as client:
        if above.startswith("month"):
            with pytest.raises(TrayportValidationError, match="has a directory month="):
                await client.backfill(APRIL, *DAYS, path)
            return
        await client.backfill(APRIL, *DAYS, tmp_path / "plain")
        await client.backfill(APRIL, *DAYS, path)
    assert_frame_equal(open_dataset(path).collect(), open_dataset(tmp_path / "plain").collect())
    with duckdb.connect() as connection:
        tables = [
            connection.execute((root / "catalog.duckdb.sql").read_text()).sql("FROM trades").pl()
            for root in (path, tmp_path / "plain")
        ]
    assert_frame_equal(*tables)


async def test_what_lies_beside_the_rows_is_written_anew_by_verify(tmp_path: Path) -> None:
    async with TrayportClient.sandbox() as client:
        await client.backfill(APRIL, *DAYS, tmp_path)
        before = content_of(tmp_path)
        for name in ("contracts.parquet", "catalog.duckdb.sql"):
            (tmp_path / name).write_bytes(b"garbage")
        await client.verify(tmp_path)
    assert content_of(tmp_path) == before


async def test_changes_that_cannot_be_read_are_an_error_of_the_manifest(tmp_path: Path) -> None:
    world = Moving(3, late=0.2, altered=0.2, deleted=0.2)
    async with TrayportClient.sandbox(world.sandbox) as client:
        await client.backfill(THIN, *DAYS, tmp_path)
        world.now += 10 * DAY
        await client.refresh(tmp_path)
    with closing(manifest_of(tmp_path)) as database:
        database.execute("UPDATE changes SET rows = x'00'")
        database.commit()
    with pytest.raises(TrayportDatasetError, match="restore it"):
        changes(tmp_path)
    with closing(manifest_of(tmp_path)) as database:
        database.execute("DROP TABLE changes")
        database.commit()
    with pytest.raises(TrayportDatasetError, match="restore it"):
        changes(tmp_path)
