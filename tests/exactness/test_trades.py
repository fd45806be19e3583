"""However a question about trades is cut, its rows are those of the whole.

Drawn questions are put to a sandbox with limits, under both readings of `until`, and the rows
compared with those of one request to a sandbox without: every column, exactly, as multisets.
"""

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exactness.questions import (
    COAL,
    COAL_MONTHS,
    EPOCHS,
    MONTHS,
    QUARTERS,
    TTF,
    TTF_EEX,
    ColumnFilter,
    Epoch,
    Question,
    cases,
    check_plan,
    questions,
    ranges,
    smalls,
    spellings,
)
from tests.exactness.world import DAY, HOUR, MINUTE, Rows, World, parts, table
from trayport_sdk import ContractSpec, TrayportClient

readings = pytest.mark.parametrize("inclusive", [False, True], ids=["exclusive", "inclusive"])
TRADES: Sequence[ColumnFilter] = (
    {},
    {"optional_fields": ["contract", "fromBrokenSpread", "initiatorSleeve"]},
    {"routes": "all", "include_private": True},
    {"routes": "all", "deduplicate_routes": False, "optional_fields": ["routeId"]},
    {"routes": [2, "London, Main Desk"]},
)


@readings
@cases(80)
@given(data=st.data())
def test_trades_in_one_table(world: World, inclusive: bool, data: st.DataObject) -> None:
    question = data.draw(questions(world, "trades", TRADES))
    call = world.clients[inclusive].trades.get_trades
    with question.small.in_force():
        found = world.run(call(question.contracts, *question.range, **question.options)).to_polars(
            nested=True
        )
    also = ["contract"] if len(question.contracts) > 1 else []
    rows = (question.whole(world, *also, **parts(one)) for one in question.contracts)
    assert table(found) == sum(rows, Rows())
    assert found["deal_date"].is_sorted()


async def in_bulk(client: TrayportClient, question: Question) -> dict[ContractSpec, Rows]:
    found = await client.get_trades_bulk(question.contracts, *question.range, **question.options)
    found.raise_for_failures()
    return {one: table(rows.to_polars(nested=True)) for one, rows in found.results.items()}


async def as_a_stream(client: TrayportClient, question: Question) -> dict[ContractSpec, Rows]:
    batches: dict[ContractSpec, list[pl.DataFrame]] = {one: [] for one in question.contracts}
    async for batch in client.stream_trades(
        question.contracts, *question.range, **question.options
    ):
        batches[batch.contract].append(batch.to_polars(nested=True))
    found: dict[ContractSpec, Rows] = {}
    for contract, frames in batches.items():
        rows = pl.concat(frames) if frames else pl.DataFrame({"deal_date": []})
        assert rows["deal_date"].is_sorted()
        found[contract] = table(rows)
    return found


@readings
@pytest.mark.parametrize("way", [in_bulk, as_a_stream], ids=["bulk", "stream"])
@cases(60)
@given(data=st.data())
def test_trades_by_contract(
    world: World, way: Callable[..., Any], inclusive: bool, data: st.DataObject
) -> None:
    question = data.draw(questions(world, "trades", TRADES))
    with question.small.in_force():
        found = world.run(way(world.clients[inclusive], question))
    assert found == question.by_contract(world)


@readings
@cases(100)
@given(data=st.data())
def test_plans_of_trades(world: World, inclusive: bool, data: st.DataObject) -> None:
    check_plan(world, inclusive, data, data.draw(questions(world, "trades", TRADES)))


@pytest.mark.filterwarnings("ignore::trayport_sdk.TrayportExpiryWarning")
@readings
@cases(40)
@given(data=st.data())
def test_trades_of_the_next_tradable_items(
    world: World, inclusive: bool, data: st.DataObject
) -> None:
    question = data.draw(questions(world, "trades", TRADES, lambda epoch: epoch.coal))
    count = data.draw(st.integers(1, 4))
    whose: dict[str, Any] = {"market_id": COAL, "sequence_id": COAL_MONTHS}
    times = dict(zip(("from_", "until"), question.range, strict=True))
    call: Callable[..., Any] = world.clients[inclusive].trades.get_trades_by_trading_items
    with question.small.in_force():
        coming = call(trading_items=count, **whose, **times, **question.options)
        found = world.run(coming).to_polars(nested=True)
    single = {"contract_type": "SinglePeriod", "trading_items": count}
    assert table(found) == question.whole(world, "contract", **whose, **single)


def own(epoch: Epoch) -> list[ContractSpec]:
    return epoch.own


PRIVATE: Sequence[ColumnFilter] = (
    {},
    {"optional_fields": ["contract", "aggressorSleeve"]},
    {"routes": "all", "deduplicate_routes": False},
)
SCOPES: Sequence[dict[str, Any]] = (
    {"market_id": TTF, "sequence_id": MONTHS},
    {"instrument_id": TTF_EEX},
    {"sequence_id": QUARTERS},
    {"market_id": TTF},
    {},
)


@readings
@cases(30)
@given(data=st.data())
def test_private_trades_of_a_scope(world: World, inclusive: bool, data: st.DataObject) -> None:
    question = data.draw(questions(world, "private_trades", PRIVATE, own))
    scope = data.draw(st.sampled_from(SCOPES[: 2 if question.small.day == DAY else None]))
    call: Callable[..., Any] = world.clients[inclusive].trades.get_private_trades
    with question.small.in_force():
        found = world.run(call(*question.range, **scope, **question.options)).to_polars(nested=True)
    assert table(found) == question.whole(world, "contract", **scope)
    assert found["deal_date"].is_sorted()


@readings
@cases(30)
@given(data=st.data())
def test_private_trades_of_a_contract(world: World, inclusive: bool, data: st.DataObject) -> None:
    question = data.draw(questions(world, "private_trades", PRIVATE, own, 1))
    call = world.clients[inclusive].trades.get_private_trades
    (contract,) = question.contracts
    with question.small.in_force():
        found = world.run(call(*question.range, contract=contract, **question.options))
    assert table(found.to_polars(nested=True)) == question.whole(world, **parts(contract))


@readings
@cases(40)
@given(data=st.data())
def test_plans_of_private_trades(world: World, inclusive: bool, data: st.DataObject) -> None:
    check_plan(world, inclusive, data, data.draw(questions(world, "private_trades", PRIVATE, own)))


ACTIVITY: Sequence[ColumnFilter] = (
    {},
    {"optional_fields": ["marketId", "updateCount"]},
    {"routes": "all", "optional_fields": ["routeId", "updateCount", "deleteCount"]},
    {"routes": ["Continent"]},
)


@readings
@cases(40)
@given(data=st.data())
def test_counts_of_activity(world: World, inclusive: bool, data: st.DataObject) -> None:
    epoch = data.draw(st.sampled_from(EPOCHS[2:]))  # later than where the data begins
    small = data.draw(smalls(most=3))
    sessions = [day + 9 * HOUR for day in range(epoch.start, epoch.end, DAY)]
    start, end = data.draw(ranges([*epoch.instants, *sessions], small.longest, MINUTE))
    question = Question(
        endpoint="activity",
        start=start,
        end=end,
        spelling=data.draw(spellings),
        small=small,
        options=data.draw(st.sampled_from(ACTIVITY)),
    )
    call = world.clients[inclusive].trades.get_activity
    with small.in_force():
        found = world.run(call(*question.range, **question.options))
    assert table(found.to_polars(nested=True)) == question.whole(world)
