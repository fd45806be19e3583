import json
import operator
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import trayport_api.models as models
from trayport_api.models import Trade
from trayport_spec import ENDPOINTS

from tests.sandbox.asking import MINIMAL, Asker
from trayport_sdk import TradesResponse, TrayportLookupError, TrayportValidationError
from trayport_sdk.query.plan import counted
from trayport_sdk.tables import (
    ActivityResponse,
    LastTradeResponse,
    OHLCVResponse,
    OrderBookResponse,
    OrderBookTopResponse,
    PrivateTradesResponse,
    SnapshotsResponse,
    TableResponse,
)
from trayport_sdk.tables.base import RequestRecord
from trayport_sdk.tables.decode.decoder import decode_response
from trayport_sdk.tables.decode.schema import ColumnFilter, RequestedColumns, to_frame

AnyTable = type[TableResponse[Any]]

MODELS: Mapping[AnyTable, Any] = {
    TradesResponse: models.Trade,
    PrivateTradesResponse: models.PrivateTrade,
    OHLCVResponse: models.Candle,
    LastTradeResponse: models.LastTrade,
    ActivityResponse: models.Activity,
    OrderBookTopResponse: models.TopOfBook,
    OrderBookResponse: models.OrderBook,
    SnapshotsResponse: models.Snapshot,
}
every_class = pytest.mark.parametrize("kind", MODELS, ids=operator.attrgetter("__name__"))

FRAME = pl.DataFrame(
    {
        "trade_id": ["a", "b", "c"],
        "venue_code": ["EEX7", "ICE", "NEW1"],
        "deal_date": pl.Series([1, 2, 1709546523123456789]).cast(pl.Datetime("ns", "UTC")),
        "price": [26.475, -1.5, 0.1],
        "quantity": [5.0, 1.25, 10.0],
        "aggressor_buy": [True, False, True],
        "route": ["Direct", None, "Direct"],
    }
)
TRADES = TradesResponse(FRAME, [])
WITHOUT_EXTRAS = RequestedColumns()


def record(**more: Any) -> RequestRecord:
    given: dict[str, Any] = {
        "endpoint": "/trades",
        "parameters": {},
        "window": None,
        "rows": 1,
        "dropped": 2,
        "bytes_decoded": 3000,
        "bytes_received": 400,
        "seconds": 0.5,
    }
    return RequestRecord(**given | more)


def everything(kind: AnyTable) -> tuple[bytes, ColumnFilter]:
    """A response of the sandbox with every field of the endpoint, and the columns it has."""
    return sent(kind.operation_id)


@cache
def sent(operation_id: str) -> tuple[bytes, ColumnFilter]:
    endpoint = ENDPOINTS[operation_id]
    query = dict(MINIMAL[endpoint.path])
    named = {parameter.name for parameter in endpoint.parameters}
    for name in named & {"includePrivate", "includeEmptyBuckets"}:
        query[name] = "true"
    if endpoint.optional_fields:
        query["optionalFields"] = list(endpoint.optional_fields)
    response = Asker().analytics(endpoint.path, query)
    assert response.status_code == 200, response.text
    return response.content, RequestedColumns(endpoint.optional_fields, tuple(query))


def rows_in(kind: AnyTable, body: bytes) -> list[dict[str, Any]]:
    document = json.loads(body)
    rows_at = ENDPOINTS[kind.operation_id].rows_at
    rows: list[dict[str, Any]] = document[rows_at] if rows_at else document
    return rows


def table_of(kind: AnyTable, body: bytes, wanted: ColumnFilter) -> TableResponse[Any]:
    found = decode_response(kind.operation_id, body)
    frame = to_frame(kind.operation_id, found.rows, wanted)
    return kind.of([frame], [record(timestamp=found.timestamp)])


def written(kind: AnyTable, document: object, **columns: Any) -> TableResponse[Any]:
    """The table of a document that stands here."""
    return table_of(kind, json.dumps(document).encode(), RequestedColumns(**columns))


@every_class
def test_the_models_are_those_of_the_rows_as_they_were_sent(kind: AnyTable) -> None:
    body, wanted = everything(kind)
    rows = rows_in(kind, body)
    assert rows
    assert list(table_of(kind, body, wanted)) == [MODELS[kind].from_dict(row) for row in rows]


@every_class
def test_columns_that_were_not_asked_for_are_none_in_the_models(kind: AnyTable) -> None:
    body, _ = everything(kind)
    table = table_of(kind, body, WITHOUT_EXTRAS)
    optional = {c.python_name for c in ENDPOINTS[kind.operation_id].row if not WITHOUT_EXTRAS(c)}
    assert optional.isdisjoint(table.to_polars().columns)
    assert all(getattr(model, name) is None for model in table for name in optional)


