"""The ASGI application: both APIs, and the paths that control the sandbox."""

import asyncio
import json
import logging
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from email.utils import formatdate
from http import HTTPStatus
from typing import cast

from trayport_spec import REQUEST_LIMITS, Endpoint

from . import Sandbox
from .deviations import Deviations, deviations
from .faults import CHANGES, HTML_PAGE, Fault, damaged
from .http import (
    CONTENT_TYPES,
    TRANSPORT,
    Connection,
    Encoding,
    Head,
    Media,
    Receive,
    ReceivedRequest,
    Request,
    Scope,
    Send,
    chosen_encoding,
    chosen_media,
    encoded,
    find_endpoint,
    read_body,
    read_request,
)
from .problems import PROBLEM_JSON, Problem
from .query import Query
from .replay import Cassette
from .responses import responses
from .rules import Entitlement, check

_log = logging.getLogger("trayport_sdk.sandbox")

_ALLOWED = "GET, OPTIONS"
_EVERYONE = (("access-control-allow-origin", "*"), ("access-control-expose-headers", "*"))
_PREFLIGHT_SECONDS = "600"
_CONNECTION_FAULTS = ("drip", "reset", "cut", "wrong-length")
_CONTROL = "/control/"
_CONTROL_METHODS = {"faults": "GET, POST, DELETE", "requests": "GET, DELETE"}
_SECOND, _MINUTE = 1.0, 60.0


