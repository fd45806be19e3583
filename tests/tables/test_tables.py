"""Tables in the hands of other libraries: nothing is rounded, and nothing copied without need."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trayport_spec import ENDPOINTS, Column

from tests.drawn import examples
from tests.tables.test_responses import (
    FRAME,
    AnyTable,
    every_class,
    everything,
    record,
)
from tests.tables.test_responses import table_of as table_of_answer
from trayport_sdk import (
    SnapshotsResponse,
    TradesBatch,
    TradesResponse,
    TrayportConfigurationError,
    TrayportValidationError,
    Window,
    errors,
)
from trayport_sdk.query.contracts import ContractSpec
from trayport_sdk.tables.decode.schema import RequestedColumns, to_frame

ZONE = "Europe/London"
SUMMER = 1719792000123456789  # 2024-07-01T00:00:00Z
WINTER = 1709546523123456789


def full(kind: AnyTable) -> Any:
    return table_of_answer(kind, *everything(kind))


def empty(kind: AnyTable) -> Any:
    return kind.nothing(everything(kind)[1])


def priced(*prices: float | None, name: str = "price") -> TradesResponse:
    return TradesResponse(pl.DataFrame({name: pl.Series(prices, dtype=pl.Float64)}), [])


def pickled(table: Any) -> Any:
    return pickle.loads(pickle.dumps(table))  # noqa: S301


# Indexing


@given(
    st.integers(0, 12), st.none() | st.integers(-15, 15), st.none() | st.integers(-15, 15),
    st.none() | st.integers(-5, 5).filter(bool),
)  # fmt: skip
def test_a_slice_has_the_rows_that_a_slice_of_a_list_has(
    height: int, start: int | None, stop: int | None, step: int | None
) -> None:
    numbers = list(range(height))
    part = priced(*numbers)[start:stop:step]
    assert part.to_polars()["price"].to_list() == numbers[start:stop:step]


def test_an_index_is_the_number_of_a_row() -> None:
    table = TradesResponse(FRAME, [])
    models = list(table)
    assert [table[place] for place in (0, 1, 2, -1, -3, np.int64(-1))] == [
        models[place] for place in (0, 1, 2, -1, -3, -1)
    ]
    assert list(table[np.int64(1) : np.int64(3)]) == models[1:]
    assert table.to_models() == models
    for other in (1.0, None, (0, 1), slice("a", "b")):
        with pytest.raises(TypeError):
            table[other]  # type: ignore[index]
    with pytest.raises(TypeError, match=r"not by 'price'; to_polars\(\) has the columns"):
        table["price"]  # type: ignore[call-overload]
    with pytest.raises(IndexError, match="row 0 of a table of 0 rows"):
        table[:0][0]


# What it is made of


def test_a_table_knows_what_its_requests_brought() -> None:
    early, late = Window(0, 10), Window(10, 20)
    records = [
        record(window=early, unexpected={"routeId": 1}),
        record(window=late, unexpected={"routeId": 2, "price": 1}),
        record(window=late),
        record(window=None),
    ]
    table = TradesResponse(FRAME, records)
    assert table.request_count == 4
    assert table.windows == (early, late)
    assert table.seconds == 2.0
    assert (table.bytes_received, table.bytes_decoded, table.dropped) == (1600, 12000, 8)
    assert table.unexpected == {"routeId": 3, "price": 1}
    part = table[1:2]
    assert part.requests == table.requests
    assert part.windows == table.windows
    said = table.explain()
    first, last = "1970-01-01T00:00:00.000000001Z", "2024-03-04T10:02:03.123456789Z"
    assert f"deal_date from {first} to {last}" in said
    assert "not of their type: routeId (3), price (1)" in said
    assert "2.00 s for requests" in said
    plain = TradesResponse(FRAME[:0], [record()]).explain()
    assert "not of their type" not in plain
    assert "deal_date" not in plain


def test_a_notebook_shows_first_and_last_rows_and_no_markup_of_a_server() -> None:
    rows = 1000
    frame = pl.DataFrame(
        {
            "trade_id": pl.int_range(rows, eager=True).cast(pl.String),
            "route": ["<script>alert(1)</script>"] * rows,
        }
    ).with_columns(pl.lit(0).cast(pl.Datetime("ns", "UTC")).alias("deal_date"))
    shown = TradesResponse(frame, [record(unexpected={"<b>": 1})])._repr_html_()
    assert shown.startswith("<p><strong>TradesResponse</strong>: 1,000 rows from 1 request")
    assert "&quot;0&quot;" in shown
    assert "&quot;999&quot;" in shown
    assert "&quot;500&quot;" not in shown
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "<b>" not in shown


@every_class
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickled])
def test_a_copy_of_a_table_is_the_same(kind: AnyTable, again: Callable[[Any], Any]) -> None:
    table = full(kind)
    other = again(table)
    assert type(other) is kind
    assert other.to_polars().equals(table.to_polars())
    assert other.to_polars().schema == table.to_polars().schema
    assert other.requests == table.requests
    assert list(other[:3]) == list(table[:3])


def test_a_batch_knows_its_contract_after_a_pickle() -> None:
    contract = ContractSpec(instrument_id=1, sequence_id=2, sequence_item_id=3)
    batch = TradesBatch.about(contract, FRAME, record())
    assert pickled(batch).contract == contract


# Without a row


def types(frame: pd.DataFrame) -> Mapping[str, str]:
    return {str(name): str(kind) for name, kind in frame.dtypes.items()}


@every_class
@pytest.mark.parametrize("tz", [None, ZONE])
def test_a_conversion_of_no_rows_has_the_columns_and_types_of_one_of_many(
    kind: AnyTable, tz: str | None
) -> None:
    many, none = full(kind), empty(kind)
    assert len(many) > 0
    assert len(none) == len(none.to_polars(tz=tz)) == none.to_arrow(tz=tz).num_rows == 0
    assert none.to_polars(tz=tz).schema == many.to_polars(tz=tz).schema
    assert none.to_arrow(tz=tz).schema == many.to_arrow(tz=tz).schema
    for arrow in (False, True):
        frame = none.to_pandas(tz=tz, arrow=arrow)
        assert types(frame) == types(many.to_pandas(tz=tz, arrow=arrow))
    found, expected = none.to_numpy(tz=tz), many.to_numpy(tz=tz)
    assert {n: (type(a), a.dtype) for n, a in found.items()} == {
        n: (type(a), a.dtype) for n, a in expected.items()
    }
    assert {len(array) for array in found.values()} == {0}
    assert {len(array) for array in expected.values()} == {len(many)}
    names = none.to_polars().columns
    assert none.to_arrow(decimal=True).column_names == names
    assert list(none.to_pandas(decimal=True).columns) == names
    assert "Float64" not in str(none.to_polars(decimal=True).schema)


@every_class
@pytest.mark.parametrize("options", [{}, {"tz": ZONE}, {"decimal": True}])
def test_files_of_no_rows_have_the_columns(
    kind: AnyTable, options: dict[str, Any], tmp_path: Path
) -> None:
    many, none = full(kind), empty(kind)
    for name, table in (("none", none), ("many", many)):
        table.to_parquet(tmp_path / f"{name}.parquet", **options)
        table.to_csv(tmp_path / f"{name}.csv", **options)
        table.to_json(tmp_path / f"{name}.jsonl", **options)
    assert pl.read_parquet(tmp_path / "none.parquet").equals(none.to_polars(**options))
    assert pl.read_parquet(tmp_path / "many.parquet").equals(many.to_polars(**options))
    heads = [(tmp_path / f"{name}.csv").read_text().split("\n")[0] for name in ("none", "many")]
    assert heads[0] == heads[1]
    assert (tmp_path / "none.jsonl").read_text() == ""


# Memory that is shared


def addresses(values: pl.Series) -> int:
    found: int = values.to_physical().to_numpy(allow_copy=False).__array_interface__["data"][0]
    return found


def in_arrow(column: Any) -> int:
    """Where the values of a column of one piece are."""
    (piece,) = column.chunks
    found: int = piece.buffers()[1].address
    return found


NUMERIC = ("deal_date", "price", "quantity")


def test_numbers_and_times_stay_in_the_memory_of_the_table() -> None:
    frame = FRAME.with_columns(pl.Series("route_id", [1, 2, 3]))
    table = TradesResponse(frame, [])
    own = {name: addresses(frame[name]) for name in (*NUMERIC, "route_id")}
    arrow, local = table.to_arrow(), table.to_arrow(tz=ZONE)
    assert isinstance(arrow, pa.Table)
    assert str(arrow.schema.field("deal_date").type) == "timestamp[ns, tz=UTC]"
    assert {name: in_arrow(arrow[name]) for name in own} == own
    assert {name: in_arrow(local[name]) for name in own} == own
    arrays = table.to_numpy()
    assert arrays["deal_date"].dtype == np.dtype("datetime64[ns]")
    assert not arrays["price"].flags.writeable
    assert isinstance(arrays["route_id"], np.ma.MaskedArray)
    assert {name: np.ma.getdata(arrays[name]).__array_interface__["data"][0] for name in own} == own
    pandas = table.to_pandas(arrow=True)
    assert {name: in_arrow(pandas[name].array.__arrow_array__()) for name in own} == own
    assert addresses(table[1:].to_polars()["price"]) == own["price"] + 8
    assert addresses(TradesResponse.of([frame], []).to_polars()["price"]) == own["price"]


def test_a_plain_pandas_frame_may_be_written_to_and_leaves_the_table_as_it_was() -> None:
    table = TradesResponse(FRAME, [])
    frame = table.to_pandas()
    frame.loc[0, "price"] = 0.0
    frame.loc[1, "quantity"] = 0.0
    assert table.to_polars().equals(FRAME)


# Whole numbers and what is missing

BIG = 9007199254740993  # the first whole number that no float is


def with_gaps() -> TradesResponse:
    times = pl.Series([WINTER, None, SUMMER]).cast(pl.Datetime("ns", "UTC"))
    return TradesResponse(
        FRAME.with_columns(
            pl.Series("route_id", [BIG, None, 3]),
            pl.Series("from_broken_spread", [True, None, False]),
            pl.Series("price", [0.1, None, 2.0]),
            times.alias("last_updated"),
        ),
        [],
    )


def test_whole_numbers_of_which_some_are_missing_stay_whole_in_pandas() -> None:
    frame = with_gaps().to_pandas()
    assert frame["route_id"].dtype == pd.Int64Dtype()
    assert frame["route_id"][0] == BIG
    assert frame["route_id"].isna().tolist() == [False, True, False]
    assert frame["from_broken_spread"].dtype == pd.BooleanDtype()
    assert frame["from_broken_spread"].isna().tolist() == [False, True, False]
    assert frame["price"].dtype == np.float64
    assert frame["last_updated"].isna().tolist() == [False, True, False]
    assert with_gaps().to_pandas(arrow=True)["route_id"][0] == BIG


def test_whole_numbers_of_which_some_are_missing_stay_whole_in_numpy() -> None:
    arrays = with_gaps().to_numpy()
    routes, flags = arrays["route_id"], arrays["from_broken_spread"]
    assert isinstance(routes, np.ma.MaskedArray)
    assert isinstance(flags, np.ma.MaskedArray)
    assert routes.tolist() == [BIG, None, 3]
    assert flags.tolist() == [True, None, False]
    assert (routes.dtype, flags.dtype) == (np.dtype(np.int64), np.dtype(bool))
    assert np.isnan(arrays["price"]).tolist() == [False, True, False]
    assert np.isnat(arrays["last_updated"]).tolist() == [False, True, False]
    assert arrays["route"].tolist() == ["Direct", None, "Direct"]


def test_a_gap_in_a_column_that_may_have_none_makes_no_float_either() -> None:
    wanted = RequestedColumns()
    counts = to_frame("get_activity", [], wanted).select("count")
    frame = pl.concat([counts, pl.DataFrame({"count": [BIG, None]})])
    table = TradesResponse(frame, [])
    assert table.to_pandas()["count"].dtype == pd.Int64Dtype()
    assert table.to_numpy()["count"].tolist() == [BIG, None]


CONTRACT = {
    "contract_type": "SinglePeriod", "market_id": None, "instrument_id": BIG, "sequence_id": 1,
    "sequence_item_id": 2, "second_sequence_item_id": None,
}  # fmt: skip


def snapshots() -> SnapshotsResponse:
    frame = pl.DataFrame(
        {
            "contract": [CONTRACT, CONTRACT | {"instrument_id": None}],
            "last_trade": [None, {"price": 26.475, "deal_date": SUMMER}],
        }
    ).with_columns(
        pl.col("last_trade").cast(
            pl.Struct({"price": pl.Float64(), "deal_date": pl.Datetime("ns", "UTC")})
        ),
        pl.col("contract").cast(
            pl.Struct(
                {name: pl.String if name == "contract_type" else pl.Int64 for name in CONTRACT}
            )
        ),
    )
    return SnapshotsResponse(frame, [])


def test_nested_columns_of_pandas_hold_exact_whole_numbers_and_times() -> None:
    frame = snapshots().to_pandas(nested=True)
    assert list(frame["contract"]) == [CONTRACT, CONTRACT | {"instrument_id": None}]
    assert type(frame["contract"][0]["instrument_id"]) is int
    assert list(frame["last_trade"]) == [None, {"price": 26.475, "deal_date": SUMMER}]


def test_nested_columns_are_flat_in_numpy() -> None:
    arrays = snapshots().to_numpy()
    assert list(arrays) == [
        "contract", "contract_name", "period", *(f"contract_{name}" for name in CONTRACT),
        "last_trade_price", "last_trade_deal_date",
    ]  # fmt: skip
    assert arrays["contract"].tolist() == [f"{BIG}#Single#1#2#0", None]
    assert arrays["contract_instrument_id"].tolist() == [BIG, None]
    assert arrays["last_trade_price"].tolist()[1] == 26.475
    assert np.isnan(arrays["last_trade_price"][0])
    assert arrays["last_trade_deal_date"].astype(np.int64)[1] == SUMMER
    assert np.isnat(arrays["last_trade_deal_date"][0])


@pytest.mark.parametrize("columns", ["price", ["price"], ("price",), iter(["price"])])
def test_some_columns_are_enough(columns: Any) -> None:
    assert list(TradesResponse(FRAME, []).to_numpy(columns)) == ["price"]


def test_a_column_that_is_not_there_is_named_with_those_that_are_like_it() -> None:
    with pytest.raises(TrayportValidationError, match="'prise'") as caught:
        TradesResponse(FRAME, []).to_numpy(["prise"])
    assert caught.value.parameter == "columns"
    assert caught.value.suggestion == "use price"


# Local time


def test_times_are_those_of_the_zone_in_every_library(tmp_path: Path) -> None:
    frame = FRAME.with_columns(
        pl.Series("deal_date", [WINTER, SUMMER, SUMMER + 1]).cast(pl.Datetime("ns", "UTC"))
    )
    table = TradesResponse(frame, [])
    polars = table.to_dataframe(tz=ZONE)
    assert polars.schema["deal_date"] == pl.Datetime("ns", ZONE)
    assert polars["deal_date"].cast(pl.Int64).to_list() == [WINTER, SUMMER, SUMMER + 1]
    for pandas in (table.to_dataframe("pandas", tz=ZONE), table.to_pandas(tz=ZONE, arrow=True)):
        assert [stamp.value for stamp in pandas["deal_date"]] == [WINTER, SUMMER, SUMMER + 1]
        assert [stamp.hour for stamp in pandas["deal_date"]] == [10, 1, 1]
    assert (
        str(table.to_arrow(tz=ZONE).schema.field("deal_date").type) == f"timestamp[ns, tz={ZONE}]"
    )
    assert table.to_numpy(tz=ZONE)["deal_date"].astype(str).tolist() == [
        "2024-03-04T10:02:03.123456789",
        "2024-07-01T01:00:00.123456789",
        "2024-07-01T01:00:00.123456790",
    ]
    table.to_parquet(tmp_path / "local.parquet", tz=ZONE)
    assert pl.read_parquet(tmp_path / "local.parquet").equals(polars)


LOCAL = [
    "2024-03-04T10:02:03.123456789+00:00",
    "2024-07-01T01:00:00.123456789+01:00",
    "2024-07-01T01:00:00.123456790+01:00",
]


def test_local_times_in_files_of_text_carry_their_offset(tmp_path: Path) -> None:
    times = pl.Series("deal_date", [WINTER, SUMMER, SUMMER + 1]).cast(pl.Datetime("ns", "UTC"))
    table = TradesResponse(FRAME.with_columns(times), [])
    table.to_csv(tmp_path / "local.csv", tz=ZONE)
    table.to_json(tmp_path / "local.jsonl", tz=ZONE)
    read = pl.read_csv(tmp_path / "local.csv", try_parse_dates=False)
    assert read["deal_date"].to_list() == LOCAL
    lines = (tmp_path / "local.jsonl").read_text().splitlines()
    assert [json.loads(line)["deal_date"] for line in lines] == LOCAL


def test_times_inside_nested_columns_are_local_too(tmp_path: Path) -> None:
    table = snapshots()
    kind = table.to_polars(tz=ZONE, nested=True).schema["last_trade"]
    assert kind == pl.Struct({"price": pl.Float64(), "deal_date": pl.Datetime("ns", ZONE)})
    first, last = table.to_pandas(tz=ZONE, nested=True)["last_trade"]
    assert first is None
    assert last["deal_date"] == pd.Timestamp(SUMMER, tz=ZONE)
    assert last["deal_date"].hour == 1
    table.to_json(tmp_path / "local.jsonl", tz=ZONE, nested=True)
    lines = [json.loads(line) for line in (tmp_path / "local.jsonl").read_text().splitlines()]
    assert [line["last_trade"] for line in lines] == [
        None,
        {"price": 26.475, "deal_date": "2024-07-01T01:00:00.123456789+01:00"},
    ]
    local = table.to_numpy(tz=ZONE)["last_trade_deal_date"]
    assert str(local[1]) == "2024-07-01T01:00:00.123456789"


@given(st.integers(0, 4102444800 * 10**9), st.sampled_from([ZONE, "Asia/Kolkata", "UTC"]))
def test_local_times_agree_with_the_standard_library(time: int, zone: str) -> None:
    frame = pl.DataFrame({"deal_date": pl.Series([time]).cast(pl.Datetime("ns", "UTC"))})
    (found,) = TradesResponse(frame, []).to_numpy(tz=zone)["deal_date"]
    moment = datetime.fromtimestamp(time // 10**9, ZoneInfo(zone)).replace(tzinfo=None)
    assert str(found) == f"{moment.isoformat()}.{time % 10**9:09}"


@pytest.mark.parametrize(
    ("tz", "near"), [("Europe/Londn", "Europe/London"), ("europe/berlin", "Europe/Berlin")]
)
def test_a_zone_that_is_not_known_is_refused_with_those_like_it(tz: str, near: str) -> None:
    table = TradesResponse(FRAME, [])
    calls: Sequence[Callable[..., object]] = [
        table.to_polars, table.to_pandas, table.to_arrow, table.to_numpy, table.to_dataframe,
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(TrayportValidationError, match=f"tz '{tz}' is no time zone") as caught:
            call(tz=tz)
        assert caught.value.parameter == "tz"
        assert near in str(caught.value.suggestion)


@pytest.mark.parametrize("tz", ["", "Mars/Olympus", 3, "\0"])
def test_what_is_no_name_of_a_zone_is_refused(tz: Any, tmp_path: Path) -> None:
    with pytest.raises(TrayportValidationError, match="is no time zone"):
        TradesResponse(FRAME, []).to_csv(tmp_path / "rows.csv", tz=tz)
    assert list(tmp_path.iterdir()) == []


# Decimals

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
PRICES = st.floats(-1e6, 1e6) | st.decimals(-(10**9), 10**9, places=6).map(float)


def digits(number: Decimal) -> tuple[int, int]:
    """How many digits stand before the point and after it."""
    _, figures, power = number.normalize().as_tuple()
    assert isinstance(power, int)
    return max(1, len(figures) + power), max(0, -power)


@settings(max_examples=examples(300))
@given(st.lists(st.none() | PRICES | FLOATS, max_size=5))
def test_decimals_are_the_shortest_texts_of_the_floats_or_refused(
    prices: list[float | None],
) -> None:
    exact = [None if price is None else Decimal(repr(price)) for price in prices]
    sizes = [digits(number) for number in exact if number]
    needed = max((n for n, _ in sizes), default=1) + max((n for _, n in sizes), default=0)
    if needed > 38:
        with pytest.raises(TrayportValidationError, match="38 digits"):
            priced(*prices).to_polars(decimal=True)
    else:
        found = priced(*prices).to_polars(decimal=True)["price"]
        assert found.to_list() == exact
        assert found.dtype == pl.Decimal(38, max((n for _, n in sizes), default=0))


def test_a_column_has_the_decimal_places_that_its_values_need() -> None:
    for places, prices in ((3, (26.475, 3.0, -0.5, None)), (0, (25.0, 1e22))):
        assert priced(*prices).to_polars(decimal=True).schema["price"] == pl.Decimal(38, places)


@pytest.mark.parametrize("price", [1e300, 5e-324, float("inf"), float("nan"), 1e38])
def test_a_number_that_is_no_decimal_of_38_digits_is_refused(price: float) -> None:
    with pytest.raises(TrayportValidationError, match="values of price such as") as caught:
        priced(1.0, price).to_polars(decimal=True)
    assert (caught.value.parameter, caught.value.limit) == ("decimal", "38 digits")


def test_decimals_reach_every_library_and_file(tmp_path: Path) -> None:
    table = priced(26.475, None, -3.0)
    exact = [Decimal("26.475"), None, Decimal(-3)]
    assert table.to_arrow(decimal=True)["price"].to_pylist() == exact
    assert table.to_numpy(decimal=True)["price"].tolist() == exact
    assert table.to_dataframe("pandas", decimal=True)["price"].tolist() == exact
    assert table.to_pandas(decimal=True, arrow=True)["price"][0] == exact[0]
    table.to_csv(tmp_path / "rows.csv", decimal=True)
    assert (tmp_path / "rows.csv").read_text() == "price\n26.475\n\n-3.000\n"
    table.to_json(tmp_path / "rows.jsonl", decimal=True)
    assert json.loads((tmp_path / "rows.jsonl").read_text().split()[0]) == {"price": "26.475"}


def floats_in(columns: Sequence[Column], value: Any) -> list[float]:
    """All numbers of a row that may have decimal places."""
    found: list[float] = []
    for column in columns:
        inner = value.get(column.python_name)
        if inner is None:
            continue
        if column.type == "float64":
            found.append(inner)
        elif column.type == "struct":
            found += floats_in(column.fields, inner)
        elif column.type == "list":
            for one in inner:
                found += floats_in(column.fields, one)
    return found


@every_class
def test_every_number_with_decimal_places_is_a_decimal_however_deep(kind: AnyTable) -> None:
    table = full(kind)
    columns = ENDPOINTS[kind.operation_id].row
    nested = (table.to_polars(decimal=exact, nested=True) for exact in (False, True))
    rows = zip(*(frame.to_dicts() for frame in nested), strict=True)
    for floats, decimals in rows:
        plain, exact = floats_in(columns, floats), floats_in(columns, decimals)
        assert [Decimal(repr(number)) for number in plain] == exact
    assert "Float64" not in str(table.to_polars(decimal=True).schema)


def test_what_has_nothing_to_convert_is_not_copied() -> None:
    frame = FRAME.select("trade_id", "aggressor_buy")
    assert TradesResponse(frame, []).to_polars() is frame
    other = TradesResponse(FRAME, []).to_polars(decimal=True)
    assert addresses(other["deal_date"]) == addresses(FRAME["deal_date"])


# Libraries that are missing


@pytest.mark.parametrize(("call", "extra"), [("to_arrow", "arrow"), ("to_pandas", "pandas")])
def test_a_library_that_is_missing_is_named_with_its_extra(
    call: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "find_spec", lambda _: None)
    with pytest.raises(TrayportConfigurationError, match=rf"{call} needs .*\[{extra}\]"):
        getattr(TradesResponse(FRAME, []), call)()
