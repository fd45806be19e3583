"""The commands that show whether everything works, and what slows requests down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .connection import ApiCommand, connection
from .signals import run_async

if TYPE_CHECKING:
    from ..resources.health import HealthReport


@click.command(cls=ApiCommand, example="health --sandbox")
def health() -> int:
    """Check the settings, the key and both APIs.

    Sends one small request to each API. The exit code is 1 when something is wrong.
    """

    async def check() -> HealthReport:
        async with connection().client() as client:
            return await client.health_check()

    report = run_async(check())
    click.echo(str(report))
    return 0 if report.ok else 1


@click.command(cls=ApiCommand, example="status --sandbox")
def status() -> None:
    """Show the addresses, and how much of the key's allowance is in use.

    Sends no request. Where the allowance is shared, the use by other programs is part of it.
    """

    async def read() -> tuple[str, str, str]:
        async with connection().client() as client:
            settings = client.settings
            return settings.analytics_url, settings.reference_url, str(client.get_status())

    analytics, reference, text = run_async(read())
    click.echo(f"analytics    {analytics}\nreference    {reference}\n{text}")


COMMANDS = {"health": health, "status": status}
