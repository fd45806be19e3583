"""The rules of contracts: which parts go together, which exist, which belong to each other."""

import re
from typing import cast

from trayport_spec import Endpoint

from .catalogue import KINDS, Catalogue, Contract, ContractKind, Product
from .intervals import integer
from .params import too_many
from .problems import ValidationErrors, not_found
from .query import Narrowed, Values

_PRODUCTS: dict[str, Product] = {"instrumentId": "instrument", "marketId": "market"}
_SINGLE = "SinglePeriod"
_SYMBOL = re.compile(r"(\d+)(\*?)#(Single|Spread|Range)#(\d+)#(\d+)#(\d+)", re.ASCII)


def check_contract_parts(
    endpoint: Endpoint,
    values: Values,
    catalogue: Catalogue,
    errors: ValidationErrors,
    *,
    limited: bool,
) -> None:
    """Which parts are there at all, and whether they fit together."""
    rule = endpoint.limits.contract
    if rule is None:
        return
    given = [name for name in _PRODUCTS if name in values or errors.about(name)]
    for name in given if len(given) > 1 else ():
        errors.add(name, "Give either an instrumentId or a marketId, not both.")
    for name in _PRODUCTS if not given and rule != "subset" else ():
        errors.add(name, "Either an instrumentId or a marketId is required.")
    kind, second = values.get("contractType"), "secondSequenceItemId" in values
    if second and kind == _SINGLE:
        errors.add("secondSequenceItemId", f"A {_SINGLE} contract has no second item.")
    if rule == "subset":
        return
    if not second and kind not in (None, _SINGLE) and not errors.about("secondSequenceItemId"):
        errors.add("secondSequenceItemId", f"A {kind} contract needs a second item.")
    if rule == "many":
        _check_items(values, errors)
        _check_trading_items(values, catalogue, errors)
        if limited and endpoint.batch.by == "items" and endpoint.batch.maximum is not None:
            _check_batch(values, endpoint.batch.maximum, errors)


def _check_items(values: Values, errors: ValidationErrors) -> None:
    items = _items(values)
    if not items and "tradingItems" not in values:
        if not errors.about("sequenceItemId") and not errors.about("tradingItems"):
            errors.add("sequenceItemId", "The sequenceItemId field is required.")
    elif len(items) > 1 and values.get("contractType") not in (None, _SINGLE):
        errors.add("sequenceItemId", f"Several items need the contract type {_SINGLE}.")


def _check_batch(values: Values, most: int, errors: ValidationErrors) -> None:
    if len(_items(values)) > most:
        errors.add("sequenceItemId", too_many("sequenceItemId", most))
    if (integer(values, "tradingItems") or 0) > most:
        errors.add("tradingItems", f"The value must not be above {most}.")


def _check_trading_items(values: Values, catalogue: Catalogue, errors: ValidationErrors) -> None:
    if "tradingItems" not in values:
        return
    if "sequenceItemId" in values:
        errors.add("tradingItems", "Give either tradingItems or sequenceItemId, not both.")
    if values.get("contractType") not in (None, _SINGLE):
        errors.add("tradingItems", f"tradingItems need the contract type {_SINGLE}.")
    sequence = catalogue.sequences.get(integer(values, "sequenceId") or 0)
    if sequence is not None and sequence.rolling:
        errors.add("tradingItems", "The items of this sequence have no trading end.")


def _items(values: Values) -> tuple[int, ...]:
    given = values.get("sequenceItemId")
    if isinstance(given, tuple):
        return tuple(item for item in given if isinstance(item, int))
    return () if not isinstance(given, int) else (given,)


def named_contracts(
    endpoint: Endpoint, values: Values, catalogue: Catalogue, reference: int
) -> tuple[Contract, ...]:
    """The contracts of a request; raises when something in them does not exist."""
    if endpoint.limits.contract in (None, "subset"):
        return ()
    part = narrowing(values, catalogue)
    items, count = _items(values), integer(values, "tradingItems")
    sequence_id = part.sequence_id or 0
    if count is not None:
        tradable = catalogue.sequences[sequence_id].tradable_items(reference, count)
        items = tuple(item.id for item in tradable)
    kind = cast("ContractKind", part.kind)
    for item in items:
        _require_item(catalogue, sequence_id, item)
    return tuple(
        Contract(
            part.product or "market",
            part.product_id or 0,
            sequence_id,
            item,
            part.second_item_id,
            kind,
        )
        for item in items
    )


def narrowing(values: Values, catalogue: Catalogue) -> Narrowed:
    """The parts of a contract that are given; raises when something in them does not exist."""
    product, product_id = None, None
    for name in _PRODUCTS:
        if name in values:
            product, product_id = _PRODUCTS[name], integer(values, name) or 0
            if catalogue.product(product, product_id) is None:
                raise not_found(product, product_id)
    sequence_id = integer(values, "sequenceId")
    if sequence_id is not None:
        _require_sequence(catalogue, sequence_id, product, product_id)
    item, second = (integer(values, name) for name in ("sequenceItemId", "secondSequenceItemId"))
    for number in (item, second):
        if sequence_id is not None and number is not None:
            _require_item(catalogue, sequence_id, number)
    kind = values.get("contractType")
    return Narrowed(
        product, product_id, sequence_id, item, second, kind if isinstance(kind, str) else None
    )


def _require_sequence(
    catalogue: Catalogue, sequence_id: int, product: Product | None, product_id: int | None
) -> None:
    if sequence_id not in catalogue.sequences:
        raise not_found("sequence", sequence_id)
    if product is not None and product_id is not None:
        known = catalogue.product(product, product_id)
        if known is None or sequence_id not in known.commodity.sequence_ids:
            raise not_found(f"sequence of {product} {product_id} with the id", sequence_id)


def _require_item(catalogue: Catalogue, sequence_id: int, item_id: int) -> None:
    if catalogue.item(sequence_id, item_id) is None:
        raise not_found(f"item in sequence {sequence_id} with the id", item_id)


def contract_of_symbol(symbol: str, catalogue: Catalogue) -> Contract:
    """The contract of a machine symbol, such as `10000065*#Single#10000305#244#0`."""
    match = _SYMBOL.fullmatch(symbol)
    if match is None:
        raise ValueError(
            f"{symbol!r} is not the symbol of a contract, such as 10000065*#Single#10000305#244#0."
        )
    product: Product = "market" if match[2] else "instrument"
    product_id, sequence_id, item_id, second = (int(match[n]) for n in (1, 4, 5, 6))
    kind: ContractKind = next(kind for kind in KINDS if kind.startswith(match[3]))
    known = [catalogue.item(sequence_id, item) for item in (item_id, second) if item]
    fits = len(known) == (1 if kind == _SINGLE else 2)
    if catalogue.product(product, product_id) is None or not all(known) or not fits:
        raise ValueError(f"There is no contract {symbol!r} in the sandbox.")
    return Contract(product, product_id, sequence_id, item_id, second or None, kind)
