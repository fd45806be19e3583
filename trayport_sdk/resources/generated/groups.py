"""The groups of a client, each loaded on first use.

Generated from openapi/. Do not edit: run ./codegen.sh.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ..parts import Parts

if TYPE_CHECKING:
    from ..orders import OrdersGroup
    from ..reference import ReferenceGroup
    from ..snapshots import SnapshotsGroup
    from ..trades import TradesGroup


class Groups(Parts):
    """The groups of methods of a client."""

    @cached_property
    def trades(self) -> TradesGroup:
        """Public and private trades, candles, the last trade and trading activity."""
        from ..trades import TradesGroup

        return TradesGroup(self._runner, self._resolver)

    @cached_property
    def orders(self) -> OrdersGroup:
        """The order book over time, as its best prices or in depth."""
        from ..orders import OrdersGroup

        return OrdersGroup(self._runner, self._resolver)

    @cached_property
    def snapshots(self) -> SnapshotsGroup:
        """The last trade and the best orders of many contracts at one instant."""
        from ..snapshots import SnapshotsGroup

        return SnapshotsGroup(self._runner, self._resolver)

    @cached_property
    def reference(self) -> ReferenceGroup:
        """Instruments, markets, sequences and the delivery periods they are made of."""
        from ..reference import ReferenceGroup

        return ReferenceGroup(self._reader)


GROUPS = ("trades", "orders", "snapshots", "reference")
