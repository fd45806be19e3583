"""`make profile`: where the main jobs spend time and memory, in files under build/profile."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import memray
from pyinstrument import Profiler
from pyinstrument.renderers import ConsoleRenderer, HTMLRenderer
from pyinstrument.session import Session

from tests.perf import jobs
from tests.perf.contest import to_models
from tests.perf.figures import written
from tests.perf.process import ROOT

FOLDER = ROOT / "build" / "profile"
ROWS = 1_000_000
INTERVAL = 0.001


def decode(body: Path) -> object:
    """Tables of a stream."""
    return jobs.frames(str(body))


def models(body: Path) -> object:
    """A list of the models of all rows."""
    return to_models(body.read_bytes())


def parquet(body: Path) -> object:
    """A Parquet file of a stream."""
    return jobs.parquet(str(body), str(body.with_name("trades.parquet")))


JOBS: Mapping[str, Callable[[Path], object]] = {
    job.__name__: job for job in (decode, models, parquet)
}


@contextmanager
def profiled(sessions: list[Session]) -> Iterator[None]:
    """Profiles this thread; what was found is there when it ends."""
    profiler = Profiler(interval=INTERVAL, async_mode="disabled")
    profiler.start()
    try:
        yield
    finally:
        sessions.append(profiler.stop())


@contextmanager
def every_thread_profiled(sessions: list[Session]) -> Iterator[None]:
    """Profiles this thread and those that begin and end meanwhile."""
    run = threading.Thread.run

    def run_profiled(thread: threading.Thread) -> None:
        with profiled(sessions):
            run(thread)

    threading.Thread.run = run_profiled  # type: ignore[assignment, method-assign]
    try:
        with profiled(sessions):
            yield
    finally:
        threading.Thread.run = run  # type: ignore[method-assign]


def cpu(name: str, body: Path) -> list[Path]:
    """Which functions take time, those that wait for others included, over all threads."""
    sessions: list[Session] = []
    with every_thread_profiled(sessions):
        JOBS[name](body)
    whole, *others = sessions
    for other in others:
        whole = Session.combine(whole, other)
    text, page = FOLDER / f"{name}-cpu.txt", FOLDER / f"{name}-cpu.html"
    text.write_text(ConsoleRenderer(show_all=True).render(whole))
    page.write_text(HTMLRenderer().render(whole))
    return [text, page]


def allocations(name: str, body: Path) -> list[Path]:
    """Which lines allocate memory, at the peak and over all."""
    record = FOLDER / f"{name}-allocations.bin"
    record.unlink(missing_ok=True)
    with memray.Tracker(record):
        JOBS[name](body)
    text, page = record.with_suffix(".txt"), record.with_suffix(".html")
    memray_command = [sys.executable, "-m", "memray"]
    with text.open("w") as file:
        subprocess.run([*memray_command, "stats", str(record)], stdout=file, check=True)
    subprocess.run(
        [*memray_command, "flamegraph", "--force", "--output", str(page), str(record)],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    record.unlink()
    return [text, page]


def collections(name: str, body: Path) -> list[Path]:
    """How often the garbage collector ran, for how long, and what it found."""
    pauses: dict[int, list[float]] = {0: [], 1: [], 2: []}
    collected = dict.fromkeys(pauses, 0)
    started = 0.0

    def noted(phase: str, info: dict[str, int]) -> None:
        nonlocal started
        if phase == "start":
            started = time.perf_counter()
        else:
            pauses[info["generation"]].append(time.perf_counter() - started)
            collected[info["generation"]] += info["collected"]

    gc.collect()
    gc.callbacks.append(noted)
    try:
        JOBS[name](body)
    finally:
        gc.callbacks.remove(noted)
    lines = [f"{'generation':>10}{'runs':>8}{'ms in all':>12}{'longest ms':>12}{'collected':>12}"]
    lines += [
        f"{generation:>10}{len(took):>8}{1000 * sum(took):>12.1f}"
        f"{1000 * max(took, default=0):>12.1f}{collected[generation]:>12}"
        for generation, took in pauses.items()
    ]
    text = FOLDER / f"{name}-gc.txt"
    text.write_text("\n".join(lines) + "\n")
    return [text]


def main() -> None:
    """Writes the reports and tells where they are."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with written(ROWS) as (body, _):
        for name, job in JOBS.items():
            print(f"{name}: {job.__doc__}")
            for report in (cpu, allocations, collections):
                for path in report(name, body):
                    print(f"    {path.relative_to(ROOT)}", flush=True)


if __name__ == "__main__":
    main()
