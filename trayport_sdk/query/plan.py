"""Queries to one operation as values, of any size or cut to one request.

They can be compared, hashed, pickled and written as JSON, and explain themselves in words.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from attrs import asdict, evolve, fields, frozen
from trayport_spec import ENDPOINTS, Endpoint
from trayport_spec.options import Options

from ..errors import TrayportValidationError
from .contracts import ContractSpec, ContractType
from .rules import checked_values, listed_values
from .times import Interval, Window, instant, to_text

OPERATIONS = {endpoint.key: endpoint for endpoint in ENDPOINTS.values()}
CONTRACT = "contract"


def with_contract(endpoint: Endpoint, names: Sequence[str]) -> tuple[str, ...]:
    """The optional fields and the contract of a row, in the order of the table."""
    return tuple(name for name in endpoint.optional_fields if name in {*names, CONTRACT})


DEFAULTS = Options()
CHOICES = frozenset(attribute.name for attribute in fields(Options))
_LISTS = frozenset(option.name for option in fields(Options) if option.default == ())


@frozen(kw_only=True)
class QueryPlan:
    """A query to one operation.

    The planner returns three kinds of it, each of which is one request: `BulkSequenceItemQuery`,
    `BulkMarketQuery` and `ParallelContractQuery`.

    Attributes:
        endpoint: The operation: `"trades"`, `"private_trades"`, `"ohlcv"`, `"last_trade"`,
            `"activity"`, `"order_book_top"`, `"order_book"` or `"snapshots"`.
        contracts: The contracts; none means all of them.
        window: The half-open range, in nanoseconds since 1970-01-01 UTC.
        at: The instant, in nanoseconds since 1970-01-01 UTC, for operations that take one.
        interval: The length of a candle, or the time between two states of a book.
        options: Everything else.

    Example:
        >>> april = ContractSpec.parse("10000065*#Single#10000305#244#0")
        >>> (plan,) = TrayportClient.sandbox().planner.plan_multi_contract_query(
        ...     [april], "trades", "2024-03-01", "2024-04-01"
        ... )
        >>> QueryPlan.from_dict(plan.to_dict()) == plan
        True
    """

    endpoint: str
    contracts: tuple[ContractSpec, ...] = ()
    window: Window | None = None
    at: int | None = None
    interval: Interval | None = None
    options: Options = DEFAULTS

    kinds: ClassVar[dict[str, type[QueryPlan]]] = {}
    # Rows for several contracts name theirs only if the field is requested [documented].
    is_shared: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        QueryPlan.kinds[cls.__name__] = cls

    @property
    def kind(self) -> str:
        """The name of the pattern."""
        return type(self).__name__

    @property
    def scope(self) -> dict[str, int]:
        """The ids that the request names besides those of its contracts."""
        return {}

    @property
    def operation(self) -> Endpoint:
        """The operation in the generated table."""
        return OPERATIONS[self.endpoint]

    @property
    def starts_at(self) -> str | None:
        """The start of the range, or the instant, as text; None where neither is given."""
        start = self.at if self.window is None else self.window.start
        return None if start is None else to_text(start)

    @property
    def optional_fields(self) -> tuple[str, ...]:
        """The optional columns of the response."""
        chosen = self.options.optional_fields
        return with_contract(self.operation, chosen) if self.is_shared else chosen

    @property
    def adds_contract_column(self) -> bool:
        """Whether the rows name their contract although the caller did not ask for it."""
        return set(self.optional_fields) != set(self.options.optional_fields)

    def arguments(self) -> dict[str, Any]:
        """The arguments of the operation, under the names of the generated request builder.

        Instants are nanoseconds. What is left to the service is left out.
        """
        arguments: dict[str, Any] = {**self.options.chosen, **self._subject_arguments()}
        # It is sent in a header, not in the query.
        arguments.pop("response_format", None)
        if self.optional_fields:
            arguments["optional_fields"] = self.optional_fields
        if self.window is not None:
            arguments |= {"from_": self.window.start, "until": self.window.end}
        if self.at is not None:
            arguments["at"] = self.at
        if self.interval is not None:
            unit = self.interval.unit.value
            arguments |= {"interval": self.interval.count, "interval_unit": unit}
        return arguments

    def _subject_arguments(self) -> dict[str, Any]:
        """The arguments that name the contracts."""
        if not self.contracts:
            return {}
        first = self.contracts[0]
        items = tuple(contract.sequence_item_id for contract in self.contracts)
        parts = asdict(first, recurse=False, filter=lambda part, _: bool(part.eq)) | {
            "sequence_item_id": items if self.operation.limits.contract == "many" else items[0],
            "contract_type": first.contract_type.value,
        }
        return {name: value for name, value in parts.items() if value is not None}

    def explain(self) -> str:
        """The query in words."""
        words = [self.endpoint.replace("_", " "), f"of {self.subject}"]
        if self.interval is not None:
            words.append(f"every {self.interval}")
        if self.window is not None:
            words.append(f"from {self.window}")
        if self.at is not None:
            words.append(f"at {to_text(self.at)}")
        return " ".join(words)

    @property
    def subject(self) -> str:
        """What the query is about, in words."""
        if not self.contracts:
            return "everything"
        first, more = self.contracts[0].label, len(self.contracts) - 1
        return f"{first} and {more:,} more" if more else first

    def to_dict(self) -> dict[str, Any]:
        """The query as plain values that JSON can hold; `from_dict` reads it back."""
        document: dict[str, Any] = {"kind": self.kind, "endpoint": self.endpoint}
        if self.contracts:
            document["contracts"] = [str(contract) for contract in self.contracts]
        if self.window is not None:
            document |= {"from": to_text(self.window.start), "until": to_text(self.window.end)}
        if self.at is not None:
            document["at"] = to_text(self.at)
        if self.interval is not None:
            document["interval"] = str(self.interval)
        if chosen := self.options.chosen:
            document["options"] = {n: [*v] if n in _LISTS else v for n, v in chosen.items()}
        return document | self.scope

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> QueryPlan:
        """The query that `to_dict` wrote.

        Raises:
            TrayportValidationError: It is no plan.
        """
        try:
            given = dict(document)
            kinds: dict[str, type[QueryPlan]] = {"QueryPlan": QueryPlan, **QueryPlan.kinds}
            kind = kinds[given.pop("kind")]
            contracts = tuple(map(ContractSpec.parse, given.pop("contracts", ())))
            if "from" in given:
                given["window"] = Window.between(given.pop("from"), given.pop("until"))
            if "at" in given:
                given["at"] = instant(given["at"], "at")
            if "interval" in given:
                given["interval"] = Interval.parse(given["interval"])
            chosen: dict[str, Any] = {
                name: listed_values(value) if name in _LISTS else value
                for name, value in given.pop("options", {}).items()
            }
            query = kind(contracts=contracts, options=Options(**chosen), **given)
            checked_values(query.operation, query.arguments(), bound_lists=False)
            if isinstance(query, BulkMarketQuery) and not all(map(query.covers, contracts)):
                raise ValueError("it does not cover its contracts")
        except TrayportValidationError:
            raise
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            reason = f"{error} is missing or unknown" if isinstance(error, KeyError) else error
            raise TrayportValidationError(
                f"plan {reprlib.repr(document)} is no plan: {reason}",
                parameter="plan",
                suggestion="give what to_dict returned",
            ) from error
        return query


@frozen(kw_only=True)
class BulkSequenceItemQuery(QueryPlan):
    """Several single periods of one product and sequence in one request."""

    is_shared = True


@frozen(kw_only=True)
class BulkMarketQuery(QueryPlan):
    """Everything of a product, of a sequence, or of all of them in one request.

    Attributes:
        market_id: The market, if the request names one.
        instrument_id: The instrument, if the request names one.
        sequence_id: The sequence, if the request names one.
    """

    market_id: int | None = None
    instrument_id: int | None = None
    sequence_id: int | None = None

    is_shared = True

    @property
    def scope(self) -> dict[str, int]:
        """The ids that the request names."""
        names = ("market_id", "instrument_id", "sequence_id")
        return {name: id_ for name in names if (id_ := getattr(self, name)) is not None}

    def _subject_arguments(self) -> dict[str, Any]:
        if self.options.trading_items is None:
            return dict(self.scope)
        return {**self.scope, "contract_type": ContractType.SINGLE_PERIOD.value}

    @property
    def subject(self) -> str:
        """What the query is about, in words."""
        named = " ".join(f"{name.removesuffix('_id')} {id_}" for name, id_ in self.scope.items())
        items = self.options.trading_items
        next_ones = "" if items is None else f", the next {items}"
        wanted = f", for {len(self.contracts):,} contracts" if self.contracts else ""
        return f"{named or 'everything'}{next_ones}{wanted}"

    def covers(self, contract: ContractSpec) -> bool:
        """Whether the rows of a contract come, with what names it."""
        # Rows of instruments need not say which markets they belong to [assumed].
        ids = {"market_id": self.market_id, **self.scope}
        return all(getattr(contract, name) == id_ for name, id_ in ids.items())


@frozen(kw_only=True)
class ParallelContractQuery(QueryPlan):
    """One contract in one request."""


Kind = TypeVar("Kind", bound=QueryPlan)


def narrowed(
    query: QueryPlan, kind: type[Kind], contracts: Sequence[ContractSpec], **more: Any
) -> Kind:
    """The same query about some of the contracts, as a request of a kind."""
    parts: dict[str, Any] = {part.name: getattr(query, part.name) for part in fields(QueryPlan)}
    parts["contracts"] = tuple(contracts)
    return kind(**parts, **more)


def alone(query: QueryPlan, contract: ContractSpec) -> ParallelContractQuery:
    """The same query about one contract."""
    return narrowed(query, ParallelContractQuery, [contract])


def with_contract_column(query: QueryPlan) -> QueryPlan:
    """The query, with the column that names the contract of a row, where there is one."""
    fields = with_contract(query.operation, query.options.optional_fields)
    return evolve(query, options=evolve(query.options, optional_fields=fields))


def counted(number: int, thing: str) -> str:
    """A number of things in words.

    Example:
        >>> counted(1, "request"), counted(1200, "row")
        ('1 request', '1,200 rows')
    """
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
