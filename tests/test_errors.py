import inspect
import pickle
from datetime import UTC, datetime

import pytest

from trayport_sdk import errors
from trayport_sdk.errors import (
    QUOTED_CHARACTERS,
    RequestContext,
    TrayportAPIError,
    TrayportCircuitBreakerError,
    TrayportDecodeError,
    TrayportError,
    TrayportLookupError,
    TrayportPartialFailureError,
    TrayportRateLimitError,
    TrayportServerError,
    TrayportValidationError,
)

CONTEXT = RequestContext("/trades", {"from": "2024-01-01"}, "abc")
EXAMPLES = [
    TrayportError("it failed", context=CONTEXT, suggestion="try again"),
    TrayportValidationError("too long", parameter="until", limit="32 days", suggestion="cut it"),
    TrayportLookupError("no such name", candidates=["a", "b"]),
    TrayportAPIError("400", status_code=400, errors={"until": ["too late"]}, context=CONTEXT),
    TrayportRateLimitError("429", status_code=429),
    TrayportDecodeError("malformed", offset=7, body="<html>", context=CONTEXT),
    TrayportCircuitBreakerError("open", retry_at=datetime(2024, 1, 1, tzinfo=UTC)),
    TrayportPartialFailureError("some failed", completed=2, failed=[TrayportError("one")]),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_survives_pickling_with_everything_it_knows(error: TrayportError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.context == error.context
    assert {k: str(v) for k, v in vars(again).items()} == {
        k: str(v) for k, v in vars(error).items()
    }


def test_the_sentence_names_the_request_and_the_way_out() -> None:
    assert str(EXAMPLES[0]) == "it failed [/trades?from=2024-01-01]: try again"


def test_a_lookup_error_lists_the_nearest_names() -> None:
    assert str(EXAMPLES[2]) == "no such name: did you mean 'a', 'b'?"


def test_the_builtin_errors_catch_theirs() -> None:
    assert isinstance(EXAMPLES[1], ValueError)
    assert isinstance(EXAMPLES[2], LookupError)


def test_long_bodies_are_quoted_in_part() -> None:
    assert (
        len(TrayportServerError("500", status_code=500, body="x" * 9999).body) == QUOTED_CHARACTERS
    )


def test_the_tree_at_the_top_of_the_module_names_every_error() -> None:
    classes = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, TrayportError)
    ]
    assert errors.__doc__ is not None
    assert all(name in errors.__doc__ for name in classes)
