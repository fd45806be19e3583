"""A change of the document reaches all that is made of it without a change of Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from .edited import ROOT, Copy

NAME = "10000065*#Single#10000305#244#0"
CONTRACT = "marketId=10000065&sequenceId=10000305&contractType=SinglePeriod"
ONE = f"{CONTRACT}&sequenceItemId=244"
TRADES = f"/trades?{ONE}&from=2024-03-04&until=2024-03-05"
SNAPSHOTS = f"/snapshots?{CONTRACT}&at=2024-03-05T12:00"
DAY = "2024-03-04", "2024-03-05"


def machine(items: int) -> list[str]:
    """The machine symbols of some contracts of one sequence."""
    return [f"10000065*#Single#10000305#{245 + n}#0" for n in range(items)]


def listed(items: int) -> str:
    return ",".join(str(245 + n) for n in range(items))


# For each edit: paths, which a sandbox answers, and calls of methods, which both clients make.
PATHS = {
    "range": [
        # Of an item that hardly trades.
        f"/trades?{CONTRACT}&sequenceItemId=330&from=2024-03-01&until={until}"
        for until in ("2024-04-01", "2024-04-01T01")
    ],
    "batch": [
        f"{SNAPSHOTS}&{name}"
        for name in (
            f"sequenceItemId={listed(40)}", f"sequenceItemId={listed(41)}",
            "tradingItems=40", "tradingItems=41",
        )
    ],
    "field": [TRADES, f"{TRADES}&optionalFields=basis"],
    "parameter": [f"{TRADES}&sampleSize={value}" for value in (1, 2, 9, 10, "x")],
    "operation": [f"/trades/first?{ONE}&at=2024-03-05T12:00", "/trades/first?sequenceId=1"],
}  # fmt: skip
CALLS: dict[str, list[tuple[str, list[Any], dict[str, Any]]]] = {
    "range": [
        ("planner.plan_multi_contract_query", [machine(1), "trades", "2024-03-01", until], {})
        for until in ("2024-04-01", "2024-04-01T01")
    ],
    "batch": [
        ("planner.plan_multi_contract_query", [machine(n), "trades", *DAY], {}) for n in (40, 41)
    ],
    "field": [("trades.get_trades", [NAME, *DAY], {"optional_fields": ["basis"]})],
    "parameter": [("trades.get_trades", [NAME, *DAY], {"sample_size": n}) for n in (9, 10)],
    "operation": [
        ("trades.get_first_trade", [NAME], {"at": "2024-03-05T12:00"}),
        ("trades.get_first_trade", [NAME], {"at": "2024-03-05T12:00:00.5"}),
    ],
    "shape": [
        ("settlements.get_settlements", [NAME, *DAY], {"final": final}) for final in (True, 7)
    ],
}
COMMANDS = {
    "field": [["trades", NAME, "--from", DAY[0], "--until", DAY[1], "--field", "basis"]],
    "parameter": [
        ["trades", NAME, "--from", DAY[0], "--until", DAY[1], "--sample-size", size]
        for size in ("9", "10")
    ],
    "operation": [["first", NAME, "--at", "2024-03-05T12:00"]],
    "shape": [["settlements", NAME, "--from", DAY[0], "--until", DAY[1]]],
}


# An operation of a new group, with rows of a shape that no other has.
SETTLEMENTS = """\
  /settlements:
    servers: [*analytics_server]
    get:
      operationId: get_settlements
      x-provenance: documented
      x-trayport-method: {group: settlements, name: get_settlements, command: settlements}
      tags: [Trades]
      summary: Settlement prices of one contract.
      description: One price a day, oldest first.
      x-trayport-limits:
        contract: one
        ranges: [{maxDays: 100}]
        cutoff: utc-day-start
        x-provenance: documented
      x-trayport-batch: {by: none, x-provenance: documented}
      x-trayport-row: {schema: Settlement, time: settledAt}
      parameters:
        - $ref: '#/components/parameters/InstrumentId'
        - $ref: '#/components/parameters/MarketId'
        - $ref: '#/components/parameters/SequenceId'
        - $ref: '#/components/parameters/SequenceItemId'
        - $ref: '#/components/parameters/SecondSequenceItemId'
        - $ref: '#/components/parameters/ContractType'
        - $ref: '#/components/parameters/From'
        - $ref: '#/components/parameters/Until'
        - name: final
          in: query
          description: Only final prices.
          schema: {type: boolean, default: false}
          x-provenance: documented
      responses:
        '200':
          description: The settlements.
          content:
            application/json:
              schema:
                type: array
                items: {$ref: '#/components/schemas/Settlement'}
        '400': {$ref: '#/components/responses/BadRequest'}
        '401': {$ref: '#/components/responses/Unauthorized'}

"""
SETTLEMENT = """\
    Settlement:
      type: object
      description: The settlement of a contract on one day.
      required: [settledAt, price, kind]
      properties:
        settledAt:
          $ref: '#/components/schemas/Nanoseconds'
          description: When it was settled.
          x-provenance: documented
        price:
          type: number
          description: The price.
          x-provenance: documented
        kind:
          type: string
          enum: [Daily, Final]
          description: Which settlement it is.
          x-provenance: documented
