"""Contracts: a product together with a delivery period."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any, Self

from attrs import Attribute, field, frozen, validators
from trayport_api.models.contract_type import ContractType
from trayport_spec import CONTRACT_TYPE_ALIASES

from ..errors import TrayportValidationError, invalid, unknown_value

if TYPE_CHECKING:
    from trayport_api.models import Activity, Contract

__all__ = [
    "KIND_WORDS",
    "ContractSpec",
    "ContractType",
    "check_second_item",
    "looks_like_symbol",
    "response_forms",
]

_KINDS = {
    "Single": ContractType.SINGLE_PERIOD,
    "Spread": ContractType.SPREAD,
    "Range": ContractType.RANGE,
}
KIND_WORDS = {kind: word for word, kind in _KINDS.items()}
"""What machine symbols call the types of contracts."""
_SYMBOL = re.compile(
    r"(?P<product>\d{1,18})(?P<market>\*?)#(?P<kind>Single|Spread|Range)"
    r"#(?P<sequence>\d{1,18})#(?P<item>\d{1,18})#(?P<second>\d{1,18})",
    re.ASCII | re.IGNORECASE,
)


def _contract_type(value: str) -> ContractType:
    """The request form of a contract type, from any of the five forms the API uses."""
    if isinstance(value, ContractType):
        return value
    forms = {kind.value: kind for kind in ContractType}
    forms |= {alias: ContractType(name) for alias, name in CONTRACT_TYPE_ALIASES.items()}
    for form, kind in forms.items():
        if str(value).lower() == form.lower():
            return kind
    raise unknown_value("contract_type", value, forms)


def response_forms(kind: ContractType) -> list[str]:
    """How responses write the type of a contract.

    Example:
        >>> response_forms(ContractType.SPREAD)
        ['Spread', 'PeriodSpread']
    """
    return [kind.value, *(form for form, name in CONTRACT_TYPE_ALIASES.items() if name == kind)]


def check_second_item(kind: str | None, second: int | None) -> None:
    """Whether a second delivery period goes with a type: spreads and ranges have one [documented].

    Raises:
        TrayportValidationError: A single period has one, or another type has none.
    """
    single = kind == ContractType.SINGLE_PERIOD
    if single and second is not None:
        raise TrayportValidationError(
            f"second_sequence_item_id {second} does not go with {kind}",
            parameter="second_sequence_item_id",
            suggestion="leave it out, or use contract_type Spread or Range",
        )
    if not single and second is None:
        raise TrayportValidationError(
            f"contract_type {kind} needs a second_sequence_item_id",
            parameter="second_sequence_item_id",
            suggestion="give the second delivery period",
        )


def _is_id(_: object, attribute: Attribute[Any], value: Any) -> None:
    """Lets whole numbers from 1 through, of whatever library."""
    try:
        number = 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        way_out = "use an id from the reference data"
        raise invalid(attribute.name, value, "is not a positive whole number", way_out)


_is_optional_id = validators.optional(_is_id)


def _order(value: int | None) -> int:
    return -1 if value is None else value


def looks_like_symbol(text: str) -> bool:
    """Whether the text is a machine symbol rather than a name."""
    return "#" in text


@frozen(order=True, kw_only=True, repr=False)
class ContractSpec:
    """What is traded: a product and a delivery period.

    The product is either an instrument (one venue's listing) or a market (all venues). Spreads and
    ranges have a second delivery period, single periods have none [documented].

    Attributes:
        market_id: The market. Exactly one of this and `instrument_id` is given.
        instrument_id: The instrument.
        sequence_id: The sequence the delivery period belongs to, such as the months of gas.
        sequence_item_id: The delivery period; the first one of a spread or range.
        second_sequence_item_id: The second delivery period of a spread or range.
        contract_type: A single period (the default), a spread, or a range. Text is accepted in the
            forms of requests and of responses.
        name: The name as every call takes it, such as `TTF Hi Cal 51.6* Apr-24`, where a name was
            resolved. Contracts are equal whatever their names are.
        period: The name of the delivery period in it, such as `Apr-24` or `Apr-24/May-24`.

    Raises:
        TrayportValidationError: The parts contradict each other.

    Example:
        >>> april = ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=244)
        >>> str(april)
        '10000065*#Single#10000305#244#0'
        >>> ContractSpec.parse("10000065*#Single#10000305#244#0") == april
        True
    """

    market_id: int | None = field(default=None, order=_order, validator=_is_optional_id)
    instrument_id: int | None = field(default=None, order=_order, validator=_is_optional_id)
    sequence_id: int = field(validator=_is_id)
    sequence_item_id: int = field(validator=_is_id)
    second_sequence_item_id: int | None = field(
        default=None, order=_order, validator=_is_optional_id
    )
    contract_type: ContractType = field(
        default=ContractType.SINGLE_PERIOD, converter=_contract_type
    )
    name: str | None = field(default=None, eq=False)
    period: str | None = field(default=None, eq=False)

    def __attrs_post_init__(self) -> None:
        if (self.market_id is None) == (self.instrument_id is None):
            given = "neither" if self.market_id is None else "both"
            raise TrayportValidationError(
                f"a contract has a market_id or an instrument_id, {given} given",
                parameter="market_id",
                suggestion="give exactly one of the two",
            )
        check_second_item(self.contract_type, self.second_sequence_item_id)

    @classmethod
    def parse(cls, symbol: str) -> Self:
        """The contract of a machine symbol, `id#Single#sequence#item#second`.

        The id of a market is followed by a `*`; `second` is 0 for none [observed].

        Raises:
            TrayportValidationError: The text is no such symbol.
        """
        match = _SYMBOL.fullmatch(str(symbol).strip())
        if match is None:
            way_out = "write it like 10000065*#Single#10000305#244#0"
            raise invalid("contract", symbol, "is not a symbol", way_out)
        product = int(match["product"])
        return cls(
            market_id=product if match["market"] else None,
            instrument_id=None if match["market"] else product,
            sequence_id=int(match["sequence"]),
            sequence_item_id=int(match["item"]),
            second_sequence_item_id=int(match["second"]) or None,
            contract_type=_KINDS[match["kind"].capitalize()],
        )

    @classmethod
    def from_model(cls, contract: Contract | Activity) -> Self:
        """The contract of a row of a response, as requests name it.

        Args:
            contract: The `contract` of a row, or a row of trading activity, which counts the trades
                of an instrument and may name its market as well [documented].
        """
        instrument_id = contract.instrument_id
        return cls(
            market_id=(contract.market_id or None) if instrument_id is None else None,
            instrument_id=instrument_id,
            sequence_id=contract.sequence_id,
            sequence_item_id=contract.sequence_item_id,
            second_sequence_item_id=contract.second_sequence_item_id,
            contract_type=_contract_type(contract.contract_type),
        )

    @property
    def label(self) -> str:
        """The name where it is known, or else the machine symbol."""
        return self.name or str(self)

    def __str__(self) -> str:
        product = f"{self.market_id}*" if self.market_id is not None else str(self.instrument_id)
        second = self.second_sequence_item_id or 0
        return (
            f"{product}#{KIND_WORDS[self.contract_type]}#{self.sequence_id}"
            f"#{self.sequence_item_id}#{second}"
        )

    def __repr__(self) -> str:
        return f"ContractSpec.parse({str(self)!r})"
