"""What calls return: tables that know how they were made, with models made when iterated."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar, overload

from trayport_api.models import Trade
from trayport_spec import ENDPOINTS, SPEC_HASH, Column

from . import export
from .errors import TrayportValidationError
from .executor import Piece, RequestRecord
from .extras import needs

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import polars as pl

Model = TypeVar("Model")


class TableResponse(Generic[Model]):
    """Rows in a typed table, and the requests they came from.

    Columns have the API's names in snake_case; time columns are UTC time stamps in nanoseconds.
    Iterating makes the models, whose time fields are exact integers in nanoseconds.
    """

    operation_id: str

    def __init__(
        self,
        frame: pl.DataFrame,
        requests: Sequence[RequestRecord],
        make: Callable[[Mapping[str, Any]], Model],
    ) -> None:
        self._frame = frame
        self._make = make
        self.requests = tuple(requests)
        self.spec_hash = SPEC_HASH

    def __len__(self) -> int:
        return self._frame.height

    def __iter__(self) -> Iterator[Model]:
        columns = ENDPOINTS[self.operation_id].row
        # Time stamps as integers: a datetime would lose the nanoseconds.
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
        return f"{type(self).__name__}({len(self)} rows, {len(self.requests)} requests)"

    def _repr_html_(self) -> str:
        return f"<p>{self.explain()}</p>{self._frame._repr_html_()}"  # pyright: ignore[reportPrivateUsage]

    def explain(self) -> str:
        """How the table was made, in words."""
        dropped = sum(request.dropped for request in self.requests)
        decoded = sum(request.bytes_decoded for request in self.requests)
        received = sum(request.bytes_received for request in self.requests)
        return (
            f"{len(self):,} rows from {len(self.requests)} requests, {received:,} bytes received, "
            f"{decoded:,} decoded; {dropped:,} rows left out at the ends of windows; "
            f"spec {self.spec_hash[:12]}"
        )

    def to_polars(self) -> pl.DataFrame:
        """The table as a polars frame, without a copy."""
        return self._frame

    def to_pandas(self) -> pd.DataFrame:
        """The table as a pandas frame; needs the extra `pandas`."""
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
        """Writes the table as CSV, nested columns flattened, times in ISO-8601 with nanoseconds."""
        export.write(self._frame, path, ".csv")

    def to_json(self, path: str | Path) -> None:
        """Writes the table as JSON Lines, times in ISO-8601 with nanoseconds."""
        export.write(self._frame, path, ".jsonl")


def _exact(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    return frame.with_columns(pl.col(pl.Datetime).cast(pl.Int64))


def _document(columns: Sequence[Column], row: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object of a row: a null where null is not allowed was absent."""
    return {
        column.name: _document(column.fields, row[column.python_name])
        if column.type == "struct" and row[column.python_name] is not None
        else row[column.python_name]
        for column in columns
        if column.python_name in row
        and (column.required or column.nullable or row[column.python_name] is not None)
    }


class TradesResponse(TableResponse[Trade]):
    """Trades in time order; the models are `trayport_api.models.Trade`."""

    operation_id = "get_trades"

    def __init__(self, frame: pl.DataFrame, requests: Sequence[RequestRecord]) -> None:
        super().__init__(frame, requests, Trade.from_dict)

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> TradesResponse:
        """One table of the pieces of a call; trades of the same time keep their order."""
        import polars as pl

        frame = pl.concat([piece.frame for piece in pieces])
        if not frame["deal_date"].is_sorted():
            frame = frame.sort("deal_date", maintain_order=True)
        return cls(frame, [piece.record for piece in pieces])
