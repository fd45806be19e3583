"""A request as ASGI hands it over."""

from collections.abc import Mapping

from attrs import frozen
from trayport_spec import API_KEY_HEADER

from trayport_sdk.sandbox.problems import Problem
from trayport_sdk.sandbox.queries import Query, read_query
from trayport_sdk.sandbox.wire import Receive, Scope

_LARGEST_BODY = 2**20


@frozen
class Call:
    """One request, read; headers of the same name are joined by commas."""

    method: str
    path: str
    query: Query
    headers: Mapping[str, str]
    connection: str

    def header(self, name: str) -> str | None:
        return self.headers.get(name)

    @property
    def key(self) -> str | None:
        return self.header(API_KEY_HEADER.lower())

    @property
    def is_preflight(self) -> bool:
        return self.method == "OPTIONS" and "access-control-request-method" in self.headers


def read_call(scope: Scope) -> Call:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    query = read_query(scope["query_string"])
    connection = ":".join(map(str, scope.get("client") or ()))
    return Call(scope["method"], scope["path"], query, headers, connection)


async def read_body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return body
        body += bytes(message.get("body", b""))
        if len(body) > _LARGEST_BODY:
            raise Problem(413)
        if not message.get("more_body", False):
            return body
