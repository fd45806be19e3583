"""Where the built documentation lies."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import click

CHECKOUT = Path(__file__).resolve().parents[2]


def built_docs(named: str, checkout: Path = CHECKOUT) -> Path:
    """The folder that was named, or else that of the checkout, built again if pages have changed.

    Raises:
        click.UsageError: There is no documentation, and no way to build it.
    """
    if named:
        if not (Path(named) / "index.html").is_file():
            raise click.UsageError(f"--docs {named} holds no documentation: it has no index.html")
        return Path(named)
    if not (checkout / "mkdocs.yml").is_file():
        raise click.UsageError(
            "the documentation is not part of the installed package: "
            "run make docs in a checkout, and name its folder site with --docs site"
        )
    site = checkout / "site"
    if not _is_fresh(site / "index.html", checkout):
        if importlib.util.find_spec("mkdocs") is None:
            raise click.UsageError("the documentation is not built: run make docs first")
        click.echo("building the documentation, which takes a quarter of a minute", err=True)
        command = [sys.executable, "-m", "mkdocs", "build", "--quiet"]
        environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
        if subprocess.run(command, cwd=checkout, env=environment, check=False).returncode:  # noqa: S603
            raise click.ClickException("the documentation cannot be built")
    return site


def _is_fresh(index: Path, checkout: Path) -> bool:
    if not index.is_file():
        return False
    sources = [checkout / "mkdocs.yml", *(checkout / "docs").rglob("*")]
    return index.stat().st_mtime >= max(source.stat().st_mtime for source in sources)
