"""Parts of a plan: run anywhere, as often as need be, and what comes is the same.

The response to each request is one Parquet file, which says itself what it is: its name has the
request and a checksum, and its metadata the query.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from io import BytesIO
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Self

import polars as pl
from attrs import evolve, field, frozen

from ..errors import TrayportDatasetError, invalid, not_whole
from ..query.plan import QueryPlan, counted
from ..tables.files import ZSTD_LEVEL
from .reading import FetchedQuery
from .result import FailedQuery, raise_for, with_symbols
from .storage import Storage, make_directory, storage_of, written_aside

if TYPE_CHECKING:
    from .runner import Runner

HOLD = 1 << 26
"""About how many bytes of the rows of a response are kept in memory."""
_METADATA = "trayport"
_SUFFIX = ".parquet"


@frozen
class Part:
    """Some requests of a plan, which one worker runs.

    It can be pickled, and `to_dict` writes it as plain values, for schedulers that pass JSON on.

    Attributes:
        plans: The requests.
        out: The directory that the rows go to, which other workers and the next attempt see; an
            absolute path. They come with the report where it is None.

    Example:
        >>> async with TrayportClient.sandbox() as client:
        ...     plans = client.planner.plan_multi_contract_query(
        ...         "10000065*#Single#10000305#244#0", "ohlcv", "2023-01-01", "2024-01-01",
        ...         interval="1h",
        ...     )
        ...     parts = client.planner.parts(plans, 2)
        >>> [len(part.plans) for part in parts], Part.from_dict(parts[0].to_dict()) == parts[0]
        ([2, 2], True)
    """

    plans: tuple[QueryPlan, ...] = field(repr=lambda plans: counted(len(plans), "request"))
    out: str | None = None

    @property
    def id(self) -> str:
        """The same for the same requests."""
        return _digest([query.to_dict() for query in self.plans])

    def to_dict(self) -> dict[str, Any]:
        """The part as plain values that JSON can hold; `from_dict` reads it back."""
        return {"plans": [query.to_dict() for query in self.plans], "out": self.out}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """The part that `to_dict` wrote.

        Raises:
            TrayportValidationError: It is no part.
        """
        try:
            plans, out = document["plans"], document["out"]
            return cls(tuple(map(QueryPlan.from_dict, plans)), None if out is None else str(out))
        except (KeyError, TypeError) as error:
            raise invalid("part", document, "is no part", "give what to_dict returned") from error


@frozen
class PartResponse:
    """The rows of one request of a part.

    Attributes:
        query: The request, or a smaller one where it had to be split.
        rows: How many rows there are.
        bytes_decoded: Bytes of the response, decompressed.
        checksum: The SHA-256 of the Parquet file with the rows, in hexadecimal.
        bytes_received: Bytes of the response as they came over the wire; 0 where an earlier run
            of the part has left it.
        out: The directory of the file, or None.
        content: The bytes of the file, where it is in no directory.
    """

    query: QueryPlan = field(repr=lambda query: query.explain())
    rows: int
    bytes_decoded: int
    checksum: str
    bytes_received: int = field(default=0, eq=False)
    out: str | None = None
    content: bytes | None = field(default=None, repr=False)

    @property
    def file(self) -> str:
        """The name of the file in its directory."""
        return f"{name_of(self.query)}-{self.checksum}{_SUFFIX}"

    @property
    def frame(self) -> pl.DataFrame:
        """The rows, in which a contract is a struct. Read anew each time.

        Raises:
            TrayportDatasetError: The file is missing, or not what was written.
        """
        content = self.content
        if content is None and self.out is not None:
            with suppress(FileNotFoundError):
                content = _content(storage_of(self.out), self.file)
        if content is None or hashlib.sha256(content).hexdigest() != self.checksum:
            raise TrayportDatasetError(
                f"the rows of {self.query.explain()} are missing, or are not what was written",
                files=[self.file],
                suggestion="run the part again",
            )
        return pl.read_parquet(BytesIO(content))

    @classmethod
    def of(cls, fetched: FetchedQuery) -> Self:
        """What one request fetched, as a file in memory."""
        try:
            frame, record = fetched.frame, fetched.record
        finally:
            fetched.rows.close()
        rows, size = frame.height, record.bytes_decoded
        known = {"query": fetched.query.to_dict(), "rows": rows, "bytes_decoded": size}
        buffer = BytesIO()
        frame.write_parquet(
            buffer,
            compression="zstd",
            compression_level=ZSTD_LEVEL,
            metadata={_METADATA: json.dumps(known)},
        )
        content = buffer.getvalue()
        checksum = hashlib.sha256(content).hexdigest()
        return cls(fetched.query, rows, size, checksum, record.bytes_received, content=content)


@frozen(repr=False)
class PartReport:
    """What came of a part. It can be pickled.

    Attributes:
        part: The id of the part.
        responses: The rows, by request.
        failures: The requests that failed for good.
    """

    part: str
    responses: tuple[PartResponse, ...]
    failures: tuple[FailedQuery, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows came."""
        return sum(response.rows for response in self.responses)

    def explain(self) -> str:
        """What came and what did not, in words."""
        words = f"{counted(self.rows, 'row')} from {counted(len(self.responses), 'request')}"
        if self.failures:
            failed = counted(len(self.failures), "request")
            words += f"; {failed} failed, which the next run sends again"
        return words

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.explain()})"

    def to_polars(self) -> pl.DataFrame:
        """The rows of all requests, flat; those of several contracts name theirs.

        Raises:
            TrayportDatasetError: A file is missing, or not what was written.
            TrayportPartialFailureError: No request succeeded.
        """
        if not self.responses:
            self.raise_for_failures()
            return pl.DataFrame()
        contracts = {c: None for response in self.responses for c in response.query.contracts}
        whole = evolve(self.responses[0].query, contracts=tuple(contracts))
        frames = [with_symbols(whole, each.query, each.frame) for each in self.responses]
        return pl.concat(frames)

    def raise_for_failures(self) -> Self:
        """Raises if a request failed for good; the next run of the part sends it again.

        What has come is not sent again, except of a request that had to be split.

        Raises:
            TrayportPartialFailureError: A request failed.
        """
        raise_for(self.failures, completed=len(self.responses))
        return self


