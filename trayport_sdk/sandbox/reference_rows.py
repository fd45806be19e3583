"""Rows of reference data: products, sequences and their items."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import polars as pl

from trayport_sdk.sandbox.calendar import SECOND
from trayport_sdk.sandbox.catalogue import Instrument, Item, Market
from trayport_sdk.sandbox.catalogue import Sequence as DeliverySequence
from trayport_sdk.sandbox.contract_checks import not_found
from trayport_sdk.sandbox.engine import Engine
from trayport_sdk.sandbox.questions import Question
from trayport_sdk.sandbox.render import Makers, frame_of
from trayport_sdk.sandbox.spans import day_start, integer

_SPECIFICATION = {
    "priceCurrency": "price_currency",
    "quantityUnit": "quantity_unit",
    "notionalCurrency": "notional_currency",
    "notionalQuantityUnit": "notional_quantity_unit",
}
_DATES = {
    "periodStart": "period_start",
    "periodEnd": "period_end",
    "tradingStart": "trading_start",
    "tradingEnd": "trading_end",
}


def _frame(question: Question, makers: Makers, height: int) -> pl.DataFrame:
    return frame_of(question.endpoint.row, question.shape, makers, height)


def _root(question: Question) -> str:
    """The first part of the path: what the operation is about."""
    return question.endpoint.path.split("/")[1]


def _listed(engine: Engine, question: Question) -> Mapping[int, Instrument | Market]:
    catalogue = engine.catalogue
    return catalogue.instruments if _root(question) == "instruments" else catalogue.markets


def _product(engine: Engine, question: Question) -> Instrument | Market:
    number = integer(dict(question.values), "id") or 0
    found = _listed(engine, question).get(number)
    if found is None:
        raise not_found(_root(question).removesuffix("s"), number)
    return found


def products_frame(engine: Engine, question: Question) -> pl.DataFrame:
    return _products(question, list(_listed(engine, question).values()))


def product_frame(engine: Engine, question: Question) -> pl.DataFrame:
    return _products(question, [_product(engine, question)])


def _products(question: Question, found: Sequence[Instrument | Market]) -> pl.DataFrame:
    root = _root(question)
    makers: dict[str, Callable[[], pl.Series]] = {
        "id": lambda: pl.Series([product.id for product in found], dtype=pl.Int64),
        "name": lambda: _texts(product.name for product in found),
        "sequences": lambda: _texts(f"/{root}/{product.id}/sequences" for product in found),
    }
    for name, attribute in _SPECIFICATION.items():
        texts = [str(getattr(product.specification, attribute)) for product in found]
        makers[f"tradingSpecifications.{name}"] = partial(_texts, texts)
    return _frame(question, makers, len(found))


def sequences_frame(engine: Engine, question: Question) -> pl.DataFrame:
    """All sequences, or those of a product."""
    known = engine.catalogue.sequences
    ids: Iterable[int] = known
    if _root(question) != "sequences":
        ids = _product(engine, question).sequence_ids
    found = [known[number] for number in ids]
    makers: Makers = {
        "id": lambda: pl.Series([sequence.id for sequence in found], dtype=pl.Int64),
        "name": lambda: _texts(sequence.name for sequence in found),
        "sequenceItems": lambda: _texts(f"/sequences/{s.id}/sequenceItems" for s in found),
        "displayName": lambda: _texts(sequence.display_name for sequence in found),
    }
    return _frame(question, makers, len(found))


def items_frame(engine: Engine, question: Question) -> pl.DataFrame:
    """Items that end on or after a date; rolling ones always."""
    sequence = _sequence(engine, question)
    values = dict(question.values)
    earliest = integer(values, "startDate")
    if earliest is None:
        earliest = day_start(question.data_end)
    found = [
        item
        for item in engine.catalogue.items(sequence.id)
        if item.period_end is None or item.period_end >= earliest
    ]
    return _items(question, found[: integer(values, "count")])


def item_frame(engine: Engine, question: Question) -> pl.DataFrame:
    sequence = _sequence(engine, question)
    number = integer(dict(question.values), "itemId") or 0
    item = engine.catalogue.item(sequence.id, number)
    if item is None:
        raise not_found(f"item in sequence {sequence.id} with the id", number)
    return _items(question, [item])


def _sequence(engine: Engine, question: Question) -> DeliverySequence:
    number = integer(dict(question.values), "id") or 0
    found = engine.catalogue.sequences.get(number)
    if found is None:
        raise not_found("sequence", number)
    return found


def _items(question: Question, found: Sequence[Item]) -> pl.DataFrame:
    makers: dict[str, Callable[[], pl.Series]] = {
        "id": lambda: pl.Series([item.id for item in found], dtype=pl.Int64),
        "name": lambda: _texts(item.name for item in found),
    }
    for name, attribute in _DATES.items():
        makers[name] = partial(_dates, [getattr(item, attribute) for item in found])
    return _frame(question, makers, len(found))


def _dates(instants: list[int | None]) -> pl.Series:
    seconds = [None if instant is None else instant // SECOND for instant in instants]
    return pl.from_epoch(pl.Series(seconds, dtype=pl.Int64), "s").dt.strftime("%Y-%m-%dT%H:%M:%SZ")


def _texts(texts: Iterable[str | None]) -> pl.Series:
    return pl.Series(list(texts), dtype=pl.String)
