import json
import re
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trayport_spec import ENDPOINTS

from trayport_sdk import TrayportDecodeError
from trayport_sdk.tables.decode.decoder import decode_documents, decode_response
from trayport_sdk.tables.decode.schema import column_filter, to_frame

ROW = ENDPOINTS["get_trades"].row
CONTRACT = {
    "contractType": "SinglePeriod",
    "marketId": 10000065,
    "instrumentId": None,
    "sequenceId": 10000305,
    "sequenceItemId": 244,
    "secondSequenceItemId": None,
}
PARTIES = {
    "aggressorCompanyId": 1,
    "aggressorTraderCompanyName": "A",
    "aggressorTraderId": 2,
    "aggressorTraderName": "B",
    "aggressorDerivativeIndicator": True,
    "initiatorCompanyId": 0,
    "initiatorTraderCompanyName": "",
    "initiatorTraderId": 0,
    "initiatorTraderName": "",
    "initiatorDerivativeIndicator": False,
    "productClassification": "",
}
TRADE: dict[str, Any] = {
    "tradeId": "Eurex T7/G3BM042024-20240304/4599/1 Public",
    "venueCode": "EEX7",
    "dealDate": 1709546523123456789,
    "price": 26.475,
    "quantity": 5,
    "aggressorBuy": True,
}

trades = st.fixed_dictionaries(
    {
        "tradeId": st.text(),
        "venueCode": st.text(),
        "dealDate": st.integers(0, 2**63 - 1),
        "price": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
        "quantity": st.floats(allow_nan=False, allow_infinity=False),
        "aggressorBuy": st.booleans(),
    },
    optional={
        "contract": st.just(CONTRACT),
        "privateFields": st.just(PARTIES),
        "routeId": st.integers(0, 2**63 - 1),
        "unheardOf": st.none() | st.integers() | st.lists(st.text()),
    },
)


def decode(operation_id: str, body: bytes) -> Any:
    return decode_response(operation_id, body).rows


def frame(
    rows: list[Any], optional: tuple[str, ...] = (), given: tuple[str, ...] = ()
) -> pl.DataFrame:
    decoded = decode("get_trades", json.dumps(rows).encode())
    return to_frame("get_trades", decoded, column_filter(optional, given))


@given(st.lists(trades), st.sampled_from([None, 0, 3]), st.booleans())
def test_every_value_comes_out_as_it_was_sent(
    rows: list[dict[str, Any]], indent: int | None, ascii_only: bool
) -> None:
    body = json.dumps(rows, indent=indent, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    decoded = decode("get_trades", body)
    table = to_frame(
        "get_trades", decoded, column_filter(("contract", "routeId"), ("includePrivate",))
    )
    assert table["trade_id"].to_list() == [row["tradeId"] for row in rows]
    assert table["deal_date"].cast(pl.Int64).to_list() == [row["dealDate"] for row in rows]
    assert [repr(p) for p in table["price"]] == [repr(float(row["price"])) for row in rows]
    assert table["route_id"].to_list() == [row.get("routeId") for row in rows]
    assert [c and c["sequence_item_id"] for c in table["contract"]] == [
        244 if "contract" in row else None for row in rows
    ]
    assert [p and p["aggressor_trader_name"] for p in table["private_fields"]] == [
        "B" if "privateFields" in row else None for row in rows
    ]


def test_an_empty_answer_has_the_columns_and_types_of_a_full_one() -> None:
    asked = ("contract", "routeId"), ("includePrivate",)
    full = frame([TRADE | {"contract": CONTRACT, "privateFields": PARTIES}], *asked)
    assert frame([], *asked).schema == full.schema
    assert frame([TRADE], *asked).schema == full.schema


def test_columns_nobody_asked_for_are_left_out() -> None:
    assert frame([TRADE | {"contract": CONTRACT}]).columns == [
        "trade_id", "venue_code", "deal_date", "price", "quantity", "aggressor_buy",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "broken",
    [
        {"dealDate": 2**63},
        {"dealDate": -1},
        {"dealDate": 1.5},
        {"dealDate": "2024-01-01"},
        {"dealDate": None},
        {"price": "26.4"},
        {"price": None},
        {"aggressorBuy": 1},
        {"aggressorBuy": "true"},
        {"venueCode": None},
        {"contract": CONTRACT | {"sequenceId": None}},
        {"contract": {}},
        {"contract": None},
        {"contract": CONTRACT | {"contractType": "Strip"}},
    ],
    ids=str,
)
def test_a_value_of_a_wrong_type_is_an_error_and_never_a_null(broken: dict[str, Any]) -> None:
    with pytest.raises(TrayportDecodeError, match="not what the API promises"):
        decode("get_trades", json.dumps([TRADE, TRADE | broken]).encode())


@pytest.mark.parametrize("name", list(TRADE))
def test_a_missing_field_is_an_error(name: str) -> None:
    with pytest.raises(TrayportDecodeError, match=name):
        decode("get_trades", json.dumps([{k: v for k, v in TRADE.items() if k != name}]).encode())


def test_a_body_cut_anywhere_is_an_error() -> None:
    body = json.dumps([TRADE, TRADE | {"contract": CONTRACT}]).encode()
    for length in range(len(body)):
        with pytest.raises(TrayportDecodeError):
            decode("get_trades", body[:length])


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"{}", b'{"message": "busy"}', b"<html>busy</html>", b"[]]", b"[null]", b"[] x",
     b'["\xff"]', b"[1e999]"],
)  # fmt: skip
def test_a_body_that_is_something_else_is_an_error_that_quotes_it(body: bytes) -> None:
    with pytest.raises(TrayportDecodeError) as refused:
        decode("get_trades", body)
    assert refused.value.body == body.decode(errors="replace")


