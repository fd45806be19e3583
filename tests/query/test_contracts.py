import pytest
from hypothesis import given
from hypothesis import strategies as st
from trayport_api.models import Contract, ContractKind

from trayport_sdk import ContractSpec, ContractType, TrayportValidationError

ids = st.integers(1, 2**40)


@st.composite
def contracts(draw: st.DrawFn) -> ContractSpec:
    kind = draw(st.sampled_from(ContractType))
    market = draw(st.booleans())
    return ContractSpec(
        market_id=draw(ids) if market else None,
        instrument_id=None if market else draw(ids),
        sequence_id=draw(ids),
        sequence_item_id=draw(ids),
        second_sequence_item_id=None if kind is ContractType.SINGLE_PERIOD else draw(ids),
        contract_type=kind,
    )


@given(contracts())
def test_a_symbol_reads_back_as_the_same_contract(contract: ContractSpec) -> None:
    assert ContractSpec.parse(str(contract)) == contract
    assert hash(ContractSpec.parse(str(contract).lower())) == hash(contract)


@given(st.lists(contracts()))
def test_contracts_have_an_order(found: list[ContractSpec]) -> None:
    assert sorted(sorted(found), reverse=True) == sorted(found, reverse=True)


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("SinglePeriod", ContractType.SINGLE_PERIOD),
        ("singleperiod", ContractType.SINGLE_PERIOD),
        ("Spread", ContractType.SPREAD),
        ("PeriodSpread", ContractType.SPREAD),
        ("Range", ContractType.RANGE),
        ("PeriodRange", ContractType.RANGE),
    ],
)
def test_every_form_of_a_contract_type_becomes_the_request_form(
    form: str, kind: ContractType
) -> None:
    second = None if kind is ContractType.SINGLE_PERIOD else 3
    spec = ContractSpec(
        market_id=1,
        sequence_id=2,
        sequence_item_id=3,
        second_sequence_item_id=second,
        contract_type=form,
    )
    assert spec.contract_type is kind


def test_the_contract_of_an_answer_can_be_asked_for() -> None:
    answered = Contract(
        contract_type=ContractKind.PERIOD_SPREAD,
        market_id=None,
        instrument_id=10002806,
        sequence_id=10000305,
        sequence_item_id=244,
        second_sequence_item_id=245,
    )
    assert str(ContractSpec.from_model(answered)) == "10002806#Spread#10000305#244#245"


@pytest.mark.parametrize(
    ("parts", "parameter"),
    [
        ({}, "market_id"),
        ({"market_id": 1, "instrument_id": 1}, "market_id"),
        ({"market_id": 1, "second_sequence_item_id": 4}, "second_sequence_item_id"),
        ({"market_id": 1, "contract_type": "Spread"}, "second_sequence_item_id"),
        ({"market_id": 1, "contract_type": "Strip"}, "contract_type"),
        ({"market_id": "TTF"}, "market_id"),
        ({"instrument_id": 1.5}, "instrument_id"),
        ({"market_id": True}, "market_id"),
        ({"market_id": 0}, "market_id"),
        (
            {"market_id": 1, "contract_type": "Spread", "second_sequence_item_id": 0},
            "second_sequence_item_id",
        ),
    ],
)
def test_parts_that_contradict_each_other_are_refused_by_name(
    parts: dict[str, object], parameter: str
) -> None:
    with pytest.raises(TrayportValidationError) as refused:
        ContractSpec(sequence_id=2, sequence_item_id=3, **parts)  # type: ignore[arg-type]
    assert refused.value.parameter == parameter
    assert refused.value.suggestion


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10000065*",
        "1#Single#2#3",
        "a#Single#2#3#0",
        "1#Strip#2#3#0",
        "9" * 5000 + "#Single#2#3#0",
    ],
)
def test_text_that_is_no_symbol_is_refused(text: str) -> None:
    with pytest.raises(TrayportValidationError, match="is not a symbol"):
        ContractSpec.parse(text)
