"""A copy of the repository to edit the document in, and what is then generated and works."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from attrs import field, frozen

ROOT = Path(__file__).resolve().parents[2]
TRY_OUT = Path(__file__).with_name("try_out.py")
COPIED = ("openapi", "generated", "trayport_sdk", "docs")


@frozen
class Copy:
    """The document with its generator, and what is generated from it.

    With `only`, just these folders are copied.
    """

    root: Path
    only: tuple[str, ...] = COPIED
    _document: Path = field(init=False)

    @_document.default
    def _in_root(self) -> Path:
        return self.root / "openapi" / "trayport.yaml"

    def __attrs_post_init__(self) -> None:
        for folder in self.only:
            shutil.copytree(ROOT / folder, self.root / folder)
        for file in ("codegen.sh", "mkdocs.yml"):
            shutil.copy2(ROOT / file, self.root)

    def replace(self, old: str, new: str) -> None:
        """Changes the first place of the document that reads so."""
        text = self._document.read_text()
        assert old in text, f"the document does not say {old!r}"
        self._document.write_text(text.replace(old, new, 1))

    def add_operation(self, like: str, *names: tuple[str, str]) -> None:
        """Adds an operation that is like the one of a path, but for some names."""
        text = self._document.read_text()
        start = text.index(f"  {like}:\n")
        end = text.index("\n\n", start) + 2
        block = text[start:end]
        for old, new in names:
            block = block.replace(old, new)
        self._document.write_text(text[:end] + block + text[end:])

    def insert_after(self, mark: str, new: str) -> None:
        """Adds text after the first place of the document that reads so."""
        self.replace(mark, mark + new)

    def add_venue(self, row: str) -> None:
        with (self.root / "openapi" / "venues.csv").open("a") as table:
            table.write(row + "\n")

    def generate(self) -> subprocess.CompletedProcess[str]:
        return self.run_in(self.root, sys.executable, "openapi/generate.py")

    def written(self, overlay: object) -> str:
        """The path of a file with an overlay."""
        path = self.root / "overlay.json"
        path.write_text(json.dumps(overlay))
        return str(path)

    def codegen(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run_in(self.root, "./codegen.sh", *arguments)

    def try_out(self, questions: object) -> Any:
        """What the copy says to questions, in a process of its own."""
        process = self.run_in(
            self.root,
            sys.executable,
            str(TRY_OUT),
            stdin=json.dumps(questions),
            PYTHONPATH=os.pathsep.join([str(self.root / "generated"), str(self.root)]),
        )
        assert process.returncode == 0, process.stderr
        found = json.loads(process.stdout)
        assert all(path.startswith(str(self.root)) for path in found.pop("made_from"))
        return found

    @staticmethod
    def run_in(
        root: Path, *command: str, stdin: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        tools = str(Path(sys.executable).parent)
        path = f"{tools}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            command,
            cwd=root,
            env=os.environ | {"PATH": path} | environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
