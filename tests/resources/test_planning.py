"""Plans from a client: made without a request, weighed, and run."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from trayport_spec import ENDPOINTS
from trayport_spec.options import Options

from trayport_sdk import (
    ContractSpec,
    Progress,
    QueryPlan,
    Settings,
    TrayportClient,
    TrayportHistoryWarning,
    TrayportValidationError,
)
from trayport_sdk.query.plan import BulkSequenceItemQuery
from trayport_sdk.query.planner import by_contracts, by_time
from trayport_sdk.query.times import DAY, SECOND, Window, instant
from trayport_sdk.resources.planner import planned
from trayport_sdk.sandbox import Sandbox

pytestmark = pytest.mark.anyio

APRIL, MAY = "10000065*#Single#10000305#244#0", "10000065*#Single#10000305#245#0"
SPREAD = "10000065*#Spread#10000305#244#245"
(LIMIT,) = ENDPOINTS["get_trades"].limits.ranges
NOW = datetime(2024, 5, 2, 9, 30, tzinfo=UTC)


def ask(
    endpoint: str = "trades", *contracts: str | ContractSpec, **question: Any
) -> list[QueryPlan]:
    if not {"from_", "at"} & question.keys():
        question |= {"from_": "2024-03-01", "until": "2024-04-01"}
    return planned(contracts or (APRIL, MAY), endpoint, now=NOW, intraday=False, **question)


def refusal(parameter: str, *arguments: Any, **question: Any) -> str:
    """The sentence that a question is refused with, which names the argument."""
    with pytest.raises(TrayportValidationError) as refused:
        ask(*arguments, **question)
    assert refused.value.parameter == parameter
    return str(refused.value)


async def test_planning_sends_nothing() -> None:
    async with TrayportClient.sandbox() as client:
        planner = client.planner
        contracts = [f"10000065*#Single#10000305#{item}#0" for item in range(200, 250)]
        plans = planner.plan_multi_contract_query(contracts, "trades", "2024-01-01", "2024-03-31")
        assert planner.estimate_request_count(plans) == len(plans) == 3
        assert planner.estimate_duration(plans) == timedelta()
        assert planner.explain(plans).startswith("3 requests for 50 contracts")
        assert client.get_metrics().total.requests == 0


async def test_a_plan_that_is_given_twice_counts_once() -> None:
    plans = ask()
    async with TrayportClient.sandbox() as client:
        assert client.planner.estimate_request_count(plans * 3) == len(plans)
        assert client.planner.explain(plans * 3) == client.planner.explain(plans)


async def test_the_time_a_plan_takes_is_that_of_the_settings_and_of_what_the_key_has_used() -> None:
    plans = ask("last_trade", *[f"{APRIL[:-5]}{n}#0" for n in range(100, 220)], at="2024-03-01")
    assert len(plans) == 120
    slow = Settings(_env_file=None, requests_per_second=1, requests_per_minute=60)
    fast = Settings(_env_file=None)
    async with TrayportClient.sandbox(Sandbox(), settings=fast) as client:
        at_first = client.planner.estimate_duration(plans)
        assert 20 <= at_first.total_seconds() <= 23
        await client.planner.execute_plan(plans[:2])
        assert client.planner.estimate_duration(plans) > at_first
    async with TrayportClient.sandbox(Sandbox(), settings=slow) as client:
        assert 119 <= client.planner.estimate_duration(plans).total_seconds() <= 130


def test_an_endpoint_goes_by_any_of_its_names() -> None:
    assert ask("get_trades") == ask("/trades") == ask("Trades")


def test_until_left_out_is_the_end_of_the_data_and_at_as_well() -> None:
    (*_, last) = ask(from_="2024-04-01")
    assert last.window is not None
    assert last.window.end == instant("2024-05-02", "until")
    (snapshot,) = planned([APRIL], "snapshots", now=NOW, intraday=False)
    assert snapshot.at == instant("2024-05-02", "at")
    (candles,) = ask("ohlcv", APRIL, from_="2024-01-01", interval="1mo")
    assert candles.window is not None
    assert candles.window.end == instant("2024-05-01", "until")


def test_options_go_along_in_the_words_of_the_api() -> None:
    (one,) = ask("order_book", APRIL, interval="12h", depth=3, optional_fields=["venue_code"])
    assert one.options == Options(depth=3, optional_fields=("venueCode",))


def test_history_that_does_not_exist_is_warned_of_where_it_is_asked_for() -> None:
    with pytest.warns(TrayportHistoryWarning, match="lacks orders"):
        ask("order_book_top", APRIL, from_="2020-03-01", until="2020-03-02", interval="1h")


async def test_the_warning_points_at_the_caller() -> None:
    async with TrayportClient.sandbox() as client:
        with pytest.warns(TrayportHistoryWarning) as warned:
            client.planner.plan_multi_contract_query(
                APRIL, "order_book_top", "2020-03-01", "2020-03-02", interval="1h"
            )
    assert warned[0].filename == __file__


def test_a_name_is_refused_with_the_way_to_its_symbol() -> None:
    said = refusal("contracts", "trades", "TTF Hi Cal 51.6* Apr-24")
    assert "'TTF Hi Cal 51.6* Apr-24' is a name" in said
    assert "client.resolve_contract" in said


@pytest.mark.parametrize(
    ("parameter", "arguments", "question"),
    [
        ("endpoint", ("tradez", APRIL), {}),
        ("endpoint", ("activity", APRIL), {}),
        ("contract", ("trades", "10000065#Single"), {}),
        ("from_", ("trades", APRIL), {"from_": None, "until": "2024-04-01"}),
        ("until", ("trades", APRIL), {"from_": "2024-04-01", "until": "2024-03-01"}),
        ("until", ("trades", APRIL), {"from_": "2024-04-01", "until": "2024-05-03"}),
        ("at", ("trades", APRIL), {"from_": "2024-04-01", "at": "2024-04-01"}),
        ("interval", ("trades", APRIL), {"interval": "1h"}),
        ("interval", ("ohlcv", APRIL), {"interval": "2h"}),
        ("interval", ("ohlcv", APRIL), {}),
        ("depth", ("trades", APRIL), {"depth": 3}),
        ("trading_items", ("trades", APRIL), {"trading_items": 3}),
        ("scope", ("trades", APRIL), {"scope": {"market_id": 7}}),
        ("optional_field", ("trades", APRIL), {"optional_field": "route"}),
    ],
)
def test_what_cannot_work_is_refused_by_name(
    parameter: str, arguments: tuple[str, ...], question: dict[str, Any]
) -> None:
    refusal(parameter, *arguments, **question)


def test_no_contracts_are_refused() -> None:
    with pytest.raises(TrayportValidationError, match="contracts is empty"):
        planned([], "trades", now=NOW, intraday=False, from_="2024-03-01")


async def test_the_parts_of_a_plan_bring_what_the_whole_does() -> None:
    (plan,) = ask(from_="2024-03-04", until="2024-03-06")
    early, late = by_time(plan)
    seen: list[Progress] = []
    async with TrayportClient.sandbox() as client:
        whole = await client.planner.execute_plan([plan], on_progress=seen.append)
        parts = await client.planner.execute_plan([late, *by_contracts(early), late])
    assert whole.to_polars().height > 0
    assert parts.to_polars().equals(whole.to_polars())
    assert (len(whole.requests), len(parts.requests)) == (1, 3)
    assert seen[-1].requests_done == 1


async def test_a_plan_that_travelled_brings_the_same() -> None:
    plans = ask("ohlcv", APRIL, interval="1d")
    written = json.loads(json.dumps([one.to_dict() for one in plans]))
    async with TrayportClient.sandbox() as client:
        here = await client.planner.execute_plan(plans)
        there = await client.planner.execute_plan([QueryPlan.from_dict(one) for one in written])
        pickled = await client.planner.execute_plan(pickle.loads(pickle.dumps(plans)))  # noqa: S301
    frames = [found.to_polars() for found in (here, there, pickled)]
    assert frames[0].height > 0
    assert all(frame.equals(frames[0]) for frame in frames)


async def test_a_query_that_is_larger_than_a_request_is_cut_when_it_is_run() -> None:
    april, may, spread = map(ContractSpec.parse, (APRIL, MAY, SPREAD))
    start = instant("2024-03-20", "from_")
    window = Window(start, start + LIMIT.max_days * DAY + SECOND)
    mixed = BulkSequenceItemQuery(
        endpoint="trades", contracts=(april, may, april, spread), window=window
    )
    async with TrayportClient.sandbox() as client:
        found = await client.planner.execute_plan([mixed])
    assert len(found.requests) == 4
    assert set(found.results) == {april, may, spread}


@pytest.mark.parametrize("endpoint", ["trades", "last_trade", "snapshots", "private_trades"])
async def test_every_endpoint_runs(endpoint: str) -> None:
    when = {"at": "2024-03-05"} if endpoint in ("last_trade", "snapshots") else {}
    async with TrayportClient.sandbox() as client:
        found = await client.planner.execute_plan(ask(endpoint, APRIL, MAY, SPREAD, **when))
    found.raise_for_failures()
    assert list(map(str, found.results)) == [APRIL, MAY, SPREAD]


async def test_no_plans_give_an_empty_result() -> None:
    async with TrayportClient.sandbox() as client:
        found = await client.planner.execute_plan([])
    assert (len(found.results), found.failures, found.contracts) == (0, (), ())


async def test_plans_that_do_not_belong_together_are_refused() -> None:
    (march,) = ask()
    everybody = QueryPlan(endpoint="private_trades", window=march.window)
    apart = {
        "plans mix": [march, *ask("snapshots", at="2024-03-05")],
        "plans mix .* 1h .* 4h": [
            *ask("ohlcv", APRIL, interval="1h"),
            *ask("ohlcv", MAY, interval="4h"),
        ],
        "plans mix .*": [march, evolve(march, options=Options(routes=("all",)))],
        "names no contract": [everybody],
        f"request {APRIL[:8]}.* twice": [march, by_time(march)[0]],
        f"request {MAY[:8]}.* twice": [march, by_contracts(march)[1]],
        "request .* twice": [
            *ask("snapshots", at="2024-03-05"),
            *ask("snapshots", APRIL, at="2024-03-05"),
        ],
    }
    async with TrayportClient.sandbox() as client:
        for why, plans in apart.items():
            with pytest.raises(TrayportValidationError, match=why) as refused:
                await client.planner.execute_plan(plans)
            assert refused.value.parameter == "plans"
        assert client.get_metrics().total.requests == 0
