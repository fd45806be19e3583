"""Models made a column at a time are those that `from_dict` makes of the documents."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, get_args, get_type_hints

import attrs
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trayport_api.models import Contract, Trade
from trayport_spec import ENDPOINTS, Column

from tests.drawn import examples
from trayport_sdk.tables import RESPONSES, TradesResponse, constructors
from trayport_sdk.tables.decode.decoder import decode_response
from trayport_sdk.tables.decode.schema import (
    ColumnFilter,
    RequestedColumns,
    to_frame,
    typed_columns,
)

KINDS = {table.operation_id: table for table in RESPONSES.values()}
MAKING = [make for name, make in vars(constructors).items() if name.startswith("make_")]
WHOLE = st.integers(0, 2**63 - 1)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int64": WHOLE,
    "timestamp": WHOLE,
    "float64": st.floats(allow_nan=False, allow_infinity=False),
    "string": st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    "bool": st.booleans(),
}


def values(column: Column, wanted: ColumnFilter) -> st.SearchStrategy[Any]:
    if column.enum:
        return st.sampled_from(column.enum)
    if not column.fields:
        return VALUES[column.type]
    one = documents(column.fields, wanted)
    return one if column.type == "struct" else st.lists(one, max_size=3)


def documents(columns: Sequence[Column], wanted: ColumnFilter) -> st.SearchStrategy[dict[str, Any]]:
    """Rows as they are sent: what may be absent sometimes is, what may be null sometimes is."""
    always: dict[str, Any] = {}
    sometimes: dict[str, Any] = {}
    for column in filter(wanted, columns):
        given = values(column, wanted)
        if column.nullable:
            always[column.name] = st.none() | given
        elif column.required:
            always[column.name] = given
        else:
            sometimes[column.name] = given
    return st.fixed_dictionaries(always, optional=sometimes)


@st.composite
def questions(draw: st.DrawFn) -> tuple[str, ColumnFilter, list[dict[str, Any]]]:
    operation_id = draw(st.sampled_from(sorted(KINDS)))
    fields = ENDPOINTS[operation_id].optional_fields
    named = draw(st.sets(st.sampled_from(fields))) if fields else ()
    given_parameters = draw(st.sets(st.sampled_from(["includePrivate", "routes"])))
    wanted = RequestedColumns(tuple(named), tuple(given_parameters))
    return operation_id, wanted, draw(st.lists(documents(ENDPOINTS[operation_id].row, wanted)))


def frame_of(operation_id: str, wanted: ColumnFilter, rows: list[dict[str, Any]]) -> pl.DataFrame:
    endpoint = ENDPOINTS[operation_id]
    typed: list[Any] = []
    for row in rows:
        whole: Any = row
        if endpoint.rows_at is not None:
            whole = {"timestamp": 0, endpoint.rows_at: [row]}
        elif endpoint.root == "array":
            whole = [row]
        typed += decode_response(operation_id, json.dumps(whole).encode()).rows
    return to_frame(endpoint.operation_id, typed, wanted)


@settings(max_examples=examples(400))
@given(questions())
def test_the_models_of_a_table_are_those_of_the_documents(
    question: tuple[str, ColumnFilter, list[dict[str, Any]]],
) -> None:
    operation_id, wanted, rows = question
    kind = KINDS[operation_id]
    made = list(kind(frame_of(operation_id, wanted, rows), []))
    from_dict: Any = kind.model
    expected = [from_dict.from_dict(row) for row in rows]
    assert made == expected
    # Equal is not enough: 1 equals 1.0 and True, and a member of an enumeration its text.
    assert repr(made) == repr(expected)
    assert [by_constructors(model) for model in made] == made


def by_constructors(value: Any) -> Any:
    """A model made of the values of its fields by a call, and so the models in it."""
    if isinstance(value, list):
        return [by_constructors(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if not attrs.has(type(value)):
        return value
    # A field that was not set is an AttributeError.
    fields = [getattr(value, field.name) for field in attrs.fields(type(value))]
    return type(value)(*map(by_constructors, fields))


@pytest.mark.parametrize("make", MAKING, ids=lambda make: make.__name__)
def test_to_make_a_model_is_to_set_its_fields(make: Callable[..., Any]) -> None:
    (model,) = get_args(get_type_hints(make)["return"])
    hooks = {"__attrs_pre_init__", "__attrs_post_init__", "__setattr__", "__new__"}
    assert not hooks & {name for base in model.__mro__[:-1] for name in vars(base)}
    for field in attrs.fields(model):
        assert (field.validator, field.converter, field.init) == (None, None, True)
        assert field.default in (attrs.NOTHING, None)
    assert {*model.__slots__} == {field.name for field in attrs.fields(model)} | {"__weakref__"}


def trades(count: int) -> TradesResponse:
    return TradesResponse(
        pl.DataFrame(
            {
                "trade_id": pl.int_range(count, eager=True).cast(pl.String),
                "venue_code": pl.repeat("EEX", count, eager=True),
                "deal_date": pl.int_range(count, eager=True).cast(pl.Datetime("ns", "UTC")),
                "price": pl.int_range(count, eager=True).cast(pl.Float64),
                "quantity": pl.ones(count, eager=True),
                "aggressor_buy": pl.repeat(value=True, n=count, eager=True),
            }
        ),
        [],
    )


def test_each_row_of_a_table_of_many_blocks_is_made_once_and_in_order() -> None:
    table = trades(150_000)
    assert [trade.deal_date for trade in table] == list(range(150_000))


def test_what_may_be_missing_in_a_table_may_be_missing_from_the_frame() -> None:
    (trade,) = trades(1)
    assert trade == Trade("0", "EEX", 0, 0.0, 1.0, True)
    assert trade.contract is None


def test_a_frame_without_a_column_that_rows_must_have_makes_no_models() -> None:
    frame = trades(2).to_polars().drop("price")
    with pytest.raises(pl.exceptions.ColumnNotFoundError, match="price"):
        list(TradesResponse(frame, []))


def test_a_member_that_became_null_in_a_lenient_response_stays_null() -> None:
    columns = typed_columns("get_trades", RequestedColumns(("contract",)))
    (own,) = (column for column in columns if column.name == "contract")
    contract = {field.name: None for field in own.fields} | {"sequence_id": 1}
    frame = trades(1).to_polars().with_columns(pl.Series("contract", [contract], dtype=own.kind))
    (trade,) = TradesResponse(frame, [])
    assert isinstance(trade.contract, Contract)
    found: list[object] = [trade.contract.contract_type, trade.contract.sequence_id]
    assert found == [None, 1]


def test_the_collector_is_as_it_was_wherever_an_iteration_stops() -> None:
    seen: list[bool] = []
    for trade in trades(10_000):
        seen.append(gc.isenabled())
        if trade.deal_date == 5000:
            break
    assert all(seen)
    assert gc.isenabled()
    gc.disable()
    try:
        assert len(list(trades(10_000))) == 10_000
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_collector_goes_on_after_threads_made_models_at_the_same_time() -> None:
    table = trades(20_000)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: len(list(table)), range(12)))
    assert made == [20_000] * 12
    assert gc.isenabled()


class Ring:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.own = self


@pytest.mark.usefixtures("usual_collector")
def test_models_made_at_once_are_old_for_the_collector_and_what_was_new_before_is_not() -> None:
    table = trades(5000)
    garbage = weakref.ref(Ring())
    made = table.to_models()
    assert garbage() is None
    old = set(map(id, gc.get_objects(generation=2)))
    assert old.issuperset(map(id, made))
    assert gc.isenabled()


@pytest.mark.usefixtures("usual_collector")
def test_models_made_at_once_leave_frozen_objects_frozen() -> None:
    table = trades(10)
    gc.freeze()
    try:
        assert len(table.to_models()) == 10
        assert gc.get_freeze_count()
    finally:
        gc.unfreeze()
