"""What is only assumed of the API is not held against a response; what is known is."""

import asyncio
import json
import logging
from typing import Any

import polars as pl
import pytest
from attrs import evolve
from trayport_spec import ENDPOINTS

from trayport_sdk import Settings, TrayportClient, TrayportDecodeError
from trayport_sdk.tables.decode.decoder import Decoder, decode_response
from trayport_sdk.tables.decode.schema import RequestedColumns
from trayport_sdk.tables.decode.tolerance import _fitting, _TooLarge

pytestmark = pytest.mark.usefixtures("reader")

TRADE: dict[str, Any] = {
    "tradeId": "T1",
    "venueCode": "EEX7",
    "dealDate": 1709546523123456789,
    "price": 26.475,
    "quantity": 5,
    "aggressorBuy": True,
}
ORDER: dict[str, Any] = {"price": 26.475, "quantity": 5}
OWN: dict[str, Any] = {
    "orderStatus": "Firm",
    "lastModifierUserId": 1,
    "hiddenQuantity": 0,
    "ownerUserId": 1,
    "ownerCompanyId": 2,
    "originalHiddenQuantity": 0,
    "hiddenQtyPriceDelta": 0,
}


def trades(rows: list[Any], *, lenient: bool = False) -> tuple[pl.DataFrame, dict[str, int]]:
    decoder = Decoder("get_trades", RequestedColumns(("routeId",), ()), lenient=lenient, piece=300)
    frame = pl.concat(decoder.frames([json.dumps(rows).encode()]))
    return frame, dict(decoder.unexpected)


def test_the_route_id_is_one_of_the_assumptions_that_these_tests_rest_on() -> None:
    (route,) = (c for c in ENDPOINTS["get_trades"].row if c.name == "routeId")
    assert route.provenance.source == "assumed"


@pytest.mark.parametrize(
    ("sent", "taken"),
    [(7, 7), (7.0, 7), ("7", 7), ("-7", -7), (-7, -7), (None, None), ("1" * 18, int("1" * 18))],
)  # fmt: skip
def test_any_scalar_that_fits_an_assumed_type_is_taken(sent: object, taken: int | None) -> None:
    frame, unexpected = trades([TRADE | {"routeId": 1}] * 9 + [TRADE | {"routeId": sent}])
    assert frame["route_id"].to_list() == [1] * 9 + [taken]
    assert unexpected == ({} if sent == 7 and isinstance(sent, int) else {"routeId": 1})


@pytest.mark.parametrize(
    "sent", [7.5, "seven", "--7", "-", True, 2**63, "9223372036854775808", [], {}, 1e300]
)
def test_what_does_not_fit_an_assumed_type_is_an_error(sent: object) -> None:
    with pytest.raises(TrayportDecodeError) as refused:
        trades([TRADE | {"routeId": 1}] * 9 + [TRADE | {"routeId": sent}])
    assert (refused.value.row, refused.value.field) == (9, "routeId")


@pytest.mark.parametrize(
    ("kind", "sent", "taken"),
    [
        ("string", True, "true"),
        ("string", 7, "7"),
        ("string", 1.5, "1.5"),
        ("string", None, None),
        ("int64", 2**63 - 1, 2**63 - 1),
        ("int64", 1 - 2**63, 1 - 2**63),
        ("int64", -(2**63), None),
        ("int64", 2.0**53, 2**53),
        ("int64", -(2.0**53), -(2**53)),
        ("int64", 2.0**53 + 2, None),
        ("timestamp", 1e3, 1000),
        ("timestamp", "7", 7),
        ("timestamp", "1" * 19, int("1" * 19)),
        ("timestamp", "9" * 19, None),
        ("timestamp", "1" * 20, None),
        ("timestamp", True, None),
        ("float64", 7, 7.0),
        ("float64", True, None),
        ("float64", "7", None),
        ("bool", 1, None),
    ],
)
def test_a_scalar_fits_a_type_or_not(kind: Any, sent: object, taken: object) -> None:
    column = evolve(ENDPOINTS["get_trades"].row[0], type=kind)
    found = _fitting(column, sent)
    assert (found, type(found)) == (taken, type(taken))
    assert _fitting(column, _TooLarge("1e999")) is None


def test_an_id_that_is_missing_where_its_presence_is_assumed_is_null() -> None:
    own = {name: value for name, value in OWN.items() if name != "ownerUserId"}
    books = [{"timestamp": 1, "bids": [ORDER | {"privateFields": own}], "asks": []}]
    decoder = Decoder("get_order_book", RequestedColumns((), ("includePrivate",)))
    (frame,) = decoder.frames([json.dumps(books).encode()])
    assert frame["bids"][0][0]["private_fields"]["owner_user_id"] is None
    assert dict(decoder.unexpected) == {"bids.privateFields.ownerUserId": 1}


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ({"price": "26.4"}, "price"),
        ({"dealDate": None}, "dealDate"),
        ({"venueCode": 7}, "venueCode"),
    ],
)
def test_what_is_known_is_held_against_a_response_with_unexpected_values_besides(
    broken: dict[str, Any], field: str
) -> None:
    with pytest.raises(TrayportDecodeError) as refused:
        trades([TRADE | {"routeId": "7"}, TRADE | broken | {"routeId": "7"}])
    assert (refused.value.row, refused.value.field) == (1, field)


