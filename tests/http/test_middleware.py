"""What users put around requests, and what they cannot reach from there."""

import asyncio
import json
import pickle
from collections.abc import Awaitable, Callable, Mapping
from copy import deepcopy

import httpx
import pytest
from attrs import evolve

from tests.http.peers import Peer, answer, peer
from trayport_sdk import (
    Settings,
    TrayportClient,
    TrayportConfigurationError,
    TrayportNotFoundError,
    TrayportRateLimitError,
    TrayportServerError,
)
from trayport_sdk.http.middleware import Middleware, Request, Response
from trayport_sdk.http.redaction import HIDDEN
from trayport_sdk.sandbox import Fault, Sandbox
from trayport_sdk.telemetry.events import BreakerState
from trayport_sdk.telemetry.status import LimiterStatus

pytestmark = pytest.mark.anyio

KEY = "s3cr3t+k3y/of=desk"
MARKET = 10_000_065


class Tagged(Middleware):
    """Adds a header, and keeps all that it sees."""

    def __init__(self, name: str = "gas", journal: list[str] | None = None) -> None:
        self.name = name
        self.journal = [] if journal is None else journal
        self.requests: list[Request] = []
        self.responses: list[Response] = []

    def before(self, request: Request) -> Request:
        self.requests.append(request)
        self.journal.append(f"{self.name} before")
        return request.with_headers(X_Desk=self.name)

    def after(self, response: Response) -> None:
        self.responses.append(response)
        self.journal.append(f"{self.name} after")


class Later(Tagged):
    """The same, asynchronously."""

    async def before(self, request: Request) -> Request:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().before(request)

    async def after(self, response: Response) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        super().after(response)


class Changing(Middleware):
    """Returns what a function makes of a request."""

    def __init__(self, change: Callable[[Request], Request]) -> None:
        self.change = change

    def before(self, request: Request) -> Request:
        return self.change(request)


def client_of(one: Peer, *middleware: Middleware, **more: object) -> TrayportClient:
    return TrayportClient(settings=one.settings(api_key=KEY, **more), middleware=middleware)


