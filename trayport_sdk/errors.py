"""Everything this package raises.

TrayportError                              .context .attempts .retryable .suggestion
├─ TrayportConfigurationError              settings that cannot work
│  └─ TrayportForkError                    a forked process, in which nothing would ever finish
├─ TrayportValidationError (ValueError)    .parameter .limit: refused before anything was sent
├─ TrayportLookupError (KeyError)          .candidates: a name or id that does not exist
├─ TrayportConnectionError                 no response, or one that broke off
│  └─ TrayportTimeoutError
├─ TrayportAPIError                        .status_code .body .errors .retry_after
│  ├─ TrayportAuthenticationError          401
│  ├─ TrayportAuthorizationError           403
│  ├─ TrayportNotFoundError                404
│  ├─ TrayportRateLimitError               429
│  └─ TrayportServerError                  5xx
├─ TrayportDecodeError                     .offset .row .field: not what the API promises
├─ TrayportDatasetError                    .files: damaged, in use, or not what it is taken for
├─ TrayportLimiterError                    the store that shares the allowance cannot be used
├─ TrayportCircuitBreakerError             .retry_at: not sent, because the service keeps failing
└─ TrayportPartialFailureError             .completed .failed: some of many requests failed
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib.util import find_spec
from typing import NamedTuple

QUOTED_CHARACTERS = 300

MAX_DEPTH = 100
"""How deeply the JSON of a response may be nested, unless a setting says otherwise."""


class RequestContext(NamedTuple):  # attrs would double the time of an import
    """The request an error belongs to. The key is never part of it.

    Attributes:
        endpoint: The path of the operation, such as `/trades`.
        parameters: The query as it was sent.
        correlation_id: The id that all attempts of one call share in logs.
    """

    endpoint: str
    parameters: Mapping[str, str] = {}
    correlation_id: str = ""

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.parameters.items())
        return f"{self.endpoint}?{query}" if query else self.endpoint


class TrayportError(Exception):
    """The base of every error of this package.

    Attributes:
        context: The request the error belongs to, if there was one.
        attempts: How many times the request was sent.
        retryable: Whether the same call may succeed later without a change.
        suggestion: What to do about it, or an empty string.
    """

    retryable = False

    def __init__(
        self,
        message: str,
        *,
        context: RequestContext | None = None,
        suggestion: str = "",
        attempts: int = 0,
    ) -> None:
        super().__init__(message)
        self.context = context
        self.suggestion = suggestion
        self.attempts = attempts

    @property
    def endpoint(self) -> str | None:
        """The path of the operation, such as `/trades`, or None when there was no request."""
        return None if self.context is None else self.context.endpoint

    @property
    def parameters(self) -> Mapping[str, str]:
        """The query as it was sent, without secrets; empty when there was no request."""
        return {} if self.context is None else self.context.parameters

    @property
    def correlation_id(self) -> str:
        """The id that all attempts of the call share in logs; empty when there was no request."""
        return "" if self.context is None else self.context.correlation_id

    def __str__(self) -> str:
        message = self._message()
        if self.attempts > 1:
            message = f"{message}, after {self.attempts} attempts"
        if self.context is not None:
            message = f"{message} [{self.context}]"
        return _on_one_line(f"{message}: {self.suggestion}" if self.suggestion else message)

    def _message(self) -> str:
        """What went wrong, without the request and the suggestion."""
        return str(self.args[0])

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions are rebuilt from `args` alone, which would lose the keyword arguments.
        return _rebuild, (type(self), self.args, self.__dict__)


def _on_one_line(text: str) -> str:
    """The text without breaks, and without letters that a terminal acts on."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _rebuild(
    kind: type[TrayportError], args: tuple[object, ...], state: Mapping[str, object]
) -> TrayportError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class TrayportConfigurationError(TrayportError):
    """Settings that cannot work, such as a missing key. The message names the setting."""


class TrayportForkError(TrayportConfigurationError):
    """The process was forked from one whose threads it would need; a call would wait for ever."""


