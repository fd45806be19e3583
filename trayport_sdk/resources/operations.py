"""The base class of the generated methods whose rows come as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..bulk.runner import Runner
    from .resolve import Resolver


class RowOperations:
    """Methods whose rows come as tables."""

    def __init__(self, runner: Runner, resolver: Resolver) -> None:
        self._runner = runner
        self._resolver = resolver
