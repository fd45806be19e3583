"""A busy, failing session, in all of whose texts and bytes no secret is to be found.

Everything that anybody may get to see is collected: log lines of every library, errors with all
they were raised from, what objects say of themselves, pickles, metrics, spans, files, and what
commands print. Then it is searched for the key, in every spelling.
"""

from __future__ import annotations

import asyncio
import base64
import html
import json
import logging
import pickle
import traceback
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx
import pytest
from attrs import field, frozen
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.http.peers import PROXY_VARIABLES, UNHURRIED, closed_port, encoded, peer
from trayport_sdk import ContractSpec, QueryPlan, Settings, TrayportClient, TrayportError, Window
from trayport_sdk.cli import run
from trayport_sdk.http.messages import ApiRequest, ApiResponse
from trayport_sdk.sandbox import Fault, Sandbox
from trayport_sdk.sandbox.faults import KINDS, Kind
from trayport_sdk.settings import variable
from trayport_sdk.telemetry.logging import configure

KEY = "s3cr3t+K3y/9f8e'7d6c5b4a=Desk"
PASSWORD = "hunter2-of-the-c4che"
MARKET = 10_000_065
CONTRACT = f"{MARKET}*#Single#10000305#244#0"
LIBRARIES = (
    "httpx", "httpcore", "httpcore.connection", "httpcore.http11", "httpcore.http2",
    "httpcore.proxy", "hpack", "hpack.hpack", "hpack.table", "asyncio", "redis", "opentelemetry",
    "backoff", "trayport_sdk", "trayport_sdk.http", "trayport_sdk.http.limiter",
)  # fmt: skip


def spellings(secret: str) -> dict[str, bytes]:
    """How a secret may look when it comes to light; half of it is still a secret."""
    half = secret[: len(secret) // 2]
    coded = base64.b64encode(secret.encode()).decode().rstrip("=")
    in_json = "".join(c if c.isalnum() else f"\\u{ord(c):04X}" for c in secret)
    texts = {
        "plain": secret,
        "first half": half,
        "second half": secret[len(half) :],
        "url": quote(secret, safe=""),
        "form": quote_plus(half),
        "base64": coded[:-2],
        "base64 of half": base64.b64encode(half.encode()).decode().rstrip("=")[:-2],
        "json": in_json,
        "json in lower case": in_json.lower(),
        "html": html.escape(secret),
        "hexadecimal": secret.encode().hex(),
        "repr": repr(secret)[1:-1],
    }
    return {name: text.encode() for name, text in texts.items()}


@frozen
class Shown:
    """All that could be seen, with where."""

    pieces: list[tuple[str, bytes]] = field(factory=list[tuple[str, bytes]])

    def add(self, where: str, *things: object) -> None:
        for thing in things:
            said = thing if isinstance(thing, bytes) else str(thing).encode()
            self.pieces.append((where, said))

    def add_object(self, where: str, thing: object) -> None:
        """What an object says of itself, and its pickle."""
        self.add(f"repr of {where}", repr(thing))
        self.add(f"text of {where}", str(thing))
        self.add(f"pickle of {where}", pickle.dumps(thing))

    def add_error(self, error: BaseException) -> None:
        """An error, and all that it was raised from."""
        self.add("traceback", "".join(traceback.format_exception(error)))
        if isinstance(error, TrayportError):
            self.add_object(type(error).__name__, error)
        links, seen = [error], set[int]()
        while links:
            link = links.pop()
            if id(link) in seen:
                continue
            seen.add(id(link))
            self.add(f"chain of {type(error).__name__}", repr(link), repr(vars(link)))
            request = getattr(link, "_request", None)
            if request is not None:
                self.add("request of an error", repr(request), str(request.headers.raw))
            links += [each for each in (link.__cause__, link.__context__) if each is not None]

    def finds(self, secret: str) -> list[str]:
        """Where a secret shows, and in which spelling."""
        return [
            f"{spelling} in {where}: {said[max(0, said.index(text) - 200) :][:400]!r}"
            for where, said in self.pieces
            for spelling, text in spellings(secret).items()
            if text in said
        ]


class Everything(logging.Handler):
    """Keeps every line, in words and with all that belongs to it."""

    def __init__(self, shown: Shown) -> None:
        super().__init__(1)
        self.shown = shown
        self.names: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.names.add(record.name.split(".")[0])
        self.shown.add(f"log of {record.name}", self.format(record), repr(vars(record)))


@contextmanager
def everything_logged(shown: Shown) -> Iterator[Everything]:
    handler = Everything(shown)
    loggers = [logging.getLogger(), *map(logging.getLogger, LIBRARIES)]
    before = [logger.level for logger in loggers]
    logging.getLogger().addHandler(handler)
    for logger in loggers:
        logger.setLevel(1)
    try:
        yield handler
    finally:
        logging.getLogger().removeHandler(handler)
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


class Curious:
    """Keeps all that event hooks get to see."""

    def __init__(self, shown: Shown) -> None:
        self.shown = shown

    async def before(self, request: httpx.Request) -> None:
        # The address is what was asked for, whatever that is.
        self.shown.add("request", request.headers.raw, request.extensions)
        request.headers["X-Desk"] = "gas"

    async def after(self, response: httpx.Response) -> None:
        """The body is as it came; nothing else shows the key."""
        self.shown.add("request of a response", response.request.headers.raw)
        self.shown.add("response", repr(response), response.headers.raw, response.next_request)


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


@pytest.fixture
def shown(capfd: pytest.CaptureFixture[str]) -> Iterator[Shown]:
    """What is collected; searched when the test is over, with all that was printed."""
    collected = Shown()
    with warnings.catch_warnings(record=True) as caught, everything_logged(collected) as handler:
        warnings.simplefilter("always")
        yield collected
        configure("none", "info")
    collected.add("warnings", *(str(each) for each in caught))
    collected.add("output", *capfd.readouterr())
    assert collected.pieces
    assert "trayport_sdk" in handler.names
    assert collected.finds(KEY) == []
    assert collected.finds(PASSWORD) == []


@pytest.fixture
def telemetry(monkeypatch: pytest.MonkeyPatch, shown: Shown) -> Iterator[None]:
    exported, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(exported))
    monkeypatch.setattr("opentelemetry.trace.get_tracer_provider", lambda: tracers)
    monkeypatch.setattr("opentelemetry.metrics._internal.get_meter_provider", lambda: meters)
    yield
    spans = exported.get_finished_spans()
    assert spans
    shown.add("spans", *(span.to_json() for span in spans), *(repr(vars(span)) for span in spans))
    measured = reader.get_metrics_data()
    assert measured is not None
    shown.add("measurements", measured.to_json())
    tracers.shutdown()
    meters.shutdown()


