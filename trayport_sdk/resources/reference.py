"""Reference data: the generated methods, and those that choose among them."""

from __future__ import annotations

from trayport_api.models import Instrument, Market, Sequence

from ..errors import TrayportLookupError, TrayportValidationError
from .calls import checked_calls
from .generated.reference import ReferenceMethods
from .methods import ReferenceList


@checked_calls
class ReferenceGroup(ReferenceMethods):
    """Instruments, markets, sequences and delivery periods.

    Dates in these responses are ISO-8601 text in UTC, or None for rolling items [observed].

    While the circuit breaker of an endpoint is open, the last response is served from memory where
    there is one, with a `TrayportStaleDataWarning`; the lists say so in `stale` and `read_at`.
    """

    async def get_instruments(self, name: str | None = None) -> ReferenceList[Instrument]:
        """All instruments, or those whose name contains a text, in any case.

        Args:
            name: The text.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     instruments = await client.reference.get_instruments("ttf hi cal 51.6 eex")
            >>> instruments[0].id
            10002806
        """
        every = await super().get_instruments()
        wanted = None if name is None else name.lower()
        return every.where(lambda item: wanted is None or wanted in item.name.lower())

    async def get_markets(self, name: str | None = None) -> ReferenceList[Market]:
        """All markets, or those whose name contains a text, in any case.

        Args:
            name: The text; a `*` at its end is left out.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     markets = await client.reference.get_markets("ttf hi cal 51.6*")
            >>> markets[0].id
            10000065
        """
        every = await super().get_markets()
        wanted = None if name is None else name.removesuffix("*").lower()
        return every.where(lambda item: wanted is None or wanted in item.name.lower())

    async def get_sequences(
        self, instrument_id: int | None = None, market_id: int | None = None
    ) -> ReferenceList[Sequence]:
        """The sequences of an instrument or of a market, or all of them.

        Args:
            instrument_id: The instrument.
            market_id: The market; not with `instrument_id`.

        Raises:
            TrayportValidationError: Both an instrument and a market are given.
            TrayportNotFoundError: No product has this id.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     sequences = await client.reference.get_sequences(market_id=10000065)
            >>> "Gas - NG Months" in [sequence.name for sequence in sequences]
            True
        """
        if instrument_id is not None and market_id is not None:
            raise TrayportValidationError(
                f"instrument_id {instrument_id} and market_id {market_id} exclude each other",
                parameter="market_id",
                suggestion="give one of them, or none for all sequences",
            )
        if instrument_id is not None:
            return await self.get_instrument_sequences(instrument_id)
        if market_id is not None:
            return await self.get_market_sequences(market_id)
        return await super().get_sequences()

    async def get_sequence_by_id(self, id: int) -> Sequence:
        """One sequence, read from the list of all: the API has no operation of its own for it.

        Args:
            id: The id of the sequence.

        Raises:
            TrayportLookupError: No sequence has this id.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     (await client.reference.get_sequence_by_id(10000305)).name
            'Gas - NG Months'
        """
        for sequence in await self.get_sequences():
            if sequence.id == id:
                return sequence
        raise TrayportLookupError(f"no sequence has the id {id}")
