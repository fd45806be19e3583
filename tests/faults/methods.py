"""A call of every public method that sends requests; of several requests where it can be."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from attrs import field, frozen

from tests.service import CONTRACTS
from trayport_sdk import ContractSpec, TrayportClient, decode_file
from trayport_sdk.bulk.stream import TableStream
from trayport_sdk.resources.generated.groups import GROUPS
from trayport_sdk.resources.planner import Planner
from trayport_sdk.sandbox import Fault, Sandbox

APRIL, MAY, JUNE = CONTRACTS[:3]
SPREAD = ContractSpec.parse("10000065*#Spread#10000305#244#245")
PRODUCT = ContractSpec(instrument_id=10002806, sequence_id=10000305, sequence_item_id=244)
APART = (APRIL, SPREAD, PRODUCT)  # no two of them may share a request
DAY = ("2024-03-04", "2024-03-05")
HOUR = ("2024-03-04T09:00", "2024-03-04T10:00")
HOURS = ("2024-03-04T08:00", "2024-03-04T10:00")
TWO_WINDOWS = ("2024-01-28", "2024-03-05")
NOON = "2024-03-04T12:00"
MONTHS = ["TTF Hi Cal 51.6* Apr-24", "TTF Hi Cal 51.6* May-24"]


@frozen
class Case:
    """What a method is called on.

    Attributes:
        client: The client.
        sandbox: What it sends to.
        directory: Where files go.
        seen: What came before the call was over, of methods that show it.
        is_exact: Whether every request that the client sends is one that the sandbox sees.
    """

    client: Any
    sandbox: Sandbox
    directory: Path
    seen: list[tuple[str, pl.DataFrame]] = field(factory=list[tuple[str, pl.DataFrame]])
    is_exact: bool = True


async def nothing(_case: Case) -> None:
    """Prepares nothing."""


@frozen
class Method:
    """How a method is called.

    Attributes:
        call: Calls it, with what was prepared.
        prepare: What has to be there before; its requests don't count.
        is_report: Whether it tells what is wrong, instead of raising it.
        keeps: Whether the files of the requests before a failure stay.
        is_again: Whether it fetches again what is there, which stays until something has come.
        mends: Whether it mends what nobody can read before.
        absent: Whether less comes where the service says of a request that there is nothing (404).
    """

    call: Callable[[Case, Any], Awaitable[Any]]
    prepare: Callable[[Case], Awaitable[Any]] = nothing
    is_report: bool = False
    keeps: bool = False
    is_again: bool = False
    mends: bool = False
    absent: bool = False


def simple(call: Callable[[Any], Awaitable[Any]], **options: Any) -> Method:
    """A method of a client that needs nothing else."""
    return Method(lambda case, _: call(case.client), **options)


def _into_file(write: str, name: str) -> Method:
    """A method of a stream that writes a file."""

    async def call(case: Case, _: Any) -> Any:
        stream = case.client.stream_trades(APART, *HOURS)
        await getattr(stream, write)(case.directory / name)
        return case.directory

    return Method(call)


async def _into_table(case: Case, _: Any) -> Any:
    await case.client.stream_to_file(APART, *HOURS, case.directory / "rows.parquet")
    return case.directory


async def _raw(case: Case, _: Any) -> Any:
    return _rows_in(await case.client.download_raw(APART, *HOURS, case.directory))


async def _raw_of_stream(case: Case, _: Any) -> Any:
    return _rows_in(await case.client.stream_trades(APART, *HOURS).download_raw(case.directory))


def _rows_in(responses: Sequence[Path]) -> pl.DataFrame:
    """The rows of responses that were kept, of which a split request has more."""
    return pl.concat([rows for path in responses for rows in decode_file(path)])


async def _streamed(case: Case, _: Any) -> Any:
    async for batch in case.client.stream_trades(APART, *HOURS):
        case.seen.append((str(batch.contract), batch.to_polars()))
    return joined(case.seen)


async def _mapped(case: Case, _: Any) -> Any:
    stream = case.client.stream_trades(APART, *HOURS)
    async for rows in stream.map_batches(pl.DataFrame.clone, workers=1):
        case.seen.append(("", rows))
    return joined(case.seen)


def joined(parts: Sequence[tuple[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    """The rows of parts of the same name as one table."""
    frames: dict[str, list[pl.DataFrame]] = {}
    for name, frame in parts:
        frames.setdefault(name, []).append(frame)
    return {name: pl.concat(those) for name, those in frames.items()}


async def _plans(case: Case) -> Any:
    return case.client.planner.plan_multi_contract_query(APART, "trades", *HOURS)


async def _executed(case: Case, plans: Any) -> Any:
    def keep(result: Any) -> None:
        case.seen.append((str(result.contract), result.table.to_polars()))

    return await case.client.planner.execute_plan(plans, on_result=keep)


async def _part(case: Case) -> Any:
    (part,) = case.client.planner.parts(await _plans(case), 1)
    return part


async def _failed(case: Case) -> Any:
    """A result that lacks everything."""
    case.sandbox.faults.add(Fault("status", status=404, times=None))
    result = await case.client.get_trades_bulk(APART, *HOURS)
    case.sandbox.faults.clear()
    return result


async def _dead_letters(case: Case) -> Path:
    letters = case.directory.parent / f"{case.directory.name}.jsonl"
    failures = (await _failed(case)).failures
    letters.write_text("".join(f"{json.dumps(one.to_dict())}\n" for one in failures))
    return letters


async def _retried_letters(case: Case, letters: Path) -> Any:
    report = await case.client.retry_failed(letters, case.directory)
    assert report.succeeded + report.failed == len(APART)
    return case.directory, letters


async def _data_set(case: Case) -> Path:
    await case.client.backfill(APART, *HOURS, case.directory)
    return case.directory


async def _damaged_data_set(case: Case) -> Path:
    path = await _data_set(case)
    for file in sorted(path.rglob("data/**/*.parquet")):
        file.write_bytes(b"")
    return path


async def _filled(case: Case, _: Any) -> Any:
    return await case.client.backfill(APART, *HOURS, case.directory), case.directory


async def _refreshed(case: Case, path: Path) -> Any:
    return await case.client.refresh(path, "1d"), path


async def _verified(case: Case, path: Path) -> Any:
    return await case.client.verify(path), path


async def _warmed_up(case: Case, _: Any) -> None:
    await case.client.warm_up(3)  # how many it has opened depends on where they lead


def _curve(client: Any) -> Any:
    return client.curve("TTF Hi Cal 51.6*", "months", n=3, at=NOON)


def _continuous(client: Any) -> Any:
    return client.continuous(
        "TTF Hi Cal 51.6* months", 1, "2024-02-01", "2024-05-01", what="ohlcv", interval="1d"
    )


METHODS: dict[str, Method] = {
    "client.backfill": Method(_filled),
    "client.continuous": simple(_continuous),
    "client.curve": simple(_curve),
    "client.describe": simple(lambda c: c.describe(MONTHS[0])),
    "client.download_raw": Method(_raw, keeps=True),
    "client.first_contact": simple(lambda c: c.first_contact(), is_report=True),
    "client.get_market_data": simple(
        lambda c: c.get_market_data("Germany Baseload", "2024-03-04T10:00", "2024-03-04T10:01")
    ),
    "client.get_market_data_bulk": simple(
        lambda c: c.get_market_data_bulk(["EUA*"], "2024-03-04T10:00", "2024-03-04T10:10")
    ),
    "client.get_ohlcv": simple(lambda c: c.get_ohlcv(MONTHS[0], "2023-07-01", "2024-03-01", "4h")),
    "client.get_ohlcv_bulk": simple(lambda c: c.get_ohlcv_bulk(APART, *DAY, "1h")),
    "client.get_order_book_top_bulk": simple(
        lambda c: c.get_order_book_top_bulk(APART, *HOURS, "1h")
    ),
    "client.get_snapshots_bulk": simple(lambda c: c.get_snapshots_bulk(APART, NOON)),
    "client.get_trades": simple(
        lambda c: c.get_trades("TTF Hi Cal 51.6*", "Gas - NG Months", "Apr-24", *HOUR)
    ),
    "client.get_trades_bulk": simple(lambda c: c.get_trades_bulk(APART, *HOURS)),
    "client.health_check": simple(lambda c: c.health_check(), is_report=True),
    "client.refresh": Method(_refreshed, _data_set, is_again=True),
    "client.resolve_contract": simple(lambda c: c.resolve_contract(MONTHS[0])),
    "client.retry_failed": Method(_retried_letters, _dead_letters),
    "client.retry_failures": Method(
        lambda case, lacking: case.client.retry_failures(lacking), _failed
    ),
    "client.run_part": Method(lambda case, part: case.client.run_part(part), _part),
    "client.search_contracts": simple(lambda c: c.search_contracts("ttf hi cal apr 24")),
    "client.search_instruments": simple(lambda c: c.search_instruments("ttf hi cal 51,6")),
    "client.search_markets": simple(lambda c: c.search_markets("ttf cal hi")),
    "client.spread": simple(lambda c: c.spread(*MONTHS, *HOURS, interval="1h"), absent=True),
    "client.stream_to_file": Method(_into_table),
    "client.stream_trades": Method(_streamed),
    "client.verify": Method(_verified, _damaged_data_set, mends=True),
    "client.warm_up": Method(_warmed_up),
    "client.orders.get_order_book": simple(
        lambda c: c.orders.get_order_book(APRIL, "2023-12-01", "2024-03-10", "12h")
    ),
    "client.orders.get_order_book_snapshot": simple(
        lambda c: c.orders.get_order_book_snapshot(MONTHS[0], NOON)
    ),
    "client.orders.get_order_book_top": simple(
        lambda c: c.orders.get_order_book_top(APRIL, "2023-10-01", "2024-03-10", "12h")
    ),
    "client.planner.execute_plan": Method(_executed, _plans),
    "client.reference.get_instrument_by_id": simple(
        lambda c: c.reference.get_instrument_by_id(10002806)
    ),
    "client.reference.get_instrument_sequences": simple(
        lambda c: c.reference.get_instrument_sequences(10002806)
    ),
    "client.reference.get_instruments": simple(lambda c: c.reference.get_instruments("ttf")),
    "client.reference.get_market_by_id": simple(lambda c: c.reference.get_market_by_id(10000065)),
    "client.reference.get_market_sequences": simple(
        lambda c: c.reference.get_market_sequences(10000065)
    ),
    "client.reference.get_markets": simple(lambda c: c.reference.get_markets("ttf")),
    "client.reference.get_sequence_by_id": simple(
        lambda c: c.reference.get_sequence_by_id(10000305)
    ),
    "client.reference.get_sequence_item": simple(
        lambda c: c.reference.get_sequence_item(10000305, 244)
    ),
    "client.reference.get_sequence_items": simple(
        lambda c: c.reference.get_sequence_items(10000305)
    ),
    "client.reference.get_sequences": simple(lambda c: c.reference.get_sequences()),
    "client.snapshots.get_snapshots": simple(lambda c: c.snapshots.get_snapshots(APART, at=NOON)),
    "client.snapshots.get_snapshots_by_trading_items": simple(
        lambda c: c.snapshots.get_snapshots_by_trading_items(
            10000065, sequence_id=10000305, trading_items=3, at=NOON
        )
    ),
    "client.trades.get_activity": simple(
        lambda c: c.trades.get_activity("2023-12-20", "2024-01-05")
    ),
    "client.trades.get_last_trade": simple(
        lambda c: c.trades.get_last_trade(MONTHS[0], at=NOON), absent=True
    ),
    "client.trades.get_ohlcv": simple(
        lambda c: c.trades.get_ohlcv(APRIL, "2023-07-01", "2024-03-01", "4h")
    ),
    "client.trades.get_private_trades": simple(
        lambda c: c.trades.get_private_trades(*TWO_WINDOWS, contract=APRIL)
    ),
    "client.trades.get_trades": simple(lambda c: c.trades.get_trades(APART, *HOURS)),
    "client.trades.get_trades_by_trading_items": simple(
        lambda c: c.trades.get_trades_by_trading_items(
            10000065, sequence_id=10000305, trading_items=1, from_="2023-04-01", until="2023-05-04"
        )
    ),
    "stream.download_raw": Method(_raw_of_stream, keeps=True),
    "stream.map_batches": Method(_mapped),
    "stream.to_arrow": _into_file("to_arrow", "rows.arrow"),
    "stream.to_csv": _into_file("to_csv", "rows.csv"),
    "stream.to_file": _into_file("to_file", "rows.parquet"),
    "stream.to_json": _into_file("to_json", "rows.jsonl"),
    "stream.to_parquet": _into_file("to_parquet", "rows.parquet"),
}
"""By the name that users write; `stream` is what `client.stream_trades` returns."""

SENDS_NOTHING = {"client.aclose", "client.reference.refresh", "stream.aclose"}


@cache
def classes() -> dict[str, type]:
    """The client, its groups and its streams, by the names that methods begin with."""
    client = TrayportClient.sandbox()
    groups = {f"client.{name}": type(getattr(client, name)) for name in GROUPS}
    return {"client": TrayportClient, "client.planner": Planner, "stream": TableStream, **groups}


def public_methods() -> Iterator[str]:
    """Every public method of these that may be awaited."""
    for place, kind in classes().items():
        for name, member in inspect.getmembers_static(kind, inspect.isfunction):
            if not name.startswith("_") and _is_awaited(member):
                yield f"{place}.{name}"


def _is_awaited(function: Callable[..., Any]) -> bool:
    """Whether a method is a coroutine, or returns what is iterated by `async for`."""
    returned = str(inspect.signature(function).return_annotation)
    return inspect.iscoroutinefunction(function) or returned.startswith(("Table", "Async"))


def files_of(directory: Path) -> dict[str, pl.DataFrame]:
    """The rows in the files of a directory, by their names; all of them must be whole."""
    found: dict[str, pl.DataFrame] = {}
    for path in sorted(p for p in directory.rglob("[!.]*") if p.is_file()):
        if path.suffix == ".parquet":
            found[path.name] = pl.read_parquet(path)
        elif path.suffix == ".arrow":
            found[path.name] = pl.read_ipc(path)
        elif ".json" in path.suffixes:
            found[path.name] = pl.concat(decode_file(path))
        elif path.suffix == ".csv":
            found[path.name] = pl.read_csv(path, infer_schema=False)
        elif path.suffix == ".jsonl":
            found[path.name] = pl.read_ndjson(path, infer_schema_length=None)
    return found
