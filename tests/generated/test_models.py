"""What is generated is fit for use: light, typed, and nothing is lost between JSON and models."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from enum import Enum
from pathlib import Path
from typing import Any

import attrs
import pytest
import trayport_api.models
import trayport_spec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.document import DOCUMENT, ROOT
from tests.drawn import examples
from trayport_api import AuthenticatedClient, Client

GENERATED = ROOT / "generated"
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
KEY = "a-key-that-nobody-may-see"
TYPES: list[Any] = [value for _, value in inspect.getmembers(trayport_api.models, inspect.isclass)]
MODELS = [kind for kind in TYPES if attrs.has(kind)]
SOURCES = sorted(GENERATED.rglob("*.py"))
SPEC_TYPES: list[Any] = [
    value for _, value in inspect.getmembers(trayport_spec, inspect.isclass) if attrs.has(value)
]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = SCHEMAS[str(schema["$ref"]).rpartition("/")[2]]
    return schema


def members(schema: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    schema = resolved(schema)
    properties = dict(schema.get("properties", {}))
    required = set(schema.get("required", ()))
    for part in schema.get("allOf", ()):
        inner, names = members(part)
        properties |= inner
        required |= names
    return properties, required


def documents(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """JSON values of a schema."""
    schema = resolved(schema)
    if "oneOf" in schema:
        return st.one_of([documents(option) for option in schema["oneOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema.get("type", "object")
    if isinstance(kinds, list):
        return st.one_of([documents(schema | {"type": kind}) for kind in kinds])
    match kinds:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "number":
            return st.floats(allow_nan=False, allow_infinity=False)
        case "string":
            return st.text()
        case "array":
            return st.lists(documents(schema["items"]), max_size=3)
        case _:
            return objects(schema)


def objects(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    properties, required = members(schema)
    if isinstance(schema.get("additionalProperties"), dict):
        values = documents(schema["additionalProperties"])
        return st.dictionaries(st.text(), values, max_size=3)
    return st.fixed_dictionaries(
        {name: documents(node) for name, node in properties.items() if name in required},
        optional={
            name: documents(node) for name, node in properties.items() if name not in required
        },
    )


@pytest.mark.parametrize("kind", [*MODELS, *SPEC_TYPES], ids=lambda kind: str(kind.__name__))
def test_a_model_keeps_its_fields_in_slots(kind: type) -> None:
    assert "__slots__" in vars(kind)


@pytest.mark.parametrize("package", ["trayport_api", "trayport_spec"])
def test_a_generated_package_is_typed(package: str) -> None:
    assert (GENERATED / package / "py.typed").exists()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(GENERATED)))
def test_a_generated_file_says_that_it_must_not_be_edited(path: Path) -> None:
    head = "\n".join(path.read_text().splitlines()[:4])
    assert "Do not edit: run ./codegen.sh" in head


def test_every_generated_module_can_be_imported() -> None:
    for module in pkgutil.walk_packages([str(GENERATED)]):
        importlib.import_module(module.name)


def test_a_client_never_shows_its_key() -> None:
    client = AuthenticatedClient(base_url="http://sandbox.invalid", token=KEY)
    assert KEY not in repr(client)
    assert KEY not in str(client)
    with client as entered:
        assert KEY not in repr(entered)


def test_a_client_never_shows_its_headers() -> None:
    client = Client(base_url="http://sandbox.invalid", headers={"X-API-KEY": KEY})
    assert KEY not in repr(client)


@pytest.mark.parametrize("kind", MODELS, ids=lambda kind: str(kind.__name__))
def test_a_model_is_named_after_a_schema(kind: type) -> None:
    assert kind.__name__ in SCHEMAS or kind.__name__ == "ProblemErrors"


@pytest.mark.parametrize(
    "kind",
    [kind for kind in MODELS if kind.__name__ in SCHEMAS],
    ids=lambda kind: str(kind.__name__),
)
def test_a_document_comes_back_from_its_model_unchanged(kind: Any) -> None:
    schema = SCHEMAS[kind.__name__]

    @settings(max_examples=examples(60))
    @given(documents(schema))
    def round_trip(document: dict[str, Any]) -> None:
        assert kind.from_dict(document).to_dict() == without_optional_nulls(schema, document)

    round_trip()


def without_optional_nulls(schema: dict[str, Any], value: Any) -> Any:
    """The document without optional fields that are null, which models do not tell from absent."""
    schema = resolved(schema)
    if isinstance(value, list):
        return [without_optional_nulls(schema.get("items", {}), item) for item in value]
    if not isinstance(value, dict):
        return value
    for option in schema.get("oneOf", ()):
        if resolved(option).get("type") != "null":
            return without_optional_nulls(option, value)
    properties, required = members(schema)
    return {
        name: without_optional_nulls(properties.get(name, {}), item)
        for name, item in value.items()
        if item is not None or name in required
    }


def test_nanoseconds_stay_exact() -> None:
    largest = 2**63 - 1
    document = {"price": -1.5, "dealDate": largest}
    assert trayport_api.models.LastTrade.from_dict(document).deal_date == largest


def test_a_field_the_document_does_not_know_is_no_error() -> None:
    document = {"price": 1.0, "dealDate": 1, "somethingNew": {"of": ["any", "shape"]}}
    assert trayport_api.models.LastTrade.from_dict(document).price == 1.0


@pytest.mark.parametrize(
    "name", ["ContractType", "ContractKind", "IntervalUnit", "OrderSide", "OrderStatus"]
)
def test_an_enumeration_has_the_values_of_the_document(name: str) -> None:
    enumeration: type[Enum] = getattr(trayport_api.models, name)
    assert {member.value for member in enumeration} == set(SCHEMAS[name]["enum"])


def test_there_is_no_type_of_trade_and_no_type_of_order() -> None:
    assert not {"TradeType", "OrderType"} & {kind.__name__ for kind in TYPES}
