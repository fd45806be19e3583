"""What the process uses: memory, processor time, and the pauses of the garbage collector."""

from __future__ import annotations

import gc
import sys
import time
import weakref
from pathlib import Path

from attrs import frozen

_STATUS = Path("/proc/self/status")


@frozen
class ProcessUse:
    """What the whole process uses, not only this package.

    Attributes:
        memory: Bytes of memory in use now, or None where the system does not tell.
        peak_memory: The most bytes that were ever in use, or None where the system does not tell.
        cpu_seconds: Processor time since the process began, in seconds.
        gc_pauses: How often the garbage collector ran since collecting began.
        gc_seconds: Seconds that it took in all.
        gc_longest: Seconds of its longest run.
    """

    memory: int | None
    peak_memory: int | None
    cpu_seconds: float
    gc_pauses: int
    gc_seconds: float
    gc_longest: float


class GarbageWatch:
    """Measures the runs of the garbage collector from its making until `close`.

    It takes no lock, because a run may begin while its own thread holds any lock; only one run is
    under way at a time.
    """

    def __init__(self) -> None:
        self.pauses = 0
        self.seconds = 0.0
        self.longest = 0.0
        self._started: float | None = None
        watch = weakref.ref(self)

        def called(phase: str, _: dict[str, int]) -> None:
            # A watch that nobody closed is forgotten with its owner.
            living = watch()
            if living is not None:
                living.note(phase, time.perf_counter())

        gc.callbacks.append(called)
        self._remove = weakref.finalize(self, gc.callbacks.remove, called)
        self._remove.atexit = False

    def note(self, phase: str, now: float) -> None:
        """A run begins or ends."""
        if phase == "start":
            self._started = now
        elif self._started is not None:
            pause = now - self._started
            self._started = None
            self.pauses += 1
            self.seconds += pause
            self.longest = max(self.longest, pause)

    def close(self) -> None:
        """Measures no more. What was measured stays."""
        self._remove()


def process_use(watch: GarbageWatch) -> ProcessUse:
    """What the process uses now."""
    memory, peak = _memory()
    return ProcessUse(
        memory=memory,
        peak_memory=peak,
        cpu_seconds=time.process_time(),
        gc_pauses=watch.pauses,
        gc_seconds=watch.seconds,
        gc_longest=watch.longest,
    )


def _memory() -> tuple[int | None, int | None]:
    """Bytes in use, now and at most."""
    if not _STATUS.exists():
        return None, _peak_of_posix()
    lines = (line.partition(":") for line in _STATUS.read_text().splitlines())
    told = {name: text.split() for name, _, text in lines}
    now, peak = (int(told[name][0]) * 1024 if name in told else None for name in ("VmRSS", "VmHWM"))
    return now, peak if peak is not None else _peak_of_posix()


def _peak_of_posix() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