def settings_of(analytics: str, reference: str, **more: object) -> Settings:
    quick: dict[str, object] = {
        "retry_base": 0.001,
        "retry_cap": 0.001,
        "forbidden_wait": 0.001,
        "max_retries": 2,
        **UNHURRIED,
    }
    urls = {"analytics_url": analytics, "reference_url": reference}
    return Settings(_env_file=None, api_key=KEY, **{**quick, **urls, **more})


async def used(client: TrayportClient, shown: Shown, rounds: int) -> None:
    """Asks for all sorts of things, some at the same time, and keeps what comes of it."""

    async def one(asked: Awaitable[object]) -> None:
        try:
            shown.add("response", repr(await asked))
        except TrayportError as error:
            shown.add_error(error)

    def progressing(progress: object) -> None:
        shown.add_object("progress", progress)

    for number in range(rounds):
        await asyncio.gather(
            one(client.reference.get_market_by_id(MARKET)),
            one(client.reference.get_sequences()),
            one(client.reference.get_market_by_id(number)),
            one(
                client.trades.get_trades(
                    CONTRACT, "2024-03-04", "2024-03-05", on_progress=progressing
                )
            ),
        )


async def inspected(client: TrayportClient, shown: Shown) -> None:
    """Everything that a client tells of itself."""
    counted = client.get_metrics()
    assert counted.total.requests > 0
    shown.add_object("metrics", counted)
    shown.add("Prometheus", counted.to_prometheus())
    shown.add_object("status", client.get_status())
    report = await client.health_check()
    shown.add_object("health", report)
    other = client.with_options(timeout=1)
    shown.add("client", client, repr(client), repr(other))
    wire = client._session
    parts = (wire, wire.transport, wire.limiter, wire.breakers, wire.policy, wire.observers)
    shown.add("parts", *map(repr, parts), repr(wire.transport.counts))
    inner = (client, wire, wire.transport, wire.transport._redaction, wire.limiter)
    shown.add("parts", *(repr(vars(part)) for part in inner if part is not None))
    told(client.settings, shown)


