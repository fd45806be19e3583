"""Reference data: instruments, markets, sequences and their items."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from trayport_api.api.reference import (
    get_instrument,
    get_instrument_sequences,
    get_instruments,
    get_market,
    get_market_sequences,
    get_markets,
    get_sequence_item,
    get_sequence_items,
    get_sequences,
)
from trayport_api.models import (
    Instrument,
    InstrumentDetails,
    Market,
    MarketDetails,
    Sequence,
    SequenceItem,
)
from trayport_api.types import UNSET
from trayport_spec import ENDPOINTS

from ..errors import (
    TrayportCircuitBreakerError,
    TrayportError,
    TrayportLookupError,
    TrayportStaleDataWarning,
    TrayportValidationError,
)
from ..http.messages import ApiRequest, ApiResponse
from ..query.params import checked_value
from ..query.times import TimeLike, instant, to_text
from ..tables.decode.decoder import decode_documents
from ..telemetry.events import StaleEvent
from .memory import LastAnswers, ReferenceList

if TYPE_CHECKING:
    from ..http.session import Session

Model = TypeVar("Model")


class ReferenceGroup:
    """Instruments, markets, sequences and delivery periods.

    Dates in these answers are ISO-8601 text in UTC, or None for rolling items [observed].

    While the circuit breaker of an endpoint is open, the last answer is served from memory where
    there is one, with a `TrayportStaleDataWarning`; the lists say so in `stale` and `read_at`.
    """

    def __init__(self, session: Session, answers: LastAnswers | None) -> None:
        self._session = session
        self._answers = answers

    async def get_instruments(self, name: str | None = None) -> ReferenceList[Instrument]:
        """All instruments, or those whose name contains a text, in any case.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     found = await client.reference.get_instruments("ttf hi cal 51.6 eex")
            >>> found[0].id
            10002806
        """
        every = await self._rows(
            "get_instruments", get_instruments.get_kwargs(), Instrument.from_dict
        )
        return every.where(lambda one: name is None or name.lower() in one.name.lower())

    async def get_markets(self, name: str | None = None) -> ReferenceList[Market]:
        """All markets, or those whose name contains a text, in any case."""
        every = await self._rows("get_markets", get_markets.get_kwargs(), Market.from_dict)
        wanted = None if name is None else name.removesuffix("*").lower()
        return every.where(lambda one: wanted is None or wanted in one.name.lower())

    async def get_instrument_by_id(self, id: int) -> InstrumentDetails:
        """An instrument with its currencies and units.

        Raises:
            TrayportNotFoundError: No instrument has this id.
        """
        kwargs = get_instrument.get_kwargs(id)
        (one,) = await self._rows("get_instrument", kwargs, InstrumentDetails.from_dict)
        return one

    async def get_market_by_id(self, id: int) -> MarketDetails:
        """A market with its currencies and units.

        Raises:
            TrayportNotFoundError: No market has this id.
        """
        kwargs = get_market.get_kwargs(id)
        (one,) = await self._rows("get_market", kwargs, MarketDetails.from_dict)
        return one

    async def get_sequences(
        self, instrument_id: int | None = None, market_id: int | None = None
    ) -> ReferenceList[Sequence]:
        """The sequences of an instrument or of a market, or all of them.

        Raises:
            TrayportValidationError: Both an instrument and a market are given.
            TrayportNotFoundError: No product has this id.
        """
        if instrument_id is not None and market_id is not None:
            raise TrayportValidationError(
                f"instrument_id {instrument_id} and market_id {market_id} exclude each other",
                parameter="market_id",
                suggestion="give one of them, or none for all sequences",
            )
        if instrument_id is not None:
            kwargs = get_instrument_sequences.get_kwargs(instrument_id)
            return await self._rows("get_instrument_sequences", kwargs, Sequence.from_dict)
        if market_id is not None:
            kwargs = get_market_sequences.get_kwargs(market_id)
            return await self._rows("get_market_sequences", kwargs, Sequence.from_dict)
        return await self._rows("get_sequences", get_sequences.get_kwargs(), Sequence.from_dict)

    async def get_sequence_by_id(self, id: int) -> Sequence:
        """One sequence, read from the list of all: the API has no operation of its own for it.

        Raises:
            TrayportLookupError: No sequence has this id.
        """
        for sequence in await self.get_sequences():
            if sequence.id == id:
                return sequence
        raise TrayportLookupError(f"no sequence has the id {id}")

    async def get_sequence_items(
        self, sequence_id: int, start_date: TimeLike | None = None, count: int | None = None
    ) -> ReferenceList[SequenceItem]:
        """The delivery periods of a sequence, earliest first.

        Args:
            sequence_id: The sequence.
            start_date: The earliest period end; the service takes today when it is left out
                [documented].
            count: How many to return at most; the service has a default [documented].

        Raises:
            TrayportNotFoundError: No sequence has this id.
            TrayportValidationError: The date or the count cannot work; nothing was sent.
        """
        if count is not None:
            known = ENDPOINTS["get_sequence_items"].parameter("count")
            count = checked_value(known, "count", count)
        kwargs = get_sequence_items.get_kwargs(
            sequence_id,
            start_date=UNSET if start_date is None else to_text(instant(start_date, "start_date")),
            count=UNSET if count is None else count,
        )
        return await self._rows("get_sequence_items", kwargs, SequenceItem.from_dict)

    async def get_sequence_item(self, sequence_id: int, item_id: int) -> SequenceItem:
        """One delivery period, expired or not.

        Raises:
            TrayportNotFoundError: The sequence has no such item.
        """
        kwargs = get_sequence_item.get_kwargs(sequence_id, item_id)
        (one,) = await self._rows("get_sequence_item", kwargs, SequenceItem.from_dict)
        return one

    async def _rows(
        self,
        operation_id: str,
        kwargs: Mapping[str, Any],
        make: Callable[[Mapping[str, Any]], Model],
    ) -> ReferenceList[Model]:
        call = ApiRequest.of(operation_id, kwargs)

        def read(answer: ApiResponse) -> ReferenceList[Model]:
            documents = answer.read(decode_documents)
            return ReferenceList(map(make, documents), datetime.now(UTC))

        rows = await self._session.fetch(
            call, read, priority="high", instead=lambda error: self._stale(call, error)
        )
        if self._answers is not None and not rows.stale:
            self._answers.keep(call.identity, rows)
        return rows

    def _stale(self, call: ApiRequest, error: TrayportError) -> ReferenceList[Any] | None:
        """The last answer to a call that the circuit breaker refuses."""
        if not isinstance(error, TrayportCircuitBreakerError):
            return None
        rows = None if self._answers is None else self._answers.find(call.identity)
        if rows is not None:
            age = (datetime.now(UTC) - rows.read_at).total_seconds()
            self._session.notify(StaleEvent(call.endpoint.path, age))
            warnings.warn(
                f"{call.endpoint.path}: the service keeps failing; this answer is {age:.0f} "
                f"seconds old ({error.suggestion})",
                TrayportStaleDataWarning,
                stacklevel=2,
            )
        return rows
