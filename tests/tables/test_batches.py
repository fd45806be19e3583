"""Work on pieces in processes: in order, bounded, and with errors that say what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from trayport_sdk import TrayportConfigurationError, TrayportValidationError
from trayport_sdk.tables.batches import AHEAD, Workers, map_batches


def ends(frame: pl.DataFrame) -> tuple[int, int, int]:
    return frame["a"][0], frame["a"][-1], os.getpid()


def fails_late(frame: pl.DataFrame) -> int:
    if frame["a"][0]:
        raise LookupError("too late")
    return frame.height


def dies(_: pl.DataFrame) -> None:
    os._exit(1)


def returns_what_cannot_be_sent(_: pl.DataFrame) -> object:
    return lambda: None


def rows(count: int) -> pl.DataFrame:
    return pl.DataFrame({"a": range(count)})


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_results_come_in_order_from_processes_or_this_one(workers: int) -> None:
    found = list(map_batches(rows(450_000).iter_slices(70_000), ends, workers))
    assert [one[:2] for one in found] == [
        (start, min(start + 99_999, 449_999)) for start in range(0, 450_000, 100_000)
    ]
    processes = {one[2] for one in found}
    assert (os.getpid() in processes) == (workers < 2)
    assert len(processes) <= max(1, workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_the_function_raises_comes_with_the_rows_it_was_given(workers: int) -> None:
    results = map_batches([rows(250_000)], fails_late, workers)
    assert next(results) == 100_000
    with pytest.raises(LookupError, match="too late") as raised:
        next(results)
    assert raised.value.__notes__ == ["The function was given the rows 100,000 to 199,999."]


def test_no_more_pieces_are_taken_than_are_worked_on() -> None:
    taken = 0

    def frames() -> Iterator[pl.DataFrame]:
        nonlocal taken
        for _ in range(20):
            taken += 1
            yield rows(100_000)

    results = map_batches(frames(), ends, 1)
    for number in range(1, 4):
        next(results)
        assert taken == number


def test_so_many_pieces_are_under_way_for_each_process() -> None:
    workers = Workers(ends, 2)
    for number in range(2 * AHEAD):
        assert not workers.is_full, number
        workers.submit(rows(1))
    assert workers.is_full
    workers.close(wait=True)


def test_a_function_without_a_name_is_refused_at_once() -> None:
    with pytest.raises(TrayportValidationError, match="top level of a module") as refused:
        map_batches([rows(1)], lambda frame: frame, 2)
    assert refused.value.parameter == "fn"
    assert list(map_batches([rows(1)], lambda frame: frame.height, 1)) == [1]


def test_what_cannot_be_called_or_counted_is_refused() -> None:
    with pytest.raises(TrayportValidationError, match="fn 'sum' cannot be called"):
        map_batches([rows(1)], "sum", 1)  # type: ignore[arg-type]
    for workers in (-1, 1.5, True):
        with pytest.raises(TrayportValidationError, match="workers"):
            map_batches([rows(1)], ends, workers)  # type: ignore[arg-type]


def test_a_process_that_ends_is_an_error_that_says_so() -> None:
    with pytest.raises(TrayportConfigurationError, match=r"a process .* has ended"):
        list(map_batches([rows(1)], dies, 2))


def test_a_result_that_cannot_be_sent_back_is_an_error() -> None:
    with pytest.raises(Exception, match=r"pickle|local object") as raised:
        list(map_batches([rows(1)], returns_what_cannot_be_sent, 2))
    assert "rows 0 to 0" in raised.value.__notes__[0]


SCRIPT = """
import polars as pl
from trayport_sdk.tables.batches import map_batches

def height(frame):
    return frame.height

if __name__ == "__main__":
    print(list(map_batches([pl.DataFrame({"a": range(150_000)})], height, 2)))
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_function_of_a_script_works(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    assert run(str(tmp_path / "script.py")).stdout == "[100000, 50000]\n"


def test_a_function_that_no_module_has_is_refused() -> None:
    """As in a notebook."""
    process = run("-c", SCRIPT)
    assert "TrayportValidationError: fn <function height" in process.stderr
    assert "define it with `def` at the top level of a module" in process.stderr


def test_the_error_of_a_script_without_a_main_part_says_so(tmp_path: Path) -> None:
    text = SCRIPT.replace('if __name__ == "__main__":', "if True:")
    (tmp_path / "script.py").write_text(text)
    process = run(str(tmp_path / "script.py"))
    assert process.stderr.splitlines()[-1].startswith("trayport_sdk.errors.TrayportConfiguration")
    assert '`if __name__ == "__main__":`' in process.stderr


class UnpicklableError(Exception):
    """An error that cannot be pickled."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(one)


def raises_what_cannot_be_sent(frame: pl.DataFrame) -> None:
    raise UnpicklableError(frame.height, 2)


def test_an_error_that_cannot_travel_is_given_as_text() -> None:
    frame = pl.DataFrame({"a": [1, 2, 3]})
    with pytest.raises(RuntimeError, match="UnpicklableError: 3") as failed:
        list(map_batches([frame], raises_what_cannot_be_sent, 2))
    assert "rows 0 to 2" in "".join(failed.value.__notes__)


KILLED = """
import os, signal
import polars as pl
from tests.tables.test_batches import rows
from trayport_sdk.tables.batches import Workers

if __name__ == "__main__":
    workers = Workers(pl.DataFrame.get_columns, 2)
    workers.submit(rows(10))
    workers.result()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_processes_end_with_the_one_that_began_them(tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    # The processes have the end of the pipe too, which is read until the last of them has ended.
    done = subprocess.run(
        [sys.executable, str(script)],
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]},
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == -9
