"""How fast a key may ask."""

import pytest
from trayport_spec import REQUEST_LIMITS

from tests.sandbox.asking import MINIMAL, Asker
from trayport_sdk.sandbox import Sandbox

SECOND, MINUTE = REQUEST_LIMITS.per_second, REQUEST_LIMITS.per_minute


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_one_request_too_many_in_a_second_is_refused(clock: Clock) -> None:
    ask = Asker(Sandbox(monotonic=clock))
    for _ in range(SECOND):
        assert ask.reference("/markets").status_code == 200
        clock.now += 0.0625
    refused = ask.reference("/markets")
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["content-type"] == "application/problem+json"
    clock.now = 1001.0
    assert ask.reference("/markets").status_code == 200
    assert ask.reference("/markets").status_code == 429
    clock.now = 1001.0625
    assert ask.reference("/markets").status_code == 200


def test_one_request_too_many_in_a_minute_is_refused(clock: Clock) -> None:
    ask = Asker(Sandbox(monotonic=clock))
    step = 1.0 / SECOND
    for n in range(MINUTE):
        clock.now = 1000.0 + n * step
        assert ask.analytics("/trades").status_code == 400
    clock.now = 1058.5
    refused = ask.analytics("/trades")
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "2"
    clock.now = 1060.0
    assert ask.analytics("/trades").status_code == 400


def test_refused_requests_do_not_count(clock: Clock) -> None:
    ask = Asker(Sandbox(monotonic=clock))
    for _ in range(SECOND):
        ask.analytics("/trades")
    for n in range(100):
        clock.now = 1000.0 + n / 128
        assert ask.analytics("/trades").status_code == 429
    clock.now = 1001.0
    assert ask.analytics("/trades").status_code == 400


def test_both_apis_share_one_allowance_and_keys_do_not(clock: Clock) -> None:
    sandbox = Sandbox(monotonic=clock, keys=("one", "two"))
    one, two = Asker(sandbox, "one"), Asker(sandbox, "two")
    for n in range(SECOND):
        path = "/trades/last"
        response = one.analytics(path, MINIMAL[path]) if n % 2 else one.reference("/markets")
        assert response.status_code == 200
    assert one.reference("/markets").status_code == 429
    assert two.reference("/markets").status_code == 200


def test_bad_requests_count_and_wrong_keys_do_not(clock: Clock) -> None:
    sandbox = Sandbox(monotonic=clock)
    ask, stranger = Asker(sandbox), Asker(sandbox, "wrong")
    for _ in range(SECOND):
        assert ask.analytics("/trades").status_code == 400
        assert stranger.analytics("/trades").status_code == 401
    assert ask.analytics("/trades").status_code == 429


def test_the_limits_can_be_lifted() -> None:
    ask = Asker(Sandbox(limits=False))
    assert {ask.reference("/markets").status_code for _ in range(3 * SECOND)} == {200}
