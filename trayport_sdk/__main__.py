"""The door of the `trayport` command: it says what is missing before it loads anything."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def main() -> int:
    """Runs the command line; the result is the exit code."""
    from .errors import TrayportError, require_extra

    # Those that are ignored, as with nohup, stay ignored.
    numbers = [number for number in SIGNALS if signal.getsignal(number) == signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, _interrupted)
    try:
        require_extra("cli", "click", "rich")
    except TrayportError as error:
        print(f"trayport: {error}", file=sys.stderr)
        return 1
    try:
        from .cli import run
    except KeyboardInterrupt:
        _interrupted(signal.SIGINT)
    try:
        return run(sys.argv[1:])
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _interrupted(number: int, _frame: object = None) -> NoReturn:
    print("trayport: interrupted before anything was done", file=sys.stderr)
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