def require_extra(extra: str, *modules: str, what: str = "this") -> None:
    """Checks that the libraries of an extra are installed.

    Args:
        extra: The extra that they belong to.
        modules: The modules that are imported from them.
        what: What needs them, as the message begins.

    Raises:
        TrayportConfigurationError: One is missing; the message names the extra.
    """
    for module in modules:
        if find_spec(module) is None:
            raise TrayportConfigurationError(
                f"{what} needs {module}, which is not installed",
                suggestion=f"pip install 'trayport-sdk[{extra}]'",
            )


class TrayportValidationError(TrayportError, ValueError):
    """A value the API would refuse; nothing was sent.

    Attributes:
        parameter: The name of the argument.
        limit: The limit that was broken, in words, or None.
    """

    def __init__(
        self, message: str, *, parameter: str, limit: str | None = None, suggestion: str = ""
    ) -> None:
        super().__init__(message, suggestion=suggestion)
        self.parameter = parameter
        self.limit = limit


def invalid(
    name: str,
    value: object,
    reason: str,
    suggestion: str = "",
    limit: str | None = None,
    *,
    parameter: str = "",
) -> TrayportValidationError:
    """The error for a value, such as `depth 0 is below 1: give at least 1`.

    `parameter` is the argument, where the message calls it something else.
    """
    message = f"{name} {value!r} {reason}"
    parameter = parameter or name
    return TrayportValidationError(message, parameter=parameter, limit=limit, suggestion=suggestion)


def unknown_value(
    name: str,
    value: object,
    choices: Iterable[str],
    reason: str = "is unknown",
    *,
    parameter: str = "",
) -> TrayportValidationError:
    """The error for a value that is none of the choices, which it lists."""
    listed = ", ".join(choices)
    return invalid(name, value, reason, f"use one of {listed}", listed, parameter=parameter)


def not_whole(
    name: str, value: object, least: int = 1, suggestion: str = "", *, parameter: str = ""
) -> TrayportValidationError:
    """The error for a value that is not a whole number from the least one."""
    reason, way_out = f"is not a whole number from {least}", suggestion or f"give {least} or more"
    return invalid(name, value, reason, way_out, f"from {least}", parameter=parameter)


def unknown_parameter(
    name: str, reason: str, choices: Iterable[str], suggestion: str
) -> TrayportValidationError:
    """The error for an argument that is not taken; the choices end the suggestion."""
    listed = ", ".join(choices)
    return TrayportValidationError(
        f"{name} {reason}", parameter=name, limit=listed, suggestion=f"{suggestion} {listed}"
    )


def missing(parameter: str, reason: str, suggestion: str) -> TrayportValidationError:
    """The error for an argument that was left out although it is needed."""
    message = f"{parameter} is missing: {reason}"
    return TrayportValidationError(message, parameter=parameter, suggestion=suggestion)


def empty(parameter: str, suggestion: str = "give at least one") -> TrayportValidationError:
    """The error for a list without values."""
    message = f"{parameter} is empty"
    return TrayportValidationError(message, parameter=parameter, suggestion=suggestion)


def exclusive(first: str, second: str, suggestion: str = "") -> TrayportValidationError:
    """The error for two arguments that exclude each other; the second is its parameter."""
    message, way_out = f"{first} and {second} exclude each other", f"leave {second} out"
    return TrayportValidationError(message, parameter=second, suggestion=suggestion or way_out)


class TrayportLookupError(TrayportError, KeyError):
    """A name or id that does not exist.

    Attributes:
        candidates: The nearest existing names, best first.
    """

    def __init__(
        self, message: str, *, candidates: Sequence[str] = (), suggestion: str = ""
    ) -> None:
        nearest = ", ".join(repr(candidate) for candidate in candidates)
        super().__init__(message, suggestion=f"did you mean {nearest}?" if nearest else suggestion)
        self.candidates = tuple(candidates)


class TrayportConnectionError(TrayportError):
    """No response came, or it broke off before its end.

    Attributes:
        connected: Whether there was a connection, so that the request may have been too large for
            the service. Without one, a smaller request would not help.
    """

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        connected: bool = True,
        context: RequestContext | None = None,
        suggestion: str = "",
        attempts: int = 0,
    ) -> None:
        super().__init__(message, context=context, suggestion=suggestion, attempts=attempts)
        self.connected = connected


