"""Wheels and installs with the native reader, and without it where there is no compiler."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from attrs import evolve
from hatchling import build

from tests import wheels
from tests.release.dist import make_different
from trayport_sdk.tables.decode.native import reader

ROOT = Path(__file__).resolve().parents[1]
COMPILER = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
SOURCE = '__attribute__((visibility("default"))) int answer(void) { return %d; }\n'
LIBRARIES = [f"{wheels.NATIVE}.native.{suffix}" for suffix in ("so", "dylib", "dll")]
SBOM = "requirements/trayport-sdk.cdx.json"
PURE = "trayport_sdk-*-py3-none-any.whl"


@pytest.fixture
def compiler() -> str:
    if COMPILER is None:
        reason = "needs a C compiler: apt-get install gcc libc6-dev"
        if "TRAYPORT_TESTS_SKIP_NOTHING" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    return COMPILER


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that is built as this one is, with little in it; the current folder."""
    root = tmp_path / "project"
    for package in ("trayport_sdk", "generated/trayport_api", "generated/trayport_spec"):
        (root / package).mkdir(parents=True)
        (root / package / "__init__.py").touch()
    (root / "requirements").mkdir()
    files = ("pyproject.toml", "hatch_build.py", ".gitignore", "README.md", "LICENSE", SBOM)
    for name in (*files, "trayport_sdk/__init__.py"):
        shutil.copy(ROOT / name, root / name)
    (root / wheels.NATIVE).parent.mkdir(parents=True)
    source(root).write_text(SOURCE % 1)
    monkeypatch.chdir(root)
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("TRAYPORT_BUILD_PLATFORM", raising=False)
    return root


def source(root: Path) -> Path:
    return root / f"{wheels.NATIVE}.c"


def beside(root: Path) -> list[Path]:
    return [path for path in source(root).parent.iterdir() if path != source(root)]


def wheel(directory: Path) -> Path:
    return directory / build.build_wheel(str(directory))


@pytest.mark.usefixtures("compiler")
def test_a_wheel_has_the_reader_and_the_tag_of_this_machine(project: Path, tmp_path: Path) -> None:
    built = wheel(tmp_path)
    with ZipFile(built) as archive:
        tags = archive.read(next(n for n in archive.namelist() if n.endswith("/WHEEL"))).decode()
        (library,) = (name for name in archive.namelist() if name.startswith(wheels.NATIVE))
        assert ctypes.CDLL(archive.extract(library, tmp_path)).answer() == 1
    platform = built.stem.split("-")[-1]
    assert platform != "any"
    assert not platform.startswith("manylinux")
    assert f"Tag: py3-none-{platform}\n" in tags
    assert "Root-Is-Purelib: false" in tags
    assert beside(project) == [*(project / "build").iterdir()] == []


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        ("no compiler", "there is no C compiler"),
        ("CC=false", "false failed with 1"),
        ("CC=no-such-compiler", "no-such-compiler"),
        ("CC=sh junk", "cannot load"),
        ("TRAYPORT_BUILD_PLATFORM=any", "not wanted"),
        ("no source", "there is no trayport_sdk"),
    ],
)
def test_without_a_reader_the_wheel_is_pure_and_says_why(
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    cause: str,
    message: str,
) -> None:
    (project / "build").mkdir()
    (project / "build" / "junk").write_text('while [ "$1" != -o ]; do shift; done; echo no > "$2"')
    stale = source(project).with_suffix(".native.so")
    stale.write_text("of an earlier install")
    if cause == "no source":
        source(project).unlink()
    elif cause == "no compiler":
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        name, _, value = cause.partition("=")
        monkeypatch.setenv(name, value.replace("junk", str(project / "build" / "junk")))
    built = wheel(tmp_path)
    assert built.match(PURE)
    assert not {*ZipFile(built).namelist()} & {*LIBRARIES}
    lines = capfd.readouterr().err.splitlines()
    assert [line for line in lines if "Without the native reader" in line and message in line]
    build.build_editable(str(tmp_path))
    assert not stale.exists()


@pytest.mark.usefixtures("project")
def test_a_wheel_for_another_platform_is_an_error_where_its_compiler_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "false")
    monkeypatch.setenv("TRAYPORT_BUILD_PLATFORM", "win_arm64")
    with pytest.raises(RuntimeError, match=r"no native reader for win_arm64: .*false failed"):
        wheel(tmp_path)


