"""Many contracts at one instant, requested together, are what each is alone."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from trayport_spec.options import LastTradeField

from tests.exactness.questions import (
    COAL,
    COAL_MONTHS,
    EPOCHS,
    SPELLINGS,
    Small,
    around,
    cases,
    smalls,
    spelled,
)
from tests.exactness.world import MINUTE, SECOND, Rows, World, counted, in_zone, parts, table
from trayport_sdk import ContractSpec
from trayport_sdk.query.times import TimeLike

Instant = tuple[list[ContractSpec], int, TimeLike, Small]


@st.composite
def instants(draw: st.DrawFn, world: World, grid: int) -> Instant:
    """Contracts and a time, which may be that of a trade."""
    epoch = draw(st.sampled_from(EPOCHS))
    contracts = draw(st.lists(st.sampled_from(epoch.contracts), min_size=1, max_size=4))
    traded = draw(around(world, epoch, contracts[0]))
    moment = draw(st.sampled_from(traded)) // grid * grid + draw(st.sampled_from((0, grid)))
    return contracts, moment, spelled(moment, draw(st.sampled_from(SPELLINGS))), draw(smalls())


def snapshots(world: World, moment: int, **whose: Any) -> Rows:
    document = world.response("/snapshots", at=in_zone(moment), **whose)
    assert document["timestamp"] == moment
    return counted(document["snapshots"])


@cases(50)
@given(data=st.data())
def test_snapshots(world: World, data: st.DataObject) -> None:
    contracts, moment, at, small = data.draw(instants(world, MINUTE))
    client = world.clients[data.draw(st.booleans())]
    with small.in_force():
        found = world.run(client.snapshots.get_snapshots(contracts, at=at))
        bulk = world.run(client.get_snapshots_bulk(contracts, at))
        plans = client.planner.plan_multi_contract_query(contracts, "snapshots", at=at)
        planned = world.run(client.planner.execute_plan(plans))
    alone = {one: snapshots(world, moment, **parts(one)) for one in contracts}
    assert found.timestamp == moment
    assert table(found.to_polars(nested=True)) == sum(alone.values(), Rows())
    assert {one: table(rows.to_polars(nested=True)) for one, rows in bulk.results.items()} == alone
    assert {
        one: table(rows.to_polars(nested=True)) for one, rows in planned.results.items()
    } == alone


@cases(30)
@given(data=st.data())
def test_snapshots_of_the_next_tradable_items(world: World, data: st.DataObject) -> None:
    _, moment, at, _ = data.draw(instants(world, MINUTE))
    count = data.draw(st.integers(1, 4))
    client = world.clients[data.draw(st.booleans())]
    found = world.run(
        client.snapshots.get_snapshots_by_trading_items(
            COAL, sequence_id=COAL_MONTHS, trading_items=count, at=at
        )
    )
    whose = {"market_id": COAL, "sequence_id": COAL_MONTHS, "contract_type": "SinglePeriod"}
    assert len(found) == count
    assert table(found.to_polars(nested=True)) == snapshots(
        world, moment, trading_items=count, **whose
    )


@cases(80)
@given(data=st.data())
def test_last_trades(world: World, data: st.DataObject) -> None:
    contracts, moment, at, _ = data.draw(instants(world, SECOND))
    fields: list[LastTradeField] = data.draw(st.sampled_from([[], ["contract"]]))
    client = world.clients[data.draw(st.booleans())]
    plans = client.planner.plan_multi_contract_query(
        contracts, "last_trade", at=at, optional_fields=fields
    )
    planned = world.run(client.planner.execute_plan(plans))
    last = world.run(client.trades.get_last_trade(contracts[0], at=at))
    options = {"at": in_zone(moment), "optional_fields": fields}
    alone = {one: world.response("/trades/last", **parts(one), **options) for one in contracts}
    found = {one: table(rows.to_polars(nested=True)) for one, rows in planned.results.items()}
    assert found == {one: counted(rows) for one, rows in alone.items()}
    first = [(row["price"], row["dealDate"]) for row in alone[contracts[0]]]
    assert [(last.price, last.deal_date)] == first if last else first == []
