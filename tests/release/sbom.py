"""The software bill of materials: what the package installs, at the locked versions."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import trayport_sdk

ROOT = Path(__file__).resolve().parents[2]
SBOM = ROOT / "requirements" / "trayport-sdk.cdx.json"
LOCK = ROOT / "requirements" / "dev.txt"


def pins() -> list[str]:
    """The locked versions, with their markers."""
    return re.findall(r"^([a-z0-9].*?) \\$", LOCK.read_text(), re.MULTILINE)


def make() -> str:
    """The SBOM as CycloneDX 1.5: without times, random numbers and addresses.

    The extras' packages have the scope `optional`. Needs a package index.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    lines = [
        "[project]",
        f'name = "{project["name"]}"',
        f'version = "{trayport_sdk.__version__}"',
        f'requires-python = "{project["requires-python"]}"',
        f"dependencies = {json.dumps(project['dependencies'])}",
        "[project.optional-dependencies]",
        *(f"{extra} = {json.dumps(names)}" for extra, names in optional.items()),
        "[tool.uv]",
        "package = false",
        f"constraint-dependencies = {json.dumps(pins())}",
    ]
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "pyproject.toml").write_text("\n".join(lines))
        _uv(directory, "lock")
        everything = json.loads(_export(directory, "--all-extras"))
        core = json.loads(_export(directory))
    return json.dumps(_plain(everything, core), indent=2, sort_keys=True) + "\n"


def _plain(everything: dict[str, Any], core: Mapping[str, Any]) -> dict[str, Any]:
    always = {item["purl"] for item in core["components"]}
    for item in everything["components"]:
        item.pop("externalReferences", None)  # the addresses of files
        item["scope"] = "required" if item["purl"] in always else "optional"
    del everything["serialNumber"], everything["metadata"]["timestamp"]
    root = everything["metadata"]["component"]
    root["purl"] = f"pkg:pypi/{root['name']}@{root['version']}"
    root["licenses"] = [{"license": {"id": "MIT"}}]
    return everything


def _export(directory: str, *extras: str) -> str:
    options = ("--format", "cyclonedx1.5", "--preview-features", "sbom-export", "--frozen")
    return _uv(directory, "export", *options, *extras)


def _uv(directory: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "uv", *arguments, "--no-config", "--quiet"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"uv {arguments[0]} failed: {done.stderr}")
    return done.stdout