def told(settings: Settings, shown: Shown) -> None:
    """Everything that settings tell of themselves."""
    shown.add_object("settings", settings)
    shown.add("settings", settings.model_dump(), settings.model_dump_json(), vars(settings))
    shown.add("settings", settings.model_dump(mode="json"), settings.model_copy())
    shown.add("settings", repr(settings.replace(timeout=2)))
    with pytest.raises(TrayportError) as refused:
        settings.replace(timeout=-1, limiter_store=f"redis://:{PASSWORD}@a:b")
    shown.add_error(refused.value)


def watched(settings: Settings, shown: Shown) -> TrayportClient:
    """A client with everything hooked to it that can be."""
    curious = Curious(shown)
    return TrayportClient(
        settings=settings,
        event_hooks={"request": [curious.before], "response": [curious.after]},
        on_retry=lambda event: shown.add_object("retry", event),
        on_breaker_change=lambda event: shown.add_object("breaker", event),
    )


def fault(kind: Kind) -> Fault:
    """One that lasts for some requests, and slows nobody down for long."""
    hasty = kind in ("status", "too-fast")
    return Fault(
        kind=kind,
        times=8,
        seconds=0.001,
        bytes_per_second=1e7,
        retry_after=0 if hasty else None,
        after_bytes=10 if kind == "cut" else None,
    )


@pytest.mark.usefixtures("telemetry")
@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_session_with_faults_of_every_kind_shows_no_secret(
    log_format: str, shown: Shown, tmp_path: Path
) -> None:
    letters = tmp_path / "failed.jsonl"
    sandbox = Sandbox(keys=(KEY,), limits=False)

    async def session(analytics: str, reference: str) -> None:
        settings = settings_of(
            analytics,
            reference,
            log_format=log_format,
            log_level="debug",
            opentelemetry=True,
            breaker_threshold=3,
            breaker_recovery=1e-6,
            dead_letter_file=letters,
        )
        asyncio.get_running_loop().set_debug(True)
        async with watched(settings, shown) as client:
            await client.warm_up(2)
            for kind in KINDS:
                sandbox.faults.add(fault(kind))
                await used(client, shown, 2)
                sandbox.faults.clear()
            await inspected(client, shown)
            counted = client.get_metrics()
            assert {
                "TrayportServerError",
                "TrayportDecodeError",
                "TrayportConnectionError",
                "TrayportAuthorizationError",
                "TrayportNotFoundError",
            } <= set(counted.total.errors)
            assert counted.breaker_changes
            sandbox.faults.add(Fault("status", status=400, operation_id="get_trades", times=None))
            await used(client, shown, 1)
            sandbox.faults.clear()
            answers = tmp_path / "answers"
            shown.add_object("report", await client.retry_failed(letters, answers))
        shown.add("answers", *(path.read_bytes() for path in answers.iterdir()))

    with sandbox.serve() as server:
        asyncio.run(session(server.analytics_url, server.reference_url))
        shown.add("dead letters", letters.read_bytes() if letters.exists() else b"")
    assert "retry" in {where.split()[-1] for where, _ in shown.pieces}
    assert "breaker" in {where.split()[-1] for where, _ in shown.pieces}


