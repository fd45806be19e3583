"""The commands that show whether everything works, and what slows requests down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .connection import ApiCommand, connection
from .output import as_json, json_option
from .signals import run_async

if TYPE_CHECKING:
    from ..resources.health import HealthReport, Status


@click.command(cls=ApiCommand, example="health --sandbox")
@json_option
def health(as_object: bool) -> int:
    """Check the settings, the key and both APIs.

    Sends one small request to each API. The exit code is 1 when something is wrong.
    """

    async def check() -> HealthReport:
        async with connection().client() as client:
            return await client.health_check()

    report = run_async(check())
    click.echo(as_json(report) if as_object else str(report))
    return 0 if report.ok else 1


@click.command(cls=ApiCommand, example="status --sandbox")
@json_option
def status(as_object: bool) -> None:
    """Show the addresses, and how much of the key's allowance is in use.

    Sends no request. Where the allowance is shared, the use by other programs is part of it.
    """

    async def read() -> tuple[dict[str, str], Status]:
        async with connection().client() as client:
            settings = client.settings
            urls = {"analytics": settings.analytics_url, "reference": settings.reference_url}
            return urls, client.get_status()

    urls, found = run_async(read())
    if as_object:
        click.echo(as_json({**urls, "status": found}))
    else:
        click.echo("\n".join([*(f"{api}    {url}" for api, url in urls.items()), str(found)]))


COMMANDS = {"health": health, "status": status}
