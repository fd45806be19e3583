"""Contracts and a range into the requests that fetch them. Pure: nothing is sent here."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from trayport_spec import ENDPOINTS

from .contracts import ContractSpec, ContractType
from .times import Window


@frozen
class TradesQuery:
    """One request for trades: one window and contracts that may share a request."""

    window: Window
    contracts: tuple[ContractSpec, ...]


def plan_trades(contracts: Sequence[ContractSpec], window: Window) -> list[TradesQuery]:
    """The requests for the trades of some contracts, earliest windows first.

    Single periods of one product and sequence share requests; spreads and ranges stand alone
    [documented]. Contracts named twice are asked for once.

    Example:
        >>> months = [
        ...     ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=item)
        ...     for item in range(244, 256)
        ... ]
        >>> len(plan_trades(months, Window.between("2024-01-01", "2024-03-31")))
        3
    """
    endpoint = ENDPOINTS["get_trades"]
    groups: dict[tuple[object, ...], dict[ContractSpec, None]] = {}
    for contract in contracts:
        single = contract.contract_type is ContractType.SINGLE_PERIOD
        product = (contract.market_id, contract.instrument_id, contract.sequence_id)
        groups.setdefault(product if single else (contract,), {})[contract] = None
    size = endpoint.batch.maximum or 1
    batches = [
        tuple(group)[start : start + size]
        for group in groups.values()
        for start in range(0, len(group), size)
    ]
    (limit,) = endpoint.limits.ranges
    return [TradesQuery(piece, batch) for piece in window.cut(limit.max_days) for batch in batches]
