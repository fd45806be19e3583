"""Writes the outputs of code blocks into the pages, their charts, and the drawings.

python -m tests.docs [PAGE ...]
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docs import drawings, terminal
from tests.docs.pages import PAGES, name
from tests.docs.update import update

if __name__ == "__main__":
    for written in drawings.write():
        print(written)
    if terminal.write():
        print(terminal.PICTURE.name)
    for path in [Path(argument).resolve() for argument in sys.argv[1:]] or PAGES:
        with TemporaryDirectory() as folder:
            if update(path, Path(folder)):
                print(name(path))
