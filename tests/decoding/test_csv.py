"""CSV gives the tables that JSON gives, or an error that says where."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trayport_spec import ENDPOINTS, Column

from tests.decoding import reference
from tests.decoding.differential import bytes_of, rows_of
from tests.decoding.documents import PLAIN, chunked, columns_wanted, damaged, documents
from tests.sandbox.asking import MINIMAL, Asker
from trayport_sdk import TrayportDecodeError, TrayportValidationError
from trayport_sdk.tables.csv_tables import frames
from trayport_sdk.tables.decode.columns import ColumnFilter, column_filter, to_frame
from trayport_sdk.tables.decode.decoder import Decoder

FLAT = ("get_trades", "get_private_trades", "get_ohlcv", "get_last_trade", "get_activity",
        "get_order_book_top")  # fmt: skip
BARE = column_filter((), ())
LAST = b"price,dealDate\n"
TIME = b"2024-03-04T10:02:03.123456789Z"
GOOD = b"26.475," + TIME + b"\n"

randoms = st.randoms(use_true_random=True)


@pytest.fixture(scope="module")
def ask() -> Asker:
    return Asker()


def table(
    operation_id: str, body: bytes, asked: ColumnFilter = BARE, piece: int | None = None
) -> Any:
    return pl.concat(frames(operation_id, asked, [body], piece=piece))


def last_trades(body: bytes) -> list[dict[str, Any]]:
    return list(rows_of(table("get_last_trade", body)))


@pytest.mark.parametrize("operation_id", FLAT)
@pytest.mark.parametrize("everything", [False, True], ids=["plain", "everything"])
def test_the_sandbox_says_the_same_in_both_formats(
    ask: Asker, operation_id: str, everything: bool
) -> None:
    endpoint = ENDPOINTS[operation_id]
    query = dict(MINIMAL[endpoint.path])
    fields: tuple[str, ...] = ()
    bringing: tuple[str, ...] = ()
    if everything:
        fields, bringing = endpoint.optional_fields, ("routes", "includePrivate")
        query |= {"optionalFields": list(fields), "routes": "all"}
        query |= {"includePrivate": "true", "includeEmptyBuckets": "true"}
    if operation_id == "get_private_trades":
        fields = (*fields, "contract")
    asked = column_filter(fields, bringing)
    from_json = ask.analytics(endpoint.path, query).content
    from_csv = ask.analytics(endpoint.path, query, accept="text/csv").content
    expected = pl.concat(Decoder(operation_id, asked).frames([from_json]))
    assert expected.height
    for piece in (20_000, None):
        found = table(operation_id, from_csv, asked, piece)
        assert found.schema == expected.schema
        assert found.equals(expected)


def cells(
    columns: Sequence[Column], row: dict[str, Any] | None, asked: ColumnFilter
) -> Iterator[Any]:
    for column in filter(asked, columns):
        value = None if row is None else row[column.python_name]
        if column.type == "struct":
            yield from cells(column.fields, value, asked)
        elif column.type == "timestamp" and value is not None:
            second, rest = divmod(value, 10**9)
            moment = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=second)
            yield f"{moment.isoformat()}.{rest:09d}Z"
        elif isinstance(value, bool):
            yield str(value).lower()
        else:
            yield value


def names(columns: Sequence[Column], asked: ColumnFilter, above: str = "") -> Iterator[str]:
    for column in filter(asked, columns):
        if column.type == "struct":
            yield from names(column.fields, asked, f"{above}{column.name}.")
        else:
            yield above + column.name


def written(records: Sequence[Sequence[Any]], ending: str, likes: Random) -> bytes:
    """Records as CSV: an empty text in quotation marks, and nothing for a null."""

    def text(value: Any) -> str:
        if value is None:
            return ""
        one = str(value)
        if not one or set(one) & set('",\r\n') or likes.random() < 0.1:
            one = '"' + one.replace('"', '""') + '"'
        return one

    return "".join(",".join(map(text, record)) + ending for record in records).encode()


@pytest.mark.parametrize("operation_id", FLAT)
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_was_written_is_read(operation_id: str, data: st.DataObject) -> None:
    asked, likes = data.draw(columns_wanted(operation_id)), data.draw(randoms)
    document = PLAIN.text(data.draw(documents(operation_id)))
    expected = reference.decoded(operation_id, document, asked).rows
    columns = ENDPOINTS[operation_id].row
    header = list(names(columns, asked))
    order = [*range(len(header)), *range(len(header), len(header) + likes.randrange(2))]
    likes.shuffle(order)
    header += ["not, known"]
    records = [
        [*cells(columns, row, asked), likes.choice(("\r\n", ' "', None))] for row in expected
    ]
    ending = likes.choice(("\n", "\r\n"))
    body = written([[one[n] for n in order] for one in [header, *records]], ending, likes)
    body = body[: len(body) - likes.randrange(2) * len(ending)]
    found = list(
        frames(operation_id, asked, chunked(body, likes), piece=likes.choice((1, 50, 10**6)))
    )
    assert {str(frame.schema) for frame in found} == {str(to_frame(columns, [], asked).schema)}
    assert [row for frame in found for row in rows_of(frame)] == expected


@given(randoms)
@settings(max_examples=300, deadline=None)
def test_a_damaged_body_is_refused_or_gives_as_many_rows_as_it_has_records(likes: Random) -> None:
    rows = [
        [float(n), TIME.decode(), likes.choice(("", 'a "word"', "a, b", "\n"))] for n in range(4)
    ]
    body = damaged(written([["price", "dealDate", "other"], *rows], "\n", likes), likes)
    place: TrayportDecodeError | None = None
    try:
        found = table("get_last_trade", body, piece=likes.choice((1, 100, 10**6)))
    except TrayportDecodeError as error:
        place = error
    if place is not None:
        assert place.offset is not None
        assert 0 <= place.offset <= len(body)
        assert place.field in (None, "price", "dealDate")
    else:
        assert found.height == len(list(csv.reader(io.StringIO(body.decode(), newline="")))) - 1
        assert found.null_count().row(0) == (0, 0)


def test_a_body_cut_in_a_record_is_refused_unless_only_its_last_field_is_cut() -> None:
    lines = [b"dealDate,price\n", *(b'%b,"2%d"\n' % (TIME, n) for n in range(3))]
    body, ends = b"".join(lines), dict[int, int]()
    for number in range(4):
        end = len(b"".join(lines[: number + 1]))
        ends |= {end - 1: number, end: number}
    for length in range(len(body) + 1):
        if length in ends:
            assert table("get_last_trade", body[:length]).height == ends[length]
            continue
        # A header whose last name is cut off names another column.
        with pytest.raises(TrayportDecodeError) as refused:
            table("get_last_trade", body[:length])
        assert refused.value.offset is not None
        assert refused.value.offset <= length


WRONG = {
    "price": ["", "x", " 1", "1 ", "+1", "1.", ".5", "0x1", "inf", "-inf", "nan", "NaN", "1e400",
              "1_0", "01", "1;5", "true", "\uff12"],
    "dealDate": ["", "1709546523123456789", "2024-03-04", "2024-03-04 10:02:03",
                 "2024-02-30T00:00:00Z",
                 "2024-03-04T24:00:00Z", "2024-03-04T23:59:60Z", "2024-03-04T10:02:03.1234567890Z",
                 "2024-03-04T10:02:03.Z", "1969-12-31T23:59:59.999999999Z", "2262-04-12T00:00:00Z",
                 "9999-12-31T23:59:59Z", "2024-03-04T10:02:03z", "2024-03-04T10:02:03+24:00"],
    "contract.contractType": ["", "Strip", "singleperiod", " SinglePeriod"],
    "contract.marketId": ["1.0", "1e3", "+1", " 1", "01", "-1", "9223372036854775808", "x", "1.5"],
    "contract.sequenceId": ["", "1.0", "-1", "99999999999999999999"],
}  # fmt: skip


@pytest.mark.parametrize(("path", "value"), [(p, v) for p, some in WRONG.items() for v in some])
def test_a_value_of_a_wrong_type_is_an_error_that_says_where(path: str, value: str) -> None:
    right = {
        "price": "1", "dealDate": TIME.decode(), "contract.contractType": "SinglePeriod",
        "contract.marketId": "", "contract.instrumentId": "5", "contract.sequenceId": "6",
        "contract.sequenceItemId": "7", "contract.secondSequenceItemId": "",
    }  # fmt: skip
    lines = [
        ",".join(right),
        *[",".join(right.values())] * 3,
        ",".join((right | {path: value}).values()),
    ]
    body = "\n".join(lines).encode()
    asked = column_filter(("contract",), ())
    for piece in (1, 300, None):
        with pytest.raises(TrayportDecodeError) as refused:
            table("get_last_trade", body, asked, piece)
        assert (refused.value.row, refused.value.field) == (3, path)
        assert refused.value.offset is not None
        assert body[refused.value.offset :].startswith(f"{value}".encode())
        before = body[: refused.value.offset].rsplit(b"\n", 1)[1]
        assert before.count(b",") == list(right).index(path)
    assert table("get_last_trade", "\n".join(lines[:-1]).encode(), asked).height == 3


@pytest.mark.parametrize(
    ("body", "row"),
    [
        (b"", None),
        (b"\n", None),
        (b"[]", None),
        (b'{"message":"busy"}', None),
        (b"price\n1\n", None),
        (b"price,dealDate,price\n", None),
        (b"Price,dealDate\n", None),
        (b"price,dealDate,\xff\n", None),
        (b'"price,dealDate\n', None),
        (LAST + GOOD + b"\n", 1),
        (LAST + GOOD + b"1\n", 1),
        (LAST + GOOD + b"1," + TIME + b",\n", 1),
        (LAST + b"1\n1," + TIME + b"," + TIME + b"\n", 0),
        (LAST + GOOD + b'"1,' + TIME + b"\n", 1),
        (LAST + GOOD + b'"1"0,' + TIME + b"\n", 1),
        (LAST + GOOD + b'1"0",' + TIME + b"\n", 1),
        (LAST + GOOD + b"1\r," + TIME + b"\n", 1),
        (LAST + GOOD + b"<html>", 1),
        (b"price,other,dealDate\n1,\xff," + TIME + b"\n", 0),
        (b"price,other,dealDate\n1,a," + TIME + b"\n1,\xed\xa0\x80," + TIME, 1),
    ],
    ids=repr,
)
def test_a_body_that_is_something_else_is_refused(body: bytes, row: int | None) -> None:
    for piece in (1, 40, None):
        with pytest.raises(TrayportDecodeError, match="not what the API promises") as refused:
            list(frames("get_last_trade", BARE, bytes_of(body), piece=piece))
        assert refused.value.row == row
        assert refused.value.offset is not None
        assert refused.value.offset <= len(body)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.1Z", 100_000_000),
        ("1970-01-01T00:00:00.000000001", 1),
        ("2024-03-04T10:02:03.123456789Z", 1709546523123456789),
        ("2024-03-04T12:02:03.123456789+02:00", 1709546523123456789),
        ("2024-03-04T04:32:03.123456789-05:30", 1709546523123456789),
        ("2262-04-11T23:47:15.999999999Z", 9223372035999999999),
    ],
)
def test_times_are_exact_and_in_utc(text: str, nanoseconds: int) -> None:
    assert last_trades(LAST + b"1," + text.encode())[0]["deal_date"] == nanoseconds


def test_numbers_are_as_the_text_says() -> None:
    texts = ["-0", "5e-324", "1.7976931348623157e308", "0.1000000000000000055511151231257827",
             "1E+5", "9007199254740993", "123456789012345678901234567890"]  # fmt: skip
    body = LAST + b"".join(b"%b,%b\n" % (text.encode(), TIME) for text in texts)
    assert [row["price"] for row in last_trades(body)] == [float(text) for text in texts]


def test_an_empty_answer_has_the_columns_of_a_full_one() -> None:
    asked = column_filter(("contract",), ())
    empty = list(frames("get_last_trade", asked, [LAST.rstrip()]))
    assert [frame.height for frame in empty] == [0]
    assert empty[0].schema == to_frame(ENDPOINTS["get_last_trade"].row, [], asked).schema


def test_a_column_that_may_be_absent_is_null_when_it_is_not_in_the_header() -> None:
    asked = column_filter(("contract",), ())
    assert table("get_last_trade", LAST + GOOD, asked)["contract"].to_list() == [None]
    with pytest.raises(TrayportDecodeError) as refused:
        table("get_last_trade", b"price,dealDate,contract.marketId\n", asked)
    assert refused.value.field == "contract.contractType"


def test_an_object_is_there_where_one_of_its_fields_is() -> None:
    header = b"price,dealDate,contract.contractType,contract.marketId,contract.instrumentId,"
    header += b"contract.sequenceId,contract.sequenceItemId,contract.secondSequenceItemId\n"
    asked = column_filter(("contract",), ())
    nothing, some = b"1,%b,,,,,,\n" % TIME, b"1,%b,,,,6,,\n" % TIME
    assert table("get_last_trade", header + nothing, asked)["contract"].to_list() == [None]
    with pytest.raises(TrayportDecodeError) as refused:
        table("get_last_trade", header + nothing + some, asked)
    assert (refused.value.row, refused.value.field) == (1, "contract.contractType")


def test_nothing_is_null_only_where_a_text_may_be_missing() -> None:
    header = b"timestamp,bidPrice,bidQuantity,askPrice,askQuantity,bidVenueCode,askVenueCode\n"
    body = header + TIME + b',1,1,,,"",\n'
    found = table("get_order_book_top", body, column_filter(("venueCode",), ()))
    assert found.select("bid_venue_code", "ask_venue_code", "ask_price").row(0) == ("", None, None)
    header = b"tradeId,venueCode,dealDate,price,quantity,aggressorBuy\n"
    found = table("get_trades", header + b",EEX," + TIME + b",1,1,True\n")
    assert found.select("trade_id", "aggressor_buy").row(0) == ("", True)


def test_a_number_whose_type_is_assumed_may_be_written_otherwise() -> None:
    header = b"timestamp,bidPrice,bidQuantity,askPrice,askQuantity,routeId\n"
    body = header + b"".join(b"%b,,,,,%b\n" % (TIME, text) for text in (b"1.0", b"-1", b"", b"2"))
    asked = column_filter(("routeId",), ())
    assert table("get_order_book_top", body, asked)["route_id"].to_list() == [1, -1, None, 2]
    with pytest.raises(TrayportDecodeError) as refused:
        table("get_order_book_top", body + TIME + b",,,,,main\n", asked)
    assert (refused.value.row, refused.value.field) == (4, "routeId")


def test_tables_come_while_the_body_arrives() -> None:
    taken: list[int] = []

    def chunks() -> Iterator[bytes]:
        yield LAST
        for number in range(1000):
            taken.append(number)
            yield GOOD * 10

    tables = frames("get_last_trade", BARE, chunks(), piece=1000)
    first = next(tables)
    assert len(taken) < 10
    assert first.height + sum(frame.height for frame in tables) == 10_000


def test_a_body_in_one_large_chunk_is_read_in_pieces() -> None:
    heights = [
        frame.height for frame in frames("get_last_trade", BARE, [LAST + GOOD * 5000], piece=1000)
    ]
    assert sum(heights) == 5000
    assert max(heights) < 100


def test_a_record_that_goes_wrong_early_is_refused_before_all_has_come() -> None:
    def chunks() -> Iterator[bytes]:
        yield LAST
        yield b"1,2,3,"
        pytest.fail("more was read")

    with pytest.raises(TrayportDecodeError, match="fields"):
        list(frames("get_last_trade", BARE, chunks(), piece=1))


@pytest.mark.parametrize("operation_id", [name for name in ENDPOINTS if name not in FLAT])
def test_csv_whose_layout_is_not_known_is_refused_before_it_is_read(operation_id: str) -> None:
    with pytest.raises(TrayportValidationError, match="response_format='csv'") as refused:
        frames(operation_id, BARE, iter(()))
    assert refused.value.parameter == "response_format"
    is_csv = "text/csv" in ENDPOINTS[operation_id].media_types
    assert ("download_raw" in str(refused.value)) == is_csv


def test_a_letter_that_marks_the_start_of_a_text_is_a_letter_in_a_record() -> None:
    header = b"tradeId,venueCode,dealDate,price,quantity,aggressorBuy\n"
    record = "\ufeffx,EEX".encode() + b"," + TIME + b",1,1,true\n"
    found = table("get_trades", header + record * 3, piece=1)
    assert found["trade_id"].to_list() == ["\ufeffx"] * 3


def test_text_from_json_comes_through_csv_unchanged() -> None:
    texts = ["\x00", "a\rb", "\r\n", '"', '""', ",", " x ", "NA", "null", "#", "ü", "\u2028", "'"]
    header = ["tradeId", "venueCode", "dealDate", "price", "quantity", "aggressorBuy"]
    records = [[text, json.dumps(text), TIME.decode(), 1, 1, "true"] for text in texts]
    found = table("get_trades", written([header, *records], "\n", Random(0)), piece=100)
    assert found["trade_id"].to_list() == texts
    assert found["venue_code"].to_list() == [json.dumps(text) for text in texts]


def test_a_mark_of_the_byte_order_before_the_header_is_passed_over() -> None:
    assert last_trades(b"\xef\xbb\xbf" + LAST + GOOD) == last_trades(LAST + GOOD)
