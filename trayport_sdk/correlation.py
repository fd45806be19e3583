"""Which row belongs to which contract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trayport_spec import CONTRACT_TYPE_ALIASES

from .contracts import ContractSpec
from .errors import QUOTED_CHARACTERS, TrayportDecodeError
from .queries import CONTRACT, BulkMarketQuery, ParallelContractQuery, QueryPlan

if TYPE_CHECKING:
    import polars as pl


ITEM = "sequence_item_id"


def check_contracts(query: QueryPlan, frame: pl.DataFrame, body: bytes) -> None:
    """Finds out whether every row of a batch belongs to a contract of it.

    Raises:
        TrayportDecodeError: One does not, or does not say.
    """
    column = frame[CONTRACT]
    asked = [contract.sequence_item_id for contract in query.contracts]
    found = column.struct.field(ITEM)
    strange = ~found.is_in(asked).fill_null(value=False)
    if strange.any():
        row = strange.to_list().index(True)
        raise TrayportDecodeError(
            f"row {row} belongs to no contract that was asked for, but to {column[row]}",
            body=body[:QUOTED_CHARACTERS].decode(errors="replace"),
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
            rows = rows.filter(_is_of(contract))
        yield contract, rows.drop(CONTRACT) if query.tells_contracts else rows


def _is_of(contract: ContractSpec) -> pl.Expr:
    """Whether a row of several products and sequences is of a contract."""
    import polars as pl

    own = pl.col(CONTRACT).struct
    is_of = own.field(ITEM) == contract.sequence_item_id
    named = [
        kind for kind, asked in CONTRACT_TYPE_ALIASES.items() if asked == contract.contract_type
    ]
    for name in ("market_id", "instrument_id", "sequence_id", "second_sequence_item_id"):
        value = getattr(contract, name)
        if value is not None or name == "second_sequence_item_id":
            is_of &= own.field(name).eq_missing(value)
    return is_of & own.field("contract_type").is_in([contract.contract_type.value, *named])
