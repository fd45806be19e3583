"""Reference data: products, sequences and their items."""

from collections.abc import Iterable, Iterator, Mapping

import polars as pl

from .calendar import SECOND, day_start
from .catalogue import Catalogue, Instrument, Item, Market, Sequence
from .engine import Engine
from .intervals import integer
from .problems import not_found
from .query import Query
from .render import Known

_SPECIFICATION = ("priceCurrency", "quantityUnit", "notionalCurrency", "notionalQuantityUnit")
_DATES = ("periodStart", "periodEnd", "tradingStart", "tradingEnd")
_TEXTS = {"name": pl.String(), "link": pl.String()}

PRODUCT: Known = {
    "id": pl.col("key"),
    "name": pl.col("name"),
    "sequences": pl.col("link"),
    **{f"tradingSpecifications.{name}": pl.col(name) for name in _SPECIFICATION},
}
SEQUENCE: Known = {
    "id": pl.col("key"),
    "name": pl.col("name"),
    "sequenceItems": pl.col("link"),
    "displayName": pl.col("display"),
}
ITEM: Known = {
    "id": pl.col("key"),
    "name": pl.col("name"),
    **{
        name: pl.from_epoch(pl.col(name) // SECOND, "s").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        for name in _DATES
    },
}


def product_data(engine: Engine, query: Query) -> Iterator[pl.DataFrame]:
    """All products, those of a product of the other sort, or a single one."""
    root, *rest = _words(query)
    known = _listed(engine.catalogue, root)
    products: Iterable[Instrument | Market] = known.values()
    if query.path_ids:
        product = _product(engine.catalogue, query)
        products = _related(engine.catalogue, product) if rest else [product]
        root = rest[-1] if rest else root
    rows = [
        (
            product.id,
            product.name,
            f"/{root}/{product.id}/sequences",
            product.currency,
            product.commodity.quantity_unit,
            product.currency,
            product.commodity.notional_unit,
        )
        for product in products
    ]
    schema = {"key": pl.Int64(), **_TEXTS, **dict.fromkeys(_SPECIFICATION, pl.String())}
    yield pl.DataFrame(rows, schema=schema, orient="row")


def sequence_data(engine: Engine, query: Query) -> Iterator[pl.DataFrame]:
    """All sequences, those of a product, or a single one."""
    known = engine.catalogue.sequences
    sequences: Iterable[Sequence] = known.values()
    if query.path_ids and _words(query)[0] == "sequences":
        sequences = [_sequence(engine.catalogue, query)]
    elif query.path_ids:
        product = _product(engine.catalogue, query)
        sequences = [known[number] for number in product.commodity.sequence_ids]
    rows = [(s.id, s.name, f"/sequences/{s.id}/sequenceItems", s.display_name) for s in sequences]
    schema = {"key": pl.Int64(), **_TEXTS, "display": pl.String()}
    yield pl.DataFrame(rows, schema=schema, orient="row")


def item_data(engine: Engine, query: Query) -> Iterator[pl.DataFrame]:
    """A single item, or those that end on or after a date; rolling ones always."""
    if not query.path_ids:
        sequences = list(engine.catalogue.sequences.values())
    else:
        sequences = [_sequence(engine.catalogue, query)]
    items: list[Item] = []
    for sequence in sequences:
        items += _items(sequence, query)
    rows = [
        (i.id, i.name, i.period_start, i.period_end, i.trading_start, i.trading_end) for i in items
    ]
    schema = {"key": pl.Int64(), "name": pl.String(), **dict.fromkeys(_DATES, pl.Int64())}
    yield pl.DataFrame(rows, schema=schema, orient="row")


def _items(sequence: Sequence, query: Query) -> list[Item]:
    values = dict(query.values)
    if len(query.path_ids) > 1:
        item = sequence.item(query.path_ids[1])
        if item is None:
            raise not_found(f"item in sequence {sequence.id} with the id", query.path_ids[1])
        return [item]
    earliest = integer(values, "startDate")
    if earliest is None:
        earliest = day_start(query.data_end)
    late = (i for i in sequence.items if i.period_end is None or i.period_end >= earliest)
    return list(late)[: integer(values, "count")]


def _words(query: Query) -> list[str]:
    """The fixed parts of the path: what the operation is about."""
    return [part for part in query.endpoint.path.split("/") if part and not part.startswith("{")]


def _listed(catalogue: Catalogue, root: str) -> Mapping[int, Instrument | Market]:
    return catalogue.markets if root == "markets" else catalogue.instruments


def _product(catalogue: Catalogue, query: Query) -> Instrument | Market:
    root, number = _words(query)[0], query.path_ids[0]
    product = _listed(catalogue, root).get(number)
    if product is None:
        raise not_found("market" if root == "markets" else "instrument", number)
    return product


def _related(catalogue: Catalogue, product: Instrument | Market) -> Iterable[Instrument | Market]:
    if isinstance(product, Market):
        return product.instruments
    return [] if product.market_id is None else [catalogue.markets[product.market_id]]


def _sequence(catalogue: Catalogue, query: Query) -> Sequence:
    number = query.path_ids[0]
    sequence = catalogue.sequences.get(number)
    if sequence is None:
        raise not_found("sequence", number)
    return sequence
