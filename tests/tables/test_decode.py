import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import Any

import msgspec
import pytest
from trayport_spec import ENDPOINTS

from trayport_sdk import TrayportDecodeError
from trayport_sdk.tables.decode import decoder
from trayport_sdk.tables.decode.decoder import decode_documents, decode_response
from trayport_sdk.tables.decode.schema import RequestedColumns

pytestmark = pytest.mark.usefixtures("reader")

CONTRACT = {
    "contractType": "SinglePeriod",
    "marketId": 10000065,
    "instrumentId": None,
    "sequenceId": 10000305,
    "sequenceItemId": 244,
    "secondSequenceItemId": None,
}
TRADE: dict[str, Any] = {
    "tradeId": "Eurex T7/G3BM042024-20240304/4599/1 Public",
    "venueCode": "EEX7",
    "dealDate": 1709546523123456789,
    "price": 26.475,
    "quantity": 5,
    "aggressorBuy": True,
}


def decode(operation_id: str, body: bytes) -> Any:
    return decode_response(operation_id, body).rows


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


def test_a_response_nested_too_deeply_is_an_error() -> None:
    row = json.dumps(TRADE)[:-1] + ', "more": ' + "[" * 200_000 + "]" * 200_000 + "}"
    with pytest.raises(TrayportDecodeError):
        decode("get_trades", f"[{row}]".encode())


def test_malformed_json_names_the_place() -> None:
    with pytest.raises(TrayportDecodeError) as refused:
        decode("get_trades", b'[{"tradeId": }]')
    assert refused.value.offset == 13


def test_documents_are_checked_before_models_are_made_of_them() -> None:
    with pytest.raises(TrayportDecodeError):
        decode_documents("get_market", b'{"id": 1, "name": "TTF"}')


def test_a_number_that_no_document_can_hold_is_named() -> None:
    row = b'{"id":1,"name":"TTF","sequences":"/","tick":%b}'
    with pytest.raises(TrayportDecodeError, match=r"out of range .* row 1\)") as refused:
        decode_documents("get_markets", b"[%b,%b]" % (row % b"1", row % (b"1" * 5000)))
    assert (refused.value.row, refused.value.field) == (1, "tick")


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


def own(fields: dict[str, Any]) -> dict[str, Any]:
    return {"bids": [ORDER | {"privateFields": OWN | fields}]}


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


def test_a_response_in_an_envelope_gives_its_rows_and_its_instant() -> None:
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


def test_threads_make_decoders_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads that are the first to use a class of msgspec end the process."""
    make = msgspec.json.Decoder
    inside = Lock()

    def making(kind: Any) -> Any:
        assert inside.acquire(blocking=False), "another thread is making one"
        try:
            for _ in range(100):
                os.sched_yield()
            return make(kind)
        finally:
            inside.release()

    decoder._decoder.cache_clear()
    monkeypatch.setattr(msgspec.json, "Decoder", making)
    with ThreadPoolExecutor(4) as threads:
        made = threads.map(partial(decoder._decoder, is_closed=True), [*ENDPOINTS] * 4)
        assert all(made)


@pytest.mark.parametrize("operation_id", ENDPOINTS)
def test_a_table_has_the_columns_that_its_request_names(operation_id: str) -> None:
    for column in ENDPOINTS[operation_id].row:
        fields = tuple(filter(None, [column.optional_field]))
        parameters = tuple(filter(None, [column.added_by]))
        is_plain = not fields and not parameters
        assert RequestedColumns()(column) == (column.required or is_plain)
        assert RequestedColumns(fields, parameters)(column)


def test_documents_are_a_list_whatever_the_root() -> None:
    one = {"id": 7, "name": "Months", "sequenceItems": "/7"}
    assert decode_documents("get_sequences", json.dumps([one, one]).encode()) == [one, one]
    item = dict.fromkeys(
        ("name", "periodStart", "periodEnd", "tradingStart", "tradingEnd"), "2024-01-01T00:00:00Z"
    )
    body = json.dumps(item | {"id": 7}).encode()
    assert decode_documents("get_sequence_item", body) == [item | {"id": 7}]


def test_fields_that_are_not_declared_are_refused_by_the_quicker_decoder_alone() -> None:
    body = json.dumps([{"id": 7, "name": "Months", "sequenceItems": "/7", "more": [1]}]).encode()
    (row,) = decoder._decoder("get_sequences", is_closed=False).decode(body)
    assert row.name == "Months"
    with pytest.raises(msgspec.ValidationError, match="unknown field `more`"):
        decoder._decoder("get_sequences", is_closed=True).decode(body)