class Allowance:
    """The requests of each key within the last second and the last minute.

    A refused request does not count: the next one after the wait is let in.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        limits = REQUEST_LIMITS
        self._windows = ((limits.per_second, _SECOND), (limits.per_minute, _MINUTE))
        self._granted: dict[str, deque[float]] = {}

    def wait_for(self, key: str) -> float:
        """Takes one request from the allowance; else the seconds until there is one."""
        now = self._monotonic()
        granted = self._granted.setdefault(key, deque())
        while granted and now - granted[0] >= _MINUTE:
            granted.popleft()
        waits = [
            length - (now - granted[-most])
            for most, length in self._windows
            if len(granted) >= most
        ]
        wait = max(waits, default=0.0)
        if wait <= 0.0:
            granted.append(now)
        return max(wait, 0.0)


class App:
    """The application of a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._faults = sandbox.faults
        self._requests = sandbox.requests
        self._responses = responses(sandbox.seed, sandbox.corrections)
        self._allowance = Allowance(sandbox.monotonic)
        self._deviations = deviations(sandbox.deviations)
        self._cassette = None if sandbox.replay is None else Cassette(sandbox.replay)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            transport = scope.get("extensions", {}).get(TRANSPORT)
            await self._respond(read_request(scope), Connection(receive, send, transport))

    async def _respond(self, request: Request, connection: Connection) -> None:
        in_control = request.path.startswith(_CONTROL)
        if request.is_preflight:
            methods = "GET, POST, DELETE, OPTIONS" if in_control else _ALLOWED
            await connection.send_chunks(_preflight(request, methods), ())
        elif in_control:
            await self._respond_to_control(request, connection)
        else:
            await self._respond_to_api(request, connection)

    async def _respond_to_control(self, request: Request, connection: Connection) -> None:
        try:
            body = await read_body(connection.receive)
            status, document = self._control(request.method, request.path, body)
        except Problem as problem:
            await _send_problem(connection, problem)
        else:
            head = Head(status, (("content-type", "application/json"), *_EVERYONE))
            await connection.send_chunks(head, (json.dumps(document).encode(),))

    def _control(self, method: str, path: str, body: bytes) -> tuple[int, object]:
        """Faults on demand, and the log of requests."""
        match method, path.removeprefix(_CONTROL):
            case "GET", "faults":
                return HTTPStatus.OK, self._faults.documents()
            case "POST", "faults":
                self._faults.add(*_faults(body))
                return HTTPStatus.CREATED, self._faults.documents()
            case "DELETE", "faults":
                self._faults.clear()
                return HTTPStatus.OK, []
            case "GET", "requests":
                return HTTPStatus.OK, [request.document() for request in tuple(self._requests)]
            case "DELETE", "requests":
                self._requests.clear()
                return HTTPStatus.OK, []
            case _, name if name in _CONTROL_METHODS:
                allowed = {"allow": _CONTROL_METHODS[name]}
                raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, headers=allowed)
            case _:
                raise Problem(HTTPStatus.NOT_FOUND)

    async def _respond_to_api(self, request: Request, connection: Connection) -> None:
        match = find_endpoint(request.path)
        arrived = int(self._sandbox.monotonic() * 1e9)
        record = ReceivedRequest.of(request, match[0] if match else None, arrived)
        self._requests.append(record)
        connection = connection.recording(record)
        try:
            if self._cassette is not None:
                self._entitlement(request.key)
                self._spend(request.key or "")
                head, body = self._cassette.response(request, record)
                await connection.send_chunks(Head(head.status, head.headers + _EVERYONE), (body,))
                return
            if match is None:
                raise Problem(HTTPStatus.NOT_FOUND, detail="There is no such path.")
            await self._respond_to_operation(request, *match, connection)
        except Problem as problem:
            await _send_problem(connection, self._deviations.problem(problem))
        except ConnectionError:
            # The connection was broken by a fault or by the client: no response can be sent.
            raise
        except Exception:
            _log.exception("%s %s failed", request.method, request.path)
            if record.status is not None:
                raise
            await _send_problem(connection, Problem(HTTPStatus.INTERNAL_SERVER_ERROR))

    async def _respond_to_operation(
        self, request: Request, endpoint: Endpoint, segments: dict[str, str], connection: Connection
    ) -> None:
        if request.method != "GET":
            raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, headers={"allow": _ALLOWED})
        entitlement = self._entitlement(request.key)
        self._spend(request.key or "", endpoint)
        faults = self._faults.striking(request.path, endpoint.operation_id)
        for fault in faults:
            if fault.kind == "delay":
                await asyncio.sleep(fault.seconds)
            elif fault.kind == "reset" and fault.after_bytes is None:
                await connection.send_faulty(Head(HTTPStatus.OK, ()), b"", faults)
                return
            elif fault.kind in ("status", "too-fast", "html"):
                await self._refuse(fault, connection)
                return
        catalogue = self._responses.engine.catalogue
        planted = self._deviations.of(endpoint)
        words = planted.words(request.query, endpoint)
        query = check(planted.rules(endpoint), segments, words, catalogue, entitlement)
        media = chosen_media(request.header("accept"))
        encoding = chosen_encoding(request.header("accept-encoding"))
        query = planted.query(query, catalogue)
        damaging = [f for f in faults if f.kind in (*CHANGES, "malformed", *_CONNECTION_FAULTS)]
        if damaging:
            make = asyncio.to_thread(self._damaged, query, media, encoding, damaging)
            await connection.send_faulty(_head(media, encoding), await make, damaging)
        elif planted.change_responses and media == "json":
            await self._send_deviating(query, planted, encoding, connection)
        else:
            await self._send_data(query, media, encoding, connection)

    def _spend(self, key: str, endpoint: Endpoint | None = None) -> None:
        if endpoint is not None and self._deviations.separate_allowances:
            key = f"{endpoint.api} {key}"
        wait = self._allowance.wait_for(key) if self._sandbox.limits else 0.0
        if wait > 0.0:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                detail="The allowance of the key is used up.",
                # The header knows whole seconds only.
                headers={"retry-after": str(max(1, math.ceil(wait)))},
            )

    def _entitlement(self, key: str | None) -> Entitlement:
        sandbox = self._sandbox
        if key is None or (key not in sandbox.keys and key not in sandbox.intraday_keys):
            what = "is missing" if key is None else "is wrong"
            raise Problem(HTTPStatus.UNAUTHORIZED, detail=f"The API key {what}.")
        return Entitlement(
            now=sandbox.clock(),
            intraday=key in sandbox.intraday_keys,
            range_limits=sandbox.range_limits,
            until_inclusive=sandbox.until_inclusive,
        )

    async def _refuse(self, fault: Fault, connection: Connection) -> None:
        headers: dict[str, str] = {}
        if fault.retry_after is not None:
            headers["retry-after"] = f"{fault.retry_after:g}"
            if fault.retry_after_date:
                when = self._sandbox.clock() / 1e9 + fault.retry_after
                headers["retry-after"] = formatdate(when, usegmt=True)
        usual = {"html": HTTPStatus.OK, "too-fast": HTTPStatus.FORBIDDEN}.get(fault.kind)
        status = fault.status or usual or HTTPStatus.SERVICE_UNAVAILABLE
        if fault.kind != "html" and not fault.empty:
            raise Problem(status, headers=headers)
        if fault.kind == "html":
            headers = {"content-type": "text/html", **headers}
        body = HTML_PAGE if fault.kind == "html" else b""
        await connection.send_chunks(Head(status, (*headers.items(), *_EVERYONE)), (body,))

    async def _send_data(
        self, query: Query, media: Media, encoding: Encoding, connection: Connection
    ) -> None:
        head = _head(media, encoding)
        kept = self._responses.kept(query, media, encoding)
        if kept is not None:
            await connection.send_chunks(head, kept)
            return
        chunks = self._responses.chunks(query, media, encoding)
        first, second = await asyncio.to_thread(_two, chunks)
        if second is None:
            await connection.send_chunks(head, (first or b"",))
        else:
            await connection.send_stream(head, _ahead((first or b"", second), chunks))

    async def _send_deviating(
        self, query: Query, planted: Deviations, encoding: Encoding, connection: Connection
    ) -> None:
        encoding = encoding if planted.compressed else "identity"

        def make() -> bytes:
            kept = self._responses.kept(query, "json", "identity")
            plain = b"".join(kept or self._responses.chunks(query, "json", "identity"))
            document = planted.document(json.loads(plain), query)
            body = json.dumps(document, separators=(",", ":")).encode()
            return b"".join(encoded([body], encoding))

        head = _head("json", encoding)
        head = Head(head.status, planted.headers(head.headers))
        await connection.send_chunks(head, (await asyncio.to_thread(make),))

    def _damaged(
        self, query: Query, media: Media, encoding: Encoding, faults: list[Fault]
    ) -> bytes:
        body = self._responses.plain(query, media)
        for fault in faults:
            body = damaged(body, fault, query.endpoint, media)
        return b"".join(encoded([body], encoding))


