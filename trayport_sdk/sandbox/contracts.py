"""The rules of contracts: which parts go together, which exist, which belong to each other."""

from typing import cast

from trayport_spec import Endpoint

from .catalogue import Catalogue, Contract, ContractKind, Product
from .intervals import integer
from .params import too_many
from .problems import ValidationErrors, not_found
from .query import Narrowed, Values

_PRODUCTS: tuple[tuple[str, Product], ...] = (
    ("instrumentId", "instrument"),
    ("marketId", "market"),
)
_SINGLE = "SinglePeriod"


def check_contract_parts(
    endpoint: Endpoint,
    values: Values,
    catalogue: Catalogue,
    errors: ValidationErrors,
    *,
    limited: bool,
) -> None:
    """Which parts are there at all, and whether they fit together."""
    if endpoint.limits.contract is None:
        return
    _check_product(endpoint, values, errors)
    kind = values.get("contractType")
    second = "secondSequenceItemId" in values
    if second and kind == _SINGLE:
        errors.add("secondSequenceItemId", f"A {_SINGLE} contract has no second item.")
    if endpoint.limits.contract == "subset":
        return
    if not second and kind not in (None, _SINGLE) and not errors.about("secondSequenceItemId"):
        errors.add("secondSequenceItemId", f"A {kind} contract needs a second item.")
    if endpoint.limits.contract == "many":
        _check_items(endpoint, values, errors, limited=limited)
        _check_trading_items(values, catalogue, errors)


def _check_product(endpoint: Endpoint, values: Values, errors: ValidationErrors) -> None:
    given = [name for name, _ in _PRODUCTS if name in values or errors.about(name)]
    if len(given) > 1:
        for name in given:
            errors.add(name, "Give either an instrumentId or a marketId, not both.")
    if not given and endpoint.limits.contract != "subset":
        for name, _ in _PRODUCTS:
            errors.add(name, "Either an instrumentId or a marketId is required.")


def _check_items(
    endpoint: Endpoint, values: Values, errors: ValidationErrors, *, limited: bool
) -> None:
    items = _items(values)
    if not items and "tradingItems" not in values:
        if not errors.about("sequenceItemId") and not errors.about("tradingItems"):
            errors.add("sequenceItemId", "The sequenceItemId field is required.")
        return
    if len(items) > 1 and values.get("contractType") not in (None, _SINGLE):
        errors.add("sequenceItemId", f"Several items need the contract type {_SINGLE}.")
    most = endpoint.batch.maximum if limited and endpoint.batch.by == "items" else None
    if most is None:
        return
    if len(items) > most:
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
    product, product_id = _known_product(values, catalogue)
    sequence_id = _known_sequence(values, catalogue, product, product_id)
    count = integer(values, "tradingItems")
    if count is None:
        items = _items(values)
    else:
        tradable = catalogue.sequences[sequence_id].tradable_items(reference, count)
        items = tuple(item.id for item in tradable)
    second = integer(values, "secondSequenceItemId")
    for item in (*items, *(() if second is None else (second,))):
        _require_item(catalogue, sequence_id, item)
    kind = cast("ContractKind", values["contractType"])
    return tuple(Contract(product, product_id, sequence_id, item, second, kind) for item in items)


def narrowing(endpoint: Endpoint, values: Values, catalogue: Catalogue) -> Narrowed:
    """The parts that narrow an answer; raises when something in them does not exist."""
    if endpoint.limits.contract != "subset":
        return Narrowed()
    product, product_id, sequence_id = None, None, None
    if any(name in values for name, _ in _PRODUCTS):
        product, product_id = _known_product(values, catalogue)
    if "sequenceId" in values:
        sequence_id = _known_sequence(values, catalogue, product, product_id)
    item, second = integer(values, "sequenceItemId"), integer(values, "secondSequenceItemId")
    for number in (item, second):
        if sequence_id is not None and number is not None:
            _require_item(catalogue, sequence_id, number)
    kind = values.get("contractType")
    return Narrowed(
        product, product_id, sequence_id, item, second, kind if isinstance(kind, str) else None
    )


def _known_product(values: Values, catalogue: Catalogue) -> tuple[Product, int]:
    name, product = next(pair for pair in _PRODUCTS if pair[0] in values)
    product_id = integer(values, name) or 0
    if catalogue.product(product, product_id) is None:
        raise not_found(product, product_id)
    return product, product_id


def _known_sequence(
    values: Values, catalogue: Catalogue, product: Product | None, product_id: int | None
) -> int:
    sequence_id = integer(values, "sequenceId") or 0
    if sequence_id not in catalogue.sequences:
        raise not_found("sequence", sequence_id)
    if product is not None and product_id is not None:
        found = catalogue.product(product, product_id)
        if found is None or sequence_id not in found.commodity.sequence_ids:
            raise not_found(f"sequence of {product} {product_id} with the id", sequence_id)
    return sequence_id


def _require_item(catalogue: Catalogue, sequence_id: int, item_id: int) -> None:
    if catalogue.item(sequence_id, item_id) is None:
        raise not_found(f"item in sequence {sequence_id} with the id", item_id)
