"""Which file of a data set a row belongs to: one for each contract and month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl
from attrs import frozen

from ..errors import invalid
from ..query.contracts import KIND_WORDS, ContractSpec
from ..query.plan import QueryPlan
from ..query.times import Interval, Window, floored, months_after, to_text
from ..tables.convert import PolarsDataType, flat
from .result import split_by_contract

DATA, VERSIONS = "data", "versions"
FROM, TO = "from_timestamp", "to_timestamp"
DAY = Interval(1, "day")
TIME = pl.Datetime("ns", "UTC")
KEYS: Mapping[str, PolarsDataType] = {
    "product": pl.String,
    "sequence": pl.Int64,
    "item": pl.String,
    "month": pl.String,
}
"""The columns that readers take from the names of directories, with the types that they infer."""
OF_CONTRACT = ("product", "sequence", "item")
"""Those that say which contract a row is of."""


@frozen
class Grid:
    """Where windows of a data set may begin and end, so that each bar lies in one of them.

    Attributes:
        start: The start of a bar.
        interval: The length of a bar, or the time between two points; None where rows have a time
            of their own.
    """

    start: int
    interval: Interval | None

    @classmethod
    def of(cls, query: QueryPlan, start: int | None = None) -> Grid:
        """The grid of a query; bars are counted from a start, or from where the query begins."""
        # Activity, whose rows have no time, is counted by the day.
        interval = DAY if query.operation.time_column is None else query.interval
        if start is None:
            start = 0 if query.window is None else query.window.start
            start = start if interval is None else floored(start, interval)
        return cls(start, interval)

    def floor(self, time: int) -> int:
        """The last place on the grid that is not after a time."""
        if self.interval is None:
            return time
        if self.interval.length is None:
            return floored(time, self.interval)
        return time - (time - self.start) % self.interval.length

    def ceil(self, time: int) -> int:
        """The first place on the grid that is not before a time."""
        floor = self.floor(time)
        if self.interval is None or floor == time:
            return time
        length = self.interval.length
        return months_after(floor, self.interval.count) if length is None else floor + length


def keys_above(place: str) -> list[str]:
    """The columns that readers take from the directories above a data set.

    Raises:
        TrayportValidationError: One is a column of the data set as well.

    Example:
        >>> keys_above("/lake/env=prod/ttf")
        ['env']
    """
    parts = place.replace("\\", "/").split("/")
    above = [part.partition("=")[0] for part in parts if "=" in part[1:]]
    if taken := [key for key in above if key in KEYS]:
        reason = f"has a directory {taken[0]}=..., and readers would mix it up with the data set's"
        raise invalid("path", place, reason, "choose another directory")
    return above


def time_column(query: QueryPlan) -> str:
    """The column that says when a row is of."""
    names = {column.name: column.python_name for column in query.operation.row}
    return names.get(query.operation.time_column or "", FROM)


def moment(time: int) -> pl.Expr:
    """A time of a table, from nanoseconds."""
    return pl.lit(time, dtype=pl.Int64).cast(TIME)


def months_of(window: Window) -> list[str]:
    """The months that a range touches.

    Example:
        >>> months_of(Window.between("2024-01-31", "2024-03-01"))
        ['2024-01', '2024-02']
    """
    starts = [months_after(window.start, 0)]
    while (start := months_after(starts[-1], 1)) < window.end:
        starts.append(start)
    return [to_text(start)[:7] for start in starts]


def month_window(month: str) -> Window:
    """The range of a month."""
    start = Window.between(f"{month}-01", f"{month}-02").start
    return Window(start, months_after(start, 1))


def file_name(endpoint: str, contract: ContractSpec | None, month: str) -> str:
    """The file with the rows of a contract, or of everything, in a month."""
    parts = [DATA]
    if contract is not None:
        parts += [f"{key}={value}" for key, value in partition(contract).items()]
    return "/".join([*parts, f"month={month}", f"{endpoint}.parquet"])


def partition(contract: ContractSpec) -> dict[str, str | int]:
    """The directories of a contract.

    The product and the item begin with a word, so that no reader takes them for numbers.

    Example:
        >>> partition(ContractSpec.parse("10000065*#Spread#10000305#244#245"))
        {'product': 'market-10000065', 'sequence': 10000305, 'item': 'spread-244-245'}
    """
    is_market = contract.market_id is not None
    product = (
        f"market-{contract.market_id}" if is_market else f"instrument-{contract.instrument_id}"
    )
    item = f"{KIND_WORDS[contract.contract_type].lower()}-{contract.sequence_item_id}"
    if contract.second_sequence_item_id is not None:
        item = f"{item}-{contract.second_sequence_item_id}"
    return {"product": product, "sequence": contract.sequence_id, "item": item}


def rows_by_contract(
    query: QueryPlan, frame: pl.DataFrame
) -> Iterator[tuple[ContractSpec | None, pl.DataFrame]]:
    """The flat rows of each contract of a request; all of them where it names none."""
    if query.contracts:
        for contract, rows in split_by_contract(query, frame):
            yield contract, flat(rows)
        return
    rows = flat(frame)
    if query.operation.time_column is None and query.window is not None:
        window = query.window
        times = ((FROM, window.start), (TO, window.end))
        rows = rows.select(*(moment(t).alias(name) for name, t in times), pl.all())
    yield None, rows


def rows_by_month(rows: pl.DataFrame, time: str) -> dict[str, pl.DataFrame]:
    """The rows of each month that has any."""
    month = pl.col(time).dt.strftime("%Y-%m").alias("month")
    parts = rows.with_columns(month).partition_by("month", include_key=False, as_dict=True)
    return {str(key): part for (key,), part in parts.items()}
