"""The OpenAPI document, read once for all tests of a process."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
# The loader in C takes a tenth of the time.
DOCUMENT: dict[str, Any] = yaml.load(
    (ROOT / "openapi" / "trayport.yaml").read_text(), Loader=yaml.CSafeLoader
)
