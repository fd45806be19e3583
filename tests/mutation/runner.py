"""Runs the tests of a room against mutants: a process for each, forked once all is imported.

The tests are collected once, and none runs in the process that forks, so that polars has not begun
its threads. In the child the code of the mutated function is replaced wherever it is used, and
those tests run that come to the lines that were changed, the quickest first, until one fails.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import re
import resource
import signal
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import _lru_cache_wrapper
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FunctionType

import coverage
import pytest
from attrs import define, field
from hypothesis import Phase, settings

from tests.mutation.mutants import Mutant
from tests.mutation.rooms import ROOMS, Room
from tests.perf.process import ROOT

FOLDER = ROOT / ".cache" / "mutation"
IMPORTED = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
PASSED, FAILED = 0, 1
POOL = re.compile(r"polars-\d")
"""The threads of polars that do its work; a child that is forked once there are any waits for ever.
Those that begin with its import do no harm."""
MOST_MEMORY = 8 << 30
"""Bytes that a mutant may take."""


def run(name: str, mutants: Sequence[Mutant], done: Callable[[Mutant, str], None]) -> None:
    """Calls `done` with `killed`, `timeout`, `survived` or `not reached` for each mutant.

    Raises:
        RuntimeError: A test fails without any change, or the tests cannot be collected.
    """
    outcomes, results = multiprocessing.get_context("spawn").Pipe(duplex=False)
    arguments = (name, mutants, results)
    worker = multiprocessing.get_context("spawn").Process(target=_collect_and_run, args=arguments)
    worker.start()
    results.close()
    with suppress(EOFError):
        for mutant in mutants:
            done(mutant, outcomes.recv())
    worker.join()
    if worker.exitcode:
        log = (FOLDER / f"{name}.log").read_text()
        raise RuntimeError(f"{name} ended with {worker.exitcode}: {log[-3000:]}")


def _collect_and_run(name: str, mutants: Sequence[Mutant], results: Connection) -> None:
    log = os.open(FOLDER / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.nice(10)
    # What the tests draw is the same each time, and a failure is enough: no example is made small.
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutation", derandomize=True, database=None, phases=phases)
    settings.load_profile("mutation")
    plugin = Runner(ROOMS[name], mutants, results.send)
    without = [f"--deselect={test}" for test in ROOMS[name].without]
    options = ["-q", "-p", "no:cacheprovider", f"--basetemp={FOLDER / name}", f"-W{IMPORTED}"]
    sys.exit(pytest.main([*options, *without, *ROOMS[name].tests], plugins=[plugin]))


@define(eq=False)
class Runner:
    """A plugin of pytest that runs the collected tests once for each mutant."""

    room: Room
    mutants: Sequence[Mutant]
    send: Callable[[str], None]
    _items: dict[str, pytest.Item] = field(init=False, factory=dict)
    _seconds: dict[str, float] = field(init=False, factory=dict)
    """How long each test takes, with the measuring of its lines."""
    _reached: dict[str, dict[int, list[str]]] = field(init=False, factory=dict)
    """The tests that come to each line of each module."""
    _functions: dict[tuple[str, str, int], list[FunctionType]] = field(init=False, factory=dict)
    _caches: list[_lru_cache_wrapper[object]] = field(init=False, factory=list)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of pytest's own loop over the tests."""
        if session.testsfailed:
            raise session.Failed(f"{session.testsfailed} errors during collection")
        self._items = {item.nodeid: item for item in session.items}
        self._find()
        threads = {path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")}
        assert not any(POOL.match(name) for name in threads), f"a fork of {threads} would hang"
        gc.collect()
        gc.freeze()
        measured = FOLDER / f"{os.getpid()}.json"
        if _forked(lambda: self._measure(measured)) != PASSED:
            raise session.Failed("a test fails without any change")
        self._seconds, reached = json.loads(measured.read_text())
        measured.unlink()
        for module, lines in reached.items():
            self._reached[module] = {int(line): tests for line, tests in lines.items()}
        for mutant in self.mutants:
            self.send(self._outcome(mutant))
        return True

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            print(report.nodeid, report.longreprtext[-1000:], flush=True)
            os._exit(FAILED)

    def _find(self) -> None:
        """The functions of the modules, wherever they are bound to, and their caches."""
        paths = {str(ROOT / module): module for module in self.room.modules}
        gc.unfreeze()
        self._functions = defaultdict(list)
        for value in gc.get_objects():
            if isinstance(value, FunctionType) and value.__code__.co_filename in paths:
                code = value.__code__
                self._functions[_key(paths[code.co_filename], code)].append(value)
            elif isinstance(value, _lru_cache_wrapper) and "trayport" in value.__module__:
                self._caches.append(value)

    def _measure(self, path: Path) -> None:
        modules = [str(ROOT / module) for module in self.room.modules]
        measuring = coverage.Coverage(data_file=None, include=modules, config_file=False)
        measuring.start()
        items = list(self._items.values())
        for item, following in zip(items, [*items[1:], None], strict=True):
            measuring.switch_context(item.nodeid)
            self._clear()
            began = time.perf_counter()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self._seconds[item.nodeid] = time.perf_counter() - began
        measuring.stop()
        data = measuring.get_data()
        lines = {
            module: data.contexts_by_lineno(str(ROOT / module)) for module in self.room.modules
        }
        path.write_text(json.dumps((self._seconds, lines)))

    def _outcome(self, mutant: Mutant) -> str:
        lines = self._reached[mutant.module]
        tests = {test for line in mutant.lines for test in lines.get(line, ()) if test}
        if not tests:  # a line that is part of a statement
            within = range(mutant.begin, mutant.end)
            tests = {test for line in within for test in lines.get(line + 1, ()) if test}
        if not tests:
            return "not reached"
        changed = list(_codes(mutant.compiled()))
        code = _forked(lambda: self._run(tests, mutant, changed))
        if code in (-signal.SIGALRM, -signal.SIGPROF):
            return "timeout"
        return "survived" if code == PASSED else "killed"

    def _run(self, tests: Iterable[str], mutant: Mutant, changed: Iterable[CodeType]) -> None:
        within = f"{mutant.function}.<locals>."
        for code in changed:
            if code.co_qualname == mutant.function or code.co_qualname.startswith(within):
                # Those within it that there are already, and that still know the same names, too.
                for function in self._functions.get(_key(mutant.module, code), ()):
                    if function.__code__.co_freevars == code.co_freevars:
                        function.__code__ = code
        self._clear()
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
        names = sorted(tests, key=lambda name: (self._seconds[name], name))
        items = [self._items[name] for name in names]
        for item, following in zip(items, [*items[1:], None], strict=True):
            # A busy machine takes its time, but no more of the processor's.
            signal.setitimer(signal.ITIMER_PROF, 3 + 10 * self._seconds[item.nodeid])
            signal.setitimer(signal.ITIMER_REAL, 30 + 10 * self._seconds[item.nodeid])
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)

    def _clear(self) -> None:
        for cached in self._caches:
            cached.cache_clear()


def _key(module: str, code: CodeType) -> tuple[str, str, int]:
    return module, code.co_qualname, code.co_firstlineno


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of all functions in a code."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _forked(work: Callable[[], None]) -> int:
    """Does something in a child, and returns the exit code: negative for that of a signal."""
    if (child := os.fork()) == 0:
        code = FAILED
        try:
            os.setpgid(0, 0)
            work()
            code = PASSED
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    with suppress(ProcessLookupError):  # what its tests have started
        os.killpg(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(status)
