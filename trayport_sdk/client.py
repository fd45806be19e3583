"""The client: settings and connections on one side, the typed groups on the other."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from .errors import TrayportConfigurationError

if TYPE_CHECKING:
    import httpx

    from .contracts import ContractSpec
    from .endpoints.reference import ReferenceGroup
    from .endpoints.trades import TradesGroup
    from .http.limiter import RequestLimiter
    from .sandbox import Sandbox
    from .settings import Settings

SANDBOX_KEY = "sandbox"


class TrayportClient:
    """Both APIs behind one key.

    Use it as an asynchronous context manager, or call `aclose` when done.

    Args:
        api_key: The personal key. Left out, it is read from `TRAYPORT_API_KEY` or `.env`.
        settings: All settings at once; the other arguments win over them.
        analytics_url: The address of the Data Analytics API.
        reference_url: The address of the Reference Data API.
        timeout: Seconds to wait for the next part of an answer.

    Attributes:
        trades: Trades.
        reference: Instruments, markets, sequences and delivery periods.
        settings: The settings in force.

    Raises:
        TrayportConfigurationError: There is no key, or a setting cannot work.

    Example:
        >>> async with TrayportClient.sandbox() as client:
        ...     april = await client.resolve_contract("TTF Hi Cal 51.6* Apr-24")
        ...     trades = await client.trades.get_trades(april, "2024-03-04", "2024-03-05")
        >>> trades[0].price > 0
        True
    """

    trades: TradesGroup
    reference: ReferenceGroup
    settings: Settings

    def __init__(
        self,
        api_key: str | None = None,
        *,
        settings: Settings | None = None,
        analytics_url: str | None = None,
        reference_url: str | None = None,
        timeout: float | None = None,
    ) -> None:
        from .settings import Settings

        given = settings or Settings()
        chosen = given.replace(
            api_key=api_key,
            analytics_url=analytics_url,
            reference_url=reference_url,
            timeout=timeout,
        )
        if chosen.api_key is None:
            raise TrayportConfigurationError(
                "there is no API key",
                suggestion="set the variable TRAYPORT_API_KEY, write it into .env, or pass "
                "api_key; TrayportClient.sandbox() needs none",
            )
        from .http.limiter import shared_limiter

        key = chosen.api_key.get_secret_value()
        address = urlsplit(chosen.analytics_url)
        port = address.port or {"http": 80, "https": 443}[address.scheme]
        limiter = shared_limiter(key, f"{address.hostname}:{port}")
        self._assemble(chosen, key, limiter, None)

    @classmethod
    def sandbox(cls, sandbox: Sandbox | None = None) -> Self:
        """A client of an offline Trayport in this process: no key, no network, no waiting.

        Args:
            sandbox: The sandbox to talk to; left out, a new one without request limits. Where it
                enforces them, the client paces its requests as it would for the live service.

        Raises:
            TrayportConfigurationError: The extra `sandbox` is not installed.
        """
        from .export import needs

        needs("sandbox", "numpy", "uvicorn")
        from .http.inprocess import InProcessTransport
        from .http.limiter import shared_limiter
        from .sandbox import Sandbox
        from .settings import Settings

        # The address names no host that exists: nothing may leave the process.
        settings = Settings(
            _env_file=None,
            api_key=SANDBOX_KEY,
            analytics_url=f"http://sandbox.invalid{Sandbox.ANALYTICS_PATH}",
            reference_url=f"http://sandbox.invalid{Sandbox.REFERENCE_PATH}",
        )
        client = cls.__new__(cls)
        application = sandbox or Sandbox(limits=False)
        limiter = (
            shared_limiter(SANDBOX_KEY, f"sandbox {id(application)}")
            if application.limits
            else None
        )
        client._assemble(settings, SANDBOX_KEY, limiter, InProcessTransport(application))
        return client

    def _assemble(
        self,
        settings: Settings,
        key: str,
        limiter: RequestLimiter | None,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        from .catalog import Catalog
        from .endpoints.reference import ReferenceGroup
        from .endpoints.trades import TradesGroup
        from .http.transport import Transport

        self.settings = settings
        self._transport = Transport(
            key=key,
            urls={"analytics": settings.analytics_url, "reference": settings.reference_url},
            timeout=settings.timeout,
            connect_timeout=settings.connect_timeout,
            http2=settings.http2,
            limiter=limiter,
            transport=transport,
        )
        self.reference = ReferenceGroup(self._transport.send)
        self._catalog = Catalog(self.reference)
        self.trades = TradesGroup(
            self._transport.send, self._catalog, concurrency=settings.max_concurrency
        )

    async def resolve_contract(self, symbol_or_name: str) -> ContractSpec:
        """The contract of a name or of a machine symbol.

        Args:
            symbol_or_name: Such as `"TTF Hi Cal 51.6* Apr-24"` for a market (with a `*`),
                `"TTF Hi Cal 51.6 EEX Apr-24"` for an instrument, or
                `"10000065*#Single#10000305#244#0"`.

        Raises:
            TrayportLookupError: Nothing has this name; the nearest names are listed.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     await client.resolve_contract("TTF Hi Cal 51.6* Apr-24")
            ContractSpec.parse('10000065*#Single#10000305#244#0')
        """
        return await self._catalog.resolve(symbol_or_name)

    def __repr__(self) -> str:
        return f"TrayportClient({self.settings.analytics_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._transport.aclose()
