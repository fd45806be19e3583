"""Each error about a response, whole: `refusals.txt`, as doctest reads it."""

from __future__ import annotations

import doctest

import pytest

from trayport_sdk import TrayportDecodeError
from trayport_sdk.errors import MAX_DEPTH
from trayport_sdk.tables.decode.decoder import Decoder, decode_response
from trayport_sdk.tables.decode.schema import RequestedColumns

pytestmark = pytest.mark.usefixtures("reader")

FIELDS = b'{"tradeId":"1","venueCode":"E","dealDate":1,"price":1.5,"quantity":2,"aggressorBuy":true'


def whole(body: bytes, operation_id: str, depth: int) -> TrayportDecodeError:
    with pytest.raises(TrayportDecodeError) as refused:
        decode_response(operation_id, body, depth)
    return refused.value


def in_pieces(body: bytes, operation_id: str, depth: int) -> TrayportDecodeError:
    decoder = Decoder(operation_id, RequestedColumns((), ()), piece=50, max_depth=depth)
    chunks = (body[start : start + 7] for start in range(0, len(body), 7))
    with pytest.raises(TrayportDecodeError) as refused:
        list(decoder.frames(chunks))
    return refused.value


def read(
    body: bytes,
    operation_id: str = "get_trades",
    *,
    depth: int = MAX_DEPTH,
    only_whole: bool = False,
) -> None:
    """Prints the error; `{TRADE` in a body stands for the beginning of a trade.

    It is the same for a body that arrives in pieces, unless it is said to be read whole only.
    """
    body = body.replace(b"{TRADE", FIELDS)
    error = whole(body, operation_id, depth)
    print(f"byte {error.offset}, row {error.row}, field {error.field}, {len(error.body)} quoted")
    print(error.args[0])
    if not error.retryable:
        print(error.suggestion)
    if only_whole:
        return
    other = in_pieces(body, operation_id, depth)
    assert (other.offset, other.row, other.field) == (error.offset, error.row, error.field)
    assert (other.args, other.retryable) == (error.args, error.retryable)


def test_every_error_names_the_place_and_what_stands_there() -> None:
    failed, tried = doctest.testfile("refusals.txt", globs={"read": read})
    assert tried > 25
    assert not failed


def test_what_is_too_deep_in_a_response_without_rows_has_no_row() -> None:
    texts = b",".join(
        b'"%s":"2024"' % name
        for name in (b"name", b"periodStart", b"periodEnd", b"tradingStart", b"tradingEnd")
    )
    refused = whole(b'{"id":1,' + texts + b',"more":[[[[[]]]]]}', "get_sequence_item", 4)
    assert "the setting max_depth" in str(refused)
    assert "row" not in str(refused)
    assert refused.row is None
    assert refused.offset is not None
