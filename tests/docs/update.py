"""Writes what the code of a page gives into the page, and beside it."""

from __future__ import annotations

import textwrap
from pathlib import Path

from tests.docs.charts import charts_of, draw
from tests.docs.notebooks import write_notebook
from tests.docs.pages import comparable, run_page


def update(page: Path, folder: Path) -> bool:
    """Writes today's outputs into a page, and its charts, where they differ; whether any did."""
    ran = run_page(page, folder)
    before = text = page.read_text()
    for block, output in reversed(ran.outputs):
        if comparable(output) != comparable(block.text):
            end = text.index(f"{block.indent}```", block.start)
            indented = textwrap.indent(output, block.indent)
            text = text[: block.start] + indented + text[end:]
    page.write_text(text)
    drawn = [chart for chart in charts_of(page) if draw(chart, ran.charts[chart])]
    written = write_notebook(page, ran)
    return text != before or bool(drawn) or written
