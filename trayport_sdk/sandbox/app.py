"""The ASGI application: both APIs and the controls of the sandbox."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from email.utils import formatdate
from http import HTTPStatus

from attrs import frozen

from trayport_sdk.sandbox.bodies import encoded
from trayport_sdk.sandbox.calls import Call, read_body, read_call
from trayport_sdk.sandbox.checks import Entitlement, check
from trayport_sdk.sandbox.control import CONTROL_PATH, Control
from trayport_sdk.sandbox.damage import CHANGING, HTML_PAGE, damaged
from trayport_sdk.sandbox.faults import Fault, Faults
from trayport_sdk.sandbox.limits import Allowance, retry_after
from trayport_sdk.sandbox.market import market
from trayport_sdk.sandbox.negotiation import (
    CONTENT_TYPES,
    Encoding,
    chosen_encoding,
    chosen_media,
)
from trayport_sdk.sandbox.problems import PROBLEM_JSON, Problem
from trayport_sdk.sandbox.questions import Question
from trayport_sdk.sandbox.received import Received, canonical_query, key_hash
from trayport_sdk.sandbox.render import Media
from trayport_sdk.sandbox.routing import Target, find_target
from trayport_sdk.sandbox.wire import TRANSPORT, Connection, Head, Receive, Scope, Send

_log = logging.getLogger("trayport_sdk.sandbox")

_ALLOWED = "GET, OPTIONS"
_CONTROL_METHODS = "GET, POST, DELETE, OPTIONS"
_EVERYONE = (("access-control-allow-origin", "*"), ("access-control-expose-headers", "*"))
_PREFLIGHT_SECONDS = "600"
_WIRE_FAULTS = frozenset({"drip", "reset", "cut", "wrong-length"})


@frozen
class Rules:
    """Whom the sandbox lets in and which limits it enforces."""

    keys: Collection[str]
    intraday_keys: Collection[str]
    limits: bool
    range_limits: bool
    until_inclusive: bool

    def admit(self, key: str | None) -> str:
        if key is None or (key not in self.keys and key not in self.intraday_keys):
            what = "is missing" if key is None else "is wrong"
            raise Problem(HTTPStatus.UNAUTHORIZED, detail=f"The API key {what}.")
        return key


class App:
    """An offline Trayport."""

    def __init__(
        self,
        *,
        seed: int,
        rules: Rules,
        clock: Callable[[], int],
        monotonic: Callable[[], float],
        faults: Faults,
        requests: deque[Received],
    ) -> None:
        self._market = market(seed)
        self._rules = rules
        self._clock = clock
        self._monotonic = monotonic
        self._allowance = Allowance(monotonic)
        self._faults = faults
        self._requests = requests
        self._control = Control(faults, requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            transport = scope.get("extensions", {}).get(TRANSPORT)
            await self._answer(read_call(scope), Connection(receive, send, transport))

    async def _answer(self, call: Call, connection: Connection) -> None:
        if call.is_preflight:
            in_control = call.path.startswith(f"{CONTROL_PATH}/")
            head = _preflight(call, _CONTROL_METHODS if in_control else _ALLOWED)
            await connection.send_whole(head, b"")
        elif call.path.startswith(f"{CONTROL_PATH}/"):
            await self._answer_control(call, connection)
        else:
            await self._answer_api(call, connection)

    async def _answer_control(self, call: Call, connection: Connection) -> None:
        try:
            body = await read_body(connection.receive)
            status, document = self._control.act(call.method, call.path, body)
        except Problem as problem:
            await _send_problem(connection, problem)
        else:
            head = Head(status, (("content-type", "application/json"), *_EVERYONE))
            await connection.send_whole(head, json.dumps(document).encode())

    async def _answer_api(self, call: Call, connection: Connection) -> None:
        target = find_target(call.path)
        record = Received(
            call.method,
            call.path,
            canonical_query(target.endpoint if target else None, call.query),
            key_hash(call.key),
            int(self._monotonic() * 1e9),
            call.connection,
        )
        self._requests.append(record)
        connection = connection.recording(record)
        try:
            await self._answer_operation(call, target, connection)
        except Problem as problem:
            await _send_problem(connection, problem)
        except ConnectionError:
            # Broken on purpose, or by the client: nobody is there to be answered.
            raise
        except Exception:
            _log.exception("%s %s failed", call.method, call.path)
            if record.status is not None:
                raise
            await _send_problem(connection, Problem(HTTPStatus.INTERNAL_SERVER_ERROR))

    async def _answer_operation(
        self, call: Call, target: Target | None, connection: Connection
    ) -> None:
        if target is None:
            raise Problem(HTTPStatus.NOT_FOUND, detail="There is no such path.")
        if call.method != "GET":
            raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, headers={"allow": _ALLOWED})
        key = self._rules.admit(call.key)
        self._spend(key)
        faults = self._faults.striking(call.path, target.endpoint.operation_id)
        for fault in faults:
            if fault.kind == "delay":
                await asyncio.sleep(fault.seconds)
            elif fault.kind == "reset" and fault.after_bytes is None:
                await connection.send_faulty(Head(HTTPStatus.OK, ()), b"", faults)
                return
            elif fault.kind in ("status", "too-fast", "html"):
                await self._send_refusal(fault, connection)
                return
        question = check(
            target.endpoint,
            dict(target.segments),
            call.query,
            self._market.engine.catalogue,
            self._entitlement(key),
        )
        media = chosen_media(call.header("accept"))
        encoding = chosen_encoding(call.header("accept-encoding"))
        damaging = [f for f in faults if f.kind in CHANGING or f.kind in _WIRE_FAULTS]
        if damaging:
            await self._send_damaged(question, media, encoding, damaging, connection)
        else:
            await self._send_answer(question, media, encoding, connection)

    def _spend(self, key: str) -> None:
        wait = self._allowance.wait_for(key) if self._rules.limits else 0.0
        if wait > 0.0:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                detail="The allowance of the key is used up.",
                headers={"retry-after": retry_after(wait)},
            )

    def _entitlement(self, key: str) -> Entitlement:
        return Entitlement(
            now=self._clock(),
            intraday=key in self._rules.intraday_keys,
            range_limits=self._rules.range_limits,
            until_inclusive=self._rules.until_inclusive,
        )

    async def _send_refusal(self, fault: Fault, connection: Connection) -> None:
        headers: list[tuple[str, str]] = []
        if fault.retry_after is not None:
            headers.append(("retry-after", self._retry_after(fault)))
        if fault.kind == "html":
            head = Head(fault.status or HTTPStatus.OK, (("content-type", "text/html"), *headers))
            await connection.send_whole(head.with_headers(*_EVERYONE), HTML_PAGE)
            return
        if fault.empty:
            head = Head(fault.status or HTTPStatus.SERVICE_UNAVAILABLE, tuple(headers))
            await connection.send_whole(head.with_headers(*_EVERYONE), b"")
            return
        usual = HTTPStatus.FORBIDDEN if fault.kind == "too-fast" else HTTPStatus.SERVICE_UNAVAILABLE
        raise Problem(fault.status or usual, headers=dict(headers))

    def _retry_after(self, fault: Fault) -> str:
        seconds = fault.retry_after or 0.0
        if fault.retry_after_date:
            return formatdate(self._clock() / 1e9 + seconds, usegmt=True)
        return f"{seconds:g}"

    async def _send_answer(
        self, question: Question, media: Media, encoding: Encoding, connection: Connection
    ) -> None:
        head = _head(media, encoding)
        kept = self._market.kept(question, media, encoding)
        if kept is not None:
            await connection.send_chunks(head, kept)
            return
        chunks = self._market.body(question, media, encoding)
        first, second = await asyncio.to_thread(_two, chunks)
        if second is None:
            await connection.send_whole(head, first or b"")
        else:
            await connection.send_stream(head, _ahead((first or b"", second), chunks))

    async def _send_damaged(
        self,
        question: Question,
        media: Media,
        encoding: Encoding,
        faults: Sequence[Fault],
        connection: Connection,
    ) -> None:
        def make() -> bytes:
            body = self._market.plain_body(question, media)
            for fault in faults:
                body = damaged(body, fault, question.endpoint, media)
            return b"".join(encoded([body], encoding))

        await connection.send_faulty(_head(media, encoding), await asyncio.to_thread(make), faults)


def _head(media: Media, encoding: Encoding) -> Head:
    coded = () if encoding == "identity" else (("content-encoding", encoding),)
    kind = ("content-type", CONTENT_TYPES[media])
    return Head(HTTPStatus.OK, (kind, *coded, ("vary", "Accept, Accept-Encoding"), *_EVERYONE))


def _two(chunks: Iterator[bytes]) -> tuple[bytes | None, bytes | None]:
    return next(chunks, None), next(chunks, None)


async def _ahead(ready: Iterable[bytes], chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
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
    headers = (("content-type", PROBLEM_JSON), *problem.headers.items(), *_EVERYONE)
    await connection.send_whole(Head(problem.status, headers), problem.body())


def _preflight(call: Call, methods: str) -> Head:
    headers = [
        ("access-control-allow-methods", methods),
        ("access-control-allow-headers", call.header("access-control-request-headers") or "*"),
        ("access-control-max-age", _PREFLIGHT_SECONDS),
        *_EVERYONE,
    ]
    if call.header("access-control-request-private-network") == "true":
        headers.append(("access-control-allow-private-network", "true"))
    return Head(HTTPStatus.NO_CONTENT, tuple(headers))


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