def _faults(body: bytes) -> list[Fault]:
    """One fault, or a list of them."""
    try:
        document: object = json.loads(body)
        many = cast("list[object]", document) if isinstance(document, list) else [document]
        return [Fault.from_document(entry) for entry in many]
    except (ValueError, TypeError) as error:
        raise Problem(HTTPStatus.BAD_REQUEST, detail=str(error.args[0])) from error


def _head(media: Media, encoding: Encoding) -> Head:
    coded = () if encoding == "identity" else (("content-encoding", encoding),)
    kind = ("content-type", CONTENT_TYPES[media])
    return Head(HTTPStatus.OK, (kind, *coded, ("vary", "Accept, Accept-Encoding"), *_EVERYONE))


def _two(chunks: Iterator[bytes]) -> tuple[bytes | None, bytes | None]:
    return next(chunks, None), next(chunks, None)


async def _ahead(ready: tuple[bytes, ...], chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Chunks made in a thread, the next one while this one is on its way."""
    coming = asyncio.ensure_future(asyncio.to_thread(next, chunks, None))
    try:
        for chunk in ready:
            yield chunk
        while (made := await coming) is not None:
            coming = asyncio.ensure_future(asyncio.to_thread(next, chunks, None))
            yield made
    finally:
        coming.cancel()


async def _send_problem(connection: Connection, problem: Problem) -> None:
    headers = {"content-type": PROBLEM_JSON, **problem.headers}
    head = Head(problem.status, (*headers.items(), *_EVERYONE))
    await connection.send_chunks(head, (problem.body(),))


def _preflight(request: Request, methods: str) -> Head:
    headers = [
        ("access-control-allow-methods", methods),
        ("access-control-allow-headers", request.header("access-control-request-headers") or "*"),
        ("access-control-max-age", _PREFLIGHT_SECONDS),
        *_EVERYONE,
    ]
    if request.header("access-control-request-private-network") == "true":
        headers.append(("access-control-allow-private-network", "true"))
    return Head(HTTPStatus.NO_CONTENT, tuple(headers))


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