@every_class
def test_every_table_is_indexed_sliced_shown_and_handed_to_pandas(kind: AnyTable) -> None:
    body, wanted = everything(kind)
    table = table_of(kind, body, wanted)
    first = next(iter(table))
    assert table[0] == first
    assert table[-len(table)] == first
    assert list(table[:2]) == list(table)[:2]
    assert type(table[:2]) is kind
    assert table[:2].requests == table.requests
    rows = counted(len(table), "row")
    assert repr(table) == f"{kind.__name__}({rows}, 1 request)"
    assert f"{rows} from 1 request, 400 bytes received" in table.explain()
    assert "<table" in table._repr_html_()
    pandas = table.to_pandas()
    assert list(pandas.columns) == table.to_polars().columns
    assert len(pandas) == len(table)


@every_class
def test_every_table_is_written_and_read_back(kind: AnyTable, tmp_path: Path) -> None:
    body, wanted = everything(kind)
    table = table_of(kind, body, wanted)
    table.to_parquet(tmp_path / "rows.parquet", nested=True)
    table.to_json(tmp_path / "rows.jsonl")
    table.to_csv(tmp_path / "rows.csv")
    read = pl.read_parquet(tmp_path / "rows.parquet")
    assert read.equals(table.to_polars(nested=True))
    assert list(kind(read, [])) == list(table)
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == len(table)
    assert pl.read_csv(tmp_path / "rows.csv").height >= len(table)


@every_class
def test_a_frame_that_is_in_order_is_handed_over_without_a_copy(kind: AnyTable) -> None:
    body, wanted = everything(kind)
    frame = table_of(kind, body, wanted).to_polars(nested=True)
    table = kind(frame, [])
    assert table.to_polars(nested=True) is frame
    assert table.to_dataframe(nested=True) is frame


def test_models_are_made_with_exact_integers_and_what_did_not_come_is_none() -> None:
    assert list(TRADES)[2] == Trade(
        "c", "NEW1", 1709546523123456789, 0.1, 10.0, True, route="Direct"
    )
    assert TRADES[1].route is None


@pytest.mark.parametrize("place", [3, -4])
def test_an_index_beyond_the_table_is_an_index_error(place: int) -> None:
    with pytest.raises(IndexError, match="table of 3 rows"):
        TRADES[place]


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(TrayportValidationError, match="'arrow'"):
        TRADES.to_dataframe("arrow")  # type: ignore[call-overload]


def test_an_explanation_adds_up_the_requests() -> None:
    table = TradesResponse.of([FRAME[:1], FRAME[1:]], [record(), record()])
    assert "3 rows from 2 requests, 800 bytes received, 6,000 decoded" in table.explain()
    assert "4 rows left out" in table.explain()


def test_the_rows_of_several_requests_are_put_in_order_of_time() -> None:
    table = TradesResponse.of([FRAME[2:], FRAME[:2]], [])
    assert [trade.trade_id for trade in table] == ["a", "b", "c"]


def test_rows_of_the_same_time_keep_their_order_over_requests() -> None:
    later = FRAME[2:]
    same = FRAME[:2].with_columns(pl.col("deal_date").first())
    table = TradesResponse.of([later, same, same.reverse()], [])
    assert [trade.trade_id for trade in table] == ["a", "b", "b", "a", "c"]


ACTIVITY = {
    "instrumentId": 1,
    "sequenceId": 2,
    "sequenceItemId": 3,
    "secondSequenceItemId": None,
    "contractType": "SinglePeriod",
    "count": 5,
}


def activity(rows: Sequence[Any], *optional: str) -> pl.DataFrame:
    columns = {"optional_fields": optional, "parameters": ()}
    found = decode_response("get_activity", json.dumps(rows).encode())
    return to_frame("get_activity", found.rows, RequestedColumns(**columns))


def test_the_counts_of_activity_are_summed_per_contract_in_order_of_appearance() -> None:
    spread = ACTIVITY | {"secondSequenceItemId": 4, "contractType": "PeriodSpread", "count": 1}
    table = ActivityResponse.of(
        [activity([spread, ACTIVITY]), activity([]), activity([ACTIVITY, spread | {"count": 2}])],
        [],
    )
    assert [(one.second_sequence_item_id, one.count) for one in table] == [(4, 3), (None, 10)]


def test_the_counts_of_activity_are_summed_per_route_and_market_too() -> None:
    fields = ("route", "marketId")
    rows = [
        ACTIVITY | {"route": "Direct", "marketId": 9},
        ACTIVITY | {"route": "Trayport", "marketId": 9},
        ACTIVITY | {"route": "Direct", "marketId": None},
    ]
    table = ActivityResponse.of([activity(rows, *fields), activity(rows, *fields)], [])
    assert [(one.route, one.market_id, one.count) for one in table] == [
        ("Direct", 9, 10), ("Trayport", 9, 10), ("Direct", None, 10),
    ]  # fmt: skip
    assert table.to_polars().columns == activity([], *fields).columns


