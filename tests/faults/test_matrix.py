"""The short form of the matrix, and that it finds what it is there for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults import matrix, wire
from tests.faults.__main__ import PAGE
from tests.faults.kinds import FAULTS
from tests.faults.matrix import MODES, PLACES, Cell, cells, outcome, undisturbed
from tests.faults.methods import METHODS, SENDS_NOTHING, public_methods
from tests.faults.table import error_of, read, written
from tests.perf.page import between
from trayport_sdk.bulk.results import RunResult
from trayport_sdk.http.inprocess import InProcessTransport
from trayport_sdk.http.retry import RetryPolicy
from trayport_sdk.sandbox import Fault
from trayport_sdk.sandbox.faults import KINDS

KINDS_OF_METHOD = 2
"""How many kinds of faults the default suite tries with each method."""

COSTLY = {
    "client.backfill",
    "client.first_contact",
    "client.get_market_data",
    "client.refresh",
    "client.verify",
}
"""Of these it tries one."""

SHARES = 3
"""Of so many cells the slow tests try one: all of them take `make faults` many minutes."""

OF_SANDBOX = [name for name in METHODS if name != "client.warm_up"]  # which opens connections


def committed() -> str:
    """The table in the documentation."""
    found = between("faults").search(PAGE.read_text())
    assert found is not None
    return found[0]


@pytest.fixture(scope="module")
def outcomes() -> Any:
    return read(committed())[0]


def allowed(outcomes: Any, cell: Cell) -> frozenset[str]:
    """What may come of a cell, as the documentation says."""
    found: frozenset[str] = outcomes[cell.method, cell.fault, cell.mode]
    if cell.method != "client.first_contact":
        return found
    # Its requests come in no fixed order, and not whatever happens to one shows in its report.
    return found | {"rows", "reported"}


def short(method: str) -> Iterator[Cell]:
    """Some kinds of faults for a method, in variants, modes and places that take turns."""
    first = OF_SANDBOX.index(method) * KINDS_OF_METHOD
    for number in range(first, first + (1 if method in COSTLY else KINDS_OF_METHOD)):
        kind = KINDS[number % len(KINDS)]
        variants = [name for name, expected in FAULTS.items() if expected.fault.kind == kind]
        variant = variants[number % len(variants)]
        turn = number + number // len(KINDS)
        # Only responses without rows come then, and are searched for with many requests.
        mode = MODES[0] if kind == "null" else MODES[turn % len(MODES)]
        yield Cell(method, variant, mode, PLACES[turn // len(MODES) % len(PLACES)])


def test_every_public_method_has_a_call() -> None:
    assert METHODS.keys() | SENDS_NOTHING == set(public_methods())
    assert not METHODS.keys() & SENDS_NOTHING


def test_every_kind_of_fault_has_a_variant() -> None:
    assert {expected.fault.kind for expected in FAULTS.values()} == set(KINDS)


def test_the_short_form_has_every_kind_mode_and_place() -> None:
    tried = [cell for method in OF_SANDBOX for cell in short(method)]
    kinds = {(FAULTS[cell.fault].fault.kind, cell.mode) for cell in tried}
    every = {(kind, mode) for kind in KINDS for mode in MODES}
    assert kinds == every - {("null", MODES[1])}
    assert {cell.place for cell in tried} == set(PLACES)


@pytest.mark.parametrize("method", OF_SANDBOX)
def test_the_same_rows_or_the_named_error(method: str, outcomes: Any) -> None:
    for cell in short(method):
        assert outcome(cell) in allowed(outcomes, cell), cell


@pytest.mark.slow
@pytest.mark.parametrize("method", OF_SANDBOX)
def test_more_of_the_matrix(method: str, outcomes: Any) -> None:
    first = OF_SANDBOX.index(method) % SHARES
    for cell in list(cells([method]))[first::SHARES]:
        assert outcome(cell) in allowed(outcomes, cell), cell


@pytest.mark.filterwarnings("ignore::trayport_sdk.TrayportExpiryWarning")
@pytest.mark.slow
@pytest.mark.parametrize("cell", list(wire.diagonal()), ids=str)
def test_the_synchronous_client_over_sockets(cell: Cell, tmp_path: Path, outcomes: Any) -> None:
    found = wire.outcome(cell, tmp_path)
    if cell.method in OF_SANDBOX:
        assert found in allowed(outcomes, cell)


@pytest.mark.parametrize(
    "cell",
    [
        Cell("client.get_trades", "cut in the middle of the announced bytes", "once", "last"),
        Cell("client.get_trades_bulk", "404", "from then on", "middle"),
        Cell("client.warm_up", "500", "from then on", "first"),
    ],
    ids=str,
)
def test_some_of_it_over_sockets(cell: Cell, tmp_path: Path) -> None:
    assert wire.outcome(cell, tmp_path) in {"rows", "rest", "error"}


def test_the_table_of_the_documentation_is_whole(outcomes: Any) -> None:
    assert outcomes.keys() == {
        (method, fault, mode) for method in OF_SANDBOX for fault in FAULTS for mode in MODES
    }
    errors = read(committed())[1]
    assert errors == {fault: error_of(fault) for fault in FAULTS}
    assert written(outcomes) in committed()


CUT = Cell("client.trades.get_trades", "cut in the middle", "once", "middle")
GONE = Cell("client.get_trades_bulk", "404", "from then on", "last")


def _swallow_cuts(patch: pytest.MonkeyPatch) -> None:
    """A response that breaks off is taken for one without rows."""
    handle = InProcessTransport.handle_async_request

    async def swallow(self: InProcessTransport, request: httpx.Request) -> httpx.Response:
        try:
            return await handle(self, request)
        except httpx.ReadError:
            return httpx.Response(200, content=b"[]")

    patch.setattr(InProcessTransport, "handle_async_request", swallow)


def _send_once(patch: pytest.MonkeyPatch) -> None:
    """Nothing is sent again."""
    patch.setattr(RetryPolicy, "_rule", lambda *_: None)


def _forget_failures(patch: pytest.MonkeyPatch) -> None:
    """A result does not say what it lacks."""
    of = RunResult.of

    def forget(plans: Any, outcomes: Any, asked: Any = None) -> RunResult:
        result = of(plans, outcomes, asked)
        return RunResult(result.rows, (), result.asked)

    patch.setattr(RunResult, "of", forget)


def _blame_too_much(patch: pytest.MonkeyPatch) -> None:
    """A result says that all of it is missing."""
    of = RunResult.of

    def blame(plans: Any, outcomes: Any, asked: Any = None) -> RunResult:
        result = of(plans, outcomes, asked)
        (failed,) = result.failures
        more = tuple(type(failed)(query, failed.error) for query in plans)
        return RunResult(result.rows, more, result.asked)

    patch.setattr(RunResult, "of", blame)


def _wait_long(patch: pytest.MonkeyPatch) -> None:
    """A call takes longer than it may."""
    patch.setattr(matrix, "LONGEST", 10.0)


@pytest.mark.parametrize(
    ("defect", "cell", "finding"),
    [
        (_swallow_cuts, CUT, "other rows, or fewer"),
        (_send_once, CUT, "5 sent"),
        (_forget_failures, GONE, "nothing is said to be missing"),
        (_blame_too_much, GONE, "the rows of"),
        (_wait_long, Cell(CUT.method, "delay", "once", "first"), "it took 20 s"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_planted_defect_is_found(
    defect: Callable[[pytest.MonkeyPatch], None],
    cell: Cell,
    finding: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    undisturbed(cell.method)
    defect(monkeypatch)
    with pytest.raises(AssertionError, match=finding):
        outcome(cell)


def test_a_fault_that_hits_nothing_is_found() -> None:
    never = FAULTS["500"].__class__(Fault("status", operation_id="get_markets"))
    with pytest.raises(AssertionError, match="hit nothing"):
        outcome(Cell(CUT.method, "500", "once", "first"), never)
