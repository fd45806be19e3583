"""Requests held against the document by openapi-core, which shares nothing with the SDK."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import httpx
from jsonschema_path import SchemaPath
from openapi_core import V31RequestValidator
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

from tests.document import DOCUMENT
from trayport_sdk import Settings
from trayport_sdk.http.inprocess import InProcessTransport
from trayport_sdk.sandbox import Sandbox

DEFAULTS = Settings(_env_file=None)
# Requests go to this machine, where nothing paces them, and are checked as if they went to the
# hosts that clients send to by default.
HOSTS = {
    "127.0.0.1": (urlsplit(DEFAULTS.analytics_url).netloc, "/analytics"),
    "localhost": (urlsplit(DEFAULTS.reference_url).netloc, Sandbox.REFERENCE_PATH),
}
SANDBOX = InProcessTransport(Sandbox(limits=False))


def settings(directory: Path) -> Settings:
    """Of clients whose requests a `Recorder` sends."""
    return Settings(
        _env_file=None,
        api_key="sandbox",
        analytics_url="http://127.0.0.1/api",
        reference_url="http://localhost",
        dead_letter_file=directory / "dead.jsonl",
        max_retries=0,
        requests_per_second=100_000,
        requests_per_minute=1_000_000,
        evenly_spaced=False,
        emergency_throttling=False,
    )


class ViolationError(Exception):
    """A request is not one that the document describes."""


class _Request:
    """A request of httpx, as openapi-core reads one."""

    body = None
    content_type = ""

    def __init__(self, request: httpx.Request) -> None:
        self.method = request.method.lower()
        self.host_url = f"{request.url.scheme}://{request.url.netloc.decode()}"
        self.path = request.url.path
        pairs = parse_qsl(request.url.query.decode(), keep_blank_values=True)
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(pairs),
            header=Headers(request.headers.multi_items()),
            cookie=ImmutableMultiDict(),
        )


class _Validator(V31RequestValidator):
    """Checks the same value of a parameter once: openapi-core takes milliseconds for each."""

    _right: ClassVar[set[tuple[Any, ...]]] = set()

    def _get_parameter(self, parameters: RequestParameters, param: Any) -> Any:
        name, place = (param / "name").read_str(), (param / "in").read_str()
        given = parameters[place]
        values = given.getlist(name) if place == "query" else [given.get(name)]
        what = (str(param), name, *values)
        if what not in self._right:
            super()._get_parameter(parameters, param)
            self._right.add(what)


@cache
def _validator() -> _Validator:
    return _Validator(SchemaPath.from_dict(DOCUMENT))


def check(request: httpx.Request) -> None:
    """Whether the document describes a request.

    Raises:
        openapi_core.exceptions.OpenAPIError: openapi-core says that it does not.
        ViolationError: The same, in what openapi-core does not look at: parameters that are not
            described or come twice, truth values spelt otherwise, `Accept`, and bodies.
    """
    sent = _Request(request)
    _validator().validate(sent)
    found = _validator().path_finder.find(sent.method, sent.host_url + sent.path)
    operation = found.operation.read_value()
    known = {node["name"]: node for node in map(_resolved, operation.get("parameters", ()))}
    given: Any = sent.parameters.query
    for name in given:
        values = given.getlist(name)
        if name not in known or known[name]["in"] != "query":
            raise ViolationError(f"there is no parameter {name}")
        schema = _resolved(known[name]["schema"])
        if len(values) > 1 and not (schema["type"] == "array" and known[name]["explode"]):
            raise ViolationError(f"{name} comes {len(values)} times")
        if schema["type"] == "boolean" and values[0] not in ("true", "false"):
            raise ViolationError(f"{name} is {values[0]}")
    if request.headers["accept"] not in operation["responses"]["200"]["content"]:
        raise ViolationError(f"nothing comes as {request.headers['accept']}")
    if request.content:
        raise ViolationError("it has a body")


def _resolved(node: Any) -> Any:
    while "$ref" in node:
        target: Any = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


class Recorder(httpx.AsyncBaseTransport):
    """Checks requests, and sends them to a sandbox in this process, which checks them as well.

    Attributes:
        urls: Those of the requests, as they would have been to the service.
        wrong: What is wrong with requests.
    """

    def __init__(self) -> None:
        self.urls: list[httpx.URL] = []
        self.wrong: list[tuple[httpx.URL, Exception | bytes]] = []
        self._right: set[tuple[object, ...]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host, base = HOSTS[request.url.host]
        url = request.url.copy_with(scheme="https", host=host)
        self.urls.append(url)
        await request.aread()
        what = (request.method, url, *request.headers.multi_items(), request.content)
        if what not in self._right:
            try:
                check(
                    httpx.Request(
                        request.method, url, headers=request.headers, content=request.content
                    )
                )
            except (OpenAPIError, ViolationError) as error:
                self.wrong.append((url, error))
            self._right.add(what)
        here = request.url.copy_with(raw_path=base.encode() + request.url.raw_path)
        response = await SANDBOX.handle_async_request(
            httpx.Request(request.method, here, headers=request.headers)
        )
        if response.status_code == httpx.codes.BAD_REQUEST:
            self.wrong.append((url, await response.aread()))
        return response
