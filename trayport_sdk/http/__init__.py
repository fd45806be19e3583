"""The connection to the service: `Session` sends a request until there is a response."""

from .session import Session

__all__ = ["Session"]