def parts_of(plans: Sequence[QueryPlan], n: int, out: str | Path | None) -> list[Part]:
    """At most so many parts, of the same number of requests but for one.

    Raises:
        TrayportValidationError: `n` is no number of parts.
    """
    if type(n) is not int or n < 1:
        raise not_whole("n", n)
    size, more = divmod(len(plans), n)
    ends = [number * size + min(number, more) for number in range(n + 1)]
    out = None if out is None else storage_of(out).url
    return [Part(tuple(plans[start:end]), out) for start, end in pairwise(ends) if start < end]


async def run_part(runner: Runner, part: Part) -> PartReport:
    """Runs the requests of a part that were not run yet.

    Raises:
        TrayportValidationError: It is no part.
    """
    if not isinstance(part, Part):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise invalid("part", part, "is no part", "read it by Part.from_dict")
    storage = None if part.out is None else await asyncio.to_thread(storage_of, part.out)
    known = {} if storage is None else await asyncio.to_thread(_kept, storage, part)
    responses = list(known.values())
    failures: list[FailedQuery] = []
    run = runner.run([query for query in part.plans if query not in known], hold=HOLD)
    async with aclosing(run.outcomes()) as outcomes:
        async for outcome in outcomes:
            if isinstance(outcome, FailedQuery):
                failures.append(outcome)
                continue
            response = await asyncio.to_thread(PartResponse.of, outcome)
            if storage is not None:
                response = await asyncio.to_thread(_keep, storage, response)
            responses.append(response)
    place = {query: number for number, query in enumerate(part.plans)}
    responses.sort(key=lambda each: (place.get(each.query, len(place)), each.file))
    return PartReport(part.id, tuple(responses), tuple(failures))


def name_of(query: QueryPlan) -> str:
    """What a request is called among files; the names of its contracts do not count."""
    return _digest(query.to_dict())


def response_in(storage: Storage, file: str) -> PartResponse | None:
    """The response that a file holds; None where it holds none, or not as it was written."""
    path = PurePosixPath(file)
    _, _, checksum = path.stem.partition("-")
    content = _content(storage, file) if path.suffix == _SUFFIX else b""
    if hashlib.sha256(content).hexdigest() != checksum:
        return None
    metadata = pl.read_parquet_metadata(BytesIO(content)).get(_METADATA)
    if metadata is None:
        return None
    known = json.loads(metadata)
    query = QueryPlan.from_dict(known.pop("query"))
    return PartResponse(query=query, checksum=checksum, content=content, **known)


def _kept(storage: Storage, part: Part) -> dict[QueryPlan, PartResponse]:
    """What an earlier run of a part has left."""
    names = {name_of(query): query for query in part.plans}
    kept: dict[QueryPlan, PartResponse] = {}
    for file in sorted(storage.stamps("")):
        query = names.get(file.partition("-")[0])
        if query is not None and query not in kept:
            response = response_in(storage, file)
            if response is not None:
                kept[query] = evolve(response, query=query, out=part.out, content=None)
    return kept


def _keep(storage: Storage, response: PartResponse) -> PartResponse:
    """Writes the rows of a response to their file, which appears when it is whole."""
    content = response.content or b""
    staged = storage.state / secrets.token_hex(8)
    make_directory(storage.state)
    with written_aside(staged) as file:
        file.write(content)
    try:
        storage.place(staged, response.file)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    return evolve(response, out=storage.url, content=None)


def _content(storage: Storage, file: str) -> bytes:
    with storage.open(file) as opened:
        return opened.read()


def _digest(document: object) -> str:
    text = json.dumps(document, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
