# Generated from openapi/. Do not edit: run ./codegen.sh.

from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.activity import Activity
from ...models.activity_optional_field import ActivityOptionalField
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def get_kwargs(
    *,
    from_: str,
    until: str,
    routes: list[str] | Unset = UNSET,
    optional_fields: list[ActivityOptionalField] | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["from"] = from_

    params["until"] = until

    json_routes: list[str] | Unset = UNSET
    if not isinstance(routes, Unset):
        json_routes = routes

    params["routes"] = json_routes

    json_optional_fields: list[str] | Unset = UNSET
    if not isinstance(optional_fields, Unset):
        json_optional_fields = [item.value for item in optional_fields]

    params["optionalFields"] = json_optional_fields

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/trades/activity",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Problem | list[Activity] | None:
    if response.status_code == 200:
        response_200 = [Activity.from_dict(item) for item in response.json()]

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
) -> Response[Problem | list[Activity]]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    from_: str,
    until: str,
    routes: list[str] | Unset = UNSET,
    optional_fields: list[ActivityOptionalField] | Unset = UNSET,
) -> Response[Problem | list[Activity]]:
    """Which contracts traded in a time range, and how often.

     One row per contract that traded between two whole minutes. Rows carry no time of their own.

    Args:
        from_ (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        until (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        routes (list[str] | Unset):
        optional_fields (list[ActivityOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | list[Activity]]"""

    kwargs = get_kwargs(
        from_=from_,
        until=until,
        routes=routes,
        optional_fields=optional_fields,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    from_: str,
    until: str,
    routes: list[str] | Unset = UNSET,
    optional_fields: list[ActivityOptionalField] | Unset = UNSET,
) -> Problem | list[Activity] | None:
    """Which contracts traded in a time range, and how often.

     One row per contract that traded between two whole minutes. Rows carry no time of their own.

    Args:
        from_ (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        until (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        routes (list[str] | Unset):
        optional_fields (list[ActivityOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | list[Activity]"""

    return sync_detailed(
        client=client,
        from_=from_,
        until=until,
        routes=routes,
        optional_fields=optional_fields,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    from_: str,
    until: str,
    routes: list[str] | Unset = UNSET,
    optional_fields: list[ActivityOptionalField] | Unset = UNSET,
) -> Response[Problem | list[Activity]]:
    """Which contracts traded in a time range, and how often.

     One row per contract that traded between two whole minutes. Rows carry no time of their own.

    Args:
        from_ (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        until (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        routes (list[str] | Unset):
        optional_fields (list[ActivityOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | list[Activity]]"""

    kwargs = get_kwargs(
        from_=from_,
        until=until,
        routes=routes,
        optional_fields=optional_fields,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    from_: str,
    until: str,
    routes: list[str] | Unset = UNSET,
    optional_fields: list[ActivityOptionalField] | Unset = UNSET,
) -> Problem | list[Activity] | None:
    """Which contracts traded in a time range, and how often.

     One row per contract that traded between two whole minutes. Rows carry no time of their own.

    Args:
        from_ (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        until (str): An instant in ISO-8601 without fractional seconds. Lower precision means the
            start of that unit; no zone means UTC.
        routes (list[str] | Unset):
        optional_fields (list[ActivityOptionalField] | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | list[Activity]"""

    return (
        await asyncio_detailed(
            client=client,
            from_=from_,
            until=until,
            routes=routes,
            optional_fields=optional_fields,
        )
    ).parsed
