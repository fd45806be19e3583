"""What a client makes of a service's answers: of any that the document allows, and of any other.

Answers that the document allows come out of every method as equal rows. Answers that are changed so
that it no longer allows them are errors that say so: never rows, and never nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, TypeAlias

import httpx
import pytest
from attrs import define, frozen
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from trayport_spec import ENDPOINTS, Column, Endpoint

from tests.drawn import FACTOR, examples
from tests.fuzz.test_responses import (
    as_table_keeps_it,
    known,
    responses,
    rows_of,
    with_integers,
)
from trayport_sdk import ContractSpec, Settings, TrayportClient, TrayportDecodeError, sync
from trayport_sdk.query.times import DAY, SECOND, instant

pytestmark = pytest.mark.hypothesis
START, END = "2024-03-04", "2024-03-05"
FROM, UNTIL = instant(START, "day"), instant(END, "day")
HOUR = 3600 * SECOND
MARKET, SEQUENCE = 10000065, 10000305
CONTRACTS = [
    ContractSpec(market_id=MARKET, sequence_id=SEQUENCE, sequence_item_id=item)
    for item in range(244, 264)
]
APRIL = CONTRACTS[0]
DRAWING = settings(suppress_health_check=list(HealthCheck), phases=[Phase.generate], database=None)
Row: TypeAlias = dict[str, Any]


def fields(operation_id: str) -> dict[str, Any]:
    return {"optional_fields": ENDPOINTS[operation_id].optional_fields}


def everything(operation_id: str) -> dict[str, Any]:
    """Every option that adds fields."""
    names = [parameter.python_name for parameter in ENDPOINTS[operation_id].parameters]
    options: dict[str, Any] = {"routes": "all", "include_private": True}
    chosen = {name: value for name, value in options.items() if name in names}
    return chosen | fields(operation_id)


CALLS: Mapping[str, Callable[[Any], Any]] = {
    "get_trades": lambda c: c.trades.get_trades(APRIL, START, END, **everything("get_trades")),
    "get_private_trades": lambda c: c.trades.get_private_trades(
        START, END, contract=APRIL, **everything("get_private_trades")
    ),
    "get_ohlcv": lambda c: c.trades.get_ohlcv(APRIL, START, END, "1h", **everything("get_ohlcv")),
    "get_last_trade": lambda c: c.trades.get_last_trade(
        APRIL, at=END, **everything("get_last_trade")
    ),
    "get_activity": lambda c: c.trades.get_activity(START, END, **everything("get_activity")),
    "get_order_book_top": lambda c: c.orders.get_order_book_top(
        APRIL, START, END, "1h", **everything("get_order_book_top")
    ),
    "get_order_book": lambda c: c.orders.get_order_book(
        APRIL, START, END, "1h", **everything("get_order_book")
    ),
    "get_snapshots": lambda c: c.snapshots.get_snapshots(CONTRACTS, at=END),
    "get_instruments": lambda c: c.reference.get_instruments(),
    "get_instrument": lambda c: c.reference.get_instrument_by_id(MARKET),
    "get_instrument_sequences": lambda c: c.reference.get_instrument_sequences(MARKET),
    "get_markets": lambda c: c.reference.get_markets(),
    "get_market": lambda c: c.reference.get_market_by_id(MARKET),
    "get_market_sequences": lambda c: c.reference.get_market_sequences(MARKET),
    "get_sequences": lambda c: c.reference.get_sequences(),
    "get_sequence_items": lambda c: c.reference.get_sequence_items(SEQUENCE),
    "get_sequence_item": lambda c: c.reference.get_sequence_item(SEQUENCE, 244),
}


IDS = {"get_instrument": MARKET, "get_market": MARKET, "get_sequence_item": 244}


def suited(operation_id: str, answer: Any) -> Any:
    """The answer, with its rows moved into what is asked for, as those of a service would be."""
    endpoint = ENDPOINTS[operation_id]
    rows = rows_of(endpoint, answer)
    del rows[len(CONTRACTS) :]
    for place, row in enumerate(rows):
        if "contract" in row and endpoint.api == "analytics":  # elsewhere it is an unknown field
            row["contract"] |= {
                "contractType": "SinglePeriod",
                "marketId": MARKET,
                "instrumentId": None,
                "sequenceId": SEQUENCE,
                "sequenceItemId": (
                    CONTRACTS[place] if endpoint.rows_at else APRIL
                ).sequence_item_id,
                "secondSequenceItemId": None,
            }
        if operation_id == "get_activity":
            row["sequenceItemId"] = (
                place  # rows of the same contract and route are counted together
            )
        if operation_id in IDS:
            row["id"] = IDS[operation_id]
        if (time := endpoint.time_column) is not None:
            grid = HOUR if endpoint.limits.intervals else 1
            row[time] = FROM + row[time] // grid * grid % DAY
            if "toTimestamp" in row:
                row["toTimestamp"] = row[time] + HOUR
    if endpoint.time_column is not None:
        rows.sort(key=itemgetter(endpoint.time_column))  # as a service sends them
    if endpoint.rows_at:
        answer["timestamp"] = UNTIL
    return answer


@define
class Service(httpx.AsyncBaseTransport):
    """Answers every request with the same body."""

    body: bytes = b""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        headers = {"Content-Type": "application/json"}
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(self.body))


@frozen
class Asker:
    """A client of either kind, whose service answers what it is told."""

    client: Any
    service: Service
    run: Callable[[Any], Any]

    def ask(self, operation_id: str, body: bytes) -> Any:
        self.service.body = body
        return self.run(CALLS[operation_id](self.client))


@pytest.fixture(scope="module")
def askers() -> Iterator[dict[str, Asker]]:
    chosen = Settings(
        _env_file=None,
        api_key="key",
        analytics_url="http://127.0.0.1/api",
        reference_url="http://localhost",
        cache="off",
        circuit_breakers=False,
        max_retries=0,
        requests_per_second=100_000,
        requests_per_minute=1_000_000,
        evenly_spaced=False,
        emergency_throttling=False,
    )
    service = Service()
    with (
        asyncio.Runner() as runner,
        sync.TrayportClient(settings=chosen, transport=service) as synchronous,
    ):
        client = TrayportClient(settings=chosen, transport=service)
        yield {
            "async": Asker(client, service, runner.run),
            "sync": Asker(synchronous, service, lambda found: found),
        }
        runner.run(client.aclose())


def models_of(found: Any) -> list[Row]:
    """What a method gave, as JSON."""
    if found is None:
        return []
    models = [found] if hasattr(found, "to_dict") else found
    return [model.to_dict() for model in models]


def allowed(operation_id: str, rows: int = 0) -> st.SearchStrategy[Any]:
    """Responses to the call, with at least so many rows."""
    suit = partial(suited, operation_id)
    drawn = responses(operation_id).map(with_integers).map(suit)
    return drawn.filter(lambda answer: len(rows_of(ENDPOINTS[operation_id], answer)) >= rows)


# With all examples both clients are asked, and by default one of them is.
PAIRS = [
    (kind, operation_id)
    for turn, kind in enumerate(("async", "sync"))
    for place, operation_id in enumerate(CALLS)
    if FACTOR >= 1 or place % 2 == turn
]


@pytest.mark.parametrize(("kind", "operation_id"), PAIRS)
def test_an_allowed_response_comes_out_of_the_method_as_equal_rows(
    kind: str,
    operation_id: str,
    askers: dict[str, Asker],
    record_property: Callable[[str, object], None],
) -> None:
    endpoint = ENDPOINTS[operation_id]
    kept = as_table_keeps_it if endpoint.api == "analytics" else known

    @settings(DRAWING, max_examples=examples(40))
    @given(allowed(operation_id))
    def check(answer: Any) -> None:
        found = askers[kind].ask(operation_id, json.dumps(answer).encode())
        assert models_of(found) == [kept(endpoint.row, row) for row in rows_of(endpoint, answer)]
        counted.append(operation_id)

    counted: list[str] = []
    check()
    record_property("allowed", len(counted))


def test_every_operation_is_asked() -> None:
    assert CALLS.keys() == ENDPOINTS.keys()


INTEGERS, SCALARS = ("int64", "timestamp"), ("int64", "timestamp", "float64", "bool", "string")
# What takes the place of a value, for the types of columns where it is wrong.
WRONG_VALUES: Mapping[str, tuple[Callable[[Any], Any], Sequence[str]]] = {
    "in a list": (lambda value: [value], (*SCALARS, "struct")),
    "in an object": (lambda value: {"value": value}, (*SCALARS, "list")),
    "as text": (str, (*INTEGERS, "float64", "bool", "struct", "list")),
    "as a truth value": (bool, (*INTEGERS, "float64", "string", "struct", "list")),
    "as a number": (lambda _: 1, ("bool", "string", "struct", "list")),
    "with a fraction": (lambda _: 1.5, (*INTEGERS, "bool", "string")),
    "beyond 64 bits": (lambda _: 2**63, INTEGERS),
    "far below 64 bits": (lambda _: -(2**63) - 1, INTEGERS),
    "too large for a float": (lambda _: 10**400, (*INTEGERS, "float64")),
}
# What takes the place of a whole body.
WRONG_BODIES: Mapping[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "null": lambda _: b"null",
    "a page": lambda _: b"<html><body>Service busy</body></html>",
    "an error": lambda _: b'{"message": "busy"}',
    "cut at its end": lambda body: body[:-1],
    "cut in its middle": lambda body: body[: len(body) // 2],
    "without its beginning": lambda body: body[1:],
    "twice": lambda body: body + body,
    "followed by a comma": lambda body: body + b",",
    "followed by another document": lambda body: body + b"\n[]",
    "followed by a letter": lambda body: body + b"x",
    "in a list": lambda body: b"[" + body + b"]",
    "in an object": lambda body: b'{"data": ' + body + b"}",
    "as text": lambda body: json.dumps(body.decode()).encode(),
    "in UTF-16": lambda body: body.decode().encode("utf-16"),
    "in Latin-1": lambda body: body.replace(b'": ', b'": "\xe9", "\xe9": ', 1),
}


def places(columns: Sequence[Column], row: Row) -> Iterator[tuple[Row, Column]]:
    """Where a value stands whose type is more than assumed: the object, and the column."""
    for column in columns:
        if column.name not in row:
            continue
        if column.provenance.source != "assumed":
            yield row, column
        if column.fields and row[column.name] is not None:
            value = row[column.name]
            for inner in value if column.type == "list" else [value]:
                yield from places(column.fields, inner)


def spoiled(
    endpoint: Endpoint, answer: Any, pick: Callable[[int], int]
) -> Iterator[tuple[str, bytes]]:
    """The bodies that are wrong in one place each, and what is wrong with them."""
    body = json.dumps(answer).encode()
    for name, change in WRONG_BODIES.items():
        yield f"the body {name}", change(body)
    found = [place for row in rows_of(endpoint, answer) for place in places(endpoint.row, row)]
    if endpoint.rows_at:
        found += places(endpoint.envelope, answer)
    required = [(parent, column) for parent, column in found if column.required]
    for what, (change_value, types) in WRONG_VALUES.items():
        if fitting := [place for place in found if place[1].type in types]:
            parent, column = fitting[pick(len(fitting))]
            yield f"{column.name} {what}", _with(answer, parent, column, change_value)
    parent, column = required[pick(len(required))]
    yield f"no {column.name}", _without(answer, parent, column)
    if fitting := [place for place in required if not place[1].nullable]:
        parent, column = fitting[pick(len(fitting))]
        yield f"{column.name} null", _with(answer, parent, column, lambda _: None)


def _with(answer: Any, parent: Row, column: Column, change: Callable[[Any], Any]) -> bytes:
    value = parent[column.name]
    parent[column.name] = change(value)
    body = json.dumps(answer).encode()
    parent[column.name] = value
    return body


def _without(answer: Any, parent: Row, column: Column) -> bytes:
    value = parent.pop(column.name)
    body = json.dumps(answer).encode()
    parent[column.name] = value
    return body


@pytest.mark.parametrize(("kind", "operation_id"), PAIRS)
def test_a_spoiled_response_is_an_error_and_never_rows_or_nothing(
    kind: str,
    operation_id: str,
    askers: dict[str, Asker],
    record_property: Callable[[str, object], None],
) -> None:
    @settings(DRAWING, max_examples=max(1, round(8 * FACTOR)))
    @given(allowed(operation_id, rows=1), st.data())
    def check(answer: Any, data: st.DataObject) -> None:
        def pick(count: int) -> int:
            number: int = data.draw(st.integers(0, count - 1))
            return number

        for what, body in spoiled(ENDPOINTS[operation_id], answer, pick):
            note(f"{what}: {body[:2000]!r}")
            with pytest.raises(TrayportDecodeError):
                askers[kind].ask(operation_id, body)
            counted.append(what)

    counted: list[str] = []
    check()
    record_property("spoiled", len(counted))
