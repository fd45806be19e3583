"""The script without async does what it says, against the sandbox."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from trayport_sdk.sync import TrayportClient

from . import settlement

APRIL, MAY = "TTF Hi Cal 51.6* Apr-24", "TTF Hi Cal 51.6* May-24"
DAY = "2024-03-04"


def test_the_script_settles_what_it_knows(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with TrayportClient.sandbox() as client:
        found = settlement.settlements(client, [APRIL, MAY, "TTF Hi Cal 51.6* Juin-24"], DAY)
        assert len(found) == 2
        for one in found:
            assert one.price is not None
            assert one.high is not None
            assert 0 < one.price <= one.high
            assert one.volume > 0
        assert "Jun-24" in capsys.readouterr().out
        rows = sum(map(len, settlement.batches(client, APRIL, DAY, f"{DAY}T18")))
        report = settlement.kept(client, APRIL, DAY, tmp_path / "april.parquet")
        assert report.rows == rows == pl.read_parquet(report.path).height
        price = settlement.last_price(client, APRIL)
        assert price is not None
        assert price > 0
        assert settlement.first_sequence(client, 10000065)
