"""Trades from the sandbox: every row of a range exactly once."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pandas as pd
import polars as pl
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trayport_api.models import Trade
from trayport_spec import ENDPOINTS, REQUEST_LIMITS

from trayport_sdk import (
    ContractSpec,
    Progress,
    Settings,
    TrayportAPIError,
    TrayportAuthenticationError,
    TrayportClient,
    TrayportConnectionError,
    TrayportDecodeError,
    TrayportLookupError,
    TrayportNotFoundError,
    TrayportServerError,
    TrayportValidationError,
)
from trayport_sdk.http.messages import ApiRequest
from trayport_sdk.query.plan import ParallelContractQuery
from trayport_sdk.query.times import SECOND, Window, instant, to_text
from trayport_sdk.sandbox import Fault, Sandbox

pytestmark = pytest.mark.anyio

APRIL = ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=244)
MAY = ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=245)
EEX_APRIL = ContractSpec(instrument_id=10002806, sequence_id=10000305, sequence_item_id=244)
PROMPT = ContractSpec(market_id=10000065, sequence_id=10000302, sequence_item_id=1)
SPREAD = ContractSpec.parse("10000065*#Spread#10000305#244#245")
(LIMIT,) = ENDPOINTS["get_trades"].limits.ranges

readings = pytest.mark.parametrize("until_inclusive", [False, True], ids=["exclusive", "inclusive"])


def rows(frame: pl.DataFrame) -> Counter[tuple[Any, ...]]:
    return Counter(
        frame.select(
            "trade_id", "venue_code", pl.col("deal_date").cast(pl.Int64), "price", "quantity"
        ).iter_rows()
    )


@readings
async def test_a_long_range_holds_every_row_of_the_uncut_range_once(until_inclusive: bool) -> None:
    cut = Sandbox(limits=False, until_inclusive=until_inclusive)
    uncut = Sandbox(limits=False, range_limits=False)
    async with TrayportClient.sandbox(cut) as client:
        found = await client.trades.get_trades(APRIL, "2024-01-10", "2024-03-20")
    async with TrayportClient.sandbox(uncut) as client:
        call = _call(APRIL, "2024-01-10", "2024-03-20")
        whole = await client._session.fetch(call, lambda answer: answer.body)
    trades = [Trade.from_dict(row) for row in _documents(whole)]
    assert len(found) > 1000
    assert len(found.requests) == 3
    assert list(found) == [t for t in trades if t.deal_date < instant("2024-03-20", "until")]


def _call(contract: ContractSpec, from_: str, until: str) -> Any:
    """The call that asks for a whole range at once, which no rule would let through."""
    day = Window.between(from_, from_ + "T12")
    call = ApiRequest.from_query(
        ParallelContractQuery(endpoint="trades", contracts=(contract,), window=day)
    )
    return evolve(call, parameters={**call.parameters, "until": until})


def _documents(body: bytes) -> list[dict[str, Any]]:
    from trayport_sdk.tables.decode.decoder import decode_documents

    return decode_documents("get_trades", body)


@readings
async def test_a_window_that_ends_on_a_trade_neither_loses_nor_doubles_it(
    until_inclusive: bool,
) -> None:
    """Windows begin at `from_`, so a start chosen from a trade puts the cut on whole seconds."""
    async with TrayportClient.sandbox(Sandbox(limits=False)) as client:
        day = await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-05")
    on_the_second = [t.deal_date for t in day if t.deal_date % SECOND == 0]
    assert on_the_second, "the sandbox puts some trades on whole seconds"
    cut = on_the_second[len(on_the_second) // 2]
    async with TrayportClient.sandbox(
        Sandbox(limits=False, until_inclusive=until_inclusive)
    ) as client:
        before = await client.trades.get_trades(APRIL, "2024-03-04", to_text(cut))
        after = await client.trades.get_trades(APRIL, to_text(cut), "2024-03-05")
    assert rows(before.to_polars()) + rows(after.to_polars()) == rows(day.to_polars())
    assert all(t.deal_date < cut for t in before)
    assert all(t.deal_date >= cut for t in after)
    assert bool(before.requests[0].dropped) is until_inclusive


@given(
    start=st.integers(0, 40 * 86_400),
    length=st.integers(1, 70 * 86_400),
    until_inclusive=st.booleans(),
)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_range_is_the_slice_of_a_larger_one(
    start: int, length: int, until_inclusive: bool
) -> None:
    begin = instant("2024-01-15", "from_") + start * SECOND
    end = min(begin + length * SECOND, instant("2024-03-25", "until"))
    sandbox = Sandbox(limits=False, until_inclusive=until_inclusive)
    async with TrayportClient.sandbox(sandbox) as client:
        found = await client.trades.get_trades(EEX_APRIL, to_text(begin), to_text(end))
        whole = await client.trades.get_trades(EEX_APRIL, "2024-01-15", "2024-03-25")
    time = pl.col("deal_date").cast(pl.Int64)
    expected = whole.to_polars().filter(time >= begin, time < end)
    assert found.to_polars().equals(expected)


async def test_many_contracts_share_requests_and_say_which_row_is_whose() -> None:
    async with TrayportClient.sandbox() as client:
        both = await client.trades.get_trades([APRIL, MAY, APRIL], "2024-03-04", "2024-03-06")
        april = await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-06")
        may = await client.trades.get_trades(MAY, "2024-03-04", "2024-03-06")
    assert len(both.requests) == 1
    assert rows(both.to_polars()) == rows(april.to_polars()) + rows(may.to_polars())
    assert both.to_polars()["deal_date"].is_sorted()
    of_may = both.to_polars().filter(contract=str(MAY))
    assert rows(of_may) == rows(may.to_polars())
    found = {ContractSpec.from_model(t.contract) for t in both if t.contract}
    assert found == {APRIL, MAY}


async def test_products_and_kinds_that_cannot_share_are_asked_for_alone() -> None:
    async with TrayportClient.sandbox() as client:
        found = await client.trades.get_trades(
            [APRIL, EEX_APRIL, SPREAD], "2024-03-04", "2024-03-06"
        )
    assert len(found.requests) == 3
    assert found.to_polars()["deal_date"].is_sorted()


async def test_a_contract_is_found_by_name_or_symbol() -> None:
    async with TrayportClient.sandbox() as client:
        by_name = await client.trades.get_trades(
            ["TTF Hi Cal 51.6* Apr-24", str(APRIL)], "2024-03-04", "2024-03-05"
        )
        by_spec = await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-05")
    assert len(by_name) > 100
    assert by_name.to_polars().equals(by_spec.to_polars())


async def test_optional_fields_are_columns_in_any_spelling() -> None:
    async with TrayportClient.sandbox() as client:
        fields: Any = ["ROUTE_ID", "fromBrokenSpread"]
        found = await client.trades.get_trades(
            APRIL, "2024-03-04", "2024-03-05", optional_fields=fields
        )
    assert found.to_polars().columns[-2:] == ["route_id", "from_broken_spread"]
    assert found.to_polars()["route_id"].null_count() == 0
    assert all(isinstance(t.route_id, int) and t.route is None for t in found[:5])


async def test_routes_bring_their_column_and_several_deduplicate() -> None:
    async with TrayportClient.sandbox() as client:
        every = await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-05", routes="all")
        twice = await client.trades.get_trades(
            APRIL, "2024-03-04", "2024-03-05", routes="all", deduplicate_routes=False
        )
        plain = await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-05")
    assert "route" in every.to_polars().columns
    assert "route" not in plain.to_polars().columns
    assert rows(every.to_polars()) == rows(plain.to_polars())
    assert len(twice) > len(every)


async def test_private_details_come_when_asked_for() -> None:
    async with TrayportClient.sandbox() as client:
        found = await client.trades.get_trades(
            APRIL, "2024-03-04", "2024-03-15", include_private=True
        )
    own = found.to_polars(nested=True)["private_fields"].drop_nulls()
    assert 0 < len(own) < len(found)
    trade = next(t for t in found if t.private_fields)
    assert trade.private_fields
    assert trade.private_fields.aggressor_company_id or trade.private_fields.initiator_company_id


async def test_a_contract_that_never_traded_gives_an_empty_table_with_its_columns() -> None:
    async with TrayportClient.sandbox() as client:
        full = await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-05")
        empty = await client.trades.get_trades(APRIL, "2024-03-02", "2024-03-03")  # a Saturday
    assert len(empty) == 0
    assert list(empty) == []
    assert empty.to_polars().schema == full.to_polars().schema


async def test_until_left_out_is_the_end_of_the_data() -> None:
    async with TrayportClient.sandbox() as client:
        client._runner.now = lambda: datetime(2024, 3, 6, 15, 30, tzinfo=UTC)
        found = await client.trades.get_trades(APRIL, "2024-03-04")
    (request,) = found.requests
    assert request.window == Window.between("2024-03-04", "2024-03-06")


async def test_progress_tells_how_far_the_call_has_come() -> None:
    seen: list[Progress] = []
    async with TrayportClient.sandbox() as client:
        found = await client.trades.get_trades(
            APRIL, "2024-01-01", "2024-03-31", on_progress=seen.append
        )
    assert [p.requests_done for p in seen] == [1, 2, 3]
    assert {p.requests_planned for p in seen} == {3}
    assert seen[-1].rows == len(found)
    assert 0 < seen[-1].bytes_received < seen[-1].bytes_decoded


async def test_an_error_of_the_callback_comes_out_as_it_is() -> None:
    def broken(_: Progress) -> None:
        raise ZeroDivisionError("the user's own")

    async with TrayportClient.sandbox() as client:
        with pytest.raises(ZeroDivisionError, match="the user's own"):
            await client.trades.get_trades(APRIL, "2024-01-01", "2024-03-31", on_progress=broken)


async def test_the_result_explains_how_it_was_made() -> None:
    async with TrayportClient.sandbox(Sandbox(limits=False, until_inclusive=True)) as client:
        found = await client.trades.get_trades(APRIL, "2024-01-01", "2024-03-31")
    assert f"{len(found):,} rows from 3 requests" in found.explain()
    assert all("key" not in name.lower() for r in found.requests for name in r.parameters)


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [
        (([], "2024-01-01", "2024-01-02"), "contracts"),
        ((None, "2024-01-01", "2024-01-02"), "contracts"),
        (([APRIL, 7], "2024-01-01", "2024-01-02"), "contracts"),
        ((APRIL, pd.NaT, "2024-01-02"), "from_"),
        ((APRIL, pd.Timestamp("2024-01-01 00:00:00.000000001"), "2024-01-02"), "from_"),
        ((APRIL, "2024-01-02", "2024-01-01"), "until"),
        ((APRIL, "never", "2024-01-01"), "from_"),
        ((APRIL, "2024-01-01", "2204-01-01"), "until"),
        (("10000065*#Nothing", "2024-01-01", "2024-01-02"), "contract"),
    ],
)
async def test_arguments_that_cannot_work_are_refused_before_anything_is_sent(
    arguments: tuple[Any, str, str], parameter: str
) -> None:
    sandbox = Sandbox()
    async with TrayportClient.sandbox(sandbox) as client:
        with pytest.raises(TrayportValidationError) as refused:
            await client.trades.get_trades(*arguments)
    assert refused.value.parameter == parameter
    assert len(sandbox.requests) == 0


async def test_an_unknown_optional_field_is_refused_with_the_known_ones_listed() -> None:
    async with TrayportClient.sandbox() as client:
        with pytest.raises(TrayportValidationError, match="from_broken_spread"):
            await client.trades.get_trades(
                APRIL,
                "2024-01-01",
                "2024-01-02",
                optional_fields=["colour"],  # type: ignore[list-item]
            )


async def test_a_sequence_that_is_not_the_products_is_not_found() -> None:
    power = ContractSpec(market_id=10000065, sequence_id=10000102, sequence_item_id=1)
    async with TrayportClient.sandbox() as client:
        with pytest.raises(TrayportNotFoundError):
            await client.trades.get_trades(power, "2024-01-01", "2024-01-02")


async def test_data_of_today_is_refused_and_the_error_says_why() -> None:
    today = datetime.now(UTC).date()
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(sandbox) as client:
        with pytest.raises(TrayportValidationError, match="TRAYPORT_INTRADAY"):
            await client.trades.get_trades(APRIL, today, today + timedelta(days=1))
    assert len(sandbox.requests) == 0


async def test_a_key_without_the_right_to_the_current_day_is_told_so_by_the_service() -> None:
    today = datetime.now(UTC).date()
    entitled = Settings(_env_file=None, intraday=True)
    async with TrayportClient.sandbox(settings=entitled) as client:
        with pytest.raises(TrayportAuthenticationError, match="intraday"):
            await client.trades.get_trades(APRIL, today, today + timedelta(days=1))


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("TTF Hi Cal 51.7* Apr-24", "TTF Hi Cal 51.6* Apr-24"),
        ("TTF Hi Cal 51.6* Arp-24", "TTF Hi Cal 51.6* Apr-24"),
        ("TTF Hi Cal 51.6* Day Behind", "TTF Hi Cal 51.6* Day Ahead"),
        ("TTF Hi Cal 51.6 EEEX Apr-24", "TTF Hi Cal 51.6 EEX Apr-24"),
    ],
)
async def test_a_name_that_names_nothing_lists_the_nearest(name: str, nearest: str) -> None:
    async with TrayportClient.sandbox() as client:
        with pytest.raises(TrayportLookupError) as refused:
            await client.trades.get_trades(name, "2024-03-04", "2024-03-05")
    assert nearest in refused.value.candidates


@pytest.mark.parametrize("name", ["TTF Hi Cal 51.6*", "TTF Hi Cal 51.6* ", "Zzz", ""])
async def test_a_name_that_is_only_half_a_contract_says_how_to_write_one(name: str) -> None:
    async with TrayportClient.sandbox() as client:
        with pytest.raises(TrayportLookupError, match="delivery period"):
            await client.resolve_contract(name)


async def test_a_sandbox_that_enforces_its_limits_is_asked_slowly_enough() -> None:
    sandbox = Sandbox(limits=True)
    async with TrayportClient.sandbox(sandbox) as client:
        names = [f"{gas}* Apr-24" for gas in ("TTF Hi Cal 51.6", "NBP", "PEG", "PSV", "PVB", "ZTP")]
        found = await client.trades.get_trades(names, "2024-03-04", "2024-03-05")
    assert len(found) > 100
    assert {request.status for request in sandbox.requests} == {200}
    assert len(sandbox.requests) > REQUEST_LIMITS.per_second


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("reset", times=None), TrayportConnectionError),
        (Fault("reset", times=None, after_bytes=1000), TrayportConnectionError),
        (Fault("status", times=None, status=503), TrayportServerError),
        (Fault("status", times=None, status=400), TrayportAPIError),
        (Fault("html", times=None), TrayportDecodeError),
        (Fault("cut", times=None), TrayportConnectionError),
        (Fault("wrong-length", times=None), TrayportConnectionError),
        (Fault("malformed", times=None), TrayportDecodeError),
        (Fault("null", times=None), TrayportDecodeError),
    ],
    ids=lambda value: getattr(value, "kind", getattr(value, "__name__", "")),
)
async def test_a_broken_answer_is_an_error_and_never_fewer_rows(
    fault: Fault, kind: type[Exception]
) -> None:
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(sandbox) as client:
        client = client.with_options(max_retries=0)
        sandbox.faults.add(fault)
        with pytest.raises(kind):
            await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-05")


@pytest.mark.parametrize("kind", ["reset", "status", "html", "cut", "wrong-length", "malformed"])
async def test_a_broken_answer_is_fetched_again_as_a_whole(
    kind: Literal["reset", "status", "html", "cut", "wrong-length", "malformed"],
) -> None:
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(
        sandbox, settings=Settings(_env_file=None, retry_base=0.001)
    ) as client:
        plain = await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-05")
        sandbox.faults.add(Fault(kind, times=2))
        found = await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-05")
    assert found.to_polars().equals(plain.to_polars())
    assert len(sandbox.requests) == 4


@pytest.mark.parametrize("kind", ["unknown-field", "unknown-venue"])
async def test_what_is_merely_new_passes(kind: Literal["unknown-field", "unknown-venue"]) -> None:
    sandbox = Sandbox(limits=False)
    async with TrayportClient.sandbox(sandbox) as client:
        plain = await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-05")
        sandbox.faults.add(Fault(kind))
        found = await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-05")
    assert len(found) == len(plain)
    assert found.to_polars().columns == plain.to_polars().columns
