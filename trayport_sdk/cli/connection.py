"""The options that every command with a client has, and the client that they make."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import click
from attrs import frozen

from ..client import TrayportClient
from ..query.times import to_text
from ..settings import PROFILES, Settings
from ..tables.output import check_writable, replaced

UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
AGO = re.compile(r"(\d{1,5})([mhdw])")


class Command(click.Command):
    """A command with an example in its help.

    Args:
        example: What follows `trayport`.
    """

    def __init__(self, *args: Any, example: str, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.example = example

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the example."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Example"):
            indent = " " * formatter.current_indent
            lines = _wrapped(f"trayport {self.example}", formatter.width - formatter.current_indent)
            formatter.write(indent + f" \\\n{indent}    ".join(lines) + "\n")


def _wrapped(command: str, width: int) -> list[str]:
    """The lines of a command, in which each option is beside its value."""
    lines = [""]
    for part in re.split(r" (?=--)", command):
        longer = f"{lines[-1]} {part}".strip()
        if lines[-1] and len(longer) + len(" \\    ") > width:
            lines.append(part)
        else:
            lines[-1] = longer
    return lines


class ApiCommand(Command):
    """A command that uses a client, which its options choose."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.params += _options()

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command, with the options about the client in `connection()`."""
        ctx.obj = Connection(**{name: ctx.params.pop(name) for name in Connection.names()})
        if ctx.obj.metrics is not None:
            check_writable(ctx.obj.metrics, "metrics")
        return super().invoke(ctx)


def _options() -> list[click.Option]:
    return [
        click.Option(["--sandbox"], is_flag=True, help="Ask the offline sandbox; needs no key."),
        click.Option(
            ["--profile"], type=click.Choice([*PROFILES]), help="Use the settings of a profile."
        ),
        click.Option(["--verbose", "-v"], is_flag=True, help="Log each request."),
        click.Option(["--quiet", "-q"], is_flag=True, help="No progress bar and no summary."),
        click.Option(
            ["--log-format"],
            type=click.Choice(["console", "json"]),
            help="How to log requests.",
        ),
        click.Option(["--metrics"], metavar="FILE", help="Write metrics for Prometheus."),
    ]


@frozen
class Connection:
    """What the options say about the client.

    Attributes:
        sandbox: Whether it is one of the offline sandbox.
        profile: The profile of its settings.
        verbose: Whether each request is logged.
        quiet: Whether there is neither a bar nor a summary.
        log_format: How it is logged.
        metrics: The file for its metrics.
    """

    sandbox: bool
    profile: str | None
    verbose: bool
    quiet: bool
    log_format: str | None
    metrics: str | None

    @classmethod
    def names(cls) -> list[str]:
        """The names of the options."""
        return [option.name or "" for option in _options()]

    @property
    def has_bar(self) -> bool:
        """Whether there may be a progress bar, which lines of a log would tear."""
        return not (self.quiet or self.verbose or self.log_format)

    def settings(self) -> Settings:
        """The settings, with what the options change."""
        given: dict[str, Any] = {} if self.profile is None else {"profile": self.profile}
        if self.verbose or self.log_format:
            given |= {"log_format": self.log_format or "console", "log_level": "debug"}
        return Settings(_env_file=None, **given) if self.sandbox else Settings(**given)

    @asynccontextmanager
    async def client(self, **options: Any) -> AsyncGenerator[TrayportClient]:
        """The client, which is closed at the end.

        Raises:
            click.UsageError: There is no key.
        """
        settings = self.settings()
        if self.sandbox:
            client = TrayportClient.sandbox(settings=settings, **options)
        elif settings.api_key is None:
            raise click.UsageError(
                "there is no API key: set the variable TRAYPORT_API_KEY, or write it into .env, as "
                "`trayport config example` shows; with --sandbox none is needed"
            )
        else:
            client = TrayportClient(settings=settings, **options)
        async with client:
            try:
                yield client
            finally:
                if self.metrics is not None:
                    with replaced(check_writable(self.metrics, "metrics")) as file:
                        file.write(client.get_metrics().to_prometheus().encode())


def connection() -> Connection:
    """What the options of the command that runs say about the client."""
    found = click.get_current_context().find_object(Connection)
    if found is None:
        raise RuntimeError("the command has no options about a client")
    return found


class Time(click.ParamType[str]):
    """A time: ISO-8601, `now`, or how long ago, such as `7d`, from the start of that unit on."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The time in ISO-8601."""
        del param, ctx
        text, seconds = str(value).strip(), int(now().timestamp())
        if text == "now":
            return to_text(seconds * 10**9)
        if ago := AGO.fullmatch(text):
            unit = UNITS[ago[2]]
            whole = seconds - seconds % min(unit, UNITS["d"])
            return to_text(max(0, whole - int(ago[1]) * unit) * 10**9)
        return text


TIME_HELP = "In ISO-8601 (UTC), `now`, or as long ago as 36h, 7d or 2w."


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)
