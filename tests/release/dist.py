"""The source distribution and the pure wheel, built in two folders that share only the files."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.release.sbom import ROOT, SBOM

ELSEWHERE = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "1"}
PRIVATE = 0o077
LONG_AGO = 1_000_000_000


def build(
    root: Path,
    directory: Path,
    targets: Sequence[str] = ("sdist", "wheel"),
    variables: Mapping[str, str] | None = None,
) -> None:
    """Builds the source distribution and the wheel for all machines."""
    environment = {name: text for name, text in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    environment |= {"TRAYPORT_BUILD_PLATFORM": "any", **(variables or {})}
    command = [sys.executable, "-m", "hatchling", "build"]
    command += [word for target in targets for word in ("-t", target)]
    done = subprocess.run(
        [*command, "-d", str(directory)],
        cwd=root, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{done.stdout}{done.stderr}")


def copy(root: Path) -> None:
    """Copies the files that git knows."""
    names = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, names.split("\0")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, root / name, follow_symlinks=False)


def make_different(root: Path) -> None:
    """Gives every file another time, and takes it away from everybody else."""
    for path in root.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~PRIVATE)
            os.utime(path, (LONG_AGO, LONG_AGO))


def main() -> int:
    """Puts both into dist, with the bill of materials and the hashes of all files there."""
    dist = ROOT / "dist"
    dist.mkdir(exist_ok=True)
    for old in dist.glob("*.tar.gz"):
        old.unlink()
    with tempfile.TemporaryDirectory() as directory:
        here, there = Path(directory, "here"), Path(directory, "over there")
        copy(here)
        copy(there)
        make_different(there)
        umask = os.umask(PRIVATE)
        build(there, there / "dist", variables=ELSEWHERE)
        os.umask(umask)
        build(here, here / "dist")
        different = 0
        for built in sorted((here / "dist").iterdir()):
            again = (there / "dist" / built.name).read_bytes() == built.read_bytes()
            different += not again
            print(f"{built.name}: {'the same bytes' if again else 'OTHER BYTES'} in both folders")
            shutil.copy2(built, dist)
    shutil.copy2(SBOM, dist)
    files = sorted([*dist.glob("*.whl"), *dist.glob("*.tar.gz"), dist / SBOM.name])
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (dist / "SHA256SUMS").write_text("".join(sums))
    return 1 if different else 0
