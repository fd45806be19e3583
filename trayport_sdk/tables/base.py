"""A table that knows how it was made, with models made when iterated."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from html import escape
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Literal,
    Self,
    SupportsIndex,
    TypeVar,
    Unpack,
    overload,
)

import polars as pl
from attrs import field, frozen
from trayport_spec import ENDPOINTS, SPEC_HASH

from ..errors import TrayportLookupError, unknown_value
from ..query.calls import checked_calls
from ..query.contracts import ContractSpec
from ..query.plan import counted
from ..query.times import Window
from ..telemetry.processes import check_process
from . import convert
from .batches import map_batches
from .constructors import CONSTRUCTORS
from .decode.schema import ColumnFilter, to_frame
from .files import write
from .formats import ColumnarOptions, CsvOptions, TimeOptions
from .models import in_oldest_generation, models

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

Model = TypeVar("Model")
Result = TypeVar("Result")


@frozen
class RequestRecord:
    """One request that a result is made of.

    Attributes:
        endpoint: The path of the operation.
        parameters: The query as it was sent; the key is never part of it.
        window: The half-open range the request covers, or None for an instant.
        rows: Rows kept.
        dropped: Rows left out because they lie at or after the end of the window.
        bytes_decoded: Bytes of the response, decompressed.
        bytes_received: Bytes of the response as it came over the wire.
        seconds: From sending to the last byte.
        timestamp: The instant that the response says it is about, in nanoseconds since
            1970-01-01 UTC, if it says so.
        unexpected: How often each field was not of its type, and was taken nevertheless.
    """

    endpoint: str
    parameters: Mapping[str, str]
    window: Window | None
    rows: int
    dropped: int
    bytes_decoded: int
    bytes_received: int
    seconds: float
    timestamp: int | None = None
    unexpected: Mapping[str, int] = field(factory=dict[str, int])


class FromRequests:
    """What is made of the responses to requests.

    Attributes:
        requests: The requests, in order.
        spec_hash: Which version of the OpenAPI document gave the types.
    """

    def __init__(self, requests: Sequence[RequestRecord]) -> None:
        self.requests = tuple(requests)
        self.spec_hash = SPEC_HASH

    @property
    def request_count(self) -> int:
        """How many requests the table is made of."""
        return len(self.requests)

    @property
    def windows(self) -> tuple[Window, ...]:
        """The ranges that the requests cover, each once; none where they are about an instant."""
        windows = dict.fromkeys(request.window for request in self.requests)
        return tuple(window for window in windows if window is not None)

    @property
    def seconds(self) -> float:
        """How long the requests took, added up; those under way at the same time count each."""
        return sum(request.seconds for request in self.requests)

    @property
    def bytes_received(self) -> int:
        """Bytes of the responses as they came over the wire."""
        return sum(request.bytes_received for request in self.requests)

    @property
    def bytes_decoded(self) -> int:
        """Bytes of the responses, decompressed."""
        return sum(request.bytes_decoded for request in self.requests)

    @property
    def dropped(self) -> int:
        """Rows left out because they lie at or after the end of the window of their request."""
        return sum(request.dropped for request in self.requests)

    @property
    def unexpected(self) -> Mapping[str, int]:
        """How often each field was not of its type, and was taken nevertheless."""
        return sum((Counter(request.unexpected) for request in self.requests), Counter[str]())


@checked_calls
class TableResponse(FromRequests, Generic[Model]):
    """Rows in a typed table, and the requests they came from.

    Columns have the API's names in snake_case; time columns are UTC time stamps in nanoseconds.
    Iterating makes the models, some thousands at a time; their time fields are exact integers in
    nanoseconds. An index gives the model of a row, a slice a table that knows the same requests.

    Frames and files are flat: the field `price` of a nested column `last_trade` is the column
    `last_trade_price`. Where rows name their contract, `contract` in front is its machine symbol,
    to group by, beside columns such as `contract_sequence_item_id`. `nested=True` keeps the nested
    columns as the models have them. The orders of books are lists in either case, but for CSV.
    After `contract` stand `contract_name` and `period`, as far as contracts were given by name or
    resolved before; no request is sent to find names, so they are null otherwise.

    All conversions take two options. `tz`, a name such as `"Europe/London"`, gives times on the
    clock of that zone instead of UTC. `decimal=True` gives every number that may have decimal
    places, prices and quantities alike, as the decimal it was sent as, with as many places as the
    column needs; prices are floats otherwise. An unknown zone, or a number of more than 38 digits,
    is a `TrayportValidationError`.

    Files have more options, those of `FileOptions`: every one of them `time_unit` and `on_loss`,
    for readers without nanoseconds; Parquet `compression`; CSV `separator`, `decimal_comma`, `bom`
    and `guard_formulas`, for spreadsheets.

    Attributes:
        contracts: The contracts that were asked for, with their names as far as they are known;
            none where a whole product was.

    Example:
        >>> async with TrayportClient.sandbox() as client:
        ...     trades = await client.trades.get_trades(
        ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
        ...     )
        >>> trades[:10].to_polars()["price"].to_list() == [trade.price for trade in trades[:10]]
        True
        >>> trades.to_polars(tz="Europe/Amsterdam").schema["deal_date"]
        Datetime(time_unit='ns', time_zone='Europe/Amsterdam')
        >>> from decimal import Decimal
        >>> trades.to_polars(decimal=True)["price"][0] == Decimal(str(trades[0].price))
        True
    """

    operation_id: str
    model: type[Model]

    def __init__(
        self,
        frame: pl.DataFrame,
        requests: Sequence[RequestRecord],
        contracts: Iterable[ContractSpec] = (),
    ) -> None:
        super().__init__(requests)
        self._rows = frame
        self.contracts = tuple(contracts)

    @property
    def _frame(self) -> pl.DataFrame:
        """The rows, to be worked on by polars."""
        check_process()
        return self._rows

    @classmethod
    def of(
        cls,
        frames: Sequence[pl.DataFrame],
        requests: Sequence[RequestRecord],
        contracts: Iterable[ContractSpec] = (),
    ) -> Self:
        """One table of the rows of several requests; rows of the same time keep their order."""
        return cls(cls._arranged(pl.concat(frames)), requests, contracts)

    @classmethod
    def nothing(cls, wanted: ColumnFilter, contracts: Iterable[ContractSpec] = ()) -> Self:
        """A table without rows, with the columns a full one would have."""
        return cls(to_frame(cls.operation_id, [], wanted), [], contracts)

    @classmethod
    def _arranged(cls, frame: pl.DataFrame) -> pl.DataFrame:
        time = cls._time_column()
        if time is None or frame[time].is_sorted():
            return frame
        return frame.sort(time, maintain_order=True)

    @classmethod
    def _time_column(cls) -> str | None:
        endpoint = ENDPOINTS[cls.operation_id]
        names = {column.name: column.python_name for column in endpoint.row}
        return names[endpoint.time_column] if endpoint.time_column else None

    def __len__(self) -> int:
        return self._rows.height

    def __iter__(self) -> Iterator[Model]:
        return models(self._frame, CONSTRUCTORS[self.operation_id])

    @overload
    def __getitem__(self, index: SupportsIndex) -> Model: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Model | Self:
        if isinstance(index, slice):
            index.indices(len(self))  # raises for a slice that is not of integers
            return self._with(self._frame[index])
        try:
            place = operator.index(index)
        except TypeError:
            raise TypeError(
                f"a row of a table is named by its number or a slice, not by {index!r}; "
                "to_polars() has the columns"
            ) from None
        if not -len(self) <= place < len(self):
            raise IndexError(f"row {place} of a table of {counted(len(self), 'row')}")
        return next(iter(self._with(self._frame.slice(place % len(self), 1))))

    def to_models(self) -> list[Model]:
        """All models at once: the same as `list(response)`, in less time.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     trades = await client.trades.get_trades(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            >>> trades.to_models() == list(trades)
            True
        """
        with in_oldest_generation():
            return list(self)

    def _with(self, frame: pl.DataFrame) -> Self:
        same = copy(self)
        same._rows = frame
        return same

    def __repr__(self) -> str:
        requests = counted(self.request_count, "request")
        return f"{type(self).__name__}({counted(len(self), 'row')}, {requests})"

    def _repr_html_(self) -> str:
        # Polars shows the first rows and the last, and makes text of the values that is no HTML.
        table = self._frame._repr_html_()  # pyright: ignore[reportPrivateUsage]
        return f"<p><strong>{type(self).__name__}</strong>: {escape(self.explain())}</p>{table}"

    def explain(self) -> str:
        """How the table was made, in words."""
        parts = [
            f"{counted(len(self), 'row')} from {counted(self.request_count, 'request')}, "
            f"{self.bytes_received:,} bytes received, {self.bytes_decoded:,} decoded",
            f"{self.seconds:.2f} s for requests",
            f"{counted(self.dropped, 'row')} left out at the ends of windows",
            f"spec {self.spec_hash[:12]}",
        ]
        name = self._time_column()
        if name and len(self):
            times = self._frame.select(name)
            ends = [convert.texts(end)[0, 0] for end in (times.min(), times.max())]
            parts.insert(1, f"{name} from {ends[0]} to {ends[1]}")
        if self.unexpected:
            fields = ", ".join(f"{field} ({count:,})" for field, count in self.unexpected.items())
            parts.insert(-1, f"not of their type: {fields}")
        return "; ".join(parts)

    def to_polars(
        self, *, tz: str | None = None, decimal: bool = False, nested: bool = False
    ) -> pl.DataFrame:
        """The table as a polars frame, which shares its memory where nothing is converted."""
        frame = self._frame
        if not nested:
            frame = convert.named(convert.flat(frame), self.contracts)
        return convert.converted(frame, tz, decimal=decimal)

    def to_arrow(
        self, *, tz: str | None = None, decimal: bool = False, nested: bool = False
    ) -> convert.ArrowTable:
        """The table as a table of Arrow; needs the extra `arrow`.

        Numbers, times and truth values stay in the memory of the table; text is copied.
        """
        return convert.arrow_table(self.to_polars(tz=tz, decimal=decimal, nested=nested))

    def to_pandas(
        self,
        *,
        tz: str | None = None,
        decimal: bool = False,
        arrow: bool = False,
        nested: bool = False,
    ) -> pd.DataFrame:
        """The table as a pandas frame; needs the extra `pandas`.

        Whole numbers and truth values that may be missing are `Int64` and `boolean`, whether or not
        some are missing, so that none becomes a float; a float that is missing is NaN, a time NaT.
        Decimals are Python's. Orders of books are dictionaries, whose times are integers in
        nanoseconds, or time stamps of the zone if there is one.

        Args:
            tz: The time zone.
            decimal: Whether prices and quantities are decimals.
            arrow: Whether the columns are those of Arrow (`pandas.ArrowDtype`), nested ones too.
                They share the memory of the table where `to_arrow` does; otherwise all is copied.
            nested: Whether nested columns stay, holding dictionaries, which cannot be grouped by.
        """
        return convert.pandas_frame(
            self.to_polars(tz=tz, decimal=decimal, nested=nested),
            ENDPOINTS[self.operation_id].row,
            arrow=arrow,
            stamps=tz is not None,
        )

    def to_numpy(
        self,
        columns: Iterable[str] | None = None,
        *,
        tz: str | None = None,
        decimal: bool = False,
    ) -> dict[str, npt.NDArray[Any]]:
        """The columns as arrays.

        Floats, whole numbers and times (`datetime64[ns]`, in UTC) stay in the memory of the table,
        which must not be written to, unless values are missing, or rows of several requests lie
        apart. Whole numbers and truth values that may be missing are in masked arrays, whether or
        not some are; a float that is missing is NaN, a time NaT, a text None. Text and decimals are
        objects, and the orders of a book a list of dictionaries.

        Args:
            columns: Which of them; all if left out.
            tz: The time zone. As NumPy knows none, its times are those on the clock there.
            decimal: Whether prices and quantities are decimals.

        Raises:
            TrayportValidationError: There is no such column.
        """
        frame = self.to_polars(tz=tz, decimal=decimal)
        return convert.numpy_arrays(frame, ENDPOINTS[self.operation_id].row, columns)

    @overload
    def to_dataframe(
        self,
        backend: Literal["polars"] = "polars",
        *,
        tz: str | None = ...,
        decimal: bool = ...,
        nested: bool = ...,
    ) -> pl.DataFrame: ...
    @overload
    def to_dataframe(
        self,
        backend: Literal["pandas"],
        *,
        tz: str | None = ...,
        decimal: bool = ...,
        nested: bool = ...,
    ) -> pd.DataFrame: ...
    def to_dataframe(
        self,
        backend: Literal["polars", "pandas"] = "polars",
        *,
        tz: str | None = None,
        decimal: bool = False,
        nested: bool = False,
    ) -> pl.DataFrame | pd.DataFrame:
        """The table as a frame of polars (the default) or pandas."""
        if backend not in ("polars", "pandas"):
            raise unknown_value("backend", backend, ("polars", "pandas"))
        to_frame = self.to_pandas if backend == "pandas" else self.to_polars
        return to_frame(tz=tz, decimal=decimal, nested=nested)

    def to_parquet(
        self,
        path: str | Path,
        *,
        tz: str | None = None,
        decimal: bool = False,
        nested: bool = False,
        **options: Unpack[ColumnarOptions],
    ) -> None:
        """Writes the table as Parquet; the file appears when it is whole."""
        write(self.to_polars(tz=tz, decimal=decimal, nested=nested), path, ".parquet", **options)

    def to_csv(
        self,
        path: str | Path,
        *,
        tz: str | None = None,
        decimal: bool = False,
        **options: Unpack[CsvOptions],
    ) -> None:
        """Writes the table as CSV, times in ISO-8601 with nanoseconds.

        A book becomes a row per order, with its `side` (`bid` or `ask`) and its `level`, 0 for the
        best; a book without orders keeps one row, where these are empty.
        """
        write(self.to_polars(tz=tz, decimal=decimal), path, ".csv", **options)

    def to_json(
        self,
        path: str | Path,
        *,
        tz: str | None = None,
        decimal: bool = False,
        nested: bool = False,
        **options: Unpack[TimeOptions],
    ) -> None:
        """Writes the table as JSON Lines, times in ISO-8601 with nanoseconds, decimals as text."""
        write(self.to_polars(tz=tz, decimal=decimal, nested=nested), path, ".jsonl", **options)

    def map_batches(
        self, fn: Callable[[pl.DataFrame], Result], workers: int | None = None
    ) -> Iterator[Result]:
        """What a function makes of pieces of about 100,000 rows, in their order.

        It is for work that keeps a processor busy: the pieces are worked on in processes of their
        own, a few at a time. A table without rows has no pieces.

        Args:
            fn: Takes a polars frame; defined at the top level of a module that can be imported.
                What it returns is pickled.
            workers: How many processes; with 0 or 1 it runs in this one. As many as there are
                processors when it is left out.

        Raises:
            TrayportValidationError: The function cannot be sent to another process.
            TrayportConfigurationError: A process has ended.
            Exception: What the function raised, with a note about the rows.

        Example:
            >>> import polars as pl
            >>> async with TrayportClient.sandbox() as client:
            ...     trades = await client.trades.get_trades(
            ...         "TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05"
            ...     )
            >>> sum(trades.map_batches(pl.DataFrame.__len__, workers=1)) == len(trades)
            True
        """
        return map_batches([self.to_polars()], fn, workers)


class ActivityTable(TableResponse[Model]):
    """How often contracts traded.

    Rows carry no time: those of several requests are summed per contract and route.
    """

    @classmethod
    def _arranged(cls, frame: pl.DataFrame) -> pl.DataFrame:
        contract = [name for name in frame.columns if not name.endswith("count")]
        counts = [pl.col(name) for name in frame.columns if name.endswith("count")]
        # Polars sums nulls to 0, but with an unknown part the sum is unknown.
        sums = [pl.when(count.null_count() == 0).then(count.sum()) for count in counts]
        return frame.group_by(contract, maintain_order=True).agg(sums).select(frame.columns)


class SnapshotsTable(TableResponse[Model]):
    """The state of contracts at one instant."""

    @property
    def timestamp(self) -> int:
        """The instant, in nanoseconds since 1970-01-01 UTC, as the first response gives it.

        Raises:
            TrayportLookupError: There was no request.
        """
        for request in self.requests:
            if request.timestamp is not None:
                return request.timestamp
        raise TrayportLookupError("there was no request, so there is no instant")
