"""What is read once: in memory, on disk, by many at the same time, and while the service fails."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from trayport_sdk import (
    Settings,
    TrayportClient,
    TrayportError,
    TrayportNotFoundError,
    TrayportServerError,
)
from trayport_sdk.http.inprocess import InProcessTransport
from trayport_sdk.http.messages import ApiRequest
from trayport_sdk.resources import cache as module
from trayport_sdk.resources.cache import (
    Disk,
    Instead,
    ReferenceCache,
    ReferenceList,
    directory_of,
)
from trayport_sdk.sandbox import Sandbox

pytestmark = pytest.mark.anyio

HOUR = 3600.0
MARKETS = ApiRequest.of("get_markets")
AWAY = TrayportServerError("away", status_code=503)
GONE = TrayportNotFoundError("gone", status_code=404)


@define
class Clock:
    moment: datetime = datetime(2024, 3, 4, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@define
class Library:
    """Answers with the number of the request, as soon as it is open."""

    clock: Clock
    cache: ReferenceCache
    begun: int = 0
    ended: int = 0
    failure: TrayportError | None = None
    open: asyncio.Event = field(factory=asyncio.Event)
    has_begun: asyncio.Event = field(factory=asyncio.Event)

    async def read(self, request: ApiRequest = MARKETS) -> ReferenceList[int]:
        async def fetch(instead: Instead) -> ReferenceList[int]:
            self.begun += 1
            self.has_begun.set()
            number = self.begun
            try:
                await self.open.wait()
                if self.failure is not None:
                    if (old := instead(self.failure)) is not None:
                        return old
                    raise self.failure
                rows = [{"id": number}]
                self.cache.save(request, rows, self.clock())
                return ReferenceList([number], self.clock())
            finally:
                await asyncio.sleep(0)  # as a connection that is closed
                self.ended += 1

        return (await self.cache.get(request, lambda row: row["id"], fetch)).rows

    async def asked(self, count: int) -> list[asyncio.Task[ReferenceList[int]]]:
        tasks = [asyncio.create_task(self.read()) for _ in range(count)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return tasks


def library(
    disk: Path | None = None, clock: Clock | None = None, *, is_open: bool = True
) -> Library:
    clock = clock or Clock()
    lifetimes = {"Market": HOUR, "Sequence": 2 * HOUR}
    made = Library(clock, ReferenceCache(lifetimes, None if disk is None else Disk(disk), clock))
    if is_open:
        made.open.set()
    return made


# --- In memory, at the same time


async def test_one_who_stops_waiting_takes_nothing_from_the_others() -> None:
    shelf = library(is_open=False)
    first, second, third = await shelf.asked(3)
    first.cancel()
    await asyncio.wait({first})
    shelf.open.set()
    assert (await second, await third, await shelf.read(), shelf.begun) == ([1], [1], [1], 1)
    assert first.cancelled()


async def test_a_request_that_nobody_waits_for_ends_before_the_last_one_leaves() -> None:
    shelf = library(is_open=False)
    tasks = await shelf.asked(3)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert all(task.cancelled() for task in tasks)
    assert (shelf.begun, shelf.ended) == (1, 1)
    shelf.open.set()
    assert await shelf.read() == [2]


async def test_one_who_comes_while_a_request_is_given_up_gets_another() -> None:
    shelf = library(is_open=False)
    (leaving,) = await shelf.asked(1)
    leaving.cancel()
    await asyncio.sleep(0)
    shelf.open.set()
    assert await shelf.read() == [2]
    await asyncio.wait({leaving})
    assert leaving.cancelled()


async def test_a_failure_is_raised_for_all_who_wait_and_not_remembered() -> None:
    shelf = library(is_open=False)
    tasks = await shelf.asked(3)
    shelf.failure = AWAY
    shelf.open.set()
    assert await asyncio.gather(*tasks, return_exceptions=True) == [AWAY] * 3
    shelf.failure = None
    assert await shelf.read() == [2]


def test_event_loops_of_their_own_do_not_wait_for_each_other() -> None:
    shelf = library(is_open=False)

    async def give_up() -> None:
        await shelf.asked(1)

    asyncio.run(give_up())
    shelf.open = asyncio.Event()
    shelf.open.set()
    assert asyncio.run(shelf.read()) == [2]


# --- For how long


async def test_each_kind_lives_as_long_as_is_set_and_others_are_not_kept() -> None:
    shelf = library()
    kinds = [
        ApiRequest.of("get_markets"),
        ApiRequest.of("get_sequences"),
        ApiRequest.of("get_sequence_items", id=1),
    ]
    seen: list[int] = []
    for _ in range(3):
        for request in kinds:
            seen += await shelf.read(request)
        shelf.clock.forward(HOUR + 1)
    assert seen == [1, 2, 3, 4, 2, 5, 6, 7, 8]


async def test_what_was_read_longest_ago_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENTRIES_KEPT", 2)
    shelf = library()
    first, second, third = (ApiRequest.of("get_market_sequences", id=n) for n in range(3))
    seen = [await shelf.read(request) for request in (first, second, third, third, second, first)]
    assert [number for (number,) in seen] == [1, 2, 3, 3, 2, 4]


@pytest.mark.parametrize("on_disk", [False, True])
async def test_what_is_too_old_is_served_while_the_service_fails(
    tmp_path: Path, on_disk: bool
) -> None:
    shelf = library(tmp_path / "cache" if on_disk else None)
    assert not (await shelf.read()).stale
    if on_disk:  # another process, later
        shelf = library(tmp_path / "cache", shelf.clock)
    shelf.clock.forward(HOUR + 1)
    shelf.failure = AWAY
    old = await shelf.read()
    assert (old, old.stale, old.read_at) == ([1], True, Clock().moment)
    asked = shelf.begun
    assert (await shelf.read()).stale
    assert shelf.begun == asked  # not at once again
    shelf.clock.forward(31)
    shelf.failure = GONE  # which will not pass
    with pytest.raises(TrayportNotFoundError):
        await shelf.read()
    shelf.failure = None
    fresh = await shelf.read()
    assert (fresh.stale, fresh.read_at) == (False, shelf.clock.moment)


@pytest.mark.parametrize("on_disk", [False, True])
async def test_a_refresh_is_for_all_and_keeps_the_old_in_case_of_need(
    tmp_path: Path, on_disk: bool
) -> None:
    one = library(tmp_path / "cache" if on_disk else None)
    assert await one.read() == [1]
    one.clock.forward(1)
    one.cache.refresh()
    one.clock.forward(1)
    if on_disk:
        other = library(tmp_path / "cache", one.clock)
        other.failure = AWAY
        assert (await other.read()).stale
    one.failure = AWAY
    assert (await one.read()).stale
    one.clock.forward(31)
    one.failure = None
    assert not (await one.read()).stale


@pytest.mark.parametrize("on_disk", [False, True])
async def test_a_clock_that_was_put_back_makes_nothing_live_for_ever(
    tmp_path: Path, on_disk: bool
) -> None:
    disk = tmp_path if on_disk else None
    shelf = library(disk)
    await shelf.read()
    shelf.clock.forward(-10 * HOUR)
    assert await shelf.read() == await shelf.read() == [2]
    other = library(disk, shelf.clock)
    assert await other.read() == ([2] if on_disk else [1])
    shelf.clock.forward(-30)  # no reason to read anything again
    assert await shelf.read() == [2]


@pytest.mark.parametrize("on_disk", [False, True])
async def test_a_refresh_holds_although_the_clock_is_put_back(
    tmp_path: Path, on_disk: bool
) -> None:
    shelf = library(tmp_path if on_disk else None)
    await shelf.read()
    shelf.clock.forward(HOUR / 2)
    shelf.cache.refresh()
    shelf.clock.forward(-HOUR / 4)
    shelf.cache.now()  # it is noticed
    shelf.clock.forward(1)
    assert await shelf.read() == await shelf.read() == [2]
    if on_disk:
        other = library(tmp_path, shelf.clock)
        assert await other.read() == [2]


async def test_a_process_that_starts_after_the_clock_was_put_back_knows_of_the_refresh(
    tmp_path: Path,
) -> None:
    one = library(tmp_path)
    await one.read()
    one.clock.forward(HOUR / 2)
    one.cache.refresh()
    one.clock.forward(-HOUR / 4)
    other = library(tmp_path, one.clock)
    other.begun = 10
    assert await other.read() == [11]
    other.clock.forward(1)
    assert await other.read() == await other.read() == [12]


# --- On disk


async def test_processes_share_files_that_are_for_this_user_only(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "cache"
    one = library(directory)
    other = library(directory, one.clock)
    assert await one.read() == await other.read() == [1]
    assert (one.begun, other.begun) == (1, 0)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert modes.pop("markets.json") == 0o600
    assert set(modes.values()) <= {0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


async def test_processes_that_miss_at_the_same_time_send_one_request(tmp_path: Path) -> None:
    one, others = library(tmp_path, is_open=False), [library(tmp_path) for _ in range(3)]
    first = asyncio.create_task(one.read())
    await one.has_begun.wait()
    waiting = [asyncio.create_task(other.read()) for other in others]
    await asyncio.sleep(0.01)
    one.open.set()
    assert await asyncio.gather(first, *waiting) == [[1]] * 4
    assert [other.begun for other in others] == [0, 0, 0]


async def test_what_came_before_the_lock_was_free_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the disk and the lock another process comes and goes."""
    one, other = library(tmp_path), library(tmp_path)
    alone = Disk.alone

    @asynccontextmanager
    async def late(disk: Disk, request: ApiRequest) -> AsyncGenerator[None]:
        monkeypatch.setattr(Disk, "alone", alone)
        assert await other.read() == [1]
        async with alone(disk, request):
            yield

    monkeypatch.setattr(Disk, "alone", late)
    assert await one.read() == [1]
    assert (one.begun, other.begun) == (0, 1)


