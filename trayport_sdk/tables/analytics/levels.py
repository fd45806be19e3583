"""One level of an order book, as a value."""

from __future__ import annotations

from attrs import field, frozen
from trayport_api.models import OrderSide

from ...errors import TrayportValidationError


def _side(value: str) -> OrderSide:
    try:
        return OrderSide(str(value).lower())
    except ValueError:
        raise TrayportValidationError(
            f"side {value!r} is no side of a book",
            parameter="side",
            limit=", ".join(OrderSide),
            suggestion=f"use one of {', '.join(OrderSide)}",
        ) from None


@frozen(order=False)
class Level:
    """An order, or all orders at a price, on one side of a book; better prices sort first.

    A higher price is better among bids, a lower one among asks. Levels of one price rank the same,
    so that sorting leaves the oldest first, as the API sends them. Those of two sides do not
    compare: that is a `TypeError`.

    Attributes:
        side: Which side it stands on, `bid` or `ask`.
        price: The price, in the product's currency per unit.
        quantity: The quantity, in the product's unit.
        venue_code: The venue, where the book says it and the level is of one venue.
        order_count: How many orders it is made of.

    Example:
        >>> Level("bid", 35.60, 10.0) < Level("bid", 35.55, 500.0)
        True
        >>> min(Level("ask", 35.65, 5.0), Level("ask", 35.70, 5.0)).price
        35.65
    """

    side: OrderSide = field(converter=_side)
    price: float
    quantity: float
    venue_code: str | None = None
    order_count: int = 1

    @property
    def _rank(self) -> float:
        return -self.price if self.side is OrderSide.BID else self.price

    def _rank_beside(self, other: Level) -> tuple[float, float]:
        if self.side is not other.side:
            raise TypeError(
                f"a level of side {self.side} does not compare with one of side {other.side}"
            )
        return self._rank, other._rank

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Level):
            return NotImplemented
        own, others = self._rank_beside(other)
        return own < others

    def __le__(self, other: object) -> bool:
        if not isinstance(other, Level):
            return NotImplemented
        own, others = self._rank_beside(other)
        return own <= others

    def __gt__(self, other: object) -> bool:
        return other < self if isinstance(other, Level) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return other <= self if isinstance(other, Level) else NotImplemented
