"""The program that values contracts does what it says, against the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

import pytest

from trayport_sdk import ContractSpec, Settings, TrayportClient
from trayport_sdk.sandbox import Fault, Sandbox

from .valuation import (
    cost,
    executed,
    first_above,
    insisted,
    marks,
    position,
    quotes,
    summary,
    traded_kinds,
    weighed,
)

FROM, UNTIL = date(2024, 3, 4), date(2024, 3, 6)
NOON = datetime(2024, 3, 4, 12, tzinfo=UTC)
APRIL, MAY, NEVER = (
    ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=item)
    for item in (244, 245, 99_999)
)

Found = TypeVar("Found")


def in_sandbox(
    program: Callable[[TrayportClient], Awaitable[Found]], sandbox: Sandbox | None = None
) -> Found:
    async def run() -> Found:
        async with TrayportClient.sandbox(
            sandbox, settings=Settings(_env_file=None, max_retries=0, circuit_breakers=False)
        ) as client:
            return await program(client)

    return asyncio.run(run())


def test_the_program_knows_what_a_contract_can_be_bought_and_sold_for() -> None:
    found = in_sandbox(lambda client: quotes(client, APRIL, NOON, NOON + timedelta(hours=2)))
    assert len(found) == 4
    assert all(one.spread > 0 for one in found)
    assert in_sandbox(lambda client: cost(client, APRIL, NOON, 1.0)) == found[0].ask


def test_the_program_marks_a_curve() -> None:
    found = in_sandbox(lambda client: marks(client, [APRIL, MAY], NOON))
    assert list(found) == [APRIL, MAY]


def test_the_program_stores_a_plan_and_runs_it_another_day() -> None:
    async def planned(client: TrayportClient) -> str:
        found = weighed(client, [APRIL, MAY, NEVER], FROM, UNTIL)
        assert (found.requests, found.batches, found.time) == (1, 1, timedelta())
        return found.stored

    stored = in_sandbox(planned)
    rows, failures = in_sandbox(lambda client: executed(client, stored))
    assert rows.keys() == {APRIL, MAY}
    assert all(rows.values())
    assert failures == {"TrayportNotFoundError"}


def test_the_program_insists_on_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    sandbox = Sandbox(limits=False)
    sandbox.faults.add(Fault("status", operation_id="get_trades", times=None))

    async def rest() -> None:
        sandbox.faults.clear()

    wanted: list[ContractSpec | str] = [APRIL, "TTF Hi Cal 51.6* May-24", NEVER]
    found = in_sandbox(lambda client: insisted(client, wanted, FROM, UNTIL, rest), sandbox)
    assert list(found.results) == [APRIL, MAY]
    assert all(map(len, found.results.values()))
    assert f"missing: ({NEVER!r},)" in capsys.readouterr().out


def test_the_program_reads_a_stream_no_further_than_it_must() -> None:
    sandbox = Sandbox(limits=False)
    found = in_sandbox(
        lambda client: first_above(client, [APRIL, MAY], date(2024, 3, 1), 0), sandbox
    )
    assert found is not None
    assert found[0] == APRIL
    assert len(sandbox.requests) <= 2


def test_the_program_sums_a_market_up() -> None:
    close, trades = in_sandbox(
        lambda client: summary(client, "EUA*", NOON, NOON + timedelta(minutes=10))
    )
    assert close.keys() == trades.keys()
    assert all(close.values())
    assert trades.total() > 0


def test_the_program_knows_what_kinds_of_contracts_traded() -> None:
    found = in_sandbox(lambda client: traded_kinds(client, NOON, NOON + timedelta(minutes=10)))
    assert found <= {"SinglePeriod", "PeriodSpread", "PeriodRange"}
    assert "SinglePeriod" in found


def test_the_program_knows_its_position() -> None:
    volume, price = in_sandbox(lambda client: position(client, APRIL, FROM, UNTIL))
    assert volume >= 0
    assert price is not None
