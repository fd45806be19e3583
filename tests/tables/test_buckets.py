"""Days of other clocks, against plain Python: 23, 24 and 25 hours, gas days, weeks and months."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drawn import examples
from trayport_sdk import Interval, TrayportClient, TrayportValidationError
from trayport_sdk.query.times import TimeRange
from trayport_sdk.tables.analytics.buckets import Buckets, Clock

HOUR, DAY = 3600 * 10**9, 86_400 * 10**9
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = (
    "UTC",
    "Europe/Amsterdam",
    "Europe/London",
    "America/New_York",
    "Africa/Cairo",  # clocks change at midnight
    "Australia/Lord_Howe",  # by half an hour
    "Asia/Kolkata",
    "Pacific/Apia",  # had no 30 December 2011
)
STARTS = (None, "00:00", "06:00", "05:30", "02:30", "23:59:59")
# Around the changes of European and American clocks, of Egypt's and of the date line.
CHANGES = ("2024-03-31", "2024-10-27", "2024-03-10", "2024-11-03", "2023-04-28", "2011-12-30")


def nanoseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000


def days(tz: str, start: str | None, first: date, count: int) -> list[tuple[int, date]]:
    """When so many days start, and their dates; those that last no time are left out."""
    at = time.fromisoformat(start or "00:00")
    dates = [first + timedelta(days=n) for n in range(count)]
    local = [datetime.combine(day, at, ZoneInfo(tz)) for day in dates]
    starts = [nanoseconds(moment.astimezone(UTC)) for moment in local]
    return list(dict(zip(starts, dates, strict=True)).items())


def edges(tz: str, start: str | None, interval: Interval, begin: int, end: int) -> list[int]:
    """The edges of all buckets that have a part of a range, one by one."""
    first = (EPOCH + timedelta(microseconds=begin // 1000)).date().replace(day=1)
    every = days(tz, start, first - timedelta(days=3), 140)
    if interval.length is None:
        every = [(at, day) for at, day in every if day.day == 1]
    inside = max(n for n, (at, _) in enumerate(every) if at <= begin)
    starts = [at for at, _ in every[inside:]]
    if interval.length is not None and interval.length < DAY:
        pairs = pairwise(starts)
        starts = [edge for one, other in pairs for edge in range(one, other, interval.length)]
        starts = starts[max(n for n, edge in enumerate(starts) if edge <= begin) :]
    elif interval.count > 1:
        starts = starts[:: interval.count]
    result = [edge for edge in starts if edge < end]
    is_cut = interval.count > 1 and (interval.length is None or interval.length > DAY)
    return [*result, end if is_cut else starts[len(result)]]


@settings(max_examples=examples(150))
@given(
    st.sampled_from(ZONES),
    st.sampled_from(STARTS),
    st.sampled_from(("15m", "1h", "4h", "12h", "1d", "2d", "7d", "1mo", "2mo")),
    st.sampled_from(CHANGES),
    st.integers(-4 * DAY, DAY),
    st.integers(1, 9 * DAY),
    st.lists(st.floats(0, 1, exclude_max=True), max_size=20),
)
def test_buckets_are_those_of_plain_python(
    tz: str,
    start: str | None,
    text: str,
    change: str,
    before: int,
    length: int,
    places: list[float],
) -> None:
    begin = nanoseconds(datetime.fromisoformat(f"{change}T00:00Z")) + before
    end = begin + length
    interval = Interval.parse(text)
    expected = edges(tz, start, interval, begin, end)
    times = sorted({begin, end - 1, *(begin + int(place * length) for place in places)})
    buckets = Buckets.of(interval, Clock.of(tz, start), TimeRange(begin, end), times[0], times[-1])
    assert buckets.starts(begin, end).to_list() == expected[:-1]
    start_of = pl.DataFrame({"time": times}).select(buckets.start(pl.col("time"))).to_series()
    after = start_of.alias("start").to_frame().select(buckets.after(pl.col("start"))).to_series()
    found = list(zip(start_of, after, strict=True))
    pairs = list(pairwise(expected))
    assert found == [next(p for p in pairs if p[0] <= time < p[1]) for time in times]


AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("first", "hours"), [("2025-03-28", [24, 24, 23, 24]), ("2024-10-25", [24, 24, 25, 24])]
)
@pytest.mark.parametrize("day_start", [None, "06:00", time(6)])
async def test_a_range_of_local_days_has_just_these(
    first: str, hours: list[int], day_start: str | time | None
) -> None:
    opens = time(0) if day_start is None else time(6)
    range_ = [
        datetime.combine(date.fromisoformat(first) + timedelta(n), opens, AMSTERDAM) for n in (0, 4)
    ]
    async with TrayportClient.sandbox() as client:
        contract = "10000065*#Single#10000309#26#0"
        trades = await client.trades.get_trades(contract, *range_)
        candles = await client.trades.get_ohlcv(contract, range_[0], range_[1], "1h")
    clock = {"tz": AMSTERDAM, "day_start": day_start}
    own = trades.to_ohlcv("1d", **clock, include_empty_buckets=True)  # type: ignore[arg-type]
    frame = own.to_polars(tz="Europe/Amsterdam")
    assert frame["from_timestamp"].dt.time().unique().to_list() == [opens]
    lasted = (frame["to_timestamp"] - frame["from_timestamp"]).dt.total_hours()
    assert sum(lasted) == sum(hours)
    if day_start is None:
        assert lasted.to_list() == hours
    assert frame["trade_count"].sum() == len(trades) > 0
    longer = candles.resample("1d", **clock, include_empty_buckets=True)  # type: ignore[arg-type]
    assert longer.to_polars()["close"].equals(own.to_polars()["close"])
    flow = trades.aggressor_flow("1d", **clock, include_empty_buckets=True)  # type: ignore[arg-type]
    assert flow["from_timestamp"].equals(own.to_polars()["from_timestamp"])
    # Of candles of these days no days of UTC can be made.
    with pytest.raises(TrayportValidationError, match=r"cuts the candle .*tz and day_start"):
        own.resample("2d")


@pytest.mark.parametrize(
    ("tz", "day_start", "parameter", "says"),
    [
        ("Europe/Amsterdm", None, "tz", "use Europe/Amsterdam"),
        ("", None, "tz", "Europe/London"),
        (3, None, "tz", "is no time zone"),
        (None, "25:00", "day_start", '"06:00"'),
        (None, "6:00", "day_start", '"06:00"'),
        (None, "06.30", "day_start", '"06:00"'),
        (None, "06:00:00.5", "day_start", '"06:00"'),
        (None, "0630", "day_start", '"06:00"'),
        (None, "06:00+01:00", "day_start", "name the zone as tz"),
        (None, 6, "day_start", "is no time of day"),
        (None, time(6, tzinfo=UTC), "day_start", "is no time of day"),
    ],
)
def test_a_clock_that_does_not_exist_is_refused(
    tz: object, day_start: object, parameter: str, says: str
) -> None:
    with pytest.raises(TrayportValidationError, match=says) as error:
        Clock.of(tz, day_start)  # type: ignore[arg-type]
    assert error.value.parameter == parameter
