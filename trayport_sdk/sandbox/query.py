"""A request as checked values, which keep every rule of the table."""

from collections.abc import Mapping

from attrs import frozen
from trayport_spec import Column, Endpoint

from .catalogue import Contract, Product

Value = int | float | str | bool
Values = dict[str, Value | tuple[Value, ...]]


@frozen
class Routes:
    """The routes of a request, lowest first."""

    ids: tuple[int, ...]
    deduplicate: bool = True

    @property
    def are_apart(self) -> bool:
        """Whether a record comes once per route."""
        return len(self.ids) > 1 and not self.deduplicate

    @property
    def mask(self) -> int:
        return sum(1 << (number - 1) for number in self.ids)


@frozen
class Shape:
    """Which columns a response has: decides, together with the data, every byte of it.

    Attributes:
        fields: The optional fields of the request.
        parameters: The given parameters that add columns.
    """

    fields: frozenset[str]
    parameters: frozenset[str]
    routes: Routes

    def shows(self, column: Column) -> bool:
        if column.required or (column.optional_field is None and column.added_by is None):
            return True
        return column.optional_field in self.fields or column.added_by in self.parameters


@frozen
class Narrowed:
    """The parts of a contract that narrow a response."""

    product: Product | None = None
    product_id: int | None = None
    sequence_id: int | None = None
    item_id: int | None = None
    second_item_id: int | None = None
    kind: str | None = None


@frozen
class Steps:
    """A regular division of a range."""

    count: int
    unit: str


@frozen
class Query:
    """A request that keeps all rules; times in nanoseconds UTC, ranges [start, end).

    Attributes:
        until: The end of the range as it was given.
        end: Where the rows end: with the data, or after the last row that still belongs to them.
        at: The instant of a request without a range.
        data_end: Where the data ends for the key.
        now: The time of the clock.
    """

    endpoint: Endpoint
    values: Mapping[str, Value | tuple[Value, ...]]
    shape: Shape
    contracts: tuple[Contract, ...] = ()
    narrowed: Narrowed = Narrowed()
    start: int = 0
    until: int = 0
    end: int = 0
    at: int = 0
    data_end: int = 0
    now: int = 0
    steps: Steps | None = None

    def flag(self, name: str) -> bool:
        return self.values.get(name) is True

    def number(self, name: str) -> float | None:
        value = self.values.get(name)
        return value if isinstance(value, (int, float)) else None

    @property
    def has_range(self) -> bool:
        return "from" in self.values and "until" in self.values

    @property
    def path_ids(self) -> tuple[int, ...]:
        """The numbers that stand in the path, in its order."""
        names = [part[1:-1] for part in self.endpoint.path.split("/") if part.startswith("{")]
        return tuple(number for name in names if isinstance(number := self.values[name], int))
