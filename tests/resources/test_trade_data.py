"""Private trades, candles, last trades, activity and tradable items from the sandbox."""

import warnings
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from trayport_spec import ENDPOINTS

from trayport_sdk import (
    ContractSpec,
    LastTrade,
    Settings,
    TrayportClient,
    TrayportExpiryWarning,
    TrayportValidationError,
)
from trayport_sdk.query.times import DAY, instant, to_text
from trayport_sdk.sandbox import Fault, Sandbox

pytestmark = pytest.mark.anyio

TTF, MONTHS = 10000065, 10000305
APRIL = ContractSpec(market_id=TTF, sequence_id=MONTHS, sequence_item_id=244)
EARLIEST = ENDPOINTS["get_activity"].limits.earliest_from or date.max


class TestPrivateTrades:
    async def test_everything_of_the_account_says_which_contract_it_is_of(self) -> None:
        async with TrayportClient.sandbox() as client:
            every = await client.trades.get_private_trades("2024-03-04", "2024-03-06")
        frame = every.to_polars()
        assert frame["contract"].null_count() == 0
        assert frame["contract_sequence_id"].n_unique() > 1
        assert frame["deal_date"].is_sorted()

    async def test_ids_narrow_it(self) -> None:
        async with TrayportClient.sandbox() as client:
            market = await client.trades.get_private_trades(
                "2024-03-04", "2024-03-06", market_id=TTF
            )
            months = await client.trades.get_private_trades(
                "2024-03-04", "2024-03-06", market_id=TTF, sequence_id=MONTHS
            )
            first = months[0].contract
            assert first
            own = ContractSpec.from_model(first)
            one = await client.trades.get_private_trades("2024-03-04", "2024-03-06", contract=own)
        frame = market.to_polars()
        assert set(frame["contract_market_id"]) == {TTF}
        assert frame.filter(contract_sequence_id=MONTHS).equals(months.to_polars())
        same = months.to_polars(nested=True).filter(months.to_polars()["contract"] == str(own))
        assert len(one) > 0
        assert same.drop("contract").equals(one.to_polars())

    async def test_the_current_day_is_served_to_everyone(self) -> None:
        now = datetime.now(UTC).replace(microsecond=0)
        async with TrayportClient.sandbox() as client:
            found = await client.trades.get_private_trades(now - timedelta(days=1))
        assert found.requests[0].window is not None
        assert found.requests[0].window.end > instant(now.date(), "now")

    @pytest.mark.parametrize(
        ("given", "parameter"),
        [
            ({"market_id": TTF, "instrument_id": 10002806}, "market_id"),
            ({"contract": APRIL, "sequence_id": MONTHS}, "sequence_id"),
            ({"contract": 7}, "contract"),
            ({"contract": [APRIL, APRIL]}, "contract"),
            ({"sequence_id": -1}, "sequence_id"),
            ({"sequence_id": "months"}, "sequence_id"),
        ],
    )
    async def test_what_contradicts_itself_is_not_sent(
        self, given: dict[str, Any], parameter: str
    ) -> None:
        sandbox = Sandbox(limits=False)
        async with TrayportClient.sandbox(sandbox) as client:
            with pytest.raises(TrayportValidationError) as refused:
                await client.trades.get_private_trades("2024-03-04", "2024-03-05", **given)
        assert refused.value.parameter == parameter
        assert len(sandbox.requests) == 0


class TestCandles:
    async def test_an_end_left_out_is_that_of_the_last_whole_candle(self) -> None:
        async with TrayportClient.sandbox() as client:
            client._runner.now = lambda: datetime(2024, 3, 20, 15, 30, tzinfo=UTC)
            months = await client.trades.get_ohlcv(APRIL, "2024-01", interval="1mo")
            days = await client.trades.get_ohlcv(APRIL, "2024-03-18", interval="1d")
        assert [to_text(candle.from_timestamp)[:7] for candle in months] == ["2024-01", "2024-02"]
        assert len(days) == 2

    async def test_weeks_are_counted_from_the_start_over_every_cut(self) -> None:
        """Seven days do not divide the longest range, so a careless cut would shift the weeks."""
        start, end = "2013-01-02", "2024-03-20"
        async with TrayportClient.sandbox() as client:
            weeks = await client.trades.get_ohlcv(
                APRIL, start, end, "7d", include_empty_buckets=True
            )
        assert len(weeks.requests) > 2
        first = instant(start, "from_")
        stamps = weeks.to_polars()["from_timestamp"].cast(pl.Int64).to_list()
        assert stamps == list(range(first, instant(end, "until"), 7 * DAY))

    async def test_empty_candles_come_when_asked_for(self) -> None:
        async with TrayportClient.sandbox() as client:
            some = await client.get_ohlcv(APRIL, "2024-03-02", "2024-03-05", "1d")
            every = await client.get_ohlcv(
                APRIL, "2024-03-02", "2024-03-05", "1d", include_empty_buckets=True
            )
        assert (len(some), len(every)) == (1, 3)
        assert (every[0].open_, every[0].volume) == (None, 0)


