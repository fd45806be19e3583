"""A table that knows how it was made, with models made when iterated."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar, overload

from trayport_spec import ENDPOINTS, SPEC_HASH, Column

from . import decode, export
from .errors import TrayportValidationError
from .estimates import counted
from .extras import needs

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import polars as pl

    from .progress import RequestRecord

Model = TypeVar("Model")


class TableResponse(Generic[Model]):
    """Rows in a typed table, and the requests they came from.

    Columns have the API's names in snake_case; time columns are UTC time stamps in nanoseconds.
    Iterating makes the models, whose time fields are exact integers in nanoseconds. `requests` says
    what was asked and `spec_hash` which version of the OpenAPI document gave the types.

    Example:
        >>> async with TrayportClient.sandbox() as client:
        ...     trades = await client.trades.get_trades(
        ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
        ...     )
        >>> trades[:10].to_polars()["price"].to_list() == [trade.price for trade in trades[:10]]
        True
    """

    operation_id: str
    _make: Callable[[Mapping[str, Any]], Model]

    def __init__(self, frame: pl.DataFrame, requests: Sequence[RequestRecord]) -> None:
        self._frame = frame
        self.requests = tuple(requests)
        self.spec_hash = SPEC_HASH

    @classmethod
    def of(cls, frames: Sequence[pl.DataFrame], requests: Sequence[RequestRecord]) -> Self:
        """One table of the rows of several requests; rows of the same time keep their order."""
        import polars as pl

        return cls(cls._arranged(pl.concat(frames)), requests)

    @classmethod
    def nothing(cls, asked: decode.Asked) -> Self:
        """A table without rows, with the columns a full one would have."""
        return cls(decode.to_frame(ENDPOINTS[cls.operation_id].row, [], asked), [])

    @classmethod
    def _arranged(cls, frame: pl.DataFrame) -> pl.DataFrame:
        endpoint = ENDPOINTS[cls.operation_id]
        for column in endpoint.row:
            if column.name == endpoint.time_column and not frame[column.python_name].is_sorted():
                return frame.sort(column.python_name, maintain_order=True)
        return frame

    def __len__(self) -> int:
        return self._frame.height

    def __iter__(self) -> Iterator[Model]:
        columns = ENDPOINTS[self.operation_id].row
        for row in _exact(self._frame).iter_rows(named=True):
            yield self._make(_document(columns, row))

    @overload
    def __getitem__(self, index: int) -> Model: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Model | Self:
        if isinstance(index, slice):
            return self._with(self._frame[index])
        place = operator.index(index)
        if not -len(self) <= place < len(self):
            raise IndexError(f"row {place} of a table of {len(self)} rows")
        return next(iter(self._with(self._frame.slice(place % len(self), 1))))

    def _with(self, frame: pl.DataFrame) -> Self:
        same = copy(self)
        same._frame = frame
        return same

    def __repr__(self) -> str:
        requests = counted(len(self.requests), "request")
        return f"{type(self).__name__}({counted(len(self), 'row')}, {requests})"

    def _repr_html_(self) -> str:
        return f"<p>{self.explain()}</p>{self._frame._repr_html_()}"  # pyright: ignore[reportPrivateUsage]

    def explain(self) -> str:
        """How the table was made, in words."""
        dropped = sum(request.dropped for request in self.requests)
        decoded = sum(request.bytes_decoded for request in self.requests)
        received = sum(request.bytes_received for request in self.requests)
        return (
            f"{counted(len(self), 'row')} from {counted(len(self.requests), 'request')}, "
            f"{received:,} bytes received, {decoded:,} decoded; "
            f"{counted(dropped, 'row')} left out at the ends of windows; "
            f"spec {self.spec_hash[:12]}"
        )

    def to_polars(self) -> pl.DataFrame:
        """The table as a polars frame, without a copy."""
        return self._frame

    def to_pandas(self) -> pd.DataFrame:
        """The table as a pandas frame; needs the extra `pandas`.

        Nested columns hold dictionaries, whose times are integers in nanoseconds.
        """
        needs("pandas", "pandas", "pyarrow")
        return self._frame.to_pandas()

    @overload
    def to_dataframe(self, backend: Literal["polars"] = "polars") -> pl.DataFrame: ...
    @overload
    def to_dataframe(self, backend: Literal["pandas"]) -> pd.DataFrame: ...
    def to_dataframe(
        self, backend: Literal["polars", "pandas"] = "polars"
    ) -> pl.DataFrame | pd.DataFrame:
        """The table as a frame of polars (the default) or pandas."""
        if backend not in ("polars", "pandas"):
            raise TrayportValidationError(
                f"backend {backend!r} is unknown",
                parameter="backend",
                limit="polars, pandas",
                suggestion="use 'polars' or 'pandas'",
            )
        return self.to_pandas() if backend == "pandas" else self.to_polars()

    def to_parquet(self, path: str | Path) -> None:
        """Writes the table as Parquet; the file appears when it is whole."""
        export.write(self._frame, path, ".parquet")

    def to_csv(self, path: str | Path) -> None:
        """Writes the table as CSV, nested columns flattened, times in ISO-8601 with nanoseconds.

        A book becomes a row per order, with its `side` (`bid` or `ask`) and its `level`, 0 for the
        best; a book without orders keeps one row, where these are empty.
        """
        export.write(self._frame, path, ".csv")

    def to_json(self, path: str | Path) -> None:
        """Writes the table as JSON Lines, times in ISO-8601 with nanoseconds."""
        export.write(self._frame, path, ".jsonl")


def _exact(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with times as integers: a datetime would lose the nanoseconds."""
    import polars as pl

    return export.with_times(frame, lambda time: time.cast(pl.Int64))


def _document(columns: Sequence[Column], row: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object of a row: a null where null is not allowed was absent."""
    return {
        column.name: _value(column, row[column.python_name])
        for column in columns
        if column.python_name in row
        and (column.required or column.nullable or row[column.python_name] is not None)
    }


def _value(column: Column, value: Any) -> Any:
    if value is None or not column.fields:
        return value
    if column.type == "list":
        return [_document(column.fields, item) for item in value]
    return _document(column.fields, value)
