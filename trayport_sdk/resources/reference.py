"""Reference data: the generated methods, and those that choose among them."""

from __future__ import annotations

from trayport_api.models import Instrument, Market, Sequence, SequenceItem
from trayport_spec import ENDPOINTS

from ..errors import TrayportLookupError, TrayportValidationError
from ..query.calls import checked_calls
from ..query.times import TimeLike
from .generated.reference import ReferenceMethods
from .methods import ReferenceList

_COUNT = ENDPOINTS["get_sequence_items"].parameter("count")
# Without it, the service returns a page [documented]; any larger number may be asked for [assumed].
ALL_ITEMS = int(_COUNT.maximum or 0)


@checked_calls
class ReferenceGroup(ReferenceMethods):
    """Instruments, markets, sequences and delivery periods.

    Dates in these responses are ISO-8601 text in UTC, or None for rolling items [observed].

    Responses are kept in memory and on disk for a while that the settings name. When they are too
    old and the service fails, they are served nevertheless, with a `TrayportStaleDataWarning`; the
    lists say so in `stale` and `read_at`.
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

    async def get_sequence_items(
        self, sequence_id: int, start_date: TimeLike | None = None, count: int | None = None
    ) -> ReferenceList[SequenceItem]:
        """The items of a sequence that end on or after a date, in order.

        Rolling items never expire and have no dates [documented].

        Args:
            sequence_id: The id of the sequence.
            start_date: The earliest end of a delivery period, in UTC; today when it is left out
                [documented].
            count: How many items to return at most; all of them when it is left out.

        Raises:
            TrayportNotFoundError: No sequence has this id.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     items = await client.reference.get_sequence_items(10000305, "2023-04-15", 3)
            >>> [item.name for item in items]
            ['Apr-23', 'May-23', 'Jun-23']
        """
        most = ALL_ITEMS if count is None else count
        return await super().get_sequence_items(sequence_id, start_date, most)

    async def refresh(self) -> None:
        """Has all reference data of this key read again when it is wanted next.

        What was read before is served meanwhile only while the service fails. It sends nothing.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     before = await client.reference.get_markets()
            ...     await client.reference.refresh()
            ...     after = await client.reference.get_markets()
            >>> before.read_at < after.read_at
            True
        """
        self._reader.cache.refresh()
