# Generated from openapi/. Do not edit: run ./codegen.sh.

from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.book_optional_field import BookOptionalField
from ...models.contract_type import ContractType
from ...models.interval_unit import IntervalUnit
from ...models.order_book import OrderBook
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def get_kwargs(
    *,
    instrument_id: int | Unset = UNSET,
    market_id: int | Unset = UNSET,
    sequence_id: int,
    sequence_item_id: int,
    second_sequence_item_id: int | Unset = UNSET,
    contract_type: ContractType,
    from_: str,
    until: str,
    interval: int,
    interval_unit: IntervalUnit,
    include_empty_buckets: bool | Unset = False,
    routes: list[str] | Unset = UNSET,
    deduplicate_routes: bool | Unset = UNSET,
    depth: int | Unset = 10,
    max_spread: float | Unset = UNSET,
    include_private: bool | Unset = False,
    optional_fields: list[BookOptionalField] | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["instrumentId"] = instrument_id

    params["marketId"] = market_id

    params["sequenceId"] = sequence_id

    params["sequenceItemId"] = sequence_item_id

    params["secondSequenceItemId"] = second_sequence_item_id

    json_contract_type = contract_type.value
    params["contractType"] = json_contract_type

    params["from"] = from_

    params["until"] = until

    params["interval"] = interval

    json_interval_unit = interval_unit.value
    params["intervalUnit"] = json_interval_unit

    params["includeEmptyBuckets"] = include_empty_buckets

    json_routes: list[str] | Unset = UNSET
    if not isinstance(routes, Unset):
        json_routes = routes

    params["routes"] = json_routes

    params["deduplicateRoutes"] = deduplicate_routes

    params["depth"] = depth

    params["maxSpread"] = max_spread

    params["includePrivate"] = include_private

    json_optional_fields: list[str] | Unset = UNSET
    if not isinstance(optional_fields, Unset):
        json_optional_fields = [item.value for item in optional_fields]

    params["optionalFields"] = json_optional_fields

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/orders/book",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Problem | list[OrderBook] | None:
    if response.status_code == 200:
        response_200 = [OrderBook.from_dict(item) for item in response.json()]

        return response_200

    if response.status_code == 400:
        response_400 = Problem.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = Problem.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = Problem.from_dict(response.json())

        return response_404

    if response.status_code == 429:
        response_429 = Problem.from_dict(response.json())

        return response_429

    if response.status_code == 500:
        response_500 = Problem.from_dict(response.json())

        return response_500

    if response.status_code == 503:
        response_503 = Problem.from_dict(response.json())

        return response_503

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Problem | list[OrderBook]]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    instrument_id: int | Unset = UNSET,
    market_id: int | Unset = UNSET,
    sequence_id: int,
    sequence_item_id: int,
    second_sequence_item_id: int | Unset = UNSET,
    contract_type: ContractType,
    from_: str,
    until: str,
    interval: int,
    interval_unit: IntervalUnit,
    include_empty_buckets: bool | Unset = False,
    routes: list[str] | Unset = UNSET,
    deduplicate_routes: bool | Unset = UNSET,
    depth: int | Unset = 10,
    max_spread: float | Unset = UNSET,
    include_private: bool | Unset = False,
    optional_fields: list[BookOptionalField] | Unset = UNSET,
) -> Response[Problem | list[OrderBook]]:
    """The order book of one contract in depth, sampled at an interval.

     Bids and asks at regular instants, oldest first; within a side best price first, and oldest
    order first within a price. Orders are listed one by one, except those of venues that send
    them aggregated by price. A venue with separate public and private feeds shows an own order
    twice when private details are asked for: these are two records.

    Args:
        instrument_id (int | Unset): A number that names something for good.
        market_id (int | Unset): A number that names something for good.
        sequence_id (int): A number that names something for good.
        sequence_item_id (int): A number that names something for good.
        second_sequence_item_id (int | Unset): A number that names something for good.
        contract_type (ContractType): The kind of a contract, as requests name it. Answers name
            the same kinds as `ContractKind`.
        from_ (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        until (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        interval (int):
        interval_unit (IntervalUnit): The unit of an interval. Which ones an operation accepts
            stands in its limits.
        include_empty_buckets (bool | Unset):  Default: False.
        routes (list[str] | Unset):
        deduplicate_routes (bool | Unset):
        depth (int | Unset):  Default: 10.
        max_spread (float | Unset):
        include_private (bool | Unset):  Default: False.
        optional_fields (list[BookOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | list[OrderBook]]"""

    kwargs = get_kwargs(
        instrument_id=instrument_id,
        market_id=market_id,
        sequence_id=sequence_id,
        sequence_item_id=sequence_item_id,
        second_sequence_item_id=second_sequence_item_id,
        contract_type=contract_type,
        from_=from_,
        until=until,
        interval=interval,
        interval_unit=interval_unit,
        include_empty_buckets=include_empty_buckets,
        routes=routes,
        deduplicate_routes=deduplicate_routes,
        depth=depth,
        max_spread=max_spread,
        include_private=include_private,
        optional_fields=optional_fields,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    instrument_id: int | Unset = UNSET,
    market_id: int | Unset = UNSET,
    sequence_id: int,
    sequence_item_id: int,
    second_sequence_item_id: int | Unset = UNSET,
    contract_type: ContractType,
    from_: str,
    until: str,
    interval: int,
    interval_unit: IntervalUnit,
    include_empty_buckets: bool | Unset = False,
    routes: list[str] | Unset = UNSET,
    deduplicate_routes: bool | Unset = UNSET,
    depth: int | Unset = 10,
    max_spread: float | Unset = UNSET,
    include_private: bool | Unset = False,
    optional_fields: list[BookOptionalField] | Unset = UNSET,
) -> Problem | list[OrderBook] | None:
    """The order book of one contract in depth, sampled at an interval.

     Bids and asks at regular instants, oldest first; within a side best price first, and oldest
    order first within a price. Orders are listed one by one, except those of venues that send
    them aggregated by price. A venue with separate public and private feeds shows an own order
    twice when private details are asked for: these are two records.

    Args:
        instrument_id (int | Unset): A number that names something for good.
        market_id (int | Unset): A number that names something for good.
        sequence_id (int): A number that names something for good.
        sequence_item_id (int): A number that names something for good.
        second_sequence_item_id (int | Unset): A number that names something for good.
        contract_type (ContractType): The kind of a contract, as requests name it. Answers name
            the same kinds as `ContractKind`.
        from_ (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        until (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        interval (int):
        interval_unit (IntervalUnit): The unit of an interval. Which ones an operation accepts
            stands in its limits.
        include_empty_buckets (bool | Unset):  Default: False.
        routes (list[str] | Unset):
        deduplicate_routes (bool | Unset):
        depth (int | Unset):  Default: 10.
        max_spread (float | Unset):
        include_private (bool | Unset):  Default: False.
        optional_fields (list[BookOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | list[OrderBook]"""

    return sync_detailed(
        client=client,
        instrument_id=instrument_id,
        market_id=market_id,
        sequence_id=sequence_id,
        sequence_item_id=sequence_item_id,
        second_sequence_item_id=second_sequence_item_id,
        contract_type=contract_type,
        from_=from_,
        until=until,
        interval=interval,
        interval_unit=interval_unit,
        include_empty_buckets=include_empty_buckets,
        routes=routes,
        deduplicate_routes=deduplicate_routes,
        depth=depth,
        max_spread=max_spread,
        include_private=include_private,
        optional_fields=optional_fields,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    instrument_id: int | Unset = UNSET,
    market_id: int | Unset = UNSET,
    sequence_id: int,
    sequence_item_id: int,
    second_sequence_item_id: int | Unset = UNSET,
    contract_type: ContractType,
    from_: str,
    until: str,
    interval: int,
    interval_unit: IntervalUnit,
    include_empty_buckets: bool | Unset = False,
    routes: list[str] | Unset = UNSET,
    deduplicate_routes: bool | Unset = UNSET,
    depth: int | Unset = 10,
    max_spread: float | Unset = UNSET,
    include_private: bool | Unset = False,
    optional_fields: list[BookOptionalField] | Unset = UNSET,
) -> Response[Problem | list[OrderBook]]:
    """The order book of one contract in depth, sampled at an interval.

     Bids and asks at regular instants, oldest first; within a side best price first, and oldest
    order first within a price. Orders are listed one by one, except those of venues that send
    them aggregated by price. A venue with separate public and private feeds shows an own order
    twice when private details are asked for: these are two records.

    Args:
        instrument_id (int | Unset): A number that names something for good.
        market_id (int | Unset): A number that names something for good.
        sequence_id (int): A number that names something for good.
        sequence_item_id (int): A number that names something for good.
        second_sequence_item_id (int | Unset): A number that names something for good.
        contract_type (ContractType): The kind of a contract, as requests name it. Answers name
            the same kinds as `ContractKind`.
        from_ (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        until (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        interval (int):
        interval_unit (IntervalUnit): The unit of an interval. Which ones an operation accepts
            stands in its limits.
        include_empty_buckets (bool | Unset):  Default: False.
        routes (list[str] | Unset):
        deduplicate_routes (bool | Unset):
        depth (int | Unset):  Default: 10.
        max_spread (float | Unset):
        include_private (bool | Unset):  Default: False.
        optional_fields (list[BookOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | list[OrderBook]]"""

    kwargs = get_kwargs(
        instrument_id=instrument_id,
        market_id=market_id,
        sequence_id=sequence_id,
        sequence_item_id=sequence_item_id,
        second_sequence_item_id=second_sequence_item_id,
        contract_type=contract_type,
        from_=from_,
        until=until,
        interval=interval,
        interval_unit=interval_unit,
        include_empty_buckets=include_empty_buckets,
        routes=routes,
        deduplicate_routes=deduplicate_routes,
        depth=depth,
        max_spread=max_spread,
        include_private=include_private,
        optional_fields=optional_fields,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    instrument_id: int | Unset = UNSET,
    market_id: int | Unset = UNSET,
    sequence_id: int,
    sequence_item_id: int,
    second_sequence_item_id: int | Unset = UNSET,
    contract_type: ContractType,
    from_: str,
    until: str,
    interval: int,
    interval_unit: IntervalUnit,
    include_empty_buckets: bool | Unset = False,
    routes: list[str] | Unset = UNSET,
    deduplicate_routes: bool | Unset = UNSET,
    depth: int | Unset = 10,
    max_spread: float | Unset = UNSET,
    include_private: bool | Unset = False,
    optional_fields: list[BookOptionalField] | Unset = UNSET,
) -> Problem | list[OrderBook] | None:
    """The order book of one contract in depth, sampled at an interval.

     Bids and asks at regular instants, oldest first; within a side best price first, and oldest
    order first within a price. Orders are listed one by one, except those of venues that send
    them aggregated by price. A venue with separate public and private feeds shows an own order
    twice when private details are asked for: these are two records.

    Args:
        instrument_id (int | Unset): A number that names something for good.
        market_id (int | Unset): A number that names something for good.
        sequence_id (int): A number that names something for good.
        sequence_item_id (int): A number that names something for good.
        second_sequence_item_id (int | Unset): A number that names something for good.
        contract_type (ContractType): The kind of a contract, as requests name it. Answers name
            the same kinds as `ContractKind`.
        from_ (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        until (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        interval (int):
        interval_unit (IntervalUnit): The unit of an interval. Which ones an operation accepts
            stands in its limits.
        include_empty_buckets (bool | Unset):  Default: False.
        routes (list[str] | Unset):
        deduplicate_routes (bool | Unset):
        depth (int | Unset):  Default: 10.
        max_spread (float | Unset):
        include_private (bool | Unset):  Default: False.
        optional_fields (list[BookOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | list[OrderBook]"""

    return (
        await asyncio_detailed(
            client=client,
            instrument_id=instrument_id,
            market_id=market_id,
            sequence_id=sequence_id,
            sequence_item_id=sequence_item_id,
            second_sequence_item_id=second_sequence_item_id,
            contract_type=contract_type,
            from_=from_,
            until=until,
            interval=interval,
            interval_unit=interval_unit,
            include_empty_buckets=include_empty_buckets,
            routes=routes,
            deduplicate_routes=deduplicate_routes,
            depth=depth,
            max_spread=max_spread,
            include_private=include_private,
            optional_fields=optional_fields,
        )
    ).parsed
