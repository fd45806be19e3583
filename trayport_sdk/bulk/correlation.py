"""Which row belongs to which contract."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING

from trayport_spec import CONTRACT_TYPE_ALIASES

from ..errors import TrayportDecodeError
from ..query.contracts import ContractSpec
from ..query.plan import CONTRACT, BulkMarketQuery, ParallelContractQuery, QueryPlan

if TYPE_CHECKING:
    import polars as pl


ITEM = "sequence_item_id"


def check_contracts(query: QueryPlan, frame: pl.DataFrame, rows_before: int = 0) -> None:
    """Finds out whether the rows of a request for several contracts say whose they are.

    Args:
        query: The request.
        frame: Some of the rows of its answer.
        rows_before: How many rows the answer has before them.

    Raises:
        TrayportDecodeError: One does not, or belongs to no contract of a batch.
    """
    column = frame[CONTRACT]
    if isinstance(query, BulkMarketQuery):
        own = column.struct
        strange = own.field(ITEM).is_null()
        # What the request did not say, the rows have to; what it said, they may leave out. A market
        # is always said by the request.
        told = ("sequence_id",) if query.market_id is not None else ("sequence_id", "instrument_id")
        for name in told:
            if name not in query.scope:
                strange |= own.field(name).is_null()
        for name, id_ in query.scope.items():
            strange |= (own.field(name) != id_).fill_null(value=False)
    else:
        asked = [contract.sequence_item_id for contract in query.contracts]
        strange = ~column.struct.field(ITEM).is_in(asked).fill_null(value=False)
    if strange.any():
        row = strange.to_list().index(True)
        raise TrayportDecodeError(
            f"row {row + rows_before} belongs to no contract that was asked for, but to "
            f"{column[row]}",
            row=row + rows_before,
            field=CONTRACT,
        )


def by_contract(
    query: QueryPlan, frame: pl.DataFrame
) -> Iterator[tuple[ContractSpec, pl.DataFrame]]:
    """The rows of each contract that a query is about; what nobody asked for is left out.

    They go on saying whose they are only where the caller asked for that.
    """
    import polars as pl

    by_item: dict[tuple[object, ...], pl.DataFrame] = {}
    if not isinstance(query, ParallelContractQuery):
        item = pl.col(CONTRACT).struct.field(ITEM)
        by_item = frame.with_columns(item.alias(ITEM)).partition_by(
            ITEM, include_key=False, as_dict=True
        )
    for contract in query.contracts:
        rows = frame
        if not isinstance(query, ParallelContractQuery):
            rows = by_item.get((contract.sequence_item_id,), frame.clear())
        if isinstance(query, BulkMarketQuery):
            rows = rows.filter(_is_of(contract, given=query.scope))
        yield contract, rows.drop(CONTRACT) if query.tells_contracts else rows


def _is_of(contract: ContractSpec, given: Container[str]) -> pl.Expr:
    """Whether a row of several contracts is of one, as far as the request did not say so itself."""
    import polars as pl

    own = pl.col(CONTRACT).struct
    is_of = own.field(ITEM) == contract.sequence_item_id
    named = [
        kind for kind, asked in CONTRACT_TYPE_ALIASES.items() if asked == contract.contract_type
    ]
    for name in ("market_id", "instrument_id", "sequence_id", "second_sequence_item_id"):
        value = getattr(contract, name)
        if (value is not None and name not in given) or name == "second_sequence_item_id":
            is_of &= own.field(name).eq_missing(value)
    return is_of & own.field("contract_type").is_in([contract.contract_type.value, *named])
