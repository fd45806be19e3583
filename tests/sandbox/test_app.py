"""The application as a whole: paths, keys, formats, encodings and what browsers need."""

import csv
import gzip
import io
import subprocess
import sys
import zlib

import brotli  # type: ignore[import-untyped]
import pytest

from tests.sandbox.asking import (
    DAYS,
    MINIMAL,
    MONTH,
    NOW,
    REFERENCE_PATHS,
    SEQUENCE,
    Asker,
    nanoseconds,
)
from trayport_sdk.sandbox import Sandbox


@pytest.fixture(scope="module")
def ask() -> Asker:
    return Asker()


@pytest.mark.parametrize("path", MINIMAL)
def test_every_analytics_endpoint_responds_with_json_and_csv(ask: Asker, path: str) -> None:
    response = ask.analytics(path, MINIMAL[path])
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    document = response.json()
    rows = document["snapshots"] if path == "/snapshots" else document
    assert rows

    text = ask.analytics(path, MINIMAL[path], accept="text/csv")
    assert text.headers["content-type"].startswith("text/csv")
    assert len(list(csv.DictReader(io.StringIO(text.text)))) == len(rows)


@pytest.mark.parametrize("path", REFERENCE_PATHS)
def test_every_reference_endpoint_responds_with_json_and_csv(ask: Asker, path: str) -> None:
    document = ask.reference(path).json()
    assert document
    rows = document if isinstance(document, list) else [document]
    text = ask.reference(path, accept="text/csv").text
    assert [row["id"] for row in csv.DictReader(io.StringIO(text))] == [str(r["id"]) for r in rows]


@pytest.mark.parametrize("key", [None, "", "Sandbox", "another"])
def test_a_missing_or_wrong_key_is_refused_by_both_apis(key: str | None) -> None:
    ask = Asker(key=key)
    for response in (ask.analytics("/trades", MINIMAL["/trades"]), ask.reference("/markets")):
        assert response.status_code == 401
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == 401


def test_more_keys_are_accepted_by_option() -> None:
    sandbox = Sandbox(keys=("one", "two"))
    assert Asker(sandbox, "two").reference("/markets").status_code == 200
    assert Asker(sandbox, "sandbox").reference("/markets").status_code == 401


def test_unknown_paths_are_not_found(ask: Asker) -> None:
    for path in ("/", "/trades", "/analytics/api/trade", "/reference/instruments/1/2/3"):
        assert ask.send(path).status_code == 404


def test_unknown_ids_and_foreign_sequences_are_not_found(ask: Asker) -> None:
    for path in (
        "/instruments/1",
        "/markets/1",
        "/sequences/1/sequenceItems",
        "/markets/1/sequences",
    ):
        assert ask.reference(path).status_code == 404
    assert ask.reference(f"/sequences/{SEQUENCE}/sequenceItems/999999").status_code == 404
    emissions = 10_000_400
    for change in ({"marketId": 1}, {"sequenceId": emissions}, {"sequenceItemId": 999_999}):
        assert ask.analytics("/trades", {**MINIMAL["/trades"], **change}).status_code == 404
    assert ask.analytics("/trades/private", {**DAYS, "sequenceId": 1}).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"])
def test_other_methods_are_refused_with_those_allowed(ask: Asker, method: str) -> None:
    response = ask.send("/reference/markets", method=method)
    assert response.status_code == 405
    assert "GET" in response.headers["allow"]


def test_browsers_may_ask_from_anywhere(ask: Asker) -> None:
    preflight = ask.send(
        "/analytics/api/trades",
        method="OPTIONS",
        origin="https://example.org",
        access_control_request_method="GET",
        access_control_request_headers="x-api-key, accept",
        access_control_request_private_network="true",
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "GET" in preflight.headers["access-control-allow-methods"]
    assert "x-api-key" in preflight.headers["access-control-allow-headers"]
    assert preflight.headers["access-control-allow-private-network"] == "true"
    for path in ("/reference/markets", "/nowhere"):
        assert ask.send(path).headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("br", "br"),
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("identity", None),
        ("", None),
        ("gzip, br", "br"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("br;q=0, gzip;q=0, *", "deflate"),
        ("*", "br"),
        ("*;q=0, identity", None),
        ("identity;q=1, gzip;q=0.5", None),
        ("zstd", None),
        ("GZIP", "gzip"),
    ],
)
def test_the_encoding_is_what_the_client_wants_most(
    ask: Asker, accepted: str, chosen: str | None
) -> None:
    response = ask.reference("/markets", accept_encoding=accepted)
    assert response.headers.get("content-encoding") == chosen
    assert response.json()


def test_brotli_when_no_encoding_is_named() -> None:
    ask = Asker()
    assert ask.reference("/markets").headers["content-encoding"] == "br"


