"""The consumer's program does what it says, against the sandbox."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from tests.consumer.curve import Curve, curve
from trayport_sdk import TrayportClient

MONTHS = ("Apr-24", "May-24", "Juin-24")


async def drawn() -> Curve:
    async with TrayportClient.sandbox() as client:
        return await curve(client, "TTF Hi Cal 51.6*", MONTHS, date(2024, 3, 4), date(2024, 3, 6))


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