@pytest.mark.usefixtures("compiler")
def test_an_editable_install_has_the_reader_of_its_source(project: Path, tmp_path: Path) -> None:
    build.build_editable(str(tmp_path))
    (library,) = beside(project)
    first = ctypes.CDLL(str(library))
    source(project).write_text(SOURCE % 2)
    build.build_editable(str(tmp_path))
    assert beside(project) == [library]
    copy = tmp_path / f"again{library.suffix}"
    shutil.copy(library, copy)
    assert (first.answer(), ctypes.CDLL(str(copy)).answer()) == (1, 2)
    source(project).write_text("no C")
    build.build_editable(str(tmp_path))
    assert beside(project) == []


@pytest.mark.skipif(reader.library() is None, reason="the native reader was not compiled")
def test_a_library_older_than_its_source_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = Path(reader.__file__).with_name(reader.LIBRARY)
    shutil.copy2(compiled, tmp_path)
    monkeypatch.setattr(reader, "__file__", str(tmp_path / "reader.py"))
    load = reader._load.__wrapped__
    assert load()
    made = compiled.stat().st_mtime
    for age, is_used in ((-1, True), (0, True), (1, False)):
        (tmp_path / "rows.c").touch()
        os.utime(tmp_path / "rows.c", (made + age, made + age))
        assert (load() is not None) is is_used


@pytest.mark.usefixtures("compiler", "project")
def test_a_source_distribution_builds_the_same_wheel_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.build_editable(str(tmp_path))
    first = wheel(tmp_path)
    with tarfile.open(tmp_path / build.build_sdist(str(tmp_path))) as archive:
        # The first versions of 3.11 know no filters, and later ones warn without one.
        filters: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(tmp_path / "unpacked", **filters)  # noqa: S202  (it was made here)
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert source(unpacked).exists()
    assert beside(unpacked) == []
    monkeypatch.chdir(unpacked)
    second = wheel(tmp_path / "unpacked")
    assert second.name == first.name
    assert second.read_bytes() == first.read_bytes()


def test_what_is_built_does_not_tell_where_when_and_by_whom(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAYPORT_BUILD_PLATFORM", "any")
    elsewhere = tmp_path / "else where"
    shutil.copytree(project, elsewhere)
    make_different(elsewhere)
    built = []
    for root, umask in ((project, 0o022), (elsewhere, 0o077)):
        monkeypatch.chdir(root)
        before = os.umask(umask)
        try:
            names = build.build_wheel(str(root)), build.build_sdist(str(root))
        finally:
            os.umask(before)
        built.append([Path(root, name).read_bytes() for name in names])
    assert built[0] == built[1]


@pytest.mark.parametrize(
    ("platform", "changed", "fault"),
    [
        ("manylinux_2_17_x86_64", {}, None),
        ("manylinux_2_17_x86_64", {"machine": "AARCH64"}, "is for AARCH64"),
        ("manylinux_2_17_x86_64", {"needs": {"libc.so.6", "libm.so.6"}}, "needs .*libm"),
        ("manylinux_2_17_x86_64", {"versions": {(2, 4), (2, 28)}}, r"needs \(2, 28\)"),
        ("macosx_11_0_arm64", {}, None),
        ("macosx_11_0_arm64", {"signed": False}, "is not signed"),
        ("macosx_11_0_arm64", {"versions": {(13, 0, 0)}}, r"needs \(13, 0, 0\)"),
        ("win_arm64", {}, None),
        ("win_arm64", {"needs": {"vcruntime140.dll"}}, "needs .*vcruntime140"),
    ],
)
def test_a_library_that_is_not_for_its_platform_is_noticed(
    platform: str, changed: dict[str, Any], fault: str | None
) -> None:
    (target,) = (item for item in wheels.TARGETS if item.platform == platform)
    library = wheels.Library(target.machine, {target.needs}, {"tp_feed"}, {(2, 14)}, signed=True)
    found = [*wheels.faults(target, evolve(library, **changed))]
    assert len(found) == (fault is not None)
    assert all(re.match(fault or "", text) for text in found)


@pytest.mark.parametrize(
    ("file", "again"),
    [
        ("README.md", False),
        ("hatch_build.py", True),
        ("pyproject.toml", True),
        ("trayport_sdk/tables/decode/native/rows.c", True),
    ],
)
def test_setup_compiles_again_after_a_change(tmp_path: Path, file: str, again: bool) -> None:
    for stamp in (".locked", ".installed"):
        (tmp_path / stamp).touch()
    command = ["make", "--dry-run", f"--what-if={file}", "setup", f"VENV={tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ("--editable" in done.stdout) is again
    assert "--require-hashes" not in done.stdout
