"""What the process uses, and the pauses of its garbage collector."""

import gc
from pathlib import Path

import pytest

from trayport_sdk.telemetry import process
from trayport_sdk.telemetry.process import GarbageWatch, process_use


def test_the_pauses_of_the_garbage_collector_are_measured_until_it_is_closed() -> None:
    watch = GarbageWatch()
    gc.collect()
    before = process_use(watch)
    assert before.gc_pauses >= 1
    assert before.gc_seconds >= before.gc_longest > 0
    watch.close()
    gc.collect()
    assert process_use(watch).gc_pauses == before.gc_pauses


def test_several_watches_count_at_once_and_leave_nothing_behind() -> None:
    gc.collect()  # what earlier tests left over is forgotten now
    before = list(gc.callbacks)
    first, second = GarbageWatch(), GarbageWatch()
    first.close()
    first.close()
    gc.collect()
    assert first.pauses <= second.pauses
    assert second.pauses > 0
    second.close()
    assert gc.callbacks == before


def test_a_watch_that_nobody_closed_is_not_kept_alive() -> None:
    gc.collect()  # what earlier tests left over is forgotten now
    before = list(gc.callbacks)
    GarbageWatch()
    gc.collect()
    assert gc.callbacks == before


def test_a_run_that_had_begun_before_the_watch_is_not_measured() -> None:
    watch = GarbageWatch()
    watch.close()
    counted = watch.pauses
    watch.note("stop", 10.0)
    watch.note("start", 11.0)
    watch.note("stop", 11.5)
    assert watch.pauses == counted + 1
    assert watch.longest >= 0.5


def test_the_process_tells_its_memory_and_time() -> None:
    used = process_use(GarbageWatch())
    assert used.cpu_seconds > 0
    if used.memory is not None:
        assert used.peak_memory is not None
        assert 1 << 20 < used.memory <= used.peak_memory * 1.1


def test_without_a_proc_file_system_the_memory_in_use_is_unknown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(process, "_STATUS", tmp_path / "none")
    assert process_use(GarbageWatch()).memory is None
