"""A market seen twice: through clients whose questions are cut, and whole.

The whole is one request to a sandbox without limits, read with nothing of the SDK.
"""

import asyncio
import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Coroutine, Generator, Iterable, Mapping
from contextlib import AsyncExitStack, ExitStack, contextmanager
from functools import cache
from typing import Any, TypeAlias, TypeVar, cast
from zoneinfo import ZoneInfo

import httpx
import polars as pl

from trayport_sdk import ContractSpec, Settings, TrayportClient
from trayport_sdk.sandbox import Sandbox

Rows: TypeAlias = Counter[Any]
T = TypeVar("T")

SECOND = 10**9
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND


def at(text: str) -> int:
    """The nanoseconds of a time in UTC."""
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()) * SECOND


def in_zone(instant: int, zone: str = "UTC") -> dt.datetime:
    return dt.datetime.fromtimestamp(instant // SECOND, ZoneInfo(zone))


class World:
    """One market: a client for each reading of `until`, and the whole without limits."""

    def __init__(
        self, runner: asyncio.Runner, clients: Mapping[bool, TrayportClient], raw: httpx.Client
    ) -> None:
        self._runner = runner
        self._raw = raw
        self.clients = clients
        self.on_seconds = cache(self._on_seconds)

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(call)

    def response(self, path: str, **arguments: Any) -> Any:
        """One response without limits, to arguments named as the SDK names them."""
        query = {
            _camel(name): _wire(value) for name, value in arguments.items() if value is not None
        }
        response = self._raw.get(path, params=query)
        assert response.status_code == 200, response.text
        return json.loads(response.content)

    def rows(self, path: str, start: int, end: int, *, time: str | None, **arguments: Any) -> Rows:
        """The rows of a range in one response."""
        found = self.response(path, from_=in_zone(start), until=in_zone(end), **arguments)
        return counted(row for row in found if time is None or start <= row[time] < end)

    def _on_seconds(self, path: str, start: int, end: int, **whose: Any) -> list[int]:
        """When something was traded on a whole second."""
        found = self.response(path, from_=in_zone(start), until=in_zone(end), **whose)
        return [row["dealDate"] for row in found if row["dealDate"] % SECOND == 0]


@contextmanager
def opened() -> Generator[World]:
    """The world, on real sockets."""
    with ExitStack() as stack:
        cut = {
            inclusive: stack.enter_context(Sandbox(limits=False, until_inclusive=inclusive).serve())
            for inclusive in (False, True)
        }
        whole = stack.enter_context(Sandbox(limits=False, range_limits=False).serve())
        raw = stack.enter_context(
            httpx.Client(base_url=whole.analytics_url, headers={"X-API-KEY": "sandbox"})
        )
        runner = stack.enter_context(asyncio.Runner())
        closing = AsyncExitStack()
        clients: dict[bool, TrayportClient] = {}
        for inclusive, server in cut.items():
            quick = Settings(
                _env_file=None,
                api_key="sandbox",
                analytics_url=server.analytics_url,
                reference_url=server.reference_url,
                requests_per_second=100_000,
                requests_per_minute=1_000_000,
                evenly_spaced=False,
                emergency_throttling=False,
            )
            client = TrayportClient(settings=quick)
            clients[inclusive] = runner.run(closing.enter_async_context(client))
        yield World(runner, clients, raw)
        runner.run(closing.aclose())


def parts(contract: ContractSpec) -> dict[str, Any]:
    """The parts of a contract, as arguments."""
    return {
        "market_id": contract.market_id,
        "instrument_id": contract.instrument_id,
        "sequence_id": contract.sequence_id,
        "sequence_item_id": contract.sequence_item_id,
        "second_sequence_item_id": contract.second_sequence_item_id,
        "contract_type": contract.contract_type.value,
    }


def _camel(name: str) -> str:
    return re.sub("_([a-z])", lambda match: match[1].upper(), name).removesuffix("_")


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda match: f"_{match[0].lower()}", name)


def _wire(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, dt.datetime) else value


def counted(rows: Iterable[Mapping[str, Any]]) -> Rows:
    """Rows as a multiset: every column and every member of it exactly, a null like its absence."""
    return Counter(map(_exact, rows))


def _exact(value: Any) -> Any:
    match value:
        case dict():
            members = cast("dict[str, Any]", value)
            return frozenset((_snake(k), _exact(v)) for k, v in members.items() if v is not None)
        case list():
            elements = cast("Iterable[Any]", value)
            return tuple(map(_exact, elements))
        case bool():
            return str(value)  # True is not 1
        case _:
            return value


def table(frame: pl.DataFrame) -> Rows:
    """The rows of a frame, its times as the integers that they are."""
    kinds = {name: _without_times(kind) for name, kind in frame.schema.items()}
    return counted(frame.cast(kinds).to_dicts())  # type: ignore[arg-type]  # any kind of column


def _without_times(kind: Any) -> pl.DataType:
    match kind:
        case pl.Datetime():
            return pl.Int64()
        case pl.Struct(fields=fields):
            return pl.Struct({one.name: _without_times(one.dtype) for one in fields})
        case pl.List(inner=inner):
            return pl.List(_without_times(inner))
        case _:
            known: pl.DataType = kind
            return known
