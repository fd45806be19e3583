"""What venues correct after the fact: how many trades, and how late."""

import datetime as dt
from typing import Any

from attrs import Attribute, field, frozen


def _share(_: object, attribute: "Attribute[Any]", value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{attribute.name!r} is {value}, but must be a share from 0 to 1.")


@frozen(kw_only=True)
class Corrections:
    """Trades that become known late, are altered, or are deleted after the fact.

    Which trades these are, and when, depends on the seeds, the trade and the clock of the sandbox
    alone. A trade has at most one correction. Before it becomes known, a late trade is absent, an
    altered one has another price, quantity or both, and a deleted one is there. Once all are known,
    the trades are those of a sandbox without corrections, less the deleted ones; `lastUpdated` of
    late and altered ones is the time at which their correction became known.

    Trades, private trades, candles, the last trade, snapshots and activity agree. Activity counts
    the trades that are there, and altered and deleted ones as updates and deletions too.

    Attributes:
        late: The share of trades that come late.
        altered: The share that is altered.
        deleted: The share that is deleted.
        after: How long after the deal the first corrections become known.
        until: How long after the deal the last ones do.
        seed: Which trades are corrected.

    Raises:
        ValueError: A share is not from 0 to 1, they add up to more than 1, or the delays are
            negative or not in order.

    Example:
        >>> Corrections(late=0.02, altered=0, deleted=0).late
        0.02
    """

    late: float = field(default=0.01, validator=_share)
    altered: float = field(default=0.01, validator=_share)
    deleted: float = field(default=0.01, validator=_share)
    after: dt.timedelta = dt.timedelta(hours=1)
    until: dt.timedelta = dt.timedelta(days=5)
    seed: int = 0

    def __attrs_post_init__(self) -> None:
        total = self.late + self.altered + self.deleted
        if total > 1:
            raise ValueError(
                f"'late', 'altered' and 'deleted' add up to {total:g}, but must not exceed 1: "
                "a trade has one correction."
            )
        if not dt.timedelta(0) <= self.after <= self.until:
            raise ValueError(
                f"'after' is {self.after} and 'until' {self.until}: delays must not be negative, "
                "and the shortest not longer than the longest."
            )
