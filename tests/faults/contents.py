"""What a call returned, whatever its class, in a form that can be compared."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl
from attrs import field, frozen
from trayport_spec import ENDPOINTS

from tests.faults.methods import files_of, joined
from trayport_sdk import QueryPlan, TrayportError, errors, open_dataset
from trayport_sdk.bulk.backfill_report import BackfillReport
from trayport_sdk.bulk.parts import PartReport
from trayport_sdk.bulk.result import FailedQuery
from trayport_sdk.bulk.results import BulkMarketDataResponse, BulkQueryResult, MarketData
from trayport_sdk.query.times import Window
from trayport_sdk.resources.contact.report import FirstContact
from trayport_sdk.resources.health import HealthReport

Key: TypeAlias = tuple[str, str]
"""What rows are about: the operation and the contract; or nothing and the name of a file."""

ALL: Key = ("", "")
NAMES = ("contract_name", "period")
TIME = pl.Datetime("ns", "UTC")


@frozen
class Missing:
    """What a result says is missing, and why."""

    endpoint: str
    contracts: frozenset[str]
    window: Window | None
    error: type[TrayportError]

    @classmethod
    def of(cls, query: QueryPlan, error: type[TrayportError]) -> Missing:
        return cls(query.endpoint, frozenset(map(str, query.contracts)), query.window, error)

    @classmethod
    def all_of(cls, failures: Sequence[FailedQuery]) -> list[Missing]:
        return [cls.of(failure.query, type(failure.error)) for failure in failures]

    def concerns(self, key: Key) -> bool:
        return key[0] == self.endpoint and (not self.contracts or key[1] in self.contracts)


@frozen
class Content:
    """What a call returned: tables and other values by what they are about, and what is missing."""

    parts: Mapping[Key, Any]
    missing: Sequence[Missing] = field(factory=list[Missing])


def content_of(result: Any) -> Content:
    """The tables and values of a result, and what it says is missing."""
    match result:
        case BulkMarketDataResponse():
            markets = [content_of(market) for market in result.results.values()]
            parts = {key: part for market in markets for key, part in market.parts.items()}
            return Content(parts, Missing.all_of(result.failures))
        case MarketData():
            tables: tuple[BulkQueryResult[Any], ...] = (
                result.trades, result.candles, result.order_book_top, result.snapshots,
            )  # fmt: skip
            parts = {key: part for table in tables for key, part in content_of(table).parts.items()}
            return Content(parts, Missing.all_of(result.failures))
        case BulkQueryResult():
            bulk: BulkQueryResult[Any] = result
            endpoint = ENDPOINTS[bulk._response.operation_id].key
            frames = {(endpoint, str(c)): table.to_polars() for c, table in bulk.results.items()}
            return Content(frames, Missing.all_of(bulk.failures))
        case PartReport():
            responses = sorted(result.responses, key=lambda one: one.query.window or Window(0, 0))
            rows = joined([(str(one.query.contracts[0]), one.frame) for one in responses])
            return Content(_of_trades(rows), Missing.all_of(result.failures))
        case BackfillReport() as report, Path() as path:
            return Content(_of_trades(_of_data_set(path)), Missing.all_of(report.failures))
        case Path() as directory, Path() as letters:
            tables_there = list(files_of(directory).values())
            rows = _by_contract(pl.concat(tables_there)) if tables_there else {}
            return Content(_of_trades(rows), _of_letters(letters))
        case Path():
            return Content({("", name): frame for name, frame in files_of(result).items()})
        case dict():
            return Content(_of_trades(result))
        case FirstContact():
            return Content({ALL: result.to_dict()})
        case HealthReport():
            return Content({ALL: [(check.name, check.ok) for check in result.checks]})
        case _:
            frame = getattr(result, "to_polars", None)
            return Content({ALL: result if frame is None else frame()})


def _of_trades(frames: Mapping[str, pl.DataFrame]) -> dict[Key, Any]:
    return {("trades", contract): frame for contract, frame in frames.items()}


def _of_data_set(path: Path) -> dict[str, pl.DataFrame]:
    """The rows of a data set; none where it cannot be read because files are damaged."""
    if not any(path.rglob("data/**/*.parquet")):
        return {}
    try:
        return _by_contract(open_dataset(path).collect())
    except errors.TrayportDatasetError:
        return {}


def _by_contract(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    parts = frame.partition_by("contract", as_dict=True, include_key=False)
    return {str(contract): rows for (contract,), rows in parts.items()}


def _of_letters(file: Path) -> list[Missing]:
    lines = file.read_text().splitlines() if file.exists() else []
    return [
        Missing.of(QueryPlan.from_dict(one["query"]), getattr(errors, one["error"]["class"]))
        for one in map(json.loads, lines)
    ]


def are_equal(found: Mapping[Key, Any], whole: Mapping[Key, Any], *, venues: bool = True) -> bool:
    """Whether the parts are the same; without venues, whatever venues they name."""
    return found.keys() == whole.keys() and all(
        are_alike(found[key], whole[key], venues=venues) for key in whole
    )


def are_alike(found: Any, whole: Any, *, venues: bool = True) -> bool:
    """Whether two tables or other values are the same. Only rows with a time have an order."""
    if venues and isinstance(found, pl.DataFrame) and isinstance(whole, pl.DataFrame):
        has_order = TIME in whole.dtypes
        return found.schema == whole.schema and (
            found.equals(whole) if has_order else rows_of(found) == rows_of(whole)
        )
    return _text(found, venues=venues) == _text(whole, venues=venues)


def differ_by_names(found: Mapping[Key, Any], whole: Mapping[Key, Any]) -> bool:
    """Whether all that the tables lack are names of contracts."""

    def lacks_names(frame: Any, other: Any) -> bool:
        if not isinstance(frame, pl.DataFrame) or not set(NAMES) <= set(frame.columns):
            return False
        return frame.drop(NAMES).equals(other.drop(NAMES)) and all(
            frame[name].is_null().all() or frame[name].equals(other[name]) for name in NAMES
        )

    return found.keys() == whole.keys() and all(
        lacks_names(found[key], whole[key]) for key in whole
    )


def _text(value: Any, *, venues: bool) -> str:
    """A table or another value as text that is the same for the same value."""
    if isinstance(value, pl.DataFrame):
        times = pl.selectors.datetime().cast(pl.Int64)
        text = f"{value.schema}{value.with_columns(times).write_json()}"
    elif isinstance(value, tuple | list):
        return repr([_text(item, venues=venues) for item in value])
    else:
        text = repr(value)
    return text if venues else re.sub(r"(venue_?code\W+)\w+", r"\1", text, flags=re.IGNORECASE)


def rows_of(frame: Any) -> Counter[str]:
    """The rows as a multiset; names, which are not always known, don't count."""
    assert isinstance(frame, pl.DataFrame)
    times = pl.selectors.datetime().cast(pl.Int64)
    return Counter(map(str, frame.drop(NAMES, strict=False).with_columns(times).rows()))


def within(frame: pl.DataFrame, windows: Sequence[Window | None]) -> pl.DataFrame:
    """The rows in any of the windows; all of them where one has no bounds."""
    bounds = [window for window in windows if window is not None]
    if len(bounds) < len(windows):
        return frame
    time = pl.col(next(name for name, kind in frame.schema.items() if kind == TIME)).cast(pl.Int64)
    inside = [(time >= one.start) & (time < one.end) for one in bounds]
    return frame.filter(pl.any_horizontal(inside)) if inside else frame.clear()
