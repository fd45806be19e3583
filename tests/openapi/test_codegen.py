"""A change of the document reaches the tables and the sandbox without a change of Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import field, frozen

ROOT = Path(__file__).resolve().parents[2]
ASK = Path(__file__).with_name("ask.py")
CONTRACT = "marketId=10000065&sequenceId=10000305&contractType=SinglePeriod"
TRADES = f"/trades?{CONTRACT}&sequenceItemId=244&from=2024-03-04&until=2024-03-05"


@frozen
class Copy:
    """A copy of openapi/ to change, and the tables made from it."""

    root: Path
    _document: Path = field(init=False)

    @_document.default
    def _in_root(self) -> Path:
        return self.root / "openapi" / "trayport.yaml"

    def replace(self, old: str, new: str) -> None:
        """Changes the first place of the document that reads so."""
        text = self._document.read_text()
        assert old in text, f"the document does not say {old!r}"
        self._document.write_text(text.replace(old, new, 1))

    def add_venue(self, row: str) -> None:
        with (self.root / "openapi" / "venues.csv").open("a") as table:
            table.write(row + "\n")

    def generate(self) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "openapi/generate.py", "--out", "."]
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)

    def codegen(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        tools = str(Path(sys.executable).parent)
        return subprocess.run(
            ["./codegen.sh", *arguments],
            cwd=self.root,
            env=os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )

    def ask(self, *paths: str) -> dict[str, Any]:
        """The new tables, and the answers of a sandbox made from them."""
        generated = self.root / "generated"
        search = os.pathsep.join([str(generated), str(self.root)])
        process = subprocess.run(
            [sys.executable, str(ASK)],
            input=json.dumps(paths),
            env=os.environ | {"PYTHONPATH": search},
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        answer: dict[str, Any] = json.loads(process.stdout)
        assert answer["made_from"].startswith(str(generated))
        return answer

    def regenerated(self, *paths: str) -> dict[str, Any]:
        process = self.generate()
        assert process.returncode == 0, process.stderr
        return self.ask(*paths)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("openapi", "generated", "trayport_sdk"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy2(ROOT / "codegen.sh", tmp_path)
    return Copy(tmp_path)


def test_a_shorter_range_is_enforced_with_its_new_number(copy: Copy) -> None:
    copy.replace("ranges: [{maxDays: 32}]", "ranges: [{maxDays: 31}]")
    contract = f"{CONTRACT}&sequenceItemId=244"
    found = copy.regenerated(
        f"/trades?{contract}&from=2024-03-01&until=2024-04-01",
        f"/trades?{contract}&from=2024-03-01&until=2024-04-01T00:00:01",
    )
    assert found["endpoints"]["get_trades"]["limits"]["ranges"] == [{"max_days": 31, "units": []}]
    (status, _), (refused, problem) = found["answers"]
    assert (status, refused) == (200, 400)
    assert "31" in json.dumps(problem["errors"])


def test_a_new_optional_field_of_trades_is_accepted_and_served(copy: Copy) -> None:
    copy.replace("aggressorSleeve, initiatorSleeve]", "aggressorSleeve, initiatorSleeve, basis]")
    copy.replace(
        "        fromBrokenSpread:\n          type: boolean\n",
        "        basis:\n          type: number\n          format: double\n"
        "          description: New.\n          x-provenance: documented\n"
        "        fromBrokenSpread:\n          type: boolean\n",
    )
    found = copy.regenerated(TRADES, f"{TRADES}&optionalFields=basis")
    endpoint = found["endpoints"]["get_trades"]
    assert "basis" in endpoint["optional_fields"]
    (column,) = (column for column in endpoint["row"] if column["name"] == "basis")
    assert (column["type"], column["optional_field"]) == ("float64", "basis")
    (_, without), (status, rows) = found["answers"]
    assert status == 200
    assert rows
    assert all("basis" in row for row in rows)
    assert not any("basis" in row for row in without)


def test_a_smaller_batch_is_enforced_for_both_ways_of_naming_items(copy: Copy) -> None:
    copy.replace("&largest_batch 50", "&largest_batch 40")
    base = f"/snapshots?{CONTRACT}&at=2024-03-05T12:00"
    forty, more = (",".join(str(item) for item in range(245, 245 + n)) for n in (40, 41))
    found = copy.regenerated(
        f"{base}&sequenceItemId={forty}",
        f"{base}&sequenceItemId={more}",
        f"{base}&tradingItems=40",
        f"{base}&tradingItems=41",
    )
    assert found["endpoints"]["get_trades"]["batch"]["maximum"] == 40
    assert [status for status, _ in found["answers"]] == [200, 400, 200, 400]
    assert all("40" in json.dumps(found["answers"][place][1]["errors"]) for place in (1, 3))


def test_a_new_parameter_is_read_within_its_bounds(copy: Copy) -> None:
    copy.replace(
        "        - $ref: '#/components/parameters/TradeOptionalFields'\n",
        "        - $ref: '#/components/parameters/TradeOptionalFields'\n"
        "        - name: sampleSize\n          in: query\n          description: New.\n"
        "          schema: {type: integer, minimum: 2, maximum: 9}\n"
        "          x-provenance: documented\n",
    )
    found = copy.regenerated(*(f"{TRADES}&sampleSize={value}" for value in (1, 2, 9, 10, "x")))
    (parameter,) = (
        p for p in found["endpoints"]["get_trades"]["parameters"] if p["name"] == "sampleSize"
    )
    assert parameter["python_name"] == "sample_size"
    assert (parameter["minimum"], parameter["maximum"]) == (2, 9)
    assert [status for status, _ in found["answers"]] == [400, 200, 200, 400, 400]
    assert list(found["answers"][3][1]["errors"]) == ["sampleSize"]


def test_a_new_venue_appears(copy: Copy) -> None:
    copy.add_venue("ZZZZ,A New Venue,9999,true,broker,2020-01-31,documented,false,false")
    found = copy.regenerated(TRADES)
    assert "ZZZZ" in found["venues"]
    assert "ZZZZ" in found["sandbox_venues"]
    assert found["answers"][0][0] == 200


def test_the_whole_generation_follows_and_the_check_shows_what_it_missed(copy: Copy) -> None:
    copy.replace("ranges: [{maxDays: 32}]", "ranges: [{maxDays: 31}]")
    copy.replace(
        "enum: [openTimestamp, closeTimestamp, vwap]",
        "enum: [openTimestamp, closeTimestamp, vwap, tradeCount]",
    )
    copy.replace(
        "        vwap:\n",
        "        tradeCount:\n          $ref: '#/components/schemas/Count'\n"
        "          description: New.\n          x-provenance: documented\n        vwap:\n",
    )
    checked = copy.codegen("--check")
    assert checked.returncode == 1
    assert "trade_count" in checked.stdout
    assert "max_days=31" in checked.stdout
    assert "run ./codegen.sh" in checked.stderr

    made = copy.codegen()
    assert made.returncode == 0, made.stderr
    candle = (copy.root / "generated" / "trayport_api" / "models" / "candle.py").read_text()
    assert "trade_count" in candle
    assert copy.codegen("--check").returncode == 0


def test_what_is_committed_is_what_the_document_gives() -> None:
    process = Copy(ROOT).codegen("--check")
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
def test_the_generator_refuses_and_says_where(copy: Copy, case: str) -> None:
    old, new, message = CONTRADICTIONS[case]
    copy.replace(old, new)
    process = copy.generate()
    assert process.returncode == 1
    assert process.stderr.startswith("openapi: ")
    assert message in process.stderr
    assert "Traceback" not in process.stderr


def test_a_venue_with_an_odd_flag_is_refused_by_its_code(copy: Copy) -> None:
    copy.add_venue("ZZZZ,A New Venue,9999,perhaps,broker,2020-01-31,documented,false,false")
    process = copy.generate()
    assert process.returncode == 1
    assert "venues.csv: ZZZZ: 'perhaps' is neither true nor false" in process.stderr
