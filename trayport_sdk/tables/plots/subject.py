"""What a chart is of, in words: the contracts, the units and the time zone."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
from attrs import frozen

from ...errors import require_extra
from ..analytics.units import Product, units_in
from ..convert import check_zone

_NAMED = 3


@frozen
class Subject:
    """What a chart is of.

    Attributes:
        title: The contracts, by name.
        zone: The time zone.
        price: The unit of prices, in words where it is not known.
        quantity: The unit of quantities, in words where it is not known.
    """

    title: str
    zone: str
    price: str = "the product's currency and unit"
    quantity: str = "the product's unit"

    @classmethod
    def of(
        cls, title: str, product: Product | None, tz: str | None, unit: str | None = None
    ) -> Subject:
        """The subject of a chart; `unit` is that of prices that were converted.

        Raises:
            TrayportConfigurationError: The extra `plot` is not installed.
            TrayportValidationError: There is no such zone, or it is no product.
        """
        require_extra("plot", "altair", "vl_convert", what="plot")
        zone = "UTC" if tz is None else tz
        check_zone(zone)
        price, quantity = (None, None) if product is None else units_in(product)
        known = {"price": unit or price, "quantity": quantity}
        return cls(title, zone, **{name: text for name, text in known.items() if text})

    @property
    def price_title(self) -> str:
        """What stands at an axis of prices."""
        return f"Price ({self.price})"

    def quantity_title(self, name: str) -> list[str]:
        """What stands at an axis of quantities, in two lines."""
        return [name, f"({self.quantity})"]


def title_of(names: Iterable[str], otherwise: str) -> str:
    """The first names, and how many there are more.

    Example:
        >>> title_of(["Apr-24", "May-24", "Jun-24", "Jul-24", "Aug-24"], "Trades")
        'Apr-24, May-24, Jun-24 and 2 more'
    """
    known = list(names)
    more = f" and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
    return ", ".join(known[:_NAMED]) + more or otherwise


def labelled(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows with the names of their contracts, where they are known, instead of symbols."""
    if "contract" not in frame.columns:
        return frame
    return frame.with_columns(pl.coalesce("contract_name", "contract").alias("contract"))


def product_in(frame: pl.DataFrame) -> str:
    """The name of the product in the name of the first contract that has one.

    Example:
        >>> product_in(pl.DataFrame({"contract_name": ["TTF Apr-24"], "period": ["Apr-24"]}))
        'TTF'
    """
    names = ["contract_name", "period"]
    known = frame.drop_nulls(names) if {*names} <= {*frame.columns} else frame.clear()
    if known.is_empty():
        return ""
    name, period = known.select("contract_name", "period").row(0)
    return str(name).removesuffix(str(period)).strip()
