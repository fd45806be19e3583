"""The decoder gives exactly what a slow reference gives, for right responses and broken ones.

`TRAYPORT_TESTS_EXAMPLES=100` draws many more documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from random import Random

import attrs
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from trayport_spec import ENDPOINTS, Column

from tests.decoding.differential import (
    Case,
    Decode,
    Outcome,
    bytes_of,
    check,
    decode,
    fails,
    smallest,
)
from tests.decoding.documents import (
    GARBAGE,
    Layout,
    Node,
    chunked,
    columns_wanted,
    damaged,
    documents,
    layouts,
    spoiled,
)
from tests.drawn import examples
from trayport_sdk import TrayportDecodeError
from trayport_sdk.tables.decode.schema import ColumnFilter, RequestedColumns, typed_columns

pytestmark = pytest.mark.usefixtures("reader")

PIECES = (1, 2, 40, 300, 3000, None)
BRINGING = ("routes", "includePrivate")
# A body that fails is made small here; hypothesis knows no more than how it was drawn.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
NUMBER = r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?"
ARRAYS = [name for name, endpoint in ENDPOINTS.items() if endpoint.root == "array"]

randoms = st.randoms(use_true_random=True)


MARK = b"\xef\xbb\xbf"


def everything(operation_id: str) -> ColumnFilter:
    return RequestedColumns(ENDPOINTS[operation_id].optional_fields, BRINGING)


def plain(operation_id: str, rows: int = 2) -> bytes:
    """A small right answer without anything special."""
    endpoint = ENDPOINTS[operation_id]
    one = _object(endpoint.row)
    if endpoint.root == "array":
        return b"[" + b",".join([one] * rows) + b"]"
    if endpoint.rows_at is None:
        return one
    return b'{"timestamp":1,"%s":[%s]}' % (endpoint.rows_at.encode(), b",".join([one] * rows))


def _object(columns: Iterable[Column]) -> bytes:
    members = (b'"%s":%s' % (c.name.encode(), _value(c)) for c in columns if c.required)
    return b"{" + b",".join(members) + b"}"


def _value(column: Column) -> bytes:
    match column.type:
        case "struct":
            return _object(column.fields)
        case "list":
            return b"[" + _object(column.fields) + b"]"
        case "string":
            return b'"%s"' % (column.enum[0] if column.enum else "x").encode()
        case "bool":
            return b"true"
        case _:
            return b"1"


def examine(case: Case, decode: Decode = decode) -> None:
    """Checks a case, and reports the smallest one that fails in the same way."""
    try:
        check(case, decode)
    except AssertionError as failure:
        case = smallest(case, decode)
        chunks = "in one chunk" if len(case.chunks) == 1 else f"in {len(case.chunks)} chunks"
        what = f"{case.operation_id}, pieces of {case.piece}, {chunks}: {case.body!r}"
        raise AssertionError(f"{failure}\n{what}") from failure


def examine_document(
    operation_id: str, wanted: ColumnFilter, document: Node, layout: Layout, likes: Random,
    decode: Decode = decode,
) -> None:  # fmt: skip
    """Checks a document as it was drawn, with values changed, and with its text damaged."""
    right = layout.text(document)
    changed = [layout.text(spoiled(document, likes)) for _ in range(2)]
    broken = [damaged(right, likes), damaged(right, likes), damaged(changed[0], likes)]
    for body in (right, right, *changed, *broken):
        examine(Case(operation_id, wanted, chunked(body, likes), likes.choice(PIECES)), decode)


@pytest.mark.parametrize("operation_id", ENDPOINTS)
@given(data=st.data())
@settings(
    max_examples=examples(40),
    phases=PHASES,
    suppress_health_check=list(HealthCheck),
)
def test_a_document_is_decoded_as_the_reference_decodes_it(
    operation_id: str, data: st.DataObject
) -> None:
    wanted = data.draw(columns_wanted(operation_id))
    document = data.draw(documents(operation_id))
    examine_document(operation_id, wanted, document, data.draw(layouts), data.draw(randoms))


@pytest.mark.parametrize("operation_id", ENDPOINTS)
def test_a_body_that_comes_byte_by_byte_or_is_cut_anywhere(operation_id: str) -> None:
    body, wanted = plain(operation_id), everything(operation_id)
    for piece in PIECES:
        examine(Case(operation_id, wanted, bytes_of(body), piece))
    for length in range(len(body)):
        examine(Case(operation_id, wanted, [body[:length]], 60))


@pytest.mark.parametrize("operation_id", ["get_last_trade", "get_snapshots"])
def test_chunks_may_end_at_every_byte(operation_id: str) -> None:
    body, wanted = plain(operation_id), everything(operation_id)
    for length in range(len(body) + 1):
        for piece in (1, 60, None):
            examine(Case(operation_id, wanted, [body[:length], b"", body[length:]], piece))


def test_garbage_at_every_place_is_seen() -> None:
    body, wanted = plain("get_last_trade"), everything("get_last_trade")
    for place in range(len(body) + 1):
        for garbage in (b"", *GARBAGE):
            wrong = body[:place] + garbage + body[place + (not garbage) :]
            examine(Case("get_last_trade", wanted, [wrong], 1))


@pytest.mark.parametrize("operation_id", ARRAYS)
@given(data=st.data(), gaps=st.sampled_from([(), (" ",), ("\n  ", "", "\t")]))
@settings(
    max_examples=2,
    phases=PHASES,
    suppress_health_check=list(HealthCheck),
)
def test_a_document_of_many_pieces(
    operation_id: str, data: st.DataObject, gaps: tuple[str, ...]
) -> None:
    wanted, likes = everything(operation_id), data.draw(randoms)
    document = data.draw(documents(operation_id).filter(bool))
    assert isinstance(document, list)
    rows = [likes.choice(document) for _ in range(200)]
    body = Layout(gaps, likes.getrandbits(32)).text(rows)
    wrong = damaged(body, likes)
    for piece in (1000, 20_000):
        examine(Case(operation_id, wanted, chunked(body, likes), piece))
        examine(Case(operation_id, wanted, chunked(wrong, likes), piece))


@given(
    st.lists(
        st.floats(allow_nan=False, allow_infinity=False).map(repr)
        | st.from_regex(NUMBER, fullmatch=True),
        min_size=200,
        max_size=200,
    )
)  # fmt: skip
@settings(max_examples=examples(8), suppress_health_check=list(HealthCheck))
def test_floats_are_as_the_text_says(texts: list[str]) -> None:
    rows = ",".join(f'{{"price":{text},"dealDate":1}}' for text in texts)
    body = f"[{rows}]".encode()
    check(Case("get_last_trade", RequestedColumns(), [body]))


# Decoders that are wrong on purpose: whoever finds no fault with them finds none with any.


def read_by_polars(case: Case) -> Outcome:
    """Takes the word of polars for everything."""
    import io

    columns = typed_columns(case.operation_id, case.wanted)
    schema = {typed.column.name: typed.kind for typed in columns}
    try:
        frame = pl.read_json(io.BytesIO(case.body), schema=schema)
    except Exception as error:
        raise TrayportDecodeError("polars", offset=0) from error
    return Outcome([frame.rename({c.column.name: c.name for c in columns})], None)


def losing_the_last_row(case: Case) -> Outcome:
    outcome = decode(case)
    return attrs.evolve(outcome, frames=[*outcome.frames[:-1], outcome.frames[-1].head(-1)])


def changing(expression: pl.Expr) -> Decode:
    def changed(case: Case) -> Outcome:
        outcome = decode(case)
        return attrs.evolve(
            outcome, frames=[frame.with_columns(expression) for frame in outcome.frames]
        )

    return changed


def blind_to_what_follows(case: Case) -> Outcome:
    end = case.body.rfind(b"]") + 1
    return decode(Case(case.operation_id, case.wanted, [case.body[:end]]))


def blind_to_a_cut(case: Case) -> Outcome:
    try:
        return decode(case)
    except TrayportDecodeError:
        end = case.body.rfind(b"},") + 1
        return decode(Case(case.operation_id, case.wanted, [case.body[:end] + b"]"]))


def blind_to_letters(case: Case) -> Outcome:
    body = case.body.decode(errors="replace").encode()
    return decode(Case(case.operation_id, case.wanted, [body]))


def refusing_a_mark_at_the_start(case: Case) -> Outcome:
    if case.body.startswith(MARK):
        raise TrayportDecodeError("a byte order mark", offset=0)
    return decode(case)


def blind_to_marks_at_the_start(case: Case) -> Outcome:
    return decode(Case(case.operation_id, case.wanted, [case.body.replace(MARK, b"", 2)]))


def taking_wrong_types_for_null(case: Case) -> Outcome:
    from trayport_sdk.tables.decode.decoder import Decoder

    decoder = Decoder(case.operation_id, case.wanted, lenient=True)
    return Outcome(list(decoder.frames(case.chunks)), decoder.timestamp)


def without_a_place(case: Case) -> Outcome:
    try:
        return decode(case)
    except TrayportDecodeError as error:
        raise TrayportDecodeError("somewhere", offset=0, row=0, field=None) from error


def far_beyond(case: Case) -> Outcome:
    try:
        return decode(case)
    except TrayportDecodeError as error:
        raise TrayportDecodeError("beyond", offset=len(case.body) + 1) from error


def losing_a_piece(case: Case) -> Outcome:
    outcome = decode(case)
    return attrs.evolve(outcome, frames=outcome.frames[:1])


TRADE_DATE, PRICE = pl.col("deal_date"), pl.col("price")
WRONG_DECODERS: dict[str, Decode] = {
    "polars alone": read_by_polars,
    "loses the last row": losing_the_last_row,
    "loses pieces": losing_a_piece,
    "times through a float": changing(
        TRADE_DATE.cast(pl.Int64)
        .cast(pl.Float64)
        .cast(pl.Int64, strict=False)
        .cast(pl.Datetime("ns", "UTC"))
    ),
    "times in microseconds": changing(TRADE_DATE.cast(pl.Datetime("us", "UTC"))),
    "prices as float32": changing(PRICE.cast(pl.Float32).cast(pl.Float64)),
    "prices an ulp off": changing((PRICE * 1.0000000000000002).alias("price")),
    "text without its end": changing(pl.col("trade_id").str.slice(0, 200)),
    "text trimmed": changing(pl.col("trade_id").str.strip_chars()),
    "nulls for false": changing(pl.when(pl.col("aggressor_buy")).then(True).alias("aggressor_buy")),
    "takes trailing bytes": blind_to_what_follows,
    "takes a cut body": blind_to_a_cut,
    "takes what is no UTF-8": blind_to_letters,
    "refuses a byte order mark": refusing_a_mark_at_the_start,
    "takes several byte order marks": blind_to_marks_at_the_start,
    "nulls for wrong types": taking_wrong_types_for_null,
    "does not say where": without_a_place,
    "says a place beyond the body": far_beyond,
}


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # it is not made small
@pytest.mark.parametrize("wrong", WRONG_DECODERS.values(), ids=WRONG_DECODERS)
def test_a_decoder_that_is_wrong_is_found_out(wrong: Decode) -> None:
    @given(documents("get_trades"), layouts, randoms)
    @settings(
        max_examples=400,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,  # which ends it with the first
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    def look(document: Node, layout: Layout, likes: Random) -> None:
        right = layout.text(document)
        changed = [layout.text(spoiled(document, likes)), damaged(right, likes)]
        rare = [
            MARK + right,
            2 * MARK + right,
            right.replace(b':"', b':"\xff', 1),
            re.sub(rb'"tradeId"\s*:\s*"', rb"\g<0> " + b"x" * 200, right),
        ]
        for body in (right, *changed, *rare):
            chunks = chunked(body, likes)
            case = Case("get_trades", everything("get_trades"), chunks, likes.choice(PIECES))
            # Only what the wrong decoder does wrong may tell on it.
            if not fails(case):
                check(case, wrong)

    with pytest.raises(AssertionError):
        look()