def headers_of(request: bytes) -> Mapping[str, str]:
    lines = request.decode().split("\r\n")[1:-2]
    return {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


@pytest.mark.parametrize("kind", [Tagged, Later])
async def test_a_header_that_middleware_adds_arrives_beside_the_key(kind: type[Tagged]) -> None:
    tagged = kind()
    async with peer() as one, client_of(one, tagged) as client:
        await client.reference.get_sequences()
    (request,) = one.requests
    assert headers_of(request)["x-desk"] == "gas"
    assert headers_of(request)["x-api-key"] == KEY
    (response,) = tagged.responses
    assert response.status == 200
    assert response.body == b"[]"
    assert response.seconds > 0
    assert response.request.headers["X-Desk"] == "gas"


async def test_a_client_of_a_sandbox_takes_middleware_too() -> None:
    tagged = Tagged()
    async with TrayportClient.sandbox(middleware=[tagged]) as client:
        await client.reference.get_market_by_id(MARKET)
    assert [each.endpoint for each in tagged.requests] == ["/markets/{id}"]
    assert json.loads(tagged.responses[0].body)["id"] == MARKET  # decompressed


async def test_returning_none_changes_nothing() -> None:
    class Watching(Middleware):
        def before(self, request: Request) -> None:
            seen.append(request)

    seen: list[Request] = []
    async with peer() as one:
        async with client_of(one) as client:
            await client.reference.get_sequences()
        async with client_of(one, Watching(), Silent()) as client:
            await client.reference.get_sequences()
    assert one.requests[0] == one.requests[1]
    assert len(seen) == 1


class Silent(Middleware):
    """Overrides nothing."""


class DuckTyped:
    """Derives from nothing."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def before(self, request: Request) -> Request | Awaitable[Request | None] | None:
        self.seen.append(f"before {request.endpoint}")
        return None

    def after(self, response: Response) -> Awaitable[None] | None:
        self.seen.append(f"after {response.status}")
        return None


async def test_middleware_need_not_derive_from_anything() -> None:
    duck = DuckTyped()
    async with peer() as one, client_of(one, duck) as client:
        await client.reference.get_sequences()
    assert duck.seen == ["before /sequences", "after 200"]


async def test_the_first_is_the_outermost() -> None:
    journal: list[str] = []
    every = (Tagged("a", journal), Later("b", journal), Tagged("c", journal))
    async with peer() as one, client_of(one, *every) as client:
        await client.reference.get_sequences()
    assert journal == ["a before", "b before", "c before", "c after", "b after", "a after"]
    assert headers_of(one.requests[0])["x-desk"] == "c"
    assert every[2].requests[0].headers["X-Desk"] == "b"


async def test_middleware_sees_what_is_asked_and_never_the_key() -> None:
    tagged = Tagged()
    async with peer() as one, client_of(one, tagged) as client:
        await client.trades.get_trades("1*#Single#2#3#0", "2024-03-04", "2024-03-05")
    (request,) = tagged.requests
    assert request.endpoint == "/trades"
    assert request.url.startswith(f"{one.url}/trades?")
    assert request.parameters["marketId"] == "1"
    assert set(request.headers) == {"Accept", "User-Agent"}
    for shown in (repr(request), str(request.headers), request.url, repr(tagged.responses[0])):
        assert KEY[:6] not in shown


CHANGES: dict[str, Callable[[Request], Request]] = {
    "url": lambda request: evolve(request, url="http://elsewhere.test/"),
    "endpoint": lambda request: evolve(request, endpoint="/orders"),
    "parameters": lambda request: evolve(request, parameters={"marketId": "2"}),
    "correlation id": lambda request: evolve(request, correlation_id="mine"),
    "attempt": lambda request: evolve(request, attempt=0),
    "key": lambda request: request.with_headers(X_API_KEY="other"),
    "key in other case": lambda request: request.with_headers(x_api_key="other"),
    "host": lambda request: request.with_headers(Host="elsewhere.test"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_changing_anything_but_headers_is_refused_by_name(
    change: Callable[[Request], Request],
) -> None:
    async with peer() as one, client_of(one, Changing(change)) as client:
        with pytest.raises(TrayportConfigurationError, match=r"Changing\.before may change") as no:
            await client.reference.get_sequences()
    assert no.value.attempts == 0
    assert one.requests == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Desk", "a\r\nX-API-KEY: b"),
        ("X-Desk", "Gäs"),
        ("X-Desk", " gas"),
        ("X Desk", "gas"),
        ("", ""),
    ],
)
async def test_a_header_that_cannot_be_sent_is_refused_and_blames_no_connection(
    name: str, value: str
) -> None:
    spoiling = Changing(lambda request: evolve(request, headers={name: value}))
    async with peer() as one, client_of(one, spoiling) as client:
        with pytest.raises(TrayportConfigurationError, match=r"Changing\.before sets headers"):
            await client.reference.get_sequences()
        assert client.get_metrics().total.retries == 0
    assert one.requests == []


@pytest.mark.parametrize("status", [200, 404])
async def test_after_sees_answers_of_any_status_without_the_key(status: int) -> None:
    spelled = KEY.replace("+", "\\u002B").replace("/", "\\/")
    body = f'["{KEY}", "{spelled}"]'.encode()
    tagged = Tagged()
    echo = answer(body, status, f"X-Echo: {KEY}", "X-Kind: plain")
    async with peer(lambda _: echo) as one, client_of(one, tagged, max_retries=0) as client:
        with pytest.raises(Exception, match=r"404|not what the API promises"):
            await client.reference.get_sequences()
    (response,) = tagged.responses
    assert response.status == status
    assert response.headers["x-echo"] == HIDDEN
    assert response.headers["x-kind"] == "plain"
    assert response.body == f'["{HIDDEN}", "{HIDDEN}"]'.encode()


async def test_a_long_error_ends_in_no_part_of_the_key() -> None:
    """The beginning that is read of it may end anywhere."""
    half = KEY[: len(KEY) // 2].encode()
    tagged = Tagged()
    cut = b"HTTP/1.1 404 -\r\nContent-Length: 1000\r\nConnection: close\r\n\r\nno " + half

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(cut)
        writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    settings = Settings(_env_file=None, api_key=KEY, analytics_url=url, reference_url=url)
    async with listener, TrayportClient(settings=settings, middleware=[tagged]) as client:
        with pytest.raises(TrayportNotFoundError) as refused:
            await client.reference.get_sequences()
    assert tagged.responses[0].body == f"no {HIDDEN}".encode()
    assert half.decode() not in f"{refused.value} {refused.value.body}"


async def test_it_runs_for_every_attempt_and_is_told_which_one_it_is() -> None:
    sandbox = Sandbox(limits=False)
    sandbox.faults.add(Fault(kind="status", times=2))
    tagged = Tagged()
    settings = Settings(_env_file=None, retry_base=0.001)
    async with TrayportClient.sandbox(sandbox, settings=settings, middleware=[tagged]) as client:
        await client.reference.get_market_by_id(MARKET)
    assert [each.attempt for each in tagged.requests] == [1, 2, 3]
    assert [each.status for each in tagged.responses] == [503, 503, 200]
    assert len({each.correlation_id for each in tagged.requests}) == 1


class RefusalError(Exception):
    """Of no kind that the package knows."""


RAISED = [RefusalError("no"), httpx.ConnectError("the gate is down"), TimeoutError("too late")]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
async def test_what_middleware_raises_comes_out_as_it_is_and_nothing_is_repeated(
    moment: str, error: Exception
) -> None:
    class Raising(Middleware):
        def before(self, request: Request) -> None:
            if moment == "before":
                raise error

        def after(self, response: Response) -> None:
            raise error

    async with peer() as one, client_of(one, Raising(), breaker_threshold=1) as client:
        for _ in range(3):
            with pytest.raises(type(error)) as raised:
                await client.reference.get_sequences()
            assert raised.value is error
        assert client.get_metrics().total.retries == 0
        states = {each.state for each in client.get_status().breakers.values()}
        assert states <= {BreakerState.CLOSED}
    assert len(one.requests) == (0 if moment == "before" else 3)


async def test_an_error_that_after_raises_replaces_the_one_of_the_answer() -> None:
    class Renaming(Middleware):
        def after(self, response: Response) -> None:
            if response.status == 404:
                raise RefusalError(response.request.endpoint)

    async with TrayportClient.sandbox(middleware=[Renaming()]) as client:
        with pytest.raises(RefusalError, match=r"/markets/\{id\}"):
            await client.reference.get_market_by_id(1)


async def test_middleware_runs_only_once_the_limiter_has_let_the_request_through() -> None:
    found: list[LimiterStatus] = []

    class Looking(Middleware):
        def before(self, request: Request) -> None:
            status = client.get_status().limiter
            assert status is not None
            found.append(status)

    async with peer() as one, client_of(one, Looking()) as client:
        limiter = client.get_status().limiter
        assert limiter is not None
        for _ in range(3):
            await client.reference.get_sequences()
    assert [each.grants - limiter.grants for each in found] == [1, 2, 3]
    assert [each.windows[-1].used for each in found] == [1, 2, 3]


async def test_a_refused_attempt_pays_again() -> None:
    answers = [answer(b"", 429, "Retry-After: 0"), answer(b"", 503), answer()]

    async with peer(lambda _: answers.pop(0)) as one, client_of(one, Tagged()) as client:
        await client.reference.get_sequences()
        limiter = client.get_status().limiter
        assert limiter is not None
        assert limiter.grants == 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, TrayportNotFoundError), (429, TrayportRateLimitError), (503, TrayportServerError)],
)
async def test_errors_keep_their_kind_while_middleware_looks_on(
    status: int, kind: type[Exception]
) -> None:
    async with peer(lambda _: answer(b"", status)) as one:
        async with client_of(one, Tagged(), max_retries=0) as client:
            with pytest.raises(kind):
                await client.reference.get_sequences()
        assert len(one.requests) == 1


def test_an_underscore_in_a_name_stands_for_a_hyphen() -> None:
    request = Request("/trades", "u", {}, {"Accept": "a"}, "id", 1)
    assert request.with_headers(X_Desk="gas").headers == {"Accept": "a", "X-Desk": "gas"}
    assert request.headers == {"Accept": "a"}


def test_what_it_is_shown_cannot_be_changed_in_place() -> None:
    sent = {"Accept": "a"}
    request = Request("/trades", "u", {"marketId": "1"}, sent, "id", 1)
    response = Response(request, 200, {"X-Kind": "plain"}, b"[]", 0.1)
    for shown in (request.parameters, request.headers, response.headers):
        with pytest.raises(TypeError):
            shown["Host"] = "elsewhere.test"  # type: ignore[index]
    sent["Host"] = "elsewhere.test"
    assert request.headers == {"Accept": "a"}
    assert pickle.loads(pickle.dumps(response)) == response  # noqa: S301
    assert deepcopy(request) == request


async def test_headers_that_are_changed_after_they_were_returned_are_not_sent() -> None:
    class Later(Middleware):
        def __init__(self) -> None:
            self.headers = {"X-Desk": "gas"}

        def before(self, request: Request) -> Request:
            return evolve(request, headers=self.headers)

        def after(self, response: Response) -> None:
            pytest.fail("it was sent")

    class Meddling(Middleware):
        def before(self, request: Request) -> None:
            later.headers["Host"] = "elsewhere.test"
            seen.append(dict(request.headers))
            raise RefusalError

    later, seen = Later(), list[dict[str, str]]()
    async with peer() as one, client_of(one, later, Meddling()) as client:
        with pytest.raises(RefusalError):
            await client.reference.get_sequences()
    assert seen == [{"X-Desk": "gas"}]
