"""`python -m tests.wheels`: builds the wheels of every platform, and reads what is in them.

Needs the compiler that `make wheels` installs. What was built for this machine is run as well.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zipfile import ZipFile

from attrs import Factory, frozen
from packaging.tags import platform_tags

ROOT = Path(__file__).resolve().parents[1]
ZIG = ROOT / ".cache" / "zig" / "ziglang"
NATIVE = "trayport_sdk/tables/decode/native/rows"


@frozen
class Target:
    """A platform that gets a wheel with the native reader.

    Attributes:
        platform: What the tag of its wheel says.
        triple: What zig calls it.
        machine: The processor, as its libraries name it.
        needs: The one library that is everywhere on it.
        options: What else the compiler must be told.
    """

    platform: str
    triple: str
    machine: str
    needs: str
    options: Sequence[str] = ()


# Zig would make the C runtime of MinGW first, for minutes, of which the reader needs nothing.
WINDOWS = (
    "-nostdlib", "-lucrtbase", "-Wl,--no-entry", "-Wl,-s",
    "-isystem", str(ZIG / "lib" / "libc" / "include" / "any-windows-any"),
)  # fmt: skip
PROGRAM = """
from pathlib import Path
import trayport_sdk
from trayport_sdk.sync import TrayportClient
assert Path(trayport_sdk.__file__).parents[1] == Path.cwd(), trayport_sdk.__file__
with TrayportClient.sandbox() as client:
    assert len(client.get_ohlcv("TTF Hi Cal 51.6* Apr-24", "2024-03-04", "2024-03-05", "1h"))
    print(client.get_status().reader)