def test_an_answer_nested_too_deeply_is_an_error() -> None:
    row = json.dumps(TRADE)[:-1] + ', "more": ' + "[" * 200_000 + "]" * 200_000 + "}"
    with pytest.raises(TrayportDecodeError):
        decode("get_trades", f"[{row}]".encode())


def test_malformed_json_names_the_place() -> None:
    with pytest.raises(TrayportDecodeError) as refused:
        decode("get_trades", b'[{"tradeId": }]')
    assert refused.value.offset == 13


def test_an_unknown_venue_and_unknown_fields_pass() -> None:
    assert frame([TRADE | {"venueCode": "NEW1", "mood": {"a": [1]}}])["venue_code"].to_list() == [
        "NEW1"
    ]


def test_documents_are_checked_before_models_are_made_of_them() -> None:
    with pytest.raises(TrayportDecodeError):
        decode_documents("get_market", b'{"id": 1, "name": "TTF"}')


OWN = {
    "orderStatus": "Firm",
    "lastModifierUserId": 1,
    "hiddenQuantity": 0,
    "ownerUserId": 1,
    "ownerCompanyId": 2,
    "originalHiddenQuantity": 0,
    "hiddenQtyPriceDelta": 0,
}
ORDER: dict[str, Any] = {"price": 26.475, "quantity": 5}
BOOK: dict[str, Any] = {"timestamp": 1709546523123456789, "bids": [ORDER], "asks": []}
BOOK_ROW = ENDPOINTS["get_order_book"].row


def own(fields: dict[str, Any]) -> dict[str, Any]:
    return {"bids": [ORDER | {"privateFields": OWN | fields}]}


def books(rows: list[Any], optional: tuple[str, ...] = (), given: tuple[str, ...] = ()) -> Any:
    found = decode_response("get_order_book", json.dumps(rows).encode())
    return to_frame("get_order_book", found.rows, column_filter(optional, given))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3))))
def test_every_order_comes_out_in_its_own_book(sizes: list[tuple[int, int]]) -> None:
    orders = iter(range(10_000))
    rows = [
        {
            "timestamp": number,
            "bids": [{"price": next(orders), "quantity": 1} for _ in range(bids)],
            "asks": [{"price": next(orders), "quantity": 2} for _ in range(asks)],
        }
        for number, (bids, asks) in enumerate(sizes)
    ]
    table = books(rows)
    assert table["bids"].to_list() == [row["bids"] for row in rows]
    assert table["asks"].to_list() == [row["asks"] for row in rows]