async def test_nobody_waits_for_ever_for_one_that_is_stuck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_WAIT", 0.1)
    stuck, other = library(tmp_path, is_open=False), library(tmp_path)
    task = asyncio.create_task(stuck.read())
    await stuck.has_begun.wait()
    assert (await other.read(), other.begun) == ([1], 1)
    task.cancel()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda text: text[:-3],
    "a flipped bit": lambda text: text[:-4] + bytes([text[-4] ^ 1]) + text[-3:],
    "another header": lambda text: b'{"read_at": 1}\n' + text,
    "not text": lambda _: bytes(range(256)),
    "rows of another shape": lambda text: text.replace(b'"id"', b'"no"'),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
async def test_a_damaged_file_is_written_anew(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    shelf = library(tmp_path)
    await shelf.read()
    path = tmp_path / "markets.json"
    path.write_bytes(damage(path.read_bytes()))
    other = library(tmp_path, shelf.clock)
    with pytest.warns(UserWarning, match="markets.json is damaged"):
        assert (await other.read(), other.begun) == ([1], 1)
    third = library(tmp_path, shelf.clock)
    assert (await third.read(), third.begun) == ([1], 0)


async def test_what_is_no_file_is_not_waited_for_and_no_link_is_followed(tmp_path: Path) -> None:
    shelf = library(tmp_path)
    await shelf.read()
    other, target = tmp_path / "another", tmp_path / "refreshed"
    other.write_text("precious")
    target.symlink_to(other)
    shelf.cache.refresh()
    assert other.read_text() == "precious"
    assert not target.is_symlink()
    for path in (tmp_path / "markets.json", target):
        path.unlink()
        os.mkfifo(path)
    with pytest.warns(UserWarning, match="it is a pipe"):
        assert await library(tmp_path, shelf.clock).read() == [1]


async def test_a_file_of_another_version_of_the_description_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await library(tmp_path).read()
    monkeypatch.setattr(module, "SPEC_HASH", "of tomorrow")
    other = library(tmp_path)
    await other.read()
    assert other.begun == 1


async def test_a_directory_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    shelf = library(tmp_path / "file" / "cache")
    with pytest.warns(UserWarning, match="set cache_dir to a directory"):
        await shelf.read()
    shelf.clock.forward(HOUR + 1)
    assert await shelf.read() == [2]  # without another warning


async def test_a_full_disk_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = library(tmp_path)
    await shelf.read()
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("trayport_sdk.tables.part.os.replace", full)
    shelf.clock.forward(25 * HOUR)
    with pytest.warns(UserWarning, match="No space left"):
        assert await shelf.read() == [2]
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


# --- Which files


def places(**values: Any) -> Path:
    return directory_of(Settings(_env_file=None, cache_dir=Path("/cache"), **values))


def test_keys_and_hosts_have_directories_of_their_own_whose_names_tell_no_key() -> None:
    one = places(api_key="a-secret-key")
    others = {
        places(api_key="another-key"),
        places(api_key="a-secret-key", reference_url="https://gateway.example/reference"),
        places(),
    }
    assert one == places(api_key="a-secret-key")
    assert len({one, *others}) == 4
    assert not any("key" in str(path) for path in {one, *others})


@pytest.mark.parametrize(
    ("url", "values", "files"),
    [
        ("https://reference.example", {}, 0),  # a transport of the user's may be anything
        ("https://reference.example", {"cache_dir": True}, 1),
        ("https://reference.example", {"cache_dir": True, "cache": "memory"}, 0),
        ("https://reference.example", {"cache_dir": True, "cache": False}, 0),
    ],
)
async def test_settings_choose_where_responses_are_kept(
    tmp_path: Path, url: str, values: dict[str, Any], files: int
) -> None:
    sandbox = Sandbox(limits=False)
    if "cache_dir" in values:
        values = values | {"cache_dir": tmp_path / "cache"}
    settings = Settings(_env_file=None, api_key="sandbox", **values)
    settings = settings.replace(reference_url=f"{url}{Sandbox.REFERENCE_PATH}")
    for _ in range(2):
        transport = InProcessTransport(sandbox)
        async with TrayportClient(settings=settings, transport=transport) as client:
            for _ in range(2):
                assert len(await client.reference.get_markets()) > 100
    assert len(list(tmp_path.rglob("*.json"))) == files
    assert len(sandbox.requests) == {"disk": 2 - files, "memory": 2, "off": 4}[settings.cache]
    assert not Path(os.environ["XDG_CACHE_HOME"]).exists()


def test_a_host_on_this_machine_leaves_no_files_and_others_do() -> None:
    for url, has_files in (("https://reference.example", True), ("http://127.0.0.1:8383", False)):
        settings = Settings(_env_file=None, api_key="k", reference_url=url)
        made = ReferenceCache.from_settings(settings, in_process=False)
        assert (made._disk is not None) is has_files
    assert directory_of(Settings(_env_file=None)).is_relative_to(os.environ["XDG_CACHE_HOME"])