"""
SYSTEM = "/usr/lib/libSystem.B.dylib"
TARGETS = (
    Target("manylinux_2_17_x86_64", "x86_64-linux-gnu.2.17", "X86_64", "libc.so.6"),
    Target("manylinux_2_17_aarch64", "aarch64-linux-gnu.2.17", "AARCH64", "libc.so.6"),
    Target("musllinux_1_2_x86_64", "x86_64-linux-musl", "X86_64", "libc.so"),
    Target("musllinux_1_2_aarch64", "aarch64-linux-musl", "AARCH64", "libc.so"),
    Target("macosx_10_13_x86_64", "x86_64-macos.10.13", "X86_64", SYSTEM),
    Target("macosx_11_0_arm64", "aarch64-macos.11.0", "ARM64", SYSTEM),
    Target("win_amd64", "x86_64-windows-gnu", "AMD64", "ucrtbase.dll", WINDOWS),
    Target("win_arm64", "aarch64-windows-gnu", "ARM64", "ucrtbase.dll", WINDOWS),
)


@frozen
class Library:
    """What a library says of itself.

    Attributes:
        machine: The processor that it is for.
        needs: The libraries that it needs.
        exports: The functions that it has.
        versions: The versions of the system, or of its C library, that have what it needs.
        signed: Whether it is signed.
    """

    machine: str
    needs: set[str]
    exports: set[str]
    versions: set[tuple[int, ...]] = Factory(set[tuple[int, ...]])
    signed: bool = False


def read(content: bytes) -> Library:
    """Reads a library of any platform.

    Raises:
        ValueError: It is none.
    """
    import lief  # is where the compiler is

    lief.logging.disable()  # and of every table that a DLL has not
    match binary := lief.parse(content):
        case lief.ELF.Binary():
            versions = {
                tuple(map(int, str(version.name).removeprefix("GLIBC_").split(".")))
                for requirement in binary.symbols_version_requirement
                for version in requirement.get_auxiliary_symbols()
            }
            exports = {str(symbol.name) for symbol in binary.exported_symbols}
            needs = {str(name) for name in binary.libraries}
            return Library(binary.header.machine_type.name, needs, exports, versions)
        case lief.MachO.Binary():
            built, least = binary.build_version, binary.version_min
            versions = {tuple(built.minos)} if built else {tuple(least.version)} if least else set()
            names = {str(symbol.name).removeprefix("_") for symbol in binary.exported_symbols}
            exports = {name for name in names if not name.startswith("_")}
            itself = lief.MachO.LoadCommand.TYPE.ID_DYLIB
            needs = {str(item.name) for item in binary.libraries if item.command != itself}
            signed = binary.has_code_signature
            return Library(binary.header.cpu_type.name, needs, exports, versions, signed)
        case lief.PE.Binary():
            table = binary.get_export()
            exports = {str(entry.name) for entry in table.entries} if table else set()
            needs = {str(item.name) for item in binary.imports}
            return Library(binary.header.machine.name, needs, exports)
        case _:
            raise ValueError("this is no library")


def build(platform: str, directory: Path, compiler: Sequence[str] = ()) -> Path:
    """Builds the wheel of a platform; `any` is the one without the native reader."""
    environment = {
        **os.environ,
        "TRAYPORT_BUILD_PLATFORM": platform,
        "CC": shlex.join(compiler),
        "ZIG_GLOBAL_CACHE_DIR": str(ZIG.parent / "made"),
    }
    directory.mkdir(exist_ok=True)  # hatchling fails where another build makes it meanwhile
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{platform}: {done.stdout}{done.stderr}")
    return next(directory.glob(f"*-py3-none-{platform}.whl"))


def library_in(wheel: Path) -> Library | None:
    """The native reader of a wheel, if it has one.

    Raises:
        ValueError: It has several, or one of a system that its tag does not name.
    """
    suffix = {"win": "dll", "mac": "dylib"}.get(wheel.stem.split("-")[-1][:3], "so")
    with ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith((".so", ".dylib", ".dll"))]
        if not names:
            return None
        if names != [f"{NATIVE}.native.{suffix}"]:
            raise ValueError(f"{wheel.name} has {names}")
        return read(archive.read(names[0]))


def faults(target: Target, library: Library) -> Iterator[str]:
    """What is wrong with the library of a wheel."""
    if library.machine != target.machine:
        yield f"is for {library.machine}"
    if library.needs != {target.needs}:
        yield f"needs {library.needs}"
    named = re.search(r"_(\d+)_(\d+)_", target.platform)
    if named and library.versions and max(library.versions)[:2] > tuple(map(int, named.groups())):
        yield f"needs {max(library.versions)}"
    if target.platform.startswith("macosx") and target.machine == "ARM64" and not library.signed:
        yield "is not signed"


def run(wheel: Path) -> None:
    """Installs a wheel beside the environment, and decodes with it.

    Raises:
        RuntimeError: It does not decode, or not with the native reader.
    """
    with tempfile.TemporaryDirectory() as directory:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
        subprocess.run([*pip, "--target", directory, str(wheel)], check=True)
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=directory, env={**os.environ, "PYTHONPATH": directory},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if (done.returncode, done.stdout) != (0, "native\n"):
        raise RuntimeError(f"{wheel.name} reads with: {done.stdout}{done.stderr}")


def main() -> int:
    directory = ROOT / "dist"
    for old in directory.glob("*.whl"):
        old.unlink()

    def built(target: Target) -> Path:
        compiler = [str(ZIG / "zig"), "cc", "-target", target.triple, *target.options]
        return build(target.platform, directory, compiler)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        wheels = dict(zip(TARGETS, pool.map(built, TARGETS), strict=True))
    here, exports, wrong = [*platform_tags()], set[frozenset[str]](), 0
    for target, wheel in wheels.items():
        library = library_in(wheel)
        found = [*faults(target, library)] if library else ["has no native reader"]
        if library:
            exports.add(frozenset(library.exports))
        if not found and target.platform in here:
            run(wheel)
        wrong += bool(found)
        state = "; ".join(found) or ("run" if target.platform in here else "built, not run")
        print(f"{wheel.name} ({wheel.stat().st_size // 1000:,} kB): {state}", flush=True)
    if len(exports) != 1:
        wrong += 1
        print(f"the readers have different functions: {[sorted(names) for names in exports]}")
    pure = build("any", directory)
    if library_in(pure):
        wrong += 1
        print(f"{pure.name} has a native reader")
    print(f"{pure.name}: for all other machines")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
