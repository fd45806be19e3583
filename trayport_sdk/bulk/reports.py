"""What came of writing a file."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen

from ..query.plan import counted
from ..tables.base import RequestRecord


@frozen
class FileReport:
    """A file that was written, and the requests its rows came from.

    Attributes:
        path: The file.
        rows: How many rows of tables were written; a book, which is one of them, becomes a line for
            each order in CSV.
        bytes_written: The size of the file.
        requests: What was asked, in the order of the rows.
        seconds: From the first request to the finished file.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as directory:
        ...     async with TrayportClient.sandbox() as client:
        ...         report = await client.stream_to_file(
        ...             "TTF Hi Cal 51.6* Apr-24",
        ...             "2024-03-04",
        ...             "2024-03-05",
        ...             f"{directory}/trades.parquet",
        ...         )
        ...     len(open_dataset(report.path).collect()) == report.rows
        True
    """

    path: Path
    rows: int
    bytes_written: int
    requests: tuple[RequestRecord, ...] = field(repr=False)
    seconds: float

    def explain(self) -> str:
        """How the file was made, in words."""
        dropped = sum(request.dropped for request in self.requests)
        decoded = sum(request.bytes_decoded for request in self.requests)
        received = sum(request.bytes_received for request in self.requests)
        return (
            f"{counted(self.rows, 'row')} from {counted(len(self.requests), 'request')}, "
            f"{received:,} bytes received, {decoded:,} decoded, {self.bytes_written:,} written "
            f"in {self.seconds:.1f} s; {counted(dropped, 'row')} left out at the ends of windows"
        )
