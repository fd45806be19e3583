"""Imports point one way: a module knows those below it and never those above."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "trayport_sdk"
GENERATED = ("trayport_api", "trayport_spec")
# What each room may import besides itself. `client` opens the sandbox on use.
ARROWS = {
    "errors": set[str](),
    "settings": {"errors"},
    "query": {"errors"},
    "telemetry": {"errors"},
    "tables": {"query", "telemetry", "errors"},
    "http": {"query", "telemetry", "settings", "errors"},
    "bulk": {"tables", "http", "query", "telemetry", "settings", "errors"},
    "resources": {
        "bulk",
        "tables",
        "http",
        "query",
        "telemetry",
        "settings",
        "errors",
    },
}
ARROWS["client"] = {*ARROWS, "sandbox"}
ARROWS["sync"] = {*ARROWS, "sandbox"}
ARROWS["cli"] = {*ARROWS, "sandbox"}
ARROWS["__main__"] = {"cli", "errors"}
# Libraries with traps, and those of extras: one module knows each, and the others know that module.
# Locks of files are taken in two places that have nothing else in common.
HOMES = {
    "backoff": "http/retry.py",
    "pybreaker": "http/breaker.py",
    "pyrate_limiter": "http/limiter/memory.py",
    "structlog": "telemetry/logging.py",
    "redis": "http/limiter/redis.py",
    "prometheus_client": "telemetry/prometheus.py",
    "opentelemetry": "telemetry/opentelemetry.py",
    "keyring": "settings.py",
    "holidays": "tables/analytics/calendar.py",
    "pint": "tables/analytics/units.py",
    "altair": "tables/plots/chart.py tables/plots/drawings.py",
    "vl_convert": "tables/plots/chart.py",
    "rapidfuzz": "resources/search.py",
    "distributed": "bulk/cluster.py",
    "filelock": "bulk/manifest.py resources/cache.py",
    "platformdirs": "settings.py",
    "fsspec": "bulk/remote.py",
}


class WithoutTypes(ast.NodeTransformer):
    """Takes away what only a type checker reads."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return None
        return self.generic_visit(node)


def modules(package: Path = PACKAGE) -> Iterator[Path]:
    yield from sorted(package.rglob("*.py"))


def unit(path: Path) -> str:
    """The module of the package, or the subpackage, that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def imported(path: Path, root: Path = ROOT, *, types: bool = True) -> set[str]:
    """The absolute names of all modules a file imports, wherever in it, for its types or not."""
    package = path.relative_to(root).parent.parts
    names: set[str] = set()
    tree = ast.parse(path.read_text())
    if not types:
        tree = WithoutTypes().visit(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            names.add(module)
            names.update(f"{module}.{alias.name}" for alias in node.names)
    return names


def rooms_of(names: set[str]) -> set[str]:
    found = {name.split(".")[1] for name in names if name.startswith("trayport_sdk.")}
    return found & {*ARROWS, "sandbox"}


def top(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


WRAPPER = [path for path in modules() if unit(path) not in ("sandbox", "__init__")]


@pytest.mark.parametrize("path", WRAPPER, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_its_room_may(path: Path) -> None:
    room = unit(path)
    assert rooms_of(imported(path)) - {room} <= ARROWS[room]


def test_no_modules_import_each_other_in_a_circle() -> None:
    dotted = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in WRAPPER}
    paths = {name.removesuffix(".__init__"): path for name, path in dotted.items()}

    def onto(path: Path) -> set[str]:
        """The modules that a file takes names from: of a name that is a module, that one alone."""
        names = imported(path) & paths.keys()
        return {n for n in names if not any(other.startswith(f"{n}.") for other in names)}

    arrows = {name: onto(path) - {name} for name, path in paths.items()}
    while free := {name for name, others in arrows.items() if not others}:
        arrows = {name: others - free for name, others in arrows.items() if name not in free}
    assert arrows == {}


def test_the_rooms_are_these() -> None:
    assert {unit(path) for path in WRAPPER} == ARROWS.keys()


def test_only_the_client_and_the_command_know_the_sandbox() -> None:
    knowing = {
        unit(path)
        for path in WRAPPER
        if any(name.startswith("trayport_sdk.sandbox") for name in imported(path))
    }
    assert knowing <= {"client", "sync", "cli"}


def test_the_sandbox_imports_nothing_of_the_wrapper() -> None:
    for path in modules(PACKAGE / "sandbox"):
        names = {name for name in imported(path) if top({name}) == {"trayport_sdk"}}
        assert all(name.startswith("trayport_sdk.sandbox") for name in names), path
        assert "trayport_api" not in top(imported(path)), path


@pytest.mark.parametrize("package", GENERATED)
def test_generated_code_imports_nothing_of_ours(package: str) -> None:
    # The client may read the tables, which stand at the very bottom.
    foreign = {"trayport_sdk", "trayport_api"} - {package}
    root = ROOT / "generated"
    for path in modules(root / package):
        assert not top(imported(path, root)) & foreign, path


def test_only_the_wire_knows_httpx() -> None:
    knowing = {unit(path) for path in WRAPPER if "httpx" in top(imported(path, types=False))}
    assert knowing <= {"http", "resources"}


@pytest.mark.parametrize("library", HOMES)
def test_a_library_with_traps_or_of_an_extra_has_one_home(library: str) -> None:
    homes = [path for path in modules() if library in top(imported(path))]
    assert homes == [PACKAGE / home for home in HOMES[library].split()]


def loaded(code: str, libraries: set[str]) -> list[str]:
    """Which of the libraries some code loads, in a process of its own."""
    process = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{code}; import sys; print(*sorted({libraries} & {{*sys.modules}}))",
        ],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'generated'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return process.stdout.split()


def test_importing_the_package_loads_no_table_library() -> None:
    tables = {"polars", "pandas", "pyarrow", "numpy", "httpx"}
    assert loaded("import trayport_sdk", tables) == []


def test_a_client_loads_no_library_that_its_settings_do_not_ask_for() -> None:
    libraries = {"polars", "pandas", "pyarrow", "redis", "prometheus_client"}
    libraries |= {"opentelemetry", "keyring", "uvloop", "holidays", "pint", "altair", "vl_convert"}
    made = "from trayport_sdk import Settings, TrayportClient; "
    made += "TrayportClient('a-key', settings=Settings(_env_file=None))"
    assert loaded(made, libraries) == []
