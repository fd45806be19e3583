"""Reference data in memory and on disk: read once, by all who want it and for as long as it lives.

A file holds the rows of one response as JSON. Processes share the files: each appears when it is
whole, and a lock beside it has one process ask the service while the others wait.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import warnings
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypeVar
from urllib.parse import urlsplit
from zlib import crc32

import msgspec
from trayport_spec import SPEC_HASH

from ..settings import DAY, Settings, stays_here, user_directory

if TYPE_CHECKING:
    from ..errors import TrayportError
    from ..http.messages import ApiRequest

Model = TypeVar("Model")
Value = TypeVar("Value")
Derived = TypeVar("Derived")

Documents: TypeAlias = list[dict[str, Any]]
"""The rows of a response as JSON objects."""

# The settings that say how long the rows of a schema are served.
_LIFETIMES = {
    **dict.fromkeys(("Instrument", "Market", "InstrumentDetails", "MarketDetails"), "products_ttl"),
    "Sequence": "sequences_ttl",
    "SequenceItem": "items_ttl",
}
ENTRIES_KEPT = 4096
"""How many responses are kept in memory at most."""
LOCK_WAIT = 10.0
"""Seconds to wait for another process that asks the service, before asking it as well."""
LOCK_POLL = 0.05
NEVER = datetime.fromtimestamp(0, UTC)
PUT_BACK = timedelta(minutes=1)
"""How far the clock must be put back for everything to be read again."""
STALE_PAUSE = timedelta(seconds=30)
"""How long an old response is served before the service, which failed, is asked again."""


class ReferenceList(list[Model]):
    """A list of reference data that knows when it was read.

    Attributes:
        read_at: When the service sent it, in UTC.
        stale: Whether it was served although it is too old, because the service fails.
    """

    def __init__(self, rows: Iterable[Model], read_at: datetime, *, stale: bool = False) -> None:
        super().__init__(rows)
        self.read_at = read_at
        self.stale = stale

    def where(self, wanted: Callable[[Model], bool]) -> ReferenceList[Model]:
        """The part of the list that is wanted."""
        return ReferenceList(filter(wanted, self), self.read_at, stale=self.stale)


class Entry(Generic[Model]):
    """A response in memory, and what was made of it.

    Attributes:
        rows: The response; whoever gives it away copies it.
        expires: Until when it is served without asking the service, in UTC.
    """

    def __init__(self, rows: ReferenceList[Model], expires: datetime) -> None:
        self.rows = rows
        self.expires = expires
        self._derived: dict[Callable[..., Any], Any] = {}

    def derived(self, make: Callable[[ReferenceList[Model]], Derived]) -> Derived:
        """What a function makes of the response, which is called once."""
        if make not in self._derived:
            self._derived[make] = make(self.rows)
        made: Derived = self._derived[make]
        return made


Instead: TypeAlias = Callable[["TrayportError"], ReferenceList[Any] | None]
"""What to serve in the place of a response that fails for good, if there is anything."""


class ReferenceCache:
    """The responses that were read, and those that are being read.

    Args:
        lifetimes: How long the rows of a schema are served, by the name of the schema; those of
            others are never kept.
        disk: The files, or None.
        now: The time of day, in UTC.
    """

    def __init__(
        self,
        lifetimes: Mapping[str, float],
        disk: Disk | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._lifetimes = {schema: timedelta(seconds=s) for schema, s in lifetimes.items()}
        self._disk = disk
        self._clock = now
        self._latest = NEVER
        self._kept: OrderedDict[object, Entry[Any]] = OrderedDict()
        self._under_way: dict[object, LookUp[Entry[Any]]] = {}
        self._refreshed = NEVER
        self.refreshes = 0

    @classmethod
    def from_settings(cls, settings: Settings, *, in_process: bool) -> Self:
        """The cache that settings ask for.

        Args:
            settings: The settings.
            in_process: Whether requests go to an application or a transport in this process.
        """
        if settings.cache == "off":
            return cls({})
        lifetimes = {schema: getattr(settings, name) for schema, name in _LIFETIMES.items()}
        is_here = in_process or stays_here(settings.reference_url)
        if settings.cache == "memory" or (is_here and settings.cache_dir is None):
            return cls(lifetimes)
        return cls(lifetimes, Disk(directory_of(settings)))

    @classmethod
    def for_one_call(cls) -> Self:
        """A cache in memory of what a single call reads, where nothing is kept for longer."""
        return cls(dict.fromkeys(_LIFETIMES, DAY))

    @property
    def keeps(self) -> bool:
        """Whether anything is kept."""
        return bool(self._lifetimes)

    def now(self) -> datetime:
        """The time of day, in UTC. If the clock was put back, nothing that it made young stays."""
        now = self._clock()
        if now < self._latest - PUT_BACK:
            self._latest = now
            self._expire(min(self._refreshed, now))
            if self._disk is not None and self._disk.expired_until(now) > now:
                self._disk.expire(now)
        self._latest = max(self._latest, now)
        return now

    def expiry(self, request: ApiRequest) -> datetime:
        """Until when a response is in memory, and needs no request."""
        entry = self._kept.get(request.identity)
        return self._refreshed if entry is None else entry.expires

    def refresh(self) -> None:
        """Has everything read again when it is wanted next; it is served meanwhile on failures."""
        self._expire(self.now())
        if self._disk is not None:
            self._disk.expire(self._refreshed)

    def _expire(self, until: datetime) -> None:
        """Has everything in memory read again, or on disk, where it was read later."""
        self._refreshed = until
        self.refreshes += 1
        for entry in self._kept.values():
            entry.expires = NEVER

    async def get(
        self,
        request: ApiRequest,
        make: Callable[[dict[str, Any]], Model],
        fetch: Callable[[Instead], Awaitable[ReferenceList[Model]]],
    ) -> Entry[Model]:
        """The response to a request, from memory, from disk or from the service.

        Those who ask for the same at the same time share one request, which ends when the last
        stops waiting. A failure is raised for all of them; the next call tries again.

        Args:
            request: The request.
            make: Makes a row of its JSON object.
            fetch: Asks the service, and calls `save` with what came; serves what its argument
                returns when that fails for good.
        """
        key = request.identity
        entry = self._kept.get(key)
        now = self.now()  # which may let the entry expire
        if entry is not None and entry.expires > now:
            return entry
        lifetime = self._lifetimes.get(request.endpoint.schema)
        if lifetime is None:
            return Entry(await fetch(lambda _: None), self.now())
        place = asyncio.get_running_loop(), key
        look_up = self._under_way.get(place)
        if look_up is None or look_up.useless:
            look_up = LookUp(self._renewed(request, make, fetch, lifetime))
            self._under_way[place] = look_up
        try:
            return await look_up.result()
        finally:
            # A caller that stops waiting leaves it under way for the others.
            if look_up.over and self._under_way.get(place) is look_up:
                del self._under_way[place]

    def save(self, request: ApiRequest, documents: Documents, read_at: datetime) -> None:
        """Writes a response to disk, where other processes find it."""
        if self._disk is not None and request.endpoint.schema in self._lifetimes:
            self._disk.write(request, documents, read_at)

    async def _renewed(
        self,
        request: ApiRequest,
        make: Callable[[dict[str, Any]], Model],
        fetch: Callable[[Instead], Awaitable[ReferenceList[Model]]],
        lifetime: timedelta,
    ) -> Entry[Model]:
        """A response that memory does not have, or not any more."""
        old = self._kept.get(request.identity)
        disk = self._disk
        if disk is None:
            return self._keep(request, await fetch(self._stale(old)), lifetime)
        before = disk.stamp(request)
        if found := await asyncio.to_thread(disk.read, request, make):
            old = self._keep(request, found, lifetime)
            if old.expires > self.now():
                return old
        async with disk.alone(request):
            # Another process may have asked meanwhile, also one that nobody waited for.
            has_changed = disk.stamp(request) != before
            if has_changed and (found := await asyncio.to_thread(disk.read, request, make)):
                old = self._keep(request, found, lifetime)
                if old.expires > self.now():
                    return old
            return self._keep(request, await fetch(self._stale(old)), lifetime)

    def _keep(
        self, request: ApiRequest, rows: ReferenceList[Model], lifetime: timedelta
    ) -> Entry[Model]:
        expires = rows.read_at + lifetime
        refreshed = self._disk.expired_until(self._refreshed) if self._disk else self._refreshed
        self._latest = max(self._latest, refreshed)
        now = self.now()
        if rows.stale:
            expires = now + min(STALE_PAUSE, lifetime)
        elif not refreshed < rows.read_at <= now:  # read before, or the clock was put back
            expires = NEVER
        entry = self._kept[request.identity] = Entry(rows, expires)
        self._kept.move_to_end(request.identity)
        if len(self._kept) > ENTRIES_KEPT:
            self._kept.popitem(last=False)
        return entry

    def _stale(self, old: Entry[Model] | None) -> Instead:
        """Serves an old response while the service fails in a way that may pass."""

        def instead(error: TrayportError) -> ReferenceList[Model] | None:
            if old is None or not error.retryable:
                return None
            return ReferenceList(old.rows, old.rows.read_at, stale=True)

        return instead


class LookUp(Generic[Value]):
    """A look-up that several callers wait for; it is cancelled when the last stops waiting."""

    def __init__(self, look_up: Coroutine[Any, Any, Value]) -> None:
        self._task = asyncio.create_task(look_up)
        # Read here: where the loop ends, nobody is left who waits for it.
        self._task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._waiting = 0
        self._given_up = False

    @property
    def over(self) -> bool:
        """Whether it has ended, or was cancelled."""
        return self._given_up or self._task.done()

    @property
    def useless(self) -> bool:
        """Whether it is over without a result, so that another look-up is needed."""
        task = self._task
        succeeded = task.done() and not task.cancelled() and task.exception() is None
        return self.over and not succeeded

    async def result(self) -> Value:
        """The result; a caller that stops waiting does not end it for the others."""
        self._waiting += 1
        try:
            # Unlike an await of the task, this does not cancel it.
            await asyncio.wait({self._task})
        finally:
            self._waiting -= 1
            if not self._waiting and not self._task.done():
                self._given_up = True
                self._task.cancel()
                # Its connection is free again when the last caller leaves.
                await asyncio.gather(self._task, return_exceptions=True)
        return self._task.result()


# --- Files


class Header(msgspec.Struct):
    """The first line of a file: what the rest is, so that nothing else is taken for it."""

    request: str
    read_at: datetime
    spec: str
    checksum: int


def directory_of(settings: Settings) -> Path:
    """Where the data of a host and a key is kept. The key itself is in no name."""
    root = settings.cache_dir or user_directory("cache")
    key = "" if settings.api_key is None else settings.api_key.get_secret_value()
    digest = hashlib.sha256(f"{key}\n{settings.reference_url}".encode()).hexdigest()[:16]
    return root / f"{urlsplit(settings.reference_url).hostname}-{digest}"


class Disk:
    """The files of one key on one host, which several processes may use at the same time.

    A directory that cannot be written is warned of once, and then done without.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._marker = directory / "refreshed"
        self._is_writable = True

    def read(
        self, request: ApiRequest, make: Callable[[dict[str, Any]], Model]
    ) -> ReferenceList[Model] | None:
        """The response to a request, if there is one of this version of the API's description."""
        path = self._path(request)
        try:
            line, _, text = _content(path).partition(b"\n")
        except OSError:
            return None
        try:
            header = msgspec.json.decode(line, type=Header)
            if header.request == _name(request) and header.spec == SPEC_HASH:
                if header.checksum != crc32(text):
                    raise ValueError("the checksum is another")
                return ReferenceList(
                    map(make, msgspec.json.decode(text, type=Documents)), header.read_at
                )
        except (ValueError, KeyError, TypeError):
            warnings.warn(f"{path} is damaged; it is written anew", stacklevel=2)
        return None

    def stamp(self, request: ApiRequest) -> tuple[int, int] | None:
        """What changes whenever the response to a request is replaced."""
        try:
            status = self._path(request).stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def write(self, request: ApiRequest, documents: Documents, read_at: datetime) -> None:
        """Replaces the response to a request; the file is for this user only."""
        text = msgspec.json.encode(documents)
        header = Header(_name(request), read_at, SPEC_HASH, crc32(text))
        self._replace(self._path(request), msgspec.json.encode(header) + b"\n" + text)

    def expire(self, now: datetime) -> None:
        """Marks everything that was read until now as too old, for other processes too."""
        self._replace(self._marker, now.isoformat().encode())

    def expired_until(self, least: datetime) -> datetime:
        """Until when everything that was read is too old."""
        with suppress(OSError, ValueError):
            return max(least, datetime.fromisoformat(_content(self._marker).decode()))
        return least

    @asynccontextmanager
    async def alone(self, request: ApiRequest) -> AsyncGenerator[None]:
        """Has one process at a time ask the service.

        Nobody waits for ever: who holds the lock may be stuck.
        """
        from filelock import FileLock, Timeout

        waited = 0.0
        lock: FileLock | None = None
        try:
            self._make_directory()
            lock = FileLock(f"{self._path(request)}.lock", mode=0o600, thread_local=False)
            while waited < LOCK_WAIT:
                try:
                    lock.acquire(blocking=False)
                    break
                except Timeout:
                    await asyncio.sleep(LOCK_POLL)
                    waited += LOCK_POLL
        except (OSError, NotImplementedError):  # not on this file system
            pass
        try:
            yield
        finally:
            if lock is not None:
                lock.release()

    def _path(self, request: ApiRequest) -> Path:
        return self._directory / (
            re.sub(r"[^A-Za-z0-9]+", "-", _name(request)).strip("-") + ".json"
        )

    def _replace(self, path: Path, content: bytes) -> None:
        from ..tables.part import PRIVATE, Part, remove_abandoned

        try:
            self._make_directory()
            remove_abandoned(self._directory)
            part = Part(self._directory, PRIVATE)
            try:
                part.file.write(content)
                part.place(path.name)
            finally:
                part.discard()
        except OSError as error:
            self._do_without(error)

    def _make_directory(self) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _do_without(self, error: OSError) -> None:
        if self._is_writable:
            self._is_writable = False
            warnings.warn(
                f"reference data is not kept on disk: {error}; set cache_dir to a directory that "
                "can be written to, or cache to memory",
                stacklevel=2,
            )


def _content(path: Path) -> bytes:
    """What is in a file; a pipe would be waited for."""
    if not path.is_file():
        raise FileNotFoundError(path)
    return path.read_bytes()


def _name(request: ApiRequest) -> str:
    """A request as text: its path and its query."""
    query = "&".join(f"{name}={value}" for name, value in sorted(request.shown.items()))
    return f"{request.url}?{query}" if query else request.url
