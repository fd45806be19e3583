"""Which venues are open when, by the day, and which of them send orders."""

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType

from trayport_spec import VENUES

from trayport_sdk.sandbox.calendar import day_number

VENUE_CODES: tuple[str, ...] = tuple(VENUES)
VENUE_INDEX: Mapping[str, int] = MappingProxyType({c: n for n, c in enumerate(VENUE_CODES)})

_FIRST_DAY = dt.date(2005, 1, 1)
_NEVER = dt.date(9999, 1, 1)
# An inactive venue stopped before 2022 unless it is named here.
_INACTIVE_FROM = dt.date(2022, 1, 1)
_CLOSED: Mapping[str, dt.date] = MappingProxyType({
    "EEX": dt.date(2023, 1, 1),
    "IDEX": dt.date(2023, 1, 1),
    "PXE": dt.date(2020, 7, 1),
    "GORE": dt.date(2020, 10, 1),
})  # fmt: skip
_OPENED: Mapping[str, dt.date] = MappingProxyType({
    "EEX7": dt.date(2020, 6, 1),
    "ACX": dt.date(2019, 1, 1),
    "ENEC": dt.date(2020, 9, 1),
    "BETP": dt.date(2021, 1, 1),
    "FINA": dt.date(2021, 3, 1),
    "VELT": dt.date(2022, 5, 1),
    "VGM": dt.date(2018, 1, 1),
    "BPIF": dt.date(2020, 3, 1),
})  # fmt: skip


def trades_on(code: str, day: int) -> bool:
    """Whether deals are done on the venue on a day (a day number)."""
    venue = VENUES[code]
    closed = _CLOSED.get(code, _NEVER if venue.active else _INACTIVE_FROM)
    return day_number(_OPENED.get(code, _FIRST_DAY)) <= day < day_number(closed)


def sends_orders_on(code: str, day: int) -> bool:
    """Whether the venue's order book is known on a day (a day number)."""
    return trades_on(code, day) and day >= day_number(VENUES[code].orders_from)


def aggregates_orders(code: str) -> bool:
    return VENUES[code].aggregated_book
