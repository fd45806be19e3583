"""The door of the `trayport` command: it says what is missing before it loads anything."""

from __future__ import annotations

import sys


def main() -> int:
    """Runs the command line; the result is the exit code."""
    from .errors import TrayportError, require_extra

    try:
        require_extra("cli", "click", "rich")
    except TrayportError as error:
        print(f"trayport: {error}", file=sys.stderr)
        return 1
    try:
        from .cli import run
    except KeyboardInterrupt:
        print("trayport: interrupted before anything was done", file=sys.stderr)
        return 130
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
