"""What a request asks for, once every rule of the table was found kept."""

from collections.abc import Mapping

from attrs import frozen
from trayport_spec import Column, Endpoint

from trayport_sdk.sandbox.contract import Contract, Product
from trayport_sdk.sandbox.queries import Value

OptionalFields = frozenset[str]


@frozen
class Routes:
    """The routes that were asked for, lowest first; `named` when the request named any."""

    ids: tuple[int, ...]
    named: bool
    deduplicate: bool

    @property
    def are_apart(self) -> bool:
        """Whether a record comes once per route."""
        return len(self.ids) > 1 and not self.deduplicate

    @property
    def mask(self) -> int:
        return sum(1 << (number - 1) for number in self.ids)


@frozen
class Shape:
    """Which columns an answer has: decides, together with the data, every byte of it."""

    asked: OptionalFields
    bringing: frozenset[str]
    routes: Routes

    def shows(self, column: Column) -> bool:
        """Whether a column is there; one that nothing brings comes when the data has it."""
        if column.required or (column.optional_field is None and column.brought_by is None):
            return True
        return column.optional_field in self.asked or column.brought_by in self.bringing


@frozen
class Filter:
    """The parts of a contract that narrow private trades."""

    product: Product | None = None
    product_id: int | None = None
    sequence_id: int | None = None
    item_id: int | None = None
    second_item_id: int | None = None
    kind: str | None = None

    def admits(self, contract: Contract) -> bool:
        parts = (
            (self.item_id, contract.item_id),
            (self.second_item_id, contract.second_item_id),
            (self.kind, contract.kind),
        )
        return all(asked is None or asked == own for asked, own in parts)


@frozen
class Steps:
    """A regular division of a range."""

    count: int
    unit: str


@frozen
class Question:
    """A request that keeps all rules; times in nanoseconds UTC, ranges [start, end).

    `until` is the end as it was asked, `end` the one that rows are cut at.
    """

    endpoint: Endpoint
    values: Mapping[str, Value | tuple[Value, ...]]
    shape: Shape
    contracts: tuple[Contract, ...] = ()
    narrowed: Filter = Filter()
    start: int = 0
    until: int = 0
    end: int = 0
    at: int = 0
    data_end: int = 0
    steps: Steps | None = None

    def flag(self, name: str) -> bool:
        return self.values.get(name) is True

    def number(self, name: str) -> float | None:
        value = self.values.get(name)
        return value if isinstance(value, (int, float)) else None
