"""A progress bar for downloads."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..bulk.progress import OnProgress, Progress


@contextmanager
def progress_bar(title: str, *, quiet: bool) -> Generator[OnProgress]:
    """A progress bar on standard error, from the first response on. A failure wipes it away."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("requests  {task.fields[figures]}"),
        console=Console(stderr=True),
        disable=quiet,
    )
    task = bar.add_task(title, total=None, figures="")

    def show(progress: Progress) -> None:
        bar.start()
        bar.update(
            task,
            total=progress.requests_planned,
            completed=progress.requests_done + progress.requests_failed,
            figures=_figures(progress),
        )

    try:
        yield show
    except BaseException:
        bar.live.transient = True
        bar.live.stop()
        raise
    if bar.live.is_started:
        bar.stop()


def _figures(progress: Progress) -> str:
    """What stands beside the bar."""
    figures = (
        f"{progress.rows:,} rows  {progress.bytes_decoded / 1e6:.1f} MB  "
        f"{progress.bytes_per_second / 1e6:.1f} MB/s"
    )
    if progress.requests_failed:
        figures += f"  {progress.requests_failed} failed"
    left = progress.seconds_left
    return f"{figures}  {left:.0f} s left" if left else figures
