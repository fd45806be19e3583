"""Repeatable randomness: every number is a hash of what it belongs to.

Nothing here keeps state, so any value can be computed alone, in any order, or by the million.
The mixing function is the finaliser of SplitMix64.
"""

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIELD_STEP = np.uint64(0xD1B54A32D192ED03)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_WORD = 2**64
_UNIT = 2.0**-53


def _mix_in_place(words: U64) -> U64:
    words ^= words >> np.uint64(30)
    words *= _FIRST
    words ^= words >> np.uint64(27)
    words *= _SECOND
    words ^= words >> np.uint64(31)
    return words


def keys(*parts: int | I64 | U64) -> U64:
    """One key per row of the (broadcast) integer columns; order matters."""
    hashed: U64 = np.zeros(1, np.uint64)
    for part in parts:
        if isinstance(part, int):
            column: U64 = np.array([part % _WORD], np.uint64)
        else:
            column = part.astype(np.uint64)
        hashed = _mix_in_place((hashed ^ column) + _STEP)
    return hashed


def draws(streams: U64, numbers: I64, field: int) -> U64:
    """The word number `numbers` of each stream; fields of one number are independent."""
    words = numbers.astype(np.uint64)
    words += np.uint64(1)
    words = words * _STEP
    words = words + (streams + np.array([field + 1], np.uint64) * _FIELD_STEP)
    return _mix_in_place(words)


def unit(words: U64) -> F64:
    """Uniform in [0, 1) from the upper 53 bits."""
    return (words >> np.uint64(11)).astype(np.float64) * _UNIT


def bits(words: U64, shift: int, width: int) -> I64:
    """`width` bits of each word as small integers."""
    return ((words >> np.uint64(shift)) & np.uint64((1 << width) - 1)).astype(np.int64)