def test_with_lenient_decoding_unexpected_values_become_nulls_and_are_counted() -> None:
    unexpected_rows = [
        TRADE | {"price": "26.4"},
        TRADE | {"dealDate": 1.5},
        TRADE | {"venueCode": 7, "aggressorBuy": "yes"},
        {name: value for name, value in TRADE.items() if name != "price"},
        TRADE | {"routeId": "7"},
    ]
    frame, unexpected = trades([TRADE, *unexpected_rows, TRADE], lenient=True)
    assert unexpected == {
        "price": 2,
        "dealDate": 1,
        "venueCode": 1,
        "aggressorBuy": 1,
        "routeId": 1,
    }
    assert frame["price"].to_list() == [26.475, None, 26.475, 26.475, None, 26.475, 26.475]
    assert frame["deal_date"].null_count() == 1
    assert frame["route_id"].to_list() == [None] * 5 + [7, None]
    assert frame.schema == trades([])[0].schema


def test_lenient_decoding_counts_what_is_wrong_within_an_order_by_its_path() -> None:
    book: dict[str, Any] = {"timestamp": 1, "bids": [ORDER], "asks": []}
    private = {"privateFields": OWN | {"ownerUserId": "x"}}
    books = [
        book | {"bids": [ORDER, {"price": "x", "quantity": 5}, {"quantity": 5}]},
        book | {"bids": [ORDER | private], "asks": 7},
        book | {"asks": [7]},
        {name: value for name, value in book.items() if name != "asks"},
    ]
    decoder = Decoder("get_order_book", RequestedColumns((), ("includePrivate",)), lenient=True)
    (frame,) = decoder.frames([json.dumps(books).encode()])
    assert dict(decoder.unexpected) == {
        "bids.price": 2,
        "bids.privateFields.ownerUserId": 1,
        "asks": 3,
    }
    assert [order["price"] for order in frame["bids"][0]] == [26.475, None, None]
    assert frame["bids"][1][0]["private_fields"]["owner_user_id"] is None
    assert frame["bids"][1][0]["private_fields"]["owner_company_id"] == 2
    assert frame["asks"].to_list() == [[], None, None, None]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[1]", b"[{]", b'[{"price":1}] x', b'{"message":""}']
)
def test_lenient_decoding_makes_no_rows_of_what_is_no_table(body: bytes) -> None:
    with pytest.raises(TrayportDecodeError):
        decode_response("get_trades", body, lenient=True)


async def fetched(client: TrayportClient) -> Any:
    return await client.trades.get_trades(
        "10000065*#Single#10000305#244#0", "2024-03-04", "2024-03-05", optional_fields=["route_id"]
    )


def session(document: object, **values: Any) -> tuple[Any, Any]:
    async def main() -> tuple[Any, Any]:
        async def application(_scope: Any, _receive: Any, send: Any) -> None:
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": json.dumps(document).encode()})

        application.limits = False  # type: ignore[attr-defined]
        settings = Settings(_env_file=None, max_retries=0, **values)
        async with TrayportClient.sandbox(application, settings=settings) as client:  # type: ignore[arg-type]
            first = await fetched(client)
            await fetched(client)
            return first, client.get_metrics()

    return asyncio.run(main())


def test_unexpected_values_are_logged_once_in_the_log_and_counted_in_metrics_and_metadata(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "trayport_sdk.http")
    response, metrics = session([TRADE | {"routeId": "7"}, TRADE | {"routeId": "8"}])
    assert response.requests[0].unexpected == {"routeId": 2}
    assert metrics.endpoints["/trades"].unexpected_values == {"routeId": 4}
    (message,) = (line for line in caplog.messages if "unexpected" in line)
    assert "routeId" in message


def test_the_setting_makes_a_client_lenient() -> None:
    document = [TRADE | {"price": "26.4"}]
    with pytest.raises(TrayportDecodeError):
        session(document)
    response, _ = session(document, decode_mode="lenient")
    assert response.to_polars()["price"].to_list() == [None]
    assert response.requests[0].unexpected == {"price": 1}


def test_rows_whose_time_became_null_are_kept_beside_those_after_the_window() -> None:
    times: list[Any] = [1709596799999999999, "unexpected", 1709596800000000000]
    document = [TRADE | {"dealDate": time} for time in times]
    response, _ = session(document, decode_mode="lenient")
    assert response.to_polars()["deal_date"].null_count() == 1
    assert (len(response), response.requests[0].dropped) == (2, 1)


def test_what_is_wrong_in_a_response_without_rows_is_at_its_place() -> None:
    item = {"id": "x", "name": "Apr-24"}
    with pytest.raises(TrayportDecodeError, match=r"at `\$\.id`") as raised:
        decode_response("get_sequence_item", json.dumps(item).encode())
    assert raised.value.row is None
