"""A short share of `make load` on virtual time, and the real one."""

from __future__ import annotations

from collections import Counter

import pytest
from trayport_spec import REQUEST_LIMITS

from tests import virtual_time
from tests.faults.test_chaos import client_of
from tests.load.__main__ import RIGHT, line_of_limits, lines_of_one_client
from tests.load.lag import LONGEST, PERIOD, at_any_instant, lags
from tests.load.questions import faults, questions
from tests.load.runs import (
    Load,
    ask_all,
    at_default_limits,
    expected,
    many_callers,
    simultaneous,
    turns,
    with_faults,
)
from trayport_sdk.http.limiter import RequestLimiter
from trayport_sdk.http.session import limits_of
from trayport_sdk.sandbox import KINDS, Sandbox


def test_100_callers_get_their_rows_at_the_default_limits_in_spite_of_faults() -> None:
    # No 429 on purpose, so that each one would be for being too fast.
    goes_wrong = [fault for fault in faults(0.01) if fault.status != 429]
    assert {fault.kind for fault in goes_wrong} == set(KINDS)
    asked = questions(100)

    async def main() -> tuple[int, Counter[str], int]:
        right = await expected(asked[:60])
        sandbox = Sandbox(limits=True, monotonic=virtual_time.clock_for_threads())
        sandbox.faults.add(*goes_wrong)
        client = await client_of(sandbox)
        limits = limits_of(client.settings)
        client._session.limiter = RequestLimiter(limits, clock=virtual_time.clock_for_threads())
        async with client:
            outcome = await ask_all(client, turns(asked[:60], 100, 1), right)
        statuses = Counter(request.status for request in sandbox.requests)
        arrivals = sorted(request.arrived_ns for request in sandbox.requests)
        load = Load(100, 0, {}, 0, 0.0, statuses, arrivals, 0.0)
        assert statuses[429] == 0
        assert statuses.total() > 100
        assert load.most_within(1) <= REQUEST_LIMITS.per_second
        return outcome

    wrong, failures, rows = virtual_time.run(main())
    assert (wrong, failures) == (0, Counter())
    assert rows > 1000


def test_a_stall_counts_for_all_instants_in_it() -> None:
    assert [*at_any_instant([0.0, 2.5 * PERIOD])] == pytest.approx(
        [0.0, 2.5 * PERIOD, 1.5 * PERIOD, 0.5 * PERIOD]
    )


@pytest.mark.slow
def test_one_client_serves_100_requests_at_once_and_1000_callers() -> None:
    found = [*lines_of_one_client(simultaneous(), many_callers(each=6))]
    assert [line for line in found if not line.is_met] == []


@pytest.mark.slow
def test_faults_of_every_kind_cost_hardly_a_call() -> None:
    load = with_faults(3000)
    assert load.wrong == 0
    assert load.succeeded >= RIGHT, load.failures


@pytest.mark.slow
def test_the_default_limits_bring_no_429() -> None:
    line = line_of_limits(at_default_limits(400))
    assert line.is_met, line


@pytest.mark.slow
def test_the_event_loop_hardly_waits_while_100_mb_are_decoded() -> None:
    # On a machine that is busy with other things, even an idle loop has to wait.
    found = lags(most_tries=10)
    assert {name: lag for name, lag in found.items() if lag.p99 - lag.idle >= LONGEST} == {}
