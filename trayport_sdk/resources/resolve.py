"""Names into contracts.

A name is a product's name and a delivery period's name; the name of a market ends in a `*`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from ..errors import (
    TrayportAmbiguityWarning,
    TrayportError,
    TrayportLookupError,
    TrayportValidationError,
    exclusive,
    missing,
    not_whole,
)
from ..query.contracts import ContractSpec, looks_like_symbol
from ..query.periods import Ahead, Kind, Period, days_at, parse_two, squeezed
from ..query.times import SECOND, TimeLike, instant
from ..query.warn import warn
from .catalog import Catalog, Product, Wanted, kind_of, together
from .search import ContractMatch, Match, nearest, without_period

if TYPE_CHECKING:
    from trayport_api.models import Sequence as SequenceModel

CANDIDATES = 10
NAMES_KEPT = 10_000
LESS_ALIKE = 15.0
"""An instrument whose score is so much higher stands before a market."""
EXAMPLE = "write a product and a delivery period, like 'TTF Hi Cal 51.6* Apr-24'"
A_PRODUCT = "write a market, like 'TTF Hi Cal 51.6*', or an instrument, like 'NBP ICE'"
# A spread, or a longer period.
_TO = re.compile(r"\s+(?:to|till|until|through)\s+", re.IGNORECASE)
_FRONTS: Sequence[Kind] = ("month", "quarter", "season", "year")


@frozen
class Reading:
    """One way to read a name: products that it may begin with, and the rest of it."""

    products: Sequence[Product]
    rest: str
    within_a_word: bool = False


@frozen
class _Known:
    """A name that was resolved, and how long that is good."""

    contract: ContractSpec
    warning: str
    expires: datetime
    refreshes: int


class Resolver:
    """Finds the contracts of names.

    Args:
        catalog: Has the reference data.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._known: dict[str, _Known] = {}

    async def resolve(
        self, contract: ContractSpec | str, at: TimeLike | None = None
    ) -> ContractSpec:
        """The contract of a name or of a machine symbol, with its name.

        Raises:
            TrayportLookupError: Nothing, or more than one thing, has this name; names that can be
                used instead are listed, markets first.
            TrayportValidationError: The machine symbol is malformed.
        """
        if not isinstance(contract, ContractSpec) and looks_like_symbol(
            _text("contract", contract)
        ):
            contract = ContractSpec.parse(contract)
        if isinstance(contract, ContractSpec):
            (named,) = await self.catalog.named([contract])
            return named
        known = self._remembered(contract)
        if known is None:
            known = await Resolver(self.catalog.for_one_call())._looked_up(contract, at)
            if known.expires > self.catalog.cache.now():
                if len(self._known) >= NAMES_KEPT:
                    self._known.clear()
                self._known[contract] = known
        if known.warning:
            warn(known.warning, TrayportAmbiguityWarning)
        return known.contract

    async def resolve_all(
        self, contracts: Iterable[ContractSpec | str], at: TimeLike | None = None
    ) -> list[ContractSpec]:
        """The contracts of names and machine symbols, in the fewest requests.

        Names that need the same wait for one request; requests go out together. Contracts and
        symbols take none, and keep the names that they have.
        """
        found: dict[ContractSpec | str, ContractSpec] = {}
        others: list[str] = []
        given = list(contracts)
        for contract in dict.fromkeys(given):
            if isinstance(contract, ContractSpec):
                found[contract] = contract
            elif looks_like_symbol(_text("contract", contract)):
                found[contract] = ContractSpec.parse(contract)
            else:
                others.append(contract)
        if len(others) == 1:
            found[others[0]] = await self.resolve(others[0], at)
        elif others:
            resolver = self if self.catalog.cache.keeps else Resolver(self.catalog.for_one_call())
            specs = await together(resolver.resolve(name, at) for name in others)
            found |= dict(zip(others, specs, strict=True))
        return [found[contract] for contract in given]

    async def contract_of(
        self,
        *,
        market: str | None = None,
        instrument: str | None = None,
        sequence: str | None = None,
        item: str | None = None,
        second_item: str | None = None,
        contract_type: str | None = None,
        at: TimeLike | None = None,
    ) -> ContractSpec:
        """The contract of the names of its parts.

        Raises:
            TrayportLookupError: One of the names names nothing; the nearest are listed.
            TrayportValidationError: A part is missing, or parts exclude each other.
        """
        if market is not None and instrument is not None:
            raise exclusive("market", "instrument")
        if market is None and instrument is None:
            raise missing("market", "a contract has a product", "give a market or an instrument")
        if item is None:
            raise missing("item", "a contract has a delivery period", "give one, such as 'Apr-24'")
        if market is not None:
            product = await self._product("market", market, is_market=True)
        else:
            product = await self._product("instrument", instrument or "", is_market=False)
        text = _text("item", item)
        if second_item is not None:
            text = f"{text}/{_text('second_item', second_item)}"
        wanted = Wanted.of(text, self._moment(at))
        found = await self._contracts(product, wanted, sequence)
        if not found:
            raise await self._unknown_item(product, wanted, sequence, alone=True)
        name = f"{product.title} {text}"
        contract = _in_order(name, _only(name, found))
        return contract if contract_type is None else evolve(contract, contract_type=contract_type)

    async def market(self, name: str) -> Product:
        """A market by its name; the `*` after it may be left out.

        Raises:
            TrayportLookupError: Nothing has this name, or several markets have it.
        """
        return await self._product("market_name", name, is_market=True)

    async def product(self, name: str) -> Product:
        """A market, or an instrument where no market has the name.

        Raises:
            TrayportLookupError: Nothing has this name, or several products have it.
        """
        text = _text("product", name).strip()
        if text.endswith("*"):
            return await self._product("product", text, is_market=True)
        for is_market in (True, False):
            if (await self.catalog.names(is_market=is_market)).find(text):
                return await self._product("product", text, is_market=is_market)
        like = await self._products_like(text, CANDIDATES)
        raise _unknown("product", text, [product.title for _, product in like], A_PRODUCT)

    # --- Search

    async def search(self, pattern: str, limit: int, *, is_market: bool) -> list[Match]:
        """The instruments or markets whose names are most like a pattern, best first."""
        names = await self.catalog.names(is_market=is_market)
        found = names.search(_text("pattern", pattern), _checked(limit))
        return [
            Match(Product(is_market, id_, names.by_id[id_]).title, round(score, 1), id=id_)
            for score, id_ in found
        ]

    async def search_contracts(
        self, pattern: str, limit: int, at: TimeLike | None = None
    ) -> list[ContractMatch]:
        """The contracts that a pattern may mean, markets before instruments that match as well.

        What the pattern names exactly comes first. A pattern without a delivery period gives the
        first ones that are still traded.
        """
        moment, most = self._moment(at), _checked(limit)
        resolver = Resolver(self.catalog.for_one_call())
        named = [
            ContractMatch(contract.label, 100.0, contract=contract)
            for contract in await resolver._named_by(_text("pattern", pattern), moment)
        ]
        text, period = without_period(pattern)
        like = await resolver._contracts_like(text, period, moment, most)
        if period and not like:  # the name of a product, such as one of weekends
            like = await resolver._contracts_like(pattern, "", moment, most)
        known = {match.contract for match in named}
        return [*named, *(match for match in like if match.contract not in known)][:most]

    async def _named_by(self, pattern: str, at: int) -> list[ContractSpec]:
        """The contracts that a pattern names exactly, with the star of a market or without it."""
        if looks_like_symbol(pattern):
            try:
                found = await self.catalog.named([ContractSpec.parse(pattern)])
            except TrayportValidationError:
                return []
            return [contract for contract in found if contract.name]
        contracts: list[ContractSpec] = []
        for is_market in (True, False) if "*" not in pattern else (True,):
            for reading in await self._readings(pattern, is_market=is_market):
                own = await self._read(reading, at) if reading.rest else []
                if own:
                    contracts += own
                    break
        return list(dict.fromkeys(map(_ordered, contracts)))

    async def _contracts_like(
        self, text: str, period: str, at: int, most: int
    ) -> list[ContractMatch]:
        """Contracts of a period of the products whose names are like a text."""
        wanted = Wanted.of(period, at)
        products = await self._products_like(text, most)
        if not period:
            products = products[: max(1, most // len(_FRONTS))]
        found = await together(
            self._contracts(product, wanted) if period else self._fronts(product, at)
            for _, product in products
        )
        return [
            ContractMatch(contract.label, round(score, 1), contract=contract)
            for (score, _), contracts in zip(products, found, strict=True)
            for contract in map(_ordered, contracts)
        ]

    async def _products_like(self, text: str, limit: int) -> list[tuple[float, Product]]:
        """Products whose names are like a text, best first."""
        found: list[tuple[float, Product]] = []
        for is_market in (True, False):
            names = await self.catalog.names(is_market=is_market)
            found += [
                (score, Product(is_market, id_, names.by_id[id_]))
                for score, id_ in names.search(text, limit)
            ]
        best = max((score for score, _ in found), default=0.0)

        def rank(match: tuple[float, Product]) -> tuple[bool, bool, float]:
            score, product = match
            is_best = score >= best - LESS_ALIKE
            return not is_best, is_best and not product.is_market, -score

        found.sort(key=rank)
        return found[:limit]

    async def _fronts(self, product: Product, at: int) -> list[ContractSpec]:
        """The nearest contracts of a product that are still traded, one of a sequence."""
        sequences = {kind_of(sequence): sequence for sequence in await self._sequences(product)}
        chosen = [sequences[kind] for kind in _FRONTS if kind in sequences]
        chosen = chosen or list(sequences.values())
        lists = await together(self.catalog.items(sequence.id) for sequence in chosen)
        return [
            product.contract(sequence.id, [item])
            for sequence, items in zip(chosen, lists, strict=True)
            for item in (items.traded(at) or items.rows)[:1]
        ]

    # --- Looking up

    def _remembered(self, text: str) -> _Known | None:
        """What a name is at any time; names of relative periods are not kept."""
        cache, known = self.catalog.cache, self._known.get(text)
        now = cache.now()  # which may have everything read again
        if known is None or known.refreshes != cache.refreshes or known.expires <= now:
            return None
        return known

    async def _looked_up(self, text: str, at: TimeLike | None) -> _Known:
        cache = self.catalog.cache
        contract, is_relative = await self._found(text, self._moment(at))
        warning = "" if contract.market_id else await self._forgotten_star(contract)
        expires = cache.now() if is_relative else self.catalog.expiry(contract)
        return _Known(contract, warning, expires, cache.refreshes)

    async def _found(self, text: str, at: int) -> tuple[ContractSpec, bool]:
        """The contract of a name, and whether the name depends on the time."""
        readings = await self._readings(text, is_market="*" in text)
        for reading in readings:
            if not reading.rest:
                raise await self._without_item(reading.products[0], at)
            if found := await self._read(reading, at):
                contract = _in_order(text.strip(), _only(text.strip(), found))
                return contract, Wanted.of(reading.rest, at).is_relative
        raise await self._unknown(text, readings, at)

    async def _read(self, reading: Reading, at: int) -> list[ContractSpec]:
        wanted = Wanted.of(reading.rest, at)
        lists = await together(self._contracts(p, wanted) for p in reading.products)
        return [contract for contracts in lists for contract in contracts]

    async def _readings(self, text: str, *, is_market: bool) -> list[Reading]:
        """The ways to read a name; those that end a product's name with a word and late first."""
        head, star, tail = text.rpartition("*")
        names = await self.catalog.names(is_market=is_market)
        if star:
            cuts: Iterable[tuple[str, str]] = [(head, tail)]
        else:
            ends = range(len(text), 0, -1)
            cuts = [(text[:end], text[end:]) for end in ends if not text[end - 1].isspace()]
        readings = [
            Reading(
                [Product(is_market, id_, names.by_id[id_]) for id_ in ids],
                rest.strip(),
                within_a_word=not star and rest[:1].strip() != "",
            )
            for begin, rest in cuts
            if (ids := names.find(begin.strip()))
        ]
        return sorted(readings, key=lambda reading: reading.within_a_word)

    async def _contracts(
        self, product: Product, wanted: Wanted, sequence: str | None = None
    ) -> list[ContractSpec]:
        """The contracts of a product with a delivery period.

        Sequences whose names fit the period are read first, the others only when it is not there.
        """
        sequences = await self._sequences(product, sequence)
        wanted = await self._dated(product, wanted)
        likely = [s for s in sequences if kind_of(s) == wanted.kind]
        rest = [s for s in sequences if s not in likely]
        return await self._in_sequences(product, wanted, likely) or await self._in_sequences(
            product, wanted, rest
        )

    async def _in_sequences(
        self, product: Product, wanted: Wanted, sequences: Sequence[SequenceModel]
    ) -> list[ContractSpec]:
        lists = await together(self.catalog.items(sequence.id) for sequence in sequences)
        return [
            product.contract(sequence.id, own)
            for sequence, items in zip(sequences, lists, strict=True)
            for own in wanted.of_items(items)
        ]

    async def _dated(self, product: Product, wanted: Wanted) -> Wanted:
        """The periods that relative ones are now, where the product is traded."""
        if not wanted.is_relative:
            return wanted
        days = days_at(datetime.fromtimestamp(wanted.at // SECOND, UTC))
        dated = {
            currency: tuple(
                period.at(day) if isinstance(period, Ahead) and period.count else period
                for period in wanted.periods
            )
            for currency, day in days.items()
        }
        if len(set(dated.values())) == 1:  # as nearly always
            return evolve(wanted, periods=dated["UTC"])
        currency = await self.catalog.currency(product)
        return evolve(wanted, periods=dated.get(currency, dated["UTC"]))

    async def _sequences(
        self, product: Product, name: str | None = None
    ) -> Sequence[SequenceModel]:
        """The sequences of a product, all of them or those of a name."""
        sequences = await self.catalog.sequences(product)
        if name is None:
            return sequences
        wanted = squeezed(_text("sequence", name))
        found = [s for s in sequences if s.name == name]
        if not (found := found or [s for s in sequences if squeezed(s.name) == wanted]):
            names = [sequence.name for sequence in sequences]
            raise _unknown(f"sequence of {product.title}", name, nearest(name, names, CANDIDATES))
        return found

    async def _product(self, parameter: str, name: str, *, is_market: bool) -> Product:
        names = await self.catalog.names(is_market=is_market)
        ids = names.find(_text(parameter, name).strip().removesuffix("*").rstrip())
        kind = "market" if is_market else "instrument"
        if not ids:
            matches = await self.search(name, CANDIDATES, is_market=is_market)
            raise _unknown(kind, name, [match.name for match in matches], A_PRODUCT)
        if len(ids) > 1:
            raise TrayportLookupError(
                f"{name!r} names several {kind}s", candidates=[str(id_) for id_ in ids]
            )
        return Product(is_market, ids[0], names.by_id[ids[0]])

    def _moment(self, at: TimeLike | None) -> int:
        if at is not None:
            return instant(at, "at")
        return int(self.catalog.cache.now().timestamp()) * SECOND

    # --- What is wrong with a name

    async def _forgotten_star(self, contract: ContractSpec) -> str:
        """What to say where a market has the name of an instrument."""
        period = contract.period or ""
        title = (contract.name or "").removesuffix(period).rstrip()
        if not (await self.catalog.names(is_market=True)).find(title):
            return ""
        return (
            f"{contract.name!r} is a contract of one venue's instrument, which has fewer trades "
            f"than the market of all venues: write {f'{title}* {period}'!r} for the market, or "
            f"{str(contract)!r} for the instrument, without this warning"
        )

    async def _without_item(self, product: Product, at: int) -> TrayportLookupError:
        kind = "a market" if product.is_market else "an instrument"
        fronts = await self._fronts(product, at)
        return TrayportLookupError(
            f"{product.title!r} is {kind} without a delivery period",
            candidates=[contract.name or "" for contract in fronts],
            suggestion=EXAMPLE,
        )

    async def _unknown_item(
        self, product: Product, wanted: Wanted, sequence: str | None = None, *, alone: bool = False
    ) -> TrayportLookupError:
        """The error for a period; its candidates have no product where periods stand alone."""
        if wanted.is_relative:
            near = [c.period or "" for c in await self._fronts(product, wanted.at)]
        else:
            sequences = await self._sequences(product, sequence)
            lists = await together(self.catalog.items(each.id) for each in sequences)
            traded = [item for items in lists for item in items.traded(wanted.at)]
            rows = [*traded, *(item for items in lists for item in items.rows)]
            spread = Wanted.of(_TO.sub("/", wanted.text), wanted.at)
            found = await self._contracts(product, spread, sequence)
            near = [_ordered(contract).period or "" for contract in found]
            near = near or nearest(wanted.text, [item.name for item in rows], CANDIDATES)
        if not near:
            near = [c.period or "" for c in await self._fronts(product, wanted.at)]
        candidates = near if alone else [f"{product.title} {name}" for name in near]
        where = sequence or product.title
        return _unknown(f"delivery period of {where}", wanted.text, candidates)

    async def _unknown(
        self, text: str, readings: Sequence[Reading], at: int
    ) -> TrayportLookupError:
        product_text, period = without_period(text)
        if readings:
            wanted = Wanted.of(readings[0].rest, at)
            if "*" in text or wanted.periods or not period:
                return await self._unknown_item(readings[0].products[0], wanted)
        if legs := await self._legs(product_text, period):
            message = (
                f"no product is named {product_text!r}; a spread of two places is a product of "
                "its own, where it is traded"
            )
            return TrayportLookupError(message, candidates=legs)
        try:
            moment = datetime.fromtimestamp(at // SECOND, UTC)
            matches = await self.search_contracts(text, CANDIDATES, moment)
        except TrayportError:
            matches = []  # the name is unknown, whatever else goes wrong
        candidates = [match.name for match in matches]
        return _unknown("contract", text, candidates)

    async def _legs(self, product_text: str, period: str) -> list[str]:
        """The names of the contracts in two places that a text may mean the spread of."""
        places = product_text.split("/")
        if len(places) != 2 or not period:
            return []
        markets = await self.catalog.names(is_market=True)
        found = [markets.find(place.strip()) for place in places]
        return [f"{markets.by_id[ids[0]]}* {period}" for ids in found if ids]


def _text(parameter: str, name: str) -> str:
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TrayportValidationError(
            f"{parameter} {name!r} is not a name", parameter=parameter, suggestion="give text"
        )
    return name


def _checked(limit: int) -> int:
    is_whole = isinstance(limit, int) and not isinstance(limit, bool)  # pyright: ignore[reportUnnecessaryIsInstance]
    if not is_whole or limit < 1:
        raise not_whole("limit", limit)
    return limit


def _only(name: str, contracts: Sequence[ContractSpec]) -> ContractSpec:
    if len(contracts) > 1:
        raise TrayportLookupError(
            f"{name!r} names several contracts", candidates=list(map(str, contracts))
        )
    return contracts[0]


def _ordered(contract: ContractSpec) -> ContractSpec:
    """The spread with its nearer period first; a single period where both are the same."""
    period, name = contract.period or "", contract.name or ""
    near, far = parse_two(period) or (None, None)
    if not isinstance(near, Period) or not isinstance(far, Period) or near.kind != far.kind:
        return contract
    if near < far:
        return contract
    first, _, second = period.partition("/")
    own, other = contract.sequence_item_id, contract.second_sequence_item_id or 0
    if near == far:
        text = first
        changes: dict[str, Any] = {"second_sequence_item_id": None, "contract_type": "SinglePeriod"}
    else:
        text = f"{second}/{first}"
        changes = {"sequence_item_id": other, "second_sequence_item_id": own}
    return evolve(contract, **changes, period=text, name=name.removesuffix(period) + text)


def _in_order(text: str, contract: ContractSpec) -> ContractSpec:
    ordered = _ordered(contract)
    if ordered != contract:
        raise TrayportLookupError(
            f"{text!r} is no spread: its first period has to be the earlier one",
            candidates=[ordered.label],
        )
    return contract


def _unknown(
    kind: str, name: str, candidates: Sequence[str], suggestion: str = EXAMPLE
) -> TrayportLookupError:
    message = f"no {kind} is named {name!r}"
    return TrayportLookupError(message, candidates=candidates, suggestion=suggestion)