def test_all_counts_of_activity_are_summed_and_one_that_is_not_known_makes_no_sum() -> None:
    fields = ("updateCount", "deleteCount")
    full = activity([ACTIVITY | {"updateCount": 1, "deleteCount": 2}], *fields)
    partly = activity([ACTIVITY | {"updateCount": 3}], *fields)
    (one,) = ActivityResponse.of([full, full], [])
    assert (one.count, one.update_count, one.delete_count) == (10, 2, 4)
    (one,) = ActivityResponse.of([full, partly], [])
    assert (one.count, one.update_count, one.delete_count) == (10, 4, None)


def test_the_columns_that_are_summed_are_the_counts_of_the_document() -> None:
    counting = [c for c in ENDPOINTS["get_activity"].row if c.description.startswith("How many ")]
    assert {c.name: c.type for c in counting} == dict.fromkeys(
        ["count", "updateCount", "deleteCount"], "int64"
    )


OWN = {
    "orderStatus": "Withheld",
    "lastModifierUserId": 1,
    "hiddenQuantity": 0.5,
    "ownerUserId": 1,
    "ownerCompanyId": 2,
    "originalHiddenQuantity": 1,
    "hiddenQtyPriceDelta": 0,
}
BOOKS: list[dict[str, Any]] = [
    {"timestamp": 1709546523123456789, "bids": [], "asks": []},
    {
        "timestamp": 1709546523123456790,
        "bids": [{"price": 9.5, "quantity": 1}, {"price": 9, "quantity": 2, "privateFields": OWN}],
        "asks": [],
    },
    {
        "timestamp": 1709546523123456791,
        "bids": [{"price": 9.5, "quantity": 4}],
        "asks": [{"price": -1.25, "quantity": 3, "privateFields": OWN | {"clientOrderId": "x"}}],
    },
]


def test_books_keep_empty_sides_and_which_orders_are_your_own() -> None:
    table = written(OrderBookResponse, BOOKS, optional_fields=(), parameters=("includePrivate",))
    assert [book.to_dict() for book in table] == BOOKS
    first = table[1].bids[0]
    assert first.private_fields is None


def test_the_csv_of_a_book_has_a_row_per_order_and_one_for_a_book_without_any(
    tmp_path: Path,
) -> None:
    table = written(OrderBookResponse, BOOKS, optional_fields=(), parameters=())
    table.to_csv(tmp_path / "book.csv")
    assert (tmp_path / "book.csv").read_text().splitlines() == [
        "timestamp,side,level,price,quantity",
        "2024-03-04T10:02:03.123456789Z,,,,",
        "2024-03-04T10:02:03.123456790Z,bid,0,9.5,1.0",
        "2024-03-04T10:02:03.123456790Z,bid,1,9.0,2.0",
        "2024-03-04T10:02:03.123456791Z,bid,0,9.5,4.0",
        "2024-03-04T10:02:03.123456791Z,ask,0,-1.25,3.0",
    ]


SNAPSHOTS: dict[str, Any] = {
    "timestamp": 1709640000123456789,
    "snapshots": [
        {
            "contract": {
                "contractType": "SinglePeriod",
                "marketId": 1,
                "instrumentId": None,
                "sequenceId": 2,
                "sequenceItemId": item,
                "secondSequenceItemId": None,
            },
            "lastTrade": last,
            "bestOrders": {"bidPrice": 1, "bidQuantity": 2, "askPrice": None, "askQuantity": None},
        }
        for item, last in ((3, None), (4, {"price": 26.5, "dealDate": 1709546523123456789}))
    ],
}


def test_snapshots_know_their_instant_and_times_inside_stay_exact(tmp_path: Path) -> None:
    table = written(SnapshotsResponse, SNAPSHOTS, optional_fields=(), parameters=())
    assert isinstance(table, SnapshotsResponse)
    assert table.timestamp == table[1:].timestamp == SNAPSHOTS["timestamp"]
    assert [one.to_dict() for one in table] == SNAPSHOTS["snapshots"]
    table.to_json(tmp_path / "now.jsonl", nested=True)
    lines = [json.loads(line) for line in (tmp_path / "now.jsonl").read_text().splitlines()]
    assert [line["last_trade"] for line in lines] == [
        None,
        {"price": 26.5, "deal_date": "2024-03-04T10:02:03.123456789Z"},
    ]
    (_, last) = table.to_pandas(nested=True)["last_trade"]
    assert last["deal_date"] == 1709546523123456789


def test_snapshots_without_a_request_have_no_instant() -> None:
    with pytest.raises(TrayportLookupError, match="there was no request"):
        _ = SnapshotsResponse.nothing(WITHOUT_EXTRAS).timestamp
