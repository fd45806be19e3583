"""The links of the document, followed: from products over sequences and items to market data."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any, ClassVar

import pytest
import schemathesis
from attrs import frozen
from hypothesis import settings
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.stateful.state_machine import StepInput, StepOutput

from tests.document import DOCUMENT
from tests.drawn import FACTOR, examples
from tests.fuzz.test_sandbox import CHECKS, CONTRADICTING, FUZZ, KNOWN, schema_of
from tests.sandbox.asking import INSTRUMENT, MARKET, Asker, at
from trayport_sdk.sandbox import Sandbox

pytestmark = pytest.mark.hypothesis
# Times when what the items are of was traded.
TIMES = ("From", "Until", "At", "Interval", "IntervalUnit")
NOW = at("2024-03-12T10:30")
SANDBOX = Sandbox(limits=False, clock=lambda: NOW)
PRODUCTS = {"instruments": "instrumentId", "markets": "marketId"}
ITEMS = "/reference/sequences/{id}/sequenceItems"
STARTS = {f"/reference/{kind}" for kind in PRODUCTS}
TRADES = {f"/analytics/api/trades{path}" for path in ("", "/last", "/ohlcv")}
ORDERS = {f"/analytics/api/{path}" for path in ("orders/book/top", "orders/book", "snapshots")}
MARKET_DATA = TRADES | ORDERS


@cache
def joined() -> dict[str, Any]:
    """The document with both APIs at one address, as the sandbox serves them.

    Links lead to what is traded much; with all examples, to any other row of a list as well.
    """
    document = deepcopy(DOCUMENT)
    document["servers"] = [{"url": "/"}]
    document["paths"] = {
        (Sandbox.REFERENCE_PATH if "Reference" in item["get"]["tags"] else Sandbox.ANALYTICS_PATH)
        + path: {"get": item["get"]}
        for path, item in document["paths"].items()
    }
    parameters = document["components"]["parameters"]
    for name in TIMES:
        parameters[name]["schema"] = {"enum": KNOWN[name]}
    parameters["Routes"]["schema"] |= {"items": {"enum": ["all", "1"]}}
    parameters["SequenceItemIds"]["required"] = True
    busy = {
        f"/reference/{kind}": [
            row["id"] for row in Asker(SANDBOX).reference(f"/{kind}").json()
        ].index(one)
        for kind, one in {"instruments": INSTRUMENT, "markets": MARKET}.items()
    }
    left_out = [f"#/components/parameters/{name}" for name in CONTRADICTING]
    for path, item in document["paths"].items():
        operation = item["get"]
        operation["parameters"] = [
            node for node in operation.get("parameters", ()) if node.get("$ref") not in left_out
        ]
        links = operation["responses"]["200"].get("links", {})
        for name, link in list(links.items()):
            text = json.dumps(link["parameters"])
            if path in busy:
                row = json.loads(text.replace("#/0/", f"#/{busy[path]}/"))
                links[name] = link | {"parameters": row}
            if FACTOR >= 1 and "#/0/" in text and "sequenceItemId" not in text:
                # Stars are read in links of this kind only.
                any_row = {"parameters": json.loads(text.replace("#/0/", "#/*/"))}
                links[f"{name}OfAny"] = link | any_row | {"x-schemathesis": {"is_inferred": True}}
    return document


@frozen
class Chain:
    """Requests of which each has its ids from the response to the one before it."""

    paths: tuple[str, ...] = ()
    product: tuple[str, int] | None = None


def chains(application: Any, server: str | None = None) -> Any:
    """A state machine that follows links, and counts in `reached` the chains that led to data."""
    schema = schema_of(joined(), None if server else application)
    schema.config.phases.update(phases=["stateful"])
    schema.config.phases.stateful.inference.algorithms = []  # no links but those of the document

    class Chains(schema.as_state_machine()):  # type: ignore[misc]
        reached: ClassVar[Counter[tuple[str, ...]]] = Counter()

        def setup(self) -> None:
            self.chains: dict[str, Chain] = {}

        def get_call_kwargs(self, case: schemathesis.Case[Any]) -> dict[str, Any]:
            return {} if server is None else {"base_url": server}

        def step(self, input: StepInput) -> StepOutput:  # noqa: A002
            case, path, before = input.case, input.case.operation.path, Chain()
            if input.transition is not None:
                wanted = sum(map(len, input.transition.parameters.values()))
                if len(input.applied_parameters) == wanted:
                    before = self.chains[input.transition.parent_id]
            product = before.product
            _, _, kind, *rest = path.split("/")
            if kind in PRODUCTS and rest:
                product = PRODUCTS[kind], case.path_parameters["id"]
            elif product is not None and "sequenceId" in case.query:
                # An item is traded with a product, whose id came with its sequence.
                others = {n: v for n, v in case.query.items() if n not in PRODUCTS.values()}
                case.query = others | {product[0]: product[1]}
            self.chains[case.id] = chain = Chain((*before.paths, path), product)
            output: StepOutput = super().step(input)
            response = output.response
            if response.status_code == 200 and response.content not in (b"[]", b""):
                self.reached[chain.paths] += 1
            return output

        def validate_response(self, response: Any, case: Any, **kwargs: Any) -> None:
            case.validate_response(
                response, checks=CHECKS, transport_kwargs=kwargs, recorder=self.recorder
            )

    return Chains


def check(machine: Any, count: int) -> int:
    """Follows links, which lead from products to market data by way of sequences and items.

    Returns:
        How many chains led to market data.
    """
    machine.run(settings=settings(FUZZ, max_examples=examples(count), stateful_step_count=50))
    led = {
        paths: count
        for paths, count in machine.reached.items()
        if paths[0] in STARTS and ITEMS in paths and paths[-1] in MARKET_DATA
    }
    assert TRADES & {paths[-1] for paths in led}, machine.reached
    if FACTOR >= 1:
        assert {paths[-1] for paths in led} == MARKET_DATA
        assert {paths[0] for paths in led if paths[-1] in TRADES} == STARTS
    return sum(led.values())


def test_links_lead_to_market_data_and_every_response_is_one_that_the_document_allows(
    record_property: Callable[[str, object], None],
) -> None:
    record_property("chains", check(chains(SANDBOX), 60))


def test_links_lead_to_market_data_over_a_socket(
    record_property: Callable[[str, object], None],
) -> None:
    with SANDBOX.serve() as server:
        record_property("chains", check(chains(None, server.url), 60))


def test_a_fault_of_a_sandbox_that_only_links_lead_to_would_be_found_out() -> None:
    async def faulty(scope: Any, receive: Any, send: Any) -> None:
        async def send_late(message: Any) -> None:
            if message.get("status") == 200 and scope["path"].startswith(Sandbox.ANALYTICS_PATH):
                message = message | {"status": 418}
            await send(message)

        await SANDBOX(scope, receive, send_late)

    machine = chains(faulty)
    with pytest.raises(FailureGroup, match="418"):
        check(machine, 60)
    assert any(ITEMS in paths for paths in machine.reached)
