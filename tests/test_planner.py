from hypothesis import given
from hypothesis import strategies as st
from trayport_spec import ENDPOINTS

from tests.test_contracts import contracts
from trayport_sdk import ContractSpec, ContractType
from trayport_sdk.planner import plan_trades
from trayport_sdk.times import DAY, Window

ENDPOINT = ENDPOINTS["get_trades"]
(LIMIT,) = ENDPOINT.limits.ranges
windows = st.builds(
    lambda start, days: Window(start * DAY, (start + days) * DAY),
    st.integers(0, 20_000),
    st.integers(1, 400),
)


@given(st.lists(contracts(), min_size=1, max_size=150), windows)
def test_every_contract_is_asked_for_exactly_once_in_every_window(
    wanted: list[ContractSpec], window: Window
) -> None:
    queries = plan_trades(wanted, window)
    for piece in window.cut(LIMIT.max_days):
        asked = [c for query in queries if query.window == piece for c in query.contracts]
        assert sorted(asked) == sorted(set(wanted))


@given(st.lists(contracts(), min_size=1, max_size=150), windows)
def test_only_single_periods_of_one_product_and_sequence_share_a_request(
    wanted: list[ContractSpec], window: Window
) -> None:
    for query in plan_trades(wanted, window):
        assert len(query.contracts) <= (ENDPOINT.batch.maximum or 1)
        if len(query.contracts) > 1:
            products = {(c.market_id, c.instrument_id, c.sequence_id) for c in query.contracts}
            assert len(products) == 1
            assert {c.contract_type for c in query.contracts} == {ContractType.SINGLE_PERIOD}


def test_fifty_contracts_over_ninety_days_take_three_requests() -> None:
    months = [
        ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=item)
        for item in range(200, 250)
    ]
    assert len(plan_trades(months, Window(0, 90 * DAY))) == 3
    assert len(plan_trades(months * 2, Window(0, 90 * DAY))) == 3
    extra = ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=250)
    assert len(plan_trades([*months, extra], Window(0, 90 * DAY))) == 6
