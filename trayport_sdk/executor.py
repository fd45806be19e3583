"""Runs the requests of a plan, a few at once, and cuts every answer to its window."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from attrs import frozen

from . import decode

if TYPE_CHECKING:
    import polars as pl

    from .errors import TrayportCircuitBreakerError
    from .http.calls import Answer, Call
    from .http.wire import Fetch
    from .times import Window


SHORTEST_REST = 0.1
"""Seconds to wait at least before an endpoint that is left alone is asked again."""


@frozen
class Progress:
    """How far a call has come.

    Attributes:
        requests_done: Requests that were answered.
        requests_planned: Requests that the call needs.
        rows: Rows that were received.
        bytes_decoded: Bytes of the answers, decompressed.
        bytes_received: Bytes of the answers as they came over the wire.
    """

    requests_done: int
    requests_planned: int
    rows: int
    bytes_decoded: int
    bytes_received: int


@frozen
class RequestRecord:
    """One request that a result is made of.

    Attributes:
        endpoint: The path of the operation.
        parameters: The query as it was sent; the key is never part of it.
        window: The half-open range the request covers.
        rows: Rows kept.
        dropped: Rows left out because they lie at or after the end of the window.
        bytes_decoded: Bytes of the answer, decompressed.
        bytes_received: Bytes of the answer as it came over the wire.
        seconds: From sending to the last byte.
    """

    endpoint: str
    parameters: Mapping[str, str]
    window: Window
    rows: int
    dropped: int
    bytes_decoded: int
    bytes_received: int
    seconds: float


@frozen
class Piece:
    """One window's share of a result."""

    frame: pl.DataFrame
    record: RequestRecord


OnProgress = Callable[[Progress], None]


@frozen
class _Later:
    """Stands for an answer that can be asked for again."""

    retry_at: datetime


async def run(
    calls: Sequence[tuple[Window, Call]],
    fetch: Fetch,
    asked: decode.Asked,
    *,
    concurrency: int,
    on_progress: OnProgress | None = None,
) -> list[Piece]:
    """Sends every call and returns its rows, in the order of the calls.

    When one fails for good, the others are cancelled and its error is raised.
    """
    pieces: dict[int, Piece] = {}
    slots = asyncio.Semaphore(concurrency)

    def later(refusal: TrayportCircuitBreakerError) -> _Later | None:
        """What is under way is not given up when its endpoint is left alone for a while."""
        return _Later(refusal.retry_at) if pieces else None

    async def fetched(window: Window, call: Call) -> Piece:
        def read(answer: Answer) -> Piece | _Later:
            return _piece(answer, window, asked)

        while True:
            found = await fetch(call, read, patient=len(calls) > 1, instead=later)
            if isinstance(found, Piece):
                return found
            rest = (found.retry_at - datetime.now(UTC)).total_seconds()
            await asyncio.sleep(max(SHORTEST_REST, rest))

    async def one(place: int, window: Window, call: Call) -> None:
        async with slots:
            pieces[place] = await fetched(window, call)
        if on_progress is not None:
            on_progress(_progress([piece.record for piece in pieces.values()], len(calls)))

    failure: Exception | None = None
    try:
        async with asyncio.TaskGroup() as tasks:
            for place, (window, call) in enumerate(calls):
                tasks.create_task(one(place, window, call))
    except* Exception as group:  # noqa: BLE001
        # Which of several failures came first is chance; users catch one error, not a group.
        failure = group.exceptions[0]
    if failure is not None:
        raise failure
    return [pieces[place] for place in range(len(calls))]


def _piece(answer: Answer, window: Window, asked: decode.Asked) -> Piece:
    """The rows of an answer that lie before the end of its window.

    Whether the service answers rows stamped exactly at `until` is not documented. Dropping them in
    every window leaves each row in exactly one window under either reading.
    """
    import polars as pl

    endpoint = answer.call.endpoint
    received = decode.to_frame(endpoint.row, answer.read(decode.decode), asked)
    frame = received
    if endpoint.time_column is not None:
        time = next(c.python_name for c in endpoint.row if c.name == endpoint.time_column)
        frame = received.filter(pl.col(time).cast(pl.Int64) < window.end)
    return Piece(
        frame,
        RequestRecord(
            endpoint=endpoint.path,
            parameters=answer.context.parameters,
            window=window,
            rows=frame.height,
            dropped=received.height - frame.height,
            bytes_decoded=len(answer.body),
            bytes_received=answer.bytes_received,
            seconds=answer.seconds,
        ),
    )


def _progress(records: Sequence[RequestRecord], planned: int) -> Progress:
    return Progress(
        requests_done=len(records),
        requests_planned=planned,
        rows=sum(record.rows for record in records),
        bytes_decoded=sum(record.bytes_decoded for record in records),
        bytes_received=sum(record.bytes_received for record in records),
    )
