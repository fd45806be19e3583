"""The rules of contracts: which parts go together, which exist, which belong to each other."""

from http import HTTPStatus
from typing import cast

from trayport_spec import Endpoint

from trayport_sdk.sandbox.catalogue import Catalogue
from trayport_sdk.sandbox.contract import Contract, ContractKind, Product
from trayport_sdk.sandbox.problems import Complaints, Problem
from trayport_sdk.sandbox.queries import Values, too_many
from trayport_sdk.sandbox.questions import Filter
from trayport_sdk.sandbox.spans import integer

_PRODUCTS: tuple[tuple[str, Product], ...] = (
    ("instrumentId", "instrument"),
    ("marketId", "market"),
)
_SINGLE = "SinglePeriod"


def check_contract_parts(
    endpoint: Endpoint,
    values: Values,
    catalogue: Catalogue,
    complaints: Complaints,
    *,
    limited: bool,
) -> None:
    """Which parts are there at all, and whether they fit together."""
    if endpoint.limits.contract is None:
        return
    _check_product(endpoint, values, complaints)
    kind = values.get("contractType")
    second = "secondSequenceItemId" in values
    if second and kind == _SINGLE:
        complaints.add("secondSequenceItemId", f"A {_SINGLE} contract has no second item.")
    if endpoint.limits.contract == "subset":
        return
    if not second and kind not in (None, _SINGLE) and not complaints.about("secondSequenceItemId"):
        complaints.add("secondSequenceItemId", f"A {kind} contract needs a second item.")
    if endpoint.limits.contract == "many":
        _check_items(endpoint, values, complaints, limited=limited)
        _check_trading_items(values, catalogue, complaints)


def _check_product(endpoint: Endpoint, values: Values, complaints: Complaints) -> None:
    given = [name for name, _ in _PRODUCTS if name in values or complaints.about(name)]
    if len(given) > 1:
        for name in given:
            complaints.add(name, "Give either an instrumentId or a marketId, not both.")
    if not given and endpoint.limits.contract != "subset":
        for name, _ in _PRODUCTS:
            complaints.add(name, "Either an instrumentId or a marketId is required.")


def _check_items(
    endpoint: Endpoint, values: Values, complaints: Complaints, *, limited: bool
) -> None:
    items = _items(values)
    if not items and "tradingItems" not in values:
        if not complaints.about("sequenceItemId") and not complaints.about("tradingItems"):
            complaints.add("sequenceItemId", "The sequenceItemId field is required.")
        return
    if len(items) > 1 and values.get("contractType") not in (None, _SINGLE):
        complaints.add("sequenceItemId", f"Several items need the contract type {_SINGLE}.")
    most = endpoint.batch.maximum if limited and endpoint.batch.by == "items" else None
    if most is None:
        return
    if len(items) > most:
        complaints.add("sequenceItemId", too_many("sequenceItemId", most))
    if (integer(values, "tradingItems") or 0) > most:
        complaints.add("tradingItems", f"The value must not be above {most}.")


def _check_trading_items(values: Values, catalogue: Catalogue, complaints: Complaints) -> None:
    if "tradingItems" not in values:
        return
    if "sequenceItemId" in values:
        complaints.add("tradingItems", "Give either tradingItems or sequenceItemId, not both.")
    if values.get("contractType") not in (None, _SINGLE):
        complaints.add("tradingItems", f"tradingItems need the contract type {_SINGLE}.")
    sequence = catalogue.sequences.get(integer(values, "sequenceId") or 0)
    if sequence is not None and sequence.rolling:
        complaints.add("tradingItems", "The items of this sequence have no trading end.")


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
        tradable = catalogue.tradable_items(sequence_id, reference, count)
        items = tuple(item.id for item in tradable)
    second = integer(values, "secondSequenceItemId")
    for item in (*items, *(() if second is None else (second,))):
        _require_item(catalogue, sequence_id, item)
    kind = cast("ContractKind", values["contractType"])
    return tuple(Contract(product, product_id, sequence_id, item, second, kind) for item in items)


def narrowing(endpoint: Endpoint, values: Values, catalogue: Catalogue) -> Filter:
    """The parts that narrow an answer; raises when something in them does not exist."""
    if endpoint.limits.contract != "subset":
        return Filter()
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
    return Filter(
        product, product_id, sequence_id, item, second, kind if isinstance(kind, str) else None
    )


def not_found(what: str, number: int) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, detail=f"There is no {what} {number}.")


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
        if found is None or sequence_id not in found.sequence_ids:
            raise not_found(f"sequence of {product} {product_id} with the id", sequence_id)
    return sequence_id


def _require_item(catalogue: Catalogue, sequence_id: int, item_id: int) -> None:
    if catalogue.item(sequence_id, item_id) is None:
        raise not_found(f"item in sequence {sequence_id} with the id", item_id)
