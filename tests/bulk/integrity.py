"""Whether everything that a data set says of itself is so."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from trayport_sdk.bulk.dataset_writer import STAGING
from trayport_sdk.bulk.manifest import LOCK, NAME, OWNER, Manifest
from trayport_sdk.bulk.sidecars import CONTRACTS, EMPTY, VIEW
from trayport_sdk.bulk.storage import sha256

STATE = ".trayport"
OWN = {CONTRACTS, VIEW, EMPTY, f"{STATE}/{LOCK}", f"{STATE}/{OWNER}"}
"""The files that are neither rows nor the manifest."""


def check_integrity(root: Path) -> None:
    """Checks a data set that no program is writing to, and whose last one ended well.

    Raises:
        AssertionError: A file is missing, is not what the manifest says, or should not be there.
    """
    with Manifest(root / STATE, reads=True) as manifest:
        files, versions = manifest.files(), manifest.versions()
        assert manifest.begun() == []
        for subject in manifest.subjects():
            windows = [done.window for done in manifest.done(subject)]
            assert all(one.end <= other.start for one, other in pairwise(windows))
    known = {file.name: file.checksum for file in files if file.rows}
    known |= {version.kept: version.checksum for version in versions if version.kept}
    there = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    strangers = [
        name
        for name in there
        if name not in known and name not in OWN and not name.startswith(f"{STATE}/{NAME}")
    ]
    assert not strangers, strangers
    assert {name: sha256(there[name]) for name in known if name in there} == known
    staging = root / STATE / STAGING
    assert not staging.exists() or not list(staging.iterdir())