"""


# One more edit, which comes as an overlay.
OVERLAY = {
    "overlay": "1.0.0",
    "info": {"title": "A longer range of activity", "version": "1"},
    "actions": [
        {
            "target": "$.paths['/trades/activity'].get['x-trayport-limits'].ranges[0]",
            "update": {"maxDays": 8},
        }
    ],
}


@attrs.frozen
class Edited:
    """What the document, edited in seven places, comes to."""

    checked: str
    tables: dict[str, Any]
    responses: dict[str, list[tuple[int, Any]]]
    called: dict[str, list[Any]]
    called_in_sync: dict[str, list[Any]]
    commanded: dict[str, list[tuple[int, str]]]
    pages: dict[str, Any]


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Edited:
    copy = Copy(tmp_path_factory.mktemp("edited"))
    copy.replace("ranges: [{maxDays: 32}]", "ranges: [{maxDays: 31}]")
    copy.replace("&largest_batch 50", "&largest_batch 40")
    copy.replace("aggressorSleeve, initiatorSleeve]", "aggressorSleeve, initiatorSleeve, basis]")
    copy.replace(
        "        fromBrokenSpread:\n          type: boolean\n",
        "        basis:\n          type: number\n          format: double\n"
        "          description: New.\n          x-provenance: documented\n"
        "        fromBrokenSpread:\n          type: boolean\n",
    )
    copy.replace(
        "        - $ref: '#/components/parameters/TradeOptionalFields'\n",
        "        - $ref: '#/components/parameters/TradeOptionalFields'\n"
        "        - name: sampleSize\n          in: query\n          description: New.\n"
        "          schema: {type: integer, minimum: 2, maximum: 9}\n"
        "          x-provenance: documented\n",
    )
    copy.add_venue("ZZZZ,A New Venue,9999,true,broker,2020-01-31,documented,false,false")
    copy.add_operation(
        "/trades/last",
        ("/trades/last", "/trades/first"),
        ("get_last_trade", "get_first_trade"),
        ("command: last", "command: first"),
    )
    copy.insert_after("\npaths:\n", SETTLEMENTS)
    copy.insert_after("\n  schemas:\n", SETTLEMENT)
    checked = copy.codegen("--check")
    assert checked.returncode == 1
    assert "run ./codegen.sh" in checked.stderr
    made = copy.codegen("--overlay", copy.written(OVERLAY))
    assert made.returncode == 0, made.stderr
    found = copy.try_out({"paths": PATHS, "calls": CALLS, "commands": COMMANDS})
    return Edited(checked.stdout, found.pop("tables"), **found)


def test_the_check_shows_what_an_edit_changes(edited: Edited) -> None:
    assert "+    basis: float | None = None" in edited.checked
    assert "max_days=31" in edited.checked
    assert "trayport_sdk/sync.py" in edited.checked


def test_a_method_does_the_same_in_both_clients(edited: Edited) -> None:
    assert edited.called == edited.called_in_sync


def test_a_shorter_range_is_enforced_with_its_new_number(edited: Edited) -> None:
    limits = edited.tables["endpoints"]["get_trades"]["limits"]
    assert limits["ranges"] == [{"max_days": 31, "units": []}]
    (status, _), (refused, problem) = edited.responses["range"]
    assert (status, refused) == (200, 400)
    assert "31" in json.dumps(problem["errors"])
    assert edited.called["range"] == [1, 2]


def test_an_overlay_reaches_the_tables(edited: Edited) -> None:
    limits = edited.tables["endpoints"]["get_activity"]["limits"]
    assert limits["ranges"] == [{"max_days": 8, "units": []}]


def test_a_smaller_batch_is_enforced_for_both_ways_of_naming_items(edited: Edited) -> None:
    assert edited.tables["endpoints"]["get_trades"]["batch"]["maximum"] == 40
    found = edited.responses["batch"]
    assert [status for status, _ in found] == [200, 400, 200, 400]
    assert all("40" in json.dumps(found[place][1]["errors"]) for place in (1, 3))
    assert edited.called["batch"] == [1, 2]


def test_a_new_optional_field_of_trades_is_accepted_and_served(edited: Edited) -> None:
    endpoint = edited.tables["endpoints"]["get_trades"]
    assert "basis" in endpoint["parameters"][-2]["enum"]
    (column,) = (column for column in endpoint["row"] if column["name"] == "basis")
    assert (column["type"], column["optional_field"]) == ("float64", "basis")
    (_, without), (status, rows) = edited.responses["field"]
    assert status == 200
    assert rows
    assert all("basis" in row for row in rows)
    assert not any("basis" in row for row in without)
    (table,) = edited.called["field"]
    assert table["columns"][-1] == "basis"
    assert table["rows"] == len(rows)
    ((code, text),) = edited.commanded["field"]
    assert code == 0, text
    assert "basis" in text


def test_a_new_parameter_is_read_within_its_bounds(edited: Edited) -> None:
    found = edited.responses["parameter"]
    assert [status for status, _ in found] == [400, 200, 200, 400, 400]
    assert list(found[3][1]["errors"]) == ["sampleSize"]
    taken, refused = edited.called["parameter"]
    assert taken["rows"] > 0
    assert refused.startswith("TrayportValidationError: sample_size 10 exceeds 9")
    (code, text), (failed, message) = edited.commanded["parameter"]
    assert code == 0, text
    assert failed == 2
    assert "--sample-size" in message


def test_a_new_venue_appears(edited: Edited) -> None:
    assert "ZZZZ" in edited.tables["venues"]


def test_a_new_operation_is_served_and_called(edited: Edited) -> None:
    (status, rows), (refused, _) = edited.responses["operation"]
    assert (status, refused) == (200, 400)
    assert isinstance(rows, list)
    found, wrong = edited.called["operation"]
    assert found == "None" or found.startswith("LastTrade(")
    assert wrong.startswith("TrayportValidationError: ")
    ((code, text),) = edited.commanded["operation"]
    assert code == 0, text


def test_an_operation_of_a_new_group_and_shape_is_served_called_and_shown(edited: Edited) -> None:
    found, wrong = edited.called["shape"]
    assert found["columns"] == ["settled_at", "price", "kind"]
    assert found["rows"] > 0
    assert wrong.startswith("TrayportValidationError: final 7 is not a truth value")
    ((code, text),) = edited.commanded["shape"]
    assert code == 0, text
    assert "settled_at" in text
    groups, responses, models = edited.pages["reference"]
    assert "trayport_sdk.resources.generated.settlements.SettlementsMethods" in groups
    assert "trayport_sdk.tables.SettlementsResponse" in responses
    assert "trayport_api.models.Settlement" in models


def test_the_reference_shows_what_is_new(edited: Edited) -> None:
    for name in ("get_first_trade", "get_settlements", "sampleSize", "basis", "31 days"):
        assert name in edited.pages["endpoints"], name
    for name in ("sample_size: New. [documented]", "`basis`"):
        assert name in edited.pages["method"], name


def test_what_is_committed_is_what_the_document_gives() -> None:
    process = Copy.run_in(ROOT, "./codegen.sh", "--check")
    assert process.returncode == 0, process.stdout + process.stderr


CONTRADICTIONS = {
    "an optional field that no row has": (
        "enum: [openTimestamp, closeTimestamp, vwap]",
        "enum: [openTimestamp, closeTimestamp, vwap, median]",
        "get_ohlcv: optional fields without a property: ['median']",
    ),
    "an assumption that is not listed": (
        "x-assumes: [max-spread-from-best]",
        "x-assumes: [depth-maximum]",
        "depth-maximum",
    ),
    "a mark that was forgotten": (
        "        resolution: minute\n        cutoff: utc-day-start\n"
        "        x-assumes: [minute-resolution-is-checked]\n        x-provenance: documented\n",
        "        resolution: minute\n        cutoff: utc-day-start\n"
        "        x-assumes: [minute-resolution-is-checked]\n",
        "get_snapshots: x-trayport-limits: x-provenance is missing",
    ),
    "a misspelt limit": (
        "        resolution: minute",
        "        resolutoin: minute",
        "get_activity: x-trayport-limits: there is no resolutoin",
    ),
    "a range without its length": (
        "ranges: [{maxDays: 32}]",
        "ranges: [{units: [day]}]",
        "get_trades: x-trayport-limits.ranges: maxDays is missing",
    ),
    "a misspelt row": (
        "        time: fromTimestamp",
        "        tiem: fromTimestamp",
        "get_ohlcv: x-trayport-row: there is no tiem",
    ),
    "a mark that is none": (
        "      x-provenance: documented\n    Interval:",
        "      x-provenance: rumoured\n    Interval:",
        "rumoured",
    ),
    "a time column that is no time": (
        "        time: fromTimestamp",
        "        time: volume",
        "get_ohlcv: the time column 'volume' is not a timestamp of the row",
    ),
    "a choice between schemas": (
        "oneOf: [{$ref: '#/components/schemas/SnapshotTrade'}, {type: 'null'}]",
        "oneOf: [{$ref: '#/components/schemas/SnapshotTrade'}, {type: string}]",
        "oneOf may only add null",
    ),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_the_generator_refuses_and_says_where(tmp_path: Path, case: str) -> None:
    copy = Copy(tmp_path, only=("openapi",))
    old, new, message = CONTRADICTIONS[case]
    copy.replace(old, new)
    process = copy.generate()
    assert process.returncode == 1
    assert process.stderr.startswith("openapi: ")
    assert message in process.stderr
    assert "Traceback" not in process.stderr


def test_a_venue_with_an_unexpected_flag_is_refused_by_its_code(tmp_path: Path) -> None:
    copy = Copy(tmp_path, only=("openapi",))
    copy.add_venue("ZZZZ,A New Venue,9999,perhaps,broker,2020-01-31,documented,false,false")
    process = copy.generate()
    assert process.returncode == 1
    assert "venues.csv: ZZZZ: 'perhaps' is neither true nor false" in process.stderr
