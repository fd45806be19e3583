"""The sandbox's side: whatever is sent to any operation, the answer is one the document allows."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, TypeAlias

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    ignored_auth,
    missing_required_header,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
    use_after_free,
)
from trayport_spec import API_KEY_HEADER

from tests.document import DOCUMENT
from tests.drawn import FACTOR, examples
from trayport_sdk.sandbox import Sandbox

# `positive_data_acceptance` joins them where a request keeps the rules between parameters, which no
# schema of one parameter can tell.
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    allow_header_conformance,
    content_type_conformance,
    ignored_auth,
    missing_required_header,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
    use_after_free,
]
# Left out, each for a reason of the contract itself:
EXCLUDED = {
    "negative_data_rejection": (
        "unknown parameters are ignored and names and values match in any case, so much of what a "
        "schema calls invalid is accepted as documented; tests/sandbox/test_checks.py breaks each "
        "rule and expects 400"
    ),
    "ensure_resource_availability": "it follows what a POST created, and the API has only GET",
    "object_level_authorization": "it compares two users, and every key sees the same sandbox",
}
Case: TypeAlias = schemathesis.Case[Any]
FUZZ = settings(
    max_examples=examples(25),
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def half(api: str, base: str) -> dict[str, Any]:
    """The document of one of the two APIs: one server can only have one base address."""
    document = deepcopy(DOCUMENT)
    is_reference = api == "reference"
    document["servers"] = [{"url": base}]
    document["paths"] = {
        path: {name: value for name, value in item.items() if name != "servers"}
        for path, item in document["paths"].items()
        if ("Reference" in item["get"]["tags"]) is is_reference
    }
    return document


class Key:
    """Puts the key into requests, where schemathesis may also leave it out or spoil it."""

    def get(self, _case: Case, _context: schemathesis.AuthContext) -> str:
        return "sandbox"

    def set(self, case: Case, data: str, _context: schemathesis.AuthContext) -> None:
        case.headers[API_KEY_HEADER] = data


SANDBOX = Sandbox(limits=False)


def schema_of(document: dict[str, Any], app: Any) -> Any:
    schema = schemathesis.openapi.from_dict(document)
    schema.app = app
    schema.auth()(Key)
    # Every boundary of every parameter, some hundred requests an operation: for `make fuzz`.
    schema.config.phases.update(phases=["coverage", "fuzzing"] if FACTOR >= 1 else ["fuzzing"])
    return schema


ANALYTICS = half("analytics", Sandbox.ANALYTICS_PATH)
REFERENCE = half("reference", Sandbox.REFERENCE_PATH)
analytics, reference = schema_of(ANALYTICS, SANDBOX), schema_of(REFERENCE, SANDBOX)
analytics_remote, reference_remote = schema_of(ANALYTICS, None), schema_of(REFERENCE, None)


@analytics.parametrize()
@FUZZ
def test_analytics_in_process(case: Case) -> None:
    case.call_and_validate(checks=CHECKS)


@reference.parametrize()
@FUZZ
def test_reference_in_process(case: Case) -> None:
    case.call_and_validate(checks=CHECKS)


# Drawn ids name nothing, so most of the answers above are errors. These requests keep to ids and
# times that exist and to the rules between parameters, so every one must be answered with data.
KNOWN: dict[str, list[object]] = {
    "MarketId": [10000065],
    "SequenceId": [10000305],
    "OptionalSequenceId": [10000305],
    "SequenceItemId": [244, 245],
    "OptionalSequenceItemId": [244],
    "ContractType": ["SinglePeriod"],
    "OptionalContractType": ["SinglePeriod"],
    "From": ["2024-03", "2024-03-04", "2024-03-04T08:00"],
    "Until": ["2024-03-05", "2024-03-06T12:00Z", "2024-03-08T00:00:00+00:00"],
    "At": ["2024-03-05T12:00", "2024-03-05"],
    "Interval": [1, 4],
    "IntervalUnit": ["hour"],
}
CONTRADICTING = ("InstrumentId", "SecondSequenceItemId", "TradingItems")


def that_exist() -> dict[str, Any]:
    document = deepcopy(ANALYTICS)
    parameters = document["components"]["parameters"]
    for name, values in KNOWN.items():
        parameters[name]["schema"] = {"enum": values}
    parameters["MarketId"]["required"] = True
    parameters["SequenceItemIds"]["required"] = True
    parameters["SequenceItemIds"]["schema"] |= {"items": {"enum": [244, 245]}, "maxItems": 2}
    parameters["Routes"]["schema"] |= {"items": {"enum": ["all", "1", "2"]}}
    left_out = {f"#/components/parameters/{name}" for name in CONTRADICTING}
    for item in document["paths"].values():
        item["get"]["parameters"] = [
            node for node in item["get"]["parameters"] if node.get("$ref") not in left_out
        ]
    return document


existing = schema_of(that_exist(), SANDBOX)
existing.config.generation.update(modes=[schemathesis.GenerationMode.POSITIVE])


@existing.parametrize()
@settings(FUZZ, max_examples=examples(40))
def test_analytics_with_ids_and_times_that_exist(case: Case) -> None:
    case.call_and_validate(checks=[*CHECKS, positive_data_acceptance])


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with SANDBOX.serve() as server:
        yield server.url


@analytics_remote.parametrize()
@FUZZ
def test_analytics_over_a_socket(case: Case, served: str) -> None:
    case.call_and_validate(checks=CHECKS, base_url=served + Sandbox.ANALYTICS_PATH)


@reference_remote.parametrize()
@FUZZ
def test_reference_over_a_socket(case: Case, served: str) -> None:
    case.call_and_validate(checks=CHECKS, base_url=served + Sandbox.REFERENCE_PATH)


def test_every_check_is_run_or_left_out_for_a_written_reason() -> None:
    known = {check.__name__ for check in schemathesis.checks.CHECKS.get_all()}
    run = {check.__name__ for check in [*CHECKS, positive_data_acceptance]}
    assert known - run == set(EXCLUDED)


def test_a_sandbox_that_lets_everybody_in_would_be_found_out() -> None:
    async def open_door(scope: Any, receive: Any, send: Any) -> None:
        headers = [pair for pair in scope["headers"] if pair[0] != API_KEY_HEADER.lower().encode()]
        headers.append((API_KEY_HEADER.lower().encode(), b"sandbox"))
        await SANDBOX({**scope, "headers": headers}, receive, send)

    schema = schema_of(REFERENCE, open_door)
    case = schema["/markets"]["GET"].Case()
    with pytest.raises(FailureGroup, match=r"(?i)auth"):
        case.call_and_validate(checks=CHECKS)
