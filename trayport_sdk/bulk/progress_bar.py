"""A progress bar for downloads, on terminals and in notebooks."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import require_extra

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ..telemetry.status import LimiterStatus
    from .progress import OnProgress, Progress

    Limiter = Callable[[], LimiterStatus | None]


@contextmanager
def progress_bar(
    title: str = "requests", *, quiet: bool = False, limiter: Limiter = lambda: None
) -> Generator[OnProgress]:
    """A progress bar, from the first response on. A failure wipes it away.

    It is a widget in a notebook, and a line of standard error on a terminal. Where standard error
    goes to a file or another program, there is none.

    Args:
        title: What stands in front.
        quiet: Whether there is none.
        limiter: Called now and then, in a thread, for how much of the allowance is in use.

    Yields:
        What the argument `on_progress` of a call takes.

    Raises:
        TrayportConfigurationError: The extra `cli` is not installed, or in a notebook the extra
            `notebook`.

    Example:
        >>> async with TrayportClient.sandbox() as client:
        ...     with progress_bar("trades") as on_progress:
        ...         trades = await client.trades.get_trades(
        ...             "TTF Hi Cal 51.6* Apr-24",
        ...             "2024-03-04",
        ...             "2024-03-05",
        ...             on_progress=on_progress,
        ...         )
    """
    require_extra("cli", "rich", what="progress_bar")
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    class Allowance(ProgressColumn):
        """The share of the allowance in use, read at most so often, in the thread that draws."""

        max_refresh = 0.5

        def render(self, task: Task) -> Text:  # noqa: ARG002  (that of rich)
            return Text(_allowance(limiter()))

    console = Console(stderr=True)
    if console.is_jupyter:
        require_extra("notebook", "ipywidgets", what="progress_bar in a notebook")
        console = Console()  # the widget has no other stream
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("requests  {task.fields[figures]}"),
        Allowance(),
        console=console,
        disable=quiet or not (console.is_jupyter or sys.stderr.isatty()),
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
        bar.refresh()  # not done by itself in a notebook
        bar.stop()


def _allowance(limiter: LimiterStatus | None) -> str:
    """How much of the allowance is in use, or why nothing is sent."""
    if limiter is None:
        return ""
    if limiter.paused:
        return f"paused for {limiter.paused:.0f} s"
    return f"{max(window.used / window.limit for window in limiter.windows):.0%} of the allowance"


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
