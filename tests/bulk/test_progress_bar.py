"""The progress bar where people are: in notebooks and on terminals, and nowhere else."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from trayport_sdk import TrayportClient, TrayportConfigurationError, progress_bar

APRIL, MAY = "TTF Hi Cal 51.6* Apr-24", "TTF Hi Cal 51.6* May-24"
CELL = f"""
from trayport_sdk import progress_bar
from trayport_sdk.sync import TrayportClient

with TrayportClient.sandbox() as client, progress_bar("ttf") as on_progress:
    client.get_trades_bulk(
        [{APRIL!r}, {MAY!r}], "2024-01-01", "2024-03-01", on_progress=on_progress
    )
"""
WIDGET = "application/vnd.jupyter.widget-view+json"


def texts(outputs: list[Any]) -> Iterator[str]:
    for output in outputs:
        yield output.get("text") or output.get("data", {}).get("text/plain", "")


def test_a_notebook_has_a_widget(tmp_path: Path) -> None:
    nbformat, nbclient = import_module("nbformat"), import_module("nbclient")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    nbclient.NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()
    (widget,) = (
        o["data"][WIDGET] for o in notebook.cells[0].outputs if WIDGET in o.get("data", {})
    )
    states = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    shown = " ".join(texts(states[widget["model_id"]]["state"]["outputs"]))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert plain.startswith("ttf ")
    assert "2/2 requests" in plain


def test_without_its_extra_a_notebook_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(TrayportConfigurationError, match="notebook"), progress_bar():
        pass


@pytest.mark.anyio
async def test_there_is_none_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    async with TrayportClient.sandbox() as client:
        with progress_bar() as on_progress:
            await client.trades.get_trades(
                APRIL, "2024-03-04", "2024-03-05", on_progress=on_progress
            )
    assert capsys.readouterr() == ("", "")
