"""Everything that can be made to go wrong, in this process and over real sockets."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode

import pytest

from tests.sandbox.asking import MINIMAL, NOW, Asker
from trayport_sdk.sandbox import KINDS, Fault, Sandbox, SandboxServer

TRADES = MINIMAL["/trades"]
PATH = "/analytics/api/trades"
HEAD_END = b"\r\n\r\n"


@pytest.fixture
def ask() -> Asker:
    return Asker()


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox(limits=False)


@pytest.fixture(scope="module")
def server(sandbox: Sandbox) -> Iterator[SandboxServer]:
    with sandbox.serve() as running:
        yield running


def raw(server: SandboxServer, encoding: str = "identity") -> bytes:
    """Everything that comes over the wire for one request, until the connection ends."""
    request = (
        f"GET {PATH}?{urlencode(TRADES, doseq=True)} HTTP/1.1\r\nHost: sandbox\r\n"
        f"X-API-KEY: sandbox\r\nAccept-Encoding: {encoding}\r\nConnection: close\r\n\r\n"
    )
    received = b""
    with socket.create_connection((server.host, server.port)) as connection:
        connection.sendall(request.encode())
        try:
            while data := connection.recv(65_536):
                received += data
        except ConnectionResetError:
            return received + b"RESET"
    return received


def fetched(server: SandboxServer) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(server.host, server.port)
    try:
        connection.request(
            "GET", f"{PATH}?{urlencode(TRADES, doseq=True)}", headers={"X-API-KEY": "sandbox"}
        )
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_a_fault_hits_as_often_as_it_says_after_those_it_leaves_out(ask: Asker) -> None:
    ask.sandbox.faults.add(Fault("status", status=500, after=1, times=2))
    statuses = [ask.reference("/markets").status_code for _ in range(5)]
    assert statuses == [200, 500, 500, 200, 200]


def test_a_fault_without_an_end_hits_until_it_is_cleared(ask: Asker) -> None:
    ask.sandbox.faults.add(Fault("status", times=None))
    assert {ask.reference("/markets").status_code for _ in range(20)} == {503}
    ask.sandbox.faults.clear()
    assert ask.reference("/markets").status_code == 200


def test_a_fault_hits_its_path_or_operation_only(ask: Asker) -> None:
    ask.sandbox.faults.add(
        Fault("status", status=500, operation_id="get_markets"),
        Fault("status", status=502, path="/analytics/api/trades/last"),
        Fault("status", status=504, path="/reference/sequences/*"),
    )
    assert ask.reference("/instruments").status_code == 200
    assert ask.reference("/markets").status_code == 500
    assert ask.analytics("/trades/last", MINIMAL["/trades/last"]).status_code == 502
    assert ask.reference("/sequences/10000305/sequenceItems/244").status_code == 504


def test_chance_depends_on_the_seed_alone() -> None:
    def statuses(seed: int) -> list[int]:
        ask = Asker()
        ask.sandbox.faults.add(Fault("status", times=None, probability=0.5, seed=seed))
        return [ask.reference("/sequences").status_code for _ in range(40)]

    assert statuses(1) == statuses(1) != statuses(2)
    assert 5 < statuses(1).count(503) < 35


@pytest.mark.parametrize("status", [400, 403, 404, 408, 429, 500, 502, 503, 520])
def test_any_error_status_can_be_had_with_or_without_retry_after(ask: Asker, status: int) -> None:
    ask.sandbox.faults.add(
        Fault("status", status=status),
        Fault("status", status=status, after=1, retry_after=7),
        Fault("status", status=status, after=2, retry_after=7, retry_after_date=True),
    )
    responses = [ask.reference("/markets") for _ in range(3)]
    assert {response.status_code for response in responses} == {status}
    assert "retry-after" not in responses[0].headers
    assert responses[1].headers["retry-after"] == "7"
    when = parsedate_to_datetime(responses[2].headers["retry-after"])
    assert (when - NOW).total_seconds() == 7


def test_an_error_may_come_without_a_body(ask: Asker) -> None:
    ask.sandbox.faults.add(Fault("status", status=500, empty=True))
    response = ask.reference("/markets")
    assert (response.status_code, response.content) == (500, b"")


def test_too_fast_is_a_403(ask: Asker) -> None:
    ask.sandbox.faults.add(Fault("too-fast"))
    assert ask.reference("/markets").status_code == 403


def test_a_page_instead_of_data(ask: Asker) -> None:
    ask.sandbox.faults.add(Fault("html"), Fault("html", status=502, after=1))
    for status in (200, 502):
        response = ask.reference("/markets")
        assert response.status_code == status
        assert response.headers["content-type"] == "text/html"
        assert "<html>" in response.text


def test_damaged_bodies_and_clean_ones_after_them(ask: Asker) -> None:
    clean = ask.rows("/trades", TRADES)
    ask.sandbox.faults.add(Fault("malformed"))
    with pytest.raises(json.JSONDecodeError):
        ask.analytics("/trades", TRADES).json()

    ask.sandbox.faults.add(Fault("unknown-field"))
    extra = ask.rows("/trades", TRADES)
    assert [row.pop("fieldOfTheFuture") for row in extra] == ["new"] * len(clean)
    assert extra == clean

    ask.sandbox.faults.add(Fault("unknown-venue"))
    assert {row["venueCode"] for row in ask.rows("/trades", TRADES)} == {"NEWV"}

    ask.sandbox.faults.add(Fault("null"), Fault("null", after=1, column="price"))
    assert ask.rows("/trades", TRADES)[0]["tradeId"] is None
    assert ask.rows("/trades", TRADES)[0]["price"] is None
    assert ask.rows("/trades", TRADES) == clean


def test_damage_reaches_snapshots_books_and_csv(ask: Asker) -> None:
    ask.sandbox.faults.add(Fault("null", column="bestOrders"))
    snapshots = ask.analytics("/snapshots", MINIMAL["/snapshots"]).json()["snapshots"]
    assert snapshots[0]["bestOrders"] is None
    ask.sandbox.faults.add(Fault("unknown-venue"))
    books = ask.rows("/orders/book", MINIMAL["/orders/book"], optionalFields="venueCode")
    assert {order["venueCode"] for book in books for order in book["bids"]} == {"NEWV"}
    ask.sandbox.faults.add(Fault("unknown-field"))
    text = ask.analytics("/trades", TRADES, accept="text/csv").text
    assert text.splitlines()[0].endswith(",fieldOfTheFuture")


def test_without_a_socket_broken_connections_are_exceptions(ask: Asker) -> None:
    broken = (
        Fault("reset"),
        Fault("reset", after_bytes=10),
        Fault("cut"),
        Fault("cut", after_bytes=5, framing="content-length"),
    )
    for fault in broken:
        ask.sandbox.faults.add(fault)
        with pytest.raises(ConnectionResetError):
            ask.analytics("/trades", TRADES)
    assert ask.analytics("/trades", TRADES).status_code == 200


def test_faults_are_controlled_over_http(ask: Asker) -> None:
    added = ask.send(
        "/control/faults",
        method="POST",
        content=b'{"kind": "status", "status": 502, "times": null}',
    )
    assert added.status_code == 201
    assert ask.reference("/markets").status_code == 502
    (shown,) = ask.send("/control/faults").json()
    assert (shown["kind"], shown["status"], shown["hits"]) == ("status", 502, 1)
    ask.send("/control/faults", method="DELETE")
    assert ask.reference("/markets").status_code == 200
    several = json.dumps([{"kind": kind, "after": 99} for kind in KINDS]).encode()
    assert ask.send("/control/faults", method="POST", content=several).status_code == 201
    assert ask.send("/control/faults", method="PUT").status_code == 405


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[1]",
        b'{"kind": "nonsense"}',
        b'{"kind": "status", "when": 1}',
        b'{"kind": "status", "times": 0}',
        b'{"kind": "status", "status": "x"}',
        b'{"kind": "delay", "probability": 2}',
        b"{}",
        b"\xff",
    ],
)
def test_what_is_no_fault_is_refused(ask: Asker, body: bytes) -> None:
    assert ask.send("/control/faults", method="POST", content=body).status_code == 400


def test_a_delay_comes_before_the_answer(server: SandboxServer, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("delay", seconds=0.2))
    begun = time.monotonic()
    assert fetched(server)[0] == 200
    assert time.monotonic() - begun >= 0.2


def test_a_dripping_body_is_slow_and_whole(server: SandboxServer, sandbox: Sandbox) -> None:
    _, clean = fetched(server)
    pieces = 10
    chunk = len(clean) // pieces + 1
    sandbox.faults.add(Fault("drip", chunk=chunk, bytes_per_second=len(clean) / 0.2))
    begun = time.monotonic()
    status, body = fetched(server)
    assert (status, body) == (200, clean)
    assert time.monotonic() - begun >= 0.15


def test_a_reset_before_the_head_sends_nothing(server: SandboxServer, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("reset"))
    assert raw(server) == b"RESET"


def test_a_reset_within_the_body_sends_a_part_of_it(
    server: SandboxServer, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault("reset", after_bytes=1000, framing="content-length"))
    received = raw(server)
    assert received.endswith(b"RESET")
    body = received.removesuffix(b"RESET").partition(HEAD_END)[2]
    assert len(body) in (0, 1000)


@pytest.mark.parametrize("framing", ["chunked", "content-length"])
def test_a_cut_body_ends_early_and_in_peace(
    server: SandboxServer, sandbox: Sandbox, framing: str
) -> None:
    sandbox.faults.add(Fault.from_document({"kind": "cut", "after_bytes": 700, "framing": framing}))
    head, _, body = raw(server).partition(HEAD_END)
    assert not body.endswith(b"RESET")
    if framing == "chunked":
        assert b"transfer-encoding: chunked" in head.lower()
        assert not body.endswith(b"0\r\n\r\n")
        assert len(body) > 700
    else:
        assert b"content-length" in head.lower()
        assert len(body) == 700
    sandbox.faults.add(Fault.from_document({"kind": "cut", "framing": framing}))
    with pytest.raises(http.client.IncompleteRead):
        fetched(server)


@pytest.mark.parametrize("error", [-10, 10])
def test_a_wrong_length_is_announced(server: SandboxServer, sandbox: Sandbox, error: int) -> None:
    whole = raw(server).partition(HEAD_END)[2]
    sandbox.faults.add(Fault("wrong-length", length_error=error))
    head, _, body = raw(server).partition(HEAD_END)
    announced = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    assert announced == len(body) + error
    assert body[:50] == whole[:50] or len(whole) > len(body)


def test_other_requests_go_on_while_one_is_delayed(server: SandboxServer, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("delay", seconds=30, times=1))
    slow = http.client.HTTPConnection(server.host, server.port)
    slow.request("GET", "/reference/markets", headers={"X-API-KEY": "sandbox"})
    while not any(fault["hits"] for fault in sandbox.faults.documents() if fault["seconds"] == 30):
        assert fetched(server)[0] == 200
    assert fetched(server)[0] == 200
    slow.close()
