"""Compiles the native reader into wheels and editable installs, where there is a C compiler.

Without one, or if it fails, the package is built without the reader and decodes in Python.

`CC` names the compiler. `TRAYPORT_BUILD_PLATFORM` names the platform, in the words of the tags of
wheels: `any` is without the reader; for any other, such as `manylinux_2_17_x86_64`, `CC` must be a
compiler that makes libraries for it, and its failure is an error.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.builders.wheel import WheelBuilderConfig
from packaging.tags import platform_tags

NATIVE = Path("trayport_sdk/tables/decode/native")
SUFFIXES = {"win": "dll", "mac": "dylib"}
FLAGS = ("-O3", "-g0", "-fPIC", "-shared", "-fvisibility=hidden")
PLATFORM = "TRAYPORT_BUILD_PLATFORM"


class NativeReader(BuildHookInterface[WheelBuilderConfig]):
    """Compiles beside the source for an editable install, and else into the wheel alone."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        wanted = os.environ.get(PLATFORM) or None
        foreign = wanted not in (None, "any")
        platform = wanted if wanted and foreign else _this_platform()
        library = NATIVE / f"rows.native.{SUFFIXES.get(platform[:3], 'so')}"
        beside = Path(self.root, "build")  # on the disk of the source, for a move in one step
        beside.mkdir(exist_ok=True)
        self._directory = tempfile.mkdtemp(prefix="native-", dir=beside)
        compiled = Path(self._directory, library.name)
        why = "it is not wanted" if wanted == "any" else self._compile(compiled)
        if not why and not foreign and not _loads(compiled):
            why = "this Python cannot load what the compiler makes"
        if why and foreign:
            raise RuntimeError(f"no native reader for {platform}: {why}")
        if why:
            self.app.display_warning(f"Without the native reader, decoding in Python: {why}")
        if version == "editable":
            if why:
                Path(self.root, library).unlink(missing_ok=True)
            else:
                compiled.replace(Path(self.root, library))
        elif not why:
            build_data["force_include"][str(compiled)] = library.as_posix()
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{platform}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        shutil.rmtree(self._directory)

    def _compile(self, output: Path) -> str | None:
        """Why there is no library, if there is none."""
        source = Path(self.root, NATIVE, "rows.c")
        if not source.exists():
            return f"there is no {NATIVE}/rows.c"
        given = shlex.split(os.environ.get("CC", ""), posix=os.name == "posix")
        compiler = given or [name for name in ("cc", "gcc", "clang") if shutil.which(name)][:1]
        if not compiler:
            return "there is no C compiler"
        command = [*compiler, *FLAGS, "-o", output.name, os.path.relpath(source, output.parent)]
        try:  # with relative paths, so that what is made is the same wherever it is made
            code = subprocess.run(command, cwd=output.parent, check=False).returncode
        except OSError as error:
            return str(error)
        return f"{shlex.join(compiler)} failed with {code}" if code else None


def _this_platform() -> str:
    """This machine's tag that promises nothing about the C library of other machines."""
    return next(tag for tag in platform_tags() if not tag.startswith(("manylinux", "musllinux")))


def _loads(library: Path) -> bool:
    program = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
    return not subprocess.run(
        [sys.executable, "-c", program, library], stderr=subprocess.DEVNULL
    ).returncode
