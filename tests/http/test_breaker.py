"""Circuit breakers, call by call on an injected clock, and against a model."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from attrs import define
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests import virtual_time
from tests.drawn import examples
from trayport_sdk.errors import (
    RequestContext,
    TrayportAPIError,
    TrayportAuthenticationError,
    TrayportAuthorizationError,
    TrayportCircuitBreakerError,
    TrayportConnectionError,
    TrayportDecodeError,
    TrayportError,
    TrayportNotFoundError,
    TrayportRateLimitError,
    TrayportServerError,
    TrayportTimeoutError,
)
from trayport_sdk.http.breaker import Breakers
from trayport_sdk.telemetry.events import BreakerEvent, BreakerState
from trayport_sdk.telemetry.status import BreakerStatus

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
TRADES = RequestContext("/trades", {"from": "2024-03-04"}, "c0ffee")
MARKETS = RequestContext("/markets")
MIDNIGHT = datetime(2024, 3, 4, tzinfo=UTC)
FAILURES = [
    TrayportConnectionError("broken"),
    TrayportTimeoutError("late"),
    TrayportServerError("500", status_code=500),
    TrayportDecodeError("cut off"),
]
NEUTRAL = [
    asyncio.CancelledError(),
    KeyboardInterrupt(),
    TrayportAPIError("400", status_code=400),
    TrayportAPIError("408", status_code=408),
    TrayportAuthenticationError("401", status_code=401),
    TrayportAuthorizationError("403", status_code=403),
    TrayportNotFoundError("404", status_code=404),
    TrayportRateLimitError("429", status_code=429),
    TrayportError("something else"),
    ZeroDivisionError(),
]


class Admission:
    """One attempt that begins and ends where a test says so."""

    def __init__(self, manager: AbstractContextManager[Callable[[], None]]) -> None:
        self._manager = manager
        self.confirm = manager.__enter__()

    def end(self, error: BaseException | None = None) -> None:
        self._manager.__exit__(None if error is None else type(error), error, None)


class World:
    """Breakers on a clock that a test turns, and all their events."""

    def __init__(self, *, threshold: int = 3, recovery: float = 30.0) -> None:
        self.seconds = 100.0
        self.events: list[BreakerEvent] = []
        self.breakers = Breakers(
            threshold=threshold,
            recovery=recovery,
            on_change=self.events.append,
            clock=lambda: self.seconds,
            now=self.now,
        )

    def now(self) -> datetime:
        return MIDNIGHT + timedelta(seconds=self.seconds)

    def begin(self, context: RequestContext = TRADES) -> Admission:
        return Admission(self.breakers.admit(context))

    def call(self, error: BaseException | None = None, context: RequestContext = TRADES) -> None:
        self.begin(context).end(error)

    def fail(self, times: int = 1, context: RequestContext = TRADES) -> None:
        for _ in range(times):
            self.call(FAILURES[0], context)

    @property
    def status(self) -> BreakerStatus:
        return self.breakers.states()["/trades"]

    @property
    def changes(self) -> list[tuple[BreakerState, BreakerState]]:
        return [(event.previous, event.state) for event in self.events]


def opened(*, recovery: float = 30.0) -> World:
    world = World(recovery=recovery)
    world.fail(3)
    assert world.status.state is OPEN
    return world


@pytest.mark.parametrize("failure", FAILURES, ids=lambda error: type(error).__name__)
def test_failures_in_a_row_open_it(failure: TrayportError) -> None:
    world = World()
    for expected in (1, 2, 3):
        world.call(failure)
        assert world.status.failures == expected
    assert world.changes == [(CLOSED, OPEN)]
    assert world.status == BreakerStatus(OPEN, 3, world.now() + timedelta(seconds=30))


@pytest.mark.parametrize("error", NEUTRAL, ids=lambda error: repr(error)[:40])
def test_what_says_nothing_of_the_service_neither_counts_nor_resets(error: BaseException) -> None:
    world = World()
    world.fail(2)
    for _ in range(5):
        world.call(error)
    assert world.status == BreakerStatus(CLOSED, 2, None)
    world.fail()
    assert world.status.state is OPEN


def test_while_it_is_open_calls_fail_at_once() -> None:
    world = opened()
    retry_at = world.now() + timedelta(seconds=30)
    world.seconds += 29.5
    with pytest.raises(TrayportCircuitBreakerError) as caught, world.breakers.admit(TRADES):
        pytest.fail("it was let through")
    assert caught.value.retry_at == retry_at
    assert caught.value.context == TRADES
    assert caught.value.attempts == 0
    assert caught.value.__context__ is None
    assert str(caught.value) == (
        "the last 3 requests to the endpoint failed, so this one was not sent "
        "[/trades?from=2024-03-04]: try again at 2024-03-04 00:02:10 UTC"
    )


def test_an_endpoint_has_a_breaker_of_its_own() -> None:
    world = opened()
    world.call(context=MARKETS)
    assert [status.state for status in world.breakers.states().values()] == [OPEN, CLOSED]


def test_a_trial_that_fails_opens_it_again_for_as_long() -> None:
    world = opened()
    world.seconds += 31
    world.fail()
    assert world.changes == [(CLOSED, OPEN), (OPEN, HALF_OPEN), (HALF_OPEN, OPEN)]
    assert world.status == BreakerStatus(OPEN, 4, world.now() + timedelta(seconds=30))
    assert world.events[-1].retry_at == world.status.retry_at


@pytest.mark.parametrize("error", NEUTRAL, ids=lambda error: repr(error)[:40])
def test_a_trial_that_says_nothing_leaves_its_place_to_the_next(error: BaseException) -> None:
    world = opened()
    world.seconds += 30
    world.call(error)
    assert world.status.state is HALF_OPEN
    assert len(world.events) == 2
    world.call()
    assert world.status.state is CLOSED


def test_of_twenty_callers_exactly_one_tries_a_half_open_breaker() -> None:
    async def main() -> None:
        admitted: list[int] = []
        refused: list[TrayportCircuitBreakerError] = []
        events: list[BreakerEvent] = []
        breakers = Breakers(
            threshold=1, recovery=30, on_change=events.append, clock=virtual_time.clock
        )

        async def call(number: int, error: TrayportError | None = None) -> None:
            try:
                with breakers.admit(TRADES):
                    admitted.append(number)
                    await asyncio.sleep(1)
                    if error is not None:
                        raise error
            except TrayportCircuitBreakerError as refusal:
                refused.append(refusal)
            except TrayportServerError:
                assert error is not None

        await call(0, TrayportServerError("500", status_code=500))
        await asyncio.sleep(30)
        before = datetime.now(UTC)
        await asyncio.gather(*(call(number) for number in range(1, 21)))
        assert admitted == [0, 1]
        assert len(refused) == 19
        assert all(refusal.retry_at > before for refusal in refused)
        assert "another one is trying it" in str(refused[0])
        await asyncio.gather(*(call(number) for number in range(21, 41)))
        assert len(admitted) == 22
        assert [event.state for event in events] == [OPEN, HALF_OPEN, CLOSED]

    virtual_time.run(main())


def test_of_a_whole_queue_nobody_passes_a_half_open_breaker_but_the_trial() -> None:
    async def main() -> None:
        sent: list[int] = []
        refused: list[TrayportCircuitBreakerError] = []
        broken = True
        breakers = Breakers(
            threshold=3, recovery=10, on_change=lambda _: None, clock=virtual_time.clock
        )

        async def call(number: int, turn: float, seconds: float) -> None:
            try:
                with breakers.admit(TRADES) as confirm:
                    await asyncio.sleep(turn)
                    confirm()
                    sent.append(number)
                    await asyncio.sleep(seconds)
                    if broken:
                        raise FAILURES[2]
            except TrayportCircuitBreakerError as refusal:
                refused.append(refusal)
            except TrayportServerError:
                assert broken

        async with asyncio.TaskGroup() as calls:
            for number in range(60):
                calls.create_task(call(number, turn=number, seconds=0.5))
            await asyncio.sleep(12.6)
            assert sent == [0, 1, 2]
            assert breakers.states()["/trades"].state is OPEN
            # The trial takes so long that much of the queue has its turn meanwhile.
            trial = calls.create_task(call(100, turn=0, seconds=40))
            await asyncio.sleep(39)
            assert breakers.states()["/trades"].state is HALF_OPEN
            assert sent == [0, 1, 2, 100]
            assert "another one is trying it" in str(refused[-1])
            broken = False
            await trial
            assert breakers.states()["/trades"].state is CLOSED
        # Whoever comes up once it is closed is sent, whenever admitted.
        assert sent == [0, 1, 2, 100, *range(53, 60)]
        assert len(refused) == 50

    virtual_time.run(main())


def test_a_call_of_before_is_refused_while_a_trial_is_to_come_and_is_no_trial_itself() -> None:
    world = World()
    old = world.begin()
    world.fail(3)
    world.seconds += 30
    world.call(NEUTRAL[0])
    assert world.status.state is HALF_OPEN
    with pytest.raises(TrayportCircuitBreakerError) as caught:
        old.confirm()
    assert caught.value.retry_at == world.now() + timedelta(seconds=1)
    assert "another one" not in str(caught.value)
    old.end(caught.value)
    trial = world.begin()
    trial.confirm()
    trial.end()
    assert world.status.state is CLOSED


@pytest.mark.parametrize("recovery", [1e300, float("inf")])
def test_a_breaker_may_stay_open_for_ever(recovery: float) -> None:
    world = opened(recovery=recovery)
    assert world.status.retry_at == datetime.max.replace(tzinfo=UTC)
    with pytest.raises(TrayportCircuitBreakerError) as caught:
        world.begin()
    assert caught.value.retry_at == world.status.retry_at


def test_endpoints_may_be_asked_for_the_first_time_while_all_are_listed() -> None:
    world = World(threshold=1)

    def now() -> datetime:
        with world.breakers.admit(RequestContext(f"/{next(numbers)}")):
            return MIDNIGHT

    numbers = count()
    world.breakers.now = now
    for context in (TRADES, MARKETS):
        world.fail(context=context)
    assert set(world.breakers.states()) >= {"/trades", "/markets"}


def test_the_error_of_a_call_goes_through_as_it_is() -> None:
    world = World(threshold=1)
    failure = TrayportServerError("500", status_code=500)
    with pytest.raises(TrayportServerError) as caught, world.breakers.admit(TRADES):
        raise failure
    assert caught.value is failure
    assert failure.__context__ is None
    assert failure.__traceback__ is not None
    assert failure.__traceback__.tb_next is None


def test_threshold_and_recovery_can_be_changed_for_open_breakers_too() -> None:
    world = opened(recovery=30)
    world.fail(2, MARKETS)
    world.breakers.configure(threshold=1, recovery=5)
    assert world.status.retry_at == world.now() + timedelta(seconds=5)
    assert world.breakers.states()["/markets"].state is CLOSED
    world.fail(context=MARKETS)
    assert world.breakers.states()["/markets"].state is OPEN
    world.fail(context=RequestContext("/sequences"))
    assert world.breakers.states()["/sequences"].state is OPEN
    world.seconds += 5
    world.call()
    assert world.status.state is CLOSED


def test_an_open_breaker_that_nobody_asked_for_long_says_now() -> None:
    world = opened()
    world.seconds += 1_000
    assert world.status == BreakerStatus(OPEN, 3, world.now())


def test_whoever_comes_back_at_retry_at_is_let_through() -> None:
    world = opened(recovery=1 / 3)
    world.seconds += 0.123456789
    with pytest.raises(TrayportCircuitBreakerError) as caught:
        world.begin()
    world.seconds += (caught.value.retry_at - world.now()).total_seconds()
    world.call()
    assert world.status.state is CLOSED


def test_a_listener_that_fails_does_not_take_the_place_of_the_trial() -> None:
    def fails(_: BreakerEvent) -> None:
        raise ZeroDivisionError

    seconds = [0.0]
    breakers = Breakers(threshold=1, recovery=30, on_change=fails, clock=lambda: seconds[0])
    admitted = Admission(breakers.admit(TRADES))
    with pytest.raises(ZeroDivisionError):
        admitted.end(FAILURES[0])
    seconds[0] = 30.0
    with pytest.raises(ZeroDivisionError):
        Admission(breakers.admit(TRADES))
    trial = Admission(breakers.admit(TRADES))
    with pytest.raises(ZeroDivisionError):
        trial.end()
    assert breakers.states()["/trades"].state is CLOSED


@define
class Model:
    """What a breaker should do, as simply as it can be said."""

    threshold: int
    recovery: int
    state: BreakerState = CLOSED
    failures: int = 0
    opened: int = 0
    trial: object = None
    changes: int = 0

    def move(self, state: BreakerState, now: int) -> None:
        self.state = state
        self.opened = now
        self.trial = None
        self.changes += 1
        if state is CLOSED:
            self.failures = 0

    def admits(self, now: int) -> bool:
        if self.state is OPEN:
            return now >= self.opened + self.recovery
        return self.state is CLOSED or self.trial is None


class BreakerMachine(RuleBasedStateMachine):
    """Calls that begin and end in any order, next to the model."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(threshold=2, recovery=10)
        self.world.seconds = 0
        self.model = Model(threshold=2, recovery=10)
        self.under_way: list[tuple[Admission, int]] = []

    @property
    def now(self) -> int:
        return int(self.world.seconds)

    @rule(seconds=st.sampled_from([1, 5, 9, 10, 30]))
    def time_passes(self, seconds: int) -> None:
        self.world.seconds += seconds

    @rule()
    def a_call_begins(self) -> None:
        if not self.model.admits(self.now):
            with pytest.raises(TrayportCircuitBreakerError) as caught:
                self.world.begin()
            assert caught.value.retry_at > self.world.now()
            return
        admitted = self.world.begin()
        if self.model.state is OPEN:
            self.model.move(HALF_OPEN, self.now)
        if self.model.state is HALF_OPEN:
            self.model.trial = admitted
        self.under_way.append((admitted, self.model.changes))

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), error=st.sampled_from([None, FAILURES[0], FAILURES[3], NEUTRAL[0]]))
    def a_call_ends(self, data: st.DataObject, error: BaseException | None) -> None:
        place = data.draw(st.integers(0, len(self.under_way) - 1))
        admitted, epoch = self.under_way.pop(place)
        admitted.end(error)
        model = self.model
        if epoch != model.changes:
            return
        model.trial = None
        if error is None:
            model.failures = 0
            if model.state is HALF_OPEN:
                model.move(CLOSED, self.now)
        elif error in FAILURES:
            model.failures += 1
            if model.state is HALF_OPEN or model.failures >= model.threshold:
                model.move(OPEN, self.now)

    @rule(threshold=st.integers(1, 4), recovery=st.integers(0, 20))
    def settings_change(self, threshold: int, recovery: int) -> None:
        self.world.breakers.configure(threshold=threshold, recovery=recovery)
        self.model.threshold, self.model.recovery = threshold, recovery

    @invariant()
    def it_does_what_the_model_does(self) -> None:
        states = self.world.breakers.states()
        if states:
            assert states["/trades"].state is self.model.state
            assert states["/trades"].failures == self.model.failures
        assert len(self.world.events) == self.model.changes
        changes = [CLOSED, *(event.state for event in self.world.events)]
        assert [event.previous for event in self.world.events] == changes[:-1]


TestBreakerAgainstAModel = BreakerMachine.TestCase
TestBreakerAgainstAModel.settings = settings(max_examples=examples(150), stateful_step_count=40)
