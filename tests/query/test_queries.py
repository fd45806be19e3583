"""Queries as values: they travel, and what is no query is refused."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from trayport_spec import ENDPOINTS, Endpoint
from trayport_spec.options import Options

from trayport_sdk import ContractSpec, ContractType, Interval, TrayportValidationError
from trayport_sdk.query.plan import (
    OPERATIONS,
    BulkMarketQuery,
    BulkSequenceItemQuery,
    ParallelContractQuery,
    QueryPlan,
    alone,
    counted,
    with_contract,
    with_contract_column,
)
from trayport_sdk.query.planner import plan
from trayport_sdk.query.rules import parameters_by_argument
from trayport_sdk.query.times import DAY, SECOND, Window, instant, months_after, to_text

NAMES = tuple(endpoint.key for endpoint in ENDPOINTS.values() if endpoint.api == "analytics")
RANGED = tuple(name for name in NAMES if "from_" in parameters_by_argument(OPERATIONS[name]))
BARRED = tuple(name for name in NAMES if OPERATIONS[name].limits.intervals)
EARLY, LATE = instant("2023-05", "from_"), instant("2026-05", "until")
UNITS = {"second": SECOND, "minute": 60 * SECOND, "hour": 3600 * SECOND, "day": DAY}
ids = st.integers(1, 2)
# Other work on the machine is no failure of these.


@st.composite
def few_contracts(draw: st.DrawFn) -> ContractSpec:
    """Contracts of so few products and sequences that some belong together."""
    kind = draw(st.sampled_from([ContractType.SINGLE_PERIOD] * 4 + [*ContractType]))
    market = draw(st.booleans())
    product = draw(ids)
    return ContractSpec(
        market_id=product if market else None,
        instrument_id=None if market else product,
        sequence_id=draw(ids),
        sequence_item_id=draw(st.integers(1, 9)),
        second_sequence_item_id=None if kind is ContractType.SINGLE_PERIOD else draw(ids),
        contract_type=kind,
    )


def options(endpoint: Endpoint) -> st.SearchStrategy[Options]:
    values: dict[str, st.SearchStrategy[Any]] = {
        "include_private": st.booleans(),
        "include_empty_buckets": st.booleans(),
        "routes": st.sampled_from([(), ("all",), ("7", "A route, with a comma")]),
        "deduplicate_routes": st.sampled_from([None, True, False]),
        "optional_fields": st.lists(st.sampled_from(endpoint.optional_fields or ("",)), unique=True)
        .map(tuple)
        .filter(lambda names: "" not in names),
        "depth": st.none() | st.integers(1, 1000),
        "max_spread": st.none() | st.floats(0.1, 100),
    }
    taken = parameters_by_argument(endpoint)
    return st.builds(Options, **{n: values for n, values in values.items() if n in taken})


def intervals(endpoint: Endpoint) -> st.SearchStrategy[Interval]:
    return st.sampled_from(endpoint.limits.intervals).flatmap(
        lambda allowed: st.builds(
            Interval,
            st.sampled_from(allowed.counts) if allowed.counts else st.integers(1, 5000),
            st.just(allowed.unit),
        )
    )


@st.composite
def windows(draw: st.DrawFn, endpoint: Endpoint, interval: Interval | None) -> Window:
    """A range that the operation takes, but for its length."""
    aligned = interval is not None and bool(endpoint.limits.aligned)
    if interval is not None and interval.unit == "month":
        first, count = draw(st.integers(0, 300)), draw(st.integers(1, 400))
        start = months_after(instant("1999", "from_"), first)
        return Window(start, months_after(start, count))
    grid = UNITS[endpoint.limits.resolution]
    if interval is not None and aligned:
        grid = DAY if interval.unit == "day" else interval.length or DAY
    start = draw(st.integers(-(-EARLY // grid), LATE // grid)) * grid
    longest = 3 * 365 * DAY
    if interval is not None and interval.length is not None and endpoint.limits.max_points:
        longest = min(longest, 5 * endpoint.limits.max_points * interval.length)
    return Window(start, start + draw(st.integers(1, longest // grid)) * grid)


@st.composite
def questions(draw: st.DrawFn, names: Sequence[str] = NAMES) -> QueryPlan:
    """A query of any size that keeps every other rule."""
    name = draw(st.sampled_from(names))
    endpoint = OPERATIONS[name]
    taken = parameters_by_argument(endpoint)
    interval = draw(intervals(endpoint)) if "interval" in taken else None
    contracts = [] if endpoint.limits.contract is None else draw(
        st.lists(few_contracts(), min_size=endpoint.limits.contract != "subset", max_size=9)
    )  # fmt: skip
    return QueryPlan(
        endpoint=name,
        contracts=tuple(contracts),
        window=draw(windows(endpoint, interval)) if name in RANGED else None,
        at=draw(st.integers(0, LATE // DAY)) * DAY if "at" in taken else None,
        interval=interval,
        options=draw(options(endpoint)),
    )


@given(questions())
def test_a_query_and_its_plans_travel_by_pickle_and_json(query: QueryPlan) -> None:
    for one in [query, *plan(query)[:3], *plan(query)[-3:]]:
        assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301  (our own)
        written = json.dumps(one.to_dict())
        back = QueryPlan.from_dict(json.loads(written))
        assert back == one
        assert type(back) is type(one)
        assert hash(back) == hash(one)
        assert back.arguments() == one.arguments()
        assert json.loads(written) == one.to_dict()  # lists, no tuples
        start = None if one.window is None else one.window.start
        moment = one.at if start is None else start
        assert one.starts_at == (None if moment is None else to_text(moment))


@given(questions(), questions())
def test_two_queries_are_equal_when_they_ask_the_same(one: QueryPlan, other: QueryPlan) -> None:
    assert (one == other) == (json.dumps(one.to_dict()) == json.dumps(other.to_dict()))


APRIL, MAY = (
    ContractSpec(market_id=10000065, sequence_id=10000305, sequence_item_id=item)
    for item in (244, 245)
)
MARCH = Window.between("2024-03-01", "2024-04-01")
BATCH = BulkSequenceItemQuery(endpoint="trades", contracts=(APRIL, MAY), window=MARCH)
OWN = BulkMarketQuery(
    endpoint="private_trades", contracts=(APRIL, MAY), window=MARCH, market_id=10000065
)
HOURS = ParallelContractQuery(
    endpoint="order_book", contracts=(APRIL,), window=MARCH, interval=Interval(1, "hour")
)


def test_a_query_says_what_it_asks_for() -> None:
    assert BATCH.explain() == (
        "trades of 10000065*#Single#10000305#244#0 and 1 more "
        "from 2024-03-01T00:00:00Z to 2024-04-01T00:00:00Z"
    )
    assert HOURS.explain().startswith("order book of 10000065*#Single#10000305#244#0 every 1h from")
    assert OWN.explain().startswith("private trades of market 10000065, for 2 contracts from")
    last = QueryPlan(endpoint="last_trade", contracts=(APRIL,), at=instant(date(2024, 3, 1), "at"))
    assert last.explain().endswith("#244#0 at 2024-03-01T00:00:00Z")
    assert QueryPlan(endpoint="activity", window=MARCH).explain().startswith("activity of everyth")
    coming = BulkMarketQuery(
        endpoint="trades", market_id=1, sequence_id=2, options=Options(trading_items=3)
    )
    assert coming.subject == "market 1 sequence 2, the next 3"


def test_what_is_shared_says_whose_a_row_is_and_who_did_not_ask_is_not_told() -> None:
    assert BATCH.optional_fields == ("contract",)
    assert BATCH.adds_contract_column
    told = evolve(BATCH, options=Options(optional_fields=("routeId", "contract")))
    assert told.optional_fields == with_contract(told.operation, ["routeId"])
    assert not told.adds_contract_column
    assert alone(BATCH, APRIL).optional_fields == ()


def test_arguments_are_those_of_the_request_builder() -> None:
    assert BATCH.arguments() == {
        "market_id": 10000065,
        "sequence_id": 10000305,
        "sequence_item_id": (244, 245),
        "contract_type": "SinglePeriod",
        "optional_fields": ("contract",),
        "from_": MARCH.start,
        "until": MARCH.end,
    }
    assert OWN.arguments().keys() == {"market_id", "optional_fields", "from_", "until"}
    assert HOURS.arguments()["sequence_item_id"] == 244
    assert (HOURS.arguments()["interval"], HOURS.arguments()["interval_unit"]) == (1, "hour")


@pytest.mark.parametrize("missing", ["kind", "endpoint", "contracts", "from", "until", "interval"])
def test_a_document_that_lacks_something_is_no_plan(missing: str) -> None:
    document = HOURS.to_dict()
    del document[missing]
    with pytest.raises(TrayportValidationError) as refused:
        QueryPlan.from_dict(document)
    assert refused.value.parameter


@pytest.mark.parametrize(
    "broken",
    [
        {"kind": "SELECT"},
        {"kind": ["BulkMarketQuery"]},
        {"kind": None},
        {"endpoint": "tradez"},
        {"endpoint": 7},
        {"contracts": None},
        {"contracts": [5]},
        {"contracts": "10000065*#Single#10000305#244#0"},
        {"contracts": ["TTF Apr-24"]},
        {"from": "soon"},
        {"from": "2024-04-01"},
        {"from": 1709251200},
        {"at": "2024-03-04"},
        {"interval": "1y"},
        {"interval": 1},
        {"options": []},
        {"options": {"nonsense": 1}},
        {"options": {"depth": "10"}},
        {"options": {"depth": 0}},
        {"options": {"include_private": 1}},
        {"options": {"trading_items": 3}},
        {"options": {"optional_fields": ["price"]}},
        {"market_id": 10000065},
        {"color": "red"},
    ],
    ids=str,
)
def test_a_broken_document_is_no_plan(broken: dict[str, object]) -> None:
    with pytest.raises(TrayportValidationError):
        QueryPlan.from_dict({**HOURS.to_dict(), **broken})


@pytest.mark.parametrize("document", [None, 5, "plan", ["kind"], {}], ids=str)
def test_what_is_no_document_is_no_plan(document: Any) -> None:
    with pytest.raises(
        TrayportValidationError, match=r"is no plan: .+: give what to_dict returned"
    ):
        QueryPlan.from_dict(document)


@given(st.data())
def test_whatever_becomes_of_a_document_it_is_a_plan_or_refused(data: st.DataObject) -> None:
    document = data.draw(st.sampled_from([BATCH, OWN, HOURS])).to_dict()
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    )
    document[data.draw(st.sampled_from([*document, "options", "at"]))] = data.draw(anything)
    try:
        found = QueryPlan.from_dict(document)
    except TrayportValidationError:
        return
    assert QueryPlan.from_dict(found.to_dict()) == found


@pytest.mark.parametrize(
    "scope", [{"market_id": 7}, {"sequence_id": 7}, {"market_id": True}, {"market_id": "1"}, {}]
)
def test_a_request_that_does_not_bring_the_rows_of_its_contracts_is_no_plan(
    scope: dict[str, object],
) -> None:
    document = OWN.to_dict()
    del document["market_id"]
    with pytest.raises(TrayportValidationError):
        QueryPlan.from_dict({**document, **scope})
    with pytest.raises(TrayportValidationError, match="it does not cover its contracts"):
        QueryPlan.from_dict({**document, "market_id": 7})


def test_the_instant_of_a_query_travels_as_a_text() -> None:
    query = QueryPlan(endpoint="last_trade", contracts=(APRIL,), at=instant("2024-03-01", "at"))
    document = query.to_dict()
    assert document["at"] == "2024-03-01T00:00:00Z"
    assert QueryPlan.from_dict(document) == query


def test_a_request_covers_the_contracts_of_its_ids_and_rows_of_no_other_market() -> None:
    gas = ContractSpec(instrument_id=7, sequence_id=2, sequence_item_id=3)
    query = BulkMarketQuery(endpoint="private_trades", window=MARCH)
    assert [query.covers(APRIL), query.covers(gas)] == [False, True]
    own = evolve(query, market_id=10000065, sequence_id=10000305)
    assert [own.covers(APRIL), own.covers(gas)] == [True, False]
    assert not evolve(own, sequence_id=2).covers(APRIL)
    assert not evolve(query, instrument_id=8).covers(gas)
    assert own.scope == {"market_id": 10000065, "sequence_id": 10000305}


def test_the_contract_of_a_row_comes_in_the_place_that_the_table_has_for_it() -> None:
    chosen = Options(optional_fields=("routeId",), include_private=True)
    query = with_contract_column(evolve(HOURS, endpoint="trades", interval=None, options=chosen))
    assert query.options == evolve(chosen, optional_fields=query.optional_fields)
    assert set(query.optional_fields) == {"routeId", "contract"}
    assert with_contract_column(HOURS) == HOURS  # a book has no such column


def test_a_number_of_things_is_written_with_a_plural() -> None:
    assert [counted(n, "row") for n in (0, 1, 1200)] == ["0 rows", "1 row", "1,200 rows"]


def test_one_route_or_field_may_stand_alone_in_a_document() -> None:
    document = {**BATCH.to_dict(), "options": {"routes": "all", "optional_fields": "routeId"}}
    assert QueryPlan.from_dict(document).options == Options(
        routes=("all",), optional_fields=("routeId",)
    )
