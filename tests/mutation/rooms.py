"""What is mutated, and the tests that belong to it."""

from __future__ import annotations

from attrs import frozen

from tests.perf.process import ROOT


@frozen
class Room:
    """Modules that are tested together."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    without: tuple[str, ...] = ()
    """Tests that take too long for thousands of mutants, or are of the library in C alone."""


def _modules(*patterns: str) -> tuple[str, ...]:
    """The paths in the repository, of the package's modules."""
    found = (path for pattern in patterns for path in ROOT.glob(f"trayport_sdk/{pattern}.py"))
    return tuple(sorted(str(path.relative_to(ROOT)) for path in found))


ROOMS = {
    "times": Room(
        _modules("query/times"),
        (
            "tests/query/test_times.py",
            "tests/query/test_periods.py",
            "tests/query/test_refusals.py",
            "tests/query/test_rules.py",
            "tests/exactness/test_instants.py",
        ),
    ),
    "rules": Room(_modules("query/rules*"), ("tests/query",)),
    "planner": Room(_modules("query/plan*"), ("tests/query",)),
    "decode": Room(
        _modules("tables/decode/*", "tables/decode/native/*"),
        (
            "tests/decoding",
            "tests/tables/test_decode.py",
            "tests/tables/test_decode_refusals.py",
            "tests/tables/test_locate.py",
            "tests/tables/test_split.py",
            "tests/tables/test_tolerance.py",
        ),
        (
            "tests/decoding/test_differential.py::test_chunks_may_end_at_every_byte",
            "tests/decoding/test_differential.py::test_garbage_at_every_place_is_seen",
            "tests/decoding/test_native.py::test_no_byte_outside_of_its_memory_is_touched",
            "tests/decoding/test_native.py::test_no_memory_is_an_error_and_loses_nothing",
        ),
    ),
    "limiter": Room(_modules("http/limiter/*"), ("tests/http/limiter",)),
}