def echoes() -> Iterator[bytes]:
    """Answers of a server that tells everybody the key it was sent, in every way there is."""
    in_json = "".join(c if c.isalnum() else f"\\u{ord(c):04X}" for c in KEY)
    problem = (
        f'{{"title": "{KEY}", "detail": "bad {in_json}", "errors": {{"{in_json}": ["{KEY}"]}}}}'
    )
    page = f"<html>{html.escape(KEY)} {quote(KEY, safe='')} {quote_plus(KEY)}</html>"
    headers = (f"X-Echo: {KEY}", f"Set-Cookie: key={quote(KEY)}", "Retry-After: 0")
    for status in (400, 401, 403, 404, 429, 500, 503):
        yield encoded(problem.encode(), status, *headers)
        yield encoded(page.encode(), status, *headers)
    yield encoded(f'[{{"id": "{KEY}"}}]'.encode(), 200, *headers)
    yield encoded(f"{KEY} {in_json}".encode(), 200)
    yield encoded(f'{{"status": "{KEY[:9]}'.encode() + b"x" * 290 + KEY.encode(), 200)
    half = KEY[: len(KEY) // 2].encode()
    yield b"HTTP/1.1 500 -\r\nContent-Length: 999\r\nConnection: close\r\n\r\n" + half
    yield f"HTTP/1.1 401 bad key {KEY}\r\nContent-Length: 0\r\n\r\n".encode()
    yield f"{KEY} is wrong\r\n\r\n".encode()
    yield f"HTTP/1.1 200 -\r\n{KEY}\r\n\r\n".encode()
    yield f"HTTP/1.1 200 -\r\nContent-Length: {KEY}\r\n\r\n".encode()
    yield f"HTTP/1.1 200 -\r\nTransfer-Encoding: {KEY}\r\n\r\n".encode()
    yield f"HTTP/1.1 200 -\r\nTransfer-Encoding: chunked\r\n\r\n{KEY}\r\n".encode()
    yield encoded(KEY.encode(), 200, "Content-Encoding: br")
    yield encoded(b"", 302, f"Location: http://127.0.0.1:1/{KEY}")


@pytest.mark.usefixtures("telemetry")
def test_a_server_that_repeats_the_key_makes_nobody_else_repeat_it(
    shown: Shown, tmp_path: Path
) -> None:
    letters = tmp_path / "failed.jsonl"
    every = list(echoes())

    async def session() -> None:
        turns = cycle(every)

        def respond(_: bytes) -> bytes:
            return next(turns)

        async with peer(respond) as one:
            settings = settings_of(
                one.url,
                one.url,
                log_format="json",
                log_level="debug",
                opentelemetry=True,
                circuit_breakers=False,
                dead_letter_file=letters,
                timeout=0.2,
                max_retries=1,
            )
            async with watched(settings, shown) as client:
                await used(client, shown, 2 * len(every))
                await inspected(client, shown)
            assert KEY.encode() in b"".join(one.requests)  # it had something to repeat

    asyncio.run(session())
    shown.add("dead letters", letters.read_bytes())


def test_a_refused_key_shows_nowhere(shown: Shown) -> None:
    async def session(analytics: str, reference: str) -> None:
        settings = settings_of(analytics, reference, log_format="console", log_level="debug")
        async with watched(settings, shown) as client:
            await used(client, shown, 1)
            await inspected(client, shown)
            assert "refused by analytics and reference" in str(await client.health_check())

    with Sandbox(keys=("another",)).serve() as server:
        asyncio.run(session(server.analytics_url, server.reference_url))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_sick_addresses_show_no_secret(scheme: str, shown: Shown) -> None:
    """Nothing listens at one, and the other gives back what it gets, without HTTP or TLS."""

    async def parrot(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(1 << 16))
        writer.close()

    async def session() -> None:
        parroting = await asyncio.start_server(parrot, "127.0.0.1", 0)
        port = parroting.sockets[0].getsockname()[1]
        settings = settings_of(
            f"{scheme}://127.0.0.1:{closed_port()}", f"{scheme}://127.0.0.1:{port}"
        )
        async with parroting, TrayportClient(settings=settings) as client:
            with pytest.raises(TrayportError) as unreachable:
                await client.warm_up(2)
            shown.add_error(unreachable.value)
            await used(client, shown, 1)
            await inspected(client, shown)

    asyncio.run(session())


@pytest.mark.parametrize("fallback", ["error", "slow"])
def test_the_password_of_a_store_shows_nowhere(fallback: str, shown: Shown) -> None:
    async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        writer.write(b"-WRONGPASS invalid username-password pair\r\n")
        writer.close()

    async def session(analytics: str, reference: str) -> None:
        store = await asyncio.start_server(refusing, "127.0.0.1", 0)
        port = store.sockets[0].getsockname()[1]
        async with store:
            for place in (f"127.0.0.1:{port}", f"127.0.0.1:{closed_port()}"):
                settings = settings_of(
                    analytics,
                    reference,
                    limiter_store=f"redis://desk:{PASSWORD}@{place}/0?password={PASSWORD}",
                    limiter_fallback=fallback,
                    max_retries=0,
                )
                async with TrayportClient(settings=settings) as client:
                    await used(client, shown, 1)
                    shown.add_object("status", client.get_status())
                    shown.add_object("health", await client.health_check())
                    told(client.settings, shown)

    with Sandbox(keys=(KEY,), limits=False).serve() as server:
        asyncio.run(session(server.analytics_url, server.reference_url))


def test_a_redis_that_repeats_the_password_makes_nobody_else_repeat_it() -> None:
    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = (await reader.read(1 << 16)).decode().split()
        quoted = " ".join(f"`{word}`," for word in said if word[0] not in "*$")
        writer.write(f"-ERR unknown command, with args beginning with: {quoted}\r\n".encode())
        writer.close()

    async def session() -> None:
        server = await asyncio.start_server(old, "127.0.0.1", 0)
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, peer() as one:
            settings = settings_of(
                one.url, one.url, limiter_store=f"redis://desk:{PASSWORD}@{address}/0"
            )
            async with TrayportClient(settings=settings) as client:
                await used(client, seen, 1)
                seen.add_object("health", await client.health_check())

    seen = Shown()
    with everything_logged(seen):
        asyncio.run(session())
    assert seen.finds(PASSWORD) == []


def test_a_traceback_on_the_console_shows_no_variables(capfd: pytest.CaptureFixture[str]) -> None:
    def failing(key: str) -> None:
        raise ValueError(len(key))

    configure("console", "debug")
    try:
        failing(KEY)
    except ValueError:
        logging.getLogger("trayport_sdk.http").exception("it failed")
    finally:
        configure("none", "debug")
    seen = Shown()
    seen.add("output", *capfd.readouterr())
    assert b"ValueError" in seen.pieces[1][1]
    assert seen.finds(KEY) == []


def test_commands_print_no_secret(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    monkeypatch.setenv("TRAYPORT_API_KEY_FILE", str(tmp_path / "key"))
    letters = tmp_path / "failed.jsonl"
    monkeypatch.setenv("TRAYPORT_DEAD_LETTER_FILE", str(letters))
    monkeypatch.setenv("TRAYPORT_LOG_FORMAT", "console")
    monkeypatch.setenv("TRAYPORT_LOG_LEVEL", "debug")
    monkeypatch.setenv("TRAYPORT_MAX_RETRIES", "0")
    letters.write_text("")
    with Sandbox(keys=(KEY,)).serve() as server:
        monkeypatch.setenv("TRAYPORT_ANALYTICS_URL", server.analytics_url)
        monkeypatch.setenv("TRAYPORT_REFERENCE_URL", server.reference_url)
        assert run(["health"]) == 0
        assert run(["status"]) == 0
        assert run(["retry-failed", str(letters)]) == 0
        monkeypatch.setenv("TRAYPORT_LIMITER_STORE", f"redis://:{PASSWORD}@127.0.0.1:1/0")
        assert run(["config", "show"]) == 0
        assert run(["health"]) == 1
        monkeypatch.setenv("TRAYPORT_LIMITER_STORE", f"rediss:///{PASSWORD}")
        assert run(["config", "show"]) == 2
    monkeypatch.delenv("TRAYPORT_LIMITER_STORE")
    assert run(["health"]) == 1
    (tmp_path / "key").write_text(f"{KEY}\n{KEY}\n")
    assert run(["config", "show"]) == 2
    shown.add_object("settings", Settings(_env_file=None, api_key=KEY))
    logging.getLogger("trayport_sdk").debug("the commands were heard")


def test_the_key_in_the_place_of_a_parameter_shows_nowhere(shown: Shown) -> None:
    """Somebody who mixes up the arguments."""

    async def session() -> None:
        async with peer(lambda _: encoded(b"", 400)) as one:
            settings = settings_of(one.url, one.url, log_format="json", log_level="debug")
            async with watched(settings, shown) as client:
                with pytest.raises(TrayportError) as refused:
                    await client.trades.get_trades(CONTRACT, "2024-03-04", "2024-03-05", routes=KEY)
                shown.add_error(refused.value)
            assert quote(KEY, safe="").encode()[:9] in one.requests[0]

    asyncio.run(session())


@pytest.mark.parametrize("way", ["@{}/trades", "{}", "//{}/trades", "../{}"])
@pytest.mark.parametrize("place", ["endpoint", "url", "kind"])
def test_a_file_of_dead_letters_sends_the_key_nowhere(
    place: str, way: str, shown: Shown, tmp_path: Path
) -> None:
    file = tmp_path / "failed.jsonl"

    async def session() -> None:
        async with peer() as one, peer() as elsewhere:
            query = QueryPlan(endpoint="trades", window=Window(10**18, 10**18 + 10**9)).to_dict()
            url = way.format(elsewhere.url.removeprefix("http://"))
            async with TrayportClient(settings=settings_of(one.url, one.url)) as client:
                file.write_text(json.dumps({"query": query | {place: url}}))
                with pytest.raises(TrayportError) as refused:
                    await client.retry_failed(file, tmp_path / "rows")
                shown.add_error(refused.value)
            assert elsewhere.connections == one.connections == 0

    asyncio.run(session())
    logging.getLogger("trayport_sdk").debug("the file was refused")


def test_an_answer_shows_no_key(shown: Shown) -> None:
    async def session() -> None:
        async with (
            peer(lambda _: encoded(f'["{KEY}"]'.encode())) as one,
            TrayportClient(settings=settings_of(one.url, one.url)) as client,
        ):
            await client._session.fetch(ApiRequest.of("get_markets"), keep)

    def keep(answered: ApiResponse) -> None:
        shown.add("response", repr(answered), str(answered.context))

    asyncio.run(session())
    logging.getLogger("trayport_sdk").debug("the response was read")


PLACES: dict[str, Callable[[Shown, str], None]] = {
    "text": lambda shown, text: shown.add("somewhere", f"before {text} after"),
    "bytes": lambda shown, text: shown.add("somewhere", b"\x00" + text.encode() + b"\xff"),
    "object": lambda shown, text: shown.add_object("somewhere", {"a": [text]}),
    "error": lambda shown, text: shown.add_error(TrayportError(text)),
    "suggestion": lambda shown, text: shown.add_error(TrayportError("no", suggestion=text)),
    "cause": lambda shown, text: shown.add_error(_caused_by(ValueError(text))),
    "note": lambda shown, text: shown.add_error(_noted(text)),
}


def _caused_by(cause: Exception) -> TrayportError:
    error = TrayportError("no")
    error.__cause__ = cause
    return error


def _noted(note: str) -> TrayportError:
    error = TrayportError("no")
    error.add_note(note)
    return error


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("spelling", spellings(KEY))
def test_a_planted_key_is_found(spelling: str, place: Callable[[Shown, str], None]) -> None:
    shown = Shown()
    shown.add("somewhere else", "nothing")
    place(shown, spellings(KEY)[spelling].decode())
    assert shown.finds(KEY)


def test_a_key_in_a_log_line_of_any_library_is_found() -> None:
    TrayportClient.sandbox()  # from the first client on, hpack's headers stay out of the logs
    for name in LIBRARIES:
        shown = Shown()
        with everything_logged(shown):
            logging.getLogger(name).debug("the key is %s", json.dumps({"key": KEY}))
        found = bool(shown.finds(KEY))
        # Nobody has told these loggers of a key: it is a client that keeps its key out of them.
        assert found is not name.startswith("hpack.")


@pytest.mark.anyio
async def test_a_key_of_digits_that_is_given_as_an_id_is_shown_nowhere() -> None:
    key = "48151623421"
    settings = Settings(_env_file=None, api_key=key)
    with Sandbox(keys=(key,)).serve() as server:
        async with TrayportClient(
            settings=settings,
            analytics_url=server.analytics_url,
            reference_url=server.reference_url,
        ) as client:
            with pytest.raises(TrayportError) as refused:
                await client.trades.get_trades(
                    ContractSpec(market_id=10000065, sequence_id=int(key), sequence_item_id=1),
                    "2024-03-04",
                    "2024-03-05",
                )
    assert key not in str(refused.value.context)
