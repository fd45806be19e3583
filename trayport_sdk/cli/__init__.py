"""The `trayport` command.

An error is one line on standard error, and `EXIT_CODES` says how a command may end.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

import click
from trayport_spec import ENDPOINTS

from .. import __version__
from ..errors import TrayportConfigurationError, TrayportError, TrayportValidationError
from .signals import SignalInterrupt, interruptible

INTERRUPTED = "{}; files that are finished stay, and the command can be run again"
RESUMED = {
    "backfill": "{}; the same command goes on, and sends nothing again that is done",
}
SIGNALS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "the terminal hung up"}
FAILED, WRONG_USAGE, BY_SIGNAL = 1, 2, 128
EXIT_CODES = (
    ("0", "done"),
    ("1", "failed, or something is wrong"),
    ("2", "wrong usage, or settings that cannot work"),
    ("130, 143", "ended by Ctrl-C, by SIGTERM; what was finished stays"),
    ("141", "what read the output has ended"),
)


def run(arguments: Sequence[str]) -> int:
    """Runs the command line and turns every failure into one line and an exit code."""
    # Without a handler of its own the package's log lines would land on standard error.
    logging.getLogger("trayport_sdk").addHandler(logging.NullHandler())
    name = next(iter(arguments), "")
    try:
        with _plain_warnings(), interruptible():
            result = trayport.main(list(arguments), prog_name="trayport", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.message, err=True)
        return WRONG_USAGE
    except click.UsageError as error:
        return _said(error.format_message(), WRONG_USAGE)
    except click.ClickException as error:
        return _said(error.format_message(), FAILED)
    except TrayportValidationError as error:
        return _said(_spoken(error, arguments, error.parameter), WRONG_USAGE)
    except TrayportConfigurationError as error:
        return _said(_spoken(error, arguments), WRONG_USAGE)
    except TrayportError as error:
        return _said(_spoken(error, arguments), FAILED)
    except ReaderGone:
        # Python would write what is left when it ends, and fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BY_SIGNAL + signal.SIGPIPE
    except OSError as error:
        return _said(_in_words(error), FAILED)
    except (click.Abort, KeyboardInterrupt):
        return _interrupted(signal.SIGINT, name)
    except SignalInterrupt as interrupt:
        return _interrupted(interrupt.number, name)
    except Exception as error:  # noqa: BLE001  (the last door: one line, never a traceback)
        return _said(f"unexpected {type(error).__name__}: {error}", FAILED)
    return result if isinstance(result, int) else 0


@contextmanager
def _plain_warnings() -> Generator[None]:
    """Warnings in one line each, without the place in the program that they are about."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        click.echo(f"trayport: {' '.join(str(message).split())}", err=True)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _spoken(error: TrayportError, arguments: Sequence[str], parameter: str = "") -> str:
    """An error of the library as the command says it that was run."""
    from .words import spoken

    command = trayport.get_command(click.Context(trayport), next(iter(arguments), ""))
    if isinstance(command, click.Group):
        command = next((command.commands[a] for a in arguments if a in command.commands), command)
    return spoken(str(error), command, parameter)


def _said(message: str, code: int) -> int:
    with suppress(OSError):  # of a terminal that is gone
        click.echo(f"trayport: {' '.join(message.split())}", err=True)
    return code


def _interrupted(number: int, command: str) -> int:
    words = RESUMED.get(command, INTERRUPTED)
    return _said(words.format(SIGNALS[signal.Signals(number).name]), BY_SIGNAL + number)


def _in_words(error: OSError) -> str:
    """An error of the system: the file, what is wrong, and what to do."""
    if error.errno is None:
        return str(error)
    notes: list[str] = getattr(error, "__notes__", [])
    file = [] if error.filename is None else [repr(error.filename)]
    return ": ".join([*file, error.strerror or str(error.errno), *notes])


class ReaderGone(Exception):  # noqa: N818  (no error, but the end of `| head`)
    """What read the output has ended."""


SECTIONS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Names": {
        "find": ("names", "Find contracts, markets, instruments and venues."),
        "show": ("names", "Show a product, a sequence or a contract."),
        "venues": ("names", "List the venues and their codes."),
    },
    "Market data": {
        endpoint.command: ("operations", endpoint.summary)
        for endpoint in ENDPOINTS.values()
        if endpoint.api == "analytics"
    },
    "Several contracts": {
        "curve": ("series", "The forward curve of a product."),
        "continuous": ("series", "The rolling series of a product."),
        "spread": ("series", "A contract less another, as traded and made of its legs."),
        "plot": ("series", "Draw any of these into a page or a picture."),
    },
    "Reference data": {
        endpoint.command: ("operations", endpoint.summary)
        for endpoint in ENDPOINTS.values()
        if endpoint.api == "reference"
    },
    "Downloads": {
        "plan": ("plan", "Show what a download takes, without sending it."),
        "backfill": ("backfill", "Fill a data set with what it lacks."),
        "refresh": ("backfill", "Fetch the last part of a data set again."),
        "verify": ("backfill", "Read all of a data set, and mend damage."),
        "changes": ("backfill", "Show what changed in a data set."),
        "prune": ("backfill", "Remove old versions of a data set."),
        "retry-failed": ("retry", "Send once more what had failed for good."),
    },
    "This program": {
        "health": ("health", "Check the settings, the key and both APIs."),
        "status": ("health", "Show how busy the key is."),
        "doctor": ("doctor", "Check this machine, settings and the network."),
        "config": ("config", "Show the settings, and how to set them."),
        "sandbox": ("sandbox", "Serve an offline Trayport on a local port."),
        "demo": ("sandbox", "Download, write and draw trades, offline."),
        "completion": ("doctor", "Print the script that completes commands."),
    },
}
"""The commands, by section: the module of each, and what it does."""


class Sections(click.Group):
    """The command, which loads those below it when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        del ctx
        return [name for commands in SECTIONS.values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        del ctx
        for commands in SECTIONS.values():
            if cmd_name in commands:
                module: Any = import_module(f".{commands[cmd_name][0]}", __package__)
                command: click.Command = module.COMMANDS[cmd_name]
                return command
        return None

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:  # which click would take for success
            raise ReaderGone from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the sections."""
        longest = max(map(len, self.list_commands(ctx)))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                rows = [(f"{name:{longest}}", text) for name, (_, text) in commands.items()]
                formatter.write_dl(rows, col_max=longest + 2)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the exit codes."""
        del ctx
        with formatter.section("Exit codes"):
            formatter.write_dl(EXIT_CODES)


@click.group(
    cls=Sections,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=True,
)
@click.version_option(__version__, prog_name="trayport")
def trayport() -> None:
    """Market data of the Trayport Data Analytics API. Unofficial."""
