"""The connection to the service: `Session` sends a request until there is a response, read by a
function of the caller.

`messages` is what is sent and what comes back; `transport` sends it once, `retry` again; `breaker`
and `limiter` decide whether and when; `body`, `status_errors` and `redaction` read what comes.
"""

from .session import Session

__all__ = ["Session"]
