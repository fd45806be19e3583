"""Tracebacks that show variables, as those of pytest, rich and Sentry do, show no secret."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keyring
import pytest
from pydantic import SecretStr

from tests.http.peers import PROXY_VARIABLES, UNHURRIED, closed_port, encoded, peer
from tests.test_settings import Ring
from trayport_sdk import Settings, TrayportClient, TrayportConfigurationError, TrayportError
from trayport_sdk.sandbox import Sandbox
from trayport_sdk.settings import variable
from trayport_sdk.sync import TrayportClient as SyncClient

KEY = "s3cr3t-K3y-of-th3-Desk"
PASSWORD = "hunter2-of-the-c4che"
CONTRACT = "1*#Single#2#3#0"
DAY = ("2024-03-04", "2024-03-05")


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (*PROXY_VARIABLES, *map(str.upper, PROXY_VARIABLES)):
        monkeypatch.delenv(name, raising=False)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


def shown(error: BaseException) -> list[str]:
    """The variables, of all frames but those of tests, that show a secret."""
    found: list[str] = []
    links, seen = [traceback.TracebackException.from_exception(error, capture_locals=True)], 0
    for link in links:
        for frame in link.stack:
            seen += 1
            if Path(frame.filename).is_relative_to(Path(__file__).parent):
                continue
            found += [
                f"{frame.filename}:{frame.lineno} {name} = {value}"
                for name, value in (frame.locals or {}).items()
                if KEY in value or PASSWORD in value
            ]
        links += [each for each in (link.__cause__, link.__context__) if each is not None]
        links += link.exceptions or []
    text = "".join(line for link in links for line in link.format_exception_only())
    assert KEY not in text
    assert PASSWORD not in text
    assert seen > 1
    return found


@contextmanager
def refused(kind: type[BaseException] = TrayportError) -> Iterator[None]:
    with pytest.raises(kind) as caught:
        yield
    assert shown(caught.value) == []


# --- while a client is made


def _env_file(_: pytest.MonkeyPatch) -> None:
    Path(".env").write_text(f"TRAYPORT_API_KEY={KEY}\n")


def _key_file(patch: pytest.MonkeyPatch) -> None:
    Path("key").write_text(KEY)
    patch.setenv("TRAYPORT_API_KEY_FILE", "key")


def _secrets(patch: pytest.MonkeyPatch) -> None:
    Path("secrets").mkdir()
    Path("secrets/trayport_api_key").write_text(KEY)
    patch.setenv("TRAYPORT_SECRETS_DIR", "secrets")


def _keyring(patch: pytest.MonkeyPatch) -> None:
    ring = Ring()
    ring.set_password("desk", "api_key", KEY)
    patch.setattr(keyring, "get_keyring", lambda: ring)
    patch.setattr(keyring, "get_password", ring.get_password)
    patch.setenv("TRAYPORT_KEYRING_SERVICE", "desk")


WAYS: dict[str, Callable[[pytest.MonkeyPatch], object]] = {
    "argument": lambda _: {"api_key": KEY},
    "masked argument": lambda _: {"api_key": SecretStr(KEY)},
    "variable": lambda patch: patch.setenv("TRAYPORT_API_KEY", KEY),
    ".env": _env_file,
    "key file": _key_file,
    "secrets directory": _secrets,
    "keyring": _keyring,
}
REFUSALS: dict[str, dict[str, str]] = {
    "setting": {"TRAYPORT_TIMEOUT": "soon"},
    "proxy": {"HTTPS_PROXY": f"socks9://desk:{PASSWORD}@x:1"},
    "http": {"TRAYPORT_ANALYTICS_URL": "http://far.example"},
    "home": {"TRAYPORT_DEAD_LETTER_FILE": "~nobody-of-this-name/f"},
    "store": {"TRAYPORT_LIMITER_STORE": f"redis:///{PASSWORD}"},
    "option of a store": {"TRAYPORT_LIMITER_STORE": f"redis://:{PASSWORD}@a/0?unknown=1"},
    "number of a store": {"TRAYPORT_LIMITER_STORE": f"redis://:{PASSWORD}@a/0?db={PASSWORD}"},
}


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("way", WAYS)
def test_a_client_that_cannot_be_made_shows_no_secret(
    way: str, refusal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments: Any = WAYS[way](monkeypatch) or {}
    for name, value in REFUSALS[refusal].items():
        monkeypatch.setenv(name, value)
    clients: tuple[Callable[..., object], ...] = (TrayportClient, SyncClient)
    for client in clients:
        with refused(TrayportConfigurationError):
            client(**arguments)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Settings(api_key=KEY, timeout=-1),
        lambda: Settings(apikey=KEY),
        lambda: Settings(profile=KEY),
        lambda: Settings(api_key=f"Bearer {KEY}"),
        lambda: Settings(api_key=f'"{KEY}'),
        lambda: Settings(api_key=f"{KEY}\n{KEY}"),
        lambda: Settings(api_key=f"{KEY}\0"),
        lambda: Settings(api_key=[KEY]),
        lambda: Settings(api_key=KEY, _env_file="~nobody-of-this-name/.env"),
        lambda: Settings(api_key=KEY).replace(timeout=-1),
        lambda: Settings().replace(api_key=f"{KEY} {KEY}"),
        lambda: Settings(limiter_store=f"redis://:{PASSWORD}@a:b"),
        lambda: Settings(limiter_store=f"sqlite:///~nobody-of-this-name/{PASSWORD}"),
        lambda: TrayportClient(KEY, on_retry=asyncio.sleep),  # type: ignore[arg-type]
        lambda: TrayportClient(KEY, transport=object()),  # type: ignore[arg-type]
        lambda: TrayportClient(f"{KEY} {KEY}"),
        lambda: TrayportClient(settings=Settings(api_key=KEY), max_retries=-1),
        lambda: TrayportClient.sandbox(settings=Settings(api_key=KEY), event_hooks={"no": []}),
        lambda: SyncClient(f"apikey:{KEY}"),
    ],
)
def test_a_value_that_cannot_work_shows_no_secret(make: Callable[[], object]) -> None:
    with refused(TrayportConfigurationError):
        make()


def test_a_warning_that_is_an_error_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAYPORT_API_KY", KEY)
    with refused(UserWarning):
        Settings(api_key=KEY)


def test_a_client_that_is_half_made_has_a_text() -> None:
    assert repr(TrayportClient.__new__(TrayportClient)) == "TrayportClient()"


# --- while a request is under way


async def _failing(_: object) -> None:
    raise ValueError("no")


BROKEN = b"HTTP/1.1 200 -\r\nContent-Length: 999\r\n\r\n[{"
RESPONSES = {
    "401": encoded(b"{}", 401),
    "404": encoded(b"no", 404),
    "500": encoded(b"", 500, "Retry-After: 0"),
    "429": encoded(b"", 429, "Retry-After: 0"),
    "echo": encoded(KEY.encode(), 400, f"X-Echo: {KEY}", f"Set-Cookie: k={KEY}"),
    "no rows": encoded(b'{"a": 1}'),
    "no JSON": encoded(b"<html>"),
    "no HTTP": b"what?\r\n\r\n",
    "no end": BROKEN,
    "no gzip": encoded(b"12345", 200, "Content-Encoding: gzip"),
}


def settings_of(url: str, **more: object) -> Settings:
    chosen: dict[str, object] = {
        "analytics_url": url,
        "reference_url": url,
        "retry_base": 0.001,
        "forbidden_wait": 0.001,
        "circuit_breakers": False,
        "max_retries": 1,
        "timeout": 0.1,
        **UNHURRIED,
    }
    return Settings(_env_file=None, api_key=KEY, **{**chosen, **more})


CALLS: dict[str, Callable[[TrayportClient], Awaitable[object]]] = {
    "trades": lambda client: client.trades.get_trades(CONTRACT, *DAY),
    "reference": lambda client: client.reference.get_sequences(),
    "bulk": lambda client: _bulk(client),
    "warm-up": lambda client: client.warm_up(2),
}


async def _bulk(client: TrayportClient) -> None:
    result = await client.get_trades_bulk([CONTRACT, "1*#Single#2#4#0"], *DAY)
    result.raise_for_failures()


@pytest.mark.anyio
@pytest.mark.parametrize("response", RESPONSES)
async def test_a_response_that_is_none_shows_no_secret(response: str) -> None:
    async with peer(lambda _: RESPONSES[response]) as one:
        async with TrayportClient(settings=settings_of(one.url)) as client:
            for name in ("trades", "reference", "bulk"):
                with refused():
                    await CALLS[name](client)
        assert KEY.encode() in one.requests[0]


@pytest.mark.anyio
@pytest.mark.parametrize("call", CALLS)
async def test_a_connection_that_fails_shows_no_secret(call: str) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    hanging_up = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = hanging_up.sockets[0].getsockname()[1]
    async with hanging_up:
        for url in (
            f"http://127.0.0.1:{closed_port()}",
            f"https://127.0.0.1:{closed_port()}",
            f"http://127.0.0.1:{port}",
            f"https://127.0.0.1:{port}",
        ):
            async with TrayportClient(settings=settings_of(url)) as client:
                with refused():
                    await CALLS[call](client)


@pytest.mark.anyio
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("status", [200, 407, 502])
async def test_a_proxy_that_refuses_shows_no_secret(
    scheme: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with peer(lambda _: encoded(b"x", status)) as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.url.replace("//", f"//desk:{PASSWORD}@"))
        url = f"{scheme}://trayport.test"
        settings = Settings(
            _env_file=None,
            api_key=KEY,
            analytics_url=url,
            allow_insecure_http=True,
            max_retries=0,
            connect_timeout=0.2,
        )
        async with TrayportClient(settings=settings) as client:
            with refused():
                await CALLS["trades"](client)


@pytest.mark.anyio
@pytest.mark.parametrize("way", ["cancelled", "closed", "in time", "hook", "hook after"])
async def test_a_call_that_is_ended_shows_no_secret(way: str) -> None:
    hooks: Any = {"request": [_failing]} if way == "hook" else {}
    hooks = {"response": [_failing]} if way == "hook after" else hooks
    async with peer() as one:
        if not hooks:
            one.answering.clear()
        settings = settings_of(one.url, retry_budget=0.5 if way == "in time" else 60, timeout=60)
        async with TrayportClient(settings=settings, event_hooks=hooks) as client:
            call = asyncio.ensure_future(CALLS["trades"](client))
            if not hooks:
                await one.received(1)
            if way == "cancelled":
                call.cancel()
            elif way == "closed":
                await client.aclose()
            with refused(asyncio.CancelledError if way == "cancelled" else TrayportError):
                await call
        with refused():
            await client.reference.get_sequences()


def test_the_synchronous_client_shows_no_secret() -> None:
    with Sandbox(keys=("another",)).serve() as server:
        settings = settings_of(server.analytics_url, reference_url=server.reference_url)
        with SyncClient(settings=settings) as client:
            with refused():
                client.trades.get_trades(CONTRACT, *DAY)
            with refused():
                client.trades.get_trades(CONTRACT, DAY[1], DAY[0])
        with refused():
            client.reference.get_sequences()


@pytest.mark.anyio
async def test_a_store_that_cannot_be_reached_shows_no_secret() -> None:
    async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = await reader.read(1 << 16)
        writer.write(b"-ERR " + said.replace(b"\r\n", b" ") + b"\r\n")
        writer.close()

    store = await asyncio.start_server(refusing, "127.0.0.1", 0)
    port = store.sockets[0].getsockname()[1]
    async with store, peer() as one:
        for place in (f"127.0.0.1:{port}", f"127.0.0.1:{closed_port()}"):
            address = f"redis://desk:{PASSWORD}@{place}/0"
            settings = settings_of(one.url, limiter_store=address)
            async with TrayportClient(settings=settings) as client:
                with refused():
                    await CALLS["trades"](client)
