"""Decodes drawn documents with one build of the library: `python -m ... LIBRARY SEED DOCUMENTS`.

A process of its own, because a library that reads or writes out of bounds ends it.
"""

from __future__ import annotations
