"""The way of a call, against the sandbox, on virtual time: no wait takes any time."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from attrs import define, evolve, field

from tests import virtual_time
from tests.virtual_time import clock, clock_for_threads
from trayport_sdk import (
    Settings,
    TrayportAuthorizationError,
    TrayportCircuitBreakerError,
    TrayportClient,
    TrayportConfigurationError,
    TrayportError,
    TrayportNotFoundError,
    TrayportRateLimitError,
    TrayportServerError,
    TrayportTimeoutError,
)
from trayport_sdk.errors import TrayportStaleDataWarning
from trayport_sdk.http.breaker import Breakers
from trayport_sdk.http.limiter import Limits, RequestLimiter
from trayport_sdk.sandbox import Sandbox
from trayport_sdk.sandbox.faults import Fault, Kind
from trayport_sdk.telemetry.events import (
    AttemptEvent,
    BreakerEvent,
    BreakerState,
    Event,
    FailureEvent,
    RetryEvent,
    StaleEvent,
    ThrottleEvent,
)

MARKET, OTHER = 10000065, 10000002
URL = f"/markets/{MARKET}"
PATH = Sandbox.REFERENCE_PATH + URL


@define
class World:
    """A client on virtual time, its events, and the sandbox behind it."""

    client: TrayportClient
    sandbox: Sandbox
    events: list[Event] = field(factory=list[Event])

    async def market(self, id: int = MARKET) -> str:  # noqa: A002
        return (await self.client.reference.get_market_by_id(id)).name

    def events_of(self, *kinds: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kinds)]

    @property
    def limiter(self) -> RequestLimiter:
        assert self.client._session.limiter is not None
        return self.client._session.limiter


def session(
    test: Callable[[World], Awaitable[None]],
    settings: Settings | None = None,
) -> None:
    async def main() -> None:
        sandbox = Sandbox(limits=False)
        given = settings or quick()
        async with TrayportClient.sandbox(sandbox, settings=given) as client:
            inner = client._session
            inner.clock = clock_for_threads()
            inner.limiter = RequestLimiter(Limits(6, 360), clock=clock_for_threads())
            if inner.breakers is not None:
                inner.breakers = Breakers(
                    threshold=given.breaker_threshold,
                    recovery=given.breaker_recovery,
                    on_change=inner.notify,
                    clock=clock_for_threads(),
                )
            one = World(client, sandbox)
            inner.observers = [*inner.observers, one.events.append]
            await test(one)

    virtual_time.run(main())


def quick(**values: object) -> Settings:
    """Settings with which every call sends a request."""
    return Settings(_env_file=None, **{"cache": "off", **values})


def on_virtual_time(
    **values: object,
) -> Callable[[Callable[[World], Awaitable[None]]], Callable[[], None]]:
    """Has a test run with a client whose settings are these."""

    def decorated(test: Callable[[World], Awaitable[None]]) -> Callable[[], None]:
        def run() -> None:
            session(test, quick(**values))

        return run

    return decorated


@on_virtual_time()
async def test_every_attempt_pays_the_limiter_and_keeps_the_correlation_id(one: World) -> None:
    one.sandbox.faults.add(Fault("status", times=3))
    await one.market()
    attempts = [event for event in one.events if isinstance(event, AttemptEvent)]
    assert [(a.attempt, a.status) for a in attempts] == [(1, 503), (2, 503), (3, 503), (4, 200)]
    assert len({a.correlation_id for a in attempts}) == 1
    assert one.limiter.status().grants == len(one.sandbox.requests) == 4
    assert [e.attempt for e in one.events if isinstance(e, RetryEvent)] == [1, 2, 3]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", times=None, status=429, retry_after=7),
        Fault("status", times=None, status=503),
        Fault("cut", times=None),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status}",
)
def test_what_fails_for_good_says_how_often_it_was_sent(fault: Fault) -> None:
    async def test(one: World) -> None:
        one.sandbox.faults.add(fault)
        with pytest.raises(TrayportError, match="after 5 attempts") as failed:
            await one.market()
        assert failed.value.attempts == 5 == len(one.sandbox.requests)
        (failure,) = one.events_of(FailureEvent)
        assert isinstance(failure, FailureEvent)
        assert failure.error is failed.value

    session(test)


@pytest.mark.parametrize("status", [400, 401, 404])
def test_what_no_retry_can_cure_is_sent_once(status: int) -> None:
    async def test(one: World) -> None:
        one.sandbox.faults.add(Fault("status", status=status, times=None))
        with pytest.raises(TrayportError):
            await one.market()
        assert len(one.sandbox.requests) == 1

    session(test)


@on_virtual_time()
async def test_a_429_pauses_everybody_on_the_key_as_long_as_it_says_and_halves_the_rate(
    one: World,
) -> None:
    one.sandbox.faults.add(Fault("status", path=PATH, status=429, retry_after=7))
    started = clock()
    times: list[float] = []

    async def bystander(after: float) -> None:
        await asyncio.sleep(after)
        await one.market(OTHER)
        times.append(clock() - started)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(one.market())
        for after in (1.0, 3.0):
            tasks.create_task(bystander(after))
    assert min(times) >= 7.0
    (throttle,) = one.events_of(ThrottleEvent)
    assert throttle == ThrottleEvent("/markets/{id}", 7.0, 0.5)
    assert 0.5 <= one.limiter.status().share < 1


@on_virtual_time(adaptive_throttling=False)
async def test_with_adaptive_throttling_off_everybody_pauses_but_the_rate_stays(one: World) -> None:
    one.sandbox.faults.add(Fault("status", status=429, retry_after=3))
    started = clock()
    await one.market()
    assert 3.0 <= clock() - started < 3.5
    assert one.limiter.status().share == 1.0


@on_virtual_time()
async def test_a_403_from_where_the_key_was_let_in_before_means_too_fast(one: World) -> None:
    await one.market()
    one.sandbox.faults.add(Fault("too-fast"))
    started = clock()
    other = asyncio.create_task(one.market())
    await asyncio.sleep(2)
    await one.market(OTHER)
    assert clock() - started >= 10
    await other
    (throttle,) = one.events_of(ThrottleEvent)
    assert isinstance(throttle, ThrottleEvent)
    assert (throttle.pause, throttle.share) == (10.0, 0.5)


@on_virtual_time()
async def test_a_403_from_where_the_key_was_never_let_in_pauses_nobody_else(one: World) -> None:
    one.sandbox.faults.add(Fault("too-fast", path=PATH, times=None))
    refused = asyncio.create_task(one.market())
    await asyncio.sleep(1)
    started = clock()
    await one.client.reference.get_sequences()
    assert clock() - started < 1
    with pytest.raises(TrayportAuthorizationError, match=r"not entitled .* or it sent too"):
        await refused
    assert clock() - started >= 10 + 20 - 1
    assert one.events_of(ThrottleEvent) == []
    assert len(one.sandbox.requests) == 3 + 1


@on_virtual_time()
async def test_a_403_that_a_wait_has_cured_had_meant_too_fast(one: World) -> None:
    one.sandbox.faults.add(Fault("too-fast"))
    await one.market()
    assert [e.share for e in one.events if isinstance(e, ThrottleEvent)] == [0.5]


@on_virtual_time(breaker_threshold=3, max_retries=0)
async def test_an_endpoint_that_keeps_failing_is_left_alone_and_tried_again_once(
    one: World,
) -> None:
    one.sandbox.faults.add(Fault("status", times=None))
    for _ in range(3):
        with pytest.raises(TrayportServerError):
            await one.market()
    sent = len(one.sandbox.requests)
    with pytest.raises(TrayportCircuitBreakerError) as refused:
        await one.market()
    assert len(one.sandbox.requests) == sent == 3
    assert refused.value.retry_at > datetime.now(UTC)
    assert refused.value.attempts == 0
    one.sandbox.faults.clear()
    await asyncio.sleep(30)
    names = await asyncio.gather(*(one.market() for _ in range(20)), return_exceptions=True)
    assert len([name for name in names if isinstance(name, str)]) == 1
    assert len(one.sandbox.requests) == sent + 1
    await one.market()
    changes = [e.state for e in one.events if isinstance(e, BreakerEvent)]
    assert changes == [BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED]


@on_virtual_time(breaker_threshold=3, max_retries=0)
async def test_who_waits_in_line_is_not_sent_to_an_endpoint_that_meanwhile_was_left_alone(
    one: World,
) -> None:
    one.sandbox.faults.add(Fault("status", times=None))
    errors = await asyncio.gather(*(one.market() for _ in range(30)), return_exceptions=True)
    assert len(one.sandbox.requests) < 6
    refused = [e for e in errors if isinstance(e, TrayportCircuitBreakerError)]
    assert len(refused) == 30 - len(one.sandbox.requests)


TOO_OLD = {"cache": "memory", "products_ttl": 1e-6, "sequences_ttl": 1e-6}


@on_virtual_time(breaker_threshold=1, max_retries=0, **TOO_OLD)
async def test_old_reference_data_is_served_while_the_service_fails(one: World) -> None:
    fresh = await one.client.reference.get_markets()
    assert not fresh.stale
    one.sandbox.faults.add(Fault("status", times=None))
    with pytest.warns(TrayportStaleDataWarning, match="/markets: the service fails"):
        old = await one.client.reference.get_markets()
    assert old == fresh
    assert old.stale
    assert old.read_at == fresh.read_at
    with pytest.raises(TrayportServerError):
        await one.client.reference.get_sequences()
    with pytest.raises(TrayportCircuitBreakerError):  # never read, so there is nothing to serve
        await one.client.reference.get_sequences()
    assert [e.endpoint for e in one.events if isinstance(e, StaleEvent)] == ["/markets"]
    one.sandbox.faults.clear()
    one.sandbox.faults.add(Fault("status", status=404, times=None))
    await asyncio.sleep(31)
    with pytest.raises(TrayportNotFoundError):  # that will not pass
        await one.client.reference.get_markets()
    one.sandbox.faults.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not (await one.client.reference.get_markets()).stale


@on_virtual_time(breaker_threshold=1, max_retries=0)
async def test_without_the_cache_nothing_old_is_served(one: World) -> None:
    await one.client.reference.get_markets()
    one.sandbox.faults.add(Fault("status", times=None))
    with pytest.raises(TrayportServerError):
        await one.client.reference.get_markets()
    with pytest.raises(TrayportCircuitBreakerError):
        await one.client.reference.get_markets()


@on_virtual_time()
async def test_cancelling_a_call_cancels_its_wait(one: World) -> None:
    one.sandbox.faults.add(Fault("status", status=429, retry_after=100, times=None))
    task = asyncio.create_task(one.market())
    await asyncio.sleep(5)
    started = clock()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert clock() == pytest.approx(started)
    await asyncio.sleep(300)
    assert len(one.sandbox.requests) == 1
    assert one.events_of(FailureEvent) == []


@on_virtual_time(retry_budget=5.0, retry_base=0.1)
async def test_a_long_queue_leaves_a_call_its_retries(one: World) -> None:
    crowd = [asyncio.create_task(one.market(OTHER)) for _ in range(100)]
    one.sandbox.faults.add(Fault("status", path=PATH))
    await asyncio.sleep(0)
    patient = asyncio.create_task(
        one.client.with_options(priority="low").reference.get_market_by_id(MARKET)
    )
    await asyncio.gather(*crowd)
    assert (await patient).id == MARKET


@on_virtual_time()
async def test_the_higher_priority_of_reference_data_gives_way_to_an_option(one: World) -> None:
    low = one.client.with_options(priority="low")
    for _ in range(3):
        await one.market()
    waiting = [
        asyncio.create_task(low.reference.get_market_by_id(MARKET)),
        asyncio.create_task(one.market()),
    ]
    await asyncio.sleep(0.01)
    assert one.limiter.status().queued == {"high": 1, "normal": 0, "low": 1}
    await asyncio.gather(*waiting)


@pytest.mark.parametrize("kind", ["malformed", "html", "cut", "reset", "wrong-length"])
def test_a_damaged_answer_is_fetched_again_as_a_whole(kind: Kind) -> None:
    async def test(one: World) -> None:
        whole = await one.client.reference.get_markets()
        one.sandbox.faults.add(Fault(kind))
        assert await one.client.reference.get_markets() == whole
        assert len(one.sandbox.requests) == 3

    session(test)


def test_hooks_are_told_of_retries_and_of_breakers() -> None:
    retries: list[RetryEvent] = []
    changes: list[BreakerEvent] = []

    async def main() -> None:
        sandbox = Sandbox(limits=False)
        sandbox.faults.add(Fault("status", times=None))
        async with TrayportClient.sandbox(
            sandbox,
            settings=quick(breaker_threshold=3, max_retries=2),
            on_retry=retries.append,
            on_breaker_change=changes.append,
        ) as client:
            with pytest.raises(TrayportServerError):
                await client.reference.get_markets()

    virtual_time.run(main())
    assert [retry.attempt for retry in retries] == [1, 2]
    assert all(isinstance(retry.error, TrayportServerError) for retry in retries)
    assert [(c.previous, c.state) for c in changes] == [(BreakerState.CLOSED, BreakerState.OPEN)]


@on_virtual_time()
async def test_a_policy_can_change_while_calls_wait(one: World) -> None:
    inner = one.client._session
    inner.policy = evolve(inner.policy, retry=evolve(inner.policy.retry, retries=0))
    one.sandbox.faults.add(Fault("status"))
    with pytest.raises(TrayportServerError):
        await one.market()


@on_virtual_time(max_retries=0, **TOO_OLD)
async def test_an_old_response_in_the_place_of_a_new_one_is_no_failure(one: World) -> None:
    await one.client.reference.get_markets()
    one.sandbox.faults.add(Fault("status", times=None))
    with pytest.warns(TrayportStaleDataWarning):
        await one.client.reference.get_markets()
    assert one.events_of(FailureEvent) == []


@on_virtual_time(max_retries=0, forbidden_wait=1)
async def test_a_refusal_that_may_pass_is_retryable(one: World) -> None:
    await one.market()
    for status, retryable in ((403, True), (408, True), (429, True), (400, False)):
        one.sandbox.faults.add(Fault("status", status=status))
        with pytest.raises(TrayportError) as refused:
            await one.market()
        assert refused.value.retryable is retryable


@pytest.mark.parametrize("where", ["in line", "before a retry", "in flight"])
def test_closing_the_client_ends_every_call_at_once(where: str) -> None:
    async def test(one: World) -> None:
        if where == "in line":
            await one.limiter.slow_down(100.0)
        elif where == "in flight":
            one.sandbox.faults.add(Fault("delay", seconds=100, times=None))
        else:
            one.sandbox.faults.add(Fault("status", status=429, retry_after=100, times=None))
        calls = [asyncio.create_task(one.market()) for _ in range(3)]
        await asyncio.sleep(1)
        started = clock()
        await one.client.aclose()
        for ended in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(ended, TrayportConfigurationError)
            assert "the client was closed while the call was under way" in str(ended)
        assert clock() - started < 1

    session(test)


@on_virtual_time()
async def test_a_cancelled_call_is_cancelled_and_no_error_of_a_closed_client(one: World) -> None:
    await one.limiter.slow_down(100.0)
    task = asyncio.create_task(one.market())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await task
    assert task.cancelled()


@on_virtual_time()
async def test_a_pause_that_outlasts_the_budget_is_an_error_and_no_wait(one: World) -> None:
    one.sandbox.faults.add(Fault("status", status=429, retry_after=2000))
    started = clock()
    for _ in range(2):
        with pytest.raises(TrayportRateLimitError) as refused:
            await one.market()
        assert refused.value.retry_after == pytest.approx(2000, abs=1)
    assert clock() - started < 1
    assert len(one.sandbox.requests) == 1


@on_virtual_time(retry_budget=5.0, max_retries=0, timeout=3600.0)
async def test_an_answer_that_drips_ends_with_the_budget(one: World) -> None:
    one.sandbox.faults.add(Fault("delay", seconds=1_000, times=None))
    started = clock()
    with pytest.raises(TrayportTimeoutError):
        await one.market()
    assert 4 <= clock() - started <= 6


SYMBOL = "10000065*#Single#10000305#244#0"


@on_virtual_time(breaker_threshold=3, max_concurrency=2)
async def test_a_download_outlasts_an_outage_that_opens_the_breaker(one: World) -> None:
    window = (SYMBOL, "2023-11-01", "2024-02-01")
    async with TrayportClient.sandbox() as undisturbed:
        whole = await undisturbed.trades.get_trades(*window)
    assert len(whole.requests) == 3
    one.sandbox.faults.add(Fault("status", times=None, after=1))
    download = asyncio.create_task(one.client.trades.get_trades(*window))
    await asyncio.sleep(15)
    assert one.client.get_status().breakers["/trades"].state is BreakerState.OPEN
    one.sandbox.faults.clear()
    found = await download
    assert found.to_polars().equals(whole.to_polars())
    assert one.events_of(FailureEvent) == []
