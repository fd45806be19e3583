"""The `trayport` command.

Exit codes: 0 done, 1 failed, 2 wrong usage, and 128 with the number of the signal that ended it. An
error is one line on standard error.
"""

from __future__ import annotations

import logging
import signal
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress

import click

from .. import __version__
from ..errors import TrayportConfigurationError, TrayportError, TrayportValidationError
from . import backfill, operations
from .config import config
from .health import health, status
from .plan import plan
from .retry import retry_failed
from .sandbox import demo, sandbox
from .search import search
from .signals import SignalInterrupt, interruptible
from .words import spoken

INTERRUPTED = "{}; files that are finished stay, and the command can be run again"
RESUMED = {
    "backfill": "{}; the same command goes on, and sends nothing again that is done",
}
SIGNALS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "the terminal hung up"}
FAILED, WRONG_USAGE, BY_SIGNAL = 1, 2, 128


def run(arguments: Sequence[str]) -> int:
    """Runs the command line and turns every failure into one line and an exit code."""
    # Without a handler of its own the package's log lines would land on standard error.
    logging.getLogger("trayport_sdk").addHandler(logging.NullHandler())
    name = next(iter(arguments), "")
    command = trayport.commands.get(name)
    try:
        with _plain_warnings(), interruptible():
            result = trayport.main(list(arguments), prog_name="trayport", standalone_mode=False)
    except click.UsageError as error:
        return _said(error.format_message(), WRONG_USAGE)
    except click.ClickException as error:
        return _said(error.format_message(), FAILED)
    except TrayportValidationError as error:
        return _said(spoken(str(error), command, error.parameter), WRONG_USAGE)
    except TrayportConfigurationError as error:
        return _said(spoken(str(error), command), WRONG_USAGE)
    except TrayportError as error:
        return _said(spoken(str(error), command), FAILED)
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


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=False)
@click.version_option(__version__, prog_name="trayport")
def trayport() -> None:
    """Market data of the Trayport Data Analytics API. Unofficial."""


for command in (
    *operations.commands(),
    *backfill.commands(),
    search,
    plan,
    sandbox,
    demo,
    config,
    health,
    status,
    retry_failed,
):
    trayport.add_command(command)
