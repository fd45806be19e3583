"""Writes the outputs of code blocks into the pages.

python -m tests.docs [PAGE ...]
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docs.pages import PAGES, name, update

if __name__ == "__main__":
    for path in [Path(argument).resolve() for argument in sys.argv[1:]] or PAGES:
        with TemporaryDirectory() as folder:
            if update(path, Path(folder)):
                print(name(path))