def test_an_order_that_is_not_your_own_has_no_private_fields() -> None:
    mine = ORDER | {"privateFields": OWN | {"clientOrderId": "mine"}}
    table = books([BOOK | {"bids": [ORDER, mine, ORDER]}], given=("includePrivate",))
    (bids,) = table["bids"].to_list()
    assert [
        order["private_fields"] and order["private_fields"]["client_order_id"] for order in bids
    ] == [None, "mine", None]


def test_columns_nobody_asked_for_are_left_out_of_the_orders_too() -> None:
    full = ORDER | {"venueCode": "EEX7", "routeId": 1, "privateFields": OWN}
    table = books([BOOK | {"bids": [full]}], optional=("venueCode",))
    assert table["bids"].to_list() == [[{"price": 26.475, "quantity": 5.0, "venue_code": "EEX7"}]]


@pytest.mark.parametrize("rows", [[], [BOOK | {"bids": []}], [BOOK]], ids=len)
def test_books_have_the_same_types_with_and_without_orders(rows: list[Any]) -> None:
    asked = ("venueCode", "route", "routeId"), ("includePrivate",)
    full = books([BOOK | {"asks": [ORDER | {"privateFields": OWN}]}], *asked)
    assert books(rows, *asked).schema == full.schema


@pytest.mark.parametrize(
    ("broken", "place"),
    [
        ({"asks": [ORDER, ORDER | {"price": None}]}, "asks[1].price"),
        ({"bids": [{"price": 1}]}, "bids[0]"),
        ({"bids": None}, "bids"),
        (own({"ownerUserId": "x1"}), "bids[0].privateFields.ownerUserId"),
        (own({"orderStatus": "Odd"}), "bids[0].privateFields.orderStatus"),
        ({"timestamp": 1.5}, "timestamp"),
    ],
)
def test_a_broken_order_is_named_by_its_place(broken: dict[str, Any], place: str) -> None:
    with pytest.raises(TrayportDecodeError, match=re.escape(f"`$[1].{place}`")):
        decode_response("get_order_book", json.dumps([BOOK, BOOK | broken]).encode())


SNAPSHOT = {
    "contract": CONTRACT,
    "lastTrade": None,
    "bestOrders": {"bidPrice": 1, "bidQuantity": 2, "askPrice": None, "askQuantity": None},
}


def test_an_answer_in_an_envelope_gives_its_rows_and_its_instant() -> None:
    document = {"timestamp": 1709546523123456789, "more": 1, "snapshots": [SNAPSHOT, SNAPSHOT]}
    found = decode_response("get_snapshots", json.dumps(document).encode())
    assert (len(found.rows), found.timestamp) == (2, 1709546523123456789)


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ({"timestamp": None}, "`$.timestamp`"),
        ({"timestamp": "2024-03-04"}, "`$.timestamp`"),
        ({"snapshots": None}, "`$.snapshots`"),
        ({"snapshots": [SNAPSHOT, SNAPSHOT | {"bestOrders": {}}]}, "`$.snapshots[1].bestOrders`"),
        ({"snapshots": [SNAPSHOT | {"lastTrade": {"price": 1}}]}, "dealDate"),
    ],
)
def test_a_broken_envelope_is_an_error(broken: dict[str, Any], named: str) -> None:
    document = {"timestamp": 1, "snapshots": [SNAPSHOT]}
    with pytest.raises(TrayportDecodeError, match=re.escape(named)):
        decode_response("get_snapshots", json.dumps(document | broken).encode())


@pytest.mark.parametrize("missing", ["timestamp", "snapshots"])
def test_an_envelope_without_one_of_its_members_is_an_error(missing: str) -> None:
    document = {"timestamp": 1, "snapshots": [SNAPSHOT]}
    del document[missing]
    with pytest.raises(TrayportDecodeError, match=missing):
        decode_response("get_snapshots", json.dumps(document).encode())


def test_an_answer_that_is_one_object_is_one_row() -> None:
    item = {
        "id": 244,
        "name": "Apr-24",
        "periodStart": None,
        "periodEnd": None,
        "tradingStart": None,
        "tradingEnd": None,
    }
    found = decode_response("get_sequence_item", json.dumps(item).encode())
    assert [row.name for row in found.rows] == ["Apr-24"]
    assert found.timestamp is None
