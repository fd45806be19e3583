"""The client's side: whatever answer the document allows passes through the models unchanged."""

import json
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from trayport_api import models
from trayport_spec import ENDPOINTS, Column, Endpoint

from trayport_sdk.tables import TABLES
from trayport_sdk.tables.base import TableResponse
from trayport_sdk.tables.decode import decoder as decode
from trayport_sdk.tables.decode import schema as columns

DOCUMENT: dict[str, Any] = yaml.safe_load(Path("openapi/trayport.yaml").read_text())
OPERATIONS = {
    item["get"]["operationId"]: item["get"] for item in DOCUMENT["paths"].values() if "get" in item
}


def answers(operation_id: str) -> st.SearchStrategy[Any]:
    """Answers that the document's schema allows: drawn as if they were the body of a request."""
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
    """The row without the fields that the document does not name."""
    return {
        column.name: _known_value(column, row[column.name])
        for column in columns
        if column.name in row
    }


def _known_value(column: Column, value: Any) -> Any:
    if column.type == "struct" and value is not None:
        return known(column.fields, value)
    if column.type == "list":
        return [known(column.fields, item) for item in value]
    return value


def with_integers(value: Any) -> Any:
    """The answer with its whole numbers written as integers.

    JSON Schema counts 5.0 as an integer; the API writes integers without a fraction, and the client
    insists on it, because a nanosecond that went through a float is no longer exact.
    """
    if isinstance(value, dict):
        return {name: with_integers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [with_integers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def rows_of(endpoint: Endpoint, answer: Any) -> list[dict[str, Any]]:
    if endpoint.rows_at:
        answer = answer[endpoint.rows_at]
    return answer if isinstance(answer, list) else [answer]


@pytest.mark.parametrize("operation_id", list(ENDPOINTS))
@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_drawn_answer_passes_through_the_models_unchanged(
    operation_id: str, data: st.DataObject
) -> None:
    endpoint = ENDPOINTS[operation_id]
    answer = with_integers(data.draw(answers(operation_id)))
    body = json.dumps(answer).encode()
    content = OPERATIONS[operation_id]["responses"]["200"]["content"]["application/json"]["schema"]
    name = content.get("items", content)["$ref"].rsplit("/", 1)[1]
    documents = decode.decode_documents(operation_id, body)
    if endpoint.rows_at:
        envelope = getattr(models, name).from_dict(answer)
        made = getattr(envelope, endpoint.rows_at)
        assert envelope.timestamp == answer["timestamp"]
        assert documents == answer[endpoint.rows_at]
    else:
        made = [getattr(models, name).from_dict(document) for document in documents]
    assert [one.to_dict() for one in made] == [
        known(endpoint.row, r) for r in rows_of(endpoint, answer)
    ]


def with_gaps_filled(columns: tuple[Column, ...], row: dict[str, Any]) -> dict[str, Any]:
    """The row as a table keeps it: a null stands for both, where null and absent are allowed."""
    return {
        column.name: _in_table(column, row.get(column.name))
        for column in columns
        if column.name in row or (column.nullable and not column.required)
    }


def _in_table(column: Column, value: Any) -> Any:
    if value is None:
        return None
    match column.type:
        case "float64":
            return float(value)
        case "struct":
            return with_gaps_filled(column.fields, value)
        case "list":
            return [with_gaps_filled(column.fields, item) for item in value]
        case _:
            return value


@pytest.mark.parametrize("kind", TABLES.values(), ids=attrgetter("__name__"))
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_drawn_answer_passes_through_its_table_unchanged(
    kind: type[TableResponse[Any]], data: st.DataObject
) -> None:
    endpoint = ENDPOINTS[kind.operation_id]
    answer = with_integers(data.draw(answers(kind.operation_id)))
    found = decode.decode_response(kind.operation_id, json.dumps(answer).encode())
    parameters = [parameter.name for parameter in endpoint.parameters]
    asked = columns.column_filter(endpoint.optional_fields, parameters)
    table = kind(columns.to_frame(endpoint.operation_id, found.rows, asked), [])
    rows = rows_of(endpoint, answer)
    assert found.timestamp == (answer["timestamp"] if endpoint.rows_at else None)
    assert [model.to_dict() for model in table] == [with_gaps_filled(endpoint.row, r) for r in rows]
    assert table.to_polars().schema == kind.nothing(asked).to_polars().schema
