"""Retries, on a clock that jumps: a minute of waiting costs nothing."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from tests import virtual_time
from trayport_sdk.errors import (
    RequestContext,
    TrayportAPIError,
    TrayportAuthenticationError,
    TrayportAuthorizationError,
    TrayportCircuitBreakerError,
    TrayportConfigurationError,
    TrayportConnectionError,
    TrayportDecodeError,
    TrayportError,
    TrayportLookupError,
    TrayportNotFoundError,
    TrayportRateLimitError,
    TrayportServerError,
    TrayportTimeoutError,
    TrayportValidationError,
)
from trayport_sdk.http.retry import FORBIDDEN_SPREAD, MALFORMED_RETRIES, RetryPolicy

POLICY = RetryPolicy(
    retries=4, base=0.5, cap=30.0, budget=300.0, forbidden_retries=2, forbidden_wait=10.0
)
CONTEXT = RequestContext("/trades", {"from": "2024-03-04"}, "c0ffee")


def status_error(status: int, retry_after: float | None = None) -> TrayportAPIError:
    kinds: dict[int, type[TrayportAPIError]] = {
        401: TrayportAuthenticationError,
        403: TrayportAuthorizationError,
        404: TrayportNotFoundError,
        429: TrayportRateLimitError,
    }
    kind = TrayportServerError if status >= 500 else kinds.get(status, TrayportAPIError)
    return kind(f"{status}", status_code=status, retry_after=retry_after, context=CONTEXT)


def broken() -> TrayportConnectionError:
    return TrayportConnectionError("the connection failed", context=CONTEXT)


def malformed() -> TrayportDecodeError:
    return TrayportDecodeError("the response is cut off", context=CONTEXT)


def refused() -> TrayportCircuitBreakerError:
    return TrayportCircuitBreakerError("not sent", retry_at=datetime.now(UTC), context=CONTEXT)


def unheard(*_: object) -> None:
    """A hook that does nothing."""


@frozen
class Story:
    """What a call has been through."""

    ended: str | BaseException
    numbers: list[int]
    """Of the attempts."""
    begun: list[float]
    """When each attempt began, in seconds from the start."""
    waits: list[float]
    """The waits before each retry."""
    retried: list[tuple[int, BaseException]]

    @property
    def error(self) -> TrayportError:
        assert isinstance(self.ended, TrayportError)
        return self.ended


def story(
    failures: Sequence[BaseException],
    policy: RetryPolicy = POLICY,
    *,
    random: float = 0.5,
    seconds: float = 0.0,
) -> Story:
    """Runs a call whose first attempts fail, each after some seconds, before one succeeds."""
    numbers: list[int] = []
    begun: list[float] = []
    waits: list[float] = []
    retried: list[tuple[int, BaseException]] = []

    def on_retry(attempt: int, wait: float, error: TrayportError) -> None:
        waits.append(wait)
        retried.append((attempt, error))

    async def main() -> str | BaseException:
        start = virtual_time.clock()

        async def attempt(number: int, end: float) -> str:
            numbers.append(number)
            begun.append(virtual_time.clock() - start)
            assert end == start + policy.budget
            await asyncio.sleep(seconds)
            if number <= len(failures):
                raise failures[number - 1]
            return "response"

        try:
            return await policy.run(
                attempt, on_retry=on_retry, clock=virtual_time.clock, random=lambda: random
            )
        except Exception as error:  # noqa: BLE001  (the tests check which it is)
            return error

    return Story(virtual_time.run(main()), numbers, begun, waits, retried)


@pytest.mark.parametrize(
    "failure",
    [
        broken(),
        TrayportTimeoutError("no response in time"),
        malformed(),
        status_error(403),
        status_error(408),
        status_error(429),
        status_error(500),
        status_error(503),
        status_error(520),
    ],
    ids=str,
)
def test_what_may_pass_is_sent_again(failure: TrayportError) -> None:
    run = story([failure])
    assert run.ended == "response"
    assert run.numbers == [1, 2]
    assert run.retried == [(1, failure)]


@pytest.mark.parametrize(
    ("failure", "requests"),
    [
        (status_error(400), 1),
        (status_error(401), 1),
        (status_error(404), 1),
        (status_error(409), 1),
        (status_error(307), 1),
        (TrayportValidationError("too long", parameter="until"), 0),
        (TrayportLookupError("nothing has this name"), 0),
        (TrayportConfigurationError("the client is closed"), 0),
        (refused(), 0),
    ],
    ids=str,
)
def test_what_would_fail_again_is_sent_once_at_most(failure: TrayportError, requests: int) -> None:
    run = story([failure])
    assert run.ended is failure
    assert run.numbers == [1]
    assert run.waits == []
    assert failure.attempts == requests


def test_a_call_that_goes_on_failing_raises_its_last_error_with_the_number_of_requests() -> None:
    failures = [status_error(503) for _ in range(9)]
    run = story(failures)
    assert run.ended is failures[4]
    assert run.error.attempts == 5
    assert [failure.attempts for failure in failures[:5]] == [1, 2, 3, 4, 5]
    assert "after 5 attempts" in str(run.error)


def test_a_malformed_answer_is_asked_for_twice_more() -> None:
    assert len(story([malformed() for _ in range(9)]).waits) == MALFORMED_RETRIES == 2


def test_a_403_has_retries_of_its_own() -> None:
    assert len(story([status_error(403) for _ in range(9)]).waits) == POLICY.forbidden_retries
    assert story([status_error(403)], evolve(POLICY, forbidden_retries=0)).waits == []


def test_each_kind_of_error_counts_its_own_retries_up_to_the_common_limit() -> None:
    mixed = [malformed(), status_error(403), malformed(), status_error(403), status_error(503)]
    assert len(story(mixed).waits) == POLICY.retries
    assert (
        len(story([status_error(403), status_error(403), broken(), status_error(403)]).waits) == 3
    )


def test_waits_are_drawn_below_a_bound_that_doubles_up_to_the_cap() -> None:
    policy = evolve(POLICY, retries=9)
    failures = [status_error(503) for _ in range(9)]
    assert story(failures, policy, random=1.0).waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert story(failures, policy, random=0.5).waits == [0.25, 0.5, 1, 2, 4, 8, 15, 15, 15]
    assert story(failures, policy, random=0.0).waits == [0] * 9


def test_a_403_waits_long_and_never_shorter() -> None:
    failures = [status_error(403), status_error(403)]
    assert story(failures, random=0.0).waits == [10, 20]
    longest = 1 + FORBIDDEN_SPREAD
    assert story(failures, random=1.0).waits == [10 * longest, 20 * longest]


@pytest.mark.parametrize("status", [403, 408, 429, 503])
@pytest.mark.parametrize("seconds", [0.0, 0.25, 45.0, 299.0])
def test_retry_after_is_honoured_exactly(status: int, seconds: float) -> None:
    run = story([status_error(status, seconds)], evolve(POLICY, cap=1.0))
    assert run.waits == [seconds]
    assert run.begun == [0, pytest.approx(seconds, abs=1e-6)]


@pytest.mark.parametrize("seconds", [POLICY.budget, POLICY.budget + 1])
def test_a_retry_after_that_leaves_no_time_fails_at_once_with_the_error_itself(
    seconds: float,
) -> None:
    failure = status_error(429, seconds)
    run = story([failure])
    assert run.ended is failure
    assert run.waits == []


def test_the_budget_counts_from_the_start_of_the_call() -> None:
    # Two attempts of 100 seconds leave 100: room for one wait of 90 and not for the next.
    run = story([status_error(429, 90.0), status_error(429, 90.0)], seconds=100.0)
    assert run.waits == [90]
    assert run.error.attempts == 2


def test_a_retry_that_a_breaker_refuses_ends_with_the_failure_before_it() -> None:
    cause = OSError("reset by peer")
    failure = broken()
    failure.__cause__ = cause
    run = story([failure, refused()])
    assert run.ended is failure
    assert failure.attempts == 1
    assert failure.__cause__ is cause
    assert failure.__context__ is None
    assert "not sent" in failure.__notes__[0]


def test_an_error_carries_no_context_of_the_attempts_before() -> None:
    for failures in ([broken() for _ in range(5)], [broken(), status_error(404)]):
        error = story(failures).error
        assert error.__cause__ is None
        assert error.__context__ is None


def test_cancelling_an_attempt_is_not_a_failure() -> None:
    cancelled = asyncio.CancelledError()

    async def main() -> None:
        numbers: list[int] = []

        async def attempt(number: int, _: float) -> None:
            numbers.append(number)
            raise cancelled

        with pytest.raises(asyncio.CancelledError):
            await POLICY.run(attempt, on_retry=unheard)
        assert numbers == [1]

    virtual_time.run(main())


def test_an_error_in_the_hook_ends_the_call() -> None:
    class HookError(TrayportServerError):
        """Of a kind that would be retried, had the service said it."""

    mistake = HookError("mistake", status_code=500)

    def hook(*_: object) -> None:
        raise mistake

    async def main() -> None:
        async def attempt(_number: int, _end: float) -> None:
            raise broken()

        with pytest.raises(HookError) as caught:
            await POLICY.run(attempt, on_retry=hook)
        assert caught.value is mistake

    virtual_time.run(main())


def test_the_library_below_writes_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    story([broken() for _ in range(9)])
    assert [record for record in caplog.records if record.name == "backoff"] == []


failures = st.lists(
    st.one_of(
        st.builds(broken),
        st.builds(malformed),
        st.builds(
            status_error,
            st.sampled_from([400, 403, 404, 408, 429, 500, 503]),
            st.none() | st.floats(0, 400),
        ),
    ),
    max_size=12,
)
policies = st.builds(
    RetryPolicy,
    retries=st.integers(0, 8),
    base=st.floats(0, 10),
    cap=st.floats(0, 60),
    budget=st.floats(0, 600),
    forbidden_retries=st.integers(0, 3),
    forbidden_wait=st.floats(0, 60),
)


@given(failures, policies, st.floats(0, 1, exclude_max=True), st.floats(0, 50))
def test_whatever_fails_waits_counts_and_the_budget_are_kept(
    failures: list[TrayportError], policy: RetryPolicy, random: float, seconds: float
) -> None:
    run = story(failures, policy, random=random, seconds=seconds)
    assert run.numbers == list(range(1, len(run.waits) + 2))
    assert len(run.waits) <= policy.retries
    assert run.begun[-1] <= policy.budget + 1e-6 or len(run.begun) == 1
    for failure, wait in zip(failures, run.waits, strict=False):
        if isinstance(failure, TrayportAPIError) and failure.retry_after is not None:
            assert wait == failure.retry_after
        elif isinstance(failure, TrayportAuthorizationError):
            assert wait >= policy.forbidden_wait
        else:
            assert 0 <= wait <= policy.cap
    sent_again = failures[: len(run.waits)]
    assert not [f for f in sent_again if isinstance(f, TrayportNotFoundError)]
    forbidden = [f for f in sent_again if isinstance(f, TrayportAuthorizationError)]
    assert len(forbidden) <= policy.forbidden_retries
    if isinstance(run.ended, TrayportError):
        assert run.ended is failures[len(run.waits)]
        assert run.ended.attempts == len(run.numbers)
    else:
        assert len(failures) == len(run.waits)
