"""A change of the table of operations reaches the sandbox without a change of Python."""

import csv
import io
from typing import Any

import attrs
import pytest
from trayport_spec import ENDPOINTS, Column, Endpoint, Limits, Parameter

from tests.sandbox.asking import DAYS, HOURLY, MARKET, MINIMAL, MONTH, Asker, Query, at

TRADES: Query = {**MINIMAL["/trades"], "from": "2024-03-04T09", "until": "2024-03-04T10"}
HOUR = 3600 * 10**9


def column(name: str, kind: str, **more: object) -> Column:
    values = {"name": name, "python_name": name, "type": kind, "description": "", **more}
    return Column(**values)  # type: ignore[arg-type]


class Tables:
    """Operations that are added to the table or changed in it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.ask = Asker()

    def put(self, operation: str, like: str, **changes: Any) -> Endpoint:
        """An operation like another one, but for the changes."""
        endpoint = attrs.evolve(ENDPOINTS[like], operation_id=operation, **changes)
        self._patch.setattr(
            "trayport_sdk.sandbox.http.ENDPOINTS", {**ENDPOINTS, operation: endpoint}
        )
        return endpoint

    def rows(self, path: str, query: Query) -> Any:
        response = self.ask.analytics(path, query)
        assert response.status_code == 200, response.text
        return response.json()


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    return Tables(monkeypatch)


NEW_COLUMNS = (
    column("mood", "string", enum=("calm", 'wi"ld', "a,b"), required=False, optional_field="mood"),
    column("weight", "float64"),
    column("rank", "int64", minimum=5, nullable=True),
    column("parts", "list", fields=(column("size", "int64"), column("note", "string"))),
    column("inner", "struct", fields=(column("when", "timestamp"), column("ok", "bool"))),
    column("remark", "string", required=False),
)


def with_new_columns(endpoint: Endpoint) -> dict[str, Any]:
    fields = endpoint.parameter("optionalFields")
    changed = attrs.evolve(fields, enum=(*fields.enum, "mood"))
    return {
        "row": (*endpoint.row, *NEW_COLUMNS),
        "parameters": tuple(changed if p is fields else p for p in endpoint.parameters),
    }


@pytest.mark.parametrize(
    "operation", [e.operation_id for e in ENDPOINTS.values() if e.optional_fields]
)
def test_new_columns_of_any_response_have_values_of_their_types(
    tables: Tables, operation: str
) -> None:
    old = ENDPOINTS[operation]
    before = tables.rows(old.path, dict(MINIMAL[old.path]))
    tables.put(operation, operation, **with_new_columns(old))
    query: Query = {**MINIMAL[old.path], "optionalFields": "mood"}
    found = tables.rows(old.path, query)
    known = {c.name for c in old.row}
    assert [{k: v for k, v in row.items() if k in known} for row in found] == before
    for row in found:
        assert row["mood"] in ("calm", 'wi"ld', "a,b")
        assert type(row["weight"]) is float
        assert row["rank"] is None or (type(row["rank"]) is int and row["rank"] >= 5)
        assert [type(value) for value in row["inner"].values()] == [int, bool]
        assert [sorted(part) for part in row["parts"]] == [["note", "size"]]
        assert "remark" not in row
    assert found == tables.rows(old.path, query)
    assert all("mood" not in row for row in tables.rows(old.path, dict(MINIMAL[old.path])))
    text = tables.ask.analytics(old.path, query, accept="text/csv").text
    records = list(csv.DictReader(io.StringIO(text)))
    assert [record["mood"] for record in records] == [row["mood"] for row in found]


def test_values_of_new_columns_do_not_depend_on_how_a_range_is_cut(tables: Tables) -> None:
    tables.put("get_trades", "get_trades", **with_new_columns(ENDPOINTS["get_trades"]))
    whole = tables.rows("/trades", TRADES)
    parts = [
        tables.rows("/trades", {**TRADES, "from": start, "until": until})
        for start, until in (
            ("2024-03-04T09", "2024-03-04T09:10"),
            ("2024-03-04T09:10", "2024-03-04T10"),
        )
    ]
    assert [row for part in parts for row in part] == whole
    assert len({row["weight"] for row in whole}) > 10


def test_a_column_may_be_added_by_a_new_parameter(tables: Tables) -> None:
    old = ENDPOINTS["get_trades"]
    given = column("limit", "float64", required=False, added_by="withLimits")
    parameter = Parameter("withLimits", "with_limits", "boolean", "")
    tables.put(
        "get_trades", "get_trades", row=(*old.row, given), parameters=(*old.parameters, parameter)
    )
    assert all("limit" in row for row in tables.rows("/trades", {**TRADES, "withLimits": "true"}))
    for query in (TRADES, {**TRADES, "withLimits": "false"}):
        assert all("limit" not in row for row in tables.rows("/trades", query))
    assert "withLimits" in tables.ask.complaints("/trades", TRADES, withLimits="perhaps")


@pytest.mark.parametrize(
    "operation", [e.operation_id for e in ENDPOINTS.values() if e.api == "analytics"]
)
def test_a_new_operation_with_known_rows_serves_the_known_data(
    tables: Tables, operation: str
) -> None:
    old = ENDPOINTS[operation]
    tables.put("get_more", operation, path="/more", row=(*old.row, column("more", "bool")))
    query = dict(MINIMAL[old.path])
    found, known = tables.rows("/more", query), tables.rows(old.path, query)
    if old.rows_at is not None:
        found, known = found[old.rows_at], known[old.rows_at]
    assert [{k: v for k, v in row.items() if k != "more"} for row in found] == known
    assert {type(row["more"]) for row in found} == {bool}
    assert tables.ask.analytics("/more", {"from": "x"}).status_code == 400


def test_a_new_operation_may_list_products_items_or_sequences_elsewhere(tables: Tables) -> None:
    path = "/markets/{id}/instruments"
    tables.put("get_market_instruments", "get_instruments", path=path,
               parameters=ENDPOINTS["get_market"].parameters)  # fmt: skip
    found = tables.ask.reference(f"/markets/{MARKET}/instruments").json()
    assert all(row["name"].startswith("TTF Hi Cal 51.6") for row in found)
    assert [row["sequences"] for row in found] == [
        f"/instruments/{r['id']}/sequences" for r in found
    ]
    assert tables.ask.reference("/markets/1/instruments").status_code == 404
    tables.put("get_sequence", "get_sequences", path="/sequences/{id}", root="object",
               parameters=ENDPOINTS["get_market"].parameters)  # fmt: skip
    assert tables.ask.reference("/sequences/10000305").json()["name"] == "Gas - NG Months"


READING = (
    column("at", "timestamp"),
    column("level", "float64", nullable=True),
    column("station", "string"),
    column("contract", "struct", fields=ENDPOINTS["get_trades"].row[6].fields),
)


def test_rows_of_an_unknown_kind_are_one_an_hour_of_the_range(tables: Tables) -> None:
    tables.put("get_readings", "get_trades", path="/readings", row=READING, time_column="at")
    query: Query = {**TRADES, "from": "2024-03-04", "until": "2024-03-05"}
    found = tables.rows("/readings", query)
    assert [row["at"] for row in found] == [at("2024-03-04") + n * HOUR for n in range(24)]
    assert {row["contract"]["marketId"] for row in found} == {MARKET}
    assert len({row["station"] for row in found}) > 1
    both = tables.rows("/readings", {**query, "sequenceItemId": "244,245"})
    assert len(both) == 48
    assert "until" in tables.ask.complaints("/readings", query, until="2025-03-05")
    assert tables.ask.analytics("/readings", query, accept="text/csv").text.count("\n") == 25


def test_rows_of_an_unknown_kind_follow_an_interval_and_need_no_contract(tables: Tables) -> None:
    old = ENDPOINTS["get_ohlcv"]
    free = [p for p in old.parameters if p.name in ("from", "until", "interval", "intervalUnit")]
    limits = attrs.evolve(old.limits, contract=None)
    tables.put("get_readings", "get_ohlcv", path="/readings", row=READING[:3], time_column="at",
               parameters=tuple(free), limits=limits)  # fmt: skip
    found = tables.rows("/readings", {**DAYS, **HOURLY, "intervalUnit": "day"})
    assert [row["at"] for row in found] == [at("2024-03-04"), at("2024-03-05")]
    assert "interval" in tables.ask.complaints("/readings", {**DAYS, **HOURLY, "interval": 2})


def test_an_object_has_its_members_and_rows_where_the_table_says(tables: Tables) -> None:
    envelope = (column("asOf", "timestamp"), column("source", "string"), column("total", "int64"))
    tables.put("get_state", "get_snapshots", path="/state", row=READING[:3], time_column="at",
               rows_at="readings", envelope=envelope)  # fmt: skip
    state = tables.rows("/state", {**MONTH, "at": "2024-03-05T12:00"})
    assert list(state) == ["asOf", "source", "total", "readings"]
    assert state["asOf"] == at("2024-03-05T12:00")
    assert [row["at"] for row in state["readings"]] == [state["asOf"]]
    tables.put("get_state", "get_market", path="/state", row=READING[1:3], parameters=(),
               limits=Limits())  # fmt: skip
    assert list(tables.ask.reference("/state").json()) == ["level", "station"]
