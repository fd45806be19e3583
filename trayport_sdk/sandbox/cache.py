"""A bounded least-recently-used cache for values of very different sizes."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """Keeps what was used last, up to a total weight; safe to share between threads."""

    def __init__(self, capacity: int, weight: Callable[[V], int]) -> None:
        self._capacity = capacity
        self._weight = weight
        self._values: OrderedDict[K, V] = OrderedDict()
        self._total = 0
        self._lock = Lock()

    def find(self, key: K) -> V | None:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value of the key, made at most once as long as it is kept."""
        value = self.find(key)
        return self.keep(key, make()) if value is None else value

    def keep(self, key: K, value: V) -> V:
        """Keeps the value, unless another thread was faster: all get the value of the first."""
        with self._lock:
            kept = self._values.setdefault(key, value)
            if kept is value:
                self._total += self._weight(value)
                while self._total > self._capacity and len(self._values) > 1:
                    _, dropped = self._values.popitem(last=False)
                    self._total -= self._weight(dropped)
            return kept
