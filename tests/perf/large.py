"""10 GB through a local server with Brotli into Parquet, in one response and in ten."""

from __future__ import annotations

from collections.abc import Mapping

from tests.perf.figures import WINDOW_DAYS, Download, downloaded
from tests.perf.link import link
from tests.perf.process import MB, READERS, read_by
from tests.perf.trades import parts

ROWS = 61_700_000
SHAPES = {"one response": 1, "ten responses": 10}
MOMENTS = 8


def measured(rows: int = ROWS) -> Mapping[str, Download]:
    """What it takes, by shape; every row is checked."""
    found: dict[str, Download] = {}
    for shape, count in SHAPES.items():
        windows = parts(count, WINDOW_DAYS, rows // count)
        with link(windows) as served:
            for reader in READERS:
                with read_by(reader):
                    name = f"{shape}, {'Python' if reader else 'native'}"
                    found[name] = downloaded(windows, served)
    return found


def over_time(samples: tuple[int, ...]) -> list[int]:
    """The most memory in use in each eighth of the time."""
    step = max(1, len(samples) // MOMENTS)
    return [max(samples[n * step : (n + 1) * step or None]) for n in range(MOMENTS)]


def table(downloads: Mapping[str, Download]) -> str:
    """The figures as a table of Markdown."""
    lines = [
        "| Shape | Rows | Decoded | On the wire | Speed | Peak memory | Over time |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for shape, one in downloads.items():
        moments = ", ".join(f"{sample / MB:.0f}" for sample in over_time(one.done.samples))
        lines.append(
            f"| {shape} | {one.rows:,} | {one.decoded / 1e9:.1f} GB "
            f"| {one.sent / one.decoded:.0%} | {one.rate / MB:.0f} MB/s "
            f"| {one.done.peak / MB:.0f} MB | {moments} MB |"
        )
    return "\n".join(lines)
