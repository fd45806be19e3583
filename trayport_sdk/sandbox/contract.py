"""What a trade or an order is about: a product and a delivery period."""

from typing import Literal

from attrs import frozen

ContractKind = Literal["SinglePeriod", "Spread", "Range"]
Product = Literal["instrument", "market"]

KINDS: tuple[ContractKind, ...] = ("SinglePeriod", "Spread", "Range")


@frozen
class Contract:
    """A product plus the items of one sequence; two items for spreads and ranges."""

    product: Product
    product_id: int
    sequence_id: int
    item_id: int
    second_item_id: int | None = None
    kind: ContractKind = "SinglePeriod"

    def with_instrument(self, instrument_id: int) -> "Contract":
        """The same delivery period of one instrument."""
        return Contract(
            "instrument",
            instrument_id,
            self.sequence_id,
            self.item_id,
            self.second_item_id,
            self.kind,
        )
