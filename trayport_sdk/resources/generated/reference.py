"""Instruments, markets, sequences and the delivery periods they are made of.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from trayport_api.models import (
    Instrument,
    InstrumentDetails,
    Market,
    MarketDetails,
    Sequence,
    SequenceItem,
)

from ...query.calls import checked_calls
from ...query.times import TimeLike
from ..methods import ReferenceList, ReferenceOperations


@checked_calls
class ReferenceMethods(ReferenceOperations):
    """Instruments, markets, sequences and the delivery periods they are made of."""

    async def get_instruments(self) -> ReferenceList[Instrument]:
        """All instruments.

        Every instrument with its name and the path of its sequences. There are many thousands.
        [observed]

        Returns:
            A list of `Instrument`, with the fields:
            - `id`: A number that names something for good. [observed]
            - `name`: The name traders use. [observed]
            - `sequences`: The path of its sequences. [observed]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     rows = await client.reference.get_instruments()
            >>> len(rows) > 0
            True
        """
        return await self._reader.rows("get_instruments", Instrument)

    async def get_instrument_by_id(self, id: int) -> InstrumentDetails:
        """One instrument with its currencies and units.

        The name of an instrument and the currency and quantity unit it trades in. [documented]

        Args:
            id: The id of the instrument. [documented]

        Returns:
            The `InstrumentDetails`, with the fields:
            - `id`: A number that names something for good. [documented]
            - `name`: The name traders use. [documented]
            - `trading_specifications`: The currencies and units a product trades in. [documented]
            - `sequences`: The path of its sequences. [assumed: product-sequences-path]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportNotFoundError: Nothing has this id.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     item = await client.reference.get_instrument_by_id(10002806)
            >>> item.id
            10002806
        """
        return await self._reader.item("get_instrument", InstrumentDetails, id=id)

    async def get_instrument_sequences(self, instrument_id: int) -> ReferenceList[Sequence]:
        """The sequences an instrument trades in.

        The sequences of delivery periods that together with the instrument make contracts.
        [documented]

        Args:
            instrument_id: The id of the instrument. [documented]

        Returns:
            A list of `Sequence`, with the fields:
            - `id`: A number that names something for good. [documented]
            - `name`: The name of the sequence. [documented; assumes names-are-never-null]
            - `sequence_items`: The path of its items. [documented]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportNotFoundError: Nothing has this id.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     rows = await client.reference.get_instrument_sequences(10002806)
            >>> len(rows) > 0
            True
        """
        return await self._reader.rows("get_instrument_sequences", Sequence, id=instrument_id)

    async def get_markets(self) -> ReferenceList[Market]:
        """All markets.

        Every market, which joins the instruments of all venues that trade one product. [observed]

        Returns:
            A list of `Market`, with the fields:
            - `id`: A number that names something for good. [observed]
            - `name`: The name traders use. [observed]
            - `sequences`: The path of its sequences. [observed]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     rows = await client.reference.get_markets()
            >>> len(rows) > 0
            True
        """
        return await self._reader.rows("get_markets", Market)

    async def get_market_by_id(self, id: int) -> MarketDetails:
        """One market with its currencies and units.

        The name of a market and the currency and quantity unit it trades in. [documented]

        Args:
            id: The id of the market. [documented]

        Returns:
            The `MarketDetails`, with the fields:
            - `id`: A number that names something for good. [documented]
            - `name`: The name traders use. [documented]
            - `trading_specifications`: The currencies and units a product trades in. [documented]
            - `sequences`: The path of its sequences. [assumed: product-sequences-path]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportNotFoundError: Nothing has this id.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     item = await client.reference.get_market_by_id(10000065)
            >>> item.id
            10000065
        """
        return await self._reader.item("get_market", MarketDetails, id=id)

    async def get_market_sequences(self, market_id: int) -> ReferenceList[Sequence]:
        """The sequences a market trades in.

        The sequences of delivery periods that together with the market make contracts. [documented]

        Args:
            market_id: The id of the market. [documented]

        Returns:
            A list of `Sequence`, with the fields:
            - `id`: A number that names something for good. [documented]
            - `name`: The name of the sequence. [documented; assumes names-are-never-null]
            - `sequence_items`: The path of its items. [documented]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportNotFoundError: Nothing has this id.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     rows = await client.reference.get_market_sequences(10000065)
            >>> len(rows) > 0
            True
        """
        return await self._reader.rows("get_market_sequences", Sequence, id=market_id)

    async def get_sequences(self) -> ReferenceList[Sequence]:
        """All sequences.

        Every sequence of delivery periods, whatever trades in it. [observed]

        Returns:
            A list of `Sequence`, with the fields:
            - `id`: A number that names something for good. [documented]
            - `name`: The name of the sequence. [documented; assumes names-are-never-null]
            - `sequence_items`: The path of its items. [documented]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     rows = await client.reference.get_sequences()
            >>> len(rows) > 0
            True
        """
        return await self._reader.rows("get_sequences", Sequence)

    async def get_sequence_items(
        self, sequence_id: int, start_date: TimeLike | None = None, count: int | None = None
    ) -> ReferenceList[SequenceItem]:
        """The items of a sequence that end on or after a date.

        Delivery periods in order. Rolling items never expire and have no dates. [documented]

        Args:
            sequence_id: The id of the sequence. [documented]
            start_date: The earliest period end to return, in ISO-8601; today when absent.
                [documented]
            count: How many items to return at most. [documented; assumes item-count-minimum,
                every-item-at-once, counts-fit-32-bits]

        Returns:
            A list of `SequenceItem`, with the fields:
            - `id`: A number that names something for good. [documented]
            - `name`: The name of the period, such as Apr-24. [documented; assumes
              names-are-never-null]
            - `period_start`: When delivery starts, in ISO-8601; null for rolling items. [observed;
              assumes item-dates-optional-zone]
            - `period_end`: When delivery ends, in ISO-8601; null for rolling items. [observed;
              assumes item-dates-optional-zone]
            - `trading_start`: When trading starts, in ISO-8601; null for rolling items. [observed;
              assumes item-dates-optional-zone]
            - `trading_end`: When trading ends, in ISO-8601; null for rolling items, which never
              expire. [observed; assumes item-dates-optional-zone]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportNotFoundError: Nothing has this id.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     rows = await client.reference.get_sequence_items(10000305)
            >>> len(rows) > 0
            True
        """
        return await self._reader.rows(
            "get_sequence_items", SequenceItem, id=sequence_id, start_date=start_date, count=count
        )

    async def get_sequence_item(self, sequence_id: int, item_id: int) -> SequenceItem:
        """One item of a sequence.

        A delivery period by its id, whether it has expired or not. [documented]

        Args:
            sequence_id: The id of the sequence. [documented]
            item_id: The id of the item in its sequence. [documented]

        Returns:
            The `SequenceItem`, with the fields:
            - `id`: A number that names something for good. [documented]
            - `name`: The name of the period, such as Apr-24. [documented; assumes
              names-are-never-null]
            - `period_start`: When delivery starts, in ISO-8601; null for rolling items. [observed;
              assumes item-dates-optional-zone]
            - `period_end`: When delivery ends, in ISO-8601; null for rolling items. [observed;
              assumes item-dates-optional-zone]
            - `trading_start`: When trading starts, in ISO-8601; null for rolling items. [observed;
              assumes item-dates-optional-zone]
            - `trading_end`: When trading ends, in ISO-8601; null for rolling items, which never
              expire. [observed; assumes item-dates-optional-zone]

        Raises:
            TrayportValidationError: An argument cannot work; nothing was sent.
            TrayportNotFoundError: Nothing has this id.
            TrayportAPIError: The service refused a request.
            TrayportConnectionError: A response did not come, or broke off.
            TrayportDecodeError: A response is not what the API promises.

        Example:
            >>> async with TrayportClient.sandbox() as client:
            ...     item = await client.reference.get_sequence_item(10000305, 244)
            >>> item.id
            244
        """
        return await self._reader.item(
            "get_sequence_item", SequenceItem, id=sequence_id, item_id=item_id
        )
