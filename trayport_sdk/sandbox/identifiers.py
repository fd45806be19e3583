"""Trade ids in the shapes that venues give them."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from trayport_sdk.sandbox.calendar import DAY, date_of
from trayport_sdk.sandbox.catalogue import catalogue
from trayport_sdk.sandbox.contract import KINDS, Contract
from trayport_sdk.sandbox.noise import I64
from trayport_sdk.sandbox.venues import VENUE_CODES

_EUREX = frozenset({"EEX7", "EEX"})
_NUMERIC = frozenset({"ICE", "NDAQ", "NODX", "EPEX", "IENX", "EEXS"})
_KNOWN_PRODUCT_CODES = {10_002_806: "G3B", 10_003_008: "FEU"}
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ID_BASE = 10_000_000
_ITEM_RADIX = 100_000


def trade_ids(
    contract: Contract,
    times: I64,
    instrument_ids: I64,
    venues: npt.NDArray[np.int16],
    numbers: I64,
) -> list[str]:
    """One id per trade: what the venue, instrument contract and day fix, and the number."""
    if len(times) == 0:
        return []
    days = times // DAY
    groups = (days << 40) | ((instrument_ids - _ID_BASE) << 12) | venues
    _, first, positions = np.unique(groups, return_index=True, return_inverse=True)
    frames = [
        _frame(
            contract.with_instrument(int(instrument_ids[n])), VENUE_CODES[venues[n]], int(days[n])
        )
        for n in first.tolist()
    ]
    group = pl.Series("group", positions)
    heads = pl.Series("head", [head for head, _ in frames], pl.String).gather(group)
    tails = pl.Series("tail", [tail for _, tail in frames], pl.String).gather(group)
    serials = pl.Series("serial", numbers + 1).cast(pl.String)
    ids = pl.select(pl.concat_str(heads, serials, tails)).to_series()
    return [str(name) for name in ids.to_list()]


@lru_cache(maxsize=16_384)
def _frame(contract: Contract, venue: str, day: int) -> tuple[str, str]:
    """What stands before and behind the number of a trade."""
    if venue in _EUREX:
        date = date_of(day).strftime("%Y%m%d")
        system = "Eurex T7" if venue == "EEX7" else "Eurex C7"
        return f"{system}/{_product_code(contract)}{_period_code(contract)}-{date}/", "/1 Public"
    serial = contract.product_id - _ID_BASE
    for part, radix in (
        (contract.sequence_id - _ID_BASE, 1000),
        (KINDS.index(contract.kind), 10),
        (contract.item_id, _ITEM_RADIX),
        (contract.second_item_id or 0, _ITEM_RADIX),
        (day, _ITEM_RADIX),
    ):
        serial = serial * radix + part
    if venue in _NUMERIC:
        return f"{serial}-", ""
    return f"{venue[:2]}{_base36(serial)}T", ""


def _base36(number: int) -> str:
    digits: list[str] = []
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits)) or "0"


def _product_code(contract: Contract) -> str:
    known = _KNOWN_PRODUCT_CODES.get(contract.product_id)
    return known or f"X{_base36(contract.product_id - _ID_BASE)}"


def _period_code(contract: Contract) -> str:
    letter = catalogue().grids[contract.sequence_id].rule.letter
    first = _item_code(contract.sequence_id, contract.item_id)
    if contract.second_item_id is None:
        return f"{letter}{first}"
    second = _item_code(contract.sequence_id, contract.second_item_id)
    joint = "S" if contract.kind == "Spread" else "R"
    return f"{letter}{first}{joint}{second}"


def _item_code(sequence_id: int, item_id: int) -> str:
    item = catalogue().item(sequence_id, item_id)
    if item is None or item.period_start is None:
        return f"{item_id:02d}"
    start = date_of(item.period_start // DAY)
    is_daily = catalogue().grids[sequence_id].rule.letter in "DEW"
    return start.strftime("%d%m%Y" if is_daily else "%m%Y")