class TestLastTrade:
    async def test_it_is_the_last_one_before_the_instant(self) -> None:
        async with TrayportClient.sandbox() as client:
            trades = await client.trades.get_trades(APRIL, "2024-03-04", "2024-03-05")
            last = await client.trades.get_last_trade(APRIL, at="2024-03-05")
        assert last == LastTrade(price=trades[-1].price, deal_date=trades[-1].deal_date)

    async def test_a_contract_that_never_traded_has_none(self) -> None:
        async with TrayportClient.sandbox() as client:
            assert await client.trades.get_last_trade(APRIL, at="2010-01-01") is None


class TestActivity:
    async def test_the_counts_of_a_long_range_are_those_of_its_parts(self) -> None:
        (limit,) = ENDPOINTS["get_activity"].limits.ranges
        end = instant("2024-03-01", "from_") + (limit.max_days + 3) * DAY
        async with TrayportClient.sandbox() as client:
            whole = await client.trades.get_activity(
                "2024-03-01", to_text(end), routes="all", optional_fields=["update_count"]
            )
            days = [
                await client.trades.get_activity(
                    to_text(day),
                    to_text(day + DAY),
                    routes="all",
                    optional_fields=["update_count"],
                )
                for day in range(instant("2024-03-01", "from_"), end, DAY)
            ]
        assert len(whole.requests) == 2
        parts = pl.concat([day.to_polars() for day in days])
        names = [name for name in parts.columns if name not in ("count", "update_count")]
        summed = parts.group_by(names).agg(pl.col("count", "update_count").sum())
        order = [*names, "count"]
        expected = summed.select(parts.columns).sort(order)
        assert whole.to_polars().sort(order).equals(expected)

    @pytest.mark.parametrize(
        ("from_", "words"),
        [(EARLIEST - timedelta(days=1), str(EARLIEST)), ("2024-03-04T00:00:01", "minute")],
    )
    async def test_what_is_not_counted_is_refused(self, from_: Any, words: str) -> None:
        async with TrayportClient.sandbox() as client:
            with pytest.raises(TrayportValidationError, match=words) as refused:
                await client.trades.get_activity(from_, "2024-03-05")
        assert refused.value.parameter == "from_"


class TestTradingItems:
    async def test_a_long_range_keeps_the_items_of_its_start(self) -> None:
        """The next items are counted from `from`, so every later window would name others."""
        async with TrayportClient.sandbox() as client:
            with pytest.warns(TrayportExpiryWarning, match=r"continuous") as warned:
                found = await client.trades.get_trades_by_trading_items(
                    TTF, sequence_id=MONTHS, trading_items=2, from_="2024-01-15", until="2024-03-20"
                )
            items = await client.snapshots.get_snapshots_by_trading_items(
                TTF, sequence_id=MONTHS, trading_items=2, at="2024-01-15"
            )
            contracts = [ContractSpec.from_model(one.contract) for one in items]
            same = await client.trades.get_trades(contracts, "2024-01-15", "2024-03-20")
        assert len(found.requests) > 1
        assert found.to_polars().equals(same.to_polars())
        names = [str(warning.message).partition(" expires at ")[0] for warning in warned]
        assert names == ["TTF Hi Cal 51.6* Feb-24", "TTF Hi Cal 51.6* Mar-24"]
        assert {warning.filename for warning in warned} == {__file__}

    @pytest.mark.parametrize("until", ["2024-03-28", "2024-03-29"])
    async def test_an_item_that_expires_within_the_range_is_named(self, until: str) -> None:
        sandbox = Sandbox(limits=False)
        async with TrayportClient.sandbox(sandbox) as client:
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                await client.trades.get_trades_by_trading_items(
                    TTF, sequence_id=MONTHS, trading_items=1, from_="2024-03-27", until=until
                )
        assert len(warned) == (until == "2024-03-29")

    async def test_rows_come_also_when_it_is_not_known_what_expires(self) -> None:
        sandbox = Sandbox(limits=False)
        sandbox.faults.add(Fault("status", operation_id="get_sequence_items", times=None))
        once = Settings(_env_file=None, max_retries=0)
        async with TrayportClient.sandbox(sandbox, settings=once) as client:
            found = await client.trades.get_trades_by_trading_items(
                TTF, sequence_id=MONTHS, trading_items=1, from_="2024-03-27", until="2024-03-29"
            )
        assert len(found) > 0

    async def test_a_short_range_takes_one_request(self) -> None:
        sandbox = Sandbox(limits=False)
        async with TrayportClient.sandbox(sandbox) as client:
            found = await client.trades.get_trades_by_trading_items(
                instrument_id=10002806,
                sequence_id=MONTHS,
                trading_items=3,
                from_="2024-03-04",
                until="2024-03-05",
            )
        paths = [request.path.rpartition("/")[2] for request in sandbox.requests]
        assert paths == ["trades", "sequenceItems"]
        assert "contract" in found.to_polars().columns
