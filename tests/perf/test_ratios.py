"""Speed, as ratios against a baseline of the same run."""

import pytest

from tests.perf.imports import import_seconds
from tests.perf.load import sandbox_rates

pytestmark = pytest.mark.perf


def test_importing_the_client_costs_less_than_importing_httpx() -> None:
    httpx = import_seconds("import httpx")
    assert import_seconds("from trayport_sdk import TrayportClient") < httpx


def test_the_sandbox_serves_what_it_holds_at_a_good_part_of_the_speed_of_a_static_server() -> None:
    warm = {r.encoding: r for r in sandbox_rates() if r.temperature == "warm"}
    assert warm["identity"].share_of_static > 0.2
    assert warm["br"].share_of_static > 0.4
