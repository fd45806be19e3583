"""The consumer's program does what it says, against the sandbox."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from trayport_sdk import Settings, TrayportClient
from trayport_sdk.sandbox import Fault, Sandbox

from .curve import Bill, Curve, Runner, bill, curve, names, ready

MARKET = "TTF Hi Cal 51.6*"
MONTHS = ("Apr-24", "May-24", "Juin-24")
FROM, UNTIL = date(2024, 3, 4), date(2024, 3, 6)


async def drawn() -> Curve:
    async with TrayportClient.sandbox() as client:
        return await curve(client, MARKET, MONTHS, FROM, UNTIL)


def test_the_program_draws_a_curve_of_the_months_that_exist(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = asyncio.run(drawn())
    assert len(found.points) == 2
    assert all(point.trades > 0 and point.volume > 0 for point in found.points)
    assert all(point.last_at.date() <= date(2024, 3, 5) for point in found.points)
    assert found.venues
    assert found.requests == 1
    assert "left out: Juin-24, nearest:" in capsys.readouterr().out


async def worked(runner: Runner, sandbox: Sandbox) -> tuple[Bill, str, tuple[str, ...]]:
    async with TrayportClient.sandbox(
        sandbox,
        settings=Settings(_env_file=None, retry_base=0.001),
        event_hooks={"request": [runner.before], "response": [runner.after]},
        on_retry=runner.retrying,
        on_breaker_change=runner.breaker_changed,
    ) as client:
        await curve(client, MARKET, MONTHS[:1], FROM, UNTIL, "low")
        return bill(client), await ready(client), await names(client, "51.6")


def test_the_program_knows_what_its_requests_met() -> None:
    runner, sandbox = Runner("gas"), Sandbox(limits=False)
    sandbox.faults.add(Fault("status", operation_id="get_trades"))
    cost, wrong, found = asyncio.run(worked(runner, sandbox))
    assert runner.statuses.count(503) == len(runner.waits) == 1
    assert runner.open_since is None
    assert cost.requests == runner.statuses.index(503) + 2
    assert cost.bytes_received > 0
    assert wrong == ""
    assert all("51.6" in name for name in found)