class TrayportTimeoutError(TrayportConnectionError):
    """No response came in time."""


class TrayportAPIError(TrayportError):
    """The service returned an error.

    Attributes:
        status_code: The HTTP status.
        body: The first part of the response's body.
        errors: The messages by parameter, from the problem document of a 400.
        retry_after: Seconds to wait as the service says, or None when it does not.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        body: str = "",
        errors: Mapping[str, Sequence[str]] | None = None,
        attempts: int = 0,
        retry_after: float | None = None,
        context: RequestContext | None = None,
        suggestion: str = "",
    ) -> None:
        super().__init__(message, context=context, suggestion=suggestion, attempts=attempts)
        self.status_code = status_code
        self.body = body[:QUOTED_CHARACTERS]
        self.errors = {name: tuple(messages) for name, messages in (errors or {}).items()}
        self.retry_after = retry_after


class TrayportAuthenticationError(TrayportAPIError):
    """401: the key is missing or wrong, or it may not see data this recent."""


class TrayportAuthorizationError(TrayportAPIError):
    """403: not entitled to this data, or, as the live service also says it, too fast."""


class TrayportNotFoundError(TrayportAPIError):
    """404: an unknown id, or a sequence that is not the product's."""


class TrayportRateLimitError(TrayportAPIError):
    """429: the allowance of the key is used up."""

    retryable = True


class TrayportServerError(TrayportAPIError):
    """5xx: the service failed."""

    retryable = True


class TrayportDecodeError(TrayportError):
    """A response that is not what the API promises. Never turned into an empty result.

    Attributes:
        offset: The place in the decompressed body, in bytes from 0, or None when it is not known.
        row: The row, from 0, or None when it is not about a row.
        field: The field of the row, such as `contract.sequenceId` or `bids[0].price`, or None.
        body: The first part of the body.
    """

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        offset: int | None = None,
        row: int | None = None,
        field: str | None = None,
        body: str = "",
        context: RequestContext | None = None,
        suggestion: str = (
            "try again; if it goes on, the API has changed, or a proxy edits responses"
        ),
        retryable: bool = True,
    ) -> None:
        super().__init__(message, context=context, suggestion=suggestion)
        self.retryable = retryable
        self.offset = offset
        self.row = row
        self.field = field
        self.body = body[:QUOTED_CHARACTERS]

    def _message(self) -> str:
        return f"{super()._message()}; it begins {self.body[:80]!r}"


class TrayportDatasetError(TrayportError):
    """A data set is damaged, in use by another program, or not what a call takes it for.

    Attributes:
        files: The files that are not as they were written, where it is about files.
    """

    def __init__(self, message: str, *, files: Sequence[str] = (), suggestion: str = "") -> None:
        super().__init__(message, suggestion=suggestion)
        self.files = tuple(files)


class TrayportLimiterError(TrayportError):
    """The request was not sent, because the store that shares the allowance cannot be used."""

    retryable = True


class TrayportCircuitBreakerError(TrayportError):
    """The request was not sent, because the service keeps failing.

    Attributes:
        retry_at: When the next request is let through, in UTC.
    """

    retryable = True

    def __init__(
        self, message: str, *, retry_at: datetime, context: RequestContext | None = None
    ) -> None:
        super().__init__(message, context=context)
        self.retry_at = retry_at


class TrayportPartialFailureError(TrayportError):
    """Some of many requests failed.

    Attributes:
        completed: How many succeeded.
        failed: The errors of those that did not.
    """

    def __init__(self, message: str, *, completed: int, failed: Sequence[TrayportError]) -> None:
        super().__init__(message)
        self.completed = completed
        self.failed = tuple(failed)


class TrayportStaleDataWarning(UserWarning):
    """Reference data came from the cache, because the service keeps failing."""


class TrayportAmbiguityWarning(UserWarning):
    """A name is that of one venue's instrument, while a market of all venues is called the same."""


class TrayportExpiryWarning(UserWarning):
    """One of the next tradable items that were asked for expires within the range."""


class TrayportHistoryWarning(UserWarning):
    """A range of orders starts before the history of some venues does: rows are missing there."""
