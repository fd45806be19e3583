"""Every fault with every method, at the first, middle and last request: the rows, or the error.

A cell is one call of a method while a fault hits one of its requests, once or from then on. What
comes is compared with what the same call returns undisturbed:

- it is the same; or
- the call raises the error that the fault is documented to end in; or
- a result of many requests names what is missing, with that error, and has exactly the rest.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias

import polars as pl
from attrs import evolve, frozen

from tests import virtual_time
from tests.faults.contents import (
    Content,
    Key,
    are_alike,
    are_equal,
    content_of,
    differ_by_names,
    rows_of,
    within,
)
from tests.faults.kinds import FAULTS, FORBIDDEN_RETRIES, RETRIES, Expected
from tests.faults.methods import METHODS, Case, files_of, joined, nothing
from tests.virtual_time import clock_for_threads
from trayport_sdk import (
    Settings,
    TrayportCircuitBreakerError,
    TrayportClient,
    TrayportError,
    TrayportExpiryWarning,
    TrayportNotFoundError,
)
from trayport_sdk.http.breaker import FAILURES, Breakers
from trayport_sdk.sandbox import Sandbox

Mode: TypeAlias = Literal["once", "from then on"]
Place: TypeAlias = Literal["first", "middle", "last"]
MODES: tuple[Mode, ...] = ("once", "from then on")
PLACES: tuple[Place, ...] = ("first", "middle", "last")
SAME, UNNAMED, ERROR, REST = "rows", "rows without names", "error", "rest"
REPORTED, ABSENT, KEPT, REFUSED = "reported", "none", "kept", "refused"
LONGEST = 86_400.0
"""Seconds after which a call is taken to hang."""

SETTINGS = Settings(_env_file=None, max_retries=RETRIES, forbidden_retries=FORBIDDEN_RETRIES)


@frozen
class Cell:
    """One call, and what disturbs it."""

    method: str
    fault: str
    mode: Mode
    place: Place

    def __str__(self) -> str:
        return f"{self.method}, {self.fault}, {self.mode}, {self.place} request"


@frozen
class Undisturbed:
    """What a call returns when nothing is wrong, and how many requests it takes."""

    content: Content
    seen: Sequence[tuple[str, pl.DataFrame]]
    files: Mapping[str, Any]
    requests: int


def cells(
    methods: Sequence[str] = tuple(METHODS), faults: Sequence[str] = tuple(FAULTS)
) -> Iterator[Cell]:
    """All cells of some methods and faults; places that are the same request only once."""
    for method in methods:
        if not undisturbed(method).requests:
            continue
        places = dict(zip(reversed(_positions(method)), reversed(PLACES), strict=True))
        for fault in faults:
            for place in reversed(places.values()):
                for mode in MODES:
                    yield Cell(method, fault, mode, place)


def _positions(method: str) -> tuple[int, int, int]:
    """Which requests are the first, the middle and the last one, counted from 0."""
    requests = undisturbed(method).requests
    return 0, max(0, (requests - 1) // 2), max(0, requests - 1)


@cache
def undisturbed(method: str) -> Undisturbed:
    """What a method returns when nothing is wrong."""
    found: list[Undisturbed] = []

    async def main(directory: Path) -> None:
        sandbox = Sandbox(limits=False)
        async with _client(sandbox) as client:
            case = Case(client, sandbox, directory)
            prepared = await METHODS[method].prepare(case)
            before = len(sandbox.requests)
            content = content_of(await METHODS[method].call(case, prepared))
            requests = len(sandbox.requests) - before
            files = {} if METHODS[method].prepare is not nothing else files_of(directory)
            found.append(Undisturbed(content, case.seen, files, requests))

    with TemporaryDirectory() as parent:
        directory = Path(parent) / "out"
        directory.mkdir()
        _run(main(directory))
    return found[0]


def outcome(cell: Cell, fault: Expected | None = None) -> str:
    """What comes of a cell, in a word.

    Returns:
        `rows`, the same as undisturbed; `error`, that of the fault; `rest`, without the rows that
        the result says are missing for this error; `kept`, with the rows that were there before in
        their place; `refused`, where a data set stays damaged and is not read; `none`, where 404
        means that there is nothing; or `reported`.

    Raises:
        AssertionError: Something else came.
    """
    expected = fault or FAULTS[cell.fault]
    found: list[str] = []

    async def main(directory: Path) -> None:
        sandbox = Sandbox(limits=False)
        async with _client(sandbox) as client:
            found.append(await judged(cell, Case(client, sandbox, directory), expected))

    undisturbed(cell.method)  # which needs a loop of its own
    with TemporaryDirectory() as parent:
        directory = Path(parent) / "out"
        directory.mkdir()
        _run(main(directory))
        for thread in threading.enumerate():
            if thread.name == "trayport-read":
                thread.join()  # what it was reading is of no use any more
        hidden = [path.name for path in directory.rglob(".trayport-*")]
        assert not hidden, f"{hidden} left behind"
    return found[0]


async def judged(cell: Cell, case: Case, expected: Expected) -> str:
    """What comes of a cell in a case, as `outcome` says."""
    method, calm = METHODS[cell.method], undisturbed(cell.method)
    prepared = await method.prepare(case)
    place = dict(zip(PLACES, _positions(cell.method), strict=True))[cell.place]
    times = 1 if cell.mode == "once" else None
    before = len(case.sandbox.requests)
    sent_before = case.client.get_metrics().total.requests
    case.sandbox.faults.add(evolve(expected.fault, after=place, times=times))
    content, error = None, None
    started = clock_for_threads()()
    try:
        content = content_of(await method.call(case, prepared))
    except TrayportError as raised:
        error = raised
    seconds = clock_for_threads()() - started
    sent = len(case.sandbox.requests) - before
    (armed,) = case.sandbox.faults.documents()
    assert armed["hits"] == 1 if times else armed["hits"], "the fault hit nothing"
    assert seconds < LONGEST, f"it took {seconds:,.0f} s"
    if case.is_exact:
        counted = case.client.get_metrics().total.requests - sent_before
        assert counted == sent, f"{counted} requests counted, {sent} sent"
    if error is not None:
        assert not (cell.mode == "once" and expected.passes), f"raised {error!r}"
        assert type(error) is expected.error, f"raised {error!r}, not {expected.error}"
        assert error.context is not None, "the error does not name the request"
        assert error.suggestion, "the error does not say what to do"
        assert 1 <= error.attempts <= expected.attempts, f"{error.attempts} attempts"
        _check_rest(cell, case, calm)
        return ERROR
    assert content is not None
    label = _compared(cell, expected, content, calm)
    if label == SAME and cell.mode == "once" and not method.is_report:
        # The one that failed is sent again, if it need not be asked for in parts.
        most = calm.requests + (1 if expected.passes else calm.requests)
        assert calm.requests <= sent <= most, f"{sent} sent"
    return label


def outcomes_of(method: str) -> list[tuple[Cell, str, str]]:
    """Every cell of a method: what came of it, or what was wrong."""
    found: list[tuple[Cell, str, str]] = []
    for cell in cells([method]):
        try:
            found.append((cell, outcome(cell), ""))
        except Exception as error:  # noqa: BLE001  (the others are to be tried nevertheless)
            found.append((cell, "", f"{type(error).__name__}: {error}"))
    return found


def _compared(cell: Cell, expected: Expected, content: Content, calm: Undisturbed) -> str:
    """What a result is, next to that of an undisturbed call."""
    method = METHODS[cell.method]
    venues = expected.fault.kind != "unknown-venue"
    same = not content.missing and are_equal(content.parts, calm.content.parts, venues=venues)
    if same:
        return SAME
    if method.is_report:
        return REPORTED
    if method.absent and expected.error is TrayportNotFoundError:
        _check_absent(content, calm)
        return ABSENT
    assert not (cell.mode == "once" and expected.passes), "other rows, or fewer"
    if not content.missing and differ_by_names(content.parts, calm.content.parts):
        return UNNAMED
    assert content.missing, "other rows, and nothing is said to be missing"
    for missing in content.missing:
        assert missing.error in (expected.error, *_of_breaker(expected)), f"for {missing.error}"
    if method.mends and not content.parts:
        return REFUSED
    if method.is_again:
        assert are_equal(content.parts, calm.content.parts), "rows that were there are gone"
        return KEPT
    for key in content.parts.keys() | calm.content.parts.keys():
        _check_part(content, calm, key)
    return REST


def _of_breaker(expected: Expected) -> tuple[type[TrayportError], ...]:
    """What other requests end in, once a circuit breaker has had enough of the error."""
    counts = expected.error is not None and issubclass(expected.error, FAILURES)
    return (TrayportCircuitBreakerError,) if counts else ()


def _check_part(content: Content, calm: Undisturbed, key: Key) -> None:
    """The rows of a contract are there once, or said to be missing."""
    whole = calm.content.parts.get(key)
    assert isinstance(whole, pl.DataFrame), f"rows of {key} out of nowhere"
    came = content.parts.get(key, whole.clear())
    windows = [missing.window for missing in content.missing if missing.concerns(key)]
    lacking = within(whole, windows)
    assert rows_of(came) + rows_of(lacking) == rows_of(whole), f"the rows of {key}"


def _check_absent(content: Content, calm: Undisturbed) -> None:
    """Nothing came, or rows of the whole that are not all of them."""
    for key, part in content.parts.items():
        if part is not None:
            assert not rows_of(part) - rows_of(calm.content.parts[key])


def _check_rest(cell: Cell, case: Case, calm: Undisturbed) -> None:
    """What came before an error was raised is whole: what was shown, and files that may stay."""
    whole = joined(calm.seen)
    for name, rows in joined(case.seen).items():
        assert not rows_of(rows) - rows_of(whole[name]), f"other rows of {name} before the error"
    if calm.files:
        files = files_of(case.directory)
        assert METHODS[cell.method].keeps or not files, f"{sorted(files)} left behind"
        for name, part in files.items():
            assert are_alike(part, calm.files[name]), f"{name} is not whole"


def _client(sandbox: Sandbox) -> Any:
    """A client on virtual time."""
    client = TrayportClient.sandbox(sandbox, settings=SETTINGS)
    session = client._session
    session.clock = clock_for_threads()
    session.breakers = Breakers(
        threshold=client.settings.breaker_threshold,
        recovery=client.settings.breaker_recovery,
        on_change=session.notify,
        clock=clock_for_threads(),
    )
    return client


def _run(main: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrayportExpiryWarning)
        virtual_time.run(main)
