"""The pages of docs/examples as notebooks, with what their code gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.docs.charts import digest
from tests.docs.pages import BLOCK, ROOT, Cell, Ran, comparable
from trayport_sdk.tables.plots.chart import Chart

EXAMPLES = ROOT / "docs" / "examples"


def write_notebook(page: Path, ran: Ran) -> bool:
    """Writes the notebook of a page that has one, unless it is there; whether it was not."""
    if page.parent != EXAMPLES:
        return False
    made, path = notebook(page, ran), page.with_suffix(".ipynb")
    if path.exists() and without_drawings(json.loads(path.read_text())) == without_drawings(made):
        return False
    path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    return True


def notebook(page: Path, ran: Ran) -> dict[str, Any]:
    """A page as a notebook, with what its code gives."""
    text = page.read_text()
    cells: list[dict[str, Any]] = []
    end = 0
    given = {cell.block.start: cell for cell in ran.cells}
    for match in BLOCK.finditer(text):
        cells += _prose(text[end : match.start()])
        if match["language"] == "python":
            cells.append(_code(given[match.start("text")]))
        end = match.end()
    cells += _prose(text[end:])
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _prose(text: str) -> list[dict[str, Any]]:
    lines = [line for line in text.splitlines() if not line.startswith(("![", "[This page"))]
    source = "\n".join(lines).strip()
    return [{"cell_type": "markdown", "metadata": {}, "source": source}] if source else []


def _code(cell: Cell) -> dict[str, Any]:
    outputs: list[dict[str, Any]] = []
    if cell.printed:
        outputs.append({"output_type": "stream", "name": "stdout", "text": cell.printed})
    if cell.text:
        data, metadata = {"text/plain": cell.text}, {}
        if isinstance(cell.shown, Chart):
            data, metadata = cell.shown._repr_mimebundle_(), {"of": digest(cell.shown.to_dict())}
        result = {"output_type": "execute_result", "execution_count": None}
        outputs.append(result | {"data": data, "metadata": metadata})
    source = cell.block.text.rstrip()
    code: dict[str, Any] = {"cell_type": "code", "execution_count": None, "metadata": {}}
    return code | {"source": source, "outputs": outputs}


def without_drawings(made: dict[str, Any]) -> str:
    """A notebook as text, to be compared: without what differs from run to run."""
    bare = json.loads(json.dumps(made))
    for cell in bare["cells"]:
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop("image/svg+xml", None)
    return comparable(json.dumps(bare))
