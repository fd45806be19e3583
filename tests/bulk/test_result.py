"""Which row belongs to which contract."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from trayport_spec import CONTRACT_TYPE_ALIASES
from trayport_spec.options import Options

from trayport_sdk import ContractSpec, ContractType, TrayportClient, TrayportDecodeError
from trayport_sdk.bulk.reading import RowCheck
from trayport_sdk.bulk.result import split_by_contract
from trayport_sdk.query.plan import BulkSequenceItemQuery, QueryPlan
from trayport_sdk.query.planner import plan
from trayport_sdk.query.times import Window
from trayport_sdk.tables.decode import decoder as decode
from trayport_sdk.tables.decode import schema as columns

MARKET, SEQUENCE = 10000065, 10000305
WRITTEN = {kind: name for name, kind in CONTRACT_TYPE_ALIASES.items()} | {
    ContractType.SINGLE_PERIOD: "SinglePeriod"
}
DAY = Window.between("2024-03-04", "2024-03-05")


def spec(item: int, second: int | None = None, **more: Any) -> ContractSpec:
    kind = ContractType.SINGLE_PERIOD if second is None else ContractType.SPREAD
    parts: dict[str, Any] = {"market_id": MARKET, "sequence_id": SEQUENCE, "contract_type": kind}
    parts |= more
    return ContractSpec(sequence_item_id=item, second_sequence_item_id=second, **parts)


APRIL, MAY, JUNE = spec(244), spec(245), spec(246)
SPREAD = spec(244, 245)


def row(contract: ContractSpec | None, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "tradeId": "T",
        "venueCode": "SPEC",
        "dealDate": DAY.start,
        "price": 1.0,
        "quantity": 1.0,
        "aggressorBuy": True,
    }
    if contract is not None:
        found["contract"] = {
            "instrumentId": contract.instrument_id,
            "marketId": contract.market_id,
            "sequenceId": contract.sequence_id,
            "sequenceItemId": contract.sequence_item_id,
            "secondSequenceItemId": contract.second_sequence_item_id,
            "contractType": WRITTEN[contract.contract_type],
        }
    return found | more


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    found = decode.decode_response("get_trades", json.dumps(rows).encode()).rows
    return columns.to_frame("get_trades", found, columns.RequestedColumns(("contract",)))


def check(query: QueryPlan, found: pl.DataFrame, before: int = 0) -> None:
    checked = RowCheck(query)
    checked.received = before
    assert checked.wanted(found) is found


def shares(query: QueryPlan, found: pl.DataFrame) -> dict[ContractSpec, int]:
    return {contract: rows.height for contract, rows in split_by_contract(query, found)}


def planned(*contracts: ContractSpec, endpoint: str = "trades", **more: Any) -> QueryPlan:
    (query,) = plan(QueryPlan(endpoint=endpoint, contracts=contracts, window=DAY, **more))
    return query


def test_the_rows_of_a_batch_go_to_their_contracts_and_no_longer_say_so() -> None:
    query = planned(APRIL, MAY, JUNE)
    found = frame([row(APRIL), row(MAY), row(APRIL)])
    assert isinstance(query, BulkSequenceItemQuery)
    assert shares(query, found) == {APRIL: 2, MAY: 1, JUNE: 0}
    assert all("contract" not in rows.columns for _, rows in split_by_contract(query, found))


def test_who_asked_for_the_contract_of_every_row_keeps_it() -> None:
    query = planned(APRIL, MAY, options=Options(optional_fields=("contract",)))
    assert all(
        "contract" in rows.columns
        for _, rows in split_by_contract(query, frame([row(APRIL), row(MAY)]))
    )


def test_the_rows_of_a_request_about_one_contract_are_all_its_own() -> None:
    query = planned(APRIL)
    assert shares(query, frame([row(APRIL)] * 3)) == {APRIL: 3}


@pytest.mark.parametrize("strange", [row(JUNE), row(None)])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_row_of_a_batch_that_belongs_to_nobody_is_no_answer(
    strange: dict[str, Any], place: int
) -> None:
    rows = [row(APRIL), row(MAY)]
    rows.insert(place, strange)
    with pytest.raises(TrayportDecodeError, match=f"row {place + 100} is something else") as error:
        check(planned(APRIL, MAY), frame(rows), 100)
    assert (error.value.row, error.value.field) == (place + 100, "contract")


def test_a_batch_without_rows_is_an_answer() -> None:
    check(planned(APRIL, MAY), frame([]))
    check(planned(APRIL, MAY), frame([row(MAY)]))


def test_of_a_broad_private_query_rows_that_nobody_asked_for_are_left_out() -> None:
    query = planned(APRIL, SPREAD, endpoint="private_trades")
    other_spread = spec(244, 246)
    turned = spec(245, 244)
    found = frame([row(one) for one in (APRIL, MAY, SPREAD, SPREAD, other_spread, turned)])
    check(query, found)
    assert shares(query, found) == {APRIL: 1, SPREAD: 2}


def test_what_a_broad_private_query_says_itself_its_rows_may_leave_out() -> None:
    query = planned(APRIL, SPREAD, endpoint="private_trades")
    named = row(APRIL)["contract"] | {"marketId": None, "instrumentId": 7}
    of_the_instrument = row(APRIL) | {"contract": named}
    found = frame([row(SPREAD), of_the_instrument])
    check(query, found)
    assert shares(query, found) == {APRIL: 1, SPREAD: 1}


@pytest.mark.parametrize(
    "strange", [None, spec(244, market_id=MARKET + 1), spec(244, sequence_id=SEQUENCE + 1)]
)
def test_a_row_of_a_broad_private_query_that_contradicts_it_is_no_answer(
    strange: ContractSpec | None,
) -> None:
    query = planned(APRIL, SPREAD, endpoint="private_trades")
    found = frame([row(APRIL), row(strange)])
    with pytest.raises(TrayportDecodeError, match="row 1 is something else"):
        check(query, found)


def test_rows_of_an_account_say_the_instrument() -> None:
    one = spec(244, market_id=None, instrument_id=1)
    other = spec(244, market_id=None, instrument_id=2, sequence_id=SEQUENCE + 1)
    query = planned(one, other, endpoint="private_trades")
    unsaid = row(one) | {"contract": row(one)["contract"] | {"instrumentId": None}}
    check(query, frame([row(one), row(other)]))
    with pytest.raises(TrayportDecodeError, match="row 1 is something else"):
        check(query, frame([row(one), unsaid]))


@pytest.mark.anyio
async def test_the_sandbox_s_own_private_trades_find_their_contracts() -> None:
    async with TrayportClient.sandbox() as client:
        window = ("2024-03-04", "2024-03-09")
        every = await client.trades.get_private_trades(*window, market_id=MARKET)
        wanted = sorted(
            {ContractSpec.from_model(trade.contract) for trade in every if trade.contract}
        )[:5]
        plans = client.planner.plan_multi_contract_query(wanted, "private_trades", *window)
        found = await client.planner.execute_plan(plans)
        assert len(plans) == 1
        assert list(found.results) == wanted
        for contract, trades in found.results.items():
            alone = await client.trades.get_private_trades(*window, contract=contract)
            assert len(trades) == len(alone) > 0
