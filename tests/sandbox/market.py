"""What the tests of the market engine talk about."""

import datetime as dt
from functools import cache

import numpy as np

from trayport_sdk.sandbox.calendar import DAY, SECOND
from trayport_sdk.sandbox.catalogue import catalogue
from trayport_sdk.sandbox.contract import Contract, ContractKind, Product
from trayport_sdk.sandbox.engine import Engine
from trayport_sdk.sandbox.noise import I64

TTF, EUA, GERMANY = 10_000_065, 10_000_016, 10_001_126
TTF_EEX, TTF_OTC = 10_002_806, 10_002_096
GAS_PROMPT, GAS_MONTHS, GAS_QUARTERS, GAS_YEARS = 10_000_302, 10_000_305, 10_000_306, 10_000_309
POWER_MONTHS, POWER_YEARS, EMISSIONS = 10_000_104, 10_000_106, 10_000_400


def at(text: str) -> int:
    """Nanoseconds of an ISO time in UTC."""
    moment = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    return int(moment.timestamp()) * SECOND


def day(text: str) -> int:
    return at(text) // DAY


def item_id(sequence_id: int, name: str) -> int:
    return next(item.id for item in catalogue().items(sequence_id) if item.name == name)


def contract(
    product: Product,
    product_id: int,
    sequence_id: int,
    first: str,
    second: str | None = None,
    kind: ContractKind = "SinglePeriod",
) -> Contract:
    second_id = None if second is None else item_id(sequence_id, second)
    return Contract(product, product_id, sequence_id, item_id(sequence_id, first), second_id, kind)


@cache
def engine() -> Engine:
    return Engine(seed=1)


def every(step: int, start: str, end: str) -> I64:
    return np.arange(at(start), at(end), step)


TTF_OCTOBER = contract("market", TTF, GAS_MONTHS, "Oct-24")
TTF_SPREAD = contract("market", TTF, GAS_MONTHS, "Oct-24", "Nov-24", "Spread")
TTF_RANGE = contract("market", TTF, GAS_MONTHS, "Oct-24", "Dec-24", "Range")
TTF_CALENDAR = contract("market", TTF, GAS_YEARS, "Cal-25")
TTF_DAY_AHEAD = contract("market", TTF, GAS_PROMPT, "Day Ahead")
EUA_DECEMBER = contract("market", EUA, EMISSIONS, "Dec-24")
GERMANY_CALENDAR = contract("instrument", GERMANY, POWER_YEARS, "Cal-25")
ILLIQUID = contract("market", TTF, GAS_YEARS, "Cal-29")
# in September 2024 all of these trade
TRADED = (
    TTF_OCTOBER,
    TTF_OCTOBER.with_instrument(TTF_EEX),
    TTF_OCTOBER.with_instrument(TTF_OTC),
    TTF_SPREAD,
    TTF_RANGE,
    TTF_CALENDAR,
    TTF_DAY_AHEAD,
    EUA_DECEMBER,
    GERMANY_CALENDAR,
    ILLIQUID,
)
