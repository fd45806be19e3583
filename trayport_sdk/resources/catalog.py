"""Names into contracts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from ..errors import TrayportLookupError, TrayportValidationError
from ..query.contracts import ContractSpec, looks_like_symbol

if TYPE_CHECKING:
    from trayport_api.models import Sequence, SequenceItem

    from .reference import ReferenceGroup

# Every item a sequence ever had, expired ones included.
FIRST_DATE = "1990"
EVERY_ITEM = 100_000
NEAREST = 5
LIKENESS = 0.35
EXAMPLE = "write a product and a delivery period, like 'TTF Hi Cal 51.6* Apr-24'"

Place: TypeAlias = tuple[int, int]
"""A sequence and an item of it."""

Product: TypeAlias = tuple[bool, int]
"""Whether it is a market, and its id."""

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class LookUp(Generic[Value]):
    """A look-up that several callers wait for; it is cancelled when the last stops waiting."""

    def __init__(self, look_up: Coroutine[Any, Any, Value]) -> None:
        self._task = asyncio.create_task(look_up)
        # Read here: where the loop ends, nobody is left who waits for it.
        self._task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._waiting = 0
        self._given_up = False

    @property
    def over(self) -> bool:
        """Whether it has ended, or was cancelled."""
        return self._given_up or self._task.done()

    @property
    def useless(self) -> bool:
        """Whether it is over without a result, so that another look-up is needed."""
        task = self._task
        succeeded = task.done() and not task.cancelled() and task.exception() is None
        return self.over and not succeeded

    async def result(self) -> Value:
        """The result; a caller that stops waiting does not end it for the others."""
        self._waiting += 1
        try:
            # Unlike an await of the task, this does not cancel it.
            await asyncio.wait({self._task})
        finally:
            self._waiting -= 1
            if not self._waiting and not self._task.done():
                self._given_up = True
                self._task.cancel()
                # Its connection is free again when the last caller leaves.
                await asyncio.gather(self._task, return_exceptions=True)
        return self._task.result()


class Once(Generic[Key, Value]):
    """The value of each key, looked up once, however many callers want it at the same time.

    A failure is raised for the callers that wait; the next call looks the key up again.
    """

    def __init__(self, look_up: Callable[[Key], Coroutine[Any, Any, Value]]) -> None:
        self._look_up = look_up
        self._found: dict[Key, Value] = {}
        self._under_way: dict[Key, LookUp[Value]] = {}

    def __contains__(self, key: Key) -> bool:
        """Whether its value is known already."""
        return key in self._found

    async def __call__(self, key: Key) -> Value:
        if key not in self._found:
            look_up = self._under_way.get(key)
            if look_up is None or look_up.useless:
                look_up = self._under_way[key] = LookUp(self._look_up(key))
            try:
                self._found[key] = await look_up.result()
            finally:
                # A caller that stops waiting leaves it under way for the others.
                if look_up.over and self._under_way.get(key) is look_up:
                    del self._under_way[key]
        return self._found[key]


class Catalog:
    """Looks names up in reference data, which is read once per client.

    Attributes:
        look_ups: How many requests it took so far.
    """

    def __init__(self, reference: ReferenceGroup) -> None:
        self._reference = reference
        self.look_ups = 0
        self._products = Once(self._read_products)
        self._sequences = Once(self._read_sequences)
        self._items = Once(self._read_items)
        self._items_in = Once(self._read_items_in)

    async def resolve(self, contract: ContractSpec | str) -> ContractSpec:
        """The contract of a name or of a machine symbol.

        A name is the product's name and the item's name; the name of a market ends in a `*`.

        Raises:
            TrayportLookupError: Nothing has this name; the nearest names are listed.
            TrayportValidationError: The machine symbol is malformed.
        """
        if isinstance(contract, ContractSpec):
            return contract
        if looks_like_symbol(_text("contract", contract)):
            return ContractSpec.parse(contract)
        product, star, item = (part.strip() for part in contract.rpartition("*"))
        if not star:
            return await self._instrument_contract(contract.strip())
        if not item:
            raise TrayportLookupError(
                f"{contract!r} is a market without a delivery period", suggestion=EXAMPLE
            )
        return await self._market_contract(product, item)

    async def market(self, name: str) -> int:
        """The id of a market; the `*` after its name may be left out.

        Raises:
            TrayportLookupError: Nothing has this name, or several markets have it.
        """
        product = _text("market_name", name).strip().removesuffix("*").rstrip()
        ids = (await self._markets_named(product))[product]
        if len(ids) > 1:
            raise TrayportLookupError(
                f"{name!r} names several markets", candidates=[str(market_id) for market_id in ids]
            )
        return ids[0]

    async def contract_in(self, market: str, sequence: str, item: str) -> ContractSpec:
        """The contract of a market, a sequence of it and an item of that, all by name.

        Raises:
            TrayportLookupError: One of the names names nothing; the nearest are listed.
        """
        market_id = await self.market(market)
        sequences = _grouped((known.name, known.id) for known in await self.sequences(market_id))
        if _text("sequence_name", sequence) not in sequences:
            raise _unknown(f"sequence of {market}", sequence, sequences)
        contracts = [
            ContractSpec(market_id=market_id, sequence_id=sequence_id, sequence_item_id=known.id)
            for sequence_id in sequences[sequence]
            for known in await self.items(sequence_id)
            if known.name == _text("item_name", item)
        ]
        if not contracts:
            items = [known.name for id_ in sequences[sequence] for known in await self.items(id_)]
            raise _unknown(f"delivery period of {sequence}", item, items)
        return _only(f"{market} {item}", contracts)

    async def sequences(self, market_id: int) -> list[Sequence]:
        """The sequences of a market."""
        return await self._sequences((True, market_id))

    def unread(self, sequences: Iterable[Sequence]) -> int:
        """How many of the sequences take a request to know their items."""
        return sum(sequence.id not in self._items_in for sequence in sequences)

    async def items(self, sequence_id: int) -> list[SequenceItem]:
        """Every item that a sequence ever had."""
        return await self._items_in(sequence_id)

    async def _markets_named(self, product: str) -> Mapping[str, list[int]]:
        markets = await self._products(True)
        if product not in markets:
            raise _unknown("market", f"{product}*", [f"{name}*" for name in markets])
        return markets

    async def _market_contract(self, product: str, item: str) -> ContractSpec:
        markets = await self._markets_named(product)
        contracts = await self._named(markets[product], item, market=True)
        if not contracts:
            items = [name for id_ in markets[product] for name in await self._items((True, id_))]
            raise _unknown(f"delivery period of {product}*", item, items)
        return _only(f"{product}* {item}", contracts)

    async def _instrument_contract(self, text: str) -> ContractSpec:
        instruments = await self._products(False)
        cuts = [place for place, letter in enumerate(text) if letter == " "]
        items: list[str] = []
        # The longest name first: "TTF Hi Cal 51.6 EEX" also begins with another instrument's name.
        for cut in reversed(cuts):
            product, item = text[:cut], text[cut + 1 :]
            if product in instruments:
                contracts = await self._named(instruments[product], item, market=False)
                if contracts:
                    return _only(text, contracts)
                items = [n for id_ in instruments[product] for n in await self._items((False, id_))]
        product, _, item = text.rpartition(" ")
        near = [*nearest(item, items), *nearest(product or text, instruments)]
        raise TrayportLookupError(
            f"no contract is named {text!r}", candidates=near, suggestion=EXAMPLE
        )

    async def _named(
        self, product_ids: list[int], item: str, *, market: bool
    ) -> list[ContractSpec]:
        """Every contract of these products whose delivery period has this name."""
        return [
            ContractSpec(
                market_id=product_id if market else None,
                instrument_id=None if market else product_id,
                sequence_id=sequence_id,
                sequence_item_id=item_id,
            )
            for product_id in product_ids
            for sequence_id, item_id in (await self._items((market, product_id))).get(item, ())
        ]

    async def _read_products(self, markets: bool) -> Mapping[str, list[int]]:
        """The ids of all markets or of all instruments, by name."""
        self.look_ups += 1
        if markets:
            every_market = await self._reference.get_markets()
            return _grouped((market.name, market.id) for market in every_market)
        instruments = await self._reference.get_instruments()
        return _grouped((instrument.name, instrument.id) for instrument in instruments)

    async def _read_items(self, product: Product) -> Mapping[str, list[Place]]:
        """The items of a product, by name."""
        sequences = await self._sequences(product)
        named = [
            (item.name, (sequence.id, item.id))
            for sequence in sequences
            for item in await self._items_in(sequence.id)
        ]
        return _grouped(named)

    async def _read_sequences(self, product: Product) -> list[Sequence]:
        self.look_ups += 1
        market, product_id = product
        return await self._reference.get_sequences(
            market_id=product_id if market else None,
            instrument_id=None if market else product_id,
        )

    async def _read_items_in(self, sequence_id: int) -> list[SequenceItem]:
        self.look_ups += 1
        return await self._reference.get_sequence_items(
            sequence_id, start_date=FIRST_DATE, count=EVERY_ITEM
        )


def _text(parameter: str, name: str) -> str:
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TrayportValidationError(
            f"{parameter} {name!r} is not a name", parameter=parameter, suggestion="give text"
        )
    return name


def _grouped(pairs: Iterable[tuple[str, Value]]) -> dict[str, list[Value]]:
    """The values of each name: names need not be unique."""
    values: dict[str, list[Value]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def _only(name: str, contracts: list[ContractSpec]) -> ContractSpec:
    if len(contracts) > 1:
        raise TrayportLookupError(
            f"{name!r} names several contracts", candidates=list(map(str, contracts))
        )
    return contracts[0]


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """The names most like this one, best first, without regard to case."""
    folded = {known.lower(): known for known in names}
    return [folded[match] for match in get_close_matches(name.lower(), folded, NEAREST, LIKENESS)]


def _unknown(kind: str, name: str, names: Iterable[str]) -> TrayportLookupError:
    return TrayportLookupError(f"no {kind} is named {name!r}", candidates=nearest(name, names))
