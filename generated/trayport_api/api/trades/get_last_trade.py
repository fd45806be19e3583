# Generated from openapi/. Do not edit: run ./codegen.sh.

from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.contract_type import ContractType
from ...models.last_trade import LastTrade
from ...models.last_trade_optional_field import LastTradeOptionalField
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
    at: str | Unset = UNSET,
    optional_fields: list[LastTradeOptionalField] | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["instrumentId"] = instrument_id

    params["marketId"] = market_id

    params["sequenceId"] = sequence_id

    params["sequenceItemId"] = sequence_item_id

    params["secondSequenceItemId"] = second_sequence_item_id

    json_contract_type = contract_type.value
    params["contractType"] = json_contract_type

    params["at"] = at

    json_optional_fields: list[str] | Unset = UNSET
    if not isinstance(optional_fields, Unset):
        json_optional_fields = [item.value for item in optional_fields]

    params["optionalFields"] = json_optional_fields

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/trades/last",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Problem | list[LastTrade] | None:
    if response.status_code == 200:
        response_200 = [LastTrade.from_dict(item) for item in response.json()]

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
) -> Response[Problem | list[LastTrade]]:
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
    at: str | Unset = UNSET,
    optional_fields: list[LastTradeOptionalField] | Unset = UNSET,
) -> Response[Problem | list[LastTrade]]:
    """The last trade of one contract before an instant.

     A list with the latest trade before `at`, or an empty one when the contract did not trade
    within the time that is looked back over.

    Args:
        instrument_id (int | Unset): A number that names something for good.
        market_id (int | Unset): A number that names something for good.
        sequence_id (int): A number that names something for good.
        sequence_item_id (int): A number that names something for good.
        second_sequence_item_id (int | Unset): A number that names something for good.
        contract_type (ContractType): The kind of a contract, as requests name it. Answers name
            the same kinds as `ContractKind`.
        at (str | Unset): An instant in ISO-8601 without fractional seconds. Lower precision means
            the start of that unit; no zone means UTC.
        optional_fields (list[LastTradeOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | list[LastTrade]]"""

    kwargs = get_kwargs(
        instrument_id=instrument_id,
        market_id=market_id,
        sequence_id=sequence_id,
        sequence_item_id=sequence_item_id,
        second_sequence_item_id=second_sequence_item_id,
        contract_type=contract_type,
        at=at,
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
    at: str | Unset = UNSET,
    optional_fields: list[LastTradeOptionalField] | Unset = UNSET,
) -> Problem | list[LastTrade] | None:
    """The last trade of one contract before an instant.

     A list with the latest trade before `at`, or an empty one when the contract did not trade
    within the time that is looked back over.

    Args:
        instrument_id (int | Unset): A number that names something for good.
        market_id (int | Unset): A number that names something for good.
        sequence_id (int): A number that names something for good.
        sequence_item_id (int): A number that names something for good.
        second_sequence_item_id (int | Unset): A number that names something for good.
        contract_type (ContractType): The kind of a contract, as requests name it. Answers name
            the same kinds as `ContractKind`.
        at (str | Unset): An instant in ISO-8601 without fractional seconds. Lower precision means
            the start of that unit; no zone means UTC.
        optional_fields (list[LastTradeOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | list[LastTrade]"""

    return sync_detailed(
        client=client,
        instrument_id=instrument_id,
        market_id=market_id,
        sequence_id=sequence_id,
        sequence_item_id=sequence_item_id,
        second_sequence_item_id=second_sequence_item_id,
        contract_type=contract_type,
        at=at,
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
    at: str | Unset = UNSET,
    optional_fields: list[LastTradeOptionalField] | Unset = UNSET,
) -> Response[Problem | list[LastTrade]]:
    """The last trade of one contract before an instant.

     A list with the latest trade before `at`, or an empty one when the contract did not trade
    within the time that is looked back over.

    Args:
        instrument_id (int | Unset): A number that names something for good.
        market_id (int | Unset): A number that names something for good.
        sequence_id (int): A number that names something for good.
        sequence_item_id (int): A number that names something for good.
        second_sequence_item_id (int | Unset): A number that names something for good.
        contract_type (ContractType): The kind of a contract, as requests name it. Answers name
            the same kinds as `ContractKind`.
        at (str | Unset): An instant in ISO-8601 without fractional seconds. Lower precision means
            the start of that unit; no zone means UTC.
        optional_fields (list[LastTradeOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | list[LastTrade]]"""

    kwargs = get_kwargs(
        instrument_id=instrument_id,
        market_id=market_id,
        sequence_id=sequence_id,
        sequence_item_id=sequence_item_id,
        second_sequence_item_id=second_sequence_item_id,
        contract_type=contract_type,
        at=at,
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
    at: str | Unset = UNSET,
    optional_fields: list[LastTradeOptionalField] | Unset = UNSET,
) -> Problem | list[LastTrade] | None:
    """The last trade of one contract before an instant.

     A list with the latest trade before `at`, or an empty one when the contract did not trade
    within the time that is looked back over.

    Args:
        instrument_id (int | Unset): A number that names something for good.
        market_id (int | Unset): A number that names something for good.
        sequence_id (int): A number that names something for good.
        sequence_item_id (int): A number that names something for good.
        second_sequence_item_id (int | Unset): A number that names something for good.
        contract_type (ContractType): The kind of a contract, as requests name it. Answers name
            the same kinds as `ContractKind`.
        at (str | Unset): An instant in ISO-8601 without fractional seconds. Lower precision means
            the start of that unit; no zone means UTC.
        optional_fields (list[LastTradeOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | list[LastTrade]"""

    return (
        await asyncio_detailed(
            client=client,
            instrument_id=instrument_id,
            market_id=market_id,
            sequence_id=sequence_id,
            sequence_item_id=sequence_item_id,
            second_sequence_item_id=second_sequence_item_id,
            contract_type=contract_type,
            at=at,
            optional_fields=optional_fields,
        )
    ).parsed
