"""From a checked query to the bytes of its response, made in pieces and cached."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from http import HTTPStatus
from itertools import chain

import numpy as np
import polars as pl
from attrs import frozen

from .cache import BoundedCache
from .calendar import DAY, day_start
from .contracts import contract_of_symbol
from .corrections import Corrections
from .engine import Engine
from .http import Encoding, Media, encoded
from .problems import Problem
from .query import Query
from .render import Rows, csv_header, frame_of, rows_of
from .revisions import CORRECTIONS, Revisions
from .rows import Kind, kind_of, trades_between
from .trades import VENUE_CODE, with_trade_ids

_KEPT_ROW_BYTES = 256 * 2**20
_KEPT_BODY_BYTES, _LARGEST_KEPT = 128 * 2**20, 48 * 2**20
# What an empty day, or a short body, costs.
_OVERHEAD = 1024
# Many small renderings cost more than few large ones.
_DAYS_AT_ONCE = 8

Chunks = tuple[bytes, ...]


@frozen(eq=False)
class _Body:
    """`head`, then pieces of rows with separators between them, then `tail`."""

    head: bytes
    pieces: Iterable[bytes]
    separator: bytes
    tail: bytes = b""

    def parts(self) -> Iterator[bytes]:
        if self.head:
            yield self.head
        first = True
        for piece in filter(None, self.pieces):
            yield piece if first else self.separator + piece
            first = False
        if self.tail:
            yield self.tail


class Responses:
    """The responses of one seed as bytes; safe to use from several threads."""

    def __init__(self, seed: int, corrections: Corrections | None = None) -> None:
        self.engine = _engine(seed)
        self._revisions = None if corrections is None else Revisions(corrections, seed)
        self._days: BoundedCache[object, Rows] = BoundedCache(
            _KEPT_ROW_BYTES, lambda day: day.size + _OVERHEAD
        )
        self._bodies: BoundedCache[object, Chunks] = BoundedCache(
            _KEPT_BODY_BYTES, lambda chunks: sum(map(len, chunks)) + _OVERHEAD
        )

    def kept(self, query: Query, media: Media, encoding: Encoding) -> Chunks | None:
        return self._bodies.find(self._key(query, media, encoding))

    def chunks(self, query: Query, media: Media, encoding: Encoding) -> Iterator[bytes]:
        """The body, which is cached once it was read to its end."""
        chunks: list[bytes] = []
        for chunk in encoded(self._body(query, media).parts(), encoding):
            chunks.append(chunk)
            yield chunk
        # Rendered trades are kept by the day already.
        is_kept = encoding == "identity" and kind_of(query.endpoint).by_day and query.has_range
        if not is_kept and sum(map(len, chunks)) <= _LARGEST_KEPT:
            self._bodies.keep(self._key(query, media, encoding), tuple(chunks))

    def plain(self, query: Query, media: Media) -> bytes:
        return b"".join(self._body(query, media).parts())

    def corrections_of(
        self, symbols: Iterable[str], start: int, end: int, since: int, until: int
    ) -> pl.DataFrame:
        """The corrections of deals in [start, end) that become known in (since, until]."""
        parts = [pl.DataFrame(schema=CORRECTIONS)]
        for symbol in symbols:
            contract = contract_of_symbol(symbol, self.engine.catalogue)
            market = self.engine.market(contract)
            if self._revisions is not None and market is not None:
                trades = self.engine.trades(contract, start, end)
                trades = self._revisions.between(trades, contract, market, since, until)
                trades = with_trade_ids(trades, contract, self.engine.catalogue)
                named = trades.with_columns(
                    contract=pl.lit(symbol), venue_code=VENUE_CODE, deal_date="time"
                )
                parts.append(named.select(*CORRECTIONS))
        return pl.concat(parts).sort("at", "contract", "trade_id")

    def _engine_for(self, query: Query) -> Engine:
        if self._revisions is None:
            return self.engine
        return self.engine.as_known(self._revisions, query.now)

    def _key(self, query: Query, media: Media, encoding: Encoding) -> object:
        return (
            _operation(query),
            tuple(sorted((name, str(value)) for name, value in query.values.items())),
            query.contracts,
            query.shape,
            (query.start, query.until, query.end, query.at, day_start(query.data_end)),
            None if self._revisions is None else query.now,
            media,
            encoding,
        )

    def _body(self, query: Query, media: Media) -> _Body:
        """Refusals are raised here; rows are made when they are read."""
        endpoint, kind = query.endpoint, kind_of(query.endpoint)
        if kind.by_day and query.has_range:
            pieces = self._trade_pieces(query, kind, media)
        else:
            pieces = self._pieces(query, kind, media)
        if endpoint.root == "object" and endpoint.rows_at is None:
            row = next(pieces, b"")
            if not row:
                raise Problem(HTTPStatus.NOT_FOUND, detail="There is nothing to show.")
            pieces = iter([row])
        if media == "csv":
            header = csv_header(endpoint.row, query.shape, kind.known)
            text = chain([header.encode()], pieces)
            return _Body(b"", (piece + b"\n" for piece in text if piece), b"")
        if endpoint.rows_at is not None:
            return _Body(_envelope(query), pieces, b",", b"]}")
        if endpoint.root == "object":
            return _Body(b"", pieces, b",")
        return _Body(b"[", pieces, b",", b"]")

    def _pieces(self, query: Query, kind: Kind, media: Media) -> Iterator[bytes]:
        frames = kind.data(self._engine_for(query), query)
        # The first piece is made now, so that its refusals are raised here.
        first = next(frames, None)
        data = chain(() if first is None else (first,), frames)
        return (_rendered(query, kind, part, media).data for part in data)

    def _trade_pieces(self, query: Query, kind: Kind, media: Media) -> Iterator[bytes]:
        if not query.contracts:  # long ago nothing was traded
            return
        days = range(query.start // DAY, -(-query.end // DAY))
        for first in range(days.start, days.stop, _DAYS_AT_ONCE):
            batch = range(first, min(first + _DAYS_AT_ONCE, days.stop))
            for rows in self._days_of_trades(query, kind, media, batch):
                yield rows.between(query.start, query.end)

    def _days_of_trades(self, query: Query, kind: Kind, media: Media, days: range) -> list[Rows]:
        """The rendered trades of each day; what is missing is rendered in one go."""
        key = (_operation(query), query.contracts, query.shape, media)
        keys = [(*key, day, self._state_of(day, query)) for day in days]
        kept = [self._days.find(key) for key in keys]
        missing = [day for day, rows in zip(days, kept, strict=True) if rows is None]
        if missing:
            start, end = missing[0] * DAY, (missing[-1] + 1) * DAY
            data = trades_between(self._engine_for(query), query, start, end)
            fresh = _rendered(query, kind, data, media)
            for n, day in enumerate(days):
                if kept[n] is None:
                    part = fresh.part(day * DAY, (day + 1) * DAY)
                    kept[n] = self._days.keep(keys[n], part)
        return [rows for rows in kept if rows is not None]

    def _state_of(self, day: int, query: Query) -> int | None:
        """Until when the corrections of a day are known; the same once all of them are."""
        if self._revisions is None:
            return None
        return min(query.now, (day + 1) * DAY + self._revisions.longest_delay)


def _rendered(query: Query, kind: Kind, data: pl.DataFrame, media: Media) -> Rows:
    columns = query.endpoint.row
    times = data["time"].to_numpy() if "time" in data.columns else np.zeros(0, np.int64)
    return rows_of(columns, frame_of(columns, query.shape, kind.known, data), media, times)


def _envelope(query: Query) -> bytes:
    """The members beside the rows, and the beginning of the rows."""
    endpoint = query.endpoint
    data = pl.DataFrame({"time": [query.at], "key": [query.at]})
    frame = frame_of(endpoint.envelope, query.shape, {}, data)
    members = rows_of(endpoint.envelope, frame, "json", np.zeros(0, np.int64)).data[:-1]
    return members + (b"," if len(members) > 1 else b"{") + f'"{endpoint.rows_at}":['.encode()


def _operation(query: Query) -> object:
    names = (column.name for column in query.endpoint.row)
    return query.endpoint.operation_id, query.endpoint.limits.lookback_days, *names


@lru_cache(maxsize=4)
def _engine(seed: int) -> Engine:
    return Engine(seed=seed)


@lru_cache(maxsize=4)
def responses(seed: int, corrections: Corrections | None = None) -> Responses:
    """The responses of a seed and its corrections, for the whole process."""
    return Responses(seed, corrections)
