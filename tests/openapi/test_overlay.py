"""An overlay edits the document in place, and changes nothing that it does not name."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonpath
import pytest
import yaml

from tests.document import ROOT

from .edited import Copy

TEXT = (ROOT / "openapi" / "trayport.yaml").read_text()
TRADE = "$.components.schemas.TradeFields"
DEPTH = "$.paths['/orders/book'].get.parameters[?@.name == 'depth']"
NEW = {"type": "string", "description": "New: of the day.", "x-provenance": "observed"}

# What is done, and how many lines of the document it takes away and adds.
EDITS: dict[str, tuple[list[dict[str, Any]], int, int]] = {
    "a value is replaced": ([{"target": "$.info", "update": {"version": "2025.1"}}], 1, 1),
    "a value that others share": (
        [{"target": f"{DEPTH}.schema", "update": {"maximum": 99}}], 2, 2,
    ),
    "an alias becomes a value": (
        [{
            "target": "$.paths['/snapshots'].get['x-trayport-batch']",
            "update": {"maximum": 20},
        }],
        1, 1,
    ),
    "a member of an inline object": (
        [{"target": "$.paths['/trades'].get['x-trayport-limits'].ranges[0]",
          "update": {"units": ["day"]}}],
        1, 1,
    ),
    "a member of an object over lines": (
        [{"target": TRADE, "update": {"properties": {"basis": NEW}}}], 0, 4,
    ),
    "a new object in the last part of another": (
        [{"target": "$.components.schemas.Trade.allOf[1]", "update": {"required": ["basis"]}}],
        0, 1,
    ),
    "an element is appended": ([{"target": TRADE, "update": {"required": ["basis"]}}], 1, 1),
    "an element is appended over lines": (
        [{"target": "$.tags", "update": {"name": "Settlements", "description": "Prices."}}], 0, 1,
    ),
    "the first, a middle and the last element are removed": (
        [{"target": f"{TRADE}.required[?@ == '{name}']", "remove": True}
         for name in ("tradeId", "price", "aggressorBuy")],
        1, 1,
    ),
    "members are removed": (
        [{"target": f"{TRADE}.properties.price['type', 'format', 'x-assumes']", "remove": True}],
        2, 0,
    ),
    "a member with what is below it": (
        [{"target": f"{TRADE}.properties.initiatorSleeve", "remove": True}], 4, 0,
    ),
    "the first member of an element": (
        [{"target": "$.tags[0].name", "remove": True}], 2, 1,
    ),
    "what is not there is not removed": (
        [{"target": f"{TRADE}.properties.basis", "remove": True}], 0, 0,
    ),
    "text that needs quotes": (
        [{"target": "$['x-trayport-assumptions']",
          "update": {"year-precision": "No: it is refused, 'at' # once."}}],
        1, 1,
    ),
}  # fmt: skip


def overlay(actions: list[dict[str, Any]]) -> dict[str, Any]:
    return {"overlay": "1.0.0", "info": {"title": "A test", "version": "1"}, "actions": actions}


def expected(actions: list[dict[str, Any]]) -> Any:
    """The document after the actions, which here are applied to what it means."""
    document = yaml.safe_load(TEXT)

    def merge(target: Any, update: Any) -> None:
        if isinstance(target, list):
            target.extend(update if isinstance(update, list) else [update])
            return
        for name, value in update.items():
            if isinstance(target.get(name), dict | list) and type(target[name]) is type(value):
                merge(target[name], value)
            else:
                target[name] = value

    for action in actions:
        for match in reversed(list(jsonpath.finditer(action["target"], document))):
            parent: Any = document
            for part in match.parts[:-1]:
                parent = parent[part]
            if action.get("remove"):
                del parent[match.parts[-1]]
            else:
                merge(parent[match.parts[-1]], action["update"])
    return document


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "trayport.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def apply(spec: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[object], int]:
    """The program, which returns its exit code."""
    monkeypatch.syspath_prepend(ROOT / "openapi")
    from overlay import main

    def applying(document: object) -> int:
        file = spec.with_name("overlay.json")
        file.write_text(json.dumps(document))
        return main([str(file), "--spec", str(spec)])

    return applying


@pytest.mark.parametrize("case", EDITS)
def test_an_action_changes_what_it_names_and_no_other_line(
    spec: Path, apply: Callable[[object], int], case: str
) -> None:
    actions, gone, added = EDITS[case]
    assert apply(overlay(actions)) == 0
    text = spec.read_text()
    assert yaml.safe_load(text) == expected(actions)
    lines = list(difflib.unified_diff(TEXT.splitlines(), text.splitlines(), n=0))[2:]
    assert sum(line.startswith("-") for line in lines) == gone
    assert sum(line.startswith("+") for line in lines) == added


UNFIT = {
    "no overlay": ({"actions": []}, "it is no OpenAPI Overlay"),
    "a list": ([], "it is no object"),
    "a place that is not there": (
        overlay([{"target": "$.paths['/none']", "update": {"a": 1}}]),
        "the document has no $.paths['/none']",
    ),
    "no JSONPath": (overlay([{"target": "$.[", "remove": True}]), "action 0: "),
    "an action without a change": (overlay([{"target": "$.info"}]), "action 0: 'update'"),
    "a value that is no object": (
        overlay([{"target": "$.info.title", "update": {"a": 1}}]),
        "info.title cannot be merged with",
    ),
}


@pytest.mark.parametrize("case", UNFIT)
def test_an_overlay_that_does_not_fit_is_refused_and_changes_nothing(
    spec: Path,
    apply: Callable[[object], int],
    case: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    document, message = UNFIT[case]
    assert apply(document) == 1
    assert message in capsys.readouterr().err
    assert spec.read_text() == TEXT


def test_an_overlay_for_another_state_of_the_document_is_told(
    apply: Callable[[object], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert apply(overlay([]) | {"x-trayport-spec": "0" * 64}) == 0
    assert "made for another state" in capsys.readouterr().err


def test_the_document_stays_as_it_was_when_the_result_is_not_valid(tmp_path: Path) -> None:
    copy = Copy(tmp_path, only=("openapi",))
    path = copy.written(overlay([{"target": "$.info.title", "remove": True}]))
    process = copy.codegen("--overlay", path)
    assert process.returncode == 1
    assert "title" in process.stderr
    assert (tmp_path / "openapi" / "trayport.yaml").read_text() == TEXT


def test_an_option_without_its_file_is_refused() -> None:
    process = Copy.run_in(ROOT, "./codegen.sh", "--overlay")
    assert process.returncode == 2
    assert "usage: ./codegen.sh [--check | --overlay FILE]" in process.stderr
