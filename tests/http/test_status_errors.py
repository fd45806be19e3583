"""What an error blames: the key, the clock, the address, or something in between."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from pydantic import SecretStr
from trayport_spec import ENDPOINTS

from tests.http.peers import encoded, held, peer
from trayport_sdk.errors import (
    RequestContext,
    TrayportAPIError,
    TrayportAuthorizationError,
    TrayportDecodeError,
    TrayportNotFoundError,
)
from trayport_sdk.http.messages import NOT_THE_API, ApiRequest
from trayport_sdk.http.status_errors import INTRADAY, api_error
from trayport_sdk.http.transport import Transport

CONTEXT = RequestContext("/trades")
MIDNIGHT = datetime(2024, 3, 6, tzinfo=UTC)
PAGE = b"\xef\xbb\xbf\r\n <!DOCTYPE html><title>Sign in</title>"
PROBLEM = b'{"title": "Not found"}'
ADDRESS = "https://analytics.example/api"


def request(operation: str, **parameters: str) -> ApiRequest:
    return ApiRequest(ENDPOINTS[operation], ENDPOINTS[operation].path, parameters)


def http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


TRADES = request("get_trades", until="2024-03-06T00:00:00Z")
PRIVATE = request("get_private_trades", until="2024-03-06T12:00:05Z")


@pytest.mark.parametrize(
    ("date", "hours", "wait"),
    [(True, 0, 30.0), (True, -1, 30.0), (True, 1, 30.0), (False, 0, 30.0), (False, 1, 0.0)],
)
def test_a_date_to_come_back_at_is_read_by_the_clock_of_the_service(
    date: bool, hours: int, wait: float
) -> None:
    headers = {"Retry-After": http_date(MIDNIGHT + timedelta(seconds=30))}
    headers |= {"Date": http_date(MIDNIGHT)} if date else {}
    error = api_error(503, headers, b"", CONTEXT, now=MIDNIGHT + timedelta(hours=hours))
    assert error.retry_after == wait


@pytest.mark.parametrize(
    ("asked", "local", "ahead", "date", "blamed"),
    [
        (TRADES, 20, 40, None, "the key was refused"),
        (TRADES, 20, 40, "yesterday", "the key was refused"),
        (TRADES, 20, 0, "", "the key was refused"),
        (TRADES, 20, 20, "", "the key was refused"),
        (TRADES, 20, 21, "", "until 2024-03-06T00:00:00Z lies after 2024-03-05T00:00:00Z"),
        (TRADES, 20, 40, "", "the local clock is 40 s ahead"),
        (TRADES, 7200, 90_000, "", "the local clock is 90,000 s ahead"),
        (request("get_last_trade", at="2024-03-06T00:00:00Z"), 20, 40, "", "at 2024-03-06"),
        (request("get_snapshots", at="2024-03-06T00:00:00Z"), 20, 40, "", "at 2024-03-06"),
        # It is after the end of the data by either clock.
        (request("get_trades", until="2024-03-06T09:00:00Z"), 20, 40, "", INTRADAY),
        (PRIVATE, 43_205, 5, "", "until 2024-03-06T12:00:05Z lies after 2024-03-06T12:00:00Z"),
        (PRIVATE, 43_205, 0, "", "the key was refused"),
        (request("get_private_trades", until="2024-03-07"), 20, 40, "", "the key was refused"),
        (request("get_sequences"), 20, 40, "", "the key was refused"),
    ],
)
def test_a_401_is_blamed_on_the_clock_where_the_service_has_another(
    asked: ApiRequest, local: int, ahead: int, date: str | None, blamed: str
) -> None:
    now = MIDNIGHT + timedelta(seconds=local)
    headers = {} if date is None else {"Date": date or http_date(now - timedelta(seconds=ahead))}
    error = api_error(401, headers, b"", CONTEXT, request=asked, now=now)
    assert blamed in str(error)
    assert ("check the key" in error.suggestion) == (blamed != INTRADAY)
    assert ("set the clock" in error.suggestion) == ("lies after" in str(error))


@pytest.mark.parametrize(
    ("status", "headers", "body", "says", "advice"),
    [
        (403, {}, PAGE, "403, an HTML page came: ", f"{NOT_THE_API}; if it was the API, the key"),
        (401, {}, b"<html>", "401, an HTML page came: ", f"{NOT_THE_API}; if it was the API, "),
        (404, {}, PAGE, "404, an HTML page came: ", NOT_THE_API),
        (404, {}, b"", f"404, nothing is there at {ADDRESS}", "check the address of the API"),
        (404, {}, b"no page", f"nothing is there at {ADDRESS}", "check the address of the API"),
        (404, {}, PROBLEM, "404, nothing has this id: Not found", "check the ids"),
        (403, {}, PROBLEM, "403, access was refused: Not found", "the key is not entitled"),
        (401, {"WWW-Authenticate": "Basic realm=x"}, b"", "a login is wanted", NOT_THE_API),
        (401, {"WWW-Authenticate": "ApiKey"}, b"", "the key was refused", "check the key"),
        (407, {}, b"", "a proxy wants a login", "HTTPS_PROXY"),
        (
            302,
            {"Location": "https://user:secret@login.example/?t=secret"},
            PAGE,
            "leads to login.example, where",
            NOT_THE_API,
        ),
        (302, {"Location": "http://[::"}, b"", "302, the response was not expected", "address"),
        (503, {}, PAGE, "503, the service failed", "try again later"),
        (429, {}, PAGE, "429, the allowance of the key", "wait"),
    ],
)
def test_what_did_not_come_from_the_api_is_not_blamed_on_the_key(
    status: int, headers: dict[str, str], body: bytes, says: str, advice: str
) -> None:
    error = api_error(
        status, headers, body, CONTEXT, request=request("get_sequences"), address=ADDRESS
    )
    assert says in str(error)
    assert advice in error.suggestion
    assert "secret" not in str(error)
    assert error.status_code == status


@pytest.mark.anyio
@pytest.mark.parametrize("media_type", ["application/json", "text/csv"])
async def test_the_page_of_a_login_is_no_data(media_type: str) -> None:
    asked = request("get_trades")
    asked = ApiRequest(asked.endpoint, asked.url, media_type=media_type)
    async with peer(lambda _: encoded(PAGE)) as one:
        urls = {"analytics": one.url, "reference": one.url}
        async with aclosing(Transport(key=SecretStr("k"), urls=urls)) as wire:
            with pytest.raises(TrayportDecodeError, match="an HTML page came instead") as refused:
                await wire.send(
                    asked,
                    CONTEXT,
                    lambda response: response.read(lambda _, chunks, __: b"".join(chunks)),
                )
    assert refused.value.suggestion == NOT_THE_API
    assert "<!DOCTYPE" in refused.value.body


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "kind"), [(404, TrayportNotFoundError), (403, TrayportAuthorizationError)]
)
async def test_a_wrong_address_is_named(status: int, kind: type[TrayportAPIError]) -> None:
    async with peer(lambda _: encoded(b"", status)) as one:
        urls = {"analytics": f"{one.url}/wrong", "reference": one.url}
        async with aclosing(Transport(key=SecretStr("k"), urls=urls)) as wire:
            with pytest.raises(kind) as refused:
                await wire.send(request("get_trades"), CONTEXT, held)
    assert (f"{one.url}/wrong" in str(refused.value)) == (status == 404)
