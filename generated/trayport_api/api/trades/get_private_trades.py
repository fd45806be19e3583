# Generated from openapi/. Do not edit: run ./codegen.sh.

from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.contract_type import ContractType
from ...models.private_trade import PrivateTrade
from ...models.problem import Problem
from ...models.trade_optional_field import TradeOptionalField
from ...types import UNSET, Response, Unset


def get_kwargs(
    *,
    instrument_id: int | Unset = UNSET,
    market_id: int | Unset = UNSET,
    sequence_id: int | Unset = UNSET,
    sequence_item_id: int | Unset = UNSET,
    second_sequence_item_id: int | Unset = UNSET,
    contract_type: ContractType | Unset = UNSET,
    from_: str,
    until: str,
    routes: list[str] | Unset = UNSET,
    deduplicate_routes: bool | Unset = UNSET,
    optional_fields: list[TradeOptionalField] | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["instrumentId"] = instrument_id

    params["marketId"] = market_id

    params["sequenceId"] = sequence_id

    params["sequenceItemId"] = sequence_item_id

    params["secondSequenceItemId"] = second_sequence_item_id

    json_contract_type: str | Unset = UNSET
    if not isinstance(contract_type, Unset):
        json_contract_type = contract_type.value

    params["contractType"] = json_contract_type

    params["from"] = from_

    params["until"] = until

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
        "url": "/trades/private",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Problem | list[PrivateTrade] | None:
    if response.status_code == 200:
        response_200 = [PrivateTrade.from_dict(item) for item in response.json()]

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
) -> Response[Problem | list[PrivateTrade]]:
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
    sequence_id: int | Unset = UNSET,
    sequence_item_id: int | Unset = UNSET,
    second_sequence_item_id: int | Unset = UNSET,
    contract_type: ContractType | Unset = UNSET,
    from_: str,
    until: str,
    routes: list[str] | Unset = UNSET,
    deduplicate_routes: bool | Unset = UNSET,
    optional_fields: list[TradeOptionalField] | Unset = UNSET,
) -> Response[Problem | list[PrivateTrade]]:
    """Your own trades, with both sides as far as you may see them.

     Trades in which the owner of the key took part, oldest first, the current day included. Any
    part of a contract narrows the answer; without any, all private trades are returned.

    Args:
        instrument_id (int | Unset): A number that names something for good.
        market_id (int | Unset): A number that names something for good.
        sequence_id (int | Unset): A number that names something for good.
        sequence_item_id (int | Unset): A number that names something for good.
        second_sequence_item_id (int | Unset): A number that names something for good.
        contract_type (ContractType | Unset): The kind of a contract, as requests name it. Answers
            name the same kinds as `ContractKind`.
        from_ (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        until (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        routes (list[str] | Unset):
        deduplicate_routes (bool | Unset):
        optional_fields (list[TradeOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | list[PrivateTrade]]"""

    kwargs = get_kwargs(
        instrument_id=instrument_id,
        market_id=market_id,
        sequence_id=sequence_id,
        sequence_item_id=sequence_item_id,
        second_sequence_item_id=second_sequence_item_id,
        contract_type=contract_type,
        from_=from_,
        until=until,
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
    sequence_id: int | Unset = UNSET,
    sequence_item_id: int | Unset = UNSET,
    second_sequence_item_id: int | Unset = UNSET,
    contract_type: ContractType | Unset = UNSET,
    from_: str,
    until: str,
    routes: list[str] | Unset = UNSET,
    deduplicate_routes: bool | Unset = UNSET,
    optional_fields: list[TradeOptionalField] | Unset = UNSET,
) -> Problem | list[PrivateTrade] | None:
    """Your own trades, with both sides as far as you may see them.

     Trades in which the owner of the key took part, oldest first, the current day included. Any
    part of a contract narrows the answer; without any, all private trades are returned.

    Args:
        instrument_id (int | Unset): A number that names something for good.
        market_id (int | Unset): A number that names something for good.
        sequence_id (int | Unset): A number that names something for good.
        sequence_item_id (int | Unset): A number that names something for good.
        second_sequence_item_id (int | Unset): A number that names something for good.
        contract_type (ContractType | Unset): The kind of a contract, as requests name it. Answers
            name the same kinds as `ContractKind`.
        from_ (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        until (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        routes (list[str] | Unset):
        deduplicate_routes (bool | Unset):
        optional_fields (list[TradeOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | list[PrivateTrade]"""

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
        routes=routes,
        deduplicate_routes=deduplicate_routes,
        optional_fields=optional_fields,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    instrument_id: int | Unset = UNSET,
    market_id: int | Unset = UNSET,
    sequence_id: int | Unset = UNSET,
    sequence_item_id: int | Unset = UNSET,
    second_sequence_item_id: int | Unset = UNSET,
    contract_type: ContractType | Unset = UNSET,
    from_: str,
    until: str,
    routes: list[str] | Unset = UNSET,
    deduplicate_routes: bool | Unset = UNSET,
    optional_fields: list[TradeOptionalField] | Unset = UNSET,
) -> Response[Problem | list[PrivateTrade]]:
    """Your own trades, with both sides as far as you may see them.

     Trades in which the owner of the key took part, oldest first, the current day included. Any
    part of a contract narrows the answer; without any, all private trades are returned.

    Args:
        instrument_id (int | Unset): A number that names something for good.
        market_id (int | Unset): A number that names something for good.
        sequence_id (int | Unset): A number that names something for good.
        sequence_item_id (int | Unset): A number that names something for good.
        second_sequence_item_id (int | Unset): A number that names something for good.
        contract_type (ContractType | Unset): The kind of a contract, as requests name it. Answers
            name the same kinds as `ContractKind`.
        from_ (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        until (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        routes (list[str] | Unset):
        deduplicate_routes (bool | Unset):
        optional_fields (list[TradeOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | list[PrivateTrade]]"""

    kwargs = get_kwargs(
        instrument_id=instrument_id,
        market_id=market_id,
        sequence_id=sequence_id,
        sequence_item_id=sequence_item_id,
        second_sequence_item_id=second_sequence_item_id,
        contract_type=contract_type,
        from_=from_,
        until=until,
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
    sequence_id: int | Unset = UNSET,
    sequence_item_id: int | Unset = UNSET,
    second_sequence_item_id: int | Unset = UNSET,
    contract_type: ContractType | Unset = UNSET,
    from_: str,
    until: str,
    routes: list[str] | Unset = UNSET,
    deduplicate_routes: bool | Unset = UNSET,
    optional_fields: list[TradeOptionalField] | Unset = UNSET,
) -> Problem | list[PrivateTrade] | None:
    """Your own trades, with both sides as far as you may see them.

     Trades in which the owner of the key took part, oldest first, the current day included. Any
    part of a contract narrows the answer; without any, all private trades are returned.

    Args:
        instrument_id (int | Unset): A number that names something for good.
        market_id (int | Unset): A number that names something for good.
        sequence_id (int | Unset): A number that names something for good.
        sequence_item_id (int | Unset): A number that names something for good.
        second_sequence_item_id (int | Unset): A number that names something for good.
        contract_type (ContractType | Unset): The kind of a contract, as requests name it. Answers
            name the same kinds as `ContractKind`.
        from_ (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        until (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        routes (list[str] | Unset):
        deduplicate_routes (bool | Unset):
        optional_fields (list[TradeOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | list[PrivateTrade]"""

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
            routes=routes,
            deduplicate_routes=deduplicate_routes,
            optional_fields=optional_fields,
        )
    ).parsed
