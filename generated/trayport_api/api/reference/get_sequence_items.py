# Generated from openapi/. Do not edit: run ./codegen.sh.

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.problem import Problem
from ...models.sequence_item import SequenceItem
from ...types import UNSET, Response, Unset


def get_kwargs(
    id: int,
    *,
    start_date: str | Unset = UNSET,
    count: int | Unset = 100,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["startDate"] = start_date

    params["count"] = count

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/sequences/{id}/sequenceItems".format(
            id=quote(str(id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Problem | list[SequenceItem] | None:
    if response.status_code == 200:
        response_200 = [SequenceItem.from_dict(item) for item in response.json()]

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
) -> Response[Problem | list[SequenceItem]]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    id: int,
    *,
    client: AuthenticatedClient | Client,
    start_date: str | Unset = UNSET,
    count: int | Unset = 100,
) -> Response[Problem | list[SequenceItem]]:
    """The items of a sequence that end on or after a date.

     Delivery periods in order. Rolling items never expire and have no dates.

    Args:
        id (int): A number that names something for good.
        start_date (str | Unset): An instant in ISO-8601 without fractional seconds. Lower
            precision means the start of that unit; no zone means UTC.
        count (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | list[SequenceItem]]"""

    kwargs = get_kwargs(
        id=id,
        start_date=start_date,
        count=count,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    id: int,
    *,
    client: AuthenticatedClient | Client,
    start_date: str | Unset = UNSET,
    count: int | Unset = 100,
) -> Problem | list[SequenceItem] | None:
    """The items of a sequence that end on or after a date.

     Delivery periods in order. Rolling items never expire and have no dates.

    Args:
        id (int): A number that names something for good.
        start_date (str | Unset): An instant in ISO-8601 without fractional seconds. Lower
            precision means the start of that unit; no zone means UTC.
        count (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | list[SequenceItem]"""

    return sync_detailed(
        id=id,
        client=client,
        start_date=start_date,
        count=count,
    ).parsed


async def asyncio_detailed(
    id: int,
    *,
    client: AuthenticatedClient | Client,
    start_date: str | Unset = UNSET,
    count: int | Unset = 100,
) -> Response[Problem | list[SequenceItem]]:
    """The items of a sequence that end on or after a date.

     Delivery periods in order. Rolling items never expire and have no dates.

    Args:
        id (int): A number that names something for good.
        start_date (str | Unset): An instant in ISO-8601 without fractional seconds. Lower
            precision means the start of that unit; no zone means UTC.
        count (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | list[SequenceItem]]"""

    kwargs = get_kwargs(
        id=id,
        start_date=start_date,
        count=count,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: int,
    *,
    client: AuthenticatedClient | Client,
    start_date: str | Unset = UNSET,
    count: int | Unset = 100,
) -> Problem | list[SequenceItem] | None:
    """The items of a sequence that end on or after a date.

     Delivery periods in order. Rolling items never expire and have no dates.

    Args:
        id (int): A number that names something for good.
        start_date (str | Unset): An instant in ISO-8601 without fractional seconds. Lower
            precision means the start of that unit; no zone means UTC.
        count (int | Unset):  Default: 100.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | list[SequenceItem]"""

    return (
        await asyncio_detailed(
            id=id,
            client=client,
            start_date=start_date,
            count=count,
        )
    ).parsed
