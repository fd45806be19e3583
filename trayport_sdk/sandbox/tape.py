"""When trades happen and how they are marked: the part of a trade that counting needs."""

from functools import cache

import numpy as np
import numpy.typing as npt
from attrs import frozen

from trayport_sdk.sandbox.calendar import DAY, HOUR, MINUTE, SECOND
from trayport_sdk.sandbox.noise import F64, I64, U64, bits, draws, unit

U8 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

_TIME_FIELD, _SNAP_FIELD, _MARK_FIELD = 0, 1, 2
# Of 1024 trades, how many fall exactly on a whole second, minute and hour, and how many share the
# time of the trade before.
_ON_SECOND, _ON_MINUTE, _ON_HOUR, _AS_BEFORE = 20, 20, 3, 24
# Share of trades spread evenly over the session; the rest gathers at its ends.
_EVEN = 0.55
_SHAPE_KNOTS = 257
# Of 256 trades, how many are seen on the further routes, corrected, or follow a deletion.
_ROUTE_SHARES = (120, 48, 16)
_UPDATED_OF_256 = 8
_DELETED_OF_256 = 5
ROUTE_COUNT = 1 + len(_ROUTE_SHARES)


@frozen(eq=False)
class Marks:
    """What happened to trades besides being done."""

    routes: U8
    updated: Bools
    deleted: U8


@cache
def _session_shape() -> tuple[F64, F64]:
    """Cumulative share of trades, and the share of the session at which it is reached."""
    elapsed = np.linspace(0.0, 1.0, _SHAPE_KNOTS)
    reached: F64 = _EVEN * elapsed + (1.0 - _EVEN) * ((2.0 * elapsed - 1.0) ** 3 + 1.0) / 2.0
    return reached, elapsed


def numbers_within(counts: I64) -> I64:
    """0, 1, 2… within each group of the given sizes."""
    ends = np.cumsum(counts)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)


def stamps(streams: U64, counts: I64, opens: I64, closes: I64) -> I64:
    """Times of all trades of several contracts on one UTC day, ascending within each.

    The four columns have one row per contract; a contract's times depend on its own row only.
    """
    owners = np.repeat(np.arange(len(counts)), counts)
    if len(owners) == 0:
        return np.zeros(0, np.int64)
    numbers = numbers_within(counts)
    by_trade = streams[owners]
    reached, elapsed = _session_shape()
    shares = np.interp(unit(draws(by_trade, numbers, _TIME_FIELD)), reached, elapsed)
    lengths = (closes - opens)[owners]
    first = opens[owners]
    offsets = np.minimum((shares * lengths).astype(np.int64), lengths - 1)
    snap = bits(draws(by_trade, numbers, _SNAP_FIELD), 0, 10)
    offsets = _snapped(first + offsets, snap) - first
    # One sort for all contracts: each gets a day of its own on a common axis.
    axis: I64 = np.sort(owners * DAY + offsets)
    together = (snap >= 1024 - _AS_BEFORE) & (numbers > 0)
    before = np.flatnonzero(together) - 1
    axis[together] = axis[before]
    return first + (axis - owners * DAY)


def _snapped(times: I64, snap: I64) -> I64:
    """Some times moved back to the start of their second, minute or hour."""
    unit_of_time = np.ones(len(times), np.int64)
    unit_of_time[snap < _ON_SECOND + _ON_MINUTE + _ON_HOUR] = SECOND
    unit_of_time[snap < _ON_MINUTE + _ON_HOUR] = MINUTE
    unit_of_time[snap < _ON_HOUR] = HOUR
    return times - times % unit_of_time


def marks(streams: U64, numbers: I64) -> Marks:
    """Routes, corrections and deletions, one row per trade."""
    words = draws(streams, numbers, _MARK_FIELD)
    routes = np.ones(len(numbers), np.uint8)
    for n, share in enumerate(_ROUTE_SHARES):
        routes |= (bits(words, 8 * n, 8) < share).astype(np.uint8) << np.uint8(n + 1)
    updated = bits(words, 32, 8) < _UPDATED_OF_256
    deleted = (bits(words, 40, 8) < _DELETED_OF_256).astype(np.uint8)
    return Marks(routes, updated, deleted)
