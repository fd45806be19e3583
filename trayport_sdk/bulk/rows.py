"""The rows of many requests, as a call for one table would have them, but one after another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..query.plan import CONTRACT, BulkMarketQuery, QueryPlan, telling_contracts
from ..tables import RESPONSES
from .correlation import by_contract
from .result import AnsweredQuery, columns_of

if TYPE_CHECKING:
    import polars as pl

SYMBOL = "symbol"


def rows_of(query: QueryPlan, piece: AnsweredQuery) -> Iterator[pl.DataFrame]:
    """The rows that a request brought, of the contracts that were asked for."""
    for frame in piece.rows.frames():
        yield _with_symbols(query, piece.query, _of_those_asked_for(piece.query, frame))
    piece.rows.close()


def _of_those_asked_for(query: QueryPlan, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows in their order, without those of contracts that come along in a broad request."""
    import polars as pl

    if not (isinstance(query, BulkMarketQuery) and query.contracts):
        return frame
    place = "place among all rows"
    parts = by_contract(query, frame.with_row_index(place))
    return pl.concat([rows for _, rows in parts]).sort(place).drop(place)


def _with_symbols(query: QueryPlan, part: QueryPlan, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows, with the symbol of their contract in front if nothing else tells it."""
    import polars as pl

    if len(query.contracts) < 2 or CONTRACT in query.optional_fields:
        return frame
    return frame.select(pl.lit(str(part.contracts[0])).alias(SYMBOL), pl.all())


def no_rows(query: QueryPlan) -> pl.DataFrame:
    """A table without rows, with the columns that `rows_of` gives."""
    table = RESPONSES[query.endpoint].nothing(columns_of(query)).to_polars()
    return _with_symbols(query, query, table)


def telling(query: QueryPlan) -> QueryPlan:
    """The query, so that the rows of several contracts say whose they are."""
    return telling_contracts(query) if len(query.contracts) > 1 else query
