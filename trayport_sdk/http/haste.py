"""Whether an answer means that the key was too fast, and how long everybody should pause.

The live service says 403 to the hasty as well as to those without the right [observed]. It means
haste if it says so, or if it comes from where this key was let in before.
"""

from __future__ import annotations

from ..errors import TrayportAPIError, TrayportAuthorizationError, TrayportRateLimitError
from .messages import ApiRequest

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
LONGEST_TOLD_PAUSE = 3600.0
WORDS = ("too many", "too fast", "rate limit", "rate exceeded", "throttl", "quota")
PRODUCT = ("marketId", "instrumentId", "sequenceId")


class Haste:
    """Remembers where a key was let in, and judges by it what a refusal means."""

    def __init__(self) -> None:
        self._let_in: set[tuple[str, str]] = set()

    def let_in(self, call: ApiRequest) -> bool:
        """Notes that a call was answered; the result tells whether that is new."""
        place = _place(call)
        new = place not in self._let_in
        self._let_in.add(place)
        return new

    def explains(self, call: ApiRequest, error: TrayportAPIError) -> bool:
        """Whether a refusal means that the key is too fast."""
        if isinstance(error, TrayportRateLimitError):
            return True
        if not isinstance(error, TrayportAuthorizationError):
            return False
        said = error.body.lower()
        return (
            error.retry_after is not None
            or any(words in said for words in WORDS)
            or _place(call) in self._let_in
        )


def pause(error: TrayportAPIError, attempt: int, forbidden_wait: float) -> float:
    """The seconds that everybody on the key should pause: as told, else twice as long each time."""
    if error.retry_after is not None:
        return min(LONGEST_TOLD_PAUSE, error.retry_after)
    first = forbidden_wait if isinstance(error, TrayportAuthorizationError) else FIRST_PAUSE
    return min(LONGEST_PAUSE, first * 2.0 ** (attempt - 1))


def _place(call: ApiRequest) -> tuple[str, str]:
    """The operation and the product that a call asks for: what a key has rights to."""
    product = [f"{name}={call.parameters[name]}" for name in PRODUCT if name in call.parameters]
    return call.endpoint.operation_id, " ".join(product)
