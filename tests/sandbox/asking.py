"""Asking a sandbox without a network, in the words of tests."""

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import httpx

from trayport_sdk.sandbox import Sandbox

Value = str | int | float | Sequence[str | int]
Query = dict[str, Value]

MARKET, SEQUENCE = 10_000_065, 10_000_305
INSTRUMENT = 10_002_806
APRIL_2024, MAY_2024 = 244, 245
MONTH: Mapping[str, Value] = {
    "marketId": MARKET,
    "sequenceId": SEQUENCE,
    "sequenceItemId": APRIL_2024,
    "contractType": "SinglePeriod",
}
DAYS: Mapping[str, Value] = {"from": "2024-03-04", "until": "2024-03-06"}
HOURLY: Mapping[str, Value] = {"interval": 1, "intervalUnit": "hour"}
MINIMAL: Mapping[str, Mapping[str, Value]] = {
    "/trades": {**MONTH, **DAYS},
    "/trades/private": {**DAYS},
    "/trades/ohlcv": {**MONTH, **DAYS, **HOURLY},
    "/trades/last": {**MONTH, "at": "2024-03-05"},
    "/trades/activity": {**DAYS},
    "/orders/book/top": {**MONTH, **DAYS, **HOURLY},
    "/orders/book": {**MONTH, **DAYS, **HOURLY},
    "/snapshots": {**MONTH, "at": "2024-03-05T12:00"},
}
REFERENCE_PATHS = (
    "/instruments",
    f"/instruments/{INSTRUMENT}",
    f"/instruments/{INSTRUMENT}/sequences",
    "/markets",
    f"/markets/{MARKET}",
    f"/markets/{MARKET}/sequences",
    "/sequences",
    f"/sequences/{SEQUENCE}/sequenceItems",
    f"/sequences/{SEQUENCE}/sequenceItems/{APRIL_2024}",
)
NOW = dt.datetime(2026, 6, 15, 10, 30, tzinfo=dt.UTC)


def nanoseconds(moment: dt.datetime) -> int:
    return (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1) * 1000


def at(text: str) -> int:
    """Nanoseconds of an ISO text in UTC."""
    return nanoseconds(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC))


class Asker:
    """Sends requests to a sandbox in this process."""

    def __init__(self, sandbox: Sandbox | None = None, key: str | None = "sandbox") -> None:
        self.sandbox = sandbox or Sandbox(limits=False, clock=lambda: nanoseconds(NOW))
        self.key = key
        self._transport = httpx.ASGITransport(self.sandbox)

    def send(
        self,
        path: str,
        query: Mapping[str, Value] | str | None = None,
        method: str = "GET",
        content: bytes | None = None,
        **headers: str,
    ) -> httpx.Response:
        """One request; an underscore in the name of a header stands for a hyphen."""
        text = query if isinstance(query, str) else urlencode(query or {}, doseq=True)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key is not None:
            sent.setdefault("x-api-key", self.key)
        url = f"http://sandbox{path}" + (f"?{text}" if text else "")
        return asyncio.run(self._sent(httpx.Request(method, url, headers=sent, content=content)))

    async def _sent(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        await response.aread()
        return response

    def analytics(
        self, path: str, query: Mapping[str, Value] | str | None = None, **headers: str
    ) -> httpx.Response:
        return self.send(Sandbox.ANALYTICS_PATH + path, query, "GET", None, **headers)

    def reference(
        self, path: str, query: Mapping[str, Value] | str | None = None, **headers: str
    ) -> httpx.Response:
        return self.send(Sandbox.REFERENCE_PATH + path, query, "GET", None, **headers)

    def rows(self, path: str, query: Mapping[str, Value], **more: Value) -> list[dict[str, Any]]:
        """The rows of a good response."""
        response = self.analytics(path, {**query, **more})
        assert response.status_code == 200, response.text
        rows: list[dict[str, Any]] = response.json()
        return rows

    def complaints(
        self, path: str, query: Mapping[str, Value] | str, **more: Value
    ) -> dict[str, list[str]]:
        """What is wrong with a bad request, by parameter."""
        response = self.analytics(path, query if isinstance(query, str) else {**query, **more})
        assert response.status_code == 400, response.text
        assert response.headers["content-type"] == "application/problem+json"
        problem: dict[str, Any] = response.json()
        assert problem["status"] == 400
        assert problem["title"]
        errors: dict[str, list[str]] = problem["errors"]
        return errors
