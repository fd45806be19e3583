# Generated from openapi/. Do not edit: run ./codegen.sh.

import ssl
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx
from attrs import define, field
from trayport_spec import API_KEY_HEADER

from .errors import UnexpectedStatus
from .types import reader

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

DEFAULT_TIMEOUT = httpx.Timeout(60.0, connect=10.0)


@define
class Client:
    """Connection settings for one of the two APIs, without a key.

    The underlying httpx clients are opened on first use; use the client as a context manager to
    close them.
    """

    base_url: str
    headers: dict[str, str] = field(factory=dict[str, str], kw_only=True, repr=False)
    timeout: httpx.Timeout = field(default=DEFAULT_TIMEOUT, kw_only=True)
    verify_ssl: bool | ssl.SSLContext = field(default=True, kw_only=True)
    httpx_args: dict[str, Any] = field(factory=dict[str, Any], kw_only=True, repr=False)
    _client: httpx.Client | None = field(default=None, init=False, repr=False)
    _async_client: httpx.AsyncClient | None = field(default=None, init=False, repr=False)

    def _all_headers(self) -> dict[str, str]:
        return dict(self.headers)

    def _arguments(self) -> dict[str, Any]:
        return {
            "base_url": self.base_url,
            "headers": self._all_headers(),
            "timeout": self.timeout,
            "verify": self.verify_ssl,
            **self.httpx_args,
        }

    def get_httpx_client(self) -> httpx.Client:
        """The blocking httpx client, opened on first use."""
        if self._client is None:
            self._client = httpx.Client(**self._arguments())
        return self._client

    def get_async_httpx_client(self) -> httpx.AsyncClient:
        """The asynchronous httpx client, opened on first use."""
        if self._async_client is None:
            self._async_client = httpx.AsyncClient(**self._arguments())
        return self._async_client

    def __enter__(self) -> Self:
        self.get_httpx_client().__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.get_httpx_client().__exit__(exc_type, exc, traceback)

    async def __aenter__(self) -> Self:
        await self.get_async_httpx_client().__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.get_async_httpx_client().__aexit__(exc_type, exc, traceback)


@define
class AuthenticatedClient(Client):
    """Connection settings with a key, which goes into the header the API asks for."""

    token: str = field(kw_only=True, repr=False)
    auth_header_name: str = field(default=API_KEY_HEADER, kw_only=True)

    def _all_headers(self) -> dict[str, str]:
        return {**self.headers, self.auth_header_name: self.token}


def sync_call(
    build: Callable[Arguments, dict[str, Any]], kind: type[Result]
) -> Callable[Concatenate[Client, Arguments], Result]:
    """Sends the request that a builder builds, and waits for what the response holds."""

    def call(client: Client, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        return _result(client.get_httpx_client().request(**build(*args, **kwargs)), kind)

    call.__doc__ = build.__doc__
    return call


def async_call(
    build: Callable[Arguments, dict[str, Any]], kind: type[Result]
) -> Callable[Concatenate[Client, Arguments], Coroutine[Any, Any, Result]]:
    """Like `sync_call`, to be awaited."""

    async def call(client: Client, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        request = build(*args, **kwargs)
        return _result(await client.get_async_httpx_client().request(**request), kind)

    call.__doc__ = build.__doc__
    return call


def _result(response: httpx.Response, kind: type[Result]) -> Result:
    if response.status_code != 200:
        raise UnexpectedStatus(response.status_code, response.content)
    result: Result = reader(kind)(response.json())
    return result
