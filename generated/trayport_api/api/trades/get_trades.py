# Generated from openapi/. Do not edit: run ./codegen.sh.

from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.contract_type import ContractType
from ...models.problem import Problem
from ...models.trade import Trade
from ...models.trade_optional_field import TradeOptionalField
from ...types import UNSET, Response, Unset


def get_kwargs(
    *,
    instrument_id: int | Unset = UNSET,
    market_id: int | Unset = UNSET,
    sequence_id: int,
    sequence_item_id: list[int] | Unset = UNSET,
    second_sequence_item_id: int | Unset = UNSET,
    contract_type: ContractType,
    trading_items: int | Unset = UNSET,
    from_: str,
    until: str,
    include_private: bool | Unset = False,
    routes: list[str] | Unset = UNSET,
    deduplicate_routes: bool | Unset = UNSET,
    optional_fields: list[TradeOptionalField] | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["instrumentId"] = instrument_id

    params["marketId"] = market_id

    params["sequenceId"] = sequence_id

    json_sequence_item_id: list[int] | Unset = UNSET
    if not isinstance(sequence_item_id, Unset):
        json_sequence_item_id = sequence_item_id

    params["sequenceItemId"] = json_sequence_item_id

    params["secondSequenceItemId"] = second_sequence_item_id

    json_contract_type = contract_type.value
    params["contractType"] = json_contract_type

    params["tradingItems"] = trading_items

    params["from"] = from_

    params["until"] = until

    params["includePrivate"] = include_private

    json_routes: list[str] | Unset = UNSET
    if not isinstance(routes, Unset):
        json_routes = routes

    params["routes"] = json_routes

    params["deduplicateRoutes"] = deduplicate_routes

    json_optional_fields: list[str] | Unset = UNSET
    if not isinstance(optional_fields, Unset):
        json_optional_fields = [item.value for item in optional_fields]

    params["optionalFields"] = json_optional_fields

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/trades",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Problem | list[Trade] | None:
    if response.status_code == 200:
        response_200 = [Trade.from_dict(item) for item in response.json()]

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
) -> Response[Problem | list[Trade]]:
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
    sequence_item_id: list[int] | Unset = UNSET,
    second_sequence_item_id: int | Unset = UNSET,
    contract_type: ContractType,
    trading_items: int | Unset = UNSET,
    from_: str,
    until: str,
    include_private: bool | Unset = False,
    routes: list[str] | Unset = UNSET,
    deduplicate_routes: bool | Unset = UNSET,
    optional_fields: list[TradeOptionalField] | Unset = UNSET,
) -> Response[Problem | list[Trade]]:
    """Trades of one contract or of several items of one sequence.

     Executed trades in a time range, oldest first. Several items of a sequence may be asked for
    at once, either by their ids or as the next tradable ones. Rows say which contract they
    belong to only when the optional field `contract` is asked for.

    Args:
        instrument_id (int | Unset): A number that names something for good.
        market_id (int | Unset): A number that names something for good.
        sequence_id (int): A number that names something for good.
        sequence_item_id (list[int] | Unset):
        second_sequence_item_id (int | Unset): A number that names something for good.
        contract_type (ContractType): The kind of a contract, as requests name it. Answers name
            the same kinds as `ContractKind`.
        trading_items (int | Unset):
        from_ (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        until (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        include_private (bool | Unset):  Default: False.
        routes (list[str] | Unset):
        deduplicate_routes (bool | Unset):
        optional_fields (list[TradeOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | list[Trade]]"""

    kwargs = get_kwargs(
        instrument_id=instrument_id,
        market_id=market_id,
        sequence_id=sequence_id,
        sequence_item_id=sequence_item_id,
        second_sequence_item_id=second_sequence_item_id,
        contract_type=contract_type,
        trading_items=trading_items,
        from_=from_,
        until=until,
        include_private=include_private,
        routes=routes,
        deduplicate_routes=deduplicate_routes,
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
    sequence_item_id: list[int] | Unset = UNSET,
    second_sequence_item_id: int | Unset = UNSET,
    contract_type: ContractType,
    trading_items: int | Unset = UNSET,
    from_: str,
    until: str,
    include_private: bool | Unset = False,
    routes: list[str] | Unset = UNSET,
    deduplicate_routes: bool | Unset = UNSET,
    optional_fields: list[TradeOptionalField] | Unset = UNSET,
) -> Problem | list[Trade] | None:
    """Trades of one contract or of several items of one sequence.

     Executed trades in a time range, oldest first. Several items of a sequence may be asked for
    at once, either by their ids or as the next tradable ones. Rows say which contract they
    belong to only when the optional field `contract` is asked for.

    Args:
        instrument_id (int | Unset): A number that names something for good.
        market_id (int | Unset): A number that names something for good.
        sequence_id (int): A number that names something for good.
        sequence_item_id (list[int] | Unset):
        second_sequence_item_id (int | Unset): A number that names something for good.
        contract_type (ContractType): The kind of a contract, as requests name it. Answers name
            the same kinds as `ContractKind`.
        trading_items (int | Unset):
        from_ (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        until (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        include_private (bool | Unset):  Default: False.
        routes (list[str] | Unset):
        deduplicate_routes (bool | Unset):
        optional_fields (list[TradeOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | list[Trade]"""

    return sync_detailed(
        client=client,
        instrument_id=instrument_id,
        market_id=market_id,
        sequence_id=sequence_id,
        sequence_item_id=sequence_item_id,
        second_sequence_item_id=second_sequence_item_id,
        contract_type=contract_type,
        trading_items=trading_items,
        from_=from_,
        until=until,
        include_private=include_private,
        routes=routes,
        deduplicate_routes=deduplicate_routes,
        optional_fields=optional_fields,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    instrument_id: int | Unset = UNSET,
    market_id: int | Unset = UNSET,
    sequence_id: int,
    sequence_item_id: list[int] | Unset = UNSET,
    second_sequence_item_id: int | Unset = UNSET,
    contract_type: ContractType,
    trading_items: int | Unset = UNSET,
    from_: str,
    until: str,
    include_private: bool | Unset = False,
    routes: list[str] | Unset = UNSET,
    deduplicate_routes: bool | Unset = UNSET,
    optional_fields: list[TradeOptionalField] | Unset = UNSET,
) -> Response[Problem | list[Trade]]:
    """Trades of one contract or of several items of one sequence.

     Executed trades in a time range, oldest first. Several items of a sequence may be asked for
    at once, either by their ids or as the next tradable ones. Rows say which contract they
    belong to only when the optional field `contract` is asked for.

    Args:
        instrument_id (int | Unset): A number that names something for good.
        market_id (int | Unset): A number that names something for good.
        sequence_id (int): A number that names something for good.
        sequence_item_id (list[int] | Unset):
        second_sequence_item_id (int | Unset): A number that names something for good.
        contract_type (ContractType): The kind of a contract, as requests name it. Answers name
            the same kinds as `ContractKind`.
        trading_items (int | Unset):
        from_ (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        until (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        include_private (bool | Unset):  Default: False.
        routes (list[str] | Unset):
        deduplicate_routes (bool | Unset):
        optional_fields (list[TradeOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | list[Trade]]"""

    kwargs = get_kwargs(
        instrument_id=instrument_id,
        market_id=market_id,
        sequence_id=sequence_id,
        sequence_item_id=sequence_item_id,
        second_sequence_item_id=second_sequence_item_id,
        contract_type=contract_type,
        trading_items=trading_items,
        from_=from_,
        until=until,
        include_private=include_private,
        routes=routes,
        deduplicate_routes=deduplicate_routes,
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
    sequence_item_id: list[int] | Unset = UNSET,
    second_sequence_item_id: int | Unset = UNSET,
    contract_type: ContractType,
    trading_items: int | Unset = UNSET,
    from_: str,
    until: str,
    include_private: bool | Unset = False,
    routes: list[str] | Unset = UNSET,
    deduplicate_routes: bool | Unset = UNSET,
    optional_fields: list[TradeOptionalField] | Unset = UNSET,
) -> Problem | list[Trade] | None:
    """Trades of one contract or of several items of one sequence.

     Executed trades in a time range, oldest first. Several items of a sequence may be asked for
    at once, either by their ids or as the next tradable ones. Rows say which contract they
    belong to only when the optional field `contract` is asked for.

    Args:
        instrument_id (int | Unset): A number that names something for good.
        market_id (int | Unset): A number that names something for good.
        sequence_id (int): A number that names something for good.
        sequence_item_id (list[int] | Unset):
        second_sequence_item_id (int | Unset): A number that names something for good.
        contract_type (ContractType): The kind of a contract, as requests name it. Answers name
            the same kinds as `ContractKind`.
        trading_items (int | Unset):
        from_ (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        until (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        include_private (bool | Unset):  Default: False.
        routes (list[str] | Unset):
        deduplicate_routes (bool | Unset):
        optional_fields (list[TradeOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | list[Trade]"""

    return (
        await asyncio_detailed(
            client=client,
            instrument_id=instrument_id,
            market_id=market_id,
            sequence_id=sequence_id,
            sequence_item_id=sequence_item_id,
            second_sequence_item_id=second_sequence_item_id,
            contract_type=contract_type,
            trading_items=trading_items,
            from_=from_,
            until=until,
            include_private=include_private,
            routes=routes,
            deduplicate_routes=deduplicate_routes,
            optional_fields=optional_fields,
        )
    ).parsed
