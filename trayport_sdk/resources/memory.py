"""The last answers about reference data, for the time when the service does not answer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from datetime import datetime
from typing import Any, TypeVar

Model = TypeVar("Model")

ANSWERS_KEPT = 64


class ReferenceList(list[Model]):
    """A list of reference data that knows when it was read.

    Attributes:
        read_at: When the service sent it, in UTC.
        stale: Whether it was served from memory because the service keeps failing.
    """

    def __init__(self, rows: Iterable[Model], read_at: datetime, *, stale: bool = False) -> None:
        super().__init__(rows)
        self.read_at = read_at
        self.stale = stale

    def where(self, wanted: Callable[[Model], bool]) -> ReferenceList[Model]:
        """The part of the list that is wanted."""
        return ReferenceList(filter(wanted, self), self.read_at, stale=self.stale)


class LastAnswers:
    """The answers that were read last, a bounded number of them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, ReferenceList[Any]] = OrderedDict()

    def keep(self, question: Hashable, rows: ReferenceList[Any]) -> None:
        """Remembers an answer, and forgets the one that was used longest ago."""
        # A copy: what users do to their list must not come back to them later.
        self._kept[question] = _stale(rows)
        self._kept.move_to_end(question)
        if len(self._kept) > ANSWERS_KEPT:
            self._kept.popitem(last=False)

    def find(self, question: Hashable) -> ReferenceList[Any] | None:
        """The last answer to a question, marked as stale, if it is remembered."""
        kept = self._kept.get(question)
        if kept is None:
            return None
        self._kept.move_to_end(question)
        return _stale(kept)


def _stale(rows: ReferenceList[Any]) -> ReferenceList[Any]:
    return ReferenceList(rows, rows.read_at, stale=True)
