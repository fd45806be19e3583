"""Optional libraries: what is missing is named with the extra that brings it."""

from __future__ import annotations

from importlib.util import find_spec

from .errors import TrayportConfigurationError


def needs(extra: str, *modules: str, what: str = "this") -> None:
    """Checks that the libraries of an extra are there.

    Args:
        extra: The extra that brings them.
        modules: The modules they are imported by.
        what: What needs them, as the message begins.

    Raises:
        TrayportConfigurationError: One is not there; the message names the extra.
    """
    for module in modules:
        if find_spec(module) is None:
            raise TrayportConfigurationError(
                f"{what} needs {module}, which is not installed",
                suggestion=f"pip install 'trayport-sdk[{extra}]'",
            )