def test_all_encodings_carry_the_same_bytes_from_cold_and_from_warm_caches() -> None:
    sandbox = Sandbox(limits=False)
    undo = {"br": brotli.decompress, "gzip": gzip.decompress, "deflate": zlib.decompress}
    query = "&".join(f"{name}={value}" for name, value in MINIMAL["/trades"].items())
    with sandbox.serve() as server:
        import http.client

        def fetch(encoding: str) -> bytes:
            connection = http.client.HTTPConnection(server.host, server.port)
            connection.request(
                "GET",
                f"/analytics/api/trades?{query}",
                headers={"X-API-KEY": "sandbox", "Accept-Encoding": encoding},
            )
            body = connection.getresponse().read()
            connection.close()
            return body

        plain = fetch("identity")
        for encoding, decode in undo.items():
            compressed = fetch(encoding)
            assert fetch(encoding) == compressed
            assert decode(compressed) == plain
            assert len(compressed) < len(plain) / 4


@pytest.mark.parametrize(
    ("accepted", "kind"),
    [
        ("text/csv", "text/csv"),
        ("text/*", "text/csv"),
        ("application/json;q=0.5, text/csv", "text/csv"),
        ("*/*", "application/json"),
        ("application/xml", "application/json"),
    ],
)
def test_the_format_is_what_the_client_wants_most(ask: Asker, accepted: str, kind: str) -> None:
    response = ask.analytics("/trades/last", MINIMAL["/trades/last"], accept=accepted)
    assert response.headers["content-type"].startswith(kind)


def test_data_ends_at_the_start_of_the_current_day(ask: Asker) -> None:
    month = {**MONTH, "sequenceItemId": 271}
    for until, status in (("2026-06-15", 200), ("2026-06-15T00:00:01", 401), ("2027", 401)):
        query = {**month, "from": "2026-06-14", "until": until}
        if until == "2027":
            query["from"] = "2026-12-31"
        assert ask.analytics("/trades", query).status_code == status
    assert ask.analytics("/trades/last", {**month, "at": "2026-06-15"}).status_code == 200
    assert ask.analytics("/trades/last", {**month, "at": "2026-06-15T09"}).status_code == 401


def test_private_trades_are_served_until_now(ask: Asker) -> None:
    today = {"from": "2026-06-15", "until": "2026-06-16"}
    rows = ask.rows("/trades/private", today)
    assert rows
    assert all(row["dealDate"] < nanoseconds(NOW) for row in rows)
    tomorrow = {"from": "2026-06-15", "until": "2026-06-16T00:00:01"}
    assert ask.analytics("/trades/private", tomorrow).status_code == 401


def test_an_entitled_key_sees_the_current_day_until_now() -> None:
    sandbox = Sandbox(intraday_keys=("intraday",), clock=lambda: nanoseconds(NOW))
    today = {**MONTH, "sequenceItemId": 272, "from": "2026-06-15", "until": "2026-06-16"}
    assert Asker(sandbox).analytics("/trades", today).status_code == 401
    ask = Asker(sandbox, "intraday")
    trades = ask.rows("/trades", today)
    assert trades
    assert max(row["dealDate"] for row in trades) < nanoseconds(NOW)
    candles = ask.rows("/trades/ohlcv", today, interval=1, intervalUnit="day")
    assert candles[0]["close"] == trades[-1]["price"]


def test_the_log_shows_requests_without_the_key() -> None:
    ask = Asker()
    ask.analytics("/trades/last", "SEQUENCEID=10000305&marketid=10000065&sequenceItemId=244&x=1")
    ask.reference("/nowhere")
    first, second = ask.sandbox.requests
    assert first.path == "/analytics/api/trades/last"
    assert first.query == "marketId=10000065&sequenceId=10000305&sequenceItemId=244&x=1"
    assert (first.status, second.status) == (400, 404)
    assert first.key_hash == second.key_hash != ""
    assert "sandbox" not in repr(first)
    assert first.arrived_ns <= second.arrived_ns


def test_the_log_can_be_read_and_emptied_over_http() -> None:
    ask = Asker()
    ask.reference("/markets")
    assert [entry["path"] for entry in ask.send("/control/requests").json()] == [
        "/reference/markets"
    ]
    ask.send("/control/requests", method="DELETE")
    assert ask.send("/control/requests").json() == []
    assert ask.send("/control/nothing").status_code == 404


def test_a_failure_of_the_sandbox_itself_is_logged_and_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    ask = Asker()
    ask.reference("/markets")
    monkeypatch.setattr("trayport_sdk.sandbox.app.check", fail)
    response = ask.reference("/markets")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "a bug" in caplog.text


def test_importing_the_sandbox_brings_no_heavy_libraries() -> None:
    code = (
        "import sys, trayport_sdk.sandbox as s; s.Sandbox();"
        "print([m for m in ('numpy', 'polars', 'uvicorn', 'starlette') if m in sys.modules])"
    )
    path = [entry for entry in sys.path if entry]
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(path)},
    )
    assert done.stdout.strip() == "[]"
