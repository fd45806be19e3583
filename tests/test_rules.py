from typing import Any

import pytest
from trayport_spec import ENDPOINTS

from trayport_sdk import ContractSpec, TrayportValidationError
from trayport_sdk.rules import listed, not_in_the_future, optional_fields
from trayport_sdk.times import DAY, SECOND, Window

TRADES = ENDPOINTS["get_trades"]
APRIL = ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=244)


@pytest.mark.parametrize("field", TRADES.optional_fields)
def test_an_optional_field_is_known_in_every_spelling(field: str) -> None:
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field)
    for spelling in (field, field.upper(), field.lower(), snake, snake.upper()):
        assert optional_fields(TRADES, [spelling]) == (field,)


def test_optional_fields_come_once_and_in_the_order_asked_for() -> None:
    assert optional_fields(TRADES, ["route", "contract", "ROUTE"]) == ("route", "contract")
    assert optional_fields(TRADES, None) == ()


def test_an_endpoint_without_optional_fields_says_so() -> None:
    with pytest.raises(TrayportValidationError, match="it has none"):
        optional_fields(ENDPOINTS["get_snapshots"], ["route"])


@pytest.mark.parametrize("given", [APRIL, [APRIL], (APRIL,), {APRIL}])
def test_one_contract_or_several_are_listed(given: Any) -> None:
    assert listed(given) == [APRIL]


@pytest.mark.parametrize("given", [None, 7, [], [None], [APRIL, 244]])
def test_what_is_no_contract_is_refused(given: Any) -> None:
    with pytest.raises(TrayportValidationError) as refused:
        listed(given)
    assert refused.value.parameter == "contracts"


def test_a_range_may_end_with_the_current_day_and_not_a_second_later() -> None:
    cutoff = 20_000 * DAY
    not_in_the_future(Window(0, cutoff + DAY), cutoff)
    with pytest.raises(TrayportValidationError, match="lies in the future"):
        not_in_the_future(Window(0, cutoff + DAY + SECOND), cutoff)
