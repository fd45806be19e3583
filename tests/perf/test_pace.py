"""The pace of requests and the cost of keeping it."""

import pytest
from trayport_spec import REQUEST_LIMITS

from tests.perf.pace import at_the_documented_limit, cost_of_the_rules, share_used
from trayport_sdk import Settings
from trayport_sdk.http.session import limits_of

pytestmark = pytest.mark.perf


def test_sixty_requests_at_the_documented_limit_take_less_than_7_6_seconds() -> None:
    for _ in range(3):  # the machine may have been busy with something else
        arrivals = at_the_documented_limit(60)
        assert arrivals.statuses == {200}
        assert arrivals.most_in_a_second <= REQUEST_LIMITS.per_second
        if arrivals.seconds <= 7.6:
            return
    pytest.fail(f"{arrivals.seconds:.2f} s")


def test_the_default_allowance_is_used_to_97_percent() -> None:
    assert share_used(limits_of(Settings(_env_file=None)), 61) >= 0.97


def test_limiter_breaker_and_retry_cost_about_as_much_as_httpx_makes_of_a_request() -> None:
    # On the machine where they take 110 microseconds of the 150 they may, httpx takes 90.
    cost = cost_of_the_rules()
    assert cost.rules < 2 * cost.httpx
