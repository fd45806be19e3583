"""The client's side: whatever the document allows passes through models and tables unchanged."""

import json
from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from trayport_api import models
from trayport_spec import ENDPOINTS, Column, Endpoint

from tests.document import DOCUMENT
from tests.drawn import examples
from trayport_sdk.tables import RESPONSES
from trayport_sdk.tables.decode import decoder as decode
from trayport_sdk.tables.decode import schema as columns

OPERATIONS = {
    item["get"]["operationId"]: item["get"] for item in DOCUMENT["paths"].values() if "get" in item
}
TABLE_OF = {kind.operation_id: kind for kind in RESPONSES.values()}


@cache
def responses(operation_id: str) -> st.SearchStrategy[Any]:
    """Responses that the schema allows, drawn as if they were the body of a request."""
    content = OPERATIONS[operation_id]["responses"]["200"]["content"]
    schema = content["application/json"]["schema"]
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    document = {
        "openapi": DOCUMENT["openapi"],
        "info": DOCUMENT["info"],
        "components": {"schemas": DOCUMENT["components"]["schemas"]},
        "paths": {"/": {"post": {"requestBody": body, "responses": {"200": {"description": ""}}}}},
    }
    operation = schemathesis.openapi.from_dict(document)["/"]["POST"]
    return operation.as_strategy(generation_mode=GenerationMode.POSITIVE).map(lambda c: c.body)


def known(columns: tuple[Column, ...], row: dict[str, Any]) -> dict[str, Any]:
    """The row as a model keeps it: without unknown fields, and optional ones without a value."""
    return {
        column.name: _known_value(column, row[column.name])
        for column in columns
        if column.required or row.get(column.name) is not None
    }


def _known_value(column: Column, value: Any) -> Any:
    if column.type == "struct" and value is not None:
        return known(column.fields, value)
    if column.type == "list":
        return [known(column.fields, item) for item in value]
    return value


def with_integers(value: Any) -> Any:
    """The response with its whole numbers written as integers.

    JSON Schema counts 5.0 as an integer; the API writes integers without a fraction, and the client
    insists on it, because a nanosecond that went through a float is no longer exact.
    """
    if isinstance(value, dict):
        return {name: with_integers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [with_integers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def rows_of(endpoint: Endpoint, response: Any) -> list[dict[str, Any]]:
    if endpoint.rows_at:
        response = response[endpoint.rows_at]
    return response if isinstance(response, list) else [response]


def as_table_keeps_it(columns: tuple[Column, ...], row: dict[str, Any]) -> dict[str, Any]:
    """The row as a table keeps it: prices and quantities are floats."""
    return {
        column.name: _in_table(column, row.get(column.name))
        for column in columns
        if column.required or row.get(column.name) is not None
    }


def _in_table(column: Column, value: Any) -> Any:
    if value is None:
        return None
    match column.type:
        case "float64":
            return float(value)
        case "struct":
            return as_table_keeps_it(column.fields, value)
        case "list":
            return [as_table_keeps_it(column.fields, item) for item in value]
        case _:
            return value


@pytest.mark.parametrize("operation_id", list(ENDPOINTS))
@given(data=st.data())
@settings(max_examples=examples(40), suppress_health_check=list(HealthCheck))
def test_a_drawn_response_passes_through_its_models_and_its_table_unchanged(
    operation_id: str, data: st.DataObject
) -> None:
    endpoint = ENDPOINTS[operation_id]
    response = with_integers(data.draw(responses(operation_id)))
    body = json.dumps(response).encode()
    rows = rows_of(endpoint, response)

    documents = decode.decode_documents(operation_id, body)
    assert documents == rows
    made = [getattr(models, endpoint.schema).from_dict(document) for document in documents]
    assert [model.to_dict() for model in made] == [known(endpoint.row, row) for row in rows]

    if operation_id in TABLE_OF:
        kind = TABLE_OF[operation_id]
        found = decode.decode_response(operation_id, body)
        parameters = [parameter.name for parameter in endpoint.parameters]
        chosen = columns.RequestedColumns(endpoint.optional_fields, tuple(parameters))
        table = kind(columns.to_frame(operation_id, found.rows, chosen), [])
        assert found.timestamp == (response["timestamp"] if endpoint.rows_at else None)
        assert [model.to_dict() for model in table] == [
            as_table_keeps_it(endpoint.row, row) for row in rows
        ]
        assert table.to_polars().schema == kind.nothing(chosen).to_polars().schema
